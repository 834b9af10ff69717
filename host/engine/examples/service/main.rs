//! A service that syncs streams of a connector on a schedule, and says over HTTP how that went:
//! `service orb.wasm config.json FOLDER customers,invoices`.
//!
//! `GET /status` returns what has been synced, `POST /sync` starts a sync now. Records are appended
//! to `FOLDER/STREAM.jsonl`; beside them is the state from which the next sync continues.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use elt_host::policy::HostPattern;
use elt_host::{Cache, Config, Engine, Error, Limits, Policy, Result};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

mod store;
mod syncer;

pub(crate) use self::store::Store;
pub(crate) use self::syncer::Syncer;

/// The time between two syncs.
const INTERVAL: Duration = Duration::from_secs(3600);

/// What one stream may take of memory, and how many requests it may have in flight. A service that
/// has other things to do gives a connector less than the defaults.
fn limits() -> Limits {
    Limits { memory: 128 << 20, total_memory: 512 << 20, requests: 16, ..Limits::default() }
}

/// Prepares to sync. `hosts` are the only ones that the connector can reach, whatever it asks for.
pub(crate) async fn open(
    component: &str,
    config: &str,
    hosts: Vec<HostPattern>,
    store: Store,
    streams: Vec<String>,
) -> Result<Arc<Syncer>> {
    let engine = Engine::builder().cache(Cache::of_user()).limits(limits()).build()?;
    let connector = engine.load(component).await?;
    // A host that is named without a wildcard may be on a private network.
    let policy = Policy::default().allow_only(hosts).allow_private_network(true);
    let session = connector.configure(Config::parse(config)?).policy(policy).open().await?;
    Ok(Arc::new(Syncer::new(session, store, streams)))
}

/// Syncs now and then, and answers requests, until `stop` resolves. Then it stops reading where the
/// next sync can go on.
pub(crate) async fn serve(
    listener: TcpListener,
    syncer: Arc<Syncer>,
    interval: Duration,
    stop: impl Future<Output = ()>,
) {
    let syncs = tokio::spawn({
        let syncer = syncer.clone();
        async move { syncer.sync_regularly(interval).await }
    });
    let accept = async {
        while let Ok((connection, _)) = listener.accept().await {
            let syncer = syncer.clone();
            let answer = service_fn(move |request| {
                let response = respond(&syncer, &request);
                async { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(connection), answer);
            tokio::spawn(async { drop(connection.await) });
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    syncer.stop();
    drop(syncs.await);
}

fn respond(syncer: &Syncer, request: &Request<Incoming>) -> Response<String> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/status") => (StatusCode::OK, syncer.status()),
        (&Method::POST, "/sync") => {
            syncer.sync_now();
            (StatusCode::ACCEPTED, String::new())
        }
        _ => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, config, folder, streams] = &arguments[..] else {
        return Err(Error::config("usage: service COMPONENT CONFIG FOLDER STREAM,..."));
    };
    let config = std::fs::read_to_string(config).map_err(|error| Error::config(error.to_string()))?;
    let hosts = vec!["api.withorb.com".parse().map_err(|_| Error::system("the name of a host"))?];
    let store = Store::open(PathBuf::from(folder)).map_err(|error| Error::config(error.to_string()))?;
    let streams = streams.split(',').map(str::to_owned).collect();
    let syncer = open(component, &config, hosts, store, streams).await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await;
    let listener = listener.map_err(|error| Error::system(error.to_string()))?;
    // A service would wait for SIGTERM, too.
    serve(listener, syncer, INTERVAL, std::future::pending()).await;
    Ok(())
}
