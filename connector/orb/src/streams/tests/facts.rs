//! What each row asks for and makes, written down in `facts.txt`. A change of a row shows there.
//!
//! `UPDATE_FACTS=1 cargo test -p source-orb facts` writes the file anew; read the difference before
//! you commit it.

use std::{fmt::Write, time::Duration};

use super::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/streams/tests/facts.txt");

const CONFIG: &str = r#"{"api_key":"hidden","start_date":"2024-05-25T00:00:00Z","api_url":"http://h",
    "full_sweep_days":2,"changes":"webhook_events","ledger_currencies":["credits"],"concurrency":1}"#;

/// Options that add fields to records.
const OPTIONS: &str = r#","subscription_usage_grouping_key":"region","cost_currencies":["EUR"],
    "string_event_properties_keys":["k"]"#;

/// Takes out what is copied into a record only if it is not there.
fn bare(body: &str) -> String {
    body.replace(r#""invoice_id":"i","#, "").replace(r#""currency":"USD","version""#, r#""version""#)
}

/// Events of everything that streams follow.
const EVENTS: &str = r#"{"data":[
    {"id":"1","type":"customer.edited","created_at":"2024-06-03T00:00:00Z","payload":{"customer":{"id":"named-c"}}},
    {"id":"2","type":"payment_method.added","created_at":"2024-06-03T00:00:00Z",
        "payload":{"payment_method":{"customer":{"id":"named-by-payment"}}}},
    {"id":"3","type":"subscription.edited","created_at":"2024-06-03T00:00:00Z","payload":{"subscription":{"id":"named-s"}}},
    {"id":"4","type":"plan.edited","created_at":"2024-06-03T00:00:00Z","payload":{"plan":{"id":"named-p"}}},
    {"id":"5","type":"invoice.edited","created_at":"2024-06-03T00:00:00Z","payload":{"invoice":{"id":"named-i"}}},
    {"id":"6","type":"credit_note.issued","created_at":"2024-06-03T00:00:00Z",
        "payload":{"credit_note":{"id":"named-n","invoice_id":"named-by-note"}}},
    {"id":"7","type":"customer.edited","created_at":"2024-05-01T00:00:00Z","payload":{"customer":{"id":"long-ago"}}}
    ],"pagination_metadata":{"has_more":false,"next_cursor":null}}"#;

/// Adds a newer element to each list, which may change.
fn with_a_newer_one(request: &Request) -> elt_sdk::http::Response {
    let (path, query) = parts_of(&request.url);
    if path == "webhook_events" && query.iter().all(|(name, _)| name == "limit" || name.contains('[')) {
        return answer(200, EVENTS);
    }
    if let Some((_, id)) = path.split_once("/named-") {
        return answer(200, bare(ANY).replace("ID", &format!("named-{id}")).replace("PRICE", PRICE));
    }
    let mut response = orb(request);
    let body = bare(&String::from_utf8(response.body).unwrap());
    let body = match body.strip_prefix(r#"{"data":["#).and_then(|rest| rest.split_once("],\"pagination")) {
        Some((element, rest)) => {
            let newer = element
                .replace("of-", "newer-of-")
                .replace("05-30T", "05-31T")
                .replace(r#""committed""#, r#""pending""#)
                .replace(r#""active""#, r#""issued""#);
            format!(r#"{{"data":[{element},{newer}],"pagination{rest}"#)
        }
        None => body,
    };
    response.body = body.into_bytes();
    response
}

/// What a record has that an element of the server has not, and the other way around.
fn fields(record: &str) -> String {
    let element: Value = serde_json::from_str(&bare(ANY).replace("PRICE", PRICE)).unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    let (element, record) = (element.as_object().unwrap(), record.as_object().unwrap());
    let made = record.iter().filter(|(name, value)| element.get(*name) != Some(value));
    let made = made.map(|(name, value)| match value {
        Value::Object(_) | Value::Array(_) => format!(" {name}"),
        Value::String(text) => format!(" {name}={text}"),
        other => format!(" {name}={other}"),
    });
    let missing: Vec<_> = element.keys().filter(|name| !record.contains_key(*name)).collect();
    // Few fields of an element that holds records are those of a record.
    let is_element = missing.len() < element.len() / 2;
    let missing = missing.into_iter().filter(|_| is_element).map(|name| format!(" -{name}"));
    made.chain(missing).collect()
}

/// Two reads of a stream, the second one three days later.
fn facts(stream: &Stream<Config>) -> String {
    let mut facts = format!("{} ({})\n", stream.name, stream.rate.name);
    let options = Config::sample(OPTIONS);
    let properties: Vec<_> = (stream.properties)(&options).into_iter().map(|(name, _)| name).collect();
    let keys = (stream.key_fields)(&options);
    if !properties.is_empty() || !keys.is_empty() {
        writeln!(facts, "  options: fields {}, key {}", properties.join(" "), keys.join(" ")).unwrap();
    }
    let world = World::new(|request| Ok(with_a_newer_one(request)));
    let connector = Connector::<Orb>::new(world.platform(), Rc::default());
    let mut state = None::<String>;
    for read in ["first", "later"] {
        let mut reader = connector.read(CONFIG, stream.name, state.as_deref()).unwrap();
        let mut records = Vec::new();
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            records.extend(batch.records);
            state = batch.checkpoint.or(state);
        }
        for request in world.requests.borrow_mut().drain(..) {
            let (path, query) = parts_of(request.trim_start_matches("GET "));
            let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            writeln!(facts, "  {read}: {path} {}", query.join(" ")).unwrap();
        }
        if read == "first" {
            writeln!(facts, "  record:{}", fields(&records[0])).unwrap();
        }
        writeln!(facts, "  records: {}", records.len()).unwrap();
        writeln!(facts, "  state: {}", state.as_deref().unwrap_or_default()).unwrap();
        world.advance(Duration::from_hours(3 * 24));
    }
    facts
}

#[test]
fn what_each_row_asks_for_and_makes_changes_on_purpose_only() {
    let facts: String = STREAMS.iter().map(|stream| facts(stream)).collect();
    if std::env::var_os("UPDATE_FACTS").is_some() {
        std::fs::write(FILE, &facts).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    for (is, was) in facts.lines().zip(written.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(facts.lines().count(), written.lines().count());
}
