//! The columns of a stream, from the JSON schema of its records.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decimal::{PRECISION, USUAL_SCALE};

/// The column of what no other column holds.
pub const REST: &str = "_rest";
/// The column of the time at which a record was read.
pub const EXTRACTED_AT: &str = "_extracted_at";
/// The column that hive-style folders add: the month of the cursor.
pub const MONTH: &str = "_month";

/// Names that no field of a record gives a column.
const RESERVED: [&str; 3] = [REST, EXTRACTED_AT, MONTH];

/// A column for the values of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Unique within the stream, whatever the case of letters: some readers ignore it.
    pub name: String,
    /// The field of the record.
    pub field: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ColumnType {
    /// Strings, unescaped.
    Text,
    /// Instants in microseconds, UTC.
    Timestamp,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers of 38 digits, so many of them after the point.
    Decimal(u8),
    /// Truth values.
    Boolean,
    /// Values of any kind, as JSON text.
    Json,
}

impl ColumnType {
    /// The type for a schema of a field.
    fn of(schema: &Value) -> Self {
        let mut types: Vec<_> = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        types.retain(|name| *name != "null");
        types.sort_unstable();
        match *types {
            ["string"] if schema["format"] == "date-time" => Self::Timestamp,
            ["string"] => Self::Text,
            ["integer"] => Self::Integer,
            ["number"] | ["integer", "number"] => Self::Decimal(scale(schema)),
            ["boolean"] => Self::Boolean,
            _ => Self::Json,
        }
    }

    /// What a column is called after its field if another type has its name.
    fn suffix(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Decimal(scale) => format!("decimal_{scale}"),
            Self::Boolean => "boolean".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

/// The digits after the point that a schema asks for: those of `multipleOf`, if it is `1`, `0.1`,
/// `0.01` and so on.
fn scale(schema: &Value) -> u8 {
    let step = schema["multipleOf"].to_string();
    let places = match step.strip_prefix("0.").or_else(|| step.strip_prefix("1e-")) {
        Some(zeros) if step.starts_with('0') => zeros
            .strip_suffix('1')
            .filter(|zeros| zeros.bytes().all(|zero| zero == b'0'))
            .map(|zeros| zeros.len() + 1),
        Some(exponent) => exponent.parse().ok(),
        None => (step == "1" || step == "1.0").then_some(0),
    };
    let places = places.and_then(|places| u8::try_from(places).ok());
    places.filter(|places| *places <= PRECISION).unwrap_or(USUAL_SCALE)
}

impl From<ColumnType> for String {
    fn from(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Decimal(scale) => format!("decimal({PRECISION},{scale})"),
            other => other.suffix(),
        }
    }
}

impl TryFrom<String> for ColumnType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let decimal = || {
            let scale = text.strip_prefix("decimal(38,")?.strip_suffix(')')?.parse().ok()?;
            (scale <= PRECISION).then_some(Self::Decimal(scale))
        };
        let plain = [Self::Text, Self::Timestamp, Self::Integer, Self::Boolean, Self::Json];
        plain
            .into_iter()
            .find(|column_type| column_type.suffix() == text)
            .or_else(decimal)
            .ok_or_else(|| format!("unknown column type {text}"))
    }
}

/// The columns of a schema, in its order. `known` are the columns that the stream has had: one
/// keeps its name and its type for ever, and a field whose type is another one gets a new column.
/// New ones are added to `known`.
pub(crate) fn columns(schema: &Value, known: &mut Vec<Column>) -> Vec<Column> {
    let mut columns = Vec::new();
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        if field.is_empty() || RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(field)) {
            continue;
        }
        let column_type = ColumnType::of(schema);
        let same = known.iter().find(|known| known.field == *field && known.column_type == column_type);
        let column = same.cloned().unwrap_or_else(|| {
            let column =
                Column { name: free_name(field, column_type, known), field: field.clone(), column_type };
            known.push(column.clone());
            column
        });
        columns.push(column);
    }
    columns
}

/// The first name for a field that no column has.
fn free_name(field: &str, column_type: ColumnType, known: &[Column]) -> String {
    let typed = format!("{field}_{}", column_type.suffix());
    let numbered = (2..).map(|number| format!("{typed}_{number}"));
    let mut names = [field.to_owned(), typed.clone()].into_iter().chain(numbered);
    let is_free = |name: &String| {
        let lower = name.to_lowercase();
        known.iter().all(|column| column.name.to_lowercase() != lower)
    };
    // The names never end.
    names.find(is_free).unwrap_or(typed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn types(schema: &Value, known: &mut Vec<Column>) -> Vec<(String, String)> {
        columns(schema, known).into_iter().map(|column| (column.name, column.column_type.into())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
    }

    #[test]
    fn the_schema_decides_the_type_and_no_number_is_a_float() {
        let schema = json!({"properties": {
            "id": {"type": "string"},
            "at": {"type": ["null", "string"], "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "count": {"type": ["integer", "null"]},
            "quantity": {"type": "number"},
            "either": {"type": ["integer", "number"]},
            "cents": {"type": "number", "multipleOf": 0.01},
            "whole": {"type": "number", "multipleOf": 1},
            "odd": {"type": "number", "multipleOf": 0.25},
            "flag": {"type": "boolean"},
            "map": {"type": "object"},
            "list": {"type": ["null", "array"]},
            "mixed": {"type": ["string", "integer"]},
            "any": {},
        }});
        let expected = pairs(&[
            ("id", "text"),
            ("at", "timestamp"),
            ("day", "text"),
            ("count", "integer"),
            ("quantity", "decimal(38,9)"),
            ("either", "decimal(38,9)"),
            ("cents", "decimal(38,2)"),
            ("whole", "decimal(38,0)"),
            ("odd", "decimal(38,9)"),
            ("flag", "boolean"),
            ("map", "json"),
            ("list", "json"),
            ("mixed", "json"),
            ("any", "json"),
        ]);
        assert_eq!(types(&schema, &mut Vec::new()), expected);
        for (_, name) in expected {
            assert_eq!(ColumnType::try_from(name.clone()).map(String::from), Ok(name));
        }
        assert!(ColumnType::try_from("decimal(38,39)".to_owned()).is_err());
    }

    #[test]
    fn a_changed_type_is_a_new_column_and_the_old_one_keeps_its_name() {
        let schema = |kind: &str| json!({"properties": {"amount": {"type": kind}}});
        let mut known = Vec::new();
        assert_eq!(types(&schema("string"), &mut known), pairs(&[("amount", "text")]));
        assert_eq!(types(&schema("integer"), &mut known), pairs(&[("amount_integer", "integer")]));
        assert_eq!(types(&schema("string"), &mut known), pairs(&[("amount", "text")]));
        assert_eq!(types(&schema("integer"), &mut known), pairs(&[("amount_integer", "integer")]));
        assert_eq!(known.len(), 2);
    }

    #[test]
    fn names_are_unique_whatever_the_case_and_reserved_ones_are_no_columns() {
        let text = json!({"type": "string"});
        let schema = json!({"properties": {
            "Id": text, "id": text, "ID": text, "id_text": text, "_rest": text, "_Extracted_At": text, "": text,
        }});
        let names = [("Id", "text"), ("id_text", "text"), ("ID_text_2", "text"), ("id_text_text", "text")];
        assert_eq!(types(&schema, &mut Vec::new()), pairs(&names));
        assert_eq!(types(&json!(true), &mut Vec::new()), []);
    }
}
