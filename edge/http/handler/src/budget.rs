//! When a read is to stop.

use wasi::clocks::monotonic_clock::now;

/// How much a read may take. It stops soon after it has taken that.
pub(crate) struct Budget {
    pub(crate) records: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) seconds: Option<u64>,
}

/// What a read has taken.
pub(crate) struct Usage {
    records: u64,
    bytes: u64,
    begun: u64,
}

impl Usage {
    pub(crate) fn begin() -> Self {
        Self { records: 0, bytes: 0, begun: now() }
    }

    pub(crate) fn add(&mut self, records: usize, bytes: usize) {
        self.records += records as u64;
        self.bytes += bytes as u64;
    }

    /// Whether one of the budgets is used up.
    pub(crate) fn exceeds(&self, budget: &Budget) -> bool {
        let seconds = (now() - self.begun) / 1_000_000_000;
        let used = [(budget.records, self.records), (budget.bytes, self.bytes), (budget.seconds, seconds)];
        used.into_iter().any(|(budget, used)| budget.is_some_and(|budget| used >= budget))
    }
}
