"""What a type checker knows of commands. Never run: mypy --strict reads it, and an ignore that is not needed fails."""

from __future__ import annotations

from typing import assert_type

from resp_sansio.commands.command import Command
from resp_sansio.commands.decoding import RAW, Text
from resp_sansio.commands.knowledge import CommandInfo, Needs, Replies, command_info, prepare, redact
from resp_sansio.wire.encoder import Argument
from resp_sansio.wire.values import Reply


def a_command_without_a_reader_is_untyped() -> None:
    assert_type(Command("GET", "k"), Command[Reply])
    assert_type(Command("GET", b"k", 1, 1.5, bytearray(), memoryview(b""), readonly=True), Command[Reply])
    assert_type(Command("GET", "k").read(b"v", RAW), Reply)


def a_reader_gives_its_type() -> None:
    def whole_number(reply: Reply, text: Text[bytes]) -> int:
        return 1 if text.one(b"") == reply else 0

    assert_type(Command("INCR", "n", read=whole_number), Command[int])
    assert_type(Command("INCR", "n", read=whole_number, retry=True).read(1, RAW), int)
    assert_type(
        Command("GET", "k", read=lambda reply, text: isinstance(reply, bytes) and len(text.one(reply)) == 0),
        Command[bool],
    )


def a_command_is_as_good_as_what_it_returns(command: Command[bool]) -> Command[int | None]:
    return command


def wrong_uses_are_errors() -> None:
    Command("GET", None)  # type: ignore[call-overload]
    Command("GET", ["k"])  # type: ignore[call-overload]
    Command("GET", read=len)  # type: ignore[call-overload]
    Command("GET").args = ()  # type: ignore[misc]
    command_info(("GET",)).plain = False  # type: ignore[misc]


def knowledge_is_typed(args: tuple[Argument, ...]) -> None:
    assert_type(command_info(args), CommandInfo)
    assert_type(command_info(args).plain, bool)
    assert_type(command_info(args).needs, Needs)
    assert_type(command_info(args).replies, Replies)
    assert_type(prepare(args), tuple[bytes | list[bytes], CommandInfo])
    assert_type(redact(args), tuple[Argument, ...])
