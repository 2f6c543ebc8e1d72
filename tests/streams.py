"""Streams of replies, each made to reach a certain branch of the accelerators on purpose.

A generator is named after the branch that it is aimed at, and lists the accelerators that it must reach. It yields its fixed
streams, None, and then others at random without end; what it draws depends on its `Random` alone. Sizes are those around which
the code decides: the lengths in tables (`SHORT`), bulks that are cut out (`LARGE`), feeds that are read at once, rows, windows.
"""

from __future__ import annotations

from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

__all__ = ["GENERATORS", "Generator", "Wire", "attribute", "draw", "element", "push", "requests"]

SHORT, LARGE, SMALL, SPAN, VIEW = 1024, 300, 8192, 128 * 1024, 16 * 1024


class Wire(NamedTuple):
    """What a peer sends, and how the parser that reads it is set up.

    Where `reply` limits a reply (0: no more than by default), only the strict grammar says what is right: how it counts is its own.
    `digits` is for `sys.set_int_max_str_digits`, 0 to leave it alone.
    """

    data: bytes
    lenient: bool = False
    nested: bool = False
    depth: int = 128
    bulk: int = 512 * 1024 * 1024
    line: int = 64 * 1024
    elements: int = 2**32 - 1
    reply: int = 0
    digits: int = 0


Drawn: TypeAlias = "Iterator[Wire | bytes | None]"
Make: TypeAlias = "Callable[[Random], Drawn]"


class Generator(NamedTuple):
    """An endless source of streams, and the accelerators that they are aimed at."""

    name: str
    aims: frozenset[str]
    make: Make


GENERATORS: Final[dict[str, Generator]] = {}


def aimed_at(*aims: str) -> Callable[[Make], Make]:
    def register(make: Make) -> Make:
        GENERATORS[make.__name__] = Generator(make.__name__, frozenset(aims), make)
        return make

    return register


# Pieces

TABLE: Final = [b"+OK", b"+QUEUED", b"+PONG", b"$-1", b"*-1", b"_", b"#t", b"#f", b":-1", b":0", b":7", b":1023"]
INTEGERS: Final = [
    b":1024", b":-2", b":007", b":-0", b":12345", b":999999999999999999", b":1000000000000000000", b":9223372036854775807",
    b":-9223372036854775808", b":0000000000000000001", b":123456789012345678",
]  # fmt: skip
DOUBLES: Final = [b",1", b",1.5", b",-0.25", b",10", b",1e5", b",1.5E-3", b",inf", b",-inf", b",nan", b",0.1", b",-7"]
TEXTS: Final = [
    b"+",
    b"+x",
    b"+caf\xc3\xa9",
    b"+\xff\xfe",
    b"-ERR no",
    b"-",
    b"-MOVED 1 a:1",
    b"(123456789012345678901234",
    b"(-5",
]
LINES: Final = TABLE + INTEGERS + DOUBLES + TEXTS
WRONG: Final = [
    b":", b":1_0", b": 1", b":1 ", b":1\r", b":\n1", b":--1", b":1.0", b":-", b":9223372036854775808", b":x",
    b",", b",.5", b",5.", b",-.5", b",1_0", b",--1", b",1-1", b",1e", b",e5", b",1,2", b",infinity", b",\n1", b",x",
    b"+a\rb", b"+a\nb", b"-a\rb", b"#", b"#x", b"_x", b"(", b"(x", b"*x", b"*-2", b"%-1", b"$-2", b"$x", b"~", b">0",
    b":+", b":+-1", b":+1", b"(+5", b",+1.5", b",+inf", b",+nan", b"_ ", b":1000000000000000000000",
    b"x", b"", b"$ 1", b"$1_0", b"*1_0", b"*1:", b".", b";1", b"\r", b"\n", b"|-1", b"=3", b"=x", b"!x", b">-1", b"%?x",
]  # fmt: skip
HEADS: Final = [b"*", b"~", b"%"]


def bulk(body: bytes, sign: bytes = b"$") -> bytes:
    return b"%b%d\r\n%b\r\n" % (sign, len(body), body)


