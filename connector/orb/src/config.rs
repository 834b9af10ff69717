//! Parses the config.
//!
//! The form of the config is that of `spec.json`: Airbyte's for Orb, plus a few properties. Errors
//! name the property.

use std::{borrow::Cow, fmt, ops::RangeInclusive};

use time::{SignedDuration, Timestamp};

use elt_sdk::{
    cursor::TimeRange,
    error::{Error, Result},
    instant::parse_instant,
};
use json_text::{Fields, Json};

/// The default address of Orb's API (Orb's API reference, "Base URL").
pub const API_URL: &str = "https://api.withorb.com/v1";

/// The longest number of days: a hundred years.
const MAX_DAYS: i64 = 36_500;

/// How many days after its date an open invoice is looked at by default. Few older ones change, and
/// each hundred of them is a request.
const OPEN_INVOICE_DAYS: i64 = 90;

/// The default number of requests in flight per stream. Reading Orb's lists is bound by latency:
/// sixteen requests at once read the ledgers of 300 customers in 0.93 s at a latency of 40 ms
/// (docs/BENCHMARKS.md), and stay below Orb's 100 requests per second at a latency of 160 ms or
/// more.
pub const CONCURRENCY: usize = 16;

/// More requests in flight than this only exceed the rate limit.
const MAX_CONCURRENCY: i64 = 64;

/// How many minutes a request is retried by default. Restarts and failovers take less. For longer
/// outages, the platform runs the sync again.
pub const RETRY_MINUTES: u64 = 5;

/// Retrying for longer would come close to the 15 minutes after which the host ends a call.
const MAX_RETRY_MINUTES: i64 = 10;

/// Keys shorter than this are not redacted, because they would match anywhere.
const MIN_SECRET: usize = 4;

/// The statuses that Orb knows, and those that are read by default.
type Statuses = (&'static [&'static str], &'static [&'static str]);

/// The statuses of a subscription change. Orb does not say which it returns by default.
const CHANGES: Statuses = (&["pending", "applied", "cancelled"], &["pending", "applied", "cancelled"]);

/// The statuses of a billable metric. Orb's OpenAPI document does not have the filter, but its SDK
/// does.
const METRICS: Statuses = (&["active", "draft", "archived"], &[]);

/// A string that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the value. Only the code that sends it may call this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The configuration of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Orb's API key.
    pub api_key: Secret,
    /// The base URL of the API, without a trailing slash.
    pub api_url: String,
    /// The time range to read of each stream.
    pub range: TimeRange,
    /// Event properties with text values that ledger entries are enriched with.
    pub string_event_properties_keys: Vec<String>,
    /// Event properties with numeric values that ledger entries are enriched with.
    pub numeric_event_properties_keys: Vec<String>,
    /// The event property by which usage is grouped.
    pub subscription_usage_grouping_key: Option<String>,
    /// The plan whose subscriptions' usage is read. All if `None`.
    pub plan_id: Option<String>,
    /// Whether to read draft invoices, too.
    pub draft_invoices: bool,
    /// Currencies whose credits ledgers and credit blocks are read. If empty, Orb's default
    /// currency.
    pub ledger_currencies: Vec<String>,
    /// Currencies in which costs are read. If empty, the one that Orb returns by default.
    pub cost_currencies: Vec<String>,
    /// Statuses of which subscription changes are read. If empty, those that Orb returns by
    /// default.
    pub subscription_change_statuses: Vec<String>,
    /// Statuses of which billable metrics are read. If empty, those that Orb returns by default.
    pub billable_metric_statuses: Vec<String>,
    /// How many days after its date an invoice is looked at until it is paid or void. 0 looks at
    /// none.
    pub open_invoice_days: i64,
    /// After how many days a stream is read whole again. 0 never does.
    pub full_sweep_days: i64,
    /// Whether webhook events tell which objects have changed.
    pub reads_webhook_events: bool,
    /// The most requests that a stream has in flight: 1 to 64.
    pub concurrency: usize,
    /// How many minutes a request is retried: 0 to 10.
    pub retry_minutes: u64,
}

