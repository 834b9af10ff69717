//! Interprets the text of a number exactly, without floats.

/// Parses a whole number. `None` if the text is not a number, has a fraction or does not fit.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (is_negative, digits, exponent) = parts(text)?;
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // An i64 has at most 19 digits, so a larger exponent cannot fit.
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?.checked_add(exponent)?;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros < 19)?;
    let sign = if is_negative { "-" } else { "" };
    [sign, significant, &"0".repeat(zeros)].concat().parse().ok()
}

/// Returns whether the text is a number that equals zero.
pub(super) fn is_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && !mantissa.bytes().any(|digit| matches!(digit, b'1'..=b'9'))
}

/// Returns whether there is a minus sign, all digits of the mantissa, and the power of ten to
/// multiply them by.
fn parts(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    // An exponent that does not fit leaves zero as it is, and makes any other number too large or
    // too small.
    let exponent = if is_zero { 0 } else { exponent.parse::<i64>().ok()? };
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some((mantissa.len() > unsigned.len(), digits, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_spelled() {
        for (text, expected) in [
            ("3", 3),
            ("-3", -3),
            ("0", 0),
            ("-0", 0),
            ("3.0", 3),
            ("3.000e0", 3),
            ("3e0", 3),
            ("3E+1", 30),
            ("30e-1", 3),
            ("0.03e2", 3),
            ("1200.00e-2", 12),
            ("0e999999999999999999999", 0),
            ("0.0e-5", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808.0", i64::MIN),
            ("9223372036854775807000e-3", i64::MAX),
        ] {
            assert_eq!(integer(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_has_a_fraction_or_does_not_fit_is_no_whole_number() {
        for text in [
            "1.5",
            "3e-1",
            "0.1",
            "1e-400",
            "9223372036854775808",
            "1e19",
            "1e400",
            "1e99999999999999999999",
            "\"3\"",
            "true",
            "null",
            "[3]",
            "{}",
            "",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn zero_is_zero_however_it_is_spelled_and_nothing_else_is() {
        for text in ["0", "-0", "0.0", "-0.00", "0e5", "0.0E-7", "0e999999999999999999999"] {
            assert!(is_zero(text), "{text}");
        }
        for text in ["1", "-1", "0.01", "-0.5e3", "1e-400", "null", "\"0\"", "false", "[]", "{}", "\"\""] {
            assert!(!is_zero(text), "{text}");
        }
    }
}
