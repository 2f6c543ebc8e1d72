"""Conversations: what takes a client several commands, or a connection of its own; to be lost and cancelled anywhere.

Each says what is on the server before, what is said, what has to be true of that however it ended, and what may be left. They are
written once, as coroutines; with threads, one thread makes all the calls of a conversation.
"""

from __future__ import annotations

import runpy
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest

from adapters.backends import CANCELLED
from adapters.peers import Restarting, calls, listed
from examples import DOCS
from resp_sansio import (
    Cache,
    CommandTimeoutError,
    Gap,
    Outcome,
    RespError,
    Script,
    as_int,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.backends import Backend
    from servers import Server

__all__ = ["CONVERSATIONS", "Conversation"]

PUSH: Final = Script("return redis.call('RPUSH', KEYS[1], ARGV[1])", read=as_int)
LIBRARY: Final = """#!lua name=conversations
redis.register_function('push', function(keys, args) return redis.call('RPUSH', keys[1], args[1]) end)
"""


class Conversation(ABC):
    """One conversation, on a server that holds nothing else."""

    options: ClassVar[dict[str, Any]] = {}
    """Of the client."""
    kinds: ClassVar[tuple[str, ...]] = ("client", "pool", "connect")
    survives: ClassVar[tuple[str, ...]] = ()
    """A connection that is lost once does not end it, on these kinds."""
    gives_back: ClassVar[bool] = False
    """Where it is cancelled, it waits for the server once more."""
    needs_memory: ClassVar[bool] = False
    """It counts on the server's having what was written."""

    def __init__(self, backend: Backend, server: Server | Restarting) -> None:
        self.backend = backend
        self.server = server

    @abstractmethod
    def prepare(self) -> None:
        """Put on the server what it is about."""

    def meanwhile(self) -> object:
        """Do what others do while the connection is away, as it is lost or as the server has started again."""
        return None

    async def begin(self, redis: Any) -> None:
        """Do on a client that works what is in front of it."""
        await redis.ping()

    @abstractmethod
    async def talk(self, redis: Any) -> None:
        """Have it."""

    @abstractmethod
    def check(self, end: Any) -> None:
        """What callers were told is true. `end`: None if it came to its end, else its `RespError`, or CANCELLED."""

    async def go_on(self, redis: Any) -> None:
        """See on a client that works that nothing is missing."""
        await redis.ping()

    def nothing_is_left(self) -> bool:
        """Is nothing of it left on the server?"""
        return True

    def said(self, *words: str | bytes | int) -> Any:
        """What the server answers."""
        return self.server.call(*words)

    @property
    def restarts(self) -> int:
        """How often the server was started again."""
        return self.server.restarts if isinstance(self.server, Restarting) else 0

    @property
    def forgot(self) -> bool:
        """Was it, with nothing of what it had?"""
        return isinstance(self.server, Restarting) and self.server.forgot

    def traces(self, told: Outcome) -> set[int]:
        """How often a command may have left its trace on the server that is told so."""
        return POSSIBLE[told] | ({0} if self.forgot else set())


def outcome_of(end: Any) -> Outcome:
    """May it have run, as far as the caller knows?"""
    if end is None:
        return Outcome.REPLY
    return end.outcome if isinstance(end, RespError) else Outcome.MAYBE_EXECUTED


POSSIBLE: Final = {
    Outcome.REPLY: {1},
    Outcome.NOT_SENT: {0},
    Outcome.MAYBE_EXECUTED: {0, 1},
}
"""How often a command was executed that is told so."""


# -- batches, scripts, transactions ---------------------------------------------------------------------------------------------


class Pushes(Conversation):
    """Commands that push an element each: the list knows which were executed, in which order, and how often."""

    def prepare(self) -> None:
        self.results: list[Any] = []

    @property
    def log(self) -> list[bytes]:
        found: list[bytes] = self.said("LRANGE", "log", 0, -1)
        return found

    def check(self, end: Any) -> None:
        log = self.log
        assert log == sorted({*log}), "each once, and in order"
        for index, result in enumerate(self.results):
            try:
                length = result.result()
            except RespError as error:
                told = error.outcome
            else:
                told = Outcome.REPLY
                assert length == index + 1 or (self.forgot and 1 <= length <= index)
            assert log.count(b"%d" % index) in self.traces(told), (index, told)
        if end is None and not self.forgot:
            assert len(log) == len(self.results)
        elif outcome_of(end) is Outcome.NOT_SENT:
            assert log == []


class Pipelined(Pushes):
    """A pipeline, with a script in it."""

    async def talk(self, redis: Any) -> None:
        pipe = redis.pipeline()
        self.results = [
            pipe.rpush("log", 0),
            pipe.execute(PUSH.command(["log"], [1])),
            pipe.rpush("log", 2),
        ]
        await pipe.run()


class Transaction(Pushes):
    """A transaction, with a script in it."""

    async def talk(self, redis: Any) -> None:
        both = redis.transaction()
        self.results = [
            both.rpush("log", 0),
            both.execute(PUSH.command(["log"], [1])),
            both.rpush("log", 2),
        ]
        await both.run()

    def check(self, end: Any) -> None:
        super().check(end)
        assert len(self.log) in (0, 3)


class Functions(Pushes):
    """Functions: alone, in a pipeline, in a transaction."""

    def prepare(self) -> None:
        super().prepare()
        self.said("FUNCTION", "LOAD", "REPLACE", LIBRARY)
        self.alone: list[Any] = []

    async def talk(self, redis: Any) -> None:
        pipe, both = redis.pipeline(), redis.transaction()
        self.results = [pipe.fcall("push", 1, "log", 0), pipe.fcall("push", 1, "log", 1)]
        await pipe.run()
        self.results += [both.fcall("push", 1, "log", 2), both.fcall("push", 1, "log", 3)]
        await both.run()

    def check(self, end: Any) -> None:
        super().check(None if end is None else CANCELLED)  # what its last step ended in is not about the others

    def nothing_is_left(self) -> bool:
        return bool(self.said("FUNCTION", "FLUSH") == b"OK")


class Scripts(Conversation):
    """Scripts that the server has not got: their sources go out behind their digests."""

    def prepare(self) -> None:
        self.said("SCRIPT", "FLUSH")
        self.said("CONFIG", "RESETSTAT")
        self.told: Any = None

    async def talk(self, redis: Any) -> None:
        self.told = await redis.run(PUSH, ["log"], ["x"])

    def check(self, end: Any) -> None:
        assert self.said("LLEN", "log") in self.traces(outcome_of(end)), end
        assert self.told == (1 if end is None else None)

    async def go_on(self, redis: Any) -> None:
        """A server that has forgotten it is told once."""
        there = self.said("LLEN", "log")
        assert [await redis.run(PUSH, ["log"], ["y"]) for _ in range(2)] == [there + 1, there + 2]
        if self.restarts:
            assert calls(self.server, "eval") <= 1


class Transacted(Conversation):
    """A transaction that depends on what it reads; another is faster at the first attempt."""

    def prepare(self) -> None:
        self.said("SET", "n", 5)
        self.told: Any = None

    async def talk(self, redis: Any) -> None:
        attempts: list[int] = []

        async def update(transaction: Any) -> int:
            seen = int(await transaction.read("GET", "n") or 5)
            attempts.append(seen)
            if len(attempts) == 1:
                self.said("SET", "n", 5)
            transaction.set("n", seen + 1)
            transaction.rpush("log", seen)
            return seen

        self.told = await redis.transact(update, "n")

    def check(self, end: Any) -> None:
        ran = self.said("LLEN", "log")
        assert ran in self.traces(outcome_of(end)), end
        n = self.said("GET", "n")
        assert n == b"%d" % (5 + ran) or (self.forgot and (n, ran) == (None, 0))
        assert self.told == (5 if end is None else None)

    async def go_on(self, redis: Any) -> None:
        """No connection watches any more what was watched."""
        self.said("SET", "n", 0)
        both = redis.transaction()
        both.incr("n")
        assert await both.run() == [1]


# -- iterators -------------------------------------------------------------------------------------------------------------------


class Scanned(Conversation):
    """All keys, or all that is in one, page by page."""

    survives = ("client", "pool")

    def prepare(self) -> None:
        self.found: list[Any] = []
        self.put([f"{number}".rjust(100, "x").encode() for number in range(40)])  # too long for a compact form

    def put(self, names: list[bytes]) -> None:
        """Have all these on the server."""
        self.all: set[Any] = {*names}
        self.said("MSET", *[word for name in names for word in (name, "v")])

    def iteration(self, redis: Any) -> Any:
        return redis.scan_iter(count=15)

    async def talk(self, redis: Any) -> None:
        self.keys = self.iteration(redis)
        async for item in self.keys:
            self.found.append(item)

    def check(self, end: Any) -> None:
        assert self.keys.restarts <= self.restarts
        assert {*self.found} <= self.all
        if end is None and not self.forgot:
            assert {*self.found} == self.all

    async def go_on(self, redis: Any) -> None:
        """What ended it leaves nothing out: not of the same iteration, where the connection is another one, either."""
        if redis.closed:
            return
        async for item in self.keys:
            self.found.append(item)
        assert {*self.found} == self.all or self.forgot


class Fields(Scanned):
    """The fields of a hash."""

    def put(self, names: list[bytes]) -> None:
        self.all = {(name, b"v") for name in names}
        self.said("HSET", "h", *[word for name in names for word in (name, "v")])

    def iteration(self, redis: Any) -> Any:
        return redis.hscan_iter("h", count=25)


class Members(Scanned):
    """The members of a set, in a block."""

    def put(self, names: list[bytes]) -> None:
        self.all = {*names}
        self.said("SADD", "s", *names)

    def iteration(self, redis: Any) -> Any:
        return redis.sscan_iter("s", count=25)

    async def talk(self, redis: Any) -> None:
        self.keys = self.iteration(redis)
        async with self.keys:
            async for item in self.keys:
                self.found.append(item)

    async def go_on(self, redis: Any) -> None:
        """The end of its block has ended it."""


class Scores(Scanned):
    """The members of a sorted set."""

    def put(self, names: list[bytes]) -> None:
        self.all = {(name, 1.0) for name in names}
        self.said("ZADD", "z", *[word for name in names for word in (1, name)])

    def iteration(self, redis: Any) -> Any:
        return redis.zscan_iter("z", count=25)


# -- queues ----------------------------------------------------------------------------------------------------------------------


class Consumed(Conversation):
    """Entries of a stream, read and acknowledged."""

    survives: ClassVar[tuple[str, ...]] = ("client", "pool")
    block: int | None = None

    def prepare(self) -> None:
        self.new: Counter[bytes] = Counter()
        self.handled: Counter[bytes] = Counter()
        self.put(1)

    def meanwhile(self) -> None:
        if self.forgot:
            self.put(4)

    def put(self, first: int) -> None:
        """Have others put three entries there."""
        names = [f"{number}-0" for number in range(first, first + 3)]
        self.wanted = {name.encode() for name in names}
        for name in names:
            self.said("XADD", "s", name, "n", 1)

    def queue(self, redis: Any, block: int | None) -> Any:
        return redis.consume("s", group="g", consumer="me", block=block, count=2)

    async def talk(self, redis: Any) -> None:
        self.entries = self.queue(redis, self.block)
        await self.take(self.entries)

    async def take(self, entries: Any) -> None:
        async with entries:
            async for entry in entries:
                with entry:
                    name = getattr(entry, "id", None) or entry.value
                    self.new[name] += not entry.again
                    self.handled[name] += 1
                if self.has_all and self.block is not None:
                    break

    @property
    def has_all(self) -> bool:
        """Has each that the server has got been handled?"""
        return self.wanted <= {*self.handled}

    @property
    def pending(self) -> int:
        if self.said("EXISTS", "s") == 0 or self.said("XINFO", "GROUPS", "s") == []:
            return 0
        return int(self.said("XPENDING", "s", "g")[0])

    def check(self, end: Any) -> None:
        assert max(self.new.values(), default=0) <= 1, "it came as new more than once"
        if end is None and not self.forgot:
            assert self.has_all
            assert self.pending == 0

    async def go_on(self, redis: Any) -> None:
        """The same queue hands over the rest; what was done may have to be done again by another one of its name."""
        if self.block is None or not self.has_all:
            await self.take(self.entries)
        self.check(CANCELLED)
        assert self.has_all
        self.block = None
        while self.pending:
            await self.take(self.queue(redis, None))


class Awaited(Consumed):
    """The same, where a read waits."""

    block = 500


class Worked(Consumed):
    """Elements of a list, moved to another and removed from there."""

    def prepare(self) -> None:
        self.new, self.handled = Counter(), Counter()
        self.put(0)

    def put(self, first: int) -> None:
        items = range(first, first + 3)
        self.wanted = {b"%d" % item for item in items}
        self.said("RPUSH", "q", *items)

    def queue(self, redis: Any, block: int | None) -> Any:
        return redis.consume_list("q", working="w", block=block)

    @property
    def pending(self) -> int:
        return int(self.said("EXISTS", "q", "w"))


class WorkedAndAwaited(Worked):
    """The same, where a read waits. A removal that is lost as the block ends is told."""

    block = 500
    survives = ()


# -- messages --------------------------------------------------------------------------------------------------------------------


class Subscribed(Conversation):
    """Channels, patterns and channels of shards, which change while messages come."""

    survives = ("client", "pool")

    def prepare(self) -> None:
        self.gaps = 0

    async def talk(self, redis: Any) -> None:
        self.last, self.number = -1, 0
        async with redis.subscribe("a", patterns=["p*"], shards=["s"]) as messages:
            for channel, how in (("a", "PUBLISH"), ("p1", "PUBLISH"), ("s", "SPUBLISH")):
                await self.hear(messages, channel, how)
            await messages.subscribe("b", patterns=["r*"])
            await self.hear(messages, "r1")
            await messages.unsubscribe("a", patterns=["p*"])
            while self.said("PUBLISH", "a", "x") or self.said("PUBLISH", "p1", "x"):
                """The server does not know yet that a connection is lost, which had them."""
            await self.hear(messages, "b")

    async def hear(self, messages: Any, channel: str, how: str = "PUBLISH") -> None:
        """Publish until it is heard of. All come, in order; or a gap says that they may not."""
        self.said(how, channel, self.number)
        gap = False
        while True:
            item = await messages.next(timeout=30)
            if isinstance(item, Gap):
                self.gaps += 1
                gap = True
                self.number += 1
                self.said(how, channel, self.number)
                continue
            number = int(item.data)
            assert self.last < number <= self.number
            assert number == self.last + 1 or gap, "a message is missing, and no gap says so"
            self.last = number
            if number == self.number:
                self.number += 1
                return

    def check(self, end: Any) -> None:
        if end is None:
            assert self.last == self.number - 1
        if self.restarts:
            assert self.gaps <= 1, "a server that starts again is one gap"

    async def go_on(self, redis: Any) -> None:
        """A connection is what it was before; on RESP2, once the server has confirmed it."""
        await redis.ping()
        assert await redis.echo("x") == b"x"

    def nothing_is_left(self) -> bool:
        names = self.said("PUBSUB", "CHANNELS"), self.said("PUBSUB", "SHARDCHANNELS"), self.said("PUBSUB", "NUMPAT")
        return names == ([], [], 0)


class Changed(Subscribed):
    """What a block is subscribed to, alone: where a change is given up, the block is what it was, and goes on."""

    async def begin(self, redis: Any) -> None:
        self.names = [b"a", 1, b"b", 0], 0
        self.messages = await redis.subscribe("a").__aenter__()

    @property
    def known(self) -> Any:
        """To what the server knows it to be subscribed."""
        return self.said("PUBSUB", "NUMSUB", "a", "b"), self.said("PUBSUB", "NUMPAT")

    async def talk(self, redis: Any) -> None:  # noqa: ARG002
        await self.messages.subscribe("b", patterns=["p*"])
        self.names = [b"a", 0, b"b", 1], 1
        await self.messages.unsubscribe("a")

    def check(self, end: Any) -> None:
        """It takes a while: see `go_on`."""

    async def go_on(self, redis: Any) -> None:
        while self.known != self.names:
            with suppress(CommandTimeoutError):
                await self.messages.next(timeout=0.01)
        await self.messages.__aexit__(None, None, None)
        await super().go_on(redis)


class SubscribedOnRESP2(Subscribed):
    """Fewer of them on RESP2."""

    options: ClassVar[dict[str, Any]] = {"protocol": 2}

    async def talk(self, redis: Any) -> None:
        self.last, self.number = -1, 0
        async with redis.subscribe("a") as messages:
            await messages.subscribe(patterns=["p*"])
            await messages.unsubscribe("a")
            await self.hear(messages, "p1")


class Monitored(Conversation):
    """Lines of MONITOR."""

    def prepare(self) -> None:
        self.heard: list[int] = []

    async def talk(self, redis: Any) -> None:
        async with redis.monitor() as lines:
            for number in range(2):
                self.said("ECHO", number)
                async for line in lines:
                    if line.words[0] == b"ECHO":
                        self.heard.append(int(line.words[1]))
                        break

    def check(self, end: Any) -> None:
        assert self.heard == [*range(2 if end is None else len(self.heard))]

    def nothing_is_left(self) -> bool:
        return not any("O" in each["flags"] for each in listed(self.server))


# -- large values ------------------------------------------------------------------------------------------------------------------


VALUE: Final = b"".join(b"%07d " % number for number in range(250))


class Written(Conversation):
    """A large value, written beside its key and moved there."""

    def prepare(self) -> None:
        self.said("SET", "k", "before")

    async def talk(self, redis: Any) -> None:
        pieces = [VALUE[at : at + 700] for at in range(0, len(VALUE), 700)]
        await redis.write_value("k", pieces, chunk_size=1000, keepttl=True)

    def check(self, end: Any) -> None:
        found = self.said("GET", "k")
        assert found in (b"before", VALUE) or (self.forgot and found is None)
        assert int(found == VALUE) in self.traces(outcome_of(end)), end
        for key in self.said("KEYS", "*.unfinished-*"):
            assert self.said("TTL", key) != -1

    def nothing_is_left(self) -> bool:
        for key in self.said("KEYS", "*.unfinished-*"):
            self.said("DEL", key)  # it would go by itself, in its time: see `check`
        return True


class Read(Conversation):
    """A large value, read chunk by chunk."""

    def prepare(self) -> None:
        self.said("SET", "k", VALUE)
        self.chunks: list[bytes] = []

    async def talk(self, redis: Any) -> None:
        async with redis.read_value("k", chunk_size=1000) as value:
            async for chunk in value:
                self.chunks.append(chunk)

    def check(self, end: Any) -> None:
        found = b"".join(self.chunks)
        assert found == (VALUE if end is None else VALUE[: len(found)])

    go_on = Transacted.go_on


# -- caches ------------------------------------------------------------------------------------------------------------------------


class Cached(Conversation):
    """Reads that are kept, one's own writes, and another's."""

    options: ClassVar[dict[str, Any]] = {"cache": Cache()}
    kinds = ("client", "connect")

    def prepare(self) -> None:
        self.said("MSET", "k", 0, "l", 0, "kept", 0)

    def meanwhile(self) -> None:
        self.said("SET", "kept", 1)

    async def begin(self, redis: Any) -> None:
        assert await redis.get("kept") == await redis.get("kept") == b"0"

    async def talk(self, redis: Any) -> None:
        assert await redis.get("k") == await redis.get("k") == b"0" or self.forgot
        await redis.set("k", 1)
        assert await redis.get("k") == b"1" or self.forgot
        pipe = redis.pipeline()
        pipe.incr("k")
        assert await pipe.run() == [2] or self.forgot
        assert await redis.mget("k", "l") == [b"2", b"0"] or self.forgot
        self.said("SET", "l", 9)
        while await redis.get("l") != self.said("GET", "l"):
            await redis.ping()  # the word of it comes before the answer

    def check(self, end: Any) -> None:
        if end is None and not self.forgot:
            assert self.said("MGET", "k", "l") == [b"2", b"9"]

    async def go_on(self, redis: Any) -> None:
        """What is kept is what the server has, also of a write that was given up."""
        if redis.closed:
            return
        await redis.ping()  # what was given up is behind it
        assert [await redis.get(key) for key in ("k", "l", "kept")] == self.said("MGET", "k", "l", "kept")
        self.said("SET", "k", "another's")
        while await redis.get("k") != b"another's":
            await redis.ping()


class CachedByPrefix(Cached):
    """Less of it, where the server tells of all keys."""

    options: ClassVar[dict[str, Any]] = {"cache": Cache(prefixes=["k", "l"])}

    async def talk(self, redis: Any) -> None:
        assert await redis.get("k") == await redis.get("k") == b"0" or self.forgot
        await redis.set("k", 2)
        assert await redis.get("k") == b"2" or self.forgot
        await redis.set("l", 9)


# -- recipes ----------------------------------------------------------------------------------------------------------------------


class Recipe(Conversation):
    """A recipe out of `docs/recipes.md`, as a file that was copied."""

    name: ClassVar[str]
    kinds = ("client", "pool")
    gives_back = True
    needs_memory = True

    def prepare(self) -> None:
        form = {"threads": "_threads", "trio": "_trio"}.get(self.backend.name, "")
        self.recipe = runpy.run_path(str(DOCS / "examples" / f"{self.name}{form}.py"))

    async def call(self, name: str, redis: Any, *args: Any, **options: Any) -> Any:
        """Call what is awaited; with threads, what blocks."""
        given = redis._blocking if self.backend.name == "threads" else redis
        called = self.recipe[name](given, *args, **options)
        return called if self.backend.name == "threads" else await called

    def block(self, name: str, redis: Any, *args: Any, **options: Any) -> Any:
        """A block of the recipe's."""
        if self.backend.name != "threads":
            return self.recipe[name](redis, *args, **options)
        return awaited(self.recipe[name](redis._blocking, *args, **options))

    def is_held_by_none(self, key: str) -> bool:
        """If it is held, then not for ever: its time ends it."""
        left = self.said("PTTL", key)
        assert left == -2 or 0 <= left <= 30_000
        return bool(self.said("DEL", key) >= 0)


@asynccontextmanager
async def awaited(block: Any) -> AsyncIterator[Any]:
    with block as held:
        yield held


class Locked(Recipe):
    """A lock, held for longer."""

    name = "lock"

    async def talk(self, redis: Any) -> None:
        async with self.block("lock", redis, "lock", seconds=30.0, patience=10.0) as held:
            assert self.said("GET", "lock") == held._token.encode()
            extended = held.extend()
            if self.backend.name != "threads":
                await extended
            assert self.said("GET", "lock") == held._token.encode()

    def check(self, end: Any) -> None:
        if end is None:
            left = self.said("PTTL", "lock")  # the reply to giving back may have been lost, and the request with it
            assert left == -2 or 0 < left <= 30_000

    def nothing_is_left(self) -> bool:
        return self.is_held_by_none("lock")


class Semaphore(Recipe):
    """A semaphore with one place."""

    name = "semaphore"

    async def talk(self, redis: Any) -> None:
        async with self.block("semaphore", redis, "sem", 1, seconds=30.0, patience=10.0):
            assert self.said("ZCARD", "sem") == 1

    def check(self, end: Any) -> None:  # noqa: ARG002
        assert self.said("ZCARD", "sem") in (0, 1)

    def nothing_is_left(self) -> bool:
        return self.is_held_by_none("sem")


class Limited(Recipe):
    """A rate limit: each call counts once, or is told that it may have."""

    name = "rate_limit"

    def prepare(self) -> None:
        super().prepare()
        self.told = 0

    async def talk(self, redis: Any) -> None:
        for _ in range(3):
            assert await self.call("must_wait", redis, "rate", rate=0.001, burst=5) == 0.0
            self.told += 1

    def check(self, end: Any) -> None:
        seconds, microseconds = map(int, self.said("TIME"))
        paid = int(self.said("GET", "rate") or 0)
        counted = round((paid / 1_000_000 - seconds - microseconds / 1_000_000) / 1000) if paid else 0
        assert counted - self.told in ({0} if end is None else POSSIBLE[outcome_of(end)])


class Loaded(Recipe):
    """A value that is loaded by one, and kept."""

    name = "cache_aside"

    def prepare(self) -> None:
        super().prepare()
        self.loads = 0

    async def talk(self, redis: Any) -> None:
        def load() -> Any:
            self.loads += 1
            return b"v" if self.backend.name == "threads" else value()

        async def value() -> bytes:
            return b"v"

        self.told = await self.call("cached", redis, "k", load, seconds=60.0, load_seconds=30.0)

    def check(self, end: Any) -> None:
        assert self.loads <= 1
        if end is None:
            assert (self.told, self.said("GET", "k")) == (b"v", b"v")
        assert self.said("GET", "k") in (None, b"v")

    def nothing_is_left(self) -> bool:
        return self.is_held_by_none("k:loading")


NEEDS: Final[dict[type[Conversation], str]] = {
    Consumed: "XAUTOCLAIM",
    Awaited: "XAUTOCLAIM",
    Worked: "LMOVE",
    WorkedAndAwaited: "LMOVE",
    Functions: "FCALL",
    Subscribed: "SSUBSCRIBE",
    Changed: "SSUBSCRIBE",
    SubscribedOnRESP2: "SSUBSCRIBE",
}

KINDS: Final[tuple[type[Conversation], ...]] = (
    Pipelined,
    Transaction,
    Functions,
    Scripts,
    Transacted,
    Scanned,
    Fields,
    Members,
    Scores,
    Consumed,
    Awaited,
    Worked,
    WorkedAndAwaited,
    Subscribed,
    Changed,
    SubscribedOnRESP2,
    Monitored,
    Written,
    Read,
    Cached,
    CachedByPrefix,
    Locked,
    Semaphore,
    Limited,
    Loaded,
)

CONVERSATIONS: Final = pytest.mark.parametrize(
    "conversation",
    [
        pytest.param(kind, id=kind.__name__, marks=[pytest.mark.needs(NEEDS[kind])] if kind in NEEDS else [])
        for kind in KINDS
    ],
)
"""Each of them."""
