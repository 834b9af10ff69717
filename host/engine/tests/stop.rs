//! Reads that are stopped within a budget, each by an instance of its own that continues where the
//! last one was left off.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeSet;

use elt_host::types::{JsonObject, SyncMode};
use elt_host::{Config, Engine, Session};
use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};

/// The paths of the guests, by name.
macro_rules! guest {
    (CONTRACT_0_2, $path:literal) => {
        const CONTRACT_0_2: &str = $path;
    };
    ($($other:tt)*) => {};
}

components::for_each_guest!(guest);

async fn session(orb: &MockOrb, in_flight: u32) -> Session {
    let url = orb.url();
    let config = format!(
        r#"{{"api_key":"{DEFAULT_API_KEY}","start_date":"2020-01-01T00:00:00Z","api_url":"{url}","concurrency":{in_flight}}}"#
    );
    let connector = Engine::new().unwrap().load(components::ORB).await.unwrap();
    connector.configure(Config::parse(&config).unwrap()).open().await.unwrap()
}

/// Reads a stream in slices of so many requests. Returns how many records were emitted, and the
/// different ones.
async fn read(orb: &MockOrb, in_flight: u32, stream: &str, budget: u64) -> (usize, BTreeSet<String>, usize) {
    let session = session(orb, in_flight).await;
    let (mut state, mut emitted, mut seen) = (None::<JsonObject>, 0, BTreeSet::new());
    for slices in 1.. {
        let mut reader = session.read(stream, SyncMode::Incremental, state.as_ref()).await.unwrap();
        let before = orb.request_count();
        while let Some(batch) = reader.next_batch().await.unwrap() {
            emitted += batch.records.len();
            seen.extend(batch.records.iter().map(|record| record.as_str().to_owned()));
            state = batch.checkpoint.or(state);
            if orb.request_count() - before + u64::from(in_flight) >= budget {
                reader.stop().await.unwrap();
            }
        }
        if reader.is_complete() {
            return (emitted, seen, slices);
        }
        assert!(slices < 1000, "{state:?}");
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_into_slices_is_read_once() {
    let settings = Settings {
        customers: 6_000,
        subscriptions: 6_000,
        invoices: 6_000,
        ledger_customers: 1_000,
        ..Settings::default()
    };
    let orb = MockOrb::start(Account::generate(&settings));
    orb.disable_log();
    for stream in ["customers", "subscriptions", "invoices", "credits_ledger_entries", "webhook_events"] {
        let (_, whole, _) = read(&orb, 16, stream, u64::MAX).await;
        for in_flight in [1, 4, 6] {
            let (emitted, seen, slices) = read(&orb, in_flight, stream, 45).await;
            let found = format!("{stream} at {in_flight}: {emitted} of {} in {slices} slices", whole.len());
            assert!(seen == whole, "{found}");
            assert!(emitted * 100 <= whole.len() * 101, "{found}");
        }
    }
}

#[tokio::test]
async fn a_connector_of_version_0_2_ends_at_its_next_checkpoint() {
    let connector = Engine::new().unwrap().load(CONTRACT_0_2).await.unwrap();
    let session = connector.configure(Config::parse(r#"{"last":3}"#).unwrap()).open().await.unwrap();
    let mut reader = session.read("numbers", SyncMode::Incremental, None).await.unwrap();
    reader.stop().await.unwrap();
    let batch = reader.next_batch().await.unwrap().unwrap();
    assert_eq!(batch.checkpoint.unwrap().as_str(), r#"{"n":1}"#);
    assert!(reader.next_batch().await.unwrap().is_none() && !reader.is_complete());
}
