"""Which replies may be kept, and which keys a command may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.commands.caching import CACHEABLE, EVERYTHING, keys_of, keys_touched, sent_words
from resp_sansio.commands.knowledge import command_info
from resp_sansio.commands.table import TABLE
from resp_sansio.wire import encode_command

if TYPE_CHECKING:
    from resp_sansio.wire import Argument


@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(32 * 1024, 32 * 1024 + 3).map(bytes)), max_size=6))
def test_what_was_encoded_is_read_back(arguments: list[bytes]) -> None:
    assert sent_words(encode_command(("CONFIG SET", *arguments))) == [b"CONFIG", b"SET", *arguments]
    encoded = encode_command(("ECHO", *arguments))
    if isinstance(encoded, bytes):
        assert sent_words(encoded + b"*1\r\n$4\r\nPING\r\n") == [b"ECHO", *arguments]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("SET", "k", b"x" * 40_000), [b"k"]),
        (("MSET", "a", b"x" * 40_000, "b", b"y" * 40_000), [b"a", b"b"]),
        (("mset", "a", "1", "b", "2"), [b"a", b"b"]),
        (("DEL", "a", "b"), [b"a", b"b"]),
        (("RENAME", "a", "b"), [b"a", b"b"]),
        (("XGROUP CREATE", "s", "g", "$"), [b"s"]),
        (("SORT", "k", "STORE", "other"), [b"k", b"other"]),
        (("EVAL", "return 1", 2, "a", "b", "c"), [b"a", b"b"]),
        (("SET", 5, 1.5), [b"5"]),
        (("GET", "k"), []),
        (("PUBLISH", "channel", "message"), []),
        (("MULTI",), []),
        (("CONFIG", "SET", "maxmemory", "1"), []),
        (("MODULES.OWN", "a", "b"), [b"a", b"b"]),
        (("GETDEL", "k"), [b"k"]),
    ],
)
def test_a_command_touches_its_keys(words: tuple[Argument, ...], keys: list[bytes]) -> None:
    assert [*keys_touched(encode_command(words), command_info(words))] == keys  # type: ignore[misc]


@pytest.mark.parametrize(
    "words",
    [
        ("FLUSHALL",),
        ("FLUSHDB", "ASYNC"),
        ("SWAPDB", "0", "1"),
        ("EVAL", "return 1", "0"),
        ("EVALSHA", "sha", 0),
        ("FCALL", "f", "0"),
        ("DEBUG", "RELOAD"),
        ("REPLICAOF", "NO", "ONE"),
    ],
)
def test_what_names_no_key_may_touch_all(words: tuple[Argument, ...]) -> None:
    assert keys_touched(encode_command(words), command_info(words)) is EVERYTHING


def test_what_may_be_kept_is_read_only_and_has_keys() -> None:
    assert all(TABLE[name].startswith("r") and TABLE[name].split()[1] not in "-?" for name in CACHEABLE)
    assert {"TTL", "OBJECT IDLETIME", "SRANDMEMBER", "RANDOMKEY", "SORT_RO", "XREAD", "SCAN"}.isdisjoint(CACHEABLE)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("GET", "ä\udcff"), ["ä\udcff".encode("utf-8", "surrogateescape")]),
        (("GET", b"k"), [b"k"]),
        (("get", "k"), [b"k"]),
        (("GET", bytearray(b"k")), [b"k"]),
        (("GET", 7), [b"7"]),
        (("GET",), []),
        (("MGET", "a", 1), [b"a", b"1"]),
        (("SINTERCARD", 2, "a", "b"), [b"a", b"b"]),
    ],
)
def test_the_keys_that_are_read_are_as_they_are_sent(words: tuple[Argument, ...], keys: list[bytes]) -> None:
    assert keys_of(words, command_info(words)) == keys
