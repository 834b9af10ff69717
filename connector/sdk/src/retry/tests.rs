//! Tests delays and durations.

use super::*;
use crate::testing::instant;

const READ: RetryPolicy = RetryPolicy::read(5);

fn asking(value: &str) -> Response {
    Response { headers: vec![("retry-after".into(), value.into())], ..Response::default() }
}

/// The delays between attempts that take no time and always fail.
fn waits(policy: RetryPolicy, asked: Option<Duration>) -> Vec<Duration> {
    let (mut retries, mut elapsed) = (Retries::new(policy), Duration::ZERO);
    std::iter::from_fn(|| match retries.next(elapsed, asked, 0.0) {
        Next::TryAfter(delay) => {
            elapsed += delay;
            Some(delay)
        }
        _ => None,
    })
    .collect()
}

#[test]
fn waits_double_up_to_half_a_minute_and_end_with_the_patience() {
    let waits = waits(READ, None);
    let millis: Vec<_> = waits.iter().take(9).map(Duration::as_millis).collect();
    assert_eq!(millis, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    assert_eq!(waits.iter().sum::<Duration>(), READ.patience);
}

#[test]
fn after_a_refusal_by_the_rate_limit_the_pace_decides_and_the_delay_hardly_grows() {
    let mut retries = Retries::new(READ);
    let minute = Duration::from_secs(60);
    let delay = |next| {
        let Next::TryAfter(delay) = next else { panic!("{next:?}") };
        delay.as_millis()
    };
    let mut next = |asked| delay(retries.next_at_pace(minute, asked, 0.0));
    assert_eq!([None; 5].map(&mut next), [500, 1000, 1000, 1000, 1000]);
    assert_eq!(next(Some(Duration::from_secs(7))), 7000);
    assert_eq!(
        Retries::new(READ).next_at_pace(READ.patience, None, 0.0),
        Next::TryAfter(Duration::from_millis(500))
    );
    let mut last = Retries { failures: 5, ..Retries::new(READ) };
    assert_eq!(last.next_at_pace(READ.patience, None, 0.0), Next::GiveUp);
}

#[test]
fn no_patience_is_no_second_try() {
    assert!(waits(RetryPolicy::read(0), None).is_empty());
    assert!(waits(RetryPolicy::read(0), Some(Duration::from_secs(1))).is_empty());
}

#[test]
fn a_try_that_takes_longer_than_all_patience_is_not_the_last() {
    let mut retries = Retries::new(READ);
    let long = Duration::from_secs(3600);
    let next: Vec<_> = (0..3).map(|_| retries.next(long, None, 0.0)).collect();
    assert!(matches!(next[..], [Next::TryAfter(_), Next::TryAfter(_), Next::GiveUp]), "{next:?}");
    assert_eq!(Retries::new(RetryPolicy::CHECK).next(long, None, 0.0), Next::GiveUp);
}

#[test]
fn what_the_server_asks_for_is_never_undercut_and_is_waited_for_longer() {
    let minute = Some(Duration::from_secs(60));
    assert_eq!(Retries::new(READ).next(Duration::ZERO, minute, 1.0), Next::TryAfter(Duration::from_secs(60)));
    assert_eq!(waits(READ, minute).iter().sum::<Duration>(), READ.patience_if_asked);
    let longest = Some(READ.patience_if_asked);
    assert_eq!(Retries::new(READ).next(Duration::ZERO, longest, 0.0), Next::TryAfter(READ.patience_if_asked));
    assert!(waits(READ, Some(Duration::from_secs(1))).iter().sum::<Duration>() > READ.patience);
}

#[test]
fn a_wait_beyond_the_patience_is_an_error_at_once() {
    for seconds in [601, 3600, u64::MAX] {
        let asked = Duration::from_secs(seconds);
        assert_eq!(Retries::new(READ).next(Duration::ZERO, Some(asked), 0.0), Next::AsksTooMuch(asked));
    }
    let asked = Duration::from_secs(90);
    assert_eq!(Retries::new(READ).next(Duration::from_secs(599), Some(asked), 0.0), Next::AsksTooMuch(asked));
}

#[test]
fn a_server_that_asks_for_short_waits_until_the_patience_ends_does_not_ask_too_much() {
    let ask = |seconds| {
        let elapsed = READ.patience_if_asked - Duration::from_secs(1);
        Retries::new(READ).next(elapsed, Some(Duration::from_secs(seconds)), 0.0)
    };
    assert_eq!(ask(1), Next::TryAfter(Duration::from_secs(1)));
    assert_eq!([2, 10, 30].map(ask), [Next::GiveUp; 3]);
    assert_eq!(ask(31), Next::AsksTooMuch(Duration::from_secs(31)));
}

#[test]
fn all_waits_leave_time_within_a_call_of_the_host() {
    let longest = RetryPolicy::read(10);
    assert!(longest.patience <= longest.patience_if_asked);
    assert!(longest.patience_if_asked <= Duration::from_secs(12 * 60));
    let check = RetryPolicy::CHECK;
    assert!(check.patience <= check.patience_if_asked && check.patience_if_asked < Duration::from_secs(30));
}

#[test]
fn jitter_shortens_by_a_quarter_at_most() {
    let next = Retries::new(READ).next(Duration::ZERO, None, 1.0);
    assert_eq!(next, Next::TryAfter(Duration::from_millis(375)));
}

#[test]
fn durations_are_told_as_a_person_does() {
    for (millis, expected) in [
        (0, "0s"),
        (10, "1s"),
        (42_000, "42s"),
        (60_000, "1m"),
        (303_000, "5m 3s"),
        (3_600_000, "1h"),
        (5_400_000, "1h 30m"),
        (3_605_000, "1h"),
        (90_000_000, "25h"),
    ] {
        assert_eq!(spell(Duration::from_millis(millis)), expected);
    }
    assert!(spell(Duration::MAX).contains('h'));
}

#[test]
fn retry_after_is_read_in_seconds_and_as_a_date() {
    let now = instant("2024-01-01T00:00:00Z");
    assert_eq!(parse_retry_after(&asking("7"), now), Some(Duration::from_secs(7)));
    assert_eq!(parse_retry_after(&asking("1.5"), now), Some(Duration::from_millis(1500)));
    for date in
        ["Mon, 01 Jan 2024 00:00:09 GMT", "Monday, 01-Jan-24 00:00:09 GMT", "Mon Jan  1 00:00:09 2024"]
    {
        assert_eq!(parse_retry_after(&asking(date), now), Some(Duration::from_secs(9)), "{date}");
    }
    let past = asking("Sun, 31 Dec 2023 00:00:00 GMT");
    assert_eq!(parse_retry_after(&past, now), Some(Duration::ZERO));
    for nonsense in
        ["soon", "-3", "", ".", "1.x", "1e999", "99999999999999999999", "Mon, 32 Jan 2024 00:00:09 GMT"]
    {
        assert_eq!(parse_retry_after(&asking(nonsense), now), None, "{nonsense}");
    }
}
