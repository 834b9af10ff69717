//! Simulates servers with rate limits.

mod single;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use futures_util::future::join_all;

use super::*;
use crate::{
    fetch::Fetcher,
    fixtures::PlainServer,
    http::{Request, Response},
    retry::RetryPolicy,
    testing::{World, answer, instant},
};

/// Sends requests as fast as the pace allows to a server that serves `limit` a second (and as
/// many at once). Returns how many it served and refused in `seconds`.
fn served_by(limit: f64, seconds: i64, latency: Duration) -> (f64, u32) {
    let start = instant("2024-01-01T00:00:00Z");
    let end = start + SignedDuration::seconds(seconds);
    let (mut pace, mut now, mut tokens, mut filled) = (Pace::default(), start, limit, start);
    let (mut served, mut refused) = (0.0, 0);
    while now < end {
        let wait = pace.take_turn(now);
        now = after(now, wait.max(Duration::from_millis(1)));
        tokens = (tokens + limit * (now - filled).as_seconds_f64()).min(limit);
        filled = now;
        if tokens >= 1.0 {
            tokens -= 1.0;
            served += 1.0;
            pace.succeeded(after(now, latency));
        } else {
            refused += 1;
            pace.refused(now, after(now, latency), None);
        }
    }
    (served, refused)
}

#[test]
fn each_class_has_a_pace_of_its_own_which_may_begin_with_a_limit() {
    static SLOW: RateClass = RateClass { name: "slow", per_second: Some(2.0), limit: None };
    let (paces, now) = (Paces::default(), instant("2024-01-01T00:00:00Z"));
    let waits = |class| [0; 3].map(|_| paces.with(class, |pace| pace.take_turn(now)).as_millis());
    assert_eq!(waits(&SLOW), [0, 500, 1000]);
    assert_eq!(waits(&RateClass::DEFAULT), [0, 0, 0]);
}

#[test]
fn nothing_waits_while_nothing_is_refused() {
    let mut pace = Pace::default();
    let now = instant("2024-01-01T00:00:00Z");
    for _ in 0..1000 {
        assert_eq!(pace.take_turn(now), Duration::ZERO);
        pace.succeeded(now);
    }
}

#[test]
fn the_first_pace_is_what_the_server_has_served_until_it_refused() {
    let mut pace = Pace::default();
    let start = instant("2024-01-01T00:00:00Z");
    for second in 0..20 {
        pace.succeeded(start + SignedDuration::seconds(second));
    }
    let now = start + SignedDuration::seconds(40);
    for _ in 0..A_FEW * 2 {
        pace.refused(now, now, None);
    }
    assert_eq!(pace.rate, Some(OF_SERVED * 20.0 / 40.0));
}

#[test]
fn most_of_what_a_server_allows_is_used_and_little_refused() {
    for (limit, share) in [(1.0, 0.75), (10.0, 0.8), (50.0, 0.8), (100.0, 0.8)] {
        let (served, refused) = served_by(limit, 60, Duration::from_millis(20));
        assert!(served >= share * limit * 60.0, "{limit}/s: {served} served, {refused} refused");
        assert!(f64::from(refused) <= 0.2 * served + 5.0, "{limit}/s: {served} served, {refused} refused");
    }
}

#[test]
fn refusals_now_and_then_change_nothing() {
    let mut pace = Pace::default();
    let now = instant("2024-01-01T00:00:00Z");
    for number in 0..1000 {
        if number % 12 == 0 {
            pace.refused(now, now, Some(Duration::from_secs(30)));
        } else {
            pace.succeeded(now);
        }
        assert_eq!(pace.take_turn(now), Duration::ZERO);
    }
}

#[test]
fn nothing_starts_before_the_server_wants_it_when_it_refuses_many() {
    let mut pace = Pace::default();
    let now = instant("2024-01-01T00:00:00Z");
    for _ in 0..A_FEW {
        pace.refused(now, now, Some(Duration::from_secs(30)));
    }
    assert_eq!(pace.take_turn(now), Duration::from_secs(30));
}

