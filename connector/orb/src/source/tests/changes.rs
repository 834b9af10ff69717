//! Reads an account that changes at random, before and during reads that are killed at random, and
//! compares what a deduplicating destination then has with the account. Most of it is that account,
//! which nothing else uses.

use std::{cell::RefCell, collections::BTreeMap};

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use elt_sdk::{
    instant::{format_instant, parse_instant},
    testing::instant,
};
use time::{SignedDuration, Timestamp};

/// Records per page of the account's lists, few so that there are many pages.
const PAGE: usize = 7;

const DAY: i64 = 24 * 3600;

/// An account, with one kind of object per path.
struct Account {
    now: Timestamp,
    random: Rng,
    lists: BTreeMap<&'static str, BTreeMap<String, Value>>,
    events: Vec<Value>,
    /// How many objects were created.
    created: usize,
    /// How many mutations there were.
    mutations: usize,
    /// One in so many requests is preceded by a mutation. 0 is never.
    mutates: usize,
    /// Whether there are only mutations that the open invoices show.
    is_limited: bool,
    has_events: bool,
    /// Reads that have begun, and the last of those that have ended.
    begun: usize,
    ended: usize,
    requests: usize,
}

impl Account {
    fn new(seed: u64, is_limited: bool) -> Self {
        let lists = ["customers", "subscriptions", "plans", "credit_notes", "invoices"];
        let mut account = Self {
            now: instant("2024-05-31T00:00:00Z"),
            random: Rng::with_seed(seed),
            lists: lists.into_iter().map(|name| (name, BTreeMap::new())).collect(),
            events: Vec::new(),
            created: 0,
            mutations: 0,
            mutates: 0,
            is_limited,
            has_events: true,
            begun: 0,
            ended: 0,
            requests: 0,
        };
        for _ in 0..60 {
            account.now = instant("2024-05-01T00:00:00Z")
                + SignedDuration::minutes(account.random.usize(..40_000).try_into().unwrap());
            for kind in ["customer", "subscription", "plan", "credit_note", "invoice"] {
                account.create(kind);
            }
        }
        let states = ["issued", "paid", "paid", "paid", "void", "synced", "draft"];
        let ids: Vec<String> = account.lists["invoices"].keys().cloned().collect();
        for id in ids {
            let state = states[account.random.usize(..states.len())];
            account.set("invoices", &id, "status", json!(state));
        }
        account.now = instant("2024-06-01T00:00:00Z");
        account.events.clear();
        account
    }

    fn create(&mut self, kind: &str) -> String {
        let name = [kind, "s"].concat();
        let (path, list) = self.lists.iter_mut().find(|(path, _)| **path == name).unwrap();
        self.created += 1;
        let id = format!("{}-{}", &path[..3], self.created);
        let number = self.mutations;
        let mut object = json!({"id": id, "created_at": format_instant(self.now), "version": number});
        let of = |object: &mut Value, fields: Value| {
            object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        };
        match kind {
            "subscription" => of(&mut object, json!({"plan": {"id": "pla-3"}, "status": "active"})),
            "credit_note" => of(
                &mut object,
                json!({"voided_at": null, "invoice_id": "inv-5", "line_items": [{"id": "a"}]}),
            ),
            "invoice" => {
                let days = self.random.usize(..30);
                let seconds = DAY * (i64::try_from(days).unwrap() - 20);
                let date = format_instant(self.now + SignedDuration::seconds(seconds));
                let lines = json!([{"id": "1"}, {"id": "2"}]);
                of(
                    &mut object,
                    json!({"invoice_date": date, "status": "draft", "line_items": lines, "payment_attempts": []}),
                );
            }
            _ => {}
        }
        list.insert(id.clone(), object);
        self.touch(&name, &id);
        id
    }

    fn set(&mut self, list: &str, id: &str, field: &str, value: Value) {
        let object = self.lists.get_mut(list).unwrap().get_mut(id).unwrap();
        object[field] = value;
        object["version"] = json!(self.mutations);
    }

    /// Notes that reads which have begun may not see the object in its present state.
    fn touch(&mut self, list: &str, id: &str) {
        let begun = self.begun;
        self.lists.get_mut(list).unwrap().get_mut(id).unwrap()["touched"] = json!(begun);
    }

