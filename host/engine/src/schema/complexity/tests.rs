use serde_json::{Map, json};

use super::*;

fn checked(schema: &Value, config: &Value) -> Result<(), Problem> {
    check_size(schema)?;
    let schema = ResolvedSchema::of(schema).unwrap();
    Graph::of(&schema)?.check(config)
}

/// `count` definitions, each made from the reference to the next, and the first of them.
fn chain(count: usize, link: impl Fn(Value) -> Value) -> Value {
    let next = |number: usize| json!({ "$ref": format!("#/definitions/{number}") });
    let mut definitions: Map<_, _> =
        (0..count).map(|number| (number.to_string(), link(next(number + 1)))).collect();
    definitions.insert(count.to_string(), json!({ "type": "object" }));
    json!({ "allOf": [next(0)], "definitions": definitions })
}

#[test]
fn an_honest_schema_is_far_below_every_bound() {
    let property =
        json!({"type": "string", "minLength": 1, "description": "It.", "pattern": "^[a-z]{3,30}$"});
    let properties: Map<_, _> = (0..500).map(|number| (number.to_string(), property.clone())).collect();
    let mode = json!({"oneOf": (0..20).map(|number| json!({
        "required": ["mode"],
        "properties": {"mode": {"const": number}, "more": {"$ref": "#/definitions/more"}},
    })).collect::<Vec<_>>()});
    let schema = json!({
        "properties": {"fields": {"properties": properties}, "mode": mode, "ids": {"items": {"type": "string"}}},
        "definitions": {"more": {"type": "object"}},
    });
    let fields: Map<_, _> = (0..500).map(|number| (number.to_string(), json!("abc"))).collect();
    let ids: Vec<_> = (0..100_000).map(|number| number.to_string()).collect();
    let config = json!({"fields": fields, "mode": {"mode": 3, "more": {}}, "ids": ids});
    assert_eq!(checked(&schema, &config), Ok(()));
}

#[test]
fn a_chain_of_references_has_an_end() {
    let reference = |next| json!({ "allOf": [next] });
    assert_eq!(checked(&chain(100, reference), &json!({})), Ok(()));
    assert_eq!(checked(&chain(400, reference), &json!({})), Err(Problem::Levels));
    assert_eq!(checked(&chain(2_000, |next| next), &json!({})), Err(Problem::Levels));
    assert_eq!(checked(&chain(2_000, |next| json!({ "properties": { "a": next } })), &json!({})), Ok(()));
}

#[test]
fn schemas_that_double_are_counted_and_not_followed() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let double = |next: Value| json!({ keyword: [next, next.clone()] });
        assert_eq!(checked(&chain(10, double), &json!({})), Ok(()));
        assert_eq!(checked(&chain(60, double), &json!({})), Err(Problem::Steps), "{keyword}");
    }
    let mut names = chain(60, |next: Value| json!({ "allOf": [next, next.clone()] }));
    names["propertyNames"] = names["allOf"][0].take();
    names["allOf"] = json!([]);
    assert_eq!(checked(&names, &json!({ "a": 1 })), Err(Problem::Steps));
    let double =
        |next: Value| json!({"additionalProperties": next, "patternProperties": {"": next, "a": next}});
    let mut config = json!({});
    for _ in 0..40 {
        config = json!({ "a": config });
    }
    assert_eq!(checked(&chain(60, double), &config), Err(Problem::Steps));
}

#[test]
fn a_schema_may_refer_to_itself_further_into_the_config() {
    let tree = json!({
        "properties": {"name": {"type": "string"}, "children": {"items": {"$ref": "#"}}},
        "additionalProperties": false,
    });
    let mut config = json!({"name": "leaf"});
    for _ in 0..50 {
        config = json!({"name": "branch", "children": [config, {}]});
    }
    assert_eq!(checked(&tree, &config), Ok(()));
    for endless in [
        json!({"$ref": "#"}),
        json!({"not": {"$ref": "#"}}),
        json!({"properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}]}}}),
        chain(3, |next| json!({"allOf": [next, {"$ref": "#/definitions/0"}]})),
    ] {
        assert_eq!(checked(&endless, &json!({"a": 1})), Err(Problem::Endless), "{endless}");
    }
}

#[test]
fn what_is_large_in_itself_is_refused() {
    let many: Vec<_> = (0..MOST_SCHEMAS).map(|_| json!({})).collect();
    assert_eq!(checked(&json!({ "allOf": many }), &json!({})), Err(Problem::Schemas));
    let many: Map<_, _> = (0..MOST_SCHEMAS).map(|number| (number.to_string(), json!(true))).collect();
    assert_eq!(checked(&json!({ "properties": many }), &json!({})), Err(Problem::Schemas));
    assert_eq!(checked(&json!({ "enum": vec![0; MOST_VALUES] }), &json!({})), Err(Problem::Values));
    let many: Map<_, _> = (0..2_000).map(|number| (number.to_string(), json!({}))).collect();
    let long = json!({ "properties": { "x".repeat(3_000): { "properties": many } } });
    assert_eq!(checked(&long, &json!({})), Err(Problem::Paths));
    let patterns: Vec<_> = (0..100).map(|_| json!({ "pattern": r"\pL{100}" })).collect();
    assert_eq!(checked(&json!({ "allOf": patterns }), &json!({})), Err(Problem::Patterns));
    let named: Map<_, _> = (0..200).map(|number| (format!("{number}a{{1000}}"), json!({}))).collect();
    assert_eq!(checked(&json!({ "patternProperties": named }), &json!({})), Err(Problem::Patterns));
}
