//! `read`: a config, a catalog or names of streams, and states come in, records and new states go out.

use std::future::Future;

use host::{Config, ConfiguredCatalog, Error, Level, Outbox, States, Sync};
use tokio::time::sleep;

use super::connector::{configure, load};
use super::outcome::Stop;
use super::selection::select;
use crate::cli::{Origin, ReadFiles, Sandbox};

/// Reads the streams that are wanted, until `stopped` says that it must end. `saved` are the states of the state file, if
/// new ones are saved there.
pub(crate) async fn read(
    component: &Origin,
    sandbox: &Sandbox,
    files: &ReadFiles,
    saved: Option<States>,
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
        let catalog = files.choice.catalog.as_deref().map(ConfiguredCatalog::load).transpose()?;
        let states = match (saved, &files.destination.state) {
            (Some(saved), _) => saved,
            (None, Some(path)) => States::load(path)?,
            (None, None) => States::default(),
        };
        let states = if files.choice.full_refresh { States::default() } else { states };
        let connector = load(component, sandbox, outbox)?;
        let source = configure(sandbox, &connector, &connector.spec().await?, &config, outbox).await?;
        let available = source.discover().await?;
        if let Some(warning) = states.recognize(&available)? {
            outbox.log(Level::Warn, warning).await;
        }
        let streams = match catalog {
            Some(catalog) => catalog.resolve(&available)?,
            None => select(&available, &files.choice)?,
        };
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
