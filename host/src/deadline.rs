//! Work that cannot be interrupted and may take for ever, such as compiling what somebody else wrote.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Does `work` on a thread of its own, and waits for it no longer than `patience`. What is given up goes on until the
/// process ends. None also if it panics.
pub(crate) fn within<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, awaited) = mpsc::sync_channel(1);
    thread::spawn(move || done.send(work()));
    awaited.recv_timeout(patience).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        assert_eq!(within(Duration::from_secs(60), || 7), Some(7));
        let (_sender, never) = mpsc::channel::<()>();
        assert_eq!(within(Duration::ZERO, move || never.recv().is_ok()), None);
    }
}
