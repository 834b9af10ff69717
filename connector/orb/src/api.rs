//! How Orb is asked, and what its answers mean.
//!
//! In: what a slice wants, and the responses. Out: requests by Orb's conventions (`limit`, `cursor`, `created_at[gte]`),
//! pages, and verdicts. Orb calls its page token "cursor"; that word is translated here and nowhere else.

use std::borrow::Cow;

use futures_util::future::LocalBoxFuture;
use simdutf8::basic::from_utf8;

use crate::{
    config::Config,
    events::{self, Event, Found, Remarks, Search},
    list::List,
    streams::row,
    timeframe,
};
use elt_sdk::{
    api::{Api, Verdict},
    error::{Error, FailureType, Result},
    fetch::{Answer, Fetcher},
    http::{Request, Response},
    instant::format_instant,
    page::Page,
    record::Record,
    slice::{Ask, Slice, Until},
    stream::{Shape, Stream},
};
use json_text::{Fields, Json};

/// How much of what Orb says is repeated in a message, in characters.
const MAX_WORDS: usize = 500;

/// How much of where a redirect leads is repeated in a message, in characters.
const MAX_PLACE: usize = 200;

/// What the `type` of every error of Orb's has in it. Orb's reference calls it the stable identifier of an error, and
/// Orb's own client tells errors apart by it.
const OWN_TYPES: [&str; 2] = ["error-responses#", "withorb.com/"];

/// Shorter keys than this are not looked for in what Orb says: they would be found everywhere.
const MIN_SECRET: usize = 4;

/// Orb, as one config reaches it.
#[derive(Debug)]
pub struct OrbApi {
    config: Config,
    remarks: Remarks,
}

/// What an answer of some kind means.
enum Meaning {
    Retry,
    RateLimited,
    Fail(FailureType),
    Refused(FailureType),
    TooLarge,
    Absent,
    Unavailable,
}

/// The kind of an error whose body is not one of Orb's: somebody else answered.
const FOREIGN: &str = "foreign";

const IN_BETWEEN: &str = "something between here and Orb answered in its place, perhaps a firewall or a proxy, and \
    not with an error of Orb's";

/// What 301, 302, 303, 307 and 308 say. The API key goes to `api_url` alone, so none of them is followed.
const REDIRECT: &str = "the address is redirected, which is not followed; set api_url to where Orb's API is, or let \
    what stands in between pass the request";

/// One row of the table of errors: the status, the end of the error's `type` (any if empty), what it means, and our
/// sentence. The first row that fits counts. From Orb's API reference, "Error responses".
type ErrorRow = (u16, &'static str, Meaning, &'static str);

static ERRORS: &[ErrorRow] = &[
    (400, "404-feature-not-available", Meaning::Unavailable, "this account does not have the feature"),
    (404, "404-feature-not-available", Meaning::Unavailable, "this account does not have the feature"),
    (
        404,
        "404-url-not-found",
        Meaning::Fail(FailureType::Config),
        "there is no such address; is api_url right?",
    ),
    (404, FOREIGN, Meaning::Refused(FailureType::Config), "nothing of Orb's is there; is api_url right?"),
    (404, "", Meaning::Absent, "not found"),
    (410, FOREIGN, Meaning::Refused(FailureType::Config), "nothing of Orb's is there; is api_url right?"),
    (410, "", Meaning::Absent, "gone"),
    (400, "", Meaning::Refused(FailureType::System), "Orb refused the request"),
    // A firewall or a gateway says nothing about the key, and often lets the next request pass.
    (401, FOREIGN, Meaning::Retry, IN_BETWEEN),
    (403, FOREIGN, Meaning::Retry, IN_BETWEEN),
    (401, "", Meaning::Fail(FailureType::Config), "Orb does not accept the API key; check api_key"),
    (
        403,
        "",
        Meaning::Refused(FailureType::Config),
        "the API key is not allowed to read this; check its permissions in Orb",
    ),
    (
        407,
        "",
        Meaning::Fail(FailureType::Config),
        "a proxy between here and Orb wants a user name and a password",
    ),
    (408, "", Meaning::Retry, "Orb gave up waiting for the request"),
    (409, "", Meaning::Retry, "Orb reports a conflict with another request"),
    // Of three types: the request, the resource, or the results are too large.
    (413, "", Meaning::TooLarge, "Orb says that it is too large"),
    (429, "", Meaning::RateLimited, "Orb's rate limit is exceeded"),
];

impl OrbApi {
    /// Orb as `config` says.
    pub fn new(config: Config) -> Self {
        Self { config, remarks: Remarks::default() }
    }

