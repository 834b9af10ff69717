"""Lets Airbyte's published source-orb, the last one in Python, read the same account, and compares: counts, primary
keys, hashes of records, inferred schemas, catalogs, and how its states are continued.

In: both connectors and mock-orb. Out: one line per check. What the published one is known to do wrong is a table, each
row of which is looked up: a row that is no longer true fails.
"""

import hashlib
import json
import pathlib
import sys

from account import CURSORS, key, walk
from checks import check, expect
from emulator import config, emulator
from gateway import gateway
from genson import SchemaBuilder
from source import configured, run

PUBLISHED = (sys.executable, str(pathlib.Path(__file__).resolve().with_name("published.py")))
# Usage costs the published one a request for each day of each subscription, so that it gets a month of it.
MONTH = {"start_date": "2024-12-01T00:00:00Z", "end_date": "2025-01-01T00:00:00Z"}
MIDDLE = "2024-07-01T00:00:00+00:00"
# What it is known to do wrong: the stream, what is added to the config, what comes of it.
DEFECTS = [
    ("subscriptions", {}, "a subscription without a plan, which Orb has, ends the stream"),
    ("subscription_usage", MONTH, "a subscription without a plan ends the stream"),
    ("invoices", {"start_date": "2024-07-01T00:00:00Z"}, "start_date is not applied"),
    ("plans", {"end_date": "2024-07-01T00:00:00Z"}, "end_date is not applied"),
    ("credits_ledger_entries", {"end_date": "2024-07-01T00:00:00Z"}, "end_date is not applied"),
    ("credits_ledger_entries", {"string_event_properties_keys": ["region"]}, "Orb has moved the search for events"),
]
# These two it does wrong in every read of usage, so that they are set aside for a comparison of the rest: it does not
# say that usage is wanted by the day, so that Orb adds it up, and it cuts days at midnight UTC, wherever customers are.
USAGE = {"view_mode": "periodic"}
UTC = {"UTC", "Etc/UTC"}


# What records have here beside those of the published one, whose every field they have as well. It hoists an object's id
# and drops the rest of it.
ADDED = {
    "subscriptions": {"plan_version", "plan_name", "external_plan_id"},
    "credits_ledger_entries": {"external_customer_id", "credit_block_filters"},
}


def theirs(url, command, **documents):
    """The published connector is told the address by the environment, and knows no `api_url`."""
    return run(command, program=PUBLISHED, environment={"ORB_URL": url}, **documents)


def comparable(stream, records, days):
    """Records by key; usage only of the subscriptions whose days are comparable."""
    usage = stream == "subscription_usage"
    return {key(stream, it): it for it in records if not usage or it["subscription_id"] in days}


def without(names, record):
    return {name: value for name, value in record.items() if name not in names}


def digest(records):
    """One hash per record, of its canonical JSON."""
    text = {it: json.dumps(record, sort_keys=True, ensure_ascii=False) for it, record in records.items()}
    return {it: hashlib.sha256(canonical.encode()).hexdigest() for it, canonical in text.items()}


def schema(records):
    builder = SchemaBuilder()
    for record in records.values():
        builder.add_object(record)
    return builder.to_schema()


def compare(name, stream, ours, published, days):
    with check(name) as seen:
        expect("exit codes", (ours.code, published.code), (0, 0))
        mine, control = [comparable(stream, it.records()[stream], days) for it in (ours, published)]
        expect("records only here", sorted(mine.keys() - control.keys()), [])
        expect("records only there", sorted(control.keys() - mine.keys()), [])
        expect("any records", bool(mine), True)
        added = ADDED.get(stream, set())
        expect("fields added", [it for it, record in mine.items() if not added <= record.keys()], [])
        mine = {it: without(added, record) for it, record in mine.items()}
        mine_hashes, control_hashes = digest(mine), digest(control)
        different = [(mine[it], control[it]) for it in mine if mine_hashes[it] != control_hashes[it]]
        expect("records that differ", different, [])
        expect("inferred schemas", schema(mine), schema(control))
        if stream != "subscription_usage":
            expect("counts", len(ours.records()[stream]), len(published.records()[stream]))
        seen.append(f"{len(mine)} records with equal keys, hashes and schema")


def covers(mine, control, where):
    """Whatever a schema of theirs allows, ours allows too, and names."""
    names = [set([it["type"]] if isinstance(it["type"], str) else it["type"]) for it in (mine, control)]
    # A record is never null, as their schemas of whole records allow.
    expect(f"types of {where}", (names[1] - names[0]) - ({"null"} if "." not in where else set()), set())
    expect(f"format of {where}", mine.get("format"), control.get("format"))
    expect(f"what {where} must have", set(mine.get("required", [])) <= set(control.get("required", [])), True)
    for name, inner in control.get("properties", {}).items():
        expect(f"{where}.{name} is there", name in mine["properties"], True)
        covers(mine["properties"][name], inner, f"{where}.{name}")
    if "items" in control:
        covers(mine["items"], control["items"], f"{where}.items")


def check_catalogs(url, settings):
    catalogs = [it("discover", config=settings) for it in (run, lambda *all, **others: theirs(url, *all, **others))]
    mine, control = [{stream["name"]: stream for stream in it.of("CATALOG")[0]["streams"]} for it in catalogs]
    with check("the catalogs have the same streams") as seen:
        expect("streams", list(mine), list(control))
        seen.append(", ".join(mine))
    for stream, published in control.items():
        with check(f"the catalog of {stream} covers that of the published one") as seen:
            for name in published.keys() - {"json_schema"}:
                expect(name, mine[stream].get(name), published[name])
            covers(mine[stream]["json_schema"], published["json_schema"], stream)
            seen.append(f"{len(published['json_schema']['properties'])} properties")
    return catalogs[0].of("CATALOG")[0]


