"""What is tried again, and what never: by outcomes, by error replies, by how often it was tried."""

from __future__ import annotations

from sys import float_info
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Argument,
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    RemoteProtocolError,
    Reply,
    ReplyError,
    RespError,
)
from resp_sansio.client.retry import (
    CODES,
    OWN_ERRORS,
    REFUSALS,
    Attempts,
    Meaning,
    error_reply,
    may_repeat,
    may_resend,
    meaning,
    meaning_of_all,
    points_to_replica,
    was_refused,
)
from resp_sansio.commands.table import TABLE
from resp_sansio.config.retry import Breaker, Retry
from resp_sansio.connection import (
    Batch,
    Connection,
    Slot,
    SlotState,
    StatefulBatch,
    command_info,
    new_batch,
    new_slot,
    prepare,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWER, LATER, REPLICA = Meaning.ANSWER, Meaning.LATER, Meaning.REPLICA
NOT_SENT, MAYBE = Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED
GET, INCR = ("GET", "k"), ("INCR", "k")
LOST = ConnectionLostError("the connection was reset")
POLICY = Retry()
randoms = st.floats(0, 1, exclude_max=True)


def ended(commands: Sequence[tuple[Argument, ...]], sent: int, answered: Sequence[Reply] = ()) -> Slot:
    """A slot whose connection ended after so many whole commands were sent, and these replies."""
    payloads, infos = zip(*map(prepare, commands), strict=True)
    slot = new_slot(commands[0]) if len(commands) == 1 else new_batch(payloads, infos)
    for reply in answered:
        if isinstance(slot, StatefulBatch):
            slot.answer(reply)
        elif isinstance(slot, Batch):
            slot.replies.append(reply)
    if sent:
        slot.state = SlotState.HANDED
        slot.end = sum(map(len, payloads))
    slot.settle(SlotState.LOST, sum(map(len, payloads[:sent])))
    return slot


# -- the policy ------------------------------------------------------------------------------------------------------------


@given(attempt=st.integers(1, 10_000), random=randoms, base=st.floats(0, 10), more=st.floats(0, 10))
def test_a_pause_is_random_below_a_bound_that_doubles_up_to_the_cap(
    attempt: int, random: float, base: float, more: float
) -> None:
    policy = Retry(base=base, cap=base + more)
    assert 0 <= policy.pause(attempt, random) <= policy.cap
    assert policy.pause(1, random) == random * base
    pause, following = policy.pause(attempt, random), policy.pause(attempt + 1, random)
    assert pause <= following <= 2 * pause + float_info.min  # a float below that has fewer digits


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"attempts": 0}, ValueError),
        ({"attempts": True}, TypeError),
        ({"base": -1}, ValueError),
        ({"cap": float("nan")}, ValueError),
        ({"base": 2, "cap": 1}, ValueError),
        ({"maybe_executed": 1}, TypeError),
        ({"tries": 1}, TypeError),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        Retry(**wrong)


@given(attempts=st.integers(1, 20), random=randoms)
def test_a_call_is_tried_as_often_as_the_policy_says(attempts: int, random: float) -> None:
    call = Attempts(Retry(attempts=attempts))
    refused = ConnectError("refused", transient=True)
    pauses = 0
    while (pause := call.after(refused, random)) is not None:
        pauses += 1
        assert pause == call.policy.pause(pauses, random)
    assert pauses + 1 == attempts == call.made
    assert repr(call) == f"<Attempts: {attempts} of {attempts}>"


def test_no_attempt_begins_when_the_call_is_over_and_those_made_are_told() -> None:
    call = Attempts(Retry(attempts=5, base=1, cap=1))
    refused = ConnectError("refused", transient=True)
    refused.__cause__ = OSError("below")
    assert call.told(refused) is refused
    assert call.after(refused, 0.5, left=0.6) == 0.5
    assert call.after(refused, 0.5, left=0.5) is None
    told = call.told(refused)
    assert (type(told), str(told)) == (ConnectError, "refused; 2 attempts were made")
    assert isinstance(told, ConnectError)
    assert (told.transient, told.__cause__) == (True, refused.__cause__)


