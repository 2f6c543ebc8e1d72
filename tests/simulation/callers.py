"""Callers: each is a generator that asks for one thing after the other, as a program does that uses an adapter.

A caller yields what it waits for, a slot or a waiter, and is resumed when that has ended. One that is cancelled gets `Cancelled`
there, and gives up what it waits for, as adapters do. Each knows the only right answer to what it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resp_sansio import InvalidReplyError, ReplyError, RespError
from resp_sansio.client import Waiter, WatchLoop, error_of
from resp_sansio.connection import Slot, SlotState, new_batch, new_slot, prepare
from resp_sansio.testing import LARGE
from simulation.driver import ProviderError

if TYPE_CHECKING:
    from collections.abc import Generator

    from resp_sansio import Push
    from simulation.script import Act
    from simulation.world import World

__all__ = ["Caller", "Cancelled", "Messages", "Nap", "ProviderError"]

Steps = Any  # a generator; what it returns depends on who is asked

MULTI: Final = ("MULTI",)
EXEC: Final = ("EXEC",)


class Cancelled(BaseException):
    """The caller's own program gives it up."""


class Messages:
    """What a caller waits for that listens: the next push on its link, or the link's end."""

    def __init__(self, channel: bytes) -> None:
        self.channel = channel
        self.came: list[Push] = []


