"""Validates the output of every command against Airbyte's protocol models.

Uses both the models of PyAirbyte (pydantic) and of current connectors (data classes). Prints one
line per check.
"""

import dataclasses
import json
import types
import typing

from account import CURSORS, counts
from airbyte_protocol.models import AirbyteMessage, AirbyteStateMessage, ConfiguredAirbyteCatalog
from airbyte_protocol_dataclasses import models as classes
from checks import check, expect
from emulator import KEY, config, emulator
from gateway import closed, gateway
from pydantic import TypeAdapter
from source import configured, run

CLASSES = TypeAdapter(classes.AirbyteMessage)
# Fields whose content the protocol does not define: nulls in them come from the API or a schema.
OPAQUE = {"data", "stream_state", "json_schema", "connectionSpecification"}


def judge(done, code, kinds):
    """Checks that every line is a message with only known properties, and of the expected types."""
    expect("exit code", (done.code, done.stderr[-300:] if done.code != code else ""), (code, ""))
    seen = set()
    for line in done.lines:
        message = AirbyteMessage.model_validate_json(line, strict=True)
        expect(
            "a line without loss", message.model_dump(mode="json", by_alias=True, exclude_unset=True), json.loads(line)
        )
        CLASSES.validate_json(line, strict=True)
        raw = json.loads(line)
        only_named(classes.AirbyteMessage, raw, "message")
        no_nulls(raw)
        expect("bodies beside the type", len(raw), 2)
        seen.add(raw["type"])
    if not kinds <= seen:
        raise AssertionError(f"{kinds - seen} were not sent")
    expect("an ERROR trace, and a code that is not 0", any(it["type"] == "ERROR" for it in done.of("TRACE")), code != 0)
    return f"{len(done.lines)} lines: {' '.join(sorted(seen))}"


def only_named(model, value, where):
    """Rejects unknown properties, which the models allow, so that misspellings are found."""
    for part in typing.get_args(model) or (model,):
        if part is classes.AirbyteStateBlob:
            continue
        if dataclasses.is_dataclass(part) and isinstance(value, dict):
            fields = typing.get_type_hints(part)
            expect(f"unknown properties of {where}", set(value) - set(fields), set())
            for name, inner in value.items():
                only_named(fields[name], inner, f"{where}.{name}")
        elif typing.get_origin(model) is list and isinstance(value, list):
            for item in value:
                only_named(part, item, where)
        elif isinstance(part, types.GenericAlias) or typing.get_origin(part) in (list, typing.Union):
            only_named(part, value, where)


