"""A parser reads bulks of 1 MiB in parts, one after another: how many pages of memory each takes anew of the system is printed."""

import resource

from resp_sansio.wire import Parser

SIZE = 1 << 20
PART = memoryview(bytes(120 * 1024))
REPLIES = 50


def read(parser: Parser) -> None:
    parser.feed(b"$%d\r\n" % SIZE)
    for at in range(0, SIZE, len(PART)):
        parser.feed(bytes(PART[: SIZE - at]))
    (reply,) = parser.feed(b"\r\n")
    assert isinstance(reply, bytes)
    assert len(reply) == SIZE


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


parser = Parser()
for _ in range(3):
    read(parser)
before = faults()
for _ in range(REPLIES):
    read(parser)
print((faults() - before) // REPLIES)
