//! Reads of rows, from a server that Orb's document describes.

use elt_sdk::{log::Level, testing::instant};
use time::SignedDuration;

use super::*;

#[test]
fn every_row_reads_from_an_orb_that_refuses_what_it_does_not_document() {
    let config = r#"{"api_key":"hidden","start_date":"2024-05-25T00:00:00Z","api_url":"http://h"}"#;
    for stream in STREAMS {
        let world = World::new(|request| Ok(orb(request)));
        let mut reader =
            Connector::<Orb>::new(world.platform(), Rc::default()).read(config, stream.name, None).unwrap();
        let (mut records, mut state) = (Vec::new(), None);
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            records.extend(batch.records);
            state = batch.checkpoint.or(state);
        }
        assert!(!records.is_empty(), "{}: {:?}", stream.name, world.requests.borrow());
        assert_eq!(*world.lines.borrow(), [], "{}", stream.name);
        for record in &records {
            let record: Value = serde_json::from_str(record).unwrap();
            for name in stream.primary_key.iter().copied().chain(stream.cursor) {
                assert!(!record[name].is_null(), "{}: {name} in {record}", stream.name);
            }
            for name in made(stream).into_iter().filter(|name| is_known(stream, name)) {
                assert!(!record[name].is_null(), "{}: {name} in {record}", stream.name);
            }
            if let (Some(name), Some(parents)) = (stream.carry.parent_as, stream.parents()) {
                let parent = format!("of-{}", parents.stream.path.replace('/', "-"));
                let parent = parent.replace("{parent}", "of-customers");
                assert_eq!(record[name], parent, "{}", stream.name);
            }
        }
        assert_eq!(stream.cursor.is_some(), state.is_some_and(|state| state != "{}"), "{}", stream.name);
    }
}

