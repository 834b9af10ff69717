//! The currencies of credits. A customer has a ledger, and blocks, per currency.

use elt_sdk::record::Record;

use crate::config::Config;

/// Returns the currencies whose ledgers are read: those of the config, or `None` for Orb's default.
pub fn currencies(config: &Config, _: Option<&Record>) -> Vec<Option<String>> {
    Config::parts(&config.ledger_currencies)
}

/// The currency of credit blocks that Orb returns if none is named (Orb's API reference, "List
/// credits").
const DEFAULT: &str = "credits";

/// Returns the currencies whose credit blocks are read: those of the config, or Orb's default. The
/// default is named, because a block does not show its currency.
pub fn block_currencies(config: &Config, customer: Option<&Record>) -> Vec<Option<String>> {
    let named = currencies(config, customer).into_iter();
    named.map(|currency| currency.or_else(|| Some(DEFAULT.to_owned()))).collect()
}
