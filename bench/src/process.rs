//! Runs a command, and measures its time and the resources that the operating system reports.

use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::Result;

/// What a process used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Wall time from start to exit.
    pub(crate) wall: Duration,
    /// User time of all threads.
    pub(crate) user: Duration,
    /// System time.
    pub(crate) system: Duration,
    /// Peak resident memory in bytes. Some systems count the parent's memory at the time of the
    /// fork, so this program must be smaller than what it measures.
    pub(crate) memory: u64,
}

impl Usage {
    /// User and system time.
    pub(crate) fn processor(&self) -> Duration {
        self.user + self.system
    }
}

/// Runs a command to its end. `take` reads its standard output; its standard error is passed
/// through.
///
/// # Errors
///
/// If the command cannot be run or fails, or its output cannot be read.
pub(crate) fn run<T>(
    command: &mut Command,
    take: impl FnOnce(ChildStdout) -> std::io::Result<T>,
) -> Result<(T, Usage)> {
    let program = command.get_program().display().to_string();
    let failed = |what: &str| format!("{program} {what}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("cannot be run: {error}")))?;
    let stdout = child.stdout.take().ok_or("a child without an output")?;
    let taken = take(stdout);
    let ended = child.wait4().map_err(|error| failed(&format!("cannot be waited for: {error}")))?;
    let wall = started.elapsed();
    if !ended.status.success() {
        return Err(failed(&format!("failed: {}", ended.status)).into());
    }
    let taken = taken.map_err(|error| failed(&format!("wrote what cannot be read: {error}")))?;
    let rusage = ended.rusage;
    Ok((taken, Usage { wall, user: rusage.utime, system: rusage.stime, memory: rusage.maxrss }))
}