@pytest.mark.parametrize(
    "failure",
    [
        CommandTimeoutError("too late", outcome=Outcome.NOT_SENT),
        ConnectionLostError("gone"),
        RemoteProtocolError("no RESP", outcome=Outcome.NOT_SENT),
    ],
)
def test_what_ends_a_call_says_why_there_was_no_connection(failure: RespError) -> None:
    call = Attempts(Retry())
    call.after(ConnectError("refused", transient=True), 0.0)
    told = call.told(failure)
    assert (type(told), told.outcome) == (type(failure), failure.outcome)
    assert str(told) == f"{failure}; 2 attempts were made; the last dial that failed: refused"


def test_other_ends_of_a_call_are_told_as_they_are() -> None:
    call = Attempts(Retry())
    call.another(0.0)
    closed = ConnectionClosedError("closed")
    assert call.told(closed) is closed
    lost = ConnectionLostError("gone")
    assert str(call.told(lost)) == "gone; 2 attempts were made"


# -- a slot that ended with its connection ---------------------------------------------------------------------------------


def test_what_was_not_sent_is_sent_again_whatever_it_is() -> None:
    assert may_resend(ended([INCR], sent=0))
    assert may_resend(ended([INCR] * 3, sent=0))
    assert may_resend(ended([("SUBSCRIBE", "news")], sent=0))
    assert may_resend(ended([("MULTI",), INCR, ("EXEC",)], sent=0))


def test_what_may_have_run_is_sent_again_only_if_it_may_run_twice_or_the_caller_allows_it() -> None:
    assert may_resend(ended([GET], sent=1))
    for unsafe in (INCR, ("EVAL", "return 1", 0), ("NEVER.HEARD.OF", "k"), ("BLPOP", "k", 0)):
        slot = ended([unsafe], sent=1)
        assert slot.outcomes == (MAYBE,)
        assert not may_resend(slot)
        assert may_resend(slot, maybe_executed=True)


def test_a_pipeline_continues_if_everything_sent_and_not_answered_may_run_twice() -> None:
    # An answered one is not sent again, and one that was not sent is no concern.
    assert may_resend(ended([INCR, GET, GET, INCR], sent=3, answered=[1]))
    assert may_resend(ended([INCR, INCR], sent=1, answered=[1]))
    assert not may_resend(ended([GET, INCR, GET], sent=3, answered=[b"v"]))
    assert may_resend(ended([GET, INCR, GET], sent=3, answered=[b"v"]), maybe_executed=True)


def test_a_transaction_is_sent_again_whole_or_not_at_all() -> None:
    reads, writes = [("MULTI",), GET, ("EXEC",)], [("MULTI",), INCR, ("EXEC",)]
    assert may_resend(ended(reads, sent=3, answered=["OK", "QUEUED"]))
    # MULTI was accepted and EXEC not sent whole: nothing ran.
    assert may_resend(ended(writes, sent=2, answered=["OK"]))
    # Had MULTI been refused, INCR would have run by itself.
    assert not may_resend(ended(writes, sent=2))
    assert not may_resend(ended(writes, sent=3, answered=["OK", "QUEUED"]))
    assert may_resend(ended(writes, sent=3, answered=["OK", "QUEUED"]), maybe_executed=True)


def test_what_a_script_has_run_for_certain_is_not_run_again() -> None:
    slot = ended([INCR, ("MULTI",), GET, ("EXEC",)], sent=4, answered=[1, "OK"])
    assert not may_resend(slot)
    assert not may_resend(slot, maybe_executed=True)


@given(
    commands=st.lists(st.sampled_from([GET, INCR]), min_size=2, max_size=6),
    sent=st.integers(0, 6),
    answered=st.integers(0, 6),
    transaction=st.booleans(),
)
def test_nothing_is_run_twice_that_may_not_be(
    commands: list[tuple[str, str]], sent: int, answered: int, transaction: bool
) -> None:
    words: list[tuple[Argument, ...]] = [("MULTI",), *commands, ("EXEC",)] if transaction else [*commands]
    sent = min(sent, len(words))
    answered = min(answered, sent - 1 if transaction else sent, sent) if sent else 0
    replies: list[Reply] = ["OK", *["QUEUED"] * 6] if transaction else [1] * 6
    slot = ended(words, sent, replies[:answered])
    # At worst the server has executed all it was sent; of a transaction that began, nothing without its EXEC.
    executed = [] if transaction and answered and sent < len(words) else words[:sent]
    # A transaction is sent again whole, a pipeline without what was answered.
    twice = executed if transaction else executed[answered:]
    assert may_resend(slot) is (INCR not in twice)


