use serde_json::json;

use super::*;

/// What the reference of the property `key` leads to.
fn target(mut schema: Value, reference: &str) -> Result<Value, String> {
    schema["properties"]["key"]["$ref"] = reference.into();
    let resolved = ResolvedSchema::of(&schema).map_err(|problem| problem.to_string())?;
    let target = resolved.target(&resolved.root()["properties"]["key"]);
    target.cloned().ok_or_else(|| format!("no target in {}", resolved.root()))
}

#[test]
fn a_reference_has_one_meaning_however_it_is_written() {
    let schema = json!({
        "$id": "https://example.com/root/schema.json",
        "definitions": {
            "a b": {"x": 1},
            "c/d~e%": {"x": 2, "allOf": [{"x": 3}]},
            "f": {"$id": "other.json", "x": 4, "definitions": {"g": {"$id": "#here", "x": 5}}},
            "h": {"$anchor": "there", "x": 6},
            "i": {"$dynamicAnchor": "or-there", "x": 7},
        },
    });
    for (reference, expected) in [
        ("#/definitions/a%20b", 1),
        ("#/definitions/a b", 1),
        ("#%2Fdefinitions%2fa%20b", 1),
        ("#/%64efinitions/a%20b", 1),
        ("schema.json#/definitions/a%20b", 1),
        ("../root/schema.json#/definitions/a%20b", 1),
        ("https://EXAMPLE.com:443/root/schema.json#/definitions/a%20b", 1),
        ("mem:///config#/definitions/a%20b", 1),
        ("#/definitions/c~1d~0e%25", 2),
        ("#/definitions/c~1d~0e%25/allOf/0", 3),
        ("other.json", 4),
        ("other.json#", 4),
        ("/root/other.json#/definitions/g", 5),
        ("other.json#here", 5),
        ("other.json#h%65re", 5),
        ("#there", 6),
        ("schema.json#there", 6),
        ("#or-there", 7),
    ] {
        assert_eq!(
            target(schema.clone(), reference).map(|target| target["x"].clone()),
            Ok(json!(expected)),
            "{reference}"
        );
    }
    for (reference, problem) in [
        ("#/definitions/none", "`#/definitions/none` is not part of the schema"),
        ("#here", "`#here` is not part of the schema"),
        ("#/definitions/f/definitions/g/x", "`#/definitions/f/definitions/g/x` leads to what is no schema"),
        (
            "#/definitions/c~1d~0e%25/allOf/00",
            "`#/definitions/c~1d~0e%25/allOf/00` is not part of the schema",
        ),
        ("https://example.com/schema.json", "`https://example.com/schema.json` is not part of the schema"),
        ("file:///etc/passwd", "`file:///etc/passwd` is not part of the schema"),
        ("#%ff", "`#%ff` is not UTF-8"),
        ("http://[", "`http://[` is no URL"),
    ] {
        assert_eq!(target(schema.clone(), reference), Err(problem.to_owned()), "{reference}");
    }
}

#[test]
fn what_has_several_meanings_has_none() {
    let twice = json!({"definitions": {"a": {"$id": "x"}, "b": {"$id": "x"}, "c": {"$anchor": "y"}, "d": {"$anchor": "y"}}});
    assert_eq!(target(twice.clone(), "x"), Err("`x` has several meanings".to_owned()));
    assert_eq!(target(twice, "#y"), Err("`#y` has several meanings".to_owned()));
    for dynamic in DYNAMIC {
        let schema = json!({"items": {dynamic: "#"}});
        let problem = ResolvedSchema::of(&schema).unwrap_err().to_string();
        assert!(problem.starts_with(&format!("`{dynamic}` is not supported")), "{problem}");
    }
}

#[test]
fn references_in_what_a_reference_leads_to_are_resolved_and_others_stay() {
    let schema = json!({
        "$ref": "#/anywhere/one",
        "anywhere": {"one": {"items": [{"$ref": "#two"}]}, "two": {"$anchor": "two", "$ref": "#"}},
        "default": {"$ref": "nowhere"},
    });
    let resolved = ResolvedSchema::of(&schema).unwrap().into_value();
    assert_eq!(resolved["$ref"], "mem:///config#/anywhere/one");
    assert_eq!(resolved["anywhere"]["one"]["items"][0]["$ref"], "mem:///config#/anywhere/two");
    assert_eq!(resolved["anywhere"]["two"]["$ref"], "mem:///config#");
    assert_eq!(resolved["default"]["$ref"], "nowhere");
}

#[test]
fn references_do_not_grow_without_end() {
    let long = "x".repeat(50_000);
    let mut schema = json!({"definitions": {long: {"$anchor": "a"}}});
    schema["allOf"] = (0..1_000).map(|_| json!({"$ref": "#a"})).collect();
    let problem = ResolvedSchema::of(&schema).unwrap_err();
    assert_eq!(problem.to_string(), "`#a` is one reference of too many");
}
