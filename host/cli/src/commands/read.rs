//! `read`: reads streams, and emits their records and states.

use std::borrow::Cow;
use std::future::Future;
use std::path::Path;

use elt_airbyte::{ConfiguredCatalog, ConfiguredStream, Message, States, SyncRun, load_config};
use elt_host::Error;
use elt_host::events::Level;
use elt_host::types::SyncMode;

use super::invocation::Invocation;
use super::outcome::Stop;
use super::selection::select;
use crate::args::{Choice, ReadFiles, Verifying};

/// What is read, and from where it continues.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    config: &'a Path,
    choice: Cow<'a, Choice>,
    state: Option<&'a Path>,
    /// Whether the output must know the streams before their records.
    tells_streams: bool,
}

impl<'a> Reading<'a> {
    /// A read by these flags.
    pub(crate) fn of(files: &'a ReadFiles) -> Self {
        Self {
            config: &files.config.path,
            choice: Cow::Borrowed(&files.choice),
            state: files.destination.state.as_deref(),
            tells_streams: files.folder.output_dir.is_some(),
        }
    }

    /// A read of everything, to be compared with a folder.
    pub(crate) fn verifying(wanted: &'a Verifying) -> Self {
        let choice = Cow::Owned(wanted.choice());
        Self { config: &wanted.config.path, choice, state: None, tells_streams: true }
    }
}

/// Reads the streams that are wanted, until `halt` says that the read must end. `saved` are the
/// states of the state file, if new ones are saved there.
pub(crate) async fn read(
    invocation: Invocation<'_>,
    reading: Reading<'_>,
    saved: Option<States>,
    halt: impl Future<Output = Error>,
) -> Result<(), Stop> {
    let Invocation { sandbox, sender, .. } = invocation;
    let mut halt = std::pin::pin!(halt);
    let prepared = async {
        // Files first: a mistake in one is reported before anything is compiled or asked.
        let choice = &*reading.choice;
        let config = load_config(reading.config)?;
        let catalog = choice.catalog.as_deref().map(ConfiguredCatalog::load).transpose()?;
        let states = match (saved, reading.state) {
            (Some(saved), _) => saved,
            (None, Some(path)) => States::load(path)?,
            (None, None) => States::default(),
        };
        let states = if choice.full_refresh { States::default() } else { states };
        let source = invocation.load().await?.configure(config).await?;
        let available = source.discover().await?;
        if let Some(warning) = states.recognize(&available)? {
            sender.log(Level::Warn, warning).await;
        }
        let streams = match catalog {
            Some(catalog) if choice.full_refresh => {
                catalog.resolve(&available)?.into_iter().map(in_full).collect()
            }
            Some(catalog) => catalog.resolve(&available)?,
            None => {
                let selected = select(&available, choice)?;
                if choice.streams.is_empty() && selected.len() < available.len() {
                    let (some, all) = (selected.len(), available.len());
                    let line =
                        format!("reading the {some} default streams of {all}; --streams selects others");
                    sender.log(Level::Info, line).await;
                }
                selected
            }
        };
        if reading.tells_streams {
            let specification = source.specification().clone();
            for message in [Message::Spec(specification), Message::Catalog(available)] {
                // If nobody receives it, the read finds out.
                let _ = sender.send(message).await;
            }
        }
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

fn in_full(stream: ConfiguredStream) -> ConfiguredStream {
    ConfiguredStream { sync_mode: SyncMode::FullRefresh, ..stream }
}
