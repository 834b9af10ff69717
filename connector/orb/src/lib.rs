//! Reads [Orb](https://www.withorb.com)'s billing API.
//!
//! [`config`] is what the user wrote, [`streams`] the table of what can be read, [`api`] how Orb is asked and what its
//! answers mean; [`ledger`], [`events`], [`usage`] and [`timeframe`] are what is peculiar to single streams. [`source`] puts
//! them together with the mechanism of the SDK.

pub mod api;
pub mod config;
pub mod events;
pub mod ledger;
pub mod list;
pub mod schemas;
pub mod source;
pub mod streams;
pub mod timeframe;
pub mod usage;

elt_sdk::export_source!(source::Orb);
