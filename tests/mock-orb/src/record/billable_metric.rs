//! Generates documented `BillableMetric` objects: those that prices measure.

use jiff::Timestamp;

use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{
    CREATED_GT, CREATED_GTE, CREATED_LT, CREATED_LTE, CURSOR, LIMIT, Parameters, Rule, parameter,
};
use crate::record::{item, price};
use crate::resource::{Answer, List, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "billable_metrics",
    path: "metrics",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        CREATED_GTE,
        CREATED_GT,
        CREATED_LT,
        CREATED_LTE,
        // Known to newer clients, but absent from the published document.
        parameter("status", Rule::Word(Facet::Status, &["active", "archived", "draft"])),
    ]),
    answer: Answer::List(List {
        count: |blueprint, _| blueprint.count(Collection::Plans) * METERED,
        date: |blueprint, _, index| blueprint.date(Collection::Plans, index / METERED),
        id: |blueprint, _, index| blueprint.dice.id(Salt::Metric, number(index)),
        write: |blueprint, _, index, _, out| write(blueprint, index, out),
        ..List::EMPTY
    }),
};

/// How many prices of a plan may be metered.
const METERED: u64 = price::SLOTS - 1;

const STATEMENTS: [&str; 3] = [
    "SELECT count(*) FROM events WHERE event_name = 'api.request'",
    "SELECT sum(bytes) / 1e9\nFROM events\nWHERE region <> 'région \"ü\"'",
    "SELECT max(seats) FROM events",
];

/// The number of the price that a metric measures, among the slots of all plans.
fn number(index: u64) -> u64 {
    index / METERED * price::SLOTS + 1 + index % METERED
}

fn status(index: u64) -> &'static str {
    match index % 9 {
        5 => "archived",
        8 => "draft",
        _ => "active",
    }
}

fn write(blueprint: &Blueprint, index: u64, out: &mut String) {
    let number = number(index);
    let at: Timestamp = item::date(blueprint, number);
    write_object(out, |metric| {
        metric.raw("metadata", if index.is_multiple_of(4) { r#"{"unit":"1.0"}"# } else { "{}" });
        metric.text("id", &blueprint.dice.id(Salt::Metric, number));
        metric.text("name", price::name(number / price::SLOTS, number % price::SLOTS));
        metric.optional_text("description", (!index.is_multiple_of(3)).then_some("Sum of \"all\"\n№ 1"));
        metric.text("status", status(index));
        metric.value("item", |out| item::write(blueprint, number, at, out));
        match index % 3 {
            0 => {}
            1 => {
                metric.raw("parameter_definitions", "null");
            }
            _ => {
                metric.raw("parameter_definitions", r#"[{"name":"factor","type":"number","default":1.10}]"#);
            }
        }
        metric.text("sql", STATEMENTS[index as usize % STATEMENTS.len()]);
    });
}
