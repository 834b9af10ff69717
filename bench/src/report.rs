//! Prints tables, aims and results as Markdown, in the form used by docs/BENCHMARKS.md.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::print;

/// A figure to reach, and its measurement.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// What is measured.
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) measured: f64,
}

/// Which side of a bound is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    /// An aim of at most this value.
    pub(crate) fn at_most(bound: f64, what: impl Into<String>, measured: f64) -> Aim {
        Aim { what: what.into(), bound: Bound::AtMost(bound), measured }
    }

    /// An aim of at least this value.
    pub(crate) fn at_least(bound: f64, what: impl Into<String>, measured: f64) -> Aim {
        Aim { what: what.into(), bound: Bound::AtLeast(bound), measured }
    }

    /// Whether the aim is met. Without a measurement, it is not.
    pub(crate) fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.measured >= bound,
            Bound::AtMost(bound) => self.measured <= bound,
        }
    }

    fn row(&self) -> [String; 4] {
        let bound = match self.bound {
            Bound::AtLeast(bound) => format!("at least {bound}"),
            Bound::AtMost(bound) => format!("at most {bound}"),
        };
        let met = match self.is_met() {
            true => "yes",
            false if self.measured.is_nan() => "not measured",
            false => "**no**",
        };
        [self.what.clone(), bound, figure(self.measured), met.to_owned()]
    }
}

/// Prints each aim with its result.
pub(crate) fn aims(aims: &[Aim]) {
    table(&["aim", "bound", "measured", "met"], aims.iter().map(Aim::row));
}

/// Prints a table.
pub(crate) fn table<const N: usize>(head: &[&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(head).add_rows(rows);
    print(&format!("{table}\n"));
}

/// Formats a number with three significant digits, or more before the point; a dash if there is
/// none.
pub(crate) fn figure(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_the_digits_that_matter() {
        for (value, text) in
            [(0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1234"), (f64::NAN, "–")]
        {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn an_aim_that_was_not_measured_is_not_met() {
        assert!(Aim::at_most(1.5, "", 1.5).is_met() && Aim::at_least(50.0, "", 50.0).is_met());
        assert!(!Aim::at_most(1.5, "", 1.6).is_met() && !Aim::at_least(50.0, "", 49.0).is_met());
        assert!(!Aim::at_most(1.5, "", f64::NAN).is_met() && !Aim::at_least(50.0, "", f64::NAN).is_met());
    }
}
