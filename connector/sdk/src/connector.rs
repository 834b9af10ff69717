//! What every source can do, given its table: check, discover and read.

use std::{marker::PhantomData, rc::Rc};

use crate::{
    error::{Error, FailureType, Result},
    fetch::{Fetcher, Outcome},
    http::Request,
    instant::floor_to_second,
    pace::{Paces, RateClass},
    partition::open::open,
    platform::Platform,
    reader::{Reader, Tools},
    retry::RetryPolicy,
    schema::Resolver,
    source::{Probe, Source, Specification},
    state::State,
    stream::{Partition, Stream},
};

/// A stream, as a config makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Unique name.
    pub name: &'static str,
    /// JSON Schema of its records.
    pub schema: String,
    /// Top-level fields that identify a record.
    pub primary_key: Vec<String>,
    /// The top-level field that tells how far the stream has been read. Without one, the stream can
    /// only be read whole.
    pub cursor: Option<&'static str>,
    /// Whether a read that was cut short continues from its last checkpoint.
    pub resumable: bool,
    /// The stream's group, or "" if it has none.
    pub group: &'static str,
    /// Whether the stream is read when the user selects none.
    pub selected_by_default: bool,
    /// About how many requests a full read makes, in words, or "" if that is not known.
    pub requests: &'static str,
}

/// A source, joined to the outside world.
#[derive(Debug)]
pub struct Connector<S> {
    platform: Platform,
    paces: Rc<Paces>,
    source: PhantomData<S>,
}

impl<S: Source> Connector<S> {
    /// Creates a connector. Connectors to one API share `paces`, so that its rate limits are learnt
    /// once.
    pub fn new(platform: Platform, paces: Rc<Paces>) -> Self {
        Self { platform, paces, source: PhantomData }
    }

    /// Describes the source.
    pub fn specification(&self) -> Specification {
        S::specification()
    }

    /// Tries whether the API accepts this config.
    ///
    /// # Errors
    /// If the config is not understood, or the API does not answer as it should.
    pub async fn check(&self, config: &str) -> Result<()> {
        let config = Rc::new(self.config(config)?);
        let check = S::check(&config);
        let fetcher = self.fetcher(&config, RetryPolicy::CHECK).1;
        let outcome = body(&fetcher, check.request).await;
        match outcome.map_err(|error| in_outage(error, check.hint_in_outage))? {
            Outcome::Complete(body) if (check.is_own)(&body) => {
                if let Some(probe) = check.probe {
                    self.probe(&fetcher, probe).await;
                }
                Ok(())
            }
            Outcome::Complete(_) => Err(Error::config(check.not_own)),
            Outcome::Absent(reason) | Outcome::Unavailable(reason) => {
                Err(Error::config(format!("{reason}; {}", check.hint)))
            }
            Outcome::Refused(error) | Outcome::TooLarge(error) | Outcome::UnknownPath(error) => Err(error),
        }
    }

    /// Logs what the probe of a check finds.
    async fn probe(&self, fetcher: &Fetcher, probe: Probe) {
        let log = &self.platform.log;
        let reason = match body(fetcher, probe.request).await {
            Ok(Outcome::Complete(body)) => match (probe.finding)(&body) {
                Ok((level, finding)) => return log.log(level, &finding),
                Err(problem) => problem.to_string(),
            },
            Ok(Outcome::Absent(reason) | Outcome::Unavailable(reason)) => reason,
            Ok(Outcome::Refused(error) | Outcome::TooLarge(error) | Outcome::UnknownPath(error))
            | Err(error) => error.message,
        };
        log.warn(&format!("{}: {reason}", probe.otherwise));
    }

    /// Lists the streams that can be read with this config.
    ///
    /// # Errors
    /// If the config is not understood.
    pub fn discover(&self, config: &str) -> Result<Vec<Discovered>> {
        let config = self.config(config)?;
        let mut schemas = Resolver::new(S::SCHEMAS);
        S::STREAMS.iter().map(|stream| discover::<S>(stream, &mut schemas, &config)).collect()
    }

