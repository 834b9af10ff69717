//! Finds the end of a JSON value.
//!
//! Checks every rule of RFC 8259, but does not build a value, which would take most of the time of
//! a read.
//!
//! `serde_json` does the same, and the tests compare with it. Compiled to WebAssembly, `serde_json`
//! scans four bytes of a string at a time; this module scans sixteen, which covers most names and
//! values. Even natively, where `serde_json` scans eight, this takes less than half of its time for
//! a page (`make bench-functions`). In the sandbox the difference is larger (docs/BENCHMARKS.md).

use wide::u8x16;

/// What is missing, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing(pub(super) &'static str, pub(super) usize);

pub(super) type End = Result<usize, Missing>;

/// Returns the end of the object that begins at `start`. Calls `field` with the name and the value
/// of each field.
#[inline(always)]
pub(super) fn object_end<'a>(
    text: &'a str,
    start: usize,
    brackets: &mut Vec<u8>,
    mut field: impl FnMut(&'a str, &'a str),
) -> End {
    let bytes = text.as_bytes();
    fields_end(text, start, brackets, |name, begin, brackets| {
        let end = value_end(bytes, begin, brackets)?;
        field(name, text.get(begin..end).unwrap_or_default());
        Ok(end)
    })
}

/// As [`object_end`], but calls `value` with the name of each field and the start of its value.
/// `value` returns the end of the value.
#[inline(always)]
pub(super) fn fields_end<'a>(
    text: &'a str,
    start: usize,
    brackets: &mut Vec<u8>,
    mut value: impl FnMut(&'a str, usize, &mut Vec<u8>) -> End,
) -> End {
    let bytes = text.as_bytes();
    if bytes.get(start) != Some(&b'{') {
        return Err(Missing("'{'", start));
    }
    let mut at = space_end(bytes, start + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let name = text.get(at..string_end(bytes, at)?).unwrap_or_default();
        let begin = colon_end(bytes, at + name.len())?;
        let end = value(name, begin, brackets)?;
        at = space_end(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = space_end(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Missing(OR_BRACE, at)),
        }
    }
}

const OR_BRACE: &str = "',' or '}'";

/// Returns the end of the value that begins at `at`, without leading space. `brackets` is a scratch
/// buffer for the closing brackets of the open objects and lists, outermost first. Callers reuse it
/// to avoid allocations.
#[inline(always)]
pub(super) fn value_end(bytes: &[u8], at: usize, brackets: &mut Vec<u8>) -> End {
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at),
        Some(b'{' | b'[') => nested_end(bytes, at, brackets),
        _ => scalar_end(bytes, at),
    }
}

/// Returns the end of a number, a boolean or null.
fn scalar_end(bytes: &[u8], at: usize) -> End {
    match bytes.get(at) {
        Some(b'-' | b'0'..=b'9') => number_end(bytes, at),
        Some(b't') => word_end(bytes, at, b"true"),
        Some(b'f') => word_end(bytes, at, b"false"),
        _ => word_end(bytes, at, b"null"),
    }
}

/// Returns the end of an object or a list.
fn nested_end(bytes: &[u8], mut at: usize, brackets: &mut Vec<u8>) -> End {
    brackets.clear();
    loop {
        at = match bytes.get(at) {
            Some(b'"') => string_end(bytes, at)?,
            Some(open @ (b'{' | b'[')) => {
                // In ASCII, a closing bracket is two above the opening one.
                let bracket = open + 2;
                at = space_end(bytes, at + 1);
                if bytes.get(at) != Some(&bracket) {
                    brackets.push(bracket);
                    at = first_end(bytes, at, bracket)?;
                    continue;
                }
                if brackets.is_empty() {
                    return Ok(at + 1);
                }
                at + 1
            }
            _ => scalar_end(bytes, at)?,
        };
        // A value has ended. Usually a comma follows; if not, one or more objects and lists end
        // here, too.
        at = space_end(bytes, at);
        if bytes.get(at) != Some(&b',') {
            at = match closed_end(bytes, at, brackets)? {
                (at, true) => return Ok(at),
                (at, false) => at,
            };
        }
        let Some(bracket) = brackets.last() else { return Ok(at) };
        at = first_end(bytes, space_end(bytes, at + 1), *bracket)?;
    }
}

/// Returns where the next value begins, in the object or list that `bracket` closes.
#[inline(always)]
fn first_end(bytes: &[u8], at: usize, bracket: u8) -> End {
    if bracket == b'}' { colon_end(bytes, string_end(bytes, at)?) } else { Ok(at) }
}

