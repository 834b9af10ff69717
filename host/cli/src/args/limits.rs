//! The flags of limits: sizes, times and counts, each with the engine's default.

use std::num::NonZeroUsize;

use clap::parser::ArgMatches;
use clap::{Arg, Args, Command, FromArgMatches};
use elt_host::limits::{Limit, LimitValue, Limits, Timeouts};

/// The flag of each limit, and its help.
const FLAGS: [(Limit, &str, &str); Limit::ALL.len()] = [
    (Limit::Call, "max-call", "Time that one call may take, waiting included"),
    (Limit::Compute, "max-compute", "Time that one call may compute"),
    (Limit::Memory, "max-memory", "Memory of the connector"),
    (
        Limit::HostMemory,
        "max-host-memory",
        "Memory that the host holds for the connector's requests and their answers",
    ),
    (
        Limit::TotalMemory,
        "max-total-memory",
        "Memory of all streams together; less by default in a container that has less",
    ),
    (Limit::TableElements, "max-table-elements", "Elements of tables of functions"),
    (Limit::Handles, "max-handles", "Open handles to requests, bodies and other resources"),
    (Limit::Instances, "max-instances", "Instances of modules and components that the connector consists of"),
    (Limit::Batch, "max-batch", "Size of a batch of records, or of anything else that one call returns"),
    (Limit::Record, "max-record", "Size of a record"),
    (Limit::Logs, "max-logs", "Log lines that are shown"),
    (
        Limit::Requests,
        "max-requests",
        "Requests in flight at the same time, until their responses have arrived",
    ),
    (Limit::RequestBody, "max-request-body", "Size of the body of a request"),
    (Limit::Response, "max-response", "Size of the body of a response, decompressed"),
    (Limit::ResponseEncoded, "max-response-encoded", "Size of the body of a response, as received"),
    (Limit::Headers, "max-headers", "Size of the head of a request or response"),
    (Limit::Component, "max-component", "Size of the component"),
    (Limit::Compile, "max-compile", "Time to compile the component"),
    (Limit::CompileMemory, "max-compile-memory", "Memory to compile the component"),
];

/// The name of the flag that sets `limit`, without its dashes.
pub(crate) fn flag(limit: Limit) -> &'static str {
    FLAGS.iter().find(|(known, ..)| *known == limit).map_or("", |(_, flag, _)| flag)
}

/// How much one instance of a connector may use. Each stream is read by an instance of its own
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Streams that are read at the same time [default: the number of cores, at least 2]
    #[arg(long, value_name = "COUNT", global = true)]
    pub(crate) max_streams: Option<NonZeroUsize>,

    /// Time that a whole read may take; its last states are kept [default: no limit]
    #[arg(long, value_name = "TIME", global = true)]
    pub(crate) max_sync: Option<humantime::Duration>,

    #[command(flatten)]
    engine: EngineLimits,

    /// Time to resolve a name, connect and shake hands
    #[arg(long, value_name = "TIME", global = true, default_value_t = Timeouts::default().connect.into())]
    connect_timeout: humantime::Duration,

    /// Time from a request to the head of its response; a connector may ask for less
    #[arg(long, value_name = "TIME", global = true, default_value_t = Timeouts::default().first_byte.into())]
    response_timeout: humantime::Duration,

    /// Time between two parts of a body; a connector may ask for less
    #[arg(long, value_name = "TIME", global = true, default_value_t = Timeouts::default().between_bytes.into())]
    idle_timeout: humantime::Duration,
}

impl LimitFlags {
    /// The limits as the engine takes them.
    pub(crate) fn limits(&self) -> Limits {
        let timeouts = Timeouts {
            connect: self.connect_timeout.into(),
            first_byte: self.response_timeout.into(),
            between_bytes: self.idle_timeout.into(),
        };
        Limits { timeouts, ..self.engine.0.clone() }
    }

    /// Each limit as its flag and its value, for a person.
    pub(crate) fn in_force(&self, limits: &Limits) -> Vec<(String, String)> {
        let streams = self.max_streams.map(|count| count.to_string());
        let sync = self.max_sync.map(|time| time.to_string());
        let mut in_force = vec![
            ("--max-streams".to_owned(), streams.unwrap_or_else(|| "number of cores, at least 2".to_owned())),
            ("--max-sync".to_owned(), sync.unwrap_or_else(|| "none".to_owned())),
        ];
        let value = |limit: &Limit| (format!("--{}", flag(*limit)), limit.value(limits).to_string());
        in_force.extend(Limit::ALL.iter().map(value));
        in_force
    }
}

/// All limits of the engine, each by its flag.
#[derive(Debug)]
struct EngineLimits(Limits);

/// The limits that matter when a component is only compiled.
#[derive(Debug)]
pub(crate) struct CompileLimits(pub(crate) Limits);

const COMPILING: [Limit; 4] = [Limit::Instances, Limit::Component, Limit::Compile, Limit::CompileMemory];

/// The flag of a limit. The text of its value is checked, and read by [`read`].
fn arg(limit: Limit) -> Arg {
    let value = limit.value(&Limits::default());
    let kind = match value {
        LimitValue::Bytes(_) => "SIZE",
        LimitValue::Count(_) => "COUNT",
        LimitValue::Time(_) => "TIME",
    };
    let help = FLAGS.iter().find(|(known, ..)| *known == limit).map_or("", |(.., help)| help);
    let check = move |text: &str| limit.set(&mut Limits::default(), text).map(|()| text.to_owned());
    Arg::new(flag(limit))
        .long(flag(limit))
        .value_name(kind)
        .help(help)
        // clap keeps texts as long as the process lives.
        .default_value(&*value.to_string().leak())
        .value_parser(check)
}

fn read(limits: &[Limit], matches: &ArgMatches) -> Limits {
    let mut read = Limits::default();
    for limit in limits {
        if let Some(text) = matches.get_one::<String>(flag(*limit)) {
            // It was checked by the parser of the flag.
            let _ = limit.set(&mut read, text);
        }
    }
    read
}

/// Adds the flags of some limits to a command line, in place of a derived implementation.
macro_rules! limit_args {
    ($name:ident, $limits:expr, $global:expr) => {
        impl Args for $name {
            fn augment_args(command: Command) -> Command {
                command.args($limits.iter().map(|limit| arg(*limit).global($global)))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(read($limits, matches)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

limit_args!(EngineLimits, Limit::ALL, true);
limit_args!(CompileLimits, &COMPILING, false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_flag() {
        assert!(Limit::ALL.iter().all(|limit| !flag(*limit).is_empty()));
    }
}
