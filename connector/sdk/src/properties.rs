//! Reads the properties of a config by type. Errors name the property and say what is expected.

use std::{borrow::Cow, fmt, ops::RangeInclusive};

use json_text::{Fields, Json};
use time::{SignedDuration, Timestamp};

use crate::{
    cursor::TimeRange,
    error::{Error, Result},
    instant::parse_instant,
    secret::Secret,
};

/// The longest lookback window in days: a hundred years.
const MAX_LOOKBACK_DAYS: u32 = 36_500;

/// The properties of a config.
///
/// Each method returns `None` if the property is absent or null. Of several properties with one
/// name, the last counts. All errors are config errors.
#[derive(Debug)]
pub struct Properties<'a>(Fields<'a>);

impl<'a> Properties<'a> {
    /// Parses the text of a config.
    ///
    /// # Errors
    /// If it is not a JSON object.
    pub fn decode(text: &'a str) -> Result<Self> {
        let fields = Fields::decode(text);
        let error = |problem| Error::config(format!("the config is not a JSON object: {problem}"));
        fields.map(Self).map_err(error)
    }

    /// Reads a property that must be there: `properties.required("api_key", Properties::secret)`.
    ///
    /// # Errors
    /// If it is absent, and those of `read`.
    pub fn required<T>(&self, name: &str, read: impl FnOnce(&Self, &str) -> Result<Option<T>>) -> Result<T> {
        read(self, name)?.ok_or_else(|| invalid(name, format_args!("is a required property")))
    }

    /// Reads a property with `convert`, which returns `None` for a value that is not `expected`.
    /// `expected` completes "must be".
    ///
    /// # Errors
    /// If the value is not as expected.
    pub fn get<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        let wrong = || invalid(name, format_args!("must be {expected}"));
        self.0.value(name).map(|value| convert(value).ok_or_else(wrong)).transpose()
    }

    /// Reads a string. An empty one counts as absent, because forms send it.
    ///
    /// # Errors
    /// If it is not a string.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let text = self.get(name, "a string", Json::text)?;
        Ok(text.filter(|text| !text.is_empty()).map(Cow::into_owned))
    }

    /// Reads a flag.
    ///
    /// # Errors
    /// If it is not `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        self.get(name, "true or false", |value| value.get().parse().ok())
    }

    /// Reads a whole number. `3.0` and `3e0` are accepted, since JSON does not distinguish them.
    ///
    /// # Errors
    /// If it is not a whole number within `range`.
    pub fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let number = |value: Json<'_>| u32::try_from(value.integer()?).ok();
        self.get(name, &expected, |value| number(value).filter(|number| range.contains(number)))
    }

    /// Reads a list of strings. Drops duplicates and empty ones.
    ///
    /// # Errors
    /// If it is not a list of strings.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.get(name, "a list of strings", |value| {
            let mut texts = Vec::new();
            for text in value.list()? {
                let text = text.text()?;
                if !text.is_empty() && !texts.iter().any(|other| *other == text) {
                    texts.push(text.into_owned());
                }
            }
            Some(texts)
        })
    }

    /// Reads a list of strings that must all be in `known`. Drops duplicates and empty ones.
    ///
    /// # Errors
    /// If it is not such a list.
    pub fn choices(&self, name: &str, known: &[&str]) -> Result<Option<Vec<String>>> {
        let choices = self.texts(name)?;
        let unknown = choices.iter().flatten().find(|choice| !known.contains(&choice.as_str()));
        match unknown {
            Some(unknown) => {
                let known = known.join(", ");
                Err(invalid(name, format_args!("has {unknown:?}; it may have: {known}")))
            }
            None => Ok(choices),
        }
    }

    /// Reads a UTC instant such as `2022-03-01T00:00:00Z`, in whole seconds. An empty string counts
    /// as absent.
    ///
    /// # Errors
    /// If it looks different.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let has_form =
            text.len() == "2022-03-01T00:00:00Z".len() && text.ends_with('Z') && text.contains('T');
        let instant = parse_instant(&text).filter(|_| has_form);
        let error = || invalid(name, format_args!("is {text:?}; it must look like 2022-03-01T00:00:00Z"));
        instant.map(Some).ok_or_else(error)
    }

    /// Reads the base URL of an API, without a slash at its end. White space around it is dropped.
    /// An empty string counts as absent.
    ///
    /// # Errors
    /// If it is not an http or https URL with a host and optionally a port and a path.
    pub fn url(&self, name: &str) -> Result<Option<String>> {
        let Some(url) = self.text(name)? else { return Ok(None) };
        let url = url.trim().trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_plain = |rest: &str| {
            !rest.is_empty()
                && !rest.starts_with('/')
                && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\".contains(&byte))
        };
        if rest.is_some_and(is_plain) {
            return Ok(Some(url.to_owned()));
        }
        let form = "must look like https://api.example.com/v1: http or https, a host and optionally a path";
        Err(invalid(name, format_args!("{form}")))
    }

    /// Reads a secret that is sent in a header. White space around it is dropped. An empty string
    /// counts as absent.
    ///
    /// # Errors
    /// If it is not a string of visible ASCII characters. The error does not show it.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let secret = text.trim();
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid(
                name,
                format_args!("contains an invalid character; copy it again from its source"),
            ));
        }
        Ok(Some(secret).filter(|secret| !secret.is_empty()).map(Secret::new))
    }

    /// Reads the time range to read: `start_date`, which is required, `end_date` and
    /// `lookback_window_days`, 0 to 36500.
    ///
    /// # Errors
    /// If one of them is invalid, or the end is before the start.
    pub fn time_range(&self) -> Result<TimeRange> {
        let start = self.required("start_date", Self::instant)?;
        let end = self.instant("end_date")?;
        if end.is_some_and(|end| end < start) {
            return Err(invalid("end_date", format_args!("is before start_date")));
        }
        let days = self.number("lookback_window_days", 0..=MAX_LOOKBACK_DAYS)?;
        Ok(TimeRange { start, end, lookback: SignedDuration::days(days.unwrap_or_default().into()) })
    }
}

/// Creates the error for a property. Never inlined, because it has many callers and is called
/// rarely.
#[inline(never)]
fn invalid(name: &str, problem: fmt::Arguments<'_>) -> Error {
    Error::config(format!("config: {name} {problem}"))
}

#[cfg(test)]
mod tests;
