//! Rewrites the text of JSON values without parsing them.

use std::borrow::Cow;

use crate::extent::string_end;

/// Replaces every string of a JSON text, including names, by the result of `replace`. Strings are
/// passed and returned with their quotes and escapes. The text must be valid JSON.
pub fn map_strings(text: &str, mut replace: impl for<'t> FnMut(&'t str) -> Cow<'t, str>) -> String {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        // The end is missing only if the text is not JSON.
        let end = string_end(rest.as_bytes(), start).unwrap_or(rest.len());
        rewritten.push_str(&rest[..start]);
        rewritten.push_str(&replace(&rest[start..end]));
        rest = &rest[end..];
    }
    rewritten + rest
}

/// Removes the white space between the tokens of a JSON text, which must be valid.
pub fn compact(text: &str) -> String {
    let mut compacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let end = string_end(rest.as_bytes(), start).unwrap_or(rest.len());
        compacted.extend(rest[..start].split_ascii_whitespace());
        compacted.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    compacted.extend(rest.split_ascii_whitespace());
    compacted
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"a b\" : [ 1.50, 1e2 ],\r\n\t\"quote \\\" \\\\\" : \" x \\n \"\n}\n";

    #[test]
    fn only_white_space_between_tokens_is_removed() {
        assert_eq!(compact(TEXT), r#"{"a b":[1.50,1e2],"quote \" \\":" x \n "}"#);
        assert_eq!(compact(" [ ] "), "[]");
    }

    #[test]
    fn only_strings_are_replaced() {
        let mut seen = Vec::new();
        let rewritten = map_strings(TEXT, |string| {
            seen.push(string.to_owned());
            Cow::Borrowed(string)
        });
        assert_eq!(rewritten, TEXT);
        assert_eq!(seen, [r#""a b""#, r#""quote \" \\""#, r#"" x \n ""#]);
        assert_eq!(map_strings(r#"{"a":["b",1]}"#, |_| r#""c""#.into()), r#"{"c":["c",1]}"#);
    }
}
