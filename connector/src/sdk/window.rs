//! Slices by time.
//!
//! In: the pages of a list that is sorted newest first and can be filtered by its cursor field. Out: which windows to
//! ask for, oldest first, and a checkpoint for every finished prefix of them.
//!
//! A read begins as one window over the whole range. If its first page shows that many more follow, what lies below
//! that page is split into windows of a few pages each, which are read concurrently; those split again where they turn
//! out to be dense. So a short range is one request, and a long history is tens of windows.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::sdk::{
    cursor::{Range, Watermark},
    instant::floor_to_second,
    page::{Page, PageChain},
    record::Record,
    slice::{Ask, Slice, Slices, Until},
    stream::Stream,
};

/// A window with more further pages than this is split. Below it, a chain of pages takes less than a second.
const SPLIT_ABOVE_PAGES: f64 = 8.0;

/// How many pages a new window shall have. Each window costs half a page more than it needs, on average.
const PAGES_PER_WINDOW: f64 = 6.0;

/// The most windows that one window is split into. Parts that are still dense split again.
const MAX_PARTS: f64 = 32.0;

/// The windows of a stream, oldest first.
#[derive(Debug)]
pub struct Windows {
    stream: &'static Stream,
    windows: Vec<Window>,
    next_key: usize,
    watermark: Watermark,
    told: Timestamp,
    finished: bool,
}

#[derive(Debug)]
struct Window {
    key: usize,
    from: Timestamp,
    until: Option<Until>,
    chain: PageChain,
}

impl Windows {
    /// One window over the range, less what lies below the last cursor.
    pub fn new(stream: &'static Stream, range: &Range, watermark: Watermark) -> Self {
        let from = range.lower_bound(Some(watermark.previous()));
        let told = watermark.previous().instant;
        let mut windows = Self { stream, windows: Vec::new(), next_key: 0, watermark, told, finished: false };
        if range.end.is_none_or(|end| end >= from) {
            let whole = windows.window(from, range.end.map(Until::Including));
            windows.windows.push(whole);
        }
        windows
    }

    fn window(&mut self, from: Timestamp, until: Option<Until>) -> Window {
        let key = self.next_key;
        self.next_key += 1;
        Window { key, from, until, chain: PageChain::default() }
    }

    /// Puts windows in the place of the one at `index`: one above the cut, and parts below. Its first page has only told
    /// where to cut and is read again with the window above, so that nothing depends on the order of the list.
    fn split(&mut self, index: usize, cut: Timestamp, parts: i64) {
        let from = self.windows[index].from;
        let width = (cut.duration_since(from).as_secs() / parts).max(1);
        let mut edges: Vec<Timestamp> = (1..parts)
            .filter_map(|part| from.checked_add(SignedDuration::from_secs(width * part)).ok())
            .map(floor_to_second)
            .take_while(|edge| *edge < cut)
            .collect();
        edges.push(cut);
        let mut lower = from;
        let mut below = Vec::new();
        for edge in edges.into_iter().filter(|edge| *edge > from) {
            below.push(self.window(lower, Some(Until::Before(edge))));
            lower = edge;
        }
        let above = self.window(cut, self.windows[index].until);
        below.push(above);
        self.windows.splice(index..=index, below);
    }

    fn state(&self, cursor: &str) -> String {
        json!({ self.stream.cursor_field: cursor }).to_string()
    }
}

impl Slices for Windows {
    fn next_ask(&mut self) -> Option<Ask> {
        let waiting = |window: &mut Window| {
            window.chain.ask().map(|token| (window.key, window.from, window.until, token))
        };
        let (key, from, until, page_token) = self.windows.iter_mut().find_map(waiting)?;
        let slice = Slice { from: Some(from), until, ..Slice::default() };
        Some(Ask { key, stream: self.stream, slice, page_token })
    }

    fn observe(&mut self, ask: &Ask, page: Page) -> Result<Vec<String>, String> {
        let index =
            self.windows.iter().position(|window| window.key == ask.key).ok_or("an unknown window")?;
        let records = page.records;
        let is_first_of_many = ask.page_token.is_none() && page.next_token.is_some();
        let below = is_first_of_many.then(|| split_below(&records, self.windows[index].from)).flatten();
        if let Some((cut, parts)) = below {
            self.split(index, cut, parts);
            return Ok(Vec::new());
        }
        self.windows[index].chain.advance(page.next_token)?;
        for record in &records {
            self.watermark.observe(record);
        }
        Ok(records.into_iter().filter(|record| !record.provisional).map(|record| record.json).collect())
    }