def check_statuses(url):
    for name, settings, status in [("a right key", {}, "SUCCEEDED"), ("a wrong key", {"api_key": "wrong"}, "FAILED")]:
        with check(f"check with {name} is {status} by both") as seen:
            documents = {"config": config(url, **settings)}
            for done in [run("check", **documents), theirs(url, "check", **documents)]:
                expect("status", (done.code, done.of("CONNECTION_STATUS")[0]["status"]), (0, status))
            seen.append("exit code 0")


def check_records(url, catalog, days):
    usage = ["subscription_usage"]
    for streams, more in [([it for it in CURSORS if it not in usage], {}), (usage, MONTH)]:
        documents = {"config": config(url, **more), "catalog": configured(catalog, "incremental", streams)}
        ours, published = run("read", **documents), theirs(url, "read", **documents)
        for stream in streams:
            compare(f"records of {stream}", stream, ours, published, days)
        yield from published.states()


def rewind(state, instant):
    """The state, in the form in which it was written, of an earlier read."""
    if isinstance(state, dict):
        return {name: rewind(inner, instant) for name, inner in state.items()}
    return min(state, instant)


def check_states(url, catalog, states, days):
    """Both go on where the published one stopped, or would have stopped earlier."""
    for state in states:
        stream = state["stream"]["stream_descriptor"]["name"]
        blob = state["stream"]["stream_state"]
        more, earlier = ({}, MIDDLE) if stream != "subscription_usage" else (MONTH, "2024-12-20T00:00:00+00:00")
        state["stream"]["stream_state"] = rewind(blob, earlier)
        documents = {"config": config(url, **more), "catalog": configured(catalog, "incremental", [stream])}
        with check(f"the published one's state of {stream} is continued") as seen:
            ours, published = [
                it("read", **documents, state=[state]) for it in (run, lambda *a, **d: theirs(url, *a, **d))
            ]
            expect("exit codes", (ours.code, published.code), (0, 0))
            whole = run("read", **documents)
            added = ADDED.get(stream, set())
            mine, control, everything = [
                digest({key: without(added, record) for key, record in comparable(stream, records, days).items()})
                for records in (it.records()[stream] for it in (ours, published, whole))
            ]
            missing = control.items() - mine.items()
            expect("records that are not read again", sorted(missing), [])
            extra = mine.keys() - control.keys()
            # A pending entry holds a ledger's cursor; two days of usage. Elsewhere a minute, in which this account has nothing.
            expect("records read again without need", len(extra) <= (len(mine) // 5 if stream in OVERLAP else 0), True)
            expect("the state was honoured", 0 < len(mine) < len(everything), True)
            seen.append(f"{len(control)} records, and {len(extra)} of the overlap, of {len(everything)}")


# Streams that are read again from a little before their cursor.
OVERLAP = {"credits_ledger_entries", "subscription_usage"}


def check_defects(url, catalog, defects):
    for stream, more, what in defects:
        with check(f"known of the published one: {stream}, {what}") as seen:
            documents = {"config": config(url, **more), "catalog": configured(catalog, "incremental", [stream])}
            ours, published = run("read", **documents), theirs(url, "read", **documents)
            expect("exit code", ours.code, 0)
            mine, control = [{key(stream, record) for record in it.records()[stream]} for it in (ours, published)]
            expect("the defect is still there", (published.code, control) != (0, mine), True)
            seen.append(f"exit code {published.code} with {len(control)} records, here 0 with {len(mine)}")


def without_plan(path, record):
    return path == "subscriptions" and record["plan"] is None


def cut_elsewhere(path, record):
    """A subscription that the published one fails for, or whose days it cuts at other instants."""
    return path == "subscriptions" and (record["plan"] is None or record["customer"]["timezone"] not in UTC)


def take_back(path, record):
    """Every other day of an answer takes back what was used: all days, where each is asked for by itself."""
    if path == "usage":
        for window in record["usage"][::2]:
            window["quantity"] = -window["quantity"]


def main():
    with emulator("--ledger-event-ids", "--customers", "120", "--invoices", "150") as whole:
        with gateway(whole, leave_out=without_plan, usage=USAGE) as url:
            catalog = check_catalogs(url, config(url))
            check_statuses(url)
            subscriptions = walk(url, "subscriptions")
            days = {it["id"] for it in subscriptions if it["customer"]["timezone"] in UTC}
            states = list(check_records(url, catalog, days))
            check_states(url, catalog, states, days)
        check_defects(whole, catalog, DEFECTS)
        with gateway(whole, leave_out=without_plan) as url:
            check_defects(url, catalog, [("subscription_usage", MONTH, "days are added up, and cut at midnight UTC")])
        # It emits a day only if its quantity is greater than zero. Here a day is left out only if it is zero: sums in a
        # warehouse are too high without those on which usage was taken back.
        with gateway(whole, leave_out=cut_elsewhere, change=take_back, usage=USAGE) as url:
            check_defects(url, catalog, [("subscription_usage", MONTH, "days with negative usage are left out")])


main()
