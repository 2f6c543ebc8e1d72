"""The short path of calls, by the only lane or by a link that is lent for one call: it is as the long way, or declines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

import resp_sansio
from core.client.stage import Stage
from core.client.twins import KINDS, live
from resp_sansio import PoolSettings, Retry
from resp_sansio.connection import new_slot, sending

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS: Final = Path(__file__).parents[2]
CORE: Final = Path(resp_sansio.__file__).parent
PROGRAM: Final = TESTS / "programs" / "reach_the_short_path.py"
PROVEN: Final = {
    "client.py": ("start", "lend_to", "take_back"),
    "cluster_calls.py": ("lane_of",),
    "pool.py": ("uncount",),
    "sending.py": ("start",),
    "sockets.py": ("receive_replies",),
}


@pytest.fixture(autouse=True)
def on_the_short_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SHORT_PATH", True)


@pytest.mark.parametrize("kind", KINDS)
def test_two_clients_with_one_history_tell_the_same(kind: str) -> None:
    for seed in range(30):
        live(kind, Random(f"{kind}: {seed}"))


def test_each_branch_of_the_short_path_is_reached_by_a_history(tmp_path: Path) -> None:
    report = tmp_path / "coverage.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(CORE.parent)])}
    subprocess.run([sys.executable, PROGRAM, str(CORE), str(report)], env=environment, check=True, timeout=280)
    files = {Path(name): found for name, found in json.loads(report.read_text())["files"].items()}
    assert sorted(path.name for path in files) == sorted(PROVEN)
    unreached: list[str] = []
    for path, found in files.items():
        source = path.read_text().split("\n")
        for name in PROVEN[path.name]:
            within = set(lines_of(source, name))
            lines = within & {*found["missing_lines"]}
            unreached += [f"{path.name}, line {line}" for line in lines]
            unreached += [
                f"{path.name}, from line {start} to {end}"
                for start, end in found["missing_branches"]
                if start in within - lines and end not in lines
            ]
    assert not unreached


def lines_of(source: list[str], name: str) -> Iterator[int]:
    """The lines of a method, but those of TLS: no call takes the short path there."""
    first = next(at for at, line in enumerate(source, 1) if line.startswith(f"    def {name}("))
    for at, line in enumerate(source[first:], first + 1):
        if line.startswith("    def "):
            return
        if "tls" not in line:
            yield at


def test_a_link_that_was_lent_in_vain_is_as_fresh_as_before() -> None:
    """Else a call would begin at once on the next link, and the next, where each ends as soon as it is open."""
    stage = Stage(None, PoolSettings(max_size=1, min_size=1, retry=Retry(attempts=2)))
    stage.client.open(stage.now)
    stage.run()
    slot = new_slot(("GET", "k"))
    lease = stage.client.lend_to(slot, stage.now)
    assert lease is not None
    stage.client.take_back(slot, stage.now)
    link = stage.client.submit(slot, stage.now)
    assert link is lease.connection
    stage.cut(lease.connection)
    assert slot in stage.client._pausing
