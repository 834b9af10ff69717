//! Numbers the versions of a plan, which Orb does not list.

use elt_sdk::record::Record;

use crate::config::Config;

/// The most versions that are believed to exist because the plan says so.
const MAX_VERSIONS: i64 = 10_000;

/// Returns the numbers of the versions up to that of the plan, and one more. The version of a plan
/// is the default one, and there can be newer ones.
pub fn versions(_: &Config, plan: Option<&Record>) -> Vec<Option<String>> {
    let version = plan.and_then(Record::fields).and_then(|plan| plan.raw("version")?.integer());
    let last = version.unwrap_or(0).clamp(0, MAX_VERSIONS);
    (1..=last + 1).map(|number| Some(number.to_string())).collect()
}

/// Returns the number of the version after this one.
pub fn version_after(version: &str) -> String {
    (version.parse().unwrap_or(0_u64) + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_asked_for_from_the_first_to_one_past_the_plans() {
        let config = Config::sample("");
        let asked = |plan: &str| {
            let numbers = versions(&config, Some(&Record::new(plan.to_owned(), None)));
            numbers.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(asked(r#"{"version":3}"#), "1 2 3 4");
        assert_eq!(asked(r#"{"version":null}"#), "1");
        assert_eq!(asked("{}"), "1");
        assert_eq!(version_after("4"), "5");
    }
}
