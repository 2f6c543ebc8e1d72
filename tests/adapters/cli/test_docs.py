"""The page on the tools says what there is."""

from __future__ import annotations

import re

from examples import DOCS, read
from resp_cli._diagnosis import RULES


def test_each_cause_is_on_the_page() -> None:
    table = [line for line in read(DOCS / "tools.md").splitlines() if line.startswith("| ")]
    listed = [cause for line in table for cause in re.findall("`([a-z0-9-]+)`", line.split("|")[2])]
    assert sorted(listed) == sorted({rule.cause for rule in RULES})