/// Skips the closing brackets at `at`. Returns the position of the comma after them, or the end of
/// the outermost value and `true`.
#[inline(always)]
fn closed_end(bytes: &[u8], mut at: usize, brackets: &mut Vec<u8>) -> Result<(usize, bool), Missing> {
    loop {
        let Some(bracket) = brackets.pop() else { return Ok((at, true)) };
        if bytes.get(at) != Some(&bracket) {
            return Err(Missing(if bracket == b'}' { OR_BRACE } else { "',' or ']'" }, at));
        }
        at += 1;
        if brackets.is_empty() {
            return Ok((at, true));
        }
        at = space_end(bytes, at);
        if bytes.get(at) == Some(&b',') {
            return Ok((at, false));
        }
    }
}

/// Returns the position of the first byte at or after `at` that is not white space.
#[inline(always)]
pub(super) fn space_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(0..=b' ') => spaces_end(bytes, at),
        _ => at,
    }
}

/// As [`space_end`], if there is white space.
#[cold]
fn spaces_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Returns where the value of a field begins whose name ends at `at`.
#[inline(always)]
fn colon_end(bytes: &[u8], at: usize) -> End {
    let at = space_end(bytes, at);
    if bytes.get(at) == Some(&b':') { Ok(space_end(bytes, at + 1)) } else { Err(Missing("':'", at)) }
}

/// Returns the end of the string that begins at `start`.
///
/// Inlined, and without a loop for short strings, which are the most frequent. The host checks for
/// interruption at every call and loop of a component, which would be a fifth of the cost of a
/// short string.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], start: usize) -> End {
    if bytes.get(start) != Some(&b'"') {
        return Err(Missing("a string", start));
    }
    let at = start + 1;
    if let Some((first, second)) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>).map(halves) {
        let mut special = specials(first);
        if special == 0 {
            special = specials(second) << 16;
        }
        let end = at + special.trailing_zeros() as usize;
        if special != 0 && bytes.get(end) == Some(&b'"') {
            return Ok(end + 1);
        }
    }
    long_string_end(bytes, start)
}

/// As [`string_end`], for any length.
#[inline(never)]
fn long_string_end(bytes: &[u8], start: usize) -> End {
    let mut at = start + 1;
    loop {
        while let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let special = specials(u8x16::new(*part));
            if special != 0 {
                at += special.trailing_zeros() as usize;
                break;
            }
            at += 16;
        }
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape_end(bytes, at + 1)?,
            // A byte of the remainder, shorter than sixteen bytes.
            Some(0x20..) => at += 1,
            Some(_) => return Err(Missing("an escape", at)),
            None => return Err(Missing("'\"'", at)),
        }
    }
}

#[inline(always)]
fn halves(bytes: &[u8; 32]) -> (u8x16, u8x16) {
    let half = |from: usize| bytes[from..].first_chunk().copied().map(u8x16::new).unwrap_or_default();
    (half(0), half(16))
}

/// Returns a bit for each byte of a string that needs attention: a quote, a backslash or a control
/// character.
#[inline(always)]
fn specials(part: u8x16) -> u32 {
    let is = |byte: u8| part.simd_eq(u8x16::splat(byte));
    let is_control = part.min(u8x16::splat(0x1f)).simd_eq(part);
    (is(b'"') | is(b'\\') | is_control).to_bitmask()
}

/// Returns the end of the escape whose letter is at `at`.
fn escape_end(bytes: &[u8], at: usize) -> End {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let digits = bytes.get(at + 1..at + 5).unwrap_or_default();
            let is_hex = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
            if is_hex { Ok(at + 5) } else { Err(Missing("four hexadecimal digits", at + 1)) }
        }
        _ => Err(Missing("an escape", at)),
    }
}

/// Returns the end of the number that begins at `at`.
fn number_end(bytes: &[u8], mut at: usize) -> End {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits_end(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits_end(bytes, at)?;
    }
    Ok(at)
}

/// Returns the end of the digits at `start`. There must be at least one.
fn digits_end(bytes: &[u8], start: usize) -> End {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at > start { Ok(at) } else { Err(Missing("a digit", at)) }
}

fn word_end(bytes: &[u8], at: usize, word: &'static [u8]) -> End {
    match bytes.get(at..) {
        Some(rest) if rest.starts_with(word) => Ok(at + word.len()),
        _ => Err(Missing("a value", at)),
    }
}
