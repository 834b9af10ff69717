//! What is read again, compared with the records that ranges of corrections have a part of.

use super::*;

/// The longest record, in hours.
const LONGEST: i64 = 3;

static SHORT: Corrections<()> = Corrections { longest: SignedDuration::hours(LONGEST), ..ROW };

fn at(hour: i64) -> Timestamp {
    instant("2024-01-10T00:00:00Z") + SignedDuration::hours(hour)
}

fn of_hours(id: usize, from: i64, until: i64) -> Record {
    let fields = format!(r#""from":"{}","until":"{}","owner":null"#, format(from), format(until));
    Record::new(format!(r#"{{"id":"{id}","status":"done","at":"2024-03-05T00:00:00Z",{fields}}}"#), None)
}

fn format(hour: i64) -> String {
    crate::instant::format_instant(at(hour))
}

/// Corrections of ranges of hours that are all new.
fn corrected(ranges: &[(i64, i64)]) -> Corrected<()> {
    let mut corrected = Corrected::new(&SHORT, instant("2024-02-01T00:00:00Z"), None, Memory::default());
    corrected.next_request();
    let of_range = |(id, (from, until)): (usize, &(i64, i64))| of_hours(id, *from, *until);
    let records = ranges.iter().enumerate().map(of_range).collect();
    corrected.observe(Page { records, ..Page::default() }).unwrap();
    corrected
}

#[test]
fn every_record_that_a_correction_has_a_part_of_is_read_again_once() {
    let mut random = fastrand::Rng::with_seed(1);
    let hours = -LONGEST..14;
    for _ in 0..2_000 {
        let start = random.i64(0..4);
        let (from, end) = (random.i64(4..9), random.i64(9..12));
        // What is read anyway may begin a little earlier than asked for.
        let below = from - random.i64(0..3);
        let ranges: Vec<(i64, i64)> = (0..random.usize(1..4))
            .map(|_| {
                let from = random.i64(-2..12);
                (from, from + random.i64(0..5))
            })
            .collect();
        let whole = Slice { from: Some(at(from)), until: Some(Until::Before(at(end))), ..Slice::default() };
        let reads = Slice { from: Some(at(below - 1)), keep_from: Some(at(below)), ..whole.clone() };
        let slices = corrected(&ranges).slices(
            &Record::new("{}".to_owned(), None),
            &whole,
            &[reads],
            at(start),
            |slice| vec![slice.clone()],
        );
        for hour in hours.clone() {
            let kept = slices.iter().filter(|slice| slice.keeps(Some(at(hour)))).count();
            let within = ranges.iter().map(|range| (range.0.max(start), range.1.min(end)));
            let mut within = within.filter(|(from, until)| from < until && start < below);
            let has_a_part = |(from, until): (i64, i64)| hour < until && hour + LONGEST > from;
            let case = format!("{hour}: {ranges:?} from {start}, read anyway from {below} to {end}");
            if hour < below && within.clone().any(has_a_part) {
                assert_eq!(kept, 1, "{case}");
            } else if !within.any(|(from, until)| hour < until && hour + LONGEST >= from) || hour >= below {
                assert_eq!(kept, 0, "{case}");
            }
        }
        for slice in &slices {
            assert!(slice.keep_from < slice.keep_before, "{ranges:?}: {slice:?}");
            let end = slice.keep_before.unwrap() + SignedDuration::hours(LONGEST);
            assert_eq!(slice.until, Some(Until::Before(end)), "{ranges:?}");
        }
    }
}
