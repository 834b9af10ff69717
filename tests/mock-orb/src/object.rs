//! Writes JSON objects, with every number exactly as given.

use std::fmt::Display;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::instant::{Spelling, write_instant};

/// A JSON object under construction. [`Object::end`] closes it.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn new(out: &'a mut String) -> Object<'a> {
        out.push('{');
        Object { out, empty: true }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }

    /// Adds a value that is already JSON.
    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name).push_str(json);
        self
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        write_text(self.name(name), value);
        self
    }

    /// Adds a string, or null.
    pub(crate) fn optional_text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    pub(crate) fn nulls(&mut self, names: &[&str]) -> &mut Self {
        for name in names {
            self.raw(name, "null");
        }
        self
    }

    pub(crate) fn number(&mut self, name: &str, value: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.name(name), "{value}");
        self
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// Adds an amount of money as a string of units and hundredths, `"12.30"`.
    pub(crate) fn money(&mut self, name: &str, cents: u64) -> &mut Self {
        let _ = write!(self.name(name), "\"{}.{:02}\"", cents / 100, cents % 100);
        self
    }

    pub(crate) fn instant(&mut self, name: &str, at: Timestamp, spelling: Spelling) -> &mut Self {
        let out = self.name(name);
        out.push('"');
        write_instant(out, at, spelling);
        out.push('"');
        self
    }

    /// Adds an instant in Orb's usual spelling, or null.
    pub(crate) fn optional_instant(&mut self, name: &str, at: Option<Timestamp>) -> &mut Self {
        match at {
            Some(at) => self.instant(name, at, Spelling::Offset),
            None => self.raw(name, "null"),
        }
    }

    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.value(name, |out| write_object(out, fill))
    }

    /// Adds a value that writes itself.
    pub(crate) fn value(&mut self, name: &str, write: impl FnOnce(&mut String)) -> &mut Self {
        write(self.name(name));
        self
    }

    /// Adds a list whose items write themselves.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) -> &mut Self {
        let out = self.name(name);
        out.push('[');
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write(out, item);
        }
        out.push(']');
        self
    }

    fn name(&mut self, name: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }
}

/// Writes one whole object.
pub(crate) fn write_object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::new(out);
    fill(&mut object);
    object.end();
}

/// Writes a JSON string.
pub(crate) fn write_text(out: &mut String, value: &str) {
    out.push('"');
    for letter in value.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if u32::from(letter) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_escapes_stay_as_given() {
        let mut out = String::new();
        write_object(&mut out, |object| {
            object.raw("exact", "1.10").money("cents", 1_205).text("quoted", "a\"b\\c\n").nulls(&["none"]);
            object.list("list", [1, 2], |out, item| {
                let _ = write!(out, "{item}");
            });
            object.object("inner", |_| {});
        });
        assert_eq!(
            out,
            r#"{"exact":1.10,"cents":"12.05","quoted":"a\"b\\c\u000a","none":null,"list":[1,2],"inner":{}}"#
        );
    }
}
