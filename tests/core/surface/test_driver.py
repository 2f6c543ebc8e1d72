"""What adapters for tasks inherit: how calls begin, links are lent, and what the machine says is carried out."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from resp_sansio import ClientSettings, CommandTimeoutError, Config, LocalProtocolError, PoolSettings
from resp_sansio.client import Dial, Drained, Link, Listener, Report
from resp_sansio.connection import Slot, SlotState, new_slot
from resp_sansio.surface.machines import maker
from resp_sansio.surface.tasks import Caller, DriverBase, Loan
from resp_sansio.testing import Peer


class Socket:
    """A link's, to a scripted server that answers at once, or when it is told to."""

    def __init__(self, driver: Stub, link: Link) -> None:
        self.driver, self.link, self.peer = driver, link, Peer(answer=lambda words: words[-1])
        self.unread = b""
        self.silent = self.closed = False

    def wants_to_send(self) -> None:
        while block := self.link.wire.data_to_send():
            self.unread += b"".join(self.peer.receive(bytes(block)))
            self.link.wire.sent(len(block))
        if not self.silent:
            self.read()

    def read(self) -> None:
        data, self.unread = self.unread, b""
        if data:
            self.driver.carry_out(self.driver.machine.receive_data(self.link, data, 0.0))

    def has_more(self) -> bool:
        return bool(self.unread)

    def answer_look(self) -> None:
        self.read()
        self.driver.machine.looked(self.link, 0.0)

    def close(self) -> None:
        self.closed = True


class Interrupt(BaseException):
    """What strikes a task."""


class Event:
    """It was set, or not."""

    is_set = False

    def set(self) -> None:
        self.is_set = True


class Stub(DriverBase):
    """An adapter whose tasks never wait: what is to happen meanwhile does, or the task is interrupted."""

    def begin(self) -> None:
        self.begin_with(lambda: 0.5, lambda: 0.0)
        self.told: list[Any] = []  # in order: what was asked of the adapter
        self.dials_at_once = True
        self.meanwhile: Callable[[], object] = list

    def check(self, what: str) -> None:
        if what.lower() == "elsewhere":
            raise self.elsewhere(what, "stage")

    def current_task(self) -> str:
        return "the only one"

    async def checkpoint(self) -> None:
        self.told.append("checkpoint")

    async def wait_for(self, caller: Caller) -> None:
        self.meanwhile()
        if caller.state is SlotState.QUEUED:
            raise Interrupt

    def wake(self, caller: Caller) -> None:
        self.told.append(caller)

    def soon(self, report: Callable[[], None]) -> None:
        self.told.append(report)

    def arm(self, deadline: float) -> None:
        self.armed = deadline

    def dial(self, wanted: Dial) -> None:
        self.told.append(wanted)
        if self.dials_at_once:
            self.connect(wanted)

    def connect(self, wanted: Dial) -> None:
        link = self.machine.connected(wanted, 0.0)
        link.io = io = Socket(self, link)
        io.wants_to_send()

    def detach_after_fork(self) -> None:
        self.disown(0.0)

    def ended(self, slot: Slot) -> bool:
        return slot in [each for each in self.told if isinstance(each, Slot)]


def stub(settings: ClientSettings | None = None, pool: PoolSettings | None = None, *, once: bool = False) -> Stub:
    config = Config(host="stage", ping_interval=None, silence_timeout=None)
    return Stub(maker(config, settings, pool, once=once), "client")


def run(call: Any) -> Any:
    """Return what a coroutine returns that does not wait."""
    with pytest.raises(StopIteration) as done:
        call.send(None)
    return done.value.value


def borrowed(driver: Stub, **options: Any) -> Loan:
    loan: Loan = run(driver.acquire(inf, **options))
    return loan


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_call_that_is_begun_ahead_is_sent_and_its_end_wakes(lanes: int) -> None:
    driver = stub(ClientSettings(lanes=lanes))
    first, second = new_slot(("ECHO", "a")), new_slot(("ECHO", "b"))
    driver.ahead(first)  # it waits for a link
    driver.ahead(second)
    assert [driver.ended(slot) for slot in (first, second)] == [True, True]
    assert (first.reply, second.reply) == (b"a", b"b")


def test_what_can_not_be_used_here_says_where_it_can() -> None:
    with pytest.raises(
        LocalProtocolError, match="ELSEWHERE: this client belongs to the stage that it was opened in; els"
    ):
        stub(ClientSettings()).ahead(new_slot(("ELSEWHERE",)))
    with pytest.raises(LocalProtocolError, match="elsewhere: this client belongs to the stage"):
        stub(ClientSettings()).change("elsewhere", lambda *_: None)


def test_a_call_that_is_given_up_is_withdrawn() -> None:
    driver, slot = stub(ClientSettings()), new_slot(("ECHO", "a"))
    driver.dials_at_once = False
    driver.ahead(slot)
    driver.give_up(slot)
    assert slot.state is SlotState.WITHDRAWN
    assert not driver.ended(slot)


