//! Makes a body that is decompressed give way regularly.
//!
//! A decoder reads on until it has something to return. Members and blocks without content give it
//! nothing, and while a server sends them faster than they are decoded, it would never return: no
//! deadline and no limit would be looked at.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;

/// Bytes that a decoder is given before it must give way. Decompressing them takes milliseconds,
/// or some tens of them if each few bytes are a member of their own.
const TURN: usize = 64 * 1024;

/// The parts of a body, in turns of bounded size.
#[derive(Debug)]
pub(super) struct Paced<S> {
    parts: S,
    /// What is left of a part that is larger than a turn.
    rest: Bytes,
    /// Bytes that may still pass in this turn.
    left: usize,
}

/// Makes the reader of these parts yield regularly.
pub(super) fn paced<S>(parts: S) -> Paced<S> {
    Paced { parts, rest: Bytes::new(), left: TURN }
}

impl<S: Stream<Item = Result<Bytes, E>> + Unpin, E> Stream for Paced<S> {
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            self.left = TURN;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.parts).poll_next(context)) {
                Some(Ok(part)) => self.rest = part,
                end => return Poll::Ready(end),
            }
        }
        let part = self.rest.len().min(self.left);
        // An empty part is passed on, and counts like a byte.
        self.left -= part.max(1);
        Poll::Ready(Some(Ok(self.rest.split_to(part))))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use futures_util::StreamExt as _;
    use futures_util::stream;

    use super::*;

    /// How many bytes pass between two turns, until the end.
    fn turns(parts: Vec<Bytes>) -> Vec<usize> {
        let mut paced = paced(stream::iter(parts.into_iter().map(Ok::<_, Infallible>)));
        let mut turns = vec![0];
        loop {
            match paced.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => turns.push(0),
                Poll::Ready(Some(Ok(part))) => *turns.last_mut().unwrap() += part.len(),
                Poll::Ready(None) => return turns,
            }
        }
    }

    #[test]
    fn no_turn_is_longer_than_another_however_the_body_arrives() {
        let large = Bytes::from(vec![0; 2 * TURN + 1]);
        assert_eq!(turns(vec![large.clone()]), [TURN, TURN, 1]);
        assert_eq!(turns(vec![large.slice(..TURN - 1), large.slice(..2)]), [TURN, 1]);
        assert_eq!(turns(vec![Bytes::from_static(b"a"); 3]), [3]);
        assert_eq!(turns(vec![Bytes::new(); TURN]), [0, 0]);
    }
}
