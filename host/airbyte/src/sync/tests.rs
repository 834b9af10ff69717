use std::future::{pending, ready};

use elt_host::events::Level;
use elt_host::types::{Batch, JsonObject, Record, SyncMode};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::*;
use crate::advice::Advice;
use crate::channel::{Receiver, channel};
use crate::message::StreamDescriptor;
use crate::source::BatchSource;

/// A source that answers each stream by a script, and each read with its state as the first record.
/// A stream whose name begins with `endless` waits at the end of its script; those that begin with
/// `together` wait for each other first.
struct Script(Vec<(&'static str, Vec<Result<Batch>>)>, Arc<Barrier>);

struct ScriptedReader {
    batches: std::vec::IntoIter<Result<Batch>>,
    endless: bool,
}

fn scripted(streams: Vec<(&'static str, Vec<Result<Batch>>)>) -> Script {
    Script(streams, Arc::new(Barrier::new(2)))
}

impl StreamSource for Script {
    type Batches = ScriptedReader;

    async fn open(&self, stream: &ConfiguredStream, state: Option<&JsonObject>) -> Result<ScriptedReader> {
        let stream = stream.descriptor.name.as_str();
        if stream.starts_with("together") {
            self.1.wait().await;
        }
        let (_, script) = self.0.iter().find(|(name, _)| *name == stream).unwrap();
        let mut batches = script.clone();
        if let Some(state) = state {
            let record = Record::parse(format!(r#"{{"state":{}}}"#, state.as_str())).unwrap();
            batches.insert(0, Ok(Batch { records: vec![record], checkpoint: None }));
        }
        Ok(ScriptedReader { batches: batches.into_iter(), endless: stream.starts_with("endless") })
    }
}

impl BatchSource for ScriptedReader {
    async fn pull(&mut self) -> Result<Option<Batch>> {
        match self.batches.next() {
            None if self.endless => pending().await,
            batch => batch.transpose(),
        }
    }
}

fn batch(records: usize, checkpoint: Option<&str>) -> Result<Batch> {
    Ok(Batch {
        records: vec![Record::parse("{}".to_owned()).unwrap(); records],
        checkpoint: checkpoint.map(|text| JsonObject::parse(text).unwrap()),
    })
}

/// The next message.
async fn next(receiver: &mut Receiver) -> Option<Message> {
    Some(receiver.next().await?.unwrap().message().clone())
}

/// Everything that was emitted, shortened to what these tests are about.
async fn emitted(mut receiver: Receiver) -> Vec<String> {
    let mut emitted = Vec::new();
    while let Some(message) = next(&mut receiver).await {
        emitted.push(match message {
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
    emitted
}

fn configured(script: &Script) -> Vec<ConfiguredStream> {
    let configured = |name: &str| ConfiguredStream {
        descriptor: Arc::new(StreamDescriptor { name: name.to_owned(), namespace: None }),
        sync_mode: SyncMode::Incremental,
    };
    script.0.iter().map(|(name, _)| configured(name)).collect()
}

/// Reads the streams of a script one after the other.
async fn run(script: Script, states: &str) -> (Vec<String>, Report) {
    let streams = configured(&script);
    let sync = SyncRun::new(script, streams, States::parse(states).unwrap()).max_streams(1);
    finish(sync, pending()).await
}

async fn finish(sync: SyncRun<Script>, halt: impl Future<Output = Error>) -> (Vec<String>, Report) {
    let (sender, receiver) = channel(Level::Warn, Advice::default());
    let (report, emitted) = tokio::join!(
        async move {
            let report = sync.run(&sender, halt).await.unwrap();
            drop(sender);
            report
        },
        emitted(receiver)
    );
    (emitted, report)
}

#[tokio::test]
async fn a_stream_emits_its_records_before_their_state_and_that_before_its_end() {
    let script = vec![batch(2, Some(r#"{"at":1}"#)), batch(1, None), batch(0, Some(r#"{"at":2}"#))];
    let (emitted, report) = run(scripted(vec![("a", script)]), "null").await;
    assert_eq!(
        emitted,
        ["a Started", "a Running", "{} {}", "{}", r#"{"at":1} after 3"#, r#"{"at":2} after 0"#, "a Complete"]
    );
    assert!(report.error().is_none());
}

#[tokio::test]
async fn an_empty_stream_never_runs_and_emits_its_state() {
    let (emitted, _) = run(scripted(vec![("a", vec![batch(0, None)])]), "null").await;
    assert_eq!(emitted, ["a Started", r#"{"__ab_no_cursor_state_message":true} after 0"#, "a Complete"]);
}

#[tokio::test]
async fn a_stream_continues_from_its_own_state() {
    let (emitted, _) = run(scripted(vec![("a", vec![])]), r#"{"a":{"at":1},"b":{"at":2}}"#).await;
    assert_eq!(
        emitted,
        ["a Started", "a Running", r#"{"state":{"at":1}}"#, r#"{"at":1} after 1"#, "a Complete"]
    );
}

#[tokio::test]
async fn a_failed_stream_leaves_the_others_alone() {
    let failed = vec![batch(1, Some(r#"{"at":1}"#)), batch(1, None), Err(Error::transient("no answer"))];
    let script = scripted(vec![("a", failed), ("b", vec![batch(1, Some(r#"{"at":5}"#))])]);
    let (emitted, report) = run(script, "null").await;
    assert_eq!(
        emitted,
        [
            "a Started",
            "a Running",
            "{}",
            "{}",
            r#"{"at":1} after 2"#,
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
    let (emitted, report) = run(scripted(vec![("a", vec![Err(Error::config("no key"))])]), "null").await;
    assert_eq!(emitted, ["a Started", "Config a: no key", "a Incomplete"]);
    assert_eq!(report.error(), Some(Error::config("no key")));
}

#[tokio::test]
async fn a_sync_whose_output_is_closed_stops() {
    let script = scripted(vec![("a", vec![batch(1, None)])]);
    let streams = configured(&script);
    let sync = SyncRun::new(script, streams, States::default());
    assert_eq!(sync.run(&Sender::closed(Advice::default()), pending()).await.unwrap_err(), OutputClosed);
}

#[tokio::test]
async fn streams_are_read_at_the_same_time_but_no_more_than_allowed() {
    let streams = || scripted(vec![("together 1", vec![]), ("together 2", vec![])]);
    let sync = SyncRun::new(streams(), configured(&streams()), States::default()).max_streams(2);
    let (emitted, report) = finish(sync, pending()).await;
    assert!(report.error().is_none());
    let mut first = emitted[..2].to_vec();
    first.sort();
    assert_eq!(first, ["together 1 Started", "together 2 Started"]);

    let alone = SyncRun::new(streams(), configured(&streams()), States::default()).max_streams(1);
    let (emitted, _) = finish(alone, ready(Error::transient("stopped"))).await;
    assert!(!emitted.contains(&"together 2 Started".to_owned()), "{emitted:?}");
}

#[tokio::test]
async fn more_streams_are_read_at_the_same_time_than_a_runtime_has_threads() {
    // tokio has 512 for what blocks. None of these ends before the last has begun.
    const STREAMS: usize = 600;
    let script = Script(vec![("together", vec![]); STREAMS], Arc::new(Barrier::new(STREAMS)));
    let streams = configured(&script);
    let sync = SyncRun::new(script, streams, States::default()).max_streams(STREAMS);
    let (emitted, report) = finish(sync, pending()).await;
    assert!(report.error().is_none());
    assert_eq!(emitted.iter().filter(|line| *line == "together Complete").count(), STREAMS);
}

#[tokio::test]
async fn a_sync_that_is_halted_keeps_the_last_states_and_says_what_is_missing() {
    let script = scripted(vec![
        ("done", vec![batch(1, Some(r#"{"at":1}"#))]),
        ("endless", vec![batch(1, Some(r#"{"at":2}"#)), batch(1, None)]),
        ("never begun", vec![]),
    ]);
    let streams = configured(&script);
    let sync = SyncRun::new(script, streams, States::default()).max_streams(1);
    let (sender, mut receiver) = channel(Level::Warn, Advice::default());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(async move {
        let halt = async { stopped.await.unwrap_or_else(|_| Error::system("no reason")) };
        sync.run(&sender, halt).await.unwrap()
    });
    // All that comes before the stream has nothing more to give.
    let mut records = 0;
    while records < 3 {
        records += usize::from(matches!(next(&mut receiver).await, Some(Message::Records { .. })));
    }
    stop.send(Error::transient("stopped")).unwrap();
    assert_eq!(
        emitted(receiver).await,
        [
            r#"{"at":2} after 2"#,
            "endless Incomplete",
            "Transient all: 2 of 3 streams were not read to their end; stopped"
        ]
    );
    assert_eq!(running.await.unwrap().error().unwrap().failure_type(), elt_host::FailureType::Transient);
}

#[tokio::test]
async fn a_state_does_not_wait_for_a_connector_that_takes_long() {
    let script = scripted(vec![("endless", vec![batch(1, Some(r#"{"at":1}"#))])]);
    let streams = configured(&script);
    let mut sync = SyncRun::new(script, streams, States::default());
    sync.patience = Duration::ZERO;
    let (sender, mut receiver) = channel(Level::Warn, Advice::default());
    let running = tokio::spawn(async move { sync.run(&sender, pending()).await });
    let told = async { while !matches!(next(&mut receiver).await, Some(Message::State { .. })) {} };
    timeout(Duration::from_secs(60), told).await.expect("the state is told while the connector works");
    running.abort();
}
