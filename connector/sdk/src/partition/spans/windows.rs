//! Where a window of time is cut into smaller ones.

use time::{SignedDuration, Timestamp};

use crate::{instant::floor_to_second, record::Record, slice::Scope};

/// Split a window if more pages than this follow. A shorter chain of pages takes less than a
/// second.
const SPLIT_ABOVE_PAGES: f64 = 8.0;

/// The target number of pages of a new window. Each window costs half a page on average.
const PAGES_PER_WINDOW: f64 = 6.0;

/// The most windows that one window is split into. Windows that are still dense are split again.
const MAX_WINDOWS: f64 = 32.0;

/// The most windows that one window of events is split into. Events come in bursts, so a page of
/// them says little about the time before it, and many windows would be empty.
const MAX_WINDOWS_OF_EVENTS: f64 = 2.0;

/// Returns where to cut a window below its first page, and into how many windows to split the rest.
/// `None` if reading page by page is as good.
///
/// The cut is a whole second above the oldest record of the page. Records of the same second, whose
/// fractions a server may truncate, are thus never separated.
pub(super) fn split_below(records: &[Record], from: Timestamp, scope: Scope) -> Option<(Timestamp, i64)> {
    let positions: Vec<Timestamp> = records.iter().filter_map(|record| record.position).collect();
    let (newest, oldest) = (*positions.first()?, *positions.last()?);
    if !positions.is_sorted_by(|newer, older| newer >= older) {
        return None;
    }
    let cut = floor_to_second(oldest).checked_add(SignedDuration::seconds(1))?;
    if cut > newest || cut <= from {
        return None;
    }
    let span = (newest - oldest).as_seconds_f64();
    let further_pages = (oldest - from).as_seconds_f64() / span;
    let most = if scope == Scope::Feed { MAX_WINDOWS_OF_EVENTS } else { MAX_WINDOWS };
    let parts = (further_pages / PAGES_PER_WINDOW).ceil().clamp(2.0, most);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 2..=32")]
    (further_pages > SPLIT_ABOVE_PAGES).then_some((cut, parts as i64))
}

/// Returns the ends of `count` windows of about the same width between `from` and `cut`, which is
/// later, fewer if they would be shorter than a second. The last one is `cut`.
pub(super) fn edges(from: Timestamp, cut: Timestamp, count: i64) -> Vec<Timestamp> {
    let width = ((cut - from).whole_seconds() / count).max(1);
    let mut edges: Vec<Timestamp> = (1..count)
        .map(|number| from.saturating_add(SignedDuration::seconds(width * number)))
        .map(floor_to_second)
        .take_while(|edge| *edge < cut)
        .collect();
    edges.push(cut);
    edges
}
