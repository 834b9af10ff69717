//! The table of limits: how much a connector may use of memory, time, bytes and handles.
//!
//! Each limit is one row: its field of [`Limits`], its [`Limit`], its default, and the words that
//! follow "took more than 64MiB". Whoever embeds the engine can list them ([`Limit::ALL`]), print
//! them and set them from text, so a command line needs to add no more than the names of its flags.

use std::fmt;
use std::time::Duration;

use crate::container;
pub use crate::size::Size;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const SECOND: Duration = Duration::from_secs(1);

/// The value of one limit. It displays as it is parsed: `64MiB`, `15m`, `256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitValue {
    /// A size.
    Bytes(usize),
    /// A number of things.
    Count(usize),
    /// A time.
    Time(Duration),
}

impl fmt::Display for LimitValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => Size(*bytes).fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Time(time) => humantime::format_duration(*time).fmt(f),
        }
    }
}

fn parse_bytes(text: &str) -> Result<usize, String> {
    text.parse::<Size>().map(|size| size.0)
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|error: std::num::ParseIntError| error.to_string())
}

fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $field:ident, $variant:ident: $kind:ident($type:ty, $parse:ident) = $default:expr, $words:literal;)+) => {
        /// A limit that a connector can exceed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit {
            $($(#[$doc])+ $variant,)+
        }

        /// How much one instance of a connector may use, and all of them together. A sync runs one
        /// instance for each stream.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $field: $type,)+
            /// How long to wait for the network.
            pub timeouts: Timeouts,
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ timeouts: Timeouts::default() }
            }
        }

        impl Limit {
            /// Every limit, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// What the limit bounds, to follow its value: "more than 64MiB *for one batch*".
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }

            /// The value of the limit in `limits`.
            pub fn value(self, limits: &Limits) -> LimitValue {
                match self {
                    $(Self::$variant => LimitValue::$kind(limits.$field),)+
                }
            }

            /// Sets the limit in `limits` to the value that `text` spells.
            ///
            /// # Errors
            ///
            /// Says what is wrong with the text.
            pub fn set(self, limits: &mut Limits, text: &str) -> Result<(), String> {
                match self {
                    $(Self::$variant => limits.$field = $parse(text)?,)+
                }
                Ok(())
            }
        }
    };
}

