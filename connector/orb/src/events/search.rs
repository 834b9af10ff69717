//! Which events to search for, and in which timeframes.

use std::collections::{BTreeSet, BinaryHeap};

use memchr::memmem::find;
use time::{SignedDuration, Timestamp};

use elt_sdk::{instant::format_instant, page::Page, record::Record};
use json_text::{Object, listed, quoted};

/// The most ids that Orb accepts in one search.
pub(super) const MAX_IDS: usize = 500;

/// The longest timeframe that Orb searches.
const MAX_TIMEFRAME: SignedDuration = SignedDuration::hours(30 * 24);

/// Entries further apart than this are searched for separately, so that each search covers twenty
/// days before its oldest entry.
const MAX_SPAN: SignedDuration = SignedDuration::hours(10 * 24);

/// How far an event may lie after its entry. Orb accepts events up to five minutes in the future.
const FUTURE: SignedDuration = SignedDuration::minutes(10);

/// A search for events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// The ids, at most [`MAX_IDS`], without duplicates.
    pub(super) ids: Vec<String>,
    /// The end of the timeframe, exclusive.
    pub(super) end: Timestamp,
}

impl Search {
    /// Returns the body of the request.
    pub(super) fn body(&self) -> String {
        let start = self.end.saturating_sub(MAX_TIMEFRAME);
        let mut object = Object::default();
        object.push("event_ids", &listed(self.ids.iter().map(|id| quoted(id))));
        object.push_text("timeframe_start", &format_instant(start));
        object.push_text("timeframe_end", &format_instant(self.end));
        object.finish()
    }

    /// Returns two searches for half of the ids each.
    pub(super) fn halves(self) -> [Self; 2] {
        let (mut ids, end) = (self.ids, self.end);
        let other = ids.split_off(ids.len() / 2);
        [Self { ids, end }, Self { ids: other, end }]
    }

    /// Returns the same search in the time before.
    pub(super) fn earlier(self) -> Self {
        Self { end: self.end.saturating_sub(MAX_TIMEFRAME), ..self }
    }
}

/// Returns the searches for the events of a page, newest first. Ignores entries that can still
/// change, because they are not emitted.
pub(super) fn searches(page: &Page, now: Timestamp) -> Vec<Search> {
    let named = |record: &Record| Some((record.position.unwrap_or(now), event_id(record)?));
    let mut wanted: BinaryHeap<(Timestamp, String)> =
        page.records.iter().filter(|record| !record.unsettled).filter_map(named).collect();
    let (mut searches, mut newest, mut seen) = (Vec::<Search>::new(), None, BTreeSet::new());
    while let Some((position, id)) = wanted.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let fits = |newest: Timestamp| newest - position <= MAX_SPAN;
        match searches.last_mut().filter(|search| search.ids.len() < MAX_IDS && newest.is_some_and(fits)) {
            Some(search) => search.ids.push(id),
            None => {
                newest = Some(position);
                let end = position.saturating_add(FUTURE);
                searches.push(Search { ids: vec![id], end });
            }
        }
    }
    searches
}

/// Returns the id of the event that an entry names.
pub(super) fn event_id(record: &Record) -> Option<String> {
    // This search is cheap, and today no entry of Orb has the field.
    find(record.json.as_bytes(), b"\"event_id\"").and_then(|_| record.text("event_id"))
}
