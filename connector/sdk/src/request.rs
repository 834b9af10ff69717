//! Turns a stream's row and a slice into the path and query of a page request, and an element of
//! the response into records.

use std::fmt;

use json_text::Scanner;
use time::{SignedDuration, Time, Timestamp};

use crate::{
    http::Request,
    instant::{format_date, format_instant},
    problem::Problem,
    record::{Record, Shape},
    slice::{Scope, Slice, Until},
    stream::{Answer, Place, Stream, TimeForm},
};

/// A request for one page.
pub struct PageRequest<C: 'static> {
    /// The level of the list: 0 for the stream that is read, 1 for its parents, 2 for theirs, and
    /// so on.
    pub level: usize,
    /// Identifies the slice. Only the partition interprets this number.
    pub key: usize,
    /// The row of the requested list.
    pub stream: &'static Stream<C>,
    /// The slice.
    pub slice: Slice,
    /// The page. `None` for the first one.
    pub page_token: Option<String>,
    /// The most records that the page may have. `None` if the server does not page the list.
    pub page_limit: Option<u32>,
}

/// The names of an API's query parameters for paging.
#[derive(Debug, Clone, Copy)]
pub struct PageParameters {
    /// The most records on a page.
    pub limit: &'static str,
    /// The page token.
    pub token: &'static str,
}

impl<C> PageRequest<C> {
    /// Creates the request for the first page of a slice, at level 0.
    pub fn new(stream: &'static Stream<C>, slice: Slice) -> Self {
        Self { level: 0, key: 0, stream, slice, page_token: None, page_limit: stream.page_limit }
    }

    /// Returns what a response holds.
    pub fn answer(&self) -> Answer {
        if self.slice.scope == Scope::Object { Answer::Object } else { self.stream.answer }
    }

    /// Returns the path, percent-encoded.
    pub fn path(&self) -> String {
        let segment = |value: &Option<String>| value.as_deref().map(Request::segment).unwrap_or_default();
        if let (Scope::Object, Some(object)) = (self.slice.scope, self.stream.object) {
            return object.path.replace("{id}", &segment(&self.slice.parent));
        }
        let path = self.stream.path.replace("{parent}", &segment(&self.slice.parent));
        path.replace("{part}", &segment(&self.slice.part))
    }

    /// Returns the query, not yet encoded: page size, filters, time, parent, part, the row's own
    /// parameters, and page token.
    pub fn query(&self, config: &C, parameters: PageParameters) -> Vec<(String, String)> {
        let (stream, slice) = (self.stream, &self.slice);
        let mut query: Vec<(String, String)> = Vec::new();
        if slice.scope == Scope::Object {
            return query;
        }
        let mut push = |name: &str, value: String| query.push((name.to_owned(), value));
        if let Some(limit) = self.page_limit {
            push(parameters.limit, limit.to_string());
        }
        for (name, value) in stream.filters {
            push(name, (*value).to_owned());
        }
        if let Some(time) = &stream.time {
            let mut filter = |name: &str, instant| {
                push(&format!("{}{name}", time.field), text(time.form, instant));
            };
            if let Some(from) = slice.from {
                filter(time.from, from);
            }
            match slice.until {
                Some(Until::Including(until)) => filter(time.including, until),
                Some(Until::Before(until)) => filter(time.before, end(time.form, until)),
                None => {}
            }
        }
        let parent = stream.parents().map(|parents| parents.place);
        let part = stream.parts.map(|parts| parts.place);
        for (place, value) in [(parent, &slice.parent), (part, &slice.part)] {
            if let (Some(Place::Query(name)), Some(value)) = (place, value) {
                push(name, value.clone());
            }
        }
        for (name, value) in (stream.query)(config, slice) {
            push(name, value);
        }
        if let (Scope::Open, Some(open)) = (slice.scope, stream.open) {
            query.retain(|(name, _)| name != open.filter);
            query.extend(open.values.iter().map(|value| (open.filter.to_owned(), (*value).to_owned())));
        }
        let mut push = |name: &str, value: String| query.push((name.to_owned(), value));
        // A list without pages has no page token.
        if let Some(token) = self.page_token.as_ref().filter(|_| self.page_limit.is_some()) {
            push(parameters.token, token.clone());
        }
        query
    }

    /// Reads the next element of a response into `records`.
    ///
    /// # Errors
    /// If the element is not what the row says.
    pub fn scan(
        &self,
        config: &C,
        scanner: &mut Scanner<'_>,
        records: &mut Vec<Record>,
    ) -> Result<(), Problem> {
        let (stream, slice) = (self.stream, &self.slice);
        let json =
            |value: &Option<String>| value.as_deref().map_or_else(|| "null".to_owned(), json_text::quoted);
        let parent = stream.carry.parent_as.map(|name| (name, json(&slice.parent)));
        let part = stream.carry.part_as.map(|name| (name, json(&slice.part)));
        let added: Vec<_> = parent.into_iter().chain(part).collect();
        let traits = stream.traits();
        let shape = Shape {
            cursor: stream.cursor,
            unsettled: stream.unsettled.as_ref(),
            traits: traits.as_ref(),
            withheld: (stream.withheld)(config),
            hoists: stream.carry.hoists,
            added: &added,
        };
        stream.rows.scan(slice, &shape, scanner, records)
    }
}

fn text(form: TimeForm, instant: Timestamp) -> String {
    match form {
        TimeForm::Instant => format_instant(instant),
        TimeForm::Date => format_date(instant),
    }
}

/// Rounds the end up to a whole day if only days can be requested.
fn end(form: TimeForm, until: Timestamp) -> Timestamp {
    let midnight = until.replace_time(Time::MIDNIGHT);
    if form == TimeForm::Instant || midnight == until {
        until
    } else {
        midnight.saturating_add(SignedDuration::hours(24))
    }
}

impl<C> Clone for PageRequest<C> {
    fn clone(&self) -> Self {
        let Self { level, key, stream, slice, page_token, page_limit } = self;
        let (slice, page_token) = (slice.clone(), page_token.clone());
        Self { level: *level, key: *key, stream, slice, page_token, page_limit: *page_limit }
    }
}

impl<C> fmt::Debug for PageRequest<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRequest")
            .field("stream", &self.stream.name)
            .field("slice", &self.slice)
            .field("page_token", &self.page_token)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
