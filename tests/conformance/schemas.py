"""Compares the schema of every stream with Orb's OpenAPI document, field by field.

usage: schemas.py [OPENAPI]

Needs ORB_OPENAPI or the argument, the document's path. Compares what `SOURCE_ORB discover` prints;
without SOURCE_ORB, the files in connector/orb/schemas. A field that is missing, and a type or null
that the document allows and the schema does not, fail the check of the stream. Prints one line per
check. By itself, exits with 1 if a check failed.
"""

import json
import os
import pathlib
import re
import sys
from dataclasses import replace

from checks import check, expect, tell
from emulator import config
from rows import STREAMS
from shape import Document, mutants
from source import run

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parents[1] / "connector" / "orb" / "schemas"
# At how many places of a stream, at most, the comparison itself is tested.
PLACES_PER_STREAM = 20


def records(document, rows):
    """Returns the alternatives of a stream's records, as the document and the table have them."""
    answer = document.answer(rows.path)
    if answer is None:
        raise LookupError(f"the document has no GET {rows.path}")
    copied = {name: document.at(answer, place) for name, place in rows.copied.items()}
    found = []
    for it in document.at(answer, rows.at):
        if not it.may_be("object"):
            continue
        carried = [name for name in it.properties if name not in rows.dropped and name in (rows.only or it.properties)]
        properties = {name: it.properties[name] for name in carried}
        for name, variants in copied.items():
            properties[name] = variants + (document.variants(properties[name]) if name in properties else [])
        for name in rows.never_null:
            theirs = document.variants(properties[name])
            properties[name] = [replace(it, types=it.types - {"null"}) for it in theirs if it.types != {"null"}]
        required = it.required | copied.keys() | rows.added.keys() | rows.never_null.keys()
        found.append(replace(it, properties=properties, required=required))
    return found


def gaps(document, rows, schema, seen=None):
    """Returns `(where, what)` of each difference that would fail or lose a value."""
    found = list(document.gaps(schema, records(document, rows), seen=seen))
    properties = schema["properties"]
    found += [(f".{name}", "is missing") for name in rows.added if name not in properties]
    found += [(f".{name}", f"is there, but dropped: {why}") for name, why in rows.dropped.items() if name in properties]
    return found


def discovered():
    """Returns the schema of each stream as clients get it."""
    if "SOURCE_ORB" not in os.environ:
        files = {file.relative_to(SCHEMAS).as_posix(): json.loads(file.read_text()) for file in SCHEMAS.rglob("*.json")}
        return {name.removesuffix(".json"): resolved(file, files) for name, file in files.items() if "/" not in name}
    done = run("discover", config=config("http://127.0.0.1:9"))
    expect("exit code", (done.code, done.stderr[-300:]), (0, ""))
    return {it["name"]: it["json_schema"] for it in done.of("CATALOG")[0]["streams"]}


def resolved(schema, files):
    """Replaces references to files as elt_sdk::schema does."""
    if isinstance(schema, list):
        return [resolved(it, files) for it in schema]
    if not isinstance(schema, dict):
        return schema
    own = {name: resolved(it, files) for name, it in schema.items() if name != "$ref"}
    if "$ref" not in schema:
        return own
    base = resolved(files[schema["$ref"]], files)
    properties = {**base.get("properties", {}), **own.get("properties", {})}
    return {**base, **own, **({"properties": properties} if properties else {})}


def supplemented(document):
    """Adds what Orb's SDK (4.90.0) and documentation have and the document has not, or has empty."""
    supplement = json.loads((HERE / "supplement.json").read_text(encoding="utf-8"))
    for path, element in supplement["elements"].items():
        answer = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": element}}}
        known = {re.sub(r"\{[^}]*\}", "{}", path) for path in document["paths"]}
        if path not in known:
            document["paths"][path] = {
                "get": {"responses": {"200": {"content": {"application/json": {"schema": answer}}}}}
            }
    schemas = document.get("components", {}).get("schemas", {})
    for name, properties in supplement["properties"].items():
        if name in schemas:
            schemas[name]["properties"] = {**properties, **schemas[name]["properties"]}
    for name, schema in supplement["schemas"].items():
        if name in schemas and not schemas[name].keys() & {"type", "properties", "oneOf", "anyOf", "allOf", "$ref"}:
            schemas[name] = schema
    return document


def judge(path):
    document = Document(supplemented(json.loads(pathlib.Path(path).read_text(encoding="utf-8"))))
    schemas = discovered()
    passed, worse = [], []
    with check("every stream is compared"):
        expect("streams without a row here, or rows without a stream", sorted(schemas.keys() ^ STREAMS.keys()), [])
        passed.append("every stream is compared")
    for stream, rows in STREAMS.items():
        if stream not in schemas:
            continue
        with check(stream) as notes:
            seen = []
            found = gaps(document, rows, schemas[stream], seen)
            if found:
                raise AssertionError(f"{len(found)}: " + "; ".join(f"{stream}{where} {what}" for where, what in found))
            notes.append(f"{len(seen)} places")
            # Spread evenly over all depths.
            worse += [(stream, *place) for place in seen[:: len(seen) // PLACES_PER_STREAM + 1]]
            passed.append(stream)
    with check("a worse schema is found") as notes:
        notes.append(f"{sum(found_worse(document, schemas, *place) for place in worse)} of them")
        passed.append("a worse schema is found")
    return len(passed) == len(STREAMS) + 2


def found_worse(document, schemas, stream, where, variants):
    """Makes a schema worse at a place in each way, and expects a gap there. Returns how many."""
    count = 0
    for what, mutant in mutants(schemas[stream], where, variants):
        if where not in {place for place, _ in gaps(document, STREAMS[stream], mutant)}:
            raise AssertionError(f"{stream}{where} {what} was not noticed")
        count += 1
    return count


openapi = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ORB_OPENAPI")
if openapi:
    is_good = judge(openapi)
    # `run.py` reads the lines instead.
    sys.exit(not is_good and "CONFORMANCE" not in os.environ)
else:
    tell("SKIPPED", "schemas", "ORB_OPENAPI does not name Orb's OpenAPI document")
