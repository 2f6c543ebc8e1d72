"""What surfaces for tasks ask of an adapter, and how its calls are observed.

Every call comes down to one step: `Driver.call`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any, Protocol

from .._errors import ConnectError
from ..client.leases import Lease
from ..client.links import Dial, meant_for
from ..client.observers import Observers, Watch
from ..client.sentinel import Place
from ..config.addresses import Address, not_resolved
from ..config.config import Config
from ..config.credentials import can_be_awaited, read_credentials
from ..connection.slot import Slot
from . import base
from .base import ANSWERED, Heardable, Loan

__all__ = ["Driver", "Meant", "Observed", "ask_for_credentials", "find_addresses"]


class Driver(base.Driver, Protocol):
    """What carries out one machine for tasks: an adapter's own.

    A task may be cancelled, or interrupted, wherever it awaits one of these methods. Where every call is to be a checkpoint, these
    methods are.
    """

    async def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """Make a call, by a link of one's own if there is a loan.

        When this returns, the call has ended. When it raises, as `Client.submit` does or because the task is cancelled, the call
        was never made, or it has been given up. No interrupt strikes in between.
        """

    async def finish(self, slot: Slot, /) -> None:
        """Wait for the end of a call that was begun `ahead`. When it raises, because the task is cancelled, it was given up."""

    async def acquire(self, deadline: float, borrower: str | None = None, at: int | Place | None = None, /) -> Loan:
        """Wait for a link, to the server `at` this place, or of this slot. Raises as `Client.acquire`, and why there is none."""

    async def listen(self, what: Heardable, deadline: float, /) -> Any:
        """Wait for what comes unasked: of a link the next push, else nothing. Raises as `Client.listen`, and why nothing comes."""

    async def catch_up(self) -> None:
        """Take in what has come on the links that all share, and let others have their turn: often, no call does."""

    async def pause(self, seconds: float, /) -> None:
        """Let this time pass."""

    async def open(self) -> None:
        """Begin what is done beside the calls, and dial what is to be open before it is needed."""

    async def leave(self) -> None:
        """End what is done beside the calls."""

    async def close(self, deadline: float, /) -> None:
        """Take no new calls, wait until the deadline for those under way, and end what is left."""

    async def checkpoint(self) -> None:
        """Let others have their turn, if every call is to be a checkpoint: this one has nothing to wait for."""


async def ask_for_credentials(
    config: Config, in_time: AbstractAsyncContextManager[object]
) -> tuple[str | None, str | bytes] | None:
    """Ask the provider, if there is one, for the user name, if any, and the password.

    If they are to be awaited, that is done inside of `in_time`, which raises `TimeoutError` when the time for it is up. Raises
    `ConnectError` then, whatever the provider raises, and as `read_credentials`.
    """
    if config.credentials is None:
        return None
    answer: object = config.ask_for_credentials()
    if can_be_awaited(answer):
        try:
            async with in_time:
                answer = await answer
        except TimeoutError as error:
            raise ConnectError(f"{config.address}: no credentials came in time", transient=True) from error
    return read_credentials(answer)


async def find_addresses(
    wanted: Dial,
    socket: ModuleType,
    in_time: AbstractAsyncContextManager[object],
    in_a_thread: Callable[[Callable[[ModuleType], list[Address]], ModuleType], Awaitable[list[Address]]],
) -> list[Address]:
    """Return the addresses that a dial leads to, as `socket.getaddrinfo` gives them. `socket` is that module.

    A name is looked up by `in_a_thread`, which calls a function there, inside of `in_time`, which raises `TimeoutError` when the
    time for it is up. Raises `ConnectError`.
    """
    found = wanted.addresses(socket)
    if found is None:
        try:
            async with in_time:
                found = await in_a_thread(wanted.look_up, socket)
        except TimeoutError as error:
            raise not_resolved(wanted.config, error) from error
    return found


class Observed:
    """Makes the calls of a driver, and tells of them in the caller's own task, before anything is sent and when all is over."""

    __slots__ = ("_driver", "_observers")

    def __init__(self, driver: Driver, observers: Observers) -> None:
        self._driver = driver
        self._observers = observers
        observers.now = driver.now
        observers.in_a_loop = True

    async def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """As the driver's."""
        observers, held = self._observers, loan is not None
        slot.watch = watch = Watch()
        watch.began_at = observers.now()
        try:
            if observers.begins:
                observers.began(slot, watch)
            await self._driver.call(slot, loan, epoch)
            observers.ended(slot, watch, None, held=held)
        except BaseException as error:
            observers.ended(slot, watch, error, held=held)  # each is told once; an interrupt may have struck in there
            raise

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        """As the driver's; the end is told when a caller has waited for it, or gives it up."""
        observers = self._observers
        slot.watch = watch = Watch()
        watch.began_at, watch.held = observers.now(), loan is not None
        try:
            if observers.begins:
                observers.began(slot, watch)
            self._driver.ahead(slot, loan)
        except BaseException as error:
            observers.ended(slot, watch, error, held=watch.held)
            raise

    async def finish(self, slot: Slot, /) -> None:
        """As the driver's."""
        observers, watch = self._observers, slot.watch
        try:
            await self._driver.finish(slot)
            observers.ended(slot, watch, None, held=watch.held)
        except BaseException as error:
            observers.ended(slot, watch, error, held=watch.held)
            raise

    def give_up(self, slot: Slot, /) -> None:
        """As the driver's."""
        self._driver.give_up(slot)
        self._observers.ended(
            slot, slot.watch, None if slot.state is ANSWERED else GeneratorExit(), held=slot.watch.held
        )

    async def acquire(self, deadline: float, /, *more: Any) -> Loan:
        """As the driver's."""
        observers = self._observers
        began_at = observers.now()
        try:
            loan = await self._driver.acquire(deadline, *more)
        except BaseException as error:
            observers.waited(began_at, error)
            raise
        try:
            observers.waited(began_at, None)
        except BaseException:  # an interrupt
            self._driver.release(loan)
            raise
        return loan

    def release(self, loan: Loan, /) -> None:
        """As the driver's."""
        self._driver.release(loan)
        if isinstance(loan, Lease) and self._driver.machine.has(
            loan.connection
        ):  # else the parent of a fork has lent it
            self._observers.used(loan)


class Meant:
    """Makes the calls of a client of a cluster, and says for which of its servers they are."""

    __slots__ = ("_calls", "_place")

    def __init__(self, calls: Any, place: Place) -> None:
        self._calls = calls
        self._place = place

    async def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """As the driver's."""
        meant_for(slot, self._place)
        await self._calls.call(slot, loan, epoch)

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        """As the driver's."""
        meant_for(slot, self._place)
        self._calls.ahead(slot, loan)

    async def finish(self, slot: Slot, /) -> None:
        """As the driver's."""
        await self._calls.finish(slot)

    def give_up(self, slot: Slot, /) -> None:
        """As the driver's."""
        self._calls.give_up(slot)
