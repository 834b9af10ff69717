//! Tracks how far a stream has been read, and computes where a read begins and the cursor it ends
//! with.

use time::{SignedDuration, Timestamp};

use crate::{
    instant::{format_instant, parse_instant},
    record::{Record, Unsettled},
};

/// How far below its cursor a read begins, in addition to the lookback window.
///
/// A record can become visible some seconds after its own time, or after a record with a later
/// time. Our clock and the server's can differ by as much, and the lists of several parents are
/// read one after the other. With this overlap, every record that becomes visible within a minute
/// of its time is read. A stream with a grace period needs no overlap.
pub const OVERLAP: SignedDuration = SignedDuration::seconds(60);

/// A position in a stream. All records whose cursor field is at or before this instant have been
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The instant, as it was spelled.
    pub text: String,
    /// The instant, for comparisons.
    pub instant: Timestamp,
}

impl Cursor {
    /// Creates a cursor at an instant, with the canonical text.
    pub fn at(instant: Timestamp) -> Self {
        Self { text: format_instant(instant), instant }
    }

    /// Parses a cursor and keeps its text as it is.
    pub fn parse(text: &str) -> Option<Self> {
        parse_instant(text).map(|instant| Self { text: text.to_owned(), instant })
    }
}

/// The time range that the config asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Records before this instant are not read.
    pub start: Timestamp,
    /// Records after this instant are not read.
    pub end: Option<Timestamp>,
    /// The lookback window: how far below its cursor a stream is read again.
    pub lookback: SignedDuration,
}

impl TimeRange {
    /// Creates the range from an instant up to now, without a lookback window.
    pub fn since(start: Timestamp) -> Self {
        Self { start, end: None, lookback: SignedDuration::ZERO }
    }

    /// Returns where a read that continues from `cursor` begins: at the cursor, less the lookback
    /// window and the overlap, but not before the start.
    pub fn lower_bound(&self, cursor: Option<&Cursor>, overlap: SignedDuration) -> Timestamp {
        let Some(cursor) = cursor else { return self.start };
        let before = |instant: Timestamp| instant.checked_sub(self.lookback)?.checked_sub(overlap);
        before(cursor.instant).unwrap_or(self.start).max(self.start)
    }
}

/// Observes the records of a read and computes its final cursor.
///
/// A position after the read was opened never moves the cursor, not even up to the opening. An
/// invoice may be dated months ahead, and invoices that are issued later with an older date must
/// still lie above the cursor.
#[derive(Debug, Clone)]
pub struct Watermark {
    previous: Cursor,
    /// When the read was opened.
    opened: Timestamp,
    /// The newest position seen that is not after `opened`.
    observed: Option<Timestamp>,
    /// The oldest position of a record that can still change.
    held: Option<Timestamp>,
    /// The longest time after its position that a record holds the cursor.
    hold_at_most: Option<SignedDuration>,
}

impl Watermark {
    /// Starts at the cursor of the last read.
    pub fn new(previous: Cursor, opened: Timestamp) -> Self {
        Self { previous, opened, observed: None, held: None, hold_at_most: None }
    }

    /// Limits how long unsettled records hold the cursor, as the stream's row says.
    #[must_use]
    pub fn holding(self, unsettled: Option<&Unsettled>) -> Self {
        Self { hold_at_most: unsettled.and_then(|unsettled| unsettled.at_most), ..self }
    }

    /// Continues an interrupted read that was opened at `opened`.
    #[must_use]
    pub fn resume(mut self, opened: Timestamp, observed: Option<Timestamp>, held: Option<Timestamp>) -> Self {
        // An older version also stored positions after the opening. They count as those of records
        // do.
        let observed = self.observed.into_iter().chain(observed);
        self.observed = observed.filter(|position| *position <= opened).max();
        (self.opened, self.held) = (opened, held);
        self
    }

    /// Observes a record.
    pub fn observe(&mut self, record: &Record) {
        let Some(position) = record.position else { return };
        let oldest = self.hold_at_most.and_then(|at_most| self.opened.checked_sub(at_most));
        if record.unsettled && oldest.is_none_or(|oldest| position >= oldest) {
            self.held = Some(self.held.map_or(position, |held| held.min(position)));
        } else {
            self.observe_position(position);
        }
    }

    /// Observes that there is a record at this position.
    pub fn observe_position(&mut self, position: Timestamp) {
        if position <= self.opened {
            self.observed = self.observed.max(Some(position));
        }
    }

    /// Returns the cursor once everything has been read: the newest position seen that is not after
    /// the opening, but never behind the last cursor, and never past a record that can still
    /// change.
    pub fn cursor(&self) -> Cursor {
        self.at(self.observed)
    }

    /// Returns the cursor once everything up to `instant` has been read, even if there was no
    /// record: `instant` or the opening, whichever is earlier. Use it only if no records can appear
    /// below it later.
    pub fn up_to(&self, instant: Timestamp) -> Cursor {
        self.at(Some(instant.min(self.opened)))
    }

    fn at(&self, reached: Option<Timestamp>) -> Cursor {
        let reached = reached.map_or(self.previous.instant, |reached| reached.max(self.previous.instant));
        let settled = self.held.map_or(reached, |held| reached.min(held));
        if settled == self.previous.instant { self.previous.clone() } else { Cursor::at(settled) }
    }

    /// Returns the cursor of the last read.
    pub fn previous(&self) -> &Cursor {
        &self.previous
    }

    /// Returns when the read was opened.
    pub fn opened(&self) -> Timestamp {
        self.opened
    }

    /// Returns the newest position seen that is not after the opening.
    pub fn observed(&self) -> Option<Timestamp> {
        self.observed
    }

