//! Folders that others can write to, such as `/tmp`: links of other users there are not followed,
//! and their files are not trusted.
//!
//! Needs root, to act as another user; otherwise these tests report that they are skipped. The unit
//! tests of `links.rs`, `lock.rs` and `private_directory.rs` cover what needs no other user.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, chown, lchown, symlink},
    path::{Path, PathBuf},
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Output, Setup};

/// A user other than root.
const STRANGER: u32 = 65534;

/// A folder like `/tmp` in that of `setup`. `None` if files cannot be given to another user here.
fn shared(setup: &Setup) -> Option<PathBuf> {
    let folder = setup.folder().join("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
    let probe = setup.file("probe", "");
    if chown(probe, Some(STRANGER), None).is_err() {
        let _ = writeln!(std::io::stderr(), "skipped: this needs root");
        return None;
    }
    Some(folder)
}

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// A link of another user.
fn plant(target: &Path, link: &Path) {
    symlink(target, link).unwrap();
    lchown(link, Some(STRANGER), None).unwrap();
}

fn read(setup: &Setup, flags: &[&str]) -> Output {
    let config = setup.config_file();
    let mut command = setup.command(&[&"read", &"--config", &config, &"--streams", &"plans"]);
    command.args(flags);
    crate::support::setup::run(command)
}

#[test]
fn a_link_of_another_user_is_not_followed() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let Some(folder) = shared(&setup) else { return };
    let victim = setup.file("victim", "precious");
    plant(&victim, &folder.join("file"));
    plant(&setup.folder().join("new"), &folder.join("dangling"));
    plant(setup.folder(), &folder.join("way"));
    for path in ["shared/file", "shared/dangling", "shared/way/victim", "shared/way/new"] {
        for flags in [&["--output", path][..], &["--state", path, "--save-state"]] {
            let output = read(&setup, flags);
            assert_eq!(output.error().failure_type, "config_error", "{flags:?}");
            assert!(output.error().message.contains("belongs to another user"), "{}", output.stderr);
        }
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    assert!(!setup.folder().join("new").exists());
    assert!(orb.requests().is_empty());
    // Links of the user who runs the command are followed.
    symlink("../new", folder.join("own")).unwrap();
    let output = read(&setup, &["--output", "shared/own"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(setup.folder().join("new").exists());
}

#[test]
fn a_lock_that_another_user_planted_is_told_and_left_alone() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let Some(folder) = shared(&setup) else { return };
    let victim = setup.file("victim", "");
    let lock = folder.join("state.json.lock");
    let file = |path: &Path| {
        fs::write(path, "").unwrap();
        chown(path, Some(STRANGER), None).unwrap();
    };
    let plants: [&dyn Fn(&Path); 3] =
        [&|path| plant(&victim, path), &|path| plant(&setup.folder().join("new"), path), &file];
    for plant in plants {
        plant(&lock);
        let output = read(&setup, &["--state", "shared/state.json", "--save-state"]);
        assert_eq!(output.error().failure_type, "config_error", "{}", output.stderr);
        assert!(output.error().message.contains("which is to be its lock"), "{}", output.stderr);
        assert!(lock.symlink_metadata().is_ok(), "it is not removed");
        fs::remove_file(&lock).unwrap();
    }
    assert!(victim.exists() && !setup.folder().join("new").exists());
    assert!(orb.requests().is_empty());
    let output = read(&setup, &["--state", "shared/state.json", "--save-state"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn no_code_is_kept_below_a_folder_in_which_others_can_replace_it() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let Some(folder) = shared(&setup) else { return };
    let spec = |cache: &str| setup.run(&[&"spec", &"--cache-dir", &cache]);
    assert_eq!(spec("shared/cache").code, Some(0));
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    for cache in ["shared/cache", "shared/new"] {
        let output = spec(cache);
        assert_eq!(output.error().failure_type, "config_error", "{cache}");
        assert!(output.error().message.contains("other users can write to `shared`"), "{}", output.stderr);
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(spec("shared/cache").code, Some(0));
    chown(&folder, Some(STRANGER), None).unwrap();
    let output = spec("shared/cache");
    assert!(output.error().message.contains("`shared` on the way to it belongs"), "{}", output.stderr);
    // Without a flag, such a cache is ignored.
    let mut command = setup.command(&[&"spec"]);
    command.env("XDG_CACHE_HOME", &folder);
    assert_eq!(crate::support::setup::run(command).code, Some(0));
    assert!(!folder.join("elt-host").exists());
}
