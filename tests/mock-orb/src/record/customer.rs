//! Generates documented `Customer` objects.

use jiff::Timestamp;

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::{Object, write_object};

/// Names as JSON text, covering what clients may meet: plain, accented, escaped, right to left,
/// beyond the basic plane, and with all characters that need escaping.
const NAMES: [&str; 12] = [
    r#""Acme Corporation""#,
    r#""Zoë & Søn GmbH""#,
    r#""株式会社ヒカリ""#,
    r#""Quote \"Q\" \\ Backslash Ltd.""#,
    r#""Caf\u00e9 R\u00e9sum\u00E9""#,
    r#""Crab 🦀 Industries \ud83e\udd80""#,
    r#""Tabs\tand\nnew lines""#,
    r#""שלום בע\"מ""#,
    r#""A\/B Testing Inc.""#,
    r#""O'Reilly, Bücher & Co. <kg@example.com>""#,
    r#""line\u2028separator\u0000nul""#,
    r#""{\"json\": [1.0, null]}""#,
];

/// External identifiers that a careless client turns into numbers, booleans, lists or null.
const TREACHEROUS_IDS: [&str; 9] =
    ["123", "0042", "1e5", "1_000", "True", "None", "[1, 2]", "{'a': 1}", "12345678901234567890.10"];

const ADDRESSES: [&str; 4] = [
    r#"{"line1":"14 Rue de l'Église","line2":null,"city":"Orléans","state":null,"postal_code":"45000","country":"FR"}"#,
    r#"{"line1":"1 Main St","line2":"Suite 400","city":"Springfield","state":"IL","postal_code":"02134","country":"US"}"#,
    r#"{"line1":"丸の内1-1","line2":null,"city":"千代田区","state":"東京都","postal_code":"100-0005","country":"JP"}"#,
    r#"{"line1":null,"line2":null,"city":null,"state":null,"postal_code":null,"country":null}"#,
];

