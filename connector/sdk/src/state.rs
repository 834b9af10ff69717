//! Parses and writes the state of a stream.
//!
//! A finished stream has one cursor, `{"created_at": "…"}`, however it was cut into slices.
//! Airbyte's connectors read and write this form for plain streams. An unfinished stream with
//! parents also records its progress:
//!
//! ```json
//! {"created_at": "…", "unfinished": {
//!     "version": 1, "opened": "…", "parents_after": "…", "observed": "…", "held": "…"}}
//! ```
//!
//! `created_at` is then the cursor of the last finished read. Since then, the lists of parents
//! created after `parents_after` (and not after `opened`) have been read. `observed` is the newest
//! instant seen, and `held` the oldest instant of a record that can still change. `parents` holds
//! cursors of single parents, which only states written by other connectors have.

mod memory;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use time::{SignedDuration, Timestamp};

use crate::{
    cursor::Cursor,
    instant::{format_instant, parse_instant},
    problem::Problem,
};
use json_text::{Fields, Json, Object};

pub use self::memory::{Memory, Sweep};

/// The version of `unfinished`.
const VERSION: &str = "1";

/// The keys of a state with partitions, as Airbyte's CDK writes it. Each is optional.
const PARTITION_KEYS: [&str; 5] = ["states", "state", "use_global_cursor", "lookback_window", "parent_state"];

/// The state of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The cursor of the stream.
    pub cursor: Option<Cursor>,
    /// Cursors of single parents, where they differ from the stream's.
    pub parents: BTreeMap<String, Cursor>,
    /// The progress of an unfinished read.
    pub unfinished: Option<Unfinished>,
    /// What finds out what has changed.
    pub memory: Memory,
}

/// The progress of an unfinished read of a stream with parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// When the read was opened.
    pub opened: Timestamp,
    /// The lists of parents created after this instant have been read.
    pub parents_after: Timestamp,
    /// The newest position seen.
    pub observed: Option<Timestamp>,
    /// The oldest position of a record that can still change.
    pub held: Option<Timestamp>,
}

impl State {
    /// Parses the state of a stream with the given cursor field, if it has one.
    ///
    /// For a stream that is partitioned by parents, `parent_key` is the parent's name in states of
    /// other connectors. Then two more forms are accepted: cursors per parent,
    /// `{"<id>": {"created_at": "…"}}`, and those of Airbyte's CDK, with any of their keys,
    /// `{"states": [{"partition": {…}, "cursor": {…}}], "state": {…}}`.
    ///
    /// # Errors
    /// If the state has an unknown form.
    pub fn parse(text: &str, cursor_field: Option<&str>, parent_key: Option<&str>) -> Result<Self, Problem> {
        let fields = Fields::decode(text)
            .map_err(|problem| Problem::from(problem).within("it is not a JSON object"))?;
        let Some(cursor_field) = cursor_field else { return parse_progress(&fields) };
        match parent_key {
            Some(parent_key) if PARTITION_KEYS.iter().any(|key| fields.raw(key).is_some()) => {
                parse_partitions(&fields, cursor_field, parent_key)
            }
            Some(_) if is_cursors(&fields, cursor_field) => {
                let parents = parse_cursors(&fields, cursor_field)?;
                Ok(Self { parents, ..Self::default() })
            }
            _ => parse_fields(&fields, cursor_field),
        }
    }

    /// Formats the state as JSON, on one line.
    pub fn to_json(&self, cursor_field: Option<&str>) -> String {
        self.to_json_with(self.unfinished, cursor_field)
    }

    /// Formats the state with `unfinished` in place of its own, as JSON on one line.
    pub fn to_json_with(&self, unfinished: Option<Unfinished>, cursor_field: Option<&str>) -> String {
        let mut object = Object::default();
        if let (Some(cursor), Some(cursor_field)) = (&self.cursor, cursor_field) {
            object.push_text(cursor_field, &cursor.text);
        }
        if let Some(unfinished) = unfinished {
            object.push("unfinished", &unfinished.to_json());
        }
        if let Some(cursor_field) = cursor_field.filter(|_| !self.parents.is_empty()) {
            let mut parents = Object::default();
            for (id, Cursor { text, .. }) in &self.parents {
                let mut parent = Object::default();
                parent.push_text(cursor_field, text);
                parents.push(id, &parent.finish());
            }
            object.push("parents", &parents.finish());
        }
        self.memory.push_to(&mut object);
        object.finish()
    }
}

