//! Loads connectors: the entrance of the crate.

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use crate::account::Total;
use crate::address_space;
use crate::bindings;
use crate::cache::Cache;
use crate::compiler;
use crate::component;
use crate::connector::Connector;
use crate::error::{Error, Result};
use crate::input_file;
use crate::instance::Prepared;
use crate::limits::Limits;
use crate::native_code::NativeCode;
use crate::store::{self, StoreData};

/// Compiles connectors and runs them under limits. Cheap to clone; one for the whole program is
/// enough.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    wasmtime: wasmtime::Engine,
    linker: Linker<StoreData>,
    cache: Cache,
    limits: Limits,
    total: Total,
}

/// Settings of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    cache: Cache,
    limits: Limits,
}

impl EngineBuilder {
    /// Keeps compiled code in this cache. Without one, every connector is compiled when it is
    /// loaded.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// Limits what each instance of a connector may use. Without this, the limits are the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the engine up.
    ///
    /// # Errors
    ///
    /// A system error if the WebAssembly runtime cannot be set up on this machine.
    pub fn build(self) -> Result<Engine> {
        let Self { cache, limits } = self;
        let wasmtime = compiler::engine()?;
        let linker = store::linker(&wasmtime).and_then(|mut linker| {
            bindings::add_to_linker(&mut linker)?;
            Ok(linker)
        });
        let linker = linker.map_err(|error| compiler::setup(&error))?;
        let total = Total::new(limits.total_memory);
        Ok(Engine(Arc::new(Shared { wasmtime, linker, cache, limits, total })))
    }
}

impl Engine {
    /// An engine with default settings: no cache, default limits.
    ///
    /// # Errors
    ///
    /// As [`EngineBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Begins an engine with other settings.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// The limits of each instance.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Loads the component at `path`: from the cache, or by compiling it.
    ///
    /// # Errors
    ///
    /// A config error if the file cannot be read or is not a connector that this engine can run.
    pub async fn load(&self, path: impl AsRef<Path>) -> Result<Connector> {
        let path = path.as_ref();
        let bytes = self.read(path)?;
        self.compile(bytes, &path.display().to_string()).await
    }

    /// Loads a component from its bytes.
    ///
    /// # Errors
    ///
    /// A config error if they are not a connector that this engine can run.
    pub async fn load_bytes(&self, component: Vec<u8>) -> Result<Connector> {
        self.compile(component, "the component").await
    }

    /// Compiles a component for every processor of this architecture that is not very old, so that
    /// the code can be shipped.
    ///
    /// # Errors
    ///
    /// A config error, which calls the component `what`, if the bytes are not a valid component.
    pub async fn precompile(&self, component: &[u8], what: &str) -> Result<NativeCode> {
        compiler::portable(component, self.limits(), what).await
    }

    /// Loads a component and the code that [`precompile`](Self::precompile) made of it.
    ///
    /// # Errors
    ///
    /// A system error if the code does not fit this version of the engine, this processor, or the
    /// address space of this process. [`load_bytes`](Self::load_bytes) then still works. Otherwise
    /// as `load_bytes`.
    pub fn load_precompiled(&self, component: Vec<u8>, code: &NativeCode) -> Result<Connector> {
        let loaded = code.load(&self.0.wasmtime).map_err(|error| {
            match address_space::limit().filter(|_| address_space::is_scarce()) {
                Some(limit) => Error::system("the native code does not fit the limit of the address space")
                    .with_internal(format!("that is {limit} bytes (ulimit -v)")),
                None => Error::system("the native code does not fit this machine")
                    .with_internal(format!("{error:#}")),
            }
        })?;
        self.assemble(&loaded, component, "the component")
    }

