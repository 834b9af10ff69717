"""Sends requests to the emulator, and runs the connector, through the validating proxy.

usage: proxy.py EMULATOR PROXY KEY LOG HOST COMPONENT WORK

Takes the URLs of the emulator and of the proxy, the API key, the proxy's log, the host, the
component, and a working directory. Prints one line per check.
"""

import collections
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta

from account import CURSORS
from checks import check, expect

EMULATOR, PROXY, KEY, LOG, HOST, COMPONENT, WORK = sys.argv[1:]
TIMEFRAME = {"timeframe_start": "2024-06-01T00:00:00Z", "timeframe_end": "2024-07-01T00:00:00Z"}


def ask(base, path, query=None, body=None):
    """Sends a request, and returns the status and the answer."""
    request = urllib.request.Request(
        f"{base}/{path}?{urllib.parse.urlencode(query or {}, doseq=True)}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    try:
        # The proxy takes up to half a minute for the first answer of a kind.
        with urllib.request.urlopen(request, timeout=180) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def valid(path, query=None, body=None):
    """Returns the answer to a request; fails unless the document allows both."""
    status, answer = ask(PROXY, path, query, body)
    if status != 200:
        raise AssertionError(f"{path} {query or ''} {body or ''}: {status} {json.dumps(answer)}")
    return answer


def check_proxy():
    for name, path, query, body in [
        ("a limit of 5000", "customers", {"limit": 5000}, None),
        ("an unknown search criterion", "events/search", None, {"event_ids": ["x"], "invoice_id": "x"}),
    ]:
        with check(f"the document refuses {name}") as seen:
            status, _ = ask(PROXY, path, query, body)
            expect("status", status, 422)
            seen.append(f"status {status}")


def check_emulator():
    ids = {}
    for path, query in [
        ("customers", {}),
        ("plans", {}),
        ("subscriptions", {}),
        ("invoices", {"status[]": ["draft", "issued", "paid", "synced", "void"]}),
    ]:
        with check(f"{path} are as documented") as seen:
            data = valid(path, {"limit": 100, **query})["data"]
            ids[path] = [record["id"] for record in data]
            valid(f"{path}/{ids[path][0]}")
            seen.append(f"{len(data)} records")
    with check("ledger entries are as documented") as seen:
        ledgers = [valid(f"customers/{id}/credits/ledger", {"limit": 1000})["data"] for id in ids["customers"]]
        entries = [entry for ledger in ledgers for entry in ledger]
        seen.append(f"{len(entries)} entries")
    with check("usage is as documented") as seen:
        metrics = set()
        for id in ids["subscriptions"]:
            query = {"granularity": "day", "view_mode": "periodic", **TIMEFRAME}
            data = valid(f"subscriptions/{id}/usage", query)["data"]
            metrics |= {(id, item["billable_metric"]["id"]) for item in data}
            grouped = {**query, "billable_metric_id": data[0]["billable_metric"]["id"], "group_by": "region"}
            valid(f"subscriptions/{id}/usage", grouped)
        seen.append(f"{len(metrics)} metrics")
    with check("events are as documented") as seen:
        found = 0
        for entry in entries:
            if entry.get("event_id"):
                end = entry["created_at"]
                start = datetime.fromisoformat(end.replace("Z", "+00:00")) - timedelta(days=6)
                bounds = {"timeframe_start": start.isoformat(), "timeframe_end": end}
                found += len(valid("events/search", body={"event_ids": [entry["event_id"]], **bounds})["data"])
        expect("any events", found > 0, True)
        seen.append(f"{found} found")


def host(base, *arguments):
    """Runs the connector, and returns its messages."""
    config = pathlib.Path(WORK, "config.json")
    config.write_text(json.dumps({"api_key": KEY, "start_date": "2020-01-01T00:00:00Z", "api_url": base}))
    command = [HOST, "run", COMPONENT, *arguments, "--config", config]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    # Not `splitlines`: strings in records may contain other line separators.
    messages = [json.loads(line) for line in done.stdout.split("\n") if line]
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr[-300:]} {json.dumps(messages[-1:])}")
    return messages


def read(base):
    """Reads the core streams, and counts the records of each."""
    messages = host(base, "read", "--streams", "core")
    return collections.Counter(it["record"]["stream"] for it in messages if it["type"] == "RECORD")


def refusals():
    return pathlib.Path(LOG).read_text(encoding="utf-8").count("Request terminated with error")


def check_connector():
    # The requests of the others would take the proxy too long. The emulator judges them, and the
    # document has judged the parameters that it takes.
    with check("each request of the connector is as documented") as seen:
        before, direct, proxied = refusals(), read(EMULATOR), read(PROXY)
        expect("requests refused", refusals() - before, 0)
        expect("records", proxied, direct)
        expect("streams with records", len(proxied), len(CURSORS))
        seen.append(", ".join(f"{count} {name}" for name, count in proxied.items()))


check_proxy()
check_emulator()
check_connector()
