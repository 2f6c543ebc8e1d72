"""To which hash slot a command goes, and what is refused because its keys are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import CrossSlotError, Outcome
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.routing import names_key, names_only, slot_of_payload, slot_of_transaction
from resp_sansio.commands.knowledge import command_info, command_keys, prepare
from resp_sansio.commands.table import TABLE
from resp_sansio.connection.stateful import new_slot

if TYPE_CHECKING:
    from resp_sansio.wire import Argument

LARGE = b"x" * 40_000

# Names, their options and counts, and keys with braces and line breaks; large ones travel as buffers of their own.
WORDS = st.one_of(
    st.sampled_from(
        [b"a", b"b", b"{a}b", b"{}a", b"a{", b"", b"\r\n$", b"1", b"2", b"0", b"STREAMS", b"STORE", b"KEYS", LARGE]
    ),
    st.binary(max_size=12),
)


def slot(*words: Argument) -> int | None:
    return slot_of_payload(*prepare(words))


def slot_of_all(*commands: tuple[Argument, ...]) -> int | None:
    payloads, infos = zip(*map(prepare, commands), strict=True)
    return slot_of_transaction(payloads, infos)


@given(name=st.sampled_from(sorted(TABLE)), arguments=st.lists(WORDS, max_size=5))
def test_a_command_goes_to_the_slot_of_all_its_keys(name: str, arguments: list[bytes]) -> None:
    words = [*name.encode().split(), *arguments]
    slots = {slot_of(words[index]) for index in command_keys(words)}
    payload, info = prepare((name, *arguments))
    if len(slots) > 1:
        with pytest.raises(CrossSlotError) as caught:
            slot_of_payload(payload, info)
        assert caught.value.slots == (slot_of(caught.value.keys[0]), slot_of(caught.value.keys[1]))
        assert len({*caught.value.slots}) == 2
        assert {*caught.value.keys} <= {*words}
    else:
        assert slot_of_payload(payload, info) == next(iter(slots), None)


@given(key=WORDS, value=WORDS, count=st.sampled_from([1, 2, 9, 10, 99, 100, 1000]))
def test_the_only_key_is_found_whatever_follows_it(key: bytes, value: bytes, count: int) -> None:
    assert slot("HSET", key, *[value] * count) == slot_of(key)
    assert slot("sort_ro", key, *["x"] * count) == slot_of(key)
    assert slot_of_payload(new_slot(("SET", key, value)).payload, command_info(("SET",))) == slot_of(key)


@pytest.mark.parametrize(
    "words",
    [
        ("GET",), ("HSET",), ("MGET",), ("PING",), ("PUBLISH", "channel", "message"), ("EVAL", "return 1", 0),
        ("EVALSHA", "sha", "0"),
        ("FCALL", "f", 0), ("EVAL", "return 1", "many", "k"), ("MY.PING",), ("XREAD", "COUNT", 1), ("SUNSUBSCRIBE",), ("MULTI",),
        ("SORT",), ("DEBUG", "OBJECT", "k"), ("SUBSCRIBE", "a", "b"), ("PUBSUB SHARDCHANNELS", "a"), ("XINFO", "NEW", "k"),
    ],
)  # fmt: skip
def test_without_a_key_there_is_no_slot(words: tuple[Argument, ...]) -> None:
    assert slot(*words) is None


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "k"), ("get", b"k"), ("GET k",), ("OBJECT ENCODING", "k"), ("object", "encoding", "k"), ("MGET", "k", "{k}2"),
        ("EVAL", "return 1", 1, "k", "x"), ("FCALL_RO", "f", 2, "k", "{k}"), ("SORT", "k", "STORE", "{k}2"),
        ("BITOP", "AND", "k", "k"),
        ("XREAD", "BLOCK", 0, "STREAMS", "k", "{k}2", "$", "$"), ("BLPOP", "k", "{k}1", 0), ("SPUBLISH", "k", "message"),
        ("SSUBSCRIBE", "k", "{k}2"), ("SUNSUBSCRIBE", "k"), ("MIGRATE", "host", 1, "", 0, 5, "KEYS", "k", "{k}2"), ("WATCH", "k"),
        ("MY.LOOKUP", "k", "other"), ("SET", "k", LARGE), ("MSET", "k", LARGE, "{k}", LARGE),
        ("JSON.MSET", "k", "$", 1, "{k}", "$", 2),
    ],
)  # fmt: skip
def test_what_decides_the_slot_is_found(words: tuple[Argument, ...]) -> None:
    assert slot(*words) == slot_of(b"k")


def test_what_is_sent_behind_a_command_is_none_of_its_keys() -> None:
    of_both = new_slot(("SUNSUBSCRIBE", "k"))  # a PING of the core's own follows
    assert slot_of_payload(of_both.payload, of_both.info) == slot_of(b"k")


def test_keys_that_are_apart_are_told_without_being_shown() -> None:
    with pytest.raises(CrossSlotError) as caught:
        slot("MSET", "sesame", 1, "{sesame}2", 2, "mail:secret", 3)
    error = caught.value
    assert (error.keys, error.outcome) == ((b"sesame", b"mail:secret"), Outcome.NOT_SENT)
    assert str(error) == (
        f"the keys of MSET must be in one hash slot; that of argument 1 is in slot {slot_of(b'sesame')}, that of argument 5 in"
        f" {slot_of(b'mail:secret')}: keys that belong together share a slot if they have the same text in braces:"
        " {user:7}:name and {user:7}:mail"
    )


@given(
    st.lists(
        st.tuples(st.sampled_from(["GET", "PING", "MY.LOOKUP", "SET"]), st.sampled_from(["a", "{a}2", "b"])), max_size=5
    )
)
def test_a_transaction_has_the_slot_of_its_keys(pairs: list[tuple[str, str]]) -> None:
    commands: list[tuple[Argument, ...]] = [
        ("MULTI",),
        *[(name, key, "v")[: 3 if name == "SET" else 2] for name, key in pairs],
        ("EXEC",),
    ]
    known = {slot_of(key.encode()) for name, key in pairs if name in ("GET", "SET")}
    guessed = [slot_of(key.encode()) for name, key in pairs if name == "MY.LOOKUP"]
    if len(known) > 1:
        with pytest.raises(CrossSlotError):
            slot_of_all(*commands)
    else:
        assert slot_of_all(*commands) == (known.pop() if known else guessed[0] if guessed else None)


@pytest.mark.parametrize("framed", [True, False])
def test_the_commands_of_a_transaction_are_counted_as_its_caller_does(framed: bool) -> None:
    commands: list[tuple[Argument, ...]] = [("MY.LOOKUP", "x"), ("INCR", "a"), ("PING",), ("GET", "b")]
    with pytest.raises(
        CrossSlotError,
        match=r"command 2, INCR is in slot 15495, .* command 4, GET in 3300:",
    ):
        slot_of_all(*[("MULTI",), *commands, ("EXEC",)] if framed else commands)


def test_the_error_about_a_transaction_has_the_first_key_of_each_command() -> None:
    with pytest.raises(CrossSlotError) as told:
        slot_of_all(("MULTI",), ("MSET", "{a}1", "x", "{a}2", "y"), ("DEL", "{b}1", "{b}2"), ("EXEC",))
    assert told.value.keys == (b"{a}1", b"{b}1")


def test_keys_of_one_command_in_a_transaction_must_be_together_too() -> None:
    with pytest.raises(CrossSlotError, match="the keys of MGET"):
        slot_of_all(("MULTI",), ("GET", "a"), ("MGET", "a", "b"), ("EXEC",))


@pytest.mark.parametrize(
    ("words", "certain"),
    [
        (("GET", "a"), True), (("MGET", "a", "b"), True), (("PING",), True), (("SET", "a", LARGE), True), (("MULTI",), True),
        (("EVAL", "return 1", 1, "b"), True), (("GET", "c"), False), (("MGET", "a", "c"), False), (("MY.LOOKUP", "a"), False),
        (("MY.PING",), False), (("EVAL", "return 1", 0), False), (("GET",), False),
    ],
)  # fmt: skip
def test_it_is_certain_of_few_that_they_are_about_watched_keys_only(words: tuple[Argument, ...], certain: bool) -> None:
    assert names_only(prepare(("WATCH", "a", b"b"))[0], *prepare(words)) is certain


def test_one_key_is_said_only_of_what_has_one_behind_its_name() -> None:
    names = {name for name in TABLE if command_info((name,)).one_key}
    assert {"GET", "SET", "HSET", "EXPIRE", "XADD"} <= names
    assert {"MGET", "SORT", "LCS", "EVAL", "OBJECT ENCODING", "BLPOP", "COPY", "PING"}.isdisjoint(names)
    assert not any(" " in name for name in names)


@given(st.lists(WORDS, max_size=4))
def test_a_command_names_a_key_if_it_has_a_slot_or_keys_that_are_apart(words: list[bytes]) -> None:
    for name in ("GET", "MGET", "PING", "EVAL", "NEVER-HEARD-OF"):
        payload, info = prepare((name, *words))
        try:
            expected = slot_of_payload(payload, info) is not None
        except CrossSlotError:
            expected = True
        assert names_key(payload, info) is expected
