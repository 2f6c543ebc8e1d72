"""Commands that are split over hash slots: what their parts do together, and what is told of those that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Command,
    ConnectionLostError,
    LocalProtocolError,
    Needs,
    Outcome,
    PartialFailureError,
    ReplyError,
    UnexpectedReplyError,
    commands,
)
from resp_sansio.client import CommandBatch, across_slots
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.routing import slot_of_payload
from resp_sansio.commands.caching import sent_words
from resp_sansio.commands.knowledge import prepare
from resp_sansio.commands.table import TABLE
from resp_sansio.config import Config

if TYPE_CHECKING:
    from resp_sansio import Reply

KEYS = st.sampled_from([b"a", b"b", b"{a}b", b"c", b"d", b"\r\n"])
LOST = ConnectionLostError("gone")
NOT_SENT = ConnectionLostError("gone", outcome=Outcome.NOT_SENT)
NO = ReplyError("NOPERM this user may not read secret:key")


def answer(data: dict[bytes, bytes], command: Command[Any]) -> Reply:
    """What a server says that has this data, to commands on any number of keys, of any slots."""
    name, *words = sent_words(prepare(command.args)[0])
    match name:
        case b"MGET":
            return [data.get(key) for key in words]
        case b"MSET":
            data.update(zip(words[::2], words[1::2], strict=True))
            return "OK"
        case b"DEL" | b"UNLINK":
            return sum(data.pop(key, None) is not None for key in words)
    return sum(key in data for key in words)


@given(
    name=st.sampled_from(["MGET", "MSET", "DEL", "UNLINK", "EXISTS", "TOUCH"]),
    keys=st.lists(KEYS, min_size=1, max_size=8),
    held=st.sets(KEYS),
)
def test_the_parts_do_together_what_the_command_does(name: str, keys: list[bytes], held: set[bytes]) -> None:
    """Each part's keys are in one slot, and it is known as much of it as of the command."""
    words = [word for at, key in enumerate(keys) for word in ([key, b"%d" % at] if name == "MSET" else [key])]
    command = Command(name, *words, needs=Needs.LEASE)
    whole, apart = dict.fromkeys(held, b"v"), dict.fromkeys(held, b"v")
    across = across_slots(command)
    slots = [slot_of_payload(*prepare(part.args)) for part in across.commands]
    assert len(set(slots)) == len(slots) == len(set(map(slot_of, keys)))
    assert {part.info for part in across.commands} == {command.info}
    assert across.combine([answer(apart, part) for part in across.commands]) == answer(whole, command)
    assert apart == whole


@pytest.mark.parametrize(
    ("command", "results", "result"),
    [
        (commands.mget("a", "b", "{a}2"), [[b"1", None], [b"2"]], [b"1", b"2", None]),
        (commands.text(commands.mget("a", "b", "{a}2")), [[b"1", None], ["ä".encode()]], ["1", "ä", None]),
        (commands.mset({"a": 1, "b": 2}), ["OK", "OK"], None),
        (commands.delete("a", "b", "c"), [1, 0, 1], 2),
        (commands.unlink("a"), [1], 1),
        (Command("EXISTS", "a", "b", read=lambda reply, _text: reply == 2), [1, 1], True),
        (Command("mget", "a"), [[b"1"]], [b"1"]),
        (Command("MGET a", "b"), [[b"1"], [b"2"]], [b"1", b"2"]),
    ],
)
def test_the_result_is_what_the_command_returns(command: Command[Any], results: list[object], result: object) -> None:
    across = across_slots(command)
    assert len(across.commands) == len(results)
    assert across.combine(results) == result


def test_the_parts_are_bytes_in_a_pipeline_of_text_too() -> None:
    across = across_slots(commands.text(commands.mget("a", "b")))
    batch: CommandBatch[str] = CommandBatch(Config(decode=True))
    for part in across.commands:
        batch.execute(part)
    slot = batch.slot(1.0)
    assert slot is not None
    slot.replies = [[b"1"], [None]]
    assert across.combine(batch.answered(slot)) == ["1", None]


