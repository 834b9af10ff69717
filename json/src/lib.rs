//! JSON as text: finds and checks values without building a tree of them.
//!
//! Splits JSON text into values, names and elements, each of which stays text. The module `extent`
//! finds the end of a value; this one handles what is between values, and the escapes of strings.
//! [`Json`] and [`Scanner`] share a file because each returns the other.
//!
//! If an object has a name twice, the last field of that name counts, as in most JSON parsers (RFC
//! 8259, section 4, leaves it open). [`Json::field`] follows this; [`Scanner::object`] reads every
//! field.

mod extent;
mod fields;
mod number;
mod problem;
mod rewrite;

use std::borrow::Cow;

use memchr::memchr;

pub use self::{
    fields::{Fields, Object},
    problem::Problem,
    rewrite::{compact, map_strings},
};

use self::extent::{Missing, fields_end, object_end, space_end, value_end};

/// The text of a JSON value, without surrounding white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Checks that a text is a JSON value.
    ///
    /// # Errors
    /// If it is not.
    pub fn parse(text: &'a str) -> Result<Self, Problem> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// Wraps a text that is known to be a JSON value.
    pub fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// Returns the text.
    pub fn get(self) -> &'a str {
        self.0
    }

    /// Returns the string. `None` if the value is not a string, or contains an unpaired surrogate.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let text = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if memchr(b'\\', text.as_bytes()).is_some() {
            unescape(text).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(text))
        }
    }

    /// Returns whether the value is this string.
    #[inline]
    pub fn is(self, text: &str) -> bool {
        // Most strings differ at their start. JSON is never shorter than the string, and longer
        // only if it has escapes.
        let (own, wanted) = (self.0.as_bytes(), text.as_bytes());
        let begins_so = wanted.first().is_none_or(|first| own.get(1) == Some(first));
        let may_be = own.len() >= wanted.len() + 2 && (begins_so || own[1] == b'\\');
        may_be && self.is_after_all(text)
    }

    /// Never inlined, because it has many callers and is called rarely.
    #[inline(never)]
    fn is_after_all(self, text: &str) -> bool {
        self.text().is_some_and(|own| own == text)
    }

    /// Returns the elements of a list. `None` if the value is not a list.
    pub fn list(self) -> Option<Vec<Self>> {
        // Checking the bracket is cheaper than building an error.
        self.0.starts_with('[').then(|| Scanner::new(self.0).list().ok()).flatten()
    }

    /// Returns the value of a field of an object. `None` if there is no such field or the value is
    /// not an object. If several fields have this name, the last one counts.
    ///
    pub fn field(self, name: &str) -> Option<Self> {
        let (mut found, mut scanner) = (None, Scanner::new(self.0));
        scanner.open('{').ok()?;
        while let Some(candidate) = scanner.name().ok()? {
            let value = scanner.value().ok()?;
            if candidate.is(name) {
                found = Some(value);
            }
        }
        found
    }

    /// Returns a whole number, however it is spelled: `3`, `3.0` and `30e-1` are three. `None` if
    /// the value is not a whole number, or does not fit.
    pub fn integer(self) -> Option<i64> {
        number::integer(self.0)
    }

    /// Returns whether the value is a number that equals zero: `0`, `-0`, `0.00` or `0e5`.
    pub fn is_zero(self) -> bool {
        number::is_zero(self.0)
    }
}

/// Reads a text from start to end.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether a bracket was just opened, so that no comma is expected.
    is_open: bool,
    brackets: Vec<u8>,
}

