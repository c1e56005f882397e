# SPDX-License-Identifier: MIT
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    harness.become_subreaper()
    if config.option.basetemp is None:  # or pytest leaves a folder of its own behind in /tmp
        config.vh_temporary = tempfile.TemporaryDirectory(prefix="vh.")
        config.option.basetemp = f"{config.vh_temporary.name}/pytest"


def pytest_unconfigure(config):
    if hasattr(config, "vh_temporary"):
        config.vh_temporary.cleanup()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    given = getattr(item, "funcargs", {})
    run = given.get("run") or given.get("shared_run")
    if call.when == "call":
        item.failed = report.failed
    if report.failed and run is not None:
        report.sections.append((f"logs, kept in {run.home}", run.report()))


@pytest.fixture(scope="module")
def shared_run():
    """The same for all tests of a file, where each of them starting a daemon would take long."""
    world = harness.Run()
    yield world
    problems = world.finish()
    world.remove()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def run(request):
    """harness.Run: the way to start the programs. A test that fails keeps its files."""
    world = harness.Run()
    yield world
    problems = world.finish()
    if not problems and not getattr(request.node, "failed", False):
        world.remove()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
