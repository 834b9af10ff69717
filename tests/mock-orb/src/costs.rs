//! Answers requests for the costs of a customer or a subscription, by day and price.
//!
//! Each price charges its own: a fee once a month, and for each day with usage an amount that
//! depends on the quantity, less a discount. Costs change with the usage.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::account::Account;
use crate::amount::{Amount, money};
use crate::collection::Collection;
use crate::dice::{Salt, hash};
use crate::field::{find, items, lookup};
use crate::instant::{Spelling, parse_date_time};
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy};
use crate::parameter::{Parameters, Rule, parameter};
use crate::problem::Problem;
use crate::resource::{Answer, Call, Resource};
use crate::shelf::Row;
use crate::terms::Terms;
use crate::time_zone::Zone;
use crate::timeframe::{Timeframe, fits_a_year};
use crate::usage_view::UsageView;

pub(crate) static OF_CUSTOMER: Resource = Resource {
    name: "customer_costs",
    path: "customers/{}/costs",
    owner: OwnedBy::Path(Kind::Customer),
    parameters: PARAMETERS,
    answer: Answer::Body(|call| {
        let subscriptions = subscriptions_of(call.account, &call.owner.id);
        write_costs(call, &subscriptions)
    }),
};

pub(crate) static OF_SUBSCRIPTION: Resource = Resource {
    name: "subscription_costs",
    path: "subscriptions/{}/costs",
    owner: OwnedBy::Path(Kind::Subscription),
    parameters: PARAMETERS,
    answer: Answer::Body(|call| write_costs(call, std::slice::from_ref(&call.owner.id))),
};

const PARAMETERS: Parameters = Parameters::of(&[
    parameter("timeframe_start", Rule::DateTime),
    parameter("timeframe_end", Rule::DateTime),
    parameter("view_mode", Rule::Ignored(&["periodic", "cumulative"])),
    parameter("currency", Rule::Any),
]);

/// The currency of costs by default: that of the account's invoices.
const CURRENCY: &str = "USD";

/// The monthly fee of a fixed price, in hundredths.
const FEE: i64 = 2_500;

/// An extra discount on one day of each month, which makes the day's total negative.
const EXTRA_DISCOUNT: i64 = 500;
const DISCOUNT_DAY: i8 = 20;

/// The costs of one price in one window.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    quantity: Amount,
    subtotal: i64,
    total: i64,
}

/// A price of a subscription.
#[derive(Clone, Debug)]
struct Charge {
    id: String,
    text: String,
    /// `None` for a fee.
    metric_id: Option<String>,
}

/// The costs of each price on each day, by the day's start.
type Days = BTreeMap<Timestamp, (Timeframe, Vec<(Charge, Cost)>)>;

/// The subscriptions of a customer, generated or not.
pub(crate) fn subscriptions_of(account: &Account, customer_id: &str) -> Vec<String> {
    let customer = account.owner(Kind::Customer, customer_id).and_then(|owner| owner.index);
    let blueprint = &account.blueprint;
    let count = blueprint.count(Collection::Subscriptions);
    let owned = customer.filter(|it| *it < blueprint.count(Collection::Customers));
    let owned = owned.map_or(0..0, |it| blueprint.owned(Collection::Customers, it, count));
    let shelf = account.shelf(Collection::Subscriptions);
    let generated = owned.map(|index| blueprint.id(Collection::Subscriptions, index));
    let generated = generated.filter(|id| matches!(shelf.find(id), Some((_, Row::Generated(_)))));
    let written = shelf.written().filter_map(|text| {
        let of_customer = lookup(text, &["customer", "id"]).as_deref() == Some(customer_id);
        lookup(text, &["id"]).filter(|_| of_customer)
    });
    generated.chain(written).collect()
}

fn write_costs(call: &Call<'_>, subscriptions: &[String]) -> Result<String, Problem> {
    let instant = |name| call.value(name).and_then(parse_date_time);
    let asked = match (instant("timeframe_start"), instant("timeframe_end")) {
        (None, None) => None,
        (Some(start), Some(end)) => match Timeframe::new(start, end) {
            Some(timeframe) if fits_a_year(timeframe) => Some(timeframe),
            Some(_) => return Err(refusal("timeframe_end: is more than one year after timeframe_start")),
            None => return Err(refusal("timeframe_end: is not after timeframe_start")),
        },
        _ => return Err(refusal("timeframe_start, timeframe_end: both must be given, or neither")),
    };
    let cumulative = call.value("view_mode") != Some("periodic");
    let currency = call.value("currency").unwrap_or(CURRENCY);
    let mut days = Days::new();
    for id in subscriptions {
        if let Some(text) = call.account.record(Collection::Subscriptions, id) {
            add_subscription(call.account, id, &text, asked, cumulative, currency, &mut days);
        }
    }
    let mut body = String::new();
    write_object(&mut body, |answer| {
        answer.list("data", days.into_values(), |out, (window, costs)| write_day(window, &costs, out));
    });
    Ok(body)
}

fn refusal(error: &str) -> Problem {
    Problem::validation(vec![error.to_owned()])
}

