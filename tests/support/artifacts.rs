//! The paths of the artifacts under test. Cargo builds them before the tests.

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
    components::ORB.into()
}

/// The connector template's component.
pub(crate) fn template() -> PathBuf {
    components::TEMPLATE.into()
}

/// The Orb component and the host in one file, built once for all tests.
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
