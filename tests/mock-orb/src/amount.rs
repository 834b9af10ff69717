//! Parses, compares and adds decimal amounts exactly, without floating point.

use std::fmt::{self, Display, Formatter};

/// How many digits after the point are kept; any others are dropped.
const SCALE: u32 = 12;

/// A decimal number with up to 12 digits after the point and about 26 before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount {
    /// In units of 10⁻¹².
    units: i128,
}

impl Amount {
    /// Parses a JSON number, or the text of one.
    pub(crate) fn parse(text: &str) -> Option<Amount> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(mantissa) => (true, mantissa),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let number: i128 = digits.parse().ok()?;
        let shift = SCALE as i32 + exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let power = 10_i128.checked_pow(shift.unsigned_abs());
        let units = match (shift >= 0, power) {
            (true, Some(power)) => number.checked_mul(power)?,
            (false, Some(power)) => number / power,
            (true, None) if number != 0 => return None,
            (_, None) => 0,
        };
        Some(Amount { units: if negative { -units } else { units } })
    }

    /// In hundredths; any smaller part is dropped.
    pub(crate) fn cents(self) -> i64 {
        i64::try_from(self.units / 10_i128.pow(SCALE - 2)).unwrap_or(i64::MAX)
    }

    pub(crate) fn plus(self, other: Amount) -> Amount {
        Amount { units: self.units.saturating_add(other.units) }
    }

    pub(crate) fn minus(self, other: Amount) -> Amount {
        Amount { units: self.units.saturating_sub(other.units) }
    }

    pub(crate) fn times(self, count: u64) -> Amount {
        Amount { units: self.units.saturating_mul(i128::from(count)) }
    }
}

impl Display for Amount {
    /// Writes a JSON number with at least one digit after the point, as Python writes floats.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let unit = 10_u128.pow(SCALE);
        let (whole, fraction) = (self.units.unsigned_abs() / unit, self.units.unsigned_abs() % unit);
        let fraction = format!("{fraction:012}");
        let fraction = fraction.trim_end_matches('0');
        write!(formatter, "{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
    }
}

/// Writes hundredths as units, `-12.50`.
pub(crate) fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn every_spelling_of_a_number_is_the_same_number() {
        assert_eq!(amount("1.0"), amount("1"));
        assert_eq!(amount("1E+2"), amount("100.00"));
        assert_eq!(amount("1e-7"), amount("0.0000001"));
        assert_eq!(amount("-2.50"), amount("-25e-1"));
        assert!(amount("12345678901234567890.123456789") > amount("12345678901234567890.123456788"));
    }

    #[test]
    fn sums_are_exact() {
        let sum = amount("0.1").plus(amount("0.2")).plus(amount("12345678901234567890.123456789"));
        assert_eq!(sum.to_string(), "12345678901234567890.423456789");
        assert_eq!(amount("1e-7").minus(amount("1")).to_string(), "-0.9999999");
        assert_eq!(amount("0.5").times(3).to_string(), "1.5");
        assert_eq!(amount("200").to_string(), "200.0");
    }

    #[test]
    fn money_is_spelled_with_its_sign() {
        assert_eq!([money(-1), money(0), money(1_250)], ["-0.01", "0.00", "12.50"]);
        assert_eq!(["12.50", "-0.01", "1.999"].map(|text| amount(text).cents()), [1_250, -1, 199]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "ten", "1,0", ".5", "1.2.3", "0x10", "1e", "1e99", "+1", "1 "] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
