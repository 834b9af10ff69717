//! A sync: configured streams and their states come in, messages go out, in the order in which Airbyte wants them.
//!
//! ```text
//! STARTED  [RUNNING  RECORD...  STATE]...  STATE  COMPLETE
//!                                     or:  ERROR  INCOMPLETE
//! ```
//!
//! Streams fail one by one: the others are still read, and the last state of a failed one stays in force. Each is
//! read by itself and tells what it has to tell through an [`Outbox`], so that nothing here depends on there being
//! one at a time.

use crate::catalog::ConfiguredStream;
use crate::contract::{Batch, Level, SyncMode};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::message::{Message, StreamStatus, now};
use crate::outbox::{Closed, Outbox};
use crate::progress::{Checkpoint, Progress};
use crate::report::{Failure, Report};
use crate::source::{Reader, Source};
use crate::state::States;

/// Where a sync reads from: the seam at which tests put a script in the place of a connector.
pub trait Streams {
    /// A read of one stream under way.
    type Reader: Batches;

    /// Opens a read of one stream, continuing from `state` if given.
    fn read(
        &self,
        stream: &str,
        sync_mode: SyncMode,
        state: Option<&Document>,
    ) -> impl Future<Output = Result<Self::Reader>> + Send;
}

/// A read of one stream under way.
pub trait Batches {
    /// The next records, or none at the end of the stream.
    fn next_batch(&mut self) -> impl Future<Output = Result<Option<Batch>>> + Send;
}

impl Streams for Source {
    type Reader = Reader;

    async fn read(&self, stream: &str, sync_mode: SyncMode, state: Option<&Document>) -> Result<Reader> {
        self.read(stream, sync_mode, state).await
    }
}

impl Batches for Reader {
    async fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.next_batch().await
    }
}

/// One run over all configured streams.
#[derive(Clone, Debug)]
pub struct Sync<S> {
    source: S,
    streams: Vec<ConfiguredStream>,
    states: States,
}

/// Why the reading of a stream stopped.
enum Stop {
    Failed(Error),
    /// Nobody listens any more, so there is nothing to tell.
    Unheard,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Unheard
    }
}

impl<S: Streams> Sync<S> {
    /// Will read `streams` from `source`, each from its state among `states`.
    pub fn new(source: S, streams: Vec<ConfiguredStream>, states: States) -> Self {
        Self { source, streams, states }
    }

    /// Reads the streams one after the other and tells what there is to tell, failures included.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody takes the messages out any more.
    pub async fn run(&self, outbox: &Outbox) -> Result<Report, Closed> {
        let mut report = Report::new(self.streams.len());
        for stream in &self.streams {
            if let Err(error) = self.read_stream(stream, outbox).await? {
                report.add(Failure { stream: stream.descriptor.clone(), error });
            }
        }
        if let Some(summary) = report.summary() {
            outbox.send(Message::error(summary)).await?;
        }
        Ok(report)
    }

    /// Reads one stream and tells how it goes, from its first status to its last.
    async fn read_stream(&self, stream: &ConfiguredStream, outbox: &Outbox) -> Result<Result<()>, Closed> {
        let tell = |status| {
            outbox.send(Message::StreamStatus {
                stream: stream.descriptor.clone(),
                status,
                emitted_at: now(),
            })
        };
        tell(StreamStatus::Started).await?;
        match self.read_batches(stream, outbox).await {
            Ok(()) => {
                tell(StreamStatus::Complete).await?;
                Ok(Ok(()))
            }
            Err(Stop::Failed(error)) => {
                let stream = Some(stream.descriptor.clone());
                outbox.send(Message::Error { error: error.clone(), stream, emitted_at: now() }).await?;
                tell(StreamStatus::Incomplete).await?;
                Ok(Err(error))
            }
            Err(Stop::Unheard) => Err(Closed),
        }
    }

