//! Generates documented `DimensionalPriceGroup` objects, and lists the prices of each.

use jiff::Timestamp;

use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter};
use crate::record::{price, price_list};
use crate::resource::{Answer, List, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "dimensional_price_groups",
    path: "dimensional_price_groups",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        // Known to newer clients, but absent from the published document.
        parameter("billable_metric_id", Rule::Text(Facet::BillableMetricId)),
    ]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| blueprint.timeline.at(index, count(blueprint)),
        id: |blueprint, _, index| blueprint.dice.id(Salt::Group, index),
        write: |blueprint, _, index, _, out| write(blueprint, index, out),
        ..List::EMPTY
    }),
};

/// Known to newer clients, but absent from the published document.
pub(crate) static PRICES: Resource = Resource {
    name: "dimensional_price_group_prices",
    path: "dimensional_price_groups/{}/prices",
    owner: OwnedBy::Path(Kind::PriceGroup),
    parameters: Parameters {
        table: &[
            LIMIT,
            CURSOR,
            parameter("status", Rule::WordOrAll(Facet::Status, &["active", "archived"], "all")),
        ],
        maximum_limit: 100,
        default_statuses: Some(&["active"]),
    },
    answer: Answer::List(List {
        count: |blueprint, group| if group.number() < used(blueprint) { 1 + ARCHIVED } else { 0 },
        date: |blueprint, group, index| price_date(blueprint, group, index),
        id: |blueprint, group, index| match index {
            0 => price::id(blueprint, plan(group.number()), 1),
            archived => blueprint.dice.id(Salt::AddOnPrice, number(group, archived)),
        },
        write: |blueprint, group, index, at, out| match index {
            0 => price::write(blueprint, plan(group.number()), 1, out),
            archived => price_list::write(blueprint, number(group, archived), archived + 3, at, out),
        },
        unrecorded: Some(|_, _, index, facet| {
            (facet == Facet::Status).then(|| if index == 0 { "active" } else { "archived" }.to_owned())
        }),
        ..List::EMPTY
    }),
};

/// How many archived prices a group has, besides the one of its plan.
const ARCHIVED: u64 = 2;

/// The groups that have prices: one for each third plan of four.
fn used(blueprint: &Blueprint) -> u64 {
    (blueprint.count(Collection::Plans) + 1) / 4
}

/// One group more has no prices.
fn count(blueprint: &Blueprint) -> u64 {
    if blueprint.count(Collection::Plans) == 0 { 0 } else { used(blueprint) + 1 }
}

/// The plan whose first metered price is in a group.
fn plan(group: u64) -> u64 {
    group * 4 + 2
}

/// The group of a plan's first metered price.
pub(crate) fn of_plan(blueprint: &Blueprint, plan: u64) -> Option<u64> {
    (plan % 4 == 2 && plan < blueprint.count(Collection::Plans)).then_some(plan / 4)
}

fn number(group: &Owner, archived: u64) -> u64 {
    (1 << 32) + group.number() * ARCHIVED + archived
}

fn price_date(blueprint: &Blueprint, group: &Owner, index: u64) -> Timestamp {
    match index {
        0 => blueprint.date(Collection::Plans, plan(group.number())),
        archived => blueprint.timeline.at(archived, 10),
    }
}

/// Writes what a price says about its group.
pub(crate) fn write_configuration(blueprint: &Blueprint, group: u64, out: &mut String) {
    write_object(out, |configuration| {
        configuration.text("dimensional_price_group_id", &blueprint.dice.id(Salt::Group, group));
        configuration.raw("dimension_values", r#"["eu-west-1","0042"]"#);
    });
}

fn write(blueprint: &Blueprint, index: u64, out: &mut String) {
    let has_prices = index < used(blueprint);
    let measured = if has_prices { plan(index) } else { 0 };
    write_object(out, |group| {
        group.raw("metadata", if index.is_multiple_of(2) { r#"{"tier":"1.0"}"# } else { "{}" });
        group.text("id", &blueprint.dice.id(Salt::Group, index)).text("name", &format!("Regions №{index}"));
        let external = index.is_multiple_of(2).then(|| format!("group/{index}"));
        group.optional_text("external_dimensional_price_group_id", external.as_deref());
        group.raw("dimensions", r#"["region","cluster"]"#);
        group.text("billable_metric_id", &blueprint.dice.id(Salt::Metric, measured * price::SLOTS + 1));
        // Newer than the published document, but required by newer official clients.
        group.number("price_count", u64::from(has_prices));
    });
}
