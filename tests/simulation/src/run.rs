//! Runs a history: sync after sync, each with the state of the one before, and two more in which
//! nothing happens.

use std::collections::HashMap;
use std::fmt;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::bindings::{ConfiguredStream, Error, FailureType, SourceConnector, SourceConnectorPre, SyncMode};
use crate::fault::Effect;
use crate::history::{History, Settings, Start, Sync, effects};
use crate::judge::{Judge, Progress, Reading};
use crate::server::{API_KEY, Planned, Server};
use crate::simulator::Simulator;
use crate::stream::Form;
use crate::subject::{Fact, Subject, instant};
use crate::union::{GONE, Union, read};
use crate::world::{DAY, Ended, HOUR, Latency, MINUTE, SECOND, Time, World};

/// 2025-06-01T00:00:00Z, when the first history begins.
const BEGINNING: Time = 1_748_736_000 * SECOND;

/// The host ends a call after this time.
const LONGEST_CALL: Time = 15 * MINUTE;
/// No sync of a small account takes so long.
const LONGEST_SYNC: Time = 24 * HOUR;

/// A state has a cursor and the progress of an unfinished read.
const LARGEST_STATE: usize = 400;
/// Besides, another connector's state has a cursor per parent.
const STATE_PER_PARENT: usize = 120;

/// It names each invoice that is open and each backfill, with a digest.
const STATE_PER_OBJECT: usize = 40;

/// The log says so if the list of backfills could not be read. The next read follows them.
const UNCORRECTED: &str = "so past days are not corrected";

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the oracle, as in docs/RELIABILITY.md.
    pub oracle: &'static str,
    /// The sync, from 0.
    pub sync: usize,
    /// What it found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in sync {}: {}", self.oracle, self.sync, self.detail)
    }
}

/// What became of a history.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// How many syncs there were.
    pub syncs: u64,
    /// How many of them ended well.
    pub succeeded: u64,
    /// How many requests were made.
    pub requests: u64,
    /// How many faults happened.
    pub faults: u64,
    /// What happened, line by line, if that was asked for.
    pub transcript: Vec<String>,
}

/// How a sync ended.
#[derive(Debug)]
enum End {
    Success,
    Failure(Error),
    /// Killed, or nobody asked for more.
    Abandoned,
    Broken(&'static str, String),
}

struct Run<'a> {
    simulator: &'a Simulator,
    history: &'a History,
    beginning: Time,
    now: Time,
    state: Option<String>,
    union: Union,
    /// The read that is continued, if any.
    chain: Option<Reading>,
    succeeded: Option<Time>,
    /// The bytes that a state may have.
    largest_state: usize,
    report: Report,
    is_told: bool,
}

/// Runs a history.
pub(crate) fn run(simulator: &Simulator, history: &History, is_told: bool) -> Report {
    let beginning = BEGINNING + Time::try_from(history.seed % 86_400).unwrap_or(0) * SECOND;
    let run = Run {
        simulator,
        history,
        beginning,
        now: beginning,
        state: None,
        union: Union::default(),
        chain: None,
        succeeded: None,
        largest_state: LARGEST_STATE,
        report: Report::default(),
        is_told,
    };
    run.run()
}

