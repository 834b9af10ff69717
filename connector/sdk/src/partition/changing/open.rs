//! The open objects of a stream, and what was emitted of them.

use std::collections::BTreeMap;

use time::Timestamp;

use crate::record::{Digest, Origin, Record};

/// The most open objects that a state remembers. It then has some 300 kB.
pub(super) const MAX_REMEMBERED: usize = 6_000;

/// The open objects that are known.
#[derive(Debug)]
pub(super) struct OpenObjects {
    known: BTreeMap<String, Known>,
    /// The position of the oldest object that is looked at.
    oldest: Timestamp,
}

#[derive(Debug)]
struct Known {
    /// The digest as it was emitted. `None` if it was not.
    emitted: Option<Digest>,
    /// `None` if no response of this read had it.
    position: Option<Timestamp>,
}

impl OpenObjects {
    /// Creates the objects that a state remembers. Those before `oldest` are forgotten.
    pub(super) fn new(remembered: BTreeMap<String, Option<Digest>>, oldest: Timestamp) -> Self {
        let known = |(id, emitted)| (id, Known { emitted, position: None });
        Self { known: remembered.into_iter().map(known).collect(), oldest }
    }

    /// Returns the identifiers of all.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        self.known.keys().cloned()
    }

    /// Notes an object as it is now. Returns whether to emit its records: not if it is open and was
    /// emitted as it is.
    pub(super) fn see(&mut self, origin: &Origin, record: &Record) -> bool {
        let is_recent = record.position.is_none_or(|position| position >= self.oldest);
        let Some(digest) = origin.open.filter(|_| is_recent) else {
            self.known.remove(&origin.id);
            return true;
        };
        let emitted = (!record.withheld).then_some(digest);
        let known = Known { emitted, position: record.position };
        let before = self.known.insert(origin.id.clone(), known);
        before.is_none_or(|before| before.emitted != Some(digest))
    }

    /// Forgets an object. Returns whether it may have been emitted.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.known.remove(id).is_none_or(|known| known.emitted.is_some())
    }

    /// Returns what the state remembers. If there are too many, those are left out that come last
    /// in the list: also returns the position of the first of them, at which the cursor has to
    /// stay, and their number.
    pub(super) fn remember(&self) -> (BTreeMap<String, Option<Digest>>, Option<(Timestamp, usize)>) {
        let mut known: Vec<_> = self.known.iter().collect();
        let mut held = None;
        if let Some(left_out) = known.len().checked_sub(MAX_REMEMBERED).filter(|count| *count > 0) {
            known.sort_by_key(|(_, known)| known.position);
            held = known[MAX_REMEMBERED].1.position.map(|position| (position, left_out));
            known.truncate(MAX_REMEMBERED);
        }
        (known.into_iter().map(|(id, known)| (id.clone(), known.emitted)).collect(), held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::record_at;

    fn see(open: &mut OpenObjects, id: usize, at: &str, text: &str) -> bool {
        let origin = Origin { id: format!("{id:05}"), open: Some(Digest::of(text)), is_deleted: false };
        open.see(&origin, &record_at(at))
    }

    fn since(at: &str) -> OpenObjects {
        OpenObjects::new(BTreeMap::new(), record_at(at).position.unwrap())
    }

    #[test]
    fn an_object_is_emitted_again_once_it_changed() {
        let mut open = since("2024-01-01T00:00:00Z");
        let at = "2024-02-01T00:00:00Z";
        let seen: Vec<bool> = ["a", "a", "b", "b", "a"].map(|text| see(&mut open, 1, at, text)).into();
        assert_eq!(seen, [true, false, true, false, true]);
        let (remembered, held) = open.remember();
        assert_eq!((remembered["00001"], held), (Some(Digest::of("a")), None));
    }

    #[test]
    fn what_was_not_emitted_is_remembered_and_emitted_as_soon_as_it_may_be() {
        let mut open = since("2024-01-01T00:00:00Z");
        let origin = Origin { id: "x".into(), open: Some(Digest::of("a")), is_deleted: false };
        let draft = Record { withheld: true, ..record_at("2024-02-01T00:00:00Z") };
        open.see(&origin, &draft);
        assert_eq!(open.remember().0["x"], None);
        assert!(open.see(&origin, &record_at("2024-02-01T00:00:00Z")));
        assert!(open.remove("x"));
        open.see(&origin, &draft);
        assert!(!open.remove("x"));
    }

    #[test]
    fn what_is_too_old_is_emitted_and_forgotten() {
        let mut open = since("2024-03-01T00:00:00Z");
        for _ in 0..2 {
            assert!(see(&mut open, 1, "2024-02-01T00:00:00Z", "a"));
        }
        assert!(open.remember().0.is_empty());
    }

    #[test]
    fn the_newest_of_too_many_hold_the_cursor() {
        let mut open = since("2024-01-01T00:00:00Z");
        for number in 0..MAX_REMEMBERED + 3 {
            // The later ones are older.
            let day = if number < 3 { 20 } else { 10 };
            see(&mut open, number, &format!("2024-02-{day}T00:00:00Z"), "a");
        }
        let (remembered, held) = open.remember();
        assert_eq!(remembered.len(), MAX_REMEMBERED);
        assert!(!remembered.contains_key("00000") && remembered.contains_key("00003"));
        assert_eq!(held, Some((record_at("2024-02-20T00:00:00Z").position.unwrap(), 3)));
    }
}
