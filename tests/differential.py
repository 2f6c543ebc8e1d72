"""Three parsers against each other: with accelerators, without them, and `resp_reference`.

For one stream: what the reference makes of it; what the strict grammar does, whole; and what the accelerated parser does, whole and
cut in many ways. Values are the same in type, pushes, errors and attributes too; what ends the stream ends it at the same byte;
and each reply is there as soon as its last byte is. Each parse has a budget of steps (calls, as Python's profiler counts them), so
that one that never ends is told apart from one that is slow, without a clock.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect
from contextlib import contextmanager
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import resp_reference
from resp_reference import plain
from resp_sansio import Command, LocalProtocolError, Push, ReplyError
from resp_sansio.connection import Connection, ConnectionLost, PushReceived
from resp_sansio.connection.slot import Slot, SlotState
from resp_sansio.wire import CommandParser
from resp_sansio.wire.parser import Limits, Parser
from resp_sansio.wire.values import Attributed
from streams import LARGE, SHORT, SMALL, SPAN, Wire, attribute, element, push

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

__all__ = ["Difference", "TooManySteps", "check", "check_pairing", "check_requests", "check_skips", "steps"]

WINDOWS: Final = (
    1, 2, 3, 5, 7, 15, 16, 17, 18, 23, 24, 25, 26, LARGE - 1, LARGE, LARGE + 1, SHORT - 1, SHORT, SHORT + 1, SMALL - 1,
    SMALL, SMALL + 1, 4095, 4096, 4097, 16383, 16384, 16385, 65536, SPAN - 1, SPAN, SPAN + 1,
)  # fmt: skip


class Difference(AssertionError):  # noqa: N818  # that is what it is
    """Two parsers disagree."""


class TooManySteps(BaseException):
    """A parse went over its budget; nothing that it runs through may catch this."""


@contextmanager
def steps(budget: int) -> Iterator[None]:
    """Let no more than `budget` calls and returns of functions, C's included, happen in the block."""
    left = budget

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            sys.setprofile(None)
            raise TooManySteps(f"more than {budget} steps")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def budget_for(size: int, parts: int) -> int:
    """How many steps a parser may take for so many bytes that come in so many parts."""
    return 400 + 100 * parts + 24 * size


def make(wire: Wire, kind: type[Parser] = Parser, *, strict: bool = False) -> Parser:
    limits = Limits(depth=wire.depth, bulk=wire.bulk, line=wire.line, elements=wire.elements, reply=wire.reply or 2**30)
    parser = kind(limits, lenient_push=wire.lenient, nested_attributes=wire.nested)
    if strict:
        parser._fast = parser.quiet = False
    elif not parser._fast:
        raise AssertionError("these limits leave no room for the accelerators")
    return parser


class Outcome(NamedTuple):
    """What a parser made of a stream: type-exact values, attributes by index, the offset of what was wrong, and when it said so."""

    values: list[Any]
    attributes: dict[int, Any]
    wrong: int | None
    when: int | None


def typed(value: Any) -> Any:
    """As `plain`, but a `dict` is not `Pairs`, nor an array its hashable twin."""
    match value:
        case bytes() | str() | Push() | Attributed():
            return plain(value)
        case list() | tuple():
            return type(value).__name__, tuple(map(typed, value))
        case dict():
            return "dict", tuple([(typed(key), typed(item)) for key, item in value.items()])
        case set() | frozenset():
            return type(value).__name__, tuple(sorted(map(typed, value), key=repr))
        case _:
            return plain(value)


def wrong_at(parser: Parser) -> int | None:
    """The offset that the parser's error names."""
    if parser.error is None:
        return None
    found = re.search(r" at byte (-?[0-9]+) of the stream", str(parser.error))
    assert found
    return int(found[1])


