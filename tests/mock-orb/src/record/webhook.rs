//! Generates webhook endpoints, and the log of the events that were sent to them.
//!
//! Neither is in Orb's published document: the endpoints are known to newer official clients, the
//! events only to Orb's documentation.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::field::without;
use crate::instant::Spelling;
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{
    CREATED_GT, CREATED_GTE, CREATED_LT, CREATED_LTE, CURSOR, LIMIT, Parameters, Rule, parameter,
};
use crate::record::invoice;
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static ENDPOINTS: Resource = Resource {
    name: "webhook_endpoints",
    path: "webhook_endpoints",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[LIMIT, CURSOR]),
    answer: Answer::List(List {
        count: |blueprint, _| if blueprint.count(Collection::Customers) == 0 { 0 } else { ENDPOINT_COUNT },
        date: |blueprint, _, index| blueprint.timeline.at(index, ENDPOINT_COUNT),
        id: |blueprint, _, index| blueprint.dice.id(Salt::WebhookEndpoint, index),
        write: |blueprint, _, index, at, out| write_endpoint(blueprint, index, at, out),
        ..List::EMPTY
    }),
};

pub(crate) static EVENTS: Resource = Resource {
    name: "webhook_events",
    path: "webhook_events",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        CREATED_GTE,
        CREATED_GT,
        CREATED_LT,
        CREATED_LTE,
        parameter("event_type", Rule::Text(Facet::EventType)),
        parameter("delivery_success", Rule::Flag(Facet::Delivered, "true")),
        parameter("include_payload", Rule::Ignored(&[])),
    ]),
    answer: Answer::List(List {
        count: |blueprint, _| event_count(blueprint),
        date: |blueprint, _, index| {
            blueprint.date(Collection::Invoices, blueprint.count(Collection::Invoices) - 1 - index)
        },
        id: |blueprint, _, index| blueprint.dice.id(Salt::WebhookEvent, index),
        write: |blueprint, _, index, at, out| write_event(blueprint, index, at, out),
        form: Some(|call, event| match call.value("include_payload") {
            Some("false") => without(&event, &["payload"]),
            _ => event,
        }),
        ..List::EMPTY
    }),
};

const ENDPOINT_COUNT: u64 = 3;

/// Orb keeps a log of unknown length; here it has the newest invoices.
const MAXIMUM_EVENTS: u64 = 250;

fn event_count(blueprint: &Blueprint) -> u64 {
    blueprint.count(Collection::Invoices).min(MAXIMUM_EVENTS)
}

fn url(index: u64) -> String {
    format!("https://hooks.example.com/orb/{index}?a=%2B")
}

fn write_endpoint(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    write_object(out, |endpoint| {
        endpoint.text("id", &blueprint.dice.id(Salt::WebhookEndpoint, index));
        endpoint.instant("created_at", at, spelling(index)).flag("enabled", index != 1);
        let types = if index == 0 { "null" } else { r#"["invoice.issued","subscription.created"]"# };
        endpoint.raw("enabled_event_types", types);
        endpoint.text("payload_style", if index == 2 { "standard" } else { "expanded" });
        endpoint.text("url", &url(index));
    });
}

fn write_event(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let number = blueprint.count(Collection::Invoices) - 1 - index;
    let event_type = match invoice::status(number) {
        "draft" => "invoice.invoice_date_elapsed",
        "void" => "invoice.manually_marked_as_void",
        "paid" => "invoice.payment_succeeded",
        _ => "invoice.issued",
    };
    let id = blueprint.dice.id(Salt::WebhookEvent, index);
    // The first attempt may fail, and so may all.
    let outcomes: &[bool] = match index % 5 {
        1 => &[false, true],
        3 => &[false, false],
        4 => &[],
        _ => &[true],
    };
    write_object(out, |event| {
        event.text("id", &id).text("type", event_type).instant("created_at", at, spelling(index));
        event.flag("is_delivered", outcomes.contains(&true));
        event.object("payload", |payload| {
            payload.text("id", &id).instant("created_at", at, Spelling::Offset).text("type", event_type);
            payload.raw("properties", "{}");
            payload.value("invoice", |out| invoice::write(blueprint, number, at, out));
        });
        event.list("delivery_attempts", outcomes.iter().enumerate(), |out, (attempt, success)| {
            write_object(out, |object| {
                let at = later(at, SignedDuration::from_mins(1 + 10 * attempt as i64));
                let number = (1 << 40) + index * 2 + attempt as u64;
                object.text("id", &blueprint.dice.id(Salt::WebhookEvent, number));
                object.text("endpoint_url", &url(0)).flag("is_success", *success);
                let status = if index % 5 == 3 { "null" } else { "500" };
                object.raw("response_status_code", if *success { "200" } else { status });
                object.number("elapsed_ms", 20 + index).instant("created_at", at, Spelling::Offset);
            });
        });
    });
}
