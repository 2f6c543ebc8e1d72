"""Slots by themselves: how each shape takes its replies, and what it says of its commands when it gets no more."""

from __future__ import annotations

import pickle
import sys
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import (
    Attributed,
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    LocalProtocolError,
    Outcome,
    Pairs,
    RemoteProtocolError,
    Reply,
    ReplyError,
    RespError,
)
from resp_sansio.connection import Batch, Slot, SlotState, StatefulBatch, new_batch, new_slot, prepare
from resp_sansio.wire import encode_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resp_sansio import Argument

REPLY, NOT_SENT, MAYBE = Outcome.REPLY, Outcome.NOT_SENT, Outcome.MAYBE_EXECUTED


def batch(*commands: Sequence[Argument] | str) -> Batch:
    """A pipeline of these commands; a `str` is one without arguments."""
    prepared = [prepare(words.split() if isinstance(words, str) else words) for words in commands]
    return new_batch([payload for payload, _ in prepared], [info for _, info in prepared])


def script(*commands: Sequence[Argument] | str) -> StatefulBatch:
    made = batch(*commands)
    assert isinstance(made, StatefulBatch)
    return made


def handed(slot: Slot) -> Slot:
    """As if the connection had handed it over behind 1000 other bytes."""
    payload = slot.payload
    slot.end = 1000 + (len(payload) if isinstance(payload, bytes) else sum(map(len, payload)))
    slot.state = SlotState.HANDED
    return slot


# -- making them -----------------------------------------------------------------------------------------------------------------


@given(sizes=st.lists(st.sampled_from([0, 10, 32 * 1024, 40_000]), min_size=1, max_size=5))
def test_a_pipeline_sends_its_commands_one_after_the_other(sizes: list[int]) -> None:
    commands: list[tuple[Argument, ...]] = [("SET", "k", b"v" * size) for size in sizes]
    slot = batch(*commands)
    encoded = [encode_command(words) for words in commands]
    joined = slot.payload if isinstance(slot.payload, bytes) else b"".join(slot.payload)
    assert joined == b"".join(one if isinstance(one, bytes) else b"".join(one) for one in encoded)
    assert slot.count == slot.missing == len(sizes)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("GET k", Slot),
        ("BLPOP k 0", Slot),
        ("SUBSCRIBE a", StatefulBatch),
        ("AUTH secret", StatefulBatch),
        ("MONITOR", StatefulBatch),
    ],
)
def test_one_command_gets_the_smallest_shape_that_can_hold_it(words: str, kind: type[Slot]) -> None:
    slot = new_slot(words.split(), "token", 5.0)
    assert type(slot) is kind
    assert (slot.token, slot.deadline, slot.state, slot.count, slot.missing) == ("token", 5.0, SlotState.QUEUED, 1, 1)
    assert slot.name == words.partition(" ")[0]
    assert "secret" not in repr(slot)
    assert repr(slot).endswith(" QUEUED>")


def test_a_caller_may_know_better_what_a_command_is() -> None:
    info = Command("MY.LOOKUP", "k", readonly=True).info
    assert new_slot(("MY.LOOKUP", "k"), info=info).info is info
    assert not new_slot(("MY.LOOKUP", "k")).info.readonly


def test_a_pipeline_is_a_script_if_one_command_is() -> None:
    assert type(batch("GET k", "GET k")) is Batch
    assert type(batch("GET k", "UNWATCH")) is StatefulBatch
    assert (batch("GET k", "GET k").name, batch("GET k").name) == ("pipeline of 2 commands", "GET")
    assert batch("MULTI", "INCR n", "INCR n", "EXEC").name == "transaction of 2 commands"