# -- error replies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_some_errors_are_said_instead_of_executing(code: str) -> None:
    refusal = ReplyError(f"{code} for some reason")
    expected = REPLICA if code == "READONLY" else LATER
    assert meaning(refusal, command_info(INCR)) is expected
    # A script, or a module, may say so after it has done something.
    for unsure in ("EVAL", "EVALSHA", "FCALL", "NEVER.HEARD.OF", "TS.ADD"):
        assert meaning(refusal, command_info((unsure, "k"))) is ANSWER
    for certain in ("EVAL_RO", "FCALL_RO"):
        assert meaning(refusal, command_info((certain, "k"))) is expected


@pytest.mark.parametrize("refusal", [ReplyError(words) for words in sorted(REFUSALS)])
def test_a_refusal_of_a_cluster_is_known_by_its_words_whatever_was_refused(refusal: ReplyError) -> None:
    for name in ("EVAL", "EVALSHA", "FCALL", "NEVER.HEARD.OF", "JSON.SET"):
        info = command_info((name, "k"))
        assert meaning(refusal, info) is LATER
        assert was_refused(refusal, info)
        assert not was_refused(ReplyError(f"{refusal.code} for some reason"), info)
        assert meaning_of_all([refusal, refusal], [info, command_info(INCR)]) is LATER
        assert meaning_of_all([refusal, ReplyError("LOADING x")], [info, command_info(INCR)]) is ANSWER


@pytest.mark.parametrize("name", [name for name, line in TABLE.items() if "." not in name and name not in OWN_ERRORS])
def test_what_the_server_says_for_itself_is_believed_of_every_command_of_its_own(name: str) -> None:
    """Whichever version brought the command, of Redis or of Valkey alone."""
    assert meaning(ReplyError("LOADING x"), command_info((name,))) is LATER


def test_a_newer_command_does_not_keep_its_transaction_from_being_tried_again() -> None:
    refused = [ReplyError("BUSY x"), ReplyError("BUSY x")]
    assert meaning_of_all(refused, [command_info(INCR), command_info(("HEXPIRE", "h", 1, "FIELDS", 1, "f"))]) is LATER


WAITS = ("BLPOP", "k", 0)
STATE_CHANGED = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
BY_HAND = "UNBLOCKED client unblocked via CLIENT UNBLOCK"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (WAITS, REPLICA),
        (("XREADGROUP", "GROUP", "g", "me", "BLOCK", 0, "STREAMS", "s", ">"), REPLICA),
        (("XREAD", "BLOCK", 0, "STREAMS", "s", "5-0"), REPLICA),
        (("XREAD", "BLOCK", 0, "STREAMS", "s", "$"), ANSWER),
        (("WAIT", 1, 0), ANSWER),
        (("EVAL", "return 1", 0), ANSWER),
        (("MY.BLOCKING", "k"), ANSWER),
    ],
)
def test_what_waited_on_a_server_that_became_a_replica(args: tuple[Argument, ...], expected: Meaning) -> None:
    assert meaning(ReplyError(STATE_CHANGED), command_info(args)) is expected
    assert meaning(ReplyError(STATE_CHANGED.replace("master", "primary")), command_info(args)) is expected
    assert meaning(ReplyError(BY_HAND), command_info(args)) is ANSWER, "the caller wants it to end"


def test_a_server_that_became_a_replica_is_left() -> None:
    slot = new_slot(WAITS)
    slot.reply = ReplyError(STATE_CHANGED)
    assert points_to_replica(slot)
    slot.reply = ReplyError(BY_HAND)
    assert not points_to_replica(slot)


