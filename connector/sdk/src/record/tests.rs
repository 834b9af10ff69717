//! Tests how records are read and reshaped.

use super::*;

const PLAIN: Shape<'_> = Shape {
    cursor: Some("created_at"),
    unsettled: None,
    traits: None,
    withheld: &[],
    hoists: &[],
    added: &[],
};

const OWNER: Hoist =
    Hoist { object: "owner", fields: &[("id", "owner_id"), ("name", "owner_name")], keep: false };

const HOISTING: Shape<'_> = Shape { hoists: &[OWNER], ..PLAIN };

const PENDING: Unsettled = Unsettled { field: "status", values: &["pending", "open"], at_most: None };

const HOLDING: Shape<'_> = Shape { unsettled: Some(&PENDING), ..PLAIN };

fn decode(json: &str, shape: &Shape<'_>) -> Record {
    Record::scan(&mut Scanner::new(json), shape).unwrap()
}

#[test]
fn a_record_without_reshape_is_carried_byte_for_byte() {
    let json = r#"{ "id":"a" ,"n":1.10,"big":12345678901234567890.1e-7,"é\u00e9":"\ud83d\ude00","n":2}"#;
    assert_eq!(decode(json, &PLAIN).json, json);
}

#[test]
fn line_breaks_between_tokens_are_dropped_and_escaped_ones_kept() {
    let record = decode("{\r\n  \"id\": \"a\\nb\"\n}", &PLAIN);
    assert_eq!(record.json, "{  \"id\": \"a\\nb\"}");
}

#[test]
fn hoisted_values_keep_their_text_and_other_fields_their_order() {
    let json = r#"{"z":1.0,"owner":{"name":"A\tB","id":123,"more":[]},"a":{"b":1e5}}"#;
    let expected = r#"{"z":1.0,"a":{"b":1e5},"owner_id":123,"owner_name":"A\tB"}"#;
    assert_eq!(decode(json, &HOISTING).json, expected);
}

