//! The rows of a row group, by columns, until they are written.
//!
//! Each value goes to its column if it fits there. If it does not, or if its column does not tell
//! how it was written, its text goes to `_rest`, untouched. So the fields of a record can be put
//! together again.

use std::collections::HashMap;
use std::mem;

use json_text::{Fields, Json, Object, Scanner, quoted};
use serde::{Deserialize, Serialize};

use crate::column::{Column, ColumnType};
use crate::decimal::{self, Decimal};
use crate::instant::{self, Instant};
use crate::problem::Problem;

/// Fields without a column that are compared with each other.
const MANY: usize = 32;

/// Rows, by columns.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<Values>,
    pub(crate) rest: Texts,
    /// `None` where there is nothing to keep.
    pub(crate) rest_levels: Vec<i16>,
    /// Microseconds since 1970.
    pub(crate) extracted_at: Vec<i64>,
    places: HashMap<String, usize>,
    /// The column of each field of the last record: the next one has its fields in the same order.
    order: Vec<Option<usize>>,
    bytes: usize,
}

/// The values of one column, without nulls.
#[derive(Debug)]
pub(crate) struct Values {
    /// The field as JSON, as it is commonly spelled.
    name: String,
    pub(crate) column: Column,
    pub(crate) data: Data,
    /// One for each row: 1 if it has a value, else 0.
    pub(crate) levels: Vec<i16>,
    pub(crate) spelling: Spelling,
    /// The last row that has the field.
    last: Option<usize>,
}

/// Values of one type.
#[derive(Debug)]
pub(crate) enum Data {
    Texts(Texts),
    Integers(Vec<i64>),
    Decimals(Vec<i128>),
    Booleans(Vec<bool>),
}

/// How the values of a column were spelled, as far as it can be told from the values seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spelling {
    #[serde(flatten)]
    pub(crate) instant: instant::Spelling,
    #[serde(flatten)]
    pub(crate) decimal: decimal::Spelling,
}

/// Texts, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) bytes: Vec<u8>,
    /// Where each ends.
    pub(crate) ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }
}

/// What became of a value.
enum Fit {
    /// The column tells all of it.
    Whole,
    /// The column has its value, but not how it was written.
    Odd,
    /// The column cannot have it.
    None,
}

impl Rows {
    /// No rows of these columns.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let places =
            columns.iter().enumerate().map(|(place, column)| (column.field.clone(), place)).collect();
        let values = |column: &Column| Values {
            name: quoted(&column.field),
            column: column.clone(),
            data: Data::of(column.column_type),
            levels: Vec::new(),
            spelling: Spelling::default(),
            last: None,
        };
        Self {
            columns: columns.iter().map(values).collect(),
            rest: Texts::default(),
            rest_levels: Vec::new(),
            extracted_at: Vec::new(),
            places,
            order: Vec::new(),
            bytes: 0,
        }
    }

    /// Adds a record, the text of an object.
    pub(crate) fn push(&mut self, record: &str, extracted_at: i64) -> Result<(), Problem> {
        let mut fields = Vec::with_capacity(self.order.len());
        Scanner::new(record).object(|name, value| fields.push((name, value)))?;
        if self.has_twice(&fields) {
            // The last of each name.
            fields = Fields::decode(record)?.iter().collect();
        }
        self.push_fields(&fields, extracted_at);
        Ok(())
    }

    /// Whether a record may have two fields of one name. Also finds the column of each field.
    fn has_twice(&mut self, fields: &[(Json<'_>, Json<'_>)]) -> bool {
        let row = self.extracted_at.len();
        let mut others: Vec<&str> = Vec::new();
        for (place, (name, _)) in fields.iter().enumerate() {
            match self.column_of(place, *name) {
                Some(column) => {
                    let last = &mut self.columns[column].last;
                    if last.replace(row) == Some(row) {
                        return true;
                    }
                }
                None if name.get().contains('\\') || others.len() > MANY => return true,
                None => others.push(name.get()),
            }
        }
        (1..others.len()).any(|place| others[..place].contains(&others[place]))
    }

    fn push_fields(&mut self, fields: &[(Json<'_>, Json<'_>)], extracted_at: i64) {
        let row = self.extracted_at.len();
        let mut rest = Object::default();
        let mut has_rest = false;
        for (place, (name, value)) in fields.iter().enumerate() {
            let column = self.column_of(place, *name);
            let fit = match column {
                Some(column) => self.columns[column].push(row, *value),
                None => Fit::None,
            };
            if !matches!(fit, Fit::Whole) {
                rest.carry(*name, value.get());
                has_rest = true;
            }
            self.bytes += value.get().len();
        }
        for column in &mut self.columns {
            // The field is absent.
            if column.levels.len() == row {
                column.levels.push(0);
            }
        }
        if has_rest {
            self.rest.push(&rest.finish());
        }
        self.rest_levels.push(i16::from(has_rest));
        self.extracted_at.push(extracted_at);
        // Levels, and the ends of texts.
        self.bytes += 8 + 6 * self.columns.len();
    }

    /// The column of a field, which is at this place of its record.
    fn column_of(&mut self, place: usize, name: Json<'_>) -> Option<usize> {
        match self.order.get(place) {
            Some(Some(column)) if self.columns[*column].name == name.get() => return Some(*column),
            _ => {}
        }
        let column = name.text().and_then(|name| self.places.get(name.as_ref()).copied());
        if self.order.len() <= place {
            self.order.resize(place + 1, None);
        }
        self.order[place] = column;
        column
    }

    pub(crate) fn len(&self) -> usize {
        self.extracted_at.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.extracted_at.is_empty()
    }

    /// About how many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn columns(&self) -> &[Values] {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Values> {
        self.columns.iter_mut()
    }

    /// Forgets the rows, and keeps what was learned about spellings. Their memory is given back:
    /// the next rows may be those of another stream.
    pub(crate) fn clear(&mut self) {
        for column in &mut self.columns {
            column.take();
            column.last = None;
        }
        self.rest = Texts::default();
        self.rest_levels = Vec::new();
        self.extracted_at = Vec::new();
        self.bytes = 0;
    }
}

