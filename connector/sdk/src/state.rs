//! The state of a stream: what a checkpoint tells the next run.
//!
//! A finished stream has one cursor, `{"created_at": "…"}`, whatever its slices: the form Airbyte's connectors read and
//! write for plain streams. A stream with parents that has not finished says besides how far it has come:
//!
//! ```json
//! {"created_at": "…", "unfinished": {"version": 1, "opened": "…", "parents_after": "…", "observed": "…", "held": "…"}}
//! ```
//!
//! `created_at` is then the cursor of the last finished read; lists of parents created after `parents_after` (and not
//! after `opened`) have been read since; `observed` and `held` are the newest instant seen and the oldest of a record
//! that can still change. `parents` holds cursors per parent, which only states of other connectors bring in.

use std::collections::BTreeMap;

use time::{SignedDuration, Timestamp};

use crate::{
    cursor::Cursor,
    instant::{format_instant, parse_instant},
    stream::Parents,
};
use json_text::{Fields, Json, Object};

/// The version of the unfinished form.
const VERSION: &str = "1";

/// A state that was given or is to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The cursor of the stream.
    pub cursor: Option<Cursor>,
    /// Cursors of single parents, where they are not that of the stream.
    pub parents: BTreeMap<String, Cursor>,
    /// How far a read has come that has not finished.
    pub unfinished: Option<Unfinished>,
}

/// How far a read of a stream with parents has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// When that read was opened.
    pub opened: Timestamp,
    /// Parents created after this instant have been read.
    pub parents_after: Timestamp,
    /// The newest instant seen.
    pub observed: Option<Timestamp>,
    /// The oldest instant of a record that can still change.
    pub held: Option<Timestamp>,
}

impl State {
    /// Parses the state of a stream with the given cursor field. `parents` is given if the stream is sliced by parents:
    /// then cursors per parent are understood as well, `{"<id>": {"created_at": "…"}}`, and so is Airbyte's form
    /// `{"states": [{"partition": {…}, "cursor": {…}}], "state": {…}}`.
    ///
    /// # Errors
    /// Says what is not understood.
    pub fn parse(text: &str, cursor_field: &str, parents: Option<&Parents>) -> Result<Self, String> {
        let fields = Fields::decode(text).map_err(|error| format!("it is not a JSON object ({error})"))?;
        match parents {
            Some(parents) if fields.raw("states").is_some() => {
                parse_partitions(&fields, cursor_field, parents)
            }
            Some(_) if is_cursors(&fields, cursor_field) => {
                let parents = parse_cursors(&fields, cursor_field)?;
                Ok(Self { parents, ..Self::default() })
            }
            _ => parse_fields(&fields, cursor_field),
        }
    }

    /// The text of the state, on one line.
    pub fn to_json(&self, cursor_field: &str) -> String {
        self.to_json_with(self.unfinished, cursor_field)
    }

    /// The text of the state with another progress, on one line.
    pub fn to_json_with(&self, unfinished: Option<Unfinished>, cursor_field: &str) -> String {
        let mut object = Object::default();
        if let Some(cursor) = &self.cursor {
            object.push_text(cursor_field, &cursor.text);
        }
        if let Some(unfinished) = unfinished {
            object.push("unfinished", &unfinished.to_json());
        }
        if !self.parents.is_empty() {
            let mut parents = Object::default();
            for (id, Cursor { text, .. }) in &self.parents {
                let mut parent = Object::default();
                parent.push_text(cursor_field, text);
                parents.push(id, &parent.finish());
            }
            object.push("parents", &parents.finish());
        }
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

    fn parse(value: Json<'_>) -> Result<Self, String> {
        let fields = Fields::of(value).ok_or("\"unfinished\" is not an object")?;
        let version = fields.raw("version").map_or("null", Json::get);
        if version != VERSION {
            return Err(format!("its version is {version}, this connector writes version {VERSION}"));
        }
        let optional = |name: &str| {
            let value = fields.value(name);
            value.map(|value| parse_text(Some(value), name).map(|cursor| cursor.instant)).transpose()
        };
        let required = |name: &str| optional(name)?.ok_or(format!("{name:?} is missing"));
        Ok(Self {
            opened: required("opened")?,
            parents_after: required("parents_after")?,
            observed: optional("observed")?,
            held: optional("held")?,
        })
    }
}

/// Our own form, and the plain one of other connectors.
fn parse_fields(fields: &Fields<'_>, cursor_field: &str) -> Result<State, String> {
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
            _ => return Err(format!("it has {name:?}, but the cursor of this stream is {cursor_field:?}")),
        }
    }
    Ok(state)
}

