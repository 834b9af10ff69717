use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use super::*;

/// Another user than root.
const STRANGER: u32 = 65534;

fn problem(path: &Path) -> String {
    PrivateDirectory::open(path).expect_err("it is not private").to_string()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn it_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    PrivateDirectory::open(&path).unwrap();
    for made in ["a", "a/b"] {
        assert_eq!(fs::metadata(folder.path().join(made)).unwrap().mode() & 0o777, 0o700, "{made}");
    }
}

#[test]
fn others_must_be_able_to_write_neither_to_it_nor_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let (above, path) = (folder.path().join("above"), folder.path().join("above/it"));
    PrivateDirectory::open(&path).unwrap();
    for mode in [0o777, 0o722, 0o720, 0o702] {
        set_mode(&path, mode);
        assert_eq!(problem(&path), "other users can write to it", "{mode:o}");
        set_mode(&path, 0o755);
        set_mode(&above, mode);
        assert_eq!(problem(&path), "other users can write to `above` on the way to it", "{mode:o}");
        // Not what is there only, but what would be made too.
        assert_eq!(
            problem(&above.join("new")),
            "other users can write to `above` on the way to it",
            "{mode:o}"
        );
        assert!(!above.join("new").exists());
        set_mode(&above, mode | STICKY);
        PrivateDirectory::open(&path).unwrap();
        set_mode(&above, 0o755);
    }
    PrivateDirectory::open(&path).unwrap();
}

#[test]
fn neither_it_nor_what_is_above_belongs_to_another_user() {
    let folder = tempfile::tempdir().unwrap();
    let (above, path) = (folder.path().join("above"), folder.path().join("above/it"));
    PrivateDirectory::open(&path).unwrap();
    if chown(&path, Some(STRANGER), None).is_err() {
        // Only root can give a folder away.
        return;
    }
    assert_eq!(problem(&path), "it belongs to another user");
    chown(&path, Some(0), None).unwrap();
    chown(&above, Some(STRANGER), None).unwrap();
    assert_eq!(problem(&path), "`above` on the way to it belongs to another user");
    // Nor can another user lead there from a folder that everybody can write to.
    chown(&above, Some(0), None).unwrap();
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    set_mode(&shared, 0o1777);
    symlink(&above, shared.join("link")).unwrap();
    PrivateDirectory::open(&shared.join("link/it")).unwrap();
    std::os::unix::fs::lchown(shared.join("link"), Some(STRANGER), None).unwrap();
    assert_eq!(problem(&shared.join("link/it")), "`link` on the way to it belongs to another user");
}

#[test]
fn links_on_the_way_are_followed_but_it_is_none_itself() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    PrivateDirectory::open(&at("a/b")).unwrap().write("name", "temporary", [b"te", b"xt"]).unwrap();
    symlink("a", at("relative")).unwrap();
    symlink(at("a"), at("absolute")).unwrap();
    symlink("a/../relative", at("chain")).unwrap();
    for way in ["relative/b", "absolute/b", "chain/b", "a/../absolute/./b"] {
        let read = PrivateDirectory::open(&at(way)).unwrap().read("name", 10);
        assert_eq!(read.as_deref(), Some(&b"text"[..]), "{way}");
    }
    symlink("circle", at("circle")).unwrap();
    assert!(problem(&at("circle/b")).contains("symbolic links"));
    fs::write(at("file"), "").unwrap();
    for path in ["relative", "file", "file/b"] {
        assert_eq!(problem(&at(path)), "it is not a directory", "{path}");
    }
}

#[test]
fn what_takes_its_place_later_is_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let opened = PrivateDirectory::open(&path).unwrap();
    opened.write("name", "temporary", [b"ours", b""]).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("name"), "theirs").unwrap();
    assert_eq!(opened.read("name", 10).unwrap(), b"ours");
    opened.write("other", "temporary", [b"ours", b""]).unwrap();
    assert!(!path.join("other").exists() && folder.path().join("moved/other").exists());
}

#[test]
fn only_whole_files_of_its_owner_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let opened = PrivateDirectory::open(folder.path()).unwrap();
    opened.write("file", "temporary", [b"te", b"xt"]).unwrap();
    assert_eq!(fs::metadata(at("file")).unwrap().mode() & 0o777, 0o600);
    assert!(opened.read("file", 4).is_some() && opened.read("file", 3).is_none());
    symlink("file", at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    assert!(made.unwrap().success());
    for name in ["link", "folder", "pipe", "missing"] {
        assert!(opened.read(name, 10).is_none(), "{name}");
    }
    for mode in [0o620, 0o602] {
        set_mode(&at("file"), mode);
        assert!(opened.read("file", 4).is_none(), "{mode:o}");
    }
    set_mode(&at("file"), 0o600);
    if chown(at("file"), Some(STRANGER), None).is_ok() {
        assert!(opened.read("file", 4).is_none());
    }
}
