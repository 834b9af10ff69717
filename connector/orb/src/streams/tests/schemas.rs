//! What the rows say, beside the schemas.

use super::*;

#[test]
fn keys_cursors_and_made_fields_are_in_the_schema() {
    for stream in STREAMS {
        let properties = &schema(stream)["properties"];
        for name in stream.primary_key.iter().copied().chain(stream.cursor).chain(made(stream)) {
            assert!(properties.get(name).is_some(), "{}: {name}", stream.name);
        }
        for hoist in stream.carry.hoists {
            assert_eq!(
                properties.get(hoist.object).is_some(),
                hoist.keep,
                "{}: {}",
                stream.name,
                hoist.object
            );
        }
    }
}

#[test]
fn the_record_of_a_deleted_object_is_as_the_schema_says() {
    for stream in STREAMS.iter().filter(|stream| stream.object.is_some()) {
        let schema = schema(stream);
        if let Rows::Elements = stream.rows {
            assert_eq!(schema["required"], serde_json::json!(["id"]), "{}", stream.name);
            assert_eq!(schema["properties"]["deleted"]["type"][1], "boolean", "{}", stream.name);
            assert_eq!(stream.primary_key, ["id"], "{}", stream.name);
        }
    }
}

#[test]
fn no_two_made_fields_have_one_name() {
    for stream in STREAMS {
        let made = made(stream);
        assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), made.len(), "{}", stream.name);
    }
}

#[test]
fn cursor_fields_are_times_and_primary_keys_are_never_null() {
    for stream in STREAMS {
        let properties = &schema(stream)["properties"];
        if let Some(cursor) = stream.cursor {
            let is_date = stream.time.is_some_and(|time| time.form == TimeForm::Date);
            let format = if is_date { "date" } else { "date-time" };
            assert_eq!(properties[cursor]["format"], format, "{}", stream.name);
        }
        for name in stream.primary_key {
            assert!(properties[name]["type"].is_string(), "{}: {name}", stream.name);
        }
    }
}

#[test]
fn an_invoice_in_a_ledger_entry_has_the_fields_of_an_invoice() {
    let shapes = |value: &Value| -> std::collections::BTreeMap<String, Value> {
        let fields = value["properties"].as_object().unwrap();
        fields
            .iter()
            .map(|(name, field)| (name.clone(), without_words(field)))
            .filter(|(name, _)| name != "id" && name != "deleted")
            .collect()
    };
    let ledger = schema(&CREDITS_LEDGER_ENTRIES);
    let embedded = &ledger["properties"]["created_invoices"]["items"];
    assert_eq!(shapes(embedded), shapes(&schema(&INVOICES)));
}
