//! Reads usage and costs of an account whose past days are corrected by backfills, before and
//! during reads that are killed at random. Most of it is that account, which nothing else uses.

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _};

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use elt_sdk::{
    instant::{format_instant, parse_instant},
    testing::instant,
};
use time::{SignedDuration, Timestamp};

const DAY: i64 = 24 * 3600;

/// So many that a read has checkpoints.
const SUBSCRIPTIONS: usize = 230;

const CUSTOMERS: usize = 40;

struct Backfill {
    status: &'static str,
    created: Timestamp,
    closed: Timestamp,
    reverted: Option<Timestamp>,
    /// Days since the start of the account.
    days: std::ops::Range<i64>,
    customer: Option<usize>,
    value: i64,
}

impl Backfill {
    fn counts(&self) -> bool {
        ["reflected", "pending_revert"].contains(&self.status)
    }

    fn json(&self, index: usize) -> Value {
        json!({
            "id": format!("backfill-{index}"),
            "status": self.status,
            "created_at": format_instant(self.created),
            "close_time": format_instant(self.closed),
            "reverted_at": self.reverted.map(format_instant),
            "timeframe_start": format_instant(midnight(self.days.start)),
            "timeframe_end": format_instant(midnight(self.days.end)),
            "customer_id": self.customer.map(|number| format!("customer-{number}")),
        })
    }
}

fn midnight(day: i64) -> Timestamp {
    instant("2024-01-01T00:00:00Z") + SignedDuration::seconds(DAY * day)
}

struct Account {
    now: Timestamp,
    random: Rng,
    backfills: Vec<Backfill>,
    /// One in so many requests is preceded by a mutation. 0 is never.
    mutates: usize,
    has_backfills: bool,
    requests: BTreeMap<&'static str, usize>,
}

impl Account {
    fn new(seed: u64) -> Self {
        let mut account = Self {
            now: instant("2024-05-20T00:00:00Z"),
            random: Rng::with_seed(seed),
            backfills: Vec::new(),
            mutates: 0,
            has_backfills: true,
            requests: BTreeMap::new(),
        };
        for _ in 0..20 {
            account.mutate();
        }
        account
    }

    fn mutate(&mut self) {
        self.now += SignedDuration::seconds(1);
        let now = self.now;
        let index = self.random.usize(..=self.backfills.len());
        let Some(backfill) = self.backfills.get_mut(index) else {
            let start = i64::try_from(self.random.usize(..140)).unwrap();
            let length = 1 + i64::try_from(self.random.usize(..5)).unwrap();
            let customer = Some(self.random.usize(..CUSTOMERS)).filter(|number| *number > 0);
            let (status, closed, reverted, value) = ("pending", now, None, 1 << self.random.usize(..30));
            let days = start..start + length;
            self.backfills.push(Backfill { status, created: now, closed, reverted, days, customer, value });
            return;
        };
        match backfill.status {
            "pending" => (backfill.status, backfill.closed) = ("reflected", now),
            "reflected" => backfill.status = "pending_revert",
            "pending_revert" => (backfill.status, backfill.reverted) = ("reverted", Some(now)),
            _ => {}
        }
    }

    /// Returns the usage of a customer on a day.
    fn quantity(&self, customer: usize, day: i64) -> i64 {
        let concerned = self.backfills.iter().filter(|backfill| {
            backfill.counts()
                && backfill.days.contains(&day)
                && backfill.customer.is_none_or(|number| number == customer)
        });
        1 + concerned.map(|backfill| backfill.value).sum::<i64>()
    }

    fn customer_of(subscription: usize) -> usize {
        subscription % CUSTOMERS
    }

    fn customers(subscription: usize) -> Vec<usize> {
        // Some subscriptions also count the usage of another customer.
        let own = Self::customer_of(subscription);
        if subscription.is_multiple_of(10) { vec![own, (own + 1) % CUSTOMERS] } else { vec![own] }
    }

    fn usage(&self, customers: &[usize], day: i64) -> i64 {
        customers.iter().map(|customer| self.quantity(*customer, day)).sum()
    }

