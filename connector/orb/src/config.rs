//! Parses the config.
//!
//! The form of the config is that of `spec.json`: Airbyte's for Orb, plus a few properties. Errors
//! name the property.

use elt_sdk::{
    cursor::TimeRange,
    error::{Error, Result},
    properties::Properties,
    secret::Secret,
    source::RETRY_MINUTES,
};
use time::SignedDuration;

/// The default address of Orb's API (Orb's API reference, "Base URL").
pub const API_URL: &str = "https://api.withorb.com/v1";

/// The longest number of days: a hundred years.
const MAX_DAYS: u32 = 36_500;

/// How many days after its date an open invoice is looked at by default. Few older ones change, and
/// each hundred of them is a request.
const OPEN_INVOICE_DAYS: u32 = 90;

/// The default number of requests in flight per stream. Reading Orb's lists is bound by latency:
/// sixteen requests at once read the ledgers of 300 customers in 0.93 s at a latency of 40 ms
/// (docs/BENCHMARKS.md), and stay below Orb's 100 requests per second at a latency of 160 ms or
/// more.
pub const CONCURRENCY: usize = 16;

/// More requests in flight than this only exceed the rate limit.
const MAX_CONCURRENCY: u32 = 64;

/// Retrying for longer would come close to the 15 minutes after which the host ends a call.
const MAX_RETRY_MINUTES: u32 = 10;

/// The statuses that Orb knows, and those that are read by default.
type Statuses = (&'static [&'static str], &'static [&'static str]);

/// The statuses of a subscription change. Orb does not say which it returns by default.
const CHANGES: Statuses = (&["pending", "applied", "cancelled"], &["pending", "applied", "cancelled"]);

/// The statuses of a billable metric. Orb's OpenAPI document does not have the filter, but its SDK
/// does.
const METRICS: Statuses = (&["active", "draft", "archived"], &[]);

/// The config of a sync.
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
    pub open_invoice_days: u32,
    /// After how many days a stream is read whole again. 0 never does.
    pub full_sweep_days: u32,
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
        let properties = Properties::decode(json)?;
        let text_keys = properties.texts("string_event_properties_keys")?.unwrap_or_default();
        let numeric_keys = properties.texts("numeric_event_properties_keys")?.unwrap_or_default();
        if let Some(key) = text_keys.iter().find(|key| numeric_keys.contains(key)) {
            return Err(Error::config(format!(
                "config: {key:?} is in both string_event_properties_keys and numeric_event_properties_keys; a key \
                 has values of one type"
            )));
        }
        Ok(Self {
            api_key: properties.required("api_key", Properties::secret)?,
            api_url: properties.url("api_url")?.unwrap_or_else(|| API_URL.to_owned()),
            range: properties.time_range()?,
            string_event_properties_keys: text_keys,
            numeric_event_properties_keys: numeric_keys,
            subscription_usage_grouping_key: properties.text("subscription_usage_grouping_key")?,
            plan_id: properties.text("plan_id")?,
            draft_invoices: properties.flag("draft_invoices")?.unwrap_or_default(),
            ledger_currencies: properties.texts("ledger_currencies")?.unwrap_or_default(),
            cost_currencies: properties.texts("cost_currencies")?.unwrap_or_default(),
            subscription_change_statuses: statuses(&properties, "subscription_change_statuses", CHANGES)?,
            billable_metric_statuses: statuses(&properties, "billable_metric_statuses", METRICS)?,
            open_invoice_days: properties
                .number("open_invoice_days", 0..=MAX_DAYS)?
                .unwrap_or(OPEN_INVOICE_DAYS),
            full_sweep_days: properties.number("full_sweep_days", 0..=MAX_DAYS)?.unwrap_or_default(),
            reads_webhook_events: reads_webhook_events(&properties)?,
            concurrency: properties
                .number("concurrency", 1..=MAX_CONCURRENCY)?
                .map_or(CONCURRENCY, |number| number as usize),
            retry_minutes: properties
                .number("retry_minutes", 0..=MAX_RETRY_MINUTES)?
                .map_or(RETRY_MINUTES, u64::from),
        })
    }

    /// Returns how long after its date an open invoice is looked at. `None` if it is not.
    pub fn open_invoices_for(&self) -> Option<SignedDuration> {
        days(self.open_invoice_days)
    }

    /// Returns after how long a stream is read whole again. `None` if it is not.
    pub fn sweep(&self) -> Option<SignedDuration> {
        days(self.full_sweep_days)
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

#[cfg(test)]
impl Config {
    /// Parses a config for tests, with further properties such as `,"concurrency":1`.
    pub(crate) fn sample(further: &str) -> Self {
        let required = r#""api_key":"hidden","start_date":"2024-01-01T00:00:00Z""#;
        Self::parse(&format!("{{{required}{further}}}")).unwrap()
    }
}

/// Reads a list of statuses. If it is absent, returns the default ones.
fn statuses(properties: &Properties<'_>, name: &str, (known, default): Statuses) -> Result<Vec<String>> {
    let statuses = properties.choices(name, known)?;
    Ok(statuses.unwrap_or_else(|| default.iter().map(|status| (*status).to_owned()).collect()))
}

/// Returns whether `changes` is `webhook_events`.
fn reads_webhook_events(properties: &Properties<'_>) -> Result<bool> {
    match properties.text("changes")?.as_deref() {
        None | Some("none") => Ok(false),
        Some("webhook_events") => Ok(true),
        Some(other) => {
            Err(Error::config(format!("config: changes is {other:?}; it may be none or webhook_events")))
        }
    }
}

/// Returns a number of days. `None` if it is 0.
fn days(days: u32) -> Option<SignedDuration> {
    (days > 0).then(|| SignedDuration::days(days.into()))
}

#[cfg(test)]
mod tests;
