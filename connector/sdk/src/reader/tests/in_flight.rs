//! How many requests are made ahead of the host.

use super::*;

/// A server of so many customers, each with so many entries.
fn world(customers: i64, entries: i64) -> Rc<World> {
    World::new(move |request: &Request| {
        let count = if request.url.contains("/entries") { entries } else { customers };
        let at = |number| instant("2024-02-01T00:00:00Z") - SignedDuration::hours(number);
        let rows: Vec<String> =
            (0..count).map(|number| object(&number.to_string(), at(number), "")).collect();
        Ok(answer(200, format!(r#"{{"data":[{}]}}"#, rows.join(","))))
    })
}

#[test]
fn as_many_requests_are_in_flight_as_wanted_and_no_more() {
    for wanted in [1, 4, 16] {
        let world = world(40, 1).with_latency(Duration::from_millis(20));
        let mut reader = reader(&world, &ENTRIES, "{}", wanted);
        while world.run(reader.next_batch()).unwrap().is_some() {}
        assert_eq!((world.most_in_flight.get(), world.requests.borrow().len()), (wanted, 41));
    }
}

#[test]
fn responses_that_the_host_has_not_taken_count_as_in_flight() {
    // Each response has arrived before the next request is made.
    let (world, wanted) = (world(40, 1), 4);
    let mut reader = reader(&world, &ENTRIES, "{}", wanted);
    let mut batches = 0;
    while world.run(reader.next_batch()).unwrap().is_some() {
        batches += 1;
        // The list of customers makes no batch.
        let ahead = world.requests.borrow().len() - 1 - batches.min(40);
        assert_eq!(ahead, wanted.min(40_usize.saturating_sub(batches)), "after {batches} batches");
    }
    assert_eq!(batches, 40);
}

#[test]
fn several_lists_in_a_row_without_records_make_an_empty_batch_so_that_the_read_can_be_stopped() {
    let world = world(40, 0);
    let mut reader = reader(&world, &ENTRIES, "{}", 1);
    assert_eq!(world.run(reader.next_batch()).unwrap(), Some(Batch::default()));
    // Eight, and the next one, which is made ahead.
    assert_eq!(world.requests.borrow().len(), 9);
    reader.stop();
    let mut batches = Vec::new();
    while let Some(batch) = world.run(reader.next_batch()).unwrap() {
        batches.push(batch);
    }
    assert!(batches.last().is_some_and(|batch| batch.checkpoint.is_some()), "{batches:?}");
    assert!(world.requests.borrow().len() < 12 && !reader.is_complete());
}
