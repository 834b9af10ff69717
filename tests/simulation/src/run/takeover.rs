//! The states of other connectors, from which a history can begin.

use std::collections::HashMap;

use super::Run;
use crate::stream::Form;
use crate::subject::{Subject, instant};
use crate::world::{DAY, SECOND, Time};

/// Besides, another connector's state has a cursor per parent.
const STATE_PER_PARENT: usize = 120;

impl Run<'_> {
    /// Takes over from another connector, which has read everything up to its cursors.
    pub(super) fn begin_from(&mut self, form: Form, subject: &mut Subject) {
        let row = self.history.row();
        let Some(field) = row.cursor else { return };
        let latest = if row.has_grace() { self.now - 3 * DAY } else { self.now };
        let is_read = |at: Time, shown: bool| shown && at <= latest;
        let shown = |index: usize, subject: &Subject| {
            let fact = &subject.facts[index];
            fact.versions.last().is_some_and(|version| is_read(fact.at, version.is_shown))
        };
        let mut cursors: HashMap<Option<usize>, Time> = HashMap::new();
        for index in (0..subject.facts.len()).filter(|index| shown(*index, subject)) {
            let fact = &subject.facts[index];
            for parent in [None, fact.parent] {
                let cursor = cursors.entry(parent).or_insert(fact.at);
                *cursor = fact.at.max(*cursor);
            }
        }
        let Some(global) = cursors.get(&None).copied() else { return };
        // Some parents are behind.
        if matches!(form, Form::Parents | Form::Partitions) {
            for index in (0..subject.facts.len()).rev().filter(|index| shown(*index, subject)) {
                let fact = &subject.facts[index];
                if fact.parent.is_some_and(|parent| parent % 2 == 1) {
                    cursors.insert(fact.parent, fact.at);
                }
            }
        }
        let whole = global - global.rem_euclid(SECOND);
        let mut of_parents: Vec<(String, Time)> = cursors
            .iter()
            .filter_map(|(parent, at)| Some((subject.parents[(*parent)?].id.clone(), *at)))
            .collect();
        of_parents.sort();
        let is_single = matches!(form, Form::Cursor(_) | Form::Global);
        let state = match form {
            Form::Cursor(spelling) => {
                let text = match spelling {
                    0 => instant(global).to_string(),
                    1 => instant(global).to_string().replace('Z', "+00:00"),
                    2 => instant(whole - SECOND)
                        .to_string()
                        .replace('Z', ".000000+0000")
                        .replace("+0000", "+00:00"),
                    _ => format!("{:.9}", instant(global)),
                };
                format!("{{\"{field}\":\"{text}\"}}")
            }
            Form::Parents => {
                let of = |(id, at): &(String, Time)| format!("\"{id}\":{{\"{field}\":\"{}\"}}", instant(*at));
                format!("{{{}}}", of_parents.iter().map(of).collect::<Vec<_>>().join(","))
            }
            Form::Partitions => {
                let key = row.parent_key.unwrap_or_default();
                let of = |(id, at): &(String, Time)| {
                    let at = instant(*at);
                    format!(
                        "{{\"partition\":{{\"{key}\":\"{id}\",\"parent_slice\":{{}}}},\"cursor\":{{\"{field}\":\"{at}\"}}}}"
                    )
                };
                let states = of_parents.iter().map(of).collect::<Vec<_>>().join(",");
                format!(
                    "{{\"use_global_cursor\":false,\"states\":[{states}],\"state\":{{\"{field}\":\"{}\"}},\
                     \"lookback_window\":1,\"parent_state\":{{}}}}",
                    instant(global)
                )
            }
            Form::Global => format!(
                "{{\"use_global_cursor\":true,\"state\":{{\"{field}\":\"{}\"}},\"lookback_window\":2}}",
                instant(global)
            ),
        };
        self.largest_state += STATE_PER_PARENT * of_parents.len();
        for index in 0..subject.facts.len() {
            let is_shown = shown(index, subject);
            let fact = &mut subject.facts[index];
            let own = if is_single { Some(global) } else { cursors.get(&fact.parent).copied() };
            if own.is_some_and(|own| fact.at <= own) {
                let last = fact.versions.last();
                if let Some(version) = last.filter(|_| is_shown) {
                    self.union.insert(fact.key.clone(), version.text.clone());
                }
                fact.is_passed = !is_shown || last.is_some_and(|version| !version.is_settled);
            }
        }
        if !is_single {
            for (index, parent) in subject.parents.iter_mut().enumerate() {
                parent.cursor = cursors.get(&Some(index)).copied();
            }
        }
        self.union.commit();
        self.state = Some(state);
    }
}