def no_nulls(value):
    """Rejects nulls for absent properties: a client of Meltano's fails on them."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if name not in OPAQUE:
            expect(f"{name} is null", inner is None, False)
            if isinstance(inner, (dict, list)):
                no_nulls(inner)


def check_commands(url):
    with check("spec") as seen:
        done = run("spec")
        seen.append(judge(done, 0, {"SPEC"}))
        expect("specifications", len(done.of("SPEC")), 1)
    for name, settings, status in [
        ("a key that is right", config(url), "SUCCEEDED"),
        ("a key that is wrong", config(url, api_key="wrong-key-of-conformance"), "FAILED"),
        ("a date that is none", config(url, start_date="yesterday"), "FAILED"),
        ("no key", {"start_date": "2020-01-01T00:00:00Z"}, "FAILED"),
    ]:
        with check(f"check with {name} is {status}") as seen:
            done = run("check", config=settings)
            judge(done, 0, {"CONNECTION_STATUS"})
            (answer,) = done.of("CONNECTION_STATUS")
            expect("status", answer["status"], status)
            expect("a message where it failed", bool(answer.get("message")), status == "FAILED")
            secret = settings.get("api_key", KEY)
            expect("the key was shown", secret in "".join(done.lines) + done.stderr, False)
            seen.append(answer.get("message", ""))
    with check("discover needs no network") as seen:
        seen.append(judge(run("discover", config=config(closed())), 0, {"CATALOG"}))
    with check("discover with a config that is wrong is an error") as seen:
        seen.append(judge(run("discover", config={}), 1, {"TRACE"}))


def check_reads(url):
    (catalog,) = run("discover", config=config(url)).of("CATALOG")
    everything, core = configured(catalog, "incremental"), configured(catalog, "incremental", CURSORS)
    ConfiguredAirbyteCatalog.model_validate(everything)
    states = []
    for mode in ["full_refresh", "incremental"]:
        with check(f"read, {mode}") as seen:
            done = run("read", config=config(url), catalog=configured(catalog, mode))
            seen.append(judge(done, 0, {"RECORD", "STATE", "TRACE"}))
            found = {name: len(found) for name, found in done.records().items()}
            expect("records", {name: found.get(name, 0) for name in CURSORS}, counts(url))
            names = [stream["name"] for stream in catalog["streams"]]
            expect("streams without records", [name for name in names if not found.get(name)], [])
            states = done.states()
    for name, written in [
        ("as it was told", states),
        (
            "as pydantic writes it, with nulls",
            [AirbyteStateMessage.model_validate(it).model_dump(mode="json") for it in states],
        ),
    ]:
        with check(f"read with a state {name}") as seen:
            done = run("read", config=config(url), catalog=everything, state=written)
            seen.append(judge(done, 0, {"RECORD", "STATE", "TRACE"}))
            again = {stream: len(found) for stream, found in done.records().items()}
            expect(
                "streams with more than half of their records",
                [it for it in CURSORS if again.get(it, 0) * 2 > counts(url)[it] > 10],
                [],
            )
    with check("read with a catalog as pydantic writes it, with nulls") as seen:
        nulls = ConfiguredAirbyteCatalog.model_validate(everything).model_dump(mode="json")
        done = run("read", config=config(url), catalog=nulls)
        seen.append(judge(done, 0, {"RECORD", "STATE", "TRACE"}))
        found = {name: len(found) for name, found in done.records().items()}
        expect("records", {name: found.get(name, 0) for name in CURSORS}, counts(url))
    with (
        check("read of one stream that fails, and five that do not") as seen,
        gateway(url, refuse="/invoices") as refusing,
    ):
        done = run("read", config=config(refusing), catalog=core)
        seen.append(judge(done, 1, {"RECORD", "STATE", "TRACE"}))
        expected = {name: count for name, count in counts(url).items() if name != "invoices"}
        expect("records", {name: len(found) for name, found in done.records().items()}, expected)
        statuses = [it["stream_status"] for it in done.of("TRACE") if it["type"] == "STREAM_STATUS"]
        ends = {it["stream_descriptor"]["name"]: it["status"] for it in statuses}
        expect("ends", ends, {name: "COMPLETE" for name in expected} | {"invoices": "INCOMPLETE"})
    with check("read while Orb answers that it is asked too often") as seen, emulator("--rate-limit", "25") as slow:
        done = run(
            "read",
            config=config(slow),
            catalog=configured(catalog, "incremental", ["customers", "credits_ledger_entries"]),
        )
        seen.append(judge(done, 0, {"RECORD", "STATE", "TRACE"}))
        reasons = [
            reason["type"] for it in done.of("TRACE") for reason in it.get("stream_status", {}).get("reasons", [])
        ]
        expect("reasons", set(reasons), {"RATE_LIMITED"})
    for name, documents in [
        ("a wrong key", {"config": config(url, api_key="wrong"), "catalog": everything}),
        ("a stream that is not there", {"config": config(url), "catalog": renamed(everything)}),
        ("a sync mode that is none", {"config": config(url), "catalog": configured(catalog, "sometimes")}),
        ("a catalog that is not JSON", {"config": config(url), "catalog": "{"}),
        ("a config that is wrong", {"config": config(url, lookback_window_days=-1), "catalog": everything}),
    ]:
        with check(f"read with {name} is an error") as seen:
            done = run("read", **documents)
            judge(done, 1, {"TRACE"})
            expect("records", done.records(), {})
            seen.append(next(it["error"]["message"] for it in done.of("TRACE") if it["type"] == "ERROR"))


def renamed(catalog):
    """Replaces the catalog's first stream with one that does not exist."""
    first, *others = catalog["streams"]
    return {"streams": [{**first, "stream": {**first["stream"], "name": "nobodys"}}, *others]}


with emulator("--customers", "120", "--invoices", "150", "--ledger-customers", "10") as url:
    check_commands(url)
    check_reads(url)
