//! Properties of what is done with the schema of a config, which a connector wrote.

use serde_json::Value;

use crate::config::Config;
use crate::declaration;
use crate::schema::{Graph, ResolvedSchema, check_size};
use crate::types::Specification;
use crate::validation::{check_schema, validate};

/// Steps and levels of a validation at most, as docs/SECURITY.md promises.
const STEPS: u64 = 200_000;
const STEPS_OF_VALUE: u64 = 20;
const LEVELS: usize = 500;

/// A schema that is accepted for a config takes a naive validator no more steps than are promised,
/// and the real one ends. What a naive reader finds marked as secret, the connector does not get.
/// The first line of the input is a schema, the rest a config.
pub fn schema(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let (schema, config) = input.split_once('\n').unwrap_or((input, "{}"));
    let Ok(config_schema) = declaration::schema("a schema", schema) else { return };
    let specification = Specification {
        name: "fuzz".to_owned(),
        version: "1".to_owned(),
        config_schema,
        documentation_url: None,
        allowed_hosts: Vec::new(),
    };
    let (Ok(()), Ok(parsed)) = (check_schema(&specification), Config::parse(config)) else { return };
    let (Ok(schema), Ok(value)) =
        (serde_json::from_str::<Value>(schema), serde_json::from_str::<Value>(config))
    else {
        return;
    };
    assert!(check_size(&schema).is_ok());
    let resolved = ResolvedSchema::of(&schema).expect("it was resolved before");
    let is_checked = Graph::of(&resolved).is_ok_and(|graph| graph.check(&value).is_ok());
    let mut naive =
        Naive { root: &schema, left: STEPS + STEPS_OF_VALUE * values(&value), secrets: Vec::new() };
    if !is_checked || !naive.has_plain_references(&schema) {
        return;
    }
    naive.visit(&schema, &value, &mut Vec::new(), false, 0);

    let validated = block_on(validate(parsed.as_str(), &specification));
    let unfinished =
        validated.as_ref().err().is_some_and(|error| error.message().contains("takes too long or fails"));
    assert!(!unfinished, "the validator does not end: {validated:?}");

    let Ok(sealed) = parsed.seal(&specification) else { return };
    let sealed: Value = serde_json::from_str(sealed.config.as_str()).expect("it is JSON still");
    for path in &naive.secrets {
        let at = |whole: &Value| whole.pointer(path).cloned();
        assert_ne!(at(&sealed), at(&value), "{path} is marked, and given as it is");
    }
    if naive.secrets.is_empty() && !schema.to_string().contains("airbyte_secret") {
        assert_eq!(sealed, value);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be had").block_on(future)
}

fn values(value: &Value) -> u64 {
    1 + match value {
        Value::Object(object) => object.values().map(values).sum(),
        Value::Array(list) => list.iter().map(values).sum(),
        _ => 0,
    }
}

/// Follows a schema as it is written, by the plainest references alone.
struct Naive<'s> {
    root: &'s Value,
    left: u64,
    /// Where marked values are, as JSON pointers.
    secrets: Vec<String>,
}

impl<'s> Naive<'s> {
    /// Whether all references are pointers from the root, without escapes.
    fn has_plain_references(&self, value: &Value) -> bool {
        match value {
            Value::Object(object) => object.iter().all(|(name, value)| {
                let is_plain = match (name.as_str(), value.as_str()) {
                    ("$ref", Some(text)) => text.strip_prefix('#').is_some_and(|pointer| {
                        !pointer.contains(['%', '~', '#']) && self.root.pointer(pointer).is_some()
                    }),
                    ("$id" | "id" | "$ref" | "$anchor" | "$schema" | "$dynamicAnchor", _) => false,
                    _ => true,
                };
                is_plain && self.has_plain_references(value)
            }),
            Value::Array(list) => list.iter().all(|value| self.has_plain_references(value)),
            _ => true,
        }
    }

    fn visit(
        &mut self,
        schema: &'s Value,
        value: &Value,
        path: &mut Vec<String>,
        secret: bool,
        level: usize,
    ) {
        self.left = self.left.checked_sub(1).expect("a validation takes more steps than estimated");
        assert!(level <= LEVELS, "a validation is deeper than estimated");
        let Some(keywords) = schema.as_object() else { return };
        let secret = secret || keywords.get("airbyte_secret") == Some(&Value::Bool(true));
        if secret && (value.is_number() || value.as_str().is_some_and(|text| !text.trim_ascii().is_empty())) {
            let name = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            self.secrets.push(path.iter().map(name).collect());
        }
        if let Some(pointer) = keywords.get("$ref").and_then(Value::as_str)
            && let Some(target) = self.root.pointer(&pointer[1..])
        {
            self.visit(target, value, path, secret, level + 1);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for schema in keywords.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.visit(schema, value, path, secret, level + 1);
            }
        }
        for keyword in ["not", "if", "then", "else"] {
            if let Some(schema) = keywords.get(keyword) {
                self.visit(schema, value, path, secret, level + 1);
            }
        }
        match value {
            Value::Object(object) => {
                for (name, member) in object {
                    let named = keywords.get("properties").and_then(|properties| properties.get(name));
                    if let Some(schema) = named.or(keywords.get("additionalProperties")) {
                        path.push(name.clone());
                        self.visit(schema, member, path, secret, level + 1);
                        path.pop();
                    }
                }
            }
            Value::Array(list) => {
                let Some(schema) = keywords.get("items").filter(|items| items.is_object()) else { return };
                for (index, element) in list.iter().enumerate() {
                    path.push(index.to_string());
                    self.visit(schema, element, path, secret, level + 1);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}
