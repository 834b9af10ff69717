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
    let mut file = AtomicFile::of(&target, Purpose::State).unwrap();
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
        AtomicFile::of(path, Purpose::State).unwrap().put().unwrap();
    }
    assert_eq!((mode(&old), mode(&new)), (0o664, 0o600));
}

#[test]
fn only_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    assert!(AtomicFile::of(folder.path(), Purpose::State).is_err());
    assert_eq!(names(folder.path()).len(), 0);
}

#[test]
#[cfg(unix)]
fn a_link_that_was_planted_meanwhile_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (target, other) = (folder.path().join("a"), folder.path().join("other"));
    fs::write(&other, "other").unwrap();
    std::os::unix::fs::symlink("other", &target).unwrap();
    for purpose in [Purpose::State, Purpose::Output] {
        assert!(AtomicFile::of(&target, purpose).is_err());
        assert!(elsewhere(&target, purpose).is_err());
    }
    assert!(overwrite(&target, &mut &b"new"[..]).is_err());
    assert_eq!(fs::read_to_string(&other).unwrap(), "other");
}

#[test]
#[cfg(unix)]
fn a_file_that_another_user_put_into_a_folder_like_tmp_is_not_written() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    fs::write(&target, "theirs").unwrap();
    if chown(&target, Some(65534), None).is_err() {
        // Only root can give a file away.
        return;
    }
    let problem = || AtomicFile::of(&target, Purpose::Output).err().map(|error| error.to_string());
    assert_eq!(problem(), None);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(problem().unwrap(), "it is another user's, in a folder that others can write to");
    chown(folder.path(), Some(65534), None).unwrap();
    assert_eq!(problem(), None, "the owner of a folder could do anything there");
}

#[test]
fn what_a_process_that_was_killed_left_is_removed_and_what_is_in_use_stays() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.json");
    let alive = AtomicFile::of(&target, Purpose::State).unwrap();
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
        let mut file = AtomicFile { staged, target: target.clone() };
        assert!(file.is_in_place());
        file.write_all(b"new").unwrap();
        file.sync().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "an old text that is longer");
        file.put().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a"]);
    }
    assert!(elsewhere(&folder.path().join("missing"), Purpose::State).is_err());
}
