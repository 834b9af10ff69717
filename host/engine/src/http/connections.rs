//! The thread that serves the connections of a session.
//!
//! A server that sends without end keeps the thread busy, and each part that it sends may take long
//! to process. So nothing else runs there. Code that waits for a response runs on another thread,
//! and can give up.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::OnceLock;

use reqwest::{Client, Request, Response};
use tokio::runtime::{Builder, Handle, Runtime};

/// Steps of connections between two looks at what has arrived. With tokio's 61, a connection that
/// is always busy delays the others by so many of its steps.
const STEPS: u32 = 8;

/// The thread of a session, which is started when the first request needs it.
#[derive(Default)]
pub(super) struct Connections(OnceLock<io::Result<Runtime>>);

impl Connections {
    /// The thread.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(super) fn handle(&self) -> Result<&Handle, &io::Error> {
        // One, because with more each answer would wake one that finds nothing to do.
        let start = || {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).thread_name("connections").event_interval(STEPS).enable_all().build()
        };
        self.0.get_or_init(start).as_ref().map(Runtime::handle)
    }
}

/// Whoever drops the last clone may not wait for anything.
impl Drop for Connections {
    fn drop(&mut self) {
        if let Some(Ok(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("started", &self.0.get().is_some()).finish()
    }
}

/// Sends a request over a connection that is served by `connections`.
///
/// # Errors
///
/// Those of the client.
pub(super) async fn execute(
    connections: &Handle,
    client: &Client,
    request: Request,
) -> reqwest::Result<Response> {
    let mut answer = pin!(client.execute(request));
    // What the client starts on the way, it starts where it is polled.
    poll_fn(|context| {
        let _there = connections.enter();
        answer.as_mut().poll(context)
    })
    .await
}
