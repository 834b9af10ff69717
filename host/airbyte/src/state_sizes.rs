//! Bounds what the last states of all streams take together.
//!
//! A program that saves states keeps the last one of every stream until the end, however many
//! streams there are. Nothing else of a stream is kept after its end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use elt_host::types::JsonObject;

/// Bytes of the last states of all streams together at most. A cursor takes some fifty bytes, and a
/// state with a cursor for each of 100,000 parents takes ten megabytes.
const MOST: usize = 64 << 20;

/// Bytes of the last states of all streams. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateSizes(Arc<AtomicUsize>);

/// Bytes of the last state of one stream. They count to the end, whether the stream has ended or
/// not.
#[derive(Debug)]
pub(crate) struct LastState {
    all: StateSizes,
    bytes: usize,
}

/// A state would take more than is left for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatesTooLarge;

impl fmt::Display for StatesTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the last states of all streams would be larger than {} MiB together", MOST >> 20)
    }
}

impl std::error::Error for StatesTooLarge {}

impl StateSizes {
    /// Adds a stream, which has no state yet.
    pub(crate) fn of_stream(&self) -> LastState {
        LastState { all: self.clone(), bytes: 0 }
    }
}

impl LastState {
    /// Counts `state` instead of the one before it.
    ///
    /// # Errors
    ///
    /// If it does not fit. Then the one before it still counts.
    pub(crate) fn replace(&mut self, state: &JsonObject) -> Result<(), StatesTooLarge> {
        let bytes = state.as_str().len();
        let replaced = |all: usize| Some(all - self.bytes + bytes).filter(|all| *all <= MOST);
        let counted = self.all.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, replaced);
        counted.map_err(|_| StatesTooLarge)?;
        self.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_all_streams_count_and_each_takes_the_place_of_the_one_before() {
        let state = |bytes: usize| JsonObject::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes))).unwrap();
        let sizes = StateSizes::default();
        let (mut one, mut other) = (sizes.of_stream(), sizes.of_stream());
        for _ in 0..3 {
            one.replace(&state(MOST * 3 / 4)).unwrap();
        }
        assert_eq!(other.replace(&state(MOST / 2)), Err(StatesTooLarge));
        one.replace(&state(MOST / 4)).unwrap();
        other.replace(&state(MOST / 2)).unwrap();
        drop(one);
        assert_eq!(other.replace(&state(MOST)), Err(StatesTooLarge));
    }
}
