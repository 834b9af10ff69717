//! Enriches ledger entries with the configured properties of their events.
//!
//! An entry's `event_id` becomes `event: {"id": …, "properties": {…}}`. Without configured keys
//! no request is made. Entries without an `event_id`, which today are all entries of Orb, stay as
//! they are.
//!
//! Orb finds events by id and only within a timeframe of at most 30 days. An event precedes its
//! entry, so the timeframe ends with the newest entry. Events that are not found are searched for
//! in the 30 days before.

use std::collections::{BTreeSet, BinaryHeap};

use futures_util::future::LocalBoxFuture;
use memchr::memmem::find;
use time::{SignedDuration, Timestamp};

use crate::{config::Config, rates::WRITE, requests};
use elt_sdk::{
    error::{Error, Result},
    fetch::{Fetcher, Outcome},
    instant::format_instant,
    notes::Notes,
    page::Page,
    problem::Problem,
    record::Record,
};
use json_text::{Fields, Json, Object, listed, quoted};

/// The most ids that Orb accepts in one search.
pub const MAX_IDS: usize = 500;

/// The longest timeframe that Orb searches.
const MAX_TIMEFRAME: SignedDuration = SignedDuration::hours(30 * 24);

/// Entries further apart than this are searched for separately, so that each search covers twenty
/// days before its oldest entry.
const MAX_SPAN: SignedDuration = SignedDuration::hours(10 * 24);

/// How far an event may lie after its entry. Orb accepts events up to five minutes in the future.
const FUTURE: SignedDuration = SignedDuration::minutes(10);

/// Replaces the `event_id` of entries by the event, with the configured properties.
pub fn enrich<'a>(config: &'a Config, fetcher: &'a Fetcher, page: Page) -> LocalBoxFuture<'a, Result<Page>> {
    Box::pin(async move {
        let has_keys = config.has_event_keys();
        let mut found = Vec::new();
        for search in if has_keys { searches(&page, fetcher.now()) } else { Vec::new() } {
            find_events(config, fetcher, search, &mut found).await?;
        }
        Ok(complete(page, has_keys, &found, fetcher.notes()))
    })
}

/// Adds the events of a search to `events`. Searches once more in the time before for missing ones.
async fn find_events(
    config: &Config,
    fetcher: &Fetcher,
    search: Search,
    events: &mut Vec<Event>,
) -> Result<()> {
    let mut missing = search;
    for _ in 0..2 {
        let mut parts = vec![missing.clone()];
        while let Some(mut part) = parts.pop().filter(|part| !part.ids.is_empty()) {
            let found = match find_in_timeframe(config, fetcher, &part).await? {
                Ok(found) => found,
                Err(error) if part.ids.len() <= 1 => return Err(error),
                Err(_) => {
                    parts.extend(part.halves());
                    continue;
                }
            };
            let goes_on = found.has_more && !found.events.is_empty();
            events.extend(found.events);
            part.ids.retain(|id| !events.iter().any(|event| event.id == *id));
            if goes_on && !part.ids.is_empty() {
                parts.push(part);
            }
        }
        missing.ids.retain(|id| !events.iter().any(|event| event.id == *id));
        missing = missing.earlier();
    }
    Ok(())
}

/// Returns the events of one request. The inner error means that the request is too large.
async fn find_in_timeframe(config: &Config, fetcher: &Fetcher, search: &Search) -> Result<Result<Found>> {
    let request = requests::post(config, "events/search", search.body());
    let decode = |body: &[u8]| decode(config, fetcher.notes(), body);
    match fetcher.fetch(request, &WRITE, decode).await? {
        Outcome::Complete(found) => Ok(Ok(found)),
        Outcome::TooLarge(error) => Ok(Err(error)),
        Outcome::Refused(error) | Outcome::UnknownPath(error) => Err(error),
        Outcome::Absent(reason) | Outcome::Unavailable(reason) => Err(Error::config(format!(
            "events cannot be searched: {reason}; remove the event properties keys \
             from the config to read without events"
        ))),
    }
}