    /// The request that tells whether the key is accepted.
    pub fn ping(&self) -> Request {
        self.get("ping", &[])
    }

    fn get(&self, path: &str, query: &[(String, String)]) -> Request {
        self.signed(Request::get(&self.config.api_url, path, query))
    }

    fn signed(&self, request: Request) -> Request {
        request
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", self.config.api_key.expose()))
            .header("user-agent", concat!("orb.wasm/", env!("CARGO_PKG_VERSION")))
    }

    /// Puts the events of a search into `events`, and looks once more in the time before for those that are missing.
    async fn find(&self, fetcher: &Fetcher, search: Search, events: &mut Vec<Event>) -> Result<()> {
        let mut missing = search;
        for _ in 0..2 {
            while !missing.ids.is_empty() {
                let found = self.find_in_timeframe(fetcher, &missing).await?;
                let goes_on = found.has_more && !found.events.is_empty();
                events.extend(found.events);
                missing.ids.retain(|id| !events.iter().any(|event| event.id == *id));
                if !goes_on {
                    break;
                }
            }
            missing = missing.earlier();
        }
        Ok(())
    }

    async fn find_in_timeframe(&self, fetcher: &Fetcher, search: &Search) -> Result<Found> {
        let request = self.signed(Request::post(&self.config.api_url, "events/search", search.body()));
        match fetcher.fetch(request, |body| events::decode(&self.config, &self.remarks, body)).await? {
            Answer::Complete(found) => Ok(found),
            Answer::Refused(error) | Answer::TooLarge(error) => Err(error),
            Answer::Absent(reason) | Answer::Unavailable(reason) => Err(Error::config(format!(
                "events cannot be searched: {reason}; without event properties keys in the config none are"
            ))),
        }
    }

    /// What Orb says in the body of an error, without our secret.
    fn words(&self, problem: &Problem<'_>) -> String {
        let words = [&problem.title, &problem.detail].into_iter().flatten().chain(&problem.validation_errors);
        let words: Vec<&str> = words.map(|word| &**word).collect();
        // First without the key, then cut: the beginning of a key is a secret too.
        self.redact(&words.join(": ")).chars().take(MAX_WORDS).collect()
    }
}

/// Where a redirect leads, without what may be a secret: credentials, the query, and our own key.
fn place(api: &OrbApi, response: &Response) -> Option<String> {
    let location = api.redact(response.header("location")?.trim());
    let without_query = location.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = without_query.split_once("//").unwrap_or(("", without_query));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // What stands before the last @ of an authority are credentials.
    let host = authority.rsplit('@').next().unwrap_or_default();
    let slashes = if rest.len() < without_query.len() { "//" } else { "" };
    let place = format!("{scheme}{slashes}{host}{path}");
    let shown: String = place.chars().filter(|shown| !shown.is_control()).take(MAX_PLACE).collect();
    Some(shown).filter(|shown| !shown.is_empty())
}

/// The body of an error (RFC 7807); empty if it is none.
#[derive(Default)]
struct Problem<'a> {
    kind: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
    validation_errors: Vec<Cow<'a, str>>,
}

impl<'a> Problem<'a> {
    fn decode(body: &'a str) -> Self {
        let Ok(fields) = Fields::decode(body) else { return Self::default() };
        // What is no string is told as it is, but not with escapes: they could hide our key.
        let as_is = |error: Json<'a>| Some(error.get()).filter(|json| !json.contains('\\')).map(Cow::from);
        let validation_errors = fields.list("validation_errors").into_iter();
        Self {
            kind: fields.text("type"),
            title: fields.text("title"),
            detail: fields.text("detail"),
            validation_errors: validation_errors
                .filter_map(|error| error.text().or_else(|| as_is(error)))
                .collect(),
        }
    }
}

impl Api for OrbApi {
    fn page_request(&self, ask: &Ask) -> Request {
        let parent = ask.slice.parent.as_deref().map(Request::segment).unwrap_or_default();
        let path = ask.stream.path.replace("{parent}", &parent);
        let mut query: Vec<(String, String)> = Vec::new();
        let mut push = |name: &str, value: String| query.push((name.to_owned(), value));
        if let Some(limit) = ask.page_limit() {
            push("limit", limit.to_string());
        }
        for (name, value) in ask.stream.filters {
            push(name, (*value).to_owned());
        }
        let bounds = &ask.stream.bounds;
        if let Some(from) = ask.slice.from {
            push(bounds.from, format_instant(from));
        }
        match ask.slice.until {
            Some(Until::Including(until)) => push(bounds.including, format_instant(until)),
            Some(Until::Before(until)) => push(bounds.before, format_instant(until)),
            None => {}
        }
        for (name, value) in
            row(ask.stream.name).map(|row| (row.query)(&self.config, &ask.slice)).into_iter().flatten()
        {
            push(name, value);
        }
        // A list without pages has no such parameter.
        if let Some(token) = ask.page_token.as_ref().filter(|_| ask.stream.page_limit.is_some()) {
            push("cursor", token.clone());
        }
        self.get(&path, &query)
    }

