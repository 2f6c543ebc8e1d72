"""Faults planted by hand, each of which the proof of the accelerators must find in seconds.

A fault is a small change of the source: an off-by-one or a check less in one accelerator. It is made in a copy of the
modules, which then reads what the generators aimed at that accelerator draw. A change whose text is no longer in the source
fails, and so does one that no stream shows.
"""

from __future__ import annotations

import sys
from itertools import count, islice, zip_longest
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

import resp_sansio
from differential import check, check_pairing, check_requests, check_skips
from streams import GENERATORS, draw, requests

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE: Final = Path(resp_sansio.__file__).parent
COPIED: Final = (
    "wire.fastpath",
    "wire.integers",
    "wire.strides",
    "wire.frames",
    "wire.grammar",
    "wire.windows",
    "wire.stream",
    "wire.parser",
    "wire.requests",
    "connection.pairing",
    "connection.sending",
    "connection.timing",
    "connection.connection",
)
MOST: Final = 150  # streams of one generator
numbers: Final = count()


class Fault(NamedTuple):
    """A change of one module, and the accelerator that it is in."""

    name: str
    module: str
    accelerator: str
    old: str
    new: str


FAULTS: Final = [
    Fault(
        "large takes find()'s -1 for a place",
        "wire.fastpath",
        "large",
        "        if end < 0:  # the rest of the header is still to come\n            break\n",
        "",
    ),
    Fault(
        "whole takes find()'s -1 for a place",
        "wire.fastpath",
        "whole",
        'digits = data[1:end] if end > 0 else b""',
        "digits = data[1:end]",
    ),
    Fault(
        "large looks at half of the line break behind a bulk",
        "wire.fastpath",
        "large",
        'data[end : end + 2] != b"\\r\\n" or length > limit',
        'data[end : end + 1] != b"\\r" or length > limit',
    ),
    Fault(
        "large takes a byte more than the limit", "wire.fastpath", "large", "or length > limit", "or length > limit + 1"
    ),
    Fault(
        "large reads one more than it was asked for",
        "wire.fastpath",
        "large",
        "    size = len(data)\n    while left:",
        "    size = len(data)\n    while left + 1:",
    ),
    Fault(
        "whole leaves the byte behind the bulk unread",
        "wire.fastpath",
        "whole",
        "len(data) == end + 4 + int(digits)",
        "len(data) in (end + 4 + int(digits), end + 5 + int(digits))",
    ),
    Fault(
        "whole takes a byte more than the limit",
        "wire.fastpath",
        "whole",
        "and int(digits) <= limit",
        "and int(digits) <= limit + 1",
    ),
    Fault(
        "few returns more than it was asked for",
        "wire.fastpath",
        "few",
        "if at == last and not -1 < most < len(out)",
        "if at == last",
    ),
    Fault("few takes what has not ended", "wire.fastpath", "few", " or tokens[last]:", ":"),
    Fault("few leaves out what it can't read", "wire.fastpath", "few", "out if at == last and not", "out if not"),
    Fault(
        "flat reads fewer alone than are missing",
        "wire.fastpath",
        "flat",
        "    most = left if 0 < left < last - at else last - at",
        "    most = last - at",
    ),
    Fault(
        "several returns one more than it was asked for",
        "wire.fastpath",
        "several",
        "-1 < most < len(out) - pushes",
        "-1 < most < len(out) - pushes - 1",
    ),
    Fault(
        "several nests one deeper than allowed",
        "wire.fastpath",
        "several",
        "len(stack) == depth or (inner",
        "len(stack) == depth + 1 or (inner",
    ),
    Fault(
        "several counts pairs as one",
        "wire.fastpath",
        "several",
        "2 * count if inner is make_map else count, inner",
        "count, inner",
    ),
    Fault(
        "flat counts one value of a run twice",
        "wire.fastpath",
        "flat",
        "            left -= len(values)\n            run *= 4",
        "            left -= len(values) + 1\n            run *= 4",
    ),
    Fault(
        "flat reads one more alone than are missing",
        "wire.fastpath",
        "flat",
        "        most = min(patience, left) if left > 0 else patience",
        "        most = min(patience, left + 1) if left > 0 else patience",
    ),
    Fault("a run of bulks ends in a header", "wire.fastpath", "_run", "last - (last - at) % 2", "last"),
    Fault(
        "every other bulk is not compared",
        "wire.fastpath",
        "_proven",
        " and _alike(heads[1::2], bodies[1::2]):",
        ":",
    ),
    Fault(
        "one bulk of a run may have another length",
        "wire.fastpath",
        "_alike",
        "list(map(len, bodies)).count(length) == len(bodies)",
        "list(map(len, bodies)).count(length) >= len(bodies) - 1",
    ),
    Fault(
        "one scalar of a run may be another",
        "wire.fastpath",
        "_values",
        "lines.count(first) == len(lines)",
        "lines.count(first) >= len(lines) - 1",
    ),
    Fault(
        "a run of numbers longer than a line may be",
        "wire.fastpath",
        "lines",
        "if text.find(sign, start, start + _HALF) < 0:",
        "if text.find(sign, start) < 0:",
    ),
    Fault(
        "a bulk read alone may be longer than said",
        "wire.fastpath",
        "_singly",
        "len(tokens[at + 1]) != length:",
        "len(tokens[at + 1]) < length:",
    ),
    Fault(
        "a bulk with line breaks may be longer than said",
        "wire.fastpath",
        "_broken",
        "return at if size == length else 0",
        "return at if size >= length else 0",
    ),
    Fault(
        "integers take what is none in JSON's way",
        "wire.integers",
        "integers",
        'b"," + b"x" * len(_NO_INTEGER))',
        'b"," + _NO_INTEGER)',
    ),
    Fault(
        "integers do not look where colons are",
        "wire.integers",
        "integers",
        "if len(numbers) != count or len(lines)",
        "if len(lines)",
    ),
    Fault(
        "integers do not look where line breaks are",
        "wire.integers",
        "integers",
        " or len(lines) - len(text) != 2 * count or not",
        " or not",
    ),
    Fault(
        "integers do not look how they begin and end",
        "wire.integers",
        "integers",
        'if count < _FEWEST or lines[:1] + lines[-2:] != b":\\r\\n":',
        "if count < _FEWEST:",
    ),
    Fault(
        "integers may have more than 64 bits",
        "wire.integers",
        "integers",
        "or max(numbers) < 2**63 ",
        "or max(numbers) <= 2**63 ",
    ),
    Fault(
        "integers may be less than 64 bits can say",
        "wire.integers",
        "integers",
        "min(numbers) >= -(2**63)",
        "min(numbers) >= -(2**63) - 1",
    ),
    Fault(
        "integers read more than are missing",
        "wire.integers",
        "integers",
        "if 0 < left < count:",
        "if left == count + 1:",
    ),
    Fault(
        "even bulks go on when enough have come",
        "wire.strides",
        "even",
        "if left >= 0:\n            number = min(number, left // bulks)",
        "if left > 0:\n            number = min(number, left // bulks)",
    ),
    Fault(
        "even bulks are not compared at the end",
        "wire.strides",
        "even",
        'self.frame += (end, b"\\r"), (end + 1, b"\\n")',
        'self.frame.append((end, b"\\r"))',
    ),
    Fault(
        "even bulks are not compared in their last digit",
        "wire.strides",
        "even",
        "for place in range(len(head))]",
        "for place in range(len(head) - 3)]",
    ),
    Fault(
        "even bulks read more than are missing",
        "wire.strides",
        "even",
        "min(number, left // bulks)",
        "min(number, left // bulks + 1)",
    ),
    Fault(
        "the rest of even bulks is one more",
        "wire.strides",
        "even",
        "(len(data) - at) // size)\n        if left >= 0:\n            number = min(number, left // bulks)",
        "(len(data) - at) // size + (fewest == 1))\n        if left >= 0:\n            number = min(number, left // bulks)",
    ),
    Fault(
        "a layout that is the same only at its start is taken",
        "wire.strides",
        "rows",
        "for place, byte in layout.frame)",
        "for place, byte in layout.frame[:4])",
    ),
    Fault(
        "integers below zero may have any size",
        "wire.integers",
        "integers",
        "    if signed:\n        return max(numbers) < 2**63 and min",
        "    if not signed:\n        return max(numbers) < 2**63 and min",
    ),
    Fault(
        "a known layout is not compared with what comes",
        "wire.strides",
        "rows",
        "        if number < fewest or not _framed(part, row):",
        "        if number < fewest or not (row is known or _framed(part, row)):",
    ),
    Fault("even bulks count as one", "wire.strides", "even", "left -= bulks * number", "left -= number"),
    Fault(
        "even bulks cut out at once leave some out",
        "wire.strides",
        "even",
        "part[:most]), (layout.form, part[most:])):",
        "part[:most]),):",
    ),
    Fault("rows read more than are missing", "wire.strides", "rows", "min(number, left)", "min(number, left + 1)"),
    Fault("rows count as one more", "wire.strides", "rows", "left -= number", "left -= number - 1"),
    Fault("rows look at a row that is not all there", "wire.strides", "rows", "// row.size)", "// (row.size - 1))"),
    Fault(
        "the header inside a row is not compared",
        "wire.strides",
        "_row",
        "    layout.add(head)\n    layout.cost",
        "    framed = [*layout.frame]\n    layout.add(head)\n    if at != start:\n        layout.frame = framed\n    layout.cost",
    ),
    Fault("rows nest one deeper than allowed", "wire.strides", "_row", "or depth == 0:", "or depth < 0:"),
    Fault(
        "columns look at a row that is not all there",
        "wire.fastpath",
        "columns",
        "(last - at) // stride)",
        "(last - at + 1) // stride)",
    ),
    Fault(
        "turns look at one that is not all there",
        "wire.fastpath",
        "_turns",
        "min((last - at) // stride, most // width)",
        "min((last - at) // stride + 1, most // width)",
    ),
    Fault(
        "turns read more than are missing",
        "wire.fastpath",
        "_turns",
        "most // width)",
        "(most + 1) // width)",
    ),
    Fault(
        "the body of a bulk is where the next turn begins",
        "wire.fastpath",
        "_turns",
        "if offset > stride or width",
        "if width",
    ),
    Fault(
        "elements that take turns are those of the first turn",
        "wire.fastpath",
        "_turns",
        "        found[place::width] = values",
        "        found[place::width] = [values[0]] * rows",
    ),
    Fault(
        "columns read more rows than are missing", "wire.fastpath", "columns", "most - len(found), (last", "most, (last"
    ),
    Fault(
        "a row nests one deeper than allowed",
        "wire.fastpath",
        "_shape",
        "if depth == 0 or not 0",
        "if depth < 0 or not 0",
    ),
    Fault(
        "one row may have another shape",
        "wire.fastpath",
        "_column",
        "if heads.count(head) != len(heads):",
        "if heads.count(head) < len(heads) - 1:",
    ),
    Fault(
        "a push of a row may have no kind",
        "wire.fastpath",
        "_column",
        "return None if make is _push and None in made else made",
        "return made",
    ),
    Fault(
        "a line that is no scalar is a null of its column",
        "wire.fastpath",
        "_each",
        "return values if _NO_COLUMN.isdisjoint(map(type, values)) and",
        "return values if",
    ),
    Fault(
        "a chunk of a streamed string may be longer than said",
        "wire.fastpath",
        "_streamed",
        "        if length != len(body):\n",
        "        if length is None or length > len(body):\n",
    ),
    Fault(
        "a streamed string may end in a line that is not all there",
        "wire.fastpath",
        "_streamed",
        "while at < last and tokens[at][:1]",
        "while at <= last and tokens[at][:1]",
    ),
    Fault(
        "a streamed string may be longer than any other",
        "wire.fastpath",
        "_streamed",
        " and size < SHORT:",
        ":",
    ),
    Fault(
        "elements behind an error are not counted",
        "wire.fastpath",
        "flat",
        "return at, left + before - len(items), heavy",
        "return at, left + before - len(items) + bool(heavy), heavy",
    ),
    Fault(
        "tokens nest one deeper than allowed",
        "wire.windows",
        "_run_tokens",
        "if len(stack) < self._limits.depth and (inner",
        "if len(stack) <= self._limits.depth and (inner",
    ),
    Fault(
        "tokens are counted without the line break of the last",
        "wire.windows",
        "_run_tokens",
        "return stop - len(tokens[last]) - _length(tokens, at, last)",
        "return stop - len(tokens[last]) - _length(tokens, at, last) + (at < last)",
    ),
    Fault(
        "the size of a reply of several windows is not looked at",
        "wire.windows",
        "limits",
        "if opened < 0 and len(stack) == 1:",
        "if opened < -1 and len(stack) == 1:",
    ),
    Fault(
        "pushes read as rows count as replies",
        "wire.windows",
        "pushes",
        "            self.pushes += len(found)\n            return at, left\n",
        "            self.pushes += len(found)\n            return at, left - 1\n",
    ),
    Fault(
        "a bulk of the table is taken for one with its line break",
        "wire.grammar",
        "_read_bulk",
        "self._bulk, self._need = _DOLLAR, length + 2",
        "self._bulk, self._need = _DOLLAR, length + (length < 5) + 1",
    ),
    Fault(
        "the line break of a bulk is looked for in the last part only",
        "wire.grammar",
        "_read_bulk",
        "last = max(end - 2, i)",
        "last = end - 2",
    ),
    Fault(
        "a large part of a bulk loses its last byte",
        "wire.grammar",
        "_read_bulk",
        "memoryview(data)[start:stop]",
        "memoryview(data)[start : stop - 1]",
    ),
    Fault(
        "a small feed of one bulk may go on",
        "wire.parser",
        "feed",
        "LENGTHS.get(head) == len(tokens[1]) and not tokens[2]:",
        "LENGTHS.get(head) == len(tokens[1]):",
    ),
    Fault(
        "a small feed of one integer of any size",
        "wire.parser",
        "feed",
        "head[0] == _COLON and size < 22:",
        "head[0] == _COLON and size < 25:",
    ),
    Fault(
        "a feed of several bulks leaves its last part out",
        "wire.parser",
        "feed",
        'read = several(data.split(b"\\r\\n"), most',
        'read = several([*data.split(b"\\r\\n")[:-1], b""], most',
    ),
    Fault(
        "a small feed of one array may go on",
        "wire.parser",
        "feed",
        "parts == 2 * count + 2 and not tokens[-1]:",
        "parts >= 2 * count + 2 and not tokens[-1]:",
    ),
    Fault(
        "a short reply is skipped with what is behind it",
        "wire.fastpath",
        "alone",
        "    if tokens[-1]:\n        return False\n    if",
        "    if",
    ),
    Fault(
        "a bulk of another length is skipped",
        "wire.fastpath",
        "alone",
        "        return LENGTHS.get(tokens[0]) == len(tokens[1])\n    return",
        "        return tokens[0] in LENGTHS\n    return",
    ),
    Fault(
        "a short reply that is skipped is not counted among the bytes of the stream",
        "wire.parser",
        "alone",
        "alone(data):\n            self._taken += len(data)\n",
        "alone(data):\n",
    ),
    Fault(
        "a short reply is skipped as the rest of one that has begun",
        "wire.parser",
        "alone",
        "if self.quiet and count == 1 and alone(data):",
        "if self._fast and count == 1 and alone(data):",
    ),
    Fault(
        "skip forgets a push",
        "wire.stream",
        "skip",
        "        held += pushes",
        "        held[:] = held or pushes",
    ),
    Fault(
        "a command's bulk ends in any line break",
        "wire.requests",
        "requests",
        'if not body.endswith(b"\\r\\n"):',
        'if not body.endswith(b"\\n"):',
    ),
    Fault(
        "a command's header may lack its carriage return",
        "wire.requests",
        "requests",
        'if data[end - 1 : end] != b"\\r" or not announced:',
        "if not announced:",
    ),
    Fault(
        "a reply that no command asked for is dropped",
        "connection.pairing",
        "pairing",
        "        if index < total:\n            self._surplus",
        "        if index < total - 1:\n            self._surplus",
    ),
    Fault(
        "one slot too many counts as skipped",
        "connection.pairing",
        "pairing",
        "            if left < slot.missing:\n",
        "            if left < slot.missing - (left > 0):\n",
    ),
    Fault(
        "a pipeline forgets how many of its replies were skipped",
        "connection.pairing",
        "pairing",
        "                    slot.missing -= left\n",
        "                    pass\n",
    ),
    Fault(
        "only one of those that were skipped is counted",
        "connection.pairing",
        "pairing",
        "            self._abandoned -= done\n",
        "            self._abandoned -= 1\n",
    ),
    Fault(
        "what comes behind a skipped reply is left unread",
        "connection.pairing",
        "pairing",
        "                if parser.quiet:\n                    break",
        "                if True:\n                    break",
    ),
    Fault(
        "a pipeline takes one reply of the next slot",
        "connection.pairing",
        "pairing",
        "part = replies[index : index + slot.missing]",
        "part = replies[index : index + slot.missing + (slot.missing > 1)]",
    ),
]