const TIMEZONES: [&str; 5] =
    ["Etc/UTC", "America/Los_Angeles", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Chatham"];

const METADATA: [&str; 5] = [
    "{}",
    r#"{"tier":"gold"}"#,
    r#"{"ratio":"1.10","owner.0":"Ωmega","empty":""}"#,
    r#"{"crm_id":"0042","note":"line one\nline two"}"#,
    "{}",
];

/// Numbers in an undocumented field: a faithful client preserves both.
const UNDOCUMENTED: [&str; 2] = [
    r#"{"score":0.1,"weights":[1.0,1e-7,100.00,12345678901234567890.123456789],"cohort":null}"#,
    r#"{"score":1.0,"weights":[],"cohort":"2024\u20132025"}"#,
];

pub(crate) fn external_id(index: u64) -> Option<String> {
    if let Some(id) = TREACHEROUS_IDS.get(index as usize) {
        return Some((*id).to_owned());
    }
    match index % 6 {
        0 => Some(format!("{index:06}")),
        1 => Some(format!("{index}e5")),
        2 => None,
        _ => Some(format!("org-{index}")),
    }
}

pub(crate) fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let roll = blueprint.dice.roll(Salt::Detail, index);
    let pick = |count: usize, shift: u32| (roll >> shift) as usize % count;
    let id = blueprint.id(Collection::Customers, index);
    let provider = match pick(4, 0) {
        0 => Some("stripe_charge"),
        1 => Some("stripe_invoice"),
        2 => Some("netsuite"),
        _ => None,
    };
    write_object(out, |customer| {
        customer.text("id", &id).optional_text("external_customer_id", external_id(index).as_deref());
        customer.raw("name", NAMES[index as usize % NAMES.len()]);
        customer.text("email", &format!("billing+{index}@example.com"));
        customer.raw("metadata", METADATA[pick(METADATA.len(), 4)]);
        customer.text("timezone", TIMEZONES[pick(TIMEZONES.len(), 8)]);
        customer.optional_text("payment_provider", provider);
        customer
            .optional_text("payment_provider_id", provider.map(|_| format!("cus_{}", &id[..10])).as_deref());
        customer.instant("created_at", at, spelling(index));
        customer.raw("shipping_address", address(pick(6, 12)));
        customer.raw("billing_address", address(pick(6, 16)));
        customer.money("balance", if index.is_multiple_of(3) { 0 } else { roll >> 44 });
        customer.optional_text("currency", if index % 4 == 3 { None } else { Some("USD") });
        customer.raw("tax_id", tax_id(index));
        customer
            .flag("auto_collection", index.is_multiple_of(2))
            .flag("exempt_from_automated_tax", index.is_multiple_of(13));
        customer.flag("email_delivery", !index.is_multiple_of(5));
        customer.raw("auto_issuance", if index % 4 == 1 { "true" } else { "null" });
        customer.raw(
            "additional_emails",
            if index % 4 == 2 { r#"["ap@example.com","cfo+billing@example.com"]"# } else { "[]" },
        );
        customer.raw("portal_url", if index.is_multiple_of(3) { "\"\"" } else { "null" });
        customer.raw(
            "accounting_sync_configuration",
            r#"{"excluded":false,"accounting_providers":[{"provider_type":"quickbooks","external_provider_id":null}]}"#,
        );
        customer.raw("reporting_configuration", if index % 6 == 5 { r#"{"exempt":true}"# } else { "null" });
        customer.object("hierarchy", |hierarchy| write_hierarchy(blueprint, index, hierarchy));
        write_payment(customer, &id, index, at);
    });
}

fn address(pick: usize) -> &'static str {
    ADDRESSES.get(pick).copied().unwrap_or("null")
}

fn tax_id(index: u64) -> &'static str {
    match index % 9 {
        1 => r#"{"country":"DE","type":"eu_vat","value":"DE123456789"}"#,
        5 => r#"{"country":"GB","type":"gb_vat","value":"GB007"}"#,
        _ => "null",
    }
}

/// One customer in ten is the parent of the next.
fn write_hierarchy(blueprint: &Blueprint, index: u64, hierarchy: &mut Object<'_>) {
    let parent = (index % 10 == 1).then(|| index - 1);
    let child =
        (index.is_multiple_of(10) && index + 1 < blueprint.count(Collection::Customers)).then_some(index + 1);
    match parent {
        Some(parent) => hierarchy.value("parent", |out| write_minified(blueprint, parent, out)),
        None => hierarchy.raw("parent", "null"),
    };
    hierarchy.list("children", child, |out, child| write_minified(blueprint, child, out));
}

/// Optional fields of the documentation: a third of the customers have them all, a third some.
fn write_payment(customer: &mut Object<'_>, id: &str, index: u64, at: Timestamp) {
    match index % 3 {
        0 => {
            customer.raw("payment_configuration", r#"{"payment_providers":[{"provider_type":"stripe"}]}"#);
            customer.object("default_payment_method", |method| {
                method.text("id", &format!("pm{}", &id[2..])).text("payment_method_type", "card");
                method.text("provider_type", "stripe").text("external_payment_method_id", "pm_0042");
                method.text("customer_id", id).flag("default", true);
                method.instant("created_at", at, spelling(index));
            });
            customer.flag("automatic_tax_enabled", true);
            customer.raw("x_insights", UNDOCUMENTED[index as usize / 3 % UNDOCUMENTED.len()]);
        }
        1 => {
            customer.nulls(&["payment_configuration", "default_payment_method", "automatic_tax_enabled"]);
        }
        _ => {}
    }
}

/// The `{id, external_customer_id}` with which other records refer to a customer.
pub(crate) fn write_minified(blueprint: &Blueprint, index: u64, out: &mut String) {
    write_object(out, |customer| {
        customer.text("id", &blueprint.id(Collection::Customers, index));
        customer.optional_text("external_customer_id", external_id(index).as_deref());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn external_identifiers_are_unique_and_sometimes_absent() {
        let ids: Vec<String> = (0..5_000).filter_map(external_id).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert!(ids.len() < 5_000);
        assert!(ids.contains(&"0042".to_owned()) && ids.contains(&"1e5".to_owned()));
    }
}
