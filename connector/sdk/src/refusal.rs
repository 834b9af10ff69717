//! Tracks the parents whose lists the server refuses.
//!
//! Decides when to stop the read, and builds the error that the stream ends with.

use time::Timestamp;

use crate::{
    error::{Error, FailureType, Result},
    log::Level,
};

/// After this many config errors, and no response yet, all other lists will be refused too: the key
/// lacks a permission.
const MAX_REFUSALS_AT_FIRST: usize = 20;

/// After this many refusals in a row, all other lists will be refused too: the key has lost a
/// permission.
const MAX_REFUSALS_IN_A_ROW: usize = 100;

/// Log this many refusals as warnings.
const LOGGED: usize = 100;

/// The most parents that the error names.
const NAMED: usize = 5;

/// The refusals so far.
#[derive(Debug)]
pub struct Refusals {
    /// The name of the parents' stream, a plural.
    kind: &'static str,
    count: usize,
    named: Vec<String>,
    error: Option<Error>,
    newest: Option<Timestamp>,
    in_a_row: usize,
    has_answer: bool,
}

impl Refusals {
    /// Starts without refusals. `has_answer` says whether an earlier run of this read has read any
    /// list.
    pub fn new(kind: &'static str, has_answer: bool) -> Self {
        Self { kind, count: 0, named: Vec::new(), error: None, newest: None, in_a_row: 0, has_answer }
    }

    /// Records that a list was answered.
    pub fn note_answer(&mut self) {
        (self.in_a_row, self.has_answer) = (0, true);
    }

    /// Records a parent whose list was refused, and when the parent was created.
    ///
    /// # Errors
    /// If the read should stop, because the others will probably be refused too.
    pub fn note(&mut self, parent: &str, created: Option<Timestamp>, error: Error) -> Result<()> {
        self.count += 1;
        self.in_a_row += 1;
        self.newest = self.newest.max(Some(created.unwrap_or(Timestamp::MAX)));
        if self.named.len() < NAMED {
            self.named.push(parent.to_owned());
        }
        // A config error, which the user can fix, takes precedence.
        let is_mendable = |error: &Error| error.failure_type == FailureType::Config;
        let known = self.error.take().filter(|known| is_mendable(known) || !is_mendable(&error));
        let error = known.unwrap_or(error);
        let is_about_key = !self.has_answer && error.failure_type == FailureType::Config;
        if self.in_a_row >= if is_about_key { MAX_REFUSALS_AT_FIRST } else { MAX_REFUSALS_IN_A_ROW } {
            let (in_a_row, kind) = (self.in_a_row, self.kind);
            let what =
                format!("the lists of {in_a_row} {kind} in a row were refused, so no others were asked for");
            return Err(Error { message: format!("{what}: {}", error.message), ..error });
        }
        self.error = Some(error);
        Ok(())
    }

    /// Returns the level at which to log the latest refusal.
    pub fn level(&self) -> Level {
        if self.count < LOGGED { Level::Warn } else { Level::Debug }
    }

    /// Returns whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns when the newest refused parent was created. [`Timestamp::MAX`] if one has no known
    /// time.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Takes the error that the stream ends with.
    pub fn take_error(&mut self) -> Option<Error> {
        let error = self.error.take()?;
        let (kind, mut which) = (self.kind, self.named.join(", "));
        if self.count > self.named.len() {
            which = format!("{which} and {} more", self.count - self.named.len());
        }
        let what = format!("the lists of {} {kind} were refused ({which})", self.count);
        let then = "all others were read, and the next read requests these again";
        Some(Error { message: format!("{what}; {then}: {}", error.message), ..error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    fn refused(refusals: &mut Refusals, number: usize) -> Result<()> {
        refusals.note(&format!("c{number}"), None, Error::config("forbidden"))
    }

    #[test]
    fn the_error_counts_all_and_names_a_few() {
        let mut refusals = Refusals::new("customers", false);
        assert_eq!(refusals.take_error(), None);
        (0..7).for_each(|number| refused(&mut refusals, number).unwrap());
        let error = refusals.take_error().unwrap();
        assert_eq!(
            error.message,
            "the lists of 7 customers were refused (c0, c1, c2, c3, c4 and 2 more); \
             all others were read, and the next read requests these again: forbidden"
        );
        assert_eq!(refusals.take_error(), None);
    }

    #[test]
    fn what_the_user_can_mend_is_told_first() {
        for order in [[0, 1], [1, 0]] {
            let errors = [Error::config("forbidden"), Error::system("refused")];
            let mut refusals = Refusals::new("customers", false);
            for index in order {
                refusals.note("c", None, errors[index].clone()).unwrap();
            }
            assert_eq!(refusals.take_error().unwrap().failure_type, FailureType::Config);
        }
    }

    #[test]
    fn of_several_errors_of_one_kind_the_first_is_told() {
        for kind in [Error::config, Error::system] {
            let mut refusals = Refusals::new("customers", false);
            for message in ["first", "second", "third"] {
                refusals.note("c", None, kind(message.to_owned())).unwrap();
            }
            let message = refusals.take_error().unwrap().message;
            assert!(message.ends_with(": first"), "{message}");
        }
    }

    #[test]
    fn the_first_hundred_refusals_are_warnings() {
        let mut refusals = Refusals::new("customers", false);
        let warnings = (0..200).filter(|number| {
            let level = refusals.level();
            refusals.note_answer();
            refused(&mut refusals, *number).unwrap();
            level == Level::Warn
        });
        assert_eq!(warnings.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn where_the_first_are_all_refused_no_others_are_asked_for() {
        let mut refusals = Refusals::new("customers", false);
        let asked = (0..).take_while(|number| refused(&mut refusals, *number).is_ok()).count();
        assert_eq!(asked, MAX_REFUSALS_AT_FIRST - 1);
        let mut refusals = Refusals::new("customers", false);
        refusals.note_answer();
        let error = (0..).find_map(|number| refused(&mut refusals, number).err()).unwrap();
        assert_eq!(
            error.message,
            "the lists of 100 customers in a row were refused, so no others were asked for: forbidden"
        );
    }

    #[test]
    fn refusals_among_answers_never_end_the_read() {
        let mut refusals = Refusals::new("customers", false);
        for number in 0..1_000 {
            refusals.note_answer();
            refused(&mut refusals, number).unwrap();
        }
        assert_eq!(refusals.level(), Level::Debug);
    }

    #[test]
    fn the_newest_parent_is_known_unless_one_has_no_time() {
        let mut refusals = Refusals::new("customers", false);
        assert_eq!(refusals.newest(), None);
        for created in ["2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"].map(instant) {
            refusals.note("c", Some(created), Error::config("forbidden")).unwrap();
        }
        assert_eq!(refusals.newest(), Some(instant("2024-01-02T00:00:00Z")));
        refused(&mut refusals, 1).unwrap();
        assert_eq!(refusals.newest(), Some(Timestamp::MAX));
    }
}
