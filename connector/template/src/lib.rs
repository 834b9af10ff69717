//! A small connector to copy. It reads the authors of a library, and the books of each author.
//!
//! The library's API returns lists as `{"items": […], "next_page": "token" or null}`, filtered by
//! `created_at[gte]`, `created_at[lte]` and `created_at[lt]`. See `docs/adding-a-connector.md`.

use std::rc::Rc;

use elt_sdk::prelude::*;

/// The columns that all lists of this API share.
const LIST: Stream<Config> = Stream {
    group: "library",
    cursor: Some("created_at"),
    time: Some(TimeFilter::by_field("created_at")),
    page_limit: Some(50),
    ..Stream::LIST
};

static AUTHORS: Stream<Config> = Stream {
    name: "authors",
    requests: "1 per 50 authors",
    path: "authors",
    schema: "authors.json",
    partition: Partition::Windows,
    ..LIST
};

static BOOKS: Stream<Config> = Stream {
    name: "books",
    requests: "1 per author",
    path: "authors/{parent}/books",
    schema: "books.json",
    carry: Carry { parent_as: Some("author_id"), ..Carry::NOTHING },
    partition: Partition::Parents(Parents::by_id(&AUTHORS, "author_id")),
    ..LIST
};

/// The parsed config.
#[derive(Debug)]
pub struct Config {
    api_url: String,
    api_key: Secret,
    range: TimeRange,
}

/// The source.
#[derive(Debug)]
pub struct Library;

const _: () = Stream::check(Library::STREAMS);

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

    fn config(text: &str) -> Result<Config> {
        let properties = Properties::decode(text)?;
        Ok(Config {
            api_url: properties.required("api_url", Properties::url)?,
            api_key: properties.required("api_key", Properties::secret)?,
            range: properties.time_range()?,
        })
    }

    fn settings(config: &Config) -> Settings {
        Settings::usual(config.range)
    }

    fn api(config: Rc<Config>) -> Rc<dyn Api<Config>> {
        Rc::new(LibraryApi(config))
    }

    fn check(config: &Config) -> Check {
        Check::usual(get(config, "status", &[]), "a library", "api_url")
    }
}

/// The API with a config.
struct LibraryApi(Rc<Config>);

fn get(config: &Config, path: &str, query: &[(String, String)]) -> Request {
    Request::get(&config.api_url, path, query).bearer(&config.api_key)
}

impl Server for LibraryApi {
    fn judge(&self, response: &Response) -> Verdict {
        Verdict::by_status(response, "api_key", |text| self.redact(text))
    }

    fn redact(&self, text: &str) -> String {
        self.0.api_key.redact(text)
    }
}

impl Api<Config> for LibraryApi {
    fn page_request(&self, page: &PageRequest<Config>) -> Request {
        let query = page.query(&self.0, PageParameters { limit: "per_page", token: "page" });
        get(&self.0, &page.path(), &query)
    }

    fn decode_page(&self, page: &PageRequest<Config>, body: &[u8]) -> Result<Page, Problem> {
        let fields = ListFields { elements: "items", next_token: "next_page", may_omit_token: false };
        fields.decode(page, &self.0, body)
    }
}

elt_sdk::export_source!(Library);
