//! The flags of limits: sizes, times and counts, each with the library's default.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use host::{Limits, Size};

/// How much one instance of a connector may use; every stream is read by an instance of its own
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Streams that are read at the same time [default: the number of cores, at least 2]
    #[arg(long, value_name = "COUNT", global = true)]
    pub(crate) max_streams: Option<NonZeroUsize>,

    /// Time for a whole read; its last states stay in force [default: no limit]
    #[arg(long, value_name = "TIME", global = true)]
    pub(crate) max_sync: Option<humantime::Duration>,

    /// Time of one call, waiting included
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().call))]
    max_call: humantime::Duration,

    /// Time of computing within one call
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().compute))]
    max_compute: humantime::Duration,

    /// Memory
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().memory))]
    max_memory: Size,

    /// Elements of its tables of functions
    #[arg(long, value_name = "COUNT", global = true, default_value_t = Limits::default().table_elements)]
    max_table_elements: usize,

    /// Open handles to requests, bodies and the like
    #[arg(long, value_name = "COUNT", global = true, default_value_t = Limits::default().handles)]
    max_handles: usize,

    /// One batch of records, or anything else that one call returns
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().batch))]
    max_batch: Size,

    /// One record
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().record))]
    max_record: Size,

    /// Log lines that are shown
    #[arg(long, value_name = "COUNT", global = true, default_value_t = Limits::default().logs)]
    max_logs: usize,

    /// Requests that wait for an answer at the same time
    #[arg(long, value_name = "COUNT", global = true, default_value_t = Limits::default().requests)]
    max_requests: usize,

    /// Body of a request
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().request_body))]
    max_request_body: Size,

    /// Body of a response, decompressed
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().response))]
    max_response: Size,

    /// Body of a response, as it is received
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().response_encoded))]
    max_response_encoded: Size,

    /// Headers of a request or response
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().headers))]
    max_headers: Size,

    /// The component itself
    #[arg(long, value_name = "SIZE", global = true, default_value_t = Size(Limits::default().component))]
    max_component: Size,

    /// Time to compile the component
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().compile))]
    max_compile: humantime::Duration,

    /// Time to resolve a name, connect and shake hands
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().connect))]
    connect_timeout: humantime::Duration,

    /// Time from a request to the head of its response; a connector may ask for less
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().first_byte))]
    response_timeout: humantime::Duration,

    /// Time between two parts of a body; a connector may ask for less
    #[arg(long, value_name = "TIME", global = true, default_value_t = time(Limits::default().between_bytes))]
    idle_timeout: humantime::Duration,
}

impl LimitFlags {
    /// As the library takes them.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            memory: self.max_memory.0,
            table_elements: self.max_table_elements,
            handles: self.max_handles,
            compute: self.max_compute.into(),
            call: self.max_call.into(),
            batch: self.max_batch.0,
            record: self.max_record.0,
            logs: self.max_logs,
            requests: self.max_requests,
            request_body: self.max_request_body.0,
            response: self.max_response.0,
            response_encoded: self.max_response_encoded.0,
            headers: self.max_headers.0,
            component: self.max_component.0,
            compile: self.max_compile.into(),
            connect: self.connect_timeout.into(),
            first_byte: self.response_timeout.into(),
            between_bytes: self.idle_timeout.into(),
        }
    }
}

impl LimitFlags {
    /// Each limit and its value, for a person.
    pub(crate) fn in_force(&self, limits: &Limits) -> Vec<(&'static str, String)> {
        let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_owned());
        let mut in_force = vec![
            (
                "--max-streams",
                or(self.max_streams.map(|count| count.to_string()), "number of cores, at least 2"),
            ),
            ("--max-sync", or(self.max_sync.map(|time| time.to_string()), "none")),
        ];
        in_force.extend(limits.in_force());
        in_force
    }
}

fn time(duration: Duration) -> humantime::Duration {
    duration.into()
}
