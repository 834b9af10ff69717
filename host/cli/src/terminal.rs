//! Makes text safe to show to a person.
//!
//! Connectors and servers are strangers. Control characters, of ASCII and beyond, move the cursor
//! of a terminal. Characters that change the direction of text make it look like another. Both are
//! shown as their escapes in JSON, so that a line of JSON stays what it is.

use std::fmt::Write as _;

/// The text as one line in which nothing acts on the terminal, and everything can be seen.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut shown, character));
    shown
}

/// Makes a stream of bytes visible. Line breaks and tabs stay.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// The beginning of a character of which the rest has not arrived.
    rest: Vec<u8>,
}

impl Filter {
    /// What to show for the next bytes.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> String {
        let mut bytes = [&std::mem::take(&mut self.rest), bytes].concat();
        let mut shown = String::with_capacity(bytes.len());
        // What is invalid at the very end may become a character.
        if let Some(last) = bytes.utf8_chunks().last()
            && let tail = last.invalid()
            && std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none())
        {
            self.rest = bytes.split_off(bytes.len() - tail.len());
        }
        for character in String::from_utf8_lossy(&bytes).chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                _ => push(&mut shown, character),
            }
        }
        shown
    }
}

fn push(shown: &mut String, character: char) {
    if is_active(character) {
        // All of them have four digits at most.
        let _ = write!(shown, "\\u{:04x}", u32::from(character));
    } else {
        shown.push(character);
    }
}

/// Whether a character does something instead of being seen: a control character, one that changes
/// the direction of text (Unicode's property `Bidi_Control`), or one that ends a line.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character that must not reach a terminal.
    fn active() -> impl Iterator<Item = char> {
        let ranges = [0..0x20, 0x7f..0xa0, 0x61c..0x61d, 0x200e..0x2010, 0x2028..0x202f, 0x2066..0x206a];
        ranges.into_iter().flatten().filter_map(char::from_u32)
    }

    #[test]
    fn what_acts_is_escaped_and_what_is_seen_stays() {
        for character in active() {
            let escape = format!("a\\u{:04x}b", u32::from(character));
            assert_eq!(visible(&format!("a{character}b")), escape);
            let json: String = serde_json::from_str(&format!("\"{escape}\"")).unwrap();
            assert_eq!(json, format!("a{character}b"), "a reader of JSON sees no difference");
        }
        let seen = "Zürich 東京 שלום 👩\u{200d}💻 \u{a0}\\";
        assert_eq!(visible(seen), seen);
    }

    #[test]
    fn a_stream_is_made_visible_however_it_is_cut() {
        let text: String = active().chain("ü東👩\n\t".chars()).collect();
        let whole = Filter::default().pass(text.as_bytes());
        assert_eq!(whole.replace(['\n', '\t'], ""), visible(&text.replace(['\n', '\t'], "")));
        assert_eq!(whole.matches(['\n', '\t']).count(), 4);
        for size in 1..8 {
            let mut filter = Filter::default();
            let shown: String = text.as_bytes().chunks(size).map(|bytes| filter.pass(bytes)).collect();
            assert_eq!(shown, whole, "by {size} bytes");
        }
        // A single byte is a control character to some terminals.
        assert_eq!(Filter::default().pass(b"a\x9bb"), "a\u{fffd}b");
    }
}
