//! How much a connector may use: memory, handles, bytes and time.
//!
//! Plain numbers come in, from the defaults here or from whoever embeds this crate; the store and the HTTP door ask
//! them. Every default is written once, here.

use std::time::Duration;

use wasmtime::{StoreLimits, StoreLimitsBuilder};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Upper bounds of what one instance of a connector uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory. A connector that grows beyond is stopped.
    pub memory: usize,
    /// Elements of a table of functions.
    pub table_elements: usize,
    /// Core instances, tables and memories; a component of one language has a handful of each.
    pub core_items: usize,
    /// Handles to host resources (requests, bodies, streams) that are open at the same time.
    pub handles: usize,
    /// Bytes that one call may hand to the host: the size of a batch.
    pub call: usize,
    /// Bytes that the connector may ask of the random generator in one call.
    pub random: u64,
    /// Bytes of what the connector writes to its stderr that are kept, counted from the end.
    pub stderr: usize,
    /// Bytes of the headers of a request or response, as they are held in memory.
    pub headers: usize,
    /// Bytes of the body of a request, which is held in memory before it is sent.
    pub request_body: usize,
    /// Bytes of the body of a response, which is streamed.
    pub response_body: usize,
    /// Time to resolve, connect and shake hands.
    pub connect: Duration,
    /// Time from sending a request to the head of its response. A connector may ask for less.
    pub first_byte: Duration,
    /// Time between two parts of a body. A connector may ask for less.
    pub between_bytes: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1024 * MIB,
            table_elements: 1_000_000,
            core_items: 100,
            // wasmtime 48.0.8 keeps the options of every request that has any, so this also bounds their number.
            handles: 100_000,
            call: 64 * MIB,
            random: MIB as u64,
            stderr: 4 * KIB,
            // wasmtime's own default; proxies commonly stop at 8 KiB on the wire.
            headers: 128 * KIB,
            request_body: MIB,
            response_body: 64 * MIB,
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            between_bytes: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// The part that wasmtime enforces. Growing beyond traps, so that the error says so: a guest that is merely
    /// refused memory aborts without a reason.
    pub(crate) fn store(&self) -> StoreLimits {
        StoreLimitsBuilder::new()
            .memory_size(self.memory)
            .table_elements(self.table_elements)
            .instances(self.core_items)
            .tables(self.core_items)
            .memories(self.core_items)
            .trap_on_grow_failure(true)
            .build()
    }
}
