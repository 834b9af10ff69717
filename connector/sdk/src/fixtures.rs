//! Streams, lists and a server for the tests of this crate.

use time::Timestamp;

use crate::{
    error::Error,
    http::Response,
    instant::parse_instant,
    page::Page,
    record::Record,
    request::PageRequest,
    server::{Server, Verdict},
    stream::{Parents, Partition, Stream, TimeFilter},
};

/// Creates a record at an instant.
pub(crate) fn record_at(text: &str) -> Record {
    Record {
        json: format!("{{\"created_at\":{text:?}}}"),
        position: parse_instant(text),
        ..Record::default()
    }
}

/// A filter by instants.
pub(crate) const TIME: TimeFilter = TimeFilter { before: "before", ..TimeFilter::by_ends("from", "until") };

/// A parent stream, read by windows.
pub(crate) static OWNERS: Stream<()> = Stream {
    name: "owners",
    path: "owners",
    schema: "owners.json",
    cursor: Some("created_at"),
    time: Some(TIME),
    partition: Partition::Windows,
    page_limit: Some(2),
    ..Stream::LIST
};

/// Owners as the parents of a stream.
pub(crate) const PARENTS: Parents<()> =
    Parents { deleted: Some("deleted"), ..Parents::by_id(&OWNERS, "owner_id") };

/// A server's list, newest first.
pub(crate) struct List(Vec<Timestamp>);

impl List {
    /// Creates a list of records at these instants. The text of each is its index in the list.
    pub(crate) fn new(mut positions: Vec<Timestamp>) -> Self {
        positions.sort_unstable_by(|one, other| other.cmp(one));
        Self(positions)
    }

    /// Returns the requested page, by keyset pagination.
    pub(crate) fn page(&self, request: &PageRequest<()>) -> Page {
        let skip = request.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let is_wanted = |position: &Timestamp| {
            request.slice.until.is_none_or(|until| until.is_above(*position))
                && request.slice.from.is_none_or(|from| *position >= from)
        };
        let limit = usize::try_from(request.page_limit.unwrap()).unwrap();
        let mut wanted = self.0.iter().enumerate().filter(|(_, position)| is_wanted(position)).skip(skip);
        let records: Vec<Record> =
            wanted.by_ref().take(limit).map(|(index, position)| self.record(index, *position)).collect();
        let next_token = wanted.next().is_some().then(|| (skip + limit).to_string());
        Page { records, next_token, bytes: 0, is_cut_off: false }
    }

    fn record(&self, index: usize, position: Timestamp) -> Record {
        Record { json: index.to_string(), position: Some(position), ..Record::default() }
    }

    /// Returns the position of the record with this text.
    pub(crate) fn position(&self, json: &str) -> Timestamp {
        self.0[json.parse::<usize>().unwrap()]
    }

    /// Returns how many records there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A server whose statuses have their usual meaning.
pub(crate) struct PlainServer;

impl Server for PlainServer {
    fn judge(&self, response: &Response) -> Verdict {
        match response.status {
            200 => Verdict::Complete,
            429 => Verdict::RateLimited(Error::transient("too many")),
            500 => Verdict::Retry(Error::transient("broken").internal("why")),
            403 => Verdict::Refused(Error::config("forbidden")),
            404 => Verdict::Absent("gone".into()),
            405 => Verdict::UnknownPath(Error::config("no such path")),
            413 => Verdict::TooLarge(Error::system("too large")),
            _ => Verdict::Fail(Error::config("wrong")),
        }
    }
}
