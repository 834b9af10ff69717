"""What an account has, asked for without the connector: a base URL in; objects of each stream out."""

import functools
import json
import urllib.parse
import urllib.request
from datetime import datetime

from emulator import KEY

STATUSES = ["issued", "paid", "synced", "void"]
# All that an emulator can have used: its accounts are of 2024, and a request may span a year.
YEAR = ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
CURSORS = {
    "customers": "created_at",
    "subscriptions": "created_at",
    "plans": "created_at",
    "invoices": "invoice_date",
    "credits_ledger_entries": "created_at",
    "subscription_usage": "timeframe_start",
}


def get(base, path, query):
    target = f"{base}/{path}?{urllib.parse.urlencode(query, doseq=True)}"
    request = urllib.request.Request(target, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def walk(base, path, **query):
    """The objects of a whole list."""
    records, cursor = [], {}
    while True:
        page = get(base, path, {"limit": 100, **query, **cursor})
        records += page["data"]
        token = page["pagination_metadata"]["next_cursor"]
        if token is None:
            return records
        cursor = {"cursor": token}


@functools.cache
def objects(base, end=None):
    """A list of objects by stream: all that a read with the defaults of the config must find, up to an end."""
    found = {path: walk(base, path) for path in ["customers", "subscriptions", "plans"]}
    found["invoices"] = walk(base, "invoices", **{"status[]": STATUSES})
    found["credits_ledger_entries"] = [
        entry
        for customer in found["customers"]
        for entry in walk(base, f"customers/{customer['id']}/credits/ledger", entry_status="committed")
    ]
    if end is not None:
        for stream, records in found.items():
            found[stream] = [it for it in records if instant(it[CURSORS[stream]]) <= instant(end)]
    found["subscription_usage"] = [
        {**window, "subscription_id": subscription["id"], "billable_metric_id": item["billable_metric"]["id"]}
        for subscription in found["subscriptions"]
        for item in usage(base, subscription, end)
        for window in item["usage"]
        if window["quantity"] > 0
    ]
    return found


def usage(base, subscription, end):
    """What a subscription has used since it began, by its customer's days; the last one is cut at the end."""
    start = max(YEAR[0], subscription["start_date"], key=instant)
    timeframe = {"timeframe_start": start, "timeframe_end": end or YEAR[1]}
    if instant(start) >= instant(timeframe["timeframe_end"]):
        return []
    query = {"granularity": "day", "view_mode": "periodic", **timeframe}
    return get(base, f"subscriptions/{subscription['id']}/usage", query)["data"]


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def counts(base, end=None):
    """How many objects each stream has."""
    return {stream: len(found) for stream, found in objects(base, end).items()}


def key(stream, record):
    """The primary key of a record, as one value."""
    if stream == "subscription_usage":
        return (record["subscription_id"], record["billable_metric_id"], record["timeframe_start"])
    return record["id"]
