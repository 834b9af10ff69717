"""Runs source-orb with PyAirbyte: check, discover, a read into DuckDB, and an incremental read.

Prints one line per check.
"""

import json
import os
import pathlib
import subprocess
import sys
from datetime import timedelta
from unittest import mock

import airbyte
from account import CURSORS, counts, instant, objects, walk
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorCheckFailedError
from checks import check, expect
from emulator import config, emulator

STAND_IN = pathlib.Path(__file__).resolve().parent / "stand-in"
# The first read stops here, so the second finds everything later as new.
END = "2024-08-01T00:00:00Z"


def source(url, **more):
    return airbyte.get_source(
        "source-orb", config=config(url, **more), local_executable=pathlib.Path(os.environ["SOURCE_ORB"])
    )


def rows(cache):
    """Counts the rows of each table in a cache."""
    return {name: cache.run_sql_query(f"SELECT count(*) AS n FROM main.{name}")[0]["n"] for name in CURSORS}


def near(url):
    """Counts the records near the end that may be read twice: those of the last minute, and of the
    last two days of usage."""
    total = 0
    for stream, found in objects(url, END).items():
        cursors = [instant(record[CURSORS[stream]]) for record in found]
        again = timedelta(days=3) if stream == "subscription_usage" else timedelta(minutes=2)
        total += sum(it >= max(cursors) - again for it in cursors)
    return total + backfilled(url)


def backfilled(url):
    """Counts the days of usage up to the end that backfills touched, which are read again."""
    day, customers = timedelta(days=1), {it["id"]: it["customer"]["id"] for it in objects(url)["subscriptions"]}
    times = [
        (it["customer_id"], instant(it["timeframe_start"]) - day, instant(it["timeframe_end"]))
        for it in walk(url, "events/backfills")
        if it["status"] != "pending"
    ]

    def is_touched(record):
        customer, start = customers[record["subscription_id"]], instant(record["timeframe_start"])
        return any(of in (None, customer) and begin <= start <= end for of, begin, end in times)

    return sum(is_touched(record) for record in objects(url, END)["subscription_usage"])


def check_source(url):
    with check("check") as seen:
        source(url).check()
        seen.append("succeeded")
    with check("check with a wrong key fails, and says why") as seen:
        try:
            source(url, api_key="wrong").check()
        except AirbyteConnectorCheckFailedError as error:
            (reason,) = [line for line in str(error).splitlines() if "Failure Reason" in line]
            expect("a reason that names the property", "api_key" in reason, True)
            seen.append(reason)
        else:
            raise AssertionError("it did not fail")
    with check("validate_config, spec and catalog") as seen:
        it = source(url)
        it.validate_config()
        expect("streams that are missing", set(CURSORS) - set(it.get_available_streams()), set())
        expect("a key of each stream", all(s.source_defined_primary_key for s in it.discovered_catalog.streams), True)
        seen.append(f"{len(it.get_available_streams())} streams, {len(it.config_spec['properties'])} properties")
    for stream in CURSORS:
        with check(f"get_records of {stream}") as seen:
            # Keep a reference: PyAirbyte cancels the read when the dataset is dropped.
            dataset = source(url).get_records(stream)
            found = sum(1 for _ in dataset)
            expect("records", found, counts(url)[stream])
            seen.append(f"{found} records")


def check_cache(url):
    before, everything = counts(url, END), counts(url)
    cache = DuckDBCache(db_path=pathlib.Path("cache.duckdb"))
    with check("read of the core streams into DuckDB, up to a date") as seen:
        it = source(url, end_date=END)
        it.select_streams(list(CURSORS))
        expect("processed", it.read(cache=cache).processed_records, sum(before.values()))
        expect("rows", rows(cache), before)
        seen.append(before)
    with check("a second read adds what is new, and reads little else") as seen:
        it = source(url)
        it.select_streams(list(CURSORS))
        processed = it.read(cache=cache).processed_records
        expect("rows", rows(cache), everything)
        new = sum(everything.values()) - sum(before.values())
        expect("anything is new", new > 0, True)
        expect(
            f"{new} and up to {near(url)} more, where {processed} were read", new <= processed <= new + near(url), True
        )
        seen.append(f"{processed} read, {new} are new")
    with check("a third read adds nothing") as seen:
        it = source(url)
        it.select_streams(list(CURSORS))
        processed = it.read(cache=cache).processed_records
        expect("rows", rows(cache), everything)
        seen.append(f"{processed} read")
    with check("a forced full refresh reads everything") as seen:
        it = source(url)
        it.select_streams(list(CURSORS))
        processed = it.read(
            cache=DuckDBCache(db_path=pathlib.Path("full.duckdb")), force_full_refresh=True
        ).processed_records
        expect("processed", processed, sum(everything.values()))
        seen.append(f"{processed} read")


def check_all(url):
    """Every stream becomes a table, of which no column or type is a problem."""
    with check("read of all streams into DuckDB, twice") as seen:
        cache = DuckDBCache(db_path=pathlib.Path("all.duckdb"))
        for _ in range(2):
            it = source(url, end_date="2025-01-01T00:00:00Z", start_date="2024-01-01T00:00:00Z")
            it.select_all_streams()
            it.read(cache=cache)
            found = {
                name: cache.run_sql_query(f"SELECT count(*) AS n FROM main.{name}")[0]["n"]
                for name in it.get_available_streams()
            }
            expect("tables without rows", [name for name, count in found.items() if not count], [])
        seen.append(f"{sum(found.values())} rows of {len(found)} streams")


def check_image(url):
    """Runs the connector by its image's name, as users do whose PyAirbyte pulls images."""
    path = f"{STAND_IN}{os.pathsep}{os.environ['PATH']}"
    with check("an image: check and read") as seen, mock.patch.dict(os.environ, PATH=path):
        it = airbyte.get_source("source-orb", config=config(url), docker_image="airbyte/source-orb:dev")
        it.check()
        it.select_streams(["customers", "plans"])
        processed = it.read(cache=DuckDBCache(db_path=pathlib.Path("image.duckdb"))).processed_records
        expect("processed", processed, counts(url)["customers"] + counts(url)["plans"])
        seen.append(f"{processed} read")


def check_program(url):
    with check("pyab validate, the command") as seen:
        pathlib.Path("orb.json").write_text(json.dumps(config(url)), encoding="utf-8")
        tool = pathlib.Path(sys.executable).with_name("pyab")
        command = [tool, "validate", "--connector", os.environ["SOURCE_ORB"], "--config", "orb.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        expect("exit code", done.returncode, 0)
        seen.append("exit code 0")


with emulator("--customers", "120", "--invoices", "150", "--ledger-customers", "10") as url:
    check_source(url)
    check_cache(url)
    check_all(url)
    check_image(url)
    check_program(url)
