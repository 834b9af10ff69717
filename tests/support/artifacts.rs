//! Where the things under test are. The Makefile builds them before the tests run.

use std::path::{Path, PathBuf};

/// The host's binary, built by cargo for this test.
pub(crate) fn host() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_host"))
}

/// The Orb component.
pub(crate) fn orb() -> PathBuf {
    component("orb.wasm")
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
