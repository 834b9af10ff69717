//! Reads [Orb](https://www.withorb.com)'s billing API.
//!
//! [`streams`] is the table of streams. [`config`] parses the config, [`api`] builds requests and
//! decodes responses, and [`errors`] classifies them. [`ledger`], [`events`], [`usage`], [`costs`],
//! [`licenses`], [`plans`], [`coupons`], [`subscription`] and [`timeframe`] implement what only
//! some streams need. [`source`] joins all this; the crate `elt-sdk` does the rest.

pub mod api;
pub mod config;
pub mod costs;
pub mod coupons;
pub mod errors;
pub mod events;
pub mod ledger;
pub mod licenses;
pub mod list;
pub mod plans;
pub mod rates;
pub mod requests;
pub mod schemas;
pub mod source;
pub mod streams;
pub mod subscription;
pub mod timeframe;
pub mod usage;

elt_sdk::export_source!(source::Orb);
