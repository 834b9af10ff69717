"""Reads the files of `read --output-dir` with DuckDB, PyArrow and Polars: counts, types and values.

Every value must be in its column, equal to what the source wrote, or in `_rest` as it was written.
Prints one line per check.
"""

import datetime
import decimal
import json
import os
import pathlib
import random
import re
import subprocess
import time

import duckdb
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
from checks import check, expect
from emulator import config, emulator
from folders import ORB, SCRIPT, fresh, host, script
from views import check_views, view_of

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)
KILLS = 20

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "count": {"type": ["null", "integer"]},
        "quantity": {"type": ["null", "number"]},
        "cents": {"type": ["null", "number"], "multipleOf": 0.01},
        "flag": {"type": ["null", "boolean"]},
        "map": {"type": ["null", "object"]},
        "list": {"type": ["null", "array"]},
    },
}
DEEP = '{"a":[' * 50 + "1.10" + "]}" * 50
# Records as text, because Python would write other numbers.
NASTY = [
    '{"id":"plain","at":"2024-02-29T23:59:59.123456Z","count":1,"quantity":1.5,"cents":0.01,"flag":true,"map":{"a":1.10},"list":[1,2]}',
    '{"id":"nulls","at":null,"count":null,"quantity":null,"cents":null,"flag":null,"map":null,"list":null}',
    '{"id":"absent"}',
    '{"id":"38 digits","quantity":12345678901234567890123456789.123456789,"cents":-123456789012345678901234567890123456.78}',
    '{"id":"39 digits","quantity":123456789012345678901234567890.123456789,"cents":1234567890123456789012345678901234567.89}',
    '{"id":"64 bits","count":9223372036854775807}',
    '{"id":"65 bits","count":9223372036854775808}',
    '{"id":"lowest","count":-9223372036854775808}',
    '{"id":"exponent","quantity":1.5e3,"count":1E2,"cents":25e-2}',
    '{"id":"huge","quantity":1e400,"count":1e400,"cents":-1e400}',
    '{"id":"tiny","quantity":1e-400,"cents":0.001}',
    '{"id":"minus zero","quantity":-0,"count":-0,"cents":-0.0}',
    '{"id":"zeros","quantity":1.500000,"cents":10.00,"count":1.0}',
    '{"id":"leap second","at":"2016-12-31T23:59:60Z"}',
    '{"id":"year one","at":"0001-01-01T00:00:00Z"}',
    '{"id":"last year","at":"9999-12-31T23:59:59.999999Z"}',
    '{"id":"year zero","at":"0000-01-01T00:00:00Z"}',
    '{"id":"nanoseconds","at":"2024-01-01T00:00:00.123456789Z"}',
    '{"id":"before 1970","at":"1969-12-31T23:59:59.999999Z"}',
    '{"id":"offset","at":"2024-01-01T00:00:00+05:30"}',
    '{"id":"no instant","at":"tomorrow","count":"1","quantity":"1.5","flag":"true","map":[1],"list":{"a":1}}',
    '{"id":"unicode \\ud83d\\ude00 \u00e9 \u2028 \\u0001 \u65e5\u672c","map":{"\\ud83d\\ude00":"\\u00e9"}}',
    '{"id":"surrogate","at":"\\ud800"}',
    '{"id":"drift","new_field":{"deep":[{"er":1.10}]},"flag":[true]}',
    '{"id":"deep","map":' + DEEP + "}",
    '{"id":"empty","map":{},"list":[],"at":""}',
]


class Number(str):
    """A number as its text: equal only if written alike."""


