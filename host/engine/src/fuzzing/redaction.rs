//! Properties of masking secrets, and of sealing headers.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use super::decoder::reveals;
use crate::record::Record;
use crate::redaction::Redaction;
use crate::secrets::{Secret, Secrets};

/// Layers of escapes that are tried, of the five that are promised. More take long to look through.
const LAYERS: usize = 3;
/// Bytes of a secret that are tried. A shorter one is not searched for.
const LENGTHS: std::ops::Range<usize> = 4..65;

/// Bytes of an escape at most.
const ESCAPE: usize = 12;
/// Bytes of an input that are tried.
const LONGEST: usize = 512;

/// Nothing that reads a masked text finds the secret in it. The lines of the input are a secret,
/// the steps by which it is written ([`write`]), what is before it and what follows.
pub fn redaction(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut lines = input.split('\n');
    let (Some(secret), Some(steps), Some(before)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let after = lines.collect::<Vec<_>>().join("\n");
    // The mask itself can be no secret.
    if input.len() > LONGEST || !LENGTHS.contains(&secret.len()) || secret.bytes().all(|byte| byte == b'*') {
        return;
    }
    // Half an escape before a secret may take its first character with it, and one at its end the
    // character that follows.
    let half = |text: &str, length| text.bytes().rev().take(length).any(|byte| b"\\%&".contains(&byte));
    if half(before, ESCAPE) || half(secret, "\\u123".len()) {
        return;
    }
    // Of one that is mostly escapes, too little is left to be searched for.
    let begins_escape = |byte: &u8| b"\\%&".contains(byte);
    if secret.bytes().filter(begins_escape).count() * 8 > secret.len() {
        return;
    }
    let text = format!("{before}{}{after}", write(secret, steps));
    let redaction = Redaction::of_values([secret]);
    let masked = redaction.text(&text);
    assert!(!reveals(masked.as_bytes(), secret.as_bytes(), LAYERS), "{text} became {masked}");
    assert_eq!(redaction.text(&masked), masked, "it is not masked twice");
    if Secret::expose(secret).is_unmistakable() {
        in_data(&redaction, secret, &text);
    }
    assert_eq!(Redaction::default().text(&text), text);
}

/// The same for records, states and names, of which all else stays as it is.
fn in_data(redaction: &Redaction, secret: &str, text: &str) {
    let reveals = |text: &str| reveals(text.as_bytes(), secret.as_bytes(), LAYERS);
    let written = format!(r#"{{"n":1.50,"text":{},"{}":[null,-0]}}"#, json_text::quoted(text), "k");
    let record = Record::parse(written.clone()).expect("it is an object");
    let masked = redaction.record(&record).unwrap_or(record);
    let fields: std::collections::BTreeMap<&str, &RawValue> =
        serde_json::from_str(masked.as_str()).expect("it is an object still");
    assert_eq!((fields["n"].get(), fields["k"].get()), ("1.50", "[null,-0]"));
    let shown: String = serde_json::from_str(fields["text"].get()).expect("it is a string still");
    assert!(!reveals(&shown), "{text} became {shown}");
    if redaction.check_name(text).is_ok() {
        assert!(!reveals(text), "{text} may be a name");
    }
    let state = crate::types::JsonObject::parse(&written).expect("it is an object");
    if redaction.check_state(&state).is_ok() {
        assert!(!reveals(text), "{text} may be in a state");
    }
}

/// Writes a secret by few steps, each a letter and perhaps a hexadecimal digit. `b`, `u`, `x` and
/// `X` come first alone: base64 in two alphabets with so many bytes around it, and hexadecimal
/// digits. The others escape those characters that the digit says: as in JSON (`j`), in URLs (`p`,
/// `q`) and in HTML (`h`, `e`).
fn write(secret: &str, steps: &str) -> String {
    let mut written = secret.to_owned();
    let mut letters = steps.chars().peekable();
    let mut layers = 0;
    while let Some(letter) = letters.next() {
        if layers == LAYERS {
            break;
        }
        // In upper case, since others are letters of steps.
        let digit = letters.next_if(|digit| matches!(digit, '0'..='9' | 'A'..='F'));
        let digit = digit.and_then(|digit| digit.to_digit(16));
        let bits = digit.unwrap_or(0xf);
        let around = "~".repeat(digit.unwrap_or(0) as usize % 4);
        let all = |text: &str, escape: &dyn Fn(char) -> String, always: char| -> String {
            let one = |(at, character): (usize, char)| match character {
                // A backslash beside others, some of which are escaped, could mean anything.
                _ if character == always || character == '\\' || bits >> (at % 4) & 1 == 1 => {
                    escape(character)
                }
                _ => character.to_string(),
            };
            text.chars().enumerate().map(one).collect()
        };
        let bytes = |text: &str| text.bytes().collect::<Vec<_>>();
        let first = layers == 0 && written == secret;
        layers += 1;
        written = match letter {
            'b' if first => BASE64_STANDARD.encode(format!("{around}{secret}{around}")),
            'u' if first => BASE64_URL_SAFE_NO_PAD.encode(format!("{around}{secret}{around}")),
            'x' if first => bytes(secret).iter().map(|byte| format!("{byte:02x}")).collect(),
            'X' if first => bytes(secret).iter().map(|byte| format!("{byte:02X}")).collect(),
            'j' => all(&written, &of_json, '\\'),
            'p' => all(&written, &|character| percent(character, true), '%'),
            'q' => all(&written, &|character| percent(character, false), '%'),
            'h' => all(&written, &|character| format!("&#{};", u32::from(character)), '&'),
            'e' => all(&written, &of_html, '&'),
            _ => continue,
        };
    }
    written
}

fn of_json(character: char) -> String {
    match character {
        '"' | '\\' | '/' => format!("\\{character}"),
        _ => character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

fn percent(character: char, upper: bool) -> String {
    let bytes = character.to_string().into_bytes();
    bytes.iter().map(|byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
}

fn of_html(character: char) -> String {
    match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        _ => format!("&#x{:x};", u32::from(character)),
    }
}

/// A secret is where its token was, and a token again where a response repeats it. The lines of the
/// input are a secret, a header in which `@` stands for the token, and a header of a response in
/// which it stands for the secret, written by the steps of the last line.
pub fn headers(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut lines = input.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (value, request, response, steps) = (line(), line(), line(), line());
    let is_printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if input.len() > LONGEST
        || value.len() > LENGTHS.end
        || value != value.trim()
        || ![value, request, response].map(is_printable).iter().all(|is| *is)
    {
        return;
    }
    let secret = Secret::expose(value);
    let Ok(secret) = Secret::seal(value).map(|sealed| Secret { property: secret.property, ..sealed }) else {
        return;
    };
    if !secret.is_unmistakable() || request.contains(value) {
        return;
    }
    let (token, secrets) = (secret.token.clone(), Secrets::new(vec![secret]));
    let header = |text: &str| {
        let value = HeaderValue::from_str(text).expect("it is printable");
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    };
    let text = |headers: &HeaderMap| headers[AUTHORIZATION].to_str().expect("it is printable").to_owned();

    let mut sent = header(&request.replace('@', &token));
    let written = text(&sent);
    let growth = secrets.growth(&sent);
    secrets.unseal(&mut sent, true).expect("it is printable");
    assert_eq!(text(&sent), request.replace('@', value));
    assert!(text(&sent).len() <= written.len() + growth, "it grew by more than {growth}");
    let mut basic = header(&format!("Basic {}", BASE64_STANDARD.encode(&written)));
    secrets.unseal(&mut basic, true).expect("it is printable");
    assert_eq!(text(&basic), format!("Basic {}", BASE64_STANDARD.encode(request.replace('@', value))));

    for answer in [response.replace('@', &write(value, steps)), text(&sent), text(&basic)] {
        let Ok(value_of_answer) = HeaderValue::from_str(&answer) else { continue };
        let mut received = HeaderMap::from_iter([(AUTHORIZATION, value_of_answer)]);
        secrets.seal(&mut received);
        let received = received[AUTHORIZATION].as_bytes();
        assert!(!reveals(received, value.as_bytes(), LAYERS), "{answer} became {}", received.escape_ascii());
    }
}
