//! Responses that are too large are asked for in smaller ones.

use super::*;

#[test]
fn pages_that_are_too_large_are_halved_and_stay_so() {
    for (most, limits) in [
        (30, vec![100, 50, 25]),
        (3, vec![100, 50, 25, 12, 6, 3, 3, 3, 3]),
        (1, [vec![100, 50, 25, 12, 6, 3], vec![1; 10]].concat()),
    ] {
        let (batches, world) = read("plans", Duration::ZERO, small_pages(most));
        let batches = batches.unwrap();
        assert_eq!(records(&batches).iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
        assert_eq!(records(&batches).len(), 10, "{most}");
        let asked: Vec<usize> = world.requests.borrow().iter().map(|request| limit(request)).collect();
        assert_eq!(asked, limits, "{most}");
    }
}

#[test]
fn a_page_of_one_record_that_is_too_large_is_an_error() {
    let (batches, world) = read("plans", Duration::ZERO, small_pages(0));
    let error = batches.unwrap_err();
    assert_eq!(error.failure_type, FailureType::System);
    assert!(
        error
            .message
            .starts_with("plans: Orb reports that the request or its results are too large (status 413)"),
        "{error}"
    );
    assert!(error.message.ends_with("this happens even with one record per page"), "{error}");
    assert_eq!(world.requests.borrow().len(), 7);
}

#[test]
fn a_chain_of_pages_goes_on_in_smaller_ones_where_a_later_one_is_too_large() {
    let (batches, world) = read("plans", Duration::ZERO, |url| {
        let record = |id: &str| format!(r#"{{"id":"{id}","created_at":"2024-03-01T00:00:00Z"}}"#);
        match parameter(url, "cursor") {
            None => page(&record("a"), Some("t")),
            Some(_) if limit(url) > 50 => answer(413, TOO_LARGE),
            Some(_) => page(&record("b"), None),
        }
    });
    assert_eq!(records(&batches.unwrap()).len(), 2);
    let requests = world.requests.borrow();
    let asked: Vec<_> = requests.iter().map(|url| (limit(url), parameter(url, "cursor"))).collect();
    assert_eq!(asked, [(100, None), (100, Some("t")), (50, Some("t"))]);
}

#[test]
fn the_parents_list_and_their_own_lists_have_page_sizes_of_their_own() {
    let (batches, world) = read("credits_ledger_entries", Duration::from_millis(40), |url| {
        let is_ledger = url.contains("/ledger");
        if limit(url) > if is_ledger { 300 } else { 60 } {
            return answer(413, TOO_LARGE);
        }
        if is_ledger { page(ENTRY, None) } else { page(&customers(20), None) }
    });
    assert_eq!(records(&batches.unwrap()).len(), 20);
    let requests = world.requests.borrow();
    let asked = |wanted: bool, most: usize| {
        let of = requests.iter().filter(|url| url.contains("/ledger") == wanted);
        of.filter(|url| limit(url) == most).count()
    };
    assert_eq!([asked(false, 100), asked(false, 50)], [1, 1]);
    // Sixteen are in flight when the first of them is refused. Later ones use the smaller page
    // size.
    assert_eq!([asked(true, 1000), asked(true, 500), asked(true, 250)], [16, 16, 20]);
}

#[test]
fn times_that_are_too_long_are_halved_and_every_day_is_whole() {
    let (expected, _) = read_usage(i64::MAX, Excess::Refuses);
    let expected = expected.unwrap();
    assert!(expected.len() > 2 * 840);
    let most = [24 * 300, 24 * 31, 60, 28];
    for (most, excess) in
        most.into_iter().flat_map(|most| [(most, Excess::Refuses), (most, Excess::LeavesOut)])
    {
        let (records, world) = read_usage(most, excess);
        assert_eq!(records.unwrap(), expected, "{most}");
        // A few attempts, and none once the longest timeframe is known.
        let of_second =
            |url: &&String| url.contains("/t/usage") && days(url).iter().map(|day| day.1).sum::<i64>() > most;
        assert!(world.requests.borrow().iter().filter(of_second).count() <= 12, "{most}");
    }
}

#[test]
fn a_day_that_is_too_long_is_an_error() {
    let (records, _) = read_usage(24, Excess::LeavesOut);
    let error = records.unwrap_err();
    assert!(
        error.message.contains("is incomplete")
            && error.message.ends_with("no shorter time range can be requested"),
        "{error}"
    );
    let (records, _) = read_usage(24, Excess::Refuses);
    let error = records.unwrap_err();
    assert!(
        error.message.contains("status 413")
            && error.message.ends_with("no shorter time range can be requested"),
        "{error}"
    );
    assert_eq!(error.failure_type, FailureType::System);
}

#[test]
fn a_search_for_more_events_than_orb_answers_is_halved() {
    let entry = |number| {
        format!(
            r#"{{"id":"{number}","created_at":"2024-03-01T00:00:00Z","entry_status":"committed","event_id":"e{number}"}}"#
        )
    };
    let entries = (0..9).map(entry).collect::<Vec<_>>().join(",");
    let asked = Rc::new(std::cell::RefCell::new(Vec::new()));
    let sizes = Rc::clone(&asked);
    let world = World::new(move |request: &Request| {
        let Some(body) = &request.body else {
            let is_ledger = request.url.contains("/ledger");
            return Ok(page(if is_ledger { entries.clone() } else { customers(1) }.as_str(), None));
        };
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let ids = body["event_ids"].as_array().unwrap();
        sizes.borrow_mut().push(ids.len());
        if ids.len() > 3 {
            return Ok(answer(413, TOO_LARGE));
        }
        let event = |id| format!(r#"{{"id":{id},"properties":{{"region":"eu"}}}}"#);
        Ok(page(&ids.iter().map(event).collect::<Vec<_>>().join(","), None))
    });
    let config = CONFIG.replace('}', r#","string_event_properties_keys":["region"]}"#);
    let mut reader = connector(&world).read(&config, "credits_ledger_entries", None).unwrap();
    let mut records = Vec::new();
    while let Some(batch) = world.run(reader.next_batch()).unwrap() {
        records.extend(batch.records);
    }
    assert_eq!(records.len(), 9);
    assert!(records.iter().all(|record| record.contains(r#""properties":{"region":"eu"}"#)), "{records:?}");
    assert_eq!(*asked.borrow(), [9, 5, 3, 2, 4, 2, 2]);
}
