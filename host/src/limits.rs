//! How much a connector may use: memory, time, bytes and handles.
//!
//! Plain numbers come in, from the defaults here or from whoever embeds this crate; the store, the calls and the HTTP
//! door ask them. Every default is written once, here, and quoted by `--help`. Which [`Limit`] a connector broke is
//! told by `breach.rs`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

use crate::breach::Limit;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Upper bounds of what one instance of a connector uses; a sync has one instance for each stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of all tables of functions and references together.
    pub table_elements: usize,
    /// Handles to host resources (requests, bodies, streams) that are open at the same time.
    pub handles: usize,
    /// Time that one call may compute. Waiting does not count. Measured in steps of 10 ms.
    pub compute: Duration,
    /// Time that one call may take, waiting included.
    pub call: Duration,
    /// Bytes of a batch, or of anything else that one call hands to the host.
    pub batch: usize,
    /// Bytes of one record.
    pub record: usize,
    /// Log lines that are shown. Lines below the level that is asked for do not count.
    pub logs: usize,
    /// Requests that wait for the head of their response at the same time.
    pub requests: usize,
    /// Bytes of the body of a request, which is held in memory before it is sent.
    pub request_body: usize,
    /// Bytes of the body of a response as the connector sees it, which is streamed.
    pub response: usize,
    /// Bytes of the body of a response as it is received, before it is decompressed.
    pub response_encoded: usize,
    /// Bytes of the headers of a request or response: names, values and 32 for each field, as HTTP/2 counts them.
    pub headers: usize,
    /// Bytes of the component itself.
    pub component: usize,
    /// Time to compile the component.
    pub compile: Duration,
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
            memory: 512 * MIB,
            table_elements: 1_000_000,
            // wasmtime 48.0.8 keeps the options of every request that has any, so this also bounds their number.
            handles: 100_000,
            compute: Duration::from_secs(60),
            // Longer than an API commonly asks to wait (Orb's connector waits ten minutes at most).
            call: Duration::from_secs(15 * 60),
            batch: 64 * MIB,
            record: 32 * MIB,
            logs: 100_000,
            requests: 256,
            request_body: MIB,
            response: 64 * MIB,
            response_encoded: 64 * MIB,
            // wasmtime's own default; proxies commonly stop at 8 KiB on the wire.
            headers: 128 * KIB,
            component: 64 * MIB,
            compile: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            between_bytes: Duration::from_secs(60),
        }
    }
}

/// A number of bytes, written and read as people do it: `64MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ByteSize::b(self.0 as u64).display().iec().to_string();
        f.write_str(&text.replace(".0", "").replace(' ', ""))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = text.parse::<ByteSize>()?.as_u64();
        usize::try_from(bytes).map(Self).map_err(|_| "it is more than this machine can count".to_owned())
    }
}

impl Limits {
    /// Each limit that a connector can break: the flag that sets it, and its value.
    pub fn in_force(&self) -> Vec<(&'static str, String)> {
        let describe = |limit: Limit| {
            let (_, value, flag) = limit.describe(self);
            (flag, value)
        };
        Limit::ALL.map(describe).into()
    }
}

/// Core instances, tables and memories; a component of one language has a handful of each.
pub(crate) const CORE_ITEMS: usize = 100;
/// Bytes that a connector may ask of the random generator in one call.
pub(crate) const RANDOM: u64 = MIB as u64;
/// Bytes of what a connector writes to its stderr that are kept, counted from the end.
pub(crate) const STDERR: usize = 8 * KIB;
/// Bytes of a log line, or of a part of an error, that are shown; the rest is cut off.
pub(crate) const TEXT: usize = 16 * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for (bytes, text) in [(64 * MIB, "64MiB"), (128 * KIB, "128KiB"), (1536, "1.5KiB"), (7, "7B")] {
            assert_eq!(Size(bytes).to_string(), text);
            assert_eq!(text.parse(), Ok(Size(bytes)));
        }
        assert_eq!("1000".parse(), Ok(Size(1000)));
        assert!("much".parse::<Size>().is_err());
    }
}
