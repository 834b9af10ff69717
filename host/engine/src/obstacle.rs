//! Keeps why the last request of an instance failed, where the host knows more about it than the
//! connector can.
//!
//! `wasi:http` has codes for failures, without words. Why a certificate is refused or what a proxy
//! says is noted here instead, and added to the error that the connector gives up with.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, FailureType, Remedy};

/// Why a request did not reach its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Whether the operator set what is in the way, and so can fix it. If not, the connector
    /// decides whose fault the failure is.
    pub of_operator: bool,
    /// What is in the way, as a clause without a secret.
    pub reason: String,
    /// What change of settings would help.
    pub remedy: Option<Remedy>,
}

impl Obstacle {
    /// What the operator set cannot be used.
    pub(crate) fn of_setup(reason: String) -> Self {
        Self { of_operator: true, reason, remedy: None }
    }
}

/// The obstacle that the last request of an instance met. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obstacles(Arc<Mutex<Option<Obstacle>>>);

impl Obstacles {
    /// Notes what the last request met. `None` means that it was answered.
    pub(crate) fn note(&self, obstacle: Option<Obstacle>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = obstacle;
    }

    /// Adds the obstacle, if there is one, to an error of the connector.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => error,
            Some(Obstacle { of_operator, reason, remedy }) => {
                let error = error.because(reason, of_operator.then_some(FailureType::Config));
                remedy.map_or(error.clone(), |remedy| error.with_remedy(remedy))
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
        obstacles.note(Some(Obstacle { of_operator: false, reason: reason.clone(), remedy: None }));
        assert_eq!(
            obstacles.explain(error()),
            Error::system("no answer; the proxy is asleep").with_internal("why")
        );
        obstacles.note(Some(Obstacle { of_operator: true, reason, remedy: None }));
        assert_eq!(obstacles.clone().explain(error()).failure_type(), FailureType::Config);
        obstacles.note(None);
        assert_eq!(obstacles.explain(error()), error());
    }
}