@pytest.mark.parametrize(
    ("commands", "what"),
    [
        (["CLIENT REPLY OFF"], "CLIENT REPLY is refused"),
        (["SYNC"], "SYNC is refused"),
        (["REPLCONF ACK 0"], "REPLCONF is refused"),
        (["GET k", "MONITOR"], "MONITOR must be sent alone"),
        (["QUIT", "GET k"], "QUIT must come last"),
        (["EXEC"], "EXEC without MULTI"),
        (["GET k", "DISCARD"], "DISCARD without MULTI"),
        (["MULTI"], "MULTI without EXEC"),
        (["MULTI", "GET k"], "MULTI without EXEC"),
        *[
            (["MULTI", denied, "EXEC"], "is refused between MULTI and EXEC")
            for denied in (
                "SUBSCRIBE a", "UNSUBSCRIBE", "HELLO 3", "RESET", "QUIT", "AUTH x", "SELECT 1", "WATCH k", "MULTI",
                "CLIENT TRACKING ON",
            )
        ],
    ],
)  # fmt: skip
def test_what_would_make_the_order_of_replies_lie_is_refused(commands: list[str], what: str) -> None:
    with pytest.raises(LocalProtocolError, match=what):
        batch(*commands)


def test_a_pipeline_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one command"):
        new_batch([], [])


# -- what blocks -----------------------------------------------------------------------------------------------------------------


def test_a_slot_knows_whether_the_server_may_still_act_when_nobody_waits() -> None:
    assert new_slot(("BLPOP", "k", 0)).may_act_later
    assert not new_slot(("GET", "k")).may_act_later
    assert not new_slot(("DEBUG", "SLEEP", 1)).may_act_later
    slot = batch("GET k", "BLPOP k 0", "GET k")
    assert slot.may_act_later
    slot.missing = 1
    assert not slot.may_act_later


def test_a_slot_knows_whether_its_next_reply_may_be_held_back() -> None:
    assert new_slot(("BLPOP", "k", 0)).blocks
    assert not new_slot(("GET", "k")).blocks
    slot = batch("GET k", "BLPOP k 0")
    assert not slot.blocks
    slot.missing = 1
    assert slot.blocks


# -- scripts: transactions -------------------------------------------------------------------------------------------------------


def test_a_transaction_adds_up() -> None:
    slot = script("GET k", "MULTI", "GET k", "NOSUCH", "GET k", "EXEC", "GET k")
    for reply in ("before", "OK", "QUEUED", ReplyError("ERR unknown"), "QUEUED"):
        slot.answer(reply)
    slot.answer(ReplyError("EXECABORT"))
    slot.answer("after")
    assert slot.missing == 0
    assert slot.reply == slot.replies


@pytest.mark.parametrize("executed", [None, [1, 2], ReplyError("EXECABORT")])
def test_exec_answers_each_queued_command_or_none(executed: Reply) -> None:
    slot = script("MULTI", "GET k", "GET k", "EXEC")
    for reply in ("OK", "QUEUED", "QUEUED", executed):
        slot.answer(reply)
    assert slot.missing == 0


@pytest.mark.parametrize(
    "replies",
    [
        ["PONG"],
        [b"OK"],
        [None],
        ["OK", b"value"],
        ["OK", b"QUEUED"],
        ["OK", "QUEUED", "OK"],
        ["OK", "QUEUED", []],
        ["OK", "QUEUED", [1, 2]],
        ["OK", "QUEUED", {b"a": 1}],
        ["OK", "QUEUED", Pairs([(1, 2)])],
    ],
)
def test_a_transaction_that_does_not_add_up_is_no_answer(replies: list[Reply]) -> None:
    slot = script("MULTI", "GET k", "EXEC")
    *fine, wrong = replies
    for reply in fine:
        slot.answer(reply)
    with pytest.raises(RemoteProtocolError):
        slot.answer(wrong)
    assert slot.replies == fine


def test_what_follows_a_refused_multi_is_answered_singly() -> None:
    slot = script("MULTI", "GET k", "EXEC")
    for reply in (ReplyError("NOPERM"), b"value", ReplyError("ERR EXEC without MULTI")):
        slot.answer(reply)
    assert slot.missing == 0


