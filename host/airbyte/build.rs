//! Tells the compiler of a condition that libFuzzer sets.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
}
