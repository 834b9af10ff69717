//! Resolves the escapes of a text, and remembers where each byte of the result comes from.

use memchr::memchr3_iter;

/// The characters of ASCII that have names in HTML. All programs write the first five.
const ENTITIES: [(&str, u8); 37] = [
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("quot", b'"'),
    ("apos", b'\''),
    ("AMP", b'&'),
    ("LT", b'<'),
    ("GT", b'>'),
    ("QUOT", b'"'),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("Hat", b'^'),
    ("hyphen", b'-'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("verbar", b'|'),
];
/// Bytes of the longest entity that is looked at. Numbers may begin with zeros.
const LONGEST_ENTITY: usize = 24;

/// Which escapes are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// Those of a JSON string, which is valid.
    Json,
    /// Those of JSON, of similar languages, of shells, of URLs and of HTML, wherever there is one.
    Any,
}

/// A text whose escapes were resolved.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    pub(super) bytes: Vec<u8>,
    /// Where the text begins that each byte was made of, in the text as it was at first. The last
    /// one is its end.
    starts: Vec<u32>,
}

impl Resolved {
    /// A text as it is.
    pub(super) fn unchanged(text: &[u8]) -> Self {
        let starts = (0..=u32::try_from(text.len()).unwrap_or(u32::MAX)).collect();
        Self { bytes: text.to_owned(), starts }
    }

    /// Where a byte comes from, or where the text ends.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.starts.get(at).map_or(usize::MAX, |start| *start as usize)
    }

    /// The text with its escapes resolved once.
    pub(super) fn resolve(&self, escapes: Escapes) -> Self {
        let mut resolved = Self { bytes: Vec::with_capacity(self.bytes.len()), ..Self::default() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let start = self.starts[at];
            let Some(Escape { character, length }) = escape(&self.bytes[at..], escapes) else {
                resolved.bytes.push(*byte);
                resolved.starts.push(start);
                at += 1;
                continue;
            };
            match character {
                Meant::Byte(byte) => resolved.bytes.push(byte),
                Meant::Character(character) => {
                    resolved.bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            resolved.starts.resize(resolved.bytes.len(), start);
            at += length;
        }
        resolved.starts.extend(self.starts.last());
        resolved
    }
}

/// What an escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Byte(u8),
    Character(char),
}

struct Escape {
    character: Meant,
    /// Bytes of the escape.
    length: usize,
}

/// What the escapes of a text stand for, one after the other. In a run of backslashes, each is read
/// as the start of an escape, although only some are.
pub(super) fn meanings(text: &[u8]) -> impl Iterator<Item = Meant> {
    memchr3_iter(b'\\', b'%', b'&', text).filter_map(|at| Some(escape(&text[at..], Escapes::Any)?.character))
}

/// The escape at the beginning of a text.
fn escape(text: &[u8], escapes: Escapes) -> Option<Escape> {
    let byte = |byte, length| Some(Escape { character: Meant::Byte(byte), length });
    match (text.first()?, text.get(1)?) {
        (b'%', b'u') if escapes == Escapes::Any => utf16(text, b"%u"),
        (b'%', _) if escapes == Escapes::Any => byte(u8::try_from(hex(text.get(1..3)?)?).ok()?, 3),
        (b'&', _) if escapes == Escapes::Any => entity(text),
        (b'\\', kind) => match kind {
            b'"' | b'\\' | b'/' | b'\'' => byte(*kind, 2),
            b'b' => byte(8, 2),
            b'f' => byte(0xc, 2),
            b'n' => byte(b'\n', 2),
            b'r' => byte(b'\r', 2),
            b't' => byte(b'\t', 2),
            b'u' if text.get(2) == Some(&b'{') => braced(text),
            b'u' => utf16(text, b"\\u"),
            _ if escapes == Escapes::Json => None,
            b'x' => byte(u8::try_from(hex(text.get(2..4)?)?).ok()?, 4),
            b'U' => {
                let character = char::from_u32(hex(text.get(2..10)?)?)?;
                Some(Escape { character: Meant::Character(character), length: 10 })
            }
            b'0'..=b'3' => byte(octal(text.get(1..4)?)?, 4),
            // Shells and patterns put a backslash before what has a meaning to them.
            _ if kind.is_ascii_punctuation() => byte(*kind, 2),
            _ => None,
        },
        _ => None,
    }
}

/// `\u0026`, or two of them that are one character. `sign` is what each begins with.
fn utf16(text: &[u8], sign: &[u8]) -> Option<Escape> {
    let unit = |at: usize| u16::try_from(hex(text.get(at..at + 4)?)?).ok();
    let high = unit(2)?;
    let low = if text.get(6..8) == Some(sign) { unit(8) } else { None };
    let low = low.filter(|low| (0xdc00..0xe000).contains(low));
    let character = char::decode_utf16([high].into_iter().chain(low)).next()?;
    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
    let length = if character.len_utf16() == 2 { 12 } else { 6 };
    Some(Escape { character: Meant::Character(character), length })
}

