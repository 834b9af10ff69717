//! Runs a history: sync after sync, each with the state of the one before, and two more in which
//! nothing happens.

mod attempt;
mod takeover;
mod verdict;

use std::collections::HashMap;
use std::fmt;

use wasmtime::Store;

use self::attempt::{Attempt, End, open};
use crate::fault::Effect;
use crate::history::{History, Settings, Start, Sync, effects};
use crate::judge::Reading;
use crate::server::{API_KEY, Planned, Server};
use crate::simulator::Simulator;
use crate::subject::{Subject, instant};
use crate::union::{Union, read};
use crate::world::{DAY, Latency, SECOND, Time, World};

/// 2025-06-01T00:00:00Z, when the first history begins.
const BEGINNING: Time = 1_748_736_000 * SECOND;

/// A state has a cursor and the progress of an unfinished read.
const LARGEST_STATE: usize = 400;
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

struct Run<'a> {
    simulator: &'a Simulator,
    history: &'a History,
    beginning: Time,
    now: Time,
    state: Option<String>,
    union: Union,
    /// The read that is continued, if any.
    chain: Option<Reading>,
    /// What was there when it was opened, of a stream that is not modelled.
    there: Option<HashMap<String, String>>,
    succeeded: Option<Time>,
    /// When each read was opened, by the connector's clock and by Orb's, and its end.
    openings: Vec<(Time, Time, Option<Time>)>,
    /// Whether the read goes on with what an earlier one has left.
    is_continued: bool,
    /// The last read of everything that was judged.
    swept: Option<Time>,
    /// Backfills that changed since then may be new to the next read.
    corrected: Time,
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
        there: None,
        succeeded: None,
        openings: Vec::new(),
        is_continued: false,
        swept: None,
        corrected: Time::MIN,
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

    fn config(&self, settings: &Settings) -> (String, Time, Option<Time>) {
        let start = self.beginning - settings.start;
        let start = start - start.rem_euclid(SECOND);
        let end = settings.end.map(|end| self.beginning + end).filter(|end| *end > start);
        let Settings { lookback_days, concurrency, draft_invoices, sweep_days, .. } = settings;
        let end_date = end.map(|end| format!("\"end_date\":\"{}\",", instant(end))).unwrap_or_default();
        let config = format!(
            "{{\"api_key\":\"{API_KEY}\",\"start_date\":\"{}\",{end_date}\"lookback_window_days\":{lookback_days},\
             \"concurrency\":{concurrency},\"draft_invoices\":{draft_invoices},\"full_sweep_days\":{sweep_days}}}",
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
        let state = self.state.clone();
        let progress = self.progress();
        self.is_continued = progress.is_unfinished;
        let lower = progress.lower(history, &sync.settings, start);
        let fresh = Reading {
            opened: self.now,
            lower,
            begin: if sync.settings.sweep_days > 0 { start } else { lower },
            end,
            succeeded: self.succeeded,
            is_corrected: true,
            corrected: self.corrected,
        };
        if history.row().is_reference() && !(progress.is_unfinished && self.there.is_some()) {
            self.there = Some(self.look(&world.server.subject, &config));
        }
        let mut reading = self.chain.clone().filter(|_| progress.is_unfinished).unwrap_or(fresh);
        reading.end = reading.end.into_iter().chain(end).min();
        let mut store = Store::new(self.simulator.subject.engine(), world);
        let mut attempt = Attempt {
            run: self,
            reading: &reading,
            previous: progress.cursor,
            start,
            end,
            seen: HashMap::new(),
        };
        let outcome = attempt.read(&mut store, &config, state.as_deref(), sync);
        let world = store.into_data();
        self.now = world.now;
        let World { mut server, output, .. } = world;
        self.report.requests += server.arrived();
        self.report.faults += server.happened.len() as u64;
        self.report.transcript.extend(server.transcript.take().unwrap_or_default());
        // Only what lasts is a reason to go on without the list.
        let is_lasting = effects(&server.happened).iter().any(|effect| *effect != Effect::None);
        if (is_lasting || sync.jump.is_some()) && output.contains(UNCORRECTED) {
            reading.is_corrected = false;
            self.corrected = Time::MIN;
        }
        self.chain = Some(reading.clone());
        let broken = self.conclude(sync, &outcome, &server, &reading, start, &config);
        let is_secret = output.contains(API_KEY);
        let broken = broken.or_else(|| is_secret.then(|| ("secret", format!("the key is in {output}"))));
        self.tell(|| match &outcome {
            End::Failure(error) => format!("  => {:?}: {}", error.failure_type, error.message),
            outcome => format!("  => {outcome:?}"),
        });
        (server.subject, broken)
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
}
