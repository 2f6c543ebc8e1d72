"""Conversations of several steps, without a connection: what to send, and what is made of the replies."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import combinations_with_replacement, product
from math import inf
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Command,
    CommandFailure,
    Config,
    ConnectionClosedError,
    ConnectionLostError,
    InvalidReplyError,
    LocalProtocolError,
    Outcome,
    Reply,
    ReplyError,
    RespError,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
    UnexpectedReplyError,
    commands,
)
from resp_sansio.client import CommandBatch, WatchLoop, read_transaction
from resp_sansio.commands.decoding import Text
from resp_sansio.commands.knowledge import CommandInfo, command_info
from resp_sansio.commands.readers import anything, bulk, maybe_bulk, maybe_whole, stored, whole
from resp_sansio.connection import Batch, SlotState
from resp_sansio.testing import replies
from resp_sansio.wire import encode_command

REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
NO = ReplyError("ERR unknown command")


def to_text(reply: Reply, text: Text[bytes]) -> str:
    """A reader, as a typed command has one."""
    if not isinstance(reply, bytes):
        raise TypeError(f"expected bytes, got a {type(reply).__name__}")
    return f"{reply.decode()} as {type(text.one(reply)).__name__}"


def made(batch: CommandBatch) -> Batch:
    slot = batch.slot(inf)
    assert slot is not None
    return slot


def ended(slot: Batch, answered: list[Reply], sent: int) -> Batch:
    """As if the connection had ended after so many replies and so many whole commands sent."""
    slot.state = SlotState.HANDED
    sizes = [len(payload) for payload in slot.payloads]
    slot.end = sum(sizes)
    slot.replies += answered
    slot.settle(SlotState.LOST, sum(sizes[:sent]))
    return slot


# -- reading a transaction -------------------------------------------------------------------------------------------------------


def infos_of(*names: str) -> list[CommandInfo]:
    return [command_info((name, "k")) for name in names]


ABORT = ReplyError("EXECABORT Transaction discarded because of previous errors.")


@given(executed=st.lists(replies(), max_size=5))
def test_each_queued_command_gets_its_own_reply(executed: list[Reply]) -> None:
    infos = infos_of(*["GET"] * len(executed))
    assert read_transaction(["OK", *["QUEUED"] * len(executed), executed], infos) == executed


def test_a_command_that_is_refused_while_being_queued_is_told_by_its_place_and_name() -> None:
    with pytest.raises(TransactionDiscardedError) as caught:
        read_transaction(["OK", "QUEUED", NO, "QUEUED", ABORT], infos_of("SET", "GET", "INCR"))
    assert str(caught.value) == "nothing was executed, because command 2 of 3, GET (ERR) was refused"
    assert caught.value.failures == (CommandFailure(1, "GET", NO),)
    assert (caught.value.reason, caught.value.outcome) == (ABORT, NOT_SENT)


def test_several_are_told_and_no_message_grows_without_end() -> None:
    oom = ReplyError("OOM command not allowed")
    with pytest.raises(TransactionDiscardedError) as caught:
        read_transaction(["OK", oom, NO, ABORT], infos_of("SET", "GET"))
    assert (
        str(caught.value)
        == "nothing was executed, because command 1 of 2, SET (OOM), command 2 of 2, GET (ERR) were refused"
    )
    with pytest.raises(TransactionDiscardedError, match=r"3 of 9, SET \(OOM\) and 6 more were refused$") as caught:
        read_transaction(["OK", *[oom] * 9, ABORT], infos_of(*["SET"] * 9))
    assert [failure.position for failure in caught.value.failures] == [*range(9)]


def test_what_a_server_repeats_of_a_command_stands_in_no_message_of_ours() -> None:
    loud = ReplyError("ERR unknown command 'X', with args beginning with: 'sesame'")
    with pytest.raises(TransactionDiscardedError) as caught:
        read_transaction(["OK", loud, ABORT], infos_of("X"))
    assert "sesame" not in str(caught.value)
    assert caught.value.failures[0].error is loud  # there it is a reply like any other


@pytest.mark.parametrize("why", ["NOPERM no exec", "OOM no memory", "MISCONF no disk", "LOADING wait", "READONLY no"])
def test_exec_itself_refused_is_told_from_that(why: str) -> None:
    because = ReplyError(f"EXECABORT Transaction discarded because of: {why}")
    with pytest.raises(TransactionDiscardedError) as caught:
        read_transaction(["OK", "QUEUED", because], infos_of("SET"))
    assert str(caught.value) == f"nothing was executed, because EXEC was refused ({because})"
    assert (caught.value.failures, caught.value.reason, caught.value.outcome) == ((), because, NOT_SENT)


def test_what_a_server_says_begins_no_line_of_a_log() -> None:
    steers = ReplyError("ERR no\n\x1b[31mmore")
    with pytest.raises(TransactionDiscardedError, match=r"because EXEC was refused \(ERR no\?\?\[31mmore\)$"):
        read_transaction(["OK", "QUEUED", steers], infos_of("SET"))
    with pytest.raises(TransactionRefusedError, match=r"^MULTI was refused \(ERR no\?\?\[31mmore\), so "):
        read_transaction([steers, 1, ReplyError("ERR EXEC without MULTI")], infos_of("INCR"))


def test_servers_that_execute_the_others_when_one_was_refused() -> None:
    assert read_transaction(["OK", "QUEUED", NO, "QUEUED", [1, 2]], infos_of("SET", "GET", "SET")) == [1, NO, 2]


def test_a_lost_race_is_told() -> None:
    with pytest.raises(TransactionAbortedError) as caught:
        read_transaction(["OK", "QUEUED", None], infos_of("SET"))
    assert caught.value.outcome is NOT_SENT


def test_a_refused_multi_is_told_with_what_the_commands_were_answered() -> None:
    multi, wrong = ReplyError("NOPERM no"), ReplyError("ERR x")
    with pytest.raises(TransactionRefusedError) as caught:
        read_transaction([multi, 1, wrong, ReplyError("ERR EXEC without MULTI")], infos_of("INCR", "GET"))
    assert (
        str(caught.value) == "MULTI was refused (NOPERM no), so the commands ran singly, and 1 of 2 ended in an error"
    )
    assert (caught.value.reason, caught.value.replies) == (multi, (1, wrong))
    assert caught.value.failures == (CommandFailure(1, "GET", wrong),)
    with pytest.raises(TransactionRefusedError, match="and none ended in an error$"):
        read_transaction([multi, 1, ReplyError("ERR EXEC without MULTI")], infos_of("INCR"))


@pytest.mark.parametrize("last", [None, ABORT])
def test_that_an_attempt_before_may_have_run_is_told(last: Reply) -> None:
    """It was lost with its connection, and the next one was not executed."""
    batch = CommandBatch(Config(), transaction=True)
    result = batch.execute("SET", "k", "v")
    slot = made(batch)
    ended(slot, ["OK"], sent=3)
    slot.renew()
    slot.replies[:] = ["OK", "QUEUED", last]
    with pytest.raises((TransactionAbortedError, TransactionDiscardedError)) as caught:
        batch.answered(slot)
    assert caught.value.outcome is MAYBE
    assert str(caught.value).endswith("; an attempt before this one was lost, and may have been executed")
    with pytest.raises(type(caught.value)) as again:
        result.result()
    assert again.value.outcome is MAYBE


def test_an_attempt_of_which_exec_was_not_sent_cannot_have_run() -> None:
    batch = CommandBatch(Config(), transaction=True)
    batch.execute("SET", "k", "v")
    slot = made(batch)
    ended(slot, ["OK"], sent=2)
    slot.renew()
    slot.replies[:] = ["OK", "QUEUED", None]
    with pytest.raises(TransactionAbortedError) as caught:
        batch.answered(slot)
    assert caught.value.outcome is NOT_SENT


# -- a batch of commands -----------------------------------------------------------------------------------------------------------


def test_commands_are_sent_as_one_slot_and_each_has_its_result() -> None:
    batch = CommandBatch(Config())
    first = batch.execute("GET", "a")
    second = batch.execute(Command("GET", "b", read=to_text))
    third = batch.execute(Command("GET", "c"))
    assert len(batch) == 3
    assert repr(first) == "<Result 0 of <pipeline of 3 commands, not run>>"
    with pytest.raises(LocalProtocolError, match="has not been run"):
        first.result()
    slot = made(batch)
    assert slot.payload == b"".join(payload for payload in slot.payloads if isinstance(payload, bytes))
    slot.replies += [b"1", b"2", NO]
    assert batch.answered(slot) == [b"1", "2 as bytes", NO]
    assert (first.result(), second.result()) == (b"1", "2 as bytes")
    with pytest.raises(ReplyError, match="unknown command"):
        third.result()
    assert repr(batch) == "<pipeline of 3 commands, run>"
    assert [repr(result) for result in (first, second, third)] == [
        "<Result 0 of <pipeline of 3 commands, run>: b'1'>",
        "<Result 1 of <pipeline of 3 commands, run>: '2 as bytes'>",
        "<Result 2 of <pipeline of 3 commands, run>: <ReplyError 'ERR'>>",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"x" * 1000, "<bytes of 1000>"),
        ([1] * 1000, "<list of 1000>"),
        ({b"k": b"v"}, "<dict of 1>"),
        ({1, 2}, "<set of 2>"),
        (None, "None"),
        (1.5, "1.5"),
        (10**5000, "<int>"),
        (ReplyError("E" * 1000), "<ReplyError <str of 1000>>"),
        (ConnectionLostError("gone"), "<ConnectionLostError>"),
    ],
    ids=lambda value: str(type(value)) if not isinstance(value, str) else value,
)
def test_a_result_shows_its_value_in_short(value: Any, shown: str) -> None:
    batch = CommandBatch(Config())
    result = batch.execute("GET", "a")
    batch.replies = [value]
    assert repr(result) == f"<Result 0 of <pipeline of 1 commands, run>: {shown}>"


def test_an_error_is_not_for_a_reader() -> None:
    batch = CommandBatch(Config())
    result = batch.execute(Command("GET", "b", read=to_text))
    slot = made(batch)
    slot.replies.append(NO)
    assert batch.answered(slot) == [NO]
    with pytest.raises(ReplyError):
        result.result()


def test_what_a_reader_raises_is_the_result_of_its_own_command() -> None:
    batch = CommandBatch(Config())
    first, second = batch.execute(Command("GET", "a", read=to_text)), batch.execute("GET", "b")
    slot = made(batch)
    slot.replies += [1, b"2"]
    batch.answered(slot)
    with pytest.raises(TypeError, match="expected bytes"):
        first.result()
    assert second.result() == b"2"
    with pytest.raises(LocalProtocolError, match="was run already"):
        batch.slot(inf)


READERS: Final[tuple[Any, ...]] = (bulk, maybe_bulk, whole, maybe_whole, stored, anything)
REPLIES: Final[tuple[Reply, ...]] = (b"1", b"\xff", 5, None, "OK", [b"1"], True, NO)


@pytest.mark.parametrize("decode", [False, True, "ascii"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_replies_read_together_are_what_each_is_alone(decode: bool | str, number: int) -> None:
    def alone(reader: Any, reply: Reply) -> object:
        try:
            return reply if reply is NO else reader(reply, batch._text)
        except (UnexpectedReplyError, UnicodeDecodeError):
            return UnexpectedReplyError

    for readers in product(READERS, repeat=number):
        for came in combinations_with_replacement(REPLIES, number):
            batch: CommandBatch[Any] = CommandBatch(Config(), decode=decode)
            for reader in readers:
                batch._do(("GET", "a"), reader)
            slot = made(batch)
            slot.replies += came
            seen = [UnexpectedReplyError if type(one) is UnexpectedReplyError else one for one in batch.answered(slot)]
            expected = [alone(reader, reply) for reader, reply in zip(readers, came, strict=True)]
            assert [(type(one), one) for one in seen] == [(type(one), one) for one in expected]


def test_text_is_for_those_without_a_reader() -> None:
    batch = CommandBatch(Config(), decode=True)
    batch.execute("GET", "a")
    batch.execute(Command("GET", "b", read=to_text))
    slot = made(batch)
    slot.replies += [[b"1", None], b"2"]
    assert batch.answered(slot) == [["1", None], "2 as bytes"]


def test_a_transaction_is_framed_and_taken_apart() -> None:
    batch = CommandBatch(Config(), transaction=True)
    first, second = batch.execute("INCR", "n"), batch.execute(Command("GET", "b", read=to_text))
    slot = made(batch)
    assert [info.name for info in slot.infos] == ["MULTI", "INCR", "GET", "EXEC"]
    slot.replies += ["OK", "QUEUED", "QUEUED", [1, b"x"]]
    assert batch.answered(slot) == [1, "x as bytes"]
    assert (first.result(), second.result()) == (1, "x as bytes")
    assert repr(batch) == "<transaction of 2 commands, run>"


def test_a_lost_race_is_the_result_of_every_command() -> None:
    batch = CommandBatch(Config(), transaction=True)
    results = [batch.execute("INCR", "n"), batch.execute("INCR", "m")]
    slot = made(batch)
    slot.replies += ["OK", "QUEUED", "QUEUED", None]
    with pytest.raises(TransactionAbortedError):
        batch.answered(slot)
    for result in results:
        with pytest.raises(TransactionAbortedError):
            result.result()


def test_nothing_to_send_is_run_at_once() -> None:
    batch = CommandBatch(Config(), transaction=True)
    assert batch.slot(inf) is None
    assert batch.replies == ()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), ValueError),
        (("",), ValueError),
        (("SET", "k", None), TypeError),
        ((1,), TypeError),
        ((Command("GET", "k"), "more"), TypeError),
        ((Command("GET", True, read=to_text),), TypeError),
    ],
)
def test_a_wrong_command_is_told_at_once_and_changes_nothing(words: tuple[str, ...], error: type[Exception]) -> None:
    batch = CommandBatch(Config())
    batch.execute("GET", "a")
    with pytest.raises(error):
        batch.execute(*words)
    assert len(batch) == 1
    after = batch.execute("GET", "b")
    slot = made(batch)
    slot.replies += [b"1", b"2"]
    batch.answered(slot)
    assert after.result() == b"2"  # not through the reader of the command that was not added


def test_a_pipeline_is_run_once() -> None:
    batch = CommandBatch(Config())
    batch.execute("GET", "a")
    slot = made(batch)
    slot.replies.append(1)
    batch.answered(slot)
    with pytest.raises(LocalProtocolError, match="was run already"):
        batch.execute("GET", "b")


def test_commands_that_cannot_go_together_are_refused_before_anything_is_sent() -> None:
    batch = CommandBatch(Config(), transaction=True)
    batch.execute("SUBSCRIBE", "a")
    with pytest.raises(LocalProtocolError, match="SUBSCRIBE is refused between MULTI and EXEC"):
        batch.slot(inf)
    assert batch.replies is None


def test_blocking_commands_add_up_but_not_inside_a_transaction() -> None:
    for transaction, expected in ((False, 3.5), (True, 0.0)):
        batch = CommandBatch(Config(), transaction=transaction)
        batch.execute("BLPOP", "k", 3)
        batch.execute("GET", "k")
        batch.execute(Command("XREAD", "BLOCK", 500, "STREAMS", "k", "0"))
        assert batch.seconds_allowed == 5.0 + expected


def test_nor_between_a_multi_and_its_end_in_a_pipeline() -> None:
    batch = CommandBatch(Config())
    for words in ("BLPOP k 1", "MULTI", "BLPOP k 2", "EXEC", "BLPOP k 4", "MULTI", "GET k", "BLPOP k 8", "DISCARD"):
        batch.execute(*words.split())
    assert batch.seconds_allowed == 5.0 + 1 + 4


def test_what_was_not_answered_fails_each_by_itself() -> None:
    batch = CommandBatch(Config())
    results = [batch.execute("GET", str(number)) for number in range(3)]
    slot = ended(made(batch), [b"0"], sent=2)
    error = batch.lost(slot, ConnectionLostError("reset"))
    assert error.outcome is MAYBE
    assert results[0].result() == b"0"
    for result, outcome in zip(results[1:], (MAYBE, NOT_SENT), strict=True):
        with pytest.raises(ConnectionLostError) as caught:
            result.result()
        assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    ("answered", "sent", "outcomes"),
    [
        (["OK", "QUEUED", "QUEUED"], 4, [MAYBE, MAYBE]),
        (["OK", "QUEUED"], 3, [NOT_SENT, NOT_SENT]),
        ([], 3, [MAYBE, MAYBE]),  # MULTI may have been refused
        ([], 1, [NOT_SENT, NOT_SENT]),
        ([ReplyError("NOPERM"), b"0"], 4, [REPLY, MAYBE]),
        ([ReplyError("NOPERM"), b"0", b"1"], 4, [REPLY, REPLY]),
    ],
)
def test_a_transaction_that_was_lost_ran_whole_or_not_at_all_unless_multi_was_refused(
    answered: list[Reply], sent: int, outcomes: list[Outcome]
) -> None:
    batch = CommandBatch(Config(), transaction=True)
    results = [batch.execute("INCR", str(number)) for number in range(2)]
    error = batch.lost(ended(made(batch), answered, sent), ConnectionLostError("reset"))
    assert isinstance(error, ConnectionLostError)
    assert error.outcome is not REPLY
    for index, (result, outcome) in enumerate(zip(results, outcomes, strict=True)):
        if outcome is REPLY:
            assert result.result() == b"%d" % index
        else:
            with pytest.raises(ConnectionLostError) as caught:
                result.result()
            assert caught.value.outcome is outcome


def test_a_pipeline_that_was_refused_says_so_in_each_result() -> None:
    batch = CommandBatch(Config())
    result = batch.execute("GET", "k")
    batch.refused(ConnectionClosedError("closed"))
    with pytest.raises(ConnectionClosedError):
        result.result()


def test_what_was_answered_is_read_though_the_rest_was_lost() -> None:
    batch = CommandBatch(Config(decode=True))
    first, second = batch.execute("GET", "a"), batch.execute(Command("GET", "b", read=to_text))
    third = batch.execute(Command("GET", "c", read=to_text))
    batch.lost(ended(made(batch), [b"1", b"2"], sent=3), ConnectionLostError("reset"))
    assert (first.result(), second.result()) == ("1", "2 as bytes")
    with pytest.raises(ConnectionLostError):
        third.result()


def test_an_error_is_no_reply_to_read_and_a_reader_may_raise_any() -> None:
    def refuses(reply: Reply, _text: object) -> str:
        raise ReplyError(f"MINE {reply!r}")

    batch = CommandBatch(Config())
    refused, invalid, mine = [batch.execute(Command("GET", key, read=refuses)) for key in "abc"]
    slot = made(batch)
    slot.replies += [NO, InvalidReplyError(b":x"), b"1"]
    batch.answered(slot)
    with pytest.raises(ReplyError, match="unknown command"):
        refused.result()
    with pytest.raises(InvalidReplyError) as caught:
        invalid.result()
    assert caught.value.__notes__ == ["command 2 of 3 in the pipeline: GET"]
    with pytest.raises(ReplyError, match="MINE b'1'"):
        mine.result()


def test_what_cannot_be_decoded_is_an_error_of_its_own_command() -> None:
    for end in ("answered", "lost"):
        batch = CommandBatch(Config(decode=True))
        first, second, third = [batch.execute("GET", key) for key in "abc"]
        slot = made(batch)
        if end == "answered":
            slot.replies += [b"\x81\x30", NO, b"3"]
            batch.answered(slot)
        else:
            batch.lost(ended(slot, [b"\x81\x30", NO], sent=3), ConnectionLostError("reset"))
        with pytest.raises(UnexpectedReplyError, match="GET: the data is no utf-8 text"):
            first.result()
        with pytest.raises(ReplyError, match="unknown command"):
            second.result()
        with pytest.raises(ConnectionLostError) if end == "lost" else nullcontext():
            assert third.result() == "3"


# -- the optimistic lock -----------------------------------------------------------------------------------------------------------


def test_a_watch_loop_tries_as_often_as_it_may() -> None:
    loop = WatchLoop(["a", b"b"], attempts=2)
    assert encode_command(loop.watch.args) == encode_command(("WATCH", "a", "b"))
    assert loop.unwatch.args == ("UNWATCH",)
    assert repr(loop) == "<WatchLoop: attempt 1 of 2>"
    assert loop.again()
    assert not loop.again()


@pytest.mark.parametrize(("keys", "attempts"), [([], 1), (["k"], 0)])
def test_a_watch_loop_needs_something_to_watch_and_to_do(keys: list[str], attempts: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        WatchLoop(keys, attempts)


@pytest.mark.parametrize("attempts", ["3", 3.0, True, None])
def test_attempts_are_counted(attempts: Any) -> None:
    with pytest.raises(TypeError, match="attempts must be an int"):
        WatchLoop(["k"], attempts)


@pytest.mark.parametrize(
    ("error", "ended", "needed"),
    [
        (TransactionAbortedError("a key changed"), True, False),
        (TransactionAbortedError("of another loop"), False, True),
        (TransactionDiscardedError("a command was refused", reason=ABORT), True, False),
        (KeyboardInterrupt(), True, True),
        (ValueError("decided otherwise"), False, True),
    ],
)
def test_a_watch_is_ended_unless_exec_has_ended_it(error: BaseException, ended: bool, needed: bool) -> None:
    assert WatchLoop.needs_unwatch(error, ended=ended) is needed


# -- what is being run -------------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_is_being_run_takes_no_more_and_is_not_run_twice() -> None:
    batch = CommandBatch(Config())
    batch.execute("INCR", "a")
    slot = made(batch)
    for again in (lambda: batch.execute("INCR", "b"), lambda: batch.slot(inf)):
        with pytest.raises(LocalProtocolError, match="is being run"):
            again()
    assert slot.count == len(slot.payloads) == 1


def test_each_result_of_a_transaction_that_did_not_run_says_why() -> None:
    batch = CommandBatch(Config(), transaction=True)
    results = [batch.execute("INCR", "a"), batch.execute("GET"), batch.execute("INCR", "b")]
    with pytest.raises(LocalProtocolError, match="has not been run"):
        assert batch.failures
    slot = made(batch)
    slot.replies += ["OK", "QUEUED", NO, "QUEUED", ABORT]
    with pytest.raises(TransactionDiscardedError) as caught:
        batch.answered(slot)
    told = []
    for result in results:
        with pytest.raises(RespError) as raised:
            result.result()
        told.append(raised.value)
    assert [type(error) for error in told] == [TransactionDiscardedError, ReplyError, TransactionDiscardedError]
    assert told[1] == NO
    assert {str(told[0]), str(told[2])} == {str(caught.value)}
    assert [error.__notes__ for error in told] == [
        [f"command {index + 1} of 3 in the transaction: {name}"] for index, name in enumerate(("INCR", "GET", "INCR"))
    ]
    assert told[0] is not told[2]
    assert [(index, name) for index, name, _ in batch.failures] == [(0, "INCR"), (1, "GET"), (2, "INCR")]


@pytest.mark.parametrize("transaction", [False, True])
def test_those_that_failed_are_told_together(transaction: bool) -> None:
    batch = CommandBatch(Config(), transaction=transaction)
    batch.execute("SET", "k", "v")
    batch.execute("LPUSH", "k", "x")
    batch.execute(commands.incr("k"))
    slot = made(batch)
    wrong = ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value")
    answers: list[Reply] = ["OK", wrong, "no number"]
    slot.replies[:] = ["OK", *["QUEUED"] * 3, answers] if transaction else answers
    batch.answered(slot)
    first, second = batch.failures
    assert first == CommandFailure(1, "LPUSH", wrong)
    assert (second.position, second.name, type(second.error)) == (2, "INCR", UnexpectedReplyError)


def test_execute_without_a_command_names_what_sends() -> None:
    batch = CommandBatch(Config())
    with pytest.raises(ValueError, match=r"call run\(\)"):
        batch.execute()  # type: ignore[call-overload]
    assert len(batch) == 0


@pytest.mark.parametrize("transaction", [False, True])
def test_an_error_says_which_of_the_commands_it_answered(transaction: bool) -> None:
    batch = CommandBatch(Config(), transaction=transaction)
    results = [batch.execute("SET", "k", "v"), batch.execute("INCR", "k"), batch.execute("INCR", "k")]
    slot = batch.slot(inf)
    assert slot is not None
    wrong = ReplyError("ERR value is not an integer or out of range")
    replies: list[Reply] = ["OK", wrong, wrong]  # one object for both, as EXECABORT is
    slot.replies[:] = ["OK", "QUEUED", "QUEUED", "QUEUED", replies] if transaction else replies
    batch.answered(slot)
    what = "transaction" if transaction else "pipeline"
    for index in (1, 2, 1):  # however often it is asked for
        with pytest.raises(ReplyError) as caught:
            results[index].result()
        assert caught.value == wrong
        assert caught.value.__notes__ == [f"command {index + 1} of 3 in the {what}: INCR"]


def test_a_reply_that_cannot_be_read_and_one_that_never_came_say_so_too() -> None:
    batch = CommandBatch(Config())
    results = [batch.execute(commands.incr("a")), batch.execute("GET", "b")]
    slot = batch.slot(inf)
    assert slot is not None
    slot.replies.append("no number")
    slot.settle(SlotState.LOST, 0)
    batch.lost(slot, ConnectionLostError("gone"))
    for index, result in enumerate(results):
        with pytest.raises(RespError) as caught:
            result.result()
        assert caught.value.__notes__ == [f"command {index + 1} of 2 in the pipeline: {('INCR', 'GET')[index]}"]
