//! Measures the three steps that each record passes through, natively: decoding a page, checking a
//! record, and writing a batch. The first two are compared with `serde_json`. Run it with `cargo
//! bench -p bench`.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use elt_airbyte::{AirbyteLines, Message, Redacted, Sink as _, StreamDescriptor};
use elt_host::redaction::Redaction;
use elt_host::types::Record;
use elt_sdk::api::Api as _;
use elt_sdk::request::PageRequest;
use elt_sdk::slice::Slice;
use mock_orb::{Account, Collection, Settings};
use orb::api::OrbApi;
use orb::config::Config;
use orb::streams::STREAMS;
use serde_json::value::RawValue;

/// A page of each stream, as Orb sends it.
fn pages() -> [(&'static str, Vec<String>); 2] {
    let account = Account::generate(&Settings {
        customers: 100,
        subscriptions: 100,
        always_plans: true,
        ..Settings::default()
    });
    [
        ("customers", account.records(Collection::Customers)),
        ("subscriptions", account.records(Collection::Subscriptions)),
    ]
}

fn body(records: &[String]) -> String {
    let records = records.join(",");
    format!(r#"{{"data":[{records}],"pagination_metadata":{{"has_more":false,"next_cursor":null}}}}"#)
}

fn page(criterion: &mut Criterion) {
    let config = r#"{"api_key":"key","start_date":"2024-01-01T00:00:00Z"}"#;
    let api = OrbApi::new(Rc::new(Config::parse(config).expect("a config")));
    for (name, records) in pages() {
        let body = body(&records);
        let stream = STREAMS.iter().find(|stream| stream.name == name).expect("a stream");
        let request = PageRequest::new(stream, Slice::default());
        let mut group = criterion.benchmark_group(format!("a page of {name}"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("connector", |bencher| {
            bencher.iter(|| api.decode_page(&request, black_box(body.as_bytes())).expect("a page"));
        });
        // Does less than the connector, which also looks inside each record.
        group.bench_function("serde_json", |bencher| {
            bencher.iter(|| {
                let page: HashMap<&str, &RawValue> = serde_json::from_str(black_box(&body)).expect("a page");
                let records: Vec<&RawValue> = serde_json::from_str(page["data"].get()).expect("a list");
                records.into_iter().map(|record| record.get().to_owned()).collect::<Vec<String>>()
            });
        });
        group.finish();
    }
}

fn record(criterion: &mut Criterion) {
    for (name, records) in pages() {
        let bytes = records.iter().map(String::len).sum::<usize>();
        let mut group = criterion.benchmark_group(format!("100 {name} checked"));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("host", |bencher| {
            bencher.iter_batched(
                || records.clone(),
                |records| records.into_iter().map(Record::parse).collect::<Result<Vec<_>, _>>(),
                criterion::BatchSize::SmallInput,
            );
        });
        group.bench_function("serde_json", |bencher| {
            bencher.iter(|| {
                records
                    .iter()
                    .filter(|record| serde_json::from_str::<&RawValue>(black_box(record)).is_ok())
                    .count()
            });
        });
        group.finish();
    }
}

fn lines(criterion: &mut Criterion) {
    for (name, records) in pages() {
        let bytes = records.iter().map(String::len).sum::<usize>();
        let records = records.into_iter().map(|record| Record::parse(record).expect("a record")).collect();
        let stream = Arc::new(StreamDescriptor { name: name.to_owned(), namespace: None });
        let message = Message::Records { stream, emitted_at: 1_700_000_000_000, records };
        let message = Redacted::new(message, &Redaction::default()).expect("nothing is secret");
        let mut lines = AirbyteLines::new(io::sink());
        let mut group = criterion.benchmark_group(format!("100 {name} written"));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("host", |bencher| {
            bencher.iter(|| {
                lines.write(black_box(&message)).expect("a sink takes everything");
            });
        });
        group.finish();
    }
}

criterion_group!(functions, page, record, lines);
criterion_main!(functions);
