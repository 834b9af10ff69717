//! Prepares a text of a connector or a server for people: masks the secrets in it, and then cuts
//! off what is too long.
//!
//! Only this module cuts texts, so nobody can cut one before it is masked: half of a secret at a
//! cut would not be recognised. What a connector says before it has the config cannot contain a
//! secret of it.

use std::fmt::{Display, Write as _};

use crate::error::Error;
use crate::redaction::Redaction;

/// Bytes of a message, an internal message, a hint or a log line that are shown. The rest is cut
/// off.
pub const MESSAGE: usize = 16 * 1024;
/// Characters that are shown of one name or another short text within a message.
pub const LABEL: usize = 200;
/// Entries of a list within a message that are shown. The rest is counted.
pub const FEW: usize = 5;

/// Room for saying how much was cut off.
const NOTICE: usize = 40;
/// At most this many bytes of a text are searched for secrets. The rest is never shown. A search
/// takes about ten times as much memory as the text.
const SEARCHED: usize = 256 * 1024;
/// The last bytes of the searched part are not shown either: a secret may begin there and go on in
/// the part that was not searched.
const EDGE: usize = 64 * 1024;

impl Redaction {
    /// Masks the secrets in a text for people, and then cuts it off beyond [`MESSAGE`]. A text that
    /// was cut ends with how much is missing. It is no longer than [`MESSAGE`] even so, so a second
    /// call leaves it as it is.
    pub fn message(&self, text: &str) -> String {
        self.excerpt(text, MESSAGE)
    }

    /// Prepares all texts of an error in the same way.
    #[must_use]
    pub fn error(&self, error: &Error) -> Error {
        error.map_texts(|text| self.message(text))
    }

    /// The same as [`message`](Self::message) with another bound, in bytes.
    pub fn excerpt(&self, text: &str, most: usize) -> String {
        let searched = &text[..text.floor_char_boundary(SEARCHED)];
        let masked = self.text(searched);
        let (beyond, known) = match text.len() - searched.len() {
            0 if masked.len() <= most => return masked.into_owned(),
            0 => (0, masked.len()),
            beyond => (beyond, masked.len().saturating_sub(EDGE)),
        };
        cut(&masked, masked.floor_char_boundary(known.min(most.saturating_sub(NOTICE))), beyond)
    }
}

/// A short text of a connector that was not given a config yet, such as a name in its schema, cut
/// off after [`LABEL`] characters.
pub(crate) fn label(text: &str) -> String {
    match text.char_indices().nth(LABEL) {
        Some((end, _)) => cut(text, end, 0),
        None => text.to_owned(),
    }
}

/// Cuts a text at `end`, and says how much that leaves out, beside what was left out `beyond` it.
fn cut(text: &str, end: usize, beyond: usize) -> String {
    format!("{}… (and {} bytes more)", &text[..end], text.len() - end + beyond)
}

/// Lists a few of these, and counts the rest: "a, b and 7 more".
pub fn few<T: Display>(entries: impl IntoIterator<Item = T>, most: usize) -> String {
    let mut entries = entries.into_iter();
    let mut list = String::new();
    for entry in entries.by_ref().take(most) {
        let separator = if list.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(list, "{separator}{entry}");
    }
    match entries.count() {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk_live_51H4ndS0ffQ";

    #[test]
    fn a_message_is_cut_off_where_it_is_too_long_and_says_how_much() {
        let redaction = Redaction::default();
        assert_eq!(redaction.message("short"), "short");
        let long = redaction.message(&"é".repeat(60_000));
        assert!(long.len() <= MESSAGE && long.len() > MESSAGE - 2 * NOTICE, "{}", long.len());
        assert!(long.ends_with("é… (and 103656 bytes more)"), "{}", &long[MESSAGE - 60..]);
        assert_eq!(redaction.message(&long), long, "it may pass again");
    }

    #[test]
    fn no_part_of_a_secret_is_left_at_a_cut() {
        let redaction = Redaction::of_values([KEY]);
        for before in MESSAGE - NOTICE - KEY.len()..=MESSAGE {
            let text = redaction.message(&format!("{}{KEY}{}", "-".repeat(before), "-".repeat(100)));
            assert!(!text.contains("sk_"), "{before}");
        }
    }

    #[test]
    fn of_megabytes_only_the_beginning_is_searched_and_nothing_near_its_end_is_shown() {
        let redaction = Redaction::of_values([KEY]);
        let text = redaction.message(&"x".repeat(64 << 20));
        assert!(text.ends_with("x… (and 67092520 bytes more)"), "{}", &text[MESSAGE - 60..]);
        // Masked, the beginning is short enough to be shown whole, but for where it was cut.
        let secrets = format!("{KEY} ").repeat(SEARCHED);
        let text = redaction.message(&secrets);
        assert!(!text.contains("sk_") && text.len() <= MESSAGE, "{}", text.len());
        let spelled = format!("%2{}{}", "5".repeat(300), &KEY[..10]);
        let text = redaction.message(&(KEY.repeat(SEARCHED / KEY.len() - 1) + &spelled));
        assert!(!text.contains("sk_"));
    }

    #[test]
    fn a_label_is_short_and_cut_between_characters() {
        assert_eq!(label(&"ü".repeat(LABEL)), "ü".repeat(LABEL));
        assert_eq!(label(&"ü".repeat(LABEL + 1)), format!("{}… (and 2 bytes more)", "ü".repeat(LABEL)));
    }

    #[test]
    fn a_list_names_a_few_and_counts_the_rest() {
        assert_eq!(few(["a"], 2), "a");
        assert_eq!(few(["a", "b"], 2), "a, b");
        assert_eq!(few(["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(few([""; 0], 2), "");
    }
}