impl Data {
    fn of(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text | ColumnType::Json => Self::Texts(Texts::default()),
            ColumnType::Timestamp | ColumnType::Integer => Self::Integers(Vec::new()),
            ColumnType::Decimal(_) => Self::Decimals(Vec::new()),
            ColumnType::Boolean => Self::Booleans(Vec::new()),
        }
    }
}

impl Values {
    /// Takes all values, and the levels of all rows.
    pub(crate) fn take(&mut self) -> (Data, Vec<i16>) {
        let data = mem::replace(&mut self.data, Data::of(self.column.column_type));
        (data, mem::take(&mut self.levels))
    }

    /// Adds the value of this row.
    fn push(&mut self, row: usize, value: Json<'_>) -> Fit {
        // No name comes twice by now.
        if self.levels.len() > row {
            return Fit::None;
        }
        let text = value.get();
        if text == "null" {
            self.levels.push(0);
            return Fit::Whole;
        }
        let fit = match (&mut self.data, self.column.column_type) {
            (Data::Texts(texts), ColumnType::Json) => {
                texts.push(text);
                Fit::Whole
            }
            (Data::Texts(texts), _) => match value.text() {
                Some(text) => {
                    texts.push(&text);
                    Fit::Whole
                }
                None => Fit::None,
            },
            (Data::Integers(micros), ColumnType::Timestamp) => {
                match value.text().and_then(|text| Instant::parse(&text)) {
                    Some(instant) => {
                        micros.push(instant.micros);
                        // Escapes are no part of a spelling.
                        let is_plain = !text.contains('\\');
                        Fit::of(is_plain && self.spelling.instant.is_of(instant))
                    }
                    None => Fit::None,
                }
            }
            (Data::Integers(integers), _) => match text.parse().ok().or_else(|| value.integer()) {
                Some(integer) => {
                    integers.push(integer);
                    Fit::of(!text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) && text != "-0")
                }
                None => Fit::None,
            },
            (Data::Decimals(decimals), ColumnType::Decimal(scale)) => match Decimal::parse(text, scale) {
                Some(decimal) => {
                    decimals.push(decimal.unscaled);
                    Fit::of(self.spelling.decimal.is_of(decimal))
                }
                None => Fit::None,
            },
            (Data::Booleans(booleans), _) => match text {
                "true" | "false" => {
                    booleans.push(text == "true");
                    Fit::Whole
                }
                _ => Fit::None,
            },
            (Data::Decimals(_), _) => Fit::None,
        };
        self.levels.push(i16::from(!matches!(fit, Fit::None)));
        fit
    }
}

impl Fit {
    fn of(is_told: bool) -> Self {
        if is_told { Self::Whole } else { Self::Odd }
    }
}

#[cfg(test)]
mod tests;
