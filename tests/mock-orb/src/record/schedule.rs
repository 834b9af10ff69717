//! Generates documented `SubscriptionScheduleItem` objects: the past, present and future plans of
//! a subscription.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::instant::{Spelling, write_instant};
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, Comparison, LIMIT, Parameters, Rule, parameter};
use crate::record::plan;
use crate::record::subscription::{Span, plan_index, prices_plan, status};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "subscription_schedules",
    path: "subscriptions/{}/schedule",
    owner: OwnedBy::Path(Kind::Subscription),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        parameter("start_date[gte]", Rule::Instant(Comparison::AtLeast)),
        parameter("start_date[gt]", Rule::Instant(Comparison::Above)),
        parameter("start_date[lt]", Rule::Instant(Comparison::Below)),
        parameter("start_date[lte]", Rule::Instant(Comparison::AtMost)),
    ]),
    answer: Answer::List(List {
        count: |_, subscription| periods(subscription.number()).count() as u64,
        date: start,
        id: |blueprint, subscription, index| {
            let mut id = String::new();
            write_instant(&mut id, start(blueprint, subscription, index), Spelling::Offset);
            id
        },
        write,
        key: "start_date",
        ..List::EMPTY
    }),
};

/// When a plan applies, from the point of view of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Past,
    Present,
    Future,
}

/// The periods of a subscription. Only active ones change their plan.
fn periods(subscription: u64) -> impl Iterator<Item = Period> {
    let active = status(subscription) == "active";
    let past = (active && subscription % 3 == 1).then_some(Period::Past);
    let future = (active && subscription % 5 == 2).then_some(Period::Future);
    [past, Some(Period::Present), future].into_iter().flatten()
}

fn period(subscription: u64, index: u64) -> Period {
    periods(subscription).nth(index as usize).unwrap_or(Period::Future)
}

fn start(blueprint: &Blueprint, subscription: &Owner, index: u64) -> Timestamp {
    let number = subscription.number();
    let now = blueprint.timeline.last();
    let first = Span::new(blueprint, number, subscription.at).start;
    match period(number, index) {
        Period::Present if index == 1 => {
            let third = now.duration_since(first).as_secs() / 3;
            later(first, SignedDuration::from_secs(third.max(1)))
        }
        Period::Past | Period::Present => first,
        Period::Future => later(now, SignedDuration::from_hours(24 * 20)),
    }
}

fn write(blueprint: &Blueprint, subscription: &Owner, index: u64, at: Timestamp, out: &mut String) {
    let number = subscription.number();
    let next = index + 1;
    let end = if next < periods(number).count() as u64 {
        Some(start(blueprint, subscription, next))
    } else {
        Span::new(blueprint, number, subscription.at).end
    };
    // Other plans before and after the present one.
    let plans = blueprint.count(Collection::Plans).max(1);
    let scheduled = match period(number, index) {
        Period::Present => plan_index(blueprint, number),
        Period::Past => Some((prices_plan(blueprint, number) + 1) % plans),
        Period::Future => Some((prices_plan(blueprint, number) + plans - 1) % plans),
    };
    write_object(out, |item| {
        item.instant("start_date", at, Spelling::Offset).optional_instant("end_date", end);
        item.instant("created_at", subscription.at, Spelling::Zulu);
        match scheduled {
            Some(it) => item.value("plan", |out| {
                // Some plans of the past are gone.
                let gone = period(number, index) == Period::Past && number % 9 == 1;
                plan::write_minified(blueprint, (!gone).then_some(it), None, out);
            }),
            None => item.raw("plan", "null"),
        };
    });
}
