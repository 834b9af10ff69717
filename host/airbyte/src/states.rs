//! Parses the states of an earlier sync, in any of the forms that clients write.
//!
//! The forms, each seen from a real client: a list of Airbyte's state messages (per stream, global,
//! legacy; with nulls for absent fields), a single one, the same in the camel case of Airbyte's
//! API, the envelope in which that API holds them, and the legacy object of stream names. The
//! fields decide which form it is, not `type`.

mod forms;
mod problem;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use elt_host::types::{JsonObject, Stream};
use elt_host::{Error, Result};
use serde_json::value::RawValue;

use self::problem::Problem;
use crate::file;
use crate::message::StreamDescriptor;

/// By Airbyte's convention, the state of a stream that has none. Also the state that a stream emits
/// if it has emitted no other.
const NO_CURSOR: &str = "__ab_no_cursor_state_message";
/// Written by sources that resume full refreshes when one is complete: the next one starts afresh.
const FULL_REFRESH_COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// The states of the streams of a source.
#[derive(Clone, Debug, Default)]
pub struct States {
    states: HashMap<StreamDescriptor, JsonObject>,
    /// Every stream that the text names, whether it has a state or not.
    named: BTreeSet<String>,
    /// Entries of a legacy object that are not states, by stream, and what they are instead. A
    /// legacy object has only names, so only the connector's streams tell whether this is a mistake
    /// or another program's format.
    odd: BTreeMap<String, &'static str>,
}

impl States {
    /// Reads the file at `path`. An empty one holds no states.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or understood.
    pub fn load(path: &Path) -> Result<Self> {
        let text = file::load("the state file", path)?;
        parse(&text, &format!("the state file {}", path.display()))
    }

    /// Reads a file that will be written again, so all of it must be understood.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read, or not everything in it is understood.
    pub(crate) fn load_whole(path: &Path) -> Result<Self> {
        let states = Self::load(path)?;
        match states.odd.first_key_value() {
            Some((name, kind)) => {
                let what = format!("the state file {}", path.display());
                Err(not_understood(&what, &Problem::odd(name, kind)))
            }
            None => Ok(states),
        }
    }

    /// Parses the text of a state file. What the text alone cannot decide,
    /// [`recognize`](Self::recognize) does.
    ///
    /// # Errors
    ///
    /// A config error if it is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text, "the state")
    }

    /// The state of one stream.
    pub fn of(&self, stream: &StreamDescriptor) -> Option<&JsonObject> {
        self.states.get(stream)
    }

    /// Compares the names with the streams of the connector. Returns a warning if none of them is
    /// one: then no state is used, and the user should know.
    ///
    /// # Errors
    ///
    /// A config error if a stream has something else than a state.
    pub fn recognize(&self, available: &[Stream]) -> Result<Option<String>> {
        let is_known = |name: &String| available.iter().any(|stream| stream.name == *name);
        if let Some((name, kind)) = self.odd.iter().find(|(name, _)| is_known(name)) {
            return Err(not_understood("the state", &Problem::odd(name, kind)));
        }
        if self.named.is_empty() || self.named.iter().any(is_known) {
            return Ok(None);
        }
        let names: Vec<_> = self.named.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        Ok(Some(format!(
            "nothing in the state was understood, so everything is read from the start: it names {}, and the \
             connector has no such stream",
            names.join(", ")
        )))
    }

    /// Every state, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamDescriptor, &JsonObject)> {
        self.states.iter()
    }

    /// Whether there are states of streams of this name, but none in its namespace.
    pub(crate) fn are_elsewhere(&self, stream: &StreamDescriptor) -> bool {
        self.of(stream).is_none() && self.states.keys().any(|other| other.name == stream.name)
    }

    /// The state of a stream that has none.
    pub(crate) fn none() -> JsonObject {
        JsonObject::flag(NO_CURSOR)
    }
}

/// Names that a warning shows at most.
const NAMED: usize = 5;

fn parse(text: &str, what: &str) -> Result<States> {
    let mut states = States::default();
    if text.trim().is_empty() {
        return Ok(states);
    }
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|error| Error::config(format!("{what} is not valid JSON: {error}")))?;
    forms::collect(value, &mut states).map_err(|problem| not_understood(what, &problem))?;
    Ok(states)
}

fn not_understood(what: &str, problem: &Problem) -> Error {
    Error::config(format!("{what} is not understood: {problem}"))
        .with_hint("without a state, everything is read again")
}

impl States {
    /// Notes a state, unless it says that there is none. A later state of the same stream replaces
    /// it.
    fn insert(&mut self, stream: StreamDescriptor, state: Option<JsonObject>) {
        self.named.insert(stream.name.clone());
        match state {
            Some(state) if !says_nothing(&state) => self.states.insert(stream, state),
            _ => self.states.remove(&stream),
        };
    }
}

/// Whether this is one of the states by which Airbyte's sources and clients say that there is no
/// state.
fn says_nothing(state: &JsonObject) -> bool {
    state.as_str() == "{}"
        || [NO_CURSOR, FULL_REFRESH_COMPLETE].iter().any(|reserved| *state == JsonObject::flag(reserved))
}

#[cfg(test)]
mod tests;
