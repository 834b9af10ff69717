//! One read of one stream: a source, an emulator and a state in; what it cost out.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use mock_orb::{DEFAULT_API_KEY, MockOrb};
use serde_json::{Value, json};

use crate::LAST_WEEK;
use crate::process::{Usage, measured};

/// Which time is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// All of it.
    Whole,
    /// The last week of the account, because usage has a record for each day.
    LastWeek,
}

/// What a read cost.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Requests that the emulator saw, refused ones too.
    pub(crate) requests: usize,
    /// Those of them that it refused as too many.
    pub(crate) refused: usize,
    /// Records that were written.
    pub(crate) records: usize,
    /// Bytes that were written, all messages counted.
    pub(crate) bytes: usize,
    /// From the start of the process to its end.
    pub(crate) wall: Duration,
    /// What the process used, where the system can say so.
    pub(crate) usage: Option<Usage>,
    /// The largest `STATE` message, in bytes.
    pub(crate) state_bytes: usize,
    /// The last state, as a file for `--state`.
    pub(crate) state: Option<String>,
    /// Whether the stream was said to be complete, and the process was content.
    pub(crate) is_complete: bool,
}

impl Reading {
    /// Reads a stream, and forgets the emulator's log before and after.
    ///
    /// # Panics
    ///
    /// If the source cannot be run, or writes what is no message.
    pub(crate) fn take(
        source: &Path,
        orb: &MockOrb,
        stream: &str,
        scope: Scope,
        state: Option<&str>,
    ) -> Reading {
        let folder = std::env::temp_dir().join(format!("orb-scale-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary directory");
        let file = |name: &str, content: &str| {
            let path = folder.join(name);
            fs::write(&path, content).expect("a temporary file");
            path
        };
        let used = folder.join("used.json");
        let mut command = measured(source, &used);
        command.arg("read");
        command.arg("--config").arg(file("config.json", &config(orb, scope).to_string()));
        command.arg("--catalog").arg(file("catalog.json", &catalog(stream).to_string()));
        if let Some(state) = state {
            command.arg("--state").arg(file("state.json", state));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).env_remove("LOG_LEVEL");
        orb.clear_log();
        let start = Instant::now();
        let mut child = command.spawn().expect("a source that can be run");
        let output = BufReader::with_capacity(1 << 20, child.stdout.take().expect("a pipe"));
        let mut seen = Seen::default();
        seen.read(output);
        let is_success = child.wait().expect("a child").success();
        let wall = start.elapsed();
        let usage = Usage::of(&used);
        let requests = orb.requests();
        orb.clear_log();
        // Nothing that can be left behind matters.
        let _ = fs::remove_dir_all(&folder);
        Reading {
            requests: requests.len(),
            refused: requests.iter().filter(|request| request.status == Some(429)).count(),
            records: seen.records,
            bytes: seen.bytes,
            wall,
            usage,
            state_bytes: seen.state_bytes,
            state: seen.state,
            is_complete: seen.is_complete && is_success,
        }
    }
}

/// What was written.
#[derive(Debug, Default)]
struct Seen {
    records: usize,
    bytes: usize,
    state_bytes: usize,
    state: Option<String>,
    is_complete: bool,
}

impl Seen {
    fn read(&mut self, mut output: impl BufRead) {
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).expect("a pipe that can be read") > 0 {
            self.bytes += line.len();
            if line.starts_with(br#"{"type":"RECORD""#) {
                self.records += 1;
            } else {
                let message: Value = serde_json::from_slice(&line).expect("a message");
                self.observe(&message, line.len());
            }
            line.clear();
        }
    }

    fn observe(&mut self, message: &Value, length: usize) {
        if message["type"] == "STATE" {
            self.state_bytes = self.state_bytes.max(length);
            self.state = Some(json!([message["state"]]).to_string());
        }
        self.is_complete |= message["trace"]["stream_status"]["status"] == "COMPLETE";
    }
}

fn config(orb: &MockOrb, scope: Scope) -> Value {
    let (start, end) = LAST_WEEK;
    match scope {
        Scope::Whole => {
            json!({ "api_key": DEFAULT_API_KEY, "api_url": orb.url(), "start_date": "2020-01-01T00:00:00Z" })
        }
        Scope::LastWeek => {
            json!({ "api_key": DEFAULT_API_KEY, "api_url": orb.url(), "start_date": start, "end_date": end })
        }
    }
}

fn catalog(stream: &str) -> Value {
    let modes = ["full_refresh", "incremental"];
    let stream = json!({ "name": stream, "json_schema": {}, "supported_sync_modes": modes });
    json!({ "streams": [{ "stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append" }] })
}