/// Airbyte's form with one cursor per partition. A parent that it does not list is read from the start, because that
/// connector did not list parents it had never read; unless it had switched to one cursor for all.
fn parse_partitions(fields: &Fields<'_>, cursor_field: &str, parents: &Parents) -> Result<State, String> {
    let mut state = State::default();
    let cursor_in = |fields: Option<Fields<'_>>| {
        parse_text(fields.and_then(|fields| fields.raw(cursor_field)), cursor_field)
    };
    for element in fields.raw("states").and_then(Json::list).ok_or("\"states\" is not a list")? {
        let element = Fields::of(element).ok_or("a partition is not an object")?;
        let id = element.object("partition").and_then(|partition| partition.text(parents.key));
        let id = id.ok_or_else(|| format!("a partition has no {:?}", parents.key))?;
        let cursor = cursor_in(element.object("cursor"))?;
        // A parent with several partitions continues from the one that is furthest behind.
        let known = state.parents.get(&*id).is_some_and(|known| known.instant <= cursor.instant);
        if !known {
            state.parents.insert(id.into_owned(), cursor);
        }
    }
    let global = fields.object("state").filter(|global| global.value(cursor_field).is_some());
    if fields.flag("use_global_cursor") == Some(true) && global.is_some() {
        let cursor = cursor_in(global)?;
        let took = fields.raw("lookback_window").and_then(|took| took.get().parse().ok()).unwrap_or(0);
        let instant = cursor.instant.checked_sub(SignedDuration::seconds(took));
        state.cursor = Some(instant.map_or(cursor, Cursor::at));
    }
    Ok(state)
}

/// Whether every field is an object that has a cursor and nothing else.
fn is_cursors(fields: &Fields<'_>, cursor_field: &str) -> bool {
    let is_cursor = |value: Json<'_>| {
        Fields::of(value).is_some_and(|fields| {
            fields.iter().all(|(name, _)| name.is(cursor_field)) && fields.iter().count() == 1
        })
    };
    fields.iter().next().is_some() && fields.iter().all(|(_, value)| is_cursor(value))
}

fn parse_cursors(fields: &Fields<'_>, cursor_field: &str) -> Result<BTreeMap<String, Cursor>, String> {
    let mut cursors = BTreeMap::new();
    for (id, value) in fields.iter() {
        let id = id.text().ok_or("the id of a parent is not Unicode")?;
        cursors.insert(id.into_owned(), parse_text(value.field(cursor_field), cursor_field)?);
    }
    Ok(cursors)
}

fn parse_text(value: Option<Json<'_>>, name: &str) -> Result<Cursor, String> {
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
    use crate::{fixtures::parents, testing::instant};

    fn parse(text: &str) -> Result<State, String> {
        State::parse(text, "created_at", None)
    }

    fn parse_with_parents(text: &str) -> Result<State, String> {
        State::parse(text, "created_at", Some(&parents()))
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
    fn the_text_of_a_cursor_survives() {
        let text = r#"{"created_at":"2122-01-01T00:00:00Z"}"#;
        assert_eq!(parse(text).unwrap().to_json("created_at"), text);
    }

    #[test]
    fn an_unfinished_state_survives() {
        let at = instant("2024-05-01T00:00:00.25Z");
        let unfinished = Unfinished { opened: at, parents_after: at, observed: Some(at), held: None };
        let state = State {
            cursor: Some(cursor("2024-01-01T00:00:00Z")),
            parents: [("a".to_owned(), cursor("2024-02-01T00:00:00Z"))].into(),
            unfinished: Some(unfinished),
        };
        assert_eq!(parse_with_parents(&state.to_json("created_at")), Ok(state));
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
        assert!(parse_with_parents(r#"{"states":[{"partition":{},"cursor":{}}]}"#).is_err());
        assert!(parse(r#"{"a":{"created_at":"2024-02-01T00:00:00Z"}}"#).is_err());
    }
}