@given(reply=st.none() | st.integers() | st.binary() | st.text().map(ReplyError))
def test_everything_else_is_an_answer(reply: Reply) -> None:
    assert meaning(reply, command_info(INCR)) is ANSWER


@pytest.mark.parametrize(
    "text", ["ERR wrong", "WRONGTYPE x", "OOM x", "MOVED 1 h:1", "NOAUTH x", "BUSYGROUP x", "busy x"]
)
def test_an_error_of_the_command_is_an_answer(text: str) -> None:
    assert meaning(ReplyError(text), command_info(GET)) is ANSWER


def test_a_pipeline_is_tried_again_only_if_all_of_it_was_refused() -> None:
    loading, readonly = ReplyError("LOADING x"), ReplyError("READONLY x")
    infos = [command_info(GET), command_info(INCR)]
    assert meaning_of_all([loading, loading], infos) is LATER
    assert meaning_of_all([loading, readonly], infos) is REPLICA
    assert meaning_of_all([1, loading], infos) is ANSWER
    assert meaning_of_all([ReplyError("ERR x"), loading], infos) is ANSWER
    assert meaning_of_all([loading, loading], [*infos, command_info(("EVAL", "", 0))]) is ANSWER
    assert meaning_of_all([], []) is ANSWER


def test_a_transaction_that_was_refused_says_why_in_one_place_or_another() -> None:
    abort = ReplyError("EXECABORT Transaction discarded because of previous errors.")
    infos = [command_info((name, "k")) for name in ("MULTI", "GET", "INCR", "EXEC")]
    # One command was refused while being queued, EXEC says no more than that.
    assert meaning_of_all([abort, ReplyError("READONLY You can't write")], infos) is REPLICA
    assert meaning_of_all([abort, ReplyError("ERR unknown command")], infos) is ANSWER
    assert meaning_of_all([abort, abort], infos) is ANSWER
    # EXEC itself was refused.
    because = ReplyError("EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in memory")
    assert meaning_of_all([because, because], infos) is LATER


# -- a call ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "slot", "repeated"),
    [
        (ConnectError("refused", transient=True), None, True),
        (ConnectError("wrong password", transient=False), None, False),
        (ConnectionLostError("cut", outcome=NOT_SENT), None, True),
        (ConnectionLostError("cut"), None, False),
        (LOST, ended([GET], sent=1), True),
        (LOST, ended([INCR], sent=1), False),
        (LOST, ended([INCR], sent=0), True),
        (RemoteProtocolError("garbage"), ended([GET], sent=1), True),
        (ReplyError("LOADING x"), new_slot(INCR), True),
        (ReplyError("READONLY x"), new_slot(INCR), True),
        (ReplyError("ERR x"), new_slot(GET), False),
        (ReplyError("LOADING x"), None, False),
        (ReplyError("LOADING x"), ended([GET, GET], sent=2), False),  # one of several
        (CommandTimeoutError("too late", outcome=NOT_SENT), new_slot(GET), False),
        (ConnectionClosedError("closed"), new_slot(GET), False),
    ],
)
def test_a_call_is_repeated_where_that_is_safe_and_may_help(failure: Any, slot: Slot | None, repeated: bool) -> None:
    assert may_repeat(failure, slot, POLICY) is repeated
    assert (Attempts(POLICY).after(failure, 0.5, slot) is not None) is repeated


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ConnectionLostError("the server closed the connection"), True),
        (RemoteProtocolError("garbage"), True),
        (ConnectError("reset in the handshake", transient=True), True),
        (ConnectError("wrong password", transient=False), False),
        (None, False),  # the caller closed it
    ],
)
@pytest.mark.parametrize("command", [Command("GET", "k"), Command("INCR", "k")], ids=str)
def test_a_command_for_a_connection_that_had_ended_is_repeated_unless_the_caller_closed_it(
    error: RespError | None, repeated: bool, command: Command[Reply]
) -> None:
    connection, slot = Connection(), new_slot(command.args)
    connection.abort(error)
    with pytest.raises(ConnectionClosedError) as caught:
        connection.submit(slot)
    assert may_repeat(caught.value, slot, POLICY) is repeated


