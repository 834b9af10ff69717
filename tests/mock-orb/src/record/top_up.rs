//! Generates documented `TopUp` objects: at most one per customer and currency.

use crate::blueprint::Blueprint;
use crate::dice::Salt;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters};
use crate::resource::{Answer, List, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "credit_top_ups",
    path: "customers/{}/credits/top_ups",
    owner: OwnedBy::Path(Kind::Customer),
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |_, customer| count(customer),
        date: |_, customer, _| customer.at,
        id: |blueprint, customer, index| id(blueprint, customer, index),
        write: |blueprint, customer, index, _, out| write(blueprint, customer, index, out),
        ..List::EMPTY
    }),
};

const CURRENCIES: [&str; 2] = ["credits", "USD"];

fn count(customer: &Owner) -> u64 {
    match customer.number() % 12 {
        1 => 2,
        7 => 1,
        _ => 0,
    }
}

fn id(blueprint: &Blueprint, customer: &Owner, index: u64) -> String {
    blueprint.dice.id(Salt::TopUp, (customer.number() << 32) + index)
}

fn write(blueprint: &Blueprint, customer: &Owner, index: u64, out: &mut String) {
    let often = customer.number() % 12 == 1;
    write_object(out, |top_up| {
        top_up.text("id", &id(blueprint, customer, index));
        top_up.text("currency", CURRENCIES[index as usize % 2]).text("threshold", "10.50");
        top_up.text("amount", if often { "1e3" } else { "100.00" }).text("per_unit_cost_basis", "0.20");
        top_up.object("invoice_settings", |settings| {
            settings.flag("auto_collection", often).number("net_terms", index * 30);
            if often {
                settings.optional_text("memo", (index == 0).then_some("Nachfüllung \"auto\""));
                settings.flag("require_successful_payment", index == 1);
            }
        });
        match index {
            0 if often => {
                top_up.raw("expires_after", "12").text("expires_after_unit", "month");
            }
            0 => {}
            _ => {
                top_up.nulls(&["expires_after", "expires_after_unit"]);
            }
        }
    });
}
