//! The versions of the contract `elt:connector` that this engine speaks, one module each.
//!
//! A module holds the generated bindings of its version and converts their types into the engine's
//! own. To accept another version, add its module, and its arms here.

mod join;
mod v0_2;
mod v0_3;

use wasmtime::Store;
use wasmtime::component::{Instance, Linker, ResourceAny};

use crate::error::{FailureType, Result};
use crate::store::StoreData;
use crate::types::{Specification, Stream, SyncMode};

/// The interface that a connector exports.
pub(crate) const SOURCE: &str = "elt:connector/source";

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V0_2,
    V0_3,
}

impl Version {
    /// The versions that are spoken, for an error that names them.
    pub(crate) const SPOKEN: [&str; 2] = [v0_2::VERSION, v0_3::VERSION];

    /// The version by which a component that exports this one can be used: while it is 0.x, the
    /// minor version decides.
    pub(crate) fn of(exported: &str) -> Option<Self> {
        let track = |version: &str| version.rsplit_once('.').map(|(track, _)| track.to_owned());
        [Self::V0_3, Self::V0_2].into_iter().find(|version| track(exported) == track(version.number()))
    }

    /// Its full number.
    pub(crate) fn number(self) -> &'static str {
        match self {
            Self::V0_2 => v0_2::VERSION,
            Self::V0_3 => v0_3::VERSION,
        }
    }
}

/// Offers connectors the imports of every version.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    v0_2::add_to_linker(linker)?;
    v0_3::add_to_linker(linker)
}

/// What a call returns: the answer, or what the connector says went wrong; a trap around both.
pub(crate) type Answer<T> = wasmtime::Result<Result<T, Refusal>>;

/// What a connector says went wrong.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) failure_type: FailureType,
    pub(crate) message: String,
    pub(crate) internal_message: Option<String>,
}

/// A batch whose texts have not been looked at.
#[derive(Debug)]
pub(crate) struct RawBatch {
    pub(crate) records: Vec<String>,
    pub(crate) checkpoint: Option<String>,
}

/// The functions that a running connector exports.
pub(crate) enum Exports {
    V0_2(v0_2::Exports),
    V0_3(v0_3::Exports),
}

impl Exports {
    /// Finds the functions of a version in an instance.
    ///
    /// # Errors
    ///
    /// wasmtime's, if they have other types than those of the contract.
    pub(crate) fn new(
        version: Version,
        store: &mut Store<StoreData>,
        instance: &Instance,
    ) -> wasmtime::Result<Self> {
        match version {
            Version::V0_2 => v0_2::Exports::new(store, instance).map(Self::V0_2),
            Version::V0_3 => v0_3::Exports::new(store, instance).map(Self::V0_3),
        }
    }

    pub(crate) async fn spec(&self, store: &mut Store<StoreData>) -> wasmtime::Result<Result<Specification>> {
        match self {
            Self::V0_2(exports) => exports.spec(store).await,
            Self::V0_3(exports) => exports.spec(store).await,
        }
    }

    pub(crate) async fn check(&self, store: &mut Store<StoreData>, config: &str) -> Answer<()> {
        match self {
            Self::V0_2(exports) => exports.check(store, config).await,
            Self::V0_3(exports) => exports.check(store, config).await,
        }
    }

    pub(crate) async fn discover(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
    ) -> Answer<Result<Vec<Stream>>> {
        match self {
            Self::V0_2(exports) => exports.discover(store, config).await,
            Self::V0_3(exports) => exports.discover(store, config).await,
        }
    }

    pub(crate) async fn read(
        &self,
        store: &mut Store<StoreData>,
        config: &str,
        stream: &str,
        sync_mode: SyncMode,
        state: Option<&str>,
    ) -> Answer<ResourceAny> {
        match self {
            Self::V0_2(exports) => exports.read(store, config, stream, sync_mode, state).await,
            Self::V0_3(exports) => exports.read(store, config, stream, sync_mode, state).await,
        }
    }

    pub(crate) async fn next_batch(
        &self,
        store: &mut Store<StoreData>,
        reader: ResourceAny,
    ) -> Answer<Option<RawBatch>> {
        match self {
            Self::V0_2(exports) => exports.next_batch(store, reader).await,
            Self::V0_3(exports) => exports.next_batch(store, reader).await,
        }
    }

    /// Asks a reader to end soon. Returns false if the version does not know that.
    pub(crate) async fn stop(
        &self,
        store: &mut Store<StoreData>,
        reader: ResourceAny,
    ) -> wasmtime::Result<bool> {
        match self {
            Self::V0_2(exports) => exports.stop(store, reader).await,
            Self::V0_3(exports) => exports.stop(store, reader).await,
        }
    }

    /// Whether a reader that has ended has read its stream to the end.
    pub(crate) async fn is_complete(
        &self,
        store: &mut Store<StoreData>,
        reader: ResourceAny,
    ) -> wasmtime::Result<bool> {
        match self {
            Self::V0_2(exports) => exports.is_complete(store, reader).await,
            Self::V0_3(exports) => exports.is_complete(store, reader).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_decides() {
        for (version, expected) in
            [("0.2.0", Version::V0_2), ("0.2.7", Version::V0_2), ("0.3.1", Version::V0_3)]
        {
            assert_eq!(Version::of(version), Some(expected), "{version}");
        }
        for version in ["0.1.0", "1.2.0", ""] {
            assert_eq!(Version::of(version), None, "{version}");
        }
    }
}
