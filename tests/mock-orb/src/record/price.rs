//! Generates prices of each of Orb's price models. They have no list of their own here; plans,
//! subscriptions and invoice line items embed them.

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::{Object, write_object};
use crate::record::{license_type, price_group};

/// How many prices a plan has.
pub(crate) const SLOTS: u64 = 4;

/// One price model: the name of its prices, and its configuration.
struct Model {
    name: &'static str,
    model_type: &'static str,
    config: &'static str,
    /// A fixed fee with a quantity, rather than metered usage.
    fixed: bool,
    currency: &'static str,
}

const FEE: Model = Model {
    name: "Platform fee",
    model_type: "unit",
    config: r#"{"unit_amount":"25.00"}"#,
    fixed: true,
    currency: "USD",
};

/// The metered models; a plan takes the next three in rotation.
const METERED: [Model; 6] = [
    Model {
        name: "API calls",
        model_type: "tiered",
        config: r#"{"tiers":[{"first_unit":0,"last_unit":1000.0,"unit_amount":"0.00"},{"first_unit":1000.0,"last_unit":null,"unit_amount":"0.0000001"}]}"#,
        fixed: false,
        currency: "USD",
    },
    Model {
        name: "Égress, GiB",
        model_type: "package",
        config: r#"{"package_amount":"1.10","package_size":1024}"#,
        fixed: false,
        currency: "USD",
    },
    Model {
        name: "Compute",
        model_type: "matrix",
        config: r#"{"dimensions":["cluster","region"],"default_unit_amount":"3.00","matrix_values":[{"unit_amount":"1.50","dimension_values":["alpha","us-west-2"]},{"unit_amount":"1.00","dimension_values":["beta",null]}]}"#,
        fixed: false,
        currency: "USD",
    },
    Model {
        name: "Credits burnt",
        model_type: "unit",
        config: r#"{"unit_amount":"1","prorated":false}"#,
        fixed: false,
        currency: "credits",
    },
    Model {
        name: "Messages \"bulk\"",
        model_type: "bulk",
        config: r#"{"tiers":[{"maximum_units":10.0,"unit_amount":"0.50"},{"maximum_units":null,"unit_amount":"0.25"}]}"#,
        fixed: false,
        currency: "USD",
    },
    Model {
        name: "Payments",
        model_type: "unit_with_percent",
        config: r#"{"unit_amount":"0.10","percent":"2.9"}"#,
        fixed: false,
        currency: "USD",
    },
];

fn model(plan: u64, slot: u64) -> &'static Model {
    if slot == 0 { &FEE } else { &METERED[((plan * 3 + slot - 1) % METERED.len() as u64) as usize] }
}

pub(crate) fn name(plan: u64, slot: u64) -> &'static str {
    model(plan, slot).name
}

/// The number of a price's billable metric. Each price has its own, but plans with phases measure
/// one metric twice.
fn metric(plan: u64, slot: u64) -> u64 {
    plan * SLOTS + slot - u64::from(plan % 4 == 3 && slot == 3)
}

pub(crate) fn id(blueprint: &Blueprint, plan: u64, slot: u64) -> String {
    blueprint.dice.id(Salt::Price, plan * SLOTS + slot)
}

pub(crate) fn write(blueprint: &Blueprint, plan: u64, slot: u64, out: &mut String) {
    let model = model(plan, slot);
    let number = plan * SLOTS + slot;
    write_object(out, |price| {
        price.text("id", &id(blueprint, plan, slot)).text("name", model.name);
        price.text("model_type", model.model_type);
        price.raw(&format!("{}_config", model.model_type), model.config);
        price.text("price_type", if model.fixed { "fixed_price" } else { "usage_price" });
        price.raw("metadata", if number.is_multiple_of(3) { "{}" } else { r#"{"sku":"0042"}"# });
        price
            .optional_text("external_price_id", (number % 5 == 2).then(|| format!("{number:04}")).as_deref());
        price.instant("created_at", blueprint.date(Collection::Plans, plan), spelling(plan));
        price.text("cadence", if number % 7 == 6 { "annual" } else { "monthly" });
        price.text("billing_mode", if model.fixed { "in_advance" } else { "in_arrear" });
        price.raw(
            "billing_cycle_configuration",
            if number % 7 == 6 {
                r#"{"duration":12,"duration_unit":"month"}"#
            } else {
                r#"{"duration":1,"duration_unit":"month"}"#
            },
        );
        write_quantity(blueprint, model, metric(plan, slot), price);
        price.text("currency", model.currency);
        // Numbers rather than amounts in Orb's schema: JSON numbers whose digits clients must
        // preserve.
        price.raw("conversion_rate", if model.currency == "credits" { "0.10" } else { "null" });
        price.raw(
            "conversion_rate_config",
            if model.currency == "credits" {
                r#"{"conversion_rate_type":"unit","unit_config":{"unit_amount":"0.10"}}"#
            } else {
                "null"
            },
        );
        price.object("item", |item| {
            item.text("id", &blueprint.dice.id(Salt::Item, number)).text("name", model.name);
        });
        price.raw("credit_allocation", "null");
        price.nulls(&[
            "replaces_price_id",
            "invoicing_cycle_configuration",
            "plan_phase_order",
            "composite_price_filters",
            "invoice_grouping_key",
        ]);
        match price_group::of_plan(blueprint, plan).filter(|_| slot == 1) {
            Some(group) => price.value("dimensional_price_configuration", |out| {
                price_group::write_configuration(blueprint, group, out);
            }),
            None => price.raw("dimensional_price_configuration", "null"),
        };
        match license_type::of_plan(blueprint, plan).filter(|_| slot == 1) {
            Some(index) => price.value("license_type", |out| license_type::write(blueprint, index, out)),
            None => price.raw("license_type", "null"),
        };
        price.nulls(&["discount", "minimum", "minimum_amount", "maximum", "maximum_amount"]);
    });
}

fn write_quantity(blueprint: &Blueprint, model: &Model, metric: u64, price: &mut Object<'_>) {
    if model.fixed {
        price.raw("fixed_price_quantity", "1.0").raw("billable_metric", "null");
    } else {
        price.raw("fixed_price_quantity", "null");
        price.object("billable_metric", |object| {
            object.text("id", &blueprint.dice.id(Salt::Metric, metric));
        });
    }
}
