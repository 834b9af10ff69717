//! Generates documented `Item` objects: one for each price of a plan, and one more.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{CURSOR, LIMIT, Parameters};
use crate::record::price;
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "items",
    path: "items",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, number| date(blueprint, number),
        id: |blueprint, _, number| id(blueprint, number),
        write: |blueprint, _, number, at, out| write(blueprint, number, at, out),
        ..List::EMPTY
    }),
};

/// The identifier of the item that belongs to no price: filters of credit blocks name it.
const TREACHEROUS_ID: &str = "0042";

const CONNECTIONS: [&str; 3] = [
    "[]",
    r#"[{"external_connection_name":"stripe","external_entity_id":"prod_0042"}]"#,
    r#"[{"external_connection_name":"quickbooks","external_entity_id":"1e5"},{"external_connection_name":"taxjar","external_entity_id":"30070"}]"#,
];

fn count(blueprint: &Blueprint) -> u64 {
    match blueprint.count(Collection::Plans) {
        0 => 0,
        plans => plans * price::SLOTS + 1,
    }
}

pub(crate) fn id(blueprint: &Blueprint, number: u64) -> String {
    if number == blueprint.count(Collection::Plans) * price::SLOTS {
        return TREACHEROUS_ID.to_owned();
    }
    blueprint.dice.id(Salt::Item, number)
}

pub(crate) fn date(blueprint: &Blueprint, number: u64) -> Timestamp {
    blueprint.date(Collection::Plans, number / price::SLOTS)
}

/// Writes the item of the price with this number, which counts through the slots of all plans.
pub(crate) fn write(blueprint: &Blueprint, number: u64, at: Timestamp, out: &mut String) {
    write_object(out, |item| {
        item.raw("metadata", if number.is_multiple_of(3) { r#"{"gl":"0042"}"# } else { "{}" });
        item.text("id", &id(blueprint, number));
        item.text("name", price::name(number / price::SLOTS, number % price::SLOTS));
        item.instant("created_at", at, spelling(number));
        item.raw("external_connections", CONNECTIONS[number as usize % CONNECTIONS.len()]);
        match number % 5 {
            0 => {}
            1 => {
                let archived = later(at, SignedDuration::from_hours(24 * 9));
                item.optional_instant("archived_at", Some(archived.min(blueprint.timeline.last())));
            }
            _ => {
                item.raw("archived_at", "null");
            }
        }
    });
}
