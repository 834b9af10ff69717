//! The end of a process: a child in; whether it was content, and what it used, out.

use std::process::Child;
use std::time::Duration;

/// What a process used in its life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Processor time, its own and the system's for it.
    pub(crate) processor: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) memory: u64,
}

/// Waits for a child whose output has ended.
///
/// # Panics
///
/// If it cannot be waited for.
#[cfg(unix)]
pub(crate) fn wait(child: Child) -> (bool, Option<Usage>) {
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
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    let memory = u64::try_from(usage.ru_maxrss).unwrap_or_default() * unit;
    let processor = duration(usage.ru_utime) + duration(usage.ru_stime);
    let is_success = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
    (is_success, Some(Usage { processor, memory }))
}

#[cfg(unix)]
fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default())
        + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or_default())
}

/// Waits for a child whose output has ended.
///
/// # Panics
///
/// If it cannot be waited for.
#[cfg(not(unix))]
pub(crate) fn wait(mut child: Child) -> (bool, Option<Usage>) {
    (child.wait().expect("a child").success(), None)
}
