//! What a single response changes.

use super::*;

fn start() -> Timestamp {
    instant("2024-01-01T00:00:00Z")
}

fn at(millis: i64) -> Timestamp {
    start() + SignedDuration::milliseconds(millis)
}

/// A pace that was slowed at the start, and whose last request had to wait.
fn slowed(rate: f64, ceiling: f64) -> Pace {
    Pace {
        rate: Some(rate),
        ceiling,
        is_limiting: true,
        served_at: start(),
        slowed_at: Some(start()),
        ..Pace::default()
    }
}

fn assert_near(is: f64, expected: f64) {
    assert!((is - expected).abs() < 1e-9, "{is} is not {expected}");
}

#[test]
fn starts_are_scattered_evenly_around_the_pace_and_those_of_a_slow_one_less() {
    for (rate, most) in [(10.0, 0.75), (3.0, 0.75), (1.5, 0.1875), (0.3, 0.0075)] {
        let mut pace = slowed(rate, rate);
        let factors: Vec<f64> = (0..1000).map(|number| pace.scatter(rate, at(number))).collect();
        let (least, greatest) =
            factors.iter().fold((f64::MAX, f64::MIN), |(low, high), next| (low.min(*next), high.max(*next)));
        assert!(least >= 1.0 - most && least < 1.0 - 0.98 * most, "{rate}: {least}");
        assert!(greatest <= 1.0 + most && greatest > 1.0 + 0.98 * most, "{rate}: {greatest}");
        let mean = factors.iter().sum::<f64>() / 1000.0;
        assert!((mean - 1.0).abs() < 0.1 * most, "{rate}: {mean}");
    }
}

#[test]
fn starts_of_instances_are_scattered_in_different_ways_unless_their_clocks_are_equal() {
    let factors = |nanoseconds: i64| {
        let (mut pace, now) = (slowed(10.0, 10.0), start() + SignedDuration::nanoseconds(nanoseconds));
        [0; 3].map(|_| pace.scatter(10.0, now).to_bits())
    };
    assert_eq!(factors(5), factors(5));
    assert_ne!(factors(5), factors(6));
}

#[test]
fn it_is_known_since_when_a_request_was_served() {
    let mut pace = Pace::default();
    assert!(!pace.has_served_since(start()));
    pace.succeeded(at(1000));
    // Responses may come in another order than their times.
    pace.succeeded(at(500));
    assert!(pace.has_served_since(at(999)) && pace.has_served_since(at(1000)));
    assert!(!pace.has_served_since(at(1001)));
}

#[test]
fn a_pace_that_limits_grows_by_a_hundredth_a_second_and_by_four_once_it_is_calm() {
    let mut pace = slowed(10.0, 20.0);
    for number in 1..=48 {
        let before = pace.rate.unwrap();
        pace.succeeded(at(1000 * number));
        assert_near(pace.rate.unwrap() - before, 0.01 * 20.0);
    }
    let before = pace.rate.unwrap();
    pace.succeeded(at(49_000));
    assert_near(pace.rate.unwrap() - before, 0.04 * 20.0);
    pace.is_limiting = false;
    let before = pace.rate;
    pace.succeeded(at(50_000));
    assert_eq!(pace.rate, before);
}

#[test]
fn one_response_adds_no_more_than_five_seconds_and_three_tenths_of_the_pace() {
    let mut pace = slowed(10.0, 20.0);
    pace.succeeded(at(60_000));
    assert_near(pace.rate.unwrap(), 10.0 + 5.0 * 0.01 * 20.0);
    let mut pace = slowed(1.0, 100.0);
    pace.succeeded(at(60_000));
    assert_near(pace.rate.unwrap(), 1.3);
}

#[test]
fn a_pace_drops_to_the_share_that_was_served_within_bounds() {
    for (served, refused, kept) in [(12, 12, 0.5), (20, 5, 0.7), (2, 22, 0.4)] {
        let mut pace = slowed(10.0, 100.0);
        for number in 0..served {
            pace.remember(at(5000 + number), false);
        }
        for number in 1..refused {
            pace.remember(at(6000 + number), true);
        }
        pace.refused(at(7000), at(7000), None);
        assert_near(pace.rate.unwrap(), 10.0 * kept);
        // The ceiling falls, too, but not below what the pace was.
        assert_near(pace.ceiling, 60.0);
        let mut pace = slowed(80.0, 100.0);
        for _ in 0..3 {
            pace.refused(at(7000), at(7000), None);
        }
        assert_near(pace.ceiling, 80.0);
    }
}

#[test]
fn refusals_count_again_a_second_or_two_requests_after_the_pace_was_slowed() {
    for (rate, millis) in [(10.0, 1000), (2.0, 1000), (0.5, 4000), (0.3, 6667)] {
        let pace = slowed(rate, rate);
        assert!(pace.is_settling(at(millis - 1)), "{rate}");
        assert!(!pace.is_settling(at(millis)), "{rate}");
    }
    assert!(!Pace::default().is_settling(start()));
}
