//! Properties of whatever reads bytes of a connector, a server or a user: for any input they hold,
//! or panic.
//!
//! `tests/fuzz` calls them from libFuzzer, and the tests below try them on the inputs that are kept
//! there and on mutations of those. Each compares with something that was written another way.

mod config;
mod decoder;
mod json;
mod redaction;
mod schema;

pub use self::config::config;
pub use self::json::json;
pub use self::redaction::{headers, redaction};
pub use self::schema::schema;
pub use crate::http::fuzzing::{body, hosts, pattern, template};

use serde_json::value::RawValue;

use crate::record::Record;

/// A record is one JSON object on one line, and nothing else is.
pub fn record(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // White space behind it does no harm.
    let is_object = text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok();
    let is_line = text.lines().count() == 1 && !text.contains(['\n', '\r']);
    let parsed = Record::parse(text.to_owned());
    assert_eq!(parsed.is_ok(), is_object && is_line, "{parsed:?}");
    assert!(parsed.is_ok_and(|record| record.as_str() == text) || !(is_object && is_line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_as_it_is_shown() {
        corpus::check("pattern", pattern);
    }

    #[test]
    fn what_may_be_reached_is_what_a_naive_matcher_says() {
        corpus::check("hosts", hosts);
    }

    #[test]
    fn a_template_is_filled_as_a_naive_one_and_its_values_do_not_end_its_host() {
        corpus::check("template", template);
    }

    #[test]
    fn no_decoder_finds_a_secret_in_what_was_masked() {
        corpus::check("redaction", redaction);
    }

    #[test]
    fn no_decoder_finds_a_secret_in_headers_that_were_sealed() {
        corpus::check("headers", headers);
    }

    #[test]
    fn a_validation_takes_no_more_steps_than_estimated_and_marked_values_are_sealed() {
        corpus::check("schema", schema);
    }

    #[test]
    fn a_connector_is_given_what_the_user_wrote_but_for_secrets() {
        corpus::check("config", config);
    }

    #[test]
    fn bodies_are_decompressed_as_by_other_decoders() {
        corpus::check("body", body);
    }

    #[test]
    fn the_scanner_agrees_with_serde_json() {
        corpus::check("json", json);
    }

    #[test]
    fn records_are_what_serde_json_takes_for_objects() {
        corpus::check("record", record);
    }
}
