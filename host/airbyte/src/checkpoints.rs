//! Decides which checkpoints of a stream become states, and how many records each covers.
//!
//! Airbyte compares the counts with the records that arrived, and reports two equal states as
//! a mistake. So a checkpoint is emitted when the next one arrives, or at the end. By then all
//! records that it covers have been emitted, and no state has to be emitted twice. If the connector
//! takes long to return its next batch, the state is emitted at once, so that it is not lost if the
//! process is killed.

use elt_host::types::JsonObject;

/// What was emitted of one stream, and what is due.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// Records that no state covers yet.
    uncovered: u64,
    total: u64,
    /// The last checkpoint, which is true already and not emitted yet.
    pending: Option<JsonObject>,
    emitted: Option<JsonObject>,
}

/// A state to emit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) state: JsonObject,
    pub(crate) record_count: u64,
}

impl Checkpoints {
    /// Takes the checkpoint of the next batch, before the records of that batch are emitted.
    /// Returns the state to emit before them.
    pub(crate) fn advance(&mut self, checkpoint: Option<JsonObject>) -> Option<Checkpoint> {
        let checkpoint = checkpoint?;
        let last = self.pending.as_ref().or(self.emitted.as_ref());
        if last == Some(&checkpoint) {
            return None;
        }
        let due = self.emit_pending();
        self.pending = Some(checkpoint);
        due
    }

    /// Notes that so many records were emitted.
    pub(crate) fn count(&mut self, records: usize) {
        self.uncovered += records as u64;
        self.total += records as u64;
    }

    /// The last checkpoint, if it was not emitted yet. For a stream that is not read to its end.
    pub(crate) fn emit_pending(&mut self) -> Option<Checkpoint> {
        let state = self.pending.take()?;
        Some(self.emit(state))
    }

    /// The state at the end of the stream, if one is still due: the last checkpoint; else `input`,
    /// the state that the read began with; else `none`, because every stream must emit a state.
    pub(crate) fn finish(
        &mut self,
        input: Option<&JsonObject>,
        none: impl FnOnce() -> JsonObject,
    ) -> Option<Checkpoint> {
        self.emit_pending().or_else(|| {
            let state = match &self.emitted {
                Some(_) if self.uncovered == 0 => return None,
                Some(emitted) => emitted.clone(),
                None => input.cloned().unwrap_or_else(none),
            };
            Some(self.emit(state))
        })
    }

    /// Whether a checkpoint waits to be emitted.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether no record was emitted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The number of records so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    fn emit(&mut self, state: JsonObject) -> Checkpoint {
        self.emitted = Some(state.clone());
        Checkpoint { state, record_count: std::mem::take(&mut self.uncovered) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u32) -> JsonObject {
        JsonObject::parse(&format!(r#"{{"at":{number}}}"#)).unwrap()
    }

    fn emitted(number: u32, record_count: u64) -> Option<Checkpoint> {
        Some(Checkpoint { state: state(number), record_count })
    }

    fn none() -> JsonObject {
        state(0)
    }

    /// Takes a batch of so many records with this checkpoint. Returns what is emitted before its
    /// records.
    fn batch(checkpoints: &mut Checkpoints, records: usize, checkpoint: Option<u32>) -> Option<Checkpoint> {
        let due = checkpoints.advance(checkpoint.map(state));
        checkpoints.count(records);
        due
    }

    #[test]
    fn a_state_covers_the_records_since_the_one_before() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 2, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 3, None), None);
        assert_eq!(batch(&mut checkpoints, 4, Some(2)), emitted(1, 5));
        assert_eq!(checkpoints.finish(None, none), emitted(2, 4));
        assert_eq!(checkpoints.total(), 9);
    }

    #[test]
    fn the_same_state_is_not_emitted_twice_in_a_row() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 1, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 0, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 2, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 3, Some(2)), emitted(1, 3));
        assert_eq!(batch(&mut checkpoints, 1, Some(1)), emitted(2, 3));
        assert_eq!(checkpoints.finish(None, none), emitted(1, 1));
    }

    #[test]
    fn records_that_have_no_state_of_their_own_are_counted_at_the_end() {
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 1, Some(1));
        batch(&mut checkpoints, 2, Some(1));
        batch(&mut checkpoints, 3, None);
        assert_eq!(checkpoints.finish(Some(&state(9)), none), emitted(1, 6));
    }

    #[test]
    fn every_stream_emits_a_state() {
        assert_eq!(Checkpoints::default().finish(None, none), emitted(0, 0));
        assert_eq!(Checkpoints::default().finish(Some(&state(9)), none), emitted(9, 0));
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 5, None);
        assert_eq!(checkpoints.finish(None, none), emitted(0, 5));
    }

    #[test]
    fn the_state_of_a_stream_without_news_is_emitted_once() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 0, Some(9)), None);
        assert_eq!(batch(&mut checkpoints, 0, Some(9)), None);
        assert_eq!(checkpoints.finish(Some(&state(9)), none), emitted(9, 0));
        assert_eq!(checkpoints.finish(Some(&state(9)), none), None);
    }

    #[test]
    fn a_state_that_was_emitted_early_is_emitted_again_only_if_records_need_it() {
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 1, Some(1));
        assert_eq!(checkpoints.emit_pending(), emitted(1, 1));
        assert_eq!(checkpoints.emit_pending(), None);
        batch(&mut checkpoints, 2, None);
        assert_eq!(checkpoints.finish(None, none), emitted(1, 2));
    }
}
