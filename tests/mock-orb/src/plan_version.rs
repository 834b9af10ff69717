//! Answers requests for one version of a plan. Versions count from 1 without gaps, and the newest
//! may be newer than the plan's default one.

use crate::account::Account;
use crate::collection::Collection;
use crate::field::{find, items, lookup};
use crate::instant::Spelling;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::Parameters;
use crate::problem::Problem;
use crate::resource::{Answer, Call, Resource};
use crate::timeline::Timeline;

pub(crate) static RESOURCE: Resource = Resource {
    name: "plan_versions",
    path: "plans/{}/versions/{}",
    owner: OwnedBy::Path(Kind::Plan),
    parameters: Parameters::of(&[]),
    answer: Answer::Body(write_version),
};

/// The fields of a plan's phase that a version's has too.
const PHASE: [&str; 6] = ["id", "description", "duration", "duration_unit", "name", "order"];

/// The default version of a plan, and the newest one: every other plan has one that is not the
/// default yet.
fn versions(plan: &Owner, text: &str) -> (u64, u64) {
    let default = lookup(text, &["version"]).and_then(|version| version.parse().ok()).unwrap_or(1);
    (default, default + plan.number() % 2)
}

fn write_version(call: &Call<'_>) -> Result<String, Problem> {
    let (account, plan): (&Account, &Owner) = (call.account, call.owner);
    let asked = call.segments.get(1).map_or("", String::as_str);
    let missing = || Problem::resource_not_found("PlanVersion", asked);
    let text = account.record(Collection::Plans, &plan.id).ok_or_else(missing)?;
    let (default, newest) = versions(plan, &text);
    let version = asked.parse::<u64>().ok().filter(|version| (1..=newest).contains(version));
    let version = version.ok_or_else(missing)?;
    let mut prices = items(&text, &["prices"]);
    if version < default {
        // Older versions had fewer prices.
        prices.truncate(prices.len().div_ceil(2));
    }
    let created = Timeline::new(plan.at, account.settings().last).at(version - 1, newest);
    let mut body = String::new();
    write_object(&mut body, |answer| {
        answer.instant("created_at", created, Spelling::Offset).number("version", version);
        if find(&text, &["plan_phases"]).is_none_or(|phases| phases == "null") {
            answer.raw("plan_phases", "null");
        } else {
            answer.list("plan_phases", items(&text, &["plan_phases"]), |out, phase| {
                write_object(out, |object| {
                    for name in PHASE {
                        object.raw(name, find(phase, &[name]).unwrap_or("null"));
                    }
                });
            });
        }
        answer.list("prices", prices, String::push_str);
        answer.list("adjustments", items(&text, &["adjustments"]), String::push_str);
    });
    Ok(body)
}
