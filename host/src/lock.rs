//! A lock by which one process at a time uses a file: the file comes in, what holds the lock goes
//! out.
//!
//! A file that is replaced cannot be locked itself, because its successor is another file. So an
//! empty file beside it is locked, which is removed at the end; a process that is killed leaves it,
//! without its lock. A file that is written over is locked itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Holds a lock until it is dropped, or until the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closed last: nobody else can have the lock while `beside` is removed.
    _file: File,
    beside: Option<PathBuf>,
}

impl Lock {
    /// Locks the file `NAME.lock` beside `target`; none if another process has locked it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn beside(target: &Path) -> io::Result<Option<Self>> {
        let mut name = target.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        loop {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let file = options.open(&name)?;
            if !is_free(&file)? {
                return Ok(None);
            }
            // Whoever had the lock may have removed the file after it was opened here, and a third
            // process may have made another.
            if is_at(&file, &name) {
                return Ok(Some(Self { _file: file, beside: Some(name) }));
            }
        }
    }

    /// Locks `target` itself; none if another process has locked it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn on(target: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(target)?;
        Ok(is_free(&file)?.then_some(Self { _file: file, beside: None }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(name) = &self.beside {
            // Left there, it does no harm.
            let _ = fs::remove_file(name);
        }
    }
}

/// Locks a file, unless another process did.
fn is_free(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some file systems of networks have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the file is the one of this name.
#[cfg(unix)]
fn is_at(file: &File, name: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(name)) {
        (Ok(file), Ok(named)) => (file.dev(), file.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// A file that is open cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_at_a_time_has_it_and_nothing_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let first = Lock::beside(&target).unwrap();
        assert!(first.is_some() && Lock::beside(&target).unwrap().is_none());
        drop(first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&target, "text").unwrap();
        let first = Lock::on(&target).unwrap();
        assert!(first.is_some() && Lock::on(&target).unwrap().is_none());
        drop(first);
        assert!(Lock::on(&target).unwrap().is_some());
        assert_eq!(fs::read_to_string(&target).unwrap(), "text");
    }

    #[test]
    fn what_a_process_that_was_killed_left_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.lock"), "").unwrap();
        assert!(Lock::beside(&folder.path().join("a")).unwrap().is_some());
    }

    #[test]
    fn removing_it_never_lets_two_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let (target, holders) = (folder.path().join("a"), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if let Some(lock) = Lock::beside(&target).unwrap() {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
    }
}
