//! A directory in which nobody but this user, and root, can change anything.
//!
//! Who can rename a folder can put another in its place, so every folder on the way counts, as for
//! sshd's `StrictModes`. The directory is opened once. Its files are then reached by its
//! descriptor, whatever becomes of its path.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, open, openat, readlinkat, renameat, statat,
    unlinkat,
};
use rustix::io::Errno;

/// The longest chain of links that is followed, as in Linux.
const MAX_LINKS: usize = 40;
/// Permission to write for the group and for everybody.
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit, only the owner of a file can rename or remove it, as in `/tmp`.
const STICKY: u32 = 0o1000;
/// How a folder on the way is opened. It need not be readable.
#[cfg(target_os = "linux")]
const ON_THE_WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const ON_THE_WAY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Such a directory, open.
#[derive(Debug)]
pub(crate) struct PrivateDirectory(OwnedFd);

/// Why a directory is not private, or could not be opened.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The operating system says why.
    Io(io::Error),
    /// It is something else.
    NoDirectory,
    /// It is another user's.
    Owner,
    /// Other users can write to it.
    Writable,
    /// A folder on the way is another user's, who can put another directory in its place.
    OwnerAbove(OsString),
    /// Other users can write to a folder on the way, and put another directory in its place.
    WritableAbove(OsString),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NoDirectory => f.write_str("it is not a directory"),
            Self::Owner => f.write_str("it belongs to another user"),
            Self::Writable => f.write_str("other users can write to it"),
            Self::OwnerAbove(name) => {
                write!(f, "`{}` on the way to it belongs to another user", name.display())
            }
            Self::WritableAbove(name) => {
                write!(f, "other users can write to `{}` on the way to it", name.display())
            }
        }
    }
}

impl From<Errno> for Problem {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// A file in a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    pub(crate) modified: SystemTime,
    pub(crate) size: u64,
    pub(crate) name: OsString,
}

impl PrivateDirectory {
    /// Opens the directory at `path`. It is made if it does not exist, as are the folders above it.
    ///
    /// # Errors
    ///
    /// Why it is not private, or cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, Problem> {
        let path = std::path::absolute(path).map_err(Problem::Io)?;
        let mut folder = open("/", ON_THE_WAY, Mode::empty())?;
        check_above(&fstat(&folder)?, OsStr::new("/"))?;
        // What is left of the path, the next part last.
        let mut parts = reversed(&path);
        let mut links = 0;
        while let Some(part) = parts.pop() {
            let last = parts.is_empty();
            let stat = match statat(&folder, &part, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => {
                    match mkdirat(&folder, &part, Mode::RWXU) {
                        Err(Errno::EXIST) | Ok(()) => {}
                        Err(error) => return Err(error.into()),
                    }
                    statat(&folder, &part, AtFlags::SYMLINK_NOFOLLOW)?
                }
                stat => stat?,
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Symlink if !last => {
                    if !is_trusted(&stat) {
                        return Err(Problem::OwnerAbove(part));
                    }
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = OsString::from_vec(readlinkat(&folder, &part, Vec::new())?.into_bytes());
                    if Path::new(&target).is_absolute() {
                        folder = open("/", ON_THE_WAY, Mode::empty())?;
                    }
                    parts.extend(reversed(Path::new(&target)));
                }
                FileType::Directory => {
                    // By its descriptor again, since another may be there by now.
                    folder = openat(&folder, &part, ON_THE_WAY | OFlags::NOFOLLOW, Mode::empty())?;
                    if !last {
                        check_above(&fstat(&folder)?, &part)?;
                    }
                }
                _ => return Err(Problem::NoDirectory),
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(&folder, ".", flags, Mode::empty())?;
        let stat = fstat(&directory)?;
        if !is_own(&stat) {
            return Err(Problem::Owner);
        }
        if mode(&stat) & OTHERS_WRITE != 0 {
            return Err(Problem::Writable);
        }
        Ok(Self(directory))
    }

    /// Reads a file of this user's that nobody else can write, and of at most `most` bytes. `None`
    /// if there is none.
    pub(crate) fn read(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        // Opening a pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty()).ok()?;
        let stat = fstat(&file).ok()?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !is_file || !is_own(&stat) || mode(&stat) & OTHERS_WRITE != 0 {
            return None;
        }
        let size = u64::try_from(stat.st_size).ok().filter(|size| *size <= most)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?);
        File::from(file).take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Writes a file for this user alone, atomically. `temporary` is its name until it is whole.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn write(&self, name: &str, temporary: &str, parts: [&[u8]; 2]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, temporary, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(file);
        let written = parts
            .iter()
            .try_for_each(|part| file.write_all(part))
            .and_then(|()| Ok(renameat(&self.0, temporary, &self.0, name)?));
        if written.is_err() {
            let _ = self.remove(OsStr::new(temporary));
        }
        written
    }

    /// The files whose names end with `suffix`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn files(&self, suffix: &str) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if !name.as_bytes().ends_with(suffix.as_bytes()) {
                continue;
            }
            // Another process may have removed it.
            let Ok(stat) = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                let size = u64::try_from(stat.st_size).unwrap_or_default();
                files.push(Listed { modified: modified(&stat), size, name: name.to_owned() });
            }
        }
        Ok(files)
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }
}

/// The parts of a path below `/`, the first last.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::Prefix(_) | Component::CurDir => None,
    });
    parts.collect()
}

/// Checks a parent folder: its owner, and anybody who can write to it, decides what is below.
fn check_above(stat: &Stat, name: &OsStr) -> Result<(), Problem> {
    if !is_trusted(stat) {
        return Err(Problem::OwnerAbove(name.to_owned()));
    }
    if mode(stat) & OTHERS_WRITE != 0 && mode(stat) & STICKY == 0 {
        return Err(Problem::WritableAbove(name.to_owned()));
    }
    Ok(())
}

fn is_own(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

fn is_trusted(stat: &Stat) -> bool {
    is_own(stat) || stat.st_uid == 0
}

#[allow(clippy::allow_attributes, clippy::useless_conversion, reason = "not all systems have the same type")]
fn mode(stat: &Stat) -> u32 {
    u32::from(stat.st_mode)
}

#[allow(clippy::allow_attributes, clippy::useless_conversion, reason = "not all systems have the same type")]
fn modified(stat: &Stat) -> SystemTime {
    let seconds = u64::try_from(i64::from(stat.st_mtime)).unwrap_or_default();
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests;
