//! Finds the file at the end of a path's links, for files that are written.
//!
//! Whoever can put a link into a folder decides where it leads. So in a folder that others can
//! write to, such as `/tmp`, only links of this user and of root are followed. Nothing follows
//! links after this.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// The longest chain of links that is followed, as in Linux.
const MAX_LINKS: usize = 40;

/// The path without links to the file at `path`, whether there is one or not.
///
/// # Errors
///
/// If a link may not be followed, or leads to an open descriptor, which has no path of its own.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut target = PathBuf::new();
    // What is left of the path, the next part last.
    let mut parts = reversed(path);
    let mut links = 0;
    while let Some(part) = parts.pop() {
        let at = target.join(&part);
        match fs::symlink_metadata(&at) {
            Ok(metadata) if metadata.is_symlink() => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(io::Error::other("its links go in a circle"));
                }
                check(&at, &metadata)?;
                parts.extend(reversed(&fs::read_link(&at)?));
            }
            Ok(_) if part == Component::ParentDir.as_os_str() && can_go_up(&target) => {
                target.pop();
            }
            Ok(_) => target = at,
            // The rest is not there either.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                target = at;
                target.extend(parts.drain(..).rev());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if target.as_os_str().is_empty() { ".".into() } else { target })
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The parts of a path, the first last.
fn reversed(path: &Path) -> Vec<std::ffi::OsString> {
    let parts = path.components().rev().filter(|part| *part != Component::CurDir);
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

/// Whether the folder above a path without links is the path without its last part.
fn can_go_up(path: &Path) -> bool {
    path.file_name().is_some() || path.has_root()
}

/// Checks that a link may be followed.
fn check(link: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let folder = folder(link);
    // These look like links, but the kernel does not go where they say.
    if folder.starts_with("/proc") && folder.file_name() == Some(OsStr::new("fd")) {
        return Err(io::Error::other("it is an open descriptor, not a file"));
    }
    match is_foreign(folder, metadata)? {
        false => Ok(()),
        true => Err(io::Error::other(format!(
            "the link {} belongs to another user, in a folder that others can write to",
            link.display()
        ))),
    }
}

/// Whether a link may be one that another user planted.
#[cfg(unix)]
fn is_foreign(folder: &Path, link: &fs::Metadata) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    const OTHERS_WRITE: u32 = 0o022;
    let is_trusted = [rustix::process::geteuid().as_raw(), 0].contains(&link.uid());
    Ok(!is_trusted && fs::metadata(folder)?.mode() & OTHERS_WRITE != 0)
}

#[cfg(not(unix))]
fn is_foreign(_: &Path, _: &fs::Metadata) -> io::Result<bool> {
    Ok(false)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};

    use super::*;

    #[test]
    fn links_are_followed_to_files_that_are_and_that_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        symlink("second", at("first")).unwrap();
        symlink(at("target"), at("second")).unwrap();
        symlink("a/b", at("c")).unwrap();
        symlink("circle", at("circle")).unwrap();
        for (path, end) in [
            ("first", "target"),
            ("c/file", "a/b/file"),
            ("c/../file", "a/file"),
            ("c/./../../first", "target"),
            ("none/../file", "none/../file"),
        ] {
            assert_eq!(follow(&at(path)).unwrap(), at(end), "{path}");
        }
        assert!(follow(&at("circle")).is_err());
        for (path, end) in [("..", ".."), ("../../x", "../../x"), ("src/../x", "x"), (".", "."), ("/..", "/")]
        {
            assert_eq!(follow(Path::new(path)).unwrap(), Path::new(end), "{path}");
        }
    }

    #[test]
    fn a_link_that_another_user_may_have_planted_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("shared");
        fs::create_dir_all(shared.join("folder")).unwrap();
        for (target, link) in [("/nowhere", "file"), ("folder", "below")] {
            symlink(target, shared.join(link)).unwrap();
            if lchown(shared.join(link), Some(65534), None).is_err() {
                // Only root can give a link away.
                return;
            }
        }
        let refused = |path: &str| follow(&shared.join(path)).is_err();
        for mode in [0o1777, 0o777, 0o775] {
            fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
            assert!(refused("file") && refused("below/file") && !refused("folder/file"), "{mode:o}");
        }
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!refused("file") && !refused("below/file"));
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        lchown(shared.join("file"), Some(0), None).unwrap();
        assert!(!refused("file"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_descriptor_has_no_path() {
        for path in ["/proc/self/fd/0", "/dev/fd/0", "/dev/stdin"] {
            assert!(follow(Path::new(path)).is_err(), "{path}");
        }
    }
}
