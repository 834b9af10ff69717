//! Reads [Orb](https://www.withorb.com)'s billing API.
//!
//! [`streams`] is the table of what can be read, [`config`] what the user wrote, [`api`] how Orb is
//! asked, and [`errors`] what its responses mean. [`ledger`], [`events`], [`usage`] and
//! [`timeframe`] hold what is peculiar to single streams. [`source`] puts them together; the crate
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
