//! A small connector to copy. It reads the authors of a library, and the books of each author.
//!
//! The library's API returns lists as `{"items": […], "next_page": "token" or null}`, filtered by
//! time with `created_from`, `created_to` and `created_before`. See `docs/adding-a-connector.md`.

use std::{borrow::Cow, rc::Rc};

use elt_sdk::{
    api::Api,
    cursor::TimeRange,
    error::{Error, Result},
    http::{Request, Response},
    instant::parse_instant,
    page::Page,
    problem::Problem,
    request::{PageParameters, PageRequest},
    retry::RetryPolicy,
    server::{Server, Verdict},
    source::{Check, Settings, Source, Specification},
    stream::{Carry, Parents, Partition, Place, Stream, TimeFilter, TimeForm},
};
use json_text::{Fields, Json, Scanner};
use time::{SignedDuration, Timestamp};

/// The columns that all lists of this API share.
const LIST: Stream<Config> = Stream {
    cursor: Some("created_at"),
    time: Some(TimeFilter {
        form: TimeForm::Instant,
        from: "created_from",
        including: "created_to",
        before: "created_before",
        slack: SignedDuration::ZERO,
    }),
    page_limit: Some(50),
    ..Stream::LIST
};

static AUTHORS: Stream<Config> = Stream {
    name: "authors",
    group: "library",
    requests: "1 per 50 authors",
    path: "authors",
    schema: "authors.json",
    partition: Partition::Windows,
    ..LIST
};

static BOOKS: Stream<Config> = Stream {
    name: "books",
    group: "library",
    requests: "1 per author",
    path: "authors/{parent}/books",
    schema: "books.json",
    carry: Carry { parent_as: Some("author_id"), ..Carry::NOTHING },
    partition: Partition::Parents(Parents {
        stream: &AUTHORS,
        id: "id",
        key: "author_id",
        place: Place::Path,
        deleted: None,
        slices: |_, _, whole| vec![whole.clone()],
    }),
    ..LIST
};

/// The parsed config.
#[derive(Debug)]
pub struct Config {
    api_url: String,
    api_key: String,
    start: Timestamp,
}

/// The source.
#[derive(Debug)]
pub struct Library;

impl Source for Library {
    type Config = Config;

    const STREAMS: &'static [&'static Stream<Config>] = &[&AUTHORS, &BOOKS];

    const SCHEMAS: &'static [(&'static str, &'static str)] = &[
        ("authors.json", include_str!("../schemas/authors.json")),
        ("books.json", include_str!("../schemas/books.json")),
    ];

    fn specification() -> Specification {
        Specification {
            name: "template",
            version: env!("CARGO_PKG_VERSION"),
            config_schema: include_str!("../spec.json"),
            documentation_url: "https://example.com/library",
            allowed_hosts: &["${api_url}"],
        }
    }

    fn config(text: &str, _: Timestamp) -> Result<Config> {
        let fields =
            Fields::decode(text).map_err(|problem| Error::config(format!("the config: {problem}")))?;
        let required = |name: &str| {
            let missing = || Error::config(format!("config: {name} is a required property"));
            fields.text(name).map(Cow::into_owned).ok_or_else(missing)
        };
        let start = parse_instant(&required("start_date")?);
        Ok(Config {
            api_url: required("api_url")?,
            api_key: required("api_key")?,
            start: start
                .ok_or_else(|| Error::config("config: start_date must look like 2024-01-31T00:00:00Z"))?,
        })
    }

    fn settings(config: &Config) -> Settings {
        let range = TimeRange { start: config.start, end: None, lookback: SignedDuration::ZERO };
        Settings { range, concurrency: 4, retry: RetryPolicy::read(5) }
    }

    fn api(config: Rc<Config>) -> Rc<dyn Api<Config>> {
        Rc::new(LibraryApi(config))
    }

    fn check(config: &Config) -> Check {
        Check {
            request: request(config, "status", &[]),
            is_own: |body| str::from_utf8(body).is_ok_and(|text| Json::parse(text).is_ok()),
            not_own: "the server at api_url is not a library".into(),
            hint: "check api_url".into(),
            hint_in_outage: None,
            probe: None,
        }
    }
}

/// The API with a config.
struct LibraryApi(Rc<Config>);

fn request(config: &Config, path: &str, query: &[(String, String)]) -> Request {
    Request::get(&config.api_url, path, query).header("authorization", format!("Bearer {}", config.api_key))
}

impl Server for LibraryApi {
    fn judge(&self, response: &Response) -> Verdict {
        match response.status {
            200..300 => Verdict::Complete,
            401 => Verdict::Fail(Error::config("the library does not accept the API key; check api_key")),
            404 => Verdict::Absent("not found".into()),
            429 => Verdict::RateLimited(Error::transient("the library's rate limit is exceeded")),
            status @ 500.. => {
                Verdict::Retry(Error::transient(format!("the library failed (status {status})")))
            }
            status => Verdict::Refused(Error::system(format!("the library refused (status {status})"))),
        }
    }

    fn redact(&self, text: &str) -> String {
        text.replace(&self.0.api_key, "[secret]")
    }
}

impl Api<Config> for LibraryApi {
    fn page_request(&self, page: &PageRequest<Config>) -> Request {
        let query = page.query(&self.0, PageParameters { limit: "per_page", token: "page" });
        request(&self.0, &page.path(), &query)
    }

    fn decode_page(&self, page: &PageRequest<Config>, body: &[u8]) -> std::result::Result<Page, Problem> {
        let text = str::from_utf8(body).map_err(|error| Problem::new(error.to_string()))?;
        let fields = Fields::decode(text)?;
        let mut records = Vec::new();
        for item in fields.raw("items").and_then(Json::list).ok_or("there is no list \"items\"")? {
            page.scan(&self.0, &mut Scanner::new(item.get()), &mut records)?;
        }
        let next_token = fields.text("next_page").map(Cow::into_owned);
        Ok(Page { records, next_token, bytes: body.len(), ..Page::default() })
    }
}

elt_sdk::export_source!(Library);
