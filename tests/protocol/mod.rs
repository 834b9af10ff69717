//! What clients of a source hold it to, row by row of `docs/protocol.md`: every test begins with
//! the number of its row.

mod commands;
mod failures;
mod records;
mod sandbox;
mod states;

use mock_orb::{Account, MockOrb, Settings};

/// All streams.
const ALL: [&str; 6] =
    ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"];

/// A server with something of everything.
fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}
