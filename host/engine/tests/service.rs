//! The example of a service runs as a service would: with a schedule, a store and a server.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mock_orb::{Account, Collection, DEFAULT_API_KEY, MockOrb, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[path = "../examples/service/main.rs"]
#[expect(dead_code, reason = "its `main` is that of a program")]
mod service;

use service::{Store, Syncer};

const PATIENCE: Duration = Duration::from_secs(300);

async fn open(orb: &MockOrb, host: &str, folder: &Path) -> Arc<Syncer> {
    let url = orb.url();
    let config =
        format!(r#"{{"api_key":"{DEFAULT_API_KEY}","start_date":"2020-01-01T00:00:00Z","api_url":"{url}"}}"#);
    let store = Store::open(folder.to_owned()).unwrap();
    let streams = ["customers", "invoices"].map(str::to_owned).to_vec();
    service::open(components::ORB, &config, vec![host.parse().unwrap()], store, streams).await.unwrap()
}

/// Without a scheme, only HTTPS would be allowed.
fn origin(orb: &MockOrb) -> String {
    format!("http://{}", orb.address())
}

/// A service that runs.
struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    service: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(syncer: Arc<Syncer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let service = tokio::spawn(service::serve(listener, syncer, PATIENCE, async { drop(stopped.await) }));
        Self { address, stop, service }
    }

    async fn request(&self, head: &str) -> String {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).await.unwrap();
        response
    }

    /// Waits until the status says this.
    async fn wait_for(&self, expected: &str) -> String {
        let waiting = async {
            loop {
                let status = self.request("GET /status").await;
                if status.contains(expected) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect(expected)
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.service).await.unwrap().unwrap();
    }
}

fn stored(folder: &Path, stream: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(format!("{stream}.jsonl"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_states_are_stored_on_a_schedule_and_on_request() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(open(&orb, &origin(&orb), folder.path()).await).await;
    running.wait_for(r#""invoices":{"complete":true"#).await;
    assert_eq!(stored(folder.path(), "customers").len(), orb.account().len(Collection::Customers));
    let invoices = stored(folder.path(), "invoices").len();
    assert!(invoices > 0 && folder.path().join("invoices.state.json").exists());
    let requests = orb.request_count();
    assert!(running.request("POST /sync").await.starts_with("HTTP/1.1 202"));
    let again = async {
        while orb.request_count() < requests + 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    assert!(running.request("GET /").await.starts_with("HTTP/1.1 404"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_stopped_in_a_sync_goes_on_where_it_was() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 5_000, ..Settings::default() }));
    orb.set_latency(Duration::from_millis(20));
    let folder = tempfile::tempdir().unwrap();
    let host = origin(&orb);
    let running = Running::start(open(&orb, &host, folder.path()).await).await;
    let begun = async {
        while stored(folder.path(), "customers").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.unwrap();
    running.stop().await;
    assert!(stored(folder.path(), "customers").len() < 5_000);
    orb.set_latency(Duration::ZERO);
    let running = Running::start(open(&orb, &host, folder.path()).await).await;
    running.wait_for(r#""customers":{"complete":true"#).await;
    running.stop().await;
    let records = stored(folder.path(), "customers");
    assert_eq!(records.iter().collect::<BTreeSet<_>>().len(), 5_000);
    assert!(records.len() < 5_050, "{}", records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_hosts_of_the_service_can_be_reached() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(open(&orb, "api.withorb.com", folder.path()).await).await;
    let status = running.wait_for(r#""invoices":{"complete":false,"error":{"#).await;
    assert!(status.contains(r#""failure_type":"Config""#) && !status.contains(DEFAULT_API_KEY), "{status}");
    assert_eq!(orb.request_count(), 0);
    running.stop().await;
}
