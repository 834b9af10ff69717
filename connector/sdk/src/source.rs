//! Defines a source: its facts, its config and its API. [`crate::connector::Connector`] does the
//! rest.

use std::rc::Rc;

use json_text::Json;

use crate::{
    api::Api, cursor::TimeRange, error, http::Request, log::Level, problem::Problem, retry::RetryPolicy,
    stream::Stream,
};

/// The default number of requests in flight: enough to hide the latency of most servers, and below
/// the rate limits of most.
const CONCURRENCY: usize = 4;

/// How many minutes a request is retried by default. Restarts and failovers take less. For longer
/// outages, the platform runs the sync again.
pub const RETRY_MINUTES: u64 = 5;

/// Describes a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Specification {
    /// Short name.
    pub name: &'static str,
    /// The version, by semver.
    pub version: &'static str,
    /// JSON Schema of the config.
    pub config_schema: &'static str,
    /// The address of the user documentation.
    pub documentation_url: &'static str,
    /// Hosts that the source needs to reach. `${field}` stands for a property of the config.
    pub allowed_hosts: &'static [&'static str],
}

/// What the SDK must know about a config.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The time range to read of each stream.
    pub range: TimeRange,
    /// The most requests in flight.
    pub concurrency: usize,
    /// How long a request is retried.
    pub retry: RetryPolicy,
}

impl Settings {
    /// Creates the usual settings for a time range: four requests in flight, and retries for five
    /// minutes.
    pub fn usual(range: TimeRange) -> Self {
        Self { range, concurrency: CONCURRENCY, retry: RetryPolicy::read(RETRY_MINUTES) }
    }
}

/// How to check a config.
#[derive(Debug)]
pub struct Check {
    /// The request that shows whether the API accepts the config.
    pub request: Request,
    /// Returns whether the body of a complete response comes from the API.
    pub is_own: fn(&[u8]) -> bool,
    /// The error if it is not.
    pub not_own: String,
    /// What to check in the config if the API is not found.
    pub hint: String,
    /// What to check in the config if an outage lasts.
    pub hint_in_outage: Option<String>,
    /// What the log should say of something that the config wants and that the API may not have.
    pub probe: Option<Probe>,
}

/// What a probe finds, as a line of the log.
pub type Finding = (Level, String);

/// A request whose result is logged, and that cannot fail a check.
#[derive(Debug)]
pub struct Probe {
    /// The request.
    pub request: Request,
    /// Returns what a complete response says, and whether that is a warning.
    pub finding: fn(&[u8]) -> Result<Finding, Problem>,
    /// The words before the reason why there is none.
    pub otherwise: &'static str,
}

impl Check {
    /// Creates the usual check: the API answers with JSON or an empty body. `api` is what the
    /// server should be, such as "the library", and `property` the config's property that holds its
    /// address.
    pub fn usual(request: Request, api: &str, property: &str) -> Self {
        Self {
            request,
            is_own: is_json,
            not_own: format!("the server at {property} is not {api}"),
            hint: format!("check {property}"),
            hint_in_outage: Some(format!("check {property}")),
            probe: None,
        }
    }
}

/// Returns whether a body is JSON, or empty.
pub fn is_json(body: &[u8]) -> bool {
    str::from_utf8(body).is_ok_and(|text| text.is_empty() || Json::parse(text).is_ok())
}

/// A source of records.
pub trait Source: 'static {
    /// The parsed config.
    type Config: 'static;

    /// The table of streams, in the order in which they are discovered.
    const STREAMS: &'static [&'static Stream<Self::Config>];

    /// The groups of streams that are read when the user selects no streams. Empty for all.
    const DEFAULT_GROUPS: &'static [&'static str] = &[];

    /// The schemas: the name that rows and `$ref` use, and the JSON text.
    const SCHEMAS: &'static [(&'static str, &'static str)];

    /// Describes the source.
    fn specification() -> Specification;

    /// Parses a config. [`Properties`](crate::properties::Properties) reads it by type.
    ///
    /// # Errors
    /// A config error that names the property.
    fn config(text: &str) -> error::Result<Self::Config>;

    /// Returns what the SDK must know about a config.
    fn settings(config: &Self::Config) -> Settings;

    /// Returns the API for a config.
    fn api(config: Rc<Self::Config>) -> Rc<dyn Api<Self::Config>>;

    /// Returns how to check a config.
    fn check(config: &Self::Config) -> Check;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_answers_a_check_with_json_or_nothing() {
        for own in ["", "{}", "[1]", " null "] {
            assert!(is_json(own.as_bytes()), "{own}");
        }
        for other in [&b"<html>"[..], b"pong", b"{", b"\"\xff\""] {
            assert!(!is_json(other), "{other:?}");
        }
    }
}
