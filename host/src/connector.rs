//! A connector: the bytes of a component come in, something that can be asked and configured goes out.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Config as EngineConfig, Engine};

use crate::bindings::{self, Instance, Prepared};
use crate::breach::Limit;
use crate::cache::Cache;
use crate::call;
use crate::config::SealedConfig;
use crate::contract::Specification;
use crate::ctx::{self, Ctx};
use crate::deadline::within;
use crate::error::{Error, Result};
use crate::http::{AllowedHosts, Dialer, Door, Network};
use crate::identity::{Identity, audit};
use crate::limits::Limits;
use crate::message::StreamDescriptor;
use crate::outbox::Outbox;
use crate::secrets::Secrets;
use crate::source::Source;
use crate::watch::Watch;

/// What every WebAssembly binary begins with.
const MAGIC: &[u8] = b"\0asm";
/// What follows in a component: version 13 of layer 1.
const COMPONENT: &[u8] = &[13, 0, 1, 0];
/// What follows in a core module: version 1 of layer 0.
const CORE_MODULE: &[u8] = &[1, 0, 0, 0];

/// A compiled connector, of which any number of instances can run. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    prepared: Arc<Prepared>,
    identity: Arc<Identity>,
    dialer: Dialer,
    limits: Limits,
    outbox: Outbox,
}

impl Connector {
    /// Reads and compiles the component at `path`, or takes what was compiled of the same bytes from `cache`.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or is not a connector that this host can run.
    pub fn load(path: &Path, limits: Limits, cache: Cache) -> Result<Self> {
        let wrong = |error: std::io::Error| {
            Error::config(format!("the component {} cannot be read: {error}", path.display()))
        };
        let mut bytes = Vec::new();
        // One more than allowed is enough to know.
        let most = (limits.component as u64).saturating_add(1);
        File::open(path).map_err(wrong)?.take(most).read_to_end(&mut bytes).map_err(wrong)?;
        compile(bytes, limits, cache, &path.display().to_string())
    }

    /// Compiles the component of which `bytes` is the binary.
    ///
    /// # Errors
    ///
    /// A config error if it is not a connector that this host can run.
    pub fn from_bytes(bytes: Vec<u8>, limits: Limits, cache: Cache) -> Result<Self> {
        compile(bytes, limits, cache, "the component")
    }

    /// Sends what instances log, and what the host has to say of them, to `outbox`. Somebody must take it out, or
    /// the connector waits. Without this, nobody hears it.
    #[must_use]
    pub fn log_to(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// Reaches the internet as `network` says. Without this, directly.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.dialer = Dialer::new(&self.limits, network);
        self
    }

    /// What the component is, whatever it says.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The limits that it runs under.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Asks the connector what it is. Nothing can be reached meanwhile.
    ///
    /// # Errors
    ///
    /// A system error if it crashes or says what is not JSON.
    pub async fn spec(&self) -> Result<Specification> {
        self.instantiate(&Arc::default(), &Arc::default(), None).await?.spec().await
    }

    /// The source that this connector is with `config`, and with access to `allowed` alone. From now on, what it logs
    /// shows no secret of the configuration.
    pub fn source(&self, config: SealedConfig, allowed: AllowedHosts) -> Source {
        self.outbox.redaction().add(config.secrets.list());
        Source::new(self.clone(), config, allowed)
    }

    /// Starts an instance, which reads `stream` if there is one.
    pub(crate) async fn instantiate(
        &self,
        allowed: &Arc<AllowedHosts>,
        secrets: &Arc<Secrets>,
        stream: Option<&Arc<StreamDescriptor>>,
    ) -> Result<Instance> {
        let door = Door::new(
            self.dialer.clone(),
            allowed.clone(),
            secrets.clone(),
            self.limits.clone(),
            self.outbox.clone(),
        );
        let watch = stream.map(|stream| Watch::new(stream.clone(), self.outbox.clone()));
        self.prepared.instantiate(Ctx::new(door, watch)).await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn compile(bytes: Vec<u8>, limits: Limits, cache: Cache, what: &str) -> Result<Connector> {
    if bytes.len() > limits.component {
        return Err(Limit::Component.error(&limits));
    }
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| {
        Error::config(format!("{what} is not a WebAssembly component"))
            .with_hint("a component is a binary file, commonly called NAME.wasm")
    })?;
    if !rest.starts_with(COMPONENT) {
        let kind =
            if rest.starts_with(CORE_MODULE) { "a core WebAssembly module" } else { "of an unknown kind" };
        return Err(Error::config(format!("{what} is not a WebAssembly component but {kind}"))
            .with_hint("build it for the target wasm32-wasip2"));
    }
    let engine = engine(cache).map_err(|error| setup(&error))?;
    let (component, bytes) = within(limits.compile, {
        let engine = engine.clone();
        move || (Component::from_binary(&engine, &bytes), bytes)
    })
    .ok_or_else(|| Limit::Compile.error(&limits))?;
    let component = component.map_err(|error| {
        Error::config(format!("{what} is not a valid WebAssembly component"))
            .with_internal(format!("{error:#}"))
    })?;
    let identity = audit(&engine, &component, bytes, what)?;
    let mut linker = ctx::linker(&engine).map_err(|error| setup(&error))?;
    bindings::add_to_linker(&mut linker).map_err(|error| setup(&error))?;
    let prepared = Prepared::new(&linker, &component).map_err(|error| {
        Error::config(format!("{what} does not fit this host")).with_internal(format!("{error:#}"))
    })?;
    Ok(Connector {
        prepared: Arc::new(prepared),
        identity: Arc::new(identity),
        dialer: Dialer::new(&limits, Network::default()),
        limits,
        outbox: Outbox::closed(),
    })
}

/// Only what components of the languages that are common today need. The less there is, the fewer defects of the
/// runtime concern us.
fn engine(cache: Cache) -> wasmtime::Result<Engine> {
    let mut config = EngineConfig::new();
    config
        .cache(cache.into_inner())
        // Calls into an instance never overlap: each stream has its own.
        .concurrency_support(false)
        .gc_support(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .epoch_interruption(true)
        // Release builds of connectors have no names, and a panic says its place itself.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    let engine = Engine::new(&config)?;
    call::tick(&engine)?;
    Ok(engine)
}

fn setup(error: &wasmtime::Error) -> Error {
    Error::system("the WebAssembly runtime cannot be set up").with_internal(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> Error {
        Connector::from_bytes(bytes.to_vec(), Limits::default(), Cache::none()).unwrap_err()
    }

    #[test]
    fn what_is_no_component_is_a_config_error() {
        assert_eq!(problem(b"#!/bin/sh").message(), "the component is not a WebAssembly component");
        assert_eq!(problem(b"").message(), "the component is not a WebAssembly component");
        let module = problem(b"\0asm\x01\0\0\0");
        assert_eq!(module.failure_type(), crate::FailureType::Config);
        assert_eq!(
            module.message(),
            "the component is not a WebAssembly component but a core WebAssembly module"
        );
        assert_eq!(module.hint(), Some("build it for the target wasm32-wasip2"));
        assert_eq!(
            problem(b"\0asm\x0d\0\x01\0garbage").message(),
            "the component is not a valid WebAssembly component"
        );
    }

    #[test]
    fn a_component_that_exports_nothing_is_no_connector() {
        assert_eq!(
            problem(b"\0asm\x0d\0\x01\0").message(),
            "the component does not export elt:connector/source, so it is not a source connector"
        );
    }
}
