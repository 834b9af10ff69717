//! Tests every form of state, and what is not one.

use super::*;
use crate::testing::instant;

fn parse(text: &str) -> Result<State, Problem> {
    State::parse(text, Some("created_at"), None)
}

fn parse_with_parents(text: &str) -> Result<State, Problem> {
    State::parse(text, Some("created_at"), Some("owner_id"))
}

fn cursor(text: &str) -> Cursor {
    Cursor::parse(text).unwrap()
}

#[test]
fn an_empty_object_is_no_state() {
    assert_eq!(parse("{}"), Ok(State::default()));
    assert_eq!(parse_with_parents(r#"{"created_at":null}"#), Ok(State::default()));
}

#[test]
fn a_stream_without_a_cursor_has_only_progress() {
    let at = instant("2024-05-01T00:00:00Z");
    let unfinished =
        Unfinished { opened: at, end: None, parents_after: at, observed: None, held: None, stopped: false };
    let state = State { unfinished: Some(unfinished), ..State::default() };
    assert_eq!(State::parse(&state.to_json(None), None, None), Ok(state));
    assert_eq!(State::parse("{}", None, Some("owner_id")), Ok(State::default()));
    let error = State::parse(r#"{"created_at":"2024-05-01T00:00:00Z"}"#, None, None).unwrap_err();
    assert_eq!(error.to_string(), "it has \"created_at\", but this stream has no cursor");
}

#[test]
fn the_text_of_a_cursor_survives() {
    let text = r#"{"created_at":"2122-01-01T00:00:00Z"}"#;
    assert_eq!(parse(text).unwrap().to_json(Some("created_at")), text);
}

#[test]
fn an_unfinished_state_survives() {
    let at = instant("2024-05-01T00:00:00.25Z");
    let unfinished = Unfinished {
        opened: at,
        end: Some(at),
        parents_after: at,
        observed: Some(at),
        held: None,
        stopped: true,
    };
    let state = State {
        cursor: Some(cursor("2024-01-01T00:00:00Z")),
        parents: [("a".to_owned(), cursor("2024-02-01T00:00:00Z"))].into(),
        unfinished: Some(unfinished),
        ..State::default()
    };
    assert_eq!(parse_with_parents(&state.to_json(Some("created_at"))), Ok(state));
}

#[test]
fn cursors_per_parent_are_understood() {
    let state = parse_with_parents(r#"{"a":{"created_at":"2024-02-01T00:00:00Z"}}"#).unwrap();
    assert_eq!(state.parents["a"], cursor("2024-02-01T00:00:00Z"));
    assert_eq!(state.cursor, None);
}

fn unfinished(end: Option<&str>) -> Unfinished {
    let at = instant("2024-05-01T00:00:00Z");
    let (opened, parents_after) = (instant("2024-06-01T00:00:00Z"), at);
    Unfinished { opened, end: end.map(instant), parents_after, observed: None, held: None, stopped: false }
}

#[test]
fn a_read_that_begins_anew_forgets_only_the_progress_of_the_last_one() {
    let finished = State {
        cursor: Some(cursor("2024-01-01T00:00:00Z")),
        parents: [("a".to_owned(), cursor("2024-02-01T00:00:00Z"))].into(),
        memory: Memory { corrections: Some(vec![("c".to_owned(), None)]), ..Memory::default() },
        ..State::default()
    };
    let mut state = finished.clone();
    state.unfinished = Some(unfinished(None));
    state.memory.correcting = Some(vec![("d".to_owned(), None)]);
    assert_eq!(state.restarted(), finished);
}

#[test]
fn lists_that_were_read_up_to_an_end_are_enough_for_no_later_one() {
    let [early, middle, late] =
        ["2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"].map(instant);
    let ends = [Some(early), Some(middle), Some(late), None];
    let up_to_middle = unfinished(Some("2024-04-01T00:00:00Z"));
    assert_eq!(ends.map(|end| up_to_middle.reaches(end)), [true, true, false, false]);
    assert_eq!(ends.map(|end| unfinished(None).reaches(end)), [true; 4]);
}

#[test]
fn what_was_left_of_a_read_survives_even_if_a_part_of_it_is_empty() {
    let [first, second, third] =
        ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"].map(instant);
    for edges in [vec![third], vec![first, second, third], vec![first, first, second, third, third]] {
        let unread = Unread { edges, opened: Some(third), observed: Some(second), held: None };
        let state = State { cursor: Some(Cursor::at(first)), unread: Some(unread), ..State::default() };
        assert_eq!(parse(&state.to_json(Some("created_at"))), Ok(state));
    }
}

#[test]
fn corrections_without_a_cursor_are_not_the_cursors_of_parents() {
    for corrections in ["{}", r#"{"a":""}"#, r#"{"a":"","b":"cbf29ce484222325"}"#] {
        let text = format!(r#"{{"corrections":{corrections}}}"#);
        let state = parse_with_parents(&text).unwrap();
        assert_eq!(state.to_json(Some("created_at")), text);
    }
}

#[test]
fn cursors_per_partition_are_understood_with_and_without_a_global_one() {
    let partition = r#"{"partition":{"owner_id":"a","parent_slice":{}},"cursor":{"created_at":"2024-02-01T00:00:00+00:00"}}"#;
    let listed = parse_with_parents(&format!(r#"{{"states":[{partition}]}}"#)).unwrap();
    assert_eq!(listed.parents["a"], cursor("2024-02-01T00:00:00+00:00"));
    let tail = r#""state":{"created_at":"2024-03-01T00:00:10+00:00"},"lookback_window":10"#;
    let off = format!(r#"{{"use_global_cursor":false,"states":[{partition}],{tail}}}"#);
    assert_eq!(parse_with_parents(&off).unwrap().cursor, None);
    let on = format!(r#"{{"use_global_cursor":true,"states":[],{tail}}}"#);
    assert_eq!(parse_with_parents(&on).unwrap().cursor, Some(cursor("2024-03-01T00:00:00+00:00")));
}

const GLOBAL: &str = r#""state":{"created_at":"2024-03-01T00:00:10+00:00"}"#;

fn global_cursor(text: &str) -> Option<Cursor> {
    let state = parse_with_parents(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((state.parents.len(), &state.unfinished), (0, &None), "{text}");
    state.cursor
}

#[test]
fn a_global_cursor_counts_for_all_whatever_other_keys_are_there() {
    let at = cursor("2024-03-01T00:00:10+00:00");
    for keys in [
        r#""use_global_cursor":true,"#,
        r#""use_global_cursor":true,"states":[],"#,
        r#""use_global_cursor":true,"states":null,"lookback_window":null,"#,
        r#""use_global_cursor":true,"parent_state":{"owners":{"created_at":"2024-01-01T00:00:00Z"}},"#,
        r#""parent_state":{},"#,
        r#""lookback_window":0,"#,
        "",
    ] {
        assert_eq!(global_cursor(&format!("{{{keys}{GLOBAL}}}")), Some(at.clone()), "{keys}");
    }
    let plain = r#"{"created_at":"2024-03-01T00:00:10+00:00","parent_state":{},"use_global_cursor":true}"#;
    assert_eq!(global_cursor(plain), Some(at));
}

#[test]
fn the_lookback_window_is_a_number_of_seconds_in_any_spelling() {
    let text =
        |lookback: &str| format!(r#"{{"use_global_cursor":true,{GLOBAL},"lookback_window":{lookback}}}"#);
    for lookback in ["10", "\"10\"", "9.5", "\"9.01\"", "10.0"] {
        let expected = Some(cursor("2024-03-01T00:00:00+00:00"));
        assert_eq!(global_cursor(&text(lookback)), expected, "{lookback}");
    }
    for forever in ["99999999999999", "99999999999999999999999"] {
        assert_eq!(global_cursor(&text(forever)), None, "{forever}");
    }
    for nonsense in ["-1", "\"\"", "\"soon\"", "{}", "true", "1e3"] {
        assert!(parse_with_parents(&text(nonsense)).is_err(), "{nonsense}");
    }
}

#[test]
fn a_state_with_partitions_that_says_nothing_is_no_state() {
    for text in [
        r#"{"states":[]}"#,
        r#"{"use_global_cursor":false}"#,
        r#"{"use_global_cursor":true}"#,
        r#"{"use_global_cursor":true,"state":{},"lookback_window":5}"#,
        r#"{"state":{"created_at":null}}"#,
        r#"{"lookback_window":1}"#,
        r#"{"parent_state":{}}"#,
        r#"{"states":[{"partition":{"owner_id":"a"},"cursor":{}}]}"#,
    ] {
        assert_eq!(parse_with_parents(text), Ok(State::default()), "{text}");
    }
    // A parent that is not listed may never have been read.
    for keys in [r#""use_global_cursor":false"#, r#""states":[]"#, r#""states":[],"lookback_window":1"#] {
        assert_eq!(global_cursor(&format!("{{{keys},{GLOBAL}}}")), None, "{keys}");
    }
}

#[test]
fn the_parent_of_a_partition_is_found_in_any_of_its_forms() {
    let day = |number: u32| format!("2024-02-{number:02}T00:00:00Z");
    let element = |partition: &str, cursor: &str| format!(r#"{{"partition":{partition},"cursor":{cursor}}}"#);
    let at = |number| format!(r#"{{"created_at":"{}"}}"#, day(number));
    let elements = [
        element(r#"{"owner_id":"a","parent_slice":{}}"#, &at(1)),
        element(r#"{"parent_slice":{"owner_id":"b","parent_slice":{}},"part":"x"}"#, &at(3)),
        element(r#"{"parent_slice":{"owner_id":"b","parent_slice":{}},"part":"y"}"#, &at(2)),
        element(r#"{"owner_id":"b"}"#, r#"{"created_at":"2024-02-02T00:00:00+00:00"}"#),
        element(r#"{"owner_id":17}"#, &at(4)),
        element(r#"{"owner_id":-1}"#, &at(7)),
        element(r#"{"owner_id":"c","part":"x"}"#, &at(5)),
        element(r#"{"owner_id":"c","part":"y"}"#, "{}"),
        element(r#"{"owner_id":"c","part":"z"}"#, &at(6)),
    ];
    let state = parse_with_parents(&format!(r#"{{"states":[{}]}}"#, elements.join(","))).unwrap();
    let expected = [("-1", 7), ("17", 4), ("a", 1), ("b", 2)];
    let expected = expected.map(|(id, number)| (id.to_owned(), cursor(&day(number))));
    assert_eq!(state.parents, expected.into());
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "[]",
        "nonsense",
        r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#,
        r#"{"created_at":5}"#,
        r#"{"created_at":"yesterday"}"#,
        r#"{"unfinished":{"version":2}}"#,
        r#"{"unfinished":{"version":1,"opened":"2024-01-01T00:00:00Z"}}"#,
    ] {
        assert!(parse(text).is_err(), "{text}");
        assert!(parse_with_parents(text).is_err(), "{text}");
    }
    for text in [
        r#"{"states":[{"partition":{},"cursor":{}}]}"#,
        r#"{"states":[{"partition":{"owner_id":true},"cursor":{}}]}"#,
        r#"{"states":[{"partition":{"owner_id":["a"]},"cursor":{}}]}"#,
        r#"{"states":{}}"#,
        r#"{"states":[5]}"#,
        r#"{"states":[{"partition":{"owner_id":"a"},"cursor":5}]}"#,
        r#"{"use_global_cursor":"yes"}"#,
        r#"{"state":"2024-01-01T00:00:00Z"}"#,
        r#"{"use_global_cursor":true,"state":{"created_at":"yesterday"}}"#,
    ] {
        assert!(parse_with_parents(text).is_err(), "{text}");
    }
    assert!(parse(r#"{"a":{"created_at":"2024-02-01T00:00:00Z"}}"#).is_err());
}

#[test]
fn whatever_is_understood_of_a_state_survives() {
    corpus::check("progress", |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        for (cursor, parent) in
            [(Some("created_at"), None), (Some("created_at"), Some("owner_id")), (None, None)]
        {
            let Ok(state) = State::parse(text, cursor, parent) else { continue };
            let own = state.to_json(cursor);
            assert_eq!(State::parse(&own, cursor, parent), Ok(state), "{own}");
        }
    });
}