    /// Returns the days of a timeframe as Orb does: truncated at its ends.
    fn days(
        &self,
        customers: &[usize],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<(Timestamp, Timestamp, i64)> {
        let days = (-1..200).map(|day| (midnight(day), midnight(day + 1), day));
        days.filter(|(start, end, _)| *start < until && *end > from)
            .map(|(start, end, day)| {
                let is_whole = start >= from && end <= until;
                let quantity = if is_whole { self.usage(customers, day) } else { -7 };
                (start.max(from), end.min(until), quantity)
            })
            .collect()
    }

    fn answer(&mut self, url: &str) -> Response {
        self.now += SignedDuration::milliseconds(10);
        if self.mutates > 0 && self.random.usize(..self.mutates) == 0 {
            self.mutate();
        }
        let url = url.replace("%2B", "+").replace("%3A", ":");
        let (path, query) = url.strip_prefix("http://h/v1/").unwrap().split_once('?').unwrap();
        let get = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |id: &str| id.rsplit('-').next().unwrap().parse::<usize>().unwrap();
        let timeframe = || {
            let instant = |name| parse_instant(get(name).unwrap()).unwrap();
            (instant("timeframe_start"), instant("timeframe_end"))
        };
        let parts: Vec<&str> = path.split('/').collect();
        let kind = match parts[..] {
            ["customers"] => "customers",
            ["subscriptions"] => "subscriptions",
            ["events", "backfills"] => "backfills",
            [_, _, "usage"] => "usage",
            [_, _, "costs"] => "costs",
            _ => panic!("{path}"),
        };
        *self.requests.entry(kind).or_default() += 1;
        let skip = get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let created = |index: usize| {
            format_instant(midnight(0) - SignedDuration::hours(1) * i32::try_from(index).unwrap())
        };
        let list: Vec<Value> = match parts[..] {
            ["customers"] => (0..CUSTOMERS)
                .map(|index| json!({"id": format!("customer-{index}"), "created_at": created(index)}))
                .collect(),
            ["subscriptions"] => (0..SUBSCRIPTIONS)
                .map(|index| {
                    let ids: Vec<String> =
                        Self::customers(index).iter().map(|number| format!("customer-{number}")).collect();
                    json!({
                        "id": format!("subscription-{index}"),
                        "created_at": created(index),
                        "start_date": "2023-01-01T00:00:00+00:00",
                        "end_date": null,
                        "customer": {"id": ids[0]},
                        "price_intervals": [{"usage_customer_ids": ids}],
                    })
                })
                .collect(),
            ["events", "backfills"] if !self.has_backfills => return answer(404, changes::NOT_FOUND),
            ["events", "backfills"] => self
                .backfills
                .iter()
                .enumerate()
                .rev()
                .map(|(index, backfill)| backfill.json(index))
                .collect(),
            [_, id, "usage"] => {
                let (from, until) = timeframe();
                let days: Vec<Value> = self
                    .days(&Self::customers(number(id)), from, until)
                    .into_iter()
                    .map(|(start, end, quantity)| {
                        json!({"quantity": quantity, "timeframe_start": format_instant(start), "timeframe_end": format_instant(end)})
                    })
                    .collect();
                return page(
                    &json!({"billable_metric": {"id": "m", "name": "M"}, "usage": days, "view_mode": "periodic"}).to_string(),
                    None,
                );
            }
            [_, id, _] => {
                let (from, until) = timeframe();
                let customers =
                    if parts[0] == "customers" { vec![number(id)] } else { Self::customers(number(id)) };
                let mut text = String::new();
                for (start, end, quantity) in self.days(&customers, from, until) {
                    let day = json!({
                        "timeframe_start": format_instant(start),
                        "timeframe_end": format_instant(end),
                        "per_price_costs": [{"price_id": "p", "quantity": quantity, "price": {"id": "p"}}],
                    });
                    write!(text, "{}{day}", if text.is_empty() { "" } else { "," }).unwrap();
                }
                return answer(200, format!("{{\"data\":[{text}]}}"));
            }
            _ => panic!("{path}"),
        };
        let limit: usize = get("limit").unwrap().parse().unwrap();
        let records: Vec<String> = list.iter().skip(skip).take(limit).map(Value::to_string).collect();
        let next = (list.len() > skip + limit).then(|| (skip + limit).to_string());
        page(&records.join(","), next.as_deref())
    }
}

#[derive(Default)]
struct Destination {
    /// Quantities by parent and day.
    records: BTreeMap<(String, String), i64>,
    state: Option<String>,
    emitted: usize,
}

struct Sync {
    account: Rc<RefCell<Account>>,
    world: Rc<World>,
    stream: &'static str,
}

impl Sync {
    fn new(stream: &'static str, seed: u64) -> Self {
        let account = Rc::new(RefCell::new(Account::new(seed)));
        let server = Rc::clone(&account);
        let world = World::new(move |request: &Request| Ok(server.borrow_mut().answer(&request.url)));
        let sync = Self { account, world, stream };
        sync.wait(0);
        sync
    }

