//! A folder of files: one process at a time writes to it, and a file appears there whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::column::MONTH;
use crate::problem::Problem;
use crate::run::RunId;

/// The file that is locked. It stays, so that no two processes lock two files of its name.
const LOCK: &str = ".lock";
/// The end of the name of a file that is being written.
const TEMPORARY: &str = ".tmp";

/// A folder that is locked against other processes until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, locks it, and removes what a run that was killed left.
    pub(crate) fn lock(path: &Path) -> Result<Self, Problem> {
        let lock = || -> Result<Option<File>, Problem> {
            fs::create_dir_all(path)?;
            let mut options = OpenOptions::new();
            // Opened for writing alone, a pipe of that name would wait for its reader.
            let lock = options.create(true).truncate(false).read(true).write(true).open(path.join(LOCK))?;
            if !lock.metadata()?.is_file() {
                return Err(Problem::Odd(path.join(LOCK), "is not a file".to_owned()));
            }
            match lock.try_lock() {
                Ok(()) => Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => Ok(None),
                // A file system without locks.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Some(lock)),
                Err(TryLockError::Error(error)) => Err(error.into()),
            }
        };
        let lock = lock().map_err(|problem| problem.at(path))?;
        let folder =
            Self { path: path.to_owned(), _lock: lock.ok_or_else(|| Problem::InUse(path.to_owned()))? };
        clear(path, 0)?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The folder of a stream. Names that could lead elsewhere are escaped, as in URLs.
pub(crate) fn stream_folder(namespace: Option<&str>, stream: &str) -> String {
    let mut name = String::new();
    for part in namespace.into_iter().chain([stream]) {
        if !name.is_empty() {
            name.push('.');
        }
        for byte in part.bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if is_plain { name.push(char::from(byte)) } else { name += &format!("%{byte:02X}") }
        }
    }
    name
}

/// A file that is being written beside its place, where no glob for its place finds it.
#[derive(Debug)]
pub(crate) struct Staged {
    file: NamedTempFile,
    target: PathBuf,
    bytes: u64,
}

impl Staged {
    /// Begins a file. Its folder is made if it is not there.
    pub(crate) fn begin(target: &Path) -> Result<Self, Problem> {
        let folder = target.parent().unwrap_or(Path::new("."));
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let begin = || -> io::Result<Self> {
            make_folder(folder)?;
            let prefix = format!(".{name}.");
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).suffix(TEMPORARY);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                // The umask removes permissions.
                builder.permissions(fs::Permissions::from_mode(0o666));
            }
            Ok(Self { file: builder.tempfile_in(folder)?, target: target.to_owned(), bytes: 0 })
        };
        begin().map_err(|error| Problem::from(error).at(target))
    }

    /// Bytes that were written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the file durable and puts it in its place. Returns its size.
    pub(crate) fn put(self) -> Result<u64, Problem> {
        let Self { file, target, bytes } = self;
        let put = || -> io::Result<()> {
            file.as_file().sync_all()?;
            file.persist(&target).map_err(|failed| failed.error)?;
            sync_folder(target.parent().unwrap_or(Path::new(".")))
        };
        put().map_err(|error| Problem::from(error).at(&target))?;
        Ok(bytes)
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a folder and those above it, and makes that durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => folder.parent().map_or(Ok(()), sync_folder),
    }
}

/// A new name in a folder is durable only once the folder is synced.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes the files that a run which was killed was writing: here, in the folders of streams, and
/// in those of months.
fn clear(folder: &Path, depth: usize) -> Result<(), Problem> {
    let entries = fs::read_dir(folder).map_err(|error| Problem::from(error).at(folder))?;
    for entry in entries.flatten() {
        let (name, Ok(kind)) = (entry.file_name(), entry.file_type()) else { continue };
        let name = name.to_string_lossy();
        let is_leftover = name.ends_with(TEMPORARY)
            && name
                .strip_prefix('.')
                .and_then(|name| name.get(..19))
                .is_some_and(|run| RunId::parse(run).is_some());
        if kind.is_file() && is_leftover {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
        if kind.is_dir() && (depth == 0 || (depth == 1 && name.starts_with(MONTH))) {
            // Such as `lost+found`: what we cannot read, we did not write.
            let _ = clear(&entry.path(), depth + 1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_stream_leads_elsewhere() {
        assert_eq!(stream_folder(None, "credit_notes-2"), "credit_notes-2");
        assert_eq!(stream_folder(Some("prod"), "plans"), "prod.plans");
        assert_eq!(stream_folder(None, "../../etc"), "%2E%2E%2F%2E%2E%2Fetc");
        assert_eq!(stream_folder(None, ".."), "%2E%2E");
        assert_eq!(stream_folder(Some("a.b"), "c"), "a%2Eb.c");
        assert_eq!(stream_folder(None, "é%"), "%C3%A9%25");
    }

    #[test]
    fn one_process_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = Folder::lock(&path).unwrap();
        let problem = Folder::lock(&path).unwrap_err();
        assert!(matches!(problem, Problem::InUse(_)), "{problem}");
        drop(first);
        Folder::lock(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_the_lock_is_refused_and_not_waited_for() {
        use std::sync::mpsc::channel;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let made = std::process::Command::new("mkfifo").arg(path.join(LOCK)).status();
        assert!(made.unwrap().success());
        // Far longer than it takes on a busy machine. Another thread, as it could take for ever.
        let (done, ended) = channel();
        std::thread::spawn(move || done.send(Folder::lock(&path).map(drop)));
        let problem = ended.recv_timeout(std::time::Duration::from_secs(60)).unwrap().unwrap_err();
        assert!(problem.to_string().contains("is not a file"), "{problem}");
    }

    #[test]
    fn a_file_appears_whole_and_what_was_not_put_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("stream/20231114T221320007Z-00001.jsonl");
        let mut staged = Staged::begin(&target).unwrap();
        staged.write_all(b"a").unwrap();
        assert!(!target.exists());
        assert_eq!(staged.put().unwrap(), 1);
        drop(Staged::begin(&target).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"a");
        assert_eq!(fs::read_dir(folder.path().join("stream")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_of_somebody_else_may_be_beside_those_of_streams() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("lost+found");
        fs::create_dir(&foreign).unwrap();
        fs::set_permissions(&foreign, fs::Permissions::from_mode(0o000)).unwrap();
        // A privileged user can read it all the same.
        Folder::lock(folder.path()).unwrap();
        assert!(foreign.exists());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let leftover = ".20231114T221320007Z-00001.parquet.aB3dE6.tmp";
        fs::create_dir_all(folder.path().join("a/_month=2024-01")).unwrap();
        fs::create_dir_all(folder.path().join("a/other")).unwrap();
        for place in ["", "a", "a/_month=2024-01", "a/other"] {
            fs::write(folder.path().join(place).join(leftover), "").unwrap();
        }
        fs::write(folder.path().join("a/.mine.tmp"), "").unwrap();
        Folder::lock(folder.path()).unwrap();
        for (place, stays) in [("", false), ("a", false), ("a/_month=2024-01", false), ("a/other", true)] {
            assert_eq!(folder.path().join(place).join(leftover).exists(), stays, "{place}");
        }
        assert!(folder.path().join("a/.mine.tmp").exists());
    }
}
