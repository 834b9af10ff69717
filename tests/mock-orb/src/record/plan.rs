//! Generates documented `Plan` objects with all their prices.

use jiff::Timestamp;

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::object::{Object, write_object};
use crate::record::price;

pub(crate) fn external_id(index: u64) -> Option<String> {
    match index % 4 {
        0 => Some(format!("plan_{index}")),
        1 => Some(format!("{:04}", index * 10)),
        2 => Some(format!("{index}e3")),
        _ => None,
    }
}

pub(crate) fn status(index: u64) -> &'static str {
    match index % 7 {
        3 => "archived",
        6 => "draft",
        _ => "active",
    }
}

pub(crate) fn facet(index: u64, facet: Facet) -> Option<String> {
    (facet == Facet::Status).then(|| status(index).to_owned())
}

pub(crate) fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    write_object(out, |plan| {
        plan.text("id", &blueprint.id(Collection::Plans, index));
        plan.optional_text("external_plan_id", external_id(index).as_deref());
        plan.text("name", &format!("Plan №{index}"));
        plan.text(
            "description",
            if index.is_multiple_of(3) { "" } else { "Everything, metered — and \"more\"." },
        );
        plan.raw(
            "metadata",
            if index.is_multiple_of(2) { "{}" } else { r#"{"region":"eu","weight":"1.0"}"# },
        );
        plan.instant("created_at", at, spelling(index));
        plan.text("status", status(index)).number("version", version(index));
        plan.text("currency", "USD").text("invoicing_currency", "USD");
        plan.raw("net_terms", if index % 4 == 2 { "null" } else { "30" });
        plan.optional_text("default_invoice_memo", (index % 3 == 1).then_some("Net\nof taxes"));
        plan.object("product", |product| {
            product.text("id", &blueprint.dice.id(Salt::Product, index)).text("name", "Main product");
            product.instant("created_at", blueprint.timeline.at(0, 1), spelling(index));
        });
        plan.raw(
            "trial_config",
            if index.is_multiple_of(5) {
                r#"{"trial_period":14,"trial_period_unit":"days"}"#
            } else {
                r#"{"trial_period":null,"trial_period_unit":"days"}"#
            },
        );
        write_phases(blueprint, index, plan);
        plan.list("prices", 0..price::SLOTS, |out, slot| price::write(blueprint, index, slot, out));
        plan.list("adjustments", (index % 2 == 1).then_some(()), |out, ()| {
            write_adjustment(blueprint, index, out);
        });
        plan.nulls(&[
            "maximum_amount",
            "minimum_amount",
            "maximum",
            "minimum",
            "discount",
            "base_plan",
            "base_plan_id",
        ]);
    });
}

pub(crate) fn version(index: u64) -> u64 {
    1 + index % 3
}

/// Writes the form in which other records refer to a plan, with or without a version. A plan that
/// is gone has neither an identifier nor a name.
pub(crate) fn write_minified(
    blueprint: &Blueprint,
    index: Option<u64>,
    version: Option<u64>,
    out: &mut String,
) {
    write_object(out, |plan| {
        let id = index.map(|index| blueprint.id(Collection::Plans, index));
        plan.optional_text("id", id.as_deref());
        plan.optional_text("external_plan_id", index.and_then(external_id).as_deref());
        plan.optional_text("name", index.map(|index| format!("Plan №{index}")).as_deref());
        if let Some(version) = version {
            plan.text("plan_version", &version.to_string());
        }
    });
}

fn write_phases(blueprint: &Blueprint, index: u64, plan: &mut Object<'_>) {
    if index % 4 != 3 {
        plan.raw("plan_phases", "null");
        return;
    }
    plan.list("plan_phases", 1..=2_u64, |out, order| {
        write_object(out, |phase| {
            phase.text("id", &blueprint.dice.id(Salt::Interval, index * 8 + order));
            phase.text("name", if order == 1 { "Ramp-up" } else { "Evergreen" }).raw("description", "null");
            if order == 1 {
                phase.raw("duration", "3").text("duration_unit", "monthly");
            } else {
                phase.nulls(&["duration", "duration_unit"]);
            }
            phase.number("order", order);
            phase.nulls(&["minimum", "maximum", "maximum_amount", "minimum_amount", "discount"]);
        });
    });
}

/// A percentage discount on the plan's first metered price.
pub(crate) fn write_adjustment(blueprint: &Blueprint, plan: u64, out: &mut String) {
    let price = price::id(blueprint, plan, 1);
    write_object(out, |adjustment| {
        adjustment.text("id", &blueprint.dice.id(Salt::Adjustment, plan));
        adjustment.text("adjustment_type", "percentage_discount").raw("percentage_discount", "0.10");
        adjustment.flag("is_invoice_level", false).nulls(&["reason", "replaces_adjustment_id"]);
        adjustment.list("filters", [&price], |out, price| {
            write_object(out, |filter| {
                filter.text("field", "price_id").text("operator", "includes");
                filter.list("values", [price], |out, price| crate::object::write_text(out, price));
            });
        });
        adjustment.list("applies_to_price_ids", [&price], |out, price| crate::object::write_text(out, price));
        adjustment.raw("plan_phase_order", "null");
    });
}
