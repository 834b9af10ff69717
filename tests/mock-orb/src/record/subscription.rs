//! Generates documented `Subscription` objects with their customer, plan and prices.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::{Object, write_object, write_text};
use crate::record::{coupon, customer, plan, price};
use crate::timeline::later;

/// How many of a plan's prices a subscription includes.
const PRICE_INTERVALS: u64 = 2;

pub(crate) fn customer_index(blueprint: &Blueprint, index: u64) -> u64 {
    blueprint.owner(Collection::Customers, index, blueprint.count(Collection::Subscriptions))
}

/// The plan whose prices a subscription has, even if it no longer has a plan.
pub(crate) fn prices_plan(blueprint: &Blueprint, index: u64) -> u64 {
    index % blueprint.count(Collection::Plans).max(1)
}

/// The plan; null for one subscription in nine, which has only prices.
pub(crate) fn plan_index(blueprint: &Blueprint, index: u64) -> Option<u64> {
    (blueprint.settings.always_plans || index % 9 != 4).then(|| prices_plan(blueprint, index))
}

pub(crate) fn status(index: u64) -> &'static str {
    match index % 8 {
        5 => "ended",
        7 => "upcoming",
        _ => "active",
    }
}

pub(crate) fn facet(blueprint: &Blueprint, index: u64, facet: Facet) -> Option<String> {
    match facet {
        Facet::Status => Some(status(index).to_owned()),
        Facet::CustomerId => Some(blueprint.id(Collection::Customers, customer_index(blueprint, index))),
        Facet::ExternalCustomerId => customer::external_id(customer_index(blueprint, index)),
        Facet::PlanId => plan_index(blueprint, index).map(|plan| blueprint.id(Collection::Plans, plan)),
        Facet::ExternalPlanId => plan_index(blueprint, index).and_then(plan::external_id),
        _ => None,
    }
}

pub(crate) fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    write_for(blueprint, index, at, out, |out| {
        let customer = customer_index(blueprint, index);
        customer::write(blueprint, customer, blueprint.date(Collection::Customers, customer), out);
    });
}

