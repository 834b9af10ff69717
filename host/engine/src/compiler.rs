//! Compiles components to native code, for this machine or for every machine of its kind.

use wasmtime::component::Component;
use wasmtime::{Config as EngineConfig, Engine};

use crate::address_space;
use crate::cache::{Cache, Key};
use crate::call;
use crate::deadline::within;
use crate::error::{Error, Result};
use crate::exceeded::exceeded;
use crate::instances;
use crate::limits::{Limit, Limits};
use crate::native_code::NativeCode;
use crate::resident;

/// What every WebAssembly binary begins with.
const MAGIC: &[u8] = b"\0asm";
/// What follows in a component: version 13 of layer 1.
const COMPONENT: &[u8] = &[13, 0, 1, 0];
/// What follows in a core module: version 1 of layer 0.
const CORE_MODULE: &[u8] = &[1, 0, 0, 0];

/// Makes a component ready to run on this machine: takes its code from `cache`, or compiles it.
///
/// # Errors
///
/// A config error, which calls the component `what`, if it is not a valid component or exceeds a
/// limit. Has no time limit of its own; [`bounded`] adds one.
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
    let code = compile(engine, component, limits, what)?;
    cache.put(&key, &code);
    code.load(engine).map_err(|error| setup(&error))
}

/// Compiles a component for every processor of this architecture that is not very old.
///
/// # Errors
///
/// As [`component`].
pub(crate) async fn portable(component: &[u8], limits: &Limits, what: &str) -> Result<NativeCode> {
    check(component, limits, what)?;
    let engine = portable_settings().and_then(|settings| Engine::new(&settings));
    let engine = engine.map_err(|error| setup(&error))?;
    let (component, called, allowed) = (component.to_vec(), what.to_owned(), limits.clone());
    bounded(limits, move || compile(&engine, &component, &allowed, &called)).await
}

/// Runs `work`, which compiles or looks at a component, on a thread of its own. Gives up on it when
/// the limits on time or memory for compiling are reached.
///
/// # Errors
///
/// A limit that was exceeded, or those of the work.
pub(crate) async fn bounded<T: Send + 'static>(
    limits: &Limits,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::select! {
        done = within(limits.compile, work) => {
            done.unwrap_or_else(|| Err(exceeded(Limit::Compile, limits)))
        }
        () = resident::grown_by(limits.compile_memory) => Err(exceeded(Limit::CompileMemory, limits)),
    }
}

fn compile(engine: &Engine, component: &[u8], limits: &Limits, what: &str) -> Result<NativeCode> {
    let invalid = |problem: String| {
        Error::config(format!("{what} is not a valid WebAssembly component")).with_internal(problem)
    };
    if instances::count(component).map_err(|error| invalid(error.to_string()))? > limits.instances {
        return Err(exceeded(Limit::Instances, limits));
    }
    let compiled = engine.precompile_component(component);
    compiled.map(NativeCode::compiled).map_err(|error| invalid(format!("{error:#}")))
}

/// Sets up what runs components, and interrupts them regularly.
///
/// # Errors
///
/// A system error if the operating system does not give the process what it needs.
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

/// Turns off what components of today's common languages do not need. The less is on, the fewer
/// defects of the runtime concern us.
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

/// What x86-64 processors have since about 2009 (level v2). Without it, looking at sixteen bytes at
/// once costs a read 10 to 14 % (docs/BENCHMARKS.md).
const X86_64_V2: [&str; 5] = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// The settings for another machine. Without a target, wasmtime uses all that this processor can
/// do.
#[expect(unsafe_code, reason = "wasmtime cannot know what a flag means")]
fn portable_settings() -> wasmtime::Result<EngineConfig> {
    let mut settings = settings();
    settings.target(env!("TARGET"))?;
    if env!("TARGET").starts_with("x86_64") {
        for flag in X86_64_V2 {
            // SAFETY: the flags only say which instructions a processor has. When the code is
            // loaded, wasmtime checks that the processor has them, and does not run it otherwise.
            unsafe { settings.cranelift_flag_enable(flag) };
        }
    }
    Ok(settings)
}

/// Rejects what is not worth compiling.
fn check(component: &[u8], limits: &Limits, what: &str) -> Result<()> {
    if component.len() > limits.component {
        return Err(exceeded(Limit::Component, limits));
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

/// The error for a failure that has nothing to do with the component.
pub(crate) fn setup(error: &wasmtime::Error) -> Error {
    address_space::refusal(error).unwrap_or_else(|| {
        Error::system("the WebAssembly runtime cannot be set up").with_internal(format!("{error:#}"))
    })
}