/// A search for events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The ids, at most [`MAX_IDS`], without duplicates.
    pub ids: Vec<String>,
    /// The end of the timeframe, exclusive.
    pub end: Timestamp,
}

impl Search {
    /// Returns the body of the request.
    pub fn body(&self) -> String {
        let start = self.end.saturating_sub(MAX_TIMEFRAME);
        let mut object = Object::default();
        object.push("event_ids", &listed(self.ids.iter().map(|id| quoted(id))));
        object.push_text("timeframe_start", &format_instant(start));
        object.push_text("timeframe_end", &format_instant(self.end));
        object.finish()
    }

    /// Returns two searches for half of the ids each.
    pub fn halves(self) -> [Self; 2] {
        let (mut ids, end) = (self.ids, self.end);
        let other = ids.split_off(ids.len() / 2);
        [Self { ids, end }, Self { ids: other, end }]
    }

    /// Returns the same search in the time before.
    pub fn earlier(self) -> Self {
        Self { end: self.end.saturating_sub(MAX_TIMEFRAME), ..self }
    }
}

/// Returns the searches for the events of a page, newest first. Ignores entries that can still
/// change, because they are not emitted.
pub fn searches(page: &Page, now: Timestamp) -> Vec<Search> {
    let named = |record: &Record| Some((record.position.unwrap_or(now), event_id(record)?));
    let mut wanted: BinaryHeap<(Timestamp, String)> =
        page.records.iter().filter(|record| !record.unsettled).filter_map(named).collect();
    let (mut searches, mut newest, mut seen) = (Vec::<Search>::new(), None, BTreeSet::new());
    while let Some((position, id)) = wanted.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let fits = |newest: Timestamp| newest - position <= MAX_SPAN;
        match searches.last_mut().filter(|search| search.ids.len() < MAX_IDS && newest.is_some_and(fits)) {
            Some(search) => search.ids.push(id),
            None => {
                newest = Some(position);
                let end = position.saturating_add(FUTURE);
                searches.push(Search { ids: vec![id], end });
            }
        }
    }
    searches
}

fn event_id(record: &Record) -> Option<String> {
    // This search is cheap, and today no entry of Orb has the field.
    find(record.json.as_bytes(), b"\"event_id\"").and_then(|_| record.text("event_id"))
}

/// An event that was found.
#[derive(Debug)]
pub struct Event {
    /// The id by which an entry refers to it.
    pub id: String,
    /// The configured properties, a JSON object.
    pub properties: String,
}

/// The result of a search.
#[derive(Debug)]
pub struct Found {
    /// The events, in the server's order. A page has at most a thousand entries, so they need no
    /// index.
    pub events: Vec<Event>,
    /// Whether more events match. Today Orb always returns all at once.
    pub has_more: bool,
}

/// Decodes the response to a search.
///
/// # Errors
/// If it is not a list of events.
pub fn decode(config: &Config, notes: &Notes, body: &[u8]) -> Result<Found, Problem> {
    let answer = str::from_utf8(body).map_err(|error| Problem::new(error.to_string()))?;
    let answer = Fields::decode(answer)?;
    let mut events = Vec::new();
    for event in answer.raw("data").and_then(Json::list).ok_or("there is no list \"data\"")? {
        let event = Fields::of(event).ok_or("an event is not an object")?;
        let id = event.text("id").ok_or("an event has no \"id\"")?;
        let properties = event.value("properties").map_or("{}", Json::get);
        events.push(Event { id: id.into_owned(), properties: selection(config, notes, properties) });
    }
    let has_more = match answer.value("pagination_metadata") {
        Some(pagination) => {
            let pagination = Fields::of(pagination).ok_or("\"pagination_metadata\" is not an object")?;
            pagination.flag("has_more").ok_or("there is no \"has_more\"")?
        }
        None => false,
    };
    Ok(Found { events, has_more })
}

