//! One read of a history: what it emits is taken and judged as it comes, as a host takes it.

use std::collections::HashMap;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::Run;
use crate::bindings::{ConfiguredStream, Error, SourceConnector, SourceConnectorPre, SyncMode};
use crate::history::{History, Sync};
use crate::judge::{Progress, Reading};
use crate::server::API_KEY;
use crate::subject::{Fact, Version, instant};
use crate::union::{GONE, read};
use crate::world::{Ended, HOUR, MINUTE, SECOND, Time, World};

/// The host ends a call after this time.
const LONGEST_CALL: Time = 15 * MINUTE;
/// No sync of a small account takes so long.
const LONGEST_SYNC: Time = 24 * HOUR;

/// It names each invoice that is open and each backfill, with a digest.
const STATE_PER_OBJECT: usize = 40;

/// Where an unread part of a list begins and ends.
const STATE_PER_PART: usize = 2 * 29;

/// The backfills of an account whose stream is not modelled.
const BACKFILLS: usize = 3;

/// How a sync ended.
#[derive(Debug)]
pub(super) enum End {
    Success,
    /// It was told to end, and has not read everything.
    Left,
    Failure(Error),
    /// Killed, or nobody asked for more.
    Abandoned,
    Broken(&'static str, String),
}

type Opened = (SourceConnector, Result<ResourceAny, Error>);

/// Starts a connector, and opens a reader of the stream.
pub(super) fn open(
    connector: &SourceConnectorPre<World>,
    store: &mut Store<World>,
    history: &History,
    config: &str,
    state: Option<&str>,
) -> wasmtime::Result<Opened> {
    let connector = connector.instantiate(&mut *store)?;
    let sync_mode = if history.is_full { SyncMode::FullRefresh } else { SyncMode::Incremental };
    let stream = ConfiguredStream { name: history.row().name.to_owned(), sync_mode };
    let reader = connector.elt_connector_source().call_read(store, config, &stream, state)?;
    Ok((connector, reader))
}

/// One read, from opening to its end.
pub(super) struct Attempt<'a, 'b> {
    pub(super) run: &'a mut Run<'b>,
    pub(super) reading: &'a Reading,
    pub(super) previous: Option<Time>,
    pub(super) start: Time,
    pub(super) end: Option<Time>,
    /// When a record was emitted.
    pub(super) seen: HashMap<String, Time>,
}

impl Attempt<'_, '_> {
    pub(super) fn read(
        &mut self,
        store: &mut Store<World>,
        config: &str,
        state: Option<&str>,
        sync: &Sync,
    ) -> End {
        let opened = store.data().now;
        let opened_by_guest = store.data().wall_clock();
        self.run.openings.push((opened_by_guest, opened, self.end));
        let simulator = self.run.simulator;
        let (connector, reader) = match open(&simulator.subject, store, self.run.history, config, state) {
            Ok((connector, Ok(reader))) => (connector, reader),
            Ok((_, Err(error))) if state.is_some() => {
                return End::Broken(
                    "state",
                    format!("{} is not understood: {}", state.unwrap_or(""), error.message),
                );
            }
            Ok((_, Err(error))) => return End::Failure(error),
            Err(error) => return crashed(&error, store),
        };
        let source = connector.elt_connector_source();
        let mut batches = 0;
        loop {
            if sync.stop.is_some_and(|stop| batches >= stop) {
                return End::Abandoned;
            }
            if sync.leave == Some(batches)
                && let Err(error) = source.reader().call_stop(&mut *store, reader)
            {
                return crashed(&error, store);
            }
            let called = store.data().now;
            let batch = source.reader().call_next_batch(&mut *store, reader);
            let now = store.data().now;
            // A clock that jumps back takes back time that retries have used up.
            let is_measured = sync.jump.is_none();
            if is_measured && now - called > LONGEST_CALL {
                return End::Broken("time", format!("a call took {} s", (now - called) / SECOND));
            }
            if is_measured && now - opened > LONGEST_SYNC {
                return End::Broken("time", format!("a sync took {} s", (now - opened) / SECOND));
            }
            let batch = match batch {
                Ok(Ok(Some(batch))) => batch,
                Ok(Ok(None)) => {
                    return match source.reader().call_is_complete(&mut *store, reader) {
                        Ok(true) => End::Success,
                        Ok(false) => End::Left,
                        Err(error) => crashed(&error, store),
                    };
                }
                Ok(Err(error)) => return End::Failure(error),
                Err(error) => return crashed(&error, store),
            };
            batches += 1;
            let size = batch.records.len();
            if let Some((oracle, detail)) = self.take(batch.records, store.data(), now) {
                return End::Broken(oracle, detail);
            }
            let checkpoint = batch.checkpoint;
            store.data_mut().server.log(now, || {
                format!("batch    {size} records, state {}", checkpoint.as_deref().unwrap_or("none"))
            });
            if let Some(state) = checkpoint
                && let Some((oracle, detail)) = self.save(state, store.data(), opened_by_guest, now)
            {
                return End::Broken(oracle, detail);
            }
        }
    }

