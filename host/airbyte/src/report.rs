//! Collects how the streams of a sync ended, and sums it up in one error.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use elt_host::excerpt::{FEW, few};
use elt_host::{Error, FailureType};

use crate::message::StreamDescriptor;

/// Failures that are kept. The others are counted: a connector may have thousands of streams, and
/// each message is as long as a message may be.
const KEPT: usize = 100;

/// How a sync ended.
#[derive(Clone, Debug)]
pub struct Report {
    configured: usize,
    /// The failures that are kept, by the position of their stream in the catalog.
    failures: BTreeMap<usize, Failure>,
    /// How many failures are not kept.
    more: usize,
    /// The type of all failures that needs a person most.
    worst: Option<FailureType>,
    /// Why the sync was stopped early, if it was.
    halt: Option<Error>,
    /// Streams that were stopped with it or never started.
    unread: usize,
}

/// A stream that was not read to its end.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The stream.
    pub stream: Arc<StreamDescriptor>,
    /// Why. A message said so already.
    pub error: Error,
}

impl Report {
    /// The report of a sync of so many streams, none of which has failed yet.
    pub(crate) fn new(configured: usize) -> Self {
        Self { configured, failures: BTreeMap::new(), more: 0, worst: None, halt: None, unread: 0 }
    }

    /// Notes that the stream at this position in the catalog failed.
    pub(crate) fn add(&mut self, place: usize, failure: Failure) {
        self.worst = self.worst.max(Some(failure.error.failure_type()));
        if self.failures.len() < KEPT {
            self.failures.insert(place, failure);
        } else {
            self.more += 1;
        }
    }

    /// Notes that the sync is stopped early.
    pub(crate) fn halt(&mut self, reason: Error) {
        self.halt = Some(reason);
    }

    /// Notes that so many streams were not read to their end because of that.
    pub(crate) fn leave(&mut self, streams: usize) {
        self.unread += streams;
    }

    /// The streams that failed by themselves, up to a hundred.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = &Failure> {
        self.failures.values()
    }

    /// Why the sync as a whole failed, if it did: the failure of its only stream, or the summary of
    /// several.
    pub fn error(&self) -> Option<Error> {
        self.summary().or_else(|| self.failures().next().map(|failure| failure.error.clone()))
    }

    /// Sums up the failures, unless a message did so already: if there is more than one stream, or
    /// the sync was stopped early. The type is the one that needs a person most, because trying
    /// again helps only if it helps every stream.
    pub(crate) fn summary(&self) -> Option<Error> {
        let halt = self.halt.as_ref().filter(|_| self.unread > 0);
        let failure_type = self.worst.max(halt.map(Error::failure_type))?;
        if self.configured == 1 && halt.is_none() {
            return None;
        }
        let unread = match (self.failures.len() + self.more + self.unread, self.configured) {
            (_, 1) => "the stream was not read to its end".to_owned(),
            (unread, configured) => format!("{unread} of {configured} streams were not read to their end"),
        };
        let mut parts = vec![unread];
        parts.extend(halt.map(ToString::to_string));
        let reasons = self.reasons();
        let told = reasons.iter().take(FEW);
        parts.extend(told.map(|(names, reason)| format!("{}: {reason}", few(names, FEW))));
        let untold = reasons.iter().skip(FEW).map(|(names, _)| names.len()).sum::<usize>() + self.more;
        if untold > 0 {
            parts.push(format!("and {untold} more failed for other reasons, which their own messages tell"));
        }
        let error = Error::new(failure_type, parts.join("; "));
        let hints = self.failures().map(|failure| &failure.error).chain(halt).filter_map(Error::hint);
        Some(match hints.min() {
            Some(hint) => error.with_hint(hint),
            None => error,
        })
    }

    /// Why streams failed, each reason once, with the names of the streams that failed for it.
    fn reasons(&self) -> Vec<(Vec<&str>, String)> {
        let mut reasons: Vec<(Vec<&str>, String)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for Failure { stream, error } in self.failures() {
            let (name, text) = (stream.name.as_str(), error.to_string());
            // A connector may name the stream itself.
            let reason = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text);
            match places.get(reason) {
                Some(place) => reasons[*place].0.push(name),
                None => {
                    places.insert(reason.to_owned(), reasons.len());
                    reasons.push((vec![name], reason.to_owned()));
                }
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(configured: usize, errors: &[Error]) -> Report {
        let mut report = Report::new(configured);
        for (place, (error, name)) in errors.iter().zip(["a", "b"]).enumerate() {
            let stream = Arc::new(StreamDescriptor { name: name.to_owned(), namespace: None });
            report.add(place, Failure { stream, error: error.clone() });
        }
        report
    }

    #[test]
    fn the_only_stream_speaks_for_the_whole() {
        let report = report(1, &[Error::config("no key")]);
        assert_eq!(report.summary(), None);
        assert_eq!(report.error(), Some(Error::config("no key")));
    }

    #[test]
    fn several_are_summed_up_with_the_type_that_needs_a_person_most() {
        let summary = report(3, &[Error::transient("later"), Error::config("no key")]).error().unwrap();
        assert_eq!(summary.failure_type(), FailureType::Config);
        assert_eq!(summary.message(), "2 of 3 streams were not read to their end; a: later; b: no key");
    }

    #[test]
    fn a_sync_that_was_ended_early_says_why_even_of_one_stream() {
        let mut report = report(1, &[]);
        report.halt(Error::transient("stopped"));
        assert_eq!(report.error(), None, "everything was read by then");
        report.leave(1);
        assert_eq!(report.error().unwrap().message(), "the stream was not read to its end; stopped");
    }

    #[test]
    fn a_stream_is_named_once() {
        let summary = report(2, &[Error::config("a: no key")]).error().unwrap();
        assert_eq!(summary.message(), "1 of 2 streams were not read to their end; a: no key");
    }

    #[test]
    fn what_several_streams_failed_for_is_told_once() {
        let failures = [Error::config("a: no key").with_hint("write one"), Error::config("b: no key")];
        let summary = report(2, &failures).error().unwrap();
        assert_eq!(summary.message(), "2 of 2 streams were not read to their end; a, b: no key");
        assert_eq!(summary.hint(), Some("write one"));
    }

    #[test]
    fn thousands_of_failures_are_one_short_text() {
        let mut many = Report::new(3_000);
        for place in 0..3_000 {
            let stream = Arc::new(StreamDescriptor { name: format!("s{place}"), namespace: None });
            let error = match place {
                0..10 => Error::transient("the same"),
                2_999 => Error::config("the last"),
                _ => Error::transient(format!("{place} {}", "x".repeat(100))),
            };
            many.add(place, Failure { stream, error });
        }
        let summary = many.error().unwrap();
        assert_eq!(summary.failure_type(), FailureType::Config, "of one that is not kept");
        assert_eq!(many.failures().len(), KEPT);
        let message = summary.message();
        assert!(
            message.starts_with(
                "3000 of 3000 streams were not read to their end; s0, s1, s2, s3, s4 and 5 more: the same; s10: 10 x"
            ),
            "{message}"
        );
        assert!(message.contains("; and 2986 more failed for other reasons") && message.len() < 2_000);
    }

    #[test]
    fn without_a_failure_there_is_nothing_to_say() {
        assert_eq!(report(2, &[]).error(), None);
    }
}
