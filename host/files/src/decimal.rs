//! Numbers as decimals of a fixed scale, and how their text was spelled.

use serde::{Deserialize, Serialize};

/// Digits of a decimal: as many as all warehouses have.
pub(crate) const PRECISION: u8 = 38;
/// Digits after the point where the schema says nothing: those of Google's
/// `NUMERIC`.
pub(crate) const USUAL_SCALE: u8 = 9;

/// A number that was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// The number times ten to the power of the scale.
    pub(crate) unscaled: i128,
    shape: Shape,
}

/// How the number was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Without a point, as `1`.
    Whole,
    /// As `1.0`.
    Point,
    /// With a fraction that ends in another digit than zero.
    Fraction,
    /// Otherwise: with an exponent, zeros at the end, or a minus before zero.
    Odd,
}

/// How the whole numbers of a column are written: as the first one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spelling {
    /// Whether as `1.0`, and not as `1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<bool>,
}

impl Decimal {
    /// Parses a JSON number. `None` if it is not one, or has more digits than a decimal of this
    /// scale.
    pub(crate) fn parse(text: &str, scale: u8) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (is_negative, magnitude) = match mantissa.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, mantissa),
        };
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0');
        let digits = digits.collect::<Vec<_>>();
        let is_zero = digits.is_empty();
        // An exponent that does not fit leaves zero as it is.
        let exponent = match exponent {
            Some(exponent) if !is_zero => exponent.parse::<i64>().ok()?,
            _ => 0,
        };
        let significant = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        let dropped = i64::try_from(digits.len() - significant).ok()?;
        // Zeros that follow the significant digits.
        let zeros = i64::from(scale)
            .checked_add(exponent)?
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(dropped)?;
        let unscaled = if is_zero {
            0
        } else {
            let zeros = u32::try_from(zeros).ok()?;
            let total = significant.checked_add(usize::try_from(zeros).ok()?)?;
            if total > usize::from(PRECISION) {
                return None;
            }
            let number = digits[..significant]
                .iter()
                .fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
            number * 10_i128.pow(zeros)
        };
        let shape = match fraction {
            _ if mantissa.len() < text.len() || (is_zero && is_negative) => Shape::Odd,
            "" if magnitude.len() == whole.len() => Shape::Whole,
            "0" => Shape::Point,
            _ if !fraction.ends_with('0') => Shape::Fraction,
            _ => Shape::Odd,
        };
        Some(Self { unscaled: if is_negative { -unscaled } else { unscaled }, shape })
    }
}

impl Spelling {
    /// Whether the number is spelled as those before it. What none of them had is learned.
    pub(crate) fn is_of(&mut self, decimal: Decimal) -> bool {
        let point = match decimal.shape {
            Shape::Whole => false,
            Shape::Point => true,
            Shape::Fraction => return true,
            Shape::Odd => return false,
        };
        *self.point.get_or_insert(point) == point
    }

    /// The text of a number that is spelled so.
    pub(crate) fn text(self, unscaled: i128, scale: u8) -> String {
        let width = usize::from(scale) + 1;
        let digits = format!("{:0width$}", unscaled.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
        let fraction = match fraction.trim_end_matches('0') {
            "" if self.point == Some(true) => ".0".to_owned(),
            "" => String::new(),
            fraction => format!(".{fraction}"),
        };
        format!("{}{whole}{fraction}", if unscaled < 0 { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_every_digit_or_is_none() {
        let parse = |text, scale| Decimal::parse(text, scale).map(|decimal| decimal.unscaled);
        for (text, scale, expected) in [
            ("0", 9, Some(0)),
            ("-0", 9, Some(0)),
            ("0e999999999999999999999", 9, Some(0)),
            ("1", 9, Some(1_000_000_000)),
            ("-1.5", 1, Some(-15)),
            ("1.50", 1, Some(15)),
            ("15e-1", 1, Some(15)),
            ("1.5E+2", 0, Some(150)),
            ("0.05", 1, None),
            ("100e-2", 0, Some(1)),
            ("12345678901234567890123456789.123456789", 9, Some(12345678901234567890123456789123456789)),
            ("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1)),
            ("-99999999999999999999999999999999999999", 0, Some(1 - 10_i128.pow(38))),
            ("100000000000000000000000000000000000000", 0, None),
            ("1e37", 0, Some(10_i128.pow(37))),
            ("1e38", 0, None),
            ("1e400", 9, None),
            ("1e-400", 9, None),
            ("1e99999999999999999999", 9, None),
            ("0.0000000001", 9, None),
            ("0.0000000010", 9, Some(1)),
            ("\"1\"", 9, None),
            ("null", 9, None),
        ] {
            assert_eq!(parse(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn a_spelling_is_learned_and_gives_the_same_text() {
        let columns: [(&[&str], &[&str]); 2] = [
            (&["1", "0", "-12", "0.5", "-0.000000001", "120.25"], &["1.0", "-0", "1e2", "0.50", "1.00"]),
            (&["1.0", "0.0", "0.5", "-3.0"], &["1", "-0.0", "1.0e0", "1.00"]),
        ];
        for (alike, others) in columns {
            let mut spelling = Spelling::default();
            for text in alike {
                let decimal = Decimal::parse(text, 9).unwrap();
                assert!(spelling.is_of(decimal), "{text}");
                assert_eq!(spelling.text(decimal.unscaled, 9), *text);
            }
            for text in others {
                assert!(!spelling.is_of(Decimal::parse(text, 9).unwrap()), "{text}");
            }
        }
        assert_eq!(Spelling::default().text(-15, 0), "-15");
    }
}
