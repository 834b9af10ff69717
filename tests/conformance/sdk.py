"""Reads every endpoint of the emulator with Orb's official, strictly validating client.

Runs mock-orb once with ledgers that name events, and once with the rate limits of a trial account.
Prints one line per check.
"""

import contextlib
import json
import socket
import urllib.parse
import urllib.request
from datetime import timedelta

import orb
from checks import check, expect
from emulator import KEY, emulator
from orb import Orb

EMULATORS = contextlib.ExitStack()
URL = EMULATORS.enter_context(emulator("--ledger-event-ids"))
TRIAL_URL = EMULATORS.enter_context(emulator("--rate-classes", "trial"))
STATUSES = ["draft", "issued", "paid", "synced", "void"]
JUNE = {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-07-01T00:00:00Z"}
YEAR = {"timeframe_start": "2024-01-01T00:00:00Z", "timeframe_end": "2025-01-01T00:00:00Z"}


def client(url=URL, key=KEY):
    return Orb(base_url=url, api_key=key, max_retries=0, timeout=30, _strict_response_validation=True)


def get(path, query):
    """Returns one answer, without the official client."""
    target = f"{URL}/{path}?{urllib.parse.urlencode(query, doseq=True)}"
    request = urllib.request.Request(target, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def walk(path, query=None):
    """Returns all identifiers of a list, without the official client, in pages of seven."""
    ids, cursor = [], {}
    while True:
        page = get(path, {"limit": 7, **(query or {}), **cursor})
        ids += [record["id"] for record in page["data"]]
        token = page["pagination_metadata"]["next_cursor"]
        if token is None:
            return ids
        cursor = {"cursor": token}


def flat(properties):
    return bool(properties) and all(isinstance(value, (str, int, float, bool)) for value in properties.values())


def check_lists(api):
    for resource, path, query, raw in [
        (api.customers, "customers", {}, {}),
        (api.plans, "plans", {}, {}),
        (api.subscriptions, "subscriptions", {}, {}),
        (api.subscriptions, "subscriptions", {"status": "ended"}, {"status": "ended"}),
        (api.invoices, "invoices", {}, {}),
        (api.invoices, "invoices", {"status": STATUSES}, {"status[]": STATUSES}),
        (
            api.customers,
            "customers",
            {"created_at_gte": "2024-04-01T00:00:00Z", "created_at_lt": "2024-08-01T00:00:00+00:00"},
            {"created_at[gte]": "2024-04-01T00:00:00Z", "created_at[lt]": "2024-08-01T00:00:00Z"},
        ),
    ]:
        with check(f"list {path} {json.dumps(query)}") as seen:
            ids = [record.id for record in resource.list(limit=10, **query)]
            expect("identifiers", ids, walk(path, raw))
            expect("any records", bool(ids), True)
            seen.append(f"{len(ids)} records")
    for resource, path, raw in [
        (api.customers, "customers", {}),
        (api.plans, "plans", {}),
        (api.subscriptions, "subscriptions", {}),
        (api.invoices, "invoices", {"status[]": STATUSES}),
    ]:
        with check(f"get each of {path}") as seen:
            ids = walk(path, raw)
            expect("any records", bool(ids), True)
            expect("identifiers", [resource.fetch(id).id for id in ids], ids)
            seen.append(f"{len(ids)} records")


def check_ledgers(api):
    """Returns the decrements that name an event."""
    entries = []
    with check("list ledger entries of each customer") as seen:
        for customer in walk("customers"):
            ledger = list(api.customers.credits.ledger.list(customer, limit=10))
            expect("identifiers", [entry.id for entry in ledger], walk(f"customers/{customer}/credits/ledger"))
            entries += ledger
        expect("any entries", bool(entries), True)
        seen.append(f"{len(entries)} entries")
    with check("all types of ledger entries") as seen:
        types = sorted({entry.entry_type for entry in entries})
        expect("number of types", len(types), 7)
        seen.append(" ".join(types))
    with check("list committed ledger entries") as seen:
        committed = sum(entry.entry_status == "committed" for entry in entries)
        customers = {entry.customer.id for entry in entries}
        listed = [api.customers.credits.ledger.list(id, entry_status="committed") for id in customers]
        expect("committed entries", sum(1 for ledger in listed for _ in ledger), committed)
        seen.append(f"{committed} of {len(entries)} entries")
    return [entry for entry in entries if getattr(entry, "event_id", None)]


def check_usage(api):
    """Reads the usage of all subscriptions in every form."""
    subscriptions = walk("subscriptions")
    metrics = []
    for id in subscriptions:
        raw = get(f"subscriptions/{id}/usage", {"granularity": "day", **JUNE})["data"]
        metrics += [(id, item["billable_metric"]["id"]) for item in raw]
    with check("usage of each subscription by day") as seen:
        read, windows = [], 0
        for id in subscriptions:
            usage = api.subscriptions.fetch_usage(id, granularity="day", view_mode="periodic", **YEAR)
            raw = get(f"subscriptions/{id}/usage", {"granularity": "day", "view_mode": "periodic", **YEAR})
            expect("no groups", hasattr(usage.data[0], "metric_group"), False)
            expect("quantities", quantities(usage.data), quantities_of_raw(raw["data"]))
            expect("view mode", {item.view_mode for item in usage.data}, {"periodic"})
            windows += sum(len(item.usage) for item in usage.data)
            read += [(id, item.billable_metric.id) for item in usage.data]
        expect("metrics", read, metrics)
        expect("each metric once", len(set(read)), len(read))
        seen.append(f"{len(metrics)} metrics, {windows} windows")
    with check("usage by group") as seen:
        values = set()
        for id, metric in metrics:
            usage = api.subscriptions.fetch_usage(
                id, granularity="day", billable_metric_id=metric, group_by="region", **YEAR
            )
            expect("keys", {item.metric_group.property_key for item in usage.data} <= {"region"}, True)
            expect("view mode", {item.view_mode for item in usage.data} <= {"cumulative"}, True)
            values |= {item.metric_group.property_value for item in usage.data}
        expect("more than one group", len(values) > 1, True)
        seen.append(f"values {sorted(values)}")
    with check("usage of June adds up") as seen:
        for id in subscriptions:
            periodic = api.subscriptions.fetch_usage(id, granularity="day", view_mode="periodic", **JUNE)
            whole = api.subscriptions.fetch_usage(id, **JUNE)
            for days, month in zip(periodic.data, whole.data):
                total = sum(day.quantity for day in days.usage)
                expect("windows", len(month.usage), 1)
                expect("sum", abs(total - month.usage[0].quantity) <= 1e-9 * abs(total), True)
            expect("items", len(periodic.data), len(whole.data))
        expect("any metrics", bool(metrics), True)
        seen.append(f"{len(metrics)} metrics")
    with check("usage of the current billing period") as seen:
        active = walk("subscriptions", {"status": "active"})
        starts = {api.subscriptions.fetch_usage(id).data[0].usage[0].timeframe_start for id in active}
        expect("one period", len(starts), 1)
        seen.append(starts.pop().isoformat())


def quantities(items):
    return [[window.quantity for window in item.usage] for item in items]


def quantities_of_raw(items):
    return [[float(window["quantity"]) for window in item["usage"]] for item in items]


def check_events(api, entries):
    with check("search for the events of ledger entries") as seen:
        found = {}
        for entry in entries:
            bounds = (entry.created_at - timedelta(days=6), entry.created_at)
            start, end = [at.isoformat() for at in bounds]
            events = api.events.search(event_ids=[entry.event_id], timeframe_start=start, timeframe_end=end)
            for event in events.data:
                expect("identifier", event.id, entry.event_id)
                expect("customer", event.customer_id, entry.customer.id)
                expect("flat properties", flat(event.properties), True)
                found[event.id] = event
        wanted = {entry.event_id for entry in entries}
        expect("some found, some not", 0 < len(found) < len(wanted), True)
        seen.append(f"{len(found)} of {len(wanted)} events, named by {len(entries)} entries")
    with check("search for what does not exist") as seen:
        expect("events", api.events.search(event_ids=["none"]).data, [])
        seen.append("nothing found")


def check_errors(api):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    subscription = walk("subscriptions")[0]
    month = {"timeframe_start": "2024-01-01T00:00:00Z", "timeframe_end": "2024-02-01T00:00:00Z"}
    trial = client(TRIAL_URL)
    for name, expected, ask in [
        ("a wrong key", orb.OrbAuthenticationError, lambda: client(key="wrong").top_level.ping()),
        ("a limit above the maximum", orb.RequestValidationError, lambda: api.customers.list(limit=101)),
        ("a cursor of another list", orb.RequestValidationError, lambda: api.plans.list(cursor="abc")),
        ("an unknown customer", orb.ResourceNotFound, lambda: api.customers.fetch("nobody")),
        ("an unknown subscription's usage", orb.ResourceNotFound, lambda: api.subscriptions.fetch_usage("none")),
        (
            "half a timeframe",
            orb.RequestValidationError,
            lambda: api.subscriptions.fetch_usage(subscription, timeframe_start="2024-01-01T00:00:00Z"),
        ),
        (
            "a group without a metric",
            orb.RequestValidationError,
            lambda: api.subscriptions.fetch_usage(subscription, group_by="region"),
        ),
        ("an endpoint that is not there", orb.URLNotFound, lambda: api.items.list()),
        ("more than 30 days", orb.ConstraintViolation, lambda: api.events.search(event_ids=["x"], **month)),
        ("too many events", orb.RequestValidationError, lambda: api.events.search(event_ids=["x"] * 501)),
        ("a large body", orb.RequestTooLarge, lambda: api.events.search(event_ids=["x" * (2 << 20)])),
        (
            "too many requests",
            orb.TooManyRequests,
            lambda: [trial.events.search(event_ids=["x"]) for _ in range(10)],
        ),
        ("nobody listening", orb.APIConnectionError, lambda: client(closed).top_level.ping()),
    ]:
        with check(f"{name} raises {expected.__name__}") as seen:
            try:
                ask()
            except orb.OrbError as error:
                expect("the error", type(error), expected)
                seen.append(f"status {getattr(error, 'status_code', None)}")
            else:
                raise AssertionError("no error was raised")


def main():
    api = client()
    with check("ping") as seen:
        seen.append(api.top_level.ping().response)
    check_lists(api)
    entries = check_ledgers(api)
    check_usage(api)
    check_events(api, entries)
    check_errors(api)


with EMULATORS:
    main()
