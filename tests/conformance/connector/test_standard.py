"""Airbyte's standard test suite for sources, which is made for Python sources of its own process: here each command is
a process of source-orb, and everything else, with every assertion, is Airbyte's.
"""

import logging
import os

import pytest
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from airbyte_cdk.utils.docker import run_docker_airbyte_command


class SourceOrb:
    """What the suite takes for a source: it only asks whether there is a `spec`."""

    def spec(self, logger: logging.Logger):
        raise NotImplementedError("the suite runs commands")


def run_command(source, args, expecting_exception=None, *, expected_outcome=None):
    """Instead of running a Python source, as the suite runs an image."""
    return run_docker_airbyte_command([os.environ["SOURCE_ORB"], *args])


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_command)


class TestSourceOrb(SourceTestSuiteBase):
    connector = SourceOrb
