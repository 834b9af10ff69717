//! `read`: a config, a catalog and states come in, records and new states go out.

use std::future::Future;

use host::{Config, ConfiguredCatalog, Error, Outbox, States, Sync};
use tokio::time::sleep;

use super::connector::{configure, load};
use super::outcome::Stop;
use crate::cli::{Origin, ReadFiles, Sandbox};

/// Reads the configured streams, until `stopped` says that it must end.
pub(crate) async fn read(
    component: &Origin,
    sandbox: &Sandbox,
    files: &ReadFiles,
    outbox: &Outbox,
    stopped: impl Future<Output = Error>,
) -> Result<(), Stop> {
    let late = late(sandbox);
    let halt = async {
        tokio::select! {
            reason = stopped => reason,
            reason = late => reason,
        }
    };
    let mut halt = std::pin::pin!(halt);
    let prepared = async {
        // Files first: a mistake in one is told before anything is compiled or asked.
        let config = Config::load(&files.config.path)?;
        let catalog = ConfiguredCatalog::load(&files.catalog)?;
        let states = files.state.as_deref().map(States::load).transpose()?.unwrap_or_default();
        let connector = load(component, sandbox, outbox)?;
        let source = configure(sandbox, &connector, &connector.spec().await?, &config, outbox).await?;
        let streams = catalog.resolve(&source.discover().await?)?;
        Ok::<_, Error>(Sync::new(source, streams, states))
    };
    let sync = tokio::select! {
        prepared = prepared => prepared?,
        reason = &mut halt => return Err(Stop::Failed(reason)),
    };
    let sync = match sandbox.limits.max_streams {
        Some(max_streams) => sync.max_streams(max_streams.get()),
        None => sync,
    };
    let report = sync.run(outbox, halt).await?;
    report.error().map_or(Ok(()), |error| Err(Stop::Told(error)))
}

/// Waits until a read has taken too long.
async fn late(sandbox: &Sandbox) -> Error {
    let Some(limit) = sandbox.limits.max_sync else { return std::future::pending().await };
    sleep(limit.into()).await;
    Error::transient(format!("the read took more than {limit} (--max-sync allows more)"))
}
