//! What was left of a stream without parents when its read was stopped:
//!
//! ```json
//! {"created_at": "…", "unread": {"version": 1, "edges": ["…", "…", "…"], "observed": "…"}}
//! ```
//!
//! The records from the first edge up to the second have not been read, those from the third up to
//! the fourth, and so on. Nothing after the last edge has been read. `observed` and `held` are as in
//! `unfinished`. `opened` is when the first read was opened, if records can change for a time.

use json_text::{Fields, Json, Object};
use time::Timestamp;

use super::{VERSION, parse_text};
use crate::{instant::format_instant, problem::Problem};

/// What has not been read of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where unread parts begin and end, in turn. The last one has no end.
    pub edges: Vec<Timestamp>,
    /// When the first read was opened, if the stream has a grace period.
    pub opened: Option<Timestamp>,
    /// The newest position seen.
    pub observed: Option<Timestamp>,
    /// The oldest position of a record that can still change.
    pub held: Option<Timestamp>,
}

impl Unread {
    pub(super) fn to_json(&self) -> String {
        let mut object = Object::default();
        object.push("version", VERSION);
        let edges: Vec<_> = self.edges.iter().map(|edge| format!("\"{}\"", format_instant(*edge))).collect();
        object.push("edges", &format!("[{}]", edges.join(",")));
        for (name, instant) in [("opened", self.opened), ("observed", self.observed), ("held", self.held)] {
            if let Some(instant) = instant {
                object.push_text(name, &format_instant(instant));
            }
        }
        object.finish()
    }

    pub(super) fn parse(value: Json<'_>) -> Result<Self, Problem> {
        let fields = Fields::of(value).ok_or("\"unread\" is not an object")?;
        super::check_version(&fields)?;
        let instant = |value, name| parse_text(Some(value), name).map(|cursor| cursor.instant);
        let optional = |name| fields.value(name).map(|value| instant(value, name)).transpose();
        let list = fields.value("edges").and_then(Json::list).ok_or("\"edges\" is not a list")?;
        let edges = list.into_iter().map(|edge| instant(edge, "edges")).collect::<Result<Vec<_>, _>>()?;
        if edges.len() % 2 == 0 || !edges.is_sorted() {
            return Err(Problem::new("\"edges\" are not an odd number of timestamps in order"));
        }
        Ok(Self {
            edges,
            opened: optional("opened")?,
            observed: optional("observed")?,
            held: optional("held")?,
        })
    }
}
