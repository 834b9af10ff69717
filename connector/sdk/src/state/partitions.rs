//! The states of Airbyte's CDK for streams that are partitioned by parents.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use json_text::{Fields, Json};
use time::SignedDuration;

use super::{State, parse_text};
use crate::{cursor::Cursor, problem::Problem};

/// The keys of a state with partitions, as Airbyte's CDK writes it. Each is optional.
const KEYS: [&str; 5] = ["states", "state", "use_global_cursor", "lookback_window", "parent_state"];

/// Returns whether a state has this form.
pub(super) fn are_in(fields: &Fields<'_>) -> bool {
    KEYS.iter().any(|key| fields.raw(key).is_some())
}

/// Parses the form of Airbyte's CDK, with a cursor per partition or a global one. The CDK switches
/// to the global cursor above 10,000 partitions. The lookback window is then subtracted from it; it
/// is how long the sync took.
///
/// If there are cursors per partition, a parent without one is read from the start. The CDK
/// continues from the global cursor instead, but entries of a parent that it has never read can be
/// older than that.
pub(super) fn parse(fields: &Fields<'_>, cursor_field: &str, parent_key: &str) -> Result<State, Problem> {
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
