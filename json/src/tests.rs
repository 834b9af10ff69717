//! Compares with `serde_json`.

use super::*;

#[test]
fn what_is_json_is_taken_apart_and_what_is_not_is_an_error_as_serde_json_says() {
    for text in [
        r#"{}"#,
        "[]",
        " [ ] ",
        r#" { "a" : [ 1 , {} ] , "b":null }  "#,
        r#"[1.5e-3,-0,"x\n",true,[[]],{"a":{"b":[]}}]"#,
        "",
        " ",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]]",
        "[01]",
        "[\"\u{1}\"]",
        r#"["\x"]"#,
        "[nul]",
        "[1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{1:1}"#,
        r#"{"a":1]"#,
        r#"{"a":1}x"#,
        "{\u{c}}",
    ] {
        let parts = match text.trim_start().chars().next() {
            Some('{') => {
                let mut scanner = Scanner::new(text);
                let mut read = || {
                    scanner.open('{')?;
                    while scanner.name()?.is_some() {
                        scanner.value()?;
                    }
                    scanner.end()
                };
                read()
            }
            _ => {
                let mut scanner = Scanner::new(text);
                scanner.list().and_then(|_| scanner.end())
            }
        };
        let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert_eq!(parts.is_ok(), is_json, "{text}: {parts:?}");
        assert_eq!(Json::parse(text).is_ok(), is_json, "{text}");
    }
}

#[test]
fn strings_are_what_serde_json_says_they_are() {
    for text in [
        r#""""#,
        r#""a é 😀""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""x\u00e9\u0041y""#,
        r#""\ud83d\ude00\u0000""#,
        r#""\u00e9\ud83d\ude00é""#,
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\ud83d\ude00""#,
        "1",
        "null",
        "[]",
    ] {
        let expected = serde_json::from_str::<String>(text).ok();
        assert_eq!(Json::parse(text).unwrap().text().map(Cow::into_owned), expected, "{text}");
        if let Some(expected) = expected {
            assert_eq!(Json::parse(&quoted(&expected)).unwrap().text().unwrap(), expected);
        }
    }
}

