//! How far a stream has been read, and from where it is read again.
//!
//! In: the range the config asks for, the cursor of the last state, and every record that passes. Out: where a read
//! begins, and the cursor that becomes true when it has ended.

use time::{SignedDuration, Timestamp};

use crate::{
    instant::{format_instant, parse_instant},
    record::Record,
};

/// A place in a stream: all records up to this instant of the cursor field have been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The instant, in the text form it was given in.
    pub text: String,
    /// The instant to compare by.
    pub instant: Timestamp,
}

impl Cursor {
    /// A cursor at an instant, in canonical text.
    pub fn at(instant: Timestamp) -> Self {
        Self { text: format_instant(instant), instant }
    }

    /// Parses the text of a cursor, which is kept as it is.
    pub fn parse(text: &str) -> Option<Self> {
        parse_instant(text).map(|instant| Self { text: text.to_owned(), instant })
    }
}

/// The part of a stream that the config asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Records before this instant are not read.
    pub start: Timestamp,
    /// Records after this instant are not read.
    pub end: Option<Timestamp>,
    /// How far below its cursor a stream is read again.
    pub lookback: SignedDuration,
}

impl Range {
    /// Where to begin a read that continues from `cursor`: there, less the lookback window, but not before the start.
    pub fn lower_bound(&self, cursor: Option<&Cursor>) -> Timestamp {
        let Some(cursor) = cursor else { return self.start };
        cursor.instant.checked_sub(self.lookback).unwrap_or(self.start).max(self.start)
    }
}

/// Watches the records of a read and tells the cursor at its end.
#[derive(Debug, Clone)]
pub struct Watermark {
    previous: Cursor,
    /// When the read was opened. What lies beyond was perhaps not complete when it was read.
    pub opened: Timestamp,
    /// The newest instant seen.
    pub observed: Option<Timestamp>,
    /// The oldest instant of a record that can still change.
    pub held: Option<Timestamp>,
}

impl Watermark {
    /// Begins at the cursor of the last read.
    pub fn new(previous: Cursor, opened: Timestamp) -> Self {
        Self { previous, opened, observed: None, held: None }
    }

    /// Notes a record of the stream.
    pub fn observe(&mut self, record: &Record) {
        let Some(position) = record.position else { return };
        if record.provisional {
            self.held = Some(self.held.map_or(position, |held| held.min(position)));
        } else {
            self.observed = Some(self.observed.map_or(position, |observed| observed.max(position)));
        }
    }

    /// The cursor once everything up to `opened` has been read: the newest instant seen, but never beyond the moment
    /// the read was opened, never behind the last cursor, and never past a record that can still change.
    pub fn cursor(&self) -> Cursor {
        self.up_to(self.observed.unwrap_or(self.previous.instant))
    }

    /// The cursor once everything before `instant` has been read.
    pub fn up_to(&self, instant: Timestamp) -> Cursor {
        let reached = instant.min(self.opened).max(self.previous.instant);
        let settled = self.held.map_or(reached, |held| reached.min(held));
        if settled == self.previous.instant { self.previous.clone() } else { Cursor::at(settled) }
    }

    /// The cursor of the last read.
    pub fn previous(&self) -> &Cursor {
        &self.previous
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
    fn the_cursor_does_not_pass_the_moment_the_read_was_opened() {
        let mut watermark = watermark("2024-01-01T00:00:00Z");
        watermark.observe(&record_at("2030-01-01T00:00:00Z"));
        assert_eq!(watermark.cursor().text, "2024-06-01T00:00:00+00:00");
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
        let pending = Record { provisional: true, ..record_at("2024-04-01T00:00:00Z") };
        watermark.observe(&pending);
        assert_eq!(watermark.cursor().text, "2024-04-01T00:00:00+00:00");
    }

    #[test]
    fn a_read_begins_at_the_cursor_less_the_lookback_but_not_before_the_start() {
        let start = instant("2024-01-01T00:00:00Z");
        let range = Range { start, end: None, lookback: SignedDuration::hours(48) };
        assert_eq!(range.lower_bound(None), start);
        let cursor = Cursor::parse("2024-01-10T00:00:00Z").unwrap();
        assert_eq!(range.lower_bound(Some(&cursor)), instant("2024-01-08T00:00:00Z"));
        let early = Cursor::parse("2024-01-02T00:00:00Z").unwrap();
        assert_eq!(range.lower_bound(Some(&early)), start);
    }
}
