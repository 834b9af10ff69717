//! What the SDK asks of an API: how to ask for a page, and what an answer means.

use std::future::ready;

use futures_util::future::LocalBoxFuture;

use crate::{
    error::{Error, Result},
    fetch::Fetcher,
    http::{Request, Response},
    page::Page,
    record::Record,
    slice::{Ask, Slice},
    stream::Stream,
};

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The body is what was asked for.
    Complete,
    /// It may get better: try again, and fail with this error when the budget is used up.
    Retry(Error),
    /// The server wants fewer requests: try again as for [`Verdict::Retry`], and more slowly.
    RateLimited(Error),
    /// Trying again is no use.
    Fail(Error),
    /// Trying again is no use for this list; others may be answered.
    Refused(Error),
    /// There is too much to answer, or the request is too large: ask for less. The error counts once nothing smaller can
    /// be asked for.
    TooLarge(Error),
    /// What was asked for does not exist, or no longer. Says so in the server's words.
    Absent(String),
    /// The account does not have this feature. Says so in the server's words.
    Unavailable(String),
}

/// One API, as the mechanism of this SDK sees it.
pub trait Api {
    /// The request for a page.
    fn page_request(&self, ask: &Ask) -> Request;

    /// What a complete response means.
    fn judge(&self, response: &Response) -> Verdict;

    /// Decodes the body of a response that is [`Verdict::Complete`].
    ///
    /// # Errors
    /// Says what is wrong with the body.
    fn decode_page(&self, ask: &Ask, body: &[u8]) -> std::result::Result<Page, String>;

    /// Completes a page of a stream that is enriched, with further requests through `fetcher`.
    ///
    /// # Errors
    /// As those of the requests.
    fn enrich<'a>(&'a self, fetcher: &'a Fetcher, page: Page) -> LocalBoxFuture<'a, Result<Page>> {
        let _ = fetcher;
        Box::pin(ready(Ok(page)))
    }

    /// A text of the server's without our secrets, which a server may repeat.
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }

    /// What is to be said once a stream has been read: one sentence for each kind of thing that was not as it should be.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Cuts the list of one parent, of which `whole` is wanted, into slices that can be asked for. Without any, the parent
    /// is left out.
    fn slices_of_parent(&self, stream: &Stream, parent: &Record, whole: &Slice) -> Vec<Slice> {
        let (_, _) = (stream, parent);
        vec![whole.clone()]
    }

    /// Cuts a slice of a list without pages into shorter ones, which have the same records in all. None if it is as short
    /// as it can be asked for.
    fn shorter_slices(&self, stream: &Stream, slice: &Slice) -> Option<Vec<Slice>> {
        let (_, _) = (stream, slice);
        None
    }
}
