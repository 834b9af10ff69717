//! Answers, and how their bodies arrive.

use crate::fault::Failure;
use crate::world::{MILLISECOND, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Failed(Failure),
}

/// An answer, or what came instead.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) cut: Option<usize>,
    /// Bytes of a piece, if the body trickles.
    pub(super) pieces: Option<usize>,
}

/// What a read of a body gives.
pub(crate) enum Flow<'a> {
    /// Empty if nothing has arrived yet.
    Bytes(&'a [u8]),
    Ended,
    Cut,
}

/// The time between two pieces of a body that trickles.
const PIECE_EVERY: Time = 200 * MILLISECOND;

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { outcome: Outcome::Answered, status, headers, body: body.into(), cut: None, pieces: None }
    }

    pub(crate) fn delay(&self) -> Time {
        match self.outcome {
            Outcome::Answered => 0,
            Outcome::Failed(failure) => failure.takes(),
        }
    }

    pub(crate) fn ready_at(&self, head_at: Time, read: usize) -> Time {
        let Some(piece) = self.pieces else { return head_at };
        head_at + PIECE_EVERY * Time::try_from(read / piece + 1).unwrap_or(Time::MAX / PIECE_EVERY)
    }

    pub(crate) fn read(&self, head_at: Time, read: usize, most: usize, now: Time) -> Flow<'_> {
        let end = self.cut.unwrap_or(self.body.len());
        if read >= end {
            return if self.cut.is_some() { Flow::Cut } else { Flow::Ended };
        }
        if self.ready_at(head_at, read) > now {
            return Flow::Bytes(&[]);
        }
        let piece = self.pieces.unwrap_or(usize::MAX).min(most).min(end - read);
        Flow::Bytes(&self.body[read..read + piece])
    }
}
