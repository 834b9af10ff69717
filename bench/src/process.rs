//! One run of a process: a command in; what it wrote, how long it took, and what it used by the
//! operating system's accounting, out.

use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::Result;

/// What a process cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// Processor time in its own code, of all threads.
    pub(crate) user: Duration,
    /// Processor time in the system's code on its behalf.
    pub(crate) system: Duration,
    /// The most memory that was resident, in bytes. A system counts what the parent had when it
    /// started the process, so the parent, which is this program, has to be smaller than what it
    /// measures.
    pub(crate) memory: u64,
}

impl Usage {
    /// Processor time, all in all.
    pub(crate) fn processor(&self) -> Duration {
        self.user + self.system
    }
}

/// Runs a command to its end. `take` is given its standard output; what it says on standard error
/// is shown.
///
/// # Errors
///
/// If it cannot be run, its output cannot be taken, or it does not succeed.
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
