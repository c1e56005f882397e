# SPDX-License-Identifier: MIT
"""The end-to-end tests' fixtures and harness, for these tests too."""
import importlib.util
import pathlib
import sys

E2E = pathlib.Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)

pytest_configure = _shared.pytest_configure
pytest_unconfigure = _shared.pytest_unconfigure
pytest_runtest_makereport = _shared.pytest_runtest_makereport
run = _shared.run
