//! Which states of a stream are told, and how many records each covers.
//!
//! Batches come in as counts and checkpoints; states to emit come out. Airbyte compares the counts with what arrived,
//! and takes two equal states in a row for a mistake.

use crate::document::Document;

/// What has been told of one stream.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    since_state: u64,
    total: u64,
    told: Option<Document>,
}

/// A state to emit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) state: Document,
    pub(crate) record_count: u64,
}

impl Progress {
    /// Notes that `records` were emitted, and says whether a state follows them. One that was just told is not told
    /// again; its records count towards the next.
    pub(crate) fn observe(&mut self, records: usize, checkpoint: Option<Document>) -> Option<Checkpoint> {
        self.since_state += records as u64;
        self.total += records as u64;
        let state = checkpoint.filter(|state| self.told.as_ref() != Some(state))?;
        Some(self.tell(state))
    }

    /// The state at the end of the stream, if one is still due: for records that no state covers yet, and for a
    /// stream without any, because every stream tells one. `input` is the state that the read began with.
    pub(crate) fn finish(
        &mut self,
        input: Option<&Document>,
        none: impl FnOnce() -> Document,
    ) -> Option<Checkpoint> {
        if self.since_state == 0 && self.told.is_some() {
            return None;
        }
        let state = self.told.clone().or_else(|| input.cloned()).unwrap_or_else(none);
        Some(self.tell(state))
    }

    /// Whether no record was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// All records so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    fn tell(&mut self, state: Document) -> Checkpoint {
        self.told = Some(state.clone());
        Checkpoint { state, record_count: std::mem::take(&mut self.since_state) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u32) -> Document {
        Document::parse(&format!(r#"{{"at":{number}}}"#)).unwrap()
    }

    fn told(number: u32, record_count: u64) -> Option<Checkpoint> {
        Some(Checkpoint { state: state(number), record_count })
    }

    fn none() -> Document {
        state(0)
    }

    #[test]
    fn a_state_covers_the_records_since_the_one_before() {
        let mut progress = Progress::default();
        assert_eq!(progress.observe(2, Some(state(1))), told(1, 2));
        assert_eq!(progress.observe(3, None), None);
        assert_eq!(progress.observe(4, Some(state(2))), told(2, 7));
        assert_eq!(progress.finish(None, none), None);
        assert_eq!(progress.total(), 9);
    }

    #[test]
    fn the_same_state_is_not_told_twice_in_a_row() {
        let mut progress = Progress::default();
        assert_eq!(progress.observe(1, Some(state(1))), told(1, 1));
        assert_eq!(progress.observe(0, Some(state(1))), None);
        assert_eq!(progress.observe(2, Some(state(1))), None);
        assert_eq!(progress.observe(3, Some(state(2))), told(2, 5));
        assert_eq!(progress.observe(1, Some(state(1))), told(1, 1));
    }

    #[test]
    fn records_that_no_state_covers_are_counted_at_the_end() {
        let mut progress = Progress::default();
        progress.observe(1, Some(state(1)));
        progress.observe(2, Some(state(1)));
        progress.observe(3, None);
        assert_eq!(progress.finish(Some(&state(9)), none), told(1, 5));
    }

    #[test]
    fn every_stream_tells_a_state() {
        assert_eq!(Progress::default().finish(None, none), told(0, 0));
        assert_eq!(Progress::default().finish(Some(&state(9)), none), told(9, 0));
        let mut progress = Progress::default();
        progress.observe(5, None);
        assert_eq!(progress.finish(None, none), told(0, 5));
    }

    #[test]
    fn the_state_of_a_stream_without_news_is_told_once() {
        let mut progress = Progress::default();
        assert_eq!(progress.observe(0, Some(state(9))), told(9, 0));
        assert_eq!(progress.observe(0, Some(state(9))), None);
        assert_eq!(progress.finish(Some(&state(9)), none), None);
    }
}