    fn event(&mut self, kind: &str, id: &str) {
        let (resource, _) = kind.split_once('.').unwrap();
        let mut object = json!({"id": id});
        if resource == "credit_note" {
            object["invoice_id"] = json!("inv-5");
        }
        let at = format_instant(self.now);
        let id = format!("event-{}", self.events.len());
        self.events.push(json!({"id": id, "type": kind, "created_at": at, "payload": {resource: object}}));
    }

    fn pick(&mut self, list: &str) -> (String, Value) {
        let list = &self.lists[list];
        let (id, object) = list.iter().nth(self.random.usize(..list.len())).unwrap();
        (id.clone(), object.clone())
    }

    fn mutate(&mut self) {
        self.mutations += 1;
        self.now += SignedDuration::seconds(1);
        let number = json!(self.mutations);
        if self.is_limited || self.random.usize(..2) == 0 {
            return self.mutate_invoice();
        }
        match self.random.usize(..9) {
            0 => {
                let id = self.create("customer");
                self.event("customer.created", &id);
            }
            1 => {
                let id = self.create("subscription");
                self.event("subscription.created", &id);
            }
            2 => {
                let id = self.create("credit_note");
                self.event("credit_note.issued", &id);
            }
            3 => {
                let (id, _) = self.pick("customers");
                self.set("customers", &id, "name", number);
                self.event("customer.edited", &id);
            }
            4 => {
                let (id, _) = self.pick("customers");
                if self.lists["customers"].len() > 20 {
                    self.lists.get_mut("customers").unwrap().remove(&id);
                    self.event("customer.edited", &id);
                }
            }
            5 => {
                let (id, _) = self.pick("subscriptions");
                self.set("subscriptions", &id, "status", json!("ended"));
                self.event("subscription.ended", &id);
            }
            6 => {
                let (id, _) = self.pick("subscriptions");
                self.set("subscriptions", &id, "plan", json!({"id": number}));
                self.event("subscription.plan_changed", &id);
            }
            7 => {
                let (id, _) = self.pick("plans");
                self.set("plans", &id, "name", number);
                self.event("plan.edited", &id);
            }
            _ => {
                let (id, _) = self.pick("credit_notes");
                self.set("credit_notes", &id, "voided_at", number);
                self.event("credit_note.marked_as_void", &id);
            }
        }
    }

    fn mutate_invoice(&mut self) {
        let (id, invoice) = self.pick("invoices");
        // What was open when a read looked at it may be closed without an event.
        let was_seen = invoice["touched"].as_u64().unwrap() < self.ended as u64;
        let may_close = was_seen || !self.is_limited;
        let status = |account: &mut Self, status: &str, event: &str| {
            account.set("invoices", &id, "status", json!(status));
            account.event(event, &id);
        };
        match (invoice["status"].as_str().unwrap(), self.random.usize(..4)) {
            ("draft", 0 | 1) => status(self, "issued", "invoice.issued"),
            ("draft", 2) => {
                let date = self.now
                    + SignedDuration::seconds(DAY * (5 - i64::try_from(self.random.usize(..30)).unwrap()));
                self.set("invoices", &id, "invoice_date", json!(format_instant(date)));
                self.touch("invoices", &id);
            }
            ("draft", _) if may_close => drop(self.lists.get_mut("invoices").unwrap().remove(&id)),
            ("issued", 0) if may_close => status(self, "void", "invoice.manually_marked_as_void"),
            ("issued", 1) => status(self, "synced", "invoice.sync_succeeded"),
            ("issued" | "synced", 2) if may_close => {
                let attempt = json!([{"id": format!("attempt-{}", self.mutations)}]);
                self.set("invoices", &id, "payment_attempts", attempt);
                status(self, "paid", "invoice.payment_succeeded");
            }
            ("issued" | "synced", _) => {
                self.set("invoices", &id, "memo", json!(self.mutations));
                self.event("invoice.edited", &id);
            }
            ("paid", 0) => {
                status(self, "issued", "invoice.undo_mark_as_paid");
                self.touch("invoices", &id);
            }
            ("paid" | "void", 1) if !self.is_limited => {
                self.set("invoices", &id, "memo", json!(self.mutations));
                self.event("invoice.edited", &id);
            }
            _ => drop(self.create("invoice")),
        }
    }

