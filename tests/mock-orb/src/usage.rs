//! Usage of subscriptions: changes to it in; what the account holds, cut into days, out.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::amount::Amount;
use crate::collection::Collection;
use crate::edit::RecordError;
use crate::record::usage_point::UsagePoint;
use crate::terms::Terms;
use crate::timeframe::Timeframe;
use crate::timeline::later;
use crate::usage_view::UsageView;

/// How much of a metric was used in one window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The JSON number as it is served; the exact sum if several events make it up.
    pub quantity: String,
    /// The start of the window, included.
    pub timeframe_start: Timestamp,
    /// The end of the window, excluded.
    pub timeframe_end: Timestamp,
}

/// Where usage of one metric of one subscription is not as it was generated.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsageChanges {
    /// Nothing that is generated counts.
    cleared: bool,
    /// Nothing that is generated on these days counts.
    days: BTreeSet<Date>,
    pub(crate) points: Vec<UsagePoint>,
}

impl UsageChanges {
    /// Whether what is generated on a day does not count.
    pub(crate) fn replace(&self, day: Date) -> bool {
        self.cleared || self.days.contains(&day)
    }
}

impl Account {
    /// The identifiers of the billable metrics of a subscription, in the order of its usage.
    #[must_use]
    pub fn billable_metrics(&self, subscription_id: &str) -> Vec<String> {
        let metrics = self.terms(subscription_id).map(|terms| terms.metrics).unwrap_or_default();
        metrics.into_iter().map(|metric| metric.id).collect()
    }

    /// Makes a quantity the only usage of a metric on one of the customer's days, at noon or as
    /// near to it as the subscription lives, and without properties. The quantity is served as this
    /// text.
    ///
    /// # Errors
    ///
    /// If there is no such subscription with such a metric, it does not live on that day, or the
    /// quantity is no JSON number of less than 27 digits.
    pub fn set_usage(
        &mut self,
        subscription_id: &str,
        metric_id: &str,
        day: Date,
        quantity: &str,
    ) -> Result<(), RecordError> {
        let terms = self.terms_with(subscription_id, metric_id)?;
        let whole = Timeframe::new(terms.zone.midnight(day), terms.zone.next_midnight(day));
        let lived = whole.zip(terms.life).and_then(|(day, life)| day.overlap(life));
        let lived = lived.ok_or(RecordError::OutsideLife(day))?;
        let noon = later(terms.zone.midnight(day), SignedDuration::from_hours(12));
        let last = later(lived.end, SignedDuration::from_nanos(-1));
        let point = point(noon.clamp(lived.start, last), quantity, &[])?;
        let changes = self.usage_changes(subscription_id, metric_id);
        changes.days.insert(day);
        changes.points.retain(|point| terms.zone.date(point.at) != day);
        changes.points.push(point);
        Ok(())
    }

    /// Adds usage to what there is, as an event does that is reported late. It counts if the
    /// subscription lives at that instant, and can be grouped by its properties.
    ///
    /// # Errors
    ///
    /// If there is no such subscription with such a metric, or the quantity is no JSON number of
    /// less than 27 digits.
    pub fn add_usage(
        &mut self,
        subscription_id: &str,
        metric_id: &str,
        at: Timestamp,
        quantity: &str,
        properties: &[(&str, &str)],
    ) -> Result<(), RecordError> {
        self.terms_with(subscription_id, metric_id)?;
        let point = point(at, quantity, properties)?;
        self.usage_changes(subscription_id, metric_id).points.push(point);
        Ok(())
    }

    /// Forgets all usage of a metric, generated or not, so that only what is set from now on
    /// counts.
    pub fn clear_usage(&mut self, subscription_id: &str, metric_id: &str) {
        *self.usage_changes(subscription_id, metric_id) =
            UsageChanges { cleared: true, ..UsageChanges::default() };
    }

    /// The usage of a metric on each day from one instant to another, zeros included, as it is
    /// served with `granularity=day` and `view_mode=periodic`; none if there is no such
    /// subscription with such a metric. Days begin at midnight in the time zone of the customer
    /// that the subscription embeds.
    #[must_use]
    pub fn usage(
        &self,
        subscription_id: &str,
        metric_id: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Usage> {
        let terms = self.terms_with(subscription_id, metric_id).ok();
        let view = terms.zip(UsageView::daily(from, until));
        view.map_or_else(Vec::new, |(terms, view)| self.view_usage(&terms, metric_id, view))
    }

    /// As [`Account::usage`], for each value that a property has in that time, in the order of the
    /// values.
    #[must_use]
    pub fn grouped_usage(
        &self,
        subscription_id: &str,
        metric_id: &str,
        group_by: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<(String, Vec<Usage>)> {
        let terms = self.terms_with(subscription_id, metric_id).ok();
        let view = terms.zip(UsageView::daily(from, until));
        view.map_or_else(Vec::new, |(terms, view)| self.view_grouped_usage(&terms, metric_id, group_by, view))
    }

    /// What usage depends on; nothing for a subscription that does not exist.
    pub(crate) fn terms(&self, subscription_id: &str) -> Option<Terms> {
        Some(Terms::read(subscription_id, &self.record(Collection::Subscriptions, subscription_id)?))
    }

    fn terms_with(&self, subscription_id: &str, metric_id: &str) -> Result<Terms, RecordError> {
        let unknown = |resource, id: &str| RecordError::Unknown { resource, id: id.to_owned() };
        let terms = self.terms(subscription_id);
        let terms = terms.ok_or_else(|| unknown(Collection::Subscriptions.resource(), subscription_id))?;
        if terms.metric(metric_id).is_none() {
            return Err(unknown("BillableMetric", metric_id));
        }
        Ok(terms)
    }

    fn usage_changes(&mut self, subscription_id: &str, metric_id: &str) -> &mut UsageChanges {
        self.usage.entry((subscription_id.to_owned(), metric_id.to_owned())).or_default()
    }
}

fn point(at: Timestamp, quantity: &str, properties: &[(&str, &str)]) -> Result<UsagePoint, RecordError> {
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(quantity).is_ok();
    if !is_json || quantity.trim() != quantity || Amount::parse(quantity).is_none() {
        return Err(RecordError::NotANumber(quantity.to_owned()));
    }
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(UsagePoint { at, quantity: quantity.to_owned(), properties: properties.iter().map(text).collect() })
}
