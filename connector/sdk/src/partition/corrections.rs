//! The corrections of a stream, and the time that is read again because of them.

use time::Timestamp;

use crate::{
    log::Level,
    page::{Page, PageChain},
    problem::Problem,
    record::{Digest, Record, position},
    request::PageRequest,
    slice::{Scope, Slice, Until},
    state::{Digests, Memory},
    stream::Corrections,
};
use json_text::{Json, quoted};

/// The most corrections that a state remembers, the newest ones. It then has some 300 kB. Of those
/// that it does not remember, an instant tells whether they are new.
const MAX_REMEMBERED: usize = 6_000;

/// The corrections of a stream that are not known from earlier reads.
#[derive(Debug)]
pub(super) struct Corrected<C: 'static> {
    row: &'static Corrections<C>,
    chain: PageChain,
    /// The cursor of the last read.
    since: Timestamp,
    /// What earlier reads have followed.
    known: Option<Digests>,
    /// The corrections that count. If the read is continued, those that counted when it began.
    followed: Option<Digests>,
    is_continued: bool,
    ranges: Vec<Range>,
    pub(super) log: Vec<(Level, String)>,
}

/// A range of time whose records have changed.
#[derive(Debug, Clone)]
struct Range {
    from: Timestamp,
    until: Timestamp,
    /// The identifier in a concerned parent, as JSON. `None` if all are.
    parent: Option<String>,
}

impl<C> Corrected<C> {
    /// Continues from a state with a cursor.
    pub(super) fn new(row: &'static Corrections<C>, since: Timestamp, memory: Memory) -> Self {
        let Memory { corrections: known, correcting, .. } = memory;
        let is_continued = correcting.is_some();
        let followed = Some(correcting.unwrap_or_default());
        let (chain, ranges, log) = (PageChain::default(), Vec::new(), Vec::new());
        Self { row, chain, since, known, followed, is_continued, ranges, log }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.chain.is_finished()
    }

    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        let page_token = self.chain.next_page()?;
        let slice = Slice { scope: Scope::Feed, ..Slice::default() };
        // What this list lacks says nothing about the stream's own.
        Some(PageRequest { level: 1, page_token, ..PageRequest::new(self.row.stream, slice) })
    }

    /// Takes a page of corrections.
    pub(super) fn observe(&mut self, page: Page) -> Result<(), Problem> {
        for record in &page.records {
            self.observe_one(record)?;
        }
        self.chain.advance(page.next_token)?;
        if self.chain.is_finished() {
            if let Some(followed) = &mut self.followed {
                followed.truncate(MAX_REMEMBERED);
            }
            if !self.ranges.is_empty() {
                let message = format!("{} {} are new", self.ranges.len(), self.row.stream.name);
                self.log.push((Level::Info, message));
            }
        }
        Ok(())
    }

    fn observe_one(&mut self, record: &Record) -> Result<(), Problem> {
        let row = self.row;
        let fields = record.fields().ok_or("it is not an object")?;
        let status = fields.text(row.status);
        let effect = row.effects.iter().find(|(value, _)| status.as_deref() == Some(value));
        let Some((_, effect)) = effect else { return Ok(()) };
        let instant = |name: &str| fields.value(name).and_then(position);
        let (Some(id), Some(from), Some(until)) =
            (fields.text(row.stream.primary_key[0]), instant(row.from), instant(row.until))
        else {
            return Err(Problem::new(format!("one of {} has no identifier or no time", row.stream.name)));
        };
        let mut shown = (*effect).to_owned();
        for name in row.since.iter().chain([&row.from, &row.until]) {
            shown.extend(["|", fields.raw(name).map_or("null", Json::get)]);
        }
        let digest = Some(Digest::of(&shown));
        let is_recent = || row.since.iter().any(|name| instant(name) >= Some(self.since));
        let is_new = self.known.as_ref().map_or_else(is_recent, |known| {
            let is_known = known.iter().any(|(one, as_it_was)| *one == id && *as_it_was == digest);
            // Of too many, only the newest are remembered.
            !is_known && (known.len() < MAX_REMEMBERED || is_recent())
        });
        if is_new {
            let parent = fields.text(row.parent).map(|id| quoted(&id));
            self.ranges.push(Range { from, until, parent });
        }
        if let Some(followed) = self.followed.as_mut().filter(|_| !self.is_continued) {
            followed.push((id.into_owned(), digest));
        }
        Ok(())
    }

    /// Goes on without corrections. Those that are known stay so.
    pub(super) fn give_up(&mut self, reason: &str) {
        self.chain = PageChain::finished();
        self.ranges.clear();
        self.followed = self.known.clone();
        let name = self.row.stream.name;
        self.log
            .push((Level::Warn, format!("{name} cannot be read, so past days are not corrected: {reason}")));
    }

    /// Returns the slices of a parent that are read again, below `whole`, which is read anyway.
    /// `cut` cuts a slice as the stream's row says.
    #[inline(never)]
    pub(super) fn slices(
        &self,
        parent: &Record,
        whole: &Slice,
        start: Timestamp,
        cut: impl Fn(&Slice) -> Vec<Slice>,
    ) -> Vec<Slice> {
        let (Some(from), Some(Until::Including(until) | Until::Before(until))) = (whole.from, whole.until)
        else {
            return Vec::new();
        };
        let below = from.min(until);
        let holds = |id: &String| parent.json.contains(id.as_str());
        let concerns = |range: &&Range| range.parent.as_ref().is_none_or(holds);
        let mut ranges: Vec<(Timestamp, Timestamp)> = Vec::new();
        for range in self.ranges.iter().filter(concerns) {
            let (mut from, mut until) = (range.from.max(start), range.until.min(below));
            if from < until {
                // Ranges that touch become one.
                ranges.retain(|other| {
                    let is_apart = other.1 < from || until < other.0;
                    if !is_apart {
                        (from, until) = (from.min(other.0), until.max(other.1));
                    }
                    is_apart
                });
                ranges.push((from, until));
            }
        }
        let mut slices = Vec::new();
        for (from, until) in ranges {
            // The record at the end of the range is complete, and those that begin later did not
            // change.
            let end = Until::Before(until.saturating_add(self.row.longest));
            let first = from.saturating_sub(self.row.longest);
            for slice in cut(&Slice { from: Some(from), until: Some(end), ..whole.clone() }) {
                let keep_from = slice.keep_from.max(Some(first));
                let keep_before = Some(slice.keep_before.map_or(until, |before| before.min(until)));
                if keep_from < keep_before {
                    slices.push(Slice { keep_from, keep_before, ..slice });
                }
            }
        }
        slices
    }

    /// Returns what the state remembers once the read has ended, or before that.
    pub(super) fn remember(&self, is_end: bool) -> Memory {
        if is_end {
            return Memory { corrections: self.followed.clone(), ..Memory::default() };
        }
        Memory { corrections: self.known.clone(), correcting: self.followed.clone(), ..Memory::default() }
    }
}