def run(wire: Wire, parser: Parser, parts: Sequence[bytes], ends: Sequence[int] | None = None) -> Outcome:
    """Feed it all; where `ends` are given, no reply may come later, or earlier, than its last byte."""
    values: list[Any] = []
    attributes: dict[int, Any] = {}
    fed, when = 0, None
    with steps(budget_for(len(wire.data), len(parts))):
        for number, part in enumerate(parts):
            seen = parser.feed(part)
            fed += len(part)
            for index, described in parser.attributes.items():
                attributes[len(values) + index] = typed(described)
            if (parser.pushes or number == 0) and parser.pushes != sum([type(value) is Push for value in seen]):
                raise Difference(f"{parser.pushes} pushes counted in {seen!r:.200}")
            values += seen
            if parser.error is not None and when is None:
                when = number
            if ends is not None and when is None and len(values) != bisect(ends, fed):
                raise Difference(f"{len(values)} replies after {fed} bytes, not {bisect(ends, fed)}")
    return Outcome([typed(value) for value in values], attributes, wrong_at(parser), when)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The parts between these places."""
    return [data[start:stop] for start, stop in pairwise([0, *sorted(places), len(data)])]


def cuts(stream: resp_reference.Stream, data: bytes, rng: Random, number: int) -> Iterator[list[bytes]]:
    """Ways to cut a stream: at each byte of each header and line break, and around them; in three parts and more; in windows.

    At most `number` of each kind, at random if there are more; fewer of a long stream, whose parts take long.
    """
    number = max(2, min(number, 60_000 // (len(data) + 1)))
    near = sorted(
        {at for start, stop in stream.marks for at in (*range(start, stop + 1), stop + 6) if 0 < at < len(data)}
    )
    if not near:
        return
    for at in rng.sample(near, min(number, len(near))):
        yield cut(data, [at])
    for _ in range(min(number, len(near) ** 2)):
        # The second half of a window is as good a place for a mistake as the first, whatever came before.
        first = rng.choice(near) if rng.random() < 0.5 else rng.randrange(1, len(data))
        yield cut(data, [first, rng.choice(near)])
    for _ in range(number // 4):
        yield cut(data, rng.choices(near, k=rng.randrange(3, 7)))
    if len(data) < 1000:
        yield cut(data, range(1, len(data)))
    for size in rng.sample(WINDOWS, 2):
        if len(data) // size < 300:
            yield cut(data, range(size, len(data), size))


def check(wire: Wire, rng: Random, number: int = 12, kind: type[Parser] = Parser) -> int:
    """Hold the parsers against each other on one stream; return how many parses it took.

    With a `number` of 0 only whole and in one way more, which `rng` chooses: for a fuzzer, which comes back to what is worth it.

    Raises `Difference` or `TooManySteps`.
    """
    data = wire.data
    ways = slice(None)
    operations = 1 + number // 6
    if not number:
        chosen = rng.randrange(10)  # of up to seven ways to cut it; otherwise, operations
        ways, operations = slice(chosen, chosen + 1), chosen // 7
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(wire.digits or before)
    try:
        stream = resp_reference.read(
            data,
            lenient=wire.lenient,
            nested=wire.nested,
            depth=wire.depth,
            bulk=wire.bulk,
            line=wire.line,
            elements=wire.elements,
        )
        expected = run(wire, make(wire, strict=True), [data])
        ends = None
        if not wire.reply:
            ends = [item.end for item in stream.items]
            agree(stream, make(wire, strict=True), data, expected)
        same("whole", run(wire, make(wire, kind), [data], ends), expected)
        parses = 2
        for parts in islice(cuts(stream, data, rng, number), ways.start, ways.stop):
            parser = make(wire, kind)
            got = run(wire, parser, parts, ends)
            when = expected.when
            if expected.wrong is not None:
                when = run(wire, make(wire, strict=True), parts).when
            sizes = "+".join([str(len(part)) for part in parts[:9]])
            same(f"cut in {sizes}", got, expected._replace(when=when))
            if expected.wrong is None and parser.idle != stream.complete:
                raise Difference(f"idle is {parser.idle}, cut in {sizes}")
            parses += 1
        for _ in range(operations):
            operate(wire, stream, rng, kind)
            parses += 2
    except (Difference, TooManySteps) as error:
        error.add_note(f"in {wire!r:.400}" + ("" if len(data) < 300 else f" ({len(data)} bytes)"))
        raise
    finally:
        sys.set_int_max_str_digits(before)
    return parses


def same(how: str, got: Outcome, expected: Outcome) -> None:
    """Raise `Difference` if the accelerated parser did otherwise."""
    if got != expected:
        raise Difference(f"{how}: {got!r:.600}, not {expected!r:.600}")


def agree(stream: resp_reference.Stream, parser: Parser, data: bytes, expected: Outcome) -> None:
    """Raise `Difference` if the strict grammar and the reference do not."""
    values = [plain(value) for value in parser.feed(data)]
    attributes = {index: plain(value) for index, value in parser.attributes.items()}
    described = {index: item.attributes for index, item in enumerate(stream.items) if item.attributes is not None}
    if (values, attributes, expected.wrong) != ([item.value for item in stream.items], described, stream.wrong):
        raise Difference(f"strict: {values!r:.400} {attributes} {parser.error}, by reference: {stream!r:.600}")


def operate(wire: Wire, stream: resp_reference.Stream, rng: Random, kind: type[Parser]) -> None:
    """Read a stream by `feed` with limits, `skip`, `outline` and `chunks` in any order, with and without accelerators."""
    near = [at for start, stop in stream.marks for at in (start, stop - 1, stop)] or [0]
    places = rng.choices(near, k=rng.randrange(5)) + [rng.randrange(len(wire.data) + 1)] * (rng.random() < 0.5)
    parts = [*cut(wire.data, places), *[b""] * 8]
    ways = ["feed", "feed", "skip", "outline", "chunks"]
    compare(wire, [(part, rng.choice(ways), rng.choice([-1, 0, 1, 1, 2, 3, 9, 40])) for part in parts], kind)


def check_skips(wire: Wire, rng: Random, kind: type[Parser] = Parser) -> int:
    """Skip replies one by one, but for one now and then, with and without accelerators; return how many parses it took."""
    stream = resp_reference.read(wire.data)
    ends, lines = [item.end for item in stream.items], [stop for _, stop in stream.marks]
    places = rng.choice([[], ends, lines, [rng.randrange(len(wire.data) + 1)]])
    parts = [*cut(wire.data, places), *[b""] * 3]
    compare(wire, [(part, rng.choice(["skip", "skip", "skip", "feed"]), 1) for part in parts], kind)
    return 2


def compare(wire: Wire, doings: list[tuple[bytes, str, int]], kind: type[Parser]) -> None:
    """Do all of this with and without accelerators. Raises `Difference` where anything that can be seen differs."""
    fast, strict = make(wire, kind), make(wire, strict=True)
    kept: tuple[list[Any], list[Any]] = ([], [])
    done: list[str] = []
    with steps(4 * budget_for(len(wire.data), len(doings) + 22)):
        for part, operation, most in doings:
            done.append(f"{operation}({len(part)}, {most})")
            seen = [
                perform(parser, operation, part, most, into) for parser, into in zip((fast, strict), kept, strict=True)
            ]
            if seen[0] != seen[1] or kept[0] != kept[1]:
                raise Difference(
                    f"{' '.join(done)}: {seen[0]!r:.300}, not {seen[1]!r:.300}; {kept[0]!r:.300}, not {kept[1]!r:.300}"
                )


def perform(parser: Parser, operation: str, part: bytes, most: int, kept: list[Any]) -> tuple[Any, ...]:
    """Do one thing (or go on with what was begun), put what is read into `kept`, and return what else can be seen."""
    seen: Any = None
    for attempt in (operation, "skip", "chunks"):
        try:
            if attempt == "feed":
                kept += map(typed, parser.feed(part, most))
            elif attempt == "outline":
                kept += map(outline_of, parser.outline(part))
            elif attempt == "skip":
                seen = parser.skip(part, max(most, 1))
            else:
                for value in parser.chunks(part):
                    keep_chunk(value, kept)
            break
        except LocalProtocolError:
            seen = "refused"
    attributes = {index: typed(value) for index, value in parser.attributes.items()}
    return seen, parser.pushes, attributes, parser.idle, parser.needed, wrong_at(parser)


def outline_of(value: Any) -> Any:
    """What is promised of a value in an outline."""
    if type(value) is Push:
        return typed(value)
    return ("list", len(value)) if type(value) is list else "error" if isinstance(value, ReplyError) else "value"


def keep_chunk(value: Any, kept: list[Any]) -> None:
    """Add what `chunks` returned; parts of one bulk become one, for they may be cut anywhere."""
    if type(value).__name__ != "Chunk":
        kept.append(typed(value))
    elif kept and kept[-1][0] == "part":
        kept[-1] = ("chunked" if value.last else "part", kept[-1][1] + value.data)
    else:
        kept.append(("chunked" if value.last else "part", value.data))


LINE: Final = 1000  # the limit on one command in a line


def check_requests(data: bytes, rng: Random, number: int = 12, kind: type[CommandParser] = CommandParser) -> int:
    """Hold the parser of commands against the reference, whole and cut; return how many parses it took."""
    expected, wrong, complete = resp_reference.read_commands(data, LINE)
    ends = [command.end for command in expected]
    places = range(1, len(data)) or [0]
    ways = [
        [],
        places,
        *[[rng.choice(places)] for _ in range(number)],
        *[rng.choices(places, k=3) for _ in range(number)],
    ]
    for way in ways:
        parser, seen, fed = kind(Limits(line=LINE, elements=1024 * 1024)), list[list[bytes]](), 0
        parts = cut(data, way)
        with steps(budget_for(len(data), len(parts))):
            for part in parts:
                seen += parser.feed(part)
                fed += len(part)
                if parser.error is None and len(seen) != bisect(ends, fed):
                    raise Difference(f"{len(seen)} commands after {fed} of {data!r:.300}")
        if parser.idle != (complete or wrong):
            raise Difference(f"idle is {parser.idle} after {data!r:.300}")
        if (seen, parser.error is not None) != ([command.words for command in expected], wrong):
            raise Difference(f"{seen!r:.300} {parser.error}, not {expected!r:.300} {wrong}, of {data!r:.300}")
    return len(ways)


def check_pairing(rng: Random, kind: type[Connection] = Connection) -> int:
    """Answer commands and pipelines, and look who gets which reply, after every part."""
    slots = [rng.choice([1, 1, 2, 5, 40]) for _ in range(rng.randrange(1, 9))]
    given_up = set(rng.choices(range(len(slots)), k=rng.choice([0, 0, 0, 1, 2, len(slots)])))
    wire: list[bytes] = []
    for _ in range(max(0, sum(slots) + rng.choice([0, 0, 0, 1, -1, 7]))):
        if rng.random() < 0.02:
            wire.append(rng.choice([push(rng, 1), attribute(rng)]))
        wire.append(rng.choice([b"+OK\r\n", b":%d\r\n" % rng.randrange(10**6), element(rng, 1)]))
    data = b"".join(wire)
    places = range(1, len(data)) or [0]
    parts = cut(data, rng.choices(places, k=rng.choice([0, 1, 2, 9])))
    items = resp_reference.read(data).items

    # An opened connection of RESP3: the handshake is another test's.
    connection = kind(None)
    connection.protocol = 3
    handed = [
        connection.send_many([Command("GET", "k")] * count, token)
        if count > 1
        else connection.send(Command("GET", "k"), token)
        for token, count in enumerate(slots)
    ]
    block = connection.data_to_send()
    connection.sent(len(block))
    gone: set[int] = set()
    amid = rng.choice([0, 0, 1])  # the part before which they go
    fed = 0
    seen: list[Any] = []
    with steps(4 * budget_for(len(data), len(parts)) + 400 * sum(slots)):
        for number, part in enumerate(parts):
            if number == amid:
                gone = {token for token in given_up if handed[token].state is SlotState.HANDED}
                for token in gone:
                    connection.abandon(handed[token])
            answered = connection.receive_replies(part)
            fed += len(part)
            for event in connection.events() if answered is None else answered:
                if isinstance(event, PushReceived):
                    seen.append(plain(event.push))
                elif isinstance(event, ConnectionLost):
                    seen += ["lost"] if seen[-1:] != ["lost"] else []
                elif isinstance(event, Slot):
                    token = handed.index(event)
                    replies: Any = event.reply if slots[token] > 1 else [event.reply]
                    seen.append((token, [plain(reply) for reply in replies], event.state.name))
            due = paired(slots, gone, [item for item in items if item.end <= fed], data[:fed])
            if seen != due:
                raise Difference(f"{seen!r:.300}, not {due!r:.300}, after {fed} bytes for {slots}, {gone} given up")
    if not gone and "lost" not in seen:
        ended = len([event for event in seen if isinstance(event[0], int)])
        if connection._answered != len(block) // sum(slots) * sum(slots[:ended]):
            raise Difference(f"{connection._answered} bytes of commands answered by {ended} slots of {slots}")
    return 1


def paired(slots: Sequence[int], given_up: set[int], items: Sequence[resp_reference.Item], data: bytes) -> list[Any]:
    """What a connection has to tell when these replies have come: they belong to the slots in their order.

    Behind the last one nothing may begin but a push, or an attribute that may describe one.
    """
    told: list[Any] = []
    waiting = [(token, count) for token, count in enumerate(slots)]
    replies: list[Any] = []
    for item in items:
        if item.is_push:
            told.append(item.value)
            continue
        if not waiting:
            return [*told, "lost"]
        token, count = waiting[0]
        replies.append(item.value)
        if len(replies) == count:
            if token not in given_up:
                told.append((token, replies, "ANSWERED"))
            del waiting[0]
            replies = []
    begun = data[items[-1].end if items else 0 :]
    return [*told, "lost"] if begun and not waiting and begun[:1] not in b">|" else told
