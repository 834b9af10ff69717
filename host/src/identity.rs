//! What a component says of itself without being run: its hash, the contract it exports and what it imports.

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::bindings::{SOURCE, VERSION};
use crate::error::{Error, Result};

/// What a component says of itself without being run.
#[derive(Debug)]
pub struct Identity {
    bytes: Vec<u8>,
    /// The interface of connectors that it exports, with its version.
    pub interface: String,
    /// The interfaces that it imports, with their versions.
    pub imports: Vec<String>,
}

impl Identity {
    /// SHA-256 of the component, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Bytes of the component.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Checks that a component exports the contract in a version that this host speaks. Whether it is given what it imports,
/// the linker says.
pub(crate) fn audit(engine: &Engine, component: &Component, bytes: Vec<u8>, what: &str) -> Result<Identity> {
    let ty = component.component_type();
    let exported =
        ty.exports(engine).filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)));
    let versions: Vec<_> = exported
        .filter_map(|(name, _)| Some(split(name)).filter(|(interface, _)| *interface == SOURCE))
        .collect();
    let version = match versions.as_slice() {
        [] => {
            return Err(Error::config(format!(
                "{what} does not export {SOURCE}, so it is not a source connector"
            )));
        }
        versions if versions.iter().any(|(_, version)| fits(version)) => VERSION,
        [(_, version), ..] => {
            return Err(Error::config(format!(
                "{what} was built for {SOURCE}@{version}, but this host speaks {SOURCE}@{VERSION}"
            ))
            .with_hint("build the connector and the host from the same wit files"));
        }
    };
    let imports: Vec<_> = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    Ok(Identity { bytes, interface: format!("{SOURCE}@{version}"), imports })
}

/// The name of an interface and its version.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

/// Whether what is built for `version` of the contract can be used: while it is 0.x, the minor version decides.
fn fits(version: &str) -> bool {
    let track = |version: &str| version.rsplit_once('.').map(|(track, _)| track.to_owned());
    track(version) == track(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_decides() {
        assert!(fits("0.2.0") && fits("0.2.7"));
        assert!(!fits("0.1.0") && !fits("1.2.0") && !fits(""));
    }
}
