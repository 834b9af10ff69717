//! Limits how many requests are in flight, to save memory where more would gain no time.
//!
//! A page may have a kilobyte or ten megabytes, and the memory of a component never shrinks. If
//! pages are small, the configured number of requests is in flight. If they are large, a few are
//! enough while pages arrive faster than they can be emitted. Each time the reader has to wait for
//! a page, one more is allowed.

/// Bytes of responses that may always be in flight or wait to be emitted. A stream with pages of a
/// megabyte that arrive in time then takes less than 48 MB, including the host
/// (docs/BENCHMARKS.md).
const BYTES: usize = 4 * 1024 * 1024;

/// Always allow at least this many requests in flight: one whose response is being read, and
/// others that the server works on.
const MIN_REQUESTS: usize = 4;

/// How many pages the average covers.
const AVERAGED_PAGES: usize = 8;

/// The in-flight limit of one read.
#[derive(Debug)]
pub struct InFlightLimit {
    wanted: usize,
    /// The average size of recent pages in bytes. Zero before the first.
    average: usize,
    /// Requests allowed beyond those that always are.
    more: usize,
}

impl InFlightLimit {
    /// Creates a limit of at most `wanted` requests.
    pub fn new(wanted: usize) -> Self {
        Self { wanted, average: 0, more: 0 }
    }

    /// Records the size of a page in bytes, and whether the reader had to wait for it.
    pub fn observe(&mut self, bytes: usize, was_waited_for: bool) {
        self.average = match self.average {
            0 => bytes,
            average => (average * (AVERAGED_PAGES - 1) + bytes) / AVERAGED_PAGES,
        };
        self.more = if was_waited_for { self.more + 1 } else { self.more.saturating_sub(1) };
        self.more = self.more.min(self.wanted.saturating_sub(self.always()));
    }

    /// Returns how many requests may be in flight.
    pub fn requests(&self) -> usize {
        self.always() + self.more
    }

    fn always(&self) -> usize {
        BYTES
            .checked_div(self.average)
            .map_or(self.wanted, |fitting| fitting.max(MIN_REQUESTS).min(self.wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    fn requests(wanted: usize, pages: &[(usize, bool)]) -> usize {
        let mut limit = InFlightLimit::new(wanted);
        pages.iter().for_each(|(bytes, was_waited_for)| limit.observe(*bytes, *was_waited_for));
        limit.requests()
    }

    #[test]
    fn small_pages_are_asked_for_as_many_at_once_as_wanted() {
        assert_eq!(requests(16, &[]), 16);
        assert_eq!(requests(16, &[(0, true), (120_000, false)]), 16);
        assert_eq!(requests(64, &[(60_000, false)]), 64);
    }

    #[test]
    fn of_large_pages_few_are_enough_while_they_need_not_be_waited_for() {
        assert_eq!(requests(16, &[(MEGABYTE / 2, false)]), 8);
        assert_eq!(requests(16, &[(1 << 30, false)]), MIN_REQUESTS);
        assert_eq!(requests(2, &[(1 << 30, false)]), 2);
    }

    #[test]
    fn the_longer_large_pages_are_waited_for_the_more_are_asked_for() {
        assert_eq!(requests(16, &[(MEGABYTE, true); 3]), MIN_REQUESTS + 3);
        assert_eq!(requests(16, &[(MEGABYTE, true); 100]), 16);
        let waited = [(MEGABYTE, true); 20];
        assert_eq!(requests(16, &[&waited[..], &[(MEGABYTE, false); 5]].concat()), 11);
    }

    #[test]
    fn one_large_page_among_small_ones_is_soon_forgotten() {
        let mut pages = vec![(10_000, false); 100];
        pages[0] = (4 * MEGABYTE, false);
        assert_eq!(requests(16, &pages[..1]), MIN_REQUESTS);
        assert_eq!(requests(16, &pages), 16);
    }
}
