//! What the host holds for the resources of a guest.
//!
//! They live in the store's table of resources, where there is no room for a number of bytes. So it
//! is kept beside, under the same numbers. Small things without a size of their own (options,
//! pollables, streams) are bounded by the number of handles alone.

use std::collections::HashMap;

use http::HeaderMap;

use crate::account::{Account, Full, Held};

/// Bytes that a resource takes beside its content.
const RESOURCE: usize = 512;
/// Bytes that a field of a head takes beside its name and value: its places in the tables of a
/// `HeaderMap`, which are half empty, and two small allocations.
pub(super) const FIELD: usize = 256;
/// Bytes that the two ends of a request's body take beside what is between them.
pub(super) const BODY: usize = 2 * 1024;

/// What the host holds for the resources of a guest.
#[derive(Debug)]
pub(crate) struct Holdings {
    account: Account,
    /// Bytes that the method, authority and path of a request may have together.
    pub(super) head: usize,
    /// By the number of the resource in the table.
    held: HashMap<u32, Held>,
}

impl Holdings {
    /// Counts in `account`. `head` bounds the head of a request, in bytes.
    pub(crate) fn new(account: Account, head: usize) -> Self {
        Self { account, head, held: HashMap::new() }
    }

    /// What is held for this resource. Nothing, if it is new.
    pub(super) fn of(&mut self, resource: u32) -> &mut Held {
        self.held.entry(resource).or_insert_with(|| self.account.open())
    }

    /// Holds so many bytes for this resource, and those that every resource takes.
    ///
    /// # Errors
    ///
    /// If they exceed a limit.
    pub(super) fn set(&mut self, resource: u32, bytes: usize) -> Result<(), Full> {
        self.of(resource).set(RESOURCE + bytes)
    }

    /// Takes what is held for a resource that no longer exists.
    pub(super) fn take(&mut self, resource: u32) -> Held {
        self.held.remove(&resource).unwrap_or_else(|| self.account.open())
    }
}

/// Bytes that the host holds for these fields.
pub(super) fn weigh(fields: &HeaderMap) -> usize {
    fields.iter().map(|(name, value)| FIELD + name.as_str().len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::account;

    #[test]
    fn a_resource_is_held_until_it_is_taken() {
        let mut holdings = Holdings::new(account(3 * RESOURCE), 0);
        holdings.set(7, RESOURCE).unwrap();
        holdings.set(8, RESOURCE).unwrap_err();
        holdings.set(7, 0).unwrap();
        holdings.set(8, RESOURCE).unwrap();
        drop(holdings.take(8));
        holdings.of(7).grow(2 * RESOURCE).unwrap();
        holdings.of(7).grow(1).unwrap_err();
    }
}
