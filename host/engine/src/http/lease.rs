//! Things that are used by one at a time, and kept for the next.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Things that nobody uses now.
#[derive(Debug)]
pub(super) struct Idle<T>(Arc<Mutex<Vec<Arc<T>>>>);

/// A thing that nobody else uses. Dropping it makes it idle.
#[derive(Debug)]
pub(super) struct Lease<T> {
    lent: Arc<T>,
    idle: Idle<T>,
    is_discarded: AtomicBool,
}

impl<T: Default> Idle<T> {
    /// The thing that became idle last, or a new one.
    pub(super) fn lease(&self) -> Lease<T> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.lend(idle.unwrap_or_default())
    }

    /// A new thing.
    pub(super) fn fresh(&self) -> Lease<T> {
        self.lend(Arc::default())
    }

    fn lend(&self, lent: Arc<T>) -> Lease<T> {
        Lease { lent, idle: self.clone(), is_discarded: AtomicBool::new(false) }
    }
}

impl<T> Clone for Idle<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Default> Default for Lease<T> {
    /// A new thing, which nobody else ever gets.
    fn default() -> Self {
        Idle::default().lease()
    }
}

impl<T> Lease<T> {
    /// Nobody gets the thing after this.
    pub(super) fn discard(&self) {
        self.is_discarded.store(true, Ordering::Relaxed);
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lent
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if !*self.is_discarded.get_mut() {
            self.idle.0.lock().unwrap_or_else(PoisonError::into_inner).push(self.lent.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_and_the_next_goes_on() {
        let idle = Idle::<Mutex<Vec<u8>>>::default();
        let (one, other) = (idle.lease(), idle.lease());
        one.lock().unwrap().push(1);
        assert!(other.lock().unwrap().is_empty());
        drop(one);
        let next = idle.lease();
        assert_eq!(*next.lock().unwrap(), [1]);
        next.discard();
        drop(next);
        assert!(idle.lease().lock().unwrap().is_empty());
    }
}
