//! Reads credits ledgers. A customer has one per currency.

use elt_sdk::record::Record;

use crate::config::Config;

/// Returns the currencies whose ledgers are read: those of the config, or `None` for Orb's default.
pub fn currencies(config: &Config, _: Option<&Record>) -> Vec<Option<String>> {
    if config.ledger_currencies.is_empty() {
        return vec![None];
    }
    config.ledger_currencies.iter().cloned().map(Some).collect()
}
