//! Generates documented `LicenseApiResource` objects: the licenses of a subscription.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::dice::Salt;
use crate::facet::Facet;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter, required};
use crate::record::{license_type, subscription};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "licenses",
    path: "licenses",
    owner: OwnedBy::Query(&[("subscription_id", Kind::Subscription)]),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        required("subscription_id", Rule::Any),
        parameter("license_type_id", Rule::Text(Facet::LicenseTypeId)),
        parameter("external_license_id", Rule::Text(Facet::ExternalLicenseId)),
        parameter("status", Rule::Word(Facet::Status, &["active", "inactive"])),
    ]),
    answer: Answer::List(List {
        count,
        date: start,
        id: |blueprint, owner, index| id(blueprint, owner.number(), index),
        write,
        ..List::EMPTY
    }),
};

/// Subscriptions have licenses if a price of theirs has a license type.
pub(crate) fn count(blueprint: &Blueprint, owner: &Owner) -> u64 {
    let licensed = type_of(blueprint, owner.number()).is_some();
    if licensed { 2 + owner.number() % 3 } else { 0 }
}

/// The type of all licenses of a subscription.
pub(crate) fn type_of(blueprint: &Blueprint, subscription: u64) -> Option<u64> {
    license_type::of_plan(blueprint, subscription::prices_plan(blueprint, subscription))
}

pub(crate) fn id(blueprint: &Blueprint, subscription: u64, index: u64) -> String {
    blueprint.dice.id(Salt::License, (subscription << 32) + index)
}

pub(crate) fn external_id(index: u64) -> String {
    if index == 0 { "0042".to_owned() } else { format!("seat/{index}") }
}

/// Each license starts ten days after the one before.
pub(crate) fn start(_: &Blueprint, owner: &Owner, index: u64) -> Timestamp {
    later(owner.at, SignedDuration::from_hours(24 * 10 * index as i64))
}

/// The second license of a subscription has ended.
pub(crate) fn end(blueprint: &Blueprint, owner: &Owner, index: u64) -> Option<Timestamp> {
    let ended = later(start(blueprint, owner, index), SignedDuration::from_hours(24 * 20));
    (index == 1).then_some(ended.min(blueprint.timeline.last()))
}

fn write(blueprint: &Blueprint, owner: &Owner, index: u64, at: Timestamp, out: &mut String) {
    let end = end(blueprint, owner, index);
    write_object(out, |license| {
        license.text("id", &id(blueprint, owner.number(), index)).text("subscription_id", &owner.id);
        let license_type = type_of(blueprint, owner.number()).unwrap_or(0);
        license.text("license_type_id", &license_type::id(blueprint, license_type));
        license.text("external_license_id", &external_id(index));
        license.text("status", if end.is_some() { "inactive" } else { "active" });
        license.instant("start_date", at, spelling(index)).optional_instant("end_date", end);
    });
}
