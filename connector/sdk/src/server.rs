//! Classifies an API's responses.

use crate::{
    error::{Error, FailureType},
    http::Response,
};

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The body is the requested one.
    Complete,
    /// The failure may pass. Retry, and fail with this error once the retry budget is used up.
    Retry(Error),
    /// The rate limit is exceeded. Retry as for [`Verdict::Retry`], but more slowly.
    RateLimited(Error),
    /// Nothing can be read. Retrying does not help.
    Fail(Error),
    /// This list cannot be read, but others may be. Retrying does not help.
    Refused(Error),
    /// The response would be too large. The error counts if no smaller request is possible.
    TooLarge(Error),
    /// The requested object does not exist, or no longer. Holds the server's explanation.
    Absent(String),
    /// The account does not have this feature. Holds the server's explanation.
    Unavailable(String),
    /// The server does not know the path. The error counts unless the stream's row allows this.
    UnknownPath(Error),
}

impl Verdict {
    /// Returns what a response usually means, by its status alone (RFC 9110, section 15).
    ///
    /// `credentials` names the config's properties to check if the API does not accept them.
    /// `redact` removes secrets from what the error shows to an engineer.
    pub fn by_status(response: &Response, credentials: &str, redact: impl Fn(&str) -> String) -> Self {
        use FailureType::{Config, System, Transient};
        let status = response.status;
        let message = |sentence: &str| format!("{sentence} (status {status})");
        let error = |failure_type, sentence: &str| {
            Error::new(failure_type, message(sentence)).internal(response.excerpt(&redact))
        };
        match status {
            200..=299 => Self::Complete,
            // Following it could send the credentials to another host.
            300..=399 => Self::Fail(error(Config, "the address is redirected, which is not followed")),
            401 => Self::Fail(error(
                Config,
                &format!("the API does not accept the credentials; check {credentials}"),
            )),
            403 => Self::Refused(error(
                Config,
                &format!(
                    "the credentials are not allowed to read this; check the permissions of {credentials}"
                ),
            )),
            404 => Self::Absent(message("not found")),
            407 => Self::Fail(error(Config, "a proxy requires a user name and a password")),
            410 => Self::Absent(message("gone")),
            413 => {
                Self::TooLarge(error(System, "the API reports that the request or its results are too large"))
            }
            429 => Self::RateLimited(error(Transient, "the API's rate limit is exceeded")),
            408 | 425 | 500.. => Self::Retry(error(Transient, "the API failed to answer")),
            _ => Self::Refused(error(System, "the API answered with an unexpected status")),
        }
    }
}

/// What a [`crate::fetch::Fetcher`] must know about the API.
pub trait Server {
    /// Returns what a complete response means. [`Verdict::by_status`] is enough for many APIs.
    fn judge(&self, response: &Response) -> Verdict;

    /// Removes secrets from text that the server sent, which may repeat them.
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::answer;

    fn judge(status: u16) -> Verdict {
        let redact = |text: &str| text.replace("hidden", "[secret]");
        Verdict::by_status(&answer(status, "<p>hidden</p>"), "api_key", redact)
    }

    #[test]
    fn each_status_has_its_usual_meaning() {
        for status in [200, 204, 299] {
            assert_eq!(judge(status), Verdict::Complete);
        }
        for status in [408, 500, 502, 503, 504, 599] {
            assert!(matches!(judge(status), Verdict::Retry(_)), "{status}");
        }
        for status in [301, 308, 401, 407] {
            assert!(matches!(judge(status), Verdict::Fail(_)), "{status}");
        }
        for status in [100, 400, 403, 405, 422] {
            assert!(matches!(judge(status), Verdict::Refused(_)), "{status}");
        }
        assert!(matches!(judge(413), Verdict::TooLarge(_)));
        assert!(matches!(judge(429), Verdict::RateLimited(_)));
        assert_eq!(judge(404), Verdict::Absent("not found (status 404)".into()));
        assert_eq!(judge(410), Verdict::Absent("gone (status 410)".into()));
    }

    #[test]
    fn an_error_says_who_can_mend_it_and_how() {
        let (Verdict::Fail(error), Verdict::Refused(refusal)) = (judge(401), judge(403)) else { panic!() };
        assert_eq!(error.message, "the API does not accept the credentials; check api_key (status 401)");
        assert!(refusal.message.contains("the permissions of api_key"), "{refusal}");
        assert_eq!((error.failure_type, refusal.failure_type), (FailureType::Config, FailureType::Config));
        let (Verdict::Retry(passing), Verdict::Refused(defect)) = (judge(500), judge(400)) else { panic!() };
        assert_eq!(
            (passing.failure_type, defect.failure_type),
            (FailureType::Transient, FailureType::System)
        );
    }

    #[test]
    fn an_error_shows_the_body_without_secrets() {
        let Verdict::Retry(error) = judge(500) else { panic!() };
        assert!(error.internal_message.unwrap().contains("<p>[secret]</p>"));
    }
}
