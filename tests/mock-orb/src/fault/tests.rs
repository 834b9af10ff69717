use super::*;

fn struck(fault: Fault, requests: u64) -> Vec<u64> {
    let mut faults = [fault];
    (1..=requests).filter(|_| strike(&mut faults, "/v1/plans", &[]).disconnect).collect()
}

#[test]
fn counts_choose_the_requests() {
    assert_eq!(struck(Fault::disconnect(), 3), [1, 2, 3]);
    assert_eq!(struck(Fault::disconnect().nth(2), 5), [2]);
    assert_eq!(struck(Fault::disconnect().every(3), 7), [1, 4, 7]);
    assert_eq!(struck(Fault::disconnect().after(2).every(2).times(2), 9), [3, 5]);
    assert_eq!(struck(Fault::disconnect().on("/v1/customers"), 3), [] as [u64; 0]);
    assert_eq!(struck(Fault::disconnect().on_exactly("/v1/plan"), 3), [] as [u64; 0]);
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    let struck_by = |seed| struck(Fault::disconnect().with_chance(0.25, seed), 1_000);
    assert_eq!(struck_by(1), struck_by(1));
    assert_ne!(struck_by(1), struck_by(2));
    assert!((200..300).contains(&struck_by(1).len()));
    assert_eq!(struck(Fault::disconnect().with_chance(1.0, 1), 9).len(), 9);
    assert_eq!(struck(Fault::disconnect().with_chance(0.0, 1), 9).len(), 0);
}

#[test]
fn parameters_choose_the_requests() {
    let query = [("cursor".to_owned(), "x".to_owned())];
    let mut faults = [Fault::disconnect().with_query("cursor"), Fault::repeat_page_token()];
    assert!(!strike(&mut faults, "/", &[]).disconnect);
    let both = strike(&mut faults, "/", &query);
    assert!(both.disconnect && both.repeat_page_token);
    let mut other = [Fault::disconnect().with_query_value("cursor", "y")];
    assert!(!strike(&mut other, "/", &query).disconnect);
}

#[test]
fn numbers_and_timeframes_choose_the_requests() {
    let strikes = |fault: Fault, query: &[(&str, &str)]| {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        strike(&mut [fault], "/", &query).disconnect
    };
    let limited = |value| strikes(Fault::disconnect().with_query_above("limit", 50), &[("limit", value)]);
    assert!(limited("51") && !limited("50") && !limited("x"));
    assert!(!strikes(Fault::disconnect().with_query_above("limit", 50), &[]));
    let long = |end| {
        let fault = Fault::disconnect().with_timeframe_above(Duration::from_secs(24 * 60 * 60));
        strikes(fault, &[("timeframe_start", "2024-01-01T00:00:00+00:00"), ("timeframe_end", end)])
    };
    assert!(long("2024-01-02T00:00:01Z") && !long("2024-01-02T00:00:00Z") && !long("soon"));
}