def load(text):
    """Parses JSON without changing a number."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def rows_of_duckdb(files):
    source = f"read_parquet({files!r}, union_by_name = true)"
    names = [row[0] for row in duckdb.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    instants = {"at", "_extracted_at"}
    columns = ", ".join(f'epoch_us("{name}")' if name in instants else f'"{name}"' for name in names)
    found = duckdb.sql(f"SELECT {columns} FROM {source}").fetchall()
    return [dict(zip(names, row)) for row in found]


def rows_of_pyarrow(files):
    table = pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in files], promote_options="default")
    for place, field in enumerate(table.schema):
        if pyarrow.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pyarrow.int64()))
    return table.to_pylist()


def rows_of_polars(files):
    frame = polars.concat([polars.read_parquet(file) for file in files], how="diagonal")
    instants = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    return frame.with_columns(polars.col(instants).dt.epoch("us")).to_dicts()


READERS = {"DuckDB": rows_of_duckdb, "PyArrow": rows_of_pyarrow, "Polars": rows_of_polars}


def micros(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // MICROSECOND


def is_equal(column, value, expected):
    """Whether the value of a column is what the source wrote."""
    if column in ("map", "list"):
        return isinstance(value, str) and load(value) == expected
    if column == "at":
        return isinstance(expected, str) and value == micros(expected)
    if isinstance(expected, Number):
        return isinstance(value, (int, decimal.Decimal)) and decimal.Decimal(value) == decimal.Decimal(expected)
    return type(value) is type(expected) and value == expected


def compare(rows, records):
    """Compares every value of every record. Returns how many were in their columns and in `_rest`."""
    expect("rows", len(rows), len(records))
    columns = set(SCHEMA["properties"])
    in_place = aside = 0
    for row, text in zip(sorted(rows, key=lambda row: row["_extracted_at"]), records):
        record, rest = load(text), load(row["_rest"] or "{}")
        for name in columns | set(record) | set(rest):
            value, expected = row.get(name), record.get(name)
            where = f"{name} of {text[:60]}"
            if name in rest:
                expect(where, rest[name], expected)
                expect(f"the type of {where}", type(rest[name]), type(expected))
                aside += 1
                if value is None:
                    continue
            if expected is None:
                expect(where, value, None)
            elif not is_equal(name, value, expected):
                raise AssertionError(f"{where}: {value!r} is not {expected!r}")
            in_place += 1
    return f"{in_place} values in columns, {aside} in _rest"


def check_values():
    host(SCRIPT, script([NASTY[:5], NASTY[5:]], SCHEMA), "read", "--output-dir", fresh("nasty"))
    files = sorted(map(str, pathlib.Path("nasty/things").glob("*.parquet")))
    for name, rows in READERS.items():
        with check(f"{name} reads every nasty value as it was written") as seen:
            seen.append(compare(rows(files), NASTY))
    with check("a stream of nulls, and one without records") as seen:
        null = {name: None for name in SCHEMA["properties"]}
        nulls = [json.dumps({**null, "id": str(n)}) for n in range(3000)]
        host(SCRIPT, script([nulls], SCHEMA), "read", "--output-dir", fresh("nulls"))
        host(SCRIPT, script([], SCHEMA), "read", "--output-dir", fresh("empty"))
        for name, rows in READERS.items():
            compare(rows(sorted(map(str, pathlib.Path("nulls/things").glob("*.parquet")))), nulls)
            expect(f"rows of {name}", rows(sorted(map(str, pathlib.Path("empty/things").glob("*.parquet")))), [])
    for suffix in ["jsonl", "jsonl.gz", "jsonl.zst"]:
        with check(f"DuckDB reads {suffix}") as seen:
            lines = [json.dumps({"id": str(n), "text": "x" * n}) for n in range(100)]
            host(SCRIPT, script([lines], SCHEMA), "read", "--output-dir", fresh("lines"), "--format", suffix)
            columns = "count(*), count(DISTINCT id), max(length(text)), typeof(any_value(_extracted_at))"
            found = duckdb.sql(f"SELECT {columns} FROM read_json('lines/things/*.{suffix}')").fetchall()
            expect("what it finds", found[0][:3], (100, 100, 99))
            expect("the type of the time", found[0][3].startswith("TIMESTAMP"), True)


def check_types():
    files = sorted(map(str, pathlib.Path("nasty/things").glob("*.parquet")))
    with check("DuckDB's types") as seen:
        found = dict(row[:2] for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet({files!r})").fetchall())
        instant, text = "TIMESTAMP WITH TIME ZONE", "VARCHAR"
        wanted = {
            "id": text, "at": instant, "count": "BIGINT", "quantity": "DECIMAL(38,9)", "cents": "DECIMAL(38,2)",
            "flag": "BOOLEAN", "map": text, "list": text, "_rest": text, "_extracted_at": instant,
        }  # fmt: skip
        expect("columns", found, wanted)
    with check("PyArrow's types") as seen:
        schema = pyarrow.parquet.read_schema(files[0])
        kinds = {"at": pyarrow.timestamp("us", "UTC"), "quantity": pyarrow.decimal128(38, 9), "count": pyarrow.int64()}
        for name, kind in kinds.items():
            expect(name, schema.field(name).type, kind)
        expect("floats", [field.name for field in schema if pyarrow.types.is_floating(field.type)], [])
    with check("Polars' types") as seen:
        schema = polars.read_parquet_schema(files[0])
        expect("at", schema["at"], polars.Datetime("us", "UTC"))
        expect("quantity", schema["quantity"], polars.Decimal(38, 9))


def records(url, streams):
    """The lines of the records of an account. Strings may contain other separators of lines."""
    lines = host(ORB, config(url), "read", "--streams", streams).split("\n")
    return [line for line in lines if line.startswith('{"type":"RECORD"')]


def check_account():
    with emulator("--customers", "3000", "--invoices", "2000") as url:
        with check("every stream of an account, counted by three readers") as seen:
            streams = [json.loads(line)["record"]["stream"] for line in records(url, "all")]
            host(ORB, config(url), "read", "--streams", "all", "--output-dir", fresh("account"))
            for folder in sorted(path for path in pathlib.Path("account").iterdir() if path.is_dir()):
                files = sorted(map(str, folder.glob("*.parquet")))
                wanted = streams.count(folder.name)
                by_duckdb = duckdb.sql(f"SELECT count(*) FROM read_parquet({files!r})").fetchall()
                by_polars = polars.scan_parquet(files).select(polars.len()).collect().item()
                expect(f"{folder.name} in DuckDB", by_duckdb, [(wanted,)])
                expect(f"{folder.name} in PyArrow", pyarrow.dataset.dataset(files).count_rows(), wanted)
                expect(f"{folder.name} in Polars", by_polars, wanted)
            seen.append(f"{len(set(streams))} streams with records, {len(streams)} records")
        with check("verify finds a row that was changed and one that is missing") as seen:
            flags = ["--streams", "customers", "--output-dir", fresh("lines"), "--format", "jsonl"]
            host(ORB, config(url), "read", *flags)
            file = next(pathlib.Path("lines/customers").glob("*.jsonl"))
            first, second, *others = file.read_text(encoding="utf-8").splitlines(keepends=True)
            changed = re.sub(r'"email":"[^"]*"|"email":null', '"email":"nobody@example.com"', second)
            file.write_text("".join([changed, *others]), encoding="utf-8")
            flags = ["--streams", "customers", "--against", "lines", "--format", "json"]
            found = host(ORB, config(url), "verify", *flags, code=1)
            customers = json.loads(found)["streams"][0]
            counts = [customers[kind]["count"] for kind in ["missing", "surplus", "different"]]
            expect("missing, surplus, different", counts, [1, 0, 1])
            expect("fields", customers["fields"], {"email": 1})


def check_kills():
    # A read takes longer than any is left to run.
    with emulator("--customers", "3000", "--invoices", "2000", "--latency-ms", "150") as url:
        with check(f"a run that is killed at random {KILLS} times leaves a folder that is the account") as seen:
            fresh("killed")
            pathlib.Path("state.json").unlink(missing_ok=True)
            flags = ["--streams", "customers,invoices", "--output-dir", "killed", "--part-size", "50KiB"]
            flags += ["--state", "state.json", "--save-state"]
            streams = [json.loads(line)["record"]["stream"] for line in records(url, "customers,invoices")]
            chance, killed = random.Random(18), 0
            for _ in range(KILLS):
                line = [os.environ["HOST"], "run", ORB, "read", "--config", "config.json", *flags]
                with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
                    time.sleep(chance.uniform(0.05, 0.5))
                    program.kill()
                killed += program.returncode != 0
                for stream in ["customers", "invoices"]:
                    for file in pathlib.Path("killed", stream).glob("*.parquet"):
                        pyarrow.parquet.read_metadata(file)
            host(ORB, config(url), "read", *flags)
            for stream in ["customers", "invoices"]:
                duckdb.sql(view_of(stream))
                expect(stream, duckdb.sql(f"SELECT count(*) FROM {stream}").fetchall(), [(streams.count(stream),)])
            host(ORB, config(url), "verify", "--streams", "customers,invoices", "--against", "killed")
            expect("runs that ended before they were killed", KILLS - killed, 0)
            seen.append(f"{killed} were killed before their end")


def main():
    check_values()
    check_types()
    check_views()
    check_account()
    check_kills()


if __name__ == "__main__":
    main()
