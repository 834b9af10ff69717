"""Reads every endpoint of the emulator with Orb's official, strictly validating client.

Runs mock-orb once with ledgers that name events, and once with the rate limits of a trial account.
Prints one line per check.
"""

import contextlib
import itertools
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
TRIAL_URL = EMULATORS.enter_context(
    emulator("--rate-classes", "trial", "--without", "items", "--not-enabled", "license_types")
)
STATUSES = ["draft", "issued", "paid", "synced", "void"]
JUNE = {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-07-01T00:00:00Z"}
LONG = {"timeframe_start": "2024-01-01T00:00:00Z", "timeframe_end": "2025-01-02T00:00:00Z"}
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


def check_resources(api):
    """Reads every other list of the account, and compares it with what is read without the client."""
    groups, group_prices = walk("dimensional_price_groups"), api.dimensional_price_groups.prices.list
    customers, subscriptions = walk("customers"), walk("subscriptions")
    lists = [
        ("items", [(api.items.list, "items", {}, {})]),
        ("metrics", [(api.metrics.list, "metrics", {}, {})]),
        ("archived metrics", [(api.metrics.list, "metrics", {"status": "archived"}, {"status": "archived"})]),
        ("prices", [(api.prices.list, "prices", {}, {})]),
        ("coupons", [(api.coupons.list, "coupons", {}, {})]),
        ("all coupons", [(api.coupons.list, "coupons", {"show_archived": True}, {"show_archived": "true"})]),
        ("credit notes", [(api.credit_notes.list, "credit_notes", {}, {})]),
        ("dimensional price groups", [(api.dimensional_price_groups.list, "dimensional_price_groups", {}, {})]),
        ("license types", [(api.license_types.list, "license_types", {}, {})]),
        ("backfills", [(api.events.backfills.list, "events/backfills", {}, {})]),
        ("reverted backfills", [(api.events.backfills.list, "events/backfills", *twice(status="reverted"))]),
        ("pending changes", [(api.subscription_changes.list, "subscription_changes", {}, {})]),
        ("applied changes", [(api.subscription_changes.list, "subscription_changes", *twice(status="applied"))]),
        ("cancelled changes", [(api.subscription_changes.list, "subscription_changes", *twice(status="cancelled"))]),
        ("invoice summaries", [(api.invoices.list_summary, "invoices/summary", {}, {})]),
        ("void invoice summaries", [(api.invoices.list_summary, "invoices/summary", *twice(status="void"))]),
        ("subscription summaries", [(api.subscriptions.list_summary, "subscriptions/summary", {}, {})]),
        ("webhook endpoints", [(api.webhook_endpoints.list, "webhook_endpoints", {}, {})]),
        ("all prices of groups", [
            (bound(group_prices, id), f"dimensional_price_groups/{id}/prices", *twice(status="all")) for id in groups
        ]),
        ("current credit blocks", [
            (bound(api.customers.credits.list, id), f"customers/{id}/credits", {}, {}) for id in customers
        ]),
        ("all credit blocks in dollars", [
            (
                bound(api.customers.credits.list, id),
                f"customers/{id}/credits",
                {"currency": "USD", "include_all_blocks": True},
                {"currency": "USD", "include_all_blocks": "true"},
            )
            for id in customers
        ]),
        ("balance transactions", [
            (bound(api.customers.balance_transactions.list, id), f"customers/{id}/balance_transactions", {}, {})
            for id in customers
        ]),
        ("top-ups", [
            (bound(api.customers.credits.top_ups.list, id), f"customers/{id}/credits/top_ups", {}, {})
            for id in customers
        ]),
        ("alerts of customers", [(api.alerts.list, "alerts", *twice(customer_id=id)) for id in customers]),
        ("alerts of subscriptions", [(api.alerts.list, "alerts", *twice(subscription_id=id)) for id in subscriptions]),
        ("licenses", [(api.licenses.list, "licenses", *twice(subscription_id=id)) for id in subscriptions]),
        ("migrations", [
            (bound(api.plans.migrations.list, id), f"plans/{id}/migrations", {}, {}) for id in walk("plans")
        ]),
        ("subscriptions of coupons", [
            (bound(api.coupons.subscriptions.list, id), f"coupons/{id}/subscriptions", {}, {})
            for id in walk("coupons", {"show_archived": "true"})
        ]),
    ]  # fmt: skip
    for name, reads in lists:
        with check(f"list {name}") as seen:
            count = 0
            for ask, path, query, raw in reads:
                ids = [record.id for record in ask(limit=10, **query)]
                expect(f"identifiers of {path}", ids, walk(path, raw))
                expect(f"identifiers of {path} once", len(set(ids)), len(ids))
                count += len(ids)
            expect("any records", count > 0, True)
            seen.append(f"{count} records in {len(reads)} lists")


def twice(**query):
    """Returns the same query for the client and without it."""
    return query, query


def bound(ask, id):
    """Returns a list's method of one owner."""
    return lambda **query: ask(id, **query)


def check_children(api):
    """Reads what has no list of identifiers."""
    subscriptions = walk("subscriptions")
    with check("schedule of each subscription") as seen:
        items = [item for id in subscriptions for item in api.subscriptions.fetch_schedule(id, limit=2)]
        expect("more than one each", len(items) > len(subscriptions), True)
        seen.append(f"{len(items)} items")
    with check("upcoming invoice of each active subscription") as seen:
        active = walk("subscriptions", {"status": "active"})
        invoices = [api.invoices.fetch_upcoming(subscription_id=id) for id in active]
        expect("subscriptions", [invoice.subscription.id for invoice in invoices], active)
        seen.append(f"{len(invoices)} invoices")
    with check("versions of each plan") as seen:
        versions = 0
        for id in walk("plans"):
            default = api.plans.fetch(id).version
            read = [version(api, id, number).version for number in range(1, default + 1)]
            expect("versions", read, list(range(1, default + 1)))
            versions += len(read)
        seen.append(f"{versions} versions")
    with check("usage of licenses by day") as seen:
        rows = 0
        for id in subscriptions:
            for type in {license.license_type_id for license in api.licenses.list(subscription_id=id)}:
                usage = api.licenses.usage.get_all_usage(
                    subscription_id=id, license_type_id=type, start_date="2024-06-01", end_date="2024-07-01",
                    group_by="license,day", limit=100,
                )  # fmt: skip
                rows += len(usage.data)
        expect("any rows", rows > 0, True)
        seen.append(f"{rows} rows")
    with check("volume of events by the hour") as seen:
        day = {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-06-02T00:00:00Z"}
        hours, cut = [api.events.volume.list(limit=limit, **day).data for limit in [100, 5]]
        expect("cut hours", cut, hours[:5])
        seen.append(f"{len(hours)} hours")
    with check("invoices of each credit block") as seen:
        blocks = [it for id in walk("customers") for it in api.customers.credits.list(id, include_all_blocks=True)]
        read = [api.credit_blocks.list_invoices(block.id) for block in blocks]
        expect("blocks", [it.block.id for it in read], [block.id for block in blocks])
        expect("any invoices", any(it.invoices for it in read), True)
        seen.append(f"{len(blocks)} blocks")
    check_costs(api, subscriptions)


def check_costs(api, subscriptions):
    with check("costs of June add up") as seen:
        days = 0
        for id in subscriptions:
            for currency in ["USD", "credits"]:
                periodic = api.subscriptions.fetch_costs(id, view_mode="periodic", currency=currency, **JUNE).data
                cumulative = api.subscriptions.fetch_costs(id, currency=currency, **JUNE).data
                expect("days", len(periodic), len(cumulative))
                sums = itertools.accumulate(float(day.total) for day in periodic)
                totals = [round(total, 2) for total in sums]
                # The first day may be the last of May, in the time zone of the customer.
                if periodic and periodic[0].timeframe_start == cumulative[0].timeframe_start:
                    month = [it for it in cumulative if it.timeframe_start == cumulative[0].timeframe_start]
                    expect("totals", totals[: len(month)], [float(it.total) for it in month])
                days += len(periodic)
        expect("any days", days > 0, True)
        seen.append(f"{days} days")
    with check("costs of customers are those of their subscriptions") as seen:
        compared = 0
        query = {"view_mode": "periodic", **JUNE}
        for id in walk("customers"):
            own = walk("subscriptions", {"customer_id[]": id})
            costs = [sum_of(api.subscriptions.fetch_costs(it, **query).data) for it in own]
            expect("sum", sum_of(api.customers.costs.list(id, **query).data), round(sum(costs), 2))
            compared += len(own)
        expect("subscriptions", compared, len(subscriptions))
        seen.append(f"{compared} subscriptions")


def sum_of(days):
    return round(sum(float(cost.subtotal) for day in days for cost in day.per_price_costs), 2)


def version(api, plan, number):
    return api.beta.fetch_plan_version(str(number), plan_id=plan)


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
        ("an endpoint that is not there", orb.URLNotFound, lambda: trial.items.list()),
        ("a feature that is not enabled", orb.FeatureNotAvailable, lambda: trial.license_types.list()),
        ("an unknown coupon", orb.ResourceNotFound, lambda: list(api.coupons.subscriptions.list("none"))),
        ("alerts of nobody", orb.RequestValidationError, lambda: api.alerts.list()),
        (
            "alerts of two owners",
            orb.RequestValidationError,
            lambda: api.alerts.list(customer_id="a", subscription_id="b"),
        ),
        ("a version after the last", orb.ResourceNotFound, lambda: version(api, walk("plans")[0], 9)),
        (
            "more than a year of costs",
            orb.RequestValidationError,
            lambda: api.subscriptions.fetch_costs(subscription, **LONG),
        ),
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
    check_resources(api)
    check_children(api)
    check_errors(api)


with EMULATORS:
    main()
