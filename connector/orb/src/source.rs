//! Orb as a source: the config and the table put together with the mechanism of the SDK.

use std::rc::Rc;

use crate::{
    api::OrbApi,
    config::{API_URL, Config},
    schemas::SCHEMAS,
    streams::{Row, STREAMS, row},
};
use elt_sdk::{
    api::Api,
    cursor::{Cursor, Range, Watermark},
    error::{Error, FailureType, Result},
    fetch::{Answer, Fetcher},
    instant::floor_to_second,
    parent::ParentLists,
    platform::Platform,
    reader::Reader,
    retry::RetryPolicy,
    schema::resolve,
    slice::Slices,
    source::{Discovered, Source, Specification},
    state::State,
    stream::{Slicing, Stream},
    window::Windows,
};
use json_text::Json;

/// The Orb source.
#[derive(Debug)]
pub struct Orb {
    platform: Platform,
}

impl Orb {
    /// The config, which may not begin in the future: its start would be told as a cursor that nothing is ever beyond.
    fn config(&self, text: &str) -> Result<Config> {
        let config = Config::parse(text)?;
        if config.range.start > self.platform.clock.now() {
            return Err(Error::config("config: start_date lies in the future"));
        }
        Ok(config)
    }

    fn fetcher(&self, api: Rc<OrbApi>, policy: RetryPolicy) -> Fetcher {
        Fetcher::new(self.platform.clone(), api, policy)
    }

    fn slices(
        &self,
        stream: &'static Stream,
        range: Range,
        state: State,
        api: Rc<OrbApi>,
    ) -> Box<dyn Slices> {
        let opened = floor_to_second(self.platform.clock.now());
        match stream.slicing {
            Slicing::Windows => {
                let previous = state.cursor.unwrap_or_else(|| Cursor::at(range.start));
                Box::new(Windows::new(stream, &range, Watermark::new(previous, opened)))
            }
            Slicing::Parents(parents) => {
                let outside = (api as Rc<dyn Api>, Rc::clone(&self.platform.log));
                Box::new(ParentLists::new(stream, parents, range, state, opened, outside))
            }
        }
    }
}

impl Source for Orb {
    fn new(platform: Platform) -> Self {
        Self { platform }
    }

    fn specification(&self) -> Specification {
        Specification {
            name: "orb",
            version: env!("CARGO_PKG_VERSION"),
            config_schema: include_str!("../spec.json"),
            documentation_url: "https://docs.withorb.com/",
            allowed_hosts: &["${api_url}"],
        }
    }

    async fn check(&self, config: &str) -> Result<()> {
        let config = self.config(config)?;
        let is_default_url = config.api_url == API_URL;
        let api = Rc::new(OrbApi::new(config));
        let request = api.ping();
        let is_json = |body: &[u8]| {
            let text = str::from_utf8(body);
            Ok(text.is_ok_and(|text| text.is_empty() || Json::parse(text).is_ok()))
        };
        let answer = self.fetcher(api, RetryPolicy::CHECK).fetch(request, is_json).await;
        match answer.map_err(|error| not_checked(error, is_default_url))? {
            Answer::Complete(true) => Ok(()),
            Answer::Complete(false) => {
                Err(Error::config(format!("api_url answers, but not as Orb's API does; Orb's is {API_URL}")))
            }
            Answer::Absent(reason) | Answer::Unavailable(reason) => {
                Err(Error::config(format!("{reason}; is api_url right? Orb's is {API_URL}")))
            }
            Answer::Refused(error) | Answer::TooLarge(error) => Err(error),
        }
    }

    fn discover(&self, config: &str) -> Result<Vec<Discovered>> {
        let config = self.config(config)?;
        let discovered = |row: &Row| {
            let stream = row.stream;
            let schema = resolve(stream.schema, SCHEMAS, &(row.properties)(&config));
            let schema = schema.map_err(|reason| Error::system(reason).in_stream(stream.name))?;
            let fields = stream.primary_key.iter().map(|field| (*field).to_owned());
            Ok(Discovered { stream, schema, primary_key: fields.chain((row.primary_key)(&config)).collect() })
        };
        STREAMS.iter().map(discovered).collect()
    }

    fn read(&self, config: &str, stream: &str, state: Option<&str>) -> Result<Reader> {
        let config = self.config(config)?;
        let row = row(stream).ok_or_else(|| Error::config(format!("there is no stream {stream:?}")))?;
        let stream = row.stream;
        let parents = match &stream.slicing {
            Slicing::Parents(parents) => Some(parents),
            Slicing::Windows => None,
        };
        let state = State::parse(state.unwrap_or("{}"), stream.cursor_field, parents).map_err(|reason| {
            Error::config(format!(
                "its state is not understood: {reason}; reset the state of this stream to read it anew"
            ))
            .in_stream(stream.name)
        })?;
        if let Some(cursor) =
            state.cursor.as_ref().filter(|cursor| cursor.instant > self.platform.clock.now())
        {
            let (stream, text) = (stream.name, &cursor.text);
            self.platform
                .log
                .warn(&format!("{stream}: its cursor {text} lies in the future; older records are not read"));
        }
        let (range, concurrency) = (config.range, config.concurrency);
        let policy = RetryPolicy::read(config.retry_minutes);
        let api = Rc::new(OrbApi::new(config));
        let slices = self.slices(stream, range, state, Rc::clone(&api));
        let fetcher = self.fetcher(api, policy);
        Ok(Reader::new(stream, slices, Rc::new(fetcher), self.platform.clone(), concurrency))
    }
}

/// The error of a check that an outage kept from telling anything about the config.
fn not_checked(mut error: Error, is_default_url: bool) -> Error {
    if error.failure_type == FailureType::Transient {
        let hint = if is_default_url { "" } else { "; if it stays so, is api_url right?" };
        error.message = format!(
            "an outage, which says nothing about the config: {}; try again later{hint}",
            error.message
        );
    }
    error
}

#[cfg(test)]
mod tests;
