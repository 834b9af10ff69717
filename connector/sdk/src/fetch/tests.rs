//! Fetches from a scripted server, on a simulated clock.

use std::cell::RefCell;

use futures_util::future::join;

use super::*;
use crate::{
    error::FailureType,
    fixtures::PlainServer,
    http::Request,
    testing::{World, answer, instant},
};

fn utf8(body: &[u8]) -> Result<String, Problem> {
    String::from_utf8(body.to_vec()).map_err(|error| Problem::new(error.to_string()))
}

/// Fetches once from a server that gives these answers, and then repeats the last one.
fn fetch(answers: Vec<Result<Response, TransportError>>) -> (Result<Outcome<String>>, Rc<World>) {
    let mut left = answers.into_iter().peekable();
    let mut last = Err(TransportError::Broken(String::new()));
    let world = World::new(move |_| {
        last = left.next().unwrap_or_else(|| last.clone());
        last.clone()
    });
    let fetcher = Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
    let result = world.run(fetcher.fetch(Request::get("http://h", "x", &[]), &RateClass::DEFAULT, utf8));
    (result, world)
}

fn broken() -> Result<Response, TransportError> {
    Err(TransportError::Broken("cut".into()))
}

#[test]
fn failures_that_pass_are_tried_again() {
    let unreadable = Ok(answer(200, [0xff]));
    let (result, world) = fetch(vec![broken(), Ok(answer(500, "")), unreadable, Ok(answer(200, "fine"))]);
    assert_eq!(result, Ok(Outcome::Complete("fine".into())));
    assert_eq!(world.requests.borrow().len(), 4);
}

#[test]
fn a_failure_that_never_passes_ends_with_its_error_and_the_number_of_tries() {
    let (result, world) = fetch(vec![Ok(answer(500, ""))]);
    let error = result.unwrap_err();
    assert_eq!(error.failure_type, FailureType::Transient);
    assert_eq!(error.message, "broken (tried 16 times in 5m)");
    assert_eq!(error.internal_message.as_deref(), Some("GET http://h/x: attempt 16: why"));
    assert_eq!(world.elapsed().as_secs(), 300);
}

#[test]
fn a_body_that_stays_unreadable_is_an_error_that_shows_how_it_begins() {
    let mut html = answer(200, [b"<html>".as_slice(), &[0xff]].concat());
    html.headers.push(("content-type".into(), "text/html".into()));
    let error = fetch(vec![Ok(html)]).0.unwrap_err();
    assert!(error.message.starts_with("the response (status 200, text/html) cannot be read"), "{error}");
    assert!(error.message.ends_with("(tried 3 times in 2s)"), "{error}");
    assert!(error.internal_message.unwrap().contains("<html>"));
}

#[test]
fn what_is_no_use_to_try_again_is_tried_once() {
    for last in [
        Ok(answer(401, "")),
        Err(TransportError::Denied("no".into())),
        Err(TransportError::Refused("no".into())),
    ] {
        let (result, world) = fetch(vec![last]);
        assert!(result.is_err());
        assert_eq!(world.requests.borrow().len(), 1);
    }
}

/// Fetches from a server that fails for this many seconds and then recovers.
fn fetch_through(
    seconds: i64,
    failure: &Result<Response, TransportError>,
    latency: u64,
) -> (Result<Outcome<String>>, Rc<World>) {
    let (started, failure) = (instant("2024-06-01T00:00:00Z"), failure.clone());
    let clock: Rc<RefCell<Option<Platform>>> = Rc::default();
    let now = Rc::clone(&clock);
    let world = World::new(move |_| {
        let elapsed = now.borrow().as_ref().unwrap().clock.now() - started;
        if elapsed.whole_seconds() < seconds { failure.clone() } else { Ok(answer(200, "fine")) }
    })
    .with_latency(Duration::from_secs(latency));
    *clock.borrow_mut() = Some(world.platform());
    let fetcher = Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
    let result = world.run(fetcher.fetch(Request::get("http://h", "x", &[]), &RateClass::DEFAULT, utf8));
    (result, world)
}

fn asking(status: u16, retry_after: &str) -> Response {
    let headers = vec![("retry-after".into(), retry_after.into())];
    Response { headers, ..answer(status, "") }
}

#[test]
fn outages_of_minutes_are_waited_out_whatever_fails() {
    let silence = Err(TransportError::TimedOut("silence".into()));
    for (failure, latency) in [
        (broken(), 0),
        (silence, 60),
        (Ok(answer(500, "")), 0),
        (Ok(answer(429, "")), 0),
        (Ok(asking(429, "1")), 0),
        (Ok(asking(500, "0")), 0),
        (Ok(asking(500, "Thu, 01 Jan 2015 00:00:00 GMT")), 0),
    ] {
        // An attempt that is sent within the budget and ends after it is the last one.
        for seconds in [60, 299 - i64::try_from(latency).unwrap()] {
            let (result, _) = fetch_through(seconds, &failure, latency);
            assert_eq!(result, Ok(Outcome::Complete("fine".into())), "{seconds} s of {failure:?}");
        }
    }
    let error = fetch_through(400, &broken(), 0).0.unwrap_err();
    assert_eq!(error.failure_type, FailureType::Transient);
}