@pytest.mark.parametrize("sent", [False, True])
def test_a_call_whose_connection_its_caller_closed_is_not_repeated(sent: bool) -> None:
    for error, repeated in ((None, False), (LOST, True)):
        connection = Connection()
        slot = connection.send(Command("GET", "k"))
        if sent:
            connection.sent(len(connection.data_to_send()))
        connection.abort(error)
        assert connection.error is not None
        for failure in (connection.error, slot.failure(connection.error)):
            assert may_repeat(failure, slot, POLICY) is repeated


def test_a_policy_may_allow_what_may_have_run() -> None:
    assert may_repeat(LOST, ended([INCR], sent=1), Retry(maybe_executed=True))


def test_a_pipeline_that_was_refused_whole_counts_as_an_attempt_like_others() -> None:
    attempts = Attempts(Retry(attempts=2, base=1, cap=1))
    assert meaning_of_all([ReplyError("LOADING x")] * 2, [command_info(GET)] * 2) is LATER
    assert attempts.another(0.5) == 0.5
    assert attempts.another(0.5) is None


# -- the breaker -----------------------------------------------------------------------------------------------------------


def test_after_failures_in_a_row_nothing_is_tried_for_a_while_and_then_one_thing() -> None:
    breaker = Breaker(failures=3, seconds=10)
    for _ in range(2):
        assert breaker.allows(0)
        breaker.failed(0)
    breaker.succeeded()  # not in a row
    for now in range(3):
        assert breaker.allows(now)
        breaker.failed(now)
    assert not breaker.allows(2)
    assert not breaker.allows(11.9)
    assert repr(breaker) == "<Breaker: open until 12, 3 failures in a row>"
    assert breaker.allows(12)  # the one that is let through
    assert repr(breaker) == "<Breaker: half-open, 3 failures in a row>"
    assert not breaker.allows(12)
    breaker.failed(13)
    assert not breaker.allows(22)
    assert breaker.allows(23)
    breaker.succeeded()
    assert breaker.allows(23)
    assert breaker.allows(23)
    assert repr(breaker) == "<Breaker: closed, 0 failures in a row>"


def test_a_trial_that_was_given_up_makes_way_for_the_next() -> None:
    breaker = Breaker(failures=1, seconds=10)
    breaker.failed(0)
    breaker.gave_up(1)  # another dial, from before
    assert not breaker.allows(1)
    assert breaker.allows(10)
    breaker.gave_up(11)
    assert breaker.allows(11)
    assert not breaker.allows(20)
    assert breaker.allows(21)  # it was not said how the last one ended


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 0), (1, float("nan"))])
def test_a_breaker_needs_a_number_and_a_time(failures: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="at least 1 failure"):
        Breaker(failures, seconds)


# -- Whose answer it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commands", "replies", "expected"),
    [
        (["SET k v"], [ReplyError("READONLY You can't write against a read only replica.")], True),
        (["SET k v"], ["OK"], False),
        (["SET k v"], [ReplyError("LOADING Redis is loading the dataset in memory")], False),
        (["GET k", "SET k v"], [b"1", ReplyError("READONLY no")], True),
        (["GET k", "SET k v"], [b"1", "OK"], False),
        (["LRANGE k 0 1", "GET k"], [[ReplyError("READONLY no")], b"1"], False),  # a value, not an answer
        (["MULTI", "SET k v", "EXEC"], ["OK", "QUEUED", [ReplyError("READONLY no")]], True),
        (
            ["MULTI", "SET k v", "EXEC"],
            [
                "OK",
                ReplyError("READONLY no"),
                ReplyError("EXECABORT Transaction discarded because of previous errors."),
            ],
            True,
        ),
        (
            ["MULTI", "SET k v", "EXEC"],
            ["OK", "QUEUED", ReplyError("EXECABORT Transaction discarded because of: READONLY no")],
            True,
        ),
    ],
)
def test_a_replica_is_known_by_what_it_says(commands: list[str], replies: list[Reply], expected: bool) -> None:
    if len(commands) == 1:
        slot = new_slot(commands[0].split())
        slot.reply = replies[0]
    else:
        prepared = [prepare(words.split()) for words in commands]
        slot = batch = new_batch([payload for payload, _ in prepared], [info for _, info in prepared])
        batch.replies = slot.reply = replies
    assert points_to_replica(slot) is expected


