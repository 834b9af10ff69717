//! Properties of what is done with a config, which a user wrote.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::json_object::JsonObject;
use crate::types::Specification;

/// The one property that the schema below marks as secret.
const SECRET: &str = "api_key";

/// A config is accepted if it is a JSON object. Shown to a connector, each value of it is what was
/// written, byte for byte, and in the same place. Sealed, so is each but the secret, for which a
/// token stands.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let parsed = Config::parse(text);
    let is_object = serde_json::from_str::<&RawValue>(text).is_ok_and(|value| value.get().starts_with('{'));
    assert_eq!(parsed.is_ok(), is_object, "{parsed:?}");
    // A name with half of a surrogate pair is no `String`.
    let (Ok(Pairs(written)), Ok(parsed)) = (serde_json::from_str(text), parsed) else { return };
    assert_eq!(parsed.as_str(), compact(text));

    let schema = format!(r#"{{"type":"object","properties":{{"{SECRET}":{{"airbyte_secret":true}}}}}}"#);
    let specification = Specification {
        name: "fuzz".to_owned(),
        version: "1".to_owned(),
        config_schema: JsonObject::parse(&schema).expect("it is JSON"),
        documentation_url: None,
        allowed_hosts: Vec::new(),
    };
    let (exposed, _) = parsed.expose(&specification).expect("everything can be shown").into_parts();
    assert_eq!(exposed.as_str(), parsed.as_str());

    let Ok(sealed) = parsed.seal(&specification) else { return };
    let (sealed, secrets) = sealed.into_parts();
    let Pairs(pairs) = serde_json::from_str(sealed.as_str()).expect("it is JSON still");
    assert_eq!(pairs.len(), written.len());
    for ((name, value), (name_before, before)) in pairs.iter().zip(&written) {
        assert_eq!(name, name_before);
        let before = compact(before.get());
        let is_scalar = before.starts_with(['"', '-']) || before.starts_with(|c: char| c.is_ascii_digit());
        let content = serde_json::from_str::<String>(&before)
            .map_or(before.clone(), |text| text.trim_ascii().to_owned());
        if name != SECRET || (is_scalar && content.is_empty()) {
            assert_eq!(value.get(), before, "{name}");
        } else if is_scalar {
            let token: String = serde_json::from_str(value.get()).expect("a token is a string");
            let secret = secrets.list().iter().find(|secret| secret.token == token);
            assert_eq!(secret.map(|secret| &secret.value), Some(&content));
        }
    }
}

/// The names and values of an object as they were written, those of equal names too.
struct Pairs<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// `text` without the white space between its tokens.
fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let is_kept = in_string || !matches!(c, ' ' | '\n' | '\r' | '\t');
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        is_kept
    };
    text.chars().filter(keep).collect()
}
