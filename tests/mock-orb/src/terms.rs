//! Extracts from a subscription's text what its usage depends on.

use jiff::Timestamp;

use crate::field::{find, items, lookup};
use crate::time_zone::Zone;
use crate::timeframe::Timeframe;

/// The terms of one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) subscription_id: String,
    pub(crate) customer_id: Option<String>,
    /// The metrics of its plan's prices and its own, without duplicates.
    pub(crate) metrics: Vec<Metric>,
    /// The customer's time zone, in which days begin.
    pub(crate) zone: Zone,
    /// The period in which it can have usage; `None` if it ends before it starts.
    pub(crate) life: Option<Timeframe>,
    /// The current billing period, if any.
    pub(crate) period: Option<Timeframe>,
}

/// A billable metric, as usage names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Terms {
    /// Reads the terms of a subscription. Its prices are those in `priced`, which is the same text
    /// unless its plan has changed.
    pub(crate) fn read(id: &str, subscription: &str, priced: &str) -> Terms {
        let instant = |field| lookup(subscription, &[field]).and_then(|text| text.parse::<Timestamp>().ok());
        let start = instant("start_date").unwrap_or(Timestamp::MIN);
        let end = instant("end_date").unwrap_or(Timestamp::MAX);
        let period =
            instant("current_billing_period_start_date").zip(instant("current_billing_period_end_date"));
        let zone = lookup(subscription, &["customer", "timezone"]);
        Terms {
            subscription_id: id.to_owned(),
            customer_id: lookup(subscription, &["customer", "id"]),
            metrics: metrics(priced),
            zone: Zone::named(zone.as_deref().unwrap_or("UTC")),
            life: Timeframe::new(start, end),
            period: period.and_then(|(start, end)| Timeframe::new(start, end)),
        }
    }

    pub(crate) fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.id == id)
    }
}

fn metrics(subscription: &str) -> Vec<Metric> {
    let intervals = items(subscription, &["price_intervals"]);
    let own = intervals.into_iter().filter_map(|interval| find(interval, &["price"]));
    let mut metrics: Vec<Metric> = Vec::new();
    for price in items(subscription, &["plan", "prices"]).into_iter().chain(own) {
        let Some(id) = lookup(price, &["billable_metric", "id"]) else { continue };
        if metrics.iter().all(|known| known.id != id) {
            let name = lookup(price, &["billable_metric", "name"]).or_else(|| lookup(price, &["name"]));
            metrics.push(Metric { id, name: name.unwrap_or_default() });
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_the_plan_come_first_and_once() {
        let text = r#"{"plan":{"prices":[{"name":"fee","billable_metric":null},{"name":"a","billable_metric":{"id":"1"}}]},
            "price_intervals":[{"price":{"name":"b","billable_metric":{"id":"1"}}},
                {"price":{"name":"c","billable_metric":{"id":"2","name":"C"}}}]}"#;
        let terms = Terms::read("s", text, text);
        let metric = |id: &str, name: &str| Metric { id: id.to_owned(), name: name.to_owned() };
        assert_eq!(terms.metrics, [metric("1", "a"), metric("2", "C")]);
        assert_eq!(terms.metric("3"), None);
    }

    #[test]
    fn what_a_subscription_does_not_say_does_not_limit_it() {
        let terms = Terms::read("s", r#"{"plan":null,"customer":{"id":"x"}}"#, "{}");
        assert!(terms.metrics.is_empty() && terms.period.is_none());
        assert_eq!(terms.life, Timeframe::new(Timestamp::MIN, Timestamp::MAX));
    }
}