limits! {
    /// Time that one call may take, waiting included.
    // Longer than an API commonly asks to wait. Orb's connector waits ten minutes at most.
    call, Call: Time(Duration, parse_time) = 15 * 60 * SECOND, "for one call";

    /// Time that one call may compute. Waiting does not count. Measured in steps of 10 ms.
    compute, Compute: Time(Duration, parse_time) = 60 * SECOND, "of computing in one call";

    /// Bytes of linear memory.
    memory, Memory: Bytes(usize, parse_bytes) = 512 * MIB, "of memory";

    /// Bytes that the host holds for the connector: requests, the heads of responses, parts of
    /// their bodies, and what decompresses them. Counted roughly, and rather too high.
    // Sixteen bodies in brotli's largest window at once, or sixty-four in its usual one.
    host_memory, HostMemory: Bytes(usize, parse_bytes) = 384 * MIB, "of memory in the host";

    /// Bytes that all instances of an engine take together, in their own memory and in the host.
    // Many streams of a connector that takes no more than it needs.
    total_memory, TotalMemory: Bytes(usize, parse_bytes) = container::memory_limit(4 << 30), "of memory together with all others that run";

    /// Elements of all tables of functions and references together.
    table_elements, TableElements: Count(usize, parse_count) = 1_000_000, "elements in its tables";

    /// Handles to host resources (requests, bodies, streams) that are open at the same time.
    // wasmtime 48.0.8 keeps the options of every request that has any, so this also bounds their
    // number.
    handles, Handles: Count(usize, parse_count) = 100_000, "handles";

    /// Instances of modules and of components that a component consists of, and the memories and
    /// tables of them, each.
    // A component of one language has a handful.
    instances, Instances: Count(usize, parse_count) = 100, "instances, memories or tables";

    /// Bytes of a batch, or of anything else that one call hands to the host.
    batch, Batch: Bytes(usize, parse_bytes) = 64 * MIB, "for one batch";

    /// Bytes of one record.
    record, Record: Bytes(usize, parse_bytes) = 32 * MIB, "for one record";

    /// Log lines that are passed on. Lines of a level that nobody wants do not count.
    logs, Logs: Count(usize, parse_count) = 100_000, "log lines";

    /// Requests in flight at the same time: until the body of the response has arrived or is
    /// dropped.
    requests, Requests: Count(usize, parse_count) = 256, "requests at the same time";

    /// Bytes of the body of a request, which is held in memory before it is sent.
    request_body, RequestBody: Bytes(usize, parse_bytes) = MIB, "for the body of a request";

    /// Bytes of the body of a response as the connector sees it. Bodies are streamed.
    response, Response: Bytes(usize, parse_bytes) = 64 * MIB, "for the body of a response";

    /// Bytes of the body of a response as it is received, before it is decompressed.
    response_encoded, ResponseEncoded: Bytes(usize, parse_bytes) = 64 * MIB, "for the body of a response as received";

    /// Bytes of the head of a request or response: names, values and 32 for each field, as HTTP/2
    /// counts them; of a request also its method, authority and path. Secrets count, not the tokens
    /// in their place.
    // wasmtime's own default. Proxies commonly stop at 8 KiB on the wire.
    headers, Headers: Bytes(usize, parse_bytes) = 128 * KIB, "for the headers of a request or response";

    /// Bytes of the component itself.
    component, Component: Bytes(usize, parse_bytes) = 64 * MIB, "for the component";

    /// Time to compile the component.
    compile, Compile: Time(Duration, parse_time) = 60 * SECOND, "to be compiled";

    /// Bytes by which the process may grow while the component is compiled. Measured on Linux
    /// alone.
    // A component of 54 MB with 90,000 functions takes 0.7 GB; orb.wasm, of half a megabyte, almost
    // nothing.
    compile_memory, CompileMemory: Bytes(usize, parse_bytes) = 1024 * MIB, "of memory to be compiled";
}

/// How long to wait for the network. A connector sees an error when one of them passes, and may try
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Time to resolve a name, connect and shake hands.
    pub connect: Duration,
    /// Time from sending a request to the head of its response. A connector may ask for less.
    pub first_byte: Duration,
    /// Time between two parts of a body. A connector may ask for less.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: 10 * SECOND, first_byte: 60 * SECOND, between_bytes: 60 * SECOND }
    }
}

/// Bytes that a connector may ask of the random generator in one call.
pub(crate) const RANDOM: u64 = MIB as u64;
/// Bytes of what a connector writes to its stderr that are shown, counted from the end.
pub(crate) const STDERR: usize = 4 * KIB;
/// Bytes of the text of a crash that are shown, in which a component's own names occur.
pub(crate) const CRASH: usize = 3 * KIB;
/// Bytes of a log line, or of a part of an error, that are taken from a connector. The rest is cut
/// off. Less than [`MESSAGE`](crate::excerpt::MESSAGE), so that the host has room for what it adds.
pub(crate) const TEXT: usize = 8 * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_set_by_the_text_that_it_displays_as() {
        let defaults = Limits::default();
        for limit in Limit::ALL {
            let mut limits = defaults.clone();
            limit.set(&mut limits, "7000").or_else(|_| limit.set(&mut limits, "7s")).unwrap();
            assert_ne!(limit.value(&limits), limit.value(&defaults), "{limit:?}");
            limit.set(&mut limits, &limit.value(&defaults).to_string()).unwrap();
            assert_eq!(limits, defaults, "{limit:?}");
            assert!(limit.set(&mut limits, "much").is_err(), "{limit:?}");
        }
    }
}
