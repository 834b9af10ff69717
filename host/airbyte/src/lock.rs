//! Locks a file, so that one process at a time uses it.
//!
//! A file that is replaced cannot be locked itself, because its successor is another file. So an
//! empty file beside it is locked, and removed at the end. A process that is killed leaves the
//! file, without its lock. A file that is overwritten is locked itself.
//!
//! Other users may be able to write to the folder. So an existing file is used as the lock only if
//! it looks like one. Any other file is neither opened nor waited for nor removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::atomic_file::without_link;
use crate::links::folder;

/// Holds a lock until it is dropped, or until the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closed last: nobody else can have the lock while `beside` is removed.
    _file: File,
    beside: Option<PathBuf>,
}

impl Lock {
    /// Locks the file `NAME.lock` beside `target`. `None` if another process has locked it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn beside(target: &Path) -> io::Result<Option<Self>> {
        let name = path(target);
        loop {
            let Some(file) = open(&name)? else { continue };
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

    /// Locks `target` itself. `None` if another process has locked it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn on(target: &Path) -> io::Result<Option<Self>> {
        let file = without_link(OpenOptions::new().read(true).write(true)).open(target)?;
        Ok(is_free(&file)?.then_some(Self { _file: file, beside: None }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(name) = &self.beside {
            // A file that stays does no harm.
            let _ = fs::remove_file(name);
        }
    }
}

/// The name of the file beside `target` that is locked: `NAME.lock`.
pub(crate) fn path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Makes the file to be locked, or opens the one that is there. `None` if it was removed meanwhile.
fn open(name: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    without_link(options.write(true));
    let present = options.open(name);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = match present {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match options.create_new(true).open(name) {
                Ok(file) => Ok(Some(file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::symlink_metadata(name) {
                    // Not a link that leads nowhere.
                    Ok(metadata) if !metadata.is_file() => Err(no_lock(name, "is not a file")),
                    _ => Ok(None),
                },
                Err(error) => Err(error),
            };
        }
        Err(error) => {
            let is_other = fs::symlink_metadata(name).is_ok_and(|metadata| !metadata.is_file());
            return Err(if is_other { no_lock(name, "is not a file") } else { error });
        }
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(no_lock(name, "is not a file"));
    }
    if metadata.len() > 0 {
        return Err(no_lock(name, "has content"));
    }
    if is_foreign(name, &metadata)? {
        return Err(no_lock(name, "belongs to another user"));
    }
    Ok(Some(file))
}

fn no_lock(name: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}, which is to be its lock, {why}", name.display()))
}

/// Whether another user may have put the file there, who is not the owner of the folder.
#[cfg(unix)]
fn is_foreign(name: &Path, lock: &fs::Metadata) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    Ok(lock.nlink() > 1 || ![user, fs::metadata(folder(name))?.uid()].contains(&lock.uid()))
}

#[cfg(not(unix))]
fn is_foreign(_: &Path, _: &fs::Metadata) -> io::Result<bool> {
    Ok(false)
}

/// Locks a file, unless another process did.
fn is_free(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the file is the one of this name.
#[cfg(unix)]
fn is_at(file: &File, name: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(name)) {
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
    fn what_is_no_lock_is_neither_taken_for_one_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, name) = (folder.path().join("a"), folder.path().join("a.lock"));
        let problem = || Lock::beside(&target).expect_err("it is no lock").to_string();
        fs::write(&name, "text").unwrap();
        assert!(problem().ends_with("a.lock, which is to be its lock, has content"), "{}", problem());
        assert_eq!(fs::read_to_string(&name).unwrap(), "text");
        fs::remove_file(&name).unwrap();
        fs::create_dir(&name).unwrap();
        assert!(problem().ends_with("is not a file"), "{}", problem());
    }

    #[test]
    #[cfg(unix)]
    fn what_another_user_planted_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let problem = || Lock::beside(&at("a")).expect_err("it is no lock").to_string();
        for end in ["victim", "nowhere"] {
            fs::write(at("victim"), "").unwrap();
            std::os::unix::fs::symlink(end, at("a.lock")).unwrap();
            assert!(problem().ends_with("is not a file"), "{}", problem());
            assert!(at("victim").exists() && !at("nowhere").exists());
            fs::remove_file(at("a.lock")).unwrap();
        }
        fs::hard_link(at("victim"), at("a.lock")).unwrap();
        assert!(problem().ends_with("belongs to another user"), "{}", problem());
        fs::remove_file(at("a.lock")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("a.lock")).status();
        assert!(made.unwrap().success());
        assert!(problem().ends_with("is not a file"), "{}", problem());
        fs::remove_file(at("a.lock")).unwrap();
        fs::write(at("a.lock"), "").unwrap();
        if std::os::unix::fs::chown(at("a.lock"), Some(65534), None).is_ok() {
            assert!(problem().ends_with("belongs to another user"), "{}", problem());
        }
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
