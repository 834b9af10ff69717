//! Loads the component, and runs histories on all cores.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Config, Engine};

use crate::bindings::{SourceConnector, SourceConnectorPre};
use crate::history::History;
use crate::run::{Report, run};
use crate::shrink::shrink;
use crate::wasi;
use crate::world::World;

/// A component, ready to be run in any number of worlds.
pub struct Simulator {
    pub(crate) subject: SourceConnectorPre<World>,
    /// Finds out what is there, for streams that are not modelled.
    pub(crate) reference: SourceConnectorPre<World>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Simulator")
    }
}

/// Which histories to run.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The first seed.
    pub first: u64,
    /// How many seeds.
    pub seeds: u64,
    /// The only stream.
    pub stream: Option<usize>,
    /// How many threads.
    pub threads: usize,
}

/// What a sweep took and found.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Histories that were run.
    pub histories: u64,
    /// Syncs within them.
    pub syncs: u64,
    /// Requests within those.
    pub requests: u64,
    /// Syncs that ended well.
    pub succeeded: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// The first history that breaks a promise, by seed.
    pub failed: Option<(u64, Report)>,
}

impl Simulator {
    /// Loads a component. `reference` is the one that finds out what is there.
    ///
    /// # Errors
    ///
    /// If one of them is not a connector.
    pub fn load(component: &Path, reference: &Path) -> Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let prepare = |path: &Path| -> Result<SourceConnectorPre<World>> {
            let prepared = prepare(&engine, path);
            let prepared = prepared.map_err(|error| anyhow::anyhow!("{error:?}"));
            prepared.with_context(|| format!("cannot load {}", path.display()))
        };
        Ok(Self { subject: prepare(component)?, reference: prepare(reference)? })
    }

    /// Runs the history of a seed, of one stream or of any. With `is_told`, the report has a log.
    #[must_use]
    pub fn run(&self, seed: u64, stream: Option<usize>, is_told: bool) -> Report {
        run(self, &History::roll(seed, stream), is_told)
    }

    /// The history of a seed, as text.
    #[must_use]
    pub fn describe(seed: u64, stream: Option<usize>) -> String {
        History::roll(seed, stream).to_string()
    }

    /// Leaves out parts of the history of a seed while it still breaks the same promise. Returns
    /// the smallest one as text, and its report with a log.
    #[must_use]
    pub fn shrink(&self, seed: u64, stream: Option<usize>) -> Option<(String, Report)> {
        let history = shrink(self, History::roll(seed, stream))?;
        let report = run(self, &history, true);
        Some((history.to_string(), report))
    }

    /// Runs many histories, until one breaks a promise.
    #[must_use]
    pub fn sweep(&self, sweep: Sweep) -> Statistics {
        let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let total = Mutex::new(Statistics::default());
        let started = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..sweep.threads.max(1) {
                scope.spawn(|| {
                    let mut own = Statistics::default();
                    while !is_over.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= sweep.seeds {
                            break;
                        }
                        let seed = sweep.first + number;
                        let report = self.run(seed, sweep.stream, false);
                        own.add(&report);
                        if report.violation.is_some() {
                            is_over.store(true, Ordering::Relaxed);
                            own.failed = Some((seed, report));
                        }
                    }
                    if let Ok(mut total) = total.lock() {
                        total.merge(own);
                    }
                });
            }
        });
        let mut statistics = total.into_inner().unwrap_or_default();
        statistics.seconds = started.elapsed().as_secs_f64();
        statistics
    }
}

impl Statistics {
    fn add(&mut self, report: &Report) {
        self.histories += 1;
        self.syncs += report.syncs;
        self.requests += report.requests;
        self.succeeded += report.succeeded;
        self.faults += report.faults;
    }

    fn merge(&mut self, other: Self) {
        self.histories += other.histories;
        self.syncs += other.syncs;
        self.requests += other.requests;
        self.succeeded += other.succeeded;
        self.faults += other.faults;
        let found = [self.failed.take(), other.failed].into_iter().flatten();
        self.failed = found.min_by_key(|(seed, _)| *seed);
    }

    /// The figures, by name.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::from([
            ("histories", self.histories),
            ("syncs", self.syncs),
            ("syncs that succeeded", self.succeeded),
            ("requests", self.requests),
            ("faults", self.faults),
        ])
    }
}

fn prepare(engine: &Engine, path: &Path) -> wasmtime::Result<SourceConnectorPre<World>> {
    let component = Component::from_file(engine, path)?;
    let mut linker = Linker::new(engine);
    SourceConnector::add_to_linker::<World, HasSelf<World>>(&mut linker, |world| world)?;
    wasi::add_to_linker(&mut linker, &component)?;
    let prepared: InstancePre<World> = linker.instantiate_pre(&component)?;
    SourceConnectorPre::new(prepared)
}
