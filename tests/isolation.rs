//! `--isolate`: the operating system confines the process, and a read is the same read.

use std::fs;

use mock_orb::{Account, MockOrb, Settings};

use crate::support::Setup;

/// Whether this kernel can confine a process. If not, the error says what is missing.
fn is_supported(setup: &Setup) -> bool {
    let output = setup.run(&[&"spec"]);
    let stderr = &output.stderr;
    let refused = stderr.contains("the process cannot be isolated (--isolate)");
    assert_eq!(refused, output.code != Some(0), "{stderr}");
    assert!(!refused || stderr.contains("Linux 5.13"), "{stderr}");
    !refused
}

#[test]
fn an_isolated_read_writes_what_any_other_does_and_keeps_no_code() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let cache = tempfile::tempdir().unwrap();
    let flags = ["--isolate", "--cache-dir", cache.path().to_str().unwrap()];
    let setup = Setup::new(&orb).flags(&flags);
    if !is_supported(&setup) {
        return;
    }
    let config = setup.config_file();
    let (state, output) = (setup.file("state.json", ""), setup.file("out.jsonl", ""));
    let read: [&dyn AsRef<std::ffi::OsStr>; 8] =
        [&"read", &"--config", &config, &"--state", &state, &"--save-state", &"--output", &output];
    let isolated = setup.run(&read);
    assert_eq!(isolated.code, Some(0), "{}", isolated.stderr);
    assert!(fs::read_to_string(&output).unwrap().contains("COMPLETE"));
    assert!(fs::read_to_string(&state).unwrap().contains("stream_descriptor"));
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "what breaks out could leave code there");

    // Nor is a folder for it made.
    let absent = cache.path().join("absent");
    let elsewhere = Setup::new(&orb).flags(&["--isolate", "--cache-dir", absent.to_str().unwrap()]);
    let spec = elsewhere.spec();
    assert_eq!(spec.code, Some(0), "{}", spec.stderr);
    assert!(!absent.exists());

    // Outside of the folders of these files, nothing can be written.
    let plain = Setup::new(&orb).flags(&flags[1..]);
    assert_eq!(plain.run(&[&"spec"]).code, Some(0));
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
    assert_eq!(setup.run(&[&"check", &"--config", &config]).code, Some(0), "it is read from there");
}
