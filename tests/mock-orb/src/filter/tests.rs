use super::*;
use crate::collection::Collection;
use crate::query::decode_query;

fn parse(collection: Collection, query: &str) -> Result<Filter, String> {
    let now = "2024-12-31T12:00:00Z".parse().unwrap();
    Filter::parse("/v1/list", &decode_query(query), Parameters::of_list(collection), now)
        .map_err(|problem| problem.body())
}

#[test]
fn limit_above_maximum_is_refused_not_clamped() {
    assert_eq!(parse(Collection::Plans, "limit=100").map(|filter| filter.limit), Ok(100));
    for limit in ["101", "0", "-1", "1.0", "ten", "", "+"] {
        let error = parse(Collection::Plans, &format!("limit={limit}")).unwrap_err();
        assert!(error.contains("an integer from 1 to 100"), "{error}");
    }
    assert_eq!(Parameters::of_ledger().maximum_limit, 1_000);
}

#[test]
fn every_broken_rule_is_listed() {
    let error = parse(Collection::Subscriptions, "limit=0&status[]=paid&page=2&limit=3").unwrap_err();
    for part in ["limit:", "active, ended, upcoming", "page: unknown parameter", "given once only"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn an_unencoded_plus_in_a_date_is_refused() {
    assert!(parse(Collection::Customers, "created_at[gte]=2024-01-01T00:00:00+00:00").is_err());
    assert!(parse(Collection::Customers, "created_at[gte]=2024-01-01T00:00:00%2B00:00").is_ok());
}

#[test]
fn documented_statuses_are_the_default_of_invoices() {
    let tests = |query| parse(Collection::Invoices, query).unwrap().tests;
    let one_of = |values: &[&str]| {
        vec![Test::OneOf("status[]", Facet::Status, values.iter().map(ToString::to_string).collect())]
    };
    assert_eq!(tests(""), one_of(&["issued", "paid", "synced"]));
    assert_eq!(tests("status[]=void&status%5B%5D=draft"), one_of(&["void", "draft"]));
    assert!(parse(Collection::Invoices, "status=void").is_err());
}

#[test]
fn windows_count_back_from_now() {
    let filter = parse(Collection::Invoices, "due_date_window=2m").unwrap();
    let dates: Vec<bool> = ["2024-10-30T23:59:59Z", "2024-10-31T00:00:00Z", "2024-12-31", "2025-01-01"]
        .into_iter()
        .map(|date| {
            filter.tests.iter().filter(|test| test.facet() == Facet::DueDate).all(|test| test.accepts(date))
        })
        .collect();
    assert_eq!(dates, [false, true, true, false]);
    assert!(parse(Collection::Invoices, "due_date_window=2w").is_err());
}

#[test]
fn amounts_are_compared_as_numbers() {
    let filter = parse(Collection::Invoices, "amount[gt]=9.5").unwrap();
    assert!(filter.tests[0].accepts("10.00") && !filter.tests[0].accepts("9.50"));
}
