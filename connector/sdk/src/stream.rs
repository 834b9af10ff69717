//! The table of streams: one row per stream, one column per fact.
//!
//! The columns are independent of each other. `C` is the source's parsed config; the few columns
//! that depend on it are functions.

mod changes;
mod corrections;
mod ends;
mod parents;
mod time_filter;

use std::fmt;

use futures_util::future::LocalBoxFuture;
use time::SignedDuration;

pub use self::{
    changes::{Feed, Object, Open},
    corrections::Corrections,
    ends::{Absent, Ends},
    parents::{Parents, Parts, Place},
    time_filter::{TimeFilter, TimeForm},
};
use crate::{
    error::Result,
    fetch::Fetcher,
    pace::RateClass,
    page::Page,
    ranges::Ranges,
    record::{Hoist, Unsettled},
    rows::Rows,
    slice::Slice,
};

/// One row of a source's table of streams.
pub struct Stream<C: 'static> {
    /// Unique name.
    pub name: &'static str,
    /// The group that the stream can be selected with, or "" for none.
    pub group: &'static str,
    /// About how many requests a full read makes, in a few words for the user, or "" if that is not
    /// known.
    pub requests: &'static str,
    /// Path below the base URL. `{parent}` stands for the id of the parent, `{part}` for the part.
    pub path: &'static str,
    /// Name of the JSON Schema of a record.
    pub schema: &'static str,
    /// Properties that the config adds to the schema: name and JSON text.
    pub properties: fn(&C) -> Vec<(String, String)>,
    /// Top-level fields that identify a record.
    pub primary_key: &'static [&'static str],
    /// Fields that the config adds to the primary key.
    pub key_fields: fn(&C) -> Vec<String>,

    /// What a response holds.
    pub answer: Answer,
    /// How an element of a response becomes records.
    pub rows: Rows,
    /// What is copied into each record.
    pub carry: Carry,
    /// Which records can still change.
    pub unsettled: Option<Unsettled>,
    /// The values of the field of `unsettled` or `open` whose records are requested and not
    /// emitted.
    pub withheld: fn(&C) -> &'static [&'static str],
    /// Completes a page with further requests.
    pub enrich: Option<Enrich<C>>,

    /// The top-level field by which the stream is read incrementally. `None` reads it whole each
    /// time.
    pub cursor: Option<&'static str>,
    /// How the server filters the list by time. Without a filter, records outside of the requested
    /// time are dropped here.
    pub time: Option<TimeFilter>,
    /// How long after its position a record can change, if no field of it says so. The stream is
    /// read up to now, and the cursor stays that far behind.
    pub grace: Option<SignedDuration>,
    /// What changes records that are older.
    pub corrections: Option<&'static Corrections<C>>,

    /// How a single object is requested.
    pub object: Option<Object>,
    /// The objects that each read looks at until they are closed.
    pub open: Option<&'static Open<C>>,
    /// After how long a stream is read whole again. `None` never does.
    pub sweep: fn(&C) -> Option<SignedDuration>,
    /// The events that name changed objects.
    pub feed: Option<&'static Feed<C>>,

    /// How the stream is cut into slices.
    pub partition: Partition<C>,
    /// Requests the list once per part, for instance once per currency.
    pub parts: Option<Parts<C>>,
    /// Query parameters of every request.
    pub filters: &'static [(&'static str, &'static str)],
    /// Further query parameters, by config and slice.
    pub query: fn(&C, &Slice) -> Vec<(&'static str, String)>,
    /// The most records that the server puts on one page. `None` if it does not page the list.
    pub page_limit: Option<u32>,

    /// What to do if a list is absent or too large.
    pub ends: Ends,
    /// The server's rate limit that applies to the requests.
    pub rate: &'static RateClass,
}

/// Completes a page with further requests.
pub type Enrich<C> = for<'a> fn(&'a C, &'a Fetcher, Page) -> LocalBoxFuture<'a, Result<Page>>;

/// What a response holds.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// A list of elements.
    List,
    /// One element.
    Object,
}

/// What is copied into each record, besides what the server sent.
#[derive(Debug, Clone, Copy)]
pub struct Carry {
    /// Fields of nested objects.
    pub hoists: &'static [Hoist],
    /// The field for the id of the parent.
    pub parent_as: Option<&'static str>,
    /// The field for the part.
    pub part_as: Option<&'static str>,
}

