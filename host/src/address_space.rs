//! The address space of this process: how much the operating system allows, and what follows from
//! that.
//!
//! The sandbox reserves 4 GiB of addresses for each memory of a component, of which almost none is
//! ever used: what lies beyond a memory is then caught by the processor, and no access has to be
//! checked. Where `ulimit -v` leaves no room for that, memories are as large as they are used, and
//! each access is checked. A read of customers did not measurably slow down by it. Native code
//! depends on this, so what was compiled for the one is not run with the other.

use wasmtime::Config as EngineConfig;

use crate::error::{Error, Result};
use crate::limits::Size;

/// Bytes of address space that are enough to reserve them freely: a memory for each of eight
/// streams, twice.
const AMPLE: u64 = 64 << 30;
/// Bytes of address space with which a connector can be compiled and started, found by trying. With
/// less, the program would be aborted somewhere for want of memory.
const LEAST: u64 = 512_000_000;
/// Bytes that a memory is given more than it asked for when it has to be moved, so that it need not
/// be moved again soon.
const GROWTH: u64 = 16 << 20;
/// Bytes behind a memory that catch what is only a little beyond it.
const GUARD: u64 = 64 << 10;

/// How many bytes of address space this process may have, if that is limited.
pub(crate) fn limit() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::As).current;
    #[cfg(not(unix))]
    None
}

/// Whether memories have to do without reservations.
pub(crate) fn is_scarce() -> bool {
    limit().is_some_and(|limit| limit < AMPLE)
}

/// Whether there is enough for anything at all.
///
/// # Errors
///
/// A system error that names the limit.
pub(crate) fn check() -> Result<()> {
    match limit().filter(|limit| *limit < LEAST) {
        Some(limit) => {
            Err(Error::system(format!("{}, and {} at least are needed", limited(limit), bytes(LEAST)))
                .with_hint(ADVICE))
        }
        None => Ok(()),
    }
}

/// Settings that reserve next to nothing.
pub(crate) fn spare(settings: &mut EngineConfig) {
    settings
        .memory_reservation(0)
        .memory_reservation_for_growth(GROWTH)
        .memory_guard_size(GUARD)
        .guard_before_linear_memory(false);
}

/// What the operating system refused to the sandbox, if that is what an error of wasmtime is about:
/// an error that says who refuses it, and what can be done.
pub(crate) fn refusal(error: &wasmtime::Error) -> Option<Error> {
    // These errors have no types.
    let says = |text: &str| error.chain().any(|cause| cause.to_string().contains(text));
    let refused = if says("make memory executable") {
        Error::system(
            "the operating system does not let this program make native code executable, as under \
             MemoryDenyWriteExecute= of systemd",
        )
        .with_hint(
            "the sandbox compiles connectors to native code: set MemoryDenyWriteExecute=no for this unit, or permit \
             executable memory in the policy of SELinux or seccomp",
        )
    } else if says("mmap failed") {
        match limit() {
            Some(limit) => Error::system(format!("there is no memory for the connector: {}", limited(limit)))
                .with_hint(ADVICE),
            None => Error::system("there is no memory for the connector: the operating system refuses it"),
        }
    } else {
        return None;
    };
    Some(refused.with_internal(format!("{error:#}")))
}

const ADVICE: &str =
    "raise the limit, and bound the connector by --max-memory or the process by a container instead";

fn limited(limit: u64) -> String {
    format!("the address space of this process is limited to {} (ulimit -v)", bytes(limit))
}

fn bytes(count: u64) -> Size {
    Size(usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_with_what_to_do() {
        let error = wasmtime::Error::msg("Permission denied").context("unable to make memory executable");
        let told = refusal(&error).unwrap();
        assert!(told.message().contains("MemoryDenyWriteExecute"), "{told:?}");
        assert!(told.internal_message().unwrap().contains("Permission denied"), "{told:?}");
        let error = wasmtime::Error::msg("Cannot allocate memory")
            .context("mmap failed to reserve 0x104000000 bytes");
        assert!(refusal(&error).unwrap().message().contains("there is no memory for the connector"));
        assert_eq!(refusal(&wasmtime::Error::msg("unreachable")), None);
    }
}
