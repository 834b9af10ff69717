//! What is wrong with a sync as a whole, once it has ended.

use std::collections::HashMap;

use super::Run;
use super::attempt::End;
use crate::bindings::{Error, FailureType};
use crate::fault::Effect;
use crate::history::{Sync, effects};
use crate::judge::{Judge, Progress, Reading};
use crate::server::{API_KEY, Server};
use crate::subject::{Subject, instant};
use crate::world::{DAY, SECOND, Time};

impl Run<'_> {
    /// Judges a sync as a whole.
    pub(super) fn conclude(
        &mut self,
        sync: &Sync,
        outcome: &End,
        server: &Server,
        reading: &Reading,
        start: Time,
        config: &str,
    ) -> Option<(&'static str, String)> {
        if let Some(forbidden) = &server.forbidden {
            return Some(("forbidden", forbidden.clone()));
        }
        if let Some(impatient) = server.impatient.as_ref().filter(|_| sync.jump.is_none()) {
            return Some(("impatient", impatient.clone()));
        }
        let effects = effects(&server.happened);
        let is_skipped = effects.contains(&Effect::Skipped);
        match outcome {
            End::Broken(oracle, detail) => return Some((oracle, detail.clone())),
            End::Abandoned => {
                self.union.forget();
                return None;
            }
            End::Failure(error) => {
                self.union.forget();
                return self.blame(sync, error, &effects);
            }
            End::Left if sync.leave.is_none() => {
                return Some(("stop", "not everything was read, although nobody ended the read".to_owned()));
            }
            End::Left => return self.union.uncovered().map(|detail| ("stop", detail)),
            End::Success => {}
        }
        self.report.succeeded += 1;
        self.union.commit();
        let mut broken = None;
        if !is_skipped {
            let judge = Judge { is_corrected: reading.is_corrected, ..self.judge(&server.subject, start) };
            broken = judge.after_success(reading, self.now);
            let days = Time::from(sync.settings.sweep_days);
            broken = broken.or_else(|| self.overdue(days));
            if let Some((opened, end)) = self.sweep().filter(|_| broken.is_none()) {
                broken = judge.after_sweep(opened, end, self.now);
            }
            let most = judge.most_requests(reading, self.now);
            if broken.is_none() && server.served > most {
                broken = Some(("requests", format!("{} requests, where {most} would do", server.served)));
            }
            if let Some(before) = self.there.as_ref().filter(|_| broken.is_none()) {
                let after = self.look(&server.subject, config);
                broken = self.differs(before, &after);
            }
        }
        if !is_skipped {
            self.chain = None;
            self.swept = self.progress().swept.or(self.swept);
            self.succeeded = Some(reading.opened);
            if reading.is_corrected {
                // The first read of a stream remembers none, and the next one looks back.
                self.corrected = reading.opened - 3 * DAY;
            }
        }
        if self.history.is_full {
            self.state = None;
            // The next refresh replaces this one.
            if !is_skipped {
                self.union.clear();
            }
        }
        broken
    }

    pub(super) fn judge<'b>(&'b self, subject: &'b Subject, start: Time) -> Judge<'b> {
        Judge { history: self.history, subject, union: &self.union, start, is_corrected: false }
    }

    /// What the last state says.
    pub(super) fn progress(&self) -> Progress {
        let state = self.state.as_deref();
        state.and_then(|state| Progress::parse(state, self.history.row().cursor)).unwrap_or_default()
    }

    /// Whether everything should have been read again. `days` is after how long, 0 for never.
    fn overdue(&self, days: Time) -> Option<(&'static str, String)> {
        // What was left of a read is read first.
        let swept = self.swept.filter(|_| days > 0 && !self.is_continued)?;
        let (opened, ..) = self.openings.last()?;
        let is_overdue = self.progress().swept == Some(swept) && opened - swept >= days * DAY;
        is_overdue.then(|| ("stale", format!("everything was last read at {}", instant(swept))))
    }

    /// When the read of everything was opened that has just ended, and the end of what was read.
    fn sweep(&self) -> Option<(Time, Option<Time>)> {
        let swept = self.progress().swept.filter(|swept| self.swept != Some(*swept))?;
        // The connector counts whole seconds.
        let is_it = |(by_guest, ..): &(Time, Time, Option<Time>)| (0..SECOND).contains(&(by_guest - swept));
        let first = self.openings.iter().position(is_it)?;
        let ends = self.openings[first..].iter().filter_map(|(.., end)| *end);
        Some((self.openings[first].1, ends.min()))
    }

    /// Whether a failure is one that the faults allow.
    fn blame(&self, sync: &Sync, error: &Error, effects: &[Effect]) -> Option<(&'static str, String)> {
        let Error { failure_type, message, internal_message } = error;
        let internal = internal_message.as_deref().unwrap_or_default();
        if message.contains(API_KEY) || internal.contains(API_KEY) {
            return Some(("secret", format!("the key is in {message}: {internal}")));
        }
        // A clock that jumps ahead uses up the time for retries. By one that jumps back, the date
        // until when to wait is far away.
        let jumped = sync.jump.map(|_| FailureType::Transient);
        let allowed = effects.iter().filter_map(|effect| match effect {
            Effect::MayFail(failure_type) => Some(*failure_type),
            _ => None,
        });
        // What a change refuses is read the next time.
        let is_changing = self.history.row().is_reference() && !sync.changes.is_empty();
        let refused = is_changing.then_some(FailureType::System);
        let allowed: Vec<FailureType> = allowed.chain(jumped).chain(refused).collect();
        if allowed.is_empty() {
            return Some(("failed", format!("nothing prevents success, but: {message}: {internal}")));
        }
        let is_right = allowed.iter().any(|allowed| *allowed as u8 == *failure_type as u8);
        (!is_right)
            .then(|| ("blame", format!("{failure_type:?} instead of {allowed:?}: {message}: {internal}")))
    }

    /// What was there before and after, and is not in the union.
    fn differs(
        &self,
        before: &HashMap<String, String>,
        after: &HashMap<String, String>,
    ) -> Option<(&'static str, String)> {
        let mut stable: Vec<_> = before.iter().filter(|(key, text)| after.get(*key) == Some(text)).collect();
        stable.sort();
        stable.into_iter().find_map(|(key, text)| match self.union.version(key) {
            None => Some(("lost", key.clone())),
            Some(written) if written != text && self.history.is_full => {
                Some(("stale", format!("{key}: it is {text}, but {written} was written")))
            }
            Some(_) => None,
        })
    }
}
