//! Writes to stdout without hiding its errors, and checks that there is a stdout. On a terminal,
//! what is written is made visible.
//!
//! If stdout is closed when the process starts, Rust's runtime opens the null device in its place,
//! and Rust's `Stdout` ignores that a descriptor cannot be written. Either would lose every record
//! without a word.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use elt_airbyte::FileId;
use elt_host::{Error, Result};

use crate::terminal::Filter;

/// The longest chain of links that is followed, as in Linux.
const MAX_LINKS: usize = 40;
/// The folders in which descriptors have names.
const DESCRIPTORS: [&str; 3] = ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"];

/// Writes to stdout without a lock and without a buffer: only one thread writes, and it gathers
/// lines itself.
#[derive(Debug)]
pub(crate) struct Stdout {
    /// If stdout is a terminal.
    filter: Option<Filter>,
}

impl Stdout {
    pub(crate) fn new() -> Self {
        Self { filter: io::stdout().is_terminal().then(Filter::default) }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(filter) = &mut self.filter else { return Descriptor.write(bytes) };
        Descriptor.write_all(filter.pass(bytes).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Descriptor.flush()
    }
}

/// Stdout as it is.
struct Descriptor;

impl Write for Descriptor {
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

/// Whether `path` is a name of stdout, such as `/dev/stdout`, or leads to one. What such a name
/// looks like a link to may be another file, or none any more.
pub(crate) fn is_named_by(path: &Path) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.file_name().is_some_and(|name| name == "1") && is_of_descriptors(folder) {
            return true;
        }
        match path.read_link() {
            Ok(target) => path = folder.join(target),
            Err(_) => return false,
        }
    }
    false
}

fn is_of_descriptors(folder: &Path) -> bool {
    let found = folder.canonicalize();
    DESCRIPTORS.iter().any(|known| {
        folder == Path::new(known)
            || found
                .as_ref()
                .is_ok_and(|found| Path::new(known).canonicalize().is_ok_and(|known| *found == known))
    })
}

/// Which file stdout is. `None` if it is none, such as a pipe or a terminal.
#[cfg(unix)]
pub(crate) fn file_id() -> Option<FileId> {
    use std::os::fd::AsFd as _;
    FileId::of_open(&File::from(io::stdout().as_fd().try_clone_to_owned().ok()?))
}

#[cfg(not(unix))]
pub(crate) fn file_id() -> Option<FileId> {
    None
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn stdout_has_several_names() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
        let own = format!("/proc/{}/fd/1", std::process::id());
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/fd/1", &own] {
            assert!(is_named_by(Path::new(name)), "{name}");
        }
        assert!(is_named_by(&link));
        for name in ["/dev/stderr", "/dev/fd/2", "/dev/null", "1", "/proc/1/fd/1", "/nowhere/1", ""] {
            assert!(!is_named_by(Path::new(name)), "{name}");
        }
    }
}
