//! Which states of a stream are told, and how many records each covers.
//!
//! Batches come in as counts and checkpoints; states to emit come out. Airbyte compares the counts with what arrived, and
//! takes two equal states for a mistake. So a checkpoint is told when the next one comes, or at the end: by then all
//! records that it is the last state of have been emitted, and no state need be told twice to cover them. Only where a
//! connector takes long over its next batch is the state told at once, so that it is not lost with the process.

use elt_host::types::JsonObject;

/// What has been told of one stream, and what is due.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// Records that no state covers yet.
    uncovered: u64,
    total: u64,
    /// The last checkpoint, which is true already and not told yet.
    pending: Option<JsonObject>,
    told: Option<JsonObject>,
}

/// A state to emit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) state: JsonObject,
    pub(crate) record_count: u64,
}

impl Checkpoints {
    /// Takes the checkpoint of the next batch, before the records of that batch are emitted. The state that comes out is
    /// to be emitted before them too.
    pub(crate) fn advance(&mut self, checkpoint: Option<JsonObject>) -> Option<Checkpoint> {
        let checkpoint = checkpoint?;
        let last = self.pending.as_ref().or(self.told.as_ref());
        if last == Some(&checkpoint) {
            return None;
        }
        let due = self.emit_pending();
        self.pending = Some(checkpoint);
        due
    }

    /// Notes that so many records were emitted.
    pub(crate) fn emitted(&mut self, records: usize) {
        self.uncovered += records as u64;
        self.total += records as u64;
    }

    /// The last checkpoint, if it was not told yet, for a stream that ends before its end.
    pub(crate) fn emit_pending(&mut self) -> Option<Checkpoint> {
        let state = self.pending.take()?;
        Some(self.tell(state))
    }

    /// The state at the end of the stream, if one is still due: the last checkpoint; or that which the read began with,
    /// or none, because every stream tells a state. `input` is the state that the read began with.
    pub(crate) fn finish(
        &mut self,
        input: Option<&JsonObject>,
        none: impl FnOnce() -> JsonObject,
    ) -> Option<Checkpoint> {
        self.emit_pending().or_else(|| {
            let state = match &self.told {
                Some(_) if self.uncovered == 0 => return None,
                Some(told) => told.clone(),
                None => input.cloned().unwrap_or_else(none),
            };
            Some(self.tell(state))
        })
    }

    /// Whether a checkpoint waits to be told.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether no record was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// All records so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    fn tell(&mut self, state: JsonObject) -> Checkpoint {
        self.told = Some(state.clone());
        Checkpoint { state, record_count: std::mem::take(&mut self.uncovered) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u32) -> JsonObject {
        JsonObject::parse(&format!(r#"{{"at":{number}}}"#)).unwrap()
    }

    fn told(number: u32, record_count: u64) -> Option<Checkpoint> {
        Some(Checkpoint { state: state(number), record_count })
    }

    fn none() -> JsonObject {
        state(0)
    }

    /// A batch of so many records with this checkpoint; what is told before its records.
    fn batch(checkpoints: &mut Checkpoints, records: usize, checkpoint: Option<u32>) -> Option<Checkpoint> {
        let due = checkpoints.advance(checkpoint.map(state));
        checkpoints.emitted(records);
        due
    }

    #[test]
    fn a_state_covers_the_records_since_the_one_before() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 2, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 3, None), None);
        assert_eq!(batch(&mut checkpoints, 4, Some(2)), told(1, 5));
        assert_eq!(checkpoints.finish(None, none), told(2, 4));
        assert_eq!(checkpoints.total(), 9);
    }

    #[test]
    fn the_same_state_is_not_told_twice_in_a_row() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 1, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 0, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 2, Some(1)), None);
        assert_eq!(batch(&mut checkpoints, 3, Some(2)), told(1, 3));
        assert_eq!(batch(&mut checkpoints, 1, Some(1)), told(2, 3));
        assert_eq!(checkpoints.finish(None, none), told(1, 1));
    }

    #[test]
    fn records_that_have_no_state_of_their_own_are_counted_at_the_end() {
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 1, Some(1));
        batch(&mut checkpoints, 2, Some(1));
        batch(&mut checkpoints, 3, None);
        assert_eq!(checkpoints.finish(Some(&state(9)), none), told(1, 6));
    }

    #[test]
    fn every_stream_tells_a_state() {
        assert_eq!(Checkpoints::default().finish(None, none), told(0, 0));
        assert_eq!(Checkpoints::default().finish(Some(&state(9)), none), told(9, 0));
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 5, None);
        assert_eq!(checkpoints.finish(None, none), told(0, 5));
    }

    #[test]
    fn the_state_of_a_stream_without_news_is_told_once() {
        let mut checkpoints = Checkpoints::default();
        assert_eq!(batch(&mut checkpoints, 0, Some(9)), None);
        assert_eq!(batch(&mut checkpoints, 0, Some(9)), None);
        assert_eq!(checkpoints.finish(Some(&state(9)), none), told(9, 0));
        assert_eq!(checkpoints.finish(Some(&state(9)), none), None);
    }

    #[test]
    fn a_state_that_was_told_early_is_told_again_only_if_records_need_it() {
        let mut checkpoints = Checkpoints::default();
        batch(&mut checkpoints, 1, Some(1));
        assert_eq!(checkpoints.emit_pending(), told(1, 1));
        assert_eq!(checkpoints.emit_pending(), None);
        batch(&mut checkpoints, 2, None);
        assert_eq!(checkpoints.finish(None, none), told(1, 2));
    }
}
