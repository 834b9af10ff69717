//! What clients require of a source, by the rows of `docs/protocol.md`: the name of each test
//! starts with its row's number.

mod commands;
mod failures;
mod records;
mod sandbox;
mod states;

use mock_orb::{Account, MockOrb, Settings};

/// All streams.
const ALL: [&str; 6] =
    ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"];

/// A server with records of every kind.
fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}
