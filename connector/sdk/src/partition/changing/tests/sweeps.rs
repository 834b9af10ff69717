//! Reads of the whole stream again.

use super::*;

const SWEEPS: Wishes =
    Wishes { events: false, open_for: None, sweep_after: Some(SignedDuration::hours(10 * DAY)) };

fn many(status: &'static str) -> Account {
    let things: Vec<Element> =
        (0..240).step_by(4).map(|hour| element(&format!("{hour:03}"), hour, status)).collect();
    Account::of(&things)
}

#[test]
fn a_list_is_read_from_its_start_once_the_last_sweep_is_so_long_ago() {
    let before = Account::of(&[element("a", 3 * DAY, "done"), element("z", 9 * DAY, "done")]);
    let after = Account::of(&[element("a", 3 * DAY, "void"), element("z", 9 * DAY, "done")]);
    let first = before.read(SWEEPS, "{}", 10 * DAY);
    let swept = |read: &Read| (state_of(read.state()).memory.swept, read.records.clone());
    assert_eq!(swept(&first), (Some(at(10 * DAY)), vec!["z done".to_owned(), "a done".to_owned()]));
    let early = after.read(SWEEPS, first.state(), 20 * DAY - 1);
    assert_eq!(swept(&early), (Some(at(10 * DAY)), vec!["z done".to_owned()]));
    let due = after.read(SWEEPS, early.state(), 20 * DAY);
    assert_eq!(swept(&due), (Some(at(20 * DAY)), vec!["z done".to_owned(), "a void".to_owned()]));
    assert_eq!(state_of(due.state()).memory.sweep, None);
}

#[test]
fn the_states_within_a_sweep_keep_the_cursor_and_say_how_far_it_is() {
    let first = many("done").read(SWEEPS, "{}", 10 * DAY);
    let cursor = state_of(first.state()).cursor.unwrap();
    assert_eq!(cursor.instant, at(236));
    let sweep = many("void").read(SWEEPS, first.state(), 20 * DAY);
    let (end, within) = sweep.states.split_last().unwrap();
    assert!(within.len() > 2, "{within:?}");
    let mut last = at(0);
    for state in within {
        let State { cursor: kept, memory, .. } = state_of(state);
        let Sweep { opened, reached } = memory.sweep.unwrap();
        assert_eq!((kept, opened, memory.swept), (Some(cursor.clone()), at(20 * DAY), Some(at(10 * DAY))));
        assert!(last < reached && reached < at(236), "{state}");
        last = reached;
    }
    assert_eq!(state_of(end).memory, Memory { swept: Some(at(20 * DAY)), ..Memory::default() });
}

#[test]
fn a_sweep_that_was_cut_short_goes_on_from_where_it_was() {
    let first = many("done").read(SWEEPS, "{}", 10 * DAY);
    let sweep = many("void").read(SWEEPS, first.state(), 20 * DAY);
    let within = &sweep.states[sweep.states.len() / 2];
    let reached = state_of(within).memory.sweep.unwrap().reached;
    let rest = many("void").read(SWEEPS, within, 21 * DAY);
    let expected = (0..240).step_by(4).filter(|hour| at(*hour) >= reached).count();
    assert_eq!(rest.records.len(), expected);
    // What changed since the sweep was opened is left to the next one.
    assert_eq!(state_of(rest.state()).memory.swept, Some(at(20 * DAY)));
}

#[test]
fn a_sweep_up_to_a_date_below_the_cursor_leaves_the_cursor_as_it_is() {
    let account = many("done");
    let state = r#"{"at":"2024-01-09T00:00:00Z","swept":"2024-01-10T00:00:00Z"}"#;
    let read = account.answer_all(&mut account.open_until(Some(2 * DAY), SWEEPS, state, 30 * DAY), 1);
    assert_eq!(read.records.len(), 13);
    assert_eq!(state_of(read.state()).cursor.unwrap().text, "2024-01-09T00:00:00Z");
    // Nor is it spelled in another way if nothing is newer.
    let account = Account::of(&[element("z", 8 * DAY, "done")]);
    let read = account.read(SWEEPS, state, 30 * DAY);
    assert_eq!(state_of(read.state()).cursor.unwrap().text, "2024-01-09T00:00:00Z");
}

#[test]
fn a_sweep_moves_the_cursor_to_what_is_new() {
    let state = r#"{"at":"2024-01-09T00:00:00Z","swept":"2024-01-10T00:00:00Z"}"#;
    let read = many("done").read(SWEEPS, state, 30 * DAY);
    assert_eq!(state_of(read.state()).cursor.unwrap().instant, at(236));
}

#[test]
fn what_a_stopped_read_has_left_is_read_before_everything_is_read_again() {
    for swept in ["", r#","swept":"2024-01-02T00:00:00Z""#] {
        let unread = r#""unread":{"version":1,"edges":["2024-01-03T00:00:00Z","2024-01-05T00:00:00Z","2024-01-09T00:00:00Z"]}"#;
        let state = format!(r#"{{"at":"2024-01-02T00:00:00Z",{unread}{swept}}}"#);
        let rest = many("done").read(SWEEPS, &state, 20 * DAY);
        let is_unread = |hour: i64| (2 * DAY..4 * DAY).contains(&hour) || hour >= 8 * DAY;
        assert_eq!(rest.records.len(), (0..240).step_by(4).filter(|hour| is_unread(*hour)).count());
        let before = State::parse(&state, Some("at"), None).unwrap().memory.swept;
        assert_eq!(state_of(rest.state()).memory.swept, before);
        let next = many("void").read(SWEEPS, rest.state(), 21 * DAY);
        assert_eq!(next.records.len(), 60);
        assert_eq!(state_of(next.state()).memory.swept, Some(at(21 * DAY)));
    }
}
