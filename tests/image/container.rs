//! Emulates a container of the image without an engine: enters its root file system with
//! `image/enter.sh`, with a folder mounted as `/source`.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use tempfile::TempDir;

use crate::support::{Output, artifacts};

/// The arguments of the Dockerfile's line for an instruction.
pub(crate) fn instruction(instruction: &str) -> &'static str {
    let line = include_str!("../../Dockerfile").lines().rfind(|line| line.starts_with(instruction));
    line.unwrap()[instruction.len()..].trim_start_matches([' ', '='])
}

/// A container that has not been started.
pub(crate) struct Container {
    root: PathBuf,
    source: TempDir,
}

/// The platform's script, running in a container.
pub(crate) struct Job {
    pub(crate) script: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Container {
    /// A container of the image that `make image-rootfs` has assembled.
    pub(crate) fn new() -> Self {
        let root = artifacts::host().ancestors().nth(2).unwrap().join("image/rootfs");
        assert!(root.exists(), "{} is not there: run `make image-rootfs` first", root.display());
        Self::of(root)
    }

    /// A container with another root file system, similar to the image's.
    pub(crate) fn of(root: PathBuf) -> Self {
        let source = tempfile::tempdir().unwrap();
        let container = Self { root, source };
        container.give(container.source.path());
        container
    }

    /// The root file system.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file into `/source`.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.source.path().join(name);
        fs::write(&path, content).unwrap();
        self.give(&path);
    }

    /// The content of a file in `/source`.
    pub(crate) fn get(&self, name: &str) -> String {
        fs::read_to_string(self.source.path().join(name)).unwrap()
    }

    /// Makes user 1000 the owner. If the tests do not run as root, `enter.sh` maps their own user
    /// to 1000.
    fn give(&self, path: &Path) {
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(path, Some(1000), Some(1000)).unwrap();
        }
    }

    /// A shell in the container, in its own process group and with an empty environment.
    fn shell(&self, script: &str) -> Command {
        let enter = concat!(env!("CARGO_MANIFEST_DIR"), "/../../image/enter.sh");
        let entry_point =
            format!("AIRBYTE_ENTRYPOINT={}", instruction("ENV AIRBYTE_ENTRYPOINT").trim_matches('"'));
        let mut command = Command::new(enter);
        command.arg(&self.root).arg(self.source.path()).arg(entry_point).args(["sh", "-c", script]);
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// Runs a script to its end. Its output must consist of messages.
    pub(crate) fn run(&self, script: &str) -> Output {
        Output::of(self.shell(script).output().unwrap())
    }

    /// Runs a script to its end, and returns its output, whatever that is.
    pub(crate) fn say(&self, script: &str) -> String {
        let output = self.shell(script).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the platform's read; the config, catalog and state must already be in place.
    pub(crate) fn start(&self) -> Job {
        for pipe in ["stdout", "stderr"] {
            let path = self.source.path().join(pipe);
            if !path.exists() {
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
                self.give(&path);
            }
        }
        let script = self.shell(include_str!("platform.sh")).stdout(Stdio::null()).spawn().unwrap();
        let read = |name: &str| {
            let path = self.source.path().join(name);
            thread::spawn(move || {
                let mut bytes = Vec::new();
                File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            })
        };
        Job { script, stdout: read("stdout"), stderr: read("stderr") }
    }

    /// Reads to the end as the platform does. The exit code is the one that the platform's script
    /// wrote.
    pub(crate) fn read(&self) -> Output {
        let mut job = self.start();
        let status = job.script.wait().unwrap();
        let (stdout, stderr) = (job.stdout.join().unwrap(), job.stderr.join().unwrap());
        assert_eq!(self.get("exitCode.txt").trim(), status.code().unwrap().to_string());
        Output::of(process::Output { status, stdout, stderr })
    }
}

impl Job {
    /// Kills all processes of the container, as happens when a container's first process exits.
    pub(crate) fn end(self) {
        let group = format!("-{}", self.script.id());
        // They may all have exited already.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        self.stdout.join().unwrap();
        self.stderr.join().unwrap();
    }
}
