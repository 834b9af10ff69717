//! Sends the `requests` in its config, one per turn, and returns each result as a record. Replaces
//! placeholders: `{key}` and `{password}` with the secrets as given to it, `{basic}` with Basic
//! credentials of both.

use guests::{Hostile, Next, Value, http, json, once, text};

struct Caller;

guests::hostile!(Caller);

impl Hostile for Caller {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let request = usize::try_from(turn).ok().and_then(|turn| config["requests"].get(turn));
        let Some(request) = request else { return Ok(None) };
        let key = text(config, "api_key");
        let mut answer = http::call(&fill(request, config));
        // A record that contains the key would be redacted, so report separately whether it does.
        answer["knows_key"] = json!(!key.is_empty() && answer.to_string().contains(key));
        once(0, || answer)
    }
}

fn fill(value: &Value, config: &Value) -> Value {
    let (key, password) = (text(config, "api_key"), text(&config["credentials"], "password"));
    match value {
        Value::String(text) => text
            .replace("{key}", key)
            .replace("{password}", password)
            .replace("{basic}", &base64(format!("{key}:{password}").as_bytes()))
            .into(),
        Value::Array(list) => list.iter().map(|element| fill(element, config)).collect(),
        Value::Object(object) => {
            object.iter().map(|(name, member)| (name.clone(), fill(member, config))).collect()
        }
        other => other.clone(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        let digit =
            |at: usize| if at > chunk.len() { '=' } else { DIGITS[bits >> (18 - 6 * at) & 63].into() };
        [digit(0), digit(1), digit(2), digit(3)]
    };
    bytes.chunks(3).flat_map(encode).collect()
}
