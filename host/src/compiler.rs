//! From the bytes of a component to native code, and from native code to what can be run.
//!
//! Native code is run as it is, so it has a type of its own: [`Code`] is what this very program compiled, now or at an
//! earlier time, and nobody changed since. Whoever keeps it elsewhere meanwhile answers for that.

use wasmtime::component::Component;
use wasmtime::{Config as EngineConfig, Engine};

use crate::address_space;
use crate::breach::Limit;
use crate::cache::{Cache, Key};
use crate::call;
use crate::deadline::within;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// What every WebAssembly binary begins with.
const MAGIC: &[u8] = b"\0asm";
/// What follows in a component: version 13 of layer 1.
const COMPONENT: &[u8] = &[13, 0, 1, 0];
/// What follows in a core module: version 1 of layer 0.
const CORE_MODULE: &[u8] = &[1, 0, 0, 0];

/// Native code of a component.
pub(crate) struct Code(Vec<u8>);

impl Code {
    /// Compiles a component as `engine` does it.
    ///
    /// # Errors
    ///
    /// A config error, which speaks of the component as `what`, if it is not a valid component or breaks a limit.
    fn compile(engine: &Engine, component: &[u8], limits: &Limits, what: &str) -> Result<Self> {
        let (engine, component) = (engine.clone(), component.to_vec());
        let compiled = within(limits.compile, move || engine.precompile_component(&component))
            .ok_or_else(|| Limit::Compile.error(limits))?;
        compiled.map(Self).map_err(|error| {
            Error::config(format!("{what} is not a valid WebAssembly component"))
                .with_internal(format!("{error:#}"))
        })
    }

    /// Compiles a component for every processor of this architecture that is not very old, and not for the one at hand alone.
    ///
    /// # Errors
    ///
    /// A config error, which speaks of the component as `what`, if it is not a valid component or breaks a limit.
    pub(crate) fn portable(component: &[u8], limits: &Limits, what: &str) -> Result<Self> {
        check(component, limits, what)?;
        let engine = portable_settings().and_then(|settings| Engine::new(&settings));
        Self::compile(&engine.map_err(|error| setup(&error))?, component, limits, what)
    }

    /// Takes code back that was kept. It must be what [`bytes`](Self::bytes) gave, to the bit: if not, anything can
    /// happen.
    pub(crate) fn kept(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What can be kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes it ready to run.
    ///
    /// # Errors
    ///
    /// wasmtime's, if the code is that of another version or needs what this processor does not have.
    #[expect(unsafe_code, reason = "there is no safe way to load what was compiled before")]
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes must be what wasmtime's compiler gave, which is what `Code` means. Whether they fit this
        // version, these settings and this processor is checked by wasmtime.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// Makes a component ready to run on this machine: compiles it, or takes what was compiled of it before from `cache`.
///
/// # Errors
///
/// A config error, which speaks of the component as `what`, if it is not a valid component or breaks a limit.
pub(crate) fn component(
    engine: &Engine,
    component: &[u8],
    cache: &Cache,
    limits: &Limits,
    what: &str,
) -> Result<Component> {
    check(component, limits, what)?;
    let key = Key::new(engine, component);
    if let Some(loaded) = cache.get(&key).and_then(|code| code.load(engine).ok()) {
        return Ok(loaded);
    }
    let code = Code::compile(engine, component, limits, what)?;
    cache.put(&key, &code);
    code.load(engine).map_err(|error| setup(&error))
}

/// What runs components, and interrupts them now and then.
///
/// # Errors
///
/// A system error if the operating system does not give the process what it takes.
pub(crate) fn engine() -> Result<Engine> {
    address_space::check()?;
    let start = || {
        let mut settings = settings();
        if address_space::is_scarce() {
            address_space::spare(&mut settings);
        }
        let engine = Engine::new(&settings)?;
        call::tick(&engine)?;
        Ok(engine)
    };
    start().map_err(|error| setup(&error))
}

/// Only what components of the languages that are common today need. The less there is, the fewer defects of the
/// runtime concern us.
fn settings() -> EngineConfig {
    let mut settings = EngineConfig::new();
    settings
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
    settings
}

/// What x86-64 processors have since about 2009, by the name of level v2. Without it, looking at sixteen bytes at once costs a
/// read 10 to 14 % (docs/BENCHMARKS.md).
const X86_64_V2: [&str; 5] = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// The settings for a processor that is not at hand. Without a target, wasmtime uses all that the one at hand can do.
#[expect(unsafe_code, reason = "wasmtime cannot know what a flag means")]
fn portable_settings() -> wasmtime::Result<EngineConfig> {
    let mut settings = settings();
    settings.target(env!("TARGET"))?;
    if env!("TARGET").starts_with("x86_64") {
        for flag in X86_64_V2 {
            // SAFETY: the flags only say which instructions a processor has. When the code is loaded, wasmtime makes sure that the
            // one at hand has them, and does not run it otherwise.
            unsafe { settings.cranelift_flag_enable(flag) };
        }
    }
    Ok(settings)
}

/// Says in plain words what is not worth compiling.
fn check(component: &[u8], limits: &Limits, what: &str) -> Result<()> {
    if component.len() > limits.component {
        return Err(Limit::Component.error(limits));
    }
    let rest = component.strip_prefix(MAGIC).ok_or_else(|| {
        Error::config(format!("{what} is not a WebAssembly component"))
            .with_hint("a component is a binary file, commonly called NAME.wasm")
    })?;
    if rest.starts_with(COMPONENT) {
        return Ok(());
    }
    let kind = if rest.starts_with(CORE_MODULE) { "a core WebAssembly module" } else { "of an unknown kind" };
    Err(Error::config(format!("{what} is not a WebAssembly component but {kind}"))
        .with_hint("build it for the target wasm32-wasip2"))
}

/// A failure that has nothing to do with the component.
pub(crate) fn setup(error: &wasmtime::Error) -> Error {
    address_space::refusal(error).unwrap_or_else(|| {
        Error::system("the WebAssembly runtime cannot be set up").with_internal(format!("{error:#}"))
    })
}
