//! A request in flight, until its response has arrived.

use tokio::sync::OwnedSemaphorePermit;

use crate::account::Held;

/// A request in flight: its place among them, and what the host holds of it. It ends when the body
/// of the response has arrived or is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) held: Held,
    _place: OwnedSemaphorePermit,
}

impl Exchange {
    pub(super) fn new(held: Held, place: OwnedSemaphorePermit) -> Self {
        Self { held, _place: place }
    }
}