impl Config {
    /// Parses the config.
    ///
    /// # Errors
    /// A config error that names the property and says what is expected.
    pub fn parse(json: &str) -> Result<Self> {
        let fields = Fields::decode(json)
            .map_err(|problem| Error::config(format!("the config is not a JSON object: {problem}")))?;
        let properties = Properties(fields);
        let api_key = properties.api_key()?;
        let start = properties.instant("start_date")?.ok_or_else(|| required("start_date"))?;
        let end = properties.instant("end_date")?;
        if end.is_some_and(|end| end < start) {
            return Err(Error::config("config: end_date is before start_date"));
        }
        let text_keys = properties.set("string_event_properties_keys")?;
        let numeric_keys = properties.set("numeric_event_properties_keys")?;
        if let Some(key) = text_keys.iter().find(|key| numeric_keys.contains(key)) {
            return Err(Error::config(format!(
                "config: {key:?} is in both string_event_properties_keys and numeric_event_properties_keys; a key \
                 has values of one type"
            )));
        }
        Ok(Self {
            api_key,
            api_url: properties.api_url()?,
            range: TimeRange { start, end, lookback: properties.lookback()? },
            string_event_properties_keys: text_keys,
            numeric_event_properties_keys: numeric_keys,
            subscription_usage_grouping_key: properties
                .non_empty_string("subscription_usage_grouping_key")?,
            plan_id: properties.non_empty_string("plan_id")?,
            draft_invoices: properties.flag("draft_invoices")?,
            ledger_currencies: properties.set("ledger_currencies")?,
            cost_currencies: properties.set("cost_currencies")?,
            subscription_change_statuses: properties.statuses("subscription_change_statuses", CHANGES)?,
            billable_metric_statuses: properties.statuses("billable_metric_statuses", METRICS)?,
            open_invoice_days: properties
                .number("open_invoice_days", 0..=MAX_DAYS)?
                .unwrap_or(OPEN_INVOICE_DAYS),
            full_sweep_days: properties.number("full_sweep_days", 0..=MAX_DAYS)?.unwrap_or(0),
            reads_webhook_events: properties.reads_webhook_events()?,
            concurrency: properties.concurrency()?,
            retry_minutes: properties.retry_minutes()?,
        })
    }

    /// Returns how long after its date an open invoice is looked at. `None` if it is not.
    pub fn open_invoices_for(&self) -> Option<SignedDuration> {
        (self.open_invoice_days > 0).then(|| SignedDuration::days(self.open_invoice_days))
    }

    /// Returns after how long a stream is read whole again. `None` if it is not.
    pub fn sweep(&self) -> Option<SignedDuration> {
        (self.full_sweep_days > 0).then(|| SignedDuration::days(self.full_sweep_days))
    }

    /// Removes the API key from a text, since a server may repeat it.
    pub fn redact(&self, text: &str) -> String {
        let key = self.api_key.expose();
        if key.len() < MIN_SECRET { text.to_owned() } else { text.replace(key, "[secret]") }
    }

    /// Returns whether to enrich ledger entries.
    pub fn has_event_keys(&self) -> bool {
        !self.string_event_properties_keys.is_empty() || !self.numeric_event_properties_keys.is_empty()
    }

    /// Returns the parts of a list that is requested once for each of these values, or once without
    /// any.
    pub fn parts(values: &[String]) -> Vec<Option<String>> {
        if values.is_empty() { vec![None] } else { values.iter().cloned().map(Some).collect() }
    }

    /// Returns the filter that includes draft invoices, if the config wants them.
    pub fn draft_filter(&self) -> Vec<(&'static str, String)> {
        if self.draft_invoices { vec![("status[]", "draft".to_owned())] } else { Vec::new() }
    }
}

/// Reads properties of the config by type. A null property counts as absent.
struct Properties<'a>(Fields<'a>);

