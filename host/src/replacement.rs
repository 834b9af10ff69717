//! A file that is written elsewhere and takes the place of another at once, so that whoever looks
//! at that name sees one or the other, whole, whenever the process or the machine stops.
//!
//! Some files cannot be replaced: one that is mounted by itself, as containers do it, or one whose
//! folder cannot be written. Such a file is written over at the end, which a crash in the middle
//! can leave cut off.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, SpooledTempFile};

/// How many links may lead to each other. Linux follows as many.
const MAX_LINKS: usize = 40;
/// Characters between the name of a file and `.tmp` in the name of what is to replace it.
const RANDOM: usize = 6;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// States: small enough for memory, and only for their owner if the file is new.
    State,
    /// Messages: of any size, and for whomever the umask lets.
    Output,
}

/// What is to take a file's place. Gone again unless it is [`put`](Self::put) there.
#[derive(Debug)]
pub(crate) struct Replacement {
    staged: Staged,
    target: PathBuf,
}

/// Where it is until then.
#[derive(Debug)]
enum Staged {
    /// In the same folder, to be renamed. Locked, so that nobody takes it for a leftover.
    Beside(NamedTempFile),
    /// In memory or in the folder for temporary files, to be copied over the target.
    Elsewhere(SpooledTempFile),
}

impl Replacement {
    /// Begins one for `target`, which must not be a link; with the permissions that a file there
    /// has already.
    ///
    /// # Errors
    ///
    /// Those of the file system, if `target` can neither be replaced nor written over.
    pub(crate) fn of(target: &Path, purpose: Purpose) -> io::Result<Self> {
        let present = match fs::metadata(target) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a file")),
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

    /// Whether the target will be written over, and not replaced.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.staged, Staged::Elsewhere(_))
    }

    /// Makes it durable and puts it in its place.
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
                    // It was not seen coming, because not every system says what is mounted.
                    Err(refused) if is_refusal(&refused.error) => {
                        let mut file = refused.file.reopen()?;
                        overwrite(&self.target, &mut file).map_err(|_| refused.error)
                    }
                    Err(failed) => Err(failed.error),
                }
            }
        }
    }

    /// Makes it durable, so that little can fail any more when it is put in its place.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match &self.staged {
            Staged::Beside(file) => file.as_file().sync_all(),
            Staged::Elsewhere(_) => Ok(()),
        }
    }
}

impl Write for Replacement {
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

/// Removes what was to replace `target` in processes that were killed. What a living one holds is
/// locked.
pub(crate) fn clear(target: &Path) {
    let (Some(name), Ok(entries)) = (target.file_name(), fs::read_dir(folder(target))) else { return };
    for entry in entries.flatten() {
        let is_leftover = is_temporary(entry.file_name().as_encoded_bytes(), name.as_encoded_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_leftover
            && let Ok(file) = OpenOptions::new().read(true).write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file is called as what is to replace the file `target`: `.NAME.XXXXXX.tmp`.
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
    OpenOptions::new().write(true).open(target)?;
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
    let mut file = OpenOptions::new().write(true).truncate(true).open(target)?;
    io::copy(content, &mut file)?;
    file.sync_all()
}

/// Whether another file can be renamed to `target`, as far as that can be known without trying.
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

/// Whether the file is another user's in a folder where only owners may replace files, such as
/// `/tmp`.
#[cfg(target_os = "linux")]
fn is_another_s(target: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    let user = rustix::process::geteuid();
    fs::metadata(folder(target)).is_ok_and(|folder| {
        !user.is_root()
            && folder.mode() & STICKY != 0
            && ![folder.uid(), metadata.uid()].contains(&user.as_raw())
    })
}

/// Where the links at `path` lead, whether there is a file or not.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("its links go in a circle"))
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn permissions(purpose: Purpose) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(match purpose {
        Purpose::State => 0o600,
        // The umask takes away what is not wanted.
        Purpose::Output => 0o666,
    }))
}

#[cfg(not(unix))]
fn permissions(_: Purpose) -> Option<Permissions> {
    None
}

/// A new name in a folder lasts only once the folder was written too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_not_put_in_its_place_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, "old").unwrap();
        let mut replacement = Replacement::of(&target, Purpose::State).unwrap();
        replacement.write_all(b"new").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(replacement);
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    }

    #[test]
    #[cfg(unix)]
    fn permissions_stay_as_they_were_and_new_files_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o664)).unwrap();
        for path in [&old, &new] {
            Replacement::of(path, Purpose::State).unwrap().put().unwrap();
        }
        assert_eq!((mode(&old), mode(&new)), (0o664, 0o600));
    }

    #[test]
    #[cfg(unix)]
    fn links_are_followed_to_files_that_are_and_that_are_not() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("second", at("first")).unwrap();
        symlink(at("target"), at("second")).unwrap();
        symlink("circle", at("circle")).unwrap();
        assert_eq!(follow(&at("first")).unwrap(), at("target"));
        assert!(follow(&at("circle")).is_err());
    }

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Replacement::of(folder.path(), Purpose::State).is_err());
        assert_eq!(names(folder.path()).len(), 0);
    }

    #[test]
    fn what_a_process_that_was_killed_left_is_removed_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.json");
        let alive = Replacement::of(&target, Purpose::State).unwrap();
        let others = [".a.json.old.tmp", ".a.json.abc12_.tmp", ".b.json.abc123.tmp", "a.json.abc123.tmp"];
        for name in others.iter().chain(&[".a.json.aBc123.tmp"]) {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        fs::create_dir(folder.path().join(".a.json.folder.tmp")).unwrap();
        clear(&target);
        let left = names(folder.path());
        assert!(!left.contains(&".a.json.aBc123.tmp".to_owned()), "{left:?}");
        assert!(others.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
        assert_eq!(left.len(), others.len() + 2, "{left:?}");
        alive.put().unwrap();
        assert!(target.exists());
    }

    #[test]
    fn a_file_that_cannot_be_replaced_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        for purpose in [Purpose::State, Purpose::Output] {
            fs::write(&target, "an old text that is longer").unwrap();
            let staged = elsewhere(&target, purpose).unwrap();
            let mut replacement = Replacement { staged, target: target.clone() };
            assert!(replacement.is_in_place());
            replacement.write_all(b"new").unwrap();
            replacement.sync().unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "an old text that is longer");
            replacement.put().unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "new");
            assert_eq!(names(folder.path()), ["a"]);
        }
        assert!(elsewhere(&folder.path().join("missing"), Purpose::State).is_err());
    }
}
