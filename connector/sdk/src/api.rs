//! Builds an API's requests and decodes its responses.

use crate::{http::Request, page::Page, problem::Problem, request::PageRequest, server::Server};

/// An API with a config.
pub trait Api<C: 'static>: Server {
    /// Builds the HTTP request for a page. [`PageRequest::path`] and [`PageRequest::query`] return
    /// what the stream's row says.
    fn page_request(&self, request: &PageRequest<C>) -> Request;

    /// Decodes the body of a complete response. [`PageRequest::scan`] reads an element as the
    /// stream's row says.
    ///
    /// # Errors
    /// If the body is not the expected page.
    fn decode_page(&self, request: &PageRequest<C>, body: &[u8]) -> Result<Page, Problem>;
}
