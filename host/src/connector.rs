//! A connector: the bytes of a component come in, something that can be asked and configured goes out.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::address_space;
use crate::bindings::{self, Instance, Prepared};
use crate::bundle::{Bundle, Contents};
use crate::cache::Cache;
use crate::compiler::{self, Code};
use crate::config::SealedConfig;
use crate::contract::{Level, Specification};
use crate::ctx::{self, Ctx};
use crate::error::{Error, Result};
use crate::http::{AllowedHosts, Dialer, Door, Network};
use crate::identity::{Identity, audit};
use crate::limits::Limits;
use crate::message::StreamDescriptor;
use crate::outbox::Outbox;
use crate::secrets::Secrets;
use crate::source::Source;
use crate::watch::Watch;

/// A compiled connector, of which any number of instances can run. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    prepared: Arc<Prepared>,
    identity: Arc<Identity>,
    dialer: Dialer,
    limits: Limits,
    outbox: Outbox,
    /// What there is to tell of how it was loaded.
    notice: Option<String>,
}

impl Connector {
    /// Reads and compiles the component at `path`, or takes what was compiled of the same bytes from `cache`.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or is not a connector that this host can run.
    pub fn load(path: &Path, limits: Limits, cache: &Cache) -> Result<Self> {
        let bytes = read(path, &limits)?;
        Self::compile(bytes, limits, cache, &path.display().to_string())
    }

    /// Compiles the component of which `bytes` is the binary.
    ///
    /// # Errors
    ///
    /// A config error if it is not a connector that this host can run.
    pub fn from_bytes(bytes: Vec<u8>, limits: Limits, cache: &Cache) -> Result<Self> {
        Self::compile(bytes, limits, cache, "the component")
    }

    /// Opens a program that was made with a component in it. Where its native code does not fit this machine, compiles the
    /// component, and says so to whom [`log_to`](Self::log_to) names.
    ///
    /// # Errors
    ///
    /// A system error if it is damaged, else as [`load`](Self::load).
    pub fn from_bundle(bundle: &Bundle, limits: Limits) -> Result<Self> {
        let Contents { code, component } = bundle.open()?;
        let what = "the component of this program";
        let engine = compiler::engine()?;
        match code.load(&engine) {
            Ok(loaded) => assemble(&engine, &loaded, component, limits, what),
            Err(unfit) => {
                let mut connector = Self::compile(component, limits, &Cache::none(), what)?;
                let (what, why) = match address_space::limit().filter(|_| address_space::is_scarce()) {
                    Some(limit) => {
                        ("the limit of its address space", format!("that is {limit} bytes (ulimit -v)"))
                    }
                    None => ("this machine", format!("{unfit:#}")),
                };
                connector.notice = Some(format!(
                    "the native code of this program does not fit {what}, so its component was compiled: {why}"
                ));
                Ok(connector)
            }
        }
    }

    /// The connector that was compiled to `code` from `component`.
    pub(crate) fn from_code(code: &Code, component: Vec<u8>, limits: Limits, what: &str) -> Result<Self> {
        let engine = compiler::engine()?;
        let loaded = code.load(&engine).map_err(|error| compiler::setup(&error))?;
        assemble(&engine, &loaded, component, limits, what)
    }

    fn compile(component: Vec<u8>, limits: Limits, cache: &Cache, what: &str) -> Result<Self> {
        let engine = compiler::engine()?;
        let compiled = compiler::component(&engine, &component, cache, &limits, what)?;
        assemble(&engine, &compiled, component, limits, what)
    }

    /// Sends what instances log, and what the host has to say of them, to `outbox`. Somebody must take it out, or
    /// the connector waits. Without this, nobody hears it.
    #[must_use]
    pub fn log_to(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        if let Some(notice) = self.notice.take() {
            self.outbox.note(Level::Info, notice);
        }
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

/// Reads a component, or as much of it as is enough to know that it is larger than allowed.
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let wrong = |error: std::io::Error| {
        Error::config(format!("the component {} cannot be read: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    let most = (limits.component as u64).saturating_add(1);
    File::open(path).map_err(wrong)?.take(most).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

/// Joins what was compiled with what it may import.
fn assemble(
    engine: &Engine,
    component: &Component,
    bytes: Vec<u8>,
    limits: Limits,
    what: &str,
) -> Result<Connector> {
    let identity = audit(engine, component, bytes, what)?;
    let mut linker = ctx::linker(engine).map_err(|error| compiler::setup(&error))?;
    bindings::add_to_linker(&mut linker).map_err(|error| compiler::setup(&error))?;
    let prepared = Prepared::new(&linker, component).map_err(|error| {
        Error::config(format!("{what} does not fit this host")).with_internal(format!("{error:#}"))
    })?;
    Ok(Connector {
        prepared: Arc::new(prepared),
        identity: Arc::new(identity),
        dialer: Dialer::new(&limits, Network::default()),
        limits,
        outbox: Outbox::closed(),
        notice: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> Error {
        Connector::from_bytes(bytes.to_vec(), Limits::default(), &Cache::none()).unwrap_err()
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
