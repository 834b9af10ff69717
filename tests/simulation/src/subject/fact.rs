//! What is true of a record, through time.

use crate::world::Time;

/// A version of a record, from an instant on.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) from: Time,
    pub(crate) text: String,
    /// Whether the list has it, if it is asked for as the stream does.
    pub(crate) is_listed: bool,
    /// Whether the stream emits it.
    pub(crate) is_shown: bool,
    /// Whether it will not change any more, as far as the stream knows.
    pub(crate) is_settled: bool,
    /// Whether a backfill says that it changed.
    pub(crate) is_announced: bool,
}

/// A record, through time.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) key: String,
    /// Its place in the stream.
    pub(crate) at: Time,
    pub(crate) parent: Option<usize>,
    pub(crate) versions: Vec<Version>,
    /// Another connector has passed it.
    pub(crate) is_passed: bool,
    pub(super) id: String,
    pub(super) number: u32,
    pub(super) status: u8,
}

impl Fact {
    /// The versions between two instants, both included.
    pub(crate) fn between(&self, from: Time, until: Time) -> &[Version] {
        let first = self.versions.iter().rposition(|version| version.from <= from);
        let end = self.versions.partition_point(|version| version.from <= until);
        first.filter(|first| *first < end).map_or(&[], |first| &self.versions[first..end])
    }

    /// Whether a state names it, as one that will be looked at.
    pub(crate) fn is_named(&self, state: &str) -> bool {
        state.contains(&format!("\"{}\":", self.id))
    }

    /// How often it changed between two instants. To appear is no change.
    pub(crate) fn changes(&self, from: Time, until: Time) -> usize {
        let later = self.versions.iter().skip(1);
        later.filter(|version| version.from > from && version.from <= until).count()
    }

    /// Whether a backfill has changed it by then.
    pub(crate) fn is_announced(&self, by: Time) -> bool {
        self.versions.iter().any(|version| version.is_announced && version.from <= by)
    }

    /// Whether it is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.number == u32::MAX
    }

    /// Whether the list had the record at any moment between two instants.
    pub(crate) fn was_listed(&self, from: Time, until: Time) -> bool {
        let ends = self.versions.iter().skip(1).map(|next| next.from).chain([Time::MAX]);
        let mut versions = self.versions.iter().zip(ends);
        versions.any(|(version, end)| version.is_listed && version.from <= until && end >= from)
    }
}