impl Carry {
    /// Copies nothing.
    pub const NOTHING: Self = Self { hoists: &[], parent_as: None, part_as: None };
}

/// How a stream is cut into slices.
#[derive(Debug)]
pub enum Partition<C: 'static> {
    /// It is not cut.
    Whole,
    /// By time, into windows that adapt to the density of the list. Needs a time filter, a cursor
    /// and pages.
    Windows,
    /// By time, into ranges of fixed width. Needs a time filter and a cursor.
    Ranges(Ranges),
    /// By the records of another stream: each has a list of its own.
    Parents(Parents<C>),
}

impl<C> Stream<C> {
    /// A row with the usual value in each column, for struct update syntax.
    pub const LIST: Self = Self {
        name: "",
        group: "",
        requests: "",
        path: "",
        schema: "",
        properties: |_| Vec::new(),
        primary_key: &["id"],
        key_fields: |_| Vec::new(),
        answer: Answer::List,
        rows: Rows::Elements,
        carry: Carry::NOTHING,
        unsettled: None,
        withheld: |_| &[],
        enrich: None,
        cursor: None,
        time: None,
        grace: None,
        corrections: None,
        object: None,
        open: None,
        sweep: |_| None,
        feed: None,
        partition: Partition::Whole,
        parts: None,
        filters: &[],
        query: |_, _| Vec::new(),
        page_limit: None,
        ends: Ends::USUAL,
        rate: &RateClass::DEFAULT,
    };

    /// Returns the parents, if the stream is partitioned by parents.
    pub fn parents(&'static self) -> Option<&'static Parents<C>> {
        match &self.partition {
            Partition::Parents(parents) => Some(parents),
            _ => None,
        }
    }

    /// Checks a table at compile time: `const _: () = Stream::check(&STREAMS);`.
    ///
    /// # Panics
    /// If a column lacks another one that it needs.
    pub const fn check(streams: &[&Self]) {
        let mut index = 0;
        while index < streams.len() {
            let stream = streams[index];
            assert!(!stream.group.is_empty(), "a stream belongs to a group");
            assert!(!stream.requests.is_empty(), "a stream says how many requests it makes");
            let has_time = stream.time.is_some() && stream.cursor.is_some();
            match stream.partition {
                Partition::Windows => {
                    assert!(has_time, "windows need a time filter and a cursor");
                    assert!(stream.page_limit.is_some(), "windows need pages");
                    assert!(!has_slack(stream), "windows filter by the cursor field itself");
                }
                Partition::Ranges(_) => {
                    assert!(has_time, "ranges need a time filter and a cursor");
                    assert!(!has_slack(stream), "ranges filter by the cursor field itself");
                }
                Partition::Whole | Partition::Parents(_) => {}
            }
            assert!(
                stream.unsettled.is_none() || stream.cursor.is_some(),
                "an unsettled record holds a cursor"
            );
            let is_found_again = stream.object.is_some() && matches!(stream.partition, Partition::Windows);
            assert!(
                is_found_again || (stream.open.is_none() && stream.feed.is_none()),
                "open objects and a feed need `object`, and a list with windows"
            );
            assert!(
                stream.open.is_none() || stream.unsettled.is_none(),
                "a record is either open or holds the cursor"
            );
            assert!(
                stream.corrections.is_none()
                    || (has_time
                        && stream.grace.is_some()
                        && matches!(stream.partition, Partition::Parents(_))),
                "corrections need parents, a time filter and a grace period"
            );
            assert!(stream.grace.is_none() || has_time, "a grace period needs a time filter and a cursor");
            index += 1;
        }
    }
}

const fn has_slack<C>(stream: &Stream<C>) -> bool {
    matches!(stream.time, Some(time) if !time.slack.is_zero())
}

/// A derive would require `C: Copy`.
macro_rules! copy {
    ($($name:ident),*) => {$(
        impl<C> Clone for $name<C> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<C> Copy for $name<C> {}
    )*};
}

copy!(Stream, Partition, Parents, Parts);

impl<C> fmt::Debug for Stream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