#[cfg(test)]
mod tests {
    use time::SignedDuration;

    use super::*;
    use crate::{fixtures::OWNERS, testing::instant};

    static ROW: Corrections<()> = Corrections {
        stream: &OWNERS,
        status: "status",
        effects: &[("done", "counts"), ("undoing", "counts"), ("undone", "is undone")],
        since: &["at"],
        from: "from",
        until: "until",
        parent: "owner",
        longest: SignedDuration::hours(25),
    };

    fn day(day: u32) -> String {
        format!("2024-01-{day:02}T00:00:00Z")
    }

    fn correction(id: &str, status: &str, days: std::ops::Range<u32>, owner: &str) -> Record {
        let (from, until, at) = (day(days.start), day(days.end), "2024-03-05T00:00:00Z");
        let fields = format!(r#""from":{from:?},"until":{until:?},"at":{at:?},"owner":{owner}"#);
        Record::new(format!(r#"{{"id":{id:?},"status":{status:?},{fields}}}"#), None)
    }

    /// Takes all corrections of a read that continues from a cursor.
    fn read(since: &str, memory: Memory, records: Vec<Record>) -> Corrected<()> {
        let mut corrected = Corrected::new(&ROW, instant(since), memory);
        let request = corrected.next_request().unwrap();
        assert_eq!((request.level, corrected.next_request().is_none()), (1, true));
        corrected.observe(Page { records, ..Page::default() }).unwrap();
        assert!(corrected.is_finished());
        corrected
    }

    /// Returns the days of January that are kept of a parent.
    fn kept(corrected: &Corrected<()>, parent: &str) -> Vec<u32> {
        let whole = Slice {
            from: Some(instant("2024-03-01T00:00:00Z")),
            until: Some(Until::Before(instant("2024-03-03T00:00:00Z"))),
            ..Slice::default()
        };
        let parent = Record::new(parent.to_owned(), None);
        let start = instant("2024-01-03T00:00:00Z");
        let slices = corrected.slices(&parent, &whole, start, |slice| vec![slice.clone()]);
        let holds = |slice: &Slice, day: &u32| {
            let at = instant(&self::day(*day));
            let from = slice.from.unwrap() - SignedDuration::hours(24);
            at > from && slice.keeps(Some(at)) && slice.until.unwrap().is_above(at)
        };
        (1..31).flat_map(|day| slices.iter().filter(move |it| holds(it, &day)).map(move |_| day)).collect()
    }

    #[test]
    fn ranges_that_touch_are_read_once_and_none_before_the_start() {
        let corrections = [("a", 1..4), ("b", 8..10), ("c", 12..13), ("d", 10..12), ("e", 20..21)];
        let records = corrections.map(|(id, days)| correction(id, "done", days, "null")).to_vec();
        let corrected = read("2024-03-01T00:00:00Z", Memory::default(), records);
        assert_eq!(kept(&corrected, "{}"), [3, 8, 9, 10, 11, 12, 20]);
    }

    #[test]
    fn only_parents_that_name_the_identifier_are_concerned() {
        let records = vec![correction("a", "done", 5..6, "\"x\"")];
        let corrected = read("2024-03-01T00:00:00Z", Memory::default(), records);
        assert_eq!(kept(&corrected, r#"{"id":"1","owners":["y","x"]}"#), [5]);
        assert_eq!(kept(&corrected, r#"{"id":"1","owners":["xx"]}"#), [0; 0]);
    }

    #[test]
    fn a_correction_is_new_when_its_effect_changes() {
        let known = |status: &str| {
            read("2024-03-10T00:00:00Z", Memory::default(), vec![correction("a", status, 5..6, "null")])
                .remember(true)
        };
        let is_new = |before: &str, now: &str| {
            let now = vec![correction("a", now, 5..6, "null")];
            !kept(&read("2024-03-10T00:00:00Z", known(before), now), "{}").is_empty()
        };
        assert!(is_new("pending", "done") && is_new("done", "undone") && is_new("undoing", "undone"));
        assert!(!is_new("done", "done") && !is_new("done", "undoing") && !is_new("pending", "pending"));
    }

    #[test]
    fn without_a_memory_time_tells_what_is_new() {
        for (since, expected) in [("2024-03-05T00:00:00Z", 1), ("2024-03-05T00:00:01Z", 0)] {
            let records = vec![correction("a", "done", 5..6, "null")];
            assert_eq!(kept(&read(since, Memory::default(), records), "{}").len(), expected);
        }
    }

    #[test]
    fn a_continued_read_remembers_what_it_followed_from_the_beginning() {
        let first = vec![correction("a", "done", 5..6, "null")];
        let unfinished = read("2024-03-01T00:00:00Z", Memory::default(), first).remember(false);
        assert_eq!(unfinished.corrections, None);
        let records = vec![correction("b", "done", 7..8, "null"), correction("a", "done", 5..6, "null")];
        let continued = read("2024-03-01T00:00:00Z", unfinished, records.clone());
        assert_eq!(kept(&continued, "{}"), [5, 7]);
        let next = read("2024-03-10T00:00:00Z", continued.remember(true), records);
        assert_eq!(kept(&next, "{}"), [7]);
    }

    #[test]
    fn without_the_list_what_is_known_stays_so() {
        let memory =
            read("2024-03-01T00:00:00Z", Memory::default(), vec![correction("a", "done", 5..6, "null")]);
        let memory = memory.remember(true);
        let mut corrected = Corrected::new(&ROW, instant("2024-03-10T00:00:00Z"), memory.clone());
        corrected.next_request();
        corrected.give_up("it is gone");
        assert!(corrected.is_finished() && kept(&corrected, "{}").is_empty());
        assert_eq!((corrected.remember(true), corrected.log.len()), (memory, 1));
    }
}
