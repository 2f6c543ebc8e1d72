"""What a client keeps of what it has read, for threads: reads are answered by what is kept, and writes make it fall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..client.cache import LOOK, ReadCache, touched_by
from ..client.call import DEFAULT, Default, seconds_allowed
from ..commands.caching import Touched
from ..commands.decoding import S
from ..commands.knowledge import CommandInfo, block_time, command_info
from ..connection.sending import changes_session
from ..connection.slot import Slot, SlotState
from ..connection.stateful import new_slot
from ..wire.encoder import Argument, encode_command
from .base import CommandsBase, Loan
from .threads_driver import Driver

__all__ = ["CachedReads", "Caching"]

UNDER_WAY: Final = (SlotState.QUEUED, SlotState.HANDED)


class Caching:
    """Makes the calls of a client with a cache: what they may change falls when they are sent, and again when they are done."""

    __slots__ = ("_begun", "_cache", "_shared", "beneath")

    def __init__(self, calls: Any, cache: ReadCache, *, shared: bool) -> None:
        self.beneath: Any = calls
        self._cache = cache
        self._begun: dict[Slot, Touched] = {}  # calls ahead, and what they may change
        self._shared = shared  # by all calls, the connection by which they read

    def call(self, slot: Slot, loan: Loan | None = None, epoch: int | None = None, /) -> None:
        """As the driver's."""
        touched = self._sent(slot)
        try:
            self.beneath.call(slot, loan, epoch)
        finally:
            self._cache.wrote(touched)

    def ahead(self, slot: Slot, loan: Loan | None = None, /) -> None:
        """As the driver's."""
        for done in [begun for begun in self._begun if begun.state not in UNDER_WAY]:
            self._done(done)  # no caller has waited for it
        self._begun[slot] = self._sent(slot)
        try:
            self.beneath.ahead(slot, loan)
        except BaseException:
            self._done(slot)
            raise

    def finish(self, slot: Slot, /) -> None:
        """As the driver's."""
        try:
            self.beneath.finish(slot)
        finally:
            self._done(slot)

    def give_up(self, slot: Slot, /) -> None:
        """As the driver's."""
        self.beneath.give_up(slot)
        self._done(slot)

    def acquire(self, deadline: float, /, *more: Any) -> Loan:
        """As the driver's."""
        loan: Loan = self.beneath.acquire(deadline, *more)
        return loan

    def release(self, loan: Loan, /) -> None:
        """As the driver's."""
        self.beneath.release(loan)

    def _sent(self, slot: Slot) -> Touched:
        """A call is about to be sent: return what it may change."""
        touched = touched_by(slot)
        if self._shared and changes_session(slot):
            self._cache.forsake()
        self._cache.wrote(touched)
        return touched

    def _done(self, slot: Slot) -> None:
        self._cache.wrote(self._begun.pop(slot, ()))


class CachedReads(CommandsBase[Driver, S]):
    """What asks the cache first."""

    __slots__ = ()

    def _ask(
        self,
        cache: ReadCache,
        words: Sequence[Argument],
        info: CommandInfo | None = None,
        timeout: float | None | Default = DEFAULT,
    ) -> Any:
        """Return the slot of a call that has ended, or what stands for it: a reply that was kept. Raises as a call."""
        driver = self._driver
        command = encode_command(words)
        now = driver.now()
        if timeout is not DEFAULT:
            seconds_allowed(self._config, timeout)  # told whether it is kept or not
        kept = cache.find(command, now)
        if kept is LOOK:
            driver.catch_up()
            now = driver.now()
            cache.looked(now)
            kept = cache.find(command, now)
        if kept is not None:
            return kept
        if info is None:
            info = command_info(words)
        read = cache.reading(command, words, info, now + self._timeout)
        if read is None:
            slot = new_slot(words, None, now, info)
            slot.deadline += seconds_allowed(self._config, timeout, block_time(words, info))
            self._calls.call(slot, self._lease)
            return slot
        if timeout is not DEFAULT:
            read.deadline = now + seconds_allowed(self._config, timeout)
        self._calls.beneath.call(read)  # which changes nothing
        return read
