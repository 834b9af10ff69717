//! The classes of Orb's rate limits, with the limits for live data (Orb's API reference, "Rate
//! limits"). Test and trial accounts have lower ones. All classes start without a pace and learn it
//! from refusals, so that a server without limits is read as fast as it answers.

use elt_sdk::pace::RateClass;

const fn class(name: &'static str, limit: f64) -> RateClass {
    RateClass { name, per_second: None, limit: Some(limit) }
}

/// Most `GET` requests.
pub static READ: RateClass = class("read", 100.0);

/// Usage and costs.
pub static ANALYTICS: RateClass = class("analytics", 10.0);

/// A customer's credit balance, which is the list of credit blocks.
pub static CREDIT_BALANCE: RateClass = class("credit balance", 10.0);

/// Every `POST`, even if it only reads.
pub static WRITE: RateClass = class("write", 50.0);
