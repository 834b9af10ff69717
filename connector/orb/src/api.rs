//! Builds Orb's page requests and decodes its responses.
//!
//! Orb calls its page token "cursor". Only this module and [`crate::list`] use that name.

use std::rc::Rc;

use elt_sdk::{
    api::Api,
    http::{Request, Response},
    list::utf8,
    page::Page,
    problem::Problem,
    request::{PageParameters, PageRequest},
    server::{Server, Verdict},
    stream::Answer,
};
use json_text::Scanner;

use crate::{
    config::Config,
    errors,
    list::{List, Next},
    requests,
};

/// Orb's API with a config.
#[derive(Debug)]
pub struct OrbApi {
    config: Rc<Config>,
}

impl OrbApi {
    /// Creates the API for a config.
    pub fn new(config: Rc<Config>) -> Self {
        Self { config }
    }
}

impl Server for OrbApi {
    fn judge(&self, response: &Response) -> Verdict {
        errors::judge(&self.config, response)
    }

    fn redact(&self, text: &str) -> String {
        self.config.api_key.redact(text)
    }
}

impl Api<Config> for OrbApi {
    fn page_request(&self, request: &PageRequest<Config>) -> Request {
        let query = request.query(&self.config, PageParameters { limit: "limit", token: "cursor" });
        requests::get(&self.config, &request.path(), &query)
    }

    fn decode_page(&self, request: &PageRequest<Config>, body: &[u8]) -> Result<Page, Problem> {
        let text = utf8(body)?;
        let mut records = Vec::new();
        let next = if let Answer::Object = request.answer() {
            let mut scanner = Scanner::new(text);
            request.scan(&self.config, &mut scanner, &mut records)?;
            scanner.end()?;
            Next::Nothing
        } else {
            let list = List::decode(text, |scanner| request.scan(&self.config, scanner, &mut records))?;
            list.next(request.page_limit, request.stream.ends.may_be_silent)?
        };
        let (next_token, is_cut_off) = match next {
            Next::Nothing => (None, false),
            Next::Page(token) => (Some(token), false),
            Next::LeftOut => (None, true),
        };
        Ok(Page { records, next_token, is_cut_off, bytes: body.len() })
    }
}

#[cfg(test)]
mod tests;
