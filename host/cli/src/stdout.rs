//! Writes to stdout without hiding its errors, and checks that there is a stdout.
//!
//! If stdout is closed when the process starts, Rust's runtime opens the null device in its place,
//! and Rust's `Stdout` ignores that a descriptor cannot be written. Either would lose every record
//! without a word.

use std::io::{self, Write};

use elt_host::{Error, Result};

/// Writes to stdout without a lock and without a buffer: only one thread writes, and it gathers
/// lines itself.
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

/// Checks that stdout is open for writing.
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

/// Looks at stdout before Rust's runtime starts. Afterwards, a descriptor that was closed looks
/// like any other that leads to the null device.
#[cfg(target_os = "linux")]
mod start {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    /// The C library calls the functions in this section before `main`.
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

/// Other systems offer no such look.
#[cfg(not(target_os = "linux"))]
mod start {
    pub(super) fn was_closed() -> bool {
        false
    }
}
