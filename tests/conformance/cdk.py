"""Runs the test suites of Airbyte's connector development kit (CDK) against source-orb.

Runs the suites for sources and for images (a stand-in for docker runs the executable), and the
comparison with published specs. Prints one line per test of the suites.
"""

import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest
import source
import yaml
from airbyte_cdk.test.standard_tests import _spec_compatibility, docker_base
from airbyte_cdk.test.standard_tests._spec_compatibility import compare_specs
from checks import check, expect, tell
from emulator import config, emulator

HERE = pathlib.Path(__file__).resolve().parent
IMAGE = "airbyte/source-orb:dev"
# The last version on PyPI, and the last one written in Python.
LAST, PYTHON = "2.0.14", "1.2.4"
# What the last version requires of a config, and the one in Python did not.
ADDED_SINCE = [
    "`connectionSpecification.properties.start_date.format` was added, narrowing what a config may set",
]


class Results:
    """Reports each test's result as a check."""

    def __init__(self, suite):
        self.suite = suite

    def pytest_runtest_logreport(self, report):
        name = f"{self.suite} {report.nodeid.split('::')[-1]}"
        if report.failed:
            tell("FAIL", name, f"{report.when}: {str(report.longrepr)[-300:]}")
        elif report.skipped:
            tell("SKIPPED", name, report.longrepr[2].removeprefix("Skipped: ")[:200])
        elif report.when == "call":
            tell("ok", name, f"{report.duration:.1f} s")

    def pytest_collectreport(self, report):
        if report.failed:
            tell("FAIL", f"{self.suite} collection", str(report.longrepr)[-300:])

    def pytest_warning_recorded(self, warning_message):
        if "future CDK release" in str(warning_message.message):
            tell("FAIL", f"{self.suite} warnings", str(warning_message.message)[:400])


def connector(url):
    """Creates a directory in the layout of Airbyte's tools, with configs for this emulator."""
    directory = pathlib.Path("source-orb").absolute()
    shutil.copytree(HERE / "connector", directory)
    configs = {
        "config": config(url),
        "config_all": config(
            url,
            end_date="2024-12-31T00:00:00Z",
            lookback_window_days=2,
            string_event_properties_keys=["region"],
            numeric_event_properties_keys=["calls"],
            subscription_usage_grouping_key="region",
            draft_invoices=True,
            concurrency=4,
        ),
        "wrong_key": config(url, api_key="not-the-key-of-anybody"),
        "wrong_date": config(url, start_date="2024-01-01"),
    }
    (directory / "secrets").mkdir()
    for name, settings in configs.items():
        (directory / "secrets" / f"{name}.json").write_text(json.dumps(settings), encoding="utf-8")
    return directory


def spec_of(version):
    """Extracts the spec from a published connector's package."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--dest", "published"]
    package = f"airbyte-source-orb=={version}"
    subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True, stdout=sys.stderr)
    (wheel,) = pathlib.Path("published").glob(f"*-{version}-*.whl")
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as files:
        if "source_orb/spec.json" in files.namelist():
            return json.loads(files.read("source_orb/spec.json"))
        manifest = yaml.safe_load(files.read("source_orb/manifest.yaml"))
    return {
        "documentationUrl": manifest["spec"].get("documentation_url"),
        "connectionSpecification": manifest["spec"]["connection_specification"],
    }


def published():
    """Takes the last published spec from its package instead of the online registry."""
    last = _spec_compatibility.PublishedSpec(LAST, spec_of(LAST), f"airbyte-source-orb {LAST} of PyPI")
    docker_base.fetch_published_spec = lambda repository, registry, version="latest": last


def check_first():
    """Compares with the last version written in Python; the suite uses the last published one."""
    ours = source.run("spec").of("SPEC")[0]
    comparison = compare_specs(spec_of(PYTHON), ours)
    expect("what breaks a config", [str(it) for it in comparison.breaking], ADDED_SINCE)
    return f"{len(comparison.compatible)} compatible changes, and one that Airbyte made itself"


def suites(directory):
    os.chdir(directory)
    plugins = ["-p", "airbyte_cdk.test.standard_tests.pytest_hooks", "-p", "no:cacheprovider", f"--rootdir={directory}"]
    common = [
        *plugins,
        "-q",
        "--connector-image",
        IMAGE,
        "--read-from-streams",
        "all",
        "--read-scenarios",
        "config,config_all",
    ]
    for suite, marked in [("source suite:", "not image_tests"), ("image suite:", "image_tests")]:
        pytest.main([*common, "-m", marked, "test_standard.py"], plugins=[Results(suite)])


def main():
    os.environ["PATH"] = f"{HERE / 'stand-in'}{os.pathsep}{os.environ['PATH']}"
    with check("the last published spec") as seen:
        published()
        seen.append(f"{LAST} is what the suite will compare with")
    with check(f"the spec takes every config of {PYTHON}") as seen:
        seen.append(check_first())
    with emulator("--ledger-event-ids") as url:
        directory = connector(url)
        suites(directory)
        with check("airbyte-cdk image test, the command") as seen:
            tool = pathlib.Path(sys.executable).with_name("airbyte-cdk")
            command = [tool, "image", "test", directory, "--image", IMAGE]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(done.stdout, done.stderr)
            expect("exit code", done.returncode, 0)
            seen.append(done.stdout.strip().splitlines()[-1].strip("= "))


main()
