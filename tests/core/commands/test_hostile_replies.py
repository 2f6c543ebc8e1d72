"""Replies that a server sends to do harm, to each reader of all builders: they raise `UnexpectedReplyError`, and do so soon.

No time is measured here: what took quadratic time would not end before the test's own limit.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

import pytest

from core.commands.recorded import GROUPS, cases
from core.commands.recordings.time_series import SAID
from core.commands.rows import SENT
from resp_sansio import UnexpectedReplyError
from resp_sansio.commands import readers, readers_cluster, readers_pubsub, readers_search, readers_time_series
from resp_sansio.commands.command import Reader
from resp_sansio.commands.decoding import RAW, decoded

TYPED: Final[list[Reader[Any, Any]]] = [*dict.fromkeys(command.read for command, _ in SENT)]
BLURRED: Final = decoded("ascii", "replace")

DIGITS: Final = b"9" * 5000


def deep(step: Any, depth: int = 3000) -> Any:
    """A reply in a reply in a reply, as `step` puts one into another."""
    found: Any = []
    for _ in range(depth):
        found = step(found)
    return found


DEEP: Final[dict[str, Any]] = {
    "arrays": deep(lambda inner: [inner]),
    "pairs": deep(lambda inner: [b"a", inner]),
    "maps": deep(lambda inner: {b"a": inner}),
    "subcommands": [deep(lambda inner: [b"a", 1, [], 0, 0, 0, [], [], [], [inner] if inner else []])],
    "specifications": [[b"a", 1, [], 0, 0, 0, [], [], [{b"begin_search": {b"new": deep(lambda inner: [inner])}}]]],
    "docs of subcommands": {b"a": deep(lambda inner: {b"subcommands": {b"a": inner}})},
    "docs of arguments": {b"a": deep(lambda inner: {b"arguments": [inner]})},
    "docs of arguments in turn": [b"a", deep(lambda inner: [b"arguments", [inner]])],
}
LONG: Final[dict[str, Any]] = {
    "digits": DIGITS,
    "a version": {b"a": {b"history": [[b"7." + DIGITS, b"it grew"]]}},
    "digits in a line": b"a:" + DIGITS,
    "lines of one name": b"a:twenty letters or so\r\n" * 500_000,
    "a line about a node": b"a " + b":1," * 100_000,
    "a name of a node": b"a h:1," + b"a" * 300_000,
    "words": b" a" * 100_000,
    "parts of names": {b"aB-" * 100_000: 1},
}


@pytest.mark.parametrize("read", TYPED, ids=lambda read: getattr(read, "__name__", "reader"))
@pytest.mark.parametrize("reply", [*DEEP.values(), *LONG.values()], ids=[*DEEP, *LONG])
def test_what_is_deep_or_long_is_read_or_refused(read: Reader[Any, Any], reply: Any) -> None:
    with contextlib.suppress(UnexpectedReplyError):
        read(reply, RAW)


@pytest.mark.parametrize("number", [b"1_0", b"1_0.5", "1_0"])
def test_what_only_python_reads_as_a_number_is_none(number: Any) -> None:
    for read, reply in (
        (readers.number, number),
        (readers.scored, [b"a", number]),
        (readers_time_series.sample, [5, number]),
    ):
        with pytest.raises(UnexpectedReplyError):
            read(reply, RAW)


def changed(reply: Any, old: bytes, new: bytes) -> Any:
    """The reply with other data in place of some."""
    match reply:
        case bytes():
            return new if reply == old else reply
        case list():
            return [changed(part, old, new) for part in reply]
        case dict():
            return {changed(key, old, new): changed(part, old, new) for key, part in reply.items()}
        case _:
            return reply


def keys_in(result: Any) -> list[list[bytes]]:
    """Of each map in a result that has data for keys, these keys."""
    match result:
        case dict():
            own = [[*result]] if len(result) > 1 and all(type(key) is bytes for key in result) else []
            return own + [found for part in result.values() for found in keys_in(part)]
        case list() | tuple():
            return [found for part in result for found in keys_in(part)]
        case _:
            return []


def test_no_key_of_a_recorded_reply_is_lost_where_two_are_the_same_as_text() -> None:
    tried = set()
    for case in (case for group in GROUPS for case in cases(group)):
        read: Any = case.command.read
        for reply in case.replies:
            for one, other, *_ in keys_in(case.expected):
                harmful = changed(changed(reply, one, b"\xff"), other, b"\xfe")
                with pytest.raises(UnexpectedReplyError, match="the same as text"):
                    read(harmful, BLURRED)
                tried.add(case.command.info.name)
    assert {"FT.AGGREGATE", "FT.HYBRID", "FT.SEARCH", "TS.MGET", "TS.MRANGE"} <= tried


@pytest.mark.parametrize(
    ("read", "reply"),
    [
        (readers_pubsub.counts, [b"\xff", 1, b"\xfe", 2]),
        (readers_search.synonyms, {b"\xff": [b"g"], b"\xfe": [b"h"]}),
        (readers_time_series.last_samples, [[b"\xff", [], []], [b"\xfe", [], []]]),
        (readers_time_series.last_samples, {b"k": [{b"\xff": b"1", b"\xfe": b"2"}, []]}),
        (readers_time_series.many_series, [[b"\xff", [], []], [b"\xfe", [], []]]),
        (readers_time_series.many_aggregates, [[b"\xff", [], []], [b"\xfe", [], []]]),
        (readers_time_series.time_series, {**SAID, "rules": [[b"\xff", 1, "AVG", 0], [b"\xfe", 1, "AVG", 0]]}),
    ],
)
def test_no_key_is_lost_where_two_are_the_same_as_text(read: Reader[Any, Any], reply: Any) -> None:
    read(reply, RAW)
    with pytest.raises(UnexpectedReplyError, match="two keys are the same as text"):
        read(reply, BLURRED)


def test_what_a_node_says_of_where_it_is() -> None:
    line = b"a ::1:7000@17000,name,,tls-port=0,shard-id=b master - 0 0 1 connected 0-5\n"
    (node,) = readers_cluster.nodes_text(line)
    assert (node.host, node.port, node.bus_port, node.hostname) == ("::1", 7000, 17000, "name")
