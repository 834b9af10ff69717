//! Runs the host's commands as a user does: as a process, with files for config, catalog and state.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use mock_orb::{DEFAULT_API_KEY, MockOrb};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Guest, Output, artifacts};

/// The five streams, in the order of `discover`.
pub(crate) const STREAMS: [&str; 5] =
    ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries"];

/// The timeout for commands that should end by themselves. Far longer than any takes on a busy
/// machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A config, a component, a folder of files, and flags.
pub(crate) struct Setup {
    folder: TempDir,
    component: PathBuf,
    /// A bundle to run instead of the host and the component.
    bundle: Option<PathBuf>,
    config: Value,
    flags: Vec<String>,
}

impl Setup {
    /// The Orb component, with a config that points to this server.
    pub(crate) fn new(orb: &MockOrb) -> Self {
        let start_date = "2020-01-01T00:00:00Z";
        let config = json!({ "api_key": DEFAULT_API_KEY, "start_date": start_date, "api_url": orb.url() });
        Self {
            folder: tempfile::tempdir().unwrap(),
            component: artifacts::orb(),
            bundle: None,
            config,
            flags: Vec::new(),
        }
    }

    /// A guest of `tests/guests`, with this config.
    pub(crate) fn guest(guest: Guest, config: Value) -> Self {
        let component = guest.path().to_owned();
        Self { folder: tempfile::tempdir().unwrap(), component, bundle: None, config, flags: Vec::new() }
    }

    /// The connector template, with this config.
    pub(crate) fn template(config: Value) -> Self {
        let component = artifacts::template();
        Self { folder: tempfile::tempdir().unwrap(), component, bundle: None, config, flags: Vec::new() }
    }

    /// Changes a property of the config.
    pub(crate) fn with(mut self, property: &str, value: impl Into<Value>) -> Self {
        self.config[property] = value.into();
        self
    }

    /// Adds command-line arguments.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Uses another component.
    pub(crate) fn component(mut self, path: impl Into<PathBuf>) -> Self {
        self.component = path.into();
        self
    }

    /// The component.
    pub(crate) fn component_path(&self) -> &Path {
        &self.component
    }

    /// Uses a bundle, which contains a component.
    pub(crate) fn bundle(mut self, path: impl Into<PathBuf>) -> Self {
        self.bundle = Some(path.into());
        self
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes the config to its file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.file("config.json", self.config.to_string())
    }

    /// Writes a catalog that configures these streams.
    pub(crate) fn catalog_file(&self, streams: &[&str]) -> PathBuf {
        self.file("catalog.json", catalog(streams).to_string())
    }

    /// A command line of the host, ready to run.
    pub(crate) fn command(&self, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Command {
        let mut command = Command::new(self.bundle.as_deref().unwrap_or(artifacts::host()));
        if self.bundle.is_none() {
            command.arg("run").arg(&self.component);
        }
        command.args(arguments.iter().map(AsRef::as_ref)).args(&self.flags);
        command.stdin(Stdio::null()).current_dir(self.folder.path()).env_remove("LOG_LEVEL");
        // Compiled once for all tests, and not into the user's caches.
        command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command
    }

    /// Runs a command line of the host to its end, or kills it after the timeout.
    pub(crate) fn run(&self, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
        run(self.command(arguments))
    }

    /// Runs `spec`.
    pub(crate) fn spec(&self) -> Output {
        self.run(&[&"spec"])
    }

    /// Runs `check`.
    pub(crate) fn check(&self) -> Output {
        self.run(&[&"check", &"--config", &self.config_file()])
    }

    /// Runs `discover`.
    pub(crate) fn discover(&self) -> Output {
        self.run(&[&"discover", &"--config", &self.config_file()])
    }

    /// Reads these streams incrementally from the beginning.
    pub(crate) fn read(&self, streams: &[&str]) -> Output {
        self.run(&[&"read", &"--config", &self.config_file(), &"--catalog", &self.catalog_file(streams)])
    }

    /// Reads these streams, resuming from the content of a state file.
    pub(crate) fn read_from(&self, streams: &[&str], state: &str) -> Output {
        let (config, catalog, state) =
            (self.config_file(), self.catalog_file(streams), self.file("state.json", state));
        self.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state])
    }

    /// Reads the streams of a catalog from a state, and kills the read after `lines` lines. Returns
    /// its output up to then.
    pub(crate) fn read_killed_after(&self, catalog: &str, state: &str, lines: usize) -> Output {
        let (config, catalog) = (self.config_file(), self.file("catalog.json", catalog));
        let state = self.file("state.json", state);
        let mut command =
            self.command(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state]);
        // A file, because nobody empties a pipe meanwhile.
        let log = self.folder().join("stderr.txt");
        let stderr = fs::File::create(&log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut written = Vec::new();
        for _ in 0..lines {
            if stdout.read_until(b'\n', &mut written).unwrap() == 0 {
                break;
            }
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let stderr = fs::read(&log).unwrap();
        Output::of(process::Output { status, stdout: written, stderr })
    }

    /// The folder for all files, and the working directory of the commands.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A command line that inspects a component, ready for more arguments.
pub(crate) fn inspect(component: &Path) -> Command {
    let mut command = Command::new(artifacts::host());
    command.arg("inspect").arg(component).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs a command that prints messages to its end, or kills it after the timeout.
pub(crate) fn run(command: Command) -> Output {
    Output::of(execute(command))
}

/// Runs any command to its end, or kills it after the timeout.
pub(crate) fn execute(mut command: Command) -> process::Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(&mut command);
    let (done, ended) = channel();
    let stdout = read_to_end(child.stdout.take().unwrap(), done.clone());
    let stderr = read_to_end(child.stderr.take().unwrap(), done);
    if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        child.kill().unwrap();
    }
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    process::Output { status: child.wait().unwrap(), stdout, stderr }
}

/// Starts a command. Retries while the program is busy: a child that another test is starting may
/// still have the newly written file open.
fn spawn(command: &mut Command) -> Child {
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::yield_now(),
            started => return started.unwrap(),
        }
    }
}

/// Reads everything on a separate thread, and drops `done` at the end.
fn read_to_end(mut pipe: impl Read + Send + 'static, done: Sender<()>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        drop(done);
        bytes
    })
}

/// A configured catalog of these streams.
pub(crate) fn catalog(streams: &[&str]) -> Value {
    let configured = |name: &&str| {
        let stream = json!({ "name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"] });
        json!({ "stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append" })
    };
    json!({ "streams": streams.iter().map(configured).collect::<Vec<_>>() })
}
