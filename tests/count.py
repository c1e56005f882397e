#!/usr/bin/env python3
"""Counts the tests of one `make check`: reads the logs below a build folder.

Every suite leaves its own words in a .log file: cmocka a line per test, pytest a summary, the
scripts lines `ok NAME` and `not ok NAME`. The last line is `N passed, N failed`.

SPDX-License-Identifier: MIT
"""
import pathlib
import re
import sys

PASSED = re.compile(r"^\[       OK \] |^ok ", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (?!tests)\S+$|^not ok ", re.M)


def count(text):
    """(passed, failed) of one log."""
    summary = re.findall(r"^=+ (.*) in [\d.]+s.*=+$|^((?:\d+ \w+,? ?)+)in [\d.]+s", text, re.M)
    words = " ".join("".join(pair) for pair in summary)
    if words:
        number = {name: int(n) for n, name in re.findall(r"(\d+) (\w+)", words)}
        return number.get("passed", 0), number.get("failed", 0) + number.get("error", 0) + number.get("errors", 0)
    return len(PASSED.findall(text)), len(set(FAILED.findall(text)))


def main():
    passed = failed = 0
    for trs in sorted(pathlib.Path(sys.argv[1]).rglob("*.trs")):
        result = re.search(r":test-result: (\w+)", trs.read_text()).group(1)
        ok, bad = count(trs.with_suffix(".log").read_text(errors="replace"))
        if result not in ("PASS", "SKIP") and bad == 0:
            bad = 1  # crashed before it could say so
        passed += ok
        failed += bad
        if bad:
            print(f"failed: {trs.with_suffix('.log')}")
    if passed == 0:
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