def test_the_error_reply_of_a_single_command() -> None:
    slot = new_slot(("GET", "k"))
    slot.reply = b"x"
    assert error_reply(slot) is None
    slot.reply = error = ReplyError("ERR no")
    assert error_reply(slot) is error


LOADING, WRONG = ReplyError("LOADING Redis is loading the dataset in memory"), ReplyError("ERR wrong")
ABORTED = ReplyError("EXECABORT Transaction discarded because of previous errors.")
BECAUSE = ReplyError("EXECABORT Transaction discarded because of: READONLY no")


@pytest.mark.parametrize(
    ("commands", "replies", "expected"),
    [
        (["GET a", "GET b"], [LOADING, LOADING], LOADING),
        (["GET a", "GET b"], [b"1", LOADING], None),  # the first was executed
        (["GET a", "GET b"], [LOADING, b"2"], None),
        (["GET a", "GET b"], [WRONG, WRONG], None),
        (["MULTI", "INCR n", "EXEC"], ["OK", LOADING, ABORTED], ABORTED),
        (["MULTI", "INCR n", "EXEC"], ["OK", "QUEUED", BECAUSE], BECAUSE),
        (["MULTI", "INCR n", "EXEC"], ["OK", "QUEUED", [1]], None),
        (["MULTI", "INCR n", "EXEC"], [LOADING, LOADING, ReplyError("ERR EXEC without MULTI")], LOADING),
        (["MULTI", "INCR n", "EXEC"], [LOADING, 1, ReplyError("ERR EXEC without MULTI")], None),  # it ran singly
        (["MULTI", "INCR n", "EXEC"], [LOADING, 1, LOADING], None),
        # The first of two transactions was executed.
        (["MULTI", "INCR a", "EXEC", "MULTI", "INCR b", "EXEC"], ["OK", "QUEUED", [1], "OK", "QUEUED", BECAUSE], None),
    ],
)
def test_a_pipeline_of_which_nothing_was_executed_may_be_repeated(
    commands: list[str], replies: list[Reply], expected: ReplyError | None
) -> None:
    prepared = [prepare(words.split()) for words in commands]
    slot = new_batch([payload for payload, _ in prepared], [info for _, info in prepared])
    slot.replies = slot.reply = replies
    assert error_reply(slot) == expected
    if expected is not None:
        assert may_repeat(expected, slot, POLICY)


def test_who_has_a_breaker_is_told_at_once() -> None:
    breaker = Breaker(1, 10.0)
    breaker.failed(0.0)
    assert not may_repeat(breaker.refusal(), new_slot(GET), POLICY)


def test_a_breaker_that_allows_no_dial_says_why() -> None:
    breaker = Breaker(2, 10.0)
    breaker.check(0.0)
    breaker.failed(0.0)
    breaker.failed(0.0)
    with pytest.raises(ConnectError, match="no dial was tried, because the last 2 had failed") as caught:
        breaker.check(5.0)
    assert caught.value.transient
    breaker.check(10.0)


def test_a_breaker_notes_how_a_dial_ended() -> None:
    times = iter([0.0, 0.0, 1.0, 9.0, 10.0, 10.0, 10.0])
    breaker = Breaker(1, 10.0)
    with pytest.raises(OSError, match="refused"), breaker.dial(times.__next__):
        raise OSError("refused")
    for _ in range(2):  # what was not tried does not put it off
        with pytest.raises(ConnectError), breaker.dial(times.__next__):
            pytest.fail("it was not allowed")
    with pytest.raises(KeyboardInterrupt), breaker.dial(times.__next__):
        raise KeyboardInterrupt
    with breaker.dial(times.__next__):
        pass
    assert not breaker.broken


def test_wait_does_not_go_on_without_the_writes_it_speaks_of() -> None:
    commands = [("GET", "k"), ("GET", "l"), ("WAIT", 1, 100)]
    assert not may_resend(ended(commands, sent=2, answered=[b"1"]))
    assert may_resend(ended(commands, sent=0))