impl<'a> Scanner<'a> {
    /// Starts at the start of the text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, is_open: false, brackets: Vec::new() }
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    pub fn value(&mut self) -> Result<Json<'a>, Problem> {
        self.skip_space();
        let start = self.at;
        self.at = value_end(self.text.as_bytes(), start, &mut self.brackets)
            .map_err(|Missing(what, at)| self.missing(what, at))?;
        Ok(Json(self.since(start)))
    }

    /// Reads the opening bracket of an object or a list.
    ///
    /// # Errors
    /// If it is not next.
    pub fn open(&mut self, bracket: char) -> Result<(), Problem> {
        self.is_open = true;
        self.expect(bracket)
    }

    /// Reads the name of the next field of an object. Its value is next. Returns `None` at the end
    /// of the object.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    pub fn name(&mut self) -> Result<Option<Json<'a>>, Problem> {
        if !self.has_more('}')? {
            return Ok(None);
        }
        let name = self.value()?;
        self.expect(':')?;
        if name.0.starts_with('"') {
            Ok(Some(name))
        } else {
            Err(Problem::new(format!("{} is not a name", name.0), Some(self.at)))
        }
    }

    /// Reads an object. Calls `field` with the name (a JSON string) and the value of each field.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    #[inline(always)]
    pub fn object(&mut self, mut field: impl FnMut(Json<'a>, Json<'a>)) -> Result<(), Problem> {
        self.skip_space();
        let field = |name, value| field(Json(name), Json(value));
        self.at = object_end(self.text, self.at, &mut self.brackets, field)
            .map_err(|Missing(what, at)| self.missing(what, at))?;
        Ok(())
    }

    /// As [`Scanner::object`], but also reads the fields of nested objects whose names `opens`
    /// accepts. Calls `field` with the fields of such an object first, each with the name of the
    /// object, and then with the object itself.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    #[inline(always)]
    pub fn object_and_inner(
        &mut self,
        opens: impl Fn(Json<'a>) -> bool,
        mut field: impl FnMut(Option<Json<'a>>, Json<'a>, Json<'a>),
    ) -> Result<(), Problem> {
        self.skip_space();
        let (text, bytes) = (self.text, self.text.as_bytes());
        let visit = |name, begin: usize, brackets: &mut Vec<u8>| {
            let outer = Json(name);
            let end = if bytes.get(begin) == Some(&b'{') && opens(outer) {
                object_end(text, begin, brackets, |name, value| field(Some(outer), Json(name), Json(value)))?
            } else {
                value_end(bytes, begin, brackets)?
            };
            field(None, outer, Json(text.get(begin..end).unwrap_or_default()));
            Ok(end)
        };
        self.at = fields_end(text, self.at, &mut self.brackets, visit)
            .map_err(|Missing(what, at)| self.missing(what, at))?;
        Ok(())
    }

    /// Returns whether another element is next, in a list that was opened.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    pub fn has_element(&mut self) -> Result<bool, Problem> {
        self.has_more(']')
    }

    /// Reads a list and returns its elements.
    ///
    /// # Errors
    /// If the text is not valid JSON here.
    pub fn list(&mut self) -> Result<Vec<Json<'a>>, Problem> {
        self.open('[')?;
        let mut elements = Vec::new();
        while self.has_element()? {
            elements.push(self.value()?);
        }
        Ok(elements)
    }

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// If something does.
    pub fn end(&mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.missing("the end", self.at)) }
    }

    /// Returns where the next value begins, for [`Scanner::since`].
    pub fn position(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// Returns the text that was read since a position.
    pub fn since(&self, position: usize) -> &'a str {
        self.text.get(position..self.at).unwrap_or_default()
    }

    /// Reads the comma before the next part of an object or a list, or the closing bracket.
    fn has_more(&mut self, bracket: char) -> Result<bool, Problem> {
        let is_first = std::mem::take(&mut self.is_open);
        if self.skip(bracket) {
            return Ok(false);
        }
        if !is_first {
            self.expect(',')?;
        }
        Ok(true)
    }

    fn expect(&mut self, token: char) -> Result<(), Problem> {
        if self.skip(token) { Ok(()) } else { Err(self.missing(&format!("{token:?}"), self.at)) }
    }

    fn skip(&mut self, token: char) -> bool {
        self.skip_space();
        let is_next = self.text.as_bytes().get(self.at).is_some_and(|next| char::from(*next) == token);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        self.at = space_end(self.text.as_bytes(), self.at);
    }

    #[cold]
    fn missing(&self, what: &str, at: usize) -> Problem {
        match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(found) => Problem::new(format!("{what} is missing before {found:?}"), Some(at)),
            None => Problem::new(format!("{what} is missing at the end"), None),
        }
    }
}

/// Formats a JSON string.
pub fn quoted(text: &str) -> String {
    // Writing a string to memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// Formats a JSON list of these texts.
pub fn listed(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// Resolves the escapes of a valid JSON string. `None` if it contains an unpaired surrogate.
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
