"""The end of `.ci/run`: what pytest has reported and which checks held, added up; each failed test is named, with its message.

    python tests/results.py FOLDER CHECKS_PASSED [FAILED_CHECK ...]

The folder has pytest's reports in XML, and a list of unmet tests for each server.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

__all__ = ["summary"]

LINES: Final = 15  # of a message, at most
OF_ALL: Final = 300  # lines of all messages: what is printed last is seldom shown whole
WIDTH: Final = 300


def summary(folder: Path, checks: int, failures: list[str]) -> tuple[str, int]:
    """Return the text, which ends with "N passed, N failed", and how many failed."""
    passed, failed = checks, len(failures)
    lines, wrong = [], []
    reports = sorted(folder.glob("*.xml"))
    failed += not reports
    for report in reports:
        tree = ElementTree.parse(report)
        for suite in tree.iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            good = int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
            lines.append(f"{report.stem}: {good} passed, {bad} failed")
            passed, failed = passed + good, failed + bad
        wrong += [
            (report.stem, case, why)
            for case in tree.iter("testcase")
            for why in (*case.iter("failure"), *case.iter("error"))
        ]
    unmet = [set(path.read_text().splitlines()) for path in folder.glob("*.unmet")]  # a file for each server
    for test in sorted(set.intersection(*unmet)) if unmet else ():
        lines.append(f"run on none of the servers: {test}")
        failed += 1
    for stem, case, why in wrong:
        lines.append(f"{stem}: {case.get('classname')}::{case.get('name')}")
        lines += message(why, max(1, min(LINES, OF_ALL // len(wrong))))
    return "\n".join([*lines, *failures, f"{passed} passed, {failed} failed"]), failed


def message(why: ElementTree.Element, most: int) -> list[str]:
    """The first lines of what pytest says of a failure, and the place where it was."""
    said = (why.get("message") or "").splitlines()
    place = (why.text or "").splitlines()[-1:]
    return [f"    {line[:WIDTH]}" for line in (*said[:most], *place)]


if __name__ == "__main__":
    text, failed = summary(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
    print(text)
    sys.exit(failed > 0)
