"""Mends Orb's OpenAPI document where nothing, or not all that it means, can satisfy it.

In: the document's path, and where to write the mended copy. A document that needs no mending is copied.
"""

import json
import sys

source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    document = json.load(file)
schemas = document["components"]["schemas"]

# Empty, so null is one of these too; then `oneOf` this and null can never be met by null.
if schemas.get("DEPRECATED_InvoiceLevelDiscount", {}).keys() <= {"title", "deprecated"}:
    schemas["DEPRECATED_InvoiceLevelDiscount"] = {"type": "object"}

# Grouped usage has all that ungrouped usage must have, so that it is never exactly one of them.
usage = schemas.get("SubscriptionUsage", {})
if "oneOf" in usage:
    usage["anyOf"] = usage.pop("oneOf")

with open(target, "w", encoding="utf-8") as file:
    json.dump(document, file)
