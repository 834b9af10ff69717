//! Sends a response body: at once, slowly, or cut off before its end.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body with a known length. The announced length stays the same even if the body is cut.
#[derive(Debug)]
pub(crate) struct Delivery {
    rest: Bytes,
    /// How many more bytes to send before cutting the connection.
    allowed: usize,
    flushed: bool,
    pace: Option<Pace>,
}

#[derive(Debug)]
struct Pace {
    bytes: usize,
    every: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Delivery {
    /// Wraps a body, optionally cut after a number of bytes, and optionally sent in small pieces
    /// with a pause after each.
    pub(crate) fn new(body: Bytes, truncate: Option<usize>, slow: Option<(usize, Duration)>) -> Delivery {
        Delivery {
            rest: body,
            allowed: truncate.unwrap_or(usize::MAX),
            flushed: false,
            pace: slow.map(|(bytes, every)| Pace { bytes, every, pause: None }),
        }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let delivery = self.get_mut();
        if delivery.rest.is_empty() {
            return Poll::Ready(None);
        }
        if delivery.allowed == 0 {
            // On an error, hyper drops what it has buffered, so let it flush first.
            if !delivery.flushed {
                delivery.flushed = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(Cut)));
        }
        let mut size = delivery.rest.len().min(delivery.allowed);
        if let Some(pace) = &mut delivery.pace {
            if let Some(pause) = &mut pace.pause
                && pause.as_mut().poll(context).is_pending()
            {
                return Poll::Pending;
            }
            size = size.min(pace.bytes);
            pace.pause = Some(Box::pin(sleep(pace.every)));
        }
        delivery.allowed -= size;
        Poll::Ready(Some(Ok(Frame::data(delivery.rest.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// The error that ends the connection on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

impl Display for Cut {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("connection cut on request")
    }
}

impl Error for Cut {}
