//! Gives up on work that cannot be interrupted and may take forever, such as compiling what a
//! stranger wrote.

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

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
    thread::Builder::new().stack_size(STACK).spawn(move || done.send(work())).ok()?;
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
}
