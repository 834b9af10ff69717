//! Reads and changes the usage of subscriptions.

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

/// The usage of a metric in one window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The JSON number as served; the exact sum if several events contribute.
    pub quantity: String,
    /// The start of the window, inclusive.
    pub timeframe_start: Timestamp,
    /// The end of the window, exclusive.
    pub timeframe_end: Timestamp,
}

/// Usage changed by hand, of one metric of one subscription.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsageChanges {
    /// Ignores all generated usage.
    cleared: bool,
    /// Ignores the generated usage of these days.
    days: BTreeSet<Date>,
    pub(crate) points: Vec<UsagePoint>,
}

impl UsageChanges {
    /// Whether to ignore the generated usage of a day.
    pub(crate) fn replace(&self, day: Date) -> bool {
        self.cleared || self.days.contains(&day)
    }
}

impl Account {
    /// The identifiers of a subscription's billable metrics, in the order of its usage.
    #[must_use]
    pub fn billable_metrics(&self, subscription_id: &str) -> Vec<String> {
        let metrics = self.terms(subscription_id).map(|terms| terms.metrics).unwrap_or_default();
        metrics.into_iter().map(|metric| metric.id).collect()
    }

    /// Sets the usage of a metric on one of the customer's days to a single quantity without
    /// properties, at noon or as near to it as the subscription's life allows. The quantity is
    /// served as this text.
    ///
    /// # Errors
    ///
    /// If there is no such subscription or metric, the subscription is not alive on that day, or
    /// the quantity is not a JSON number of fewer than 27 digits.
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

    /// Adds usage, as a late event does. It counts if the subscription is alive at that instant,
    /// and can be grouped by its properties.
    ///
    /// # Errors
    ///
    /// If there is no such subscription or metric, or the quantity is not a JSON number of fewer
    /// than 27 digits.
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

    /// Removes all usage of a metric, generated or not; only usage set afterwards counts.
    pub fn clear_usage(&mut self, subscription_id: &str, metric_id: &str) {
        *self.usage_changes(subscription_id, metric_id) =
            UsageChanges { cleared: true, ..UsageChanges::default() };
    }

    /// The usage of a metric on each day between two instants, zeros included, as served with
    /// `granularity=day` and `view_mode=periodic`; empty if there is no such subscription or
    /// metric. Days begin at midnight in the time zone of the customer that the subscription
    /// embeds.
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

    /// Like [`Account::usage`], but for each value of a property in that time, in order of the
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

    /// What usage depends on; `None` for an unknown subscription.
    pub(crate) fn terms(&self, subscription_id: &str) -> Option<Terms> {
        let text = self.record(Collection::Subscriptions, subscription_id)?;
        Some(Terms::read(subscription_id, &text, self.priced(subscription_id, &text)))
    }

    /// The text of a subscription by which its usage and costs are computed.
    pub(crate) fn priced<'a>(&'a self, subscription_id: &str, text: &'a str) -> &'a str {
        self.repriced.get(subscription_id).map_or(text, String::as_str)
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
