"""Large values without a connection: what to send for them, and what is made of the replies."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    DEFAULT,
    CommandTimeoutError,
    Config,
    ConnectionLostError,
    NoSuchKeyError,
    Outcome,
    Reply,
    ReplyError,
    TornValueError,
    TransactionAbortedError,
    TransactionDiscardedError,
    UnexpectedReplyError,
)
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.values import (
    AHEAD,
    CHUNK,
    Chunks,
    TimeAllowed,
    ValueReader,
    ValueWriter,
    ended,
    not_written,
    pieces_of,
    sent_as,
)
from resp_sansio.connection import Batch, Slot, SlotState
from resp_sansio.wire import encode_command

if TYPE_CHECKING:
    from collections.abc import Sequence

NOPERM = ReplyError("NOPERM no")


def words(slot: Slot) -> list[list[bytes]]:
    """The commands of a slot."""
    payloads = slot.payloads if isinstance(slot, Batch) else [slot.payload]
    read = []
    for payload in payloads:
        parts = (payload if isinstance(payload, bytes) else b"".join(payload)).split(b"\r\n")
        read.append(parts[2::2])
    return read


def lines(slot: Slot) -> list[str]:
    """The same as text."""
    return [b" ".join(line).decode() for line in words(slot)]


def answered(slot: Batch, replies: Sequence[Reply]) -> Batch:
    """The same slot with its replies."""
    slot.replies[:] = replies
    slot.state = SlotState.ANSWERED
    return slot


# -- reading -----------------------------------------------------------------------------------------------------------------------


def opened(size: int, chunk_size: int = 10, ahead: int = 2) -> ValueReader:
    reader = ValueReader("k", chunk_size, ahead)
    assert lines(reader.opening()) == ["WATCH k", "STRLEN k", "EXISTS k"]
    reader.opened(["OK", size, 1])
    return reader


def test_by_default_two_mebibytes_are_under_way_in_two_ranges() -> None:
    reader = opened(5 * 2**20, CHUNK, AHEAD)
    asked = [reader.next() for _ in range(3)]
    assert [None if slot is None else lines(slot) for slot in asked] == [
        ["GETRANGE k 0 1048575"],
        ["GETRANGE k 1048576 2097151"],
        None,
    ]


@given(size=st.integers(0, 200), chunk_size=st.integers(1, 50), ahead=st.integers(1, 5))
def test_ranges_add_up_to_the_value_and_no_more_are_under_way_than_may_be(
    size: int, chunk_size: int, ahead: int
) -> None:
    value = bytes(index % 251 for index in range(size))
    reader, under_way, came = opened(size, chunk_size, ahead), [], b""
    while True:
        while (slot := reader.next()) is not None:
            under_way.append(slot)
        assert len(under_way) <= ahead
        if not under_way:
            break
        [[name, _, start, end]] = words(under_way.pop(0))
        assert name == b"GETRANGE"
        chunk = reader.came(value[int(start) : int(end) + 1])
        assert len(chunk) == min(chunk_size, size - len(came))
        came += chunk
    assert came == value
    assert reader.position == reader.size == size
    assert lines(reader.check()) == ["MULTI", "EXEC"]
    reader.checked(["OK", []])


def test_what_is_not_there_or_no_string_is_told() -> None:
    reader = ValueReader(b"k", 10, 1)
    with pytest.raises(NoSuchKeyError):
        reader.opened(["OK", 0, 0])
    refused: list[list[Reply]] = [[NOPERM, 1, 1], ["OK", NOPERM, 1], ["OK", 1, NOPERM]]
    for replies in refused:
        with pytest.raises(ReplyError, match="NOPERM"):
            reader.opened(replies)
    others: list[list[Reply]] = [["QUEUED", 1, 1], ["OK", b"1", 1], ["OK", 1, None]]
    for wrong in others:
        with pytest.raises(UnexpectedReplyError):
            reader.opened(wrong)


@pytest.mark.parametrize("chunk", [b"short", b"", b"x" * 11, None, 7, ReplyError("WRONGTYPE Operation against a key")])
def test_a_chunk_that_is_no_part_of_the_value_tears_it(chunk: Reply) -> None:
    reader = opened(25)
    assert reader.next() is not None
    with pytest.raises(TornValueError, match="^the value was changed while it was read: 0 of 25 bytes had come"):
        reader.came(chunk)


def test_another_error_is_the_servers() -> None:
    reader = opened(25)
    assert reader.next() is not None
    with pytest.raises(ReplyError, match="LOADING"):
        reader.came(ReplyError("LOADING wait"))


def test_exec_tells_whether_it_is_one_value() -> None:
    reader = opened(25)
    with pytest.raises(TornValueError) as torn:
        reader.checked(["OK", None])
    assert torn.value.outcome is Outcome.REPLY
    assert torn.value.__context__ is None
    with pytest.raises(TransactionDiscardedError):
        reader.checked(["OK", ReplyError("EXECABORT Transaction discarded because of: NOPERM")])


@pytest.mark.parametrize("wrong", [0, -1, True, "1", 1.0, None])
def test_sizes_are_numbers_of_things(wrong: Any) -> None:
    error = ValueError if type(wrong) is int else TypeError
    with pytest.raises(error, match="chunk_size"):
        ValueReader("k", wrong, 1)
    with pytest.raises(error, match="ahead"):
        ValueReader("k", 1, wrong)
    with pytest.raises(error, match="chunk_size"):
        Chunks(wrong)


# -- writing -----------------------------------------------------------------------------------------------------------------------


def test_chunks_are_appended_and_each_puts_the_expiry_off() -> None:
    writer = ValueWriter("k", "token", unfinished=2.5)
    temporary = writer.temporary.decode()
    assert not writer.begun
    assert lines(writer.chunk(b"abc")) == [f"SET {temporary} abc PX 2500"]
    assert writer.begun
    assert lines(writer.chunk(b"de")) == [
        f"SET {temporary}  PX 2500 NX",
        f"APPEND {temporary} de",
        f"PEXPIRE {temporary} 2500",
    ]
    writer.took(["OK"])
    writer.took([None, 5, 1])
    assert lines(writer.removal()) == [f"UNLINK {temporary}"]


@pytest.mark.parametrize("key", ["k", b"{tag}k", "a}b", "{}x", b"\xff{", 7, bytearray(b"k"), b"x" * 40_000])
def test_the_temporary_key_begins_with_the_key_and_has_its_slot(key: Any) -> None:
    writer = ValueWriter(key, "token")
    assert writer.temporary.startswith(sent_as(key) + b".unfinished-token")
    assert slot_of(writer.temporary) == slot_of(sent_as(key))


def test_a_key_is_what_the_encoder_takes() -> None:
    assert sent_as("é") == "é".encode()
    assert sent_as(b"a\r\nb") == b"a\r\nb"
    with pytest.raises(TypeError):
        sent_as(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("replies", [["OK", 2, 1], [None, b"5", 1], [None, "OK", 1]])
def test_a_length_that_is_another_tells_of_a_loss(replies: list[Reply]) -> None:
    writer = ValueWriter("k", "token")
    writer.chunk(b"abc")
    writer.took(["OK"])
    writer.chunk(b"de")
    with pytest.raises(TornValueError, match="has lost what was written of the value, 5 bytes") as lost:
        writer.took(replies)
    assert lost.value.outcome is Outcome.NOT_SENT


def test_an_error_is_the_servers() -> None:
    writer = ValueWriter("k", "token")
    writer.chunk(b"abc")
    with pytest.raises(ReplyError, match="^OOM"):
        writer.took([ReplyError("OOM no memory")])


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, "PERSIST %s"),
        ({"ex": 7}, "EXPIRE %s 7"),
        ({"px": 7}, "PEXPIRE %s 7"),
        ({"nx": True, "ex": 7}, "EXPIRE %s 7"),
        ({"keepttl": True}, "PERSIST %s"),
    ],
)
def test_it_takes_the_place_of_its_key_in_one_step(options: dict[str, Any], first: str) -> None:
    writer = ValueWriter("k", "token", **options)
    writer.chunk(b"abc")
    slot = writer.publish()
    temporary = writer.temporary.decode()
    assert lines(slot) == ["MULTI", first % temporary, f"RENAME {temporary} k", "EXEC"]
    assert writer.published(answered(slot, ["OK", "QUEUED", "QUEUED", [1, "OK"]]))
    assert not writer.begun


@pytest.mark.parametrize(
    ("pttl", "first"), [(5000, "PEXPIRE %s 5000"), (0, "PEXPIRE %s 1"), (-1, "PERSIST %s"), (-2, "PERSIST %s")]
)
def test_an_expiry_is_kept(pttl: int, first: str) -> None:
    writer = ValueWriter("k", "token", keepttl=True)
    assert writer.forecast() is None
    look = writer.look()
    assert look is not None
    assert lines(look) == ["WATCH k", "PTTL k"]
    assert writer.looked(["OK", pttl])
    assert lines(writer.publish())[1] == first % writer.temporary.decode()


@pytest.mark.parametrize(
    ("options", "pttl", "allowed"), [("nx", -2, True), ("nx", -1, False), ("xx", -2, False), ("xx", 5, True)]
)
def test_a_condition_is_looked_at_before_and_at_the_end(options: str, pttl: int, allowed: bool) -> None:
    writer = ValueWriter("k", "token", nx=options == "nx", xx=options == "xx")
    forecast, look = writer.forecast(), writer.look()
    assert forecast is not None
    assert look is not None
    assert lines(forecast) == ["PTTL k"]
    assert lines(look) == ["WATCH k", "PTTL k"]
    assert writer.looked([pttl]) is writer.looked(["OK", pttl]) is allowed
    with pytest.raises(ReplyError, match="NOPERM"):
        writer.looked([NOPERM])


def test_without_a_condition_nothing_is_looked_at() -> None:
    writer = ValueWriter("k", "token", ex=5)
    assert writer.forecast() is writer.look() is None


def test_a_race_is_run_again_and_not_for_ever() -> None:
    writer = ValueWriter("k", "token", nx=True)
    for _ in range(15):
        assert not writer.published(answered(writer.publish(), ["OK", "QUEUED", "QUEUED", None]))
    with pytest.raises(TransactionAbortedError, match="16 times"):
        writer.published(answered(writer.publish(), ["OK", "QUEUED", "QUEUED", None]))


def test_what_the_end_may_meet_is_told() -> None:
    writer = ValueWriter("k", "token")
    writer.chunk(b"abc")
    executed: list[Reply] = [0, ReplyError("ERR no such key")]
    with pytest.raises(TornValueError, match="3 bytes"):
        writer.published(answered(writer.publish(), ["OK", "QUEUED", "QUEUED", executed]))
    with pytest.raises(ReplyError, match="ERR other"):
        writer.published(answered(writer.publish(), ["OK", "QUEUED", "QUEUED", [1, ReplyError("ERR other")]]))
    with pytest.raises(TransactionDiscardedError, match=r"command 2 of 2, RENAME \(NOPERM\)"):
        writer.published(answered(writer.publish(), ["OK", "QUEUED", NOPERM, ReplyError("EXECABORT")]))
    assert writer.begun


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"ex": 0}, ValueError),
        ({"px": -1}, ValueError),
        ({"ex": "1"}, TypeError),
        ({"ex": 1, "keepttl": True}, ValueError),
        ({"nx": True, "xx": True}, ValueError),
        ({"unfinished": 0}, ValueError),
        ({"unfinished": inf}, ValueError),
        ({"unfinished": True}, TypeError),
        ({"unfinished": None}, TypeError),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ValueWriter("k", "token", **options)


# -- pieces ------------------------------------------------------------------------------------------------------------------------


@given(
    size=st.integers(1, 40),
    pieces=st.lists(st.tuples(st.binary(max_size=100), st.sampled_from([bytes, bytearray, memoryview])), max_size=10),
)
def test_pieces_are_cut_and_joined_to_chunks_of_one_length(size: int, pieces: list[tuple[bytes, Any]]) -> None:
    chunks, cut = Chunks(size), []
    for data, form in pieces:
        for chunk in chunks.feed(form(data)):
            assert type(chunk) is bytes
            assert len(chunk) == size
            cut.append(chunk)
    assert len(chunks.rest()) < size
    assert b"".join([*cut, chunks.rest()]) == b"".join(data for data, _ in pieces)


def test_a_piece_that_is_a_chunk_is_not_copied_and_one_that_may_change_is() -> None:
    chunks, piece, changing = Chunks(10), b"0123456789", bytearray(b"0123456789")
    assert next(chunks.feed(piece)) is piece
    [copied] = chunks.feed(changing)
    changing[:] = b"x" * 10
    assert copied == piece


def test_what_are_no_bytes_is_told() -> None:
    for wrong, why in (("text", "its source gave str"), (7, "bytes-like"), (None, "bytes-like")):
        with pytest.raises(TypeError, match=why):
            list(Chunks(10).feed(wrong))


def test_a_source_is_bytes_or_an_iterable_of_them() -> None:
    source = bytearray(b"abc")
    assert list(pieces_of(source)) == [source]
    source.append(1)  # no view of it is left
    pieces = iter([b"a"])
    assert pieces_of(pieces) is pieces
    for wrong, why in (("text", "its source gave str"), (7, "not from int"), (None, "not from NoneType")):
        with pytest.raises(TypeError, match=why):
            pieces_of(wrong)
    assert [ended(piece) for piece in (b"", bytearray(), memoryview(b""))] == [True] * 3
    assert [ended(piece) for piece in (b"x", "", None)] == [False] * 3


# -- time and losses ---------------------------------------------------------------------------------------------------------------


def test_each_step_has_the_configured_time_or_all_have_one() -> None:
    assert TimeAllowed(Config(timeout=3.0), DEFAULT, 100.0).until(200.0) == 203.0
    assert TimeAllowed(Config(timeout=None), DEFAULT, 100.0).until(200.0) == inf
    whole = TimeAllowed(Config(timeout=3.0), 50, 100.0)
    assert whole.until(101.0) == whole.until(149.0) == 150.0
    with pytest.raises(CommandTimeoutError) as late:
        whole.until(150.0)
    assert late.value.outcome is Outcome.NOT_SENT
    assert TimeAllowed(Config(timeout=3.0), None, 100.0).until(200.0) == inf
    with pytest.raises(TypeError, match="timeout"):
        TimeAllowed(Config(), "1", 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("cause", [ConnectionLostError("gone"), CommandTimeoutError("s did not answer in time")])
def test_a_chunk_that_was_lost_has_written_nothing_under_the_key(cause: Exception) -> None:
    writer = ValueWriter("k", "token")
    slot = writer.chunk(b"abc")
    slot.state, slot.end = SlotState.HANDED, sum(map(len, slot.payloads))
    slot.settle(SlotState.LOST, inf)
    slot.cause = cause
    error = not_written(slot)
    assert type(error) is type(cause)
    assert str(error) == f"write_value: {cause.args[0]}; nothing was written under the key"
    assert getattr(error, "outcome", None) is Outcome.NOT_SENT
    slot.cause = OSError("not ours")
    assert not_written(slot) is slot.cause


def test_a_large_chunk_travels_uncopied() -> None:
    data = bytes(100_000)
    payload = ValueWriter("k", "token").chunk(data).payloads[0]
    assert any(buffer is data for buffer in payload)
    assert encode_command(("SET", "k", data))[1] is data
