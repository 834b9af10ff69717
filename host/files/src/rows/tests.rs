use super::*;

fn column(field: &str, column_type: ColumnType) -> Column {
    Column { name: field.to_owned(), field: field.to_owned(), column_type }
}

/// The values of the only column, and what is kept aside.
fn pushed(column_type: ColumnType, values: &[&str]) -> (String, Vec<i16>, String) {
    let mut rows = Rows::new(&[column("a", column_type)]);
    for value in values {
        rows.push(&format!(r#"{{"a":{value}}}"#), 0).unwrap();
    }
    let Values { data, levels, .. } = &rows.columns[0];
    let data = match data {
        Data::Texts(texts) => String::from_utf8_lossy(&texts.bytes).into_owned(),
        Data::Integers(integers) => format!("{integers:?}"),
        Data::Decimals(decimals) => format!("{decimals:?}"),
        Data::Booleans(booleans) => format!("{booleans:?}"),
    };
    (data, levels.clone(), String::from_utf8_lossy(&rows.rest.bytes).into_owned())
}

fn expected(data: &str, levels: &[i16], rest: &str) -> (String, Vec<i16>, String) {
    (data.to_owned(), levels.to_owned(), rest.to_owned())
}

#[test]
fn what_does_not_fit_is_kept_aside_as_it_is() {
    assert_eq!(
        pushed(ColumnType::Text, &[r#""\u00e9""#, "1", r#""\ud800""#, "null", r#""""#]),
        expected("\u{e9}", &[1, 0, 0, 0, 1], r#"{"a":1}{"a":"\ud800"}"#)
    );
    assert_eq!(
        pushed(
            ColumnType::Integer,
            &["9223372036854775807", "9223372036854775808", "-0", "1e2", "1.0", "1.5"]
        ),
        expected(
            "[9223372036854775807, 0, 100, 1]",
            &[1, 0, 1, 1, 1, 0],
            r#"{"a":9223372036854775808}{"a":-0}{"a":1e2}{"a":1.0}{"a":1.5}"#
        )
    );
    assert_eq!(
        pushed(ColumnType::Decimal(1), &["1.5", "1.50", "0.05", "true", "2"]),
        expected("[15, 15, 20]", &[1, 1, 0, 0, 1], r#"{"a":1.50}{"a":0.05}{"a":true}"#)
    );
    assert_eq!(
        pushed(ColumnType::Timestamp, &[r#""1970-01-01T00:00:00Z""#, r#""2016-12-31T23:59:60Z""#, "0"]),
        expected("[0]", &[1, 0, 0], r#"{"a":"2016-12-31T23:59:60Z"}{"a":0}"#)
    );
    assert_eq!(
        pushed(ColumnType::Boolean, &["true", "\"true\"", "false"]),
        expected("[true, false]", &[1, 0, 1], r#"{"a":"true"}"#)
    );
    assert_eq!(
        pushed(ColumnType::Json, &[r#"{ "b": 1.0 }"#, "[]", "\"x\"", "1e400"]),
        expected(r#"{ "b": 1.0 }[]"x"1e400"#, &[1, 1, 1, 1], "")
    );
}

#[test]
fn fields_that_the_schema_does_not_name_are_kept_and_the_order_does_not_matter() {
    let columns = [column("a", ColumnType::Text), column("b", ColumnType::Text)];
    let mut rows = Rows::new(&columns);
    for record in [
        r#"{"a":"1","b":"2"}"#,
        r#"{"b":"4","a":"3"}"#,
        r#"{"new":{"x":1.10},"b":"5","_rest":null}"#,
        r#"{"\u0061":"6"}"#,
        r"{}",
    ] {
        rows.push(record, 7).unwrap();
    }
    let text = |place: usize| match &rows.columns[place].data {
        Data::Texts(texts) => String::from_utf8_lossy(&texts.bytes).into_owned(),
        _ => String::new(),
    };
    assert_eq!((text(0).as_str(), text(1).as_str()), ("136", "245"));
    assert_eq!(rows.columns[0].levels, [1, 1, 0, 1, 0]);
    assert_eq!(rows.rest.bytes, br#"{"new":{"x":1.10},"_rest":null}"#);
    assert_eq!((rows.rest_levels.as_slice(), rows.len()), (&[0, 0, 1, 0, 0][..], 5));
    rows.clear();
    assert!(rows.is_empty() && rows.bytes() == 0);
}

#[test]
fn of_several_fields_with_one_name_the_last_counts() {
    let mut rows = Rows::new(&[column("a", ColumnType::Integer)]);
    for record in [r#"{"a":1,"b":1,"a":2,"b":2}"#, r#"{"\u0061":3,"a":4}"#, r#"{"b":5,"\u0062":6}"#] {
        rows.push(record, 7).unwrap();
    }
    assert!(matches!(&rows.columns[0].data, Data::Integers(integers) if *integers == [2, 4]));
    assert_eq!(String::from_utf8_lossy(&rows.rest.bytes), r#"{"b":2}{"\u0062":6}"#);
}
