//! Implements the source.

use std::rc::Rc;

use elt_sdk::{
    api::Api,
    error::Result,
    list::utf8,
    log::Level,
    problem::Problem,
    retry::RetryPolicy,
    source::{Check, Finding, Probe, Settings, Source, Specification, is_json},
    stream::Stream,
};
use json_text::{Fields, Json};

use crate::{
    api::OrbApi,
    config::{API_URL, Config},
    requests,
    schemas::{SCHEMAS, SPEC},
    streams::{STREAMS, WEBHOOK_EVENTS},
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
            config_schema: SPEC,
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
            probe: config.reads_webhook_events.then(|| Probe {
                request: requests::get(config, WEBHOOK_EVENTS.path, &[("limit".into(), "1".into())]),
                finding: newest_event,
                otherwise: "webhook events cannot be read, so changes are seen as without them",
            }),
        }
    }
}

/// Returns what a page says of the log of webhook events.
fn newest_event(body: &[u8]) -> std::result::Result<Finding, Problem> {
    let fields = Fields::decode(utf8(body)?)?;
    let events = fields.raw("data").and_then(Json::list).ok_or("there is no list \"data\"")?;
    let newest = events.first().and_then(|event| event.field("created_at")?.text());
    Ok(match newest {
        Some(newest) => (Level::Info, format!("the newest webhook event is of {newest}")),
        None => {
            let message =
                "there are no webhook events; as long as there are none, changes are seen as without them";
            (Level::Warn, message.to_owned())
        }
    })
}

#[cfg(test)]
mod tests;
