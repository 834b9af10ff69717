//! The classes of Orb's rate limits (Orb's API reference, "Rate limits"). All start without a limit
//! and learn their pace from refusals, because test and trial accounts have lower limits.

use elt_sdk::pace::RateClass;

/// Most `GET` requests: 100 per second on live data.
pub static READ: RateClass = RateClass { name: "read", per_second: None };

/// Usage and costs: 10 per second on live data.
pub static ANALYTICS: RateClass = RateClass { name: "analytics", per_second: None };

/// A customer's credit balance, which is the list of credit blocks: 10 per second on live data.
pub static CREDIT_BALANCE: RateClass = RateClass { name: "credit balance", per_second: None };

/// Every `POST`, even if it only reads: 50 per second on live data.
pub static WRITE: RateClass = RateClass { name: "write", per_second: None };
