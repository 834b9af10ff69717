//! Things that are used by one at a time, and kept for the next.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Things that nobody uses now.
#[derive(Debug)]
pub(super) struct Idle<T>(Arc<Mutex<Vec<Arc<T>>>>);

/// A thing that nobody else uses. Dropping it makes it idle.
#[derive(Debug)]
pub(super) struct Lease<T> {
    lent: Arc<T>,
    idle: Idle<T>,
}

impl<T: Default> Idle<T> {
    /// The thing that became idle last, or a new one.
    pub(super) fn lease(&self) -> Lease<T> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lease { lent: idle.unwrap_or_default(), idle: self.clone() }
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

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lent
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        self.idle.0.lock().unwrap_or_else(PoisonError::into_inner).push(self.lent.clone());
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
        assert_eq!(*idle.lease().lock().unwrap(), [1]);
    }
}
