//! Searches a text for values, in any of the `forms` in which a program may write them.
//!
//! Every record is searched. So one pass looks for all forms at once, and another for `escapes`
//! that could stand for a part of one. Only if there are such escapes are they resolved, and the
//! result is searched too.

mod escapes;
mod forms;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use self::escapes::{Meant, Resolved, meanings};
use self::forms::forms;

pub(crate) use self::escapes::Escapes;

/// Bytes of the shortest value that is searched for. What is shorter appears everywhere by chance.
const SHORTEST: usize = 4;
/// How often escapes are resolved, for JSON within JSON, or URLs within it.
const LAYERS: usize = 5;

/// A value to search for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Needle {
    /// The value.
    pub(crate) value: String,
    /// Whether it is searched for in other forms too.
    pub(crate) in_forms: bool,
}

/// Values that are searched for at once. Cheap to clone. Its debug form does not show them.
#[derive(Clone, Default)]
pub(crate) struct Needles {
    needles: Arc<[Needle]>,
    ignoring_case: bool,
    /// `None` if there is nothing to search for.
    search: Option<Arc<Search>>,
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Needles({})", self.needles.len())
    }
}

struct Search {
    matcher: AhoCorasick,
    /// Of each pattern of the matcher: the needle, and whether it is base64.
    patterns: Vec<(usize, bool)>,
    /// The bytes of which patterns consist.
    bytes: [bool; 256],
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// All that must be replaced so that nothing is left of it.
    pub(crate) range: Range<usize>,
    /// Its position among the needles. If several values overlap, that of the longest.
    pub(crate) needle: usize,
}

impl Needles {
    /// Searches for these values, but for those that are too short.
    pub(crate) fn new(needles: Vec<Needle>) -> Self {
        Self::build(needles, false)
    }

    /// The same, in upper and lower case alike.
    pub(crate) fn ignoring_case(needles: Vec<Needle>) -> Self {
        Self::build(needles, true)
    }

    fn build(needles: Vec<Needle>, ignoring_case: bool) -> Self {
        let (mut patterns, mut texts, mut bytes) = (Vec::new(), Vec::new(), [false; 256]);
        for (index, needle) in needles.iter().enumerate().filter(|(_, needle)| needle.value.len() >= SHORTEST)
        {
            let mut add = |text: Vec<u8>, is_base64| {
                for &byte in &text {
                    bytes[usize::from(byte)] = true;
                    if ignoring_case {
                        bytes[usize::from(byte.to_ascii_lowercase())] = true;
                        bytes[usize::from(byte.to_ascii_uppercase())] = true;
                    }
                }
                patterns.push((index, is_base64));
                texts.push(text);
            };
            match needle.in_forms {
                true => forms(&needle.value).into_iter().for_each(|form| add(form.text, form.is_base64)),
                false => add(needle.value.clone().into_bytes(), false),
            }
        }
        // Escapes of escapes, any part of which may be escaped.
        for byte in (0..=127).filter(|byte: &u8| byte.is_ascii_alphanumeric() || b"\\%&#;{}".contains(byte)) {
            bytes[usize::from(byte)] = true;
        }
        // Only this kind has the fastest search. What overlaps is found by searching again.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(ignoring_case);
        if ignoring_case {
            // Records are not searched by this one, so it need not be the fastest.
            builder.kind(Some(AhoCorasickKind::ContiguousNFA));
        }
        // Fails only for gigabytes of patterns, which no config has.
        let matcher = builder.build(&texts).ok().filter(|_| !texts.is_empty());
        let search = matcher.map(|matcher| Arc::new(Search { matcher, patterns, bytes }));
        Self { needles: needles.into(), ignoring_case, search }
    }

    /// The values of both, which are of one kind.
    pub(crate) fn and(&self, other: &Self) -> Self {
        if self.search.is_none() {
            return other.clone();
        }
        let mut needles = self.needles.to_vec();
        needles.extend(other.needles.iter().filter(|needle| !self.needles.contains(needle)).cloned());
        Self::build(needles, self.ignoring_case)
    }

