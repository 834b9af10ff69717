//! What was left of a stream without parents when its read was stopped:
//!
//! ```json
//! {"created_at": "…", "unread": {
//!     "version": 1, "edges": ["…", "…", "…"], "observed": "…", "held": "…"}}
//! ```
//!
//! The records from the first edge up to the second have not been read, those from the third up to
//! the fourth, and so on. Nothing after the last edge has been read. `observed` and `held` are as
//! in `unfinished`. `opened` is when the first read was opened, if records can change for a time.

use json_text::{Json, Object};
use time::Timestamp;

use super::{VERSION, fields_of, optional, parse_text, put};
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
        let mut edges = String::new();
        for edge in &self.edges {
            edges.push_str(if edges.is_empty() { "[\"" } else { "\",\"" });
            edges.push_str(&format_instant(*edge));
        }
        edges.push_str("\"]");
        let mut object = Object::default();
        object.push("version", VERSION);
        object.push("edges", &edges);
        for (name, instant) in [("opened", self.opened), ("observed", self.observed), ("held", self.held)] {
            put(&mut object, name, instant);
        }
        object.finish()
    }

    pub(super) fn parse(value: Json<'_>) -> Result<Self, Problem> {
        let fields = fields_of(value, "unread")?;
        let mut edges = Vec::new();
        for edge in fields.list("edges") {
            let edge = parse_text(Some(edge), "edges")?.instant;
            if edges.last().is_some_and(|last| *last > edge) {
                return Err(Problem::new("the \"edges\" are not in order"));
            }
            edges.push(edge);
        }
        if edges.len() % 2 == 0 {
            return Err(Problem::new("the last of the \"edges\" is missing"));
        }
        let optional = |name| optional(&fields, name);
        Ok(Self {
            edges,
            opened: optional("opened")?,
            observed: optional("observed")?,
            held: optional("held")?,
        })
    }
}
