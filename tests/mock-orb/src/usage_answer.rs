//! Answers requests for a subscription's usage.

use crate::account::Account;
use crate::collection::Collection;
use crate::instant::Spelling;
use crate::object::{Object, write_object};
use crate::page::write_metadata;
use crate::page_token::{Scope, write_token};
use crate::problem::Problem;
use crate::shelf::Key;
use crate::terms::Metric;
use crate::usage::Usage;
use crate::usage_query::UsageQuery;
use crate::usage_view::UsageView;

/// Answers a request for a subscription's usage. With `repeat_token`, grouped usage claims to have
/// another page, although no documented parameter requests one.
pub(crate) fn write_usage(
    account: &Account,
    subscription_id: &str,
    query: &UsageQuery,
    repeat_token: bool,
) -> Result<String, Problem> {
    let unknown = || Problem::resource_not_found(Collection::Subscriptions.resource(), subscription_id);
    let terms = account.terms(subscription_id).ok_or_else(unknown)?;
    let timeframe = query.timeframe.or(terms.period).ok_or_else(|| {
        Problem::constraint_violation(
            "The subscription has no current billing period: timeframe_start and timeframe_end are required.",
        )
    })?;
    let view = UsageView { timeframe, by_day: query.by_day, cumulative: query.cumulative };
    let mut body = String::new();
    match &query.group {
        None => write_object(&mut body, |answer| {
            answer.list("data", &terms.metrics, |out, metric| {
                let usage = account.view_usage(&terms, &metric.id, view);
                write_object(out, |item| write_item(item, metric, None, &usage, view));
            });
        }),
        Some((metric_id, key)) => {
            let unknown = || Problem::resource_not_found("BillableMetric", metric_id);
            let metric = terms.metric(metric_id).ok_or_else(unknown)?;
            let groups = account.view_grouped_usage(&terms, metric_id, key, view);
            let none = groups.is_empty();
            write_object(&mut body, |answer| {
                answer.list("data", groups, |out, (value, usage)| {
                    let group = Some((key.as_str(), value.as_str()));
                    write_object(out, |item| write_item(item, metric, group, &usage, view));
                });
                // Documented as optional and nullable; "all groups are returned in a single
                // response".
                let scope = Scope::new(subscription_id, [(metric_id.as_str(), key.as_str())].into_iter());
                let token = repeat_token.then(|| write_token(Key::OLDEST, scope));
                if none && token.is_none() {
                    answer.raw("pagination_metadata", "null");
                } else {
                    answer.value("pagination_metadata", |out| write_metadata(out, token.as_deref()));
                }
            });
        }
    }
    Ok(body)
}

fn write_item(
    item: &mut Object<'_>,
    metric: &Metric,
    group: Option<(&str, &str)>,
    usage: &[Usage],
    view: UsageView,
) {
    item.object("billable_metric", |object| {
        object.text("id", &metric.id).text("name", &metric.name);
    });
    if let Some((key, value)) = group {
        item.object("metric_group", |group| {
            group.text("property_key", key).text("property_value", value);
        });
    }
    item.list("usage", usage, |out, usage| {
        write_object(out, |window| {
            window.raw("quantity", &usage.quantity);
            window.instant("timeframe_end", usage.timeframe_end, Spelling::Offset);
            window.instant("timeframe_start", usage.timeframe_start, Spelling::Offset);
        });
    });
    item.text("view_mode", if view.cumulative { "cumulative" } else { "periodic" });
}
