//! Watches how much memory this process takes.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

/// How often to look. A compiler fills some ten megabytes meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until the process has `bytes` of memory more than now. For ever, where the operating
/// system does not say how much it has.
pub(crate) async fn grown_by(bytes: usize) {
    let Some(before) = resident() else { return std::future::pending().await };
    while resident().is_none_or(|now| now.saturating_sub(before) <= bytes) {
        sleep(PAUSE).await;
    }
}

/// Bytes of memory of this process that are not swapped out (`proc_pid_status(5)`).
fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn more_memory_is_noticed() {
        let watching = tokio::spawn(grown_by(100 << 20));
        tokio::task::yield_now().await;
        let memory = black_box(vec![1_u8; 300 << 20]);
        watching.await.unwrap();
        drop(memory);
    }
}