def body(rng: Random, size: int) -> bytes:
    """`size` bytes: dull, full of line breaks, or such as look like RESP."""
    unit = rng.choice(
        [
            b"x",
            b"v",
            b"\r\n",
            b"\r",
            b"\n",
            b"x\r\n",
            b"$3\r\n",
            b":1\r\n",
            b"$1\r\nx\r\n",
            b"$310\r\n",
            b"*1\r\n",
            b"\0",
        ]
    )
    return (unit * (size // len(unit) + 1))[:size]


def dull(size: int) -> bytes:
    return b"v" * size


def scalar(rng: Random) -> bytes:
    return rng.choice(LINES) + b"\r\n"


def size_near(rng: Random) -> int:
    """A length around which something is decided, or any."""
    if rng.random() < 0.3:
        return rng.randrange(40)
    near = rng.choice([0, 10, 16, 24, 100, 290, 300, 310, 999, 1000, 1023, 1024, 2040, 2048, 4096, 9999, 10000, VIEW])
    return max(0, near + rng.randrange(-3, 4))


def small_size(rng: Random) -> int:
    return max(0, rng.choice([0, 1, 3, 8, 9, 10, 20, 99, 100]) + rng.randrange(-1, 2))


def element(rng: Random, depth: int = 3, *, size: Callable[[Random], int] = small_size) -> bytes:
    """One element of any type."""
    pick = rng.randrange(14 if depth else 9)
    if pick < 4:
        return scalar(rng)
    if pick < 7:
        return bulk(body(rng, size(rng)))
    if pick == 7:
        return bulk(b"txt:" + body(rng, size(rng)), b"=")
    if pick == 8:
        return bulk(b"ERR " + body(rng, size(rng)), b"!")
    if pick == 9:
        return streamed_string(rng, [size(rng) for _ in range(rng.randrange(3))])
    return aggregate(rng, rng.choice(HEADS), [element(rng, depth - 1, size=size) for _ in range(2 * rng.randrange(4))])


def aggregate(rng: Random, sign: bytes, members: list[bytes]) -> bytes:
    """Members as an aggregate, now and then a streamed one."""
    if rng.random() < 0.1:
        return sign + b"?\r\n" + b"".join(members) + b".\r\n"
    return sized(sign, members)


def sized(sign: bytes, members: list[bytes]) -> bytes:
    size = len(members) // 2 if sign in b"%|" else len(members)
    return b"%b%d\r\n" % (sign, size) + b"".join(members)


def streamed_string(rng: Random, sizes: list[int]) -> bytes:
    return b"$?\r\n" + b"".join([bulk(body(rng, size), b";") for size in sizes if size]) + b";0\r\n"


def push(rng: Random, depth: int = 2) -> bytes:
    kind = rng.choice([b"+message\r\n", b"$10\r\ninvalidate\r\n", b"+\xff\r\n", b"$1\r\n\xff\r\n"])
    return sized(b">", [kind, *[element(rng, depth) for _ in range(rng.randrange(4))]])


def attribute(rng: Random, depth: int = 1) -> bytes:
    pairs = [
        part
        for key in rng.sample([b"ttl", b"popularity", b"x"], rng.randrange(3))
        for part in (bulk(key), element(rng, depth))
    ]
    return sized(b"|", pairs)


def spoiled(rng: Random, data: bytes) -> bytes:
    """`data` with one byte lost, doubled, or another."""
    at = rng.randrange(len(data) + 1)
    return (
        data[:at]
        + rng.choice([b"", b"\r", b"\n", b"0", b"9", b"$", b"-", b"+", data[at : at + 1] * 2, b"\r\n"])
        + data[at + 1 :]
    )


# One small feed, as request and response have it.


@aimed_at("feed")
def a_feed_that_is_one_small_bulk(rng: Random) -> Drawn:
    for size in range(LARGE + 12):
        yield bulk(dull(size))
    yield None
    while True:
        yield bulk(body(rng, rng.randrange(LARGE + 12)))


@aimed_at("feed")
def a_feed_that_is_one_line(rng: Random) -> Drawn:
    for line in LINES + WRONG:
        yield line + b"\r\n"
    for digits in range(1, 25):
        for sign in (b":", b":-", b",", b"("):
            yield sign + b"1234567890123456789012345"[:digits] + b"\r\n"
    yield None
    while True:
        sign = rng.choice([b":", b",", b"+", b"-", b"(", b"#", b":-", b",-"])
        yield sign + bytes(rng.choices(b"0123456789-+.eE_ \t", k=rng.randrange(24))) + b"\r\n"


@aimed_at("feed")
def a_feed_that_is_one_array_of_bulks(rng: Random) -> Drawn:
    for length in range(20):
        yield b"*%d\r\n" % length + bulk(b"x") * length
    yield None
    while True:
        members = [
            bulk(body(rng, rng.randrange(12)) if rng.random() < 0.5 else dull(rng.randrange(12)))
            for _ in range(rng.randrange(12))
        ]
        if members and rng.random() < 0.3:
            members[rng.randrange(len(members))] = rng.choice(
                [scalar(rng), b"$1\r\nxy\r\n", b"$2\r\nx\r\n", b"$1\r\n\r\n", bulk(b"a\r\nb")]
            )
        length = len(members) + rng.choice([0, 0, 0, 0, 1, -1])
        yield b"*%d\r\n" % max(0, length) + b"".join(members) + rng.choice([b"", b"", b"", b"\r\n", b"x", scalar(rng)])


@aimed_at("several", "feed")
def a_small_feed_of_several_replies(rng: Random) -> Drawn:
    for depth in range(1, 5):
        for inside in (b":1\r\n", b"*0\r\n", b"%0\r\n", b"-E\r\n"):
            yield Wire(b"*1\r\n" * 3 + inside + b"+OK\r\n", depth=depth)
    yield None
    while True:
        parts = []
        for _ in range(rng.randrange(1, 7)):
            kinds = [element, element, scalar, push] if rng.random() < 0.5 else [element, scalar]
            parts.append(rng.choice(kinds)(rng))
        if rng.random() < 0.15:
            parts[-1] = parts[-1][: rng.randrange(1, len(parts[-1]))]
        if rng.random() < 0.15:
            parts.insert(rng.randrange(len(parts)), rng.choice(WRONG) + b"\r\n")
        if rng.random() < 0.15:
            parts.append(b"-" + dull(rng.randrange(SHORT - 3, SHORT + 3)) + b"\r\n")
        yield Wire(b"".join(parts), depth=rng.choice([1, 2, 3, 128]), lenient=rng.random() < 0.2)


@aimed_at("few", "feed")
def a_small_feed_of_scalars_and_bulks(rng: Random) -> Drawn:
    for number in range(1, 9):
        for rest in (b"", b"+", b"$1\r\n", b"x", b"*1\r\n", push(rng)):
            yield b"+OK\r\n" * number + rest
            yield b"+OK\r\n" + bulk(b"xy") * number + rest
    yield None
    while True:
        parts = [rng.choice(TABLE) + b"\r\n"]
        parts += [rng.choice([scalar(rng), bulk(body(rng, rng.randrange(9)))]) for _ in range(rng.randrange(6))]
        if rng.random() < 0.2:
            parts[-1] = parts[-1][: rng.randrange(1, len(parts[-1]))]
        yield b"".join(parts)


@aimed_at("several", "feed")
def pushes_in_small_feeds(rng: Random) -> Drawn:
    for kind in (b":1\r\n", b"+x\r\n", b"$1\r\nx\r\n", b"_\r\n", b"*0\r\n", b"$-1\r\n", b"=5\r\ntxt:x\r\n"):
        yield b">1\r\n" + kind
        yield b"+OK\r\n>2\r\n" + kind + b":1\r\n+OK\r\n"
        yield b"*2\r\n:1\r\n>1\r\n" + kind + b":2\r\n"
    yield None
    while True:
        parts = [push(rng) if rng.random() < 0.4 else element(rng, 1) for _ in range(rng.randrange(1, 6))]
        parts.insert(
            rng.randrange(len(parts) + 1), rng.choice([b"", b">0\r\n", b">1\r\n:1\r\n", b"*1\r\n>1\r\n+x\r\n:1\r\n"])
        )
        yield Wire(b"".join(parts), lenient=rng.random() < 0.3)


@aimed_at("alone", "skip")
def replies_that_come_one_by_one(rng: Random) -> Drawn:
    for size in (0, 1, 2, 9, 10, SHORT - 1, SHORT, SHORT + 1):
        yield bulk(dull(size))
    for line in TABLE + INTEGERS:
        yield line + b"\r\n"
    yield None
    while True:
        alone = rng.choice([bulk(body(rng, rng.randrange(12))), rng.choice(TABLE) + b"\r\n", element(rng, 1)])
        wrong = rng.choice(
            [b"$1\r\nxy\r\n", b"$2\r\nx\r\n", b"$3\r\nx\r\n", b"$2\r\n\r\n\r\n", alone[:-1], alone + b"\r\n"]
        )
        behind = rng.choice([b"+", b"$1", b":1\r\n", push(rng), *[line + b"\r\n" for line in (*TABLE[:3], *WRONG[:9])]])
        yield rng.choice([alone, alone + behind, alone * 3, wrong, wrong + behind])


@aimed_at("several", "whole")
def feeds_around_the_small_ones(rng: Random) -> Drawn:
    for size in (*range(LARGE - 14, LARGE + 4), *range(SMALL - 14, SMALL + 4)):
        yield bulk(dull(size))
        yield b"+" + dull(size) + b"\r\n"
        yield sized(b"*", [bulk(dull(size))])
        yield sized(b"*", [bulk(b"x"), bulk(dull(size)), b":5000\r\n"])
    yield None
    while True:
        size = rng.choice([LARGE, SMALL]) + rng.randrange(-20, 6)
        parts = [element(rng, 1)]
        while sum(map(len, parts)) < size - 20:
            parts.append(element(rng, 1))
        parts.append(bulk(dull(max(0, size - sum(map(len, parts)) - 6))))
        if rng.random() < 0.5:
            parts.reverse()
        yield b"".join(parts)


@aimed_at("whole")
def a_feed_that_is_one_large_bulk(rng: Random) -> Drawn:
    for size in (LARGE - 10, LARGE, LARGE + 1, 999, 1000, 1001, 9999, 10000, 65535, 65536, 70000):
        for more in (b"", b"\r", b"\n", b"x", b"\r\n", b"$", b"+OK\r\n", bulk(dull(LARGE))):
            yield bulk(dull(size)) + more
        yield bulk(dull(size))[:-2] + b"\n\r"
        yield bulk(dull(size))[:-1]
        yield Wire(bulk(dull(size)), bulk=max(size, SHORT))
        yield Wire(bulk(dull(size)), bulk=max(size + 1, SHORT))
        yield Wire(bulk(dull(size)), bulk=max(size - 1, SHORT))
        for zeros in range(16):
            yield b"$" + b"0" * zeros + bulk(dull(size))[1:]
    yield None
    while True:
        data = bulk(body(rng, rng.choice([rng.randrange(LARGE, 4000), size_near(rng)])))
        yield rng.choice([data, data, spoiled(rng, data[:20]) + data[20:], data[:-2] + spoiled(rng, data[-2:])])


@aimed_at("_begin_bulk")
def a_bulk_that_wants_room(rng: Random) -> Drawn:
    for size in (SPAN - 1, SPAN, SPAN + 1):
        yield bulk(dull(size))
    yield None
    while True:
        yield bulk(dull(SPAN + rng.randrange(4 * SPAN)))


# Runs


def run_of_bulks(rng: Random, length: int) -> list[bytes]:
    style = rng.randrange(5)
    first, second = small_size(rng), small_size(rng)
    if style == 0:
        return [bulk(dull(first))] * length
    if style == 1:
        return [bulk(dull(second if index % 2 else first)) for index in range(length)]
    if style == 2:
        return [bulk(body(rng, small_size(rng))) for _ in range(length)]
    if style == 3:
        return [bulk(dull(rng.randrange(30))) for _ in range(length)]
    return [bulk(dull(rng.choice([first, first, first, second]))) for _ in range(length)]


def in_or_out(rng: Random, members: list[bytes]) -> bytes:
    """Members at the top level, or in an aggregate of that many, of fewer or of more."""
    if rng.random() < 0.4:
        return b"".join(members)
    length = max(0, len(members) + rng.choice([0, 0, 0, 0, 1, -1, -5]))
    return (
        b"%b%d\r\n" % (rng.choice([b"*", b"*", b"*", b"~"]), length) + b"".join(members) + rng.choice([b"", b":1\r\n"])
    )


OTHERS: Final = [
    b":1\r\n", b"$-1\r\n", b"_\r\n", b"+OK\r\n", b"+other\r\n", b":123456\r\n", b":-123456\r\n", b",1.5\r\n",
    b",1e5\r\n", b"-ERR\r\n", b"*0\r\n", b"*1\r\n:1\r\n", b"%1\r\n+a\r\n:1\r\n", b"$2\r\n\r\n\r\n", b"$0\r\n\r\n",
    b"$1\r\nxy\r\n", b"$2\r\nx\r\n", b"$1\r\n\r\n", b"(5\r\n", b"=5\r\ntxt:x\r\n", b"!1\r\nE\r\n",
    b"$?\r\n;1\r\nx\r\n;0\r\n", b"$00001\r\nx\r\n", b"$001\r\nx\r\n", b"*001\r\n:1\r\n", b"#t\r\n",
    b"$1023\r\n" + b"v" * 1023 + b"\r\n", b"$1024\r\n" + b"v" * 1024 + b"\r\n", b"$300\r\n" + b"v" * 300 + b"\r\n",
]  # fmt: skip


def disturbed(rng: Random, members: list[bytes]) -> list[bytes]:
    """Members with another one in their place at one or two of them."""
    for _ in range(rng.choice([0, 1, 1, 2])):
        at = rng.choice([0, len(members) - 1, rng.randrange(len(members))])
        other = rng.choice([rng.choice(OTHERS), rng.choice(OTHERS), rng.choice(WRONG) + b"\r\n"])
        members = [*members[:at], other, *members[at + rng.randrange(2) :]]
        if not members:
            break
    return members


@aimed_at("flat", "_run", "_proven", "_alike", "_singly", "_broken")
def runs_of_bulks(rng: Random) -> Drawn:
    for length in range(1, 50):
        yield bulk(b"abc") * length
        yield sized(b"*", [bulk(b"k"), bulk(b"value")] * length)
        yield sized(b"*", [bulk(b"k"), bulk(b"value")] * length + [bulk(b"k")])
    yield None
    while True:
        length = rng.choice([rng.randrange(2, 12), rng.randrange(12, 60), rng.randrange(60, 400)])
        yield in_or_out(rng, disturbed(rng, run_of_bulks(rng, length)))


@aimed_at("_proven", "_alike", "_run")
def bulks_of_which_one_is_longer_than_said(rng: Random) -> Drawn:
    yield None
    while True:
        pattern = [bulk(dull(rng.randrange(4))) for _ in range(rng.randrange(1, 4))]
        members = pattern * rng.randrange(3, 40)
        at = rng.randrange(len(members))
        length = int(members[at][1:2])
        members[at] = b"$%d\r\n%b\r\n" % (length, dull(max(0, length + rng.choice([-1, 1]))))
        yield in_or_out(rng, members)


@aimed_at("_singly", "_broken")
def bulks_with_line_breaks(rng: Random) -> Drawn:
    for size in (0, 1, 3, 4):
        for lead in (b"+OK\r\n", b"*3\r\n"):
            yield lead + b"$2\r\n%b\r\n" % dull(size) + b":1\r\n" * 9
    for size in range(40):
        for unit in (b"\r\n", b"a\r\n", b"\r\n\r\na"):
            yield bulk((unit * 40)[:size]) + bulk(b"tail") * 3
    yield None
    while True:
        size = rng.randrange(1, 40)
        text = rng.choice([body(rng, size), dull(size)])
        length = size + rng.choice([0, 0, 1, -1, 2, -2])
        members = (
            [bulk(b"x")] * rng.randrange(3)
            + [b"$%d\r\n%b\r\n" % (max(0, length), text)]
            + run_of_bulks(rng, rng.randrange(1, 9))
        )
        yield in_or_out(rng, members)


def run_of_lines(rng: Random, length: int) -> list[bytes]:
    style = rng.randrange(7)
    if style == 0:
        return [rng.choice(TABLE) + b"\r\n"] * length
    if style == 1:
        return [rng.choice(TABLE) + b"\r\n" for _ in range(length)]
    if style == 2:
        digits = rng.choice([4, 10, 17, 18, 19])
        return [b":%d\r\n" % rng.randrange(10 ** (digits - 1), 10**digits) for _ in range(length)]
    if style == 3:
        return [b":%d\r\n" % rng.randrange(-3000, 3000) for _ in range(length)]
    if style == 4:
        return [
            b",%b\r\n" % repr(rng.choice([rng.uniform(-9, 9), float(rng.randrange(9))])).encode() for _ in range(length)
        ]
    if style == 5:
        return [rng.choice(INTEGERS if rng.random() < 0.5 else DOUBLES) + b"\r\n" for _ in range(length)]
    return [scalar(rng) for _ in range(length)]


@aimed_at("_values", "_numbers", "_run", "flat", "_singly", "scalar")
def runs_of_lines(rng: Random) -> Drawn:
    for line in (b":1\r\n", b":123456\r\n", b",1.5\r\n", b"+OK\r\n", b"_\r\n", b"+x\r\n", b"-E\r\n"):
        for length in range(1, 44):
            yield line * length
    yield None
    while True:
        length = rng.choice([rng.randrange(2, 12), rng.randrange(12, 60), rng.randrange(60, 400)])
        yield in_or_out(rng, disturbed(rng, run_of_lines(rng, length)))


@aimed_at("_values", "_numbers", "scalar", "_each", "columns", "_singly")
def one_odd_line_among_many(rng: Random) -> Drawn:
    for odd in LINES + WRONG:
        for line in (b":123456", b",1.5", b":1", b"+OK", b"$1\r\nx"):
            for at in (0, 13, 39):
                lines = [line] * 40
                lines[at] = odd
                yield b"\r\n".join(lines) + b"\r\n"
                yield b"".join([b"*1\r\n" + line + b"\r\n" for line in lines])
    yield None
    while True:
        lines = [rng.choice([b":123456", b",1.5", b":1"])] * rng.randrange(8, 40)
        for _ in range(rng.randrange(1, 4)):
            sign = rng.choice([lines[0][:1], lines[0][:1], b"+"])
            lines[rng.randrange(len(lines))] = sign + bytes(rng.choices(b"0123456789-+.eE_,: ", k=rng.randrange(7)))
        yield b"\r\n".join(lines) + b"\r\n"


@aimed_at("scalar", "_singly")
def simple_strings_around_the_short_ones(rng: Random) -> Drawn:
    for size in range(SHORT - 4, SHORT + 4):
        for sign in (b"+", b"-"):
            yield sign + dull(size) + b"\r\n+OK\r\n"
            yield (sign + dull(size) + b"\r\n+OK\r\n") * 9
    yield None
    while True:
        lines = [
            rng.choice([b"+", b"-"]) + dull(rng.randrange(SHORT - 4, SHORT + 4)) + b"\r\n"
            for _ in range(rng.randrange(1, 5))
        ]
        yield in_or_out(rng, lines + run_of_lines(rng, rng.randrange(1, 12)))


# Runs behind the header of a wide aggregate, or at the top level of a feed too large to be read at once


def wide(rng: Random, members: list[bytes]) -> bytes:
    """Members at the top level, or in an aggregate whose header has four digits, that has as many, or one more or less."""
    if rng.random() < 0.4:
        return b"".join(members)
    count = len(members) + rng.choice([0, 0, 0, 1, -1, -7])
    return rng.choice([b"*", b"*", b"~"]) + b"%04d\r\n" % count + b"".join(members) + rng.choice([b"", b":1\r\n"])


ODD_INTEGERS: Final = [
    b":-1", b":007", b":-0", b":+5", b":-", b":", b":--1", b":1-1", b":-007", b":5-", b"3", b":1:2", b":1,2", b":1,:2", b":1.5",
    b":9223372036854775807", b":9223372036854775808", b":-9223372036854775808", b":-9223372036854775809", b":1e5", b"$1\r\n5",
    b":12\n", b":\r12", b":[1]", b": 1", b"_", b",15", b"$0\r\n", b":00000000000000000001", b":" + b"1" * 4301,
    b":1E5", b":5 ", b":\t5", b":\0001", b":x", b":true", b":\xef\xbb\xbf5",
]  # fmt: skip


@aimed_at("integers", "_values")
def many_integers(rng: Random) -> Drawn:
    for count in (1000, 1001, 2999):
        for number in (b":1\r\n", b":123456\r\n", b":-123456\r\n", b":123\r\n", b":1234567890123456789\r\n"):
            yield b"*%d\r\n" % count + number * count
    for odd in ODD_INTEGERS:
        for at in (0, 5, 1000, -1):
            lines = [b":%d" % (12345 + number) for number in range(1200)]
            lines[at] = odd
            yield b"*1200\r\n" + b"\r\n".join(lines) + b"\r\n"
    for more in (b"2", b"22", b"-"):
        run = b":123456\r\n" * 20
        for at in (*range(9), *range(72, 81), *range(len(run) - 8, len(run))):
            yield b"*20\r\n" + run[:at] + more + run[at:] + b"*0\r\n" * 200
            yield run[:at] + more + run[at:]
    yield Wire(b":123456\r\n" * 300 + b":" + b"1" * 5000 + b"\r\n", digits=0)
    yield None
    while True:
        length = rng.choice([rng.randrange(200, 500), rng.randrange(1000, 4000)])
        digits = rng.choice([3, 5, 5, 18, 19, 19])
        low = rng.choice([0, 10 ** (digits - 1), -(10**digits)])
        lines = [b":%d\r\n" % rng.randrange(low, 10**digits) for _ in range(length)]
        if rng.random() < 0.5:
            lines[rng.randrange(length)] = rng.choice([rng.choice(ODD_INTEGERS) + b"\r\n", element(rng, 1)])
        yield wide(rng, lines)


@aimed_at("integers")
def what_looks_like_integers(rng: Random) -> Drawn:
    for size in range(2040, 2060):  # behind a piece of 2048 bytes comes a bulk, whose data looks like integers
        run = b":" + b"1" * (size % 9 + 6) + b"\r\n" + b":123456\r\n" * (size // 9 - 1)
        run += bulk(b":1\r\n:2\r\n:3\r\n:4\r\n:5") + b":7\r\n" * 200
        yield b"*%d\r\n" % (size // 9 + 201) + run
        yield run
    for odd in (b":1\r2\r\n:5\n", b":1\n2\r\n:5\n", b":1:2\r\n:5\r\n"):  # as many signs as there should be, or more
        yield b"*12\r\n" + b":123456\r\n" * 10 + odd
        yield b":123456\r\n" * 10 + odd + b":1\r\n" * 2000
    yield None
    while True:
        lines = [b":%d" % (12345 + number) for number in range(rng.randrange(300, 600))]
        lines[rng.randrange(6, len(lines))] = rng.choice(ODD_INTEGERS)
        yield wide(rng, [line + b"\r\n" for line in lines])


@aimed_at("even")
def bulks_of_one_length(rng: Random) -> Drawn:
    for first, second in ((0, 0), (3, 3), (16, 32), (9, 10), (99, 101), (250, 290)):
        for count in (11, 12, 13, 1000, 1001):
            pairs = (bulk(dull(first)) + bulk(dull(second))) * count
            yield b"*%04d\r\n" % (2 * count) + pairs
            yield b"%%%04d\r\n" % count + pairs
            yield b"*%04d\r\n" % (2 * count + 1) + pairs + b":1\r\n"
            yield b"*%04d\r\n" % (2 * count - 1) + pairs
    yield b"*0100\r\n$00003\r\nabc\r\n" + bulk(b"abc") * 99
    yield b"*0100\r\n" + bulk(b"abc") + b":1\r\n" + bulk(b"abc") * 98
    yield None
    while True:
        pair = [bulk(body(rng, small_size(rng))), bulk(body(rng, small_size(rng)))]
        if rng.random() < 0.4:
            pair[1] = pair[0]
        members = pair * rng.choice([rng.randrange(5, 20), rng.randrange(20, 200), rng.randrange(500, 700)])
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            at = rng.choice([0, 1, len(members) - 1, rng.randrange(len(members))])
            members[at] = rng.choice([spoiled(rng, members[at]), spoiled(rng, members[at]), element(rng, 1)])
        yield wide(rng, members)


@aimed_at("rows", "_row", "even")
def rows_of_one_layout(rng: Random) -> Drawn:
    def row(sizes: list[int], sign: bytes) -> bytes:
        inner = [bulk(body(rng, size)) for size in sizes]
        return (
            sized(b"*", [bulk(dull(9)), sized(sign, inner)]) if sign else sized(b"%", [*inner, sized(b"~", inner[:1])])
        )

    for depth in (1, 2, 3):
        for count in (100, 101, 1000):
            rows = row([7, 30], b"*") * count
            yield Wire(b"*%04d\r\n" % count + rows + b":1\r\n", depth=depth)
            yield Wire(b"*%04d\r\n" % (count + 1) + rows + b":1\r\n", depth=depth)
            yield Wire(b"*%04d\r\n" % (count - 1) + rows, depth=depth)
    for width in (63, 64, 65):
        yield sized(b"*", [bulk(b"x")] * width) * 40
    yield None
    while True:
        sizes = [rng.choice([1, 3, 9, 10, 40]) for _ in range(rng.choice([2, 2, 4, 6]))]
        sign = rng.choice([b"*", b"*", b"%", b"~", b""])
        number = rng.choice([rng.randrange(5, 40), rng.randrange(40, 300)])
        members = [row([*sizes, 3] if not sign else sizes, sign) for _ in range(number)]
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            at = rng.choice([0, 1, number - 1, rng.randrange(number)])
            members[at] = rng.choice([spoiled(rng, members[at]), spoiled(rng, members[at]), element(rng, 1)])
        yield wide(rng, members + [row(sizes, b"*")] * 30)


@aimed_at("_turns", "_column", "flat")
def elements_that_take_turns(rng: Random) -> Drawn:
    got = bulk(b"value")
    for turn in (
        [b"+OK\r\n", got],
        [got, b":1\r\n", b":5000\r\n"],
        [b"_\r\n", got, b"-E\r\n"],
        [b"+OK\r\n", bulk(b"+OK")],
    ):
        for number in (1, 2, 3, 4, 5, 8, 50):
            yield b"".join(turn * number)
            yield sized(b"*", turn * number) + b"+OK\r\n"
            yield b"".join(turn * number) + turn[0]
            yield b"*%d\r\n" % (len(turn) * number + 1) + b"".join(turn * number) + turn[0] + b"*0\r\n"
    first = b":1\r\n$1\r\nx\r\n" * 4  # read one by one, before turns are looked for
    yield first + b"+OK\r\n$3\r\n" * 60 + b"+OK\r\n"
    yield first + b"+OK\r\n*1\r\n:1\r\n" * 30
    yield first + b"+OK\r\n$3\r\nabc\r\n+OK\r\n$-1\r\n" * 20
    yield first + b"+OK\r\n$3\r\nabc\r\n" * 3 + b"(5\r\n"
    yield first + b"+OK\r\n$3\r\nabc\r\n" * 30
    yield (b"+OK\r\n" + b"*1\r\n:1\r\n") * 30
    yield None
    while True:
        kinds = [
            scalar(rng),
            bulk(dull(small_size(rng))),
            bulk(b"+OK"),
            b"+OK\r\n",
            b":%d\r\n" % rng.randrange(3000),
            got,
        ]
        turn = rng.choices(kinds, k=rng.randrange(1, 9))
        members = turn * rng.choice([rng.randrange(1, 9), rng.randrange(9, 60)])
        for _ in range(rng.choice([0, 0, 1, 2])):
            members[rng.randrange(len(members))] = rng.choice(
                [rng.choice(OTHERS), scalar(rng), b"$4\r\nvalue\r\n", b"+OK\r\n"]
            )
        yield rng.choice([b"", first]) + in_or_out(rng, members)


# Large bulks


@aimed_at("large", "_run")
def large_bulks_in_a_row(rng: Random) -> Drawn:
    for size in (300, 303, 310, 999, 1000, 3000):
        yield bulk(dull(size)) * 4
    for size in range(290, 312):
        yield bulk(dull(size)) + bulk(dull(310)) * 2 + bulk(dull(303))
    yield None
    while True:
        sizes = [rng.choice([LARGE, 310, 303, 1000, 1024, 3000, size_near(rng)]) for _ in range(rng.randrange(2, 6))]
        if rng.random() < 0.5:
            sizes = [sizes[0]] * len(sizes)
        data = b"".join([bulk(body(rng, size) if rng.random() < 0.2 else dull(size)) for size in sizes])
        yield rng.choice([data, data, sized(b"*", [data]).replace(b"*1", b"*%d" % len(sizes), 1)])


@aimed_at("large", "_read_bulk")
def ordinary_values_up_to_70000_bytes(rng: Random) -> Drawn:
    for size in (0, 1, 22, 65535, 65536, 70000):
        yield bulk(dull(size)) * 3
    yield None
    while True:
        sizes = [int(10 ** rng.uniform(0, 4.85)) for _ in range(rng.randrange(1, 5))]
        yield in_or_out(rng, [bulk(body(rng, size)) for size in sizes])


@aimed_at("large", "whole")
def headers_of_many_digits(rng: Random) -> Drawn:
    for digits in (4300, 4301, 4302, 5000):
        for sign in b"$=!*~%>|:(,":
            yield bytes([sign]) + b"1" * digits
            yield bulk(dull(LARGE)) + bytes([sign]) + b"1" * digits + b"\r\n"
    for digits in range(10, 22):
        for lead in (b"", bulk(dull(LARGE)), b"*2\r\n:1\r\n"):
            yield lead + b"$" + b"1" * digits
            yield lead + b"$" + b"0" * digits + bulk(dull(310))[1:] + b"+OK\r\n"
    yield None
    while True:
        size = rng.choice([1, 3, 300, 310, 1000])
        data = b"$" + b"0" * rng.randrange(24) + bulk(dull(size))[1:]
        yield (
            bulk(dull(rng.choice([3, 300, 310]))) * rng.randrange(3) + data + bulk(dull(300)) + rng.choice([b"", data])
        )


@aimed_at("large", "_run")
def large_bulks_among_others(rng: Random) -> Drawn:
    for size in range(296, 304):
        for tail in (b"", b"\r\n", b"$", b"$3", b":1\r\n"):
            yield b":1\r\n" + bulk(dull(size)) + tail
            yield Wire(bulk(dull(size)) * 2 + tail, bulk=1024)
    for wrong in (b"\rx", b"x\n", b"\n\r", b"\r\r", b"\n\n"):
        yield b":1\r\n" + bulk(dull(LARGE))[:-2] + wrong + bulk(dull(LARGE))
        yield bulk(dull(LARGE)) * 2 + bulk(dull(3000))[:-2] + wrong + b"+OK\r\n"
    for size in range(1020, 1030):
        yield Wire(bulk(dull(400)) + bulk(dull(size)) + b"+OK\r\n", bulk=1024)
    yield None
    while True:
        members = [
            rng.choice(
                [
                    bulk(dull(rng.randrange(LARGE - 6, LARGE + 9))),
                    bulk(dull(size_near(rng))),
                    scalar(rng),
                    rng.choice(OTHERS),
                ]
            )
            for _ in range(rng.randrange(2, 9))
        ]
        data = in_or_out(rng, members)
        yield rng.choice([data, data, data, spoiled(rng, data)])


@aimed_at("_run", "large")
def four_bytes_that_choose_an_accelerator(rng: Random) -> Drawn:
    for head in (
        b"$\r\n",
        b"$1\r\nx",
        b"$12\r\n",
        b"$100\r\n",
        b"$299\r\n",
        b"$300\r\n",
        b"$999\r\n",
        b"$1000\r\n",
        b"$-1\r\n",
        b"$?\r\n",
        b"$0300\r\n",
    ):
        for tail in range(30):
            yield head + dull(tail)
        yield b"+OK\r\n" + head + dull(1000) + b"\r\n+OK\r\n"
    yield None
    while True:
        sizes = [rng.choice([1, 12, 99, 100, 199, 200, 299, 300, 999, 1000]) for _ in range(rng.randrange(1, 6))]
        yield rng.choice([b"", b"+OK\r\n"]) + b"".join([bulk(dull(size)) for size in sizes])


# Rows


def shape(rng: Random, depth: int, width: int) -> Callable[[], bytes]:
    """Return what makes rows of one shape: the same headers, other values."""
    if depth == 0 or rng.random() < 0.5:
        kind = rng.randrange(8)
        size = rng.randrange(5)
        makers: list[Callable[[], bytes]] = [
            lambda: bulk(dull(size)),
            lambda: bulk(bytes(rng.choices(b"abc", k=size))),
            lambda: b":%d\r\n" % rng.randrange(-5, 1030),
            lambda: b":%d\r\n" % rng.randrange(10**6),
            lambda: b",%.2f\r\n" % rng.uniform(0, 9),
            lambda: rng.choice([b"#t\r\n", b"#f\r\n", b"_\r\n"]),
            lambda: b"+%d\r\n" % rng.randrange(99),
            lambda: bulk(dull(rng.randrange(4))),
        ]
        return makers[kind]
    sign = rng.choice(HEADS)
    parts = [shape(rng, depth - 1, width) for _ in range(rng.randrange(1, width) * (2 if sign == b"%" else 1))]
    return lambda: sized(sign, [part() for part in parts])


def rows(rng: Random, length: int, *, sign: bytes = b"", depth: int = 2, width: int = 5) -> list[bytes]:
    sign = sign or rng.choice([*HEADS, b"*", b">"])
    parts = [shape(rng, depth - 1, width) for _ in range(rng.randrange(1, width) * (2 if sign == b"%" else 1))]
    if sign == b">":
        parts = [rng.choice([lambda: b"+message\r\n", lambda: b"$1\r\nm\r\n"]), *parts]
    return [sized(sign, [part() for part in parts]) for _ in range(length)]


@aimed_at("columns", "_shape", "_column", "_each", "_run_tokens")
def rows_of_one_shape(rng: Random) -> Drawn:
    for row in (
        b"*1\r\n:1\r\n",
        b"%1\r\n$1\r\na\r\n:1\r\n",
        b"~2\r\n:1\r\n:2\r\n",
        b">2\r\n+p\r\n:1\r\n",
        b"*2\r\n$1\r\nx\r\n*1\r\n,1.5\r\n",
        b"*0\r\n",
    ):
        for length in (1, 2, 3, 15, 16, 17, 18, 79, 80, 81):
            yield row * length
            yield b"*%d\r\n" % (length + 3) + row * length + b":1\r\n" * 3
            yield b"*%d\r\n" % length + row * (length + 3)
    yield None
    while True:
        length = rng.choice([rng.randrange(1, 20), rng.randrange(20, 100)])
        yield in_or_out(rng, rows(rng, length, depth=rng.randrange(1, 4)))


@aimed_at("columns", "_shape", "_column", "_each", "_run_tokens")
def rows_that_change(rng: Random) -> Drawn:
    yield None
    while True:
        members = rows(rng, rng.randrange(2, 40), depth=rng.randrange(1, 3))
        members = disturbed(rng, members)
        if rng.random() < 0.6:
            members += rows(rng, rng.randrange(1, 40))
        if members and rng.random() < 0.4:
            at = rng.randrange(len(members))
            members[at] = spoiled(rng, members[at])
        yield Wire(in_or_out(rng, members), lenient=rng.random() < 0.2)


@aimed_at("columns", "_shape", "_run_tokens")
def rows_as_deep_as_allowed(rng: Random) -> Drawn:
    for depth in range(1, 6):
        for deep in range(1, 6):
            for outer in (b"*9\r\n", b""):
                yield Wire(outer + (b"*1\r\n" * deep + b":1\r\n") * 9, depth=depth)
                yield Wire(outer + (b"*1\r\n" * deep + b"*0\r\n") * 9, depth=depth)
                yield Wire(outer + (b"%1\r\n:1\r\n" * deep + b":2\r\n") * 9, depth=depth)
                yield Wire((b">2\r\n+p\r\n" + b"*1\r\n" * deep + b":1\r\n") * 9, depth=depth)
    yield None
    while True:
        yield Wire(in_or_out(rng, rows(rng, rng.randrange(2, 30), depth=4, width=3)), depth=rng.randrange(1, 6))


@aimed_at("columns", "_shape", "_run_tokens")
def rows_as_wide_as_allowed(rng: Random) -> Drawn:
    for width in (1, 2, 3, 31, 32, 62, 63, 64, 65, 126, 127, 128, 129):
        for sign in (b"*", b"~", b">"):
            line = b"+p\r\n" if sign == b">" else b":1\r\n"
            yield sized(sign, [line] * width) * 5
            yield b"*5\r\n" + sized(sign, [line] * width) * 5
            yield sized(sign, [bulk(b"x")] * width) * 5
        yield sized(b"%", [b":1\r\n"] * (width * 2)) * 5
    yield None
    while True:
        row = sized(b"*", [scalar(rng)] * rng.choice([30, 31, 62, 63, 64, 65, 127, 128, 129]))
        yield in_or_out(rng, disturbed(rng, [row] * rng.randrange(2, 6)))


@aimed_at("columns", "_column", "several")
def maps_and_sets_whose_keys_collide(rng: Random) -> Drawn:
    keys = [
        b":1\r\n",
        b",1\r\n",
        b"#t\r\n",
        bulk(b"1"),
        b"+1\r\n",
        b"=5\r\ntxt:1\r\n",
        b"*1\r\n:1\r\n",
        b"*0\r\n",
        b"_\r\n",
        b"(1\r\n",
        b",nan\r\n",
    ]
    yield None
    while True:
        sign = rng.choice([b"%", b"~"])
        members = [rng.choice(keys) for _ in range(2 * rng.randrange(1, 4))]
        yield in_or_out(rng, [sized(sign, members)] * rng.choice([1, 2, 20]) + [rng.choice(keys)] * rng.randrange(3))


@aimed_at("columns", "_column", "_run_tokens", "pushes")
def pushes_in_rows(rng: Random) -> Drawn:
    yield None
    while True:
        first = rng.choice([b"+p\r\n", bulk(b"p"), b":1\r\n", b"*0\r\n", b"_\r\n"])
        row = sized(b">", [first, *[rng.choice([scalar(rng), bulk(b"news")]) for _ in range(rng.randrange(3))]])
        members = [row] * rng.randrange(1, 40) + [element(rng, 1) for _ in range(rng.randrange(1, 60))]
        if rng.random() < 0.3:
            members.insert(rng.randrange(len(members)), sized(b">", [b":1\r\n"]))
        yield Wire(rng.choice([b"", b"", b"*3\r\n"]) + b"".join(members), lenient=rng.random() < 0.3)


# Windows, and everything at once


@aimed_at("_run_tokens", "flat", "columns")
def everything_in_a_mix(rng: Random) -> Drawn:
    yield None
    while True:
        parts: list[bytes] = []
        for _ in range(rng.randrange(1, 12)):
            pick = rng.randrange(8)
            length = rng.randrange(1, 20)
            parts += (
                [element(rng)] if pick < 3
                else run_of_lines(rng, length) if pick == 3
                else run_of_bulks(rng, length) if pick == 4
                else rows(rng, length) if pick == 5
                else [push(rng)] if pick == 6
                else [attribute(rng), element(rng)]
            )  # fmt: skip
        data = b"".join(parts) if rng.random() < 0.6 else aggregate(rng, b"*", parts)
        if rng.random() < 0.2:
            data = spoiled(rng, data)
        yield Wire(data, rng.random() < 0.3, rng.random() < 0.3, rng.choice([3, 128]))


@aimed_at("_run_tokens")
def aggregates_that_open_and_close(rng: Random) -> Drawn:
    for inner in (b"*0\r\n", b"*1\r\n*0\r\n", b"%0\r\n", b"~0\r\n", b"*-1\r\n", b"*1\r\n:1\r\n"):
        for length in range(1, 14):
            yield b"*%d\r\n" % length + inner * length
            yield (b"*%d\r\n" % length + inner * length) * 3 + b"+OK\r\n"
    yield None
    while True:

        def nest(depth: int) -> bytes:
            if depth == 0:
                return rng.choice([scalar(rng), bulk(body(rng, rng.randrange(9)))])
            return sized(
                rng.choice([b"*", b"*", b"*", b"%", b"~"]),
                [nest(depth - rng.randrange(1, 3) if depth > 1 else 0) for _ in range(2 * rng.randrange(3))],
            )

        yield Wire(
            b"".join([nest(rng.randrange(5)) for _ in range(rng.randrange(1, 6))]), depth=rng.choice([2, 3, 4, 128])
        )


@aimed_at("_run_tokens", "_run")
def elements_across_the_end_of_a_window(rng: Random) -> Drawn:
    for span in (SPAN, 4096):
        for offset in range(-16, 17):
            filler = bulk(dull(100)) * ((span - 400) // 108)
            yield filler + bulk(dull(span + offset - len(filler) - 9)) + (bulk(b"abc") + b":12345\r\n*1\r\n+x\r\n") * 5
    yield None
    while True:
        span = rng.choice([SPAN, 4096])
        unit = rng.choice(
            [bulk(dull(100)), bulk(dull(8)) * 10, b"*2\r\n:1\r\n$40\r\n%b\r\n" % dull(40), b"+" + dull(60) + b"\r\n"]
        )
        filler = unit * ((span - 600) // len(unit))
        pad = bulk(dull(span + rng.randrange(-40, 5) - len(filler) - 9))
        yield filler + pad + b"".join([element(rng, 2) for _ in range(8)])


@aimed_at("_run_tokens")
def what_must_be_looked_at_otherwise(rng: Random) -> Drawn:
    yield None
    while True:
        odd = rng.choice(
            [
                b"=5\r\ntxt:x\r\n",
                b"!1\r\nE\r\n",
                b"(5\r\n",
                b"-ERR\r\n",
                b"*?\r\n:1\r\n.\r\n",
                b"$?\r\n;1\r\nx\r\n;0\r\n",
                b"|1\r\n:1\r\n:2\r\n",
                b"%?\r\n.\r\n",
            ]
        )
        run = [rng.choice([bulk(b"x"), b":5\r\n", b"*1\r\n:1\r\n", b"%1\r\n:1\r\n:2\r\n"])] * rng.randrange(1, 12)
        yield Wire(in_or_out(rng, [*run, odd] * rng.randrange(1, 9)), nested=rng.random() < 0.5)


@aimed_at("_read_bulk", "chunks", "skip")
def bulks_that_come_in_parts(rng: Random) -> Drawn:
    for size in (0, 1, 2, VIEW - 3, VIEW - 2, VIEW - 1, VIEW, VIEW + 1, VIEW + 2, 2 * VIEW):
        for sign in b"$!=":
            yield (
                bulk((b"txt:" + dull(size))[:size] if size < 4 else b"txt:" + dull(size - 4), bytes([sign]))
                + b"+OK\r\n"
            )
    yield None
    while True:
        yield bulk(rng.choice([b"abcd", b"abc", b"txt:", b"", b"abcdefgh", b":abc:"]), b"=") + b"+OK\r\n"
        size = rng.choice(
            [rng.randrange(9), rng.randrange(60), VIEW + rng.randrange(-3, 4), 2 * VIEW + rng.randrange(9)]
        )
        data = rng.choice(
            [
                bulk(body(rng, size)),
                bulk(b"txt:" + body(rng, size), b"="),
                bulk(body(rng, size), b"!"),
                streamed_string(rng, [size, 3, size]),
            ]
        )
        data = rng.choice(
            [
                data,
                data,
                sized(b"*", [data, data]),
                attribute(rng) + data,
                data[:-2] + rng.choice([b"\n\r", b"\rx", b"x\n"]),
            ]
        )
        yield Wire(data + element(rng, 1), nested=rng.random() < 0.5)


@aimed_at("_streamed", "_read_string", "chunks", "skip")
def streamed_strings(rng: Random) -> Drawn:
    for sizes in ([1023], [1023, 1], [1023, 2], [1000, 24], [1000, 25], [1000, 23], [1023, 1023]):
        yield Wire(b":1\r\n:2\r\n" + streamed_string(rng, sizes) + b":3\r\n", bulk=SHORT)
    for wrong in (b":1\r\n", b"$1\r\nx\r\n", b";x\r\n", b";-1\r\n", b";2\r\nx\r\n", b".\r\n", b";", b";1"):
        yield b"$?\r\n" + wrong
        yield b"*2\r\n$?\r\n;1\r\na\r\n" + wrong + b";0\r\n:1\r\n"
    yield None
    while True:
        data = streamed_string(rng, [rng.choice([1, 2, 9, 310]) for _ in range(rng.randrange(5))])
        data = rng.choice([data, sized(b"*", [data, b":1\r\n"]), sized(b"%", [data, data]), attribute(rng) + data])
        yield Wire(
            rng.choice([data + element(rng, 1), spoiled(rng, data)]),
            bulk=rng.choice([1024, 512 * 1024 * 1024]),
            depth=rng.choice([1, 2, 128]),
        )


@aimed_at("attributes", "skip")
def attributes_before_anything(rng: Random) -> Drawn:
    yield None
    while True:
        parts = []
        for _ in range(rng.randrange(1, 6)):
            parts.append(b"".join([attribute(rng)] * rng.choice([0, 1, 1, 2])))
            parts.append(
                rng.choice(
                    [push(rng, 1), element(rng, 1), sized(b"*", [attribute(rng) + element(rng, 1), element(rng, 0)])]
                )
            )
        yield Wire(b"".join(parts), rng.random() < 0.4, rng.random() < 0.5, rng.choice([2, 3, 128]))


@aimed_at("streamed")
def streamed_aggregates(rng: Random) -> Drawn:
    for data in (
        b"*?\r\n.\r\n",
        b"%?\r\n.\r\n",
        b"~?\r\n.\r\n",
        b"%?\r\n:1\r\n.\r\n",
        b".\r\n",
        b"*1\r\n.\r\n",
        b"*?\r\n.x\r\n",
        b"|?\r\n.\r\n",
        b">?\r\n.\r\n",
        b"*?\r\n|0\r\n.\r\n",
        b"*?\r\n",
        b"*?\r\n.",
    ):
        yield data
        yield b"*2\r\n" + data + b":1\r\n"
    yield None
    while True:
        members = [rng.choice([element(rng, 1), push(rng, 1), element(rng, 1)]) for _ in range(rng.randrange(6))]
        yield Wire(
            rng.choice(HEADS)
            + b"?\r\n"
            + b"".join(members)
            + rng.choice([b".\r\n"] * 5 + [b".x\r\n"])
            + element(rng, 1),
            lenient=rng.random() < 0.5,
        )


@aimed_at("lines")
def long_lines(rng: Random) -> Drawn:
    for size in (65535, 65536, 65537):
        for sign in b"+-:(,#_$*":
            yield bytes([sign]) + b"1" * size + b"\r\n+OK\r\n"
        yield b"+OK\r\n+" + b"1" * size
    for size in range(SHORT * 4 - 2, SHORT * 4 + 3):
        for line in (b",1.5\r\n", b":12345\r\n", b"*1\r\n,1.5\r\n"):
            yield Wire(line * 9 + line[:-5] + b"1" * size + b"\r\n" + line, line=SHORT * 4)
    for digits in (4299, 4300, 4301):
        yield b"(" + b"1" * digits + b"\r\n"
        yield b"*2\r\n:1\r\n(-" + b"1" * digits + b"\r\n"
    yield None
    while True:
        yield rng.choice([b"+", b"-", b":", b","]) + dull(65537)
        yield Wire(
            rng.choice([b"+", b"-"]) + dull(rng.randrange(SHORT * 4 - 9, SHORT * 4 + 9)) + b"\r\n",
            bulk=SHORT * 4,
            line=SHORT,
        )
        yield Wire(
            rng.choice([b"+OK\r\n,", b",", b":0\r\n:"]) + b"1" * rng.randrange(SHORT * 4 - 9, SHORT * 4 + 9) + b"\r\n",
            line=SHORT * 4,
        )
        yield (
            rng.choice([b"+", b"-"])
            + dull(rng.choice([rng.randrange(3000), 65536]))
            + rng.choice([b"\r\n", b"\n", b"\r\r\n", b"\rx\r\n"])
            + b"+OK\r\n"
        )


@aimed_at("lines", "skip", "outline")
def long_texts_that_may_be_dropped(rng: Random) -> Drawn:
    for end in (b"\r\n", b"\n", b"\rx\r\n", b"\r\n"):
        for size in range(30_000, 60_000, 2_500):
            yield rng.choice([b"+", b"-"]) + dull(size) + end + b"+OK\r\n"
    yield None
    while True:
        texts = [
            rng.choice([b"+", b"-"]) + dull(rng.randrange(17_000, 30_000)) + rng.choice([b"\r\n"] * 5 + [b"\rx\r\n"])
            for _ in range(rng.randrange(1, 4))
        ]
        yield rng.choice([b"".join(texts), sized(b"*", texts), attribute(rng) + sized(b"*", texts)]) + b"+OK\r\n"


@aimed_at("attributes")
def attributes_whose_keys_collide(rng: Random) -> Drawn:
    keys = [b":1\r\n", b",1\r\n", b"(100000000000000000000000000\r\n"]
    for first in keys:
        for second in (b"+x\r\n", keys[2]):
            one, two = sized(b"|", [b"#t\r\n", b":1\r\n", first, b":2\r\n"]), sized(b"|", [second, b":3\r\n"])
            if first != second:
                yield one + two + b":1\r\n"
                yield Wire(b"*1\r\n" + two + one + b"+OK\r\n", nested=True)
    yield None
    while True:
        chosen = rng.sample(keys, 2)
        yield Wire(sized(b"|", [chosen[0], scalar(rng)]) + sized(b"|", [b"+x\r\n", scalar(rng)]) + element(rng, 1))


@aimed_at("limits")
def limits_on_digits(rng: Random) -> Drawn:
    for digits in (639, 640, 641, 4300):
        yield Wire(b"(" + b"1" * digits + b"\r\n:1\r\n", digits=640)
    yield None
    while True:
        yield Wire(b"(-" + b"1" * rng.randrange(630, 650) + b"\r\n" + scalar(rng), digits=640)


@aimed_at("limits")
def limits_on_elements(rng: Random) -> Drawn:
    for count in (SHORT * 2, SHORT * 2 + 2):
        for sign in (b"*", b"%", b"~"):
            yield Wire(b"%b%d\r\n" % (sign, count // (1 + (sign == b"%"))) + b"+x\r\n" * count, elements=2 * SHORT)
            yield Wire(b"%b?\r\n" % sign + b"+x\r\n" * count + b".\r\n", elements=2 * SHORT)
    yield None
    while True:
        sign, count = rng.choice([b"*", b"%", b"~", b"|", b">"]), SHORT * rng.choice([1, 2]) + rng.randrange(-2, 3)
        yield Wire(b"%b%d\r\n" % (sign, count) + b"+x\r\n" * rng.randrange(9), elements=2 * SHORT)


@aimed_at("limits")
def limits_on_size(rng: Random) -> Drawn:
    for size in range(SPAN - 2, SPAN + 4):
        yield Wire(sized(b"*", [bulk(dull(size - 95)), *[b":1\r\n"] * 20]) + b"+OK\r\n" * 9, reply=SPAN)
    for size in range(SPAN - 30, SPAN + 8, 3):
        yield Wire(sized(b"*", [bulk(dull(size - 16)), b":1\r\n"]) + b"+OK\r\n", reply=SPAN)
        yield Wire(b"*2\r\n" + bulk(dull(100)) + b"*1\r\n" + bulk(dull(size - 130)) + b"+OK\r\n", reply=SPAN)
    yield None
    while True:
        members = [
            rng.choice([bulk(dull(rng.randrange(3000))), element(rng, 1)]) for _ in range(rng.randrange(60, 110))
        ]
        yield Wire(in_or_out(rng, members), reply=SPAN, line=rng.choice([SHORT, SHORT + 1, 65536]))


@aimed_at("_run_tokens", "_run")
def what_is_wrong_anywhere(rng: Random) -> Drawn:
    for wrong in WRONG:
        for lead in (
            b"",
            b"+OK\r\n",
            b"*3\r\n:1\r\n",
            b"%1\r\n",
            b"$3\r\nabc\r\n" * 8,
            b"*1\r\n:1\r\n" * 8,
            b"|1\r\n:1\r\n:1\r\n",
            b"*?\r\n",
        ):
            yield lead + wrong + b"\r\n"
            yield lead + wrong + b"\r\n" + b":1\r\n" * 8
    yield None
    while True:
        parts = [element(rng, 2) for _ in range(rng.randrange(1, 7))]
        yield Wire(spoiled(rng, b"".join(parts)), rng.random() < 0.5, rng.random() < 0.5)


def requests(rng: Random) -> Iterator[bytes]:
    """Commands as a server reads them, in arrays and in lines."""
    words = [b"GET", b"k", b"", b"x" * 300, b"\r\n", b"*1\r\n", b'"', b"a b", b"\0", b"$1\r\nx", b"y" * 20000]
    pieces = [
        b"GET",
        b" ",
        b"  ",
        b"\t",
        b'"',
        b"'",
        b"\\",
        b"\\x41",
        b"\\n",
        b"\\q",
        b"\\'",
        b"\v",
        b"a",
        b"\0",
        b"\r",
        b"\xff",
    ]
    headers = [
        b"*",
        b"*x",
        b"*-1",
        b"*-2",
        b"*0",
        b"*01",
        b"*1",
        b"*1048576",
        b"*1048577",
        b"*2",
        b"*" + b"1" * 30,
        b"$1",
    ]
    bulks = [
        b"$1\r\nx\r\n",
        b"$-1\r\n",
        b"$x\r\n",
        b"$1\nx\r\n",
        b"$1\r\nxy\n",
        b"$0\r\n\r\n",
        b":1\r\n",
        b"$536870913\r\n",
        b"\n",
    ]
    for header in headers:
        for end in (b"\r\n", b"\n", b"", b"\r"):
            yield header + end
            yield header + end + bulks[0] * 2
    for one in bulks:
        yield b"*2\r\n" + one * 2
    for piece in pieces:
        yield b"GET " + piece + b"\r\n"
        yield b'"' + piece + b'" ' + piece + b"\r\n"
        yield b"'" + piece + b"'" + piece + b"\n"
    for size in range(994, 1004):
        for end in (b"\r\n", b"\n", b""):
            yield b"x" * size + end
            yield b"PING\r\n" + b"x" * size + end
    while True:
        parts: list[bytes] = []
        for _ in range(rng.randrange(1, 5)):
            if rng.random() < 0.6:
                parts.append(sized(b"*", [bulk(rng.choice(words)) for _ in range(rng.randrange(4))]))
            elif rng.random() < 0.5:
                parts.append(b"".join(rng.choices(pieces, k=rng.randrange(9))) + rng.choice([b"\r\n", b"\n"]))
            else:
                parts.append(rng.choice(headers) + b"\r\n" + b"".join(rng.choices(bulks, k=rng.randrange(3))))
        data = b"".join(parts)
        yield rng.choice([data, data, spoiled(rng, data), data[: rng.randrange(len(data) + 1)]])


def draw(name: str, rng: Random, number: int) -> Iterator[Wire]:
    """Draw `number` of a generator's fixed streams, if it has so many, and as many at random."""
    made = GENERATORS[name].make(rng)
    fixed = list(takewhile(lambda drawn: drawn is not None, made))
    if len(fixed) > number:
        fixed = rng.sample(fixed, number)
    for drawn in chain(fixed, islice(made, number)):
        assert drawn is not None
        yield drawn if isinstance(drawn, Wire) else Wire(drawn)
