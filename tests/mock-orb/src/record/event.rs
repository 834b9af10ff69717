//! Generates the usage events from which ledger entries arose, as documented `Event` objects.
//!
//! Orb has no list of events, and neither does the emulator: an event is generated on request from
//! its identifier, which encodes the customer and the entry.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::write_object;
use crate::record::ledger_step::{CYCLE_LENGTH, Step};
use crate::record::{customer, ledger_entry};
use crate::timeline::later;

/// How long before its entries an event happened, in minutes: from a few minutes to five days.
const LEADS: [i64; 5] = [4, 50, 11 * 60, 26 * 60, 5 * 24 * 60];

/// Flat properties whose types vary under the same names.
const PROPERTIES: [&str; 6] = [
    r#"{"region":"eu-west-1","bytes":1024.50,"cached":false}"#,
    r#"{"region":"0042","bytes":"1e5","cached":"true","note":"naïve \u00e9"}"#,
    r#"{"region":7,"bytes":1e-7,"cached":true}"#,
    r#"{"region":"","bytes":12345678901234567890.123456789,"latency ms":"0.10"}"#,
    r#"{"region":"asia/pacific","bytes":"many","cached":1}"#,
    r#"{"unrelated":"x"}"#,
];

/// The decrements of each cycle that have no event, an event that cannot be found (as if amended),
/// and a deprecated event.
const NONE: u64 = 19;
const LOST: u64 = 16;
const DEPRECATED: u64 = 12;

/// The first of the consecutive decrements to which an entry belongs; other entries are on their
/// own.
pub(crate) fn first_entry(index: u64) -> u64 {
    let decrement = |index: u64| Step::at(index).entry_type == "decrement";
    let mut first = index;
    while first > 0 && decrement(first) && decrement(first - 1) {
        first -= 1;
    }
    first
}

/// The event from which an entry arose. Consecutive decrements share one.
pub(crate) fn of_entry(blueprint: &Blueprint, customer: u64, index: u64) -> Option<String> {
    let wanted = blueprint.settings.ledger_event_ids
        && Step::at(index).entry_type == "decrement"
        && index % CYCLE_LENGTH != NONE;
    wanted.then(|| id(blueprint, customer, first_entry(index)))
}

/// A client-chosen key, whose case matters.
fn id(blueprint: &Blueprint, customer: u64, first: u64) -> String {
    let tail = blueprint.dice.id(Salt::Usage, (customer << 32) + first);
    format!("evt/{customer:04}/{first}/{}", &tail[..6])
}

/// Writes an event, and returns when it happened.
pub(crate) fn find(blueprint: &Blueprint, event_id: &str) -> Option<(Timestamp, String)> {
    let mut parts = event_id.strip_prefix("evt/")?.split('/');
    let customer: u64 = parts.next()?.parse().ok()?;
    let first: u64 = parts.next()?.parse().ok()?;
    let exists = first < ledger_entry::count(blueprint, customer)
        && first == first_entry(first)
        && first % CYCLE_LENGTH != LOST
        && of_entry(blueprint, customer, first).as_deref() == Some(event_id);
    if !exists {
        return None;
    }
    let lead = LEADS[((customer + first) % LEADS.len() as u64) as usize];
    let at = later(ledger_entry::date(blueprint, customer, first), SignedDuration::from_mins(-lead));
    let mut text = String::new();
    write_object(&mut text, |event| {
        event.text("id", event_id).text("customer_id", &blueprint.id(Collection::Customers, customer));
        event.optional_text("external_customer_id", customer::external_id(customer).as_deref());
        event.text("event_name", if first.is_multiple_of(2) { "api.request" } else { "Égress" });
        event
            .instant("timestamp", at, spelling(first))
            .flag("deprecated", first % CYCLE_LENGTH == DEPRECATED);
        event.raw("properties", PROPERTIES[((customer + first / 2) % PROPERTIES.len() as u64) as usize]);
    });
    Some((at, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::lookup;
    use crate::settings::Settings;
    use std::collections::HashMap;

    fn blueprint(ledger_event_ids: bool) -> Blueprint {
        Blueprint::new(Settings { ledger_entries_per_customer: 60, ledger_event_ids, ..Settings::default() })
    }

    #[test]
    fn events_happen_minutes_to_days_before_their_entries() {
        let blueprint = blueprint(true);
        let (mut entries, mut lost) = (HashMap::new(), 0);
        for customer in (0..25).filter(|&customer| ledger_entry::count(&blueprint, customer) > 0) {
            for index in 0..60 {
                let Some(id) = of_entry(&blueprint, customer, index) else { continue };
                let Some((at, text)) = find(&blueprint, &id) else {
                    lost += 1;
                    continue;
                };
                assert_eq!(lookup(&text, &["id"]).as_ref(), Some(&id));
                let lead = ledger_entry::date(&blueprint, customer, index).duration_since(at);
                assert!((4..=5 * 24 * 60).contains(&lead.as_mins()), "{lead:?}");
                *entries.entry(id).or_insert(0) += 1;
            }
        }
        assert_eq!((entries.len(), lost), (5 * 3 * 3, 5 * 3));
        assert_eq!(entries.values().filter(|&&shared| shared == 3).count(), 5 * 3 * 2);
    }

    #[test]
    fn ledgers_stay_in_order_when_entries_share_an_instant() {
        let blueprint = blueprint(true);
        let customer = (0..25).find(|&customer| ledger_entry::count(&blueprint, customer) > 0).unwrap();
        let dates: Vec<Timestamp> =
            (0..60).map(|index| ledger_entry::date(&blueprint, customer, index)).collect();
        assert!(dates.is_sorted());
    }

    #[test]
    fn identifiers_are_case_sensitive_and_not_guessed() {
        let blueprint = blueprint(true);
        let customer = (0..25).find(|&customer| ledger_entry::count(&blueprint, customer) > 0).unwrap();
        let id = of_entry(&blueprint, customer, 1).unwrap();
        assert!(find(&blueprint, &id).is_some());
        let (path, tail) = id.rsplit_once('/').unwrap();
        for other in [
            format!("{path}/{}", tail.to_lowercase()),
            format!("{path}/{}", tail.to_uppercase()),
            format!("{path}/"),
            id.replace("evt/", "evt/0"),
            String::new(),
        ] {
            assert!(other == id || find(&blueprint, &other).is_none(), "{other}");
        }
    }

    #[test]
    fn there_are_no_events_unless_wanted() {
        assert!((0..60).all(|index| of_entry(&blueprint(false), 4, index).is_none()));
    }
}
