//! Implements the source.

use std::rc::Rc;

use elt_sdk::{
    api::Api,
    error::Result,
    retry::RetryPolicy,
    source::{Check, Settings, Source, Specification, is_json},
    stream::Stream,
};

use crate::{
    api::OrbApi,
    config::{API_URL, Config},
    requests,
    schemas::SCHEMAS,
    streams::STREAMS,
};

/// The Orb source.
#[derive(Debug)]
pub struct Orb;

impl Source for Orb {
    type Config = Config;

    const STREAMS: &'static [&'static Stream<Config>] = STREAMS;

    const DEFAULT_GROUPS: &'static [&'static str] = &["core"];

    const SCHEMAS: &'static [(&'static str, &'static str)] = SCHEMAS;

    fn specification() -> Specification {
        Specification {
            name: "orb",
            version: env!("CARGO_PKG_VERSION"),
            config_schema: include_str!("../spec.json"),
            documentation_url: "https://docs.withorb.com/",
            allowed_hosts: &["${api_url}"],
        }
    }

    fn config(text: &str) -> Result<Config> {
        Config::parse(text)
    }

    fn settings(config: &Config) -> Settings {
        Settings {
            range: config.range,
            concurrency: config.concurrency,
            retry: RetryPolicy::read(config.retry_minutes),
        }
    }

    fn api(config: Rc<Config>) -> Rc<dyn Api<Config>> {
        Rc::new(OrbApi::new(config))
    }

    fn check(config: &Config) -> Check {
        Check {
            request: requests::get(config, "ping", &[]),
            is_own: is_json,
            not_own: format!("the server at api_url is not Orb's API, which is at {API_URL}"),
            hint: format!("check api_url; Orb's API is at {API_URL}"),
            hint_in_outage: (config.api_url != API_URL).then(|| "check api_url".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