    /// Prepares to read a stream, continuing from `state`.
    ///
    /// # Errors
    /// If the config, the stream or the state is not understood.
    pub fn read(&self, config: &str, stream: &str, state: Option<&str>) -> Result<Reader<S::Config>> {
        let config = Rc::new(self.config(config)?);
        let stream: &'static Stream<S::Config> = S::STREAMS
            .iter()
            .find(|candidate| candidate.name == stream)
            .ok_or_else(|| Error::config(format!("there is no stream {stream:?}")))?;
        let parent_key = stream.parents().map(|parents| parents.key);
        let state = State::parse(state.unwrap_or("{}"), stream.cursor, parent_key).map_err(|problem| {
            let message = format!(
                "its state is not understood: {problem}; reset the state of this stream to read it anew"
            );
            Error::config(message).in_stream(stream.name)
        })?;
        let now = self.platform.clock.now();
        if let Some(cursor) = state.cursor.as_ref().filter(|cursor| cursor.instant > now) {
            let (stream, text) = (stream.name, &cursor.text);
            let message =
                format!("{stream}: its cursor {text} lies in the future; older records are not read");
            self.platform.log.warn(&message);
        }
        let settings = S::settings(&config);
        let slices = open(stream, Rc::clone(&config), settings.range, state, floor_to_second(now));
        let (api, fetcher) = self.fetcher(&config, settings.retry);
        let tools = Tools { config, api, fetcher, platform: self.platform.clone() };
        Ok(Reader::new(stream, slices, tools, settings.concurrency))
    }

    fn config(&self, text: &str) -> Result<S::Config> {
        let config = S::config(text)?;
        // The cursor could never pass the start of such a read.
        if S::settings(&config).range.start > self.platform.clock.now() {
            return Err(Error::config("config: the start date lies in the future"));
        }
        Ok(config)
    }

    fn fetcher(
        &self,
        config: &Rc<S::Config>,
        policy: RetryPolicy,
    ) -> (Rc<dyn crate::api::Api<S::Config>>, Fetcher) {
        let api = S::api(Rc::clone(config));
        let fetcher = Fetcher::new(self.platform.clone(), api.clone(), policy, Rc::clone(&self.paces));
        (api, fetcher)
    }
}

fn discover<S: Source>(
    stream: &'static Stream<S::Config>,
    schemas: &mut Resolver<'_>,
    config: &S::Config,
) -> Result<Discovered> {
    let schema = schemas
        .resolve(stream.schema, &(stream.properties)(config))
        .map_err(|problem| Error::system(problem.to_string()).in_stream(stream.name))?;
    let fields = stream.primary_key.iter().map(|field| (*field).to_owned());
    Ok(Discovered {
        name: stream.name,
        schema,
        primary_key: fields.chain((stream.key_fields)(config)).collect(),
        cursor: stream.cursor,
        resumable: !matches!(stream.partition, Partition::Whole),
        group: stream.group,
        selected_by_default: S::DEFAULT_GROUPS.is_empty() || S::DEFAULT_GROUPS.contains(&stream.group),
        requests: stream.requests,
    })
}

/// Returns the body of a complete response.
async fn body(fetcher: &Fetcher, request: Request) -> Result<Outcome<Vec<u8>>> {
    fetcher.fetch(request, &RateClass::DEFAULT, |body| Ok(body.to_vec())).await
}

/// Says that an outage kept a check from finding out anything about the config.
fn in_outage(mut error: Error, hint: Option<String>) -> Error {
    if error.failure_type == FailureType::Transient {
        let hint = hint.map(|hint| format!("; if it stays so, {hint}")).unwrap_or_default();
        error.message = format!(
            "an outage, which says nothing about the config: {}; try again later{hint}",
            error.message
        );
    }
    error
}

#[cfg(test)]
mod tests;
