"""Runs source-orb with airbyte-serverless, as an executable and as an image, into a file.

Prints one line per check.
"""

import collections
import contextlib
import io
import json
import os
import pathlib
import sqlite3

from account import CURSORS, counts
from airbyte_serverless import destinations
from airbyte_serverless.connections import Connection
from airbyte_serverless.sources import AirbyteSourceException, Source
from checks import check, expect
from emulator import config, emulator

STAND_IN = pathlib.Path(__file__).resolve().parent / "stand-in"


class SqliteDestination(destinations.BaseDestination):
    """Writes tables to a file; airbyte-serverless itself only supports a terminal and a cloud."""

    def __init__(self, file, **others):
        super().__init__(**others)
        self.database = sqlite3.connect(file)

    def get_state(self):
        last = {}
        for state in self.rows("_airbyte_states"):
            last[state["stream"]["stream_descriptor"]["name"]] = state
        return list(last.values())

    def rows(self, table):
        with contextlib.suppress(sqlite3.OperationalError):
            return [json.loads(row[0]) for row in self.database.execute(f'SELECT data FROM "{table}" ORDER BY rowid')]
        return []

    def _write(self, record_type, records):
        self.database.execute(f'CREATE TABLE IF NOT EXISTS "{record_type}" (data TEXT)')
        rows = [(record["_airbyte_data"],) for record in records]
        self.database.executemany(f'INSERT INTO "{record_type}" VALUES (?)', rows)
        self.database.commit()


destinations.DESTINATION_CLASS_MAP["sqlite"] = SqliteDestination


def connection(source, settings, destination="print", **options):
    return Connection(
        {"source": {**source, "config": settings}, "destination": {"connector": destination, "config": options}}
    )


def check_source(name, source, url):
    with check(f"{name}: spec as a config to fill in") as seen:
        sample = Source(**source).yaml_definition_example
        expect("the required properties", "api_key:" in sample and "start_date:" in sample, True)
        seen.append(f"{len(sample.splitlines())} lines")
    with check(f"{name}: check") as seen:
        status = connection(source, config(url)).source.connection_status
        expect("status", status["status"], "SUCCEEDED")
        refused = connection(source, config(url, api_key="wrong")).source.connection_status
        expect("status", refused["status"], "FAILED")
        seen.append(refused["message"])
    with check(f"{name}: streams") as seen:
        it = connection(source, config(url))
        expect("streams that are missing", set(CURSORS) - set(it.available_streams), set())
        seen.append(f"{len(it.available_streams)} streams")
    with check(f"{name}: run, which prints") as seen:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            connection(source, config(url)).run()
        lines = printed.getvalue().split("\n")
        expect("lines that are no message", [line for line in lines if line.startswith("NOT JSON")], [])
        found, table = collections.Counter(), None
        for line in lines:
            if line.startswith("_AIRBYTE_"):
                table = line.removeprefix("_AIRBYTE_RAW_").lower()
            elif line.startswith('{"_airbyte_raw_id"'):
                found[table] += 1
        expect("records", {stream: found[stream] for stream in CURSORS}, counts(url))
        seen.append(dict(found))
    with check(f"{name}: a run of a wrong key is an error") as seen:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                connection(source, config(url, api_key="wrong")).run()
        except AirbyteSourceException as error:
            expect("fault", json.loads(str(error))["failure_type"], "config_error")
            seen.append(json.loads(str(error))["message"])
        else:
            raise AssertionError("no error was raised")


def check_states(source, url):
    file = str(pathlib.Path("serverless.sqlite"))
    end = "2024-08-01T00:00:00Z"
    with check("a run into a table, up to a date") as seen:
        connection(source, config(url, end_date=end), "sqlite", file=file).run()
        rows = {stream: len(SqliteDestination(file).rows(f"_airbyte_raw_{stream}")) for stream in CURSORS}
        expect("rows", rows, counts(url, end))
        seen.append(rows)
    with check("a second run goes on at its states") as seen:
        before = sum(rows.values())
        connection(source, config(url), "sqlite", file=file).run()
        tables = {stream: SqliteDestination(file).rows(f"_airbyte_raw_{stream}") for stream in CURSORS}
        ids = {stream: {json.dumps(key_of(stream, row)) for row in found} for stream, found in tables.items()}
        expect("distinct records", {stream: len(found) for stream, found in ids.items()}, counts(url))
        read = sum(map(len, tables.values())) - before
        expect("most is not read again", read < sum(counts(url).values()) - before / 2, True)
        seen.append(f"{read} read after {before}")


def key_of(stream, row):
    usage = ["subscription_id", "billable_metric_id", "timeframe_start"]
    return [row[name] for name in (usage if stream == "subscription_usage" else ["id"])]


with emulator("--customers", "60") as url:
    executable = {"executable": os.environ["SOURCE_ORB"]}
    check_source("executable", executable, url)
    check_states(executable, url)
    os.environ["PATH"] = f"{STAND_IN}{os.pathsep}{os.environ['PATH']}"
    check_source("image", {"docker_image": "airbyte/source-orb:dev"}, url)
