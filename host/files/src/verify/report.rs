//! What a comparison has found.

use std::collections::BTreeMap;

use elt_airbyte::StreamDescriptor;
use serde::Serialize;

/// Keys of each kind that are kept as examples.
const EXAMPLES: usize = 10;

/// What was found, by stream, in the order in which they were read to their end.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The streams that were compared.
    pub streams: Vec<Comparison>,
}

/// What was found in one stream.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Its name, after its namespace and a dot if it has one.
    pub stream: String,
    /// Records of the source.
    pub source: u64,
    /// Records of the folder: the newest row of each key, but for those that were deleted.
    pub folder: u64,
    /// Records that the folder lacks.
    pub missing: Found,
    /// Records that only the folder has.
    pub surplus: Found,
    /// Records that are not the same.
    pub different: Found,
    /// In how many of those each field differs.
    pub fields: BTreeMap<String, u64>,
}

/// Records of one kind.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// How many there are.
    pub count: u64,
    /// The keys of some of them, as JSON lists.
    pub examples: Vec<String>,
}

impl Report {
    /// Whether there is no difference.
    pub fn is_equal(&self) -> bool {
        self.streams.iter().all(Comparison::is_equal)
    }
}

impl Comparison {
    pub(super) fn of(stream: &StreamDescriptor) -> Self {
        let names = stream.namespace.iter().chain([&stream.name]).cloned().collect::<Vec<_>>();
        Self {
            stream: names.join("."),
            source: 0,
            folder: 0,
            missing: Found::default(),
            surplus: Found::default(),
            different: Found::default(),
            fields: BTreeMap::new(),
        }
    }

    /// Whether there is no difference.
    pub fn is_equal(&self) -> bool {
        [&self.missing, &self.surplus, &self.different].iter().all(|found| found.count == 0)
    }

    pub(super) fn lacks(&mut self, key: String) {
        self.missing.add(key);
    }

    pub(super) fn exceeds(&mut self, key: String) {
        self.surplus.add(key);
    }

    pub(super) fn differs(&mut self, key: String, fields: Vec<String>) {
        self.different.add(key);
        for field in fields {
            *self.fields.entry(field).or_default() += 1;
        }
    }
}

impl Found {
    fn add(&mut self, key: String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(key);
        }
    }
}
