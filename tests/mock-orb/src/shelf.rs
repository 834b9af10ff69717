//! Keeps records in list order, and returns ranges of them newest first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::field::lookup;

/// A row's place in its list: by date, then by order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) at: Timestamp,
    /// Unique within a shelf, and at least 1.
    pub(crate) sequence: u64,
}

/// The content of a row.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// The generated record with this index, written on request.
    Generated(u64),
    /// The text of a record that was stored or changed.
    Written(Box<str>),
}

impl Row {
    /// Whether this is what is left of a customer under deletion.
    pub(crate) fn is_stub(&self) -> bool {
        match self {
            Row::Written(text) => lookup(text, &["deleted"]).as_deref() == Some("true"),
            Row::Generated(_) => false,
        }
    }
}

/// One list of records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    rows: BTreeMap<Key, Row>,
    keys: HashMap<Box<str>, Key>,
    /// The keys of all written rows, and perhaps of some that are gone.
    written: BTreeSet<Key>,
    newest_sequence: u64,
}

impl Shelf {
    /// A shelf of the generated records `0..count`, not yet indexed by identifier.
    pub(crate) fn generated(count: u64, date: impl Fn(u64) -> Timestamp) -> Shelf {
        let row = |index: u64| (Key { at: date(index), sequence: index + 1 }, Row::Generated(index));
        Shelf { rows: (0..count).map(row).collect(), newest_sequence: count, ..Shelf::default() }
    }

    /// Indexes the generated records by identifier.
    pub(crate) fn indexed(mut self, id: impl Fn(u64) -> String) -> Shelf {
        let generated = self.rows.iter().filter_map(|(key, row)| match row {
            Row::Generated(index) => Some((id(*index).into_boxed_str(), *key)),
            Row::Written(_) => None,
        });
        self.keys.extend(generated);
        self
    }

    /// Inserts a record as the newest of its date, or at the given sequence number if that is free.
    /// Replaces any record with the same identifier.
    pub(crate) fn insert(&mut self, id: &str, at: Timestamp, sequence: Option<u64>, text: String) {
        self.remove(id);
        let mut key = Key { at, sequence: sequence.unwrap_or(0) };
        if key.sequence == 0 || self.rows.contains_key(&key) {
            key.sequence = self.newest_sequence + 1;
        }
        self.newest_sequence = self.newest_sequence.max(key.sequence);
        self.rewrite(key, text);
        self.keys.insert(id.into(), key);
    }

    /// Changes a record in place.
    pub(crate) fn rewrite(&mut self, key: Key, text: String) {
        self.written.insert(key);
        self.rows.insert(key, Row::Written(text.into_boxed_str()));
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.keys.remove(id).is_some_and(|key| self.rows.remove(&key).is_some())
    }

    pub(crate) fn find(&self, id: &str) -> Option<(Key, &Row)> {
        let key = *self.keys.get(id)?;
        Some((key, self.rows.get(&key)?))
    }

    /// The texts of the records that were stored or changed.
    pub(crate) fn written(&self) -> impl Iterator<Item = &str> {
        let text = |key| match self.rows.get(key) {
            Some(Row::Written(text)) => Some(&**text),
            _ => None,
        };
        self.written.iter().filter_map(text)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn newest_sequence(&self) -> u64 {
        self.newest_sequence
    }

    /// All rows from `oldest` to `newest`, both inclusive, newest first.
    pub(crate) fn newest_first(&self, oldest: Key, newest: Key) -> impl Iterator<Item = (Key, &Row)> {
        // An empty range gives an empty list; `BTreeMap::range` would panic.
        let range = (oldest <= newest).then(|| self.rows.range(oldest..=newest).rev());
        range.into_iter().flatten().map(|(key, row)| (*key, row))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Key, &Row)> {
        self.newest_first(Key::OLDEST, Key::NEWEST)
    }
}

impl Key {
    pub(crate) const OLDEST: Key = Key { at: Timestamp::MIN, sequence: 0 };
    pub(crate) const NEWEST: Key = Key { at: Timestamp::MAX, sequence: u64::MAX };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(shelf: &Shelf) -> Vec<&str> {
        shelf.all().map(|(_, row)| if let Row::Written(text) = row { text } else { "generated" }).collect()
    }

    #[test]
    fn equal_dates_are_ordered_by_arrival_newest_first() {
        let at = Timestamp::UNIX_EPOCH;
        let mut shelf = Shelf::generated(1, |_| at).indexed(|_| "zero".to_owned());
        shelf.insert("a", at, None, "a".to_owned());
        shelf.insert("b", at, None, "b".to_owned());
        assert_eq!(texts(&shelf), ["b", "a", "generated"]);
        shelf.insert("zero", at, None, "moved".to_owned());
        assert_eq!(texts(&shelf), ["moved", "b", "a"]);
        assert!(shelf.remove("b") && !shelf.remove("b"));
        assert_eq!(texts(&shelf), ["moved", "a"]);
    }

    #[test]
    fn an_inverted_range_is_empty() {
        let shelf = Shelf::generated(3, |_| Timestamp::UNIX_EPOCH);
        assert_eq!(shelf.newest_first(Key::NEWEST, Key::OLDEST).count(), 0);
        assert_eq!(shelf.all().count(), 3);
    }
}
