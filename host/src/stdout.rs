//! Stdout as the process was given it: whether there is one, and a writer that hides no error of
//! it.
//!
//! Rust's runtime opens the null device in the place of a descriptor that is closed when the
//! process starts, and its `Stdout` takes a descriptor that cannot be written for one that takes
//! everything. Either would lose every record without a word.

use std::io::{self, Write};

use host::{Error, Result};

/// Writes to stdout. Needs no lock and has no buffer: one thread writes, what it has gathered.
#[derive(Debug)]
pub(crate) struct Stdout;

impl Write for Stdout {
    #[cfg(unix)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
    }

    #[cfg(not(unix))]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        #[cfg(not(unix))]
        io::stdout().flush()?;
        Ok(())
    }
}

/// Checks that what is written to stdout can arrive anywhere.
///
/// # Errors
///
/// A config error if stdout was closed when the process started, or is not open for writing.
pub(crate) fn check() -> Result<()> {
    let problem = if start::was_closed() {
        "stdout is closed"
    } else if !is_writable() {
        "stdout is not open for writing"
    } else {
        return Ok(());
    };
    Err(Error::config(format!("{problem}, so everything that is read would be lost"))
        .with_hint("start the program with a stdout that is open; `read --output FILE` needs none"))
}

#[cfg(unix)]
fn is_writable() -> bool {
    use rustix::fs::{OFlags, fcntl_getfl};
    let flags = fcntl_getfl(rustix::stdio::stdout());
    flags.is_ok_and(|flags| !flags.contains(OFlags::PATH) && (flags & OFlags::ACCMODE) != OFlags::RDONLY)
}

#[cfg(not(unix))]
fn is_writable() -> bool {
    true
}

/// What is seen before Rust's runtime begins, since afterwards a descriptor that was closed looks
/// like any other that leads to the null device.
#[cfg(target_os = "linux")]
mod start {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    /// The C library calls what stands in this section before `main`.
    #[used]
    #[expect(unsafe_code, reason = "the linker cannot know what a section is for")]
    // SAFETY: the section holds pointers to functions of this type. The function makes one system
    // call and one atomic store, and needs nothing that the runtime sets up.
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        let closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
        CLOSED.store(closed, Ordering::Relaxed);
    }

    pub(super) fn was_closed() -> bool {
        CLOSED.load(Ordering::Relaxed)
    }
}

/// Elsewhere this cannot be seen.
#[cfg(not(target_os = "linux"))]
mod start {
    pub(super) fn was_closed() -> bool {
        false
    }
}