impl Run<'_> {
    fn run(mut self) -> Report {
        let history = self.history;
        let has_drafts = history.syncs.first().is_some_and(|sync| sync.settings.draft_invoices);
        let mut subject = Subject::new(history.row().kind, has_drafts, self.beginning);
        for number in 0..history.parents {
            let at = self.beginning - DAY - Time::from(number * 37 % 11) * 8 * DAY;
            subject.create_parent(at, u64::from(number));
        }
        for change in &history.initial {
            let what = subject.apply(*change, self.beginning);
            self.tell(|| format!("before: {what}"));
        }
        // Those records were there all the time.
        for fact in &mut subject.facts {
            for version in &mut fact.versions {
                version.from = version.from.min(fact.at);
            }
        }
        if let Start::Airbyte(form) = history.start {
            self.begin_from(form, &mut subject);
        }
        let quiet = history.quiet();
        for (number, sync) in history.syncs.iter().chain(&quiet).enumerate() {
            let is_quiet = number >= history.syncs.len();
            let state = self.state.clone();
            self.tell(|| format!("sync {number}, state {}", state.as_deref().unwrap_or("none")));
            let (after, broken) = self.sync(sync, subject, is_quiet);
            subject = after;
            self.report.syncs += 1;
            if let Some((oracle, detail)) = broken {
                self.tell(|| format!("  BROKEN   {oracle}: {detail}"));
                self.report.violation = Some(Violation { oracle, sync: number, detail });
                break;
            }
        }
        self.report
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.is_told {
            let line = line();
            self.report.transcript.push(line);
        }
    }

    /// Takes over from another connector, which has read everything up to its cursors.
    fn begin_from(&mut self, form: Form, subject: &mut Subject) {
        let row = self.history.row();
        let Some(field) = row.cursor else { return };
        let latest = if row.has_grace() { self.now - 3 * DAY } else { self.now };
        let is_read = |at: Time, shown: bool| shown && at <= latest;
        let shown = |index: usize, subject: &Subject| {
            let fact = &subject.facts[index];
            fact.versions.last().is_some_and(|version| is_read(fact.at, version.is_shown))
        };
        let mut cursors: HashMap<Option<usize>, Time> = HashMap::new();
        for index in (0..subject.facts.len()).filter(|index| shown(*index, subject)) {
            let fact = &subject.facts[index];
            for parent in [None, fact.parent] {
                let cursor = cursors.entry(parent).or_insert(fact.at);
                *cursor = fact.at.max(*cursor);
            }
        }
        let Some(global) = cursors.get(&None).copied() else { return };
        // Some parents are behind.
        if matches!(form, Form::Parents | Form::Partitions) {
            for index in (0..subject.facts.len()).rev().filter(|index| shown(*index, subject)) {
                let fact = &subject.facts[index];
                if fact.parent.is_some_and(|parent| parent % 2 == 1) {
                    cursors.insert(fact.parent, fact.at);
                }
            }
        }
        let whole = global - global.rem_euclid(SECOND);
        let mut of_parents: Vec<(String, Time)> = cursors
            .iter()
            .filter_map(|(parent, at)| Some((subject.parents[(*parent)?].id.clone(), *at)))
            .collect();
        of_parents.sort();
        let is_single = matches!(form, Form::Cursor(_) | Form::Global);
        let state = match form {
            Form::Cursor(spelling) => {
                let text = match spelling {
                    0 => instant(global).to_string(),
                    1 => instant(global).to_string().replace('Z', "+00:00"),
                    2 => instant(whole - SECOND)
                        .to_string()
                        .replace('Z', ".000000+0000")
                        .replace("+0000", "+00:00"),
                    _ => format!("{:.9}", instant(global)),
                };
                format!("{{\"{field}\":\"{text}\"}}")
            }
            Form::Parents => {
                let of = |(id, at): &(String, Time)| format!("\"{id}\":{{\"{field}\":\"{}\"}}", instant(*at));
                format!("{{{}}}", of_parents.iter().map(of).collect::<Vec<_>>().join(","))
            }
            Form::Partitions => {
                let key = row.parent_key.unwrap_or_default();
                let of = |(id, at): &(String, Time)| {
                    let at = instant(*at);
                    format!(
                        "{{\"partition\":{{\"{key}\":\"{id}\",\"parent_slice\":{{}}}},\"cursor\":{{\"{field}\":\"{at}\"}}}}"
                    )
                };
                let states = of_parents.iter().map(of).collect::<Vec<_>>().join(",");
                format!(
                    "{{\"use_global_cursor\":false,\"states\":[{states}],\"state\":{{\"{field}\":\"{}\"}},\
                     \"lookback_window\":1,\"parent_state\":{{}}}}",
                    instant(global)
                )
            }
            Form::Global => format!(
                "{{\"use_global_cursor\":true,\"state\":{{\"{field}\":\"{}\"}},\"lookback_window\":2}}",
                instant(global)
            ),
        };
        self.largest_state += STATE_PER_PARENT * of_parents.len();
        for index in 0..subject.facts.len() {
            let is_shown = shown(index, subject);
            let fact = &mut subject.facts[index];
            let own = if is_single { Some(global) } else { cursors.get(&fact.parent).copied() };
            if own.is_some_and(|own| fact.at <= own) {
                let last = fact.versions.last();
                if let Some(version) = last.filter(|_| is_shown) {
                    self.union.insert(fact.key.clone(), version.text.clone());
                }
                fact.is_passed = !is_shown || last.is_some_and(|version| !version.is_settled);
            }
        }
        self.union.commit();
        self.state = Some(state);
    }

    fn config(&self, settings: &Settings) -> (String, Time, Option<Time>) {
        let start = self.beginning - settings.start;
        let start = start - start.rem_euclid(SECOND);
        let end = settings.end.map(|end| self.beginning + end).filter(|end| *end > start);
        let Settings { lookback_days, concurrency, draft_invoices, .. } = settings;
        let end_date = end.map(|end| format!("\"end_date\":\"{}\",", instant(end))).unwrap_or_default();
        let config = format!(
            "{{\"api_key\":\"{API_KEY}\",\"start_date\":\"{}\",{end_date}\"lookback_window_days\":{lookback_days},\
             \"concurrency\":{concurrency},\"draft_invoices\":{draft_invoices}}}",
            instant(start)
        );
        (config, start, end)
    }

    /// Runs one sync. Returns the account as it is then, and the promise that was broken.
    fn sync(
        &mut self,
        sync: &Sync,
        subject: Subject,
        is_quiet: bool,
    ) -> (Subject, Option<(&'static str, String)>) {
        let history = self.history;
        self.now += sync.gap;
        let mut server = Server::new(subject, history.page, self.now);
        server.transcript = self.is_told.then(Vec::new);
        server.changes.clone_from(&sync.changes);
        if history.row().is_reference() && !history.is_full {
            server.changes.clear();
        }
        server.planned = sync
            .faults
            .iter()
            .map(|(at, fault, count)| Planned { at: *at, fault: *fault, count: *count })
            .collect();
        server.rate = history.rate.filter(|_| !is_quiet);
        server.change(self.now);
        let mut world = World::new(server, self.now, sync.latency);
        world.skew = sync.skew;
        world.jump = sync.jump;
        world.kill_at = sync.kill;
        let (config, start, end) = self.config(&sync.settings);
        let before = history.row().is_reference().then(|| self.look(&world.server.subject, &config));
        let state = self.state.clone();
        let progress = state.as_deref().and_then(|state| Progress::parse(state, history.row().cursor));
        let lower = progress.unwrap_or_default().lower(history, &sync.settings, start);
        // A first read lists no backfills, even if it continues from another connector's state.
        let is_corrected = !progress.is_some_and(|progress| progress.has_parents);
        let fresh = Reading { opened: self.now, lower, end, succeeded: self.succeeded, is_corrected };
        let is_continued = progress.is_some_and(|progress| progress.opened.is_some());
        let mut reading = self.chain.clone().filter(|_| is_continued).unwrap_or(fresh);
        reading.end = reading.end.into_iter().chain(end).min();
        self.chain = Some(reading.clone());
        let mut store = Store::new(self.simulator.subject.engine(), world);
        let mut attempt = Attempt {
            run: self,
            reading: &reading,
            previous: progress.and_then(|progress| progress.cursor),
            start,
            end,
            seen: HashMap::new(),
        };
        let outcome = attempt.read(&mut store, &config, state.as_deref(), sync);
        let world = store.into_data();
        self.now = world.now;
        let World { mut server, output, stderr, .. } = world;
        self.report.requests += server.arrived();
        self.report.faults += server.happened.len() as u64;
        self.report.transcript.extend(server.transcript.take().unwrap_or_default());
        reading.is_corrected &= !output.contains(UNCORRECTED);
        self.chain = Some(reading.clone());
        let broken = self.conclude(sync, &outcome, &server, &reading, start, before.as_ref(), &config);
        let is_secret = [&output, &stderr].iter().any(|text| text.contains(API_KEY));
        let broken =
            broken.or_else(|| is_secret.then(|| ("secret", format!("the key is in {output}{stderr}"))));
        self.tell(|| match &outcome {
            End::Failure(error) => format!("  => {:?}: {}", error.failure_type, error.message),
            outcome => format!("  => {outcome:?}"),
        });
        (server.subject, broken)
    }

    /// Judges a sync as a whole.
    #[expect(clippy::too_many_arguments, reason = "all of a sync")]
    fn conclude(
        &mut self,
        sync: &Sync,
        outcome: &End,
        server: &Server,
        reading: &Reading,
        start: Time,
        before: Option<&HashMap<String, String>>,
        config: &str,
    ) -> Option<(&'static str, String)> {
        if let Some(forbidden) = &server.forbidden {
            return Some(("forbidden", forbidden.clone()));
        }
        if let Some(impatient) = server.impatient.as_ref().filter(|_| sync.jump.is_none()) {
            return Some(("impatient", impatient.clone()));
        }
        let effects = effects(&server.happened);
        let is_skipped = effects.contains(&Effect::Skipped);
        match outcome {
            End::Broken(oracle, detail) => return Some((oracle, detail.clone())),
            End::Abandoned => {
                self.union.forget();
                return None;
            }
            End::Failure(error) => {
                self.union.forget();
                return self.blame(sync, error, &effects);
            }
            End::Success => {}
        }
        self.report.succeeded += 1;
        self.union.commit();
        let mut broken = None;
        if !is_skipped {
            let judge = Judge { is_corrected: reading.is_corrected, ..self.judge(&server.subject, start) };
            broken = judge.after_success(reading, self.now);
            let most = judge.most_requests(reading, self.now);
            if broken.is_none() && server.served > most {
                broken = Some(("requests", format!("{} requests, where {most} would do", server.served)));
            }
            if let Some(before) = before.filter(|_| broken.is_none()) {
                let after = self.look(&server.subject, config);
                broken = self.differs(before, &after);
            }
        }
        if !is_skipped {
            self.chain = None;
            self.succeeded = Some(reading.opened);
        }
        if self.history.is_full {
            self.state = None;
            // The next refresh replaces this one.
            if !is_skipped {
                self.union.clear();
            }
        }
        broken
    }

    fn judge<'b>(&'b self, subject: &'b Subject, start: Time) -> Judge<'b> {
        Judge { history: self.history, subject, union: &self.union, start, is_corrected: false }
    }

    /// Whether a failure is one that the faults allow.
    fn blame(&self, sync: &Sync, error: &Error, effects: &[Effect]) -> Option<(&'static str, String)> {
        let Error { failure_type, message, internal_message } = error;
        let internal = internal_message.as_deref().unwrap_or_default();
        if message.contains(API_KEY) || internal.contains(API_KEY) {
            return Some(("secret", format!("the key is in {message}: {internal}")));
        }
        // A clock that jumps ahead uses up the time for retries. By one that jumps back, the date
        // until when to wait is far away.
        let jumped = sync.jump.map(|_| FailureType::Transient);
        let allowed = effects.iter().filter_map(|effect| match effect {
            Effect::MayFail(failure_type) => Some(*failure_type),
            _ => None,
        });
        // What a change refuses is read the next time.
        let is_changing = self.history.row().is_reference() && !sync.changes.is_empty();
        let refused = is_changing.then_some(FailureType::System);
        let allowed: Vec<FailureType> = allowed.chain(jumped).chain(refused).collect();
        if allowed.is_empty() {
            return Some(("failed", format!("nothing prevents success, but: {message}: {internal}")));
        }
        let is_right = allowed.iter().any(|allowed| *allowed as u8 == *failure_type as u8);
        (!is_right)
            .then(|| ("blame", format!("{failure_type:?} instead of {allowed:?}: {message}: {internal}")))
    }

    /// What there is: a read without faults, of a copy of the account.
    fn look(&self, subject: &Subject, config: &str) -> HashMap<String, String> {
        let server = Server::new(subject.clone(), 100, self.now);
        let world = World::new(server, self.now, Latency { seed: 1, most: 1 });
        let mut store = Store::new(self.simulator.reference.engine(), world);
        let mut found = HashMap::new();
        let Ok((connector, reader)) = open(&self.simulator.reference, &mut store, self.history, config, None)
        else {
            return found;
        };
        let Ok(reader) = reader else { return found };
        let source = connector.elt_connector_source();
        while let Ok(Ok(Some(batch))) = source.reader().call_next_batch(&mut store, reader) {
            found.extend(batch.records.iter().filter_map(|record| read(self.history.row(), record)));
        }
        found
    }

    /// What was there before and after, and is not in the union.
    fn differs(
        &self,
        before: &HashMap<String, String>,
        after: &HashMap<String, String>,
    ) -> Option<(&'static str, String)> {
        let mut stable: Vec<_> = before.iter().filter(|(key, text)| after.get(*key) == Some(text)).collect();
        stable.sort();
        stable.into_iter().find_map(|(key, text)| match self.union.version(key) {
            None => Some(("lost", key.clone())),
            Some(written) if written != text && self.history.is_full => {
                Some(("stale", format!("{key}: it is {text}, but {written} was written")))
            }
            Some(_) => None,
        })
    }
}

