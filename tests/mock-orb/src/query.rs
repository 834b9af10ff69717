//! Decodes query strings into names and values.

/// Decodes `a=b&c%5Bd%5D=e+f`: a `+` is a space, as in HTML forms, and brackets may be raw or
/// encoded.
pub(crate) fn decode_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Decodes `%41`; keeps invalid escapes, and replaces invalid UTF-8 with replacement characters.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escape = bytes.get(position + 1..position + 3).filter(|_| byte == b'%');
        if let Some(value) = escape.and_then(decode_hex) {
            decoded.push(value);
            position += 3;
        } else {
            decoded.push(byte);
            position += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn decode_hex(digits: &[u8]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn brackets_arrive_raw_or_encoded() {
        let expected = [pair("created_at[gte]", "2024-01-01T00:00:00+00:00")];
        assert_eq!(decode_query("created_at[gte]=2024-01-01T00:00:00%2B00:00"), expected);
        assert_eq!(decode_query("created_at%5Bgte%5D=2024-01-01T00%3A00%3A00%2b00%3a00"), expected);
    }

    #[test]
    fn a_raw_plus_is_a_space() {
        assert_eq!(decode_query("a=1+2&&b&c==%zz%4"), [pair("a", "1 2"), pair("b", ""), pair("c", "=%zz%4")]);
    }
}
