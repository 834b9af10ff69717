//! `spec`: the config schema.

use std::fs;

use mock_orb::{Account, MockOrb, Settings};

use crate::support::Setup;

#[test]
fn spec_is_one_message_with_the_schema_as_it_was_written() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).spec();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.messages.len(), 1);
    let spec = output.messages[0].spec.as_ref().unwrap();
    let written = include_str!("../connector/orb/spec.json");
    assert_eq!(spec["connectionSpecification"], serde_json::from_str::<serde_json::Value>(written).unwrap());
    assert_eq!(spec["documentationUrl"], "https://docs.withorb.com/");
    assert!(orb.requests().is_empty());
}

#[test]
fn compiled_code_is_kept_where_it_may_be_and_is_not_needed() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let setup = Setup::new(&orb);
    let kept = setup.folder().join("kept");
    assert_eq!(setup.run(&[&"spec", &"--no-cache"]).code, Some(0));
    assert!(!kept.exists());
    for _ in 0..2 {
        assert_eq!(setup.run(&[&"spec", &"--cache-dir", &kept]).code, Some(0));
    }
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
    let mut homeless = setup.command(&[&"spec"]);
    homeless.env_remove("XDG_CACHE_HOME").env("HOME", "/nowhere");
    assert!(homeless.output().unwrap().status.success());
}

#[test]
fn compiled_code_that_changed_on_disk_is_compiled_anew() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let setup = Setup::new(&orb);
    let kept = setup.folder().join("kept");
    let spec = || setup.run(&[&"spec", &"--cache-dir", &kept]);
    let expected = spec().stdout;
    let entry = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let size = fs::metadata(&entry).unwrap().len();
    let size = usize::try_from(size).unwrap();
    for at in [0, 100, size / 4, size / 2, size - 33, size - 1] {
        let mut bytes = fs::read(&entry).unwrap();
        bytes[at] ^= 0x10;
        fs::write(&entry, &bytes).unwrap();
        assert_eq!(spec().stdout, expected, "at {at}");
        assert_ne!(fs::read(&entry).unwrap()[at], bytes[at], "at {at}: it was not written anew");
    }
    fs::write(&entry, "").unwrap();
    assert_eq!(spec().stdout, expected);
    // Opening a pipe would wait for its other end.
    #[cfg(unix)]
    {
        fs::remove_file(&entry).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&entry).status().unwrap().success());
        assert_eq!(spec().stdout, expected);
        assert!(entry.symlink_metadata().unwrap().is_file(), "it was not replaced");
    }
}
