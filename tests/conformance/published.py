"""Airbyte's published source-orb with another API: its address is a constant, so it is set before it starts.

In: ORB_URL, and the arguments of a command. Out: what it prints.
"""

import os
import sys

from airbyte_cdk.entrypoint import launch
from source_orb import source

source.ORB_API_BASE_URL = f"{os.environ['ORB_URL']}/"
source.OrbStream.url_base = source.ORB_API_BASE_URL
launch(source.SourceOrb(), sys.argv[1:])
