//! What a subscription says about its lists: when it begins and ends, its prices, whether it is
//! active.

use time::Timestamp;

use crate::config::Config;
use elt_sdk::{instant::parse_instant, record::Record, slice::Slice};
use json_text::{Fields, Json};

/// When a subscription begins and ends. `None` if that is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Life {
    /// The first instant.
    pub begin: Option<Timestamp>,
    /// The first instant after the end.
    pub end: Option<Timestamp>,
}

/// Returns when a subscription begins and ends.
pub fn life(subscription: &Record) -> Life {
    let instant = |name: &str| subscription.text(name).as_deref().and_then(parse_instant);
    Life { begin: instant("start_date"), end: instant("end_date") }
}

/// Returns the prices of a subscription: those of its plan, and its own.
pub fn prices<'a>(subscription: &Fields<'a>) -> Vec<Json<'a>> {
    let mut prices = subscription.object("plan").map(|plan| plan.list("prices")).unwrap_or_default();
    let intervals = subscription.list("price_intervals");
    prices.extend(intervals.iter().filter_map(|interval| Fields::of(*interval)?.raw("price")));
    prices
}

/// Returns the list of a subscription if it is active. Others have no upcoming invoice.
pub fn if_active(_: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    let is_active = subscription.text("status").is_none_or(|status| status == "active");
    if is_active { vec![whole.clone()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_active_subscriptions_and_those_of_unknown_status_are_asked() {
        let config = Config::sample("");
        let asked = |json: &str| {
            !if_active(&config, &Record::new(json.to_owned(), None), &Slice::default()).is_empty()
        };
        for (status, expected) in [("active", true), ("ended", false), ("upcoming", false)] {
            assert_eq!(asked(&format!(r#"{{"status":{status:?}}}"#)), expected, "{status}");
        }
        assert!(asked("{}"));
    }
}
