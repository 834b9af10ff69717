//! Counts the bytes that the host holds for connectors: for each instance, and for all of them
//! together.
//!
//! Whoever stores something for a guest holds bytes of its account as long as the thing exists. The
//! counts are of what the things take in memory, roughly and rather too high than too low.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::exceeded::ExceededLimit;
use crate::limits::Limit;

/// A number of bytes that may be held, and how many are.
#[derive(Debug)]
struct Budget {
    most: usize,
    held: AtomicUsize,
}

impl Budget {
    fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0) })
    }

    /// Whether `bytes` more fit. If they do, they are held.
    fn hold(&self, bytes: usize) -> bool {
        let fitting = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fitting).is_ok()
    }

    fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What all instances of an engine may hold together. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Total(Arc<Budget>);

impl Total {
    /// At most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self(Budget::new(most))
    }
}

/// What one instance may hold of one kind of memory. It counts in the total, too. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    own: Arc<Budget>,
    limit: Limit,
    total: Total,
    exceeded: ExceededLimit,
}

/// There is no room for more. The limit has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full(Limit);

impl Full {
    /// Reports that `limit` was exceeded, which ends the call.
    pub(crate) fn report(limit: Limit, exceeded: &ExceededLimit) -> Self {
        exceeded.report(limit);
        Self(limit)
    }
}

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a limit was exceeded: {:?}", self.0)
    }
}

impl std::error::Error for Full {}

impl Account {
    /// An account of at most `most` bytes, which is what `limit` says.
    pub(crate) fn new(limit: Limit, most: usize, total: Total, exceeded: ExceededLimit) -> Self {
        Self { own: Budget::new(most), limit, total, exceeded }
    }

    /// Holds nothing yet.
    pub(crate) fn open(&self) -> Held {
        Held { account: self.clone(), bytes: 0 }
    }

    /// Holds `bytes`.
    ///
    /// # Errors
    ///
    /// If they exceed a limit. That is also reported, which ends the call.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Held, Full> {
        let mut held = self.open();
        held.grow(bytes)?;
        Ok(held)
    }
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    account: Account,
    bytes: usize,
}

impl Held {
    /// Holds `more` bytes in addition.
    ///
    /// # Errors
    ///
    /// As [`Account::hold`]. Nothing changes then.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), Full> {
        let Account { own, limit, total, exceeded } = &self.account;
        let full = if !own.hold(more) {
            *limit
        } else if !total.0.hold(more) {
            own.release(more);
            Limit::TotalMemory
        } else {
            self.bytes += more;
            return Ok(());
        };
        Err(Full::report(full, exceeded))
    }

    /// Holds `bytes` in place of what was held.
    ///
    /// # Errors
    ///
    /// As [`grow`](Self::grow).
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), Full> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.grow(more),
            None => {
                self.release(self.bytes - bytes);
                Ok(())
            }
        }
    }

    fn release(&mut self, bytes: usize) {
        self.account.own.release(bytes);
        self.account.total.0.release(bytes);
        self.bytes -= bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(most: usize, total: &Total) -> (Account, ExceededLimit) {
        let exceeded = ExceededLimit::default();
        (Account::new(Limit::HostMemory, most, total.clone(), exceeded.clone()), exceeded)
    }

    #[test]
    fn what_is_dropped_can_be_held_again() {
        let (account, exceeded) = account(10, &Total::new(usize::MAX));
        for _ in 0..3 {
            let mut held = account.hold(4).unwrap();
            held.grow(6).unwrap();
            held.set(1).unwrap();
            held.set(10).unwrap();
        }
        assert_eq!(exceeded.first(), None);
        let _held = account.hold(10).unwrap();
        assert_eq!(account.hold(1).unwrap_err(), Full(Limit::HostMemory));
        assert_eq!(exceeded.first(), Some(Limit::HostMemory));
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let total = Total::new(15);
        let (account, _) = account(10, &total);
        let mut held = account.hold(4).unwrap();
        held.grow(usize::MAX).unwrap_err();
        held.grow(7).unwrap_err();
        held.grow(6).unwrap();
        drop(held);
        assert_eq!(total.0.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn instances_share_the_total() {
        let total = Total::new(15);
        let ((one, _), (other, exceeded)) = (account(10, &total), account(10, &total));
        let held = one.hold(10).unwrap();
        assert_eq!(other.hold(6).unwrap_err(), Full(Limit::TotalMemory));
        assert_eq!(exceeded.first(), Some(Limit::TotalMemory));
        drop(held);
        other.hold(6).unwrap();
    }
}
