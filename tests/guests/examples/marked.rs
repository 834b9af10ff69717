//! Marks the secrets of its config in every way that JSON Schema has, and returns its config
//! backwards, which no filter recognizes.

use guests::{Hostile, Next, Specification, Value, json, once, specification};

struct Marked;

guests::hostile!(Marked);

impl Hostile for Marked {
    fn spec() -> Specification {
        let secret = json!({ "airbyte_secret": true });
        let schema = json!({
            "$id": "https://schemas.example/source/config.json",
            "type": "object",
            "properties": {
                "pointer": { "$ref": "#/definitions/a%20key" },
                "anchor": { "$ref": "#key" },
                "encoded_anchor": { "$ref": "#k%65y" },
                "relative": { "$ref": "../other.json" },
                "absolute": { "$ref": "https://schemas.example/other.json#/definitions/deep" },
                "chain": { "$ref": "#/definitions/chain" },
                "beside": { "$ref": "#/definitions/plain", "airbyte_secret": true },
                "nowhere_else": { "$ref": "#/x-own/key" },
                "text": { "airbyte_secret": "true" },
                "number": { "type": "number", "airbyte_secret": true },
                "object": { "type": "object", "airbyte_secret": true },
                "positions": { "items": [{ "type": "string" }, secret] },
                "others": { "items": [{ "type": "string" }], "additionalItems": secret },
                "contained": { "contains": secret },
                "patterned": { "patternProperties": { "^s": secret } },
                "additional": { "additionalProperties": secret },
            },
            "allOf": [{ "properties": { "all": secret } }],
            "anyOf": [true, { "properties": { "any": secret } }],
            "if": { "required": ["all"] },
            "then": { "properties": { "then": secret } },
            "else": { "properties": { "else": secret } },
            "dependencies": { "all": { "properties": { "dependent": secret } } },
            "definitions": {
                "a key": secret,
                "plain": {},
                "anchored": { "$id": "#key", "airbyte_secret": true },
                "chain": { "anyOf": [{ "$ref": "#/definitions/a key" }] },
                "elsewhere": {
                    "$id": "/other.json",
                    "airbyte_secret": true,
                    "definitions": { "deep": secret },
                },
            },
            "x-own": { "key": secret },
        });
        Specification { config_schema: schema.to_string(), ..specification() }
    }

    fn misbehave(config: &Value, turn: u64) -> Next {
        once(turn, || json!({ "backwards": config.to_string().chars().rev().collect::<String>() }))
    }
}
