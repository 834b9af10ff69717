use std::sync::Arc;

use elt_host::Error;
use elt_host::events::Level;
use elt_host::redaction::Redaction;
use elt_host::types::{Specification, Stream, SyncMode};

use super::*;
use crate::fixtures::bare;

/// An output that counts its writes.
#[derive(Default)]
struct Pipe(Vec<Vec<u8>>);

impl Write for &mut Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_are_gathered_until_they_are_flushed() {
    let mut pipe = Pipe::default();
    let mut lines = AirbyteLines::new(&mut pipe);
    for _ in 0..2 {
        let message = Message::ConnectionStatus(Ok(()));
        lines.write(&Redacted::new(message, &Redaction::default()).unwrap()).unwrap();
    }
    lines.flush().unwrap();
    drop(lines);
    assert_eq!(pipe.0.len(), 1);
    assert_eq!(pipe.0[0].iter().filter(|byte| **byte == b'\n').count(), 2);
}

fn lines(message: &Message) -> String {
    let mut out = Vec::new();
    write(&Redacted::new(message.clone(), &Redaction::default()).unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn descriptor(name: &str, namespace: Option<&str>) -> Arc<StreamDescriptor> {
    Arc::new(StreamDescriptor { name: name.to_owned(), namespace: namespace.map(str::to_owned) })
}

#[test]
fn records_are_spliced_into_their_envelope() {
    let records = [r#"{"id":1,"amount":"10.00"}"#, r#"{"n": 1.50}"#];
    let message = Message::Records {
        stream: descriptor("customers", None),
        emitted_at: 1_700_000_000_000,
        records: records.map(|text| Record::parse(text.to_owned()).unwrap()).into(),
    };
    assert_eq!(
        lines(&message),
        concat!(
            r#"{"type":"RECORD","record":{"stream":"customers","emitted_at":1700000000000,"data":{"id":1,"amount":"10.00"}}}"#,
            "\n",
            r#"{"type":"RECORD","record":{"stream":"customers","emitted_at":1700000000000,"data":{"n": 1.50}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_name_and_a_namespace_are_quoted() {
    let message = Message::Records {
        stream: descriptor("a \"b}\"", Some("c\\d}")),
        emitted_at: 1,
        records: vec![Record::parse("{}".to_owned()).unwrap()],
    };
    assert_eq!(
        lines(&message),
        "{\"type\":\"RECORD\",\"record\":{\"stream\":\"a \\\"b}\\\"\",\"namespace\":\"c\\\\d}\",\"emitted_at\":1,\"data\":{}}}\n"
    );
}

#[test]
fn a_state_counts_its_records_as_a_double() {
    let message = Message::State {
        stream: descriptor("customers", None),
        state: JsonObject::parse(r#"{"created_at": "2024-01-05"}"#).unwrap(),
        record_count: 120,
    };
    assert_eq!(
        lines(&message),
        concat!(
            r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"#,
            r#""stream_state":{"created_at":"2024-01-05"}},"sourceStats":{"recordCount":120.0}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_status_and_an_error_are_traces() {
    let status = Message::StreamStatus {
        stream: descriptor("plans", Some("n")),
        status: StreamStatus::Incomplete,
        emitted_at: 5,
    };
    assert_eq!(
        lines(&status),
        concat!(
            r#"{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":5,"stream_status":"#,
            r#"{"stream_descriptor":{"name":"plans","namespace":"n"},"status":"INCOMPLETE"}}}"#,
            "\n"
        )
    );
    let limited = Message::StreamStatus {
        stream: descriptor("plans", None),
        status: StreamStatus::RateLimited { quota_reset: 9000 },
        emitted_at: 5,
    };
    assert_eq!(
        lines(&limited),
        concat!(
            r#"{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":5,"stream_status":"#,
            r#"{"stream_descriptor":{"name":"plans"},"status":"RUNNING","#,
            r#""reasons":[{"type":"RATE_LIMITED","rate_limited":{"quota_reset":9000}}]}}}"#,
            "\n"
        )
    );
    let error = Message::Error {
        error: Error::config("no key").with_internal("GET /plans"),
        stream: Some(descriptor("plans", None)),
        emitted_at: 5,
    };
    assert_eq!(
        lines(&error),
        concat!(
            r#"{"type":"TRACE","trace":{"type":"ERROR","emitted_at":5,"error":{"message":"no key","#,
            r#""internal_message":"GET /plans","failure_type":"config_error","stream_descriptor":{"name":"plans"}}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_specification_shows_what_airbyte_knows_of_it() {
    let message = Message::Spec(Specification {
        name: "orb".to_owned(),
        version: "1.0.0".to_owned(),
        config_schema: JsonObject::parse("{\n \"type\": \"object\"\n}").unwrap(),
        documentation_url: Some("https://docs.example".to_owned()),
        allowed_hosts: vec!["api.example".to_owned()],
    });
    assert_eq!(
        lines(&message),
        concat!(
            r#"{"type":"SPEC","spec":{"documentationUrl":"https://docs.example","#,
            r#""connectionSpecification":{"type":"object"}}}"#,
            "\n"
        )
    );
}

#[test]
fn a_catalog_leaves_out_what_a_stream_has_not() {
    let plans = Stream { supported_sync_modes: vec![SyncMode::FullRefresh], ..bare("plans") };
    let full = Stream {
        supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        primary_key: vec![vec!["id".to_owned()]],
        cursor_field: vec!["created_at".to_owned()],
        resumable: true,
        ..bare("customers")
    };
    assert_eq!(
        lines(&Message::Catalog(vec![plans, full])),
        concat!(
            r#"{"type":"CATALOG","catalog":{"streams":[{"name":"plans","json_schema":{},"#,
            r#""supported_sync_modes":["full_refresh"],"is_resumable":false},"#,
            r#"{"name":"customers","json_schema":{},"supported_sync_modes":["full_refresh","incremental"],"#,
            r#""source_defined_cursor":true,"default_cursor_field":["created_at"],"#,
            r#""source_defined_primary_key":[["id"]],"is_resumable":true}]}}"#,
            "\n"
        )
    );
}

#[test]
fn a_failed_check_says_why_and_a_log_line_may_have_several_lines() {
    assert_eq!(
        lines(&Message::ConnectionStatus(Ok(()))),
        "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}\n"
    );
    assert_eq!(
        lines(&Message::ConnectionStatus(Err("no".to_owned()))),
        "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"FAILED\",\"message\":\"no\"}}\n"
    );
    assert_eq!(
        lines(&Message::Log { level: Level::Warn, message: "a\nb".to_owned() }),
        "{\"type\":\"LOG\",\"log\":{\"level\":\"WARN\",\"message\":\"a\\nb\"}}\n"
    );
}
