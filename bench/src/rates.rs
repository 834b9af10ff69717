//! Measures streams that are read at once and share one of Orb's rate limits.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, RateTable, Settings};
use serde_json::json;
use tempfile::TempDir;

use crate::messages::Messages;
use crate::process::run;
use crate::report::{Aim, figure, table};
use crate::size::Size;
use crate::task::LAST_WEEK;
use crate::tools::Tools;
use crate::{Result, print, progress};

/// The streams of Orb's class for analytics, and the ends of their paths.
const STREAMS: [(&str, Of); 3] = [
    ("subscription_usage", |path| path.ends_with("/usage")),
    ("subscription_costs", |path| path.starts_with("/v1/subscriptions/") && path.ends_with("/costs")),
    ("customer_costs", |path| path.starts_with("/v1/customers/") && path.ends_with("/costs")),
];

/// Whether a path belongs to a stream.
type Of = fn(&str) -> bool;

/// How often the server's log is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Requests of one stream while all three were being read.
#[derive(Clone, Copy, Default)]
struct Counts {
    answered: usize,
    refused: usize,
}

/// The state of the server at an instant.
struct Snapshot {
    at: Duration,
    counts: [Counts; STREAMS.len()],
}

/// Reads the three streams at once, each with a request per customer or subscription.
///
/// # Errors
///
/// If the read fails or is incomplete.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let parents = size.pick(300, 60);
    let settings = Settings {
        customers: parents,
        subscriptions: parents,
        invoices: 0,
        ledger_customers: 0,
        ..Settings::default()
    };
    let orb = MockOrb::start(Account::generate(&settings));
    orb.limit_by_class(RateTable::LIVE);
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name);
    let (start, end) = LAST_WEEK;
    let config =
        json!({ "api_key": DEFAULT_API_KEY, "api_url": orb.url(), "start_date": start, "end_date": end });
    fs::write(path("config.json"), config.to_string())?;
    let mut command = Command::new(&tools.host);
    command.arg("run").arg(&tools.component).args(["read", "--no-progress", "--max-streams", "3"]);
    command.args(["--streams", &STREAMS.map(|(name, _)| name).join(",")]);
    command.arg("--config").arg(path("config.json"));
    progress("three analytics streams at once, 10 requests a second");
    let started = Instant::now();
    let is_done = AtomicBool::new(false);
    let (read, snapshots) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut snapshots = Vec::new();
            while !is_done.load(Ordering::Relaxed) {
                snapshots.push(Snapshot { at: started.elapsed(), counts: counts(&orb) });
                thread::sleep(TICK);
            }
            snapshots
        });
        let read = run(&mut command, Messages::read);
        is_done.store(true, Ordering::Relaxed);
        (read, watch.join())
    });
    let (messages, usage) = read?;
    let snapshots = snapshots.map_err(|_| "the log could not be watched")?;
    if !messages.is_complete {
        return Err("the streams were not read to the end".into());
    }
    report(&snapshots, counts(&orb), usage.wall)
}

fn counts(orb: &MockOrb) -> [Counts; STREAMS.len()] {
    let requests = orb.requests();
    STREAMS.map(|(_, is_of)| {
        let of = requests.iter().filter(|request| is_of(&request.path));
        of.fold(Counts::default(), |counts, request| match request.status {
            Some(429) => Counts { refused: counts.refused + 1, ..counts },
            Some(_) => Counts { answered: counts.answered + 1, ..counts },
            None => counts,
        })
    })
}

fn report(snapshots: &[Snapshot], last: [Counts; STREAMS.len()], wall: Duration) -> Result<Vec<Aim>> {
    // Until the first stream had all its answers, all three competed.
    let competed = |snapshot: &&Snapshot| {
        snapshot.counts.iter().zip(&last).all(|(counts, last)| counts.answered < last.answered)
    };
    let first = snapshots.iter().find(|snapshot| snapshot.counts.iter().all(|it| it.answered > 0));
    let (first, until) =
        first.zip(snapshots.iter().rfind(competed)).ok_or("the streams were not read at once")?;
    let span = until.at.saturating_sub(first.at).as_secs_f64();
    let answered: Vec<f64> = until
        .counts
        .iter()
        .zip(&first.counts)
        .map(|(until, first)| (until.answered - first.answered) as f64)
        .collect();
    let refused: Vec<f64> = until
        .counts
        .iter()
        .zip(&first.counts)
        .map(|(until, first)| (until.refused - first.refused) as f64)
        .collect();
    let (all, all_refused) = (answered.iter().sum::<f64>(), refused.iter().sum::<f64>());
    let allowed = RateTable::LIVE.analytics;
    print(&format!(
        "Three streams at once that share {allowed} requests a second. For {} s all three were being read, \
         {} s in all:\n",
        figure(span),
        figure(wall.as_secs_f64())
    ));
    let rows = STREAMS.iter().enumerate().map(|(index, (name, _))| {
        [
            format!("`{name}`"),
            figure(answered[index]),
            figure(refused[index]),
            figure(answered[index] / span),
            figure(100.0 * answered[index] / all),
            last[index].answered.to_string(),
        ]
    });
    let head = ["stream", "answered", "refused", "answers a second", "% of answers", "answered at the end"];
    table(&head, rows);
    let least = answered.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(vec![
        Aim::at_least(
            80.0,
            "three streams of one rate class, % of what is allowed",
            100.0 * all / span / allowed,
        ),
        Aim::at_most(16.7, "of their requests refused, %", 100.0 * all_refused / (all + all_refused)),
        Aim::at_least(15.0, "of the answers to the one that gets fewest, %", 100.0 * least / all),
    ])
}
