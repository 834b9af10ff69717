//! The Orb source: reads [Orb](https://www.withorb.com)'s billing API, as a WebAssembly component.
//!
//! This file joins the contract (`wit/`) to the source in [`orb`], which knows Orb and uses the mechanism in [`sdk`],
//! which knows no API. There is no logic here. Natively the crate is a library whose logic is tested in milliseconds.

pub mod orb;
pub mod sdk;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod component;
