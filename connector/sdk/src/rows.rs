//! Turns an element of a response into records.

use std::rc::Rc;

use json_text::{Fields, Json, Scanner};

use crate::{
    problem::Problem,
    record::{Found, Record, Shape, inside, position},
    slice::Slice,
};

/// How an element of a response becomes records.
#[derive(Debug, Clone, Copy)]
pub enum Rows {
    /// It is a record.
    Elements,
    /// It holds a list of records.
    Nested(Nested),
    /// The function makes records of it. It gets no help from the other columns.
    Made(fn(Json<'_>, &Slice) -> Result<Vec<Record>, Problem>),
}

/// A list of records within an element. The columns for the cursor and for
/// [`Unsettled`](crate::record::Unsettled) are about the element, all others about its records.
#[derive(Debug, Clone, Copy)]
pub struct Nested {
    /// The field of the element that holds the list. It may also hold a single record, or null.
    pub list: &'static str,
    /// Fields of the element to add to each record: the path in the element, with a dot before each
    /// further name, and the name in the record.
    pub copied: &'static [(&'static str, &'static str)],
}

impl Rows {
    /// Reads the next element of a response of `slice` into `records`, which have this shape.
    ///
    /// # Errors
    /// If the element is not what the row says.
    pub(crate) fn scan(
        self,
        slice: &Slice,
        shape: &Shape<'_>,
        scanner: &mut Scanner<'_>,
        records: &mut Vec<Record>,
    ) -> Result<(), Problem> {
        match self {
            Self::Elements => records.push(Record::scan(scanner, shape)?),
            Self::Nested(nested) => nested.scan(scanner.value()?, shape, records)?,
            Self::Made(make) => records.extend(make(scanner.value()?, slice)?),
        }
        Ok(())
    }
}

impl Nested {
    /// Adds the records of an element, or a mark if it has none, so that the cursor is the same as
    /// that of a stream of the elements.
    fn scan(&self, element: Json<'_>, shape: &Shape<'_>, records: &mut Vec<Record>) -> Result<(), Problem> {
        let fields = Fields::of(element).ok_or("it is not an object")?;
        let at_path = |path: &str| {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            inside(fields.raw(name)?, rest)
        };
        let copied = self.copied.iter().map(|(from, to)| {
            (*to, at_path(from).map_or_else(|| "null".to_owned(), |value| value.get().to_owned()))
        });
        let added: Vec<_> = copied.chain(shape.added.iter().cloned()).collect();
        let of_element = |name: &str| {
            let path = self.copied.iter().find(|(_, to)| *to == name).map_or(name, |(from, _)| from);
            at_path(path)
        };
        let position = shape.cursor.and_then(of_element).and_then(position);
        let mut found = Found::default();
        if let Some(traits) = shape.traits {
            fields.iter().for_each(|(name, value)| found.look_at(traits, name, value));
        }
        let origin = shape.traits.and_then(|traits| found.origin(traits, element.get())).map(Rc::new);
        let unsettled = shape.unsettled.and_then(|unsettled| fields.raw(unsettled.field));
        let status = unsettled.or(found.status);
        if origin.as_ref().is_some_and(|origin| origin.is_deleted) {
            records.push(Record { origin, ..Record::mark(position) });
            return Ok(());
        }
        let list = fields.raw(self.list).ok_or_else(|| format!("there is no {:?}", self.list))?;
        let rows = match list.get() {
            "null" => Vec::new(),
            text if text.starts_with('{') => vec![list],
            _ => list.list().ok_or_else(|| format!("{:?} is not a list", self.list))?,
        };
        let of_row = Shape {
            cursor: None,
            unsettled: None,
            traits: None,
            withheld: &[],
            hoists: shape.hoists,
            added: &added,
        };
        let first = records.len();
        for row in rows {
            let record = Record::scan(&mut Scanner::new(row.get()), &of_row);
            records.push(record.map_err(|problem| problem.within(format!("an element of {:?}", self.list)))?);
        }
        if records.len() == first {
            records.push(Record::mark(None));
        }
        for record in &mut records[first..] {
            record.position = position;
            record.origin.clone_from(&origin);
            *record = std::mem::take(record).with_status(status, shape);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Digest, Hoist, Traits, Unsettled},
        testing::instant,
    };

    const LINES: Nested = Nested {
        list: "lines",
        copied: &[("id", "invoice_id"), ("date", "invoice_date"), ("owner.id", "owner_id")],
    };

    const OPEN: Unsettled = Unsettled { field: "status", values: &["draft", "open"], at_most: None };

    const SHAPE: Shape<'_> = Shape {
        cursor: Some("invoice_date"),
        unsettled: Some(&OPEN),
        traits: None,
        withheld: &["draft"],
        hoists: &[Hoist { object: "price", fields: &[("id", "price_id")], keep: true }],
        added: &[],
    };

    fn rows(element: &str) -> Result<Vec<Record>, Problem> {
        let mut records = Vec::new();
        LINES.scan(Json::checked(element), &SHAPE, &mut records)?;
        Ok(records)
    }

    #[test]
    fn each_row_has_fields_of_its_element_and_the_position_of_it() {
        let element = r#"{"id":"a","date":"2024-03-01T00:00:00Z","owner":{"id":7},"status":"open",
            "lines":[{"id":1,"price":{"id":"p"},"n":1.10},{"id":2,"invoice_id":"own"}]}"#;
        let records = rows(element).unwrap();
        let of_element = r#""invoice_date":"2024-03-01T00:00:00Z","owner_id":7}"#;
        assert_eq!(
            records[0].json,
            format!(r#"{{"id":1,"price":{{"id":"p"}},"n":1.10,"price_id":"p","invoice_id":"a",{of_element}"#)
        );
        assert_eq!(records[1].json, format!(r#"{{"id":2,"invoice_id":"own","price_id":null,{of_element}"#));
        for record in records {
            assert_eq!(record.position, Some(instant("2024-03-01T00:00:00Z")));
            assert_eq!((record.unsettled, record.withheld), (true, false));
        }
    }

    #[test]
    fn an_element_without_rows_still_counts_for_the_cursor() {
        for lines in ["[]", "null"] {
            let element = format!(r#"{{"date":"2024-03-01T00:00:00Z","status":"open","lines":{lines}}}"#);
            let records = rows(&element).unwrap();
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].position, Some(instant("2024-03-01T00:00:00Z")));
            assert_eq!((records[0].unsettled, records[0].withheld), (true, true));
        }
    }

    #[test]
    fn rows_are_withheld_if_their_element_is() {
        let records = rows(r#"{"status":"draft","lines":[{"id":1}]}"#).unwrap();
        assert_eq!((records[0].unsettled, records[0].withheld), (true, true));
    }

    #[test]
    fn the_status_and_time_of_a_row_say_nothing_about_its_element() {
        let element = r#"{"date":"2024-03-01T00:00:00Z","status":"paid",
            "lines":[{"status":"draft","invoice_date":"2020-01-01"}]}"#;
        let records = rows(element).unwrap();
        assert_eq!(records[0].position, Some(instant("2024-03-01T00:00:00Z")));
        assert_eq!((records[0].unsettled, records[0].withheld), (false, false));
    }

    #[test]
    fn all_rows_share_the_object_that_they_were_made_of() {
        const TRAITS: Traits = Traits { id: "id", open: Some(("status", &["open"])) };
        let shape = Shape { unsettled: None, traits: Some(&TRAITS), ..SHAPE };
        let scan = |element: &str| {
            let mut records = Vec::new();
            LINES.scan(Json::checked(element), &shape, &mut records).unwrap();
            records
        };
        let element = r#"{"id":"a","status":"open","lines":[{"id":1,"status":"paid"},{"id":2}]}"#;
        let origin = |record: &Record| record.origin.as_deref().cloned().unwrap();
        let records = scan(element);
        assert_eq!(records.len(), 2);
        for record in &records {
            assert_eq!((origin(record).id.as_str(), origin(record).is_deleted), ("a", false));
            assert_eq!(origin(record).open, Some(Digest::of(element)));
        }
        assert_eq!(origin(&scan(r#"{"id":"a","status":"paid","lines":[]}"#)[0]).open, None);
        let deleted = scan(r#"{"id":"a","date":"2024-03-01T00:00:00Z","deleted":true}"#);
        assert_eq!((deleted.len(), deleted[0].withheld), (1, true));
        assert_eq!(deleted[0].position, Some(instant("2024-03-01T00:00:00Z")));
        assert!(origin(&deleted[0]).is_deleted);
    }

    #[test]
    fn a_single_record_may_stand_in_place_of_a_list() {
        let records = rows(r#"{"id":"a","lines":{"id":1}}"#).unwrap();
        let expected = r#"{"id":1,"price_id":null,"invoice_id":"a","invoice_date":null,"owner_id":null}"#;
        assert_eq!((records.len(), records[0].json.as_str()), (1, expected));
    }

    #[test]
    fn what_has_another_shape_is_not_the_same_as_no_rows() {
        for element in ["[]", "{}", r#"{"lines":1}"#, r#"{"lines":[1]}"#, r#"{"lines":"x"}"#] {
            assert!(rows(element).is_err(), "{element}");
        }
    }

    #[test]
    fn a_row_is_on_one_line_even_if_what_is_added_is_not() {
        let records = rows("{\"id\":{\n\"a\":1},\"lines\":[{\"id\":\n1}]}").unwrap();
        assert!(!records[0].json.contains('\n'), "{}", records[0].json);
    }
}
