//! Classifies an API's responses.

use crate::{error::Error, http::Response};

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

/// What a [`crate::fetch::Fetcher`] must know about the API.
pub trait Server {
    /// Returns what a complete response means.
    fn judge(&self, response: &Response) -> Verdict;

    /// Removes secrets from text that the server sent, which may repeat them.
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}
