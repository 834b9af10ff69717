//! The server that is read from: an account in; a process of its own that serves it, and what that
//! has cost so far, out.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::tools::Tools;

/// The name of the file with the certificate.
const CERTIFICATE: &str = "certificate.pem";

/// What is served, and how fast.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    pub(crate) customers: usize,
    pub(crate) subscriptions: usize,
    pub(crate) invoices: usize,
    /// Customers that have a ledger, and the entries in each.
    pub(crate) ledgers: (usize, usize),
    /// Time to the first byte of every answer.
    pub(crate) latency: Duration,
    /// The kind of account whose documented limits are in force.
    pub(crate) limits: Option<&'static str>,
    /// Over TLS, which brings HTTP/2.
    pub(crate) tls: bool,
}

/// What a server has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Those of them that were answered as too many.
    pub(crate) refused: u64,
    pub(crate) connections: u64,
    pub(crate) processor: Duration,
}

impl Counts {
    /// What has come since.
    pub(crate) fn since(self, before: Counts) -> Counts {
        Counts {
            requests: self.requests - before.requests,
            refused: self.refused - before.refused,
            connections: self.connections - before.connections,
            processor: self.processor.saturating_sub(before.processor),
        }
    }
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    url: String,
    /// With the certificate, if there is one.
    folder: TempDir,
    is_tls: bool,
}

impl Server {
    /// Serves an account. Every answer is rendered once and kept, so that the server costs little
    /// more than sending.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(crate) fn start(tools: &Tools, account: &Account) -> Result<Server> {
        let mut command = Command::new(&tools.mock_orb);
        // Without plans, a subscription ends the read of what people run today.
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

    /// What it has done so far.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub(crate) fn counts(&mut self) -> Result<Counts> {
        self.stdin.as_mut().ok_or("a server without an input")?.write_all(b"\n")?;
        let counts: Value = serde_json::from_str(&self.line()?)?;
        let count = |name: &str| counts[name].as_u64().ok_or("the server counts otherwise");
        let seconds = counts["processor_seconds"].as_f64().ok_or("the server counts otherwise")?;
        Ok(Counts {
            requests: count("requests")?,
            refused: count("refused")?,
            connections: count("connections")?,
            processor: Duration::try_from_secs_f64(seconds)?,
        })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.answers.next().ok_or("the server has ended")??)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends with its input.
        let _ = self.child.wait();
    }
}
