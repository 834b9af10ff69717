//! Stores usage events, and finds them by identifier and timestamp.

use jiff::Timestamp;

use crate::account::Account;
use crate::edit::{RecordError, parse_id, parse_instant};
use crate::record::event;
use crate::timeframe::Timeframe;

/// A stored event.
#[derive(Clone, Debug)]
pub(crate) struct StoredEvent {
    at: Timestamp,
    text: Box<str>,
}

impl Account {
    /// Stores a usage event, to be served exactly as this text, and returns its `id`. Replaces any
    /// event with the same `id`. The text needs an `id` and a `timestamp`; nothing else is
    /// validated.
    ///
    /// # Errors
    ///
    /// If the text is not a JSON object, or lacks one of the two fields.
    pub fn insert_event(&mut self, event: impl Into<String>) -> Result<String, RecordError> {
        let text = event.into();
        let id = parse_id(&text)?;
        let at = parse_instant(&text, "timestamp")?;
        self.events.insert(id.clone(), Some(StoredEvent { at, text: text.into_boxed_str() }));
        Ok(id)
    }

    /// Removes an event, generated or not, as an amendment does: searches no longer find it.
    /// Returns whether the event existed.
    pub fn remove_event(&mut self, event_id: &str) -> bool {
        let existed = self.event(event_id).is_some();
        self.events.insert(event_id.to_owned(), None);
        existed
    }

    /// The JSON text of an event. Generated events are those that ledger entries name by
    /// `event_id`.
    #[must_use]
    pub fn event(&self, event_id: &str) -> Option<String> {
        self.dated_event(event_id).map(|(_, text)| text)
    }

    /// The texts of those of these events that lie within a timeframe, newest first, without
    /// duplicates.
    pub(crate) fn events_within(&self, ids: &[String], timeframe: Timeframe) -> Vec<String> {
        let mut ids: Vec<&String> = ids.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut events: Vec<(Timestamp, String)> =
            ids.into_iter().filter_map(|id| self.dated_event(id)).collect();
        events.retain(|(at, _)| timeframe.contains(*at));
        events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        events.into_iter().map(|(_, text)| text).collect()
    }

    fn dated_event(&self, event_id: &str) -> Option<(Timestamp, String)> {
        match self.events.get(event_id) {
            Some(stored) => stored.as_ref().map(|event| (event.at, event.text.to_string())),
            None => event::find(&self.blueprint, event_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn events_are_found_by_identifier_and_time() {
        let mut account = Account::generate(&Settings::empty());
        let text = |id: &str, day: u32| {
            format!(r#"{{"id":"{id}","timestamp":"2024-01-0{day}T00:00:00Z","n":1.10}}"#)
        };
        for (id, day) in [("a", 1), ("b", 3), ("c", 5)] {
            assert_eq!(account.insert_event(text(id, day)).as_deref(), Ok(id));
        }
        let ids = ["c", "a", "b", "b", "A", "none"].map(str::to_owned);
        let at = |day: &str| format!("2024-01-{day}T00:00:00Z").parse().unwrap();
        let found = |account: &Account, start, end| {
            account.events_within(&ids, Timeframe::new(at(start), at(end)).unwrap())
        };
        assert_eq!(found(&account, "01", "05"), [text("b", 3), text("a", 1)]);
        assert_eq!(found(&account, "03", "06"), [text("c", 5), text("b", 3)]);
        assert!(account.remove_event("b") && !account.remove_event("b"));
        assert_eq!(found(&account, "01", "06"), [text("c", 5), text("a", 1)]);
        assert_eq!(account.insert_event(r#"{"id":"d"}"#), Err(RecordError::FieldMissing("timestamp")));
    }
}