def test_discard_ends_a_transaction() -> None:
    slot = script("MULTI", "GET k", "DISCARD", "GET k")
    for reply in ("OK", "QUEUED", "OK", b"value"):
        slot.answer(reply)
    assert slot.replies[-1] == b"value"


def test_an_error_that_may_repeat_a_secret_keeps_only_its_code() -> None:
    slot = new_slot(("AUTH", "secret"))
    assert isinstance(slot, StatefulBatch)
    slot.answer(ReplyError("ERR unknown command 'AUTH', with args beginning with: 'secret'"))
    assert isinstance(slot.reply, ReplyError)
    assert slot.reply.code == "ERR"
    assert "secret'" not in str(slot.reply)


@pytest.mark.parametrize("said", ["hunter2", "hunter2 is wrong", "x" * 1000, "X" * 1000, "ERR no"])
def test_a_first_word_that_is_no_code_is_withheld_too(said: str) -> None:
    slot = script("ACL SETUSER u >hunter2")
    slot.answer(ReplyError(said))
    assert slot.replies == [ReplyError("ERR (the rest of this error is withheld: it may repeat a secret)")]


def test_inside_a_transaction_too() -> None:
    error = ReplyError("ERR Error in ACL SETUSER modifier '#hunter2': the password hash must be ...")
    slot = script("MULTI", "ACL SETUSER u #hunter2", "GET k", "EXEC")
    other = ReplyError("WRONGTYPE Operation against")
    plain: list[Reply] = ["OK", "QUEUED", "QUEUED", [error, other]]
    for reply in plain:
        slot.answer(reply)
    withheld = ReplyError("ERR (the rest of this error is withheld: it may repeat a secret)")
    assert slot.replies[-1] == [withheld, other]
    slot = script("MULTI", "CONFIG SET requirepass hunter2", "GET k", "EXEC")
    described: list[Reply] = ["OK", "QUEUED", "QUEUED", [Attributed(error, {"a": 1}), Attributed(other, {})]]
    for reply in described:
        slot.answer(reply)
    assert slot.replies[-1] == [Attributed(withheld, {"a": 1}), Attributed(other, {})]
    slot = script("MULTI", "CONFIG SET requirepass hunter2", "EXEC")
    accepted: list[Reply] = ["OK", "QUEUED", ["OK"]]
    for reply in accepted:
        slot.answer(reply)
    assert slot.replies[-1] == ["OK"]


@pytest.mark.parametrize("auth", ["AUTH secret", "HELLO 3 AUTH user secret", "auth user secret"])
def test_auth_stands_alone(auth: str) -> None:
    """Some servers leave a refused one unanswered among others."""
    for commands in ([auth, "GET k"], ["GET k", auth], [auth, auth]):
        with pytest.raises(LocalProtocolError, match="must be sent alone, not in a pipeline: call it before") as caught:
            batch(*commands)
        assert "secret" not in str(caught.value)
    assert batch(auth).exclusive
    assert new_slot(auth.split()).exclusive
    assert not batch("HELLO 3", "GET k").exclusive
    assert not new_slot(("GET", "k")).exclusive


def test_quit_may_end_a_pipeline() -> None:
    assert script("GET k", "QUIT").count == 2


@pytest.mark.parametrize("slot", [new_slot(("GET", "k")), new_slot(("AUTH", "secret")), batch("GET k", "GET k")])
def test_none_can_be_pickled(slot: Slot) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(slot)


# -- how they end ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accepted", "outcome"), [(1000, NOT_SENT), (1021, NOT_SENT), (1022, MAYBE), (inf, MAYBE)])
def test_a_command_may_have_run_if_its_last_byte_was_taken(accepted: float, outcome: Outcome) -> None:
    slot = handed(new_slot(("GET", "key")))
    slot.settle(SlotState.LOST, accepted)
    assert slot.outcomes == (outcome,)
    assert slot.state is SlotState.LOST


