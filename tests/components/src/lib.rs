//! Where the components are that tests run. The build script of this crate builds them, so `cargo
//! test` needs nothing else.
//!
//! [`ORB`] is the path of orb.wasm, [`TEMPLATE`] that of the connector to copy. [`for_each_guest`]
//! calls a macro with the name and the path of every component of `tests/guests`; the tests define
//! a constant of each with it, so that a guest without a test does not compile.

include!(concat!(env!("OUT_DIR"), "/components.rs"));
