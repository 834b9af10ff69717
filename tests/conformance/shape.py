"""Compares JSON Schemas with the schemas of an OpenAPI document, at every depth."""

import copy
import itertools
import re
from dataclasses import dataclass, field

# The keywords that our schemas may use. Any other could refuse a value that the document allows.
KEYWORDS = {
    "$schema", "additionalProperties", "airbyte_type", "description", "format", "items", "properties", "required",
    "title", "type",
}  # fmt: skip
TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


@dataclass
class Variant:
    """What a schema says if one of its alternatives holds, without references. No types means any."""

    types: frozenset | None = None
    format: str | None = None
    properties: dict = field(default_factory=dict)
    required: frozenset = frozenset()
    items: dict | None = None
    others: dict | None = None

    def may_be(self, kind):
        return self.types is None or kind in self.types

    def and_(self, other):
        """Returns what holds if both hold."""
        types = self.types if other.types is None else other.types if self.types is None else self.types & other.types
        properties = dict(self.properties)
        for name, schema in other.properties.items():
            properties[name] = both(properties.get(name), schema)
        return Variant(
            types, self.format or other.format, properties, self.required | other.required,
            both(self.items, other.items), both(self.others, other.others),
        )  # fmt: skip


def both(one, other):
    """Returns a schema for what both schemas allow. A schema may be absent."""
    return {"allOf": [one, other]} if one and other else one or other


NULL = Variant(frozenset({"null"}))


class Document:
    """An OpenAPI document, version 3.0 or 3.1."""

    def __init__(self, document):
        self.document = document
        self.known = {}

    def variants(self, schema):
        """Returns the alternatives of a schema. A list is taken for such alternatives."""
        if isinstance(schema, list):
            return schema
        # The schema is kept too, so that no other gets its address.
        if id(schema) not in self.known:
            self.known[id(schema)] = (schema, self._variants(schema))
        return self.known[id(schema)][1]

    def all(self, schemas):
        """Returns the alternatives of all schemas."""
        return [it for schema in schemas for it in self.variants(schema)]

    def _variants(self, schema):
        schema = {} if schema is True else schema
        found = [self._own(schema)]
        also = [self.variants(self.follow(schema["$ref"]))] if "$ref" in schema else []
        also += [self.variants(part) for part in schema.get("allOf", [])]
        also += [
            [it for part in schema[word] for it in self.variants(part)] for word in ("oneOf", "anyOf") if word in schema
        ]
        for alternatives in also:
            found = [one.and_(other) for one in found for other in alternatives]
        # Alternatives that contradict the rest hold for no value.
        found = [it for it in found if it.types is None or it.types]
        return found + ([NULL] if schema.get("nullable") else [])

    def _own(self, schema):
        named = schema.get("type")
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if named is not None:
            types = frozenset([named] if isinstance(named, str) else named)
        elif values is not None:
            types = frozenset(TYPES[type(value)] for value in values)
        else:
            types = (
                frozenset({"object"}) if "properties" in schema else frozenset({"array"}) if "items" in schema else None
            )
        others = schema.get("additionalProperties")
        return Variant(
            types, schema.get("format"), schema.get("properties", {}), frozenset(schema.get("required", [])),
            schema.get("items"), others if isinstance(others, dict) else None,
        )  # fmt: skip

    def follow(self, reference):
        found = self.document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found

    def answer(self, path):
        """Returns the schema of what `GET` of a path answers, or none. Parameters are written `{}`."""
        for candidate, item in self.document["paths"].items():
            if re.sub(r"\{[^}]*\}", "{}", candidate) == path and "get" in item:
                good = next(it for code, it in sorted(item["get"]["responses"].items()) if code.startswith("2"))
                return good["content"]["application/json"]["schema"]
        return None

    def at(self, schema, place):
        """Returns the alternatives at a place such as `data[].customer.id`; null if it may be absent."""
        found, absent = self.variants(schema), False
        for step in filter(None, place.split(".")):
            name = step.removesuffix("[]")
            inner = [it.properties[name] for it in found if name in it.properties]
            if not inner:
                raise LookupError(f"the document has no {place}")
            absent |= any(name not in it.required for it in found)
            found = self.all(inner)
            if step.endswith("[]"):
                found = self.all(it.items for it in found if it.items is not None)
        return found + ([NULL] if absent else [])

    def gaps(self, ours, variants, where="", seen=None):
        """Yields `(where, what)` for each value that one of the variants allows and our schema forbids
        or does not describe. Appends each place that is compared to `seen`."""
        if seen is not None:
            seen.append((where, variants))
        own = ours.get("type")
        own = None if own is None else {own} if isinstance(own, str) else set(own)
        if own is None and any(it.types is not None for it in variants):
            yield where, "has no type"
        elif own is not None:
            wide = own | ({"integer"} if "number" in own else set())
            if any(it.types is None for it in variants):
                yield where, "may be anything"
            for kind in sorted({it for variant in variants for it in variant.types or ()} - wide):
                yield where, f"may be {kind}"
        for word in sorted(ours.keys() - KEYWORDS):
            yield where, f"{word} is a keyword that may refuse values"
        if "format" in ours and any(it.may_be("string") and it.format != ours["format"] for it in variants):
            yield where, f"not always of format {ours['format']}"
        objects = [it for it in variants if it.may_be("object")]
        if objects:
            yield from self._members(ours, objects, where, seen)
        items = [it.items for it in variants if it.items is not None and it.may_be("array")]
        if items and "items" not in ours:
            yield f"{where}[]", "is missing"
        elif items:
            yield from self.gaps(ours["items"], self.all(items), f"{where}[]", seen)

    def _members(self, ours, objects, where, seen):
        if ours.get("additionalProperties") is False:
            yield where, "may have further fields"
        for name in ours.get("required", []):
            if any(name not in it.required for it in objects):
                yield f"{where}.{name}", "may be absent"
        own = ours.get("properties", {})
        for name in dict.fromkeys(itertools.chain.from_iterable(it.properties for it in objects)):
            if name not in own:
                yield f"{where}.{name}", "is missing"
                continue
            theirs = [it.properties[name] for it in objects if name in it.properties]
            yield from self.gaps(own[name], self.all(theirs), f"{where}.{name}", seen)
        others = [it.others for it in objects if it.others is not None]
        if others and isinstance(ours.get("additionalProperties"), dict):
            yield from self.gaps(ours["additionalProperties"], self.all(others), f"{where}.*", seen)


