"""Callers whose calls are conversations: iterations, queues, large values. Each knows what must have come when it ends well."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Outcome, ReplyError, RespError, TornValueError
from resp_sansio.testing.keyspace import KEYS
from simulation.adapters.programs import Caller

if TYPE_CHECKING:
    from simulation.adapters.history import History

__all__ = ["Conversations", "Talker"]

SIZE: Final = 3000
"""Bytes of a large value, about."""
CHUNK: Final = 700


class FailedError(Exception):
    """A handler's own."""


class Conversations:
    """What the conversations of one history have done. `workings`: the lists in which consumers keep what they handle."""

    def __init__(self, history: History) -> None:
        self.handed: set[bytes] = set()
        self.handled: set[bytes] = set()
        self.workings: list[str] = []
        self.pushed: list[int] = []
        self.gathered = False
        self._history = history
        history.server.strings[b"v"] = value_of(0)

    def rest(self, *, calm: bool) -> None:
        """At the end nothing is lost, and what was written in part is gone, if all was calm."""
        lists, strings, told = self._history.server.lists, self._history.server.strings, self._history.checks.told
        there = {element for key in ("jobs", *self.workings) for element in lists[key.encode()]}
        for number in self.pushed:
            came = number in told and told[number].outcome is Outcome.REPLY and isinstance(told[number].reply, int)
            lost = came and b"%d" % number not in there | self.handled
            assert not lost, f"element {number} was lost"
        assert not (self.gathered and there), f"{there} were handed over to no handler"
        assert not calm or {*strings} == {b"v"}, f"parts of values are left: {[*strings]}"


def value_of(number: int) -> bytes:
    """Return the value that this call writes: it says so all over."""
    return (b"%d:" % number) * (SIZE // len(b"%d:" % number))


class Talker(Caller):
    """A caller of either kind."""

    async def scan(self, to: Any) -> None:
        """All keys that are there all the time come, whichever servers are asked, and however often a page is lost."""
        found: set[bytes] = set()
        async with to.scan_iter(count=7) as pages:
            for left in (2, 1, 0):
                try:
                    async for key in pages:
                        found.add(key)
                        if self.act.chance < 0.5 and len(found) % 10 == 0:
                            await self.history.sleep(0.1)
                except RespError:
                    if not left or to.closed:
                        raise
                else:
                    break
        assert found == {*KEYS}, f"{self} was not told of {sorted({*KEYS} - found)}"

    async def produce(self, to: Any) -> None:
        """An element for consumers."""
        number = self.checks.number()
        self.talks.pushed.append(number)
        await self.ask(to, number, "RPUSH", "jobs", number)

    async def consume(self, to: Any) -> None:
        """Handle all there is; every third time in vain."""
        await self.produce(to)
        await self.produce(to)
        working = f"jobs:{self.act.number}"
        self.talks.workings.append(working)
        await self._consume(to, working, fails=True)

    async def gather(self, to: Any) -> None:
        """All is well: what others have left is handled."""
        for working in self.talks.workings or ["jobs:0"]:
            await self._consume(to, working, fails=False)
        self.talks.gathered = bool(self.talks.workings)

    async def _consume(self, to: Any, working: str, *, fails: bool) -> None:
        talks = self.talks
        async with to.consume_list("jobs", working=working, block=None) as items:
            async for item in items:
                assert item.again or item.value not in talks.handed, (
                    f"{self} is handed {item.value!r}, as if it were new"
                )
                talks.handed.add(item.value)
                with suppress(FailedError), item:
                    await self.history.sleep(0.02)
                    if fails and int(item.value) % 3 == 0:
                        raise FailedError
                    talks.handled.add(item.value)

    async def read(self, to: Any) -> None:
        """A value that others write anew is one value, or torn."""
        whole = b""
        with suppress(TornValueError):
            async with to.read_value("v", chunk_size=CHUNK, timeout=self.left) as value:
                async for chunk in value:
                    whole += chunk
                    if self.act.chance < 0.5:
                        await self.history.sleep(0.02)
                assert len(whole) == value.size
            assert whole == value_of(int(whole.partition(b":")[0])), f"{self} has read parts of several values"

    async def write(self, to: Any) -> None:
        """Write a value: it is there whole, or not at all."""
        number = self.checks.number()
        data = value_of(number)
        try:
            reply: Any = await to.write_value("v", data, chunk_size=CHUNK, timeout=self.left)
        except RespError as error:
            reply = error if isinstance(error, ReplyError) else None
            self.checks.tell(number, "RENAME", error.outcome, reply, self)
            raise
        except BaseException:
            self.checks.tell(number, "RENAME", None, None, self, self.history.clock.now)
            raise
        assert reply is True
        self.checks.tell(number, "RENAME", Outcome.REPLY, reply, self)

    @property
    def talks(self) -> Conversations:
        """Those of this history."""
        return self.history.talks