class Nap:
    """What a caller waits for that lets some time pass."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Caller:
    """One program, which asks for one or several things. `waits` is what for, `None` while it runs and when it is done."""

    def __init__(self, world: World, act: Act) -> None:
        self.world = world
        self.act = act
        self.waits: Slot | Waiter | Messages | Nap | None = None
        self.gone = False
        self.late = world.late  # it comes when all is well again
        self.deadline = world.clock.now + act.seconds
        self.steps: Generator[Slot | Waiter | Messages | Nap, None, None] = getattr(self, act.kind)()

    def __repr__(self) -> str:
        return f"caller {self.act.number} ({self.act.kind})"

    def run(self, thrown: BaseException | None = None) -> None:
        """Go on, up to the next thing to wait for."""
        if self.gone:
            return
        self.waits = None
        try:
            waits = self.steps.throw(thrown) if thrown is not None else next(self.steps)
        except StopIteration:
            self.gone = True
        except (RespError, ProviderError, Cancelled) as error:
            self.gone = True
            self.world.tell("{} is told {!r}", self, error)
            self.world.checks.excused(self, error)
        else:
            self.waits = waits
            self.world.park(self, waits)

    def leave(self) -> None:
        """Its program gives it up, wherever it is."""
        if not self.gone and self.waits is not None:
            self.world.tell("{} leaves", self)
            self.run(Cancelled())

    # -- what all are made of ---------------------------------------------------------------------------------------------------

    def ask(self, slot: Slot, *numbers: int, lease: Any = None, epoch: int | None = None) -> Steps:
        """Submit a slot, wait for its end, and return it. Raises why it was not answered."""
        world = self.world
        world.submit(self, slot, numbers, lease, epoch)
        try:
            while not world.is_over(slot):
                yield slot
        except Cancelled:
            world.abandon(slot)
            raise
        if slot.state is not SlotState.ANSWERED:
            raise error_of(slot)
        return slot

    def command(self, *words: str | bytes | int, lease: Any = None) -> Steps:
        """The same for one command that changes nothing; returns the reply. Raises error replies."""
        slot = new_slot(words, None, self.deadline)
        numbers = (self.world.checks.latest,) if words[0] == "GET" and words[1] != self.key("w") else ()
        yield from self.ask(slot, *numbers, lease=lease)
        if isinstance(slot.reply, ReplyError):
            if words[0] != "SSUBSCRIBE":  # which may be another node's
                self.own(slot.reply, None)
            raise slot.reply
        return slot.reply

    def batch(self, *commands: tuple[str | int, ...]) -> Slot:
        """A pipeline."""
        prepared = [prepare(words) for words in commands]
        return new_batch([payload for payload, _ in prepared], [info for _, info in prepared], None, self.deadline)

    def borrow_link(self) -> Steps:
        """Get a lease. Raises why there is none."""
        world = self.world
        waiter = world.acquire(self, self.deadline)
        try:
            while waiter.lease is None and waiter.error is None:
                yield waiter
        except Cancelled:
            world.withdraw(waiter)
            raise
        if waiter.error is not None:
            raise waiter.error
        world.granted(self, waiter.lease)
        return waiter.lease

    def own(self, reply: Any, expected: Any) -> None:
        """A reply is this caller's own, or an error."""
        self.world.checks.own(self, reply, expected)

    # -- what they want -----------------------------------------------------------------------------------------------------------

    def get(self, lease: Any = None) -> Steps:
        """A command that may be repeated, whose answer is its own."""
        key = self.key(f"e{self.world.fresh(self)}")
        self.own((yield from self.command("GET", key, lease=lease)), key.encode())

    def reread(self) -> Steps:
        """Read again and again what others change: what is kept, or what the server has."""
        world = self.world
        for _ in range(2 + int(self.act.chance * 20)):
            value = world.kept()
            if value is None:
                slot = new_slot(("GET", "w"), None, self.deadline)
                if world.cache is not None:
                    slot = world.cache.reading(slot.payload, ("GET", "w"), slot.info, self.deadline) or slot
                written = world.checks.written
                yield from self.ask(slot)
                if isinstance(slot.reply, ReplyError):
                    self.own(slot.reply, None)
                    return
                assert isinstance(slot.reply, bytes)
                value = int(slot.reply)
                assert value >= written, f"{self} read {value}, and had written {written}"
            else:
                world.checks.fresh(self, value)
                yield from self.get()  # which takes a moment

    def rewrite(self) -> Steps:
        """Add one to what others read again and again."""
        world, number = self.world, self.world.fresh(self)
        world.watched.append(number)
        both = self.batch(MULTI, ("INCRBY", f"n{number}", number), ("INCRBY", "w", 1), EXEC)
        slot = yield from self.ask(both, number)
        if isinstance(slot.reply[-1], list):
            world.checks.written = max(world.checks.written, slot.reply[-1][1])

    def large(self) -> Steps:
        """The same with an answer that comes in many pieces."""
        key = self.key(f"large:{self.world.fresh(self)}")
        self.own((yield from self.command("GET", key)), key.encode() * (LARGE // len(key)))

    def odd(self) -> Steps:
        """The server answers with something that is no value: only this caller is concerned."""
        reply = yield from self.command("GET", self.key(f"odd:{self.world.fresh(self)}"))
        assert isinstance(reply, InvalidReplyError), f"{self} was answered {reply!r}"

    def add(self, lease: Any = None) -> Steps:
        """A command that must not run twice. Its answer is its own number."""
        number = self.world.fresh(self)
        slot = new_slot(("INCRBY", self.key(f"n{number}"), number), None, self.deadline)
        yield from self.ask(slot, number, lease=lease)
        self.own(slot.reply, number)

    def push(self) -> Steps:
        """An element for those who wait for one."""
        number = self.world.fresh(self)
        slot = new_slot(("RPUSH", self._list(), number), None, self.deadline)
        yield from self.ask(slot, number)
        assert isinstance(slot.reply, (int, ReplyError))

    def pop(self, lease: Any = None) -> Steps:
        """Wait for an element. The last key is this call's own, and always empty."""
        number = self.world.fresh(self)
        slot = new_slot(
            ("BLPOP", self._list(), self.key(f"b{number}"), "0.2"), None, min(self.deadline, self.world.clock.now + 3.0)
        )
        yield from self.ask(slot, number, lease=lease)
        self.world.checks.popped(self, slot.reply, number)

    def _list(self) -> str:
        return self.key(f"q{int(self.act.chance * 2)}")

    def key(self, name: str) -> str:
        """A key with this name. All keys of a caller belong together."""
        return name

    def pipeline(self) -> Steps:
        """Several at once; each has its own answer."""
        one, two, three = (self.world.fresh(self) for _ in range(3))
        commands = [("INCRBY", f"n{one}", one), ("GET", f"e{two}"), ("INCRBY", f"n{three}", three)]
        expected = [one, b"e%d" % two, three]
        if self.act.chance < 0.5:  # what comes behind the first may be repeated
            commands[2] = ("GET", f"e{three}")
            expected[2] = b"e%d" % three
        slot = yield from self.ask(self.batch(*commands), one, two, three)
        for reply, right in zip(slot.reply, expected, strict=True):
            self.own(reply, right)

    def transaction(self, lease: Any = None) -> Steps:
        """All of them or none; inside it BLPOP does not wait."""
        one, two = self.world.fresh(self), self.world.fresh(self)
        wanted = self.key(f"e{two}")
        inside = ("GET", wanted) if self.act.chance < 0.7 else ("BLPOP", self.key("empty"), self.key(f"b{two}"), 0)
        numbers = (one, two) if inside[0] == "GET" else (one,)
        both = self.batch(MULTI, ("INCRBY", self.key(f"n{one}"), one), inside, EXEC)
        slot = yield from self.ask(both, *numbers, lease=lease)
        watches = not self.world.client.lends  # others', on the same link: then this EXEC may have ended one
        assert watches or slot.reply[-1] is not None, f"{self} watches nothing, and was aborted"
        if isinstance(slot.reply[-1], list):
            self.own(slot.reply[-1][0], one)
            self.own(slot.reply[-1][1], wanted.encode() if inside[0] == "GET" else None)

    def burst(self) -> Steps:
        """Three at a time, in this order."""
        numbers = [self.world.fresh(self) for _ in range(3)]
        slots = [new_slot(("INCRBY", self.key(f"n{number}"), number), None, self.deadline) for number in numbers]
        yield from self.all_of(slots, [(number,) for number in numbers])

    def all_of(self, slots: list[Slot], numbers: list[tuple[int, ...]]) -> Steps:
        """Begin several calls, and then wait for the end of each. The reply to a numbered one is its number."""
        world = self.world
        sent = []
        try:
            for slot, some in zip(slots, numbers, strict=True):
                world.submit(self, slot, some, None, None)
                sent.append(slot)
            for slot, some in zip(slots, numbers, strict=True):
                while not world.is_over(slot):
                    yield slot
                if slot.state is SlotState.ANSWERED and some:
                    self.own(slot.reply, *some)
        except BaseException:
            for slot in sent:
                if not world.is_over(slot):
                    world.abandon(slot)
            raise

    def borrow(self) -> Steps:
        """A few commands on a link of its own."""
        lease = yield from self.borrow_link()
        try:
            yield from self.transaction(lease)
            if self.act.chance < 0.3:
                yield from self.pop(lease)
            yield from self.get(lease)
            if self.act.chance > 0.4:  # and leave it to the pool to end this
                yield from self.command("WATCH", self.key("w"), lease=lease)
        finally:
            self.world.release(lease)

    def change(self) -> Steps:
        """A link that was changed is not lent again. The database is this caller's number, beyond all others."""
        lease = yield from self.borrow_link()
        try:
            reply = yield from self.command("SELECT", 100 + self.act.number, lease=lease)
            assert reply == "OK"
            yield from self.add(lease)
        finally:
            self.world.release(lease)

    def keep(self) -> Steps:
        """A handle that is kept beyond its block refuses."""
        lease = yield from self.borrow_link()
        try:
            yield from self.get(lease)
        finally:
            self.world.release(lease)
        self.world.checks.refuses(self, lease)

    def watch(self) -> Steps:
        """Add one to a counter that others change as well, by WATCH; the value is known to be right at the end."""
        world = self.world
        loop = WatchLoop((self.key("w"),), 3)
        lease = yield from self.borrow_link()
        try:
            while True:
                number = world.fresh(self)
                done = yield from self._attempt(lease, number)
                if done or not loop.again():
                    return
        finally:
            world.release(lease)

    def _attempt(self, lease: Any, number: int) -> Steps:
        world, core = self.world, lease.connection.core
        epoch = core.watch_epoch
        slot = None
        try:
            yield from self.command("WATCH", self.key("w"), lease=lease)
            value = int((yield from self.command("GET", self.key("w"), lease=lease)))
            counts = ("INCRBY", self.key(f"n{number}"), number)
            slot = self.batch(MULTI, ("SET", self.key("w"), value + 1), counts, EXEC)
            yield from self.ask(slot, number, lease=lease, epoch=epoch)
        except BaseException as error:
            if WatchLoop.needs_unwatch(error, ended=core.watch_epoch != epoch):
                world.unwatch(lease)
            if isinstance(error, RespError) and type(error).__name__ == "TransactionAbortedError":
                return False
            raise
        assert isinstance(slot.reply, list)
        return isinstance(slot.reply[-1], list)

    def shard(self) -> Steps:
        """Listen to a shard channel whose slot may move to another node while this caller leaves it."""
        world, channel = self.world, b"h%d" % self.act.number
        lease = yield from self.borrow_link()
        try:
            world.listen(self, lease, channel)
            yield from self.command("SSUBSCRIBE", channel, lease=lease)
            if self.act.chance < 0.7:
                world.clock.after(self.act.chance * 0.012, world.server.move, channel)
            slot = new_slot(("SUNSUBSCRIBE", channel), None, self.deadline)
            yield from self.ask(slot, lease=lease)
            if isinstance(slot.reply, ReplyError) and slot.reply.code != "MOVED":
                self.own(slot.reply, None)
            else:
                yield from self.get(lease)
        finally:
            world.release(lease)

    def subscribe(self) -> Steps:
        """Listen to a channel on a link of its own, and have the next messages in their order, without a gap."""
        world, channel = self.world, b"s%d" % self.act.number
        lease = yield from self.borrow_link()
        try:
            if world.shares(lease) and lease.connection.core.protocol == 2:
                return  # it would be all that the others may do
            slot = new_slot(("SUBSCRIBE", channel), None, self.deadline)
            messages = world.listen(self, lease, channel)
            yield from self.ask(slot, lease=lease)
            if isinstance(slot.reply, ReplyError):
                return
            for _ in range(2 + int(self.act.chance * 10) % 3):
                if not messages.came and world.can_listen(lease.connection):
                    yield messages
            if self.act.chance < 0.6:
                yield from self.ask(new_slot(("UNSUBSCRIBE", channel), None, self.deadline), lease=lease)
        finally:
            world.release(lease)
