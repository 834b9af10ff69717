//! Lists of parents, and their parts.

use super::*;

#[test]
fn one_object_per_parent_whose_id_stands_in_the_query() {
    let read = read("upcoming", None, |path| match path.split_once("owner_id=") {
        None => owners(path),
        Some((_, "b")) => answer(404, ""),
        Some((_, id)) => answer(200, format!(r#"{{"of":{id:?},"plan":{{"id":"p"}}}}"#)),
    });
    let mut records = read.records;
    records.sort();
    let record = |id: &str| format!(r#"{{"of":{id:?},"plan":{{"id":"p"}},"plan_id":"p","owner_id":{id:?}}}"#);
    assert_eq!(records, [record("a"), record("c")]);
    assert!(read.asked.contains(&"invoices/upcoming?owner_id=a".into()));
    assert!(read.lines.iter().any(|line| line.contains("upcoming: skipped b, which is gone")));
    assert_eq!(read.checkpoints, ["{}"]);
}

#[test]
fn numbered_parts_end_with_the_first_that_is_not_there() {
    let read = read("versions", None, |path| {
        let Some((owner, version)) = path.split_once("/versions/") else { return owners(path) };
        let versions = if owner == "owners/a" { 3 } else { 1 };
        let number: u32 = version.parse().unwrap();
        if number > versions { answer(404, "") } else { answer(200, r#"{"prices":[]}"#) }
    });
    let mut records = read.records;
    records.sort();
    let record =
        |owner: &str, version: &str| format!(r#"{{"prices":[],"owner_id":{owner:?},"version":{version:?}}}"#);
    let expected = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1")];
    assert_eq!(records, expected.map(|(owner, version)| record(owner, version)));
    assert_eq!(read.asked.iter().filter(|path| path.contains("/versions/")).count(), 8);
    assert_eq!(read.lines, Vec::<String>::new());
}

#[test]
fn a_part_that_surely_exists_may_be_missing_among_others() {
    let read = read("versions", None, |path| {
        let Some((_, version)) = path.split_once("/versions/") else { return owners(path) };
        // The first one is gone, and the third is newer than the parent says.
        if ["2", "3"].contains(&version) { answer(200, "{}") } else { answer(404, "") }
    });
    assert_eq!(read.records.len(), 6);
    assert_eq!(read.asked.iter().filter(|path| path.ends_with("/versions/4")).count(), 3);
    assert_eq!(read.lines, Vec::<String>::new());
}

#[test]
fn a_series_of_parts_without_an_end_is_an_error() {
    let world = World::new(|request: &Request| {
        let path = path(&request.url);
        Ok(if path.contains("/versions/") { answer(200, "{}") } else { owners(&path) })
    });
    let mut reader =
        Connector::<Toy>::new(world.platform(), Rc::default()).read("", "versions", None).unwrap();
    let error = world.run(async {
        loop {
            if let Err(error) = reader.next_batch().await {
                break error;
            }
        }
    });
    assert!(error.message.ends_with("and no end of parts"), "{error}");
}

#[test]
fn a_parent_that_has_none_is_no_warning() {
    let read = read("notes", None, |path| match path {
        "owners/b/note" => answer(404, ""),
        path if path.ends_with("/note") => answer(200, r#"{"text":"x"}"#),
        path => owners(path),
    });
    assert_eq!((read.records.len(), read.lines), (2, vec!["notes: b has none: gone".to_owned()]));
    assert!(read.world.lines.borrow().iter().all(|(level, _)| *level == crate::log::Level::Debug));
}

#[test]
fn parents_have_parents() {
    let read = read("block_invoices", None, |path| {
        if path.starts_with("owners?") {
            owners(path)
        } else if let Some(owner) = path.strip_prefix("owners/") {
            let owner = owner.strip_suffix("/blocks").unwrap();
            list(&[&format!(r#"{{"id":"{owner}1"}}"#), &format!(r#"{{"id":"{owner}2"}}"#)])
        } else {
            list(&[r#"{"n":1}"#, r#"{"n":2}"#])
        }
    });
    assert_eq!(read.records.len(), 12);
    assert_eq!(read.records.iter().filter(|record| **record == r#"{"n":1,"block_id":"c2"}"#).count(), 1);
    assert_eq!(read.checkpoints, ["{}"]);
    assert_eq!(read.world.slices.borrow().last(), Some(&(6, Some(6))));
}
