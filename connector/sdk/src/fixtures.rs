//! Streams, lists and an API for the tests of this crate.

use time::Timestamp;

use crate::{
    api::{Api, Verdict},
    error::Error,
    http::{Request, Response},
    instant::parse_instant,
    page::Page,
    record::Record,
    slice::{Ask, Until},
    stream::{Bounds, Parents, Shape, Slicing, Stream},
};

/// A record at an instant.
pub(crate) fn record_at(text: &str) -> Record {
    Record { json: format!("{{\"created_at\":{text:?}}}"), position: parse_instant(text), provisional: false }
}

const BOUNDS: Bounds = Bounds { from: "from", including: "until", before: "before" };

/// A plain stream, sliced by windows.
pub(crate) fn stream() -> Stream {
    Stream { name: "things", path: "things", page_limit: Some(100), ..OWNERS }
}

/// A stream to be a parent.
pub(crate) static OWNERS: Stream = Stream {
    name: "owners",
    path: "owners",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: Some(2),
    bounds: BOUNDS,
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    is_enriched: false,
    provisional: None,
    schema: "owners.json",
};

/// The parents of a stream.
pub(crate) fn parents() -> Parents {
    Parents { stream: &OWNERS, id: "id", key: "owner_id", deleted: Some("deleted"), grace: None }
}

/// A list as a server keeps it, newest first, with a page for every ask.
pub(crate) struct List(Vec<Timestamp>);

impl List {
    /// A list of records at these instants; each one's text tells its place in the list.
    pub(crate) fn new(mut positions: Vec<Timestamp>) -> Self {
        positions.sort_unstable_by(|one, other| other.cmp(one));
        Self(positions)
    }

    /// The page that is asked for, by the conventions of keyset paging.
    pub(crate) fn page(&self, ask: &Ask) -> Page {
        let skip = ask.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let is_wanted = |position: &Timestamp| {
            let below = match ask.slice.until {
                Some(Until::Including(until)) => *position <= until,
                Some(Until::Before(until)) => *position < until,
                None => true,
            };
            below && ask.slice.from.is_none_or(|from| *position >= from)
        };
        let limit = usize::try_from(ask.stream.page_limit.unwrap()).unwrap();
        let mut wanted = self.0.iter().enumerate().filter(|(_, position)| is_wanted(position)).skip(skip);
        let records: Vec<Record> =
            wanted.by_ref().take(limit).map(|(index, position)| self.record(index, *position)).collect();
        let next_token = wanted.next().is_some().then(|| (skip + limit).to_string());
        Page { records, next_token, bytes: 0 }
    }

    fn record(&self, index: usize, position: Timestamp) -> Record {
        Record { json: index.to_string(), position: Some(position), provisional: false }
    }

    /// Where the record with this text stands.
    pub(crate) fn position(&self, json: &str) -> Timestamp {
        self.0[json.parse::<usize>().unwrap()]
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// An API that takes every status as what it usually is.
pub(crate) struct PlainApi;

impl Api for PlainApi {
    fn page_request(&self, ask: &Ask) -> Request {
        Request::get("http://h", ask.stream.path, &[])
    }

    fn judge(&self, response: &Response) -> Verdict {
        match response.status {
            200 => Verdict::Complete,
            429 => Verdict::RateLimited(Error::transient("too many")),
            500 => Verdict::Retry(Error::transient("broken").internal("why")),
            404 => Verdict::Absent("gone".into()),
            _ => Verdict::Fail(Error::config("wrong")),
        }
    }

    fn decode_page(&self, _: &Ask, _: &[u8]) -> Result<Page, String> {
        Ok(Page::default())
    }
}