    fn judge(&self, response: &Response) -> Verdict {
        let status = response.status;
        if (200..300).contains(&status) {
            return Verdict::Complete;
        }
        let body = String::from_utf8_lossy(&response.body);
        let problem = Problem::decode(&body);
        let own = problem.kind.as_deref().filter(|kind| OWN_TYPES.iter().any(|own| kind.contains(own)));
        let kind = own.unwrap_or(FOREIGN);
        let row = ERRORS.iter().find(|(code, end, ..)| *code == status && kind.ends_with(end));
        let (meaning, sentence) = match row {
            Some((_, _, meaning, sentence)) => (meaning, *sentence),
            None if status >= 500 => (&Meaning::Retry, "Orb failed to answer"),
            None if (300..400).contains(&status) => (&Meaning::Fail(FailureType::Config), REDIRECT),
            None if status >= 400 => {
                (&Meaning::Refused(FailureType::System), "Orb answered with an unexpected status")
            }
            None => (&Meaning::Fail(FailureType::System), "Orb answered with an unexpected status"),
        };
        let words = self.words(&problem);
        let colon = if words.is_empty() { "" } else { ": " };
        let leads = place(self, response).filter(|_| sentence == REDIRECT);
        let leads = leads.map(|place| format!(", to {place}")).unwrap_or_default();
        let message = format!("{sentence} (status {status}{leads}){colon}{words}");
        let told = |error: Error| match own {
            Some(_) => error,
            None => error.internal(response.excerpt(|text| self.redact(text))),
        };
        match meaning {
            Meaning::Retry => Verdict::Retry(told(Error::transient(message))),
            Meaning::RateLimited => Verdict::RateLimited(told(Error::transient(message))),
            Meaning::Fail(failure_type) => Verdict::Fail(told(Error::new(*failure_type, message))),
            Meaning::Refused(failure_type) => Verdict::Refused(told(Error::new(*failure_type, message))),
            Meaning::TooLarge => Verdict::TooLarge(told(Error::system(message))),
            Meaning::Absent => Verdict::Absent(message),
            Meaning::Unavailable => Verdict::Unavailable(message),
        }
    }

    fn decode_page(&self, ask: &Ask, body: &[u8]) -> std::result::Result<Page, String> {
        // In WebAssembly the standard library's looks at eight bytes at once: 25 ms for 100,000 customers, and this 15.
        let text = from_utf8(body).map_err(|error| error.to_string())?;
        let mut records = Vec::new();
        let list = List::decode(text, |scanner| {
            match ask.stream.shape {
                Shape::Nested(decode) => records.extend(decode(scanner.value()?, ask)?),
                Shape::Whole | Shape::Hoisted(_) => records.push(Record::scan(scanner, ask.stream)?),
            }
            Ok(())
        })?;
        let next_token = list.next_token(ask.stream.page_limit.is_some())?;
        Ok(Page { records, next_token, bytes: body.len() })
    }

    fn slices_of_parent(&self, stream: &Stream, parent: &Record, whole: &Slice) -> Vec<Slice> {
        row(stream.name).map(|row| (row.slices)(&self.config, parent, whole)).unwrap_or_default()
    }

    fn shorter_slices(&self, _: &Stream, slice: &Slice) -> Option<Vec<Slice>> {
        timeframe::halves(slice)
    }

    fn enrich<'a>(&'a self, fetcher: &'a Fetcher, page: Page) -> LocalBoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            let has_keys = self.config.has_event_keys();
            let mut found = Vec::new();
            for search in if has_keys { events::searches(&page, fetcher.now()) } else { Vec::new() } {
                self.find(fetcher, search, &mut found).await?;
            }
            Ok(events::complete(page, has_keys, &found, &self.remarks))
        })
    }

    fn redact(&self, text: &str) -> String {
        let key = self.config.api_key.expose();
        if key.len() < MIN_SECRET { text.to_owned() } else { text.replace(key, "[secret]") }
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.sentences()
    }
}

#[cfg(test)]
mod tests;
