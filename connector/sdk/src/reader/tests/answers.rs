//! What becomes of answers that are no page.

use super::*;
use crate::slice::Slice;

/// What a read of a stream comes to.
#[derive(Debug)]
struct Read {
    records: usize,
    error: Option<String>,
    is_complete: bool,
    lines: Vec<(Level, String)>,
    asked: Vec<String>,
}

/// Reads from a server that answers each path with its query like this.
fn read(stream: &'static Stream<()>, mut script: impl FnMut(&str) -> Response + 'static) -> Read {
    let world = World::new(move |request: &Request| Ok(script(path(&request.url))));
    let reader = reader(&world, stream, "{}", 2);
    finish(&world, reader)
}

fn path(url: &str) -> &str {
    url.trim_start_matches("GET ").trim_start_matches("http://h/")
}

fn finish(world: &World, mut reader: Reader<()>) -> Read {
    let (mut records, mut error) = (0, None);
    loop {
        match world.run(reader.next_batch()) {
            Ok(Some(batch)) => records += batch.records.len(),
            Ok(None) => break,
            Err(failure) => error = Some(failure.message),
        }
    }
    let asked = world.requests.borrow().iter().map(|request| path(request).to_owned()).collect();
    let (is_complete, lines) = (reader.is_complete(), world.lines.take());
    Read { records, error, is_complete, lines, asked }
}

fn warning(line: &str) -> (Level, String) {
    (Level::Warn, line.to_owned())
}