@pytest.mark.parametrize("slot", [new_slot(("GET", "key")), batch("GET a", "GET b")])
def test_a_queued_command_cannot_have_run(slot: Slot) -> None:
    slot.settle(SlotState.WITHDRAWN, inf)
    assert set(slot.outcomes) == {NOT_SENT}


@given(count=st.integers(1, 5), data=st.data())
def test_in_a_pipeline_each_command_has_its_own_outcome(count: int, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([1, 100, 40_000]), min_size=count, max_size=count))
    slot = batch(*[("SET", "k", b"v" * size) for size in sizes])
    handed(slot)
    whole = data.draw(st.integers(0, count))
    answered = data.draw(st.integers(0, whole))
    slot.replies += ["OK"] * answered
    taken = 1000
    for payload in slot.payloads[:whole]:
        taken += len(payload) if isinstance(payload, bytes) else sum(map(len, payload))
    slot.settle(SlotState.LOST, taken + (0 if whole == count else data.draw(st.integers(0, 20))))
    assert slot.outcomes == [REPLY] * answered + [MAYBE] * (whole - answered) + [NOT_SENT] * (count - whole)


TRANSACTION = ("GET k", "MULTI", "GET k", "GET k", "EXEC", "GET k")


@pytest.mark.parametrize(
    ("answered", "taken", "outcomes"),
    [
        # MULTI was accepted, so EXEC's last byte decides for all behind it ...
        (["x", "OK"], 4, [REPLY, NOT_SENT, NOT_SENT, NOT_SENT, NOT_SENT, NOT_SENT]),
        (["x", "OK", "QUEUED"], 5, [REPLY, MAYBE, MAYBE, MAYBE, MAYBE, NOT_SENT]),
        (["x", "OK", "QUEUED", "QUEUED", [1, 2]], 5, [REPLY, REPLY, REPLY, REPLY, REPLY, NOT_SENT]),
        # ... it was refused, and the commands ran singly ...
        (["x", ReplyError("NOPERM"), "v"], 4, [REPLY, REPLY, REPLY, MAYBE, NOT_SENT, NOT_SENT]),
        # ... and until that is known, either may be so.
        (["x"], 4, [REPLY, MAYBE, MAYBE, MAYBE, NOT_SENT, NOT_SENT]),
        ([], 0, [NOT_SENT] * 6),
    ],
)
def test_in_a_transaction_the_last_byte_of_exec_decides(
    answered: list[Reply], taken: int, outcomes: list[Outcome]
) -> None:
    slot = script(*TRANSACTION)
    handed(slot)
    for reply in answered:
        slot.answer(reply)
    slot.settle(SlotState.LOST, 1000 + sum(len(payload) for payload in slot.payloads[:taken]))
    assert slot.outcomes == outcomes


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (ConnectionLostError("reset"), ConnectionLostError),
        (ConnectionClosedError("closed"), ConnectionLostError),
        (RemoteProtocolError("garbage"), RemoteProtocolError),
        (CommandTimeoutError("too slow"), CommandTimeoutError),
        (ConnectError("refused", transient=True), ConnectError),
    ],
)
@pytest.mark.parametrize("outcome", [NOT_SENT, MAYBE])
def test_a_failure_says_what_failed_why_and_whether_it_may_have_run(
    cause: RespError, kind: type[RespError], outcome: Outcome
) -> None:
    slot = batch("GET k", "GET k")
    slot.state, slot.outcomes = SlotState.LOST, [NOT_SENT, outcome]
    error = slot.failure(cause, 1)
    assert error is not slot.failure(cause, 1)
    assert error.outcome is outcome
    assert str(error) == f"GET in a pipeline of 2 commands: {cause}; {outcome.value}"
    # An error that says that there never was a connection can't tell of a command that was sent on one.
    assert type(error) is (ConnectionLostError if kind is ConnectError and outcome is MAYBE else kind)
    assert getattr(error, "transient", True)


