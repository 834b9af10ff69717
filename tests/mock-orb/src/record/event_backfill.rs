//! Generates documented `Backfill` objects.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "event_backfills",
    path: "events/backfills",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        // Known to newer clients, but absent from the published document.
        parameter("customer_id", Rule::Text(Facet::PlainCustomerId)),
        parameter("status", Rule::Word(Facet::Status, &STATUSES)),
    ]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| blueprint.timeline.at(index, count(blueprint)),
        id: |blueprint, _, index| blueprint.dice.id(Salt::Backfill, index),
        write: |blueprint, _, index, at, out| write(blueprint, index, at, out),
        ..List::EMPTY
    }),
};

const STATUSES: [&str; 4] = ["pending", "reflected", "pending_revert", "reverted"];

/// As many as customers, but at most three pages of the default length.
fn count(blueprint: &Blueprint) -> u64 {
    blueprint.count(Collection::Customers).min(45)
}

fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let status = STATUSES[index as usize % STATUSES.len()];
    let now = blueprint.timeline.last();
    let end = midnight(utc_date(at));
    let start = later(end, SignedDuration::from_hours(-24 * (1 + index as i64 % 31)));
    write_object(out, |backfill| {
        backfill.text("id", &blueprint.dice.id(Salt::Backfill, index)).text("status", status);
        backfill.instant("created_at", at, spelling(index));
        backfill.instant("timeframe_start", start, Spelling::Zulu);
        backfill.instant("timeframe_end", end, Spelling::Offset);
        backfill.number("events_ingested", blueprint.dice.roll(Salt::Backfill, index) % 1_000_000);
        let close = (status != "pending").then(|| later(at, SignedDuration::from_hours(24)).min(now));
        backfill.optional_instant("close_time", close);
        let reverted = (status == "reverted").then(|| later(at, SignedDuration::from_hours(48)).min(now));
        backfill.optional_instant("reverted_at", reverted);
        // Null means all customers.
        let customer = (index % 3 != 2).then(|| {
            let customers = blueprint.count(Collection::Customers);
            blueprint.id(Collection::Customers, index * 7 % customers.max(1))
        });
        backfill.optional_text("customer_id", customer.as_deref());
        match index % 4 {
            0 => {}
            1 => {
                backfill.raw("deprecation_filter", "null");
            }
            _ => {
                backfill.text("deprecation_filter", "bytes > 100 AND region = 'région \"ü\"'");
            }
        }
        backfill.flag("replace_existing_events", index % 4 >= 2);
    });
}
