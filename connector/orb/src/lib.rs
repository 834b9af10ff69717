//! Reads [Orb](https://www.withorb.com)'s billing API.
//!
//! [`streams`] is the table of streams. [`config`] parses the config, [`api`] builds requests and
//! decodes responses, and [`errors`] classifies them. [`ledger`], [`events`], [`usage`] and
//! [`timeframe`] implement what only single streams need. [`source`] joins all this; the crate
//! `elt-sdk` does the rest.

pub mod api;
pub mod config;
pub mod errors;
pub mod events;
pub mod ledger;
pub mod list;
pub mod rates;
pub mod requests;
pub mod schemas;
pub mod source;
pub mod streams;
pub mod timeframe;
pub mod usage;

elt_sdk::export_source!(source::Orb);
