//! Decodes Orb's list responses.

use elt_sdk::{list, problem::Problem};
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
    /// If it is not a list, `data` occurs twice, or an element is invalid.
    pub fn decode(
        body: &'a str,
        element: impl FnMut(&mut Scanner<'a>) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        let mut pagination = None;
        let elements = list::scan(body, "data", element, |name, value| {
            if name.is("pagination_metadata") {
                pagination = Fields::of(value);
            }
        })?;
        Ok(Self { pagination, elements })
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
