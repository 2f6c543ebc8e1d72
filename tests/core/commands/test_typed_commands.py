"""`resp_sansio.commands`: what each builder sends, what it refuses, and that it reads with what its type promises."""

from __future__ import annotations

import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest

import generate_methods
from core.commands.rows import GROUPS, REFUSED, SENT
from resp_sansio import Command, commands
from resp_sansio.commands.decoding import RAW
from resp_sansio.connection import as_it_came
from resp_sansio.wire import CommandParser, encode_command

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(("command", "words"), SENT, ids=[words for _, words in SENT])
def test_a_builder_sends_these_words(command: Command[Any], words: str) -> None:
    encoded = encode_command(command.args)
    assert isinstance(encoded, bytes)
    assert CommandParser().feed(encoded) == [[word.encode() for word in words.split(" ")]]


def test_every_group_has_its_rows() -> None:
    assert sorted(GROUPS) == sorted(generate_methods.GROUPS)


@pytest.mark.parametrize("name", sorted({*dir(commands)} - {"text"}))
def test_every_builder_is_in_the_rows_of_its_group(name: str) -> None:
    group = getattr(commands, name).__module__.rpartition(".")[2]
    assert re.search(rf"\(\s*commands\.{name}\(", GROUPS[group])


@pytest.mark.parametrize(("command", "_words"), SENT, ids=[words for _, words in SENT])
def test_no_result_depends_on_whether_text_is_asked_for(command: Command[Any], _words: str) -> None:
    assert command.read is not as_it_came  # whose replies become text
    assert pickle.loads(pickle.dumps(command)).read is command.read


@pytest.mark.parametrize(("build", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_excludes_each_other_is_refused_by_name(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_text_is_the_same_command_with_another_result() -> None:
    command = commands.get("k")
    text = commands.text(command)
    assert text == command
    assert (text.info.name, text.info.retryable) == ("GET", True)
    assert [text.read(reply, RAW) for reply in (b"\xc3\xa9", None)] == ["é", None]
    assert pickle.loads(pickle.dumps(text)).read(b"v", RAW) == "v"
    assert commands.text(commands.zrange_withscores("z", 0, 1)).read([b"m", b"1"], RAW) == [("m", 1.0)]


def test_text_raises_for_other_bytes_or_does_with_them_as_it_is_told() -> None:
    with pytest.raises(UnicodeDecodeError):
        commands.text(commands.get("k")).read(b"\xff", RAW)
    assert commands.text(commands.get("k"), errors="surrogateescape").read(b"\xff", RAW) == "\udcff"


def test_text_keeps_what_was_said_of_a_command() -> None:
    own = Command("MY.LOOKUP", "k", read=commands.get("k").read, readonly=True)
    assert commands.text(own).info.retryable
