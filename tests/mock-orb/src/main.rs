//! The program: counts on the command line in; a served account, and its base URL on stdout, out.

use std::io::{self, BufRead as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cpu_time::ProcessTime;
use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, RateLimit, RateTable, Settings};
use tokio::sync::oneshot;

/// Serves a generated Orb account on the loopback interface until it is told to stop.
///
/// The only line on standard output is the base URL, but for answers to --exit-with-stdin.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Number of customers.
    #[arg(long, default_value_t = Settings::default().customers, value_name = "N")]
    customers: usize,

    /// Number of plans.
    #[arg(long, default_value_t = Settings::default().plans, value_name = "N")]
    plans: usize,

    /// Number of subscriptions.
    #[arg(long, default_value_t = Settings::default().subscriptions, value_name = "N")]
    subscriptions: usize,

    /// Give every subscription a plan; otherwise one in nine has none.
    #[arg(long)]
    always_plans: bool,

    /// Number of invoices.
    #[arg(long, default_value_t = Settings::default().invoices, value_name = "N")]
    invoices: usize,

    /// Number of customers with a credits ledger.
    #[arg(long, default_value_t = Settings::default().ledger_customers, value_name = "N")]
    ledger_customers: usize,

    /// Number of entries in each ledger.
    #[arg(long, default_value_t = Settings::default().ledger_entries_per_customer, value_name = "N")]
    ledger_entries: usize,

    /// Let decrements in the ledgers name the events they arose from.
    #[arg(long)]
    ledger_event_ids: bool,

    /// Seed of identifiers, names and amounts.
    #[arg(long, default_value_t = Settings::default().seed, value_name = "N")]
    seed: u64,

    /// The API key to accept.
    #[arg(long, default_value = DEFAULT_API_KEY, value_name = "KEY")]
    api_key: String,

    /// Milliseconds to wait before the first byte of every answer.
    #[arg(long, default_value_t = 0, value_name = "N")]
    latency_ms: u64,

    /// Requests per second to allow; more are answered with 429.
    #[arg(long, value_name = "N")]
    rate_limit: Option<f64>,

    /// Allow what Orb documents for such an account, each class of requests by itself.
    #[arg(long, value_name = "ACCOUNT")]
    rate_classes: Option<AccountKind>,

    /// Render each answer once, and give it again to whoever asks the same; it takes the memory of
    /// all of them.
    #[arg(long)]
    keep_answers: bool,

    /// Speak TLS, and HTTP/2 with those who want it; write the certificate to trust to this file.
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,

    /// File to write the base URL to, at once or not at all.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Stop when standard input ends, as it does when whoever started the program is gone. Each
    /// line on it is answered with one that counts what there was so far: requests, refused ones,
    /// connections and seconds of processor time, as JSON.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// The kinds of accounts that Orb documents rate limits for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AccountKind {
    Live,
    Test,
    Trial,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> io::Result<()> {
    let settings = Settings {
        seed: arguments.seed,
        customers: arguments.customers,
        plans: arguments.plans,
        subscriptions: arguments.subscriptions,
        always_plans: arguments.always_plans,
        invoices: arguments.invoices,
        ledger_customers: arguments.ledger_customers,
        ledger_entries_per_customer: arguments.ledger_entries,
        ledger_event_ids: arguments.ledger_event_ids,
        api_key: arguments.api_key,
        ..Settings::default()
    };
    let (account, address) = (Account::generate(&settings), (Ipv4Addr::LOCALHOST, arguments.port));
    let orb = match &arguments.tls {
        Some(_) => MockOrb::start_tls_on(account, address)?,
        None => MockOrb::start_on(account, address)?,
    };
    if let (Some(file), Some(certificate)) = (&arguments.tls, orb.certificate()) {
        write_whole(file, certificate)?;
    }
    orb.disable_log();
    if arguments.keep_answers {
        orb.keep_answers();
    }
    orb.set_latency(Duration::from_millis(arguments.latency_ms));
    if let Some(requests) = arguments.rate_limit {
        orb.limit_rate(RateLimit::per_second(requests));
    }
    if let Some(kind) = arguments.rate_classes {
        orb.limit_by_class(match kind {
            AccountKind::Live => RateTable::LIVE,
            AccountKind::Test => RateTable::TEST,
            AccountKind::Trial => RateTable::TRIAL,
        });
    }
    if let Some(file) = &arguments.port_file {
        write_whole(file, &orb.url())?;
    }
    announce(&orb.url());
    let orb = Arc::new(orb);
    let stdin = arguments.exit_with_stdin.then(|| listen(&orb));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(told_to_stop(stdin))
}

/// Writes a file under another name and moves it, so that nobody reads half of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&unfinished, format!("{text}\n"))?;
    std::fs::rename(&unfinished, file)
}

/// Answers each line on standard input. What it returns ends with that.
fn listen(orb: &Arc<MockOrb>) -> oneshot::Receiver<()> {
    let (closed, stdin_closed) = oneshot::channel();
    let orb = Arc::downgrade(orb);
    // A thread of its own: reading standard input cannot be cancelled.
    std::thread::spawn(move || {
        for _ in io::stdin().lock().lines().map_while(Result::ok) {
            let Some(orb) = orb.upgrade() else { break };
            announce(&counts(&orb));
        }
        drop(closed);
    });
    stdin_closed
}

fn counts(orb: &MockOrb) -> String {
    let seconds = ProcessTime::now().as_duration().as_secs_f64();
    let (requests, refused, connections) = (orb.request_count(), orb.refused_count(), orb.connections());
    format!(
        r#"{{"requests":{requests},"refused":{refused},"connections":{connections},"processor_seconds":{seconds}}}"#
    )
}

async fn told_to_stop(stdin_closed: Option<oneshot::Receiver<()>>) -> io::Result<()> {
    let stdin_closed = async {
        match stdin_closed {
            Some(closed) => closed.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        terminated = terminated() => terminated,
        _ = stdin_closed => Ok(()),
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    signal.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    std::future::pending().await
}

#[expect(clippy::print_stdout, reason = "what was asked for, and the base URL")]
fn announce(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "the last words of a program that cannot start")]
fn report(error: &io::Error) {
    eprintln!("mock-orb: {error}");
}