#[test]
fn silence_uses_up_the_patience_by_its_own_length() {
    let (result, world) = fetch_through(3600, &Err(TransportError::TimedOut("silence".into())), 60);
    let error = result.unwrap_err();
    assert!(error.message.starts_with("no answer in time: silence (tried 5 times in 5m"), "{error}");
    assert!(world.elapsed().as_secs() < 400);
}

#[test]
fn a_wait_that_is_too_long_is_an_error_at_once_that_says_until_when() {
    let (result, world) = fetch(vec![Ok(asking(429, "3600"))]);
    let error = result.unwrap_err();
    let expected = "too many; the server asks to wait 1h, until 2024-06-01T01:00:00+00:00, but a request waits for \
        10m at most: try again later";
    assert_eq!(error.message, expected);
    assert_eq!(error.failure_type, FailureType::Transient);
    assert_eq!(world.elapsed(), Duration::ZERO);
    let error = fetch(vec![Ok(asking(500, "99999999999"))]).0.unwrap_err();
    assert!(error.message.contains("asks to wait 27777777h 46m,"), "{error}");
}

#[test]
fn a_person_is_told_when_it_takes_long_and_when_it_is_over_and_not_about_every_try() {
    let levels = |seconds| {
        let (_, world) = fetch_through(seconds, &broken(), 0);
        let lines = world.lines.borrow();
        let count = |level| lines.iter().filter(|(of, _)| *of == level).count();
        (count(Level::Warn), count(Level::Info), count(Level::Debug))
    };
    assert_eq!(levels(3), (0, 0, 3));
    let (warnings, over, others) = levels(200);
    assert!((2..=4).contains(&warnings) && others > 5, "{warnings} {others}");
    assert_eq!(over, 1);
}

#[test]
fn only_a_request_that_was_held_up_tells_that_the_outage_is_over() {
    let started = Rc::new(Cell::new(0));
    let world = World::new(move |request: &Request| {
        started.set(started.get() + 1);
        if request.url.ends_with("long") && started.get() < 8 { broken() } else { Ok(answer(200, "fine")) }
    });
    let fetcher = Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
    let fetch = |path: &str| fetcher.fetch(Request::get("http://h", path, &[]), &RateClass::DEFAULT, utf8);
    let (long, short) = (fetch("long"), async {
        // By now, the outage has been logged.
        fetcher.platform.clock.sleep(Duration::from_secs(20)).await;
        fetch("short").await
    });
    let (long, short) = world.run(join(long, short));
    assert!(long.is_ok() && short.is_ok());
    let lines = world.lines.borrow();
    let over: Vec<_> =
        lines.iter().filter(|(level, _)| *level == Level::Info).map(|(_, line)| line.as_str()).collect();
    assert!(lines.iter().any(|(level, _)| *level == Level::Warn));
    assert!(
        matches!(over[..], [line] if line.starts_with("GET http://h/long: succeeded after ")),
        "{over:?}"
    );
}

#[test]
fn waiting_for_a_turn_uses_up_patience_only_while_nobody_is_served() {
    static SLOW: RateClass = RateClass { name: "slow", per_second: Some(0.01), limit: None };
    let fetch = |others: u32| {
        let failures = Cell::new(0);
        let world = World::new(move |request: &Request| {
            let fails = request.url.ends_with("unlucky") && failures.replace(failures.get() + 1) < 5;
            if fails { broken() } else { Ok(answer(200, "fine")) }
        });
        let fetcher =
            Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
        let fetch = |path: &str| fetcher.fetch(Request::get("http://h", path, &[]), &SLOW, utf8);
        let rest = async {
            for _ in 0..others {
                fetch("other").await.unwrap();
            }
        };
        world.run(join(fetch("unlucky"), rest)).0
    };
    assert_eq!(fetch(10), Ok(Outcome::Complete("fine".into())));
    let error = fetch(0).unwrap_err();
    assert!(error.message.contains("tried 4 times in 5m"), "{error}");
}

#[test]
fn the_server_is_given_the_time_it_asks_for() {
    let mut busy = answer(429, "");
    busy.headers.push(("retry-after".into(), "42".into()));
    let (result, world) = fetch(vec![Ok(busy), Ok(answer(200, "fine"))]);
    assert!(result.is_ok());
    assert_eq!(world.elapsed().as_secs(), 42);
    let reported = instant("2024-06-01T00:00:42Z");
    assert_eq!(*world.rate_limits.borrow(), [reported]);
}

#[test]
fn what_is_gone_is_an_answer_and_no_error() {
    assert_eq!(fetch(vec![Ok(answer(404, ""))]).0, Ok(Outcome::Absent("gone".into())));
}
