//! Reshapes a record: hoists fields of nested objects, and adds further ones.

use std::ops::Range;

use json_text::{Json, Object, Scanner};

use super::{Hoist, Shape};
use crate::problem::Problem;

/// Bytes reserved for the fields of one hoisted object: three names and identifiers.
const HOISTED: usize = 256;

/// The number of fields of a typical record.
const USUAL: usize = 32;

/// A record whose fields are moved or that gets further ones.
pub(super) struct Reshaped<'a, 's> {
    shape: &'s Shape<'s>,
    /// The fields that stay where they are.
    kept: Vec<(Json<'a>, Json<'a>)>,
    /// Whether one of them has the name of a made field.
    has_own: bool,
    /// The hoisted values, in the order of `shape.hoists`.
    hoisted: Vec<Option<Json<'a>>>,
    /// Bytes of the objects that are removed.
    left_out: usize,
}

impl<'a, 's> Reshaped<'a, 's> {
    /// Scans the next object, and the nested objects with hoisted fields, in one pass. Calls
    /// `look_at` with each top-level field.
    pub(super) fn scan(
        scanner: &mut Scanner<'a>,
        shape: &'s Shape<'s>,
        mut look_at: impl FnMut(Json<'a>, Json<'a>),
    ) -> Result<Self, Problem> {
        let hoists = shape.hoists;
        let mut kept = Vec::with_capacity(USUAL);
        let mut hoisted = vec![None; hoists.iter().map(|hoist| hoist.fields.len()).sum()];
        let (mut left_out, mut has_own) = (0, false);
        let is_hoisted = |name: Json<'a>| hoists.iter().any(|hoist| name.is(hoist.object));
        let is_replaced = |name: Json<'a>| {
            let mut removed = hoists.iter().filter(|hoist| !hoist.keep);
            removed.any(|hoist| hoist.fields.iter().any(|(_, to)| name.is(to)))
        };
        // The object that was entered last: its name, as it stands in the text, and where its
        // values go.
        let mut entered: Option<(*const u8, &Hoist, Range<usize>)> = None;
        let mut begin = |outer: Json<'a>, hoisted: &mut [Option<Json<'a>>]| {
            let name = outer.get().as_ptr();
            if let Some((_, hoist, place)) = entered.as_ref().filter(|(entered, ..)| *entered == name) {
                return Some((*hoist, place.clone()));
            }
            let mut at = 0;
            let hoist = hoists.iter().find(|hoist| {
                at += hoist.fields.len();
                outer.is(hoist.object)
            })?;
            let place = at - hoist.fields.len()..at;
            // Of several objects with one name, the last counts.
            hoisted[place.clone()].fill(None);
            entered = Some((name, hoist, place.clone()));
            Some((hoist, place))
        };
        scanner.object_and_inner(is_hoisted, |outer, name, value| match outer {
            Some(outer) => {
                let Some((hoist, place)) = begin(outer, &mut hoisted) else { return };
                for (slot, (from, _)) in hoisted[place].iter_mut().zip(hoist.fields) {
                    if let Some(path) = lead(name, from) {
                        *slot = inside(value, path);
                    }
                }
            }
            None => {
                look_at(name, value);
                match begin(name, &mut hoisted) {
                    Some((hoist, _)) if !hoist.keep => left_out += value.get().len(),
                    None if is_replaced(name) => {}
                    _ => {
                        has_own |= shape.made_beside().any(|made| name.is(made));
                        kept.push((name, value));
                    }
                }
            }
        })?;
        Ok(Self { shape, kept, has_own, hoisted, left_out })
    }

    /// Returns the record's text. `length` is the length of the scanned object.
    pub(super) fn finish(mut self, length: usize) -> String {
        let own = if self.has_own { self.take_own() } else { Vec::new() };
        let hoists = self.shape.hoists;
        let made = HOISTED * (hoists.len() + self.shape.added.len());
        let mut object = Object::with_capacity(length.saturating_sub(self.left_out) + made);
        for (name, value) in self.kept {
            object.carry(name, value.get());
        }
        let hoisted = self.hoisted.into_iter().map(|value| value.map_or("null", Json::get));
        let added = self.shape.added.iter().map(|(_, value)| value.as_str());
        for (name, value) in self.shape.made().zip(hoisted.chain(added)) {
            if !own.contains(&name) {
                object.push_plain(name, value);
            }
        }
        object.finish()
    }

    /// Returns the made fields that the server sends itself, and removes the server's nulls.
    fn take_own(&mut self) -> Vec<&'static str> {
        let is_sent = |made: &&'static str| {
            let sent = self.kept.iter().rev().find(|(name, _)| name.is(made));
            sent.is_some_and(|(_, value)| value.get() != "null")
        };
        let own: Vec<_> = self.shape.made_beside().filter(is_sent).collect();
        let is_null = |name: Json<'a>| {
            let mut made = self.shape.made_beside();
            made.any(|made| name.is(made) && !own.contains(&made))
        };
        self.kept.retain(|(name, _)| !is_null(*name));
        own
    }
}

impl<'a> Shape<'a> {
    /// Returns the names of the fields that are made: hoisted, then added.
    fn made(&self) -> impl Iterator<Item = &'static str> + use<'a> {
        let hoisted = self.hoists.iter().flat_map(|hoist| hoist.fields).map(|(_, to)| *to);
        hoisted.chain(self.added.iter().map(|(name, _)| *name))
    }

    /// Returns the names of those that do not replace a field that the server sends.
    fn made_beside(&self) -> impl Iterator<Item = &'static str> + use<'a> {
        let kept = self.hoists.iter().filter(|hoist| hoist.keep);
        let hoisted = kept.flat_map(|hoist| hoist.fields).map(|(_, to)| *to);
        hoisted.chain(self.added.iter().map(|(name, _)| *name))
    }
}

/// Returns the rest of a path that begins with this name, from its dot. Empty if it is the name.
fn lead(name: Json<'_>, path: &'static str) -> Option<&'static str> {
    // Without its quotes. Few paths have a dot there, so most names are compared once.
    let length = name.get().len().saturating_sub(2);
    match path.as_bytes().get(length) {
        Some(b'.') => name.is(&path[..length]).then(|| &path[length..]),
        _ => name.is(path).then_some(""),
    }
}

/// Returns the value at a path of names within a value, which may begin with a dot. `None` if there
/// is none.
pub(crate) fn inside<'a>(value: Json<'a>, path: &str) -> Option<Json<'a>> {
    let mut names = path.split('.').filter(|name| !name.is_empty());
    names.try_fold(value, Json::field)
}
