//! Generates add-on prices, one of each of Orb's price models. They have a list of their own; the
//! prices of plans and subscriptions do not.

use jiff::Timestamp;

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::{Object, write_object};
use crate::owner::OwnedBy;
use crate::parameter::{CURSOR, LIMIT, Parameters};
use crate::record::price_model::MODELS;
use crate::record::{item, license_type, price, price_group};
use crate::resource::{Answer, List, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "prices",
    path: "prices",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |blueprint, _| if blueprint.count(Collection::Plans) == 0 { 0 } else { MODELS.len() as u64 },
        date: |blueprint, _, index| blueprint.timeline.at(index, MODELS.len() as u64),
        id: |blueprint, _, index| blueprint.dice.id(Salt::AddOnPrice, index),
        write: |blueprint, _, index, at, out| write(blueprint, index, index, at, out),
        ..List::EMPTY
    }),
};

/// Writes the add-on price with this number, of the model with this index.
pub(crate) fn write(blueprint: &Blueprint, number: u64, index: u64, at: Timestamp, out: &mut String) {
    let (model, config) = MODELS[index as usize % MODELS.len()];
    let composite = matches!(model, "minimum_composite" | "percent");
    let fixed = model == "unit" || model == "tiered";
    // The item and the metric of a plan's price.
    let plan = index % blueprint.count(Collection::Plans).max(1);
    let measured = plan * price::SLOTS + 1;
    write_object(out, |price| {
        price
            .text("id", &blueprint.dice.id(Salt::AddOnPrice, number))
            .text("name", &format!("Add-on №{index}"));
        price.text("model_type", model).raw(&format!("{model}_config"), config);
        let price_type = if composite { "composite_price" } else { "usage_price" };
        price.text("price_type", if fixed { "fixed_price" } else { price_type });
        price.raw("metadata", if index.is_multiple_of(3) { r#"{"sku":"1e5"}"# } else { "{}" });
        let external = index.is_multiple_of(4).then(|| format!("add-on/{number:04}"));
        price.optional_text("external_price_id", external.as_deref());
        // The one before it.
        let replaced = (index % 8 == 5).then(|| blueprint.dice.id(Salt::AddOnPrice, index - 1));
        price.optional_text("replaces_price_id", replaced.as_deref());
        price.instant("created_at", at, spelling(index));
        price.text(
            "cadence",
            ["monthly", "one_time", "quarterly", "semi_annual", "annual", "custom"][index as usize % 6],
        );
        price.text("billing_mode", if fixed { "in_advance" } else { "in_arrear" });
        price.raw("billing_cycle_configuration", r#"{"duration":30,"duration_unit":"day"}"#);
        let invoicing = if index % 5 == 1 { r#"{"duration":1,"duration_unit":"month"}"# } else { "null" };
        price.raw("invoicing_cycle_configuration", invoicing);
        if fixed || composite {
            price.raw("billable_metric", "null");
        } else {
            price.object("billable_metric", |metric| {
                metric.text("id", &blueprint.dice.id(Salt::Metric, measured));
            });
        }
        price.raw("fixed_price_quantity", if fixed { "12345678901234567890.10" } else { "null" });
        price
            .raw("plan_phase_order", if index % 9 == 4 { "1" } else { "null" })
            .text("currency", if index % 7 == 3 { "credits" } else { "EUR" });
        write_conversion(index, price);
        price.object("item", |object| {
            object.text("id", &item::id(blueprint, measured)).text("name", price::name(plan, 1));
        });
        price.value("credit_allocation", |out| write_allocation(blueprint, index, out));
        let filters = r#"[{"field":"price_type","operator":"excludes","values":["usage"]}]"#;
        price.raw("composite_price_filters", if composite { filters } else { "null" });
        price.optional_text("invoice_grouping_key", (index % 5 == 2).then_some("région"));
        match index % 3 {
            0 => {}
            1 => {
                price.nulls(&["dimensional_price_configuration", "license_type"]);
            }
            _ => {
                price.value("dimensional_price_configuration", |out| {
                    price_group::write_configuration(blueprint, 0, out);
                });
                price.value("license_type", |out| license_type::write(blueprint, index % 2, out));
            }
        }
        write_adjustments(index, price);
    });
}

/// Writes an allocation of credits, in one of three forms, or null.
fn write_allocation(blueprint: &Blueprint, index: u64, out: &mut String) {
    if index % 4 != 2 {
        out.push_str("null");
        return;
    }
    write_object(out, |allocation| {
        allocation.text("currency", "credits").flag("allows_rollover", index % 8 == 2);
        match index % 3 {
            0 => {
                allocation.raw("custom_expiration", "null");
            }
            1 => {
                allocation.nulls(&["custom_expiration", "license_type_id"]);
            }
            _ => {
                let expiration = r#"{"duration":3,"duration_unit":"month"}"#;
                allocation.raw("custom_expiration", expiration).raw("filters", "[]");
                allocation.text("license_type_id", &license_type::id(blueprint, 1));
            }
        }
    });
}

fn write_conversion(index: u64, price: &mut Object<'_>) {
    price.raw("conversion_rate", if index.is_multiple_of(2) { "null" } else { "1.10" });
    price.raw(
        "conversion_rate_config",
        match index % 4 {
            1 => r#"{"conversion_rate_type":"unit","unit_config":{"unit_amount":"1.10"}}"#,
            3 => r#"{"conversion_rate_type":"tiered","tiered_config":{"tiers":[{"first_unit":0,"last_unit":100.5,"unit_amount":"0.10"},{"first_unit":100.5,"last_unit":null,"unit_amount":"0.09"}]}}"#,
            _ => "null",
        },
    );
}

/// Deprecated in prices, but still required.
fn write_adjustments(index: u64, price: &mut Object<'_>) {
    let discounts = [
        r#"{"discount_type":"percentage","percentage_discount":0.15}"#,
        r#"{"discount_type":"amount","amount_discount":"11.00","applies_to_price_ids":null,"filters":[],"reason":"Früh"}"#,
        r#"{"discount_type":"usage","usage_discount":10.0,"reason":null}"#,
    ];
    price.raw("discount", discounts.get(index as usize % 7).copied().unwrap_or("null"));
    if index % 5 == 3 {
        price.raw("minimum", r#"{"minimum_amount":"50.00","filters":[],"applies_to_price_ids":[]}"#);
        price.text("minimum_amount", "50.00");
        price.raw("maximum", r#"{"maximum_amount":"100.00","filters":[],"applies_to_price_ids":[]}"#);
        price.text("maximum_amount", "100.00");
    } else {
        price.nulls(&["minimum", "minimum_amount", "maximum", "maximum_amount"]);
    }
}