    fn checkpoint(&mut self) -> Option<String> {
        let finished = self.windows.iter().take_while(|window| window.chain.is_finished()).count();
        if finished == self.windows.len() {
            let first_time = !std::mem::replace(&mut self.finished, true);
            return first_time.then(|| self.state(&self.watermark.cursor().text));
        }
        self.windows.drain(..finished);
        let cursor = self.watermark.up_to(self.windows[0].from);
        if cursor.instant <= self.told {
            return None;
        }
        self.told = cursor.instant;
        Some(self.state(&cursor.text))
    }
}

/// Where to cut a window off below its first page, and into how many parts to split the rest; none if following the
/// chain of pages is as good.
///
/// The cut is a whole second above the oldest record of the page, so that records of one second, which a server may
/// show with their fraction cut off, are never divided.
fn split_below(records: &[Record], from: Timestamp) -> Option<(Timestamp, i64)> {
    let positions: Vec<Timestamp> = records.iter().filter_map(|record| record.position).collect();
    let (newest, oldest) = (*positions.first()?, *positions.last()?);
    if !positions.is_sorted_by(|newer, older| newer >= older) {
        return None;
    }
    let cut = floor_to_second(oldest).checked_add(SignedDuration::from_secs(1)).ok()?;
    if cut > newest || cut <= from {
        return None;
    }
    let span = newest.duration_since(oldest).as_secs_f64();
    let further_pages = oldest.duration_since(from).as_secs_f64() / span;
    let parts = (further_pages / PAGES_PER_WINDOW).ceil().clamp(2.0, MAX_PARTS);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 2..=32")]
    (further_pages > SPLIT_ABOVE_PAGES).then_some((cut, parts as i64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sdk::{cursor::Cursor, testing};

    static THINGS: Stream = Stream { page_limit: Some(10), ..testing::OWNERS };

    fn windows(from: &str) -> Windows {
        let range = Range { start: testing::instant(from), end: None, lookback: SignedDuration::ZERO };
        let watermark =
            Watermark::new(Cursor::parse(from).unwrap(), testing::instant("2024-06-01T00:00:00Z"));
        Windows::new(&THINGS, &range, watermark)
    }

    fn cursor(state: &str) -> Timestamp {
        let state: serde_json::Value = serde_json::from_str(state).unwrap();
        testing::instant(state["created_at"].as_str().unwrap())
    }

    /// Reads a list to its end with up to `concurrency` asks open, answered in random order, and checks at every
    /// checkpoint that it is true. Returns how many pages were asked for, and how many checkpoints told.
    fn read(
        list: &testing::List,
        mut windows: Windows,
        concurrency: usize,
        random: &mut fastrand::Rng,
    ) -> (usize, usize) {
        let (mut open, mut asked, mut told) = (Vec::new(), 0, Vec::new());
        let mut seen = BTreeSet::new();
        loop {
            while open.len() < concurrency {
                let Some(ask) = windows.next_ask() else { break };
                open.push(ask);
                asked += 1;
            }
            if open.is_empty() {
                break;
            }
            let ask = open.swap_remove(random.usize(..open.len()));
            for record in windows.observe(&ask, list.page(&ask)).unwrap() {
                assert!(seen.insert(record.clone()), "{record} was handed on twice");
            }
            if let Some(state) = windows.checkpoint() {
                let reached = cursor(&state);
                let missing =
                    (0..list.len()).map(|index| index.to_string()).filter(|record| !seen.contains(record));
                assert!(missing.map(|record| list.position(&record)).all(|position| position >= reached));
                told.push(reached);
            }
        }
        assert_eq!(seen.len(), list.len());
        assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
        (asked, told.len())
    }

    fn spread(random: &mut fastrand::Rng, count: usize, first: &str, last: &str) -> testing::List {
        let range = testing::instant(first).as_nanosecond()..testing::instant(last).as_nanosecond();
        let mut at = || Timestamp::from_nanosecond(random.i128(range.clone())).unwrap();
        testing::List::new((0..count).map(|_| at()).collect())
    }

    #[test]
    fn a_short_range_is_one_request_and_one_checkpoint() {
        let mut random = fastrand::Rng::with_seed(1);
        let list = spread(&mut random, 10, "2024-05-31T00:00:00Z", "2024-05-31T01:00:00Z");
        assert_eq!(read(&list, windows("2024-05-31T00:00:00Z"), 8, &mut random), (1, 1));
    }

    #[test]
    fn an_empty_range_is_one_request_and_keeps_the_cursor() {
        let mut windows = windows("2024-05-31T00:00:00Z");
        let ask = windows.next_ask().unwrap();
        assert!(windows.observe(&ask, Page::default()).unwrap().is_empty());
        assert_eq!(windows.checkpoint().unwrap(), r#"{"created_at":"2024-05-31T00:00:00Z"}"#);
        assert!(windows.next_ask().is_none() && windows.checkpoint().is_none());
    }

    #[test]
    fn a_long_history_is_tens_of_windows_and_hardly_more_pages_than_needed() {
        let mut random = fastrand::Rng::with_seed(2);
        let list = spread(&mut random, 1000, "2023-01-01T00:00:00Z", "2024-05-31T00:00:00Z");
        let (asked, told) = read(&list, windows("2023-01-01T00:00:00Z"), 8, &mut random);
        assert!((100..130).contains(&asked), "{asked} pages");
        assert!((3..40).contains(&told), "{told} checkpoints");
    }

    #[test]
    fn every_record_is_handed_on_once_however_they_are_spread() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let bursts = random.usize(1..6);
            let mut positions = Vec::new();
            for _ in 0..bursts {
                let start = testing::instant("2023-01-01T00:00:00Z")
                    + SignedDuration::from_secs(random.i64(0..40_000_000));
                let width = 10_i64.pow(random.u32(0..7));
                for _ in 0..random.usize(..400) {
                    positions.push(start + SignedDuration::from_millis(random.i64(0..width * 1000)));
                }
            }
            let list = testing::List::new(positions);
            read(&list, windows("2022-01-01T00:00:00Z"), random.usize(1..9), &mut random);
        }
    }

    #[test]
    fn many_records_of_one_second_are_a_chain_of_pages() {
        let list = testing::List::new(vec![testing::instant("2024-03-01T00:00:00.5Z"); 500]);
        let mut random = fastrand::Rng::with_seed(3);
        assert_eq!(read(&list, windows("2020-01-01T00:00:00Z"), 8, &mut random).0, 50);
    }

    #[test]
    fn nothing_is_lost_where_a_later_page_has_newer_records() {
        let mut windows = windows("2020-01-01T00:00:00Z");
        let ask = windows.next_ask().unwrap();
        let records = ["2024-05-03T00:00:00Z", "2024-05-02T00:00:00Z"].map(testing::record_at);
        let page = Page { records: records.into(), next_token: Some("t".into()) };
        assert_eq!(windows.observe(&ask, page).unwrap(), Vec::<String>::new());
        let asks: Vec<Ask> = std::iter::from_fn(|| windows.next_ask()).collect();
        let above = asks.last().unwrap();
        assert_eq!(above.slice.from, Some(testing::instant("2024-05-02T00:00:01Z")));
        assert_eq!((above.slice.until, &above.page_token), (None, &None));
    }

    #[test]
    fn a_list_that_is_not_newest_first_is_never_split() {
        let mut windows = windows("2020-01-01T00:00:00Z");
        let ask = windows.next_ask().unwrap();
        let records =
            ["2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-01T00:00:00Z"].map(testing::record_at);
        let page = Page { records: records.into(), next_token: Some("t".into()) };
        assert_eq!(windows.observe(&ask, page).unwrap().len(), 3);
        assert_eq!(windows.next_ask().unwrap().page_token.as_deref(), Some("t"));
        assert!(windows.next_ask().is_none());
    }

    #[test]
    fn nothing_is_asked_for_when_the_cursor_is_past_the_end() {
        let start = testing::instant("2024-01-01T00:00:00Z");
        let range = Range { start, end: Some(start), lookback: SignedDuration::ZERO };
        let watermark = Watermark::new(Cursor::parse("2024-02-01T00:00:00Z").unwrap(), start);
        let mut windows = Windows::new(&THINGS, &range, watermark);
        assert!(windows.next_ask().is_none());
        assert_eq!(windows.checkpoint().unwrap(), r#"{"created_at":"2024-02-01T00:00:00Z"}"#);
    }
}
