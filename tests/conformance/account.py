"""Reads an account's objects per stream from the API, without the connector."""

import functools
import json
import urllib.parse
import urllib.request
from datetime import datetime

from emulator import KEY

STATUSES = ["issued", "paid", "synced", "void"]
# All usage of an emulator: its accounts are from 2024, and a request may span a year.
YEAR = ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
# The streams of the published connector, whose records are counted here, and their cursors.
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
    """Returns all objects of a list."""
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
    """Returns the objects by stream that a read with default config must find, up to an end."""
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
    """Returns a subscription's usage since it began, by the customer's days; cuts the last one."""
    start = max(YEAR[0], subscription["start_date"], key=instant)
    timeframe = {"timeframe_start": start, "timeframe_end": end or YEAR[1]}
    if instant(start) >= instant(timeframe["timeframe_end"]):
        return []
    query = {"granularity": "day", "view_mode": "periodic", **timeframe}
    return get(base, f"subscriptions/{subscription['id']}/usage", query)["data"]


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def counts(base, end=None):
    """Counts the objects of each stream."""
    return {stream: len(found) for stream, found in objects(base, end).items()}


def key(stream, record):
    """Returns a record's primary key as a single value."""
    if stream == "subscription_usage":
        return (record["subscription_id"], record["billable_metric_id"], record["timeframe_start"])
    return record["id"]
