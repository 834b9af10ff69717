//! The sizes of the shipped artifacts. Every dependency adds to them, so growth is a decision:
//! measure, and update the figure.

use std::path::Path;

use crate::support::artifacts;

fn assert_at_most(path: &Path, bytes: u64) {
    let size = std::fs::metadata(path).unwrap().len();
    assert!(size <= bytes, "{} has {size} bytes, which is more than {bytes}", path.display());
}

#[test]
fn the_component_is_small() {
    // Measured: 598,319 bytes, of which the schemas of 43 streams are 88,814.
    assert_at_most(&artifacts::orb(), 600_000);
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_host_does_not_grow_unnoticed() {
    // Measured: 29,920,024 bytes, including 1.9 MB for validating configs against their schemas,
    // 1.5 MB for interactive use (completions, manual pages, progress and compression), and 2.4 MB
    // for Parquet.
    assert_at_most(artifacts::host(), 30_100_000);
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn a_bundle_adds_little_more_than_the_native_code() {
    let host = std::fs::metadata(artifacts::host()).unwrap().len();
    // Measured: 2,060,434 bytes, including 604,000 of the component.
    assert_at_most(artifacts::bundle(), host + 2_080_000);
}
