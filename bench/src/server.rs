//! Serves an account from a separate process, and reads its counters.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::tools::Tools;

/// The name of the certificate's file.
const CERTIFICATE: &str = "certificate.pem";

/// What to serve, and how fast.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    pub(crate) customers: usize,
    pub(crate) subscriptions: usize,
    pub(crate) invoices: usize,
    /// The number of customers with a ledger, and of entries in each.
    pub(crate) ledgers: (usize, usize),
    /// Time to the first byte of every answer.
    pub(crate) latency: Duration,
    /// The kind of account whose documented rate limits apply.
    pub(crate) limits: Option<&'static str>,
    /// Whether to use TLS, which enables HTTP/2.
    pub(crate) tls: bool,
}

/// A server's counters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Requests rejected by a rate limit.
    pub(crate) refused: u64,
    pub(crate) connections: u64,
    pub(crate) processor: Duration,
}

impl Counts {
    /// The difference from earlier counters.
    pub(crate) fn since(self, before: Counts) -> Counts {
        Counts {
            requests: self.requests - before.requests,
            refused: self.refused - before.refused,
            connections: self.connections - before.connections,
            processor: self.processor.saturating_sub(before.processor),
        }
    }
}

/// A running server. It stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    url: String,
    /// Holds the certificate, if any.
    folder: TempDir,
    is_tls: bool,
}

impl Server {
    /// Serves an account. The server renders and caches every answer, so it costs little more than
    /// sending.
    ///
    /// # Errors
    ///
    /// If the server cannot be started.
    pub(crate) fn start(tools: &Tools, account: &Account) -> Result<Server> {
        let mut command = Command::new(&tools.mock_orb);
        // The published connector fails at a subscription without a plan.
        command.args(["--exit-with-stdin", "--keep-answers", "--always-plans"]);
        let (ledgers, entries) = account.ledgers;
        for (option, value) in [
            ("--customers", account.customers),
            ("--subscriptions", account.subscriptions),
            ("--invoices", account.invoices),
            ("--ledger-customers", ledgers),
            ("--ledger-entries", entries),
            ("--latency-ms", usize::try_from(account.latency.as_millis())?),
        ] {
            command.arg(option).arg(value.to_string());
        }
        if let Some(kind) = account.limits {
            command.args(["--rate-classes", kind]);
        }
        let folder = TempDir::new()?;
        if account.tls {
            command.arg("--tls").arg(folder.path().join(CERTIFICATE));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("a server without an output")?;
        let answers = BufReader::new(stdout).lines();
        let mut server = Server { child, stdin, answers, url: String::new(), folder, is_tls: account.tls };
        server.url = server.line()?;
        Ok(server)
    }

    /// The base URL of the API.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The certificate to trust.
    pub(crate) fn certificate(&self) -> Option<PathBuf> {
        self.is_tls.then(|| self.folder.path().join(CERTIFICATE))
    }

    /// The counters so far.
    ///
    /// # Errors
    ///
    /// If the server has exited.
    pub(crate) fn counts(&mut self) -> Result<Counts> {
        self.stdin.as_mut().ok_or("a server without an input")?.write_all(b"\n")?;
        let counts: Value = serde_json::from_str(&self.line()?)?;
        let count = |name: &str| counts[name].as_u64().ok_or("unexpected counters from the server");
        let seconds = counts["processor_seconds"].as_f64().ok_or("unexpected counters from the server")?;
        Ok(Counts {
            requests: count("requests")?,
            refused: count("refused")?,
            connections: count("connections")?,
            processor: Duration::try_from_secs_f64(seconds)?,
        })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.answers.next().ok_or("the server has exited")??)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The server exits when its input ends.
        let _ = self.child.wait();
    }
}
