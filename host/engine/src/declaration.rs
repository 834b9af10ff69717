//! Bounds what a connector declares, which are its specification and its streams, before anything
//! else looks at it.
//!
//! An honest connector is far below every bound. What is beyond one is refused and not cut: a name
//! or a schema that was cut would mean something else. A refusal says where and how much, and
//! quotes nothing that is too long.

use std::collections::HashSet;
use std::fmt;

use crate::error::{Error, Result};
use crate::json_object::JsonObject;
use crate::types::{Specification, Stream, SyncMode};
use crate::validation;

/// What is bounded in a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Bytes of a name: of the connector, of a stream, of its group, of a field in a key. Also of
    /// the words that estimate its requests.
    Name,
    /// Bytes of the version of the connector.
    Version,
    /// Bytes of the URL of the documentation.
    Url,
    /// Bytes of a schema, of the config or of a stream.
    Schema,
    /// How deep objects and lists are within each other in a schema.
    Nesting,
    /// Bytes of a host to reach, before fields of the config are filled in.
    Host,
    /// Hosts to reach.
    Hosts,
    /// Streams.
    Streams,
    /// Fields of a primary key.
    KeyFields,
    /// Names that lead to a field of a key, or to a cursor.
    Path,
}

impl Bound {
    /// The most that is accepted.
    ///
    /// Each is a multiple of what is known of connectors for HTTP APIs: the largest of them have
    /// some 1,500 streams, schemas of 150 kB that nest 40 levels deep, and keys of ten fields. A
    /// domain name has 253 bytes at most (RFC 1035), and browsers take URLs of 2,000 bytes.
    pub const fn most(self) -> usize {
        match self {
            Self::Name => 255,
            Self::Version => 100,
            Self::Url => 2_048,
            Self::Schema => 1 << 20,
            Self::Nesting => 100,
            Self::Host => 1_024,
            Self::Hosts => 1_000,
            Self::Streams => 10_000,
            Self::KeyFields => 100,
            Self::Path => 100,
        }
    }

    /// What is counted.
    fn unit(self) -> &'static str {
        match self {
            Self::Name | Self::Version | Self::Url | Self::Schema | Self::Host => "bytes",
            Self::Nesting => "levels",
            Self::Hosts => "hosts",
            Self::Streams => "streams",
            Self::KeyFields => "fields",
            Self::Path => "names",
        }
    }
}

/// What is wrong with a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// It is more than is accepted.
    Excess { what: String, is: usize, bound: Bound },
    /// A stream cannot be told from others, or cannot be read.
    Stream(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excess { what, is, bound } => {
                let (most, unit) = (bound.most(), bound.unit());
                write!(
                    f,
                    "the connector declares {what} of {is} {unit}, and {most} is the most that is accepted"
                )
            }
            Self::Stream(problem) => write!(f, "the connector has a stream that {problem}"),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::system(problem.to_string())
    }
}

fn within(bound: Bound, is: usize, what: impl FnOnce() -> String) -> Result<(), Problem> {
    if is > bound.most() { Err(Problem::Excess { what: what(), is, bound }) } else { Ok(()) }
}

/// Accepts a specification as a connector returned it.
///
/// # Errors
///
/// A system error if it is not one, or more than is accepted.
pub(crate) fn specification(declared: impl TryInto<Specification, Error = Error>) -> Result<Specification> {
    let specification: Specification = declared.try_into()?;
    let Specification { name, version, documentation_url, allowed_hosts, .. } = &specification;
    within(Bound::Name, name.len(), || "a name".to_owned())?;
    within(Bound::Version, version.len(), || "a version".to_owned())?;
    let url = documentation_url.as_ref().map_or(0, String::len);
    within(Bound::Url, url, || "a URL of its documentation".to_owned())?;
    within(Bound::Hosts, allowed_hosts.len(), || "a list".to_owned())?;
    for (index, host) in allowed_hosts.iter().enumerate() {
        within(Bound::Host, host.len(), || format!("a host (number {})", index + 1))?;
    }
    validation::check_schema(&specification)?;
    Ok(specification)
}

/// Accepts streams as a connector returned them.
///
/// # Errors
///
/// A system error if they are not streams, cannot be told apart, or are more than is accepted.
pub(crate) fn streams<S: TryInto<Stream, Error = Error>>(declared: Vec<S>) -> Result<Vec<Stream>> {
    within(Bound::Streams, declared.len(), || "a list".to_owned())?;
    let streams = declared
        .into_iter()
        .map(|stream| {
            let mut stream = stream.try_into()?;
            check(&stream)?;
            // Each mode counts once, however often it is said.
            let modes = [SyncMode::FullRefresh, SyncMode::Incremental];
            stream.supported_sync_modes =
                modes.into_iter().filter(|mode| stream.supported_sync_modes.contains(mode)).collect();
            Ok(stream)
        })
        .collect::<Result<Vec<_>>>()?;
    distinct(&streams)?;
    Ok(streams)
}

fn check(stream: &Stream) -> Result<(), Problem> {
    let Stream { name, primary_key, cursor_field, group, requests, .. } = stream;
    let path = |path: &[String], what: &str| {
        within(Bound::Path, path.len(), || format!("{what} of the stream `{name}` with a path"))?;
        let longest = path.iter().map(String::len).max().unwrap_or_default();
        within(Bound::Name, longest, || format!("{what} of the stream `{name}` with a name"))
    };
    for (text, what) in [(group, "a group"), (requests, "an estimate of requests")] {
        let length = text.as_ref().map_or(0, String::len);
        within(Bound::Name, length, || format!("{what} of the stream `{name}`"))?;
    }
    within(Bound::KeyFields, primary_key.len(), || format!("a primary key of the stream `{name}`"))?;
    primary_key.iter().try_for_each(|field| path(field, "a primary key"))?;
    path(cursor_field, "a cursor")
}

/// Checks that streams can be told apart, and read at all.
fn distinct(streams: &[Stream]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for Stream { name, supported_sync_modes, .. } in streams {
        let problem = if name.is_empty() {
            "has no name".to_owned()
        } else if supported_sync_modes.is_empty() {
            format!("is called `{name}` and can be read in no sync mode")
        } else if !seen.insert(name) {
            format!("is called `{name}` like another")
        } else {
            continue;
        };
        return Err(Problem::Stream(problem));
    }
    Ok(())
}

/// What to call the schema of the stream `name` in errors.
///
/// # Errors
///
/// A system error if the name is longer than is accepted.
pub(crate) fn schema_of(name: &str) -> Result<String> {
    within(Bound::Name, name.len(), || "a stream with a name".to_owned())?;
    Ok(format!("the schema of the stream `{name}`"))
}

/// Accepts a schema as a connector returned it. `what` it is, such as "the config schema", is
/// for errors.
///
/// # Errors
///
/// A system error if it is no JSON object, or more than is accepted.
pub(crate) fn schema(what: &str, text: &str) -> Result<JsonObject> {
    within(Bound::Schema, text.len(), || what.to_owned())?;
    within(Bound::Nesting, nesting(text), || what.to_owned())?;
    JsonObject::returned(what, text)
}

/// How deep objects and lists are within each other in a JSON text, valid or not.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
