//! The objects of a stream that are looked for, and what was emitted of the open ones.

use std::collections::BTreeMap;

use time::Timestamp;

use crate::{
    record::{Digest, Origin, Record},
    state::Digests,
};

/// The most open objects that a state remembers. It then has some 300 kB.
pub(super) const MAX_REMEMBERED: usize = 6_000;

/// Objects that are open, or that are looked for. None is ever removed, so that a single kind of
/// map is enough.
#[derive(Debug)]
pub(super) struct Objects {
    known: BTreeMap<String, Known>,
    /// The position of the oldest open object that is looked at. `None` looks at none.
    oldest: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether it was open when it was last seen.
    is_open: bool,
    /// Whether no response of this read has had it, and one should.
    is_sought: bool,
    /// The digest of an open one as it was emitted. `None` if it was not.
    emitted: Option<Digest>,
    /// `None` if no response of this read had it.
    position: Option<Timestamp>,
}

impl Objects {
    /// Creates the objects that a state remembers as open. Those before `oldest` are no longer
    /// looked at.
    pub(super) fn new(remembered: Digests, oldest: Option<Timestamp>) -> Self {
        let mut known = BTreeMap::new();
        for (id, emitted) in remembered.into_iter().filter(|_| oldest.is_some()) {
            known.insert(id, Known { is_open: true, is_sought: true, emitted, position: None });
        }
        Self { known, oldest }
    }

    /// Looks for an object.
    pub(super) fn seek(&mut self, id: String) {
        match self.known.get_mut(&id) {
            Some(known) => known.is_sought = true,
            None => drop(self.known.insert(id, Known { is_sought: true, ..Known::default() })),
        }
    }

    /// Notes an object as it is now. Returns whether to emit its records: not if it is open and was
    /// emitted as it is.
    pub(super) fn see(&mut self, origin: &Origin, record: &Record) -> bool {
        let is_recent = |oldest| record.position.is_none_or(|position| position >= oldest);
        let open = origin.open.filter(|_| self.oldest.is_some_and(is_recent));
        let Some(digest) = open else {
            if let Some(known) = self.known.get_mut(&origin.id) {
                (known.is_open, known.is_sought) = (false, false);
            }
            return true;
        };
        let emitted = (!record.withheld).then_some(digest);
        let known = Known { is_open: true, is_sought: false, emitted, position: record.position };
        let before = self.known.insert(origin.id.clone(), known);
        before.is_none_or(|before| !before.is_open || before.emitted != Some(digest))
    }

    /// Notes that an object which was requested is not there. Returns whether it may have been
    /// emitted.
    pub(super) fn miss(&mut self, id: &str) -> bool {
        let Some(known) = self.known.get_mut(id) else { return true };
        let may_be_emitted = !known.is_open || known.emitted.is_some();
        (known.is_open, known.is_sought) = (false, false);
        may_be_emitted
    }

    /// Notes that an object which was requested is there, perhaps with another identifier.
    pub(super) fn find(&mut self, id: &str) {
        if let Some(known) = self.known.get_mut(id) {
            known.is_sought = false;
        }
    }

    /// Returns the identifiers of the objects that are looked for.
    pub(super) fn sought(&self) -> Vec<String> {
        let mut sought = Vec::new();
        for (id, known) in &self.known {
            if known.is_sought {
                sought.push(id.clone());
            }
        }
        sought
    }

    /// Returns whether no object is looked for.
    pub(super) fn are_found(&self) -> bool {
        !self.known.values().any(|known| known.is_sought)
    }

    /// Returns how many objects are known.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Returns what the state remembers. If there are too many, the newest are left out: also
    /// returns an instant up to which none is, at which the cursor has to stay, and their number.
    pub(super) fn remember(&self) -> (Digests, Option<(Timestamp, usize)>) {
        let limit = self.limit();
        let is_kept = |known: &Known| limit.is_none_or(|limit| known.second() < limit);
        let (mut kept, mut left_out) = (Digests::new(), 0);
        for (id, known) in self.known.iter().filter(|(_, known)| known.is_open) {
            if is_kept(known) {
                kept.push((id.clone(), known.emitted));
            } else {
                left_out += 1;
            }
        }
        let limit = limit.and_then(|limit| Timestamp::from_seconds(limit).ok());
        (kept, limit.map(|limit| (limit, left_out)))
    }

