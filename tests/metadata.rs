//! `connector/orb/metadata.yaml` and `deploy/` agree with the connector.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mock_orb::{Account, MockOrb, Settings};
use saphyr::{LoadableYamlNode as _, YamlOwned};
use serde_json::Value;

use crate::support::setup::inspect;
use crate::support::{Setup, artifacts};

fn in_tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn documents(path: &str) -> Vec<YamlOwned> {
    YamlOwned::load_from_str(&fs::read_to_string(in_tree(path)).unwrap()).unwrap()
}

/// The `data` of the metadata.
fn metadata() -> YamlOwned {
    documents("connector/orb/metadata.yaml")[0]["data"].clone()
}

fn text(value: &YamlOwned) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is no text"))
}

fn texts(value: &YamlOwned) -> Vec<&str> {
    value.as_sequence().unwrap_or_else(|| panic!("{value:?} is no list")).iter().map(text).collect()
}

#[test]
fn the_tag_of_the_image_is_the_version_of_the_connector() {
    assert_eq!(text(&metadata()["dockerImageTag"]), env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_metadata_allows_the_hosts_that_the_connector_asks_for() {
    let metadata = metadata();
    let output = inspect(&artifacts::orb()).args(["--format", "json"]).output().unwrap();
    let inspected: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hosts = inspected["hosts"].as_array().unwrap().iter();
    // The metadata lists hosts without a scheme.
    let asked: Vec<&str> =
        hosts.map(|host| host.as_str().unwrap().strip_prefix("https://").unwrap()).collect();
    assert_eq!(texts(&metadata["allowedHosts"]["hosts"]), asked);
}

#[test]
fn the_metadata_leads_to_the_documentation_that_the_spec_names() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let spec = Setup::new(&orb).spec().messages[0].spec.clone().unwrap();
    assert_eq!(text(&metadata()["documentationUrl"]), spec["documentationUrl"].as_str().unwrap());
}

#[test]
fn suggested_streams_can_be_discovered() {
    let metadata = metadata();
    let suggested = texts(&metadata["suggestedStreams"]["streams"]);
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let catalog = Setup::new(&orb).discover().messages[0].catalog.clone().unwrap();
    let streams = catalog["streams"].as_array().unwrap().iter();
    let names: BTreeSet<&str> = streams.map(|stream| stream["name"].as_str().unwrap()).collect();
    assert!(!suggested.is_empty());
    assert!(suggested.iter().all(|name| names.contains(name)), "{suggested:?}, but there are {names:?}");
}

#[test]
fn the_icon_is_a_drawing_beside_the_metadata() {
    let icon = in_tree("connector/orb").join(text(&metadata()["icon"]));
    let drawing = fs::read_to_string(icon).unwrap();
    assert!(drawing.starts_with("<svg ") && drawing.trim_end().ends_with("</svg>"));
    // Servers that display it refuse scripts and external resources.
    for word in ["<script", "href", "<image", "<foreignObject"] {
        assert!(!drawing.contains(word), "{word}");
    }
}

/// The manifest's objects by kind.
fn manifest() -> BTreeMap<String, YamlOwned> {
    let objects = documents("deploy/cronjob.yaml").into_iter();
    objects.map(|object| (text(&object["kind"]).to_owned(), object)).collect()
}

/// The pod template of the manifest's job.
fn pod() -> YamlOwned {
    manifest()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"].clone()
}

#[test]
fn the_manifest_runs_the_image_that_the_metadata_names() {
    let metadata = metadata();
    let image = format!("{}:{}", text(&metadata["dockerRepository"]), text(&metadata["dockerImageTag"]));
    assert_eq!(text(&pod()["containers"][0]["image"]), image);
}

#[test]
fn what_the_manifest_mounts_is_what_it_declares() {
    let (manifest, pod) = (manifest(), pod());
    let volumes = pod["volumes"].as_sequence().unwrap();
    let names: BTreeSet<&str> = volumes.iter().map(|volume| text(&volume["name"])).collect();
    let mounts = pod["containers"][0]["volumeMounts"].as_sequence().unwrap();
    assert_eq!(mounts.iter().map(|mount| text(&mount["name"])).collect::<BTreeSet<_>>(), names);
    let claim = volumes.iter().find_map(|volume| volume.as_mapping_get("persistentVolumeClaim")).unwrap();
    assert_eq!(claim["claimName"], manifest["PersistentVolumeClaim"]["metadata"]["name"]);
    // The secret is created by hand, with the command shown in the manifest.
    let secret = volumes.iter().find_map(|volume| volume.as_mapping_get("secret")).unwrap();
    let shown = format!("create secret generic {} --from-file=config.json", text(&secret["secretName"]));
    assert!(fs::read_to_string(in_tree("docs/scale.md")).unwrap().contains(&shown), "{shown}");
}

#[test]
fn every_path_in_the_manifest_is_in_a_volume() {
    let pod = pod();
    let container = &pod["containers"][0];
    let mounts = container["volumeMounts"].as_sequence().unwrap();
    let paths: Vec<&str> = mounts.iter().map(|mount| text(&mount["mountPath"])).collect();
    let used: Vec<&str> =
        texts(&container["args"]).into_iter().filter(|word| word.starts_with('/')).collect();
    assert_eq!(used.len(), 3);
    for path in used {
        assert!(
            paths.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))),
            "{path}"
        );
    }
}

#[test]
fn the_manifest_takes_every_right_away_that_the_image_does_not_need() {
    let pod = pod();
    assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false));
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"].as_str(), Some("RuntimeDefault"));
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(container["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(texts(&container["capabilities"]["drop"]), ["ALL"]);
}

#[test]
fn the_manifest_uses_flags_that_read_has() {
    let pod = pod();
    let arguments = texts(&pod["containers"][0]["args"]);
    let flags: BTreeSet<&str> = arguments.into_iter().filter(|word| word.starts_with("--")).collect();
    let output = Command::new(artifacts::bundle()).args(["read", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let known: BTreeSet<&str> = help.split([' ', '\n', ',']).collect();
    assert!(flags.len() >= 4, "{flags:?}");
    for flag in flags {
        assert!(known.contains(flag), "{flag} is not in {help}");
    }
}

#[test]
fn the_command_of_the_manifest_goes_on_where_the_last_one_stopped() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let setup = Setup::new(&orb).bundle(artifacts::bundle());
    setup.config_file();
    let pod = pod();
    let folder = setup.folder().to_str().unwrap().to_owned();
    let mut sizes = Vec::new();
    for name in ["first", "second"] {
        // The volumes map to this test's folder.
        let words = texts(&pod["containers"][0]["args"]).into_iter().map(|word| {
            let word = word.replace("$(POD_NAME)", name);
            ["/config/", "/state/"]
                .iter()
                .fold(word, |word, volume| word.replace(volume, &format!("{folder}/")))
        });
        let words: Vec<String> = words.collect();
        let arguments: Vec<&dyn AsRef<std::ffi::OsStr>> =
            words.iter().map(|word| word as &dyn AsRef<std::ffi::OsStr>).collect();
        let output = setup.run(&arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let written = fs::read(setup.folder().join(format!("{name}.jsonl.zst"))).unwrap();
        sizes.push(written.len());
    }
    assert!(sizes[1] * 5 < sizes[0], "{sizes:?}");
}
