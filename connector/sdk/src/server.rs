//! How an API answers: what each response means.

use crate::{error::Error, http::Response};

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The body is what was asked for.
    Complete,
    /// The failure may pass: try again, and fail with this error when patience ends.
    Retry(Error),
    /// The server wants fewer requests: try again as for [`Verdict::Retry`], and more slowly.
    RateLimited(Error),
    /// Nothing can be read. Trying again does not help.
    Fail(Error),
    /// This list cannot be read, others may be. Trying again does not help.
    Refused(Error),
    /// The response would be too large. The error counts once nothing smaller can be asked for.
    TooLarge(Error),
    /// What was asked for does not exist, or no longer. Holds the server's explanation.
    Absent(String),
    /// The account does not have this feature. Holds the server's explanation.
    Unavailable(String),
    /// The server does not know the path. The error counts unless the stream's row allows for it.
    UnknownPath(Error),
}

/// What a [`crate::fetch::Fetcher`] must know of the API.
pub trait Server {
    /// Returns what a complete response means.
    fn judge(&self, response: &Response) -> Verdict;

    /// Removes secrets from a text of the server's, which may repeat them.
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}
