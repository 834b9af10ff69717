//! Generates documented `PlanVersionChange` objects: the migrations of a plan's subscriptions.

use jiff::Timestamp;

use crate::blueprint::Blueprint;
use crate::dice::Salt;
use crate::instant::{Spelling, utc_date, write_date, write_instant};
use crate::object::{write_object, write_text};
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters};
use crate::resource::{Answer, List, Resource};
use crate::timeline::Timeline;

pub(crate) static RESOURCE: Resource = Resource {
    name: "plan_migrations",
    path: "plans/{}/migrations",
    owner: OwnedBy::Path(Kind::Plan),
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |_, plan| count(plan),
        date: |blueprint, plan, index| {
            Timeline::new(plan.at, blueprint.timeline.last()).at(index, count(plan))
        },
        id: |blueprint, plan, index| id(blueprint, plan, index),
        write,
        ..List::EMPTY
    }),
};

const STATUSES: [&str; 5] = ["not_started", "in_progress", "completed", "action_needed", "canceled"];

fn count(plan: &Owner) -> u64 {
    [0, 6, 2][(plan.number() % 3) as usize]
}

fn id(blueprint: &Blueprint, plan: &Owner, index: u64) -> String {
    blueprint.dice.id(Salt::Migration, (plan.number() << 32) + index)
}

fn write(blueprint: &Blueprint, plan: &Owner, index: u64, at: Timestamp, out: &mut String) {
    write_object(out, |migration| {
        migration.text("id", &id(blueprint, plan, index)).text("plan_id", &plan.id);
        migration.value("effective_time", |out| write_time(index, at, out));
        migration.text("status", STATUSES[index as usize % STATUSES.len()]);
    });
}

/// A date, an instant, a word or null.
fn write_time(index: u64, at: Timestamp, out: &mut String) {
    match index % 5 {
        0 => {
            out.push('"');
            write_date(out, utc_date(at));
            out.push('"');
        }
        1 => {
            out.push('"');
            write_instant(out, at, Spelling::Zulu);
            out.push('"');
        }
        2 => write_text(out, "end_of_term"),
        3 => out.push_str("null"),
        _ => write_text(out, "end_of_invoice"),
    }
}
