"""The observers of one client, and how each is told: one after the other, none by way of another.

What they are told is collected by the machine, and told where no lock is held: what is of a call by its caller, all else by
whichever thread or task carries out a `Report`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import nan
from typing import Any, Final, TypeAlias
from warnings import warn

from .._facts import CallBegan, CallEnded, CallRetried, Observer
from .._record import Record, made
from ..commands.knowledge import CommandInfo
from ..config.config import Config
from ..connection.slot import Batch, Slot

__all__ = ["Observers", "Told"]

MANY: Final = 1000  # kinds of calls: of commands that no server has, a program may have any number

Told: TypeAlias = list[tuple[Observer, object]]
"""Who was told that a call began, and what each answered."""


class Observers:
    """The observers of a client, a pool or a connection, also of the one in the child of a fork. `now` is the adapter's clock."""

    __slots__ = ("_dropped", "_kinds", "_live", "address", "database", "now", "once")

    def __init__(self, config: Config, *, once: bool = False) -> None:
        self.address: Final[str] = config.address
        self.database: Final[int] = config.db
        self.once: Final[bool] = once  # a single connection's
        self.now: Callable[[], float] = lambda: nan
        # With each its `call_began`, if it has one that does anything.
        self._live: Sequence[tuple[Observer, Callable[[CallBegan], object] | None]] = [
            (one, None if type(one).call_began is Observer.call_began else one.call_began) for one in config.observers
        ]
        self._dropped: dict[int, Observer] = {}
        self._kinds: dict[CommandInfo, CallBegan] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._live)}>"

    # -- what a call is ------------------------------------------------------------------------------------------------------

    def kind(self, slot: Slot) -> CallBegan:
        """Return what there is to say of a call that begins."""
        if isinstance(slot, Batch) and slot.count > 1:
            names = [info.name for info in slot.infos]
            framed = names[0] == "MULTI" and names[-1] == "EXEC"
            return self._call("MULTI", names[1:-1]) if framed else self._call("PIPELINE", names)
        kind = self._kinds.get(slot.info)
        if kind is None:
            if len(self._kinds) >= MANY:
                self._kinds.clear()
            self._kinds[slot.info] = kind = self._call(slot.info.name, (slot.info.name,))
        return kind

    def _call(self, command: str, commands: Sequence[str]) -> CallBegan:
        return CallBegan(
            address=self.address,
            database=self.database,
            command=command,
            commands=tuple(commands),
            batch_size=len(commands),
        )

    # -- telling -------------------------------------------------------------------------------------------------------------

    def began(self, call: CallBegan, told: Told) -> None:
        """Tell that a call begins, and note who was told."""
        for observer, began in self._live:
            if began is None:
                told.append((observer, None))
                continue
            try:
                told.append((observer, began(call)))
            except Exception as error:  # noqa: BLE001  # an observer may raise anything
                self._drop(observer, "call_began", error)

    def ended(self, told: Told, retries: Sequence[CallRetried], call: CallEnded) -> None:
        """Tell that a call has ended those who were told of its beginning; if this is cut short, again tells the others."""
        while told:
            observer, token = told.pop(0)
            if self._dropped and id(observer) in self._dropped:
                continue
            try:
                for retry in retries:
                    observer.call_retried(retry, token)
                observer.call_ended(call, token)
            except Exception as error:  # noqa: BLE001
                self._drop(observer, "call_retried or call_ended", error)

    def tell(self, name: str, fact: Record) -> None:
        """Tell of anything else by the method of this name."""
        for observer, _ in self._live:
            try:
                getattr(observer, name)(fact)
            except Exception as error:  # noqa: BLE001
                self._drop(observer, name, error)

    def fact(self, cls: type[Any], **values: object) -> Any:
        """Return a fact of this class about this client."""
        return made(cls, {"address": self.address, "database": self.database, **values})

    def _drop(self, observer: Observer, name: str, error: Exception) -> None:
        """Tell this one nothing more, and say so, once."""
        self._live = [each for each in self._live if each[0] is not observer]
        if self._dropped.setdefault(id(observer), observer) is observer:
            with suppress(Exception):  # even the warning may be one's own code
                self._warn(observer, name, error)

    @staticmethod
    def _warn(observer: Observer, name: str, error: Exception) -> None:
        who = f"{type(observer).__module__}.{type(observer).__qualname__}"
        why = f"{who} raised {type(error).__name__} in {name}, and is told nothing more: {error}"
        try:
            warn(why, RuntimeWarning, stacklevel=1)
        except RuntimeWarning as warning:
            sys.excepthook(type(warning), warning, error.__traceback__)
