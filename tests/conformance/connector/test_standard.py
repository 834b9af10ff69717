"""Runs Airbyte's standard test suite for sources against source-orb.

The suite expects a Python source in its own process. Here each command runs source-orb as a process;
all assertions are Airbyte's.
"""

import logging
import os

import pytest
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from airbyte_cdk.utils.docker import run_docker_airbyte_command


class SourceOrb:
    """Passes for a source: the suite only checks that `spec` exists."""

    def spec(self, logger: logging.Logger):
        raise NotImplementedError("the suite runs commands")


def run_command(source, args, expecting_exception=None, *, expected_outcome=None):
    """Replaces the suite's runner for Python sources with that for images."""
    return run_docker_airbyte_command([os.environ["SOURCE_ORB"], *args])


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_command)


class TestSourceOrb(SourceTestSuiteBase):
    connector = SourceOrb