impl<'a> Properties<'a> {
    /// Returns a property, converted by `convert`. `None` if it is absent.
    fn get<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        let wrong_type = || Error::config(format!("config: {name} must be {expected}"));
        self.0.value(name).map(|value| convert(value).ok_or_else(wrong_type)).transpose()
    }

    fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>> {
        self.get(name, "a string", Json::text)
    }

    /// Returns a string. An empty one counts as absent, because forms send it.
    fn non_empty_string(&self, name: &str) -> Result<Option<String>> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()).map(Cow::into_owned))
    }

    /// Reads a list of strings. Drops duplicates and empty ones.
    fn set(&self, name: &str) -> Result<Vec<String>> {
        let texts = |value: Json<'a>| value.list()?.into_iter().map(Json::text).collect::<Option<Vec<_>>>();
        let mut set = Vec::new();
        for text in self.get(name, "a list of strings", texts)?.unwrap_or_default() {
            if !text.is_empty() && !set.iter().any(|other| *other == text) {
                set.push(text.into_owned());
            }
        }
        Ok(set)
    }

    /// Reads a list of statuses. If it is absent, returns the default ones.
    fn statuses(&self, name: &str, (known, default): Statuses) -> Result<Vec<String>> {
        if self.0.value(name).is_none() {
            return Ok(default.iter().map(|status| (*status).to_owned()).collect());
        }
        let statuses = self.set(name)?;
        match statuses.iter().find(|status| !known.contains(&status.as_str())) {
            Some(unknown) => {
                let known = known.join(", ");
                Err(Error::config(format!("config: {name} has {unknown:?}; it may have: {known}")))
            }
            None => Ok(statuses),
        }
    }

    /// Returns whether `changes` is `webhook_events`. An empty string counts as absent.
    fn reads_webhook_events(&self) -> Result<bool> {
        match self.text("changes")?.as_deref() {
            None | Some("" | "none") => Ok(false),
            Some("webhook_events") => Ok(true),
            Some(other) => {
                Err(Error::config(format!("config: changes is {other:?}; it may be none or webhook_events")))
            }
        }
    }

    fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.get(name, "true or false", |value| value.get().parse().ok())?.unwrap_or_default())
    }

    /// Reads a timestamp such as `2022-03-01T00:00:00Z`. An empty string counts as absent, because
    /// forms send it.
    fn instant(&self, name: &str) -> Result<Option<Timestamp>> {
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        let parse = |text: &str| {
            let is_whole = text.len() == "2022-03-01T00:00:00Z".len() && text.ends_with('Z');
            parse_instant(text).filter(|_| is_whole && text.contains('T'))
        };
        let error =
            || Error::config(format!("config: {name} is {text:?}; it must look like 2022-03-01T00:00:00Z"));
        parse(&text).map(Some).ok_or_else(error)
    }

    fn api_key(&self) -> Result<Secret> {
        let key = self.text("api_key")?.ok_or_else(|| required("api_key"))?;
        let key = key.trim();
        if key.is_empty() {
            return Err(Error::config("config: api_key is empty"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::config(
                "config: api_key contains an invalid character; copy it again from Orb",
            ));
        }
        Ok(Secret(key.to_owned()))
    }

    fn api_url(&self) -> Result<String> {
        let url = self.text("api_url")?.unwrap_or(Cow::Borrowed(API_URL));
        let url = url.trim().trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_plain = |rest: &str| {
            !rest.is_empty()
                && !rest.starts_with('/')
                && rest.bytes().all(|b| b.is_ascii_graphic() && !b"?#@\\".contains(&b))
        };
        if !rest.is_some_and(is_plain) {
            return Err(Error::config(format!(
                "config: api_url must look like {API_URL}: http or https, a host and optionally a path"
            )));
        }
        Ok(url.to_owned())
    }

    fn lookback(&self) -> Result<SignedDuration> {
        let days = self.number("lookback_window_days", 0..=MAX_DAYS)?.unwrap_or(0);
        Ok(SignedDuration::days(days))
    }

    fn concurrency(&self) -> Result<usize> {
        let number = self.number("concurrency", 1..=MAX_CONCURRENCY)?;
        Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(CONCURRENCY))
    }

    fn retry_minutes(&self) -> Result<u64> {
        let number = self.number("retry_minutes", 0..=MAX_RETRY_MINUTES)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(RETRY_MINUTES))
    }

    /// Reads a whole number. `3.0` and `3e0` are accepted, since JSON does not distinguish them.
    fn number(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let whole = |value: Json<'_>| value.integer().filter(|number| range.contains(number));
        self.get(name, &expected, whole)
    }
}

fn required(name: &str) -> Error {
    Error::config(format!("config: {name} is a required property"))
}

#[cfg(test)]
mod tests;
