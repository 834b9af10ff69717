//! What a state holds besides the cursor, to find out what has changed since the last read:
//!
//! ```json
//! {"invoice_date": "…", "open": {"<id>": "<digest>"}, "swept": "…",
//!  "sweep": {"opened": "…", "reached": "…"}, "changes": "…"}
//! ```
//!
//! `open` has the objects that were open, with a digest of each as it was emitted, or "" if it was
//! not. `swept` is when the last read of the whole stream was opened. `sweep` is the progress of
//! one that has not ended, and `changes` the instant up to which events have been looked at.
//!
//! A stream with corrections has `corrections` instead, with a digest of each that the last
//! finished read knew, and before the end of a read `correcting`, with those that this read knew
//! when it was opened.

use json_text::{Fields, Json, Object};
use time::Timestamp;

use super::parse_text;
use crate::{instant::format_instant, problem::Problem, record::Digest};

/// Digests by identifier. `None` for an object of which nothing was emitted.
pub type Digests = Vec<(String, Option<Digest>)>;

/// What a stream remembers besides its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The objects that were open, as they were emitted.
    pub open: Digests,
    /// When the last read of the whole stream was opened.
    pub swept: Option<Timestamp>,
    /// The progress of a read of the whole stream.
    pub sweep: Option<Sweep>,
    /// All events up to this instant have been looked at.
    pub changes: Option<Timestamp>,
    /// The corrections that earlier reads have followed.
    pub corrections: Option<Digests>,
    /// The corrections that the unfinished read follows.
    pub correcting: Option<Digests>,
}

/// The progress of a read of the whole stream that began below its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// When it was opened.
    pub opened: Timestamp,
    /// All records up to this position have been read.
    pub reached: Timestamp,
}

impl Memory {
    /// Takes a field of a state. Returns false if it is none of these.
    pub(super) fn parse(&mut self, name: &str, value: Json<'_>) -> Result<bool, Problem> {
        match name {
            "swept" | "changes" => {
                let instant = Some(parse_text(Some(value), name)?.instant);
                if name == "swept" { self.swept = instant } else { self.changes = instant }
            }
            "sweep" => {
                let instant = |name| parse_text(value.field(name), name).map(|cursor| cursor.instant);
                self.sweep = Some(Sweep { opened: instant("opened")?, reached: instant("reached")? });
            }
            "open" | "corrections" | "correcting" => {
                let digests = parse_digests(name, value)?;
                match name {
                    "open" => self.open = digests,
                    "corrections" => self.corrections = Some(digests),
                    _ => self.correcting = Some(digests),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds the fields to a state.
    pub(super) fn push_to(&self, object: &mut Object) {
        push_digests(object, "open", Some(&self.open).filter(|open| !open.is_empty()));
        push_digests(object, "corrections", self.corrections.as_ref());
        push_digests(object, "correcting", self.correcting.as_ref());
        let mut put = |name: &str, instant: Option<Timestamp>| {
            if let Some(instant) = instant {
                object.push_text(name, &format_instant(instant));
            }
        };
        put("swept", self.swept);
        put("changes", self.changes);
        if let Some(Sweep { opened, reached }) = self.sweep {
            let mut sweep = Object::default();
            sweep.push_text("opened", &format_instant(opened));
            sweep.push_text("reached", &format_instant(reached));
            object.push("sweep", &sweep.finish());
        }
    }
}

/// Never inlined, because it has several callers.
#[inline(never)]
fn push_digests(object: &mut Object, name: &str, digests: Option<&Digests>) {
    let Some(digests) = digests else { return };
    let mut texts = Object::default();
    for (id, digest) in digests {
        texts.push_text(id, &digest.map_or_else(String::new, |digest| digest.to_string()));
    }
    object.push(name, &texts.finish());
}

fn parse_digests(name: &str, value: Json<'_>) -> Result<Digests, Problem> {
    let fields = Fields::of(value).ok_or_else(|| format!("{name:?} is not an object"))?;
    let mut digests = Vec::new();
    for (id, digest) in fields.iter() {
        let id = id.text().ok_or("an identifier in it is not valid Unicode")?;
        let text = digest.text().ok_or_else(|| format!("the digest of {id:?} is not a string"))?;
        let digest = (!text.is_empty())
            .then(|| Digest::parse(&text).ok_or_else(|| format!("{text:?} is not a digest")))
            .transpose()?;
        digests.push((id.into_owned(), digest));
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cursor::Cursor, state::State, testing::instant};

    #[test]
    fn what_is_remembered_survives_beside_the_cursor() {
        let at = instant("2024-05-01T00:00:00Z");
        let state = State {
            cursor: Some(Cursor::at(at)),
            memory: Memory {
                open: vec![("a".to_owned(), Some(Digest::of("x"))), ("b".to_owned(), None)],
                swept: Some(at),
                sweep: Some(Sweep { opened: at, reached: instant("2024-02-01T00:00:00Z") }),
                changes: Some(instant("2024-05-02T00:00:00Z")),
                corrections: Some(Vec::new()),
                correcting: Some(vec![("c".to_owned(), Some(Digest::of("y")))]),
            },
            ..State::default()
        };
        let text = state.to_json(Some("invoice_date"));
        assert!(text.starts_with(r#"{"invoice_date":"2024-05-01T00:00:00+00:00","open":{"a":""#), "{text}");
        assert_eq!(State::parse(&text, Some("invoice_date"), None), Ok(state));
    }

    #[test]
    fn nothing_remembered_is_the_state_of_other_connectors() {
        let text = r#"{"invoice_date":"2024-05-01T00:00:00Z"}"#;
        let state = State::parse(text, Some("invoice_date"), None).unwrap();
        assert_eq!((&state.memory, state.to_json(Some("invoice_date")).as_str()), (&Memory::default(), text));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            r#"{"open":[]}"#,
            r#"{"open":{"a":5}}"#,
            r#"{"open":{"a":"xyz"}}"#,
            r#"{"swept":true}"#,
            r#"{"sweep":{"opened":"2024-05-01T00:00:00Z"}}"#,
            r#"{"changes":"yesterday"}"#,
        ] {
            assert!(State::parse(text, Some("invoice_date"), None).is_err(), "{text}");
        }
    }
}