@pytest.mark.parametrize(
    ("results", "outcome", "failed", "why"),
    [
        ([[b"1", b"3"], NO], Outcome.REPLY, 1, "NOPERM"),
        ([NO, NO], Outcome.REPLY, 2, "NOPERM"),
        ([NOT_SENT, NOT_SENT], Outcome.NOT_SENT, 2, "ConnectionLostError"),
        ([NOT_SENT, [b"2"]], Outcome.MAYBE_EXECUTED, 1, "ConnectionLostError"),
        ([LOST, NOT_SENT], Outcome.MAYBE_EXECUTED, 2, "ConnectionLostError"),
        ([LOST, LOST], Outcome.MAYBE_EXECUTED, 2, "ConnectionLostError"),
        ([ValueError("secret"), ValueError("secret")], Outcome.MAYBE_EXECUTED, 2, "ValueError"),
    ],
)
def test_the_error_of_some_parts_has_what_each_did(
    results: list[object], outcome: Outcome, failed: int, why: str
) -> None:
    with pytest.raises(PartialFailureError) as caught:
        across_slots(commands.mget("a", "secret:key", "{a}2")).combine(results)
    error = caught.value
    assert error.outcome is outcome
    assert str(error) == f"{failed} of the 2 parts of MGET failed, the first with {why}; `parts` has what each did"
    assert [(part.slot, part.positions) for part in error.parts] == [
        (slot_of(b"a"), (0, 2)),
        (slot_of(b"secret:key"), (1,)),
    ]
    assert [part.result for part in error.parts] == results
    assert error.__cause__ is next(result for result in results if isinstance(result, Exception))


def test_the_error_of_the_only_part_is_that_of_the_command() -> None:
    with pytest.raises(ReplyError) as caught:
        across_slots(commands.mget("a", "{a}2")).combine([NO])
    assert caught.value is NO


@pytest.mark.parametrize(
    ("command", "results"),
    [
        (commands.mget("a", "b"), [[b"1"], b"2"]),
        (commands.mget("a", "b"), [[b"1"], [b"2", b"3"]]),
        (commands.mset({"a": 1, "b": 2}), ["OK", 1]),
        (commands.delete("a", "b"), [1, None]),
        (commands.delete("a", "b"), [1, True]),
        (commands.delete("a"), [b"secret"]),
        (commands.delete("a"), [True]),
        (commands.mget("a"), [[b"1", b"secret"]]),
        (commands.mget("a"), [[]]),
        (commands.text(commands.mget("a")), [[b"\xff"]]),
    ],
)
def test_what_is_no_reply_to_it_is_told_without_the_data(command: Command[Any], results: list[object]) -> None:
    with pytest.raises(UnexpectedReplyError, match=rf"^{command.info.name}: ") as caught:
        across_slots(command).combine(results)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (commands.msetnx({"a": 1, "b": 2}), "MSETNX is not split over hash slots: it sets all of its keys or none"),
        (
            commands.rename("a", "b"),
            "RENAME is not split over hash slots: only DEL, EXISTS, MGET, MSET, TOUCH, UNLINK are; keys that",
        ),
        (commands.sinterstore("a", "b", "c"), "SINTERSTORE is not split over hash slots: only DEL"),
        (commands.get("a"), "GET is not split"),
    ],
)
def test_what_needs_its_keys_together_is_not_split(command: Command[Any], why: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        across_slots(command)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize("words", [("MGET",), ("MSET",), ("MSET", "a", 1, "b")])
def test_words_that_make_no_sense_stay_together_for_a_server_to_say_so(words: tuple[Any, ...]) -> None:
    (part,) = across_slots(Command(*words)).commands
    assert sent_words(prepare(part.args)[0]) == sent_words(prepare(words)[0])


def test_what_cannot_be_sent_is_told_at_once() -> None:
    words: list[Any] = ["MGET", "a", None]
    with pytest.raises(TypeError, match="argument 2"):
        across_slots(Command(*words))


def test_its_repr_shows_no_key() -> None:
    assert repr(across_slots(commands.mget("a", "secret"))) == "<Across MGET in 2 parts>"


def test_no_other_command_of_the_table_is_split() -> None:
    names = [name for name in TABLE if not _refused(name)]
    assert names == ["DEL", "EXISTS", "MGET", "MSET", "TOUCH", "UNLINK"]


def _refused(name: str) -> bool:
    try:
        across_slots(Command(name, "a", "b"))
    except LocalProtocolError:
        return True
    return False
