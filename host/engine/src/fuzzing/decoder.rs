//! Decodes whatever can be decoded in a text, simply and slowly, to look for a secret in it.

use std::collections::HashSet;

use memchr::memmem;
use percent_encoding::percent_decode;

/// Whether `secret` can be read in `text`: as it is, in hexadecimal digits or base64, behind up to
/// `layers` of escapes.
pub(super) fn reveals(text: &[u8], secret: &[u8], layers: usize) -> bool {
    let mut seen = HashSet::from([text.to_vec()]);
    let mut pending = vec![(text.to_vec(), layers)];
    while let Some((text, layers)) = pending.pop() {
        if contains(&text, secret) || in_hex(&text, secret) || in_base64(&text, secret) {
            return true;
        }
        if layers > 0 {
            for decoded in [of_json(&text), percent_decode(&text).collect(), of_html(&text)] {
                if seen.insert(decoded.clone()) {
                    pending.push((decoded, layers - 1));
                }
            }
        }
    }
    false
}

fn contains(text: &[u8], secret: &[u8]) -> bool {
    memmem::find(text, secret).is_some()
}

fn in_hex(text: &[u8], secret: &[u8]) -> bool {
    let digits = |case: fn(u8) -> String| secret.iter().map(|byte| case(*byte)).collect::<String>();
    let lower = digits(|byte| format!("{byte:02x}"));
    let upper = digits(|byte| format!("{byte:02X}"));
    contains(text, lower.as_bytes()) || contains(text, upper.as_bytes())
}

/// Reads six bits of each character of base64, from each of four starts.
fn in_base64(text: &[u8], secret: &[u8]) -> bool {
    let number = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let decode = |digits: &[u8]| -> Vec<u8> {
        let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
        for digit in digits.iter().filter_map(number) {
            bits = bits << 6 | u32::from(digit);
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count & 0xff) as u8);
            }
        }
        bytes
    };
    let runs = text.split(|byte| number(byte).is_none()).filter(|run| run.len() * 6 >= secret.len() * 8);
    let mut starts = runs.flat_map(|run| (0..4).filter_map(move |start| run.get(start..)));
    starts.any(|digits| contains(&decode(digits), secret))
}

/// Resolves what `serde_json` takes for an escape.
fn of_json(text: &[u8]) -> Vec<u8> {
    replace(text, b'\\', |rest| {
        [12, 6, 2].into_iter().find_map(|length| {
            let escape = std::str::from_utf8(rest.get(..length)?).ok()?;
            let character: String = serde_json::from_str(&format!("\"{escape}\"")).ok()?;
            (character.chars().count() == 1).then(|| (character.into_bytes(), length))
        })
    })
}

fn of_html(text: &[u8]) -> Vec<u8> {
    replace(text, b'&', |rest| {
        let end = rest.iter().take(10).position(|byte| *byte == b';')?;
        let name = std::str::from_utf8(&rest[1..end]).ok()?;
        let code = match name {
            "amp" => u32::from(b'&'),
            "lt" => u32::from(b'<'),
            "gt" => u32::from(b'>'),
            "quot" => u32::from(b'"'),
            "apos" => u32::from(b'\''),
            _ => match name.strip_prefix("#x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => name.strip_prefix('#')?.parse().ok()?,
            },
        };
        Some((char::from_u32(code)?.to_string().into_bytes(), end + 1))
    })
}

/// Replaces what `escape` finds where `first` is.
fn replace(text: &[u8], first: u8, escape: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Vec<u8> {
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        let found = if *byte == first { escape(&text[at..]) } else { None };
        let (bytes, length) = found.unwrap_or((vec![*byte], 1));
        decoded.extend(bytes);
        at += length;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_any_form_is_found() {
        let secret = b"a&b/c\"\xc3\xa9";
        for text in [
            "x a&b/c\"\u{e9} y",
            r#"a&b\/c\"\u00e9"#,
            r"\u0061\u0026b/c\u0022\u00e9",
            "a%26b%2fc%22%C3%a9",
            "&#97;&amp;b/c&quot;&#xe9;",
            "%26#97;&amp;b%2Fc&quot;&#xe9;",
            "x6126622f6322c3a9",
            "6126622F6322C3A9x",
        ] {
            assert!(reveals(text.as_bytes(), secret, 2), "{text}");
            assert!(!reveals(text.as_bytes(), b"another", 2), "{text}");
        }
        for secret in ["user", "abcd", "r:ab"] {
            assert!(reveals(b"x=dXNlcjphYmNk;", secret.as_bytes(), 0), "{secret}");
        }
    }
}
