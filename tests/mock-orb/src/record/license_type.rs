//! Generates documented `LicenseType` objects.

use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{CURSOR, LIMIT, Parameters};
use crate::resource::{Answer, List, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "license_types",
    path: "license_types",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| blueprint.timeline.at(index, TYPES.len() as u64),
        id: |blueprint, _, index| id(blueprint, index),
        write: |blueprint, _, index, _, out| write(blueprint, index, out),
        ascending: true,
        ..List::EMPTY
    }),
};

/// Names and grouping keys.
const TYPES: [(&str, &str); 3] =
    [("Seat", "user_id"), ("Arbeitsplatz \"A\"", "workspace.id"), ("Unused", "0042")];

fn count(blueprint: &Blueprint) -> u64 {
    if blueprint.count(Collection::Plans) == 0 { 0 } else { TYPES.len() as u64 }
}

pub(crate) fn id(blueprint: &Blueprint, index: u64) -> String {
    blueprint.dice.id(Salt::LicenseType, index)
}

/// The type that the first metered price of a plan licenses: of one plan in four.
pub(crate) fn of_plan(blueprint: &Blueprint, plan: u64) -> Option<u64> {
    (plan % 4 == 1 && blueprint.count(Collection::Plans) > 0).then_some(plan / 4 % 2)
}

pub(crate) fn write(blueprint: &Blueprint, index: u64, out: &mut String) {
    let (name, grouping_key) = TYPES[index as usize % TYPES.len()];
    write_object(out, |license_type| {
        license_type.text("id", &id(blueprint, index)).text("name", name).text("grouping_key", grouping_key);
    });
}
