//! Ranges of fixed width, and lists that are asked for once per value.

use super::*;

#[test]
fn ranges_are_of_fixed_width_and_each_finished_one_is_a_checkpoint() {
    let state = r#"{"created_at":"2024-05-20T00:01:00Z"}"#;
    let read = read("volumes", Some(state), |path| {
        let from = path.split("from=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        list(&[&format!(r#"{{"created_at":{from:?}}}"#)])
    });
    assert_eq!(
        read.asked,
        [
            "volumes?from=2024-05-20T00:00:00+00:00&before=2024-05-24T00:00:00+00:00",
            "volumes?from=2024-05-24T00:00:00+00:00&before=2024-05-28T00:00:00+00:00",
            "volumes?from=2024-05-28T00:00:00+00:00&before=2024-06-01T00:00:00+00:00",
        ]
    );
    let last = r#"{"created_at":"2024-05-28T00:00:00+00:00"}"#;
    assert_eq!((read.records.len(), read.checkpoints.last().map(String::as_str)), (3, Some(last)));
    assert_eq!(read.checkpoints.len(), 2);
}

#[test]
fn ranges_of_dates_overlap_and_the_cursor_stays_a_grace_period_behind() {
    // A server that aggregates by days of its own time zone, truncated at the ends of a range.
    let read = read("days", Some(r#"{"created_at":"2024-04-20T00:00:00Z"}"#), |path| {
        let (from, end) = path.split_once("start=").unwrap().1.split_once("&end=").unwrap();
        let [from, end] = [from, end].map(|date| parse_instant(&format!("{date}T00:00:00Z")).unwrap());
        let noon = parse_instant("2024-01-01T12:00:00Z").unwrap();
        let days = (0..200).map(|day| noon + SignedDuration::hours(24) * day);
        let within = days.filter(|day| *day >= from && *day < end);
        let row = |day| format!(r#"{{"created_at":"{}"}}"#, crate::instant::format_instant(day));
        list(&within.map(row).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
    });
    assert_eq!(read.asked, ["days?start=2024-04-20&end=2024-05-21", "days?start=2024-05-19&end=2024-06-01"]);
    assert_eq!(read.records.len(), 42, "each day once");
    assert_eq!(read.checkpoints.last().unwrap(), r#"{"created_at":"2024-05-30T00:00:00+00:00"}"#);
}

#[test]
fn one_list_is_asked_for_once_per_value() {
    let read = read("changes", None, |path| match path {
        "changes?status=open" => list(&[r#"{"id":1}"#]),
        "changes?status=done" => list(&[r#"{"id":2}"#, r#"{"id":3}"#]),
        other => panic!("{other}"),
    });
    assert_eq!(read.records[0], r#"{"id":1,"status":"open"}"#);
    assert_eq!(read.records.len(), 3);
}

#[test]
fn no_checkpoint_passes_what_is_unread_of_another_value() {
    // The first pages are so dense that both lists are split, and nearly all records of one value
    // are older.
    let at = |hours: i64| {
        let instant = parse_instant("2024-06-01T00:00:00Z").unwrap() - SignedDuration::hours(hours);
        crate::instant::format_instant(instant)
    };
    for state in ["{}", r#"{"created_at":"2024-03-01T00:00:00Z"}"#] {
        let world = World::new(move |request: &Request| {
            let path = path(&request.url);
            let field =
                |name: &str| path.split(name).nth(1).map(|rest| rest.split('&').next().unwrap().to_owned());
            let instant = |name: &str| field(name).and_then(|text| parse_instant(&text));
            let step = if path.contains("status=open") { 10 } else { 300 };
            let (from, before) = (instant("from="), instant("before="));
            let all = (1..400).map(|number| parse_instant(&at(number * step)).unwrap());
            let wanted = all
                .filter(|at| from.is_none_or(|from| *at >= from) && before.is_none_or(|before| *at < before));
            let skip: usize = field("page=").map_or(0, |page| page.parse().unwrap());
            let rows: Vec<String> = wanted
                .skip(skip)
                .map(|at| {
                    format!(r#"{{"created_at":"{}","step":{step}}}"#, crate::instant::format_instant(at))
                })
                .collect();
            let next = if rows.len() > 2 { format!("\"{}\"", skip + 2) } else { "null".into() };
            let data = rows[..rows.len().min(2)].join(",");
            Ok(answer(200, format!(r#"{{"data":[{data}],"next":{next}}}"#)))
        });
        let connector = Connector::<Toy>::new(world.platform(), Rc::default());
        let mut reader = connector.read("", "metrics", Some(state)).unwrap();
        let (mut seen, mut checkpoints) = (Vec::new(), Vec::new());
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            seen.extend(batch.records);
            checkpoints.extend(batch.checkpoint.map(|checkpoint| (checkpoint, seen.len())));
        }
        assert!(checkpoints.len() > 3);
        let position = |record: &str| {
            Fields::decode(record).unwrap().text("created_at").and_then(|at| parse_instant(&at))
        };
        for (checkpoint, emitted) in &checkpoints {
            let cursor = position(checkpoint);
            assert!(seen[*emitted..].iter().all(|record| position(record) >= cursor), "{checkpoint}");
        }
    }
}

#[test]
fn what_the_server_filters_by_may_differ_from_the_cursor() {
    let at = |hour: u32| format!(r#"{{"created_at":"2024-05-20T{hour:02}:00:00Z"}}"#);
    let read = read("transactions", Some(&at(12)), move |path| {
        // The server's times are up to a day from those of the records.
        if path.starts_with("owners?") { owners(path) } else { list(&[&at(20), &at(12), &at(11)]) }
    });
    assert!(read.asked.contains(&"owners/a/transactions?from=2024-05-19T11:59:00+00:00".into()));
    assert_eq!(read.records.len(), 6, "older ones are dropped");
    assert_eq!(read.checkpoints, [r#"{"created_at":"2024-05-20T20:00:00+00:00"}"#]);
}

#[test]
fn a_full_page_that_does_not_say_if_there_is_more_is_asked_for_in_shorter_ranges() {
    // Ten rows per hour, of which a response holds as many as were requested.
    let read = read("hours", Some(r#"{"created_at":"2024-05-31T06:30:00Z"}"#), |path| {
        let (from, before) = path.split_once("from=").unwrap().1.split_once("&before=").unwrap();
        let [from, before] = [from, before].map(|text| parse_instant(text).unwrap());
        let minutes =
            (0..(before - from).whole_minutes() / 6).map(|number| from + SignedDuration::minutes(6 * number));
        let row = |at| format!(r#"{{"created_at":"{}"}}"#, crate::instant::format_instant(at));
        list(&minutes.take(100).map(row).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
    });
    let first = "hours?limit=100&from=2024-05-31T06:00:00+00:00&before=2024-06-01T00:00:00+00:00";
    assert_eq!(read.asked[0], first, "it begins with a whole hour");
    let unique: std::collections::BTreeSet<_> = read.records.iter().collect();
    assert_eq!((read.records.len(), unique.len()), (180, 180));
}
