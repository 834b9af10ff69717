//! Invalid input of every kind: one clear error, the documented exit code, and no request to the
//! server.

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Setup, setup::catalog};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::empty()))
}

#[test]
fn a_config_that_is_not_one_is_a_config_error() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let catalog = setup.catalog_file(&["plans"]);
    for (content, named) in
        [("", "config"), ("{", "config"), ("[]", "object"), ("{}", "api_key"), ("\u{feff}nonsense", "config")]
    {
        let config = setup.file("bad.json", content);
        let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error", "{content}: {}", error.message);
        assert!(error.message.contains(named), "{content}: {}", error.message);
        let output = setup.run(&[&"discover", &"--config", &config]);
        assert_eq!(output.error().failure_type, "config_error", "{content}");
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["plans"]));
    for arguments in [
        [
            "--config",
            "missing.json",
            "--catalog",
            catalog.to_str().unwrap(),
            "--state",
            catalog.to_str().unwrap(),
        ],
        [
            "--config",
            config.to_str().unwrap(),
            "--catalog",
            "missing.json",
            "--state",
            catalog.to_str().unwrap(),
        ],
        [
            "--config",
            config.to_str().unwrap(),
            "--catalog",
            catalog.to_str().unwrap(),
            "--state",
            "missing.json",
        ],
    ] {
        let mut all: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"read"];
        all.extend(arguments.iter().map(|argument| argument as &dyn AsRef<std::ffi::OsStr>));
        let output = setup.run(&all);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error");
        assert!(error.message.contains("missing.json"), "{}", error.message);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_catalog_that_is_wrong_is_a_config_error() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    let mut unknown_mode = catalog(&["plans"]);
    unknown_mode["streams"][0]["sync_mode"] = "sometimes".into();
    for (content, named) in [
        ("nonsense".to_owned(), "catalog"),
        ("{}".to_owned(), "streams"),
        (catalog(&["nothing"]).to_string(), "nothing"),
        (catalog(&["plans", "plans"]).to_string(), "plans"),
        (unknown_mode.to_string(), "sometimes"),
    ] {
        let catalog = setup.file("bad.json", &content);
        let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error", "{content}");
        assert!(error.message.contains(named), "{content}: {}", error.message);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_state_that_is_not_understood_is_a_config_error_before_any_request() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let of_plans = |state: &str| {
        format!(
            r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"plans"}},"stream_state":{state}}}}}]"#
        )
    };
    for content in [
        "nonsense".to_owned(),
        "7".to_owned(),
        "[7]".to_owned(),
        of_plans("7"),
        of_plans(r#"{"created_at":"yesterday"}"#),
        of_plans(r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#),
    ] {
        let output = setup.read_from(&["plans"], &content);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error", "{content}: {}", error.message);
        assert!(error.message.contains("state"), "{content}: {}", error.message);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_component_that_is_not_one_is_an_error_that_says_what_it_is() {
    let orb = orb();
    let setup = Setup::new(&orb);
    // The header of every core module: a magic number and version 1.
    let module = setup.file("module.wasm", b"\0asm\x01\0\0\0");
    let text = setup.file("text.wasm", "hello");
    for (path, named) in [
        (setup.folder().join("missing.wasm"), "missing.wasm"),
        (module, "module"),
        (text, "text.wasm"),
        (setup.folder().into(), ""),
    ] {
        let output = Setup::new(&orb).component(&path).spec();
        assert!(output.error().message.contains(named), "{}: {}", path.display(), output.error().message);
    }
}

#[test]
fn wrong_usage_is_exit_code_2_with_nothing_on_stdout() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let usages: [&[&dyn AsRef<std::ffi::OsStr>]; 4] =
        [&[&"read"], &[&"check"], &[&"frobnicate"], &[&"spec", &"--nonsense"]];
    for arguments in usages {
        let output = setup.run(arguments);
        assert_eq!(output.code, Some(2));
        assert_eq!(output.stdout, "");
        assert!(output.stderr.contains("Usage"), "{}", output.stderr);
    }
}
