//! Version 0.2 of the contract, whose streams have no groups: all are read by default.

use super::join::{Selection, join};

mod generated {
    wasmtime::component::bindgen!({
        path: "wit/v0.2",
        world: "source-connector",
        imports: { default: async },
        exports: { default: async },
    });
}

/// The version of the package.
pub(super) const VERSION: &str = "0.2.0";

join!();

/// The version has no groups.
fn selection(_: &types::Stream) -> Selection {
    Selection { group: None, by_default: true, requests: None }
}

impl Exports {
    /// The version has no `stop`.
    pub(super) async fn stop(&self, _: &mut Store<StoreData>, _: ResourceAny) -> wasmtime::Result<bool> {
        Ok(false)
    }

    pub(super) async fn is_complete(
        &self,
        _: &mut Store<StoreData>,
        _: ResourceAny,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        let world = include_str!("../../wit/v0.2/world.wit");
        assert!(world.contains(&format!("package elt:connector@{VERSION};")));
    }
}