    /// Returns the last second such that not too many open objects are older. `None` if there are
    /// not too many at all. Bisects, because sorting takes 30 kB of code.
    fn limit(&self) -> Option<i64> {
        let mut seconds = Vec::new();
        for known in self.known.values() {
            if known.is_open {
                seconds.push(known.second());
            }
        }
        if seconds.len() <= MAX_REMEMBERED {
            return None;
        }
        let (mut fits, mut exceeds) = (Timestamp::MIN.as_seconds(), Timestamp::MAX.as_seconds());
        while fits + 1 < exceeds {
            let middle = fits + (exceeds - fits) / 2;
            let older = seconds.iter().filter(|second| **second < middle).count();
            if older > MAX_REMEMBERED { exceeds = middle } else { fits = middle }
        }
        Some(fits)
    }
}

impl Known {
    /// Returns the second of the position. One that is not known counts as old.
    fn second(&self) -> i64 {
        self.position.map_or(i64::MIN, Timestamp::as_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::record_at;

    fn see(open: &mut Objects, id: usize, at: &str, text: &str) -> bool {
        let origin = Origin { id: format!("{id:05}"), open: Some(Digest::of(text)), is_deleted: false };
        open.see(&origin, &record_at(at))
    }

    fn since(at: &str) -> Objects {
        Objects::new(Vec::new(), record_at(at).position)
    }

    #[test]
    fn an_object_is_emitted_again_once_it_changed() {
        let mut open = since("2024-01-01T00:00:00Z");
        let at = "2024-02-01T00:00:00Z";
        let seen: Vec<bool> = ["a", "a", "b", "b", "a"].map(|text| see(&mut open, 1, at, text)).into();
        assert_eq!(seen, [true, false, true, false, true]);
        assert_eq!(open.remember(), (vec![("00001".to_owned(), Some(Digest::of("a")))], None));
    }

    #[test]
    fn one_that_was_closed_and_is_open_again_is_emitted_as_often() {
        let mut open = since("2024-01-01T00:00:00Z");
        let at = "2024-02-01T00:00:00Z";
        see(&mut open, 1, at, "a");
        let closed = Origin { id: "00001".into(), open: None, is_deleted: false };
        assert!(open.see(&closed, &record_at(at)));
        assert!(open.remember().0.is_empty());
        assert!(see(&mut open, 1, at, "a"));
    }

    #[test]
    fn what_was_not_emitted_is_remembered_and_emitted_as_soon_as_it_may_be() {
        let mut open = since("2024-01-01T00:00:00Z");
        let origin = Origin { id: "x".into(), open: Some(Digest::of("a")), is_deleted: false };
        let draft = Record { withheld: true, ..record_at("2024-02-01T00:00:00Z") };
        open.see(&origin, &draft);
        assert_eq!(open.remember().0, [("x".to_owned(), None)]);
        assert!(open.see(&origin, &record_at("2024-02-01T00:00:00Z")));
        assert!(open.miss("x"));
        let mut open = Objects::new(vec![("x".to_owned(), None)], Some(Timestamp::UNIX_EPOCH));
        assert!(!open.miss("x") && open.are_found());
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
    fn what_is_sought_is_found_once_a_response_has_it() {
        let mut objects = Objects::new(vec![("00001".to_owned(), None)], Some(Timestamp::UNIX_EPOCH));
        for id in ["00002", "gone"] {
            objects.seek(id.to_owned());
        }
        assert_eq!(objects.sought(), ["00001", "00002", "gone"]);
        assert!(see(&mut objects, 1, "2024-02-01T00:00:00Z", "a"));
        assert!(objects.miss("gone"));
        assert!(!objects.are_found());
        assert_eq!(objects.sought(), ["00002"]);
        objects.find("00002");
        assert!(objects.are_found());
        assert_eq!(objects.remember().0.len(), 1);
    }

    #[test]
    fn without_a_limit_nothing_is_open() {
        let mut objects = Objects::new(vec![("x".to_owned(), None)], None);
        assert!(objects.are_found());
        for _ in 0..2 {
            assert!(see(&mut objects, 1, "2024-02-01T00:00:00Z", "a"));
        }
        assert_eq!(objects.remember(), (Vec::new(), None));
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
        let has = |id: &str| remembered.iter().any(|(known, _)| known == id);
        assert!(!has("00000") && has("00003"));
        assert_eq!(held, Some((record_at("2024-02-20T00:00:00Z").position.unwrap(), 3)));
    }
}
