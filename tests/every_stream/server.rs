//! Requests what the emulator computes, as plainly as possible.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use mock_orb::{Collection, DEFAULT_API_KEY, MockOrb, Timestamp};

use super::rows::{Fields, PRICE_OF_ROW, add, at, hoist, instant, list, nested, quoted, text};
use crate::support::shape::fields;

/// The range that is read: all of the emulator's year, and what is dated after it by some minutes.
pub(super) const START: &str = "2024-01-01T00:00:00Z";
pub(super) const END: &str = "2025-01-02T00:00:00Z";

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The server.
pub(super) struct Server<'a>(pub(super) &'a MockOrb);

impl Server<'_> {
    pub(super) fn rows(&self, resource: &str, owner: &str) -> Vec<Fields> {
        self.0.account().rows(resource, owner).iter().map(|row| fields(row)).collect()
    }

    pub(super) fn records(&self, collection: Collection) -> Vec<Fields> {
        self.0.account().records(collection).iter().map(|row| fields(row)).collect()
    }

    /// The body of a successful answer.
    pub(super) fn get(&self, path_and_query: &str) -> Option<String> {
        let mut connection = TcpStream::connect(self.0.address()).unwrap();
        let head = format!(
            "GET /v1/{path_and_query} HTTP/1.1\r\nhost: orb\r\nauthorization: Bearer {DEFAULT_API_KEY}\r\n\
             connection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        head.starts_with("HTTP/1.1 200 ").then(|| body.to_owned())
    }

    pub(super) fn object(&self, path_and_query: &str) -> Option<Fields> {
        self.get(path_and_query).map(|body| fields(&body))
    }

    /// The elements of all pages.
    pub(super) fn list(&self, path: &str, query: &str) -> Vec<Fields> {
        let (mut elements, mut cursor) = (Vec::new(), String::new());
        loop {
            let asked = format!("{path}?{query}&limit=100{cursor}");
            let answer =
                self.object(&asked.replace("?&", "?")).unwrap_or_else(|| panic!("{asked} is refused"));
            elements.extend(list(&answer["data"]));
            match at(&answer, "pagination_metadata.next_cursor") {
                null if null == "null" => return elements,
                next => {
                    let token = next.trim_matches('"').replace('+', "%2B");
                    cursor = format!("&cursor={token}");
                }
            }
        }
    }

    /// The blocks in Orb's default currency.
    pub(super) fn credit_blocks(&self) -> Vec<Fields> {
        let of = |id: String| {
            let rows = self.list(&format!("customers/{id}/credits"), "include_all_blocks=true");
            rows.into_iter()
                .map(move |row| add(add(row, "customer_id", &quoted(&id)), "currency", "\"credits\""))
        };
        let customers = self.0.account().customer_ids();
        customers.into_iter().flat_map(of).collect()
    }

    /// The costs of each price on each day. A day that begins before the range is a row only if
    /// `is_born` in the range.
    pub(super) fn costs(&self, path: &str, is_born: bool) -> Vec<Fields> {
        let mut days = BTreeMap::new();
        for (start, end) in [("2023-12-30T00:00:00Z", "2024-07-02T00:00:00Z"), ("2024-06-29T00:00:00Z", END)]
        {
            let timeframe = format!("timeframe_start={start}&timeframe_end={end}");
            let answer = self.object(&format!("{path}?view_mode=periodic&{timeframe}")).unwrap();
            for day in list(&answer["data"]) {
                days.insert(instant(&text(&day, "timeframe_start")), day);
            }
        }
        let is_kept = |at: &Timestamp| (is_born || *at >= instant(START)) && *at < instant(END);
        let rows = days.iter().filter(|(at, _)| is_kept(at)).flat_map(|(_, day)| {
            let outer = [("timeframe_start", "timeframe_start"), ("timeframe_end", "timeframe_end")];
            nested(std::slice::from_ref(day), "per_price_costs", &outer)
        });
        let row = |row: Fields| {
            let names = [("price.name", "price_name"), ("price.currency", "price_currency")];
            let mut row = hoist(hoist(vec![row], &names), &PRICE_OF_ROW[1..]).remove(0);
            row.remove("price");
            row.insert("currency".to_owned(), "null".to_owned());
            row
        };
        rows.map(row).collect()
    }

    /// The events of each hour, requested day by day.
    pub(super) fn volumes(&self, mut start: Timestamp, end: Timestamp) -> Vec<Fields> {
        let mut hours = Vec::new();
        while start < end {
            let next = end.min(start + 24 * HOUR);
            let timeframe = format!("timeframe_start={start}&timeframe_end={next}&limit=100");
            hours.extend(list(&self.object(&format!("events/volume?{timeframe}")).unwrap()["data"]));
            start = next;
        }
        hours
    }
}
