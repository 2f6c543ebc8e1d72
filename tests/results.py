"""The end of `.ci/run`: what pytest has reported and which checks held, added up; each failed test is named, with its message.

    python tests/results.py FOLDER CHECKS_PASSED [FAILED_CHECK ...]

The folder has pytest's reports in XML, and a list of unmet tests for each server. Where failed tests were run once more, a second
report, `NAME-again.xml`, says how that went: a test that passed then is told, and does not count as failed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["summary"]

LINES: Final = 15  # of a message, at most
OF_ALL: Final = 300  # lines of all messages: what is printed last is seldom shown whole
WIDTH: Final = 300
AGAIN: Final = "-again"


def summary(folder: Path, checks: int, failures: list[str]) -> tuple[str, int]:
    """Return the text, which ends with "N passed, N failed", and how many failed."""
    passed, failed = checks, len(failures)
    lines, wrong = [], []
    reports = {path.stem: ElementTree.parse(path) for path in sorted(folder.glob("*.xml"))}
    failed += not reports
    for stem, tree in reports.items():
        if stem.endswith(AGAIN):
            continue
        tests = sum(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) for suite in tree.iter("testsuite"))
        again = passed_in(reports[f"{stem}{AGAIN}"].iter("testcase")) if f"{stem}{AGAIN}" in reports else set()
        bad = []
        for case in tree.iter("testcase"):
            if not (why := whys(case)):
                continue
            if name(case) in again:
                lines.append(f"{stem}: failed, and passed when it was run again: {name(case)}")
                wrong.append((stem, case, why[0]))
            else:
                bad += [(stem, case, one) for one in why]
        lines.append(f"{stem}: {tests - len(bad)} passed, {len(bad)} failed")
        passed, failed, wrong = passed + tests - len(bad), failed + len(bad), wrong + bad
    unmet = [set(path.read_text().splitlines()) for path in folder.glob("*.unmet")]  # a file for each server
    for test in sorted(set.intersection(*unmet)) if unmet else ():
        lines.append(f"run on none of the servers: {test}")
        failed += 1
    for stem, case, one in wrong:
        lines.append(f"{stem}: {name(case)}")
        lines += message(one, max(1, min(LINES, OF_ALL // len(wrong))))
    return "\n".join([*lines, *failures, f"{passed} passed, {failed} failed"]), failed


def name(case: ElementTree.Element) -> str:
    """The name of a test."""
    return f"{case.get('classname')}::{case.get('name')}"


def whys(case: ElementTree.Element) -> list[ElementTree.Element]:
    """What went wrong with a test: as it ran, and before or behind that."""
    return [*case.iter("failure"), *case.iter("error")]


def passed_in(cases: Iterable[ElementTree.Element]) -> set[str]:
    """The names of those that passed."""
    return {name(case) for case in cases if not whys(case) and case.find("skipped") is None}


def message(why: ElementTree.Element, most: int) -> list[str]:
    """The first lines of what pytest says of a failure, and the place where it was."""
    said = (why.get("message") or "").splitlines()
    place = (why.text or "").splitlines()[-1:]
    return [f"    {line[:WIDTH]}" for line in (*said[:most], *place)]


if __name__ == "__main__":
    text, failed = summary(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
    print(text)
    sys.exit(failed > 0)