    /// Reads a component, or as much of it as shows that it is too large.
    ///
    /// # Errors
    ///
    /// A config error if the file cannot be read.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let unreadable = |error: std::io::Error| {
            Error::config(format!("the component {} cannot be read: {error}", path.display()))
        };
        let mut bytes = Vec::new();
        let most = (self.limits().component as u64).saturating_add(1);
        input_file::open(path).map_err(unreadable)?.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    async fn compile(&self, bytes: Vec<u8>, what: &str) -> Result<Connector> {
        let (engine, what) = (self.clone(), what.to_owned());
        // Everything that looks at the component: each step can be made to take long.
        let loaded = compiler::bounded(self.limits(), move || {
            let Shared { wasmtime, cache, limits, .. } = &*engine.0;
            let compiled = compiler::component(wasmtime, &bytes, cache, limits, &what)?;
            engine.assemble(&compiled, bytes, &what)
        });
        loaded.await
    }

    /// Joins what was compiled with what it imports.
    fn assemble(&self, compiled: &Component, bytes: Vec<u8>, what: &str) -> Result<Connector> {
        let (version, info) = component::inspect(&self.0.wasmtime, compiled, bytes, what)?;
        let component = self.0.linker.instantiate_pre(compiled).map_err(|error| {
            Error::config(format!("{what} does not fit this host: {error}"))
                .with_internal(format!("{error:#}"))
                .with_hint(
                    "a connector imports HTTP, clocks, random numbers and its contract; no file system, sockets or \
                     processes",
                )
        })?;
        let total = self.0.total.clone();
        Ok(Connector::new(Prepared { version, component, total }, info, self.limits().clone()))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("cache", &self.0.cache)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn problem(bytes: &[u8]) -> Error {
        Engine::new().unwrap().load_bytes(bytes.to_vec()).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_is_no_component_is_a_config_error() {
        for bytes in [&b"#!/bin/sh"[..], b""] {
            assert_eq!(problem(bytes).await.message(), "the component is not a WebAssembly component");
        }
        let module = problem(b"\0asm\x01\0\0\0").await;
        assert_eq!(module.failure_type(), crate::FailureType::Config);
        assert_eq!(
            module.message(),
            "the component is not a WebAssembly component but a core WebAssembly module"
        );
        assert_eq!(module.hint(), Some("build it for the target wasm32-wasip2"));
        assert_eq!(
            problem(b"\0asm\x0d\0\x01\0garbage").await.message(),
            "the component is not a valid WebAssembly component"
        );
    }

    /// A component that imports instances of no functions by these names.
    fn importing(names: &[String]) -> Vec<u8> {
        fn number(mut number: usize) -> Vec<u8> {
            let mut bytes = Vec::new();
            loop {
                let digit = u8::try_from(number & 0x7f).unwrap();
                number >>= 7;
                if number == 0 {
                    bytes.push(digit);
                    return bytes;
                }
                bytes.push(digit | 0x80);
            }
        }
        let section = |id: u8, content: &[u8]| [&[id], number(content.len()).as_slice(), content].concat();
        let import = |name: &String| [&[0], number(name.len()).as_slice(), name.as_bytes(), &[5, 0]].concat();
        let imports: Vec<_> = names.iter().flat_map(import).collect();
        let imports = [number(names.len()), imports].concat();
        [b"\0asm\x0d\0\x01\0".as_slice(), &section(7, &[1, 0x42, 0]), &section(10, &imports)].concat()
    }

    #[tokio::test]
    async fn imports_have_short_names_and_are_few() {
        let long = problem(&importing(&[format!("test:test/{}", "x".repeat(60_000))])).await;
        assert_eq!(
            long.message(),
            "the component has an import or export with a name of 60010 bytes, and 255 is the most that is accepted"
        );
        let many: Vec<_> = (0..501).map(|number| format!("test:test/x{number}")).collect();
        assert_eq!(
            problem(&importing(&many)).await.message(),
            "the component has 501 imports and exports, and 500 is the most that is accepted"
        );
        assert!(problem(&importing(&many[..500])).await.message().contains("does not export"));
    }

    #[tokio::test]
    async fn a_component_that_exports_nothing_is_no_connector() {
        assert_eq!(
            problem(b"\0asm\x0d\0\x01\0").await.message(),
            "the component does not export elt:connector/source, so it is not a source connector"
        );
    }
}
