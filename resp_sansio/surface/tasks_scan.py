"""All that SCAN and its like find, to iterate over: for tasks.

The next page is asked for as soon as one is here, and comes while that is read: one page ahead, and never more.
"""

from __future__ import annotations

from typing import Any, Final, Generic, Literal, Self, TypeVar, overload

from .._errors import RespError
from ..client.scanning import ScanCursor
from ..commands.command import Command, Reader
from ..commands.decoding import S
from ..commands.readers import bulks, pairs, scored
from ..connection.slot import Slot
from ..wire.encoder import Argument
from .base import ANSWERED, CommandsBase, Turn, Viewed, forsake
from .tasks_driver import Driver

__all__ = ["Scan", "Scans"]

T = TypeVar("T")

COUNT: Final = 1000
"""What a page is to bring, about: the time for one is then more than that for a round trip, and less than a millisecond."""


class Scan(Generic[T]):
    """What SCAN or its like finds, to iterate over: made by `scan_iter` and its like. May be left at any time.

    Something may come twice, if the keys were rearranged meanwhile; and all of it once more if another server had to be asked
    than the one that had begun: `restarts` says how often. Left by `close`, or as an `async with` block, it gives up what it has
    asked for ahead; thrown away it lets that come, and costs nothing else.

    Iterating raises as a call does, and may be gone on with then: nothing is left out.
    """

    __slots__ = ("_calls", "_driver", "_lease", "_pages", "_slot", "_timeout", "_turn")

    def __init__(self, of: CommandsBase[Driver, Any], pages: ScanCursor[T]) -> None:
        self._pages = pages
        self._slot: Slot | None = None  # the call for the next page
        self._turn = Turn()
        self._calls = of._calls
        self._driver = of._driver
        self._lease = of._lease
        self._timeout = of._timeout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._pages!r}>"

    def __del__(self) -> None:
        if hasattr(self, "_timeout") and self._slot is not None:
            forsake(self._driver, self._slot)

    @property
    def restarts(self) -> int:
        """How often all began again, because another server was to be asked."""
        return self._pages.restarts

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        for item in self._pages.page:
            return item
        with self._turn:
            while True:
                for item in self._pages.page:
                    return item
                if self._pages.ended:
                    raise StopAsyncIteration
                await self._fetch()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End it, and give up what it has asked for ahead. Idempotent."""
        with self._turn:
            self._pages.close()
            slot, self._slot = self._slot, None
            if slot is not None:
                self._calls.give_up(slot)
        await self._driver.checkpoint()

    async def _fetch(self) -> None:
        """Have the next page, and ask for the one behind it."""
        pages, deadline = self._pages, self._driver.now() + self._timeout
        slot, self._slot = self._slot, None
        if slot is not None:
            await self._calls.finish(slot)
        if slot is None or slot.state is not ANSWERED:  # it may have been lost long before there was a caller for it
            slot = pages.ask(deadline, self._link)
            await self._calls.call(slot, self._lease)
        pages.take(slot)
        if not pages.ended:
            self._slot = slot = pages.ask(self._driver.now() + self._timeout, self._link)
            try:
                self._calls.ahead(slot, self._lease)
            except RespError:
                self._slot = None  # why is told when its caller comes

    @property
    def _link(self) -> Any:
        """The link that all calls share, if there is one."""
        lane = self._driver.machine.lane
        return None if lane is None else lane.link


class Scans(Viewed[Driver, S]):
    """What can iterate over all keys, or all that is in one."""

    __slots__ = ()

    def scan_iter(
        self,
        match: Argument | None = None,
        count: int | None = COUNT,
        _type: Argument | None = None,
        *,
        distinct: bool = False,
    ) -> Scan[S]:
        """Iterate over the keys, those that `match` a pattern, those of a `_type`: SCAN, page by page, each of about `count`.

        A key that is there all the time comes at least once, others may come. With `distinct` none comes twice, and all that came
        are kept in memory. On a cluster these are the keys of all masters, one master after the other.
        """
        from ..commands.generic import scan

        return self._scanned(scan(match=match, count=count, type=_type), 1, bulks, distinct)

    @overload
    def hscan_iter(
        self,
        key: Argument,
        match: Argument | None = ...,
        count: int | None = ...,
        no_values: Literal[False] | None = ...,
        *,
        distinct: bool = ...,
    ) -> Scan[tuple[S, S]]: ...

    @overload
    def hscan_iter(
        self,
        key: Argument,
        match: Argument | None = ...,
        count: int | None = ...,
        *,
        no_values: Literal[True],
        distinct: bool = ...,
    ) -> Scan[S]: ...

    def hscan_iter(
        self,
        key: Argument,
        match: Argument | None = None,
        count: int | None = COUNT,
        no_values: bool | None = None,
        *,
        distinct: bool = False,
    ) -> Scan[Any]:
        """Iterate over the fields of a hash with their values, or with `no_values` alone (Redis 7.4; Valkey 8.0): HSCAN.

        As for `scan_iter`; `distinct` is by field.
        """
        from ..commands.hashes import hscan, hscan_novalues

        if no_values:
            return self._scanned(hscan_novalues(key, match=match, count=count), 2, bulks, distinct)
        return self._scanned(hscan(key, match=match, count=count), 2, pairs, distinct, named=True)

    def sscan_iter(
        self, key: Argument, match: Argument | None = None, count: int | None = COUNT, *, distinct: bool = False
    ) -> Scan[S]:
        """Iterate over the members of a set: SSCAN. As for `scan_iter`."""
        from ..commands.sets import sscan

        return self._scanned(sscan(key, match=match, count=count), 2, bulks, distinct)

    def zscan_iter(
        self, key: Argument, match: Argument | None = None, count: int | None = COUNT, *, distinct: bool = False
    ) -> Scan[tuple[S, float]]:
        """Iterate over the members of a sorted set with their scores: ZSCAN. As for `scan_iter`; `distinct` is by member."""
        from ..commands.sorted_sets import zscan

        return self._scanned(zscan(key, match=match, count=count), 2, scored, distinct, named=True)

    def _scanned(
        self, command: Command[Any], at: int, read: Reader[list[T], S], distinct: bool, *, named: bool = False
    ) -> Scan[T]:
        by, text = self._view
        if by._routed:
            from ..client.cluster_scanning import ClusterScan  # most programs have one server

            driver, keyed = by._driver, at > 1
            return Scan(
                by,
                ClusterScan(
                    command, at, read, text, lambda: driver.machine, keyed=keyed, distinct=distinct, named=named
                ),
            )
        fixed = by._lease is not None or by._driver.machine.once
        return Scan(by, ScanCursor(command, at, read, text, fixed=fixed, distinct=distinct, named=named))
