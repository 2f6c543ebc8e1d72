"""Callers of a cluster's client: as those of one server, each with keys of one slot, but for pipelines over several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resp_sansio import ReplyError
from resp_sansio.connection import new_slot
from simulation.callers import Caller
from simulation.cluster.promises import OfSlots

if TYPE_CHECKING:
    from simulation.cluster.world import ClusterWorld
    from simulation.script import Act
    from simulation.world import World

__all__ = ["ClusterCaller"]

TAGS: Final = 12  # slots that callers use


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

    def size(self) -> Any:
        """Of all masters together."""
        self.tags.update(range(TAGS))
        slot = new_slot(("DBSIZE",), None, self.deadline)
        yield from self.ask(slot)
        assert isinstance(slot.reply, (int, ReplyError))
