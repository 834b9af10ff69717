//! The slices that are read again.

use super::*;

const HOUR: SignedDuration = SignedDuration::hours(1);

/// Returns an hour of January.
fn at(day: u32, hour: i64) -> Timestamp {
    instant(&self::day(day)) + HOUR * i32::try_from(hour).unwrap()
}

/// Returns the slices of corrections with these times, of a read from the 20th up to noon of the
/// 22nd that starts on the 3rd.
fn slices(ranges: &[(Timestamp, Timestamp)], cut: impl Fn(&Slice) -> Vec<Slice>) -> Vec<Slice> {
    let record = |(from, until): &(Timestamp, Timestamp)| {
        let [from, until] = [from, until].map(|instant| crate::instant::format_instant(*instant));
        let fields = format!(r#""from":{from:?},"until":{until:?},"at":{from:?},"owner":null"#);
        Record::new(format!(r#"{{"id":{from:?},"status":"done",{fields}}}"#), None)
    };
    let records = ranges.iter().map(record).collect();
    let corrected = read("2024-01-01T00:00:00Z", Memory::default(), records);
    let until = Some(Until::Before(at(22, 12)));
    let whole = Slice { from: Some(at(20, 0)), until, ..Slice::default() };
    corrected.slices(&Record::new("{}".to_owned(), None), &whole, &[], at(3, 0), cut)
}

fn uncut(ranges: &[(Timestamp, Timestamp)]) -> Vec<Slice> {
    slices(ranges, |slice| vec![slice.clone()])
}

#[test]
fn a_range_is_requested_with_one_record_more_on_both_sides() {
    let [slice] = &uncut(&[(at(8, 0), at(10, 0))])[..] else { panic!("one slice") };
    assert_eq!((slice.from, slice.until), (Some(at(8, 0)), Some(Until::Before(at(11, 1)))));
    assert_eq!((slice.keep_from, slice.keep_before), (Some(at(6, 23)), Some(at(10, 0))));
}

#[test]
fn ranges_that_touch_are_one_request() {
    let (one, next) = ((at(8, 0), at(10, 0)), (at(10, 0), at(12, 0)));
    for ranges in [[one, next], [next, one]] {
        let [slice] = &uncut(&ranges)[..] else { panic!("one slice") };
        assert_eq!((slice.from, slice.keep_before), (Some(at(8, 0)), Some(at(12, 0))));
    }
    assert_eq!(uncut(&[one, (at(10, 1), at(12, 0))]).len(), 2);
}

#[test]
fn nothing_is_requested_for_an_empty_range() {
    assert_eq!(uncut(&[(at(8, 0), at(8, 0))]), []);
}

#[test]
fn nothing_is_requested_for_a_range_before_the_start() {
    for until in [at(2, 12), at(3, 0)] {
        assert_eq!(uncut(&[(at(1, 0), until)]), []);
    }
    assert_eq!(uncut(&[(at(1, 0), at(3, 1))])[0].from, Some(at(3, 0)));
}

#[test]
fn nothing_is_requested_for_a_range_above_what_is_read() {
    // A record that begins before the read reaches at most 25 hours into it.
    assert_eq!(uncut(&[(at(21, 1), at(23, 0))]), []);
    assert_eq!(uncut(&[(at(21, 0), at(23, 0))])[0].keep_before, Some(at(20, 0)));
}

#[test]
fn nothing_is_requested_above_the_end_and_below_the_start() {
    let corrected = |from| {
        let from = crate::instant::format_instant(from);
        let fields = format!(r#""from":{from:?},"until":{:?},"at":{from:?},"owner":null"#, day(24));
        let record = Record::new(format!(r#"{{"id":"a","status":"done",{fields}}}"#), None);
        read("2024-01-01T00:00:00Z", Memory::default(), vec![record])
    };
    let until = Some(Until::Before(at(20, 12)));
    let whole = Slice { from: Some(at(20, 0)), until, ..Slice::default() };
    let count = |start, from| {
        let parent = Record::new("{}".to_owned(), None);
        let slices = corrected(from).slices(&parent, &whole, &[], start, |slice| vec![slice.clone()]);
        slices.len()
    };
    assert_eq!([at(20, 11), at(20, 12), at(20, 13)].map(|from| count(at(3, 0), from)), [1, 0, 0]);
    // Nor below a read that begins at the start.
    assert_eq!([at(19, 0), at(20, 0)].map(|start| count(start, at(20, 1))), [1, 0]);
}

#[test]
fn a_part_of_which_nothing_is_kept_is_not_requested() {
    let days = |slice: &Slice| {
        let (from, Some(Until::Before(until))) = (slice.from.unwrap(), slice.until) else { panic!("no end") };
        crate::ranges::Ranges::of(HOUR * 24).cut(from, until, None)
    };
    let froms: Vec<_> = slices(&[(at(8, 0), at(10, 0))], days).iter().map(|slice| slice.from).collect();
    // The record of the 10th would begin when the range ends.
    assert_eq!(froms, [Some(at(8, 0)), Some(at(9, 0))]);
}