    /// Whether there may be something to find. Hardly ever true where there is not, and never false
    /// where there is.
    pub(crate) fn may_be_in(&self, text: &[u8]) -> bool {
        self.search.as_ref().is_some_and(|search| search.may_find_in(text))
    }

    /// Finds every value in a text, of which a part may be `escapes`. What is found does not
    /// overlap, and is in order.
    pub(crate) fn find(&self, text: &[u8], escapes: Escapes) -> Vec<Found> {
        match &self.search {
            Some(search) if search.may_find_in(text) => search.find(text, escapes, &self.needles),
            _ => Vec::new(),
        }
    }
}

impl Search {
    fn may_find_in(&self, text: &[u8]) -> bool {
        self.matcher.is_match(text) || self.may_be_escaped_in(text)
    }

    /// Whether there is an escape that could be part of a pattern.
    fn may_be_escaped_in(&self, text: &[u8]) -> bool {
        let mut buffer = [0; 4];
        meanings(text).any(|meant| match meant {
            Meant::Byte(byte) => self.bytes[usize::from(byte)],
            Meant::Character(character) => {
                let first = character.encode_utf8(&mut buffer).as_bytes().first();
                first.is_some_and(|first| self.bytes[usize::from(*first)])
            }
        })
    }

    fn find(&self, text: &[u8], escapes: Escapes, needles: &[Needle]) -> Vec<Found> {
        let mut layer = Resolved::unchanged(text);
        if escapes == Escapes::Json {
            layer = layer.resolve(Escapes::Json);
        }
        let mut found = self.find_as_it_is(&layer);
        for _ in 0..LAYERS {
            if !self.may_be_escaped_in(&layer.bytes) {
                break;
            }
            layer = layer.resolve(Escapes::Any);
            found.extend(self.find_as_it_is(&layer));
        }
        merge(found, needles)
    }

    /// Finds what begins anywhere in a text, overlapping or not.
    fn find_as_it_is(&self, layer: &Resolved) -> Vec<Found> {
        let text = &layer.bytes;
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(next) = self.matcher.find(Input::new(text).range(from..)) {
            let (needle, is_base64) = self.patterns[next.pattern().as_usize()];
            let mut range = next.range();
            from = range.start + 1;
            if is_base64 {
                range = around(text, range);
                from = range.end;
            }
            found.push(Found { range: layer.origin(range.start)..layer.origin(range.end), needle });
        }
        found
    }
}

/// All of the base64 around a part of it.
fn around(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_digit = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let before = text[..range.start].iter().rev().take_while(is_digit).count();
    let after = text[range.end..].iter().take_while(is_digit).count();
    let end = range.end + after;
    let padding = text[end..].iter().take_while(|byte| **byte == b'=').take(2).count();
    range.start - before..end + padding
}

/// Puts what was found in order, and joins what overlaps.
fn merge(mut found: Vec<Found>, needles: &[Needle]) -> Vec<Found> {
    let length = |needle: usize| needles.get(needle).map_or(0, |needle| needle.value.len());
    found.sort_by_key(|found| found.range.start);
    let mut merged: Vec<Found> = Vec::new();
    for next in found {
        match merged.last_mut() {
            Some(last) if next.range.start < last.range.end => {
                last.range.end = last.range.end.max(next.range.end);
                if length(next.needle) > length(last.needle) {
                    last.needle = next.needle;
                }
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// Replaces what was found.
pub(crate) fn replace<'r>(text: &[u8], found: &[Found], replacement: impl Fn(usize) -> &'r str) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = 0;
    for Found { range, needle } in found {
        replaced.extend_from_slice(text.get(rest..range.start).unwrap_or_default());
        replaced.extend_from_slice(replacement(*needle).as_bytes());
        rest = range.end;
    }
    replaced.extend_from_slice(text.get(rest..).unwrap_or_default());
    replaced
}
