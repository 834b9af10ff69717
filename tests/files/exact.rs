//! Every value is read back as it was written, or is in `_rest` untouched.

use parquet::basic::{LogicalType, Type};
use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::SerializedFileReader;
use serde_json::json;

use super::*;

/// A schema with a column of each type.
pub(super) fn schema() -> Value {
    json!({"type": "object", "properties": {
        "id": {"type": "string"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "count": {"type": ["null", "integer"]},
        "quantity": {"type": ["null", "number"]},
        "cents": {"type": ["null", "number"], "multipleOf": 0.01},
        "flag": {"type": ["null", "boolean"]},
        "map": {"type": ["null", "object"]},
        "list": {"type": ["null", "array"]},
    }})
}

/// Values that readers and writers get wrong.
pub(super) const NASTY: [&str; 24] = [
    r#"{"id":"plain","at":"2024-02-29T23:59:59.123456Z","count":1,"quantity":1.5,"cents":0.01,"flag":true,"map":{"a":1.10},"list":[1,2]}"#,
    r#"{"id":"nulls","at":null,"count":null,"quantity":null,"cents":null,"flag":null,"map":null,"list":null}"#,
    r#"{"id":"absent"}"#,
    r#"{"id":"38 digits","quantity":12345678901234567890123456789.123456789,"count":9223372036854775807}"#,
    r#"{"id":"39 digits","quantity":123456789012345678901234567890.123456789,"count":9223372036854775808}"#,
    r#"{"id":"fraction","quantity":0.0000000001,"cents":0.001}"#,
    r#"{"id":"exponent","quantity":1.5e3,"count":1E2,"cents":25e-2}"#,
    r#"{"id":"huge","quantity":1e400,"count":1e400,"cents":-1e400}"#,
    r#"{"id":"tiny","quantity":1e-400,"count":1e-400}"#,
    r#"{"id":"minus zero","quantity":-0,"count":-0,"cents":-0.0}"#,
    r#"{"id":"zeros","quantity":1.500000,"cents":10.00,"count":1.0}"#,
    r#"{"id":"lowest","count":-9223372036854775808,"quantity":-99999999999999999999999999999.999999999}"#,
    r#"{"id":"leap second","at":"2016-12-31T23:59:60Z"}"#,
    r#"{"id":"year one","at":"0001-01-01T00:00:00Z"}"#,
    r#"{"id":"last year","at":"9999-12-31T23:59:59.999999Z"}"#,
    r#"{"id":"year zero","at":"0000-01-01T00:00:00Z"}"#,
    r#"{"id":"nanoseconds","at":"2024-01-01T00:00:00.123456789Z"}"#,
    r#"{"id":"offset","at":"2024-01-01T00:00:00+05:30"}"#,
    r#"{"id":"no instant","at":"tomorrow","count":"1","quantity":"1.5","flag":"true","map":[1],"list":{"a":1}}"#,
    r#"{"id":"unicode \ud83d\ude00 \u0000 é\u2028","map":{"\ud83d\ude00":"\u00e9"}}"#,
    r#"{"id":"surrogate","at":"\ud800","new":"\udc00"}"#,
    r#"{"id":"drift","new_field":{"deep":[{"er":1.10}]},"_rest":"x","_extracted_at":"y","flag":[true]}"#,
    r#"{"id":"twice","count":1,"count":2}"#,
    r#"{"id":1,"at":0,"count":true,"quantity":false,"flag":0,"map":"text","list":1.50}"#,
];

/// All of them, and one that is deeply nested and one that has many fields.
pub(super) fn nasty() -> Vec<String> {
    let deep = format!(r#"{{"id":"deep","map":{}1{}}}"#, r#"{"a":["#.repeat(40), "]}".repeat(40));
    let fields: Vec<_> = (0..500).map(|number| format!(r#""f{number}":{number}"#)).collect();
    let wide = format!(r#"{{"id":"wide",{}}}"#, fields.join(","));
    NASTY.iter().map(|record| (*record).to_owned()).chain([deep, wide]).collect()
}

#[test]
fn records_can_be_put_together_again_from_every_format() {
    let records = nasty();
    let texts: Vec<&str> = records.iter().map(String::as_str).collect();
    let setup = script(&[stream("things", &schema(), &[&texts[..5], &texts[5..]])]);
    for format in ["parquet", "jsonl", "jsonl.gz", "jsonl.zst"] {
        read_well(&setup, &["--format", format]);
        let folder = setup.folder().join("out");
        let stored = stored(&folder, "things");
        assert_eq!(stored.len(), records.len(), "{format}");
        for (stored, record) in stored.iter().zip(&records) {
            // What the record says of the time in JSON lines is its own.
            assert_eq!(fields(stored), expected(record), "{format}");
        }
        let parquet = format == "parquet";
        let is_later = |pair: &[StoredRecord]| pair[0].extracted_at < pair[1].extracted_at;
        assert!(!parquet || stored.windows(2).all(is_later), "no two at the same time");
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn columns_have_exact_types_and_the_rest_is_kept_aside() {
    let records = nasty();
    let texts: Vec<&str> = records.iter().map(String::as_str).collect();
    let setup = script(&[stream("things", &schema(), &[&texts])]);
    read_well(&setup, &[]);
    let files = elt_files::files(&setup.folder().join("out/things")).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(&files[0]).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let types: Vec<_> = schema
        .columns()
        .iter()
        .map(|column| {
            let logical = match column.logical_type_ref() {
                None => String::new(),
                Some(LogicalType::String) => "text".to_owned(),
                Some(LogicalType::Timestamp(_)) => "timestamp".to_owned(),
                Some(LogicalType::Decimal(decimal)) => format!("{},{}", decimal.precision, decimal.scale),
                Some(other) => format!("{other:?}"),
            };
            (column.name().to_owned(), column.physical_type(), logical)
        })
        .collect();
    let column = |name: &str, physical, logical: &str| (name.to_owned(), physical, logical.to_owned());
    assert_eq!(
        types,
        [
            column("id", Type::BYTE_ARRAY, "text"),
            column("at", Type::INT64, "timestamp"),
            column("count", Type::INT64, ""),
            column("quantity", Type::FIXED_LEN_BYTE_ARRAY, "38,9"),
            column("cents", Type::FIXED_LEN_BYTE_ARRAY, "38,2"),
            column("flag", Type::BOOLEAN, ""),
            column("map", Type::BYTE_ARRAY, "text"),
            column("list", Type::BYTE_ARRAY, "text"),
            column("_rest", Type::BYTE_ARRAY, "text"),
            column("_extracted_at", Type::INT64, "timestamp"),
        ]
    );
}

#[test]
fn a_stream_without_records_has_a_file_with_its_columns() {
    for format in ["parquet", "jsonl.zst"] {
        let setup = script(&[stream("things", &schema(), &[])]);
        read_well(&setup, &["--format", format]);
        let folder = setup.folder().join("out");
        assert_eq!(elt_files::files(&folder.join("things")).unwrap().len(), 1, "{format}");
        assert_eq!(stored(&folder, "things"), []);
        // Once is enough.
        read_well(&setup, &["--format", format]);
        assert_eq!(elt_files::files(&folder.join("things")).unwrap().len(), 1, "{format}");
    }
}

#[test]
fn every_record_of_an_account_is_there() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let messages = setup.run(&[&"read", &"--config", &setup.config_file(), &"--streams", &"all"]);
    read_well(&setup, &["--streams", "all"]);
    let folder = setup.folder().join("out");
    let manifest = manifests(&folder).remove(0);
    let streams = manifest["streams"].as_object().unwrap();
    assert!(streams.len() > 20, "{}", streams.len());
    for (stream, about) in streams {
        let mut expected: Vec<_> = messages.records(stream).iter().map(|text| expected(text)).collect();
        let mut stored: Vec<_> = stored(&folder, stream).iter().map(fields).collect();
        assert_eq!(about["records"], stored.len(), "{stream}");
        expected.sort();
        stored.sort();
        assert_eq!(stored, expected, "{stream}");
    }
}