    async fn read_batches(&self, configured: &ConfiguredStream, outbox: &Outbox) -> Result<(), Stop> {
        let stream = &configured.descriptor;
        let input = self.states.of(stream);
        let mut progress = Progress::default();
        let tell = |Checkpoint { state, record_count }| {
            outbox.send(Message::State { stream: stream.clone(), state, record_count })
        };
        let mut reader = self.source.read(&stream.name, configured.sync_mode, input).await?;
        while let Some(Batch { records, checkpoint }) = reader.next_batch().await? {
            if progress.is_empty() && !records.is_empty() {
                let status = StreamStatus::Running;
                outbox
                    .send(Message::StreamStatus { stream: stream.clone(), status, emitted_at: now() })
                    .await?;
            }
            let due = progress.observe(records.len(), checkpoint);
            if !records.is_empty() {
                outbox.send(Message::Records { stream: stream.clone(), emitted_at: now(), records }).await?;
            }
            if let Some(checkpoint) = due {
                tell(checkpoint).await?;
            }
        }
        if let Some(checkpoint) = progress.finish(input, States::none) {
            tell(checkpoint).await?;
        }
        let total = progress.total();
        let noun = if total == 1 { "record" } else { "records" };
        outbox.log(Level::Info, format!("read {total} {noun} of {}", stream.name)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::message::StreamDescriptor;
    use crate::outbox::Inbox;
    use crate::record::Record;

    /// A source that answers each stream by a script, and each read with its state as the first record.
    struct Script(Vec<(&'static str, Vec<Result<Batch>>)>);

    struct ScriptedReader(std::vec::IntoIter<Result<Batch>>);

    impl Streams for Script {
        type Reader = ScriptedReader;

        async fn read(&self, stream: &str, _: SyncMode, state: Option<&Document>) -> Result<ScriptedReader> {
            let (_, script) = self.0.iter().find(|(name, _)| *name == stream).unwrap();
            let mut batches = script.clone();
            if let Some(state) = state {
                let record = Record::parse(format!(r#"{{"state":{}}}"#, state.as_str())).unwrap();
                batches.insert(0, Ok(Batch { records: vec![record], checkpoint: None }));
            }
            Ok(ScriptedReader(batches.into_iter()))
        }
    }

    impl Batches for ScriptedReader {
        async fn next_batch(&mut self) -> Result<Option<Batch>> {
            self.0.next().transpose()
        }
    }

    fn batch(records: usize, checkpoint: Option<&str>) -> Result<Batch> {
        Ok(Batch {
            records: vec![Record::parse("{}".to_owned()).unwrap(); records],
            checkpoint: checkpoint.map(|text| Document::parse(text).unwrap()),
        })
    }

    /// Everything told, shortened to what these tests are about.
    async fn told(mut inbox: Inbox) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(message) = inbox.next().await {
            told.push(match message {
                Message::StreamStatus { stream, status, .. } => format!("{} {status:?}", stream.name),
                Message::Records { records, .. } => {
                    records.iter().map(Record::as_str).collect::<Vec<_>>().join(" ")
                }
                Message::State { state, record_count, .. } => {
                    format!("{} after {record_count}", state.as_str())
                }
                Message::Error { error, stream, .. } => {
                    format!(
                        "{:?} {}: {error}",
                        error.failure_type(),
                        stream.map_or("all".into(), |s| s.name.clone())
                    )
                }
                Message::Log { message, .. } => message,
                other => panic!("{other:?}"),
            });
        }
        told
    }

    async fn run(script: Script, states: &str) -> (Vec<String>, Report) {
        let streams = script
            .0
            .iter()
            .map(|(name, _)| ConfiguredStream {
                descriptor: Arc::new(StreamDescriptor { name: (*name).to_owned(), namespace: None }),
                sync_mode: SyncMode::Incremental,
            })
            .collect();
        let sync = Sync::new(script, streams, States::parse(states).unwrap());
        let (outbox, inbox) = Outbox::new(Level::Warn);
        let (report, told) = tokio::join!(
            async move {
                let report = sync.run(&outbox).await.unwrap();
                drop(outbox);
                report
            },
            told(inbox)
        );
        (told, report)
    }

    #[tokio::test]
    async fn a_stream_tells_its_records_before_their_state_and_that_before_its_end() {
        let script = vec![batch(2, Some(r#"{"at":1}"#)), batch(1, None), batch(0, Some(r#"{"at":2}"#))];
        let (told, report) = run(Script(vec![("a", script)]), "null").await;
        assert_eq!(
            told,
            [
                "a Started",
                "a Running",
                "{} {}",
                r#"{"at":1} after 2"#,
                "{}",
                r#"{"at":2} after 1"#,
                "a Complete"
            ]
        );
        assert!(report.error().is_none());
    }

    #[tokio::test]
    async fn an_empty_stream_never_runs_and_tells_its_state() {
        let (told, _) = run(Script(vec![("a", vec![batch(0, None)])]), "null").await;
        assert_eq!(told, ["a Started", r#"{"__ab_no_cursor_state_message":true} after 0"#, "a Complete"]);
    }

    #[tokio::test]
    async fn a_stream_continues_from_its_own_state() {
        let (told, _) = run(Script(vec![("a", vec![])]), r#"{"a":{"at":1},"b":{"at":2}}"#).await;
        assert_eq!(
            told,
            ["a Started", "a Running", r#"{"state":{"at":1}}"#, r#"{"at":1} after 1"#, "a Complete"]
        );
    }

    #[tokio::test]
    async fn a_failed_stream_leaves_the_others_alone() {
        let failed = vec![batch(1, Some(r#"{"at":1}"#)), batch(1, None), Err(Error::transient("no answer"))];
        let script = Script(vec![("a", failed), ("b", vec![batch(1, Some(r#"{"at":5}"#))])]);
        let (told, report) = run(script, "null").await;
        assert_eq!(
            told,
            [
                "a Started",
                "a Running",
                "{}",
                r#"{"at":1} after 1"#,
                "{}",
                "Transient a: no answer",
                "a Incomplete",
                "b Started",
                "b Running",
                "{}",
                r#"{"at":5} after 1"#,
                "b Complete",
                "Transient all: 1 of 2 streams were not read to their end; a: no answer",
            ]
        );
        assert_eq!(report.failures().len(), 1);
    }

    #[tokio::test]
    async fn a_single_stream_that_fails_needs_no_summary() {
        let (told, report) = run(Script(vec![("a", vec![Err(Error::config("no key"))])]), "null").await;
        assert_eq!(told, ["a Started", "Config a: no key", "a Incomplete"]);
        assert_eq!(report.error(), Some(Error::config("no key")));
    }

    #[tokio::test]
    async fn a_sync_that_nobody_listens_to_stops() {
        let script = Script(vec![("a", vec![batch(1, None)])]);
        let sync = Sync::new(script, vec![], States::default());
        assert!(sync.run(&Outbox::closed()).await.is_ok());
        let stream = ConfiguredStream {
            descriptor: Arc::new(StreamDescriptor { name: "a".to_owned(), namespace: None }),
            sync_mode: SyncMode::FullRefresh,
        };
        let sync = Sync { streams: vec![stream], ..sync };
        assert_eq!(sync.run(&Outbox::closed()).await.unwrap_err(), Closed);
    }
}
