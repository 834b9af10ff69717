//! How many requests may be in flight: the size of every page, and whether it had to be waited for, in; as many as wanted,
//! or fewer where that costs memory and gains no time, out.
//!
//! A page may have a kilobyte or ten megabytes, and a component's memory never shrinks: what it took once it keeps. Small
//! pages are asked for as many at once as wanted. Of large ones a few are enough while they come faster than they can be
//! handed on; where they are waited for, one more each time.

/// Bytes of answers that may always be on their way or wait to be handed on. A stream whose pages have a megabyte, and do
/// not have to be waited for, then takes less than 48 MB, host included (docs/BENCHMARKS.md).
const BYTES: usize = 4 * 1024 * 1024;

/// However large pages are, so many are in flight: one that is read, and others whose server works meanwhile.
const LEAST: usize = 4;

/// The average forgets a page after so many more.
const MEMORY: usize = 8;

/// Room for the answers of one stream.
#[derive(Debug)]
pub struct Room {
    wanted: usize,
    /// Bytes of a page, as they have been lately; zero before the first.
    average: usize,
    /// Beyond what always fits.
    more: usize,
}

impl Room {
    /// Room for `wanted` answers at most.
    pub fn new(wanted: usize) -> Self {
        Self { wanted, average: 0, more: 0 }
    }

    /// Notes the bytes of a page, and whether nothing else could be done before it came.
    pub fn observe(&mut self, bytes: usize, was_waited_for: bool) {
        self.average = match self.average {
            0 => bytes,
            average => (average * (MEMORY - 1) + bytes) / MEMORY,
        };
        self.more = if was_waited_for { self.more + 1 } else { self.more.saturating_sub(1) };
        self.more = self.more.min(self.wanted.saturating_sub(self.always()));
    }

    /// How many requests may be in flight.
    pub fn requests(&self) -> usize {
        self.always() + self.more
    }

    fn always(&self) -> usize {
        BYTES.checked_div(self.average).map_or(self.wanted, |fitting| fitting.max(LEAST).min(self.wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    fn requests(wanted: usize, pages: &[(usize, bool)]) -> usize {
        let mut room = Room::new(wanted);
        pages.iter().for_each(|(bytes, was_waited_for)| room.observe(*bytes, *was_waited_for));
        room.requests()
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
        assert_eq!(requests(16, &[(1 << 30, false)]), LEAST);
        assert_eq!(requests(2, &[(1 << 30, false)]), 2);
    }

    #[test]
    fn the_longer_large_pages_are_waited_for_the_more_are_asked_for() {
        assert_eq!(requests(16, &[(MEGABYTE, true); 3]), LEAST + 3);
        assert_eq!(requests(16, &[(MEGABYTE, true); 100]), 16);
        let waited = [(MEGABYTE, true); 20];
        assert_eq!(requests(16, &[&waited[..], &[(MEGABYTE, false); 5]].concat()), 11);
    }

    #[test]
    fn one_large_page_among_small_ones_is_soon_forgotten() {
        let mut pages = vec![(10_000, false); 100];
        pages[0] = (4 * MEGABYTE, false);
        assert_eq!(requests(16, &pages[..1]), LEAST);
        assert_eq!(requests(16, &pages), 16);
    }
}
