"""The proof that an accelerator may decline and never differs: for each of its branches a generator that reaches it on purpose.

`tests/streams.py` has the generators, `tests/differential.py` compares, `tests/resp_reference.py` is the third opinion.
`RESP_PROOF=10` in the environment (as `nox -s proof` has it) draws ten times as many streams and cuts.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

import resp_sansio
from differential import TooManySteps, check, check_pairing, check_requests, check_skips, steps
from resp_sansio.wire.fastpath import LARGE, SHORT, SPAN
from resp_sansio.wire.parser import Parser
from streams import GENERATORS, draw, requests

if TYPE_CHECKING:
    from types import FrameType

SIZE: Final = int(os.environ.get("RESP_PROOF", "1"))
CORE: Final = Path(resp_sansio.__file__).parent
TESTS: Final = Path(__file__).parents[2]
PROGRAM: Final = TESTS / "programs" / "reach_the_accelerators.py"


@pytest.mark.parametrize("name", GENERATORS)
def test_accelerated_strict_and_reference_agree(name: str) -> None:
    rng = Random(name)
    for wire in draw(name, rng, 10 * SIZE):
        check(wire, rng, 6 * SIZE)


def test_commands_are_read_as_the_reference_reads_them() -> None:
    rng = Random("requests")
    for data in islice(requests(rng), 300 * SIZE):
        check_requests(data, rng, 4 * SIZE)


def test_replies_that_come_one_by_one_are_skipped_as_the_grammar_reads_them() -> None:
    rng = Random("skips")
    for wire in draw("replies_that_come_one_by_one", rng, 150 * SIZE):
        check_skips(wire, rng)


def test_replies_paired_by_the_run_go_to_whom_they_belong() -> None:
    rng = Random("pairing")
    for _ in range(200 * SIZE):
        check_pairing(rng)


def test_each_branch_is_reached_by_a_generator(tmp_path: Path) -> None:
    report = tmp_path / "coverage.json"
    paths = os.pathsep.join([str(TESTS), str(CORE.parent)])
    environment = {**os.environ, "PYTHONPATH": paths}
    subprocess.run([sys.executable, PROGRAM, str(CORE), str(report)], env=environment, check=True, timeout=280)
    files = {Path(name).name: found for name, found in json.loads(report.read_text())["files"].items()}
    expected = [
        "fastpath",
        "frames",
        "grammar",
        "integers",
        "pairing",
        "parser",
        "requests",
        "stream",
        "strides",
        "windows",
    ]
    assert sorted(files) == [f"{name}.py" for name in expected]
    unreached: list[str] = []
    for name, found in files.items():
        lines, arcs = found["missing_lines"], found["missing_branches"]
        if name == "pairing.py":  # of which the accelerator is one function
            source = (CORE / "connection" / name).read_text().split("\n")
            first = next(at for at, line in enumerate(source, 1) if line.startswith("    def _pair_run("))
            last = next(at for at, line in enumerate(source, 1) if at > first and line.startswith("    def "))
            lines = [line for line in lines if first <= line < last]
            arcs = [arc for arc in arcs if first <= arc[0] < last]
        unreached += [f"{name}, line {line}" for line in lines]
        unreached += [f"{name}, from line {start} to {end}" for start, end in arcs if start not in lines]
    assert not unreached


# What is repeated: everything that has an accelerator, and what each of them can't take.
UNITS: Final = {
    "bulks": b"$3\r\nabc\r\n",
    "bulks with line breaks": b"$6\r\n\r\n\r\n\r\n\r\n",
    "large bulks": b"$400\r\n%b\r\n" % bytes(400),
    "bulks with leading zeros": b"$03\r\nabc\r\n",
    "streamed strings": b"$?\r\n;1\r\nx\r\n;0\r\n",
    "integers": b":123456\r\n",
    "negative integers": b":-123456\r\n",
    "integers of 19 digits": b":1234567890123456789\r\n",
    "doubles": b",1.5\r\n",
    "doubles with an exponent": b",1e5\r\n",
    "nulls": b"_\r\n",
    "errors": b"-E\r\n",
    "invalid integers": b":x\r\n",
    "big numbers": b"(5\r\n",
    "verbatim strings": b"=5\r\ntxt:x\r\n",
    "empty arrays": b"*0\r\n",
    "empty maps": b"%0\r\n",
    "rows": b"*2\r\n$1\r\nx\r\n:1\r\n",
    "rows of one layout": b"*2\r\n$3\r\nabc\r\n*1\r\n$1\r\nx\r\n",
    "rows of one layout, then something else": b"*2\r\n$3\r\nabc\r\n*1\r\n$1\r\nx\r\n" * 9 + b":1\r\n",
    "rows of two shapes": b"*2\r\n:1\r\n:2\r\n*2\r\n$1\r\na\r\n:2\r\n",
    "rows, then something else": b"*2\r\n:1\r\n:2\r\n" * 20 + b"=5\r\ntxt:x\r\n",
    "wide rows": b"*63\r\n" + b":1\r\n" * 63,
    "maps": b"%1\r\n$1\r\nx\r\n:1\r\n",
    "maps of two shapes": b"%1\r\n:1\r\n:2\r\n%1\r\n$1\r\na\r\n:2\r\n",
    "nested arrays": b"*1\r\n" * 3 + b":1\r\n",
    "streamed arrays": b"*?\r\n:1\r\n.\r\n",
    "pushes": b">2\r\n+p\r\n:1\r\n",
    "attributes": b"|1\r\n+a\r\n:1\r\n:2\r\n",
    "a mix": b":1\r\n$3\r\nabc\r\n-E\r\n*1\r\n:1\r\n",
    "elements that take turns": b"+OK\r\n$3\r\nabc\r\n",
    "turns, then something else": b"+OK\r\n$3\r\nabc\r\n" * 5 + b":1\r\n",
    "turns that are none": b"+OK\r\n$3\r\nabc\r\n+OK\r\n$4\r\nabcd\r\n(1\r\n",
    "a run that never is one": b"$1\r\nx\r\n(5\r\n",
}
CALLS: Final = 5  # of functions, C's included, for a byte
LOOKED: Final = 13  # bytes and tokens that split(), count() and others go through, for a byte that is read
HELD: Final = 43  # bytes of memory for a byte that was read; an error is 168 of its own, for a line of 4
PASSING: Final = 20 * SPAN  # bytes of memory that a parse needs, and gives back: for the tokens of one window
SCANS: Final = frozenset({"count", "decode", "find", "isdigit", "join", "replace", "split"})


def work(parts: list[bytes]) -> tuple[int, int]:
    """How many functions are called to read this, and how many bytes and tokens those of C go through."""
    calls = looked = 0

    def see(_: FrameType, event: str, function: Any) -> None:
        nonlocal calls, looked
        if event in ("call", "c_call"):
            calls += 1
        if event == "c_call" and function.__name__ in SCANS and isinstance(function.__self__, (bytes, list)):
            looked += len(function.__self__) if function.__name__ != "find" else 0

    parser = Parser()
    before = sys.getprofile()
    sys.setprofile(see)
    try:
        for part in parts:
            parser.feed(part)
    finally:
        sys.setprofile(before)
    assert parser.error is None
    return calls, looked


def windows(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("size", [10**9, 4096, 500])
def test_work_is_in_proportion(unit: str, size: int) -> None:
    data = UNITS[unit] * (SIZE * 9000 // len(UNITS[unit]))
    for whole in (data, data * 3):
        calls, looked = work(windows(whole, size))
        assert calls <= CALLS * len(whole)
        assert looked <= LOOKED * len(whole)


@pytest.mark.parametrize(
    ("unit", "most"),
    [
        (b":123456789012345678\r\n", 4),
        (b":1764308000123456789\r\n", 1),
        (b":-9223372036854775808\r\n", 1),
        (b",inf\r\n", 1),
        (b",1.5\r\n,-inf\r\n", 1),
        (b"*2\r\n$3\r\nabc\r\n:1764308000123456789\r\n", 1),
        (b"*2\r\n$3\r\nabc\r\n,inf\r\n", 1),
        (b"-ERR x\r\n", 12),
        (b"+QUEUED\r\n-ERR x\r\n", 12),
    ],
)
def test_no_value_costs_many_times_what_its_neighbours_cost(unit: bytes, most: int) -> None:
    """The longest integers, infinities and errors are common: the grammar alone would take 10 to 30 calls for each."""
    for data in (unit * 1000, b"*%d\r\n" % (1000 * len(Parser().feed(unit))) + unit * 1000):
        calls, _ = work([data])
        assert calls <= most * 1000


@pytest.mark.parametrize(
    "unit",
    [
        "bulks",
        "integers",
        "doubles",
        "nulls",
        "errors",
        "empty maps",
        "rows",
        "maps",
        "pushes",
        "attributes",
        "large bulks",
    ],
)
def test_memory_is_in_proportion(unit: str) -> None:
    data = UNITS[unit] * (SPAN // len(UNITS[unit]))
    parser = Parser()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = parser.feed(data)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept
    assert after - before <= HELD * len(data)
    assert peak - after <= PASSING


def test_a_parse_that_never_ends_is_told_from_a_slow_one() -> None:
    @steps(1000)
    def never_ends() -> None:
        while True:
            len("")

    with pytest.raises(TooManySteps, match="more than 1000 steps"):
        never_ends()


@pytest.mark.parametrize("length", [LARGE, 303, 310, SHORT, 3000])
def test_ordinary_values_in_three_reads(length: int) -> None:
    """Values of one length, cut at each of the first bytes and at each byte of a later header: no caller gets another's."""
    values = [bytes([letter]) * (length - 1) + b"." for letter in b"abcd"]
    wire = b"".join([b"$%d\r\n%b\r\n" % (length, value) for value in values])
    header = wire.rindex(b"$")
    for first in range(1, 26):
        for second in range(header, header + 8):
            parser = Parser()
            with steps(2000):
                seen = [
                    value for part in (wire[:first], wire[first:second], wire[second:]) for value in parser.feed(part)
                ]
            assert seen == values