/// Writes a subscription with a customer that writes itself.
pub(crate) fn write_for(
    blueprint: &Blueprint,
    index: u64,
    at: Timestamp,
    out: &mut String,
    write_customer: impl FnOnce(&mut String),
) {
    let prices_plan = prices_plan(blueprint, index);
    let span = Span::new(blueprint, index, at);
    write_object(out, |subscription| {
        subscription.text("id", &blueprint.id(Collection::Subscriptions, index));
        subscription.value("customer", write_customer);
        match plan_index(blueprint, index) {
            Some(plan) => subscription.value("plan", |out| {
                plan::write(blueprint, plan, blueprint.date(Collection::Plans, plan), out);
            }),
            None => subscription.raw("plan", "null"),
        };
        subscription.text("name", &format!("Plan №{prices_plan}")).text("status", status(index));
        subscription.raw(
            "metadata",
            if index.is_multiple_of(2) { "{}" } else { r#"{"is_local":"true","ref":"1e5"}"# },
        );
        subscription.instant("created_at", at, spelling(index));
        span.write("start_date", "end_date", subscription);
        span.write_period(subscription);
        subscription.object("trial_info", |trial| {
            trial.optional_instant(
                "end_date",
                index.is_multiple_of(5).then(|| later(span.start, SignedDuration::from_hours(14 * 24))),
            );
        });
        subscription.raw("active_plan_phase_order", if index % 4 == 3 { "2" } else { "null" });
        subscription.list("fixed_fee_quantity_schedule", [0], |out, slot| {
            write_object(out, |entry| {
                entry.text("price_id", &price::id(blueprint, prices_plan, slot)).raw("quantity", "1.0");
                span.write("start_date", "end_date", entry);
            });
        });
        subscription.optional_text("default_invoice_memo", (index % 6 == 1).then_some("Danke für alles"));
        subscription.raw("auto_collection", if index.is_multiple_of(3) { "null" } else { "true" });
        subscription.raw("auto_issuance", if index % 3 == 1 { "null" } else { "true" });
        subscription.number("net_terms", if index.is_multiple_of(2) { 0 } else { 30 });
        match coupon::redeemed_by(blueprint, index) {
            Some(id) => subscription.object("redeemed_coupon", |coupon| {
                coupon.text("coupon_id", &id);
                span.write("start_date", "end_date", coupon);
            }),
            None => subscription.raw("redeemed_coupon", "null"),
        };
        subscription.number("billing_cycle_day", 1);
        subscription.raw("billing_cycle_anchor_configuration", r#"{"day":1,"month":null,"year":null}"#);
        subscription.optional_text("invoicing_threshold", (index % 7 == 2).then_some("1000.00"));
        subscription.list("price_intervals", 0..PRICE_INTERVALS, |out, slot| {
            write_price_interval(blueprint, index, slot, &span, out);
        });
        subscription.list("adjustment_intervals", (prices_plan % 2 == 1).then_some(()), |out, ()| {
            write_adjustment_interval(blueprint, index, &span, out);
        });
        subscription.raw("discount_intervals", "[]");
        subscription.raw("minimum_intervals", "[]").raw("maximum_intervals", "[]");
        subscription.raw("pending_subscription_change", "null");
    });
}

/// The term of a subscription and its current billing period.
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    period: Option<(Timestamp, Timestamp)>,
}

impl Span {
    pub(crate) fn new(blueprint: &Blueprint, index: u64, at: Timestamp) -> Span {
        let now = blueprint.timeline.last();
        let created = midnight(utc_date(at));
        match status(index) {
            "ended" => {
                // Halfway between creation and now, so that it has ended whenever it began.
                let half = now.duration_since(created).as_secs() / 2;
                Span {
                    start: created,
                    end: Some(later(created, SignedDuration::from_secs(half))),
                    period: None,
                }
            }
            "upcoming" => {
                Span { start: later(now, SignedDuration::from_hours(30 * 24)), end: None, period: None }
            }
            _ => {
                let month = utc_date(now).first_of_month();
                let next = month.last_of_month().tomorrow().unwrap_or(month);
                Span { start: created, end: None, period: Some((midnight(month), midnight(next))) }
            }
        }
    }

    fn write(&self, start: &str, end: &str, object: &mut Object<'_>) {
        object.instant(start, self.start, Spelling::Offset).optional_instant(end, self.end);
    }

    fn write_period(&self, object: &mut Object<'_>) {
        object.optional_instant("current_billing_period_start_date", self.period.map(|(start, _)| start));
        object.optional_instant("current_billing_period_end_date", self.period.map(|(_, end)| end));
    }
}

fn interval_id(blueprint: &Blueprint, index: u64, slot: u64) -> String {
    blueprint.dice.id(Salt::Interval, (1 << 32) + index * PRICE_INTERVALS + slot)
}

fn write_price_interval(blueprint: &Blueprint, index: u64, slot: u64, span: &Span, out: &mut String) {
    let plan = prices_plan(blueprint, index);
    write_object(out, |interval| {
        interval.text("id", &interval_id(blueprint, index, slot));
        span.write("start_date", "end_date", interval);
        interval.value("price", |out| price::write(blueprint, plan, slot, out));
        interval.number("billing_cycle_day", 1).flag("can_defer_billing", slot != 0);
        if slot == 0 {
            interval.list("fixed_fee_quantity_transitions", [slot], |out, slot| {
                write_object(out, |transition| {
                    transition.text("price_id", &price::id(blueprint, plan, slot));
                    transition.instant("effective_date", span.start, Spelling::Offset).raw("quantity", "1.0");
                });
            });
        } else {
            interval.raw("fixed_fee_quantity_transitions", "null");
        }
        span.write_period(interval);
        interval
            .optional_text("filter", (slot != 0 && index % 4 == 1).then_some("region = 'eu' AND tier > 1"));
        interval.raw("usage_customer_ids", "null");
        if slot != 0 {
            interval.raw("metric_parameter_overrides", "null");
        }
    });
}

fn write_adjustment_interval(blueprint: &Blueprint, index: u64, span: &Span, out: &mut String) {
    write_object(out, |interval| {
        interval.text("id", &blueprint.dice.id(Salt::Adjustment, (1 << 32) + index));
        interval.value("adjustment", |out| {
            plan::write_adjustment(blueprint, prices_plan(blueprint, index), out);
        });
        span.write("start_date", "end_date", interval);
        interval.list("applies_to_price_interval_ids", [interval_id(blueprint, index, 1)], |out, id| {
            write_text(out, &id);
        });
    });
}
