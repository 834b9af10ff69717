"""Asks mock-orb for all resources beyond customers, plans, subscriptions, invoices, ledgers and usage.

Each answer comes with the path as Orb's OpenAPI document writes it, so that it can be judged.
"""

import urllib.error

from account import get, walk

JUNE = {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-06-11T00:00:00Z"}
LISTS = [
    ("items", {}),
    ("metrics", {}),
    ("prices", {}),
    ("coupons", {"show_archived": "true"}),
    ("credit_notes", {}),
    ("dimensional_price_groups", {}),
    ("license_types", {}),
    ("events/backfills", {}),
    ("subscription_changes", {"status": "pending"}),
    ("subscription_changes", {"status": "applied"}),
    ("subscription_changes", {"status": "cancelled"}),
    ("invoices/summary", {"status[]": ["draft", "issued", "paid", "synced", "void"]}),
    ("events/volume", {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-06-05T00:00:00Z"}),
]
# The paths of single records, and the lists that have all of them.
SINGLES = [
    ("customers/{customer_id}", "customers", {}),
    ("plans/{plan_id}", "plans", {}),
    ("subscriptions/{subscription_id}", "subscriptions", {}),
    ("invoices/{invoice_id}", "invoices", {"status[]": ["draft", "issued", "paid", "synced", "void"]}),
    ("items/{item_id}", "items", {}),
    ("metrics/{metric_id}", "metrics", {}),
    ("prices/{price_id}", "prices", {}),
    ("coupons/{coupon_id}", "coupons", {"show_archived": "true"}),
    ("credit_notes/{credit_note_id}", "credit_notes", {}),
    ("dimensional_price_groups/{dimensional_price_group_id}", "dimensional_price_groups", {}),
    ("license_types/{license_type_id}", "license_types", {}),
    ("events/backfills/{backfill_id}", "events/backfills", {}),
    ("subscription_changes/{subscription_change_id}", "subscription_changes", {"status": "pending"}),
    ("subscription_changes/{subscription_change_id}", "subscription_changes", {"status": "applied"}),
    ("subscription_changes/{subscription_change_id}", "subscription_changes", {"status": "cancelled"}),
]


def answers(base):
    """Yields the documented path, the path, the query and the answer of each request."""
    # A customer that is being deleted has no lists.
    parents = {
        path: [it["id"] for it in walk(base, path) if not it.get("deleted")]
        for path in ["customers", "plans", "subscriptions"]
    }
    coupons = [it["id"] for it in walk(base, "coupons", show_archived="true")]
    types = [it["id"] for it in walk(base, "license_types")]
    asked = [(path, path, query) for path, query in LISTS]
    for documented, path, query in SINGLES:
        asked += [(documented, f"{path}/{it['id']}", {}) for it in walk(base, path, **query)]
    blocks = []
    for id in parents["customers"]:
        asked += [
            ("customers/{customer_id}/balance_transactions", f"customers/{id}/balance_transactions", {}),
            ("customers/{customer_id}/credits/top_ups", f"customers/{id}/credits/top_ups", {}),
            ("customers/{customer_id}/costs", f"customers/{id}/costs", {**JUNE, "view_mode": "periodic"}),
            ("alerts", "alerts", {"customer_id": id}),
        ]
        for currency in ["credits", "USD"]:
            query = {"currency": currency, "include_all_blocks": "true"}
            asked.append(("customers/{customer_id}/credits", f"customers/{id}/credits", query))
            blocks += [it["id"] for it in walk(base, f"customers/{id}/credits", **query)]
        asked += [("alerts/{alert_id}", f"alerts/{it['id']}", {}) for it in walk(base, "alerts", customer_id=id)]
    for id in parents["subscriptions"]:
        asked += [
            ("subscriptions/{subscription_id}/schedule", f"subscriptions/{id}/schedule", {}),
            ("alerts", "alerts", {"subscription_id": id}),
            ("licenses", "licenses", {"subscription_id": id}),
            ("invoices/upcoming", "invoices/upcoming", {"subscription_id": id}),
        ]
        query = {"subscription_id": id}
        asked += [("alerts/{alert_id}", f"alerts/{it['id']}", {}) for it in walk(base, "alerts", **query)]
        asked += [("licenses/{license_id}", f"licenses/{it['id']}", {}) for it in walk(base, "licenses", **query)]
        for currency in ["credits", "USD"]:
            query = {**JUNE, "currency": currency}
            asked.append(("subscriptions/{subscription_id}/costs", f"subscriptions/{id}/costs", query))
        for license_type in types:
            dates = {"start_date": "2024-06-01", "end_date": "2024-06-11"}
            for group in [{}, {"group_by": "day"}, {"group_by": "license,day"}]:
                query = {"subscription_id": id, "license_type_id": license_type, **dates, **group}
                asked.append(("licenses/usage", "licenses/usage", query))
    for id in parents["plans"]:
        asked.append(("plans/{plan_id}/migrations", f"plans/{id}/migrations", {}))
        for it in walk(base, f"plans/{id}/migrations"):
            path = f"plans/{id}/migrations/{it['id']}"
            asked.append(("plans/{plan_id}/migrations/{migration_id}", path, {}))
        asked += [
            ("plans/{plan_id}/versions/{version}", f"plans/{id}/versions/{version}", {}) for version in range(1, 6)
        ]
    asked += [("coupons/{coupon_id}/subscriptions", f"coupons/{id}/subscriptions", {}) for id in coupons]
    for id in blocks:
        asked.append(("credit_blocks/{block_id}/invoices", f"credit_blocks/{id}/invoices", {}))
        asked.append(("credit_blocks/{block_id}", f"credit_blocks/{id}", {}))
    for documented, path, query in asked:
        for answer in pages(base, path, query):
            yield documented, path, query, answer


def pages(base, path, query):
    """Yields all pages of a list, or the one answer. Nothing for what does not exist."""
    cursor = {}
    while True:
        try:
            answer = get(base, path, {**query, **cursor})
        except urllib.error.HTTPError as error:
            # The versions of a plan end with a 404, and only active subscriptions are billed.
            if error.code in [400, 404] and path.startswith(("plans/", "invoices/upcoming")):
                return
            raise
        yield answer
        token = answer.get("pagination_metadata", {}).get("next_cursor")
        if token is None:
            return
        cursor = {"cursor": token}
