//! Decodes Orb's list responses.
//!
//! The elements are decoded while the body is scanned, so that each byte is read once.

use elt_sdk::problem::Problem;
use json_text::{Fields, Scanner};

/// The body of a list. A missing `data` does not mean an empty list, and a missing
/// `pagination_metadata` does not mean the last page.
#[derive(Debug)]
pub struct List<'a> {
    pagination: Option<Fields<'a>>,
    elements: usize,
}

impl<'a> List<'a> {
    /// Decodes a body. `element` must read each element of the list from the scanner.
    ///
    /// # Errors
    /// If it is not a list, or an element is invalid. Also if `data` occurs twice: the elements of
    /// the first one have been read by then, so the last one cannot replace it as it does
    /// elsewhere.
    pub fn decode(
        body: &'a str,
        mut element: impl FnMut(&mut Scanner<'a>) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        let (mut has_data, mut pagination, mut elements) = (false, None, 0);
        let mut scanner = Scanner::new(body);
        scanner.open('{')?;
        while let Some(name) = scanner.name()? {
            if name.is("data") {
                if std::mem::replace(&mut has_data, true) {
                    return Err("there are two lists \"data\"".into());
                }
                scanner.open('[')?;
                while scanner.has_element()? {
                    elements += 1;
                    element(&mut scanner).map_err(|problem| problem.within("an element of \"data\""))?;
                }
                continue;
            }
            let value = scanner.value()?;
            if name.is("pagination_metadata") {
                pagination = Fields::of(value);
            }
        }
        scanner.end()?;
        if has_data { Ok(Self { pagination, elements }) } else { Err("there is no \"data\"".into()) }
    }

    /// Returns what follows the page. `limit` is how many elements were requested, if the list can
    /// be requested in pages. `may_be_silent` is whether a response may not say if there is more: a
    /// full page is then taken as incomplete.
    ///
    /// # Errors
    /// If the response does not say whether there is more, or there is and the page token is
    /// missing.
    pub fn next(&self, limit: Option<u32>, may_be_silent: bool) -> Result<Next, Problem> {
        let Some(pagination) = &self.pagination else {
            let is_full = |limit: u32| usize::try_from(limit).is_ok_and(|limit| self.elements >= limit);
            return match limit {
                None => Ok(Next::Nothing),
                Some(limit) if may_be_silent && is_full(limit) => Ok(Next::LeftOut),
                Some(_) if may_be_silent => Ok(Next::Nothing),
                Some(_) => Err("there is no \"pagination_metadata\"".into()),
            };
        };
        if !pagination.flag("has_more").ok_or("there is no \"has_more\"")? {
            return Ok(Next::Nothing);
        }
        if limit.is_none() {
            return Ok(Next::LeftOut);
        }
        let token = pagination.text("next_cursor");
        Ok(Next::Page(token.ok_or("\"has_more\" is true, but there is no \"next_cursor\"")?.into_owned()))
    }
}

/// What follows the elements of a response.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing. The list is complete.
    Nothing,
    /// The page of this token.
    Page(String),
    /// Elements that the response omits and that cannot be requested, because the list has no
    /// pages.
    LeftOut,
}
