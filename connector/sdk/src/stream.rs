//! The table of streams: one row per stream, one column per fact.
//!
//! The columns are independent of each other. `C` is the source's parsed config; the few columns
//! that depend on it are functions.

use std::fmt;

use futures_util::future::LocalBoxFuture;
use json_text::Json;
use time::SignedDuration;

use crate::{
    error::Result,
    fetch::Fetcher,
    pace::RateClass,
    page::Page,
    problem::Problem,
    ranges::Ranges,
    record::{Hoist, Record, Unsettled},
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
    /// What is copied into each record.
    pub carry: Carry,
    /// Which records can still change.
    pub unsettled: Option<Unsettled>,
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

    /// What it means that a list is absent or too large.
    pub ends: Ends,
    /// The server's rate limit that applies to the requests.
    pub rate: &'static RateClass,
}

/// Completes a page with further requests.
pub type Enrich<C> = for<'a> fn(&'a C, &'a Fetcher, Page) -> LocalBoxFuture<'a, Result<Page>>;

/// What a response holds.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// A list of records.
    List,
    /// One record.
    Object,
    /// A list whose elements hold records. The function extracts them.
    Rows(fn(Json<'_>, &Slice) -> Result<Vec<Record>, Problem>),
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

/// The query parameters that filter a list by time.
#[derive(Debug, Clone, Copy)]
pub struct TimeFilter {
    /// How the values are written.
    pub form: TimeForm,
    /// The parameter for records at this time and later.
    pub from: &'static str,
    /// The parameter for records at this time and earlier.
    pub including: &'static str,
    /// The parameter for records before this time.
    pub before: &'static str,
}

/// How an instant is written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `2024-01-03T10:00:00+00:00`.
    Instant,
    /// `2024-01-03`, in UTC. If an end lies within a day, the whole day is requested.
    Date,
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

/// The stream whose records each have a list.
pub struct Parents<C: 'static> {
    /// The parents. All of them are read, whatever their age. They may be partitioned by parents
    /// themselves.
    pub stream: &'static Stream<C>,
    /// The field of the parent that identifies it.
    pub id: &'static str,
    /// The name of that id in states written by other connectors.
    pub key: &'static str,
    /// Where a request holds the id.
    pub place: Place,
    /// A field that is `true` if the parent is being deleted and no longer has a list.
    pub deleted: Option<&'static str>,
    /// Cuts the given slice of a parent's list into further slices. Returns none to skip the
    /// parent.
    pub slices: fn(&C, &Record, &Slice) -> Vec<Slice>,
}

/// The parts of a list, which is requested once per part.
pub struct Parts<C: 'static> {
    /// Where a request holds the part.
    pub place: Place,
    /// The parts, given the parent if there is one. `None` requests the list without naming a part.
    pub values: fn(&C, Option<&Record>) -> Vec<Option<String>>,
}

/// Where a request holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query parameter of this name.
    Query(&'static str),
}

/// What it means that a list is absent or too large. A stream whose feature the account does not
/// have is always skipped with a warning.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// What it means that a parent's list is not found.
    pub absent: Absent,
    /// Whether the server may not know the path at all. If so, the stream is skipped with a
    /// warning; if not, it fails.
    pub may_be_unknown: bool,
    /// Cuts a slice that is too large to answer into shorter ones with the same records. Returns
    /// `None` if it cannot be shorter. A list with pages is requested in smaller pages instead.
    pub too_large: fn(&Slice) -> Option<Vec<Slice>>,
}

impl Ends {
    /// The usual meaning: a parent that is gone is skipped, the path is known, and slices cannot be
    /// cut.
    pub const USUAL: Self = Self { absent: Absent::Gone, may_be_unknown: false, too_large: |_| None };
}

/// What it means that a parent's list is not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The parent is gone. It is skipped with a warning.
    Gone,
    /// The parent has no further parts.
    EndOfParts,
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
        carry: Carry::NOTHING,
        unsettled: None,
        enrich: None,
        cursor: None,
        time: None,
        grace: None,
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
            let has_time = stream.time.is_some() && stream.cursor.is_some();
            match stream.partition {
                Partition::Windows => {
                    assert!(has_time, "windows need a time filter and a cursor");
                    assert!(stream.page_limit.is_some(), "windows need pages");
                }
                Partition::Ranges(_) => assert!(has_time, "ranges need a time filter and a cursor"),
                Partition::Whole | Partition::Parents(_) => {}
            }
            assert!(
                stream.unsettled.is_none() || stream.cursor.is_some(),
                "an unsettled record holds a cursor"
            );
            assert!(stream.grace.is_none() || has_time, "a grace period needs a time filter and a cursor");
            index += 1;
        }
    }
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

impl<C> fmt::Debug for Parents<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parents").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Parts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("place", &self.place).finish_non_exhaustive()
    }
}
