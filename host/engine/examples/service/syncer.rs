//! Syncs streams, one after the other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use elt_host::types::SyncMode;
use elt_host::{Error, FailureType, Result, Session};
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::Store;

/// Syncs streams into a store.
pub(crate) struct Syncer {
    session: Session,
    store: Store,
    streams: Vec<String>,
    outcomes: Mutex<BTreeMap<String, Outcome>>,
    wanted: Notify,
    stops: watch::Sender<bool>,
}

/// How the last sync of a stream went.
#[derive(Default)]
struct Outcome {
    records: usize,
    is_complete: bool,
    error: Option<(FailureType, String)>,
}

impl Syncer {
    pub(crate) fn new(session: Session, store: Store, streams: Vec<String>) -> Self {
        let (outcomes, wanted, stops) = (Mutex::default(), Notify::new(), watch::Sender::new(false));
        Self { session, store, streams, outcomes, wanted, stops }
    }

    /// Syncs at once, and then at every interval or when asked to, until stopped.
    pub(crate) async fn sync_regularly(&self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        let mut stops = self.stops.subscribe();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.wanted.notified() => {}
                _ = stops.wait_for(|stops| *stops) => return,
            }
            for stream in &self.streams {
                if *self.stops.borrow() {
                    return;
                }
                let mut outcome = Outcome::default();
                if let Err(error) = self.sync(stream, &mut outcome).await {
                    outcome.error = Some((error.failure_type(), error.message().to_owned()));
                }
                self.outcomes().insert(stream.clone(), outcome);
            }
        }
    }

    /// Starts a sync, or another one after that which runs.
    pub(crate) fn sync_now(&self) {
        self.wanted.notify_one();
    }

    /// Ends the sync that runs where the next one can go on.
    pub(crate) fn stop(&self) {
        self.stops.send_replace(true);
    }

    /// What was synced last, as JSON.
    pub(crate) fn status(&self) -> String {
        let outcomes = self.outcomes();
        let streams = outcomes.iter().map(|(stream, Outcome { records, is_complete, error })| {
            let error = error.as_ref().map(|(failure_type, message)| {
                json!({ "failure_type": format!("{failure_type:?}"), "message": message })
            });
            (stream, json!({ "complete": is_complete, "error": error, "records": records }))
        });
        json!(streams.collect::<BTreeMap<_, _>>()).to_string()
    }

    async fn sync(&self, stream: &str, outcome: &mut Outcome) -> Result<()> {
        let stored = |error: std::io::Error| Error::system(format!("the store failed: {error}"));
        let state = self.store.state(stream).map_err(stored)?;
        let mut reader = self.session.read(stream, SyncMode::Incremental, state.as_ref()).await?;
        while let Some(batch) = reader.next_batch().await? {
            let mut lines = String::new();
            for record in &batch.records {
                // A server may repeat a secret that it was sent.
                let masked = self.session.redaction().record(record);
                lines.push_str(masked.as_ref().unwrap_or(record).as_str());
                lines.push('\n');
            }
            self.store.append(stream, &lines).map_err(stored)?;
            outcome.records += batch.records.len();
            if let Some(checkpoint) = &batch.checkpoint {
                self.store.save(stream, checkpoint).map_err(stored)?;
            }
            if *self.stops.borrow() {
                reader.stop().await?;
            }
        }
        outcome.is_complete = reader.is_complete();
        Ok(())
    }

    fn outcomes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Outcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
