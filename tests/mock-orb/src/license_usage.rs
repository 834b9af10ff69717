//! Answers requests for the usage of a subscription's licenses of one type.
//!
//! Orb does not say whether the last day is part of a timeframe. Here it is not, neither of what is
//! asked for nor of what a row tells.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::amount::Amount;
use crate::dice::{Salt, hash};
use crate::field::lookup;
use crate::instant::{midnight, parse_date, utc_date, write_date};
use crate::object::{Object, write_object};
use crate::owner::{Kind, OwnedBy};
use crate::page::write_rows;
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter, required};
use crate::problem::Problem;
use crate::resource::{Answer, Call, Resource};
use crate::shelf::Key;

pub(crate) static RESOURCE: Resource = Resource {
    name: "license_usage",
    path: "licenses/usage",
    owner: OwnedBy::Query(&[("subscription_id", Kind::Subscription)]),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        required("subscription_id", Rule::Any),
        required("license_type_id", Rule::Any),
        parameter("start_date", Rule::Day),
        parameter("end_date", Rule::Day),
        parameter("group_by", Rule::Any),
    ]),
    answer: Answer::Body(write_usage),
};

/// The credits that a license may consume on a day.
const ALLOCATED: &str = "100.50";

/// Consumptions as JSON numbers whose spelling clients must preserve.
const CONSUMED: [&str; 7] = ["0", "12.50", "1e-7", "100.00", "0.1", "7.25", "33.333333333333"];

struct License {
    id: String,
    external_id: String,
    start: Date,
    /// Exclusive.
    end: Date,
}

struct Row<'a> {
    license: Option<&'a License>,
    start: Date,
    end: Date,
    /// The days on which each license was alive.
    days: Vec<(&'a License, Date)>,
}

fn write_usage(call: &Call<'_>) -> Result<String, Problem> {
    let account = call.account;
    let license_type = call.value("license_type_id").unwrap_or_default();
    let mut types = account.rows("license_types", "").into_iter().filter_map(|it| lookup(&it, &["id"]));
    if !types.any(|id| id == license_type) {
        return Err(Problem::resource_not_found("LicenseType", license_type));
    }
    let groups: Vec<&str> = call.value("group_by").map_or_else(Vec::new, |by| by.split(',').collect());
    if groups.iter().any(|group| !matches!(*group, "license" | "day")) {
        return Err(Problem::validation(vec!["group_by: is not made of license and day".to_owned()]));
    }
    let period = account.terms(&call.owner.id).and_then(|terms| terms.period);
    let date = |name: &str, default: Option<Timestamp>| {
        let given = call.value(name).and_then(parse_date).or_else(|| default.map(utc_date));
        given.ok_or_else(|| {
            let error = "The subscription has no current billing period: dates are required.";
            Problem::constraint_violation(error)
        })
    };
    let start = date("start_date", period.map(|period| period.start))?;
    let end = date("end_date", period.map(|period| period.end))?;
    // Nothing is used in the future.
    let known = utc_date(account.settings().last).tomorrow().unwrap_or(Date::MAX);
    let licenses = licenses(call, license_type, known);
    let by = |group| groups.contains(&group);
    let rows = rows(&licenses, (start, end), known, by("license"), by("day"));
    let rows = rows
        .into_iter()
        .enumerate()
        .rev()
        .map(|(position, row)| (Key { at: midnight(row.start), sequence: position as u64 + 1 }, row));
    let mut rows: Vec<(Key, Row<'_>)> = rows.filter(|(key, _)| *key <= call.filter.newest).collect();
    rows.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
    Ok(write_rows(rows.into_iter(), call.filter, call.repeat_token, |_, row, out| {
        write_object(out, |object| write_row(call, license_type, &row, object));
    }))
}

fn licenses(call: &Call<'_>, license_type: &str, known: Date) -> Vec<License> {
    let read = |text: &String| {
        let date = |field| lookup(text, &[field])?.parse().ok().map(utc_date);
        let of_type = lookup(text, &["license_type_id"]).as_deref() == Some(license_type);
        Some(License {
            id: lookup(text, &["id"]).filter(|_| of_type)?,
            external_id: lookup(text, &["external_license_id"])?,
            start: date("start_date")?,
            end: date("end_date").unwrap_or(known),
        })
    };
    call.account.rows("licenses", &call.owner.id).iter().filter_map(read).collect()
}

fn rows<'a>(
    licenses: &'a [License],
    (start, end): (Date, Date),
    known: Date,
    by_license: bool,
    by_day: bool,
) -> Vec<Row<'a>> {
    let days = |from: Date, until: Date| from.series(1.day()).take_while(move |day| *day < until.min(known));
    let alive = |license: &'a License, from: Date, until: Date| {
        days(from.max(license.start), until.min(license.end)).map(move |day| (license, day))
    };
    let mut windows = vec![(start, end)];
    if by_day {
        windows = days(start, end).map(|day| (day, day.tomorrow().unwrap_or(day))).collect();
    }
    let mut rows = Vec::new();
    for (start, end) in windows {
        if by_license {
            let row = |license| Row {
                license: Some(license),
                start,
                end,
                days: alive(license, start, end).collect(),
            };
            rows.extend(licenses.iter().map(row).filter(|row| !row.days.is_empty()));
        } else if !licenses.is_empty() && start < end {
            let days = licenses.iter().flat_map(|license| alive(license, start, end)).collect();
            rows.push(Row { license: None, start, end, days });
        }
    }
    rows
}

fn write_row(call: &Call<'_>, license_type: &str, row: &Row<'_>, object: &mut Object<'_>) {
    let number = |license: &License, day: Date| {
        let at = midnight(day).as_second() as u64;
        call.account.blueprint.dice.roll(Salt::License, (1 << 62) ^ hash(&license.id) ^ at)
    };
    let consumed = |(license, day): &(&License, Date)| {
        Amount::parse(CONSUMED[(number(license, *day) % CONSUMED.len() as u64) as usize]).unwrap_or_default()
    };
    let consumed = row.days.iter().map(consumed).fold(Amount::default(), Amount::plus);
    let allocated = Amount::parse(ALLOCATED).unwrap_or_default().times(row.days.len() as u64);
    let date = |out: &mut String, date: Date| {
        out.push('"');
        write_date(out, date);
        out.push('"');
    };
    match row.license {
        Some(license) => {
            object.text("license_id", &license.id).text("external_license_id", &license.external_id);
        }
        None if row.start.day() % 2 == 0 => {
            object.nulls(&["license_id", "external_license_id"]);
        }
        None => {}
    }
    object.text("subscription_id", &call.owner.id).text("license_type_id", license_type);
    object.value("start_date", |out| date(out, row.start)).value("end_date", |out| date(out, row.end));
    object.number("allocated_credits", allocated).number("consumed_credits", consumed);
    object.number("remaining_credits", allocated.minus(consumed)).text("pricing_unit", "credits");
    match row.start.day() % 3 {
        0 => {}
        1 => {
            object.nulls(&["allocation_eligible_credits", "shared_pool_credits"]);
        }
        _ => {
            object.number("allocation_eligible_credits", consumed).raw("shared_pool_credits", "1E+2");
        }
    }
}