def test_a_failure_is_of_the_first_command_that_was_not_answered_unless_said_otherwise() -> None:
    slot = batch("GET a", "SET b 1", "GET c")
    slot.state, slot.outcomes = SlotState.LOST, [REPLY, MAYBE, NOT_SENT]
    assert slot.failure(ConnectionLostError("reset")).outcome is MAYBE
    alone = new_slot(("GET", "k"))
    alone.state, alone.outcomes = SlotState.LOST, (NOT_SENT,)
    assert str(alone.failure(ConnectionLostError("reset"))) == f"GET: reset; {NOT_SENT.value}"


def test_no_failure_says_that_its_reply_was_seen() -> None:
    """An interrupt may strike between the last reply and the end of its slot, so that all replies are there, and none is told."""
    slot = batch("GET a", "GET b")
    slot.state, slot.end = SlotState.HANDED, len(slot.payload)
    slot.replies += [b"a", b"b"]
    slot.settle(SlotState.LOST, slot.end)
    assert slot.outcomes == [REPLY, REPLY]
    error = slot.failure(ConnectionLostError("interrupted"))
    assert error.outcome is MAYBE
    assert str(error).endswith(MAYBE.value)


# -- again, on another connection -------------------------------------------------------------------------------------------------


def test_a_pipeline_goes_on_behind_its_last_reply() -> None:
    slot = batch("SET a 1", "GET b", "GET c")
    slot.state, slot.end = SlotState.HANDED, len(slot.payload)
    slot.replies.append("OK")
    slot.missing -= 1
    slot.settle(SlotState.LOST, slot.end - 1)
    assert slot.outcomes == [Outcome.REPLY, Outcome.MAYBE_EXECUTED, Outcome.NOT_SENT]
    slot.renew()
    assert (slot.state, slot.missing, slot.replies) == (SlotState.QUEUED, 2, ["OK"])
    assert slot.payload == batch("GET b", "GET c").payload
    slot.state, slot.end = SlotState.HANDED, 1000 + len(slot.payload)
    slot.settle(SlotState.LOST, 1000 + len(slot.payloads[1]))
    assert slot.outcomes == [Outcome.REPLY, Outcome.MAYBE_EXECUTED, Outcome.NOT_SENT]


def test_a_transaction_begins_anew() -> None:
    slot = script("MULTI", "INCR n", "EXEC")
    payload = slot.payload
    slot.state, slot.end = SlotState.HANDED, len(slot.payload)
    slot.answer("OK")
    slot.answer("QUEUED")
    slot.settle(SlotState.LOST, 0)
    slot.renew()
    assert (slot.state, slot.missing, slot.replies, slot.payload) == (SlotState.QUEUED, 3, [], payload)
    answers: list[Reply] = ["OK", "QUEUED", [1]]
    for reply in answers:
        slot.answer(reply)
    assert slot.reply == ["OK", "QUEUED", [1]]


def test_a_single_command_is_sent_again_as_it_was() -> None:
    slot = new_slot(("GET", "k"))
    payload = slot.payload
    slot.settle(SlotState.LOST, 0)
    slot.renew()
    assert (slot.state, slot.payload) == (SlotState.QUEUED, payload)


def half_read() -> list[Slot]:
    """One of each shape, lost on its way or refused."""
    single = new_slot(("GET", "k"))
    single.settle(SlotState.LOST, 0)
    several = batch("GET a", "GET b", "GET c")
    transaction = script("MULTI", "INCR n", "EXEC")
    for slot in (several, transaction):
        handed(slot)
        slot.replies.append("OK")
        slot.missing -= 1
        slot.settle(SlotState.LOST, 0)
    refused = batch("GET a", "GET b")
    refused.state, refused.replies, refused.missing = SlotState.ANSWERED, [ReplyError("LOADING no")] * 2, 0
    return [single, several, transaction, refused]


