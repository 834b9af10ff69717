//! How a single pace grows, drops and scatters.

use super::*;

const START: &str = "2024-01-01T00:00:00Z";

/// A pace that was slowed to this rate at the start, and now limits the requests.
fn slowed_to(rate: f64) -> Pace {
    let slowed_at = Some(instant(START));
    Pace { rate: Some(rate), ceiling: rate, slowed_at, is_limiting: true, ..Pace::default() }
}

/// Records so many requests that were served and then refused at once.
fn answer_at_once(pace: &mut Pace, served: usize, refused: usize) {
    let now = instant(START);
    pace.is_limiting = false;
    (0..served).for_each(|_| pace.succeeded(now));
    (0..refused).for_each(|_| pace.refused(now, now, None));
}

/// The times between starts that are asked for at one instant, in shares of the even one.
fn apart(rate: f64, now: &str) -> Vec<f64> {
    let mut pace = slowed_to(rate);
    let waits: Vec<f64> = (0..1000).map(|_| pace.take_turn(instant(now)).as_secs_f64()).collect();
    waits.windows(2).map(|pair| (pair[1] - pair[0]) * rate).collect()
}

#[test]
fn starts_are_scattered_evenly_around_a_pace_that_was_slowed() {
    for now in [START, "2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00.999999999Z"] {
        let apart = apart(10.0, now);
        let mean = apart.iter().sum::<f64>() / apart.len() as f64;
        let least = apart.iter().copied().fold(f64::MAX, f64::min);
        let most = apart.iter().copied().fold(f64::MIN, f64::max);
        assert!((0.95..1.05).contains(&mean), "{now}: {mean}");
        assert!((0.249..0.3).contains(&least) && (1.7..1.751).contains(&most), "{now}: {least}..{most}");
    }
}

#[test]
fn starts_at_a_slow_pace_are_hardly_scattered_since_such_a_server_allows_no_bursts() {
    let apart = apart(0.3, START);
    assert!(apart.iter().all(|apart| (0.99..1.01).contains(apart)), "{apart:?}");
    assert!(apart.iter().any(|apart| *apart < 0.995) && apart.iter().any(|apart| *apart > 1.005));
}

#[test]
fn two_instances_are_scattered_differently() {
    let (one, other) = (apart(10.0, "2024-01-01T00:00:00.1Z"), apart(10.0, "2024-01-01T00:00:00.2Z"));
    let alike = one.iter().zip(&other).filter(|(one, other)| (**one - **other).abs() < 0.01).count();
    assert!(alike < 50, "{alike} of {}", one.len());
}

#[test]
fn a_pace_grows_by_a_hundredth_per_second_and_faster_once_many_in_a_row_were_served() {
    let mut pace = slowed_to(1.0);
    pace.succeeded(instant(START));
    let growth: Vec<f64> = (1..60)
        .map(|second| {
            let before = pace.rate.unwrap();
            pace.succeeded(instant(START) + SignedDuration::seconds(second));
            pace.rate.unwrap() / before - 1.0
        })
        .collect();
    // The first of those in a row has been served before.
    let (slow, fast) = growth.split_at(47);
    assert!(slow.iter().all(|growth| (growth - 0.01).abs() < 1e-9), "{slow:?}");
    assert!(fast.iter().all(|growth| (growth - 0.04).abs() < 1e-9), "{fast:?}");
}

#[test]
fn one_answer_adds_three_tenths_at_most_to_a_pace_that_has_dropped_deep() {
    let mut pace = Pace { ceiling: 1000.0, ..slowed_to(10.0) };
    pace.succeeded(instant(START));
    assert_eq!(pace.rate, Some(13.0));
}

#[test]
fn a_pace_drops_to_the_share_that_was_served_within_bounds() {
    for (served, refused, rate) in [(3, 3, 5.0), (4, 4, 6.0), (12, 3, 7.0), (0, 3, 4.0)] {
        let mut pace = Pace { slowed_at: None, ..slowed_to(10.0) };
        answer_at_once(&mut pace, served, refused);
        let found = pace.rate.unwrap();
        assert!((found - rate).abs() < 0.3, "{found}/s after {served} served and {refused} refused");
    }
}

#[test]
fn the_first_pace_is_that_share_of_the_limit_that_the_server_documents() {
    let mut pace = Pace::of(&TEN);
    answer_at_once(&mut pace, 3, 3);
    assert_eq!(pace.rate, Some(5.0));
}

#[test]
fn refusals_of_requests_from_before_a_pace_took_hold_do_not_slow_it_again() {
    // The time of two requests, or a second.
    for (rate, settling) in [(1.0, 2_000), (0.4, 5_000), (10.0, 1_000)] {
        let rate_after = |millis| {
            let mut pace = slowed_to(rate);
            let started = instant(START) + SignedDuration::milliseconds(millis);
            (0..3).for_each(|_| pace.refused(started, started, None));
            pace.rate.unwrap()
        };
        assert_eq!(rate_after(settling - 1), rate);
        assert!(rate_after(settling) < rate, "{rate}/s");
    }
}

#[test]
fn a_request_was_served_since_every_instant_up_to_its_own() {
    let mut pace = Pace::default();
    let at = |second| instant(START) + SignedDuration::seconds(second);
    assert!(!pace.has_served_since(at(0)));
    pace.succeeded(at(5));
    assert_eq!([4, 5, 6].map(|second| pace.has_served_since(at(second))), [true, true, false]);
}

#[test]
fn the_ceiling_of_a_pace_that_drops_falls_but_not_below_what_the_pace_was() {
    for (rate, ceiling) in [(10.0, 60.0), (80.0, 80.0)] {
        let mut pace = Pace { ceiling: 100.0, slowed_at: None, ..slowed_to(rate) };
        answer_at_once(&mut pace, 0, 3);
        assert!((pace.ceiling - ceiling).abs() < 1e-9, "{rate}: {}", pace.ceiling);
    }
}
