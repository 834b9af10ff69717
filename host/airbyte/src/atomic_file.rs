//! Writes files atomically: a reader sees either the whole old content or the whole new one, even
//! if the process or the machine stops.
//!
//! The new content is written elsewhere and then renamed. Some files cannot be replaced: one that
//! is mounted by itself, as containers do, or one in a folder that cannot be written. Such a file
//! is overwritten at the end, and a crash in the middle can leave it truncated.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, SpooledTempFile};

use crate::links::folder;

/// Random characters in the name of a temporary file: `.NAME.XXXXXX.tmp`.
const RANDOM: usize = 6;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// States: small enough for memory, and readable by their owner only if the file is new.
    State,
    /// Messages: of any size, with the permissions of the umask.
    Output,
}

/// New content for a file. Discarded unless it is [`put`](Self::put) there.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    staged: Staged,
    target: PathBuf,
}

/// Where the new content is until then.
#[derive(Debug)]
enum Staged {
    /// In the same folder, to be renamed. Locked, so that no process takes it for a leftover.
    Beside(NamedTempFile),
    /// In memory or in the folder for temporary files, to be copied over the target.
    Elsewhere(SpooledTempFile),
}

impl AtomicFile {
    /// Begins new content for `target`, whose links were followed, with the permissions of the file
    /// there.
    ///
    /// # Errors
    ///
    /// Those of the file system, if `target` can neither be replaced nor overwritten. In a folder
    /// such as `/tmp`, also if it is a file that another user put there, who could then read it.
    pub(crate) fn of(target: &Path, purpose: Purpose) -> io::Result<Self> {
        let present = match fs::symlink_metadata(target) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a file")),
            Ok(metadata) if is_planted(target, &metadata) => {
                return Err(io::Error::other("it is another user's, in a folder that others can write to"));
            }
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let staged = match &present {
            Some(metadata) if !can_be_renamed_over(target, metadata) => elsewhere(target, purpose)?,
            _ => match beside(target, purpose, present.as_ref()) {
                Ok(file) => Staged::Beside(file),
                Err(error) if present.is_some() && is_refusal(&error) => elsewhere(target, purpose)?,
                Err(error) => return Err(error),
            },
        };
        Ok(Self { staged, target: target.to_owned() })
    }

    /// Whether the target will be overwritten, and not replaced.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.staged, Staged::Elsewhere(_))
    }

    /// Syncs the new content and puts it in its place.
    pub(crate) fn put(self) -> io::Result<()> {
        match self.staged {
            Staged::Elsewhere(mut file) => {
                file.rewind()?;
                overwrite(&self.target, &mut file)
            }
            Staged::Beside(file) => {
                file.as_file().sync_all()?;
                match file.persist(&self.target) {
                    Ok(_) => sync_folder(folder(&self.target)),
                    // Not every system says what is mounted, so this could not be known before.
                    Err(refused) if is_refusal(&refused.error) => {
                        let mut file = refused.file.reopen()?;
                        overwrite(&self.target, &mut file).map_err(|_| refused.error)
                    }
                    Err(failed) => Err(failed.error),
                }
            }
        }
    }

    /// Syncs the new content, so that little can fail when it is put in its place.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match &self.staged {
            Staged::Beside(file) => file.as_file().sync_all(),
            Staged::Elsewhere(_) => Ok(()),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.staged {
            Staged::Beside(file) => file.write(bytes),
            Staged::Elsewhere(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.staged {
            Staged::Beside(file) => file.flush(),
            Staged::Elsewhere(file) => file.flush(),
        }
    }
}