impl Unfinished {
    fn to_json(self) -> String {
        let mut object = Object::default();
        object.push("version", VERSION);
        let mut put = |name: &str, instant: Option<Timestamp>| {
            if let Some(instant) = instant {
                object.push_text(name, &format_instant(instant));
            }
        };
        put("opened", Some(self.opened));
        put("parents_after", Some(self.parents_after));
        put("observed", self.observed);
        put("held", self.held);
        object.finish()
    }

    fn parse(value: Json<'_>) -> Result<Self, Problem> {
        let fields = Fields::of(value).ok_or("\"unfinished\" is not an object")?;
        let version = fields.raw("version").map_or("null", Json::get);
        if version != VERSION {
            return Err(Problem::new(format!(
                "its version is {version}, but this connector reads version {VERSION}"
            )));
        }
        let optional = |name: &str| {
            let value = fields.value(name);
            value.map(|value| parse_text(Some(value), name).map(|cursor| cursor.instant)).transpose()
        };
        let required =
            |name: &str| optional(name)?.ok_or_else(|| Problem::new(format!("{name:?} is missing")));
        Ok(Self {
            opened: required("opened")?,
            parents_after: required("parents_after")?,
            observed: optional("observed")?,
            held: optional("held")?,
        })
    }
}

/// Parses the state of a stream without a cursor, which holds progress or nothing.
fn parse_progress(fields: &Fields<'_>) -> Result<State, Problem> {
    let mut state = State::default();
    for (name, value) in fields.iter() {
        if !name.is("unfinished") {
            return Err(Problem::new(format!("it has {}, but this stream has no cursor", name.get())));
        }
        state.unfinished = Some(Unfinished::parse(value)?);
    }
    Ok(state)
}

/// Parses our own form, and the plain form of other connectors.
fn parse_fields(fields: &Fields<'_>, cursor_field: &str) -> Result<State, Problem> {
    let mut state = State::default();
    for (name, value) in fields.iter() {
        let name = name.text().unwrap_or_default();
        match &*name {
            name if name == cursor_field && value.get() == "null" => {}
            name if name == cursor_field => state.cursor = Some(parse_text(Some(value), name)?),
            "unfinished" => state.unfinished = Some(Unfinished::parse(value)?),
            "parents" => {
                let fields = Fields::of(value).ok_or("\"parents\" is not an object")?;
                state.parents = parse_cursors(&fields, cursor_field)?;
            }
            name => {
                if state.memory.parse(name, value)? {
                    continue;
                }
                let message = format!("it has {name:?}, but the cursor of this stream is {cursor_field:?}");
                return Err(Problem::new(message));
            }
        }
    }
    Ok(state)
}

/// Parses the form of Airbyte's CDK, with a cursor per partition or a global one. The CDK switches
/// to the global cursor above 10,000 partitions. The lookback window is then subtracted from it; it
/// is how long the sync took.
///
/// If there are cursors per partition, a parent without one is read from the start. The CDK
/// continues from the global cursor instead, but entries of a parent that it has never read can be
/// older than that.
fn parse_partitions(fields: &Fields<'_>, cursor_field: &str, parent_key: &str) -> Result<State, Problem> {
    let mut state = State::default();
    let is_global = match fields.value("use_global_cursor") {
        Some(flag) => flag.get().parse().map_err(|_| "\"use_global_cursor\" is not true or false")?,
        // An older class of the CDK writes a global cursor and no flag.
        None => fields.value("states").is_none(),
    };
    if let Some(states) = fields.value("states") {
        state.parents = parse_elements(states, cursor_field, parent_key)?;
    }
    let global = match fields.value("state") {
        Some(global) => Some(Fields::of(global).ok_or("\"state\" is not an object")?),
        None => None,
    };
    // Next to the other keys, the cursor of a plain stream is global, too.
    let global = global.as_ref().and_then(|global| global.value(cursor_field)).or(fields.value(cursor_field));
    let lookback = fields.value("lookback_window").map_or(Ok(SignedDuration::ZERO), parse_seconds)?;
    if let Some(global) = global.filter(|_| is_global) {
        let cursor = parse_text(Some(global), cursor_field)?;
        state.cursor = if lookback.is_zero() {
            Some(cursor)
        } else {
            // Out of range, so the read begins at the start.
            cursor.instant.checked_sub(lookback).map(Cursor::at)
        };
    }
    Ok(state)
}

