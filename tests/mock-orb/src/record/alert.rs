//! Generates documented `Alert` objects: of a customer, or of a subscription and its plan.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::{Object, write_object};
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{
    CREATED_GT, CREATED_GTE, CREATED_LT, CREATED_LTE, CURSOR, LIMIT, Parameters, Rule, parameter,
};
use crate::record::{customer, license_type, plan, price, subscription};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "alerts",
    path: "alerts",
    owner: OwnedBy::Query(&[
        ("customer_id", Kind::Customer),
        ("subscription_id", Kind::Subscription),
        ("external_customer_id", Kind::ExternalCustomer),
    ]),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        CREATED_GTE,
        CREATED_GT,
        CREATED_LT,
        CREATED_LTE,
        parameter("customer_id", Rule::Any),
        parameter("external_customer_id", Rule::Any),
        parameter("subscription_id", Rule::Any),
    ]),
    answer: Answer::List(List {
        count: |blueprint, owner| alerts(blueprint, owner).len() as u64,
        date: |blueprint, owner, index| date(blueprint, owner, alert(blueprint, owner, index)),
        id: |blueprint, owner, index| id(blueprint, owner, alert(blueprint, owner, index)),
        write: |blueprint, owner, index, at, out| {
            write(blueprint, owner, alert(blueprint, owner, index), at, out);
        },
        ..List::EMPTY
    }),
};

/// What an alert watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alert {
    /// A customer's balance, in a currency.
    Balance(&'static str, &'static str),
    Usage,
    Cost,
    License,
    /// All subscriptions of a plan: they share the alert.
    Plan,
}

/// The balance alerts of a customer.
const BALANCE: [Alert; 3] = [
    Alert::Balance("credit_balance_depleted", "credits"),
    Alert::Balance("credit_balance_dropped", "credits"),
    Alert::Balance("credit_balance_recovered", "credits"),
];

fn alerts(blueprint: &Blueprint, owner: &Owner) -> Vec<Alert> {
    let number = owner.number();
    if owner.kind == Kind::Customer {
        return match number % 3 {
            0 => BALANCE.to_vec(),
            1 => vec![Alert::Balance("credit_balance_dropped", "USD")],
            _ => Vec::new(),
        };
    }
    let mut alerts = Vec::new();
    if number.is_multiple_of(3) {
        alerts.extend([Alert::Usage, Alert::Cost]);
    }
    if license(blueprint, number).is_some() {
        alerts.push(Alert::License);
    }
    if subscription::plan_index(blueprint, number).is_some_and(|plan| plan.is_multiple_of(2)) {
        alerts.push(Alert::Plan);
    }
    alerts
}

fn alert(blueprint: &Blueprint, owner: &Owner, index: u64) -> Alert {
    alerts(blueprint, owner).get(index as usize).copied().unwrap_or(Alert::Plan)
}

fn license(blueprint: &Blueprint, subscription: u64) -> Option<u64> {
    license_type::of_plan(blueprint, subscription::prices_plan(blueprint, subscription))
}

fn date(blueprint: &Blueprint, owner: &Owner, alert: Alert) -> Timestamp {
    let hours = match alert {
        Alert::Balance("credit_balance_depleted", _) => 1,
        Alert::Balance("credit_balance_dropped", _) => 2,
        Alert::Balance(..) => 3,
        Alert::Usage => 4,
        Alert::Cost => 5,
        Alert::License => 6,
        Alert::Plan => {
            return blueprint.date(Collection::Plans, subscription::prices_plan(blueprint, owner.number()));
        }
    };
    later(owner.at, SignedDuration::from_hours(hours))
}

fn id(blueprint: &Blueprint, owner: &Owner, alert: Alert) -> String {
    let (kind, number) = match alert {
        Alert::Balance("credit_balance_depleted", _) => (0, owner.number()),
        Alert::Balance("credit_balance_dropped", _) => (1, owner.number()),
        Alert::Balance(..) => (2, owner.number()),
        Alert::Usage => (3, owner.number()),
        Alert::Cost => (4, owner.number()),
        Alert::License => (5, owner.number()),
        Alert::Plan => (6, subscription::prices_plan(blueprint, owner.number())),
    };
    blueprint.dice.id(Salt::Alert, (kind << 40) + number)
}

/// The customer or subscription that lists a generated alert; of a plan's, the first subscription.
pub(crate) fn owner_of(account: &Account, id: &str) -> Option<String> {
    let blueprint = &account.blueprint;
    let index = blueprint.dice.index_of(Salt::Alert, id)?;
    let number = index & ((1 << 40) - 1);
    match index >> 40 {
        0..=2 => Some(blueprint.id(Collection::Customers, number)),
        3..=5 => Some(blueprint.id(Collection::Subscriptions, number)),
        6 => {
            let mut all = 0..blueprint.count(Collection::Subscriptions);
            let listing = |it: &u64| subscription::plan_index(blueprint, *it) == Some(number);
            let listing = |it: &u64| listing(it) && account.exists(Collection::Subscriptions, *it);
            all.find(listing).map(|it| blueprint.id(Collection::Subscriptions, it))
        }
        _ => None,
    }
}