fn add_subscription(
    account: &Account,
    id: &str,
    text: &str,
    asked: Option<Timeframe>,
    cumulative: bool,
    currency: &str,
    days: &mut Days,
) {
    let priced = account.priced(id, text);
    let terms = Terms::read(id, text, priced);
    let zone = &terms.zone;
    let Some(life) = terms.life else { return };
    let Some(whole) = asked.or_else(|| last_period(account, &terms, life)) else { return };
    // Windows are whole days, and those of cumulative costs start with the month.
    let first = zone.date(whole.start);
    let from = zone.midnight(if cumulative { first.first_of_month() } else { first });
    let aligned = zone.midnight(first);
    let Some(counted) = Timeframe::new(from, zone.day_end(whole.end)) else { return };
    let charges = charges(priced, currency);
    if charges.is_empty() {
        return;
    }
    let all: Vec<Timeframe> = counted.days(zone).collect();
    let costs: Vec<Vec<Cost>> =
        charges.iter().map(|charge| daily_costs(account, &terms, life, charge, &all)).collect();
    for (position, day) in all.iter().enumerate() {
        if day.start < aligned || day.overlap(life).is_none() {
            continue;
        }
        let month = zone.date(day.start).first_of_month();
        let start = all.iter().position(|it| zone.date(it.start) >= month).unwrap_or(0);
        let range = if cumulative { start..=position } else { position..=position };
        let opening = if cumulative { zone.midnight(month) } else { day.start };
        let window = Timeframe { start: opening, end: day.end };
        let entry = days.entry(day.start).or_insert_with(|| (window, Vec::new()));
        for (charge, costs) in charges.iter().zip(&costs) {
            let cost = costs[range.clone()].iter().fold(Cost::default(), |sum, cost| sum.plus(*cost));
            match entry.1.iter_mut().find(|(known, _)| known.id == charge.id) {
                Some((_, sum)) => *sum = sum.plus(cost),
                None => entry.1.push((charge.clone(), cost)),
            }
        }
    }
}

impl Cost {
    fn plus(self, other: Cost) -> Cost {
        Cost {
            quantity: self.quantity.plus(other.quantity),
            subtotal: self.subtotal + other.subtotal,
            total: self.total + other.total,
        }
    }
}

/// The current billing period, or the last one of a subscription that has ended.
fn last_period(account: &Account, terms: &Terms, life: Timeframe) -> Option<Timeframe> {
    let now = account.settings().last;
    if life.end > now {
        return terms.period;
    }
    let month = terms.zone.date(life.end).first_of_month();
    let next = month.last_of_month().tomorrow().ok()?;
    Timeframe::new(terms.zone.midnight(month), terms.zone.midnight(next))
}

/// The prices of a subscription in one currency, each once.
fn charges(subscription: &str, currency: &str) -> Vec<Charge> {
    let mut charges: Vec<Charge> = Vec::new();
    for interval in items(subscription, &["price_intervals"]) {
        let Some(text) = find(interval, &["price"]) else { continue };
        let Some(id) = lookup(text, &["id"]) else { continue };
        let in_currency = lookup(text, &["currency"]).as_deref() == Some(currency);
        if in_currency && charges.iter().all(|known| known.id != id) {
            let metric_id = lookup(text, &["billable_metric", "id"]);
            charges.push(Charge { id, text: text.to_owned(), metric_id });
        }
    }
    charges
}

/// What a price costs on each of these days.
fn daily_costs(
    account: &Account,
    terms: &Terms,
    life: Timeframe,
    charge: &Charge,
    days: &[Timeframe],
) -> Vec<Cost> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let Some(metric) = &charge.metric_id else { return fees(&terms.zone, life, days) };
    let timeframe = Timeframe { start: first.start, end: last.end };
    let view = UsageView { timeframe, by_day: true, cumulative: false };
    let usage = account.view_usage(terms, metric, view);
    let cost = |(day, quantity): (&Timeframe, &str)| {
        let quantity = Amount::parse(quantity).unwrap_or_default();
        let used = quantity != Amount::default();
        let number = hash(&charge.id) ^ hash(&quantity.to_string()).rotate_left(1);
        let subtotal = (account.blueprint.dice.roll(Salt::Cost, number) % 100_000) as i64;
        let subtotal = if used { subtotal } else { 0 };
        let extra = if terms.zone.date(day.start).day() == DISCOUNT_DAY { EXTRA_DISCOUNT } else { 0 };
        let extra = if day.overlap(life).is_some() { extra } else { 0 };
        Cost { quantity, subtotal, total: subtotal - subtotal / 10 - extra }
    };
    days.iter().zip(usage.iter().map(|usage| usage.quantity.as_str())).map(cost).collect()
}

/// A fee on the first day of each month on which the subscription is alive.
fn fees(zone: &Zone, life: Timeframe, days: &[Timeframe]) -> Vec<Cost> {
    let is_due = |day: &Timeframe| {
        let alive = day.overlap(life);
        let date = zone.date(day.start);
        let begins = date.day() == 1 || zone.date(life.start) == date;
        alive.is_some() && begins
    };
    let fee = Cost { quantity: Amount::default(), subtotal: FEE, total: FEE };
    days.iter().map(|day| if is_due(day) { fee } else { Cost::default() }).collect()
}

fn write_day(window: Timeframe, costs: &[(Charge, Cost)], out: &mut String) {
    let sum = costs.iter().fold(Cost::default(), |sum, (_, cost)| sum.plus(*cost));
    write_object(out, |day| {
        day.instant("timeframe_start", window.start, Spelling::Offset);
        day.instant("timeframe_end", window.end, Spelling::Offset);
        day.text("subtotal", &money(sum.subtotal)).text("total", &money(sum.total));
        day.list("per_price_costs", costs, |out, (charge, cost)| {
            write_object(out, |object| {
                object.text("price_id", &charge.id).raw("price", &charge.text);
                match &charge.metric_id {
                    None => object.raw("quantity", "null"),
                    Some(id) if hash(id).is_multiple_of(3) => object,
                    Some(_) => object.number("quantity", cost.quantity),
                };
                object.text("subtotal", &money(cost.subtotal)).text("total", &money(cost.total));
            });
        });
    });
}