    /// Returns the oldest position of a record that can still change.
    pub fn held(&self) -> Option<Timestamp> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::record_at, testing::instant};

    fn watermark(previous: &str) -> Watermark {
        Watermark::new(Cursor::parse(previous).unwrap(), instant("2024-06-01T00:00:00Z"))
    }

    #[test]
    fn the_cursor_is_the_newest_instant_seen() {
        let mut watermark = watermark("2024-01-01T00:00:00Z");
        for at in ["2024-03-01T00:00:00Z", "2024-05-01T00:00:00.5Z", "2024-04-01T00:00:00Z"] {
            watermark.observe(&record_at(at));
        }
        assert_eq!(watermark.cursor().text, "2024-05-01T00:00:00.5+00:00");
    }

    #[test]
    fn a_record_after_the_opening_does_not_move_the_cursor() {
        let mut watermark = watermark("2024-01-01T00:00:00Z");
        watermark.observe(&record_at("2030-01-01T00:00:00Z"));
        assert_eq!(watermark.cursor().text, "2024-01-01T00:00:00Z");
        watermark.observe(&record_at("2024-03-01T00:00:00Z"));
        watermark.observe(&record_at("2024-06-01T00:00:01Z"));
        assert_eq!(watermark.cursor().text, "2024-03-01T00:00:00+00:00");
        watermark.observe(&record_at("2024-06-01T00:00:00Z"));
        assert_eq!(watermark.cursor().text, "2024-06-01T00:00:00+00:00");
    }

    #[test]
    fn what_an_interrupted_read_saw_after_its_opening_does_not_move_the_cursor_either() {
        let at = |text| Some(instant(text));
        let resumed = |observed| {
            let mut watermark =
                watermark("2024-01-01T00:00:00Z").resume(instant("2024-05-01T00:00:00Z"), observed, None);
            watermark.observe(&record_at("2024-02-01T00:00:00Z"));
            watermark.observe(&record_at("2024-05-20T00:00:00Z"));
            watermark.cursor().text
        };
        assert_eq!(resumed(at("2030-01-01T00:00:00Z")), "2024-02-01T00:00:00+00:00");
        assert_eq!(resumed(at("2024-04-01T00:00:00Z")), "2024-04-01T00:00:00+00:00");
        assert_eq!(resumed(None), "2024-02-01T00:00:00+00:00");
    }

    #[test]
    fn a_read_that_is_interrupted_and_resumed_ends_with_the_same_cursor() {
        let first = ["2024-03-01T00:00:00Z", "2024-05-01T00:00:00Z"].map(record_at);
        let pending = Record { unsettled: true, ..record_at("2024-04-01T00:00:00Z") };
        for records in [&[first[0].clone()][..], &first, &[first[1].clone(), pending]] {
            let mut whole = watermark("2024-01-01T00:00:00Z");
            records.iter().for_each(|record| whole.observe(record));
            let resumed =
                watermark("2024-01-01T00:00:00Z").resume(whole.opened(), whole.observed(), whole.held());
            assert_eq!(resumed.cursor(), whole.cursor());
        }
    }

    #[test]
    fn the_cursor_never_goes_back_and_keeps_its_text() {
        let mut watermark = watermark("2024-02-01T00:00:00Z");
        watermark.observe(&record_at("2024-01-15T00:00:00Z"));
        assert_eq!(watermark.cursor().text, "2024-02-01T00:00:00Z");
        let future = self::watermark("2122-01-01T00:00:00Z");
        assert_eq!(future.cursor().text, "2122-01-01T00:00:00Z");
    }

    #[test]
    fn a_record_that_can_still_change_holds_the_cursor() {
        let mut watermark = watermark("2024-01-01T00:00:00Z");
        watermark.observe(&record_at("2024-05-01T00:00:00Z"));
        let pending = Record { unsettled: true, ..record_at("2024-04-01T00:00:00Z") };
        watermark.observe(&pending);
        assert_eq!(watermark.cursor().text, "2024-04-01T00:00:00+00:00");
    }

    #[test]
    fn a_record_that_can_still_change_holds_the_cursor_for_so_long_at_most() {
        let open =
            Unsettled { field: "status", values: &["open"], at_most: Some(SignedDuration::hours(24 * 40)) };
        let mut watermark = watermark("2024-01-01T00:00:00Z").holding(Some(&open));
        watermark.observe(&record_at("2024-05-30T00:00:00Z"));
        watermark.observe(&Record { unsettled: true, ..record_at("2024-04-01T00:00:00Z") });
        assert_eq!(watermark.cursor().text, "2024-05-30T00:00:00+00:00");
        watermark.observe(&Record { unsettled: true, ..record_at("2024-05-01T00:00:00Z") });
        assert_eq!(watermark.cursor().text, "2024-05-01T00:00:00+00:00");
    }

    #[test]
    fn a_read_begins_below_the_cursor_but_not_before_the_start() {
        let start = instant("2024-01-01T00:00:00Z");
        let range = TimeRange { start, end: None, lookback: SignedDuration::hours(48) };
        assert_eq!(range.lower_bound(None, OVERLAP), start);
        let cursor = Cursor::parse("2024-01-10T00:00:00Z").unwrap();
        let zero = SignedDuration::ZERO;
        assert_eq!(range.lower_bound(Some(&cursor), zero), instant("2024-01-08T00:00:00Z"));
        assert_eq!(range.lower_bound(Some(&cursor), OVERLAP), instant("2024-01-07T23:59:00Z"));
        for early in ["2024-01-02T00:00:00Z", "2024-01-03T00:00:30Z", "0000-01-01T00:00:00Z"] {
            let early = Cursor::parse(early).unwrap();
            assert_eq!(range.lower_bound(Some(&early), OVERLAP), start);
        }
    }
}