#[test]
fn refusals_of_requests_already_under_way_slow_down_once() {
    let mut pace = Pace::default();
    let now = instant("2024-01-01T00:00:00Z");
    for _ in 0..64 {
        pace.refused(now, after(now, Duration::from_millis(1)), None);
    }
    assert_eq!(pace.rate, Some(1.0));
}

/// How a server counts requests.
#[derive(Debug, Clone, Copy)]
enum Counting {
    /// A bucket that holds a second's worth and is filled steadily.
    Bucket,
    /// So many in each second of the clock.
    Window,
}

/// A server with a limit that all clients of an account share.
struct Limited {
    counting: Counting,
    per_second: f64,
    tokens: Cell<f64>,
    filled: Cell<f64>,
}

impl Limited {
    fn admits(&self, now: f64) -> bool {
        let left = match self.counting {
            Counting::Bucket => {
                (self.tokens.get() + self.per_second * (now - self.filled.get())).min(self.per_second)
            }
            Counting::Window if now.floor() > self.filled.get().floor() => self.per_second,
            Counting::Window => self.tokens.get(),
        };
        self.filled.set(now);
        let is_admitted = left >= 1.0;
        self.tokens.set(if is_admitted { left - 1.0 } else { left });
        is_admitted
    }
}

/// Several instances of the connector that know nothing of each other and read from one account.
#[derive(Debug, Clone, Copy)]
struct Together {
    counting: Counting,
    per_second: f64,
    latency: Duration,
    /// What the server asks for when it refuses.
    retry_after: Option<&'static str>,
    /// From which second each instance reads.
    begin: &'static [u64],
}

/// The most requests that each has in flight.
const CONCURRENCY: usize = 16;

/// How long they read, in seconds.
const SECONDS: u64 = 300;

/// The limit that such a server documents for live accounts.
static TEN: RateClass = RateClass { name: "ten", per_second: None, limit: Some(10.0) };
static HUNDRED: RateClass = RateClass { name: "hundred", per_second: None, limit: Some(100.0) };

/// What the instances got.
#[derive(Debug)]
struct Shares {
    /// How many requests were served, of those that the server would have served.
    used: f64,
    /// How many requests were refused, of all.
    refused: f64,
    /// How many requests the worst instance got, of those that each would get in equal shares.
    least: f64,
}

impl Together {
    /// Reads, and returns how many requests of each instance were served and refused in each
    /// second.
    fn read(self) -> Vec<Vec<(u32, u32)>> {
        let class = if self.per_second > 20.0 { &HUNDRED } else { &TEN };
        let seconds = usize::try_from(SECONDS).unwrap();
        let counts = Rc::new(RefCell::new(vec![vec![(0, 0); 3 * seconds]; self.begin.len()]));
        let limit = Limited {
            counting: self.counting,
            per_second: self.per_second,
            tokens: Cell::new(self.per_second),
            filled: Cell::default(),
        };
        let (known, counted) = (Rc::new(RefCell::new(Weak::<World>::new())), Rc::clone(&counts));
        let of_script = Rc::clone(&known);
        let mut random = fastrand::Rng::with_seed(1);
        let world = World::new(move |request: &Request| {
            let now = of_script.borrow().upgrade().unwrap().elapsed();
            let instance: usize = request.url.rsplit('/').next().unwrap().parse().unwrap();
            let count = &mut counted.borrow_mut()[instance][usize::try_from(now.as_secs()).unwrap()];
            if limit.admits(now.as_secs_f64()) {
                count.0 += 1;
                return Ok(answer(200, "ok"));
            }
            count.1 += 1;
            let headers = self.retry_after.map(|wait| ("retry-after".to_owned(), wait.to_owned()));
            Ok(Response { headers: headers.into_iter().collect(), ..answer(429, "") })
        })
        .with_latencies(move || self.latency.mul_f64(0.5 + random.f64()));
        *known.borrow_mut() = Rc::downgrade(&world);
        let of_instance =
            |_| Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
        let fetchers: Vec<Fetcher> = self.begin.iter().map(of_instance).collect();
        let readers = fetchers.iter().zip(self.begin).enumerate().flat_map(|(instance, (fetcher, begin))| {
            // No two computers begin in the same millisecond.
            let begin = Duration::from_millis(begin * 1000 + 7 * instance as u64);
            let world = &world;
            (0..CONCURRENCY).map(move |_| async move {
                world.platform().clock.sleep(begin).await;
                while world.elapsed() < Duration::from_secs(SECONDS) {
                    let request = Request::get("http://h", &instance.to_string(), &[]);
                    fetcher.fetch(request, class, |_| Ok(())).await.unwrap();
                }
            })
        });
        world.run(join_all(readers));
        counts.take()
    }

