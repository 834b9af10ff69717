//! Where the things under test are. The Makefile builds them before the tests run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The host's binary, built by cargo for this test.
pub(crate) fn host() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_host"))
}

/// The Orb component.
pub(crate) fn orb() -> PathBuf {
    component("orb.wasm")
}

/// The component of the connector to copy.
pub(crate) fn template() -> PathBuf {
    component("template.wasm")
}

/// The Orb component and the host in one file, made once for all tests.
pub(crate) fn bundle() -> &'static Path {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle").join("source-orb");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = Command::new(host()).arg("bundle").arg(orb()).arg("-o").arg(&path).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        path
    });
    &MADE
}

/// The component of a file in `tests/guests`.
pub(crate) fn guest(name: &str) -> PathBuf {
    component(&format!("examples/{name}.wasm"))
}

fn component(name: &str) -> PathBuf {
    // target/release/host -> target/wasm32-wasip2/component/…
    let target = host().ancestors().nth(2).unwrap();
    let path = target.join("wasm32-wasip2/component").join(name);
    assert!(path.exists(), "{} is not there: run `make component guests` first", path.display());
    path
}
