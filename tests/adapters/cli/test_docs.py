"""The page on the tools says what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from adapters.cli.terminal import environment
from examples import DOCS, blocks, read
from resp_cli._doctor.diagnosis import RULES

if TYPE_CHECKING:
    from servers import Server


def test_each_cause_is_on_the_page() -> None:
    table = [line for line in read(DOCS / "tools.md").splitlines() if line.startswith("| ")]
    listed = [cause for line in table for cause in re.findall("`([a-z0-9-]+)`", line.split("|")[2])]
    assert sorted(listed) == sorted({rule.cause for rule in RULES})


def test_the_example_is_a_program_that_runs(server: Server) -> None:
    example = DOCS / "examples" / "watch_a_client.py"
    (block,) = blocks(read(DOCS / "tools.md"))
    assert read(example).endswith(block)
    words = [sys.executable, "-W", "error", str(example), server.url]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=True)
    assert done.stdout == ""
    assert {"GET", "SET", "PIPELINE"} <= {*done.stderr.split()}
