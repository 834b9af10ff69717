//! Deadlines that hold whatever else is going on: a thread of their own keeps them, the clock.
//!
//! The timers of a runtime stand still while its threads are busy, for instance with what a hostile
//! server sends. The clock does nothing but to wake those who wait for it. It cannot interrupt work
//! either; work that may take forever is given a thread of its own and is not waited for.

use std::future::pending;
use std::io;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::Timeout;

/// Starts the clock, unless it runs already. It runs until the process ends.
///
/// # Errors
///
/// If no thread can be started.
pub(crate) fn start() -> io::Result<()> {
    clock().as_ref().map(drop).map_err(|error| error.kind().into())
}

fn clock() -> &'static io::Result<Handle> {
    static CLOCK: OnceLock<io::Result<Handle>> = OnceLock::new();
    CLOCK.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let keeping = move || runtime.block_on(pending::<()>());
        thread::Builder::new().name("clock".to_owned()).spawn(keeping)?;
        Ok(handle)
    })
}

/// Waits for `future` until `limit` has passed. Like tokio's function of this name, but the
/// engine's clock ends the wait.
pub(crate) fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    // Without a clock, which an engine would have refused, the timers of the runtime serve.
    let _by_the_clock = clock().as_ref().ok().map(Handle::enter);
    tokio::time::timeout(limit, future)
}

/// Bytes of the stack of such a thread. What is compiled or validated there is a stranger's, and is
/// followed by recursion.
const STACK: usize = 16 << 20;

/// Does `work` on a thread of its own, and waits for it no longer than `limit`. Work that was given
/// up on goes on until the process ends. `None` also if it panics, or if no thread can be started.
pub(crate) async fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let thread = thread::Builder::new().name("work".to_owned()).stack_size(STACK);
    thread.spawn(move || done.send(work())).ok()?;
    timeout(limit, result).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_not_waited_for() {
        assert_eq!(within(Duration::from_secs(60), || 7).await, Some(7));
        let (_sender, never) = mpsc::channel::<()>();
        assert_eq!(within(Duration::ZERO, move || never.recv().is_ok()).await, None);
    }

    #[test]
    fn a_deadline_passes_although_the_runtime_is_busy() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let (ending, ended) = mpsc::channel::<()>();
        let (begun, began) = mpsc::channel();
        // The only worker does nothing else until the deadline has passed.
        runtime.spawn(async move {
            begun.send(()).unwrap();
            let _ = ended.recv();
        });
        began.recv().unwrap();
        let late = runtime.block_on(timeout(Duration::from_millis(1), pending::<()>()));
        drop(ending);
        assert!(late.is_err());
    }
}
