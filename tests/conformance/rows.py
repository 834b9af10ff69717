"""Where an OpenAPI document describes the records of each stream, and which fields differ."""

from dataclasses import dataclass, field

REQUESTED = "the request names it; the answer does not"


@dataclass
class Rows:
    """Where the document describes a stream's records, and which fields differ."""

    # The path, with `{}` for each parameter.
    path: str
    # Where the record is in the answer.
    at: str = "data[]"
    # Fields that are copied: their place in the answer.
    copied: dict = field(default_factory=dict)
    # Fields that the document does not have there: why.
    added: dict = field(default_factory=dict)
    # Fields of the document that records do not have: why.
    dropped: dict = field(default_factory=dict)
    # The only fields of the document that records have; all if empty.
    only: tuple = ()
    # Fields that are never null, whatever the document says: why.
    never_null: dict = field(default_factory=dict)


def inner(*names, of="data[]", **renamed):
    """Returns copies of the ids of nested objects: that of `customer` is copied to `customer_id`."""
    objects = {**{f"{name}_id": name for name in names}, **renamed}
    return {ours: f"{of}.{name}.id".removeprefix(".") for ours, name in objects.items()}


def outer(prefix, of, *names, **renamed):
    """Returns copies of fields of the record around a row: its id as `{prefix}_id`, and others."""
    fields = {f"{prefix}_id": "id", **{name: name for name in names}, **renamed}
    return {ours: f"{of}.{theirs}" for ours, theirs in fields.items()}


GONE = "the fields that identify it are hoisted"
PRICE = inner("item", "billable_metric")
COSTS = "data[].per_price_costs[]"


def costs(parent):
    return Rows(
        f"/{parent}s/{{}}/costs",
        COSTS,
        copied={
            **{name: f"data[].{name}" for name in ("timeframe_start", "timeframe_end")},
            "price_name": f"{COSTS}.price.name",
            **inner("item", "billable_metric", of=f"{COSTS}.price"),
            "price_currency": f"{COSTS}.price.currency",
        },
        added={
            f"{parent}_id": REQUESTED,
            "currency": REQUESTED,
            "price_groups": "the description of the path promises it",
        },
        dropped={"price": "it is the same on all days, and in the streams of prices"},
    )


def of_price(of):
    """Returns copies of the ids of a nested price, and of what it has."""
    return {**inner("price", of=of), **inner("item", "billable_metric", of=f"{of}.price")}