def inside(schema, where):
    """Returns the object that holds a place such as `.a[].b`, and its name there."""
    holder, name = {"root": schema}, "root"
    for step in re.findall(r"\[\]|\.\*|\.[^.\[]+", where):
        holder = holder[name]
        if step == "[]":
            name = "items"
        elif step == ".*":
            name = "additionalProperties"
        else:
            holder, name = holder["properties"], step[1:]
    return holder, name


def mutants(schema, where, variants):
    """Yields copies of a schema that are worse at one place, and what is worse."""
    holder, name = inside(schema, where)
    own = holder[name].get("type")
    own = [own] if isinstance(own, str) else own or []
    allowed = {kind for it in variants for kind in it.types or ()}
    changes = {}
    if where and not where.endswith(".*"):
        changes["dropped"] = lambda holder, name: holder.pop(name)
    for kind in own:
        if kind in allowed:
            fewer = [it for it in own if it != kind] or ["integer" if kind == "number" else "nothing"]
            changes[f"without {kind}"] = lambda holder, name, fewer=fewer: holder[name].update(type=fewer)
    if "string" in allowed:
        changes["with an enum"] = lambda holder, name: holder[name].update(enum=["a", "b"])
        changes["with a format"] = lambda holder, name: holder[name].update(format="uuid")
    if "object" in allowed:
        changes["closed"] = lambda holder, name: holder[name].update(additionalProperties=False)
    for what, change in changes.items():
        mutant = copy.deepcopy(schema)
        change(*inside(mutant, where))
        yield what, mutant
