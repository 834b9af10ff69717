//! What a source can do, in the words of the contract but without its generated types.

use crate::{error::Result, platform::Platform, reader::Reader, stream::Stream};

/// What a source says of itself before it is configured.
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
    /// Hosts it wants to reach; `${field}` stands for a property of the config.
    pub allowed_hosts: &'static [&'static str],
}

/// A stream as a config makes it.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// The facts of the stream.
    pub stream: &'static Stream,
    /// JSON Schema of its records.
    pub schema: String,
    /// Top-level fields that identify a record.
    pub primary_key: Vec<String>,
}

/// A source of records.
pub trait Source: Sized + 'static {
    /// The source, seen through the given seams.
    fn new(platform: Platform) -> Self;

    /// What it says of itself.
    fn specification(&self) -> Specification;

    /// Tries whether the source can be reached with this config.
    ///
    /// # Errors
    /// If the config is not understood, or the source does not answer as it should.
    fn check(&self, config: &str) -> impl Future<Output = Result<()>>;

    /// The streams that can be read with this config.
    ///
    /// # Errors
    /// If the config is not understood.
    fn discover(&self, config: &str) -> Result<Vec<Discovered>>;

    /// Prepares to read a stream, continuing from `state`.
    ///
    /// # Errors
    /// If the config, the stream or the state is not understood.
    fn read(&self, config: &str, stream: &str, state: Option<&str>) -> Result<Reader>;
}