    /// Takes the records of a batch.
    fn take(&mut self, records: Vec<String>, world: &World, now: Time) -> Option<(&'static str, String)> {
        let row = self.run.history.row();
        for record in records {
            if record.contains(API_KEY) {
                return Some(("secret", format!("the key is in {record}")));
            }
            let Some((key, version)) = read(row, &record).filter(|_| !record.contains('\n')) else {
                return Some(("invented", format!("{record} is no record of this stream")));
            };
            // The day that the start date cuts is a record of its own.
            let is_cut = row.has_grace() && key.ends_with(&format!("/{}", self.start));
            if !row.is_reference() && !is_cut {
                let fact =
                    world.server.subject.by_key.get(&key).map(|fact| &world.server.subject.facts[*fact]);
                let is_known = |known: &Version| known.is_shown && known.text == version;
                let is_true =
                    |fact: &Fact| fact.versions.iter().any(is_known) || version == GONE && fact.is_gone();
                let Some(fact) = fact.filter(|fact| is_true(fact)) else {
                    return Some(("invented", format!("{record} was never in the account")));
                };
                let is_outside = fact.at < self.start || self.end.is_some_and(|end| fact.at > end);
                if is_outside && !row.has_grace() && version != GONE {
                    return Some(("outside", format!("{key}, of {}, was not asked for", instant(fact.at))));
                }
                // It may have been edited in between, and read twice.
                let since = self.seen.insert(key.clone(), now);
                let is_same = since.is_some() && fact.changes(self.reading.opened, now) == 0;
                if is_same {
                    return Some(("duplicate", format!("{key} was emitted twice")));
                }
            }
            self.run.union.insert(key, version);
        }
        None
    }

    /// Takes a state, which covers everything before it.
    fn save(
        &mut self,
        state: String,
        world: &World,
        opened_by_guest: Time,
        now: Time,
    ) -> Option<(&'static str, String)> {
        let row = self.run.history.row();
        self.run.union.commit();
        if state.contains(API_KEY) {
            return Some(("secret", format!("the key is in {state}")));
        }
        let Some(progress) = Progress::parse(&state, row.cursor) else {
            return Some(("state", format!("{state} is no state")));
        };
        let open = if row.holds_days().is_some() { world.server.subject.facts.len() } else { 0 };
        let backfills = match row.is_reference() {
            true => BACKFILLS,
            false => world.server.subject.backfills.len(),
        };
        // Each request in flight can be in the midst of a part that is unread.
        let in_flight = self.run.history.syncs.iter().map(|sync| sync.settings.concurrency).max();
        let parts = if progress.has_unread() { in_flight.unwrap_or(0) as usize } else { 0 };
        let most =
            self.run.largest_state + STATE_PER_OBJECT * (open + 2 * backfills) + STATE_PER_PART * parts;
        if state.len() > most {
            return Some(("state", format!("{} bytes: {state}", state.len())));
        }
        if let Some(cursor) = progress.cursor {
            // What can still change holds the cursor, and may lie below the last one.
            let is_older = self.previous.is_some_and(|previous| cursor < previous.min(self.reading.lower));
            let known = self.previous.unwrap_or(Time::MIN).max(self.start);
            if cursor > opened_by_guest.max(known) {
                return Some(("cursor", format!("{} is after the opening", instant(cursor))));
            }
            // A record with an older date than the opening may still appear, if none is newer.
            let facts = world.server.subject.facts.iter();
            let newest = facts.map(|fact| fact.at).filter(|at| *at <= opened_by_guest).max();
            let is_modelled = !row.has_grace() && !row.is_reference();
            if is_modelled && cursor > newest.unwrap_or(Time::MIN).max(known) {
                return Some(("cursor", format!("{} is after the newest record", instant(cursor))));
            }
            if is_older && !row.has_parents() {
                return Some(("cursor", format!("{} is before the one of the last read", instant(cursor))));
            }
        }
        if !row.is_reference() {
            let judge = self.run.judge(&world.server.subject, self.start);
            if let Some(passed) = judge.passed((&progress, &state), self.reading, self.previous, now) {
                return Some(("cursor", passed));
            }
        }
        self.run.state = Some(state);
        None
    }
}

/// A trap: planned by the history, or the connector's.
fn crashed(error: &wasmtime::Error, store: &Store<World>) -> End {
    match store.data().ended {
        Some(Ended::Killed) => End::Abandoned,
        Some(ended) => End::Broken("time", format!("the connector {ended}")),
        None => End::Broken("trap", format!("{error:?}")),
    }
}
