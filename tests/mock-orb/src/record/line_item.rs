//! Generates an invoice's line items, with amounts that add up.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::Blueprint;
use crate::dice::Salt;
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::write_object;
use crate::record::price;
use crate::timeline::later;

/// The discount of discounted invoices.
pub(crate) const DISCOUNT: &str = r#"{"discount_type":"percentage","percentage_discount":0.10,"applies_to_price_ids":null,"filters":null,"reason":"Früh\u2011bucher"}"#;

/// Quantities as JSON numbers whose spelling clients must preserve. None is zero: Orb can omit such
/// line items on request, and so there are none to omit.
const QUANTITIES: [&str; 7] =
    ["1.0", "0.1", "1e-7", "12345678901234567890.123456789", "100.00", "1E+2", "42"];

/// The platform fee of a line item, in hundredths.
const FEE: u64 = 2_500;

/// What an invoice charges: a fee, plus usage except on small invoices.
pub(crate) struct LineItems {
    index: u64,
    plan: u64,
    usage: Option<u64>,
}

impl LineItems {
    /// Amounts depend only on the invoice; the plan, which names the prices, matters when they are
    /// written.
    pub(crate) fn new(blueprint: &Blueprint, index: u64, plan: Option<u64>) -> LineItems {
        let usage = (index % 5 != 2).then(|| blueprint.dice.roll(Salt::Amount, index) % 1_000_000);
        LineItems { index, plan: plan.unwrap_or(0), usage }
    }

    pub(crate) fn subtotal(&self) -> u64 {
        FEE + self.usage.unwrap_or(0)
    }

    /// The slots of the prices charged, with the charges in hundredths.
    pub(crate) fn charges(&self) -> impl Iterator<Item = (u64, u64)> {
        [Some((0, FEE)), self.usage.map(|usage| (1, usage))].into_iter().flatten()
    }

    pub(crate) fn discounted(&self) -> bool {
        self.index % 7 == 3
    }

    pub(crate) fn total(&self) -> u64 {
        self.subtotal() - if self.discounted() { self.subtotal() / 10 } else { 0 }
    }

    pub(crate) fn write(&self, blueprint: &Blueprint, at: Timestamp, out: &mut String) {
        out.push('[');
        self.write_item(blueprint, 0, FEE, at, out);
        if let Some(usage) = self.usage {
            out.push(',');
            self.write_item(blueprint, 1, usage, at, out);
        }
        out.push(']');
    }

    fn write_item(&self, blueprint: &Blueprint, slot: u64, cents: u64, at: Timestamp, out: &mut String) {
        let end = midnight(utc_date(at));
        let start = later(end, SignedDuration::from_hours(-24 * 30));
        write_object(out, |item| {
            item.text("id", &blueprint.dice.id(Salt::LineItem, self.index * price::SLOTS + slot));
            item.text("name", price::name(self.plan, slot));
            item.raw("quantity", if slot == 0 { "1" } else { self.quantity() });
            item.instant("start_date", start, Spelling::Offset).instant("end_date", end, Spelling::Offset);
            item.money("amount", cents).money("subtotal", cents).money("adjusted_subtotal", cents);
            item.text("credits_applied", "0.00").text("partially_invoiced_amount", "0.00");
            item.optional_text("grouping", (self.index % 6 == 4).then_some("région"));
            item.raw("adjustments", "[]");
            item.raw("sub_line_items", if slot == 0 { "[]" } else { self.sub_line_items() });
            item.raw(
                "tax_amounts",
                if self.index.is_multiple_of(4) {
                    r#"[{"tax_rate_description":"MwSt.","tax_rate_percentage":"19.00","amount":"0.00","tax_reason":null}]"#
                } else {
                    "[]"
                },
            );
            item.value("price", |out| price::write(blueprint, self.plan, slot, out));
            item.nulls(&["usage_customer_ids", "filter"]);
        });
    }

    fn quantity(&self) -> &'static str {
        QUANTITIES[self.index as usize % QUANTITIES.len()]
    }

    fn sub_line_items(&self) -> &'static str {
        match self.index % 3 {
            0 => {
                r#"[{"type":"tier","name":"First 1000","amount":"0.10","quantity":1e-7,"grouping":null,"tier_config":{"first_unit":0,"last_unit":1000.0,"unit_amount":"1.10"}}]"#
            }
            1 => {
                r#"[{"type":"matrix","name":"alpha","amount":"0.0000001","quantity":100.00,"grouping":{"key":"region","value":null},"scaled_quantity":null,"matrix_config":{"dimension_values":["alpha",null]}}]"#
            }
            _ => "[]",
        }
    }
}