/// A list of these ids.
fn list(ids: &[&str], next: &str) -> Response {
    let rows: Vec<String> = ids.iter().map(|id| object(id, instant("2024-02-01T00:00:00Z"), "")).collect();
    answer(200, format!(r#"{{"data":[{}],"next":{next}}}"#, rows.join(",")))
}

#[test]
fn a_list_that_the_account_does_not_have_skips_the_stream() {
    let expected = "skipped because this account does not have it: not paid for";
    let whole = read(&ITEMS, |_| answer(402, ""));
    assert_eq!((whole.records, whole.error, whole.is_complete), (0, None, true));
    assert_eq!(whole.lines, [warning(&format!("items: {expected}"))]);
    // That there are customers says nothing about their lists.
    let of_parents = read(&ENTRIES, |path| match path.contains("/entries") {
        true => answer(402, ""),
        false => list(&["2", "1"], "null"),
    });
    assert_eq!((of_parents.records, of_parents.error, of_parents.is_complete), (0, None, true));
    assert_eq!(of_parents.lines, [warning(&format!("entries: {expected}"))]);
}

#[test]
fn a_list_that_becomes_unavailable_while_it_is_read_is_an_error() {
    let read = read(&ITEMS, |path| match path.contains("page=") {
        true => answer(402, ""),
        false => list(&["1"], "\"2\""),
    });
    assert_eq!((read.records, read.is_complete), (1, false));
    assert_eq!(
        read.error.as_deref(),
        Some("items: the stream became unavailable while it was read: not paid for")
    );
}

#[test]
fn pages_that_are_too_large_are_asked_for_again_with_fewer_records() {
    let read = read(&ITEMS, |path| match path {
        "items?limit=100" | "items?limit=50" => answer(413, ""),
        "items?limit=25" => list(&["1", "2"], "\"2\""),
        "items?limit=25&page=2" => list(&["3"], "null"),
        _ => panic!("{path}"),
    });
    assert_eq!((read.records, read.error, read.is_complete), (3, None, true));
    assert_eq!(read.asked.len(), 4);
    assert_eq!(
        read.lines,
        [
            warning("items: pages of 100 items are too large; asking for 50"),
            warning("items: pages of 50 items are too large; asking for 25"),
        ]
    );
}

#[test]
fn a_page_of_one_record_that_is_too_large_is_an_error() {
    let read = read(&ITEMS, |_| answer(413, ""));
    let limits: Vec<_> = read.asked.iter().map(|path| path.trim_start_matches("items?limit=")).collect();
    assert_eq!(limits, ["100", "50", "25", "12", "6", "3", "1"]);
    assert_eq!(read.error.as_deref(), Some("items: too large; this happens even with one record per page"));
    assert!(!read.is_complete);
}

#[test]
fn a_parent_that_is_left_out_is_logged() {
    let read = read(&ENTRIES, |path| match path.contains("/entries") {
        true => panic!("{path}"),
        false => answer(200, r#"{"data":[{"id":"7","deleted":true}]}"#),
    });
    assert_eq!(read.lines, [warning("entries: skipped 7, which is being deleted")]);
}

#[test]
fn problems_with_single_records_are_told_together_at_the_end() {
    let world = World::new(|_| Ok(list(&["1"], "null")));
    let reader = reader(&world, &ITEMS, "{}", 2);
    let notes = reader.tools.fetcher.notes();
    (0..3).for_each(|_| notes.count("odd", |count| format!("{count} items are odd")));
    let read = finish(&world, reader);
    assert_eq!((read.records, read.lines), (1, vec![warning("items: 3 items are odd")]));
}

/// Asks once for a list, and knows what it means if it is not there.
#[derive(Default)]
struct Once {
    is_asked: bool,
    lacks: Rc<RefCell<Vec<(String, bool)>>>,
}

impl Slices<()> for Once {
    fn next_request(&mut self) -> Option<PageRequest<()>> {
        let is_first = !std::mem::replace(&mut self.is_asked, true);
        is_first.then(|| PageRequest::new(&ITEMS, Slice::default()))
    }

    fn observe(&mut self, _: &PageRequest<()>, page: Page) -> Result<Vec<String>, Problem> {
        Ok(page.records.into_iter().map(|record| record.json).collect())
    }

    fn without(&mut self, _: &PageRequest<()>, reason: &str, is_absent: bool) -> Option<Vec<String>> {
        self.lacks.borrow_mut().push((reason.to_owned(), is_absent));
        Some(vec!["a mark".to_owned()])
    }

    fn shorten(&mut self, _: &PageRequest<()>) -> bool {
        false
    }

    fn is_finished(&self) -> bool {
        self.is_asked
    }

    fn left_off(&mut self) -> Option<String> {
        None
    }

    fn progress(&self) -> (u64, Option<u64>) {
        (0, None)
    }

    fn checkpoint(&mut self) -> Option<String> {
        None
    }
}

#[test]
fn slices_that_know_what_it_means_are_told_what_is_not_there_and_why() {
    let told = |response: Response| {
        let world = World::new(move |_| Ok(response.clone()));
        let (slices, lacks) = (Once::default(), Rc::default());
        let slices = Once { lacks: Rc::clone(&lacks), ..slices };
        let read = finish(&world, Reader::new(&ITEMS, Box::new(slices), tools(&world), 1));
        assert_eq!((read.records, read.error, read.is_complete), (1, None, true));
        lacks.take()
    };
    for (status, reason, is_absent) in [
        (404, "gone", true),
        (402, "not paid for", false),
        (405, "no such path", false),
        (403, "forbidden", false),
    ] {
        assert_eq!(told(answer(status, "")), [(reason.to_owned(), is_absent)]);
    }
    assert_eq!(told(list(&["1"], "null")), []);
}

#[test]
fn a_host_hears_of_a_read_whose_windows_have_no_records() {
    // All customers are of the last hours, so most windows of the years before have none.
    let at = |number: i64| instant("2024-05-31T12:00:00Z") - SignedDuration::minutes(number);
    let customers: Vec<_> = (0..500).map(|number| (number, at(number))).collect();
    let world = World::new(move |request: &Request| Ok(serve(&customers, request)))
        .with_latency(Duration::from_secs(20));
    let mut reader = reader(&world, &CUSTOMERS, "{}", 1);
    let (mut last, mut empty) = (world.elapsed(), 0);
    while let Some(batch) = world.run(reader.next_batch()).unwrap() {
        empty += usize::from(batch == Batch::default());
        let now = world.elapsed();
        assert!(now - last <= Duration::from_secs(11 * 60), "{last:?} to {now:?}");
        last = now;
    }
    assert!(empty > 0, "{:?}", world.requests.borrow());
}
