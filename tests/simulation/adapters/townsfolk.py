"""Callers of an adapter whose client is a cluster's: as those of one server, each with keys of one slot, and some of their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from resp_sansio import Outcome, RespError
from resp_sansio.testing.members import slot_of
from simulation.adapters.conversations import MOST, Talker
from simulation.cluster.promises import OfSlots
from simulation.cluster.script import TAGS

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from simulation.adapters.clusters import ClusterHistory
    from simulation.adapters.history import History
    from simulation.script import Act

__all__ = ["ClusterTalker"]


class ClusterTalker(OfSlots, Talker):
    """A caller, with keys of one slot, but for pipelines over several."""

    history: ClusterHistory

    def __init__(self, history: History, act: Act) -> None:
        super().__init__(history, act)
        self.tag = int(act.chance * TAGS)
        self.tags = {self.tag}

    def key(self, name: str) -> str:
        return f"{name}{{{self.tag}}}"

    async def pipeline(self, to: Any) -> None:
        """Several at once, of several slots; each has its own answer."""
        own, expected, numbers = self.tag, [], []
        self.begin()
        pipe = to.pipeline(timeout=self.left)
        for at in range(5):
            self.tag = (own + at * self.act.caller) % TAGS if self.history.crosses(to) else own
            self.tags.add(self.tag)
            reads = at % 2 if self.act.chance < 0.5 else at % 3 == 2
            numbers.append(self.get_from(pipe) if reads else self.add_to(pipe))
            expected.append(self.key(f"e{numbers[-1]}").encode() if reads else numbers[-1])
        self.tag = own
        replies = await self.together(pipe, *numbers)
        assert replies is not None
        for reply, right in zip(replies, expected, strict=True):
            self.checks.own(self, reply, right)

    async def letters(self, to: Any) -> None:
        """Several strings at once, each in several steps, which keep their order."""
        number = self.checks.number()
        tags = [(self.tag + at) % TAGS for at in range(3)]
        self.tags.update(tags)
        keys = [f"a{number}.{tag}{{{tag}}}" for tag in tags]
        self.begin()
        pipe = to.pipeline(timeout=self.left)
        for letter in "abcd":
            for key in keys:
                pipe.execute("APPEND", key, letter)
        replies = await self.together(pipe)
        assert replies is not None
        for at, reply in enumerate(replies):
            if keys[at % 3].encode() not in self.history.checks.waited:  # else one may have come behind another
                self.checks.own(self, reply, at // 3 + 1)

    async def pair(self, to: Any) -> None:
        """Two keys in one command."""
        number = self.checks.number()
        words = ("MSET", self.key(f"m{number}"), number, self.key(f"M{number}"), number)
        self.checks.own(self, await self.ask(to, number, *words), "OK")

    async def spell(self, to: Any) -> None:
        """A string, step by step, not waiting for one step's end before the next, as far as there are tasks."""
        number, letters = self.checks.number(), iter("abc")
        key = self.key(f"s{number}")

        async def step(to: Any) -> None:
            await self.ask(to, self.checks.number(), "APPEND", key, next(letters))

        if self.history.script.mode == "lanes":  # each task has its own
            await step(to)
        else:
            await self.history.at_once([step, step, step], to)

    async def size(self, to: Any) -> None:
        """Of all masters together."""
        self.tags.update(range(TAGS))
        reply = await self.ask(to, self.checks.number(), "DBSIZE")
        assert isinstance(reply, int), f"{self} was answered {reply!r}"

    # -- watched transactions --------------------------------------------------------------------------------------------------

    async def watch(self, to: Any) -> None:
        await self._updates(super().watch(to))

    async def transact(self, to: Any) -> None:
        """Add one to a counter by WATCH, a few times: it goes on where its slot goes, half-way if it touches nothing else."""
        for _ in range(1 + int(self.act.chance * 100) % 4):
            await self._updates(self._transact(to, alone=self.act.chance * 100 % 1 < 0.5))
            await self.history.sleep(0.1)

    async def _transact(self, to: Any, *, alone: bool) -> None:
        key, since = self.key("w"), self.history.clock.now

        async def update(transaction: Any) -> None:
            value = int(await transaction.read("GET", key))
            transaction.execute("SET", key, value + 1)
            if not alone:
                number = self.checks.number()
                self.history.counts(self, number)
                transaction.execute("INCRBY", self.key(f"n{number}"), number)

        try:
            await to.transact(self.history.function(update), key, attempts=3, timeout=self.left)
        finally:
            self._in_time(since, self.deadline)

    async def _updates(self, call: Coroutine[Any, Any, None]) -> None:
        """Note how it ended: all that are told to be executed are, and no more than those of which it is not known as well."""
        updates = self.history.updates
        try:
            await call
        except RespError as error:
            updates["unsure"] += error.outcome is Outcome.MAYBE_EXECUTED
            raise
        except BaseException:
            updates["unsure"] += 1
            raise
        updates["done"] += 1

    # -- one of the servers ----------------------------------------------------------------------------------------------------

    async def node(self, to: Any) -> None:
        """Commands for one server, which answers what it says, be it MOVED."""
        node = await self._one_of(to)
        await self._at_one(node, "INCRBY")
        await self._at_one(node, "GET")

    async def visit(self, to: Any) -> None:
        """A connection of its own to one server."""
        node = await self._one_of(to)
        async with to.acquire(node=node.address, timeout=self.left) as connection:
            await self._at_one(connection, "GET")

    async def _one_of(self, to: Any) -> Any:
        """Return one of the servers that the client knows: mostly the one that has the caller's keys."""
        self.deadline = min(self.deadline, self.history.clock.now + MOST)
        nodes = await to.nodes(timeout=self.left)
        slot, chance = slot_of(self.key("").encode()), self.act.chance
        own = [node for node in nodes if any(slot in some for some in node.slots)]
        node = own[0] if own and chance * 10 % 1 > 0.4 else nodes[int(chance * 97) % len(nodes)]
        host, _, port = node.address.rpartition(":")
        self.place = host, int(port)
        return node

    async def _at_one(self, to: Any, name: str) -> None:
        number = self.checks.number()
        key = self.key(f"{'n' if name == 'INCRBY' else 'e'}{number}")
        words = (name, key, number) if name == "INCRBY" else (name, key)
        assert self.place is not None
        self.history.checks.meant[tuple([str(word).encode() for word in words])] = self.place
        self.checks.own(self, await self.ask(to, number, *words), number if name == "INCRBY" else key.encode())

    # -- what is kept --------------------------------------------------------------------------------------------------------------

    async def reread(self, to: Any) -> None:
        """Read again and again what others change: what the client keeps, or what a server has."""
        await self._reread(to, partial(self.history.touch, self.tags))

    async def rewrite(self, to: Any) -> None:
        """Add one to what others read again and again. Its own next look sees that."""
        await self._look(to)
        key, last = self.key("r"), self.history.checks.last_written
        self.begin()
        pipe = to.transaction(timeout=self.left)
        number = self.add_to(pipe)
        self.history.counts(self, number)
        value = pipe.execute("INCRBY", key, 1)
        await self.together(pipe, number)
        last[key.encode()] = max(last[key.encode()], value.result())
        await self._look(to)

    async def _look(self, to: Any) -> None:
        key, checks, since = self.key("r"), self.history.checks, self.history.clock.now
        written = checks.last_written[key.encode()]
        value = int(await self.ask(to, checks.number(), "GET", key))
        checks.is_fresh(self, key.encode(), value, written, since)