/// Removes the temporary files for `target` of processes that were killed. Those of living
/// processes are locked.
pub(crate) fn clear(target: &Path) {
    let (Some(name), Ok(entries)) = (target.file_name(), fs::read_dir(folder(target))) else { return };
    for entry in entries.flatten() {
        let is_leftover = is_temporary(entry.file_name().as_encoded_bytes(), name.as_encoded_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_leftover
            && let Ok(file) = without_link(OpenOptions::new().read(true).write(true)).open(entry.path())
            && file.try_lock().is_ok()
        {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file has the name of a temporary file for `target`: `.NAME.XXXXXX.tmp`.
fn is_temporary(name: &[u8], target: &[u8]) -> bool {
    let random = name
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(target)?.strip_prefix(b".")?.strip_suffix(b".tmp"));
    random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric))
}

/// Begins a file beside `target`.
fn beside(target: &Path, purpose: Purpose, present: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let name = target.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(RANDOM).suffix(".tmp");
    if let Some(permissions) = permissions(purpose) {
        builder.permissions(permissions);
    }
    loop {
        let file = builder.tempfile_in(folder(target))?;
        // Another process that clears up may have locked it first, and has then removed it. File
        // systems without locks are not cleared up.
        let locked = file.as_file().try_lock();
        if matches!(locked, Err(TryLockError::WouldBlock)) || !file.path().exists() {
            continue;
        }
        if let Some(metadata) = present {
            file.as_file().set_permissions(metadata.permissions())?;
        }
        return Ok(file);
    }
}

/// Begins a file that will be copied over `target`, if that can be written.
fn elsewhere(target: &Path, purpose: Purpose) -> io::Result<Staged> {
    without_link(OpenOptions::new().write(true)).open(target)?;
    let most = if purpose == Purpose::State { usize::MAX } else { 0 };
    let mut file = SpooledTempFile::new(most);
    if purpose == Purpose::Output {
        file.roll().map_err(|error| {
            let folder = std::env::temp_dir();
            let text =
                format!("it cannot be replaced, and {} cannot hold it meanwhile: {error}", folder.display());
            io::Error::new(error.kind(), text)
        })?;
    }
    Ok(Staged::Elsewhere(file))
}

/// Whether the file system refuses to make or replace a file, where it may well let its content be
/// written.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::ResourceBusy
            | ErrorKind::CrossesDevices
    )
}

/// Writes over a file. It is emptied first: what a crash then leaves is not JSON, or empty, but
/// never a mixture of old and new that could be taken for either.
fn overwrite(target: &Path, content: &mut impl io::Read) -> io::Result<()> {
    let mut file = without_link(OpenOptions::new().write(true).truncate(true)).open(target)?;
    io::copy(content, &mut file)?;
    file.sync_all()
}

/// Whether another file can be renamed to `target`, as far as one can know without trying.
#[cfg(target_os = "linux")]
fn can_be_renamed_over(target: &Path, metadata: &Metadata) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let stuck = StatxAttributes::MOUNT_ROOT | StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    let is_stuck = statx(CWD, target, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|about| about.stx_attributes.intersects(stuck));
    !is_stuck && !is_another_s(target, metadata)
}

#[cfg(not(target_os = "linux"))]
fn can_be_renamed_over(_: &Path, _: &Metadata) -> bool {
    true
}

/// In a folder with this bit, only owners can replace files, as in `/tmp`.
#[cfg(unix)]
const STICKY: u32 = 0o1000;

/// Whether only another user can replace the file, in such a folder.
#[cfg(target_os = "linux")]
fn is_another_s(target: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid();
    fs::metadata(folder(target)).is_ok_and(|folder| {
        !user.is_root()
            && folder.mode() & STICKY != 0
            && ![folder.uid(), metadata.uid()].contains(&user.as_raw())
    })
}

/// Whether a file in such a folder is that of a user who owns neither the folder nor the machine.
#[cfg(unix)]
fn is_planted(target: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(folder(target)).is_ok_and(|folder| {
        let trusted = [rustix::process::geteuid().as_raw(), 0, folder.uid()];
        folder.mode() & STICKY != 0 && !trusted.contains(&metadata.uid())
    })
}

#[cfg(not(unix))]
fn is_planted(_: &Path, _: &Metadata) -> bool {
    false
}

/// Opens a file, but neither what a link leads to nor a pipe, which would wait for its other end.
#[cfg(unix)]
pub(crate) fn without_link(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
}

/// This system has no such flags.
#[cfg(not(unix))]
pub(crate) fn without_link(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn permissions(purpose: Purpose) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(match purpose {
        Purpose::State => 0o600,
        // The umask removes permissions.
        Purpose::Output => 0o666,
    }))
}

#[cfg(not(unix))]
fn permissions(_: Purpose) -> Option<Permissions> {
    None
}

/// A new name in a folder is durable only once the folder is synced.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