    /// Returns an object as the server sends it.
    fn sent(object: &Value) -> Value {
        let mut object = object.clone();
        object.as_object_mut().unwrap().remove("touched");
        object
    }

    fn answer(&mut self, url: &str) -> Response {
        self.requests += 1;
        self.now += SignedDuration::milliseconds(50);
        if self.mutates > 0 && self.random.usize(..self.mutates) == 0 {
            self.mutate();
        }
        let url = url.replace("%2B", "+").replace("%3A", ":").replace("%5B", "[").replace("%5D", "]");
        let (path, query) =
            url.strip_prefix("http://h/v1/").unwrap().split_once('?').unwrap_or((&url[12..], ""));
        let query: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let get = |name: &str| query.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let mut found: Vec<Value> = match path.split_once('/') {
            None if path == "webhook_events" && !self.has_events => return answer(404, NOT_FOUND),
            None if path == "webhook_events" => self.events.clone(),
            None => self.lists[path].values().map(Self::sent).collect(),
            Some(("invoices", "summary")) => self.lists["invoices"].values().map(summary).collect(),
            Some((list, id)) => match self.lists[list].get(id) {
                Some(object) => return answer(200, Self::sent(object).to_string()),
                None if list == "customers" => {
                    return answer(200, json!({"id": id, "deleted": true}).to_string());
                }
                None => return answer(404, NOT_FOUND),
            },
        };
        let time = if path.starts_with("invoices") { "invoice_date" } else { "created_at" };
        let at = |object: &Value| parse_instant(object[time].as_str().unwrap()).unwrap();
        let statuses: Vec<&str> =
            query.iter().filter(|(name, _)| *name == "status[]").map(|(_, value)| *value).collect();
        let bound = |operator: &str| get(&format!("{time}[{operator}]")).and_then(parse_instant);
        found.retain(|object| {
            (statuses.is_empty() || statuses.contains(&object["status"].as_str().unwrap()))
                && bound("gte").is_none_or(|bound| at(object) >= bound)
                && bound("lte").is_none_or(|bound| at(object) <= bound)
                && bound("lt").is_none_or(|bound| at(object) < bound)
        });
        let key =
            |object: &Value| format!("{}|{}", format_instant(at(object)), object["id"].as_str().unwrap());
        found.sort_by_cached_key(|object| std::cmp::Reverse(key(object)));
        if let Some(cursor) = get("cursor") {
            let cursor = cursor.replace("%7C", "|");
            found.retain(|object| key(object) < cursor);
        }
        let limit = get("limit").map_or(PAGE, |limit| limit.parse().unwrap()).min(PAGE);
        let next = found.get(limit - 1).filter(|_| found.len() > limit).map(key);
        let records: Vec<String> = found.iter().take(limit).map(Value::to_string).collect();
        page(&records.join(","), next.as_deref())
    }
}

pub(super) const NOT_FOUND: &str =
    r#"{"type":"https://docs.withorb.com/x#404-resource-not-found","title":"Not found"}"#;

/// The fields that an invoice has and its summary has not.
const OF_INVOICES: [&str; 2] = ["line_items", "subtotal"];

fn summary(invoice: &Value) -> Value {
    let mut summary = Account::sent(invoice);
    summary.as_object_mut().unwrap().retain(|name, _| !OF_INVOICES.contains(&name.as_str()));
    summary
}

/// A destination that keeps the newest record of each key.
#[derive(Default)]
struct Destination {
    records: BTreeMap<String, Value>,
    state: Option<String>,
    emitted: usize,
}

struct Sync {
    account: Rc<RefCell<Account>>,
    world: Rc<World>,
    config: String,
}

impl Sync {
    fn new(seed: u64, is_limited: bool, config: &str) -> Self {
        let account = Rc::new(RefCell::new(Account::new(seed, is_limited)));
        let server = Rc::clone(&account);
        let world = World::new(move |request: &Request| Ok(server.borrow_mut().answer(&request.url)));
        Self { account, world, config: CONFIG.replace('}', &format!("{config}}}")) }
    }