def looks(slot: Slot) -> list[object]:
    names = ("state", "payload", "count", "missing", "begin", "replies", "attributes")
    return [(name, list(value) if isinstance(value := getattr(slot, name, None), list) else value) for name in names]


@pytest.mark.parametrize("which", range(4))
def test_an_interrupt_leaves_a_slot_as_it_was_or_ready_to_go_out_again(which: int) -> None:
    """CPython looks for signals where a function begins and where one of C's returns."""
    whole, moment = half_read()[which], 0
    whole.renew()
    cut_short = True
    while cut_short:
        slot, moment = half_read()[which], moment + 1
        before, left, cut_short = looks(slot), moment, False

        def strike(_frame: object, event: str, _arg: object) -> None:
            nonlocal left
            left -= event in ("call", "c_return")
            if not left:
                raise KeyboardInterrupt

        sys.setprofile(strike)
        try:
            slot.renew()
        except KeyboardInterrupt:
            cut_short = True
        finally:
            sys.setprofile(None)
        assert looks(slot) in (before, looks(whole))
    assert moment > 1


def test_what_was_never_submitted_was_not_sent() -> None:
    for slot in (new_slot(("GET", "k")), batch("INCR a", "INCR b")):
        error = slot.failure(ConnectError("refused", transient=True))
        assert isinstance(error, ConnectError)
        assert error.outcome is Outcome.NOT_SENT
        assert set(slot.outcomes) == {Outcome.NOT_SENT}


def test_what_may_have_run_once_may_have_run_however_the_next_attempt_ends() -> None:
    single = new_slot(("INCR", "n"))
    single.state, single.end = SlotState.HANDED, 10
    single.settle(SlotState.LOST, 10)
    several = batch("INCR a", "INCR b", "INCR c")
    several.state, several.end = SlotState.HANDED, len(several.payload)
    several.settle(SlotState.LOST, len(several.payload) - 1)
    for slot, expected in ((single, [MAYBE]), (several, [MAYBE, MAYBE, NOT_SENT])):
        assert list(slot.outcomes) == expected
        slot.renew()
        error = slot.failure(ConnectError("refused", transient=True))
        assert list(slot.outcomes) == expected
        assert isinstance(error, ConnectionLostError)
        assert error.outcome is MAYBE


def test_what_was_answered_with_an_error_did_not_run() -> None:
    slot = new_slot(("SET", "k", "v"))
    slot.state, slot.reply = SlotState.ANSWERED, ReplyError("LOADING Redis is loading the dataset in memory")
    slot.renew()
    assert (slot.state, slot.uncertain) == (SlotState.QUEUED, ())


def test_a_pipeline_that_was_refused_as_a_whole_begins_anew() -> None:
    slot = batch("GET a", "GET b")
    payload = slot.payload
    slot.state, slot.replies, slot.missing = SlotState.ANSWERED, [ReplyError("LOADING no"), ReplyError("LOADING no")], 0
    slot.renew()
    assert (slot.state, slot.replies, slot.missing, slot.payload) == (SlotState.QUEUED, [], 2, payload)


def test_what_was_answered_may_run_again_if_all_of_it_goes_out_again() -> None:
    slot = batch("INCR n", "SELECT 1")
    slot.state, slot.end = SlotState.HANDED, 10_000
    slot.replies.append(1)
    slot.settle(SlotState.LOST, 0)
    slot.renew()
    slot.failure(ConnectError("refused", transient=True))
    assert slot.outcomes == [MAYBE, NOT_SENT]


@pytest.mark.parametrize("state", [SlotState.HANDED, SlotState.ABANDONED, SlotState.WITHDRAWN])
def test_a_slot_that_is_under_way_or_given_up_does_not_go_out_again(state: SlotState) -> None:
    slot = new_slot(("INCR", "n"))
    slot.state = state
    with pytest.raises(LocalProtocolError, match=f"INCR cannot go out again: its slot is {state.name}"):
        slot.renew()
