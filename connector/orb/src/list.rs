//! Lists, as Orb answers with them.
//!
//! In: the body of an answer. Out: the token of the next page; its elements are handed on as they are read.

use elt_sdk::problem::Problem;
use json_text::{Fields, Scanner};

/// The body of a list. A body without `data` is not an empty list, nor is one without `pagination_metadata` the last page
/// of a list that has pages.
#[derive(Debug)]
pub struct List<'a> {
    pagination: Option<Fields<'a>>,
}

impl<'a> List<'a> {
    /// Takes a body apart. `element` is to read each element of the list, which is nearly all of the body, so that every
    /// byte is looked at once.
    ///
    /// # Errors
    /// If it is not that of a list, or an element is not as it should be. Also if `data` comes twice: the elements of the
    /// first one have been handed on by then, so the last one cannot count alone, as it does elsewhere.
    pub fn decode(
        body: &'a str,
        mut element: impl FnMut(&mut Scanner<'a>) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        let (mut has_data, mut pagination, mut scanner) = (false, None, Scanner::new(body));
        scanner.open('{')?;
        while let Some(name) = scanner.name()? {
            if name.is("data") {
                if std::mem::replace(&mut has_data, true) {
                    return Err("there are two lists \"data\"".into());
                }
                scanner.open('[')?;
                while scanner.has_element()? {
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
        if has_data { Ok(Self { pagination }) } else { Err("there is no \"data\"".into()) }
    }

    /// What follows the page. Where the list has no pages, that is nothing, or what the answer leaves out.
    ///
    /// # Errors
    /// If it cannot be told whether there is more, or there is and its page token is missing.
    pub fn next(&self, has_pages: bool) -> Result<Next, Problem> {
        let Some(pagination) = &self.pagination else {
            return if has_pages {
                Err("there is no \"pagination_metadata\"".into())
            } else {
                Ok(Next::Nothing)
            };
        };
        if !pagination.flag("has_more").ok_or("there is no \"has_more\"")? {
            return Ok(Next::Nothing);
        }
        if !has_pages {
            return Ok(Next::LeftOut);
        }
        let token = pagination.text("next_cursor");
        Ok(Next::Page(token.ok_or("\"has_more\" is true, but there is no \"next_cursor\"")?.into_owned()))
    }
}

/// What follows the elements of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The list has been answered to its end.
    Nothing,
    /// The page of this token.
    Page(String),
    /// Elements that the answer leaves out, although the list has no pages by which to ask for them.
    LeftOut,
}