@pytest.fixture
def package() -> Iterator[str]:
    """The name of a package that has the core's modules, but for those that are to be copied."""
    name = f"planted_{next(numbers)}"
    made = ModuleType(name)
    made.__path__ = []
    sys.modules[name] = made
    for module in [module for module in sys.modules if module.startswith("resp_sansio.")]:
        short = module.removeprefix("resp_sansio.")
        if short not in COPIED:
            sys.modules[f"{name}.{short}"] = sys.modules[module]
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def copied(package: str, short: str, fault: Fault) -> ModuleType:
    """Make a module of the package from the core's source, with the fault if it is the one."""
    source = (CORE / f"{short.replace('.', '/')}.py").read_text(encoding="utf-8")
    if short == fault.module:
        assert source.count(fault.old) == 1, f"{short}.py has {source.count(fault.old)} times: {fault.old}"
        source = source.replace(fault.old, fault.new)
    module = ModuleType(f"{package}.{short}")
    module.__package__ = module.__name__.rpartition(".")[0]
    sys.modules[module.__name__] = module
    exec(compile(source, f"<{short}.py: {fault.name}>", "exec"), module.__dict__)
    return module


def search(accelerator: str, parser: Any, requests_parser: Any, connection: Any) -> Iterator[int]:
    """Run everything that is aimed at this accelerator, until something is found."""
    if accelerator == "requests":
        rng = Random("requests")
        yield from (check_requests(data, rng, 4, requests_parser) for data in islice(requests(rng), 3 * MOST))
    elif accelerator == "pairing":
        rng = Random("pairing")
        yield from (check_pairing(rng, connection) for _ in range(3 * MOST))
    elif accelerator == "alone":
        rng = Random("skips")
        yield from (check_skips(wire, rng, parser) for wire in draw("replies_that_come_one_by_one", rng, MOST))
    aimed = [(name, Random(name)) for name, generator in GENERATORS.items() if accelerator in generator.aims]
    drawn = [[(wire, rng) for wire in draw(name, rng, MOST)] for name, rng in aimed]
    for turn in zip_longest(*drawn):
        yield from (check(wire, rng, 4, parser) for wire, rng in filter(None, turn))


@pytest.mark.exam
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault, package: str) -> None:
    modules = {short: copied(package, short, fault) for short in COPIED}
    parser, requests_parser = modules["wire.parser"].Parser, modules["wire.requests"].CommandParser
    connection = modules["connection.connection"].Connection
    streams = 0
    try:
        for _ in search(fault.accelerator, parser, requests_parser, connection):
            streams += 1
    except BaseException as found:
        if not isinstance(found, (AssertionError, Exception)) and type(found).__name__ != "TooManySteps":
            raise
        print(f"{fault.name}: {type(found).__name__} in stream {streams + 1}")
    else:
        pytest.fail(f"not found in {streams} streams")
