//! The owner's hold on the account while the server runs: a lock in, a guard that cannot be taken
//! twice out.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};
use std::thread::ThreadId;

use crate::account::Account;
use crate::service::lock;

/// The account of a running server, to be looked at and changed. No request is answered while it
/// lives.
#[derive(Debug)]
pub struct AccountGuard<'a> {
    account: MutexGuard<'a, Account>,
    holder: &'a Mutex<Option<ThreadId>>,
}

impl<'a> AccountGuard<'a> {
    /// Takes the account. A thread that has it already would wait for itself, and fails instead.
    pub(crate) fn take(account: &'a Mutex<Account>, holder: &'a Mutex<Option<ThreadId>>) -> AccountGuard<'a> {
        let this = std::thread::current().id();
        let held = *lock(holder) == Some(this);
        assert!(!held, "this thread holds the account already: let go of the first `account()` guard");
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
        // Still under the account's lock, which is let go of afterwards.
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
