//! The `mock-orb` program: generates an account from command-line options and serves it.

mod control;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::control::{announce, listen, told_to_stop};
use clap::{Parser, ValueEnum};
use mock_orb::{
    Account, Action, Clock, DEFAULT_API_KEY, MockOrb, MutationOptions, PayloadStyle, RateLimit, RateTable,
    Script, Settings, Unavailable,
};

/// Serves a generated Orb account on the loopback interface until stopped.
///
/// Standard output has only the base URL, and the answers to --exit-with-stdin.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 picks a free one.
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

    /// Give every subscription a plan; by default, one in nine has none.
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

    /// Make decrements in the ledgers name the events they arose from.
    #[arg(long)]
    ledger_event_ids: bool,

    /// Seed for identifiers, names and amounts.
    #[arg(long, default_value_t = Settings::default().seed, value_name = "N")]
    seed: u64,

    /// API key to accept.
    #[arg(long, default_value = DEFAULT_API_KEY, value_name = "KEY")]
    api_key: String,

    /// Milliseconds to wait before the first byte of every answer.
    #[arg(long, default_value_t = 0, value_name = "N")]
    latency_ms: u64,

    /// Requests allowed per second; others get a 429.
    #[arg(long, value_name = "N")]
    rate_limit: Option<f64>,

    /// Apply the rate limits that Orb documents for such an account, per class of requests.
    #[arg(long, value_name = "ACCOUNT")]
    rate_classes: Option<AccountKind>,

    /// Resources that the account does not have: requests get a 404, `url-not-found`. An unknown
    /// NAME is answered with the list of all.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    without: Vec<String>,

    /// Resources that the account may not use: requests get a 404, `feature-not-available`.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    not_enabled: Vec<String>,

    /// Mutate the account during the read: SEED[:COUNT], by default 100, for mutations chosen by a
    /// seed, one before every few requests; or a file with a line for each, MOMENT: MUTATION.
    ///
    /// A moment is `now`, `before N` (the n-th request), `before N PATH` (the n-th to paths that
    /// start so) or `after N ms`. A mutation is `random SEED:COUNT`, or ACTION [ID [VALUE]], where
    /// `-` is any object that allows the action: see --actions. Those that Orb has events for are
    /// logged in `webhook_events`.
    #[arg(long, value_name = "SEED[:COUNT]|FILE")]
    mutations: Option<String>,

    /// Payloads of the webhook events of mutations.
    #[arg(long, value_name = "STYLE", default_value = "expanded")]
    payload_style: PayloadStyle,

    /// Instants of mutations, in records and events.
    #[arg(long, value_name = "CLOCK", default_value = "account")]
    mutation_clock: Clock,

    /// Log no event for a deletion. By default an edit of what is deleted is logged, because Orb
    /// has no event for that.
    #[arg(long)]
    silent_deletions: bool,

    /// Let edits of customers and plans change the copies that subscriptions embed.
    #[arg(long)]
    refresh_embedded: bool,

    /// Print the actions that mutations can have, with their events, and stop.
    #[arg(long)]
    actions: bool,

    /// Render each answer once and cache it for repeated requests; keeps all answers in memory.
    #[arg(long)]
    keep_answers: bool,

    /// Serve HTTPS, with HTTP/2 for clients that offer it; write the certificate to trust to this
    /// file.
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,

    /// File to write the base URL to, atomically.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Stop when standard input ends, for example because the parent process is gone. Answer each
    /// line of standard input with a line of JSON that counts requests, rejected requests,
    /// connections and seconds of processor time so far. A line `mutate MUTATION` first applies a
    /// mutation; a line `mutations` only asks. The answers to both also list what was `applied` and
    /// the `refused_mutations`, of that line and of all so far.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// The kinds of accounts for which Orb documents rate limits.
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
    if arguments.actions {
        Action::ALL.iter().for_each(|action| announce(&describe(*action)));
        return Ok(());
    }
    let script = arguments.mutations.as_deref().map(read_script).transpose()?;
    let options = MutationOptions {
        payload: arguments.payload_style,
        clock: arguments.mutation_clock,
        silent_deletions: arguments.silent_deletions,
        refresh_embedded: arguments.refresh_embedded,
    };
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
    let (mut account, address) = (Account::generate(&settings), (Ipv4Addr::LOCALHOST, arguments.port));
    let without = arguments.without.iter().map(|name| (name, Unavailable::UrlNotFound));
    let not_enabled = arguments.not_enabled.iter().map(|name| (name, Unavailable::FeatureNotAvailable));
    for (name, how) in without.chain(not_enabled) {
        account.make_unavailable(name, how).map_err(|_| {
            let known = Account::resource_names().join(", ");
            io::Error::other(format!("unknown resource {name:?}; known are {known}"))
        })?;
    }
    account.set_mutation_options(options);
    let orb = match &arguments.tls {
        Some(_) => MockOrb::start_tls_on(account, address)?,
        None => MockOrb::start_on(account, address)?,
    };
    if let (Some(file), Some(certificate)) = (&arguments.tls, orb.certificate()) {
        write_whole(file, certificate)?;
    }
    orb.disable_log();
    if let Some(script) = script {
        orb.plan(script);
    }
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

/// Writes a temporary file and renames it, so that nobody reads a partial one.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&unfinished, format!("{text}\n"))?;
    std::fs::rename(&unfinished, file)
}

/// A script chosen by a seed, or the one in a file.
fn read_script(text: &str) -> io::Result<Script> {
    if let Some(script) = Script::from_seed(text) {
        return Ok(script);
    }
    let invalid = |error| io::Error::other(format!("{text}: {error}"));
    let script =
        std::fs::read_to_string(text).map_err(|error| io::Error::other(format!("{text}: {error}")))?;
    script.parse().map_err(invalid)
}

/// One line about an action: its name, its value and its events.
fn describe(action: Action) -> String {
    let events = match action.events() {
        [] => "no event".to_owned(),
        events => events.join(", "),
    };
    format!("{:<20} {:<10} {events}", action.name(), action.value())
}

#[expect(clippy::print_stderr, reason = "reports why the program cannot start")]
fn report(error: &io::Error) {
    eprintln!("mock-orb: {error}");
}
