//! Builds Orb's error answers: a status and the documented body.

use crate::object::write_object;

/// The prefix of every documented `type`, the error's stable identifier.
const TYPE_BASE: &str = "https://docs.withorb.com/reference/error-responses#";

/// One error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    /// The status in the body. For one documented error it differs from the answer's status.
    body_status: u16,
    /// The part of the `type` after `#`.
    kind: String,
    title: &'static str,
    detail: Option<String>,
    validation_errors: Option<Vec<String>>,
}

impl Problem {
    fn new(status: u16, kind: &str, title: &'static str) -> Problem {
        Problem {
            status,
            body_status: status,
            kind: kind.to_owned(),
            title,
            detail: None,
            validation_errors: None,
        }
    }

    fn detail(self, detail: impl Into<String>) -> Problem {
        Problem { detail: Some(detail.into()), ..self }
    }

    /// Parameters that break the rules, one sentence each.
    pub(crate) fn validation(errors: Vec<String>) -> Problem {
        let problem = Problem::new(400, "400-request-validation-errors", "Your request is invalid.");
        Problem { validation_errors: Some(errors), ..problem.detail("The request has invalid parameters.") }
    }

    /// A well-formed request that is not allowed.
    pub(crate) fn constraint_violation(detail: &str) -> Problem {
        Problem::new(400, "400-constraint-violation", "The request violates a constraint.").detail(detail)
    }

    pub(crate) fn request_too_large() -> Problem {
        Problem::new(413, "413-request-too-large", "The request is too large.")
    }

    pub(crate) fn unauthenticated() -> Problem {
        Problem::new(401, "401-authentication-error", "Authentication failed.")
            .detail("The API key is missing or not valid.")
    }

    pub(crate) fn resource_not_found(resource: &str, id: &str) -> Problem {
        Problem::new(404, "404-resource-not-found", "A specified resource was not found.")
            .detail(format!("Could not find a resource of type {resource} with identifier: {id}."))
    }

    pub(crate) fn url_not_found() -> Problem {
        Problem::new(404, "404-url-not-found", "The requested URL was not found on the server.")
            .detail("If you entered the URL manually please check your spelling and try again.")
    }

    /// A 404 whose body says 400, as Orb's OpenAPI document lists it.
    pub(crate) fn feature_not_available() -> Problem {
        let problem = Problem::new(404, "404-feature-not-available", "This feature is not available.");
        Problem { body_status: 400, ..problem.detail("The feature is not enabled for your account.") }
    }

    pub(crate) fn too_many_requests() -> Problem {
        Problem::new(429, "429-too-many-requests", "Too many requests.")
            .detail("You have reached the rate limit; please retry with an exponential backoff.")
    }

    /// The error that Orb documents for a status; other statuses get the same form with a `type` of
    /// their own.
    pub(crate) fn of_status(status: u16) -> Problem {
        match status {
            400 => Problem::validation(vec!["the request was refused".to_owned()]),
            401 => Problem::unauthenticated(),
            404 => Problem::resource_not_found("Resource", "unknown"),
            409 => {
                Problem::new(409, "409-resource-conflict", "Conflict.").detail("Please retry these errors.")
            }
            413 => Problem::new(413, "413-too-many-results", "Too many results."),
            429 => Problem::too_many_requests(),
            500 => Problem::new(500, "500-internal-server-error", "An internal server error has occurred."),
            other => Problem::new(other, &format!("{other}"), "The request failed."),
        }
    }

    /// The answer's body. It may echo what the client sent, but never its key.
    pub(crate) fn body(&self) -> String {
        let mut body = String::new();
        write_object(&mut body, |problem| {
            problem.text("type", &format!("{TYPE_BASE}{}", self.kind));
            problem.number("status", self.body_status).text("title", self.title);
            problem.optional_text("detail", self.detail.as_deref());
            if let Some(errors) = &self.validation_errors {
                problem.list("validation_errors", errors, |out, error| crate::object::write_text(out, error));
            }
        });
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validation_errors_are_listed() {
        assert_eq!(
            Problem::validation(vec!["limit: \"x\" is no integer".to_owned()]).body(),
            concat!(
                r#"{"type":"https://docs.withorb.com/reference/error-responses#400-request-validation-errors","#,
                r#""status":400,"title":"Your request is invalid.","detail":"The request has invalid parameters.","#,
                r#""validation_errors":["limit: \"x\" is no integer"]}"#
            )
        );
    }

    #[test]
    fn undocumented_statuses_have_the_same_form() {
        assert!(Problem::of_status(503).body().contains("\"status\":503"));
        assert!(!Problem::of_status(503).body().contains("validation_errors"));
    }
}