/// Parses the cursors of single partitions. Returns them by parent.
fn parse_elements(
    states: Json<'_>,
    cursor_field: &str,
    parent_key: &str,
) -> Result<BTreeMap<String, Cursor>, Problem> {
    let (mut listed, mut from_start) = (Vec::new(), BTreeSet::new());
    for element in states.list().ok_or("\"states\" is not a list")? {
        let element = Fields::of(element).ok_or("a partition is not an object")?;
        let id = element.object("partition").and_then(|partition| parent_id(partition, parent_key));
        let id = id.ok_or_else(|| format!("a partition has no {parent_key:?}"))?;
        let cursor = match element.value("cursor") {
            Some(cursor) => Fields::of(cursor)
                .ok_or("the \"cursor\" of a partition is not an object")?
                .value(cursor_field),
            None => None,
        };
        match cursor {
            Some(cursor) => listed.push((id, parse_text(Some(cursor), cursor_field)?)),
            None => drop(from_start.insert(id)),
        }
    }
    // A parent with several partitions continues from the one that is furthest behind, and from the
    // start if one has no cursor.
    let mut cursors = BTreeMap::<String, Cursor>::new();
    for (id, cursor) in listed.into_iter().filter(|(id, _)| !from_start.contains(id)) {
        if cursors.get(&id).is_none_or(|known| cursor.instant < known.instant) {
            cursors.insert(id, cursor);
        }
    }
    Ok(cursors)
}

/// Returns the parent's id, from the partition itself or from its `parent_slice`.
fn parent_id(partition: Fields<'_>, key: &str) -> Option<String> {
    let mut partition = partition;
    loop {
        if let Some(id) = partition.value(key) {
            let is_number = id.get().starts_with(|first: char| first.is_ascii_digit() || first == '-');
            return id.text().map(Cow::into_owned).or_else(|| is_number.then(|| id.get().to_owned()));
        }
        partition = partition.object("parent_slice")?;
    }
}

/// Parses a number of seconds, which may be in a string. Rounds up.
fn parse_seconds(value: Json<'_>) -> Result<SignedDuration, Problem> {
    let text = value.text().map_or_else(|| value.get().to_owned(), Cow::into_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        let message = format!("\"lookback_window\" is {}, not a number of seconds", value.get());
        return Err(Problem::new(message));
    }
    let more = i64::from(fraction.bytes().any(|digit| digit != b'0'));
    Ok(SignedDuration::seconds(whole.parse().unwrap_or(i64::MAX).saturating_add(more)))
}

/// Returns whether every field is an object that holds a cursor and nothing else.
fn is_cursors(fields: &Fields<'_>, cursor_field: &str) -> bool {
    let is_cursor = |value: Json<'_>| {
        Fields::of(value).is_some_and(|fields| {
            fields.iter().all(|(name, _)| name.is(cursor_field)) && fields.iter().count() == 1
        })
    };
    fields.iter().next().is_some() && fields.iter().all(|(_, value)| is_cursor(value))
}

fn parse_cursors(fields: &Fields<'_>, cursor_field: &str) -> Result<BTreeMap<String, Cursor>, Problem> {
    let mut cursors = BTreeMap::new();
    for (id, value) in fields.iter() {
        let id = id.text().ok_or("the id of a parent is not valid Unicode")?;
        cursors.insert(id.into_owned(), parse_text(value.field(cursor_field), cursor_field)?);
    }
    Ok(cursors)
}