def test_a_link_is_lent_at_once_if_nothing_is_to_be_read_on_it() -> None:
    driver = stub(pool=PoolSettings(max_size=1))
    loan = borrowed(driver)
    driver.release(loan)
    link = loan.connection
    again = borrowed(driver)
    assert again.connection is link
    driver.release(again)
    assert not again.active  # type: ignore[union-attr]
    assert driver.told.count("checkpoint") == 2


def test_a_borrower_that_is_to_be_reported_has_the_timer_set() -> None:
    driver = stub(pool=PoolSettings(max_size=1, leak_after=5.0))
    driver.release(borrowed(driver))
    driver.armed = inf
    loan = borrowed(driver, borrower="here")
    assert driver.armed == 5.0
    driver.machine.handle_timeout(5.0)
    driver.carry_out()
    assert driver.told[-1] == loan.report  # type: ignore[union-attr]


def test_what_has_come_on_a_link_is_read_before_that_is_lent() -> None:
    driver = stub(pool=PoolSettings(max_size=1))
    loan = borrowed(driver)
    driver.release(loan)
    loan.connection.io.unread = b"+what no command asked for\r\n"
    driver.meanwhile = lambda: driver.change("time", lambda machine, _: machine.handle_timeout(machine.next_deadline()))
    again = borrowed(driver)
    assert again.connection is not loan.connection
    assert loan.connection.io.closed


def test_a_borrower_that_waits_gets_its_link_or_the_reason_why_there_is_none() -> None:
    driver = stub(pool=PoolSettings(max_size=1))
    loan = borrowed(driver)
    driver.meanwhile = lambda: driver.release(loan)
    assert borrowed(driver).connection is loan.connection

    def be_late() -> None:
        driver.machine.handle_timeout(3.0)
        driver.carry_out()

    driver.meanwhile = be_late
    with pytest.raises(CommandTimeoutError):
        driver.acquire(3.0).send(None)


def test_a_borrower_that_leaves_as_it_waits_has_taken_nothing() -> None:
    driver = stub(pool=PoolSettings(max_size=1))
    loan = borrowed(driver)
    with pytest.raises(Interrupt):
        driver.acquire(inf).send(None)
    driver.release(loan)
    assert borrowed(driver).connection is loan.connection


def test_a_listener_is_woken_by_its_push() -> None:
    driver = stub(pool=PoolSettings(max_size=1))
    loan = borrowed(driver)
    listener = Listener(loan)
    driver.machine.listen(listener)
    loan.connection.io.unread = b">2\r\n$4\r\nnews\r\n$4\r\nrain\r\n"
    loan.connection.io.read()
    assert driver.told[-1] is listener
    assert listener.result().items == (b"rain",)


def test_what_an_event_leads_to_is_carried_out_behind_all_that_was_told_before() -> None:
    driver = stub(ClientSettings())
    order: list[str] = []
    slot = new_slot(("ECHO", "a"))

    def wake(caller: Caller) -> None:
        order.append(type(caller).__name__)
        if caller is slot:
            driver.carry_out(
                [Report(lambda: None)]
            )  # as one does that has found something while events are carried out
            order.append("woken")

    driver.wake = wake  # type: ignore[method-assign]
    driver.soon = lambda report: order.append("reported")  # type: ignore[method-assign]  # noqa: ARG005
    driver.carry_out([slot, new_slot(("ECHO", "b"))])
    assert order == ["Slot", "woken", "Slot", "reported"]


def test_what_is_told_of_a_socket_that_is_not_there_yet_is_left() -> None:
    """An end may be told before the adapter has made the socket of a link that no caller wants any more."""
    driver = stub(ClientSettings())
    driver.dials_at_once = False
    driver.ahead(new_slot(("ECHO", "a")))
    (wanted,) = [told for told in driver.told if isinstance(told, Dial)]
    driver.machine.close(0.0)
    link = driver.machine.connected(wanted, 0.0)
    driver.carry_out([link])
    assert link.ended
    assert link.io is None


def test_who_waits_for_the_end_of_all_calls_is_told() -> None:
    driver = stub(ClientSettings())
    driver.carry_out([Drained()])  # no caller waits
    driver.drained = drained = Event()
    driver.ahead(new_slot(("ECHO", "a")))
    driver.change("close", lambda machine, now: machine.drain(now))
    assert drained.is_set


def test_in_the_child_of_a_fork_a_client_begins_anew_and_a_connection_has_ended() -> None:
    client, connection = stub(ClientSettings()), stub(once=True)
    before, only = client.machine, connection.machine
    slot = new_slot(("ECHO", "a"))
    client.dials_at_once = False
    client.ahead(slot)
    client.detach_after_fork()
    connection.detach_after_fork()
    assert client.machine is not before
    assert str(before.closed) == "it was opened before a fork, and belongs to the parent process"
    assert connection.machine is only
    assert only.closed is not None
