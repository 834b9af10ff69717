//! What a destination holds: the records of all batches that a saved state covers.

use std::collections::HashMap;

use serde_json::Value;

use crate::stream::Simulated;
use crate::subject::nanoseconds;

/// Records by key: the version that was written last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Union {
    written: HashMap<String, String>,
    /// What no state covers yet, in order.
    pending: Vec<(String, String)>,
}

/// The version of what is gone.
pub(crate) const GONE: &str = "gone";

/// The key and the version of a record.
pub(crate) fn read(row: &Simulated, record: &str) -> Option<(String, String)> {
    let value: Value = serde_json::from_str(record).ok()?;
    let part = |field: &&str| {
        let text = match value.get(*field)? {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        // However it is spelled.
        let instant = text.parse::<jiff::Timestamp>().ok().filter(|_| *field == "timeframe_start");
        Some(instant.map_or(text, |instant| nanoseconds(instant).to_string()))
    };
    let key: Option<Vec<String>> = row.key.iter().map(part).collect();
    let version = if row.is_reference() {
        record.to_owned()
    } else if value.get("deleted") == Some(&Value::Bool(true)) {
        GONE.to_owned()
    } else {
        match value.pointer(row.version)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    };
    Some((key?.join("/"), version))
}

impl Union {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn insert(&mut self, key: String, version: String) {
        self.pending.push((key, version));
    }

    /// A state covers everything so far.
    pub(crate) fn commit(&mut self) {
        self.written.extend(self.pending.drain(..));
    }

    /// A record that no state covers, and would be read twice.
    pub(crate) fn uncovered(&self) -> Option<String> {
        let (key, _) = self.pending.first()?;
        Some(format!("{} records are after the last state, from {key} on", self.pending.len()))
    }

    /// What no state covers is lost with the process.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn version(&self, key: &str) -> Option<&str> {
        self.written.get(key).map(String::as_str)
    }
}
