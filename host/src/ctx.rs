//! What one running connector has of the host: its handles, its limits, and the interfaces it may call.

use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::p2::bindings::{cli, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::address_space;
use crate::breach::Limit;
use crate::call::Bounds;
use crate::contract::Level;
use crate::http::{Door, Hooks};
use crate::limits::{CORE_ITEMS, RANDOM, STDERR};
use crate::outbox::Outbox;
use crate::stderr::Stderr;
use crate::watch::Watch;

/// The interfaces that [`linker`] offers, without their versions, for an error that names what is not among them.
///
/// No file system and no sockets. Environment, arguments, stdin and terminals are there because the standard library
/// of Rust imports them, and are empty.
pub(crate) const OFFERED: [&str; 23] = [
    "elt:connector/log",
    "elt:connector/progress",
    "elt:connector/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The data of a store.
pub(crate) struct Ctx {
    pub(crate) bounds: Bounds,
    pub(crate) stderr: Stderr,
    outbox: Outbox,
    /// Who watches, if a stream is being read.
    watch: Option<Watch>,
    /// Log lines that were shown.
    logs: usize,
    /// Bytes of all memories.
    memory: usize,
    /// Elements of all tables.
    table_elements: usize,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

impl Ctx {
    /// That of a new instance which reaches the network through `door` and tells `watch` how its read goes.
    pub(crate) fn new(door: Door, watch: Option<Watch>) -> Self {
        let limits = &door.limits;
        let stderr = Stderr::new(STDERR);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.headers);
        Self {
            bounds: Bounds {
                limits: limits.clone(),
                breaches: door.breaches.clone(),
                obstacles: door.obstacles.clone(),
                redaction: door.outbox.redaction().clone(),
            },
            watch,
            logs: 0,
            memory: 0,
            table_elements: 0,
            outbox: door.outbox.clone(),
            // Nothing is inherited; what is written to stdout goes nowhere.
            wasi: WasiCtx::builder().stderr(stderr.clone()).max_random_size(RANDOM).build(),
            stderr,
            table,
            http,
            hooks: Hooks::new(door),
        }
    }
}

/// Bounds what the memories and tables of all core instances of a component take together.
///
/// Growing beyond traps: a guest that is merely refused memory aborts without a reason.
impl ResourceLimiter for Ctx {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory = self.memory.saturating_add(desired - current);
        self.bound(self.memory <= self.bounds.limits.memory, Limit::Memory)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired - current);
        self.bound(self.table_elements <= self.bounds.limits.table_elements, Limit::TableElements)
    }

    /// Traps if the operating system is to blame. Beyond the maximum that a component gave itself,
    /// it is refused.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if address_space::refusal(&error).is_some() { Err(error) } else { Ok(()) }
    }

    fn instances(&self) -> usize {
        CORE_ITEMS
    }

    fn tables(&self) -> usize {
        CORE_ITEMS
    }

    fn memories(&self) -> usize {
        CORE_ITEMS
    }
}

impl Ctx {
    /// Passes a line of the connector's log on, cut off where it is too long. Too many end the call.
    pub(crate) async fn say(&mut self, level: Level, message: &str) {
        if !self.outbox.shows(level) {
            return;
        }
        self.logs += 1;
        if self.logs > self.bounds.limits.logs {
            self.bounds.breaches.report(Limit::Logs);
            return;
        }
        self.outbox.log(level, self.bounds.text(message)).await;
    }

    /// Passes on until when requests are refused, in milliseconds since 1970.
    pub(crate) async fn tell_rate_limit(&mut self, until: u64) {
        if let Some(watch) = &mut self.watch {
            watch.rate_limited(until).await;
        }
    }

    /// Passes on how many slices have been read.
    pub(crate) fn tell_slices(&self, done: u64, total: Option<u64>) {
        if let Some(watch) = &self.watch {
            watch.slices(done, total);
        }
    }

    fn bound(&self, fits: bool, limit: Limit) -> wasmtime::Result<bool> {
        if fits {
            return Ok(true);
        }
        self.bounds.breaches.report(limit);
        Err(wasmtime::format_err!("a limit was broken: {limit:?}"))
    }
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Offers WASI, as far as connectors are given it.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Ctx>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    random::insecure::add_to_linker::<Ctx, WasiRandom>(l, |ctx| ctx.wasi.random())?;
    random::insecure_seed::add_to_linker::<Ctx, WasiRandom>(l, |ctx| ctx.wasi.random())?;
    cli::environment::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::exit::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::terminal_input::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::terminal_output::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::terminal_stdin::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::terminal_stdout::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    cli::terminal_stderr::add_to_linker::<Ctx, WasiCli>(l, Ctx::cli)?;
    Ok(linker)
}
