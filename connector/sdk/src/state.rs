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
//! created after `parents_after` (and not after `opened`) have been read, up to `end` if that is
//! before `opened`. `observed` is the newest instant seen, and `held` the oldest instant of a
//! record that can still change. `parents` holds cursors of single parents, which only states
//! written by other connectors have.
//!
//! A plain stream whose read was stopped records what it has not read, in `unread`.

mod memory;
mod partitions;
mod unread;

use std::collections::BTreeMap;

use time::Timestamp;

pub use self::unread::Unread;
use crate::{
    cursor::Cursor,
    instant::{format_instant, parse_instant},
    problem::Problem,
};
use json_text::{Fields, Json, Object};

pub use self::memory::{Digests, Memory, Sweep};

/// The version of `unfinished`.
const VERSION: &str = "1";

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
    /// What was left of a stream without parents when its read was stopped.
    pub unread: Option<Unread>,
}

/// The progress of an unfinished read of a stream with parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// When the read was opened.
    pub opened: Timestamp,
    /// The end of what was read of the lists, if it is before the opening.
    pub end: Option<Timestamp>,
    /// The lists of parents created after this instant have been read.
    pub parents_after: Timestamp,
    /// The newest position seen.
    pub observed: Option<Timestamp>,
    /// The oldest position of a record that can still change.
    pub held: Option<Timestamp>,
    /// Whether it was stopped. Then the parents that have been read are not listed again.
    pub stopped: bool,
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
            Some(parent_key) if partitions::are_in(&fields) => {
                partitions::parse(&fields, cursor_field, parent_key)
            }
            Some(_) if is_cursors(&fields, cursor_field) => {
                let parents = parse_cursors(&fields, cursor_field)?;
                Ok(Self { parents, ..Self::default() })
            }
            _ => parse_fields(&fields, cursor_field),
        }
    }

    /// Forgets the progress of an unfinished read.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        self.unfinished = None;
        self.memory.correcting = None;
        self
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
        if let Some(unread) = &self.unread {
            object.push("unread", &unread.to_json());
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
    /// Whether the lists that have been read were read far enough for a read with this end.
    pub fn reaches(&self, end: Option<Timestamp>) -> bool {
        self.end.is_none_or(|read_up_to| end.is_some_and(|end| end <= read_up_to))
    }

    fn to_json(self) -> String {
        let mut object = Object::default();
        object.push("version", VERSION);
        put(&mut object, "opened", Some(self.opened));
        put(&mut object, "end", self.end);
        put(&mut object, "parents_after", Some(self.parents_after));
        put(&mut object, "observed", self.observed);
        put(&mut object, "held", self.held);
        if self.stopped {
            object.push("stopped", "true");
        }
        object.finish()
    }

    fn parse(value: Json<'_>) -> Result<Self, Problem> {
        let fields = fields_of(value, "unfinished")?;
        let optional = |name: &str| optional(&fields, name);
        let required =
            |name: &str| optional(name)?.ok_or_else(|| Problem::new(format!("{name:?} is missing")));
        Ok(Self {
            opened: required("opened")?,
            end: optional("end")?,
            parents_after: required("parents_after")?,
            observed: optional("observed")?,
            held: optional("held")?,
            stopped: fields.raw("stopped").is_some_and(|flag| flag.get() == "true"),
        })
    }
}

/// Adds an instant to a state, if there is one.
fn put(object: &mut Object, name: &str, instant: Option<Timestamp>) {
    if let Some(instant) = instant {
        object.push_text(name, &format_instant(instant));
    }
}

fn optional(fields: &Fields<'_>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let value = fields.value(name);
    value.map(|value| parse_text(Some(value), name).map(|cursor| cursor.instant)).transpose()
}

/// Returns the fields of what was left of a read, if this version can read them.
fn fields_of<'a>(value: Json<'a>, name: &str) -> Result<Fields<'a>, Problem> {
    let fields = Fields::of(value).ok_or_else(|| format!("{name:?} is not an object"))?;
    let version = fields.raw("version").map_or("null", Json::get);
    if version != VERSION {
        return Err(Problem::new(format!(
            "its version is {version}, but this connector reads version {VERSION}"
        )));
    }
    Ok(fields)
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
            "unread" => state.unread = Some(Unread::parse(value)?),
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

/// Returns whether every field is an object that holds a cursor and nothing else.
fn is_cursors(fields: &Fields<'_>, cursor_field: &str) -> bool {
    let is_cursor = |value: Json<'_>| {
        Fields::of(value).is_some_and(|fields| {
            fields.iter().all(|(name, _)| name.is(cursor_field)) && fields.iter().count() == 1
        })
    };
    fields.iter().all(|(_, value)| is_cursor(value))
}

#[inline(never)]
fn parse_cursors(fields: &Fields<'_>, cursor_field: &str) -> Result<BTreeMap<String, Cursor>, Problem> {
    let mut cursors = BTreeMap::new();
    for (id, value) in fields.iter() {
        let id = id.text().ok_or("the id of a parent is not valid Unicode")?;
        cursors.insert(id.into_owned(), parse_text(value.field(cursor_field), cursor_field)?);
    }
    Ok(cursors)
}

#[inline(never)]
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
mod tests;
