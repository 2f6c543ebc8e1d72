"""Scripts: what is sent for them, and when a server has not got one."""

from __future__ import annotations

from hashlib import sha1
from typing import Any

import pytest

from core.client.stage import Stage
from resp_sansio import Command, Reply, ReplyError, Script, as_int
from resp_sansio.client import lacks_script

SOURCE = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


def words(command: Command[Any]) -> list[object]:
    return [*command.args]


def test_a_script_is_sent_by_its_digest_or_whole() -> None:
    script = Script(SOURCE, read=as_int)
    digest = sha1(SOURCE.encode()).hexdigest()
    assert (script.digest, script.source, repr(script)) == (digest, SOURCE.encode(), f"<Script {digest}>")
    assert words(script.by_digest(["n"], [2, b"x"])) == ["EVALSHA", digest, 1, "n", 2, b"x"]
    assert words(script.command(["n"], [2])) == ["EVAL", SOURCE.encode(), 1, "n", 2]
    assert words(script.command()) == ["EVAL", SOURCE.encode(), 0]
    assert script.command().read is script.by_digest().read is as_int


def test_one_that_changes_nothing_says_so_to_the_server_and_may_run_twice() -> None:
    script = Script(b"return 1", readonly=True)
    assert [script.by_digest().args[0], script.command().args[0]] == ["EVALSHA_RO", "EVAL_RO"]
    assert script.by_digest().info.retryable
    assert not Script("return 1").by_digest().info.retryable


def test_the_bytes_of_a_source_are_sent_as_they_are() -> None:
    odd = b"return '\xff'"
    script = Script(odd.decode("utf-8", "surrogateescape"))
    assert (script.source, script.digest) == (odd, sha1(odd).hexdigest())
    assert script.command().args[1] == odd


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Script(None),  # type: ignore[call-overload]
        lambda: Script("return 1").command("key"),
        lambda: Script("return 1").by_digest(["k"], b"argument"),
        lambda: Script("return 1").by_digest(args=bytearray(b"argument")),
        lambda: Script("return 1").by_digest({"key": "value"}),  # type: ignore[arg-type]
        lambda: Script("return 1").by_digest(iter(["key"])),  # type: ignore[arg-type]
        lambda: Script("return 1").by_digest(args={1, 2}),  # type: ignore[arg-type]
        lambda: Script("return 1").by_digest(None),  # type: ignore[arg-type]
        lambda: Script("return 1").command(args=5),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_source_and_no_list_is_refused(wrong: Any) -> None:
    """A text would be as many keys as it has characters."""
    with pytest.raises(TypeError, match="of a script must be"):
        wrong()


@pytest.mark.parametrize(
    ("reply", "lacks"),
    [
        (ReplyError("NOSCRIPT No matching script. Please use EVAL."), True),
        (ReplyError("NOSCRIPT No matching script."), True),  # Valkey 9
        (ReplyError("NOSCRIPT my own"), False),  # said by a script, which has run
        (ReplyError("ERR No matching script"), False),
        (ReplyError("XERR No matching script"), False),
        (b"NOSCRIPT No matching script.", False),
        (None, False),
    ],
)
def test_a_server_says_that_it_has_not_got_a_script(reply: Reply, lacks: bool) -> None:
    stage = Stage()
    stage.answer = lambda _: reply
    assert lacks_script(stage.call("EVALSHA", "0" * 40, "0")) is lacks


def test_a_call_that_was_never_answered_says_nothing() -> None:
    stage = Stage()
    stage.call("PING")
    stage.deaf.add(stage.link)
    slot = stage.call("EVALSHA", "0" * 40, "0")
    assert not lacks_script(slot)
