//! What a reader works with, and how it fetches a page.

use std::rc::Rc;

use crate::{
    api::Api,
    error::Result,
    fetch::{Fetcher, Outcome},
    page::Page,
    platform::Platform,
    request::PageRequest,
};

/// A request and its result.
pub(super) type Fetched<C> = (PageRequest<C>, Result<Outcome<Page>>);

/// What a reader works with.
pub struct Tools<C: 'static> {
    /// The parsed config.
    pub config: Rc<C>,
    /// The API that is read.
    pub api: Rc<dyn Api<C>>,
    /// Sends the requests.
    pub fetcher: Fetcher,
    /// The outside world.
    pub platform: Platform,
}

impl<C> std::fmt::Debug for Tools<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").field("fetcher", &self.fetcher).finish_non_exhaustive()
    }
}

/// Fetches a page and completes it.
pub(super) async fn fetch<C>(tools: Rc<Tools<C>>, request: PageRequest<C>) -> Fetched<C> {
    let Tools { config, api, fetcher, .. } = &*tools;
    let decode = |body: &[u8]| api.decode_page(&request, body);
    let mut result = fetcher.fetch(api.page_request(&request), request.stream.rate, decode).await;
    if let Some(enrich) = request.stream.enrich
        && let Ok(Outcome::Complete(page)) = result
    {
        result = enrich(config, fetcher, page).await.map(Outcome::Complete);
    }
    (request, result)
}