    /// Reads a stream to its end, or up to a number of batches.
    fn read(&self, stream: &str, to: &mut Destination, batches: usize) -> Result<bool> {
        let begun = {
            let mut account = self.account.borrow_mut();
            account.begun += 1;
            account.begun
        };
        let mut reader = connector(&self.world).read(&self.config, stream, to.state.as_deref())?;
        for _ in 0..batches {
            let Some(batch) = self.world.run(reader.next_batch())? else {
                self.account.borrow_mut().ended = begun;
                return Ok(true);
            };
            to.emitted += batch.records.len();
            for record in batch.records {
                let record: Value = serde_json::from_str(&record).unwrap();
                let key = key(stream, &record);
                to.records.insert(key, record);
            }
            to.state = batch.checkpoint.or(to.state.take());
        }
        Ok(false)
    }

    /// Lets time pass until everything that happened lies behind.
    fn wait(&self, hours: u64) {
        self.world.advance(Duration::from_secs(hours * 3600));
        self.account.borrow_mut().now =
            instant("2024-06-01T00:00:00Z") + SignedDuration::try_from(self.world.elapsed()).unwrap();
    }

    /// What a destination should have of a stream.
    fn expected(&self, stream: &str) -> BTreeMap<String, Value> {
        let account = self.account.borrow();
        let list = match stream {
            "invoice_line_items" | "invoice_payment_attempts" | "invoice_summaries" => "invoices",
            "credit_note_line_items" => "credit_notes",
            other => other,
        };
        let objects = account.lists[list].values().filter(|object| object["status"] != "draft");
        let rows = objects.flat_map(|object| match stream {
            "invoice_line_items" => nested(object, "line_items", "invoice_id"),
            "invoice_payment_attempts" => nested(object, "payment_attempts", "invoice_id"),
            "credit_note_line_items" => nested(object, "line_items", "credit_note_id"),
            "invoice_summaries" => vec![summary(object)],
            _ => vec![Account::sent(object)],
        });
        rows.map(|row| (key(stream, &row), row)).collect()
    }

    /// Compares the fields that the account has.
    fn compare(&self, stream: &str, to: &Destination, sees_deletions: bool, case: &str) {
        let expected = self.expected(stream);
        for (key, expected) in &expected {
            let record = to.records.get(key).unwrap_or_else(|| panic!("{case}: {stream} lacks {expected}"));
            for (name, value) in expected.as_object().unwrap() {
                let moved = stream == "subscriptions" && name == "plan";
                let found = if moved { json!({"id": record["plan_id"]}) } else { record[name].clone() };
                assert_eq!(found, *value, "{case}: {stream}: {name} of {record}");
            }
            assert_ne!(record["deleted"], true, "{case}: {stream} {record}");
        }
        let is_child = ["line_items", "attempts"].iter().any(|end| stream.ends_with(end));
        if sees_deletions && !is_child {
            for (key, record) in to.records.iter().filter(|(_, record)| record["deleted"] != true) {
                assert!(expected.contains_key(key), "{case}: {stream} still has {record}");
            }
        }
    }
}

fn nested(object: &Value, list: &str, id: &str) -> Vec<Value> {
    let row = |row: &Value| json!({"id": row["id"], id: object["id"]});
    object[list].as_array().unwrap().iter().map(row).collect()
}

fn key(stream: &str, record: &Value) -> String {
    match stream {
        "invoice_line_items" => format!("{} {}", record["invoice_id"], record["id"]),
        "credit_note_line_items" => format!("{} {}", record["credit_note_id"], record["id"]),
        _ => record["id"].to_string(),
    }
}

/// Reads, mutates, and reads again, several times, and compares after a quiet read.
fn follow(stream: &str, seed: u64, is_limited: bool, sees_deletions: bool, config: &str) {
    let case = format!("seed {seed}");
    let sync = Sync::new(seed, is_limited, config);
    let mut to = Destination::default();
    for round in 0..5 {
        sync.account.borrow_mut().mutates = 3;
        // Killed at random.
        loop {
            let batches = 1 + sync.account.borrow_mut().random.usize(..12);
            let batches = if sync.account.borrow_mut().random.usize(..2) == 0 { usize::MAX } else { batches };
            if sync.read(stream, &mut to, batches).unwrap() {
                break;
            }
            sync.wait(1);
        }
        sync.account.borrow_mut().mutates = 0;
        sync.wait(2 + round * 5);
        for _ in 0..100 {
            sync.account.borrow_mut().mutate();
        }
        sync.wait(3);
        assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
        sync.compare(stream, &to, sees_deletions, &format!("{case}, round {round}"));
    }
}