#[test]
fn what_multiplies_requests_is_in_the_config() {
    for (stream, config, expected) in [
        ("credit_blocks", "", &["include_all_blocks=true&currency=credits"][..]),
        (
            "credit_blocks",
            r#","ledger_currencies":["USD","credits"]"#,
            &["include_all_blocks=true&currency=USD", "include_all_blocks=true&currency=credits"],
        ),
        ("subscription_changes", "", &["status=pending", "status=applied", "status=cancelled"]),
        ("subscription_changes", r#","subscription_change_statuses":["applied"]"#, &["status=applied"]),
        ("subscription_changes", r#","subscription_change_statuses":[]"#, &[""]),
        ("billable_metrics", "", &[""]),
        (
            "billable_metrics",
            r#","billable_metric_statuses":["draft","archived"]"#,
            &["status=draft", "status=archived"],
        ),
        (
            "subscription_costs",
            "",
            &[
                "view_mode=periodic&timeframe_start=2024-05-24T00:00:00+00:00&timeframe_end=2024-06-01T00:00:00+00:00",
            ],
        ),
        (
            "event_volumes",
            "",
            &[
                "timeframe_start=2024-05-25T00:00:00+00:00&timeframe_end=2024-05-29T00:00:00+00:00",
                "timeframe_start=2024-05-29T00:00:00+00:00&timeframe_end=2024-06-01T00:00:00+00:00",
            ],
        ),
        (
            "license_usage",
            "",
            &[
                "group_by=license,day&start_date=2024-05-24&end_date=2024-06-01&subscription_id=of-subscriptions&license_type_id=t",
            ],
        ),
        (
            "invoice_line_items",
            "",
            &[
                "invoice_date[gte]=2024-05-25T00:00:00+00:00&invoice_date[lte]=2024-06-01T00:00:00+00:00&status[]=draft&status[]=issued&status[]=synced",
                "status[]=void&status[]=paid&status[]=issued&status[]=synced&invoice_date[gte]=2024-05-25T00:00:00+00:00",
            ],
        ),
        (
            "invoices",
            r#","draft_invoices":true,"open_invoice_days":0"#,
            &[
                "status[]=void&status[]=paid&status[]=issued&status[]=synced&invoice_date[gte]=2024-05-25T00:00:00+00:00&status[]=draft",
            ],
        ),
        (
            "invoice_summaries",
            r#","draft_invoices":true,"open_invoice_days":0"#,
            &[
                "status[]=void&status[]=paid&status[]=issued&status[]=synced&invoice_date[gte]=2024-05-25T00:00:00+00:00&status[]=draft",
            ],
        ),
        (
            "invoice_payment_attempts",
            r#","draft_invoices":true,"open_invoice_days":0"#,
            &[
                "status[]=void&status[]=paid&status[]=issued&status[]=synced&invoice_date[gte]=2024-05-25T00:00:00+00:00",
            ],
        ),
        (
            "subscription_usage",
            r#","subscription_usage_grouping_key":"region""#,
            &[
                "granularity=day&view_mode=periodic&timeframe_start=2024-05-25T00:00:00+00:00&timeframe_end=2024-06-01T00:00:00+00:00&billable_metric_id=m&group_by=region",
            ],
        ),
        ("subscription_usage", r#","plan_id":"another""#, &[]),
        (
            "event_volumes",
            r#","start_date":"2024-05-30T00:30:00Z""#,
            &["timeframe_start=2024-05-30T00:00:00+00:00&timeframe_end=2024-06-01T00:00:00+00:00"],
        ),
        ("customer_balance_transactions", "", &["operation_time[gte]=2024-05-24T00:00:00+00:00"]),
    ] {
        assert_eq!(read(stream, config).1, expected, "{stream} {config}");
    }
    let (records, asked) = read("customer_costs", r#","cost_currencies":["USD","EUR"]"#);
    let currencies: Vec<_> = records.iter().map(|record| record["currency"].as_str().unwrap()).collect();
    assert_eq!((currencies, asked.len()), (vec!["USD", "EUR"], 2));
}

#[test]
fn versions_of_a_plan_are_read_past_its_own_until_one_is_not_there() {
    // The plan's version is 2, and there is a third one.
    let (records, asked) = read("plan_versions", "");
    assert_eq!((records.len(), asked.len()), (3, 4 + 1));
    assert!(records.iter().all(|record| record["plan_id"] == "of-plans"));
}

#[test]
fn drafts_are_looked_at_and_emitted_only_where_their_ids_stay() {
    for (stream, drafts, statuses) in [
        ("invoice_summaries", false, "issued synced paid void"),
        ("invoice_summaries", true, "draft issued synced paid void"),
        ("invoice_line_items", false, "issued synced paid void"),
        ("invoice_line_items", true, "issued synced paid void"),
        ("invoices", false, "issued synced paid void"),
        ("invoices", true, "draft issued synced paid void"),
    ] {
        let config = format!(
            r#"{{"api_key":"hidden","start_date":"2024-05-01T00:00:00Z","api_url":"http://h","draft_invoices":{drafts}}}"#
        );
        let world = World::new(|request| Ok(invoices(request)));
        let connector = Connector::<Orb>::new(world.platform(), Rc::default());
        let mut reader = connector.read(&config, stream, None).unwrap();
        let (mut records, mut state) = (Vec::new(), None);
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            records.extend(batch.records);
            state = batch.checkpoint.or(state);
        }
        let status = |record: &String| {
            let record: Value = serde_json::from_str(record).unwrap();
            let field = if stream == "invoice_line_items" { "invoice_status" } else { "status" };
            record[field].as_str().unwrap().to_owned()
        };
        let emitted = records.iter().map(status).collect::<Vec<_>>().join(" ");
        assert_eq!(emitted, statuses, "{stream} {drafts}");
        let state: Value = serde_json::from_str(&state.unwrap()).unwrap();
        // Those that may change do not hold the cursor, but are remembered.
        let open: Vec<_> = state["open"].as_object().unwrap().keys().collect();
        assert_eq!(open, ["draft", "issued", "synced"], "{stream}");
        assert_eq!(state["open"]["draft"] == "", !statuses.contains("draft"), "{stream}");
    }
}

#[test]
fn parents_that_have_nothing_are_not_asked() {
    let page = r#""pagination_metadata":{"has_more":false,"next_cursor":null}"#;
    for (stream, parent) in [
        ("upcoming_invoices", r#"{"id":"s","status":"ended"}"#),
        ("upcoming_invoices", r#"{"id":"s","status":"upcoming"}"#),
        ("licenses", r#"{"id":"s","plan":{"prices":[{"license_type":null}]},"price_intervals":[]}"#),
        ("license_usage", r#"{"id":"s","plan":null,"price_intervals":[]}"#),
        ("subscription_costs", r#"{"id":"s","start_date":"2024-07-01T00:00:00Z","end_date":null}"#),
        (
            "subscription_costs",
            r#"{"id":"s","start_date":"2023-01-01T00:00:00Z","end_date":"2023-02-01T00:00:00Z"}"#,
        ),
        ("customer_costs", r#"{"id":"c","deleted":true}"#),
        ("credit_top_ups", r#"{"id":"c","deleted":true}"#),
    ] {
        let world = World::new(move |_| Ok(answer(200, format!(r#"{{"data":[{parent}],{page}}}"#))));
        let config = r#"{"api_key":"hidden","start_date":"2024-05-01T00:00:00Z","api_url":"http://h"}"#;
        let connector = Connector::<Orb>::new(world.platform(), Rc::default());
        let mut reader = connector.read(config, stream, None).unwrap();
        while world.run(reader.next_batch()).unwrap().is_some() {}
        assert_eq!(world.requests.borrow().len(), 1, "{stream}: {parent}");
    }
}

#[test]
fn a_list_that_orb_may_not_have_is_skipped_with_one_warning() {
    let page =
        r#"{"data":[{"id":"x"},{"id":"y"}],"pagination_metadata":{"has_more":false,"next_cursor":null}}"#;
    let own =
        |kind: &str| format!(r#"{{"type":"https://docs.withorb.com/reference/error-responses#{kind}"}}"#);
    let skipped = [
        "credit_block_invoices",
        "subscription_summaries",
        "dimensional_price_group_prices",
        "webhook_endpoints",
        "webhook_events",
    ];
    let config = r#"{"api_key":"hidden","start_date":"2024-05-01T00:00:00Z","api_url":"http://h"}"#;
    for body in
        [own("404-url-not-found"), own("404-feature-not-available"), r#"{"detail":"Not Found"}"#.into()]
    {
        for stream in STREAMS {
            let may_be_unknown = stream.ends.may_be_unknown;
            assert_eq!(may_be_unknown, skipped.contains(&stream.name), "{}", stream.name);
            let last = stream.path.rsplit('/').next().unwrap();
            let body = body.clone();
            let world = World::new(move |request: &Request| {
                let (path, _) = parts_of(&request.url);
                let is_own =
                    path.ends_with(last) && path.matches('/').count() == stream.path.matches('/').count();
                Ok(if is_own { answer(404, body.clone()) } else { answer(200, page) })
            });
            let connector = Connector::<Orb>::new(world.platform(), Rc::default());
            let mut reader = connector.read(config, stream.name, None).unwrap();
            let result = world.run(reader.next_batch());
            if may_be_unknown {
                assert_eq!(result, Ok(None), "{}", stream.name);
                let lines = world.lines.borrow();
                assert_eq!(lines.len(), 1, "{}: {lines:?}", stream.name);
                assert!(lines[0].1.contains("skipped because"), "{lines:?}");
            }
        }
    }
}

#[test]
fn timeframes_that_orb_does_not_answer_are_halved() {
    let longest = SignedDuration::hours(3 * 24);
    for (stream, last) in [
        ("subscription_usage", "usage"),
        ("subscription_costs", "costs"),
        ("customer_costs", "costs"),
        ("event_volumes", "volume"),
    ] {
        let world = World::new(move |request: &Request| {
            let (path, query) = parts_of(&request.url);
            let at = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, at)| instant(at));
            let span = at("timeframe_end").zip(at("timeframe_start")).map(|(end, start)| end - start);
            let is_too_long = path.ends_with(last) && span > Some(longest);
            // Orb does not say whether there are further volumes.
            let full = format!(r#"{{"data":[{}]}}"#, vec![r#"{"timeframe_start":null}"#; 100].join(","));
            Ok(match (is_too_long, last) {
                (false, _) => orb(request),
                (true, "volume") => answer(200, full),
                (true, _) => answer(413, "{}"),
            })
        });
        let config = r#"{"api_key":"hidden","start_date":"2024-05-01T00:00:00Z","api_url":"http://h"}"#;
        let connector = Connector::<Orb>::new(world.platform(), Rc::default());
        let mut reader = connector.read(config, stream, None).unwrap();
        let mut records = 0;
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            records += batch.records.len();
        }
        assert!(records > 0, "{stream}");
    }
}

#[test]
fn a_subscription_without_an_upcoming_invoice_is_no_reason_for_a_warning() {
    let world = World::new(|request: &Request| {
        let is_upcoming = request.url.contains("/upcoming");
        let absent = r#"{"type":"https://docs.withorb.com/x#404-resource-not-found"}"#;
        Ok(if is_upcoming { answer(404, absent) } else { orb(request) })
    });
    let config = r#"{"api_key":"hidden","start_date":"2024-05-01T00:00:00Z","api_url":"http://h"}"#;
    let connector = Connector::<Orb>::new(world.platform(), Rc::default());
    let mut reader = connector.read(config, "upcoming_invoices", None).unwrap();
    while world.run(reader.next_batch()).unwrap().is_some() {}
    let levels: Vec<_> = world.lines.borrow().iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Debug]);
}
