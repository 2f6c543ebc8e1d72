"""Lines of MONITOR: what a server has written is read back, whatever the words and the path of its socket are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import MonitorLine, Push, UnexpectedReplyError
from resp_sansio.client import read_monitor_line
from resp_sansio.client.monitor import line_of
from resp_sansio.commands.decoding import RAW, decoded

TEXT = decoded("utf-8")
NAMED = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}


def quoted(word: bytes) -> str:
    """As Redis' own sdscatrepr() writes it."""
    shown = (NAMED.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in word)
    return f'"{"".join(shown)}"'


def written(line: MonitorLine[bytes]) -> bytes:
    """As a server writes it."""
    words = " ".join(map(quoted, line.words))
    return f"{line.time:.6f} [{line.database} {line.address}] {words}".encode("utf-8", "surrogateescape")


ADDRESSES = st.one_of(
    st.sampled_from(["lua", "127.0.0.1:60866", "[::1]:43220"]),
    st.text(st.characters(codec="ascii"), max_size=100).map("unix:{}".format),
)
WORDS = st.lists(st.binary(max_size=20), min_size=1).map(tuple[bytes, ...])


@given(st.integers(0, 4 * 10**15).map(lambda micros: micros / 10**6), st.integers(0, 10**9), ADDRESSES, WORDS)
def test_a_line_is_read_back(time: float, database: int, address: str, words: tuple[bytes, ...]) -> None:
    line = MonitorLine(time, database, address.partition('] "')[0], words)
    assert read_monitor_line(written(line)) == line


def test_a_path_may_look_like_the_beginning_of_the_words() -> None:
    line = MonitorLine(1.5, 0, 'unix:/tmp/a] "b"] "c.sock', (b"GET", b'] "'))
    assert read_monitor_line(written(line)) == line


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"OK",
        b"PONG",
        b'1.5 [0 lua] "GET',
        b'1.5 [0 lua] "GET"x',
        b"1.5 [0 lua] ",
        b"1.5 [0 lua] GET",
        b'1.5 [x lua] "GET"',
        b'1 [0 lua] "GET"',
        b'1.5 [0 ' + b"x" * 200 + b'] "GET"',
        b'1.5 [0 ' + b'] "' * 100_000,
        b"9" * 100_000 + b'.5 [0 lua] "GET"',
    ],
)  # fmt: skip
def test_what_is_no_line_is_none(other: bytes) -> None:
    assert read_monitor_line(other) is None


def test_the_words_come_as_text_where_that_is_asked_for() -> None:
    push = Push("monitor", ('1.5 [3 lua] "SET" "k" "\\xc3\\xa9"',))
    assert line_of(push, RAW) == MonitorLine(1.5, 3, "lua", (b"SET", b"k", b"\xc3\xa9"))
    assert line_of(push, TEXT) == MonitorLine(1.5, 3, "lua", ("SET", "k", "é"))


def test_words_that_are_no_text_are_not_shown() -> None:
    with pytest.raises(UnexpectedReplyError, match=r"^MONITOR: the data is no utf-8 text; ask for bytes") as caught:
        line_of(Push("monitor", ('1.5 [3 lua] "SET" "\\xffsecret"',)), TEXT)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("push", [Push("monitor", ("secret",)), Push("monitor", (b"secret",)), Push("other", ())])
def test_a_push_that_is_no_line_is_not_shown(push: Push) -> None:
    with pytest.raises(UnexpectedReplyError, match="^MONITOR: what came is no line that tells of a command$"):
        line_of(push, RAW)