#[test]
fn an_object_can_be_kept_beside_its_hoisted_fields() {
    let shape = Shape { hoists: &[Hoist { keep: true, ..OWNER }], ..PLAIN };
    let expected = r#"{"owner":{"id":1,"name":"A"},"z":2,"owner_id":1,"owner_name":"A"}"#;
    assert_eq!(decode(r#"{"owner":{"id":1,"name":"A"},"z":2}"#, &shape).json, expected);
}

#[test]
fn added_fields_stand_at_the_end_and_never_replace_what_the_server_sends() {
    let added = [("parent_id", "\"p\"".to_owned())];
    let shape = Shape { added: &added, hoists: &[Hoist { keep: true, ..OWNER }], ..PLAIN };
    let json = |record: &str| decode(record, &shape).json;
    let made = r#""owner_name":null,"parent_id":"p"}"#;
    for (record, expected) in [
        (r#"{"a":1.0,"owner":{"id":2}}"#, format!(r#"{{"a":1.0,"owner":{{"id":2}},"owner_id":2,{made}"#)),
        (r#"{"parent_id":null,"a":1}"#, format!(r#"{{"a":1,"owner_id":null,{made}"#)),
        (r#"{"owner_id":7,"owner":{"id":2}}"#, format!(r#"{{"owner_id":7,"owner":{{"id":2}},{made}"#)),
        (r#"{"parent_id":"x","owner_id":7}"#, r#"{"parent_id":"x","owner_id":7,"owner_name":null}"#.into()),
        (r#"{"p\u0061rent_id":0}"#, r#"{"p\u0061rent_id":0,"owner_id":null,"owner_name":null}"#.into()),
        (r#"{"parent_id":0,"parent_id":null}"#, format!(r#"{{"owner_id":null,{made}"#)),
    ] {
        assert_eq!(json(record), expected);
    }
}

#[test]
fn a_field_can_be_hoisted_out_of_an_object_within_the_object() {
    const PRICE: Hoist = Hoist {
        object: "price",
        fields: &[("id", "price_id"), ("item.id", "item_id"), ("items", "items")],
        keep: true,
    };
    let shape = Shape { hoists: &[PRICE], ..PLAIN };
    let ids = |price: &str| {
        let json = decode(&format!(r#"{{"price":{price}}}"#), &shape).json;
        json[json.rfind("\"price_id\"").unwrap()..].to_owned()
    };
    assert_eq!(
        ids(r#"{"item":{"name":"n","id":"i"},"id":"p"}"#),
        r#""price_id":"p","item_id":"i","items":null}"#
    );
    for item in ["null", "{}", "[1]", "\"i\""] {
        let price = format!(r#"{{"item":{item},"id":"p"}}"#);
        assert_eq!(ids(&price), r#""price_id":"p","item_id":null,"items":null}"#);
    }
}

#[test]
fn a_reshaped_record_takes_little_more_memory_than_its_text() {
    const PLAN: Hoist = Hoist { object: "plan", fields: &[("id", "plan_id")], keep: true };
    let (id, large) = ("i".repeat(140), "x".repeat(20_000));
    let shape = Shape { hoists: &[OWNER, PLAN], ..PLAIN };
    for json in [
        format!(r#"{{"owner":{{"id":{id:?},"name":{id:?}}},"plan":{{"id":{id:?}}},"text":{large:?}}}"#),
        format!(r#"{{"owner":{{"id":{id:?},"more":{large:?}}},"text":1}}"#),
        format!(r#"{{"owner":{{"id":1}},"owner":{{"more":{large:?}}},"text":1}}"#),
    ] {
        let record = decode(&json, &shape).json;
        assert!(record.capacity() < record.len() + 1024, "{} of {}", record.capacity(), record.len());
    }
}

#[test]
fn the_position_can_be_a_date() {
    let record = decode(r#"{"created_at":"2024-01-03"}"#, &PLAIN);
    assert_eq!(record.position, parse_instant("2024-01-03T00:00:00Z"));
}

#[test]
fn records_of_some_values_are_withheld() {
    let shape = Shape { withheld: &["pending"], ..HOLDING };
    let said = ["pending", "open", "closed"].map(|status| {
        let record = decode(&format!(r#"{{"status":{status:?}}}"#), &shape);
        (record.unsettled, record.withheld)
    });
    assert_eq!(said, [(true, true), (true, false), (false, false)]);
}

#[test]
fn a_null_or_absent_object_gives_null_fields() {
    let expected = r#"{"id":"a","owner_id":null,"owner_name":null}"#;
    assert_eq!(decode(r#"{"id":"a","owner":null}"#, &HOISTING).json, expected);
    assert_eq!(decode(r#"{"id":"a"}"#, &HOISTING).json, expected);
    assert_eq!(decode(r#"{}"#, &HOISTING).json, r#"{"owner_id":null,"owner_name":null}"#);
}

#[test]
fn a_name_that_comes_twice_counts_as_it_comes_last_and_is_hoisted_once() {
    let json = r#"{"owner":{"id":1,"name":"old"},"owner_id":9,"created_at":"2023-01-01T00:00:00Z",
        "owner":{"id":2,"\u0069d":3},"created_at":"2024-01-01T00:00:00Z","owner_name":8}"#;
    let record = decode(json, &HOISTING);
    assert!(record.json.ends_with(r#","owner_id":3,"owner_name":null}"#), "{}", record.json);
    assert_eq!(record.json.matches("owner").count(), 2, "{}", record.json);
    assert_eq!(record.position, parse_instant("2024-01-01T00:00:00Z"));
    for last in ["null", "[1]", "7", "{}"] {
        let record = decode(&format!(r#"{{"owner":{{"id":1}},"owner":{last}}}"#), &HOISTING);
        assert_eq!(record.json, r#"{"owner_id":null,"owner_name":null}"#);
    }
    assert!(decode(r#"{"status":"committed","status":"pending"}"#, &HOLDING).unsettled);
    assert!(!decode(r#"{"status":"pending","status":"committed"}"#, &HOLDING).unsettled);
    let twice = decode(r#"{"created_at":"2024-01-01T00:00:00Z","created_at":null}"#, &HOLDING);
    assert_eq!(twice.position, None);
    let named = decode(r#"{"id":"a","deleted":false,"id":"b","deleted":true}"#, &HOLDING);
    assert_eq!((named.text("id").as_deref(), named.is_true("deleted")), (Some("b"), true));
}

#[test]
fn a_record_without_a_readable_time_has_no_position() {
    for json in ["{}", r#"{"created_at":null}"#, r#"{"created_at":5}"#, r#"{"created_at":"soon"}"#] {
        assert_eq!(decode(json, &PLAIN).position, None, "{json}");
    }
}

#[test]
fn a_record_that_can_still_change_is_unsettled() {
    assert!(decode(r#"{"status":"pending"}"#, &HOLDING).unsettled);
    assert!(decode(r#"{"status":"open"}"#, &HOLDING).unsettled);
    assert!(!decode(r#"{"status":"committed"}"#, &HOLDING).unsettled);
    assert!(!decode(r#"{}"#, &HOLDING).unsettled);
}

#[test]
fn what_is_not_an_object_is_no_record() {
    for json in ["[]", "1", "null", "\"x\""] {
        assert!(Record::scan(&mut Scanner::new(json), &PLAIN).is_err(), "{json}");
    }
}
