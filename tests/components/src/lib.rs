//! The paths of the components that tests run. This crate's build script builds them, so `cargo
//! test` needs no other step.
//!
//! [`ORB`] is the path of orb.wasm, and [`TEMPLATE`] that of the connector template.
//! [`for_each_guest`] calls a macro with the name and path of each component in `tests/guests`. The
//! tests define a constant for each, so a guest without a test does not compile.

include!(concat!(env!("OUT_DIR"), "/components.rs"));
