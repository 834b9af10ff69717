"""Judges mock-orb's answers and refusals by Orb's OpenAPI document, resource by resource.

usage: judge.py DOCUMENT URL [answers]

Prints one line per check. With `answers` it checks only that answers are as documented. Every field that the document allows to be null or absent must be both,
and not be so, somewhere in the answers; otherwise a client would never meet it.
"""

import collections
import functools
import json
import re
import sys
import urllib.error
from datetime import date

import jsonschema
from account import get
from checks import check, expect
from resources import LISTS, answers

DOCUMENT, URL, *ONLY = sys.argv[1:]
with open(DOCUMENT, encoding="utf-8") as file:
    OPENAPI = json.load(file)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FORMATS = jsonschema.FormatChecker(formats=[])
FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or bool(INSTANT.fullmatch(value)))
# What the first six resources say, what all lists say in the same way, or what single records say
# as their lists do.
FOREIGN = re.compile(
    r"^coupons/.*/subscriptions|^invoices/|^plans/.*/versions|[.]prices?[.]|^prices[.]data[.]\w+_config[.]"
    r"|[.]invoices[.]|pagination_metadata"
    r"|^(?!subscription_changes/)[^.]*_id\}[.]|^subscription_changes/[^.]*[.]subscription[.]"
)
# Values of each kind of parameter that no list refuses.
VALUES = {"integer": 100, "boolean": "true", "date-time": "2024-06-01T00:00:00Z", "date": "2024-06-01"}
TEXTS = {"due_date_window": "7d", "group_by": "license,day"}
# Values of each kind that every list refuses.
WRONG = {"integer": "ten", "boolean": "yes", "date-time": "2024-06-01", "date": "soon", "word": "none of them"}


@FORMATS.checks("date", raises=ValueError)
def is_date(value):
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value))


@functools.cache
def validator(path):
    operation = OPENAPI["paths"][f"/{path}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    # References are to the components of the document that the schema is part of.
    whole = {**schema, "components": OPENAPI["components"]}
    return jsonschema.Draft202012Validator(whole, format_checker=FORMATS)


def resolve(schema):
    while "$ref" in schema:
        schema = OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def variants(schema):
    """Returns the schemas of which a value matches one, without null, and whether null does."""
    schema = resolve(schema)
    inner = [resolve(it) for key in ["oneOf", "anyOf"] for it in schema.get(key, [])] or [schema]
    return [it for it in inner if it.get("type") != "null"], any(it.get("type") == "null" for it in inner)


def note(schema, value, place, seen):
    """Notes whether the fields of a value are null, absent, or neither."""
    options, _ = variants(schema)
    if isinstance(value, list):
        for item in value:
            note(options[0]["items"], item, place, seen)
    elif isinstance(value, dict):
        for option in options:
            # A variant of a union is told by its enumerations.
            words = {name: resolve(it).get("enum") for name, it in option.get("properties", {}).items()}
            if all(value.get(name) in allowed for name, allowed in words.items() if allowed and name in value):
                for name, field in option.get("properties", {}).items():
                    state = "absent" if name not in value else "null" if value[name] is None else "present"
                    seen[f"{place}.{name}"].add(state)
                    expected = {"present", *(["null"] if variants(field)[1] else [])}
                    expected |= set() if name in option.get("required", []) else {"absent"}
                    seen[f"{place}.{name}", "expected"] = expected
                    if state == "present":
                        note(field, value[name], f"{place}.{name}", seen)
                break


def check_answers():
    """Reads everything that the emulator has."""
    found = collections.defaultdict(list)
    for documented, path, query, answer in answers(URL):
        found[documented].append((path, query, answer))
    for documented, asked in sorted(found.items()):
        with check(f"answers of {documented} are as documented") as judged:
            records = 0
            for path, query, answer in asked:
                if answer.get("deleted"):
                    # All that a customer says who is being deleted; the document says so in prose
                    # only.
                    expect("fields of a deletion", answer, {"id": path.rsplit("/", 1)[1], "deleted": True})
                    continue
                error = jsonschema.exceptions.best_match(validator(documented).iter_errors(answer))
                if error:
                    where = "/".join(map(str, error.absolute_path))
                    raise AssertionError(f"{path} {query}: {where}: {error.message[:300]}")
                records += len(answer.get("data", [answer]))
            expect("any records", records > 0, True)
            judged.append(f"{records} records in {len(asked)} answers")
    return found


def check_variety(found):
    """Fails if a field is never null, or never absent, although it may be."""
    seen = collections.defaultdict(set)
    for documented, asked in found.items():
        for _, _, answer in asked:
            note(validator(documented).schema, answer, documented, seen)
    with check("fields that may be null or absent sometimes are") as judged:
        places = [place for place in seen if isinstance(place, str) and not FOREIGN.search(place)]
        lacking = {place: seen[place, "expected"] - seen[place] for place in places}
        missing = [f"{place} is never {' or '.join(sorted(it))}" for place, it in lacking.items() if it]
        expect("fields without variety", missing, [])
        judged.append(f"{len(places)} fields")


def refused(path, query):
    try:
        get(URL, path, query)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        return (error.code, answer["type"].rsplit("#", 1)[1]) == (400, "400-request-validation-errors")
    return False


def check_parameters(found):
    """Sends every documented parameter, an undocumented one, and values that the document forbids."""
    for documented, asked in sorted(found.items()):
        path, query, _ = asked[0]
        with check(f"parameters of {documented} are as documented") as judged:
            parameters = [it for it in OPENAPI["paths"][f"/{documented}"]["get"]["parameters"] if it["in"] == "query"]
            for parameter in parameters:
                name, schema = parameter["name"], variants(parameter["schema"])[0][0]
                kind = "word" if "enum" in schema else schema.get("format", schema.get("type"))
                if kind in WRONG:
                    expect(f"{name}={WRONG[kind]} refused", refused(path, {**query, name: WRONG[kind]}), True)
                if name in query or name == "cursor":
                    continue
                value = schema["enum"][0] if kind == "word" else TEXTS.get(name, VALUES.get(kind, "1"))
                # An alert has one owner, which the query names already.
                wanted = documented == "alerts" and name.endswith("_id")
                expect(f"{name}={value} refused", refused(path, {**query, name: value}), wanted)
                if parameter.get("required"):
                    raise AssertionError(f"{name} is required but not sent")
            for name, value in [("updated_at[gte]", VALUES["date-time"]), ("limit", 0), ("limit", 101)]:
                expect(f"{name}={value} refused", refused(path, {**query, name: value}), True)
            for name in [it["name"] for it in parameters if it.get("required")]:
                rest = {other: value for other, value in query.items() if other != name}
                expect(f"a request without {name} refused", refused(path, rest), True)
            judged.append(f"{len(parameters)} parameters")


FOUND = check_answers()
if not ONLY:
    check_variety(FOUND)
    check_parameters(FOUND)
    with check("all documented lists are read") as CHECKED:
        expect("lists", sorted({path for path, _ in LISTS} - FOUND.keys()), [])
        CHECKED.append(f"{len(FOUND)} resources")
