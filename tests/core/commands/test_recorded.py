"""What commands of modules return for replies that a server gave, and for hostile ones."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final

import pytest

from adapters.typed.families import exact
from core.commands.recorded import GROUPS, Case, Like, cases, read_recording, steps_of
from resp_sansio import ReplyError, UnexpectedReplyError, Verbatim, commands
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.wire import CommandParser, encode_command

CASES: Final = [
    pytest.param(case, id=f"{group}-{number}-{case.command.info.name}")
    for group in GROUPS
    for number, case in enumerate(cases(group))
]


def deep(depth: int = 20_000) -> Any:
    """A list in a list in a list."""
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


BINARY: Final = {"BF.SCANDUMP", "CF.SCANDUMP"}
"""What returns data that is never text."""

HOSTILE: Final[list[Any]] = [
    None, "", "QUEUED", -1, 2**70, 1.5, float("nan"), True, b"", b"\xff", b"[", b"[" * 9999, b"[1,]", b"9" * 5000,
    b"[" + b"9" * 5000 + b"]", b"[1_0]", b"[nan]", b"1e9999", [], [None], [[]], [b"a", b"b", b"c"], {}, {b"a": 1},
    {1: b"a"}, {"a": {"b": []}}, {b"x"}, set(), ReplyError("ERR nested"), Verbatim(b"v", "txt"), deep(),
]  # fmt: skip


def in_text(value: Any) -> Any:
    """The same value with text in place of data."""
    match value:
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case dict():
            return {in_text(key): in_text(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_fields"):
            return type(value)(*map(in_text, value))
        case list() | tuple() | set():
            return type(value)(map(in_text, value))
        case _:
            return value


def spoiled(reply: Any, strange: Any) -> Any:
    """Each reply that differs from this one in having `strange` in one place, or one element more or less."""
    yield strange
    if isinstance(reply, list):
        yield [*reply, strange]
        yield reply[:-1]
        for at, item in enumerate(reply):
            for other in spoiled(item, strange):
                yield [*reply[:at], other, *reply[at + 1 :]]
    elif isinstance(reply, dict):
        for key, item in reply.items():
            yield {name: part for name, part in reply.items() if name is not key}
            for other in spoiled(item, strange):
                yield {**reply, key: other}


def test_every_recorded_builder_is_in_the_recording_of_its_group() -> None:
    for name in {*dir(commands)} - {"text"}:
        group = getattr(commands, name).__module__.rpartition(".")[2]
        assert group not in GROUPS or re.search(rf"\bcommands\.{name}\(", GROUPS[group]), name


@pytest.mark.parametrize("group", GROUPS)
def test_the_recording_is_of_these_commands(group: str) -> None:
    for (command, _), said in zip(steps_of(group), read_recording(group), strict=True):
        data = encode_command(command.args)
        assert CommandParser().feed(data if isinstance(data, bytes) else b"".join(data)) == [said.words], (
            "run tests/record_replies.py"
        )


@pytest.mark.parametrize("case", CASES)
def test_both_protocols_give_one_value(case: Case) -> None:
    for reply in case.replies:
        found = case.command.read(reply, RAW)
        if isinstance(case.expected, Like):
            assert type(found) is case.expected.kind
            assert case.expected.holds(found)
        else:
            assert exact(found) == exact(case.expected)


@pytest.mark.parametrize("case", CASES)
def test_data_is_text_where_it_is_asked_for(case: Case) -> None:
    for reply in case.replies:
        read: Any = case.command.read
        wanted = read(reply, RAW) if case.command.info.name in BINARY else in_text(read(reply, RAW))
        assert exact(read(reply, decoded("utf-8", "surrogateescape"))) == exact(wanted)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_reply_raises_nothing_else(case: Case) -> None:
    for reply in case.replies:
        for number, strange in enumerate(HOSTILE):
            others = [*spoiled(reply, strange)]
            step = len(others) // 40 + 1  # of a long reply not every place with everything that is strange
            for other in others[number % step :: step]:
                with contextlib.suppress(UnexpectedReplyError):
                    case.command.read(other, RAW)


def test_fields_that_are_the_same_as_text_are_not_shortened_to_one() -> None:
    read: Any = commands.ft_search("i", "q").read
    with pytest.raises(UnexpectedReplyError, match="two keys are the same as text"):
        read([1, b"d", [b"\xff", b"1", b"\xfe", b"2"]], decoded("ascii", "replace"))
