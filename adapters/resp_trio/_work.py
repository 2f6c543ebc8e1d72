"""What a client does beside its calls: tasks in a nursery of its own, for as long as its block, whatever is cancelled around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from trio import Cancelled, CancelScope, Nursery, open_nursery

from ._guarded import guarded

__all__ = ["Work", "alone"]


@guarded
class Work:
    """Tasks that are shielded, and end when they are told to."""

    __slots__ = ("_manager", "_nursery", "_over", "_scopes")

    def __init__(self) -> None:
        self._nursery: Nursery | None = None
        self._over = False
        self._scopes: tuple[CancelScope, ...] = ()  # few at a time, and an empty tuple takes nothing

    @property
    def is_open(self) -> bool:
        """Is there a nursery?"""
        return self._nursery is not None

    async def open(self) -> None:
        """Open the nursery; `leave` it in the same task."""
        self._manager = open_nursery()
        self._nursery = await self._manager.__aenter__()

    async def leave(self) -> None:
        """End what is done in the nursery, and wait for its end."""
        self.end()
        self._nursery = None
        # The nursery is told of no exception, so that the block's own comes out as it is, in no group.
        try:
            await self._manager.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            told = group.split(Cancelled)[1]
            if told is not None:
                raise alone(told) from None  # nor does one that struck here, where a KeyboardInterrupt may
        finally:
            del self._manager

    def start(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> bool:
        """Begin something; false if there is no nursery for it."""
        if self._nursery is None:
            return False
        self._nursery.start_soon(self._shielded, work, *arguments)
        return True

    def end(self) -> None:
        """End all of it."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()

    async def _shielded(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        with CancelScope(shield=True) as scope:
            self._scopes = (*self._scopes, scope)
            try:
                if not self._over:
                    await work(*arguments)
            finally:
                self._scopes = tuple([other for other in self._scopes if other is not scope])


def alone(group: BaseException) -> BaseException:
    """Return what this group is of, if that is one exception."""
    while isinstance(group, BaseExceptionGroup) and len(group.exceptions) == 1:
        group = group.exceptions[0]
    return group