/// Selects the configured properties and converts them to the configured types.
fn selection(config: &Config, notes: &Notes, properties: &str) -> String {
    let mut object = Object::default();
    for (name, value) in Fields::decode(properties).iter().flat_map(Fields::iter) {
        let is_in = |keys: &[String]| keys.iter().any(|key| name.is(key));
        let converted = if is_in(&config.string_event_properties_keys) {
            as_string(value)
        } else if is_in(&config.numeric_event_properties_keys) {
            as_number(value)
        } else {
            continue;
        };
        let name = name.text().unwrap_or_default();
        if converted.is_none() {
            let key = name.clone().into_owned();
            notes.count(&format!("type of {key}"), move |count| {
                format!(
                    "the event property {key:?} was not of the configured type {count} times, and was set \
                     to null"
                )
            });
        }
        object.push(&name, converted.as_deref().unwrap_or("null"));
    }
    object.finish()
}

/// Converts a value to a JSON string. `None` if that is not exact.
fn as_string(value: Json<'_>) -> Option<String> {
    match value.get().as_bytes().first() {
        Some(b'"' | b'n') => Some(value.get().to_owned()),
        Some(b'{' | b'[') | None => None,
        Some(_) => Some(quoted(value.get())),
    }
}

/// Converts a value to a JSON number. `None` if that is not exact.
fn as_number(value: Json<'_>) -> Option<String> {
    let is_number = |text: &str| text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let text = value.get();
    if text == "null" || is_number(text) {
        return Some(text.to_owned());
    }
    let inner = value.text()?;
    let number = Json::parse(&inner).ok()?;
    is_number(number.get()).then(|| number.get().to_owned())
}

/// Adds the events that were found to the page.
pub fn complete(page: Page, has_keys: bool, found: &[Event], notes: &Notes) -> Page {
    let is_replaced = |name: Json<'_>| name.is("event_id") || name.is("event");
    let records = page.records.into_iter().map(|record| {
        let Some(id) = event_id(&record).filter(|_| !record.unsettled) else { return record };
        let mut event = Object::default();
        event.push_text("id", &id);
        match found.iter().find(|event| event.id == id) {
            Some(found) => event.push("properties", &found.properties),
            None if has_keys => {
                let id = id.clone();
                notes.count("unknown event", move |count| {
                    format!(
                        "{count} entries have no event properties because their events were not found, \
                         for example {id:?}"
                    )
                });
            }
            None => {}
        }
        let mut object = Object::default();
        let fields = record.fields();
        for (name, value) in fields.iter().flat_map(Fields::iter).filter(|(name, _)| !is_replaced(*name)) {
            object.carry(name, value.get());
        }
        object.push("event", &event.finish());
        Record { json: object.finish(), ..record }
    });
    Page { records: records.collect(), ..page }
}

/// Returns the schema of an entry's `event`, with the configured keys.
pub fn properties(config: &Config) -> Vec<(String, String)> {
    let mut keys = Object::default();
    for key in &config.string_event_properties_keys {
        keys.push(key, r#"{"type":["null","string"]}"#);
    }
    for key in &config.numeric_event_properties_keys {
        keys.push(key, r#"{"type":["null","number"]}"#);
    }
    let mut properties = Object::default();
    properties.push("id", r#"{"type":"string"}"#);
    properties.push("properties", &open_object(None, keys));
    let description = "The event behind the entry, if Orb names one, with the configured properties.";
    vec![("event".to_owned(), open_object(Some(description), properties))]
}

/// Returns the schema of a nullable object with these properties and perhaps others.
fn open_object(description: Option<&str>, properties: Object) -> String {
    let mut object = Object::default();
    object.push("type", r#"["null","object"]"#);
    if let Some(description) = description {
        object.push_text("description", description);
    }
    object.push("additionalProperties", "true");
    object.push("properties", &properties.finish());
    object.finish()
}

#[cfg(test)]
mod tests;
