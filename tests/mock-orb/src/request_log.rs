//! Records requests and the statuses of their answers.

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The path as sent, without the query and not decoded: `/v1/customers`.
    pub path: String,
    /// The query's parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// Whether the `Authorization` header was present and valid.
    pub authorization: Authorization,
    /// All other headers in order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text; empty if there was none.
    pub body: String,
    /// The status of the answer; `None` until there is one, or if the connection ended first.
    pub status: Option<u16>,
    /// The TCP connection, numbered from 1 in order of acceptance.
    pub connection: u64,
}

/// The outcome of authentication. The key itself is not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// No `Authorization` header.
    Missing,
    /// An `Authorization` header without a valid bearer token.
    Wrong,
    /// A valid key of the account.
    Valid,
}

impl LoggedRequest {
    /// The first value of a query parameter, by its decoded name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }

    /// The first value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The requests since the log was last cleared.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Vec<LoggedRequest>,
    /// How many requests were cleared; positions count from the first request ever.
    cleared: usize,
    disabled: bool,
    in_flight: usize,
    peak_in_flight: usize,
}

/// The position of a request in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl RequestLog {
    pub(crate) fn open(&mut self, request: LoggedRequest) -> Place {
        self.in_flight += 1;
        self.peak_in_flight = self.peak_in_flight.max(self.in_flight);
        if self.disabled {
            return Place(usize::MAX);
        }
        self.requests.push(request);
        Place(self.cleared + self.requests.len() - 1)
    }

    /// Records a request's body, which arrives after its headers.
    pub(crate) fn note_body(&mut self, place: Place, body: &[u8]) {
        if let Some(request) = self.request(place) {
            request.body = String::from_utf8_lossy(body).into_owned();
        }
    }

    pub(crate) fn close(&mut self, place: Place, status: Option<u16>) {
        self.in_flight -= 1;
        if let Some(request) = self.request(place) {
            request.status = status;
        }
    }

    /// The request at a position; `None` if it was cleared.
    fn request(&mut self, place: Place) -> Option<&mut LoggedRequest> {
        self.requests.get_mut(place.0.checked_sub(self.cleared)?)
    }

    pub(crate) fn requests(&self) -> Vec<LoggedRequest> {
        self.requests.clone()
    }

    pub(crate) fn peak_in_flight(&self) -> usize {
        self.peak_in_flight
    }

    pub(crate) fn clear(&mut self) {
        self.cleared += self.requests.len();
        self.requests.clear();
        self.peak_in_flight = self.in_flight;
    }

    /// Stops recording requests, so that long-running servers do not accumulate them.
    pub(crate) fn disable(&mut self) {
        self.disabled = true;
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> LoggedRequest {
        LoggedRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: vec![("status[]".to_owned(), "void".to_owned())],
            authorization: Authorization::Missing,
            headers: Vec::new(),
            body: String::new(),
            status: None,
            connection: 1,
        }
    }

    #[test]
    fn answers_find_their_requests_across_a_clearing() {
        let mut log = RequestLog::default();
        let first = log.open(request("/first"));
        log.clear();
        let second = log.open(request("/second"));
        log.note_body(second, b"{}");
        log.note_body(first, b"gone");
        log.close(second, Some(200));
        log.close(first, Some(500));
        assert_eq!(log.peak_in_flight(), 2);
        let [only] = log.requests().try_into().unwrap();
        assert_eq!((only.path.as_str(), only.status), ("/second", Some(200)));
        assert_eq!(only.body, "{}");
        assert_eq!(only.parameter("status[]"), Some("void"));
    }
}
