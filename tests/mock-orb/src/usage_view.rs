//! Splits usage into windows and sums the quantities in each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::account::Account;
use crate::instant::{midnight, utc_date};
use crate::record::usage_point::{UsagePoint, generate, total};
use crate::terms::Terms;
use crate::time_zone::Zone;
use crate::timeframe::Timeframe;
use crate::usage::Usage;

/// Which windows to return, and from when each counts usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsageView {
    pub(crate) timeframe: Timeframe,
    /// One window per day of the customer, rather than one for the whole timeframe.
    pub(crate) by_day: bool,
    /// Counts from the start of the billing period in which a window begins, rather than from the
    /// window's own start.
    pub(crate) cumulative: bool,
}

impl UsageView {
    /// Each day of a timeframe on its own; `None` if the timeframe is empty.
    pub(crate) fn daily(from: Timestamp, until: Timestamp) -> Option<UsageView> {
        Some(UsageView { timeframe: Timeframe::new(from, until)?, by_day: true, cumulative: false })
    }

    fn windows(self, zone: &Zone) -> Vec<Timeframe> {
        if self.by_day { self.timeframe.days(zone).collect() } else { vec![self.timeframe] }
    }

    /// The time over which a window counts usage.
    fn counted(self, window: Timeframe) -> Timeframe {
        // All billing periods are calendar months in UTC, as in the subscription records.
        let period = midnight(utc_date(window.start).first_of_month());
        Timeframe { start: if self.cumulative { period } else { window.start }, end: window.end }
    }
}

impl Account {
    pub(crate) fn view_usage(&self, terms: &Terms, metric_id: &str, view: UsageView) -> Vec<Usage> {
        let points = self.usage_points(terms, metric_id, view.counted(view.timeframe));
        cut(&points.iter().collect::<Vec<_>>(), terms, view)
    }

    /// The usage per value of a property, in order. Points without the property are omitted, as Orb
    /// does.
    pub(crate) fn view_grouped_usage(
        &self,
        terms: &Terms,
        metric_id: &str,
        group_by: &str,
        view: UsageView,
    ) -> Vec<(String, Vec<Usage>)> {
        let points = self.usage_points(terms, metric_id, view.counted(view.timeframe));
        let mut groups: BTreeMap<&str, Vec<&UsagePoint>> = BTreeMap::new();
        for point in &points {
            if let Some(value) = point.property(group_by) {
                groups.entry(value).or_default().push(point);
            }
        }
        groups.into_iter().map(|(value, points)| (value.to_owned(), cut(&points, terms, view))).collect()
    }

    /// All usage of a metric within a timeframe and the life of its subscription.
    fn usage_points(&self, terms: &Terms, metric_id: &str, timeframe: Timeframe) -> Vec<UsagePoint> {
        let Some(within) = terms.life.and_then(|life| life.overlap(timeframe)) else { return Vec::new() };
        let changes = self.usage.get(&(terms.subscription_id.clone(), metric_id.to_owned()));
        let mut points = Vec::new();
        // There is no usage after the account's now, unless it was added by hand.
        if let Some(past) = Timeframe::new(within.start, within.end.min(self.blueprint.timeline.last())) {
            for day in past.days(&terms.zone).map(|day| terms.zone.date(day.start)) {
                if !changes.is_some_and(|changes| changes.replace(day)) {
                    let dice = self.blueprint.dice;
                    points.extend(generate(dice, &terms.subscription_id, metric_id, day, &terms.zone));
                }
            }
            points.retain(|point| past.contains(point.at));
        }
        for backfill in self.backfills.values().filter(|it| it.concerns(terms)) {
            backfill.change(terms, metric_id, within, &mut points);
        }
        let added = changes.into_iter().flat_map(|changes| &changes.points);
        points.extend(added.filter(|point| within.contains(point.at)).cloned());
        points
    }
}

fn cut(points: &[&UsagePoint], terms: &Terms, view: UsageView) -> Vec<Usage> {
    let usage = |window: Timeframe| Usage {
        quantity: total(points.iter().copied(), view.counted(window)),
        timeframe_start: window.start,
        timeframe_end: window.end,
    };
    view.windows(&terms.zone).into_iter().map(usage).collect()
}
