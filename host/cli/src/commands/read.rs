//! `read`: reads streams, and emits their records and states.

use std::future::Future;

use elt_airbyte::{ConfiguredCatalog, States, SyncRun, load_config};
use elt_host::Error;
use elt_host::events::Level;

use super::invocation::Invocation;
use super::outcome::Stop;
use super::selection::select;
use crate::args::ReadFiles;

/// Reads the streams that are wanted, until `halt` says that the read must end. `saved` are the
/// states of the state file, if new ones are saved there.
pub(crate) async fn read(
    invocation: Invocation<'_>,
    files: &ReadFiles,
    saved: Option<States>,
    halt: impl Future<Output = Error>,
) -> Result<(), Stop> {
    let Invocation { sandbox, sender, .. } = invocation;
    let mut halt = std::pin::pin!(halt);
    let prepared = async {
        // Files first: a mistake in one is reported before anything is compiled or asked.
        let config = load_config(&files.config.path)?;
        let catalog = files.choice.catalog.as_deref().map(ConfiguredCatalog::load).transpose()?;
        let states = match (saved, &files.destination.state) {
            (Some(saved), _) => saved,
            (None, Some(path)) => States::load(path)?,
            (None, None) => States::default(),
        };
        let states = if files.choice.full_refresh { States::default() } else { states };
        let source = invocation.load().await?.configure(config).await?;
        let available = source.discover().await?;
        if let Some(warning) = states.recognize(&available)? {
            sender.log(Level::Warn, warning).await;
        }
        let streams = match catalog {
            Some(catalog) => catalog.resolve(&available)?,
            None => {
                let selected = select(&available, &files.choice)?;
                if files.choice.streams.is_empty() && selected.len() < available.len() {
                    let (some, all) = (selected.len(), available.len());
                    let line =
                        format!("reading the {some} default streams of {all}; --streams selects others");
                    sender.log(Level::Info, line).await;
                }
                selected
            }
        };
        Ok::<_, Error>(SyncRun::new(source, streams, states))
    };
    let sync = tokio::select! {
        prepared = prepared => prepared?,
        reason = &mut halt => return Err(Stop::Failed(reason)),
    };
    let sync = match sandbox.limits.max_streams {
        Some(max_streams) => sync.max_streams(max_streams.get()),
        None => sync,
    };
    let report = sync.run(sender, halt).await?;
    report.error().map_or(Ok(()), |error| Err(Stop::Reported(error)))
}