const OF_INVOICE: [&str; 4] =
    ["invoices", "invoice_line_items", "invoice_payment_attempts", "invoice_summaries"];

#[test]
fn what_becomes_of_open_invoices_is_seen() {
    for stream in OF_INVOICE {
        for seed in 1..=3 {
            follow(stream, seed, true, false, "");
        }
    }
}

#[test]
fn events_show_everything_that_happens() {
    let others = ["customers", "subscriptions", "plans", "credit_notes", "credit_note_line_items"];
    for stream in OF_INVOICE.into_iter().chain(others) {
        for seed in 1..=2 {
            for open in ["", r#","open_invoice_days":0"#] {
                let config = format!(r#","changes":"webhook_events"{open}"#);
                follow(stream, seed, false, true, &config);
            }
        }
    }
}

#[test]
fn a_sweep_shows_everything_but_deletions() {
    for stream in ["customers", "subscriptions", "plans", "credit_notes", "invoices"] {
        for seed in 1..=2 {
            // Each read is due: the smallest number of days is one.
            let sync = Sync::new(seed, false, r#","full_sweep_days":1"#);
            let mut to = Destination::default();
            for round in 0..4 {
                sync.read(stream, &mut to, 5 + round).unwrap();
                assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
                for _ in 0..60 {
                    sync.account.borrow_mut().mutate();
                }
                sync.wait(25);
                // A sweep that is killed goes on where it was, and is one sweep.
                sync.read(stream, &mut to, 3).unwrap();
                assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
                sync.compare(stream, &to, false, &format!("seed {seed}, round {round}"));
                let requests = sync.account.borrow().requests;
                assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
                assert!(sync.account.borrow().requests - requests < 20, "{stream}: swept again at once");
            }
        }
    }
}

#[test]
fn an_open_invoice_that_did_not_change_is_emitted_once() {
    for stream in ["invoices", "invoice_line_items", "invoice_summaries"] {
        let sync = Sync::new(7, true, r#","lookback_window_days":90"#);
        let mut to = Destination::default();
        assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
        let open = |sync: &Sync| {
            let account = sync.account.borrow();
            let is_open =
                |invoice: &&Value| ["issued", "synced"].contains(&invoice["status"].as_str().unwrap());
            account.lists["invoices"].values().filter(is_open).count()
        };
        assert!(open(&sync) > 5);
        // Nothing but what is closed comes again with the lookback window.
        sync.wait(5);
        let rows = if stream == "invoice_line_items" { 2 } else { 1 };
        let all = sync.expected(stream).len();
        to.emitted = 0;
        assert!(sync.read(stream, &mut to, usize::MAX).unwrap());
        assert_eq!(to.emitted, all - rows * open(&sync), "{stream}");
    }
}

/// Reads the only invoice of an account from a state. Returns the records and the last state.
fn read_invoice(status: &'static str, config: &str, state: &str) -> (Vec<String>, String) {
    let invoice = format!(r#"{{"id":"a","invoice_date":"2024-05-01T00:00:00Z","status":"{status}"}}"#);
    let world = World::new(move |request: &Request| {
        let is_there = !request.url.contains("lte") && (status == "issued" || request.url.contains("draft"));
        Ok::<_, TransportError>(match request.url.contains("/invoices/a") {
            true => answer(200, invoice.clone()),
            false => page(if is_there { &invoice } else { "" }, None),
        })
    });
    let config = format!("{}{config}}}", CONFIG.trim_end_matches('}'));
    let mut reader = connector(&world).read(&config, "invoices", Some(state)).unwrap();
    let (mut records, mut state) = (Vec::new(), None);
    world.run(async {
        while let Some(batch) = reader.next_batch().await.unwrap() {
            records.extend(batch.records);
            state = batch.checkpoint.or(state.take());
        }
    });
    (records, state.unwrap())
}

#[test]
fn an_invoice_that_is_issued_beyond_the_end_date_is_emitted_once_the_end_is_gone() {
    let draft = r#"{"invoice_date":"2024-05-20T00:00:00+00:00","open":{"a":""}}"#;
    let (records, state) = read_invoice("issued", r#","end_date":"2024-04-01T00:00:00Z""#, draft);
    assert_eq!((records, state.as_str()), (Vec::new(), draft));
    let (records, state) = read_invoice("paid", r#","end_date":"2024-04-01T00:00:00Z""#, &state);
    assert_eq!((records, state.as_str()), (Vec::new(), draft));
    assert_eq!(read_invoice("paid", "", &state).0.len(), 1);
}

#[test]
fn requests_are_in_proportion_to_what_is_open_and_to_what_was_closed() {
    let sync = Sync::new(11, true, "");
    let mut to = Destination::default();
    assert!(sync.read("invoices", &mut to, usize::MAX).unwrap());
    let count = |wanted: &[&str]| {
        let account = sync.account.borrow();
        account.lists["invoices"]
            .values()
            .filter(|one| wanted.contains(&one["status"].as_str().unwrap()))
            .count()
    };
    let open = count(&["draft", "issued", "synced"]);
    let ids: Vec<String> = sync.account.borrow().lists["invoices"]
        .iter()
        .filter(|(_, one)| one["status"] == "issued")
        .map(|(id, _)| id.clone())
        .collect();
    for id in &ids {
        sync.account.borrow_mut().set("invoices", id, "status", json!("paid"));
    }
    sync.wait(5);
    let before = sync.account.borrow().requests;
    assert!(sync.read("invoices", &mut to, usize::MAX).unwrap());
    let requests = sync.account.borrow().requests - before;
    // The pages of open ones and of new ones, and one for each that was closed.
    let most = open.div_ceil(PAGE) + 2 + ids.len();
    assert!(requests <= most, "{requests} > {most}");
    sync.compare("invoices", &to, true, "closed");
    // Without open ones, one request looks for them and one for new ones.
    let ids: Vec<String> = sync.account.borrow().lists["invoices"].keys().cloned().collect();
    for id in &ids {
        sync.account.borrow_mut().set("invoices", id, "status", json!("paid"));
    }
    sync.wait(5);
    assert!(sync.read("invoices", &mut to, usize::MAX).unwrap());
    sync.wait(5);
    let before = sync.account.borrow().requests;
    assert!(sync.read("invoices", &mut to, usize::MAX).unwrap());
    let requests = sync.account.borrow().requests - before;
    assert!(requests <= 2 + 10usize.div_ceil(PAGE), "{requests}");
    let state: Value = serde_json::from_str(to.state.as_deref().unwrap()).unwrap();
    assert_eq!(state.as_object().unwrap().keys().collect::<Vec<_>>(), ["invoice_date"]);
}

#[test]
fn few_events_are_one_request_and_one_for_each_object() {
    let sync = Sync::new(9, false, r#","changes":"webhook_events""#);
    let edit = |number: usize| {
        let mut account = sync.account.borrow_mut();
        // The newest ones are in the list of what is new.
        let mut customers: Vec<&Value> = account.lists["customers"].values().collect();
        customers.sort_by_key(|customer| customer["created_at"].as_str());
        let id = customers[number]["id"].as_str().unwrap().to_owned();
        account.set("customers", &id, "name", json!("edited"));
        account.event("customer.edited", &id);
        account.event("customer.edited", &id);
    };
    let mut to = Destination::default();
    edit(0);
    sync.wait(5);
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    sync.wait(5);
    (1..=3).for_each(edit);
    let before = sync.account.borrow().requests;
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    assert_eq!(sync.account.borrow().requests - before, 2 + 3);
    sync.compare("customers", &to, true, "edited");
}

#[test]
fn events_that_name_no_object_are_told_once() {
    let sync = Sync::new(9, false, r#","changes":"webhook_events""#);
    let mut to = Destination::default();
    let event = |payload: Value| {
        let mut account = sync.account.borrow_mut();
        let (number, at) = (account.events.len(), format_instant(account.now));
        account.events.push(json!({
            "id": format!("event-{number}"), "type": "customer.edited", "created_at": at, "payload": payload
        }));
    };
    let told = || {
        let lines = sync.world.lines.borrow();
        let told = lines.iter().filter(|(_, line)| line.contains("name no object")).cloned();
        told.collect::<Vec<_>>()
    };
    event(json!({"customer": {"id": "customers-1"}}));
    for _ in 0..2 {
        sync.wait(5);
        assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
        assert_eq!(told(), []);
    }
    sync.wait(5);
    // More than one page of them.
    (0..PAGE * 2).for_each(|_| event(json!({})));
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    let [(Level::Warn, line)] = &told()[..] else { panic!("{:?}", told()) };
    assert!(line.contains(&format!("{} events name no object and were skipped", PAGE * 2)), "{line}");
}

#[test]
fn a_log_of_events_says_nothing_of_whether_the_account_has_the_stream() {
    let sync = Sync::new(5, false, r#","changes":"webhook_events""#);
    let mut to = Destination::default();
    assert!(sync.read("credit_notes", &mut to, usize::MAX).unwrap());
    sync.wait(5);
    let kind = r#"{"type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    let server = Rc::clone(&sync.account);
    let world = World::new(move |request: &Request| {
        let is_stream = request.url.contains("/credit_notes");
        Ok(if is_stream { answer(404, kind) } else { server.borrow_mut().answer(&request.url) })
    });
    // One request at a time, so that events are answered first.
    let config = sync.config.replace('}', r#","concurrency":1}"#);
    let mut reader = connector(&world).read(&config, "credit_notes", to.state.as_deref()).unwrap();
    while world.run(reader.next_batch()).unwrap().is_some() {}
    let lines = world.lines.borrow();
    assert!(
        lines.iter().any(|(level, line)| *level == Level::Warn && line.contains("does not have it")),
        "{lines:?}"
    );
}

#[test]
fn a_log_of_events_that_is_not_there_is_a_warning() {
    let sync = Sync::new(3, false, r#","changes":"webhook_events""#);
    sync.account.borrow_mut().has_events = false;
    let mut to = Destination::default();
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    let first = to.state.clone();
    sync.wait(5);
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    // What was not looked at stays so.
    assert_eq!(to.state, first);
    let warns = |text: &str| {
        sync.world
            .lines
            .borrow()
            .iter()
            .filter(|(level, line)| *level == Level::Warn && line.contains(text))
            .count()
    };
    assert_eq!(warns("webhook_events cannot be read"), 1, "{:?}", sync.world.lines.borrow());
    sync.account.borrow_mut().has_events = true;
    assert!(sync.read("customers", &mut to, usize::MAX).unwrap());
    assert_eq!(warns("webhook_events has no events up to"), 1);
    assert_ne!(to.state, first);
}

#[test]
fn a_check_says_what_the_log_of_events_holds_and_does_not_fail_without_it() {
    let config = CONFIG.replace('}', r#","changes":"webhook_events"}"#);
    let event = r#"{"id":"e","created_at":"2024-05-30T00:00:00+00:00"}"#;
    for (events, level, words) in [
        (page(event, Some("next")), Level::Info, "the newest webhook event is of 2024-05-30T00:00:00+00:00"),
        (page("", None), Level::Warn, "there are no webhook events"),
        (answer(404, NOT_FOUND), Level::Warn, "webhook events cannot be read"),
        (answer(403, FORBIDDEN), Level::Warn, "webhook events cannot be read"),
        (answer(200, "<html>"), Level::Warn, "webhook events cannot be read"),
    ] {
        let world = World::new(move |request: &Request| {
            Ok(if request.url.contains("webhook_events") { events.clone() } else { answer(200, "{}") })
        });
        assert_eq!(world.run(connector(&world).check(&config)), Ok(()));
        let lines = world.lines.borrow();
        let said = |line: &&(Level, String)| line.0 == level && line.1.contains(words);
        assert_eq!(lines.iter().filter(said).count(), 1, "{words}: {lines:?}");
        let expected = ["GET http://h/v1/ping", "GET http://h/v1/webhook_events?limit=1"];
        assert_eq!(world.requests.borrow()[..2], expected);
    }
}
