//! The data of a store: the handles, limits and permissions of one running connector, and the
//! interfaces it may call.

use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::{cli, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;

use crate::account::{Account, Held};
use crate::address_space;
use crate::call::CallLimits;
use crate::events::Level;
use crate::frozen::{self, Clock};
use crate::http::{self, GuestHttp, Holdings, Hooks, OutboundHttp};
use crate::limits::{Limit, RANDOM, STDERR};
use crate::reporter::Reporter;
use crate::stderr::Stderr;

/// The data of a store.
pub(crate) struct StoreData {
    pub(crate) call_limits: CallLimits,
    pub(crate) stderr: Stderr,
    reporter: Reporter,
    /// Whether the instance reads a stream. Progress counts only then.
    reads: bool,
    /// Whether time and chance were taken from the instance.
    is_frozen: bool,
    /// Log lines that were passed on.
    logs: usize,
    /// Bytes of all memories.
    memory: Held,
    /// Elements of all tables.
    table_elements: usize,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    holdings: Holdings,
}

impl StoreData {
    /// The data of a new instance, which reaches the network through `outbound`. `reads` says
    /// whether it is to read a stream.
    pub(crate) fn new(outbound: OutboundHttp, reads: bool) -> Self {
        let limits = &outbound.limits;
        let stderr = Stderr::new(STDERR);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.headers);
        Self {
            call_limits: CallLimits {
                limits: limits.clone(),
                exceeded: outbound.exceeded.clone(),
                obstacles: outbound.obstacles.clone(),
                redaction: outbound.reporter.redaction().clone(),
            },
            reads,
            is_frozen: false,
            logs: 0,
            memory: Account::new(
                Limit::Memory,
                limits.memory,
                outbound.total.clone(),
                outbound.exceeded.clone(),
            )
            .open(),
            table_elements: 0,
            reporter: outbound.reporter.clone(),
            // Nothing is inherited. What is written to stdout is discarded.
            wasi: WasiCtx::builder().stderr(stderr.clone()).max_random_size(RANDOM).build(),
            stderr,
            table,
            http,
            holdings: Holdings::new(outbound.account.clone(), limits.headers),
            hooks: Hooks::new(outbound),
        }
    }
}

impl StoreData {
    /// The data of a new instance that is asked for its specification.
    pub(crate) fn frozen(outbound: OutboundHttp) -> Self {
        let data = Self::new(outbound, false);
        let mut wasi = WasiCtx::builder();
        wasi.stderr(data.stderr.clone()).max_random_size(RANDOM);
        frozen::freeze(&mut wasi);
        Self { wasi: wasi.build(), is_frozen: true, ..data }
    }
}

/// Limits what the memories and tables of all core instances of a component take together.
///
/// Growing beyond the limit traps. A guest that is merely refused memory aborts without giving a
/// reason.
impl ResourceLimiter for StoreData {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory.grow(desired - current)?;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired - current);
        if self.table_elements > self.call_limits.limits.table_elements {
            self.call_limits.exceeded.report(Limit::TableElements);
            return Err(wasmtime::format_err!("a limit was exceeded: {:?}", Limit::TableElements));
        }
        Ok(true)
    }

    /// Traps if the operating system is to blame. Beyond the maximum that a component gave itself,
    /// it is refused.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if address_space::refusal(&error).is_some() { Err(error) } else { Ok(()) }
    }

    fn instances(&self) -> usize {
        self.call_limits.limits.instances
    }

    fn tables(&self) -> usize {
        self.call_limits.limits.instances
    }

    fn memories(&self) -> usize {
        self.call_limits.limits.instances
    }
}

impl StoreData {
    /// Passes on a line of the connector's log, cut off where it is too long. Too many lines end
    /// the call.
    pub(crate) async fn log_line(&mut self, level: Level, message: &str) {
        if !self.reporter.wants(level) {
            return;
        }
        self.logs += 1;
        if self.logs > self.call_limits.limits.logs {
            self.call_limits.exceeded.report(Limit::Logs);
            return;
        }
        self.reporter.log(level, || self.call_limits.text(message)).await;
    }

    /// Passes on until when the API refuses requests, in milliseconds since 1970.
    pub(crate) async fn rate_limited_until(&mut self, until: u64) {
        if self.reads {
            self.reporter.rate_limited(until).await;
        }
    }

    /// Passes on how many slices have been read.
    pub(crate) fn slices_read(&self, done: u64, total: Option<u64>) {
        if self.reads {
            self.reporter.slices(done, total);
        }
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl StoreData {
    /// The clock by which the instance waits.
    fn clock(&mut self) -> Clock<'_> {
        let is_frozen = self.is_frozen;
        Clock::new(self.clocks(), is_frozen)
    }

    /// What the functions of `wasi:http` work on.
    fn http(&mut self) -> GuestHttp<'_> {
        let Self { table, http, hooks, holdings, .. } = self;
        GuestHttp { hooks, table, ctx: http, holdings }
    }
}

/// Offers the part of WASI that connectors are given.
///
/// No file system and no sockets. Environment, arguments, stdin and terminals are there because the
/// standard library of Rust imports them, and are empty.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<StoreData>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    frozen::add_to_linker(l, StoreData::clock)?;
    http::add_to_linker(l, StoreData::http)?;
    random::insecure::add_to_linker::<StoreData, WasiRandom>(l, |ctx| ctx.wasi.random())?;
    random::insecure_seed::add_to_linker::<StoreData, WasiRandom>(l, |ctx| ctx.wasi.random())?;
    cli::environment::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::exit::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_input::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_output::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stdin::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stdout::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stderr::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    Ok(linker)
}
