//! Counts problems with single records, so that one warning per kind is logged when a stream ends.

use std::{cell::RefCell, fmt};

/// Counts of problems with single records.
#[derive(Default)]
pub struct Notes(RefCell<Vec<Note>>);

struct Note {
    kind: String,
    count: u64,
    sentence: Box<dyn Fn(u64) -> String>,
}

impl Notes {
    /// Counts a problem of this `kind`. The first `sentence` given for a kind turns the count into
    /// the warning.
    pub fn count(&self, kind: &str, sentence: impl Fn(u64) -> String + 'static) {
        let mut notes = self.0.borrow_mut();
        match notes.iter_mut().find(|note| note.kind == kind) {
            Some(note) => note.count += 1,
            None => notes.push(Note { kind: kind.to_owned(), count: 1, sentence: Box::new(sentence) }),
        }
    }

    /// Returns the warnings, one per kind, in the order in which the kinds were first seen.
    pub fn sentences(&self) -> Vec<String> {
        self.0.borrow().iter().map(|note| (note.sentence)(note.count)).collect()
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sentences()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_one_sentence_with_its_count_and_its_first_case() {
        let notes = Notes::default();
        for (kind, case) in [("a", 1), ("b", 2), ("a", 3)] {
            notes.count(kind, move |count| format!("{kind}: {count} times, first {case}"));
        }
        assert_eq!(notes.sentences(), ["a: 2 times, first 1", "b: 1 times, first 2"]);
    }
}