    /// Reads the stream to its end, or up to a number of batches.
    fn read(&self, to: &mut Destination, batches: usize) -> bool {
        let mut reader = connector(&self.world).read(CONFIG, self.stream, to.state.as_deref()).unwrap();
        for _ in 0..batches {
            let Some(batch) = self.world.run(reader.next_batch()).unwrap() else { return true };
            to.emitted += batch.records.len();
            for record in batch.records {
                let record: Value = serde_json::from_str(&record).unwrap();
                let parent = [&record["subscription_id"], &record["customer_id"]];
                let parent = parent.iter().find_map(|id| id.as_str()).unwrap().to_owned();
                let day = record["timeframe_start"].as_str().unwrap().to_owned();
                to.records.insert((parent, day), record["quantity"].as_i64().unwrap());
            }
            to.state = batch.checkpoint.or(to.state.take());
        }
        false
    }

    fn wait(&self, hours: u64) {
        self.world.advance(Duration::from_secs(hours * 3600));
        self.account.borrow_mut().now =
            instant("2024-06-01T00:00:00Z") + SignedDuration::try_from(self.world.elapsed()).unwrap();
    }

    /// Compares all whole days with the account.
    fn compare(&self, to: &Destination, case: &str) {
        let account = self.account.borrow();
        let parents = if self.stream == "customer_costs" { CUSTOMERS } else { SUBSCRIPTIONS };
        for index in 0..parents {
            let (parent, customers) = match self.stream {
                "customer_costs" => (format!("customer-{index}"), vec![index]),
                _ => (format!("subscription-{index}"), Account::customers(index)),
            };
            for day in (0..).take_while(|day| midnight(day + 1) <= account.now) {
                let key = (parent.clone(), format_instant(midnight(day)));
                assert_eq!(
                    to.records.get(&key),
                    Some(&account.usage(&customers, day)),
                    "{case}: {}: {key:?}",
                    self.stream
                );
            }
        }
    }
}

#[test]
fn the_days_that_backfills_touched_are_read_again() {
    for (stream, seed) in [
        ("subscription_usage", 1),
        ("subscription_usage", 2),
        ("subscription_costs", 3),
        ("customer_costs", 4),
    ] {
        let sync = Sync::new(stream, seed);
        let mut to = Destination::default();
        for round in 0..3 {
            sync.account.borrow_mut().mutates = 20;
            loop {
                let batches = 20 + sync.account.borrow_mut().random.usize(..400);
                if sync.read(&mut to, batches) {
                    break;
                }
                sync.wait(1);
            }
            sync.account.borrow_mut().mutates = 0;
            sync.wait(2 + round * 5);
            for _ in 0..30 {
                sync.account.borrow_mut().mutate();
            }
            sync.wait(50);
            // Killed again, without mutations.
            sync.read(&mut to, 150);
            assert!(sync.read(&mut to, usize::MAX));
            sync.compare(&to, &format!("seed {seed}, round {round}"));
        }
    }
}

#[test]
fn only_the_customers_and_days_of_a_backfill_cost_requests() {
    let sync = Sync::new("subscription_usage", 5);
    let mut to = Destination::default();
    assert!(sync.read(&mut to, usize::MAX));
    // A first read needs no backfills, because it reads everything as it is.
    assert_eq!(sync.account.borrow().requests.get("backfills"), None);
    let mut read = |sync: &Sync| {
        sync.wait(24);
        sync.account.borrow_mut().requests.clear();
        to.emitted = 0;
        assert!(sync.read(&mut to, usize::MAX));
        let account = sync.account.borrow();
        (account.requests["usage"], account.requests["backfills"], to.emitted)
    };
    let (requests, backfills, emitted) = read(&sync);
    assert_eq!((requests, backfills), (SUBSCRIPTIONS, 1));
    let now = sync.account.borrow().now;
    sync.account.borrow_mut().backfills.push(Backfill {
        status: "reflected",
        created: now,
        closed: now,
        reverted: None,
        days: 10..13,
        customer: Some(7),
        value: 5,
    });
    let concerned = (0..SUBSCRIPTIONS).filter(|index| Account::customers(*index).contains(&7)).count();
    let (more_requests, _, more_emitted) = read(&sync);
    assert_eq!(more_requests, requests + concerned);
    // In some time zone, a fourth day overlaps the three.
    assert!((3 * concerned..=4 * concerned).contains(&(more_emitted - emitted)), "{more_emitted} {emitted}");
    assert_eq!(read(&sync).0, requests);
}

#[test]
fn a_backfill_of_days_that_are_read_anyway_repeats_none_of_them() {
    for stream in ["subscription_usage", "subscription_costs", "customer_costs"] {
        let sync = Sync::new(stream, 7);
        let mut to = Destination::default();
        // The cursor is not at midnight.
        sync.wait(10);
        assert!(sync.read(&mut to, usize::MAX));
        let today = (sync.account.borrow().now - midnight(0)).whole_hours() / 24;
        sync.wait(24);
        let now = sync.account.borrow().now;
        let (status, reverted, customer) = ("reflected", None, None);
        let days = today - 10..today + 1;
        let new = Backfill { status, created: now, closed: now, reverted, days, customer, value: 3 };
        sync.account.borrow_mut().backfills.push(new);
        let mut new = Destination { state: to.state.clone(), ..Destination::default() };
        assert!(sync.read(&mut new, usize::MAX));
        assert_eq!(new.emitted, new.records.len(), "{stream}");
        to.records.append(&mut new.records);
        sync.compare(&to, stream);
    }
}

#[test]
fn a_backfill_since_another_connector_read_each_subscription_is_followed() {
    let sync = Sync::new("subscription_usage", 8);
    let now = sync.account.borrow().now;
    let (status, reverted, customer, days) = ("reflected", None, None, 10..13);
    let new =
        Backfill { status, created: now, closed: now, reverted, days: days.clone(), customer, value: 3 };
    sync.account.borrow_mut().backfills.push(new);
    let cursors = (0..SUBSCRIPTIONS)
        .map(|index| (format!("subscription-{index}"), json!({"timeframe_start": "2024-05-28T00:00:00Z"})));
    let state = Value::from(cursors.collect::<serde_json::Map<_, _>>());
    // Longer ago than what the read after the first one looks back to.
    sync.wait(24 * 10);
    let mut to = Destination { state: Some(state.to_string()), ..Destination::default() };
    assert!(sync.read(&mut to, usize::MAX));
    for (index, day) in (0..SUBSCRIPTIONS).flat_map(|index| days.clone().map(move |day| (index, day))) {
        let key = (format!("subscription-{index}"), format_instant(midnight(day)));
        let usage = sync.account.borrow().usage(&Account::customers(index), day);
        assert_eq!(to.records.get(&key), Some(&usage), "{key:?}");
    }
}

#[test]
fn without_the_list_of_backfills_a_read_goes_on_with_a_warning() {
    let sync = Sync::new("customer_costs", 6);
    let mut to = Destination::default();
    assert!(sync.read(&mut to, usize::MAX));
    sync.wait(24);
    assert!(sync.read(&mut to, usize::MAX));
    let known = |to: &Destination| {
        let state: Value = serde_json::from_str(to.state.as_deref().unwrap()).unwrap();
        state["corrections"].clone()
    };
    let before = known(&to);
    assert!(!before.as_object().unwrap().is_empty());
    sync.account.borrow_mut().has_backfills = false;
    for _ in 0..30 {
        sync.account.borrow_mut().mutate();
    }
    sync.wait(24);
    assert!(sync.read(&mut to, usize::MAX));
    let lines = sync.world.lines.borrow().clone();
    let warning =
        |line: &&(Level, String)| line.0 == Level::Warn && line.1.contains("past days are not corrected");
    assert_eq!(lines.iter().filter(warning).count(), 1, "{lines:?}");
    // What is known stays so, and the next read makes up for it.
    assert_eq!(known(&to), before);
    sync.account.borrow_mut().has_backfills = true;
    sync.wait(24);
    assert!(sync.read(&mut to, usize::MAX));
    sync.compare(&to, "after the outage");
}
