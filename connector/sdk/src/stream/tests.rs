//! Tests what a table of streams must have.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::fixtures::{OWNERS, PARENTS, TIME};

const LIST: Stream<()> = Stream { group: "toys", requests: "1 per page", ..Stream::LIST };

const WINDOWS: Stream<()> = Stream { group: "toys", requests: "1 per page", ..OWNERS };

const RANGES: Stream<()> =
    Stream { partition: Partition::Ranges(Ranges::of(SignedDuration::hours(24))), ..WINDOWS };

const OF_OWNER: Stream<()> = Stream { partition: Partition::Parents(PARENTS), ..WINDOWS };

const SLACK: TimeFilter = TimeFilter { slack: SignedDuration::hours(1), ..TIME };

const UNSETTLED: Unsettled = Unsettled { field: "status", values: &["open"], at_most: None };

const OBJECT: Object = Object { path: "things/{id}", id: "id" };

static OPEN: Open<()> = Open { field: "status", values: &["open"], filter: "status[]", at_most: |()| None };

static FEED: Feed<()> = Feed { stream: &LIST, is_wanted: |()| true, event_type: "type", names: &[] };

static CORRECTIONS: Corrections<()> = Corrections {
    stream: &LIST,
    status: "status",
    effects: &[],
    since: &[],
    from: "from",
    until: "until",
    parent: "owner_id",
    longest: SignedDuration::ZERO,
};

/// Returns what a table with this row, among good ones, is refused for.
fn refused(row: Stream<()>) -> Option<&'static str> {
    let check = || Stream::check(&[&LIST, &row, &LIST]);
    let panic = catch_unwind(AssertUnwindSafe(check)).err()?;
    Some(panic.downcast_ref::<&str>().copied().unwrap_or("?"))
}

#[test]
fn a_row_with_all_that_it_needs_is_accepted() {
    let grace = Some(SignedDuration::hours(1));
    for row in [
        LIST,
        Stream { cursor: Some("created_at"), unsettled: Some(UNSETTLED), ..LIST },
        WINDOWS,
        Stream { grace, unsettled: Some(UNSETTLED), ..WINDOWS },
        Stream { object: Some(OBJECT), open: Some(&OPEN), feed: Some(&FEED), ..WINDOWS },
        Stream { page_limit: None, ..RANGES },
        Stream { time: Some(SLACK), ..OF_OWNER },
        Stream { corrections: Some(&CORRECTIONS), grace, ..OF_OWNER },
    ] {
        assert_eq!(refused(row), None);
    }
}

#[test]
fn a_row_that_lacks_what_another_column_needs_is_refused() {
    let grace = Some(SignedDuration::hours(1));
    let windows = "windows need a time filter and a cursor";
    let ranges = "ranges need a time filter and a cursor";
    let grace_needs = "a grace period needs a time filter and a cursor";
    let found_again = "open objects and a feed need `object`, and a list with windows";
    let corrections = "corrections need parents, a time filter and a grace period";
    for (row, problem) in [
        (Stream { group: "", ..LIST }, "a stream belongs to a group"),
        (Stream { requests: "", ..LIST }, "a stream says how many requests it makes"),
        (Stream { time: None, ..WINDOWS }, windows),
        (Stream { cursor: None, ..WINDOWS }, windows),
        (Stream { page_limit: None, ..WINDOWS }, "windows need pages"),
        (Stream { time: Some(SLACK), ..WINDOWS }, "windows filter by the cursor field itself"),
        (Stream { time: None, ..RANGES }, ranges),
        (Stream { cursor: None, ..RANGES }, ranges),
        (Stream { time: Some(SLACK), ..RANGES }, "ranges filter by the cursor field itself"),
        (Stream { unsettled: Some(UNSETTLED), ..LIST }, "an unsettled record holds a cursor"),
        (Stream { grace, ..LIST }, grace_needs),
        (Stream { grace, time: None, ..OF_OWNER }, grace_needs),
        (Stream { open: Some(&OPEN), ..WINDOWS }, found_again),
        (Stream { feed: Some(&FEED), ..WINDOWS }, found_again),
        (Stream { object: Some(OBJECT), open: Some(&OPEN), ..RANGES }, found_again),
        (Stream { object: Some(OBJECT), feed: Some(&FEED), ..LIST }, found_again),
        (
            Stream { object: Some(OBJECT), open: Some(&OPEN), unsettled: Some(UNSETTLED), ..WINDOWS },
            "a record is either open or holds the cursor",
        ),
        (Stream { corrections: Some(&CORRECTIONS), ..OF_OWNER }, corrections),
        (Stream { corrections: Some(&CORRECTIONS), grace, ..RANGES }, corrections),
        (Stream { corrections: Some(&CORRECTIONS), grace, cursor: None, ..OF_OWNER }, corrections),
    ] {
        assert_eq!(refused(row), Some(problem));
    }
}

#[test]
fn a_filter_by_the_ends_of_a_range_has_one_name_for_each_end() {
    let filter = TimeFilter::by_ends("start", "end");
    let names = [filter.from, filter.including, filter.before].map(|name| format!("{}{name}", filter.field));
    assert_eq!(names, ["start", "end", "end"]);
    let filter = TimeFilter::by_field("created_at");
    let names = [filter.from, filter.including, filter.before].map(|name| format!("{}{name}", filter.field));
    assert_eq!(names, ["created_at[gte]", "created_at[lte]", "created_at[lt]"]);
}
