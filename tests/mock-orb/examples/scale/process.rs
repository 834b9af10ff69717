//! What a process used: a command in; its exit code, processor time and memory out.
//!
//! A system counts as a process's memory also what its parent had when it started it, which with an emulator of a large
//! account is more than what is measured. So this program starts itself, which is small then, and that starts the command.

use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::{Value, json};

/// The first argument of a program that is to measure another: a file and a command line follow.
const MEASURE: &str = "--measure";

/// What a process used in its life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Processor time in seconds, its own and the system's for it.
    pub(crate) processor: f64,
    /// The most memory that was resident, in bytes.
    pub(crate) memory: f64,
}

impl Usage {
    /// What a measured command used, once it has ended; nothing where the system does not say so.
    pub(crate) fn of(file: &Path) -> Option<Usage> {
        let usage: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        Some(Usage { processor: usage["processor"].as_f64()?, memory: usage["memory"].as_f64()? })
    }
}

/// A command that runs `program`, with arguments that are still to be added, and writes what it used to `file`.
///
/// # Panics
///
/// If this program does not know where it is.
pub(crate) fn measured(program: &Path, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.arg(MEASURE).arg(file).arg(program);
    command
}

/// Runs and measures a command if that is what the command line says.
///
/// # Panics
///
/// If the command cannot be run, or its measure not be written.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().filter(|first| first == MEASURE)?;
    let (file, program) = (arguments.next()?, arguments.next()?);
    let child = Command::new(program).args(arguments).spawn().expect("a command that can be run");
    let (is_success, usage) = wait(child);
    if let Some(Usage { processor, memory }) = usage {
        let text = json!({ "processor": processor, "memory": memory }).to_string();
        std::fs::write(file, text).expect("a file that can be written");
    }
    Some(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(unix)]
fn wait(child: std::process::Child) -> (bool, Option<Usage>) {
    let process = libc::pid_t::try_from(child.id()).expect("a number of a process");
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    #[expect(unsafe_code, reason = "the standard library waits for a child without asking what it used")]
    // SAFETY: both pointers are to values that live through the call, and a `rusage` of zeros is a valid one. The child
    // has not been waited for, since `Child` was moved in here, so its number is not yet another's.
    let (waited, usage) = unsafe {
        let waited = libc::wait4(process, &raw mut status, 0, usage.as_mut_ptr());
        (waited, usage.assume_init())
    };
    drop(child);
    assert_eq!(waited, process, "{}", std::io::Error::last_os_error());
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_vendor = "apple") { 1.0 } else { 1024.0 };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let processor = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    let is_success = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
    (is_success, Some(Usage { processor, memory: usage.ru_maxrss as f64 * unit }))
}

#[cfg(not(unix))]
fn wait(mut child: std::process::Child) -> (bool, Option<Usage>) {
    (child.wait().expect("a child").success(), None)
}
