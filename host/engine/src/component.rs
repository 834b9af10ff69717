//! Checks what a component exports and imports, without running it.

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::bindings::{SOURCE, Version};
use crate::error::{Error, Result};

/// Bytes of the name of an import or export at most. The longest of WASI has 50.
const LONGEST_NAME: usize = 255;
/// Imports and exports at most. WASI 0.2 has some 40.
const MOST_NAMES: usize = 500;

/// What a component says about itself without being run.
#[derive(Debug)]
pub struct ComponentInfo {
    bytes: Vec<u8>,
    /// The interface of connectors that it exports, with its version.
    pub interface: String,
    /// The interfaces that it imports, with their versions.
    pub imports: Vec<String>,
}

impl ComponentInfo {
    /// SHA-256 of the component, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Bytes of the component.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Finds the version of the contract that a component exports. The linker says
/// whether everything that it imports is there.
///
/// # Errors
///
/// A config error, which calls the component `what`, if it exports no version that this engine
/// speaks.
pub(crate) fn inspect(
    engine: &Engine,
    component: &Component,
    bytes: Vec<u8>,
    what: &str,
) -> Result<(Version, ComponentInfo)> {
    let ty = component.component_type();
    let names = || ty.imports(engine).chain(ty.exports(engine)).map(|(name, _)| name.len());
    let (longest, count) = (names().max().unwrap_or_default(), names().count());
    if longest > LONGEST_NAME {
        return Err(Error::config(format!(
            "{what} has an import or export with a name of {longest} bytes, and {LONGEST_NAME} is the most that is \
             accepted"
        )));
    }
    if count > MOST_NAMES {
        return Err(Error::config(format!(
            "{what} has {count} imports and exports, and {MOST_NAMES} is the most that is accepted"
        )));
    }
    let exported =
        ty.exports(engine).filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)));
    let versions: Vec<_> = exported
        .filter_map(|(name, _)| Some(split(name)).filter(|(interface, _)| *interface == SOURCE))
        .map(|(_, version)| version)
        .collect();
    let Some(exported) = versions.first() else {
        return Err(Error::config(format!(
            "{what} does not export {SOURCE}, so it is not a source connector"
        )));
    };
    let version = versions.iter().find_map(|version| Version::of(version)).ok_or_else(|| {
        let spoken = Version::SPOKEN.join(&format!(" and {SOURCE}@"));
        Error::config(format!(
            "{what} was built for {SOURCE}@{exported}, but this host speaks {SOURCE}@{spoken}"
        ))
        .with_hint("build the connector and the host from the same wit files")
    })?;
    let imports = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    let interface = format!("{SOURCE}@{}", version.number());
    Ok((version, ComponentInfo { bytes, interface, imports }))
}

/// The name of an interface and its version.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}
