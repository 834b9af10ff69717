//! Builds the components under test, and generates constants with their paths.
//!
//! A nested cargo must not wait for a build directory that the outer cargo has locked. Cargo locks
//! each profile's directory separately, and components have their own profile. So both share
//! `target/`, and components from `make component` are not built again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The profile for components.
const PROFILE: &str = "component";
/// The target for components.
const TARGET: &str = "wasm32-wasip2";

fn main() {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is in tests/components");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let target = out.ancestors().find(|path| path.join("CACHEDIR.TAG").is_file()).expect("cargo marks it");
    let built = target.join(TARGET).join(PROFILE);
    let (orb, template) = (built.join("orb.wasm"), built.join("template.wasm"));
    let guests = guests(workspace, &built);

    // Clippy only needs the constants.
    println!("cargo::rerun-if-env-changed=RUSTC_WORKSPACE_WRAPPER");
    if !env::var("RUSTC_WORKSPACE_WRAPPER").is_ok_and(|wrapper| wrapper.contains("clippy")) {
        let is_locked = out.strip_prefix(target).is_ok_and(|path| path.iter().any(|part| part == PROFILE));
        assert!(
            !is_locked,
            "the profile `{PROFILE}` is for components alone: build the workspace with another"
        );
        build(workspace, target, &["-p", "source-orb", "-p", "source-template"]);
        build(workspace, target, &["-p", "guests", "--features", "components", "--examples"]);
        for guest in &guests {
            assert!(guest.is_file(), "{} was not built: list it in tests/guests/Cargo.toml", guest.display());
        }
    }
    watch(workspace, guests.iter().chain([&orb, &template]));
    fs::write(out.join("components.rs"), constants(&orb, &template, &guests))
        .expect("OUT_DIR can be written to");
}

/// The paths of the components of `tests/guests`.
fn guests(workspace: &Path, built: &Path) -> BTreeSet<PathBuf> {
    let examples = fs::read_dir(workspace.join("tests/guests/examples")).expect("the guests are there");
    let names = examples.map(|entry| entry.expect("its entries can be read").file_name());
    names.map(|name| built.join("examples").join(name).with_extension("wasm")).collect()
}

/// Builds packages as the Makefile does.
fn build(workspace: &Path, target: &Path, packages: &[&str]) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.args(["build", "--locked", "--profile", PROFILE, "--target", TARGET, "--target-dir"]).arg(target);
    cargo.args(packages).current_dir(workspace);
    // These describe the outer build.
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTC", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(variable);
    }
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "{cargo:?} failed; `rustup target add {TARGET}` installs the target");
}

/// Tells cargo to run this script again when any source of the components changes.
fn watch<'a>(workspace: &Path, components: impl Iterator<Item = &'a PathBuf>) {
    let mut watched: BTreeSet<PathBuf> =
        ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml", "tests/guests/examples"]
            .map(|path| workspace.join(path))
            .into();
    watched.insert("build.rs".into());
    for component in components {
        // Cargo writes dependency files: `TARGET: SOURCE SOURCE`, with a backslash before spaces in
        // paths.
        let Ok(sources) = fs::read_to_string(component.with_extension("d")) else { continue };
        let (_, sources) = sources.split_once(": ").expect("cargo separates them");
        for source in sources.trim().replace("\\ ", "\0").split(' ') {
            let source = PathBuf::from(source.replace('\0', " "));
            let manifest = source.ancestors().map(|path| path.join("Cargo.toml")).find(|path| path.is_file());
            watched.extend(manifest);
            watched.insert(source);
        }
    }
    for path in watched {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// The code that `src/lib.rs` includes.
fn constants(orb: &Path, template: &Path, guests: &BTreeSet<PathBuf>) -> String {
    let calls: String = guests
        .iter()
        .map(|guest| {
            let name = guest.file_stem().expect("it has a name").display().to_string().to_uppercase();
            format!("        $macro!({name}, {guest:?});\n")
        })
        .collect();
    format!(
        "/// The path of orb.wasm.\npub const ORB: &str = {orb:?};\n\n\
         /// The path of template.wasm.\npub const TEMPLATE: &str = {template:?};\n\n\
         /// Calls a macro with the name, in capital letters, and the path of every guest.\n\
         #[macro_export]\n\
         macro_rules! for_each_guest {{\n    ($macro:ident) => {{\n{calls}    }};\n}}\n"
    )
}