fn parse_text(value: Option<Json<'_>>, name: &str) -> Result<Cursor, Problem> {
    let json = value.map_or("null", Json::get);
    let text = value
        .and_then(Json::text)
        .ok_or_else(|| format!("{name:?} is {json}, not a timestamp in a string"))?;
    let instant = parse_instant(&text)
        .ok_or_else(|| format!("{name:?} is {text:?}, not a timestamp with an offset"))?;
    Ok(Cursor { text: text.into_owned(), instant })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    fn parse(text: &str) -> Result<State, Problem> {
        State::parse(text, Some("created_at"), None)
    }

    fn parse_with_parents(text: &str) -> Result<State, Problem> {
        State::parse(text, Some("created_at"), Some("owner_id"))
    }

    fn cursor(text: &str) -> Cursor {
        Cursor::parse(text).unwrap()
    }

    #[test]
    fn an_empty_object_is_no_state() {
        assert_eq!(parse("{}"), Ok(State::default()));
        assert_eq!(parse_with_parents(r#"{"created_at":null}"#), Ok(State::default()));
    }

    #[test]
    fn a_stream_without_a_cursor_has_only_progress() {
        let at = instant("2024-05-01T00:00:00Z");
        let unfinished = Unfinished { opened: at, parents_after: at, observed: None, held: None };
        let state = State { unfinished: Some(unfinished), ..State::default() };
        assert_eq!(State::parse(&state.to_json(None), None, None), Ok(state));
        assert_eq!(State::parse("{}", None, Some("owner_id")), Ok(State::default()));
        let error = State::parse(r#"{"created_at":"2024-05-01T00:00:00Z"}"#, None, None).unwrap_err();
        assert_eq!(error.to_string(), "it has \"created_at\", but this stream has no cursor");
    }

    #[test]
    fn the_text_of_a_cursor_survives() {
        let text = r#"{"created_at":"2122-01-01T00:00:00Z"}"#;
        assert_eq!(parse(text).unwrap().to_json(Some("created_at")), text);
    }

    #[test]
    fn an_unfinished_state_survives() {
        let at = instant("2024-05-01T00:00:00.25Z");
        let unfinished = Unfinished { opened: at, parents_after: at, observed: Some(at), held: None };
        let state = State {
            cursor: Some(cursor("2024-01-01T00:00:00Z")),
            parents: [("a".to_owned(), cursor("2024-02-01T00:00:00Z"))].into(),
            unfinished: Some(unfinished),
            memory: Memory::default(),
        };
        assert_eq!(parse_with_parents(&state.to_json(Some("created_at"))), Ok(state));
    }

    #[test]
    fn cursors_per_parent_are_understood() {
        let state = parse_with_parents(r#"{"a":{"created_at":"2024-02-01T00:00:00Z"}}"#).unwrap();
        assert_eq!(state.parents["a"], cursor("2024-02-01T00:00:00Z"));
        assert_eq!(state.cursor, None);
    }

    #[test]
    fn cursors_per_partition_are_understood_with_and_without_a_global_one() {
        let partition = r#"{"partition":{"owner_id":"a","parent_slice":{}},"cursor":{"created_at":"2024-02-01T00:00:00+00:00"}}"#;
        let listed = parse_with_parents(&format!(r#"{{"states":[{partition}]}}"#)).unwrap();
        assert_eq!(listed.parents["a"], cursor("2024-02-01T00:00:00+00:00"));
        let tail = r#""state":{"created_at":"2024-03-01T00:00:10+00:00"},"lookback_window":10"#;
        let off = format!(r#"{{"use_global_cursor":false,"states":[{partition}],{tail}}}"#);
        assert_eq!(parse_with_parents(&off).unwrap().cursor, None);
        let on = format!(r#"{{"use_global_cursor":true,"states":[],{tail}}}"#);
        assert_eq!(parse_with_parents(&on).unwrap().cursor, Some(cursor("2024-03-01T00:00:00+00:00")));
    }

    const GLOBAL: &str = r#""state":{"created_at":"2024-03-01T00:00:10+00:00"}"#;

    fn global_cursor(text: &str) -> Option<Cursor> {
        let state = parse_with_parents(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((state.parents.len(), &state.unfinished), (0, &None), "{text}");
        state.cursor
    }

    #[test]
    fn a_global_cursor_counts_for_all_whatever_other_keys_are_there() {
        let at = cursor("2024-03-01T00:00:10+00:00");
        for keys in [
            r#""use_global_cursor":true,"#,
            r#""use_global_cursor":true,"states":[],"#,
            r#""use_global_cursor":true,"states":null,"lookback_window":null,"#,
            r#""use_global_cursor":true,"parent_state":{"owners":{"created_at":"2024-01-01T00:00:00Z"}},"#,
            r#""parent_state":{},"#,
            r#""lookback_window":0,"#,
            "",
        ] {
            assert_eq!(global_cursor(&format!("{{{keys}{GLOBAL}}}")), Some(at.clone()), "{keys}");
        }
        let plain =
            r#"{"created_at":"2024-03-01T00:00:10+00:00","parent_state":{},"use_global_cursor":true}"#;
        assert_eq!(global_cursor(plain), Some(at));
    }

    #[test]
    fn the_lookback_window_is_a_number_of_seconds_in_any_spelling() {
        let text =
            |lookback: &str| format!(r#"{{"use_global_cursor":true,{GLOBAL},"lookback_window":{lookback}}}"#);
        for lookback in ["10", "\"10\"", "9.5", "\"9.01\"", "10.0"] {
            let expected = Some(cursor("2024-03-01T00:00:00+00:00"));
            assert_eq!(global_cursor(&text(lookback)), expected, "{lookback}");
        }
        for forever in ["99999999999999", "99999999999999999999999"] {
            assert_eq!(global_cursor(&text(forever)), None, "{forever}");
        }
        for nonsense in ["-1", "\"\"", "\"soon\"", "{}", "true", "1e3"] {
            assert!(parse_with_parents(&text(nonsense)).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_state_with_partitions_that_says_nothing_is_no_state() {
        for text in [
            r#"{"states":[]}"#,
            r#"{"use_global_cursor":false}"#,
            r#"{"use_global_cursor":true}"#,
            r#"{"use_global_cursor":true,"state":{},"lookback_window":5}"#,
            r#"{"state":{"created_at":null}}"#,
            r#"{"lookback_window":1}"#,
            r#"{"parent_state":{}}"#,
            r#"{"states":[{"partition":{"owner_id":"a"},"cursor":{}}]}"#,
        ] {
            assert_eq!(parse_with_parents(text), Ok(State::default()), "{text}");
        }
        // A parent that is not listed may never have been read.
        for keys in [r#""use_global_cursor":false"#, r#""states":[]"#, r#""states":[],"lookback_window":1"#] {
            assert_eq!(global_cursor(&format!("{{{keys},{GLOBAL}}}")), None, "{keys}");
        }
    }

    #[test]
    fn the_parent_of_a_partition_is_found_in_any_of_its_forms() {
        let day = |number: u32| format!("2024-02-{number:02}T00:00:00Z");
        let element =
            |partition: &str, cursor: &str| format!(r#"{{"partition":{partition},"cursor":{cursor}}}"#);
        let at = |number| format!(r#"{{"created_at":"{}"}}"#, day(number));
        let elements = [
            element(r#"{"owner_id":"a","parent_slice":{}}"#, &at(1)),
            element(r#"{"parent_slice":{"owner_id":"b","parent_slice":{}},"part":"x"}"#, &at(3)),
            element(r#"{"parent_slice":{"owner_id":"b","parent_slice":{}},"part":"y"}"#, &at(2)),
            element(r#"{"owner_id":17}"#, &at(4)),
            element(r#"{"owner_id":"c","part":"x"}"#, &at(5)),
            element(r#"{"owner_id":"c","part":"y"}"#, "{}"),
            element(r#"{"owner_id":"c","part":"z"}"#, &at(6)),
        ];
        let state = parse_with_parents(&format!(r#"{{"states":[{}]}}"#, elements.join(","))).unwrap();
        let expected = [("17", 4), ("a", 1), ("b", 2)];
        let expected = expected.map(|(id, number)| (id.to_owned(), cursor(&day(number))));
        assert_eq!(state.parents, expected.into());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "[]",
            "nonsense",
            r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#,
            r#"{"created_at":5}"#,
            r#"{"created_at":"yesterday"}"#,
            r#"{"unfinished":{"version":2}}"#,
            r#"{"unfinished":{"version":1,"opened":"2024-01-01T00:00:00Z"}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
            assert!(parse_with_parents(text).is_err(), "{text}");
        }
        for text in [
            r#"{"states":[{"partition":{},"cursor":{}}]}"#,
            r#"{"states":{}}"#,
            r#"{"states":[5]}"#,
            r#"{"states":[{"partition":{"owner_id":"a"},"cursor":5}]}"#,
            r#"{"use_global_cursor":"yes"}"#,
            r#"{"state":"2024-01-01T00:00:00Z"}"#,
            r#"{"use_global_cursor":true,"state":{"created_at":"yesterday"}}"#,
        ] {
            assert!(parse_with_parents(text).is_err(), "{text}");
        }
        assert!(parse(r#"{"a":{"created_at":"2024-02-01T00:00:00Z"}}"#).is_err());
    }
}
