//! Secrets of which a part is escaped.

use fastrand::Rng;

use super::*;

#[test]
fn a_secret_in_which_something_looks_like_an_escape_is_found_behind_others() {
    // `%b4` alone is no character.
    const PASSWORD: &str = r#"pass%b4"word\u0041&amp;0123456789"#;
    for written in [PASSWORD.to_owned(), json_text::quoted(PASSWORD), PASSWORD.replace('%', "%25")] {
        let text = format!("a {} b", written.trim_matches('"'));
        assert_eq!(redaction(&[PASSWORD]).text(&text), "a **** b", "{written}");
    }
    assert_eq!(record(&[PASSWORD], &format!("{{\"a\":{}}}", json_text::quoted(PASSWORD))), r#"{"a":"****"}"#);
}

#[test]
fn escapes_in_any_spelling_hide_nothing() {
    for written in [
        r"sk\/Live+0123456789&x<y",
        r"sk/Live+0123456789\u0026x<y",
        r"sk/Live+0123456789\u0026x\u003Cy",
        r"sk/Live+0123456789\u0026x\u003cy",
        r"\u0073\u006b/Live\u002b0123456789\x26x\u{3c}y",
        r"sk\/Live+0123456789\\u0026x\\u003cy",
        "sk%2FLive%2B0123456789%26x%3Cy",
        "sk%2fLive%2b0123456789%26x%3cy",
        "sk/Live%2B0123456789&x%3cy",
        "%73%6b%2FLive+0123456789%26x%3Cy",
        "sk%252FLive%252B0123456789%2526x%253Cy",
        r"sk\u00252FLive%2B0123456789%26x%3Cy",
        "sk/Live+0123456789&amp;x&lt;y",
        "&#115;&#x6b;/Live+0123456789&#38;x&#x3C;y",
        "sk/Live+0123456789&amp;amp;x%26lt;y",
        "736b2f4c6976652b303132333435363738392678",
    ] {
        let written = if written.starts_with('7') { hex(ODD) } else { written.to_owned() };
        assert_eq!(redaction(&[ODD]).text(&format!("a {written} b")), "a **** b", "{written}");
        // As the value of a string whose author escaped it once more.
        let string = json_text::quoted(&format!("a {written} b"));
        assert_eq!(record(&[ODD], &format!("{{\"a\":{string}}}")), r#"{"a":"a **** b"}"#, "{written}");
    }
    // The escapes of the record itself.
    let text = r#"{"b":"\u00e4","a":"sk\/Live\u002b0123456789\u0026x\u003cy","c":1.50}"#;
    assert_eq!(record(&[ODD], text), r#"{"b":"\u00e4","a":"****","c":1.50}"#);
    let key = r#"{"sk\/Live\u002b0123456789\u0026x\u003cy":1}"#;
    assert_eq!(record(&[ODD], key), r#"{"****":1}"#);
}

/// A text in which some characters are escaped, each in some way.
fn escape(random: &mut Rng, text: &str) -> String {
    let spell = |character: char| {
        let code = u32::from(character);
        match random.usize(..12) {
            0 => format!("\\u{code:04x}"),
            1 => format!("\\u{code:04X}"),
            2 => format!("\\x{code:02x}"),
            3 => format!("\\u{{{code:X}}}"),
            4 => format!("%{code:02X}"),
            5 => format!("%{code:02x}"),
            6 => format!("&#{code};"),
            7 => format!("&#x{code:x};"),
            8 if "\"\\/".contains(character) => format!("\\{character}"),
            // By itself, it could be the beginning of an escape.
            _ if "\\%&".contains(character) => format!("%{code:02X}"),
            _ => character.to_string(),
        }
    };
    text.chars().map(spell).collect()
}

#[test]
fn whatever_is_escaped_and_however_often_nothing_is_left_and_json_stays_json() {
    let (mut random, key) = (Rng::with_seed(1), r#"sk/Li%v\e+0123"456&x<y"#);
    let redaction = redaction(&[key]);
    for _ in 0..500 {
        let mut written = key.to_owned();
        for _ in 0..random.usize(..4) {
            written = escape(&mut random, &written);
        }
        let text = format!("<{written}>");
        assert_eq!(redaction.text(&text), "<****>", "{written}");
        let string = json_text::quoted(&text);
        let masked = record(&[key], &format!(r#"{{"a":"\u00e4","b":{string},{string}:1.50}}"#));
        assert_eq!(masked, r#"{"a":"\u00e4","b":"<****>","<****>":1.50}"#, "{written}");
    }
}

#[test]
fn a_secret_that_has_what_looks_like_an_escape_is_masked_with_and_without_others() {
    let key = r"sk%41&amp;live\n0123456789&x";
    for written in [
        r"sk%41&amp;live\n0123456789&x",
        r"sk%41&amp;live\\n0123456789\u0026x",
        r"sk%2541%26amp%3Blive%5Cn0123456789%26x",
        r"sk%41&amp;amp;live\n0123456789&amp;x",
    ] {
        assert_eq!(redaction(&[key]).text(&format!("<{written}>")), "<****>", "{written}");
        let string = json_text::quoted(written);
        assert_eq!(record(&[key], &format!(r#"{{"a":{string}}}"#)), r#"{"a":"****"}"#, "{written}");
    }
}

#[test]
fn what_has_no_secret_in_it_stays_as_it_was_written() {
    let (mut random, redaction) = (Rng::with_seed(2), redaction(&[ODD, KEY]));
    for _ in 0..500 {
        let parts = ["sk", "/", "Live", "+0123456789", "&x", "<y>", "live_", "\\", "%", "\u{e9}", " "];
        let text: String = (0..12).map(|_| parts[random.usize(..parts.len())]).collect();
        if text.contains(ODD) {
            continue;
        }
        let text = escape(&mut random, &text);
        let json = format!(r#"{{"a":{}}}"#, json_text::quoted(&text));
        assert_eq!(record(&[ODD], &json), json);
        assert_eq!(redaction.text(&text), text);
    }
}
