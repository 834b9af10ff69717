//! JSON as text.
//!
//! In: text. Out: values, names and elements, each as the text it was. What a value may look like and where it ends,
//! `serde_json` knows; here is what stands between values, and what is behind the escapes of a string. The deserializers
//! of `serde_json` would do that as well, but each of them can also read a float and print it in an error: 60 kB for
//! what never happens.

use std::borrow::Cow;

use serde_json::{Deserializer, value::RawValue};

/// The text of one JSON value, without space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Checks that a text is one JSON value.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// The value of a text that was checked before.
    pub(crate) fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    pub fn get(self) -> &'a str {
        self.0
    }

    /// The string that the value is; none if it is something else, or half of a surrogate pair is in it.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let text = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if text.contains('\\') { unescape(text).map(Cow::Owned) } else { Some(Cow::Borrowed(text)) }
    }

    /// Whether the value is this string. Never inlined, as the like in [`super::fields`].
    #[inline(never)]
    pub fn is(self, text: &str) -> bool {
        // JSON is never shorter than what it means, which spares most names a closer look.
        self.0.len() >= text.len() + 2 && self.text().is_some_and(|own| own == text)
    }

    /// The elements of the list that the value is; none if it is something else.
    pub fn list(self) -> Option<Vec<Self>> {
        Scanner::new(self.0).list().ok()
    }

    /// The value of a field of the object that the value is; none if it has no such field or is something else. What
    /// stands behind the field is not looked at.
    pub fn field(self, name: &str) -> Option<Self> {
        let mut scanner = Scanner::new(self.0);
        scanner.open('{').ok()?;
        while !scanner.name().ok()??.is(name) {
            scanner.value().ok()?;
        }
        scanner.value().ok()
    }
}

/// Reads a text from its beginning to its end.
#[derive(Debug)]
pub struct Scanner<'a> {
    length: usize,
    rest: &'a str,
    /// Whether a bracket was opened just now, so that no comma is due.
    is_open: bool,
}

impl<'a> Scanner<'a> {
    /// Begins at the beginning.
    pub fn new(text: &'a str) -> Self {
        Self { length: text.len(), rest: text, is_open: false }
    }

    /// The next value.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn value(&mut self) -> Result<Json<'a>, String> {
        let mut values = Deserializer::from_str(self.rest).into_iter::<&RawValue>();
        let value = values.next().ok_or_else(|| self.unexpected("a value"))?;
        let value = value.map_err(|error| format!("{error}, counted from byte {}", self.offset()))?;
        self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
        Ok(Json(value.get()))
    }

    /// Passes the bracket that an object or a list begins with.
    ///
    /// # Errors
    /// If it does not come next.
    pub fn open(&mut self, bracket: char) -> Result<(), String> {
        self.is_open = true;
        self.expect(bracket)
    }

    /// The name of the next field of an object, whose value comes next then; none at the end of the object.
    ///
    /// # Errors
    /// Says what is wrong, or missing.
    pub fn name(&mut self) -> Result<Option<Json<'a>>, String> {
        let Some(name) = self.part('}')? else { return Ok(None) };
        self.expect(':')?;
        if name.0.starts_with('"') { Ok(Some(name)) } else { Err(format!("{} is not a name", name.0)) }
    }

    /// The elements of the list that comes next.
    ///
    /// # Errors
    /// Says what is wrong, or missing.
    pub fn list(&mut self) -> Result<Vec<Json<'a>>, String> {
        self.open('[')?;
        let mut elements = Vec::new();
        while let Some(element) = self.part(']')? {
            elements.push(element);
        }
        Ok(elements)
    }

    /// Makes sure that nothing follows.
    ///
    /// # Errors
    /// If something does.
    pub fn end(&mut self) -> Result<(), String> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.unexpected("the end")) }
    }

    /// The next value before the closing bracket; none at that.
    fn part(&mut self, bracket: char) -> Result<Option<Json<'a>>, String> {
        let is_first = std::mem::take(&mut self.is_open);
        if self.skip(bracket) {
            return Ok(None);
        }
        if !is_first {
            self.expect(',')?;
        }
        self.value().map(Some)
    }

    fn expect(&mut self, token: char) -> Result<(), String> {
        if self.skip(token) { Ok(()) } else { Err(self.unexpected(&format!("{token:?}"))) }
    }

    fn skip(&mut self, token: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let count = self.rest.bytes().take_while(is_space).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.rest.chars().next() {
            Some(found) => format!("{expected} is missing before {found:?} at byte {}", self.offset()),
            None => format!("{expected} is missing at the end"),
        }
    }

    fn offset(&self) -> usize {
        self.length - self.rest.len()
    }
}

/// The text of a JSON string.
pub fn quoted(text: &str) -> String {
    // Writing a string to memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// The text of a JSON list of these texts.
pub fn listed(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// A string without its escapes, whose form has been checked; none if it has half of a surrogate pair.
fn unescape(text: &str) -> Option<String> {
    let (mut unescaped, mut rest) = (String::new(), text);
    while let Some((before, escape)) = rest.split_once('\\') {
        unescaped.push_str(before);
        let (kind, after) = escape.split_at_checked(1)?;
        rest = after;
        match kind {
            "b" => unescaped.push('\u{8}'),
            "f" => unescaped.push('\u{c}'),
            "n" => unescaped.push('\n'),
            "r" => unescaped.push('\r'),
            "t" => unescaped.push('\t'),
            "u" => {
                let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
                let high = unit(rest)?;
                rest = &rest[4..];
                let low =
                    rest.strip_prefix("\\u").and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
                let character = char::decode_utf16([high].into_iter().chain(low)).next()?.ok()?;
                if character.len_utf16() == 2 {
                    rest = &rest[6..];
                }
                unescaped.push(character);
            }
            // A quote, a slash or a backslash.
            other => unescaped.push_str(other),
        }
    }
    unescaped.push_str(rest);
    Some(unescaped)
}

#[cfg(test)]
mod tests;