    /// Reads, and returns what the instances got in these seconds.
    fn shares(self, seconds: std::ops::Range<usize>) -> Shares {
        let counts = self.read();
        let sum = |of: fn(&(u32, u32)) -> u32| -> Vec<f64> {
            let of_instance = |counts: &Vec<(u32, u32)>| counts[seconds.clone()].iter().map(of).sum::<u32>();
            counts.iter().map(|counts| f64::from(of_instance(counts))).collect()
        };
        let (served, refused) = (sum(|count| count.0), sum(|count| count.1));
        let all: f64 = served.iter().sum();
        let no: f64 = refused.iter().sum();
        let least = served.iter().copied().fold(f64::MAX, f64::min);
        Shares {
            used: all / self.per_second / seconds.len() as f64,
            refused: no / (all + no),
            least: least * served.len() as f64 / all,
        }
    }
}

/// Servers with this limit, however they count, far away or near, and with or without advice.
fn servers(per_second: f64) -> Vec<Together> {
    let mut servers = Vec::new();
    for counting in [Counting::Bucket, Counting::Window] {
        for millis in [20, 300, 1500] {
            for retry_after in [None, Some("1")] {
                let latency = Duration::from_millis(millis);
                servers.push(Together { counting, per_second, latency, retry_after, begin: &[0] });
            }
        }
    }
    servers
}

#[test]
fn three_streams_at_once_use_the_limit_and_none_starves() {
    for server in servers(10.0) {
        for begin in [&[0, 0, 0][..], &[0, 20, 60]] {
            let together = Together { begin, ..server };
            let shares = together.shares(0..300);
            assert!(shares.used >= 0.8 && shares.refused <= 1.0 / 6.0, "{together:?}: {shares:?}");
            let shares = together.shares(100..300);
            assert!(shares.used >= 0.8 && shares.refused <= 1.0 / 6.0, "{together:?}: {shares:?}");
            assert!(shares.least >= 0.3, "{together:?}: {shares:?}");
        }
    }
}

#[test]
fn a_stream_that_reads_alone_uses_the_limit_that_others_have_left() {
    for server in servers(10.0) {
        let shares = server.shares(60..300);
        assert!(shares.used >= 0.8 && shares.refused <= 1.0 / 6.0, "{server:?}: {shares:?}");
    }
}

#[test]
fn streams_at_once_go_on_where_an_account_has_a_lower_limit_than_documented() {
    for per_second in [1.0, 5.0] {
        for server in servers(per_second) {
            // No request runs out of tries, which `read` makes sure of.
            let shares = Together { begin: &[0, 0, 0], ..server }.shares(100..300);
            assert!(shares.used >= 0.4 && shares.least >= 0.1, "{server:?}: {shares:?}");
        }
    }
}

#[test]
fn many_streams_at_once_share_a_high_limit() {
    for server in servers(100.0).into_iter().filter(|server| server.latency.as_millis() == 20) {
        let together = Together { begin: &[0, 0, 0, 0, 0, 0], ..server };
        let shares = together.shares(60..300);
        assert!(shares.used >= 0.8 && shares.refused <= 1.0 / 6.0, "{together:?}: {shares:?}");
        assert!(shares.least >= 0.3, "{together:?}: {shares:?}");
    }
}
