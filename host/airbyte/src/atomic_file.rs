//! A file that is written beside another and takes its place at once, so that whoever looks at that name sees one or
//! the other, whole, whenever the process or the machine stops.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How many links may lead to each other. Linux follows as many.
const MAX_LINKS: usize = 40;

/// Who may read a file that is new.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Privacy {
    /// Only its owner.
    Owner,
    /// Whoever the umask lets.
    Umask,
}

/// What is to take a file's place. Removed again unless it is [`put`](Self::put) there.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl AtomicFile {
    /// Begins one beside `target`, which must not be a link; with the permissions that a file there has already.
    pub(crate) fn of(target: &Path, privacy: Privacy) -> io::Result<Self> {
        let kept = match fs::metadata(target) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a file")),
            Ok(metadata) => Some(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let name = target.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        if let Some(permissions) = permissions(privacy) {
            builder.permissions(permissions);
        }
        let file = builder.tempfile_in(folder(target))?;
        if let Some(kept) = kept {
            file.as_file().set_permissions(kept)?;
        }
        Ok(Self { file, target: target.to_owned() })
    }

    /// Makes it durable and puts it in its place.
    pub(crate) fn put(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.target)?;
        sync_folder(folder(&self.target))
    }

    /// Makes it durable, so that little can fail any more when it is put in its place.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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
fn permissions(privacy: Privacy) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(match privacy {
        Privacy::Owner => 0o600,
        // The umask takes away what is not wanted.
        Privacy::Umask => 0o666,
    }))
}

#[cfg(not(unix))]
fn permissions(_: Privacy) -> Option<Permissions> {
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
        let mut file = AtomicFile::of(&target, Privacy::Owner).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(file);
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
            AtomicFile::of(path, Privacy::Owner).unwrap().put().unwrap();
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
        assert!(AtomicFile::of(folder.path(), Privacy::Owner).is_err());
        assert_eq!(names(folder.path()).len(), 0);
    }
}
