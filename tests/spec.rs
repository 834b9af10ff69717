//! `spec`: what the config looks like.

use mock_orb::{Account, MockOrb, Settings};

use crate::support::Setup;

#[test]
fn spec_is_one_message_with_the_schema_as_it_was_written() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).spec();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.messages.len(), 1);
    let spec = output.messages[0].spec.as_ref().unwrap();
    let written = include_str!("../connector/spec.json");
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
    assert!(kept.join("modules").is_dir());
    let mut homeless = setup.command(&[&"spec"]);
    homeless.env_remove("XDG_CACHE_HOME").env("HOME", "/nowhere");
    assert!(homeless.output().unwrap().status.success());
}