type Opened = (SourceConnector, Result<ResourceAny, Error>);

fn open(
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
struct Attempt<'a, 'b> {
    run: &'a mut Run<'b>,
    reading: &'a Reading,
    previous: Option<Time>,
    start: Time,
    end: Option<Time>,
    /// When a record was emitted.
    seen: HashMap<String, Time>,
}

impl Attempt<'_, '_> {
    fn read(&mut self, store: &mut Store<World>, config: &str, state: Option<&str>, sync: &Sync) -> End {
        let opened = store.data().now;
        let opened_by_guest = store.data().wall_clock();
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
        let mut batches = 0;
        loop {
            if sync.stop.is_some_and(|stop| batches >= stop) {
                return End::Abandoned;
            }
            let called = store.data().now;
            let batch = connector.elt_connector_source().reader().call_next_batch(&mut *store, reader);
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
                Ok(Ok(None)) => return End::Success,
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
                let is_known = |known: &crate::subject::Version| known.is_shown && known.text == version;
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
        let backfills = world.server.subject.backfills.len();
        if state.len() > self.run.largest_state + STATE_PER_OBJECT * (open + 2 * backfills) {
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
            if let Some(passed) = judge.passed((progress, &state), self.reading, self.previous, now) {
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
        None => End::Broken("trap", format!("{error:?} {}", store.data().stderr)),
    }
}
