//! Declares what a script says: its specification by the script within this component, which tests
//! replace, and its streams by the script in its config. `times` repeats texts and lists.

use std::hint::black_box;

use guests::{
    Error, Hostile, Next, Specification, Stream, SyncMode, Value, http, json, number, specification, stream,
    text,
};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::random::{insecure::get_insecure_random_u64, insecure_seed::insecure_seed, random::get_random_u64};

/// A JSON object between two signs, filled up with spaces.
static SCRIPT: [u8; 1024] = {
    let mut script = [b' '; 1024];
    let sign = *b"<script>{";
    let mut at = 0;
    while at < sign.len() {
        script[at] = sign[at];
        at += 1;
    }
    script[at] = b'}';
    script
};

struct Declarer;

guests::hostile!(Declarer);

impl Hostile for Declarer {
    fn spec() -> Specification {
        let script = black_box(&SCRIPT).strip_prefix(b"<script>").unwrap_or_default();
        let script: Value = serde_json::from_slice(script).unwrap_or_default();
        let plain = specification();
        let own = |name: &str, other: String| match script[name].as_str() {
            Some(word) => word.repeat(times(&script)),
            None => other,
        };
        let hosts = script["hosts"].as_u64().unwrap_or_default();
        let host = |at: u64| text(&script, "host").replace("{at}", &at.to_string());
        Specification {
            name: match text(&script, "way") {
                "chance" => chance(),
                "wait" => wait(),
                "request" => http::call(&json!({ "url": "https://example.com/" })).to_string(),
                _ => own("name", plain.name),
            },
            version: own("version", plain.version),
            documentation_url: script["url"].as_str().map(|word| word.repeat(times(&script))),
            config_schema: schema(&script).unwrap_or(plain.config_schema),
            allowed_hosts: if hosts > 0 { (0..hosts).map(host).collect() } else { plain.allowed_hosts },
        }
    }

    fn discover(config: &Value) -> Result<Vec<Stream>, Error> {
        let streams = &config["streams"];
        let many = |what: &str| text(streams, what).repeat(times(streams));
        let each = |at: usize| {
            let base = stream(&format!("{}{at}", many("name")));
            let mut schema = json!({ "description": many("description") });
            for _ in 0..number(streams, "levels") {
                schema = json!({ "items": schema });
            }
            let path = vec![many("field"); number(streams, "path")];
            Stream {
                json_schema: schema.to_string(),
                supported_sync_modes: [SyncMode::Incremental, SyncMode::FullRefresh]
                    .repeat(number(streams, "modes").max(1)),
                primary_key: vec![path.clone(); number(streams, "key")],
                cursor_field: path,
                ..base
            }
        };
        Ok((0..number(streams, "count").max(1)).map(each).collect())
    }

    /// Fails with a text that no other stream fails with, or makes requests.
    fn misbehave(config: &Value, turn: u64) -> Next {
        match config["url"].as_str() {
            Some(url) if turn < 3 => {
                http::call(&json!({ "url": url }));
                Ok(Some(guests::batch::<String>([])))
            }
            Some(_) => Ok(None),
            None => {
                let message = text(config, "message").repeat(times(config));
                Err(guests::error(format!("{} {message}", get_random_u64())))
            }
        }
    }
}

fn times(script: &Value) -> usize {
    number(script, "times").max(1)
}

/// Everything that may differ from call to call.
fn chance() -> String {
    let now = wall_clock::now();
    format!(
        "{}.{} {} {} {} {:?} {}",
        now.seconds,
        now.nanoseconds,
        monotonic_clock::now(),
        get_random_u64(),
        get_insecure_random_u64(),
        insecure_seed(),
        wall_clock::resolution().nanoseconds
    )
}

/// How often a loop goes round until a millisecond has passed.
fn wait() -> String {
    let passed = monotonic_clock::subscribe_duration(1_000_000);
    (0..).find(|_| passed.ready()).map(|rounds: u64| rounds.to_string()).unwrap_or_default()
}

/// The schema that the script describes, if it describes any.
fn schema(script: &Value) -> Option<String> {
    let count = number(script, "count");
    // Definitions of which each is made from the reference to the next.
    let chain = |link: &dyn Fn(Value) -> Value| {
        let next = |at: usize| json!({ "$ref": format!("#/definitions/{at}") });
        let definitions: serde_json::Map<_, _> = (0..=count)
            .map(|at| (at.to_string(), if at == count { json!({}) } else { link(next(at + 1)) }))
            .collect();
        json!({ "type": "object", "allOf": [next(0)], "definitions": definitions })
    };
    let schema = match text(script, "schema") {
        "" => return None,
        "chain" => chain(&|next| next),
        "double" => chain(&|next| json!({ text(script, "keyword"): [next.clone(), next] })),
        "secrets" => chain(&|next| json!({ "properties": { "a": next.clone(), "b": next } })),
        "large" => json!({ "type": "object", "description": "x".repeat(count) }),
        "values" => json!({ "type": "object", "enum": vec![0; count] }),
        "nested" => (0..count).fold(json!({}), |schema, _| json!({ "not": schema })),
        "required" => (0..count).fold(
            json!({ "type": "object" }),
            |schema, _| json!({ "type": "object", "required": vec!["a"; 20], "properties": { "a": schema } }),
        ),
        "missing" => json!({ "required": (0..count).map(|at| format!("p{at}")).collect::<Vec<_>>() }),
        pattern => json!({ "type": "object", "properties": { "a": { "pattern": pattern.repeat(count) } } }),
    };
    Some(schema.to_string())
}
