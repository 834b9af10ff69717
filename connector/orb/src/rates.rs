//! Orb's rate limits (Orb's API reference, "Rate limits"). All begin without a limit: the pace is
//! learnt from refusals, since test and trial accounts are allowed less than live data.

use elt_sdk::pace::RateClass;

/// Most `GET` requests: 100 a second on live data (Orb's API reference, "Rate limits").
pub static READ: RateClass = RateClass { name: "read", per_second: None };

/// Usage and costs: 10 a second on live data.
pub static ANALYTICS: RateClass = RateClass { name: "analytics", per_second: None };

/// Every `POST`, also those that only read: 50 a second on live data.
pub static WRITE: RateClass = RateClass { name: "write", per_second: None };
