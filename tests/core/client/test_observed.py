"""A client with observers: what is noted of calls and links, and when; and how observers are told that misbehave."""

from __future__ import annotations

import sys
import warnings
from math import isnan
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.client.notes import Notes, begin, end
from core.client.stage import LOADING, Stage
from core.client.test_tls import Stage as TLSStage
from core.client.test_tls import opened
from resp_sansio import (
    Cache,
    CallBegan,
    CallEnded,
    CallRetried,
    CloseReason,
    CommandTimeoutError,
    Config,
    ConnectError,
    ConnectionLostError,
    DialFailed,
    KeysInvalidated,
    LinkClosed,
    LinkOpened,
    Observer,
    Outcome,
    PoolFullError,
    PoolSettings,
    PushesDropped,
    ReplyDropped,
    ReplyError,
)
from resp_sansio.client import Dial, ObservedClient, Observers, Report
from resp_sansio.client.observers import MANY, error_in
from resp_sansio.connection import SlotState, new_batch, new_slot, prepare, sending

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = PoolSettings(max_size=2)
NEWS = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
EVERYTHING = b">2\r\n$10\r\ninvalidate\r\n_\r\n"


@pytest.fixture(autouse=True, params=[True, False], ids=["short", "long"])
def short_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test once with the short path of a connection at rest, once without."""
    monkeypatch.setattr(sending, "SHORT_PATH", request.param)


def ended(notes: Notes) -> CallEnded:
    """What was told of the last call that ended."""
    return notes.of(CallEnded)[-1]


# -- calls -------------------------------------------------------------------------------------------------------------------


def test_a_call_is_told_with_its_times() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes], db=3)
    stage.now = 1.0
    stage.call("GET", "first")
    stage.now = 3.0
    stage.connect()
    assert notes.of(CallBegan)[0] == ("stage:6379", 3, "GET", ("GET",), 1)
    assert ended(notes)._asdict() == {
        "address": "stage:6379",
        "database": 3,
        "command": "GET",
        "commands": ("GET",),
        "batch_size": 1,
        "outcome": Outcome.REPLY,
        "error": None,
        "error_code": None,
        "abandoned": False,
        "attempts": 1,
        "route": "lane",
        "total": 2.0,
        "queued": 2.0,
        "network": 0.0,
        "bytes_sent": 24,
        "bytes_received": 11,
        "write": None,
    }
    stage.deaf.add(stage.link)
    stage.call("GET", "k")
    stage.now = 3.5
    stage.wake()
    told = ended(notes)
    assert (told.queued, told.network, told.total, told.bytes_sent, told.bytes_received) == (0.0, 0.5, 0.5, 20, 7)
    assert not notes.under_way


def test_the_bytes_of_a_reply_are_known_if_it_came_alone() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "first")
    stage.deaf.add(stage.link)
    stage.call("GET", "a")
    stage.call("GET", "b")
    stage.wake()
    assert [call.bytes_received for call in notes.of(CallEnded)] == [11, None, None]
    stage.deaf.add(stage.link)
    stage.call("GET", "c")
    stage.deaf.clear()
    link = stage.link
    stage.unread.clear()
    stage.say(link, b"$1\r")
    stage.say(link, b"\nc\r\n")
    assert ended(notes).bytes_received == 7


def test_a_call_that_waits_for_others_to_be_answered_is_queued_for_as_long() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    for _ in range(1024):
        stage.call("GET", "k")
    stage.call("GET", "late")
    stage.now = 2.0
    stage.wake()
    first, *_, last = notes.of(CallEnded)[1:]
    assert (first.queued, first.network) == (0.0, 2.0)
    assert (last.queued, last.network) == (2.0, 0.0)


def test_a_call_of_large_arguments_is_counted_whole() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("SET", "k", "v" * 100_000)
    assert ended(notes).bytes_sent == 100_031


def test_several_commands_are_one_call() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.batch(["GET", "a"], ["INCR", "n"])
    assert ended(notes)[2:5] == ("PIPELINE", ("GET", "INCR"), 2)
    stage.batch(["MULTI"], ["GET", "a"], ["INCR", "n"], ["EXEC"])
    assert ended(notes)[2:5] == ("MULTI", ("GET", "INCR"), 2)
    stage.batch(["GET", "a"])
    assert ended(notes)[2:5] == ("GET", ("GET",), 1)
    stage.batch(["MULTI"], ["EXEC"])
    assert ended(notes)[2:5] == ("MULTI", (), 0)
    stage.call("CONFIG", "GET", "maxmemory")
    assert ended(notes).command == "CONFIG GET"


def test_an_error_reply_is_told_with_its_code_and_its_outcome_is_a_reply() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    wrong, odd = ReplyError("WRONGTYPE no"), ReplyError("my-secret no")
    stage.answer = lambda words: {b"GET": wrong, b"HGET": odd}.get(words[0], b"fine")
    stage.call("GET", "k")
    assert (ended(notes).error, ended(notes).error_code, ended(notes).outcome) == (wrong, "WRONGTYPE", Outcome.REPLY)
    stage.call("HGET", "k", "f")
    assert (ended(notes).error, ended(notes).error_code) == (odd, "ERR")
    stage.batch(["ECHO", "k"], ["HGET", "k", "f"], ["GET", "k"])
    assert (ended(notes).error, ended(notes).error_code) == (odd, "ERR")
    stage.batch(["MULTI"], ["ECHO", "k"], ["GET", "k"], ["EXEC"])
    assert (ended(notes).error, ended(notes).error_code) == (wrong, "WRONGTYPE")
    stage.batch(["MULTI"], ["ECHO", "k"], ["EXEC"])
    assert (ended(notes).error, ended(notes).error_code) == (None, None)


def test_attempts_are_told_before_the_end_with_their_cause_and_pause() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    replies: Iterator[Any] = iter([LOADING, LOADING, b"v"])
    stage.peers[stage.link].answer = lambda _: next(replies)
    stage.now = 1.0
    stage.call("GET", "k")
    stage.pass_time(1.0)
    first, second = notes.of(CallRetried)
    assert (first.command, first.attempt, first.cause, first.pause, first.after) == ("GET", 1, LOADING, 0.004, 0.0)
    assert (second.attempt, second.pause) == (2, 0.008)
    assert second.after == pytest.approx(0.004)
    told = ended(notes)
    assert (told.attempts, told.outcome, told.error) == (3, Outcome.REPLY, None)
    assert (told.network, told.total) == (0.0, told.queued)
    assert told.total == pytest.approx(0.012)
    assert notes.all[-3:] == [first, second, told]


def test_an_attempt_by_the_next_link_follows_at_once() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    stage.call("GET", "k")
    stage.now = 2.0
    stage.cut(stage.link)
    assert [(retry.attempt, retry.pause, retry.after) for retry in notes.of(CallRetried)] == [(1, 0.0, 2.0)]
    assert isinstance(notes.of(CallRetried)[0].cause, ConnectionLostError)
    assert (ended(notes).attempts, ended(notes).queued, ended(notes).network) == (2, 2.0, 0.0)


def test_a_call_that_is_lost_is_told_with_its_error() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    stage.now = 2.0
    stage.cut(stage.link)
    told = ended(notes)
    assert (told.outcome, told.abandoned, told.network) == (Outcome.MAYBE_EXECUTED, False, 2.0)
    assert (type(told.error), str(told.error)) == stage.told(slot)
    assert told.error_code is None


def test_a_call_that_is_late_is_abandoned_and_its_reply_is_told_when_it_comes() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    stage.call("INCR", "n", deadline=1.0)
    stage.call("GET", "k")
    stage.pass_time(3.0)
    told = ended(notes)
    assert isinstance(told.error, CommandTimeoutError)
    assert (told.outcome, told.abandoned, told.network, told.total) == (Outcome.MAYBE_EXECUTED, True, 1.0, 1.0)
    assert not notes.of(ReplyDropped)
    stage.wake()
    assert notes.of(ReplyDropped) == [("stage:6379", 0, "INCR", 2.0)]
    assert ended(notes).command == "GET"


def test_a_call_whose_caller_goes_is_abandoned_too() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    slot = stage.call("GET", "k")
    stage.now = 1.0
    stage.abandon(slot)
    told = ended(notes)
    assert isinstance(told.error, KeyboardInterrupt)
    assert (told.outcome, told.abandoned, told.network) == (Outcome.MAYBE_EXECUTED, True, 1.0)
    stage.now = 4.0
    stage.cut(stage.link)
    assert not notes.of(ReplyDropped)


def test_a_call_that_is_not_sent_has_no_network_time() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    slot = stage.call("GET", "k")
    stage.now = 1.0
    stage.abandon(slot)
    told = ended(notes)
    assert (told.outcome, told.abandoned, told.queued, told.network) == (Outcome.NOT_SENT, False, 1.0, None)
    assert (told.route, told.bytes_sent, told.bytes_received) == ("lane", None, None)


def test_a_call_that_is_refused_is_told_with_what_it_raised() -> None:
    notes = Notes()
    stage = Stage(None, PoolSettings(max_size=1, max_waiting=0), observers=[notes])
    stage.lease()
    slot = new_slot(("GET", "k"))
    with pytest.raises(PoolFullError) as caught:
        stage.submit(slot)
    end(stage.observers, slot, caught.value)
    told = ended(notes)
    assert (told.outcome, told.error, told.route) == (Outcome.NOT_SENT, caught.value, "lease")


def test_a_call_that_was_handed_over_and_never_settled_may_have_run() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    slot = stage.call("INCR", "n")
    end(stage.observers, slot, KeyboardInterrupt())  # whose giving up was cut short
    assert (ended(notes).outcome, ended(notes).abandoned) == (Outcome.MAYBE_EXECUTED, False)


def test_calls_by_leases_and_by_what_their_callers_hold_say_so() -> None:
    notes = Notes()
    stage = Stage(None, POOL, observers=[notes])
    stage.call("GET", "k")
    assert ended(notes).route == "lease"
    stage.call("GET", "k", lease=stage.lease())
    assert ended(notes).route == "connection"
    once = Stage(None, once=True, observers=[notes])
    once.acquire()
    once.call("GET", "k")
    assert ended(notes).route == "connection"


def test_a_lease_that_was_of_no_use_begins_the_counting_anew() -> None:
    notes = Notes()
    stage = Stage(None, POOL, observers=[notes])
    stage.call("GET", "open")
    stage.stuck.add(stage.link)
    stage.now = 1.0
    stage.call("GET", "k")
    assert not stage.client.pool or stage.client.pool.stats().leased == 1
    stage.dials_at_once = False
    stage.now = 2.0
    stage.cut(stage.link)
    stage.now = 5.0
    stage.connect()
    told = ended(notes)
    assert (told.attempts, told.queued, told.network) == (1, 4.0, 0.0)


def test_what_the_machine_sends_itself_is_no_call() -> None:
    notes = Notes()
    stage = Stage(None, PoolSettings(pre_ping=True), observers=[notes], ping_interval=1.0)
    stage.call("GET", "open")
    stage.call("GET", "k")
    stage.pass_time(5.0)
    assert [call.command for call in notes.of(CallEnded)] == ["GET", "GET"]
    assert len(notes.of(CallBegan)) == 2
    assert not notes.of(ReplyDropped)  # of the PINGs that no caller waits for


def test_a_call_that_no_observer_was_told_of_is_made_as_ever() -> None:
    notes = Notes()
    stage = Stage(None, POOL, observers=[notes])
    stage.observers = None
    stage.call("GET", "open")
    replies: Iterator[Any] = iter([LOADING, b"v", b"w"])
    stage.peers[stage.link].answer = lambda _: next(replies)
    slot = stage.call("GET", "k")
    stage.pass_time(1.0)
    assert stage.told(slot) == b"v"
    stage.deaf.add(stage.link)
    stage.abandon(stage.call("GET", "k"))
    stage.wake()
    assert {type(fact) for fact in notes.all} == {LinkOpened}


def test_what_is_lost_in_the_middle_of_its_reply_has_no_bytes_of_it() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "open")
    stage.deaf.add(stage.link)
    stage.call("INCR", "n")
    stage.say(stage.link, b"?\r\n")
    assert (ended(notes).outcome, ended(notes).bytes_received) == (Outcome.MAYBE_EXECUTED, None)


# -- connections ---------------------------------------------------------------------------------------------------------------


def dialled(stage: Stage, *steps: float) -> Dial:
    """The first dial, as far as an adapter tells of it: it began, and had found addresses, at these times."""
    dial = stage.dials[0]
    dial.begin(steps[0])
    if steps[1:]:
        race = dial.begin_race([(2, 1, 0, "", ("10.0.0.1", 6379))])
        address = race.next(steps[1])
        assert address is not None
        race.connected(address)
    return dial


def test_a_connection_is_told_with_the_time_of_each_step() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    stage.call("GET", "k")
    dialled(stage, 1.0, 3.0)
    stage.now = 6.0
    stage.connect()
    opened, *_ = notes.of(LinkOpened)
    assert opened == ("stage:6379", 0, 1, "lane", "10.0.0.1:6379", 3, 2.0, 3.0, None, 0.0, 6.0)
    stage.now = 16.0
    stage.client.close(stage.now)
    stage.run()
    (closed,) = notes.of(LinkClosed)
    assert (closed.number, closed.route, closed.reason, closed.age, closed.commands) == (
        1,
        "lane",
        CloseReason.CLOSED,
        10.0,
        1,
    )
    assert str(closed.error) == "the client was closed"


def test_an_adapter_that_tells_no_steps_leaves_them_unknown() -> None:
    notes = Notes()
    Stage(observers=[notes]).call("GET", "k")
    (opened,) = notes.of(LinkOpened)
    assert (opened.name, opened.dial, opened.peer, opened.handshake) == (None, None, None, 0.0)


def test_the_path_of_a_unix_socket_is_told() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    stage.call("GET", "k")
    dial = stage.dials[0]
    race = dial.begin_race([(1, 1, 0, "", "\0abstract")])
    address = race.next(0.0)
    assert address is not None
    race.connected(address)
    stage.connect()
    assert notes.of(LinkOpened)[0].peer == "@abstract"


@pytest.mark.parametrize(("steps", "step"), [((), "credentials"), ((0.0,), "name"), ((0.0, 1.0), "dial")])
def test_a_dial_that_fails_says_how_far_it_came(steps: tuple[float, ...], step: str) -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    stage.call("GET", "k", deadline=9.0)
    if steps:
        dialled(stage, *steps)
    stage.now = 2.0
    stage.refuse()
    (told,) = notes.of(DialFailed)
    assert (told.step, told.route, told.total) == (step, "lane", 2.0)
    assert isinstance(told.error, ConnectError)


def test_a_handshake_that_fails_and_a_dial_that_is_given_up_are_told() -> None:
    notes = Notes()
    stage = Stage(None, POOL, dials_at_once=False, observers=[notes])
    stage.call("GET", "k")
    link = stage.client.connected(stage.dials.pop(), stage.now)
    stage.say(link, b"-ERR wrong\r\n" * 10)
    assert [(told.step, told.route, type(told.error)) for told in notes.of(DialFailed)] == [
        ("handshake", "lease", ConnectError)
    ]
    stage.client.close(stage.now)
    stage.run()
    assert not notes.of(LinkClosed)


def test_a_dial_that_is_given_up_has_no_error() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    stage.call("GET", "k")
    stage.give_up()
    assert [told.error for told in notes.of(DialFailed)] == [None]


@pytest.mark.parametrize("how", ["lost", "idle", "retired", "failed check", "broken"])
def test_why_a_connection_was_closed_is_told_as_it_is_counted(how: str) -> None:
    notes = Notes()
    settings = PoolSettings(max_idle=5.0, pre_ping=how == "failed check")
    stage = Stage(None, settings, observers=[notes], connect_timeout=1.0)
    stage.call("GET", "k")
    link = stage.link
    match how:
        case "lost":
            stage.cut(link)
        case "idle":
            stage.pass_time(6.0)
        case "retired":
            stage.client.retire(stage.now)
            stage.run()
        case "failed check":
            stage.deaf.add(link)
            stage.call("GET", "k")
            stage.pass_time(2.0)
        case _:
            lease = stage.lease()
            stage.call("SELECT", 1, lease=lease)
            stage.release(lease)
    (closed,) = notes.of(LinkClosed)
    assert closed.reason.name == how.upper().replace(" ", "_")
    pool = stage.client.pool
    assert pool is not None
    assert pool.stats().closed[closed.reason] == 1


def test_pushes_that_no_caller_can_hear_are_told() -> None:
    notes = Notes()
    stage = Stage(observers=[notes])
    stage.call("GET", "k")
    stage.say(stage.link, NEWS + NEWS)
    assert notes.of(PushesDropped) == [("stage:6379", 0, 2)]
    stage.deaf.add(stage.link)
    stage.call("GET", "a")
    stage.unread.clear()
    stage.say(stage.link, NEWS + b"$1\r\na\r\n")
    assert [told.pushes for told in notes.of(PushesDropped)] == [2, 1]
    assert (ended(notes).outcome, ended(notes).bytes_received) == (Outcome.REPLY, len(NEWS) + 7)


def test_keys_that_a_cache_is_told_of_are_told_and_without_one_are_pushes() -> None:
    notes = Notes()
    stage = Stage(observers=[notes], cache=Cache())
    stage.call("GET", "k")
    stage.say(stage.link, NEWS)
    assert notes.of(KeysInvalidated) == [("stage:6379", 0, 1)]
    stage.say(stage.link, NEWS + NEWS + EVERYTHING)
    stage.deaf.add(stage.link)
    stage.call("GET", "a")
    stage.unread.clear()
    stage.say(stage.link, NEWS + b"$1\r\na\r\n")
    assert [told.keys for told in notes.of(KeysInvalidated)] == [1, 3, 1]
    assert not notes.of(PushesDropped)


# -- TLS -----------------------------------------------------------------------------------------------------------------------


def reports(stage: TLSStage) -> None:
    """Tell what is to be told."""
    for event in stage.told:
        if isinstance(event, Report):
            event.report()


def test_the_time_of_tls_is_told() -> None:
    notes = Notes()
    stage = TLSStage(observers=[notes])
    stage.now = 2.0
    stage.exchange()
    stage.call("GET", "k")
    stage.exchange()
    reports(stage)
    (link,) = notes.of(LinkOpened)
    assert (link.tls, link.handshake) == (2.0, 0.0)


@pytest.mark.parametrize("how", ["in it", "behind it"])
def test_a_dial_that_fails_in_tls_says_so(how: str) -> None:
    notes = Notes()
    stage = TLSStage(observers=[notes])
    if how == "behind it":
        stage.send()
        stage.receive(stage.server.records())
    stage.client.handle_timeout(10.0)
    stage.carry_out()
    reports(stage)
    assert [told.step for told in notes.of(DialFailed)] == ["tls" if how == "in it" else "handshake"]


def test_bytes_of_records_are_not_those_of_a_reply() -> None:
    notes = Notes()
    stage = opened(observers=[notes])
    assert isinstance(stage.client, ObservedClient)
    slot = new_slot(("GET", "k"))
    begin(stage.client.observers, slot)
    stage.client.submit(slot, stage.now)
    stage.exchange()
    assert slot.state is SlotState.ANSWERED
    end(stage.client.observers, slot)
    assert (ended(notes).bytes_sent, ended(notes).bytes_received) == (20, None)


# -- observers -----------------------------------------------------------------------------------------------------------------


class Fails(Observer):
    """It raises this when it is told by this method."""

    def __init__(self, method: str, error: BaseException) -> None:
        self.told: list[str] = []
        self._method = method
        self._error = error

    def _tell(self, method: str) -> None:
        self.told.append(method)
        if method == self._method:
            raise self._error

    def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
        self._tell("call_began")
        return "token"

    def call_retried(self, retry: CallRetried, token: object) -> None:  # noqa: ARG002
        self._tell("call_retried")

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        assert token == "token"
        self._tell("call_ended")

    def link_opened(self, link: LinkOpened) -> None:  # noqa: ARG002
        self._tell("link_opened")


def live_through(*observers: Observer) -> None:
    """A dial, a call with two attempts, another call."""
    stage = Stage(observers=[*observers])
    replies = iter([LOADING, b"v", b"w"])
    stage.answer = lambda _: next(replies)
    first = stage.call("GET", "k")
    stage.pass_time(1.0)
    second = stage.call("GET", "k")
    assert (stage.told(first), stage.told(second)) == (b"v", b"w")


METHODS = ["call_began", "link_opened", "call_retried", "call_ended"]


@pytest.mark.parametrize("method", METHODS)
def test_an_observer_that_raises_is_told_nothing_more_and_the_others_are(method: str) -> None:
    before, fails, after = Notes(), Fails(method, LookupError("mine")), Notes()
    with pytest.warns(RuntimeWarning, match=rf"Fails raised LookupError in .*{method}.*nothing more: mine") as warned:
        live_through(before, fails, after)
    assert len(warned) == 1
    assert fails.told[-1] == method
    assert fails.told.count(method) == 1
    assert [type(fact) for fact in before.all] == [type(fact) for fact in after.all]
    assert len(before.of(CallEnded)) == 2


@pytest.mark.parametrize("method", METHODS)
def test_where_warnings_are_errors_it_is_shown_as_one_that_was_not_caught(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[type] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: shown.append(kind))
    notes = Notes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        live_through(Fails(method, LookupError("mine")), notes)
    assert shown == [RuntimeWarning]
    assert len(notes.of(CallEnded)) == 2


class OddError(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize("error", [OddError("mine"), KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize("in_a_loop", [False, True])
def test_what_is_no_exception_goes_its_way_but_not_through_a_loop(error: BaseException, in_a_loop: bool) -> None:
    observers = Observers(Config(observers=[Fails("link_opened", error), other := Fails("nothing", error)]))
    observers.in_a_loop = in_a_loop
    fact = cast("LinkOpened", object())
    if in_a_loop and isinstance(error, OddError):
        with pytest.warns(RuntimeWarning, match="Fails raised OddError in link_opened, and is told nothing more: mine"):
            observers.tell("link_opened", fact)
        observers.tell("link_opened", fact)
        assert other.told == ["link_opened"] * 2
    else:
        with pytest.raises(type(error)):
            observers.tell("link_opened", fact)


def test_an_error_that_cannot_be_told_is_warned_of_all_the_same() -> None:
    class MuteError(LookupError):
        def __str__(self) -> str:
            raise ValueError

    with pytest.warns(RuntimeWarning, match=r"raised MuteError in .*call_ended, and is told nothing more$"):
        live_through(Fails("call_ended", MuteError()), Notes())


def test_whatever_shows_warnings_may_fail_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no screen")

    monkeypatch.setattr(warnings, "showwarning", broken)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", broken)
        live_through(Fails("call_ended", LookupError()), Notes())


@pytest.mark.parametrize("method", METHODS)
def test_an_observer_that_is_given_twice_is_dropped_once(method: str) -> None:
    fails = Fails(method, LookupError("mine"))
    with pytest.warns(RuntimeWarning) as warned:
        live_through(fails, fails)
    assert len(warned) == 1
    assert fails.told.count(method) <= 2


def test_an_observer_that_is_dropped_meanwhile_is_not_told_the_end() -> None:
    fails, notes = Fails("link_opened", LookupError()), Notes()
    with pytest.warns(RuntimeWarning):
        live_through(fails, notes)
    assert fails.told == ["call_began", "link_opened"]


def test_an_interrupt_is_not_the_observers_and_the_others_are_told_once() -> None:
    struck, notes = Fails("call_ended", KeyboardInterrupt()), Notes()
    observers = Observers(Config(observers=[struck, notes]))
    observers.now = lambda: 1.0
    slot = new_slot(("GET", "k"))
    begin(observers, slot)
    with pytest.raises(KeyboardInterrupt) as caught:
        end(observers, slot, ConnectionLostError("gone"))
    end(observers, slot, caught.value)  # as its caller does, whom the interrupt has reached
    assert struck.told == ["call_began", "call_ended"]
    (told,) = notes.of(CallEnded)
    assert isinstance(told.error, ConnectionLostError)
    end(observers, slot, caught.value)
    assert len(notes.of(CallEnded)) == 1


def test_one_that_is_interrupted_at_the_beginning_is_not_told_the_end_and_neither_are_those_behind() -> None:
    first, struck, last = Notes(), Fails("call_began", KeyboardInterrupt()), Notes()
    observers = Observers(Config(observers=[first, struck, last]))
    observers.now = lambda: 1.0
    slot = new_slot(("GET", "k"))
    with pytest.raises(KeyboardInterrupt) as caught:
        begin(observers, slot)
    end(observers, slot, caught.value)
    assert len(first.of(CallEnded)) == 1
    assert not last.all
    assert struck.told == ["call_began"]


def test_of_commands_that_no_server_knows_no_more_is_kept_than_is_of_use() -> None:
    observers = Observers(Config(observers=[Observer()]))
    for number in range(3 * MANY):
        slot = new_slot((f"X{number}",))
        assert observers.kind(slot).command == f"X{number}"
        assert observers.kind(slot) is observers.kind(slot)
    assert len(observers._kinds) <= MANY


def test_observers_show_how_many_they_are_and_know_no_time_of_their_own() -> None:
    observers = Observers(Config(observers=[Observer(), Observer()]))
    assert repr(observers) == "<Observers: 2>"
    assert isnan(observers.now())
    assert not observers.begins


def test_the_base_of_observers_does_nothing() -> None:
    live_through(Observer())
    observer: Any = Observer()
    assert observer.call_began(None) is None
    for name in ("call_retried", "call_ended"):
        assert getattr(observer, name)(None, None) is None
    for name in (
        "client_made",
        "wait_ended",
        "use_ended",
        "link_opened",
        "dial_failed",
        "link_closed",
        "reply_dropped",
        "pushes_dropped",
        "keys_invalidated",
    ):
        assert getattr(observer, name)(None) is None


def a_batch(*names: str) -> Any:
    prepared = [prepare((name,)) for name in names]
    return new_batch([payload for payload, _ in prepared], [info for _, info in prepared])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("MULTI", "PING", "EXEC"), "MULTI"),
        (("MULTI", "PING", "EXEC", "TIME"), "PIPELINE"),
        (("PING", "MULTI", "PING", "EXEC"), "PIPELINE"),
    ],
)
def test_only_what_is_framed_as_a_whole_is_a_transaction(names: tuple[str, ...], told: str) -> None:
    assert Observers(Config()).kind(a_batch(*names)).command == told


def test_only_what_exec_says_is_looked_through_for_errors() -> None:
    slot = a_batch("PING", "TIME")
    slot.replies = ["PONG", [ReplyError("ERR of a function")]]
    assert error_in(slot) is None


def test_commands_that_were_handed_over_together_share_a_number() -> None:
    notes = Notes()
    stage = Stage(dials_at_once=False, observers=[notes])
    stage.call("GET", "a")
    stage.call("GET", "b")
    stage.connect()
    stage.call("GET", "c")
    one, same, alone = [call.write for call in notes.of(CallEnded)]
    assert one == same
    assert one is not None
    assert alone is None


def test_a_call_is_started_unless_it_is_to_be_held() -> None:
    stage = Stage(observers=[Notes()])
    stage.call("GET", "a")
    started = stage.client.start(new_slot(("GET", "b")), stage.now)
    assert bool(started) == sending.SHORT_PATH


def test_one_that_ends_without_a_word_of_the_network_was_there_until_then() -> None:
    notes = Notes()
    observers = Observers(Config(observers=[notes]))
    observers.now = lambda: 0.0
    slot = new_slot(("GET", "k"))
    begin(observers, slot)
    slot.watch.handed_at = 1.0
    observers.now = lambda: 3.0
    end(observers, slot, KeyboardInterrupt())
    assert (ended(notes).total, ended(notes).queued, ended(notes).network) == (3.0, 1.0, 2.0)
