"""Which sockets have a poll object: the few that asked last, for it takes up a third of what an idle connection needs otherwise.

A socket whose poll object was taken away makes a new one when it asks next. So a poll object costs nothing where it is used, and
no memory where it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Final, Protocol, TypeAlias

__all__ = ["Poll", "Polls"]

MOST: Final = 16
"""So many sockets have one at a time: more than are busy in most programs."""

Poll: TypeAlias = Callable[[float], list[tuple[int, int]]]
"""Asks whether something has come that was not read, as `select.poll().poll` of one socket does."""


class Polling(Protocol):
    """A socket that asks by its `poll`, and makes a new one if that is None."""

    poll: Poll | None


class Polls:
    """The poll objects of the sockets of one event loop, or of one run of trio. `select` is that module."""

    __slots__ = ("_select", "_sockets")

    def __init__(self, select: ModuleType) -> None:
        self._select = select
        self._sockets: list[Polling] = []

    def new(self, one: Polling, descriptor: int) -> Poll:
        """Let this socket have a new poll object, and take that of another away if there are too many.

        A system may have none, and the socket may have ended (its descriptor is negative): then something may have come, each time.
        """
        if descriptor < 0 or not hasattr(self._select, "poll"):
            return unknown
        poller = self._select.poll()
        poller.register(descriptor, self._select.POLLIN)
        while len(self._sockets) >= MOST:
            self._sockets.pop(0).poll = None
        self._sockets.append(one)
        poll: Poll = poller.poll
        one.poll = poll
        return poll

    def drop(self, one: Polling) -> None:
        """Hold on to neither: this socket has ended. Idempotent."""
        one.poll = None
        with suppress(ValueError):
            self._sockets.remove(one)


def unknown(_: float) -> list[tuple[int, int]]:
    """Say that something may have come, where that can't be asked."""
    return [(-1, 0)]
