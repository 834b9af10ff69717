//! Lists that an account does not have, or that Orb does not know.

use mock_orb::{Account, MockOrb, Unavailable};

use super::{assert_same, configured, discover, held, orb, read, records, setup};
use crate::support::Output;

/// Lists that are not in Orb's OpenAPI document, or experimental.
const MAY_BE_UNKNOWN: [&str; 5] = [
    "subscription_summaries",
    "dimensional_price_group_prices",
    "webhook_endpoints",
    "webhook_events",
    "credit_block_invoices",
];

/// Lists out of which other streams are read.
const PARENTS: [&str; 4] = ["customers", "subscriptions", "plans", "invoices"];

fn make_unavailable(orb: &MockOrb, resources: &[&str], how: Unavailable) {
    for resource in resources {
        orb.account().make_unavailable(resource, how).unwrap();
    }
}

/// Warnings that name this stream.
fn warnings(output: &Output, stream: &str) -> Vec<String> {
    let logs = output.logs().into_iter().filter(|log| log.level == "WARN");
    let message = |log: &crate::support::output::Log| log.message.clone();
    logs.map(message).filter(|text| text.starts_with(&format!("{stream}: "))).collect()
}

#[test]
fn features_that_the_account_does_not_have_are_skipped_with_one_warning_each() {
    let orb = orb();
    let names = Account::resource_names();
    let others: Vec<&str> = names.into_iter().filter(|name| !PARENTS.contains(name)).collect();
    make_unavailable(&orb, &others, Unavailable::FeatureNotAvailable);
    let setup = setup(&orb);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    // Rows out of lists that there are.
    let inside = [
        "invoice_line_items",
        "invoice_payment_attempts",
        "subscription_price_intervals",
        "subscription_adjustment_intervals",
        "coupon_redemptions",
        "plan_prices",
    ];
    for stream in &streams {
        let name = stream.name.as_str();
        assert_eq!(output.statuses(name).last(), Some(&"COMPLETE"), "{name}");
        if PARENTS.contains(&name) || inside.contains(&name) {
            assert_same(name, &records(&output, name), &held::held(&orb, name));
            assert_eq!(warnings(&output, name), [] as [&str; 0]);
        } else {
            assert_eq!(records(&output, name).len(), 0, "{name}");
            assert_eq!(warnings(&output, name).len(), 1, "{name}: {:?}", warnings(&output, name));
        }
    }
}

#[test]
fn lists_that_orb_may_not_know_are_skipped_and_an_unknown_usual_one_fails_alone() {
    let orb = orb();
    make_unavailable(&orb, &MAY_BE_UNKNOWN, Unavailable::UrlNotFound);
    let setup = setup(&orb);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for stream in &streams {
        let name = stream.name.as_str();
        assert_eq!(output.statuses(name).last(), Some(&"COMPLETE"), "{name}");
        if MAY_BE_UNKNOWN.contains(&name) {
            assert_eq!(records(&output, name).len(), 0, "{name}");
            assert_eq!(warnings(&output, name).len(), 1, "{name}: {:?}", warnings(&output, name));
        } else if name != "subscription_usage" {
            assert_same(name, &records(&output, name), &held::held(&orb, name));
            assert_eq!(warnings(&output, name), [] as [&str; 0]);
        }
    }
    make_unavailable(&orb, &["items"], Unavailable::UrlNotFound);
    let output = read(&setup, &configured(&streams, true), None);
    assert_eq!(output.code, Some(1));
    output.assert_clean();
    let failed = |error: &&crate::support::output::TraceError| {
        (error.failure_type.clone(), error.stream_descriptor.as_ref().map(|stream| stream.name.clone()))
    };
    let errors = output.errors();
    let of_streams: Vec<_> = errors.iter().map(failed).filter(|(_, stream)| stream.is_some()).collect();
    assert_eq!(of_streams, [("config_error".to_owned(), Some("items".to_owned()))]);
    for stream in streams.iter().filter(|stream| stream.name != "items") {
        assert_eq!(output.statuses(&stream.name).last(), Some(&"COMPLETE"), "{}", stream.name);
    }
}
