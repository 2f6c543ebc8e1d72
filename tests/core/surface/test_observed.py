"""Calls and waits are told in both colours where they are made: before anything is sent, and when all is over."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from core.client.notes import Notes
from core.surface.driver import COLOURS
from resp_sansio import (
    Cache,
    CallBegan,
    CallEnded,
    ConnectError,
    ConnectionClosedError,
    Observer,
    Outcome,
    PoolFullError,
    UseEnded,
    WaitEnded,
)
from resp_sansio.connection import new_slot

if TYPE_CHECKING:
    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

who: ContextVar[str] = ContextVar("who", default="nobody")


class Strikes(Observer):
    """It is struck when it is told."""

    def __init__(self, method: str, strikes: BaseException) -> None:
        self._method = method
        self._strikes = strikes

    def call_began(self, call: CallBegan) -> object:  # noqa: ARG002
        if self._method == "began":
            raise self._strikes
        return None

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        if self._method == "ended":
            raise self._strikes

    def wait_ended(self, wait: WaitEnded) -> None:  # noqa: ARG002
        if self._method == "waited":
            raise self._strikes


def test_calls_are_told_in_the_context_of_their_callers(colour: Colour) -> None:
    seen: list[tuple[str, str, int]] = []

    class Sees(Observer):
        def call_began(self, call: CallBegan) -> object:
            seen.append((who.get(), call.command, len(driver.stage.executed())))
            return "token"

        def call_ended(self, call: CallEnded, token: object) -> None:
            seen.append((who.get(), f"{call.command} {token}", len(driver.stage.executed())))

    with colour.block(colour.client("redis://stage", observers=[Sees()])) as client:
        driver = client._driver
        colour.do(client.echo("k"))
        before = len(driver.stage.executed())
        seen.clear()
        token = who.set("me")
        try:
            colour.do(client.echo("k"))
        finally:
            who.reset(token)
    assert seen == [("me", "ECHO", before), ("me", "ECHO token", before + 1)]


def test_who_does_not_ask_for_the_beginning_is_told_the_end_all_the_same(colour: Colour) -> None:
    told: list[object] = []

    class Ends(Observer):
        def call_ended(self, call: CallEnded, token: object) -> None:
            told.append((call.command, token))

    with colour.block(colour.client("redis://stage", observers=[Ends()])) as client:
        colour.do(client.echo("k"))
    assert told == [("ECHO", None)]


def test_every_way_of_calling_is_told(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes])) as client:
        colour.do(client.execute("ECHO", "k"))
        colour.do(client.echo("k"))
        with colour.block(client.pipeline()) as pipe:
            pipe.echo("k")
            pipe.echo("k")
        with colour.block(client.pipeline()):
            pass  # nothing to send, and no call

        def update(transaction: Any) -> None:
            transaction.execute("ECHO", "k")

        colour.do(client.transact(colour.update(update), "k"))
        with colour.block(client.acquire()) as own:
            colour.do(own.echo("k"))
    told = notes.of(CallEnded)
    assert [(call.command, call.route) for call in told] == [
        ("ECHO", "lane"),
        ("ECHO", "lane"),
        ("PIPELINE", "lane"),
        ("WATCH", "connection"),
        ("MULTI", "connection"),
        ("ECHO", "connection"),
    ]
    assert [wait.ended for wait in notes.of(WaitEnded)] == ["granted", "granted"]
    assert [(use.address, use.number) for use in notes.of(UseEnded)] == [("stage:6379", 2)] * 2
    with colour.block(colour.connect(observers=[notes])) as connection:
        colour.do(connection.echo("k"))
    assert notes.of(CallEnded)[-1].route == "connection"


def test_a_call_that_is_struck_or_refused_is_told_and_raises_as_ever(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes])) as client:
        colour.do(client.echo("k"))
        stage = client._driver.stage
        stage.deaf.add(stage.link)
        client._driver.strikes = strikes = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            colour.do(client.incr("n"))
        told = notes.of(CallEnded)[-1]
        assert (told.error, told.outcome, told.abandoned) == (strikes, Outcome.MAYBE_EXECUTED, True)
    with pytest.raises(ConnectionClosedError) as caught:
        colour.do(client.echo("k"))
    assert notes.of(CallEnded)[-1].error is caught.value
    assert not notes.under_way


def test_a_call_that_is_begun_ahead_is_told_when_its_caller_has_waited_for_it(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes])) as client:
        calls, stage = client._calls, client._driver.stage
        slot = new_slot(("ECHO", "k"), None, inf)
        calls.ahead(slot)
        assert [began.command for began in notes.under_way.values()] == ["ECHO"]
        colour.do(calls.finish(slot))
        assert (notes.of(CallEnded)[-1].command, notes.of(CallEnded)[-1].error) == ("ECHO", None)
        with colour.block(client.acquire()) as connection:
            slot = new_slot(("ECHO", "k"), None, inf)
            connection._calls.ahead(slot, connection._lease)
            calls.give_up(slot)
        assert (notes.of(CallEnded)[-1].route, notes.of(CallEnded)[-1].error) == ("connection", None)
        stage.deaf.update(stage.peers)
        client._driver.strikes = strikes = KeyboardInterrupt()
        for leave, told in ((lambda slot: colour.do(calls.finish(slot)), strikes), (calls.give_up, None)):
            slot = new_slot(("INCR", "n"), None, inf)
            calls.ahead(slot)
            with suppress(KeyboardInterrupt):
                leave(slot)
            ended = notes.of(CallEnded)[-1]
            assert (ended.outcome, ended.abandoned) == (Outcome.MAYBE_EXECUTED, True)
            assert ended.error is told or isinstance(ended.error, GeneratorExit)
    with pytest.raises(ConnectionClosedError) as caught:
        calls.ahead(new_slot(("ECHO", "k"), None, inf))
    assert notes.of(CallEnded)[-1].error is caught.value
    assert not notes.under_way


def test_who_does_not_ask_for_a_beginning_ahead_is_told_the_end(colour: Colour) -> None:
    told: list[str] = []

    class Ends(Observer):
        def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
            told.append(call.command)

    with colour.block(colour.client("redis://stage", observers=[Ends()])) as client:
        slot = new_slot(("ECHO", "k"), None, inf)
        client._calls.ahead(slot)
        colour.do(client._calls.finish(slot))
    assert told == ["ECHO"]


def test_a_wait_that_ends_in_vain_is_told_and_raises_as_ever(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.pool("redis://stage", max_size=1, max_waiting=0, observers=[notes])) as pool:
        with colour.block(pool.acquire()), pytest.raises(PoolFullError) as caught:
            colour.enter(pool.acquire())

        def struck(*_: object) -> None:
            raise KeyboardInterrupt

        pool._driver.wait_for_link = struck
        with pytest.raises(KeyboardInterrupt):
            colour.enter(pool.acquire())
    assert [(wait.ended, type(wait.error)) for wait in notes.of(WaitEnded)] == [
        ("granted", type(None)),
        ("refused", PoolFullError),
        ("withdrawn", KeyboardInterrupt),
    ]
    assert notes.of(WaitEnded)[1].error is caught.value
    assert len(notes.of(UseEnded)) == 1


def test_a_use_lasts_until_its_block_ends(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.pool("redis://stage", observers=[notes])) as pool:
        with colour.block(pool.acquire()):
            assert not notes.of(UseEnded)
            pool._driver.stage.pass_time(5.0)
        assert [round(use.used) for use in notes.of(UseEnded)] == [5]


def test_a_use_is_told_of_clients_with_a_cache_too(colour: Colour) -> None:
    notes = Notes()
    with (
        colour.block(colour.client("redis://stage", cache=Cache(), observers=[notes])) as client,
        colour.block(client.acquire()),
    ):
        pass
    assert len(notes.of(UseEnded)) == 1


def test_what_the_parent_of_a_fork_has_lent_is_no_use_of_the_child(colour: Colour) -> None:
    notes = Notes()
    with colour.block(colour.client("redis://stage", observers=[notes])) as client:
        driver = client._driver
        with colour.block(client.acquire()):
            driver.machine, parents = driver.make(lambda: 0.5), driver.machine
        driver.machine = parents
    assert len(notes.of(WaitEnded)) == 1
    assert not notes.of(UseEnded)


@pytest.mark.parametrize("method", ["began", "ended"])
def test_what_is_no_exception_goes_its_way_through_the_caller(colour: Colour, method: str) -> None:
    first, last = Notes(), Notes()
    strikes = Strikes(method, KeyboardInterrupt())
    with (
        colour.block(colour.client("redis://stage", observers=[first, strikes, last])) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        colour.do(client.echo("k"))
    for notes in (first,) if method == "began" else (first, last):
        (told,) = notes.of(CallEnded)
        assert (told.error is None) == (method == "ended")
    assert not last.under_way


def test_a_borrower_that_is_struck_by_its_telling_has_no_link(colour: Colour) -> None:
    with colour.block(colour.pool("redis://stage", observers=[Strikes("waited", KeyboardInterrupt())])) as pool:
        with pytest.raises(KeyboardInterrupt):
            colour.enter(pool.acquire())
        assert pool.stats().leased == 0


def test_a_dial_that_fails_is_told_to_the_observers_of_a_connection(colour: Colour) -> None:
    with pytest.raises(TypeError, match="observers must be a list of Observers; got int"):
        colour.client("redis://stage", observers=7)
    with pytest.raises(ValueError, match="observers must be a list of Observers"):
        colour.client("redis://stage", observers=[ConnectError])