STREAMS = {
    "customers": Rows("/customers", added={"deleted": "on the stub of a customer that is being deleted"}),
    "subscriptions": Rows(
        "/subscriptions",
        copied={
            **inner("customer", "plan"),
            "external_customer_id": "data[].customer.external_customer_id",
            "plan_version": "data[].plan.version",
            "plan_name": "data[].plan.name",
            "external_plan_id": "data[].plan.external_plan_id",
        },
        dropped={"customer": GONE, "plan": GONE},
    ),
    "plans": Rows("/plans"),
    "invoices": Rows("/invoices"),
    "credits_ledger_entries": Rows(
        "/customers/{}/credits/ledger",
        copied={
            **inner("customer", "credit_block"),
            "external_customer_id": "data[].customer.external_customer_id",
            "block_expiry_date": "data[].credit_block.expiry_date",
            "credit_block_per_unit_cost_basis": "data[].credit_block.per_unit_cost_basis",
            "credit_block_filters": "data[].credit_block.filters",
        },
        dropped={"customer": GONE, "credit_block": GONE},
    ),
    "subscription_usage": Rows(
        "/subscriptions/{}/usage",
        "data[].usage[]",
        copied={
            **inner("billable_metric"),
            "billable_metric_name": "data[].billable_metric.name",
            "view_mode": "data[].view_mode",
        },
        added={"subscription_id": REQUESTED},
    ),
    "items": Rows("/items"),
    "billable_metrics": Rows("/metrics", copied=inner("item")),
    "prices": Rows("/prices", copied=PRICE),
    "coupons": Rows("/coupons"),
    "credit_notes": Rows("/credit_notes", copied=inner("customer")),
    "dimensional_price_groups": Rows("/dimensional_price_groups"),
    "license_types": Rows("/license_types"),
    "event_backfills": Rows("/events/backfills"),
    "event_volumes": Rows("/events/volume"),
    "subscription_changes": Rows("/subscription_changes"),
    "invoice_summaries": Rows("/invoices/summary", copied=inner("customer", "subscription")),
    "subscription_summaries": Rows("/subscriptions/summary", copied=inner("customer", "plan")),
    "webhook_endpoints": Rows("/webhook_endpoints"),
    "webhook_events": Rows("/webhook_events"),
    "credit_blocks": Rows("/customers/{}/credits", added={"customer_id": REQUESTED, "currency": REQUESTED}),
    "customer_balance_transactions": Rows(
        "/customers/{}/balance_transactions", copied=inner("invoice", "credit_note"), added={"customer_id": REQUESTED}
    ),
    "credit_top_ups": Rows("/customers/{}/credits/top_ups", added={"customer_id": REQUESTED}),
    "customer_costs": costs("customer"),
    "customer_alerts": Rows(
        "/alerts",
        copied=inner("subscription", "plan", "license_type", billable_metric_id="metric"),
        added={"customer_id": REQUESTED},
    ),
    "subscription_costs": costs("subscription"),
    "subscription_alerts": Rows(
        "/alerts",
        copied=inner("customer", "plan", "license_type", billable_metric_id="metric"),
        added={"subscription_id": REQUESTED},
    ),
    "subscription_schedules": Rows(
        "/subscriptions/{}/schedule", copied=inner("plan"), added={"subscription_id": REQUESTED}
    ),
    "upcoming_invoices": Rows(
        "/invoices/upcoming", "", copied=inner("customer", of=""), added={"subscription_id": REQUESTED}
    ),
    "licenses": Rows("/licenses"),
    "license_usage": Rows(
        "/licenses/usage", never_null={"license_id": "null only if usage is not grouped by license, and it always is"}
    ),
    "plan_versions": Rows("/plans/{}/versions/{}", "", added={"plan_id": REQUESTED}),
    "plan_migrations": Rows("/plans/{}/migrations"),
    "coupon_subscriptions": Rows(
        "/coupons/{}/subscriptions",
        copied={**inner("customer", "plan"), "subscription_id": "data[].id"},
        added={"coupon_id": REQUESTED},
        # Whole subscriptions are in the stream `subscriptions`.
        only=("id", "created_at", "status", "start_date", "end_date", "redeemed_coupon"),
    ),
    "dimensional_price_group_prices": Rows(
        "/dimensional_price_groups/{}/prices", copied=PRICE, added={"dimensional_price_group_id": REQUESTED}
    ),
    "credit_block_invoices": Rows(
        "/credit_blocks/{}/invoices",
        "invoices[]",
        copied=inner("customer", "subscription", of="invoices[]"),
        added={"credit_block_id": REQUESTED},
    ),
    "invoice_line_items": Rows(
        "/invoices",
        "data[].line_items[]",
        copied={
            **outer("invoice", "data[]", "invoice_date", "currency", invoice_status="status"),
            **inner("customer", "subscription"),
            **of_price("data[].line_items[]"),
        },
    ),
    "invoice_payment_attempts": Rows(
        "/invoices",
        "data[].payment_attempts[]",
        copied={**outer("invoice", "data[]", "invoice_date"), **inner("customer")},
    ),
    "credit_note_line_items": Rows(
        "/credit_notes",
        "data[].line_items[]",
        copied={**outer("credit_note", "data[]", "created_at", "invoice_id"), **inner("customer")},
    ),
    "plan_prices": Rows(
        "/plans",
        "data[].prices[]",
        copied={
            **outer("plan", "data[]", plan_version="version"),
            **inner("item", "billable_metric", of="data[].prices[]"),
        },
    ),
    "subscription_price_intervals": Rows(
        "/subscriptions",
        "data[].price_intervals[]",
        copied={
            **outer("subscription", "data[]", "created_at"),
            **inner("customer"),
            **of_price("data[].price_intervals[]"),
        },
    ),
    "subscription_adjustment_intervals": Rows(
        "/subscriptions",
        "data[].adjustment_intervals[]",
        copied={**outer("subscription", "data[]", "created_at"), **inner("customer")},
    ),
    "coupon_redemptions": Rows(
        "/subscriptions", "data[].redeemed_coupon", copied={**outer("subscription", "data[]"), **inner("customer")}
    ),
}
