"""Runs Airbyte's published source-orb against the API at ORB_URL.

The connector's API address is a constant, so this program redirects its requests.
"""

import os

import requests.adapters
from source_orb.run import run

ADDRESS = "https://api.billwithorb.com/v1"
send = requests.adapters.HTTPAdapter.send


def send_elsewhere(adapter, request, *others, **options):
    if not request.url.startswith(ADDRESS):
        raise ValueError(f"{request.url} is not below {ADDRESS}")
    request.url = os.environ["ORB_URL"] + request.url.removeprefix(ADDRESS)
    return send(adapter, request, *others, **options)


requests.adapters.HTTPAdapter.send = send_elsewhere
run()
