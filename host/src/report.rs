//! How a sync ended: its failures come in one by one, the failure of the whole goes out.

use std::sync::Arc;

use crate::error::Error;
use crate::message::StreamDescriptor;

/// How a sync ended.
#[derive(Clone, Debug)]
pub struct Report {
    configured: usize,
    failures: Vec<Failure>,
}

/// A stream that was not read to its end.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The stream.
    pub stream: Arc<StreamDescriptor>,
    /// Why, which was told already.
    pub error: Error,
}

impl Report {
    /// That of a sync of so many streams, none of which has failed yet.
    pub(crate) fn new(configured: usize) -> Self {
        Self { configured, failures: Vec::new() }
    }

    pub(crate) fn add(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// The streams that were not read to their end.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Why the sync as a whole failed, if it did: the failure of its only stream, or the summary of several.
    pub fn error(&self) -> Option<Error> {
        self.summary().or_else(|| self.failures.first().map(|failure| failure.error.clone()))
    }

    /// What the failures are together, where there is more than one stream. Of the type that needs a person most,
    /// because trying again helps only if it helps every stream.
    pub(crate) fn summary(&self) -> Option<Error> {
        let failure_type = self.failures.iter().map(|failure| failure.error.failure_type()).max()?;
        if self.configured == 1 {
            return None;
        }
        let reasons: Vec<_> = self
            .failures
            .iter()
            .map(|failure| {
                // A connector that names the stream itself need not be outdone.
                let (name, error) = (&failure.stream.name, failure.error.to_string());
                if error.starts_with(&format!("{name}: ")) { error } else { format!("{name}: {error}") }
            })
            .collect();
        Some(Error::new(
            failure_type,
            format!(
                "{} of {} streams were not read to their end; {}",
                reasons.len(),
                self.configured,
                reasons.join("; ")
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FailureType;

    fn report(configured: usize, errors: &[Error]) -> Report {
        let mut report = Report::new(configured);
        for (error, name) in errors.iter().zip(["a", "b"]) {
            let stream = Arc::new(StreamDescriptor { name: name.to_owned(), namespace: None });
            report.add(Failure { stream, error: error.clone() });
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
    fn a_stream_is_named_once() {
        let summary = report(2, &[Error::config("a: no key")]).error().unwrap();
        assert_eq!(summary.message(), "1 of 2 streams were not read to their end; a: no key");
    }

    #[test]
    fn without_a_failure_there_is_nothing_to_say() {
        assert_eq!(report(2, &[]).error(), None);
    }
}
