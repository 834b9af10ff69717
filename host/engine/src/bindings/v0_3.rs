//! Version 0.3 of the contract, the newest.

use super::join::{Selection, join};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "source-connector",
        imports: { default: async },
        exports: { default: async },
    });
}

/// The version of the package.
pub(super) const VERSION: &str = "0.3.0";

join!();

fn selection(stream: &types::Stream) -> Selection {
    Selection {
        group: stream.group.clone(),
        by_default: stream.selected_by_default,
        requests: stream.requests.clone(),
    }
}

impl Exports {
    pub(super) async fn stop(
        &self,
        store: &mut Store<StoreData>,
        reader: ResourceAny,
    ) -> wasmtime::Result<bool> {
        self.0.elt_connector_source().reader().call_stop(store, reader).await?;
        Ok(true)
    }

    pub(super) async fn is_complete(
        &self,
        store: &mut Store<StoreData>,
        reader: ResourceAny,
    ) -> wasmtime::Result<bool> {
        self.0.elt_connector_source().reader().call_is_complete(store, reader).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        let world = include_str!("../../../../wit/world.wit");
        assert!(world.contains(&format!("package elt:connector@{VERSION};")));
    }
}
