//! The texts by which a value can be recognised.
//!
//! Escapes are not among them: a text is searched again after its escapes are resolved, because
//! each character of a value can be written in several ways (`escapes`).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::escapes::{Escapes, Resolved};

/// A text that stands for a value, or for a part of it that no other value has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Bytes, since what looks like an escape in a value may stand for no character.
    pub(super) text: Vec<u8>,
    /// Whether the characters around it may belong to it, because base64 does not end where a value
    /// ends.
    pub(super) is_base64: bool,
}

/// The forms in which a value is commonly written.
pub(super) fn forms(value: &str) -> Vec<Form> {
    let mut plain = vec![value.to_owned(), hex(value, false), hex(value, true)];
    if value.contains(' ') {
        plain.push(value.replace(' ', "+"));
    }
    if value.contains(char::is_control) {
        // As one line.
        let lines: Vec<_> = value.split(char::is_control).filter(|line| !line.is_empty()).collect();
        plain.extend([lines.join(" "), lines.concat()]);
    }
    let plain = plain.into_iter().map(String::into_bytes);
    // What looks like an escape within the value is resolved with the escapes around it.
    let plain = plain.chain(resolved(value)).map(|text| Form { text, is_base64: false });
    let mut encoded = vec![value.to_owned(), in_url(value)];
    encoded.extend(in_json(value));
    encoded.sort_unstable();
    encoded.dedup();
    let encoded = encoded.iter().flat_map(|text| (0..3).flat_map(|before| base64(text, before)));
    let mut forms: Vec<_> = plain.chain(encoded).collect();
    forms.sort_by(|one, other| one.text.cmp(&other.text));
    forms.dedup();
    forms
}

/// What is left of the value if all in it that looks like an escape is resolved. `None` if nothing
/// does, or if it is most of the value, since too little is left then.
fn resolved(value: &str) -> Option<Vec<u8>> {
    let mut layer = Resolved::unchanged(value.as_bytes());
    loop {
        let next = layer.resolve(Escapes::Any);
        if next.bytes == layer.bytes {
            break;
        }
        layer = next;
    }
    let text = layer.bytes;
    (text != value.as_bytes() && text.len() * 2 >= value.len()).then_some(text)
}

/// The value as a part of a URL, as it is within `Basic` credentials of OAuth 2 (RFC 6749, 2.3.1).
fn in_url(value: &str) -> String {
    const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, &UNRESERVED).to_string()
}

/// The value as a part of a JSON text: as most programs write it; with a slash escaped, as PHP
/// does; with what HTML would read escaped, as Go does; and with all but ASCII escaped, as Python
/// does.
fn in_json(value: &str) -> Vec<String> {
    let quoted = json_text::quoted(value);
    let Some(text) = quoted.get(1..quoted.len() - 1) else { return Vec::new() };
    let escaped = |is_escaped: fn(char) -> bool| {
        let mut units = [0; 2];
        let mut escaped = String::new();
        for character in text.chars() {
            if is_escaped(character) {
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                escaped.push(character);
            }
        }
        escaped
    };
    let ascii = |character: char| !character.is_ascii();
    let html = |character| matches!(character, '&' | '<' | '>' | '\u{2028}' | '\u{2029}');
    let slash = text.replace('/', "\\/");
    vec![text.to_owned(), slash, escaped(html), escaped(ascii)]
}

fn hex(value: &str, upper: bool) -> String {
    value.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

/// What the base64 of every text has in common that has the value after so many bytes, in both
/// alphabets.
fn base64(value: &str, before: usize) -> [Form; 2] {
    let padded = [&[0; 2][..before], value.as_bytes()].concat();
    // A character is six bits. The first of them depend on what comes before the value, and the
    // last one on what follows.
    let common = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
    [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD].map(|alphabet| {
        let text = alphabet.encode(&padded).get(common.clone()).unwrap_or_default().to_owned();
        Form { text: text.into_bytes(), is_base64: true }
    })
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    use super::*;

    #[test]
    fn base64_is_recognised_whatever_is_around_the_value() {
        for value in ["sk/51+\"H4nd\\s0ff%", "0123456789abcdef", "abcd", "abcde", "abcdef", "\u{fb}\u{ff}?>~"]
        {
            let forms = forms(value);
            for before in ["", "u", "us", "use", "user:"] {
                for after in ["", "!", "!!", "!!!"] {
                    let whole = format!("{before}{value}{after}");
                    for text in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE.encode(&whole)] {
                        let found = forms.iter().any(|form| {
                            form.is_base64 && memchr::memmem::find(text.as_bytes(), &form.text).is_some()
                        });
                        assert!(found, "{whole}: {text}");
                    }
                }
            }
            assert!(forms.iter().all(|form| form.text.len() >= 4), "{forms:?}");
        }
    }

    #[test]
    fn what_is_in_base64_may_have_escapes() {
        let value = "sk/51+\"H4nd&s0ff%";
        let forms = forms(value);
        for text in [
            "client:sk%2F51%2B%22H4nd%26s0ff%25!",
            r#"{"key":"sk/51+\"H4nd&s0ff%"}"#,
            r#"{"key":"sk\/51+\"H4nd&s0ff%"}"#,
            r#"{"key":"sk/51+\"H4nd\u0026s0ff%"}"#,
        ] {
            let text = BASE64_STANDARD.encode(text);
            assert!(
                forms.iter().any(|form| form.is_base64 && text.contains(str::from_utf8(&form.text).unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn other_forms_are_those_that_programs_write() {
        let text = |form: Form| String::from_utf8(form.text).unwrap();
        let texts = |value| forms(value).into_iter().map(text).collect::<Vec<_>>();
        for (value, form) in [
            ("a b&c", "a+b&c"),
            ("abcz", "6162637a"),
            ("abcz", "6162637A"),
            ("one\r\ntwo\n", "one two"),
            ("one\r\ntwo\n", "onetwo"),
        ] {
            assert!(texts(value).iter().any(|text| text == form), "{form} in {:?}", texts(value));
        }
    }
}
