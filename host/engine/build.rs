//! Tells the host which target it is built for: `src/compiler.rs` compiles for any processor of
//! that target.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // libFuzzer sets it.
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rustc-env=TARGET={}", env::var("TARGET").expect("cargo sets it"));
}
