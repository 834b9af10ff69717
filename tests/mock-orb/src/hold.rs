//! Locks the account for the owner of a running server, and detects a second lock by the same
//! thread.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};
use std::thread::ThreadId;

use crate::account::Account;
use crate::service::lock;

/// Guards the account of a running server. Requests wait while the guard lives.
#[derive(Debug)]
pub struct AccountGuard<'a> {
    account: MutexGuard<'a, Account>,
    holder: &'a Mutex<Option<ThreadId>>,
}

impl<'a> AccountGuard<'a> {
    /// Locks the account. Panics if this thread already holds it, rather than deadlock.
    pub(crate) fn take(account: &'a Mutex<Account>, holder: &'a Mutex<Option<ThreadId>>) -> AccountGuard<'a> {
        let this = std::thread::current().id();
        let held = *lock(holder) == Some(this);
        assert!(!held, "this thread holds the account already: drop the first `account()` guard");
        let account = lock(account);
        *lock(holder) = Some(this);
        AccountGuard { account, holder }
    }
}

impl Deref for AccountGuard<'_> {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl DerefMut for AccountGuard<'_> {
    fn deref_mut(&mut self) -> &mut Account {
        &mut self.account
    }
}

impl Drop for AccountGuard<'_> {
    fn drop(&mut self) {
        // Still under the account's lock, which is released afterwards.
        *lock(self.holder) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    #[should_panic(expected = "holds the account already")]
    fn taking_the_account_twice_fails_rather_than_hangs() {
        let account = Mutex::new(Account::generate(&Settings::empty()));
        let holder = Mutex::new(None);
        drop(AccountGuard::take(&account, &holder));
        let _first = AccountGuard::take(&account, &holder);
        let _second = AccountGuard::take(&account, &holder);
    }
}
