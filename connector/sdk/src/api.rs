//! What an API adds to the table of streams: how a page is asked for, and how a response is
//! decoded.

use crate::{http::Request, page::Page, problem::Problem, request::PageRequest, server::Server};

/// One API, as one config reaches it.
pub trait Api<C: 'static>: Server {
    /// Builds the HTTP request for a page. [`PageRequest::path`] and [`PageRequest::query`] hold
    /// what the table says.
    fn page_request(&self, request: &PageRequest<C>) -> Request;

    /// Decodes the body of a complete response. [`PageRequest::scan`] reads an element as the table
    /// says.
    ///
    /// # Errors
    /// If the body is not what was asked for.
    fn decode_page(&self, request: &PageRequest<C>, body: &[u8]) -> Result<Page, Problem>;
}
