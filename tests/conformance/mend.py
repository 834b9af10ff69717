"""Repairs Orb's OpenAPI document where its schemas reject valid answers.

usage: mend.py DOCUMENT TARGET

Writes the repaired document, or an unchanged copy if it needs no repair.
"""

import json
import sys

source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    document = json.load(file)
schemas = document["components"]["schemas"]

# An empty schema also accepts null, so null matches both branches of a `oneOf` with null.
if schemas.get("DEPRECATED_InvoiceLevelDiscount", {}).keys() <= {"title", "deprecated"}:
    schemas["DEPRECATED_InvoiceLevelDiscount"] = {"type": "object"}

# Grouped usage also matches the schema of ungrouped usage, so it never matches exactly one of them.
usage = schemas.get("SubscriptionUsage", {})
if "oneOf" in usage:
    usage["anyOf"] = usage.pop("oneOf")

with open(target, "w", encoding="utf-8") as file:
    json.dump(document, file)
