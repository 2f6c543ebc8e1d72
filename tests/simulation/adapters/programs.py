"""Callers of an adapter: programs that speak of nothing but its public names, written once for all three.

Each asks for one thing after the other, knows the only right answer, and notes how each of its commands ended.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import (
    ConnectionClosedError,
    InvalidReplyError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    RespError,
    TransactionAbortedError,
    TransactionDiscardedError,
    UnexpectedReplyError,
)
from resp_sansio.testing import LARGE
from simulation.watching import asking

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.adapters.history import History
    from simulation.script import Act

__all__ = ["Caller"]

LATENESS: Final = 0.01
"""Seconds by which a call may outlive its deadline: poll counts in milliseconds."""


class Caller:
    """One program. `done` once it has ended, however that was; `left` when it was given up."""

    def __init__(self, history: History, act: Act) -> None:
        self.history = history
        self.act = act
        self.checks = history.checks
        self.done = False
        self.since = 0.0
        self.deadline = history.clock.now + act.seconds
        self.handle: Any = None  # what runs it

    def __repr__(self) -> str:
        return f"caller {self.act.number} ({self.act.kind})"

    async def run(self) -> None:
        """Live."""
        history = self.history
        history.tell("{} comes, for {} s", self, self.act.seconds)
        try:
            await getattr(self, self.act.kind)(history.client)
        except (RespError, ExceptionGroup) as error:
            history.tell("{} is told {!r}", self, error)
            self._excuse(error)
        except BaseException as error:
            history.tell("{} ends by {}", self, type(error).__name__)
            raise
        finally:
            self.done = True
        history.tell("{} is done", self)

    def _excuse(self, error: Exception) -> None:
        """A caller that comes when all is well is served, and no caller is refused for what it did not do."""
        if isinstance(error, ExceptionGroup):
            for one in error.exceptions:
                self._excuse(one)
            return
        assert isinstance(error, RespError), error
        refused = isinstance(error, LocalProtocolError) and not isinstance(error, ConnectionClosedError)
        assert not refused, f"{self} is refused: {error!r}"
        excused = (
            isinstance(error, (ReplyError, TransactionAbortedError, TransactionDiscardedError))
            or self.history.client.closed
        )
        assert not self.history.late or excused, f"{self} is told {error!r}, and all is well"

    # -- what all are made of -------------------------------------------------------------------------------------------------

    @property
    def left(self) -> float | None:
        """How many seconds there are."""
        left = self.deadline - self.history.clock.now
        return None if left == float("inf") else max(left, 0.0)

    def key(self, name: str) -> str:
        """A key with this name. All keys of a caller belong together."""
        return name

    async def ask(self, to: Any, number: int, *words: str | bytes | int, timeout: float | None = None) -> Any:
        """Execute a command, note how it ended, and return its reply. Raises as the adapter does."""
        name, since = str(words[0]), self.history.clock.now
        deadline = self.deadline if timeout is None else min(self.deadline, since + timeout)
        asking.set((number,))
        try:
            reply = await to.execute(*words, timeout=self.left if timeout is None else timeout)
        except (ReplyError, InvalidReplyError, UnexpectedReplyError) as error:
            self.checks.tell(number, name, Outcome.REPLY, error if isinstance(error, ReplyError) else 1, self)
            self._in_time(since, deadline)
            if isinstance(error, ReplyError):
                self.checks.own(self, error, None)
            raise
        except RespError as error:
            self.checks.tell(number, name, error.outcome, None, self)
            self._in_time(since, deadline)
            raise
        except BaseException:
            self.checks.tell(number, name, None, None, self, self.history.clock.now)
            raise
        finally:
            asking.set(())
        self.checks.tell(number, name, Outcome.REPLY, reply, self)
        self._in_time(since, deadline)
        return reply

    def _in_time(self, since: float, deadline: float) -> None:
        now = self.history.clock.now
        assert now <= max(deadline, since) + LATENESS, f"{self} outlived its deadline by {now - deadline} s"
        self.checks.punctual(self, since)

    async def together(self, pipe: Any, *numbers: int) -> list[Any] | None:
        """Run a pipeline, note how each of its commands ended, and return the replies."""
        since = self.history.clock.now
        asking.set(numbers)
        try:
            replies: list[Any] = await pipe.run()
        except RespError:
            self._note(numbers)
            self._in_time(since, self.deadline)
            raise
        except BaseException:
            for number in numbers:
                self.checks.tell(number, "INCRBY", None, None, self, self.history.clock.now)
            raise
        finally:
            asking.set(())
        self._note(numbers)
        self._in_time(since, self.deadline)
        return replies

    def _note(self, numbers: tuple[int, ...]) -> None:
        for result, number in zip(self.results, numbers, strict=True):
            outcome, reply = Outcome.REPLY, None
            try:
                reply = result.result()
            except ReplyError as error:
                reply = error
            except RespError as error:
                outcome = error.outcome
            self.checks.tell(number, self.names.pop(number), outcome, reply, self)

    def add_to(self, pipe: Any) -> int:
        """Put a command that must not run twice into a pipeline."""
        number = self.checks.number()
        self.results.append(pipe.execute("INCRBY", self.key(f"n{number}"), number))
        self.names[number] = "INCRBY"
        return number

    def get_from(self, pipe: Any) -> int:
        """Put a command that may be repeated into a pipeline."""
        number = self.checks.number()
        self.results.append(pipe.execute("GET", self.key(f"e{number}")))
        self.names[number] = "GET"
        return number

    def begin(self) -> None:
        """A pipeline begins."""
        self.results: list[Any] = []
        self.names: dict[int, str] = {}

    # -- what they want ---------------------------------------------------------------------------------------------------------

    async def get(self, to: Any) -> None:
        """A command that may be repeated, whose answer is its own."""
        number = self.checks.number()
        key = self.key(f"e{number}")
        self.checks.own(self, await self.ask(to, number, "GET", key), key.encode())

    async def reread(self, to: Any) -> None:
        """Read again and again what others change: what the client keeps, or what the server has."""
        await self._reread(to, partial(self.history.go_wrong, "touch"))

    async def _reread(self, to: Any, change: Callable[[], object]) -> None:
        """Read the same again and again, while others change it so."""
        history = self.history
        history.clock.after(0.1, change)
        for _ in range(2 + int(self.act.chance * 20)):
            await self._look(to)
            if self.act.chance < 0.5:
                await self.get(to)  # which takes a moment
            else:
                await history.sleep(0.06)  # and maybe no caller reads what the server says

    async def rewrite(self, to: Any) -> None:
        """Add one to what others read again and again. Its own next look sees that."""
        await self._look(to)
        self.begin()
        pipe = to.transaction(timeout=self.left)
        number = self.add_to(pipe)
        value = pipe.execute("INCRBY", self.key("w"), 1)
        self.history.counts(self, number)
        await self.together(pipe, number)
        self.history.written = max(self.history.written, value.result())
        await self._look(to)

    async def _look(self, to: Any) -> None:
        history = self.history
        number, written, since = self.checks.number(), history.written, history.clock.now
        history.fresh(self, int(await self.ask(to, number, "GET", self.key("w"))), written, since)

    async def large(self, to: Any) -> None:
        """The same with an answer that comes in many pieces."""
        number = self.checks.number()
        key = self.key(f"large:{number}").encode()
        self.checks.own(self, await self.ask(to, number, "GET", key), key * (LARGE // len(key)))

    async def odd(self, to: Any) -> None:
        """The server answers with something that is no value: only this caller is concerned."""
        number = self.checks.number()
        try:
            reply = await self.ask(to, number, "GET", f"odd:{number}")
        except InvalidReplyError:
            return
        raise AssertionError(f"{self} was answered {reply!r}")

    async def add(self, to: Any) -> None:
        """A command that must not run twice. Its answer is its own number."""
        number = self.checks.number()
        self.checks.own(self, await self.ask(to, number, "INCRBY", self.key(f"n{number}"), number), number)

    async def push(self, to: Any) -> None:
        """An element for those who wait for one."""
        number = self.checks.number()
        await self.ask(to, number, "RPUSH", self._list(), number)

    async def pop(self, to: Any) -> None:
        """Wait for an element. The last key is this call's own, and always empty."""
        number = self.checks.number()
        reply = await self.ask(
            to, number, "BLPOP", self._list(), self.key(f"b{number}"), "0.2", timeout=min(self.left or 3.0, 3.0)
        )
        self.checks.popped(self, reply, number)

    def _list(self) -> str:
        return self.key(f"q{int(self.act.chance * 2)}")

    async def pipeline(self, to: Any) -> None:
        """Several at once; each has its own answer."""
        self.begin()
        pipe = to.pipeline(timeout=self.left)
        one, two = self.add_to(pipe), self.get_from(pipe)
        three = self.add_to(pipe) if self.act.chance < 0.5 else self.get_from(pipe)
        replies = await self.together(pipe, one, two, three)
        assert replies is not None
        name = self.key(f"e{three}").encode()
        expected = [one, self.key(f"e{two}").encode(), three if self.act.chance < 0.5 else name]
        for reply, right in zip(replies, expected, strict=True):
            self.checks.own(self, reply, right)

    async def transaction(self, to: Any) -> None:
        """All of them or none."""
        self.begin()
        pipe = to.transaction(timeout=self.left)
        one, two = self.add_to(pipe), self.get_from(pipe)
        replies = await self.together(pipe, one, two)
        assert replies is not None
        self.checks.own(self, replies[0], one)
        self.checks.own(self, replies[1], self.key(f"e{two}").encode())

    async def burst(self, to: Any) -> None:
        """Three at a time, in this order."""
        await self.history.at_once([self.add, self.add, self.add], to)

    async def borrow(self, to: Any) -> None:
        """A few commands on a connection of its own."""
        async with self.history.lent(self, to) as connection:
            await self.transaction(connection)
            if self.act.chance < 0.3:
                await self.pop(connection)
            await self.get(connection)
            if self.act.chance > 0.4:  # and leave it to the pool to end this
                await connection.execute("WATCH", self.key("w"), timeout=self.left)

    async def change(self, to: Any) -> None:
        """A connection that was changed is not lent again. The database is this caller's number, beyond all others."""
        async with self.history.lent(self, to) as connection:
            assert await connection.execute("SELECT", 100 + self.act.number, timeout=self.left) == "OK"
            await self.add(connection)

    async def keep(self, to: Any) -> None:
        """A handle that is kept beyond its block refuses."""
        async with self.history.lent(self, to) as connection:
            await self.get(connection)
        try:
            await connection.execute("GET", self.key("e0"), timeout=self.left)
        except (ConnectionClosedError, LocalProtocolError):
            return
        raise AssertionError(f"{self} sent a command on a connection that it had given back")

    async def watch(self, to: Any) -> None:
        """Add one to a counter that others change as well, by WATCH; the value is known to be right at the end."""
        key = self.key("w")

        async def update(transaction: Any) -> None:
            value = int(await transaction.read("GET", key))
            transaction.execute("SET", key, value + 1)
            number = self.checks.number()
            self.history.counts(self, number)
            transaction.execute("INCRBY", self.key(f"n{number}"), number)

        since = self.history.clock.now
        try:
            await to.transact(self.history.function(update), key, attempts=3, timeout=self.left)
        finally:
            self.checks.punctual(self, since)

    async def subscribe(self, to: Any) -> None:
        """Listen to a channel on a connection of its own, and have the next messages in their order, without a gap."""
        channel = f"s{self.act.number}"
        async with self.history.lent(self, to) as connection:
            await connection.execute("SUBSCRIBE", channel, timeout=self.left)
            last = None
            for number in range(3):
                self.history.clock.after(0.05 + number * 0.1, self.history.server.publish, channel.encode())
            for _ in range(2):
                push = await connection.next_push(timeout=1.0)
                assert push.kind == "message", push
                assert push.items[0] == channel.encode(), push
                assert last is None or int(push.items[1]) == last + 1, f"{push} came behind {last}"
                last = int(push.items[1])
            if self.act.chance < 0.6:
                await connection.execute("UNSUBSCRIBE", channel, timeout=self.left)

    shard = subscribe

    # -- what they do to the client ---------------------------------------------------------------------------------------------

    async def retire(self, to: Any) -> None:
        """Let all connections go."""
        to.retire()

    async def resize(self, to: Any) -> None:
        """Change the bounds of a pool."""
        to.resize(1 + int(self.act.chance * 4), 0)

    async def drain(self, to: Any) -> None:
        """End the client, when those have ended that are under way."""
        await to.close(timeout=3.0)

    async def close(self, to: Any) -> None:
        """End the client."""
        await to.close()
