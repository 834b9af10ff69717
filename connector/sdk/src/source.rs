//! What a source is: its facts, its config and its API. [`crate::connector::Connector`] does the
//! rest.

use std::rc::Rc;

use time::Timestamp;

use crate::{api::Api, cursor::TimeRange, error::Result, http::Request, retry::RetryPolicy, stream::Stream};

/// What a source says about itself before it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Specification {
    /// Short name.
    pub name: &'static str,
    /// Semver.
    pub version: &'static str,
    /// JSON Schema of the config.
    pub config_schema: &'static str,
    /// A page for the person who configures it.
    pub documentation_url: &'static str,
    /// Hosts it asks to reach. `${field}` stands for a property of the config.
    pub allowed_hosts: &'static [&'static str],
}

/// What the SDK must know of a config.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The part of each stream that is read.
    pub range: TimeRange,
    /// The most requests in flight.
    pub concurrency: usize,
    /// How long a request is retried.
    pub retry: RetryPolicy,
}

/// How a config is tried.
#[derive(Debug)]
pub struct Check {
    /// The request that shows whether the API accepts the config.
    pub request: Request,
    /// Returns whether the body of a complete response is the API's own.
    pub is_own: fn(&[u8]) -> bool,
    /// The error if it is not.
    pub not_own: String,
    /// What to look at in the config if the API is not there.
    pub hint: String,
    /// What to look at in the config if an outage lasts.
    pub hint_in_outage: Option<String>,
}

/// A source of records.
pub trait Source: 'static {
    /// The parsed config.
    type Config: 'static;

    /// The table of streams, in the order in which they are discovered.
    const STREAMS: &'static [&'static Stream<Self::Config>];

    /// The schemas: the name that rows and `$ref` use, and the JSON text.
    const SCHEMAS: &'static [(&'static str, &'static str)];

    /// Describes the source.
    fn specification() -> Specification;

    /// Parses a config.
    ///
    /// # Errors
    /// A config error that names the property.
    fn config(text: &str, now: Timestamp) -> Result<Self::Config>;

    /// Returns what the SDK must know of a config.
    fn settings(config: &Self::Config) -> Settings;

    /// Returns the API, as this config reaches it.
    fn api(config: Rc<Self::Config>) -> Rc<dyn Api<Self::Config>>;

    /// Returns how this config is tried.
    fn check(config: &Self::Config) -> Check;
}
