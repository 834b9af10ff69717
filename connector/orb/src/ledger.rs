//! Credits ledgers: a customer has one per currency.

use crate::config::Config;
use elt_sdk::{record::Record, slice::Slice};

/// One slice per currency that the config names, or the one ledger that Orb returns by default.
pub fn slices(config: &Config, _: &Record, whole: &Slice) -> Vec<Slice> {
    if config.ledger_currencies.is_empty() {
        return vec![whole.clone()];
    }
    let of = |currency: &String| Slice { part: Some(currency.clone()), ..whole.clone() };
    config.ledger_currencies.iter().map(of).collect()
}

/// Asks for the slice's currency.
pub fn query(_: &Config, slice: &Slice) -> Vec<(&'static str, String)> {
    slice.part.iter().map(|currency| ("currency", currency.clone())).collect()
}
