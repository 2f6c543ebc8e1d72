"""An attempt of `transact`, as adapters make it: with their own rules of where it goes on, and of what follows ASK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resp_sansio import ReplyError, RespError
from resp_sansio.connection import new_slot
from resp_sansio.surface.batches import WatchedBase
from resp_sansio.testing.members import slot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio.client import WatchLoop
    from resp_sansio.connection import Slot
    from simulation.cluster.callers import ClusterCaller

__all__ = ["Attempt"]


class Commands:
    """What stands for an adapter's connection, and for its driver."""

    def __init__(self, caller: ClusterCaller, lease: Any) -> None:
        self.world = caller.world
        self._config = self.world.script.config
        self._own_link = lease
        self._driver = self

    def now(self) -> float:
        """As of a driver."""
        return self.world.clock.now

    def ahead(self, slot: Slot, lease: Any) -> None:
        """As of a driver."""
        self.world.send_ahead(slot, lease)

    def change(self, _name: str, what: Callable[[Any, float], object]) -> None:
        """As of a driver."""
        what(self.world.client, self.world.clock.now)


class Attempt(WatchedBase[Any, Any]):
    """One attempt."""

    def __init__(self, caller: ClusterCaller, lease: Any, loop: WatchLoop, number: int) -> None:
        at = slot_of(caller.key("w").encode())
        super().__init__(Commands(caller, lease), loop, caller.deadline, False, at)
        self.caller = caller
        self.lease = lease
        self.number = number  # of all attempts: one of them is executed at most

    def steps(self) -> Any:
        """WATCH, read, EXEC. Raises as `transact`."""
        caller, world, core = self.caller, self.caller.world, self.lease.connection.core
        epoch = core.watch_epoch
        key = caller.key("w")
        try:
            yield from self._read(*self._loop.watch.args)
            value = int((yield from self._read("GET", key)))
            self.execute("SET", key, value + 1)
            if caller.act.chance * 100 % 1 < 0.7:  # a key that is not watched
                self.execute("INCRBY", caller.key(f"n{self.number}"), self.number)
            self._executes()
            yield from self._end(epoch)
        except BaseException as error:
            if self._loop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                world.unwatch(self.lease)
            raise

    def _read(self, *words: Any) -> Any:
        self._reads(words)
        slot = new_slot(words, None, self._deadline)
        try:
            yield from self.caller.ask(slot, lease=self.lease)
            if isinstance(slot.reply, ReplyError):
                self.caller.own(slot.reply, None)
                raise slot.reply
        except RespError as error:
            self._failed = error
            raise
        return slot.reply

    def _end(self, epoch: int) -> Any:
        slot = self.slot(self._deadline)
        assert slot is not None
        try:
            yield from self.caller.ask(slot, lease=self.lease, epoch=epoch)
            self._ended(slot)
        except RespError as error:
            self._failed = error
            raise
