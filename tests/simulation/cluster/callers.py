"""Callers of a cluster's client: as those of one server, each with keys of one slot, but for pipelines over several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resp_sansio import ConnectError, ReplyError, RespError, TransactionAbortedError
from resp_sansio.client import WatchLoop
from resp_sansio.client.links import meant_for
from resp_sansio.connection import new_slot
from simulation.callers import EXEC, MULTI, Caller, Nap
from simulation.cluster.promises import OfSlots
from simulation.cluster.script import TAGS
from simulation.cluster.transact import Attempt

if TYPE_CHECKING:
    from resp_sansio.client.sentinel import Place
    from simulation.cluster.world import ClusterWorld
    from simulation.script import Act
    from simulation.world import World

__all__ = ["ClusterCaller"]

TOLD: Final = 40.0  # seconds after which it is known that a server has left, and can't be reached


class ClusterCaller(OfSlots, Caller):
    """One program."""

    world: ClusterWorld

    def __init__(self, world: World, act: Act) -> None:
        self.tags = {int(act.chance * TAGS)}
        super().__init__(world, act)

    def key(self, name: str) -> str:
        return self.tagged(name, int(self.act.chance * TAGS))

    @staticmethod
    def tagged(name: str, tag: int) -> str:
        """A key of one of a few slots."""
        return f"{name}{{{tag}}}"

    def pipeline(self) -> Any:
        """Several at once, of several slots; each has its own answer."""
        numbers = [self.world.fresh(self) for _ in range(5)]
        commands: list[tuple[str | int, ...]] = []
        expected: list[Any] = []
        for at, number in enumerate(numbers):
            reads = at % 2 if self.act.chance < 0.5 else at % 3 == 2
            tag = (int(self.act.chance * TAGS) + at * self.act.caller) % TAGS
            self.tags.add(tag)
            name = self.tagged(f"{'e' if reads else 'n'}{number}", tag)
            commands.append(("GET", name) if reads else ("INCRBY", name, number))
            expected.append(name.encode() if reads else number)
        slot = yield from self.ask(self.batch(*commands), *numbers)
        for reply, right in zip(slot.reply, expected, strict=True):
            self.own(reply, right)

    def letters(self) -> Any:
        """Several strings at once, each in several steps, which keep their order."""
        number = self.world.fresh(self)
        tags = [(int(self.act.chance * TAGS) + at) % TAGS for at in range(3)]
        self.tags.update(tags)
        keys = [self.tagged(f"a{number}.{tag}", tag) for tag in tags]
        commands = [("APPEND", key, letter) for letter in "abcd" for key in keys]
        slot = yield from self.ask(self.batch(*commands))
        for at, reply in enumerate(slot.reply):
            if keys[at % 3].encode() not in self.world.checks.waited:  # else one may have come behind another
                self.own(reply, at // 3 + 1)

    def pair(self) -> Any:
        """Two keys in one command."""
        number = self.world.fresh(self)
        words = ("MSET", self.key(f"m{number}"), number, self.key(f"M{number}"), number)
        slot = new_slot(words, None, self.deadline)
        yield from self.ask(slot, number)
        self.own(slot.reply, "OK")

    def spell(self) -> Any:
        """A string, step by step, not waiting for one step's end before the next."""
        number = self.world.fresh(self)
        slots = [new_slot(("APPEND", self.key(f"s{number}"), letter), None, self.deadline) for letter in "abc"]
        yield from self.all_of(slots, [(), (), ()])

    def reread(self) -> Any:
        """Read again and again what others change: what is kept, or what a server has."""
        world, key = self.world, self.key("r")
        assert world.cache is not None
        for _ in range(2 + int(self.act.chance * 100) % 20):
            value = world.kept(key)
            if value is not None:
                world.checks.is_fresh(
                    self, key.encode(), value, world.checks.last_written[key.encode()], world.clock.now
                )
                yield from self.get()  # which takes a moment
                continue
            slot = new_slot(("GET", key), None, self.deadline)
            read = world.cache.reading(slot.payload, ("GET", key), slot.info, self.deadline) or slot
            written = world.checks.last_written[key.encode()]
            yield from self.ask(read)
            if not isinstance(read.reply, bytes):
                self.own(read.reply, None)
                return
            world.checks.is_no_older(self, key.encode(), int(read.reply), written)

    def rewrite(self) -> Any:
        """Add one to what others read again and again."""
        number, key = self.world.fresh(self), self.key("r")
        both = self.batch(MULTI, ("INCRBY", self.key(f"n{number}"), number), ("INCRBY", key, 1), EXEC)
        slot = yield from self.ask(both, number)
        if isinstance(slot.reply[-1], list):
            last = self.world.checks.last_written
            last[key.encode()] = max(last[key.encode()], slot.reply[-1][1])

    def size(self) -> Any:
        """Of all masters together."""
        self.tags.update(range(TAGS))
        slot = new_slot(("DBSIZE",), None, self.deadline)
        yield from self.ask(slot)
        assert isinstance(slot.reply, (int, ReplyError))

    def stray(self) -> Any:
        """The same for one that has left, which may be there for all that."""
        left, since = [member.place for member in self.world.cluster.left], self.world.clock.now
        try:
            yield from self._ask_server(
                left[int(self.act.chance * len(left))] if left else self.world.pick_server(self)
            )
        except ConnectError:
            assert self.world.clock.now < since + TOLD, f"{self} was not told that its server has left"
            raise

    def node(self) -> Any:
        """Commands for one server, which answers what it says, be it MOVED."""
        yield from self._ask_server(self.world.pick_server(self))

    def _ask_server(self, place: Place) -> Any:
        self.place = place
        for name in ("INCRBY", "GET"):
            number = self.world.fresh(self)
            key = self.key(f"{'n' if name == 'INCRBY' else 'e'}{number}")
            words = (name, key, number) if name == "INCRBY" else (name, key)
            slot = new_slot(words, None, self.deadline)
            self.world.checks.meant[tuple([str(word).encode() for word in words])] = self.place
            meant_for(slot, self.place)
            yield from self.ask(slot, number)
            self.own(slot.reply, number if name == "INCRBY" else key.encode())

    def visit(self) -> Any:
        """A link of its own to one server."""
        self.place = self.world.pick_server(self)
        lease = yield from self.borrow_link()
        try:
            yield from self.get(lease)
        finally:
            self.world.release(lease)

    def transact(self) -> Any:
        """Add one to a counter, a few times, as `transact` of an adapter does: it goes on where its slot goes."""
        for _ in range(1 + int(self.act.chance * 100) % 4):
            yield from self._transact()

    def _transact(self) -> Any:
        world, loop = self.world, WatchLoop((self.key("w"),), 3)
        number = world.fresh(self)
        world.checks.transactions.append(number)
        pause = 0.0
        while True:
            self.place = None if loop.asks is None else loop.asks[1]
            lease = yield from self.borrow_link()
            try:
                while True:
                    attempt = Attempt(self, lease, loop, number)
                    try:
                        yield from attempt.steps()
                    except TransactionAbortedError:
                        if not loop.again():
                            return
                    except RespError as error:
                        again = attempt.pause_after(error)
                        if again is None:
                            raise
                        pause = again
                        break
                    else:
                        return
            finally:
                world.release(lease)
            yield Nap(pause)
