//! Lists, as Orb answers with them.
//!
//! In: the body of an answer. Out: its elements, and the token of the next page.

use crate::sdk::{
    fields::Fields,
    json::{Json, Scanner},
};

/// The body of a list. A body without `data` is not an empty list, nor is one without `pagination_metadata` the last page
/// of a list that has pages.
#[derive(Debug)]
pub struct List<'a> {
    /// The elements.
    pub data: Vec<Json<'a>>,
    pagination: Option<Fields<'a>>,
}

impl<'a> List<'a> {
    /// Takes a body apart.
    ///
    /// # Errors
    /// If it is not that of a list.
    pub fn decode(body: &'a str) -> Result<Self, String> {
        let (mut data, mut pagination, mut scanner) = (None, None, Scanner::new(body));
        scanner.open('{')?;
        while let Some(name) = scanner.name()? {
            if name.is("data") {
                // The elements right away, not the list first, which is nearly all of the body.
                data = Some(scanner.list()?);
                continue;
            }
            let value = scanner.value()?;
            if name.is("pagination_metadata") {
                pagination = Fields::of(value);
            }
        }
        scanner.end()?;
        Ok(Self { data: data.ok_or("there is no \"data\"")?, pagination })
    }

    /// The token of the next page; none on the last page, and where a list has no pages.
    ///
    /// # Errors
    /// If it cannot be told whether there is a next page.
    pub fn next_token(&self, has_pages: bool) -> Result<Option<String>, String> {
        let Some(pagination) = &self.pagination else {
            return if has_pages { Err("there is no \"pagination_metadata\"".into()) } else { Ok(None) };
        };
        if !pagination.flag("has_more").ok_or("there is no \"has_more\"")? {
            return Ok(None);
        }
        let token = pagination.text("next_cursor");
        Ok(Some(token.ok_or("\"has_more\" is true, but there is no \"next_cursor\"")?.into_owned()))
    }
}
