//! What stands between a connector and its API, as far as the host knows more about it than the
//! connector is told.
//!
//! `wasi:http` has codes for failures, without words. Why a certificate is refused or what a proxy
//! says is noted here instead, and added to the error that the connector gives up with.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, FailureType};

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Whether the operator set what is in the way, and so can mend it. Otherwise the connector
    /// decides whose fault it is.
    pub(crate) of_operator: bool,
    /// For a person: a clause, without a secret.
    pub(crate) reason: String,
}

/// The obstacle that the last request of an instance met. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obstacles(Arc<Mutex<Option<Obstacle>>>);

impl Obstacles {
    /// Notes what the last request met: nothing, if it was answered.
    pub(crate) fn note(&self, obstacle: Option<Obstacle>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = obstacle;
    }

    /// Adds what is in the way to an error of the connector.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => error,
            Some(Obstacle { of_operator, reason }) => {
                error.because(reason, of_operator.then_some(FailureType::Config))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_explained_by_the_last_obstacle_alone() {
        let obstacles = Obstacles::default();
        let error = || Error::system("no answer").with_internal("why");
        assert_eq!(obstacles.explain(error()), error());
        let reason = "the proxy is asleep".to_owned();
        obstacles.note(Some(Obstacle { of_operator: false, reason: reason.clone() }));
        assert_eq!(
            obstacles.explain(error()),
            Error::system("no answer; the proxy is asleep").with_internal("why")
        );
        obstacles.note(Some(Obstacle { of_operator: true, reason }));
        assert_eq!(obstacles.clone().explain(error()).failure_type(), FailureType::Config);
        obstacles.note(None);
        assert_eq!(obstacles.explain(error()), error());
    }
}
