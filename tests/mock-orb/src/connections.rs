//! Accepts connections, and answers the requests on each.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use crate::service::Shared;
use crate::tls::{Identity, speaks_http2};

/// How long to wait after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// Accepts connections until stopped, then drops them all.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    identity: Option<Identity>,
    stop: &Notify,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener inside its runtime");
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.notified() => break,
            Some(ended) = connections.join_next() => pass_on_panic(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    connections.spawn(welcome(stream, number, Arc::clone(&shared), identity.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    connections.abort_all();
    while let Some(ended) = connections.join_next().await {
        pass_on_panic(ended);
    }
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

async fn welcome(stream: TcpStream, number: u64, shared: Arc<Shared>, identity: Option<Identity>) {
    // Without Nagle's algorithm, which would delay small answers until the client's
    // acknowledgement.
    let _ = stream.set_nodelay(true);
    let Some(identity) = identity else { return converse(stream, number, shared, false).await };
    if let Ok(stream) = identity.accept(stream).await {
        let is_http2 = speaks_http2(&stream);
        converse(stream, number, shared, is_http2).await;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    number: u64,
    shared: Arc<Shared>,
    is_http2: bool,
) {
    let stream = TokioIo::new(stream);
    // Requests of one HTTP/2 connection are answered concurrently, each in its own task.
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { shared.respond(number, request).await }
    });
    // Errors are expected: clients may disconnect, and faults cut connections.
    if is_http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}
