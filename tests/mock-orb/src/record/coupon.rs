//! Generates documented `Coupon` objects, and lists the subscriptions that redeemed each.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::field::lookup;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter};
use crate::record::price;
use crate::resource::{Answer, List, Resource, View};
use crate::shelf::Row;
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "coupons",
    path: "coupons",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        parameter(SHOW_ARCHIVED, Rule::Ignored(&[])),
        parameter("redemption_code", Rule::Text(Facet::RedemptionCode)),
    ]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| blueprint.timeline.at(index, COUNT),
        id: |blueprint, _, index| id(blueprint, index),
        write: |blueprint, _, index, at, out| write(blueprint, index, at, out),
        hidden: Some((SHOW_ARCHIVED, |coupon, _| lookup(coupon, &["archived_at"]).is_some())),
        ..List::EMPTY
    }),
};

pub(crate) static SUBSCRIPTIONS: Resource = Resource {
    name: "coupon_subscriptions",
    path: "coupons/{}/subscriptions",
    owner: OwnedBy::Path(Kind::Coupon),
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::View(View { of: Collection::Subscriptions, keep: redeemed, form: str::to_owned }),
};

const SHOW_ARCHIVED: &str = "show_archived";

/// How many coupons an account with plans has.
const COUNT: u64 = 24;

/// The identifier of the first coupon.
const TREACHEROUS_ID: &str = "0042";

fn count(blueprint: &Blueprint) -> u64 {
    if blueprint.count(Collection::Plans) == 0 { 0 } else { COUNT }
}

pub(crate) fn id(blueprint: &Blueprint, index: u64) -> String {
    if index == 0 { TREACHEROUS_ID.to_owned() } else { blueprint.dice.id(Salt::Coupon, index) }
}

/// The index of the coupon whose identifier does not encode it.
pub(crate) fn index_of(id: &str) -> Option<u64> {
    (id == TREACHEROUS_ID).then_some(0)
}

/// The coupon of a subscription, if it redeemed one: one of the first four.
pub(crate) fn of_subscription(subscription: u64) -> Option<u64> {
    (subscription % 10 == 6).then_some(subscription / 10 % 4)
}

fn redeemed(account: &Account, coupon: &Owner, row: &Row) -> bool {
    match row {
        Row::Generated(index) => {
            of_subscription(*index).is_some_and(|redeemed| id(&account.blueprint, redeemed) == coupon.id)
        }
        Row::Written(text) => lookup(text, &["redeemed_coupon", "coupon_id"]).as_ref() == Some(&coupon.id),
    }
}

fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    write_object(out, |coupon| {
        coupon.text("id", &id(blueprint, index));
        // Codes may be used again once a coupon is archived.
        coupon.text("redemption_code", &format!("HALF OFF/{}", index / 2 * 2));
        coupon.object("discount", |discount| {
            if index.is_multiple_of(2) {
                discount.text("discount_type", "percentage").raw("percentage_discount", "0.50");
                if index % 4 == 2 {
                    discount.nulls(&["applies_to_price_ids", "filters", "reason"]);
                }
            } else {
                let plan = index % blueprint.count(Collection::Plans).max(1);
                discount.text("discount_type", "amount").text("amount_discount", "1e2");
                discount.list("applies_to_price_ids", [price::id(blueprint, plan, 1)], |out, id| {
                    crate::object::write_text(out, &id);
                });
                discount
                    .raw("filters", r#"[{"field":"currency","operator":"excludes","values":["credits"]}]"#);
                discount.text("reason", "Für \"Treue\"");
            }
        });
        let subscriptions = 0..blueprint.count(Collection::Subscriptions);
        let redeemed = subscriptions.filter(|it| of_subscription(*it) == Some(index));
        coupon.number("times_redeemed", redeemed.count());
        coupon.raw("duration_in_months", if index.is_multiple_of(3) { "null" } else { "12" });
        coupon.raw("max_redemptions", if index.is_multiple_of(4) { "null" } else { "1000000" });
        let archived = (index % 4 == 1).then(|| later(at, SignedDuration::from_hours(24 * 10)));
        coupon.optional_instant("archived_at", archived.map(|at| at.min(blueprint.timeline.last())));
    });
}

/// The redemption of a subscription, as its record embeds it.
pub(crate) fn redeemed_by(blueprint: &Blueprint, subscription: u64) -> Option<String> {
    of_subscription(subscription).map(|coupon| id(blueprint, coupon))
}