fn write(blueprint: &Blueprint, owner: &Owner, alert: Alert, at: Timestamp, out: &mut String) {
    let number = owner.number();
    let customer = match alert {
        Alert::Balance(..) => Some(number),
        Alert::Plan => None,
        _ => Some(subscription::customer_index(blueprint, number)),
    };
    let plan = (owner.kind == Kind::Subscription).then(|| subscription::prices_plan(blueprint, number));
    write_object(out, |object| {
        object.text("id", &id(blueprint, owner, alert)).text("type", type_of(alert));
        // A plan's alert may be disabled for one of its subscriptions.
        object.instant("created_at", at, spelling(number)).flag("enabled", !number.is_multiple_of(4));
        object.raw(
            "thresholds",
            match alert {
                Alert::Balance("credit_balance_depleted", _) => "null",
                Alert::Balance(..) => r#"[{"value":10.50},{"value":1e2}]"#,
                Alert::Plan => "[]",
                _ => r#"[{"value":12345678901234567890.123456789}]"#,
            },
        );
        match customer {
            Some(it) => object.value("customer", |out| customer::write_minified(blueprint, it, out)),
            None => object.raw("customer", "null"),
        };
        match plan.filter(|_| alert == Alert::Plan || alert == Alert::License) {
            Some(it) => object.value("plan", |out| {
                // The plan of a license may be gone.
                let gone = alert == Alert::License && number % 8 == 1;
                plan::write_minified(blueprint, (!gone).then_some(it), Some(plan::version(it)), out);
            }),
            None => object.raw("plan", "null"),
        };
        let watched = matches!(alert, Alert::Usage | Alert::Cost | Alert::License);
        match Some(&owner.id).filter(|_| watched) {
            Some(id) => object.object("subscription", |subscription| {
                subscription.text("id", id);
            }),
            None => object.raw("subscription", "null"),
        };
        match plan.filter(|_| alert == Alert::Usage) {
            Some(it) => object.object("metric", |metric| {
                metric.text("id", &blueprint.dice.id(Salt::Metric, it * price::SLOTS + 1));
            }),
            None => object.raw("metric", "null"),
        };
        let currency = match alert {
            Alert::Balance(_, currency) => Some(currency),
            Alert::Cost | Alert::Plan => Some("USD"),
            _ => None,
        };
        object.optional_text("currency", currency);
        write_particulars(blueprint, number, alert, plan, object);
    });
}

fn type_of(alert: Alert) -> &'static str {
    match alert {
        Alert::Balance(name, _) => name,
        Alert::Usage => "usage_exceeded",
        Alert::Cost => "cost_exceeded",
        Alert::License => "license_balance_threshold_reached",
        Alert::Plan => "spend_exceeded",
    }
}

/// Writes the fields that only some alerts have.
fn write_particulars(
    blueprint: &Blueprint,
    number: u64,
    alert: Alert,
    plan: Option<u64>,
    object: &mut Object<'_>,
) {
    match alert {
        Alert::Balance("credit_balance_depleted", _) => {
            object.nulls(&["balance_alert_status", "license_type", "grouping_keys"]);
        }
        Alert::Balance(..) => {
            object.raw(
                "balance_alert_status",
                r#"[{"in_alert":true,"threshold_value":10.50},{"in_alert":false,"threshold_value":1e2}]"#,
            );
        }
        Alert::Cost => {
            object.raw("grouping_keys", r#"["region","cluster"]"#);
            object.raw(
                "threshold_overrides",
                r#"[{"group_keys":null,"group_values":["région \"ü\"","0042"],"thresholds":[{"value":0.1}]},{"group_keys":["region"],"group_values":[""],"thresholds":[]}]"#,
            );
            object.list("price_filters", plan, |out, plan| {
                write_object(out, |filter| {
                    filter.text("field", "price_id").text("operator", "includes");
                    filter.list("values", [price::id(blueprint, plan, 1)], |out, id| {
                        crate::object::write_text(out, &id);
                    });
                });
            });
        }
        Alert::License => {
            let id = license_type::id(blueprint, license(blueprint, number).unwrap_or(0));
            object.object("license_type", |license_type| {
                license_type.text("id", &id);
            });
        }
        Alert::Plan => {
            object.nulls(&["price_filters", "threshold_overrides"]);
        }
        Alert::Usage => {}
    }
}
