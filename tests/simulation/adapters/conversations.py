"""Callers whose calls are conversations: iterations, queues, values, subscriptions. Each knows what must come if all goes well."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

from core.client.streams import Streams
from core.client.streams import number as number_of
from resp_sansio import CommandTimeoutError, Outcome, ReplyError, RespError, StreamEntry, TornValueError
from resp_sansio.client import Kind
from resp_sansio.testing.keyspace import KEYS
from simulation.adapters.programs import Caller
from simulation.cluster.promises import PATIENCE
from simulation.followers import Seen

if TYPE_CHECKING:
    from resp_sansio.testing.server import Words
    from simulation.adapters.history import History

__all__ = ["MOST", "Conversations", "Talker"]

MOST: Final = 8.0
"""Seconds that a subscription has to begin, and a call for one server, which may have left."""

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
        self.added: set[bytes] = set()
        self.gathered = False
        self.streams = Streams(b"s")
        self._history = history
        history.server.more = self.answer
        history.server.strings[b"v"] = value_of(0)

    def answer(self, words: Words) -> Any:
        """Answer what is asked of streams."""
        self.streams.now = self._history.clock.now
        return self.streams.run(words)

    def add(self) -> None:
        """Another client adds an entry to the stream."""
        self.added.add(b"s%d" % self.streams.add())
        self._history.server.wake(b"s")

    def rest(self, *, calm: bool) -> None:
        """At the end nothing is lost, and what was written in part is gone, if all was calm."""
        lists, strings, told = self._history.server.lists, self._history.server.strings, self._history.checks.told
        there = {element for key in ("jobs", *self.workings) for element in lists[key.encode()]}
        for number in self.pushed:
            came = number in told and told[number].outcome is Outcome.REPLY and isinstance(told[number].reply, int)
            lost = came and b"%d" % number not in there | self.handled
            assert not lost, f"element {number} was lost"
        assert not (self.gathered and there), f"{there} were handed over to no handler"
        left = self.added - self.handled
        assert not (self.gathered and left), f"{left} were handled by none"
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
        await self._handle(to.consume_list("jobs", working=working, block=self._block), fails=True)

    async def stream(self, to: Any) -> None:
        """The same with entries of a stream, some of which come as they are handled."""
        for seconds in (0.0, 0.0, 0.0, 0.05):
            self.history.clock.after(seconds, self.talks.add)
        await self.history.sleep(0.01)
        own = f"c{self.act.number}"
        await self._handle(to.consume("s", group="g", consumer=own, count=2, block=self._block), fails=True)

    @property
    def _block(self) -> int | None:
        """For how many milliseconds a read waits on the server, if it does."""
        return None if self.act.chance < 0.5 else 50 + int(self.act.chance * 500)

    async def gather(self, to: Any) -> None:
        """All is well: what others have left is handled."""
        for working in self.talks.workings or ["jobs:0"]:
            await self._handle(to.consume_list("jobs", working=working, block=None), fails=False)
        await self._handle(to.consume("s", group="g", consumer="last", min_idle=500, block=None), fails=False)
        self.talks.gathered = True

    async def _handle(self, queue: Any, *, fails: bool) -> None:
        talks = self.talks
        async with queue as items:
            if fails and self._block is not None:
                self.history.clock.after(1.0 + self.act.chance, items.stop)
            async for item in items:
                name = b"s%d" % number_of(item.id) if isinstance(item, StreamEntry) else item.value
                assert item.again or name not in talks.handed, f"{self} is handed {name!r}, as if it were new"
                talks.handed.add(name)
                with suppress(FailedError), item:
                    await self.history.sleep(0.02)
                    if fails and name[-1] % 3 == 0:
                        raise FailedError
                    talks.handled.add(name)

    async def follow(self, to: Any) -> None:
        """Subscribe for a while: each hole in the numbers of a channel has a gap. When all is well, the last one comes, too."""
        history, chance = self.history, self.act.chance
        wanted = Random(f"{history.script.seed}.{self.act.number}").sample(
            history.names, 1 + int(chance * len(history.names))
        )
        seen, since = Seen(wanted), history.clock.now
        channels, patterns, shards = [[name for kind, name in wanted if kind is each] for each in Kind]
        self.deadline = min(self.deadline, since + MOST)
        async with to.subscribe(*channels, patterns=patterns, shards=shards, timeout=self.left) as messages:
            assert not history.late or history.clock.now < since + PATIENCE, f"{self} waited, and all was well"
            until = history.clock.now + 0.5 + chance
            history.messages(until - 0.3)
            while history.clock.now < until:
                try:
                    seen.sees(await messages.next(timeout=until - history.clock.now))
                except CommandTimeoutError:
                    break
        if history.late:
            now = dict(history.messages_by(seen))
            last = {by: seen.last.get(by) for by in now}
            assert last == now, f"{self} has had {last}, and there were {now}"

    async def unsubscribed(self, to: Any) -> None:  # noqa: ARG002
        """When no caller subscribes any more, the client has left all channels."""
        while any(not caller.done for caller in self.history.callers if caller is not self):
            await self.history.sleep(0.1)
        for socket in self.history.sockets:
            assert not socket.alive or not socket.session.names, f"{socket.session.names} are subscribed to"

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
            if self.history.interrupts:
                self.history.calm = (
                    False  # no thread is left that sends what removes it, if the socket takes no more now
                )
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