/// `\u{26}`, as in Rust and JavaScript.
fn braced(text: &[u8]) -> Option<Escape> {
    let end = text.iter().take(12).position(|byte| *byte == b'}')?;
    let character = char::from_u32(hex(text.get(3..end)?)?)?;
    Some(Escape { character: Meant::Character(character), length: end + 1 })
}

/// `&amp;`, `&#38;` or `&#x26;`. Browsers do without the semicolon of a number.
fn entity(text: &[u8]) -> Option<Escape> {
    let text = &text[..text.len().min(LONGEST_ENTITY)];
    let (start, base) = match text.get(1..)? {
        [b'#', b'x' | b'X', ..] => (3, 16),
        [b'#', ..] => (2, 10),
        name => {
            let name = std::str::from_utf8(&name[..name.iter().position(|byte| *byte == b';')?]).ok()?;
            let (_, byte) = ENTITIES.iter().find(|(known, _)| *known == name)?;
            return Some(Escape { character: Meant::Byte(*byte), length: name.len() + 2 });
        }
    };
    let digits = text[start..].iter().take_while(|byte| char::from(**byte).is_digit(base)).count();
    let end = start + digits;
    let number = u32::from_str_radix(std::str::from_utf8(&text[start..end]).ok()?, base).ok()?;
    let semicolon = usize::from(text.get(end) == Some(&b';'));
    Some(Escape { character: Meant::Character(char::from_u32(number)?), length: end + semicolon })
}

/// The byte that three octal digits are.
fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

/// The number that one to eight hexadecimal digits are.
fn hex(digits: &[u8]) -> Option<u32> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0, |number, next| Some(number << 4 | digit(next)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, escapes: Escapes) -> String {
        String::from_utf8(Resolved::unchanged(text.as_bytes()).resolve(escapes).bytes).unwrap()
    }

    #[test]
    fn escapes_of_json_are_what_serde_json_takes_them_for() {
        for string in [
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u0026\u00e9\u00E9\u20ac\ud83d\ude00 100% %41""#,
            r#""plain \\u0041 \\\u0041""#,
        ] {
            let expected: String = serde_json::from_str(string).unwrap();
            assert_eq!(resolved(&string[1..string.len() - 1], Escapes::Json), expected);
        }
        assert_eq!(resolved(r"\ud83d\u0041\ud83d", Escapes::Json), "\u{fffd}A\u{fffd}");
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for text in [
            r"C:\dir",
            "100%",
            "%",
            "%4",
            "%zz",
            r"\u12",
            r"\u{}",
            r"\u{110000}",
            r"\x4",
            "\\",
            "R&D",
            "&;",
            "&#;",
            "&#x;",
            "&nbsp;",
            "&#1114112;",
        ] {
            assert_eq!(resolved(text, Escapes::Any), text);
        }
        assert_eq!(resolved(r"%41%2f\x41\u{1F600}\u0041\/", Escapes::Any), "A/A\u{1f600}A/");
        assert_eq!(resolved("&lt;&#65;&#x41;&#X20aC;&quot;&amp;amp;", Escapes::Any), "<AA\u{20ac}\"&amp;");
    }

    #[test]
    fn less_common_ways_to_write_a_character_are_escapes_too() {
        for (text, meant) in [
            ("%u0041%u00E9%ud83d%ude00", "A\u{e9}\u{1f600}"),
            (r"\101\057\012", "A/\n"),
            (r"\U00000041\U0001F600", "A\u{1f600}"),
            (r"a\.b\+c\&d\ e\-", r"a.b+c&d\ e-"),
            ("&#65&#x41x&#0000000000065;&#x00000000041;", "AAxAA"),
            ("&sol;&plus;&equals;&AMP;&period;&lowbar;", "/+=&._"),
        ] {
            assert_eq!(resolved(text, Escapes::Any), meant, "{text}");
            // None of these is one of a JSON string.
            assert_eq!(resolved(text, Escapes::Json), text);
        }
    }

    #[test]
    fn each_byte_knows_where_it_comes_from() {
        let once = Resolved::unchanged(br"a\u0025%34\\b").resolve(Escapes::Any);
        assert_eq!(once.bytes, br"a%4\b");
        assert_eq!((0..=5).map(|at| once.origin(at)).collect::<Vec<_>>(), [0, 1, 7, 10, 12, 13]);
        let twice = Resolved::unchanged(br"x\\u0041y").resolve(Escapes::Any).resolve(Escapes::Any);
        assert_eq!(twice.bytes, b"xAy");
        assert_eq!((0..=3).map(|at| twice.origin(at)).collect::<Vec<_>>(), [0, 1, 8, 9]);
    }
}
