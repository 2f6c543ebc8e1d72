"""What parsing and encoding cost, as ratios to hiredis, in one process: `python tests/benchmarks/parse_bench.py`.

Both sides get the same input in fresh `bytes` objects (a bytes object caches its hash), 64 KiB at a time where nothing else is said
(hiredis slows down on larger feeds), and take turns round by round, so that a slow moment of the machine hits both. Per side:
nanoseconds per reply, element or field, the fastest round and the median of all. The ratio is that of the fastest rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import hiredis

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from resp_sansio.wire.encoder import encode_command
from resp_sansio.wire.parser import Parser

KIB = 1024
MIB = 1024 * KIB
PACK: Callable[..., object] = hiredis.pack_command  # its stub knows tuples of one only


@dataclass(frozen=True)
class Workload:
    """What one side reads: a stream, in how large feeds, and how many units the time is divided by."""

    name: str
    stream: bytes
    units: int
    feed: int = 64 * KIB
    target: float | None = None
    feeds: tuple[bytes, ...] = ()

    def input(self) -> list[bytes]:
        """Return fresh objects to feed."""
        if self.feeds:
            return [bytes(bytearray(data)) for data in self.feeds]
        return [bytes(bytearray(self.stream[at : at + self.feed])) for at in range(0, len(self.stream), self.feed)]


def bulk(data: bytes) -> bytes:
    """Return `data` as a bulk string."""
    return b"$%d\r\n%b\r\n" % (len(data), data)


def text(source: random.Random, length: int) -> bytes:
    """Return random letters."""
    return bytes(source.choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=length))


def workloads() -> Iterator[Workload]:
    """Yield what is measured; targets are for CPython 3.11."""
    source = random.Random(1)
    many, some = 10_000, 1000
    yield Workload("64 B bulks", b"".join(bulk(text(source, 64)) for _ in range(many)), many, target=1.6)
    yield Workload(":1", b":1\r\n" * many, many, target=1.0)
    yield Workload("small ints", b"".join(b":%d\r\n" % source.randrange(100) for _ in range(many)), many, target=1.0)
    yield Workload("7-digit ints", b"".join(b":%d\r\n" % source.randrange(10**6, 10**7) for _ in range(many)), many)
    yield Workload("+OK", b"+OK\r\n" * many, many, target=1.0)
    mixed = [
        part
        for _ in range(many // 5)
        for part in (
            b"+OK\r\n",
            b":7\r\n",
            bulk(text(source, 16)),
            b"$-1\r\n",
            b":%d\r\n" % source.randrange(10**12, 10**13),
        )
    ]
    yield Workload("mixed", b"".join(mixed), many, target=3.2)
    random_mix = mixed.copy()
    source.shuffle(random_mix)
    yield Workload("mixed, shuffled", b"".join(random_mix), many)
    members = b"".join(bulk(text(source, 32)) for _ in range(many))
    yield Workload("one 10k array of 32 B", b"*%d\r\n" % many + members, many, target=6)
    yield Workload("the same, 1 KiB feeds", b"*%d\r\n" % many + members, many, feed=KIB)
    varying = b"".join(bulk(text(source, source.randrange(5, 40))) for _ in range(many))
    yield Workload("one 10k array of 5-40 B", b"*%d\r\n" % many + varying, many)
    holes = b"".join(bulk(text(source, 32)) + b"$-1\r\n" for _ in range(many // 2))
    yield Workload("array, every 2nd null", b"*%d\r\n" % many + holes, many)
    yield Workload("array of ints", b"*%d\r\n" % many + b":12345\r\n" * many, many)
    entries = b"".join(
        b"*2\r\n" + bulk(b"1526919030%03d-0" % n) + b"*4\r\n" + b"".join(bulk(text(source, 8)) for _ in range(4))
        for n in range(some)
    )
    yield Workload("XRANGE, 1000 entries", b"*%d\r\n" % some + entries, some, target=4)
    uneven = b"".join(
        b"*2\r\n"
        + bulk(b"1526919030%03d-0" % n)
        + b"*4\r\n"
        + b"".join(bulk(text(source, 4 + n % 9)) for _ in range(4))
        for n in range(some)
    )
    yield Workload("XRANGE, uneven values", b"*%d\r\n" % some + uneven, some)
    scores = b"".join(b"*2\r\n" + bulk(text(source, 10)) + b",%d.5\r\n" % n for n in range(some))
    yield Workload("[member, double] x 1000", b"*%d\r\n" % some + scores, some)
    fields = b"".join(bulk(b"field:%05d" % n) + bulk(text(source, 32)) for n in range(many))
    yield Workload("RESP3 map, 10k fields", b"%%%d\r\n" % many + fields, many, target=1.3)
    small_map = b"%5\r\n" + b"".join(bulk(b"field:%d" % n) + bulk(text(source, 10)) for n in range(5))
    yield Workload("maps of 5, pipelined", small_map * some, some)
    small_list = b"*5\r\n" + b"".join(bulk(text(source, 10)) for n in range(5))
    yield Workload("arrays of 5, pipelined", small_list * some, some)
    yield Workload("4 KiB bulks", b"".join(bulk(source.randbytes(4 * KIB)) for _ in range(some)), some)
    lines = [b"".join(source.randbytes(20).replace(b"\n", b" ") + b"\r\n" for _ in range(50)) for _ in range(some)]
    yield Workload("1.1 KB bulks full of CRLF", b"".join(map(bulk, lines)), some)
    short = [b"".join(text(source, 6) + b"\r\n" for _ in range(8)) for _ in range(many)]
    yield Workload("64 B bulks full of CRLF", b"".join(map(bulk, short)), many)
    yield Workload("one +OK per feed", b"", some, feeds=(b"+OK\r\n",) * some, target=1.8)
    yield Workload("one :1 per feed", b"", some, feeds=(b":1\r\n",) * some, target=1.8)
    yield Workload("one 7-digit int per feed", b"", some, feeds=(b":1234567\r\n",) * some, target=1.8)
    yield Workload("one $64 per feed", b"", some, feeds=tuple(bulk(text(source, 64)) for _ in range(some)), target=1.8)
    yield Workload("one $1000 per feed", b"", some, feeds=tuple(bulk(text(source, 1000)) for _ in range(some)))
    pairs = tuple(b"*2\r\n" + bulk(text(source, 16)) + bulk(text(source, 16)) for _ in range(some))
    yield Workload("one *2 per feed", b"", some, feeds=pairs, target=2.6)
    push = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
    yield Workload("one message push per feed", b"", some, feeds=(push,) * some)
    for size in (1, 16, 64):
        data = source.randbytes(size * MIB)
        for feed in (256 * KIB, MIB):
            yield Workload(f"{size} MiB bulk, {feed // KIB} KiB feeds", bulk(data), 1, feed=feed, target=1.0)


def ours(data: Sequence[bytes]) -> int:
    """Parse with this library; return how many replies there were."""
    feed = Parser().feed
    return sum([len(feed(part)) for part in data])


def theirs(data: Sequence[bytes]) -> int:
    """Parse with hiredis."""
    nothing = object()
    reader = hiredis.Reader(notEnoughData=nothing)
    feed, gets = reader.feed, reader.gets
    count = 0
    for part in data:
        feed(part)
        values = []
        while (value := gets()) is not nothing:
            values.append(value)
        count += len(values)
    return count


def encoders() -> Iterator[tuple[str, tuple[str | bytes, ...], float | None]]:
    """Yield commands to encode."""
    source = random.Random(2)
    yield "GET", ("GET", "key:000042"), 1.5
    yield "SET 64 B", ("SET", "key:000042", text(source, 64)), 1.5
    yield "SET 64 B EX", ("SET", "key:000042", text(source, 64), "EX", "60"), None
    yield (
        "HSET 10 fields",
        ("HSET", "key", *[part for n in range(10) for part in (f"field{n}", text(source, 12))]),
        None,
    )
    yield "MGET 100", ("MGET", *[f"key:{n:06}" for n in range(100)]), None


def clock(run: Callable[[], object]) -> float:
    """Return how many nanoseconds `run` takes."""
    gc.collect()
    gc.disable()
    begin = time.perf_counter_ns()
    run()
    taken = time.perf_counter_ns() - begin
    gc.enable()
    return taken


def compare(sides: Sequence[Callable[[], Callable[[], object]]], rounds: int, units: int) -> list[list[float]]:
    """Return the times per unit of each side, one per round; `side()` prepares fresh input outside the clock."""
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for taken, side in zip(times, sides, strict=True):
            taken.append(clock(side()) / units)
    return times


def row(name: str, times: list[list[float]], target: float | None) -> dict[str, object]:
    """Return one line of the table."""
    (our, their) = times
    return {
        "name": name,
        "ns": min(our),
        "ns_median": statistics.median(our),
        "hiredis_ns": min(their),
        "hiredis_ns_median": statistics.median(their),
        "ratio": min(our) / min(their),
        "ratio_median": statistics.median(our) / statistics.median(their),
        "target": target,
    }


def measure(rounds: int, only: str) -> Iterator[dict[str, object]]:
    """Yield the rows."""
    for load in workloads():
        if only not in load.name:
            continue
        if ours(load.input()) != theirs(load.input()):
            raise SystemExit(f"{load.name}: not the same number of replies")

        def prepare(side: Callable[[Sequence[bytes]], int], load: Workload = load) -> Callable[[], object]:
            data = load.input()
            return lambda: side(data)

        turns = max(5, rounds // 5) if len(load.stream) > 8 * MIB else rounds
        yield row(load.name, compare([lambda: prepare(ours), lambda: prepare(theirs)], turns, load.units), load.target)
    for name, args, target in encoders():
        if only not in "encode " + name:
            continue
        assert encode_command(args) == PACK(args)

        def many(encode: Callable[..., object], args: tuple[str | bytes, ...] = args) -> Callable[[], object]:
            return lambda: [encode(args) for _ in range(2000)]

        times = compare([lambda: many(encode_command), lambda: many(PACK)], rounds, 2000)
        yield row("encode " + name, times, target)


def main() -> None:
    """Measure, print the table, and write it as JSON if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--only", default="", help="measure only what has this in its name")
    options.add_argument("--json", type=Path, help="write the rows to this file, too")
    chosen = options.parse_args()
    print(f"CPython {platform.python_version()}, hiredis {hiredis.__version__}, {chosen.rounds} rounds")
    print(f"{'':32} {'ns':>12} {'median':>12} {'hiredis':>12} {'median':>12} {'ratio':>7} {'median':>7}  target")
    rows = []
    for line in measure(chosen.rounds, chosen.only):
        rows.append(line)
        target = "" if line["target"] is None else f"{line['target']:.1f}"
        missed = "  missed" if line["target"] is not None and line["ratio"] > line["target"] else ""  # type: ignore[operator]
        print(
            f"{line['name']:32} {line['ns']:12.1f} {line['ns_median']:12.1f} {line['hiredis_ns']:12.1f} "
            f"{line['hiredis_ns_median']:12.1f} {line['ratio']:7.2f} {line['ratio_median']:7.2f}  {target:>6}{missed}",
            flush=True,
        )
    if chosen.json:
        document = {"python": platform.python_version(), "hiredis": hiredis.__version__, "rows": rows}
        chosen.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