#[test]
fn a_string_is_itself_and_no_other() {
    for (json, text) in
        [(r#""""#, ""), (r#""a""#, "a"), (r#""ab""#, "ab"), (r#""\u0061b""#, "ab"), (r#""é""#, "é")]
    {
        for other in ["", "a", "ab", "b", "é"] {
            assert_eq!(Json::parse(json).unwrap().is(other), text == other, "{json} {other}");
        }
    }
    assert!(!Json::parse("12").unwrap().is("12") && !Json::parse("[]").unwrap().is(""));
}

#[test]
fn a_field_is_found_by_its_name_whatever_its_escapes() {
    let object = Json::parse(r#"{"a":{"b":1},"\u0062":[2],"b":3}"#).unwrap();
    assert_eq!(object.field("b").map(Json::get), Some("3"));
    assert_eq!(object.field("a").and_then(|a| a.field("b")).map(Json::get), Some("1"));
    assert_eq!(object.field("c"), None);
    assert_eq!(object.field("a").and_then(Json::list), None);
}

#[test]
fn of_several_fields_with_one_name_the_last_counts() {
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":[1],"b":0,"\u0061":2}"#, r#"{"\u0061":null,"a":2}"#] {
        assert_eq!(Json::parse(text).unwrap().field("a").map(Json::get), Some("2"), "{text}");
    }
}

#[test]
fn objects_in_an_object_are_taken_apart_where_that_is_wanted() {
    let text = r#"{"a":{"x":1,"y":{}},"b":{"x":2},"a":3,"a":{ }} "#;
    let (mut seen, mut scanner) = (Vec::new(), Scanner::new(text));
    let note = |outer: Option<Json<'_>>, name: Json<'_>, value: Json<'_>| {
        let outer = outer.map_or("", Json::get);
        seen.push(format!("{outer}{}{}", name.get(), value.get()));
    };
    scanner.object_and_inner(|name| name.is("a"), note).unwrap();
    scanner.end().unwrap();
    let expected =
        [r#""a""x"1"#, r#""a""y"{}"#, r#""a"{"x":1,"y":{}}"#, r#""b"{"x":2}"#, r#""a"3"#, r#""a"{ }"#];
    assert_eq!(seen, expected);
    for broken in [r#"{"a":{"x":1,}}"#, r#"{"a":{"x"}}"#, r#"{"a":{"x":1}"#, r#"{"a":{"x":01}}"#, "[]"] {
        let read = Scanner::new(broken).object_and_inner(|_| true, |_, _, _| {});
        assert!(read.is_err(), "{broken}");
    }
}

/// Writes random valid JSON, nested up to a depth, with spaces, escapes and long strings.
fn write_value(random: &mut fastrand::Rng, depth: usize, out: &mut String) {
    let space = |random: &mut fastrand::Rng, out: &mut String| {
        if random.u8(..8) == 0 {
            out.push_str(random.choice([" ", "\n", "\r\n\t"]).unwrap());
        }
    };
    match random.u8(..if depth > 0 { 8 } else { 5 }) {
        0 => out.push_str(random.choice(["true", "false", "null"]).unwrap()),
        1 => out.push_str(
            random.choice(["0", "-0.10", "1e5", "12.5E-3", "123456789012345678901234567890"]).unwrap(),
        ),
        2..5 => {
            out.push('"');
            let most = if random.bool() { 4 } else { 40 };
            for _ in 0..random.usize(..most) {
                out.push_str(
                    random
                        .choice(["a", "é", "😀", "\\n", "\\u00e9", "\\\"", "\\\\", "/", "]", "{", " ", ","])
                        .unwrap(),
                );
            }
            out.push('"');
        }
        kind => {
            let (open, close) = if kind == 7 { ('[', ']') } else { ('{', '}') };
            out.push(open);
            space(random, out);
            for index in 0..random.usize(..5) {
                if index > 0 {
                    out.push(',');
                    space(random, out);
                }
                if open == '{' {
                    out.push_str(
                        random.choice(["\"a\":", "\"a long name of a field\" : ", "\"\\u0061\":"]).unwrap(),
                    );
                }
                write_value(random, depth - 1, out);
                space(random, out);
            }
            out.push(close);
        }
    }
}

/// Inserts, removes or changes one character, which usually makes the text invalid.
fn damage(random: &mut fastrand::Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.usize(..letters.len());
    let other = *random
        .choice(&[
            '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', 'u', ' ', '\n', '\u{1}', '\u{7f}',
            'é',
        ])
        .unwrap();
    match random.u8(..3) {
        0 => letters.insert(at, other),
        1 => letters[at] = other,
        _ => drop(letters.remove(at)),
    }
    letters.into_iter().collect()
}

#[test]
fn whatever_serde_json_takes_for_json_is_taken_for_it_and_nothing_else() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut whole, mut broken) = (0, 0);
    for _ in 0..30_000 {
        let mut text = String::new();
        write_value(&mut random, 4, &mut text);
        for text in [damage(&mut random, &text), text] {
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            assert_eq!(Json::parse(&text).is_ok(), is_json, "{text}");
            *if is_json { &mut whole } else { &mut broken } += 1;
            let fields = serde_json::from_str::<
                std::collections::BTreeMap<String, &serde_json::value::RawValue>,
            >(&text);
            let mut own = std::collections::BTreeMap::new();
            let mut scanner = Scanner::new(&text);
            let read = scanner.object(|name, value| {
                own.insert(name.text().map(Cow::into_owned), value.get().to_owned());
            });
            // A name with an unpaired surrogate is accepted as long as its text is not needed.
            assert_eq!(read.is_ok() && scanner.end().is_ok(), fields.is_ok(), "{text}");
            if let Ok(fields) = fields {
                let expected = fields.into_iter().map(|(name, value)| (Some(name), value.get().to_owned()));
                assert_eq!(own, expected.collect(), "{text}");
            }
        }
    }
    assert!(whole > 30_000 && broken > 10_000, "{whole} {broken}");
}

#[test]
fn what_is_nested_deep_is_no_trouble() {
    let deep = format!("{}1{}", "[{\"a\":".repeat(100_000), "}]".repeat(100_000));
    assert!(Json::parse(&deep).is_ok());
    assert!(Json::parse(&deep[..deep.len() - 1]).is_err());
}
