//! Waits for the pollables of many futures with one blocking call.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use wasi::io::poll::{Pollable, poll};

thread_local! {
    /// The pollables that futures wait for. A component has one thread, which owns its resources.
    static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
}

struct Waiting {
    pollable: Pollable,
    waker: Waker,
    ticket: u64,
    is_ready: bool,
}

/// Blocks until at least one pollable is ready, and wakes the futures that wait for ready ones.
///
/// # Panics
/// If no future waits for a pollable, because none would ever be woken.
pub fn wait() {
    WAITING.with_borrow_mut(|waiting| {
        assert!(!waiting.is_empty(), "a future waits for nothing");
        let pollables: Vec<&Pollable> = waiting.iter().map(|entry| &entry.pollable).collect();
        for index in poll(&pollables) {
            let entry = &mut waiting[usize::try_from(index).unwrap_or(usize::MAX)];
            entry.is_ready = true;
            entry.waker.wake_by_ref();
        }
        waiting.retain(|entry| !entry.is_ready);
    });
}

/// Completes when a pollable is ready. It owns the pollable, so it must not outlive the resource
/// that the pollable came from.
pub(super) struct Readiness {
    pollable: Option<Pollable>,
    ticket: Option<u64>,
}

impl Readiness {
    pub(super) fn of(pollable: Pollable) -> Self {
        Self { pollable: Some(pollable), ticket: None }
    }
}

impl Future for Readiness {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(pollable) = self.pollable.take() {
            if pollable.ready() {
                return Poll::Ready(());
            }
            let ticket = WAITING.with_borrow_mut(|waiting| {
                let ticket = next_ticket();
                waiting.push(Waiting { pollable, waker: context.waker().clone(), ticket, is_ready: false });
                ticket
            });
            self.ticket = Some(ticket);
            return Poll::Pending;
        }
        let still_waiting = WAITING.with_borrow_mut(|waiting| {
            let entry = waiting.iter_mut().find(|entry| Some(entry.ticket) == self.ticket);
            entry.map(|entry| entry.waker.clone_from(context.waker())).is_some()
        });
        if still_waiting { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            WAITING.with_borrow_mut(|waiting| waiting.retain(|entry| Some(entry.ticket) != self.ticket));
        }
    }
}

fn next_ticket() -> u64 {
    thread_local!(static NEXT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    NEXT.replace(NEXT.get() + 1)
}
