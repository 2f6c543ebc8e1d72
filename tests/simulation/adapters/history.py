"""A history of an adapter: the script's callers and faults, lived through on the adapter's public names, in virtual time.

The same programs run on each adapter. What the libraries spell differently is in `tasks` and `threads`.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from resp_sansio import Cache, RespError
from resp_sansio.client import Kind
from resp_sansio.testing import PATIENCE, Session, World
from simulation.adapters.conversations import Conversations, Talker
from simulation.script import FAULTS, OWN, SPAN, Act, Script
from simulation.watching import Raises, Watching, observers_of, quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sansio.client.subscriber import Wanted
    from resp_sansio.testing import Clock, Fault
    from resp_sansio.testing.server import Words
    from simulation.adapters.programs import Caller
    from simulation.followers import Seen

__all__ = ["History", "follows", "talks"]

LATE: Final = ("add", "borrow", "add")  # the last callers
LEASES: Final = frozenset({"borrow", "change", "keep", "shard", "subscribe"})
METHODS: Final = frozenset({"retire", "resize", "drain", "close"})
TALKS: Final = {
    "get": "produce", "push": "produce", "pop": "consume", "pipeline": "stream", "odd": "scan", "large": "scan",
    "shard": "read", "keep": "read", "transaction": "write", "change": "write", "subscribe": "write",
}  # fmt: skip
"""What callers want instead of this in histories of conversations."""
FOLLOWS: Final = {"subscribe": "follow", "shard": "follow", "keep": "follow", "large": "follow", "burst": "follow"}
"""And in those of subscribers."""
CHANNELS: Final[tuple[Wanted, ...]] = ((Kind.CHANNEL, b"f1"), (Kind.CHANNEL, b"f2"), (Kind.SHARD, b"g"))
PATTERN: Final[Wanted] = (Kind.PATTERN, b"?2")
HEARD: Final = 0.5
"""Seconds in which the word of a change has come to a client that keeps what it reads, where nothing is wrong."""


def talks(script: Script) -> bool:
    """Do its callers have conversations?"""
    return script.seed % 5 == 1


def follows(script: Script) -> bool:
    """Do its callers subscribe by their client? A connection that `connect` has opened ends a subscription with itself."""
    one_server = isinstance(script, Script)
    return (
        one_server and script.seed % 7 == 3 and not talks(script) and script.mode != "once" and script.server != "proxy"
    )


class History(World):
    """A script on an adapter. `run` lives through it, and raises `AssertionError` where something does not hold."""

    module: Any
    """The adapter."""
    url = "redis://127.0.0.1:1"
    caller_type: ClassVar[type[Talker]] = Talker
    keeps_time = True
    """Is what is due done although no caller is there?"""
    interrupts = False
    """Is a caller that leaves interrupted, wherever it is, and not cancelled where it waits?"""
    in_order = True
    """Do callers of one lane begin their calls in the order in which they take their numbers?"""

    def __init__(self, script: Script, trace: list[str] | None = None) -> None:
        super().__init__(
            script.seed,
            server=script.server,
            password=script.password,
            database=script.database,
            noise=script.noise,
            trace=trace,
        )
        self.script = script
        self.client: Any = None
        self.callers: list[Talker] = []
        self.watched: list[int] = []
        self.late = self.ended = False
        self.strikes = 0
        self.capacity = script.pool.max_size if script.mode == "pool" else 8
        self.server.data[b"w"] = 0
        self.server.arrived = self._arrived
        self.server.changed = self._changed
        self.talks = Conversations(self)
        self.written = 0  # the last value of "w" that a caller has written, and been told so
        self._values: list[tuple[float, int]] = []  # of "w", and since when
        self._last: dict[Session, int] = {}
        self.calm = True
        self.observers = observers_of(script.seed)

    def keep_time_by(self, clock: Clock) -> None:
        """This is the time of everything from now on."""
        self.clock = self.server.clock = clock

    def counts(self, _caller: Caller, number: int) -> None:
        """If this command is executed, then one was added to "w"."""
        self.watched.append(number)

    def run(self) -> None:
        """Live through it; raises `AssertionError` where something does not hold."""
        with quiet():
            self.live_through()

    # -- for each library ---------------------------------------------------------------------------------------------------------

    @abstractmethod
    def live_through(self) -> None:
        """As `run`, by this library."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""

    @abstractmethod
    def begin(self, caller: Talker) -> None:
        """Start a caller."""

    @abstractmethod
    def strike(self, caller: Talker) -> None:
        """Cancel a caller, or interrupt it, wherever it is."""

    @abstractmethod
    async def at_once(self, calls: list[Callable[[Any], Any]], to: Any) -> None:
        """Make these calls side by side, as far as the library has tasks."""

    def function(self, update: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Make of this coroutine function what `transact` takes."""
        return update

    def make(self) -> Any:
        """Return the adapter's object that this script asks for: a context manager."""
        script = self.script
        options = self.options()
        if script.mode == "once":
            return self.module.connect(self.url, **options)
        names = ("max_idle", "max_waiting", "max_lifetime", "pre_ping", "retry", "breaker_failures", "breaker_seconds")
        options |= {name: getattr(script.pool, name) for name in names}
        if script.mode == "pool":
            return self.module.Pool(self.url, max_size=script.pool.max_size, min_size=script.pool.min_size, **options)
        if script.mode == "single":
            return self.module.Client(self.url, max_connections=1, **options)
        return self.module.Client(self.url, max_connections=8, lanes=2 if script.mode == "lanes" else 1, **options)

    def options(self) -> dict[str, Any]:
        """Return the options of any such object."""
        script = self.script
        options: dict[str, Any] = {
            "protocol": script.protocol,
            "password": "secret" if script.password else None,
            "db": script.database,
            "ping_interval": 3.0,
            "silence_timeout": 1.0,
            "connect_timeout": 1.0,
            "timeout": 3.0 if talks(script) else None,  # a read that waits, and is told nothing any more, ends by it
            "observers": self.observers,
        }
        if script.cached:
            options["cache"] = Cache()
        return options

    # -- the history --------------------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """What happens, from the first caller to the end."""
        try:
            async with self.make() as self.client:
                await self._lives()
                self.ended = True
        except RespError as error:
            self.tell("there is no connection: {!r}", error)
            if self.client is not None:
                raise AssertionError(f"the end of the block raised {error!r}") from error

    async def _lives(self) -> None:
        for act in self.script.acts:
            await self.sleep(act.at - self.clock.now)
            self.act(act)
        await self.sleep(SPAN + 2.0 - self.clock.now)
        while not self._all_done and self.clock.now < max(self.troubled, SPAN) + 2 * PATIENCE:
            await self.sleep(0.5)
        assert self._all_done, f"still under way: {[caller for caller in self.callers if not caller.done]}"
        await self.sleep(self.troubled + 0.01 - self.clock.now)
        self.heal()
        await self.recovers()
        # An idle link that is not read, or of which no time is kept, may have ended: that is met by the next call.
        self.late = not any(
            (socket.unread or (socket.dark and not self.keeps_time)) and not socket.closed for socket in self.sockets
        )
        for number, kind in enumerate(self.last):  # one by one: a breaker lets one through, and refuses the others
            self.act(Act(self.clock.now, kind, len(self.script.acts) + number, 0, inf, inf, 0.5))
            await self.sleep(0.5)
        await self.sleep(2.0)
        assert self._all_done, f"all is well, and still under way: {self.callers[-3:]}"

    @property
    def last(self) -> tuple[str, ...]:
        """What the last callers want."""
        more = ("scan", "read", "gather") * talks(self.script) + ("follow", "unsubscribed") * follows(self.script)
        return (*LATE, *("reread",) * self.script.cached, *more)

    @property
    def names(self) -> tuple[Wanted, ...]:
        """What subscribers may want."""
        return (*CHANNELS, PATTERN)

    @property
    def channels(self) -> tuple[Wanted, ...]:
        """Those to which others publish."""
        return CHANNELS

    def publish(self, kind: Kind, channel: bytes) -> None:
        """Another client sends a message."""
        self.server.messages[channel] += 1
        self.server.deliver(channel, b"%d" % self.server.messages[channel], sharded=kind is Kind.SHARD)

    def messages(self, until: float) -> None:
        """Others send messages until then, and at last one to each channel."""
        now = self.clock.now
        for kind, channel in self.channels:
            self.clock.at(until, self.publish, kind, channel)
        for _ in range(20):
            self.clock.at(now + self.random.random() * (until - now), self.publish, *self.random.choice(self.channels))

    def messages_by(self, seen: Seen) -> Iterator[tuple[tuple[bytes, bytes], int]]:
        """How many messages there were by each name of a subscriber, and of each channel."""
        for kind, name in seen.wanted:
            channel = b"f2" if kind is Kind.PATTERN else name
            yield (name, channel), self.server.messages[channel]

    async def recovers(self) -> None:
        """Nothing goes wrong any more. Wait until all is as it should be."""

    @property
    def _all_done(self) -> bool:
        return all(caller.done for caller in self.callers)

    def act(self, act: Act) -> None:
        """A caller comes, or a fault happens."""
        if act.kind in FAULTS:
            self.calm = False
        if act.kind in FAULTS and act.kind not in OWN:
            self.go_wrong(cast("Fault", act.kind), act.seconds, act.chance)
        elif act.kind in METHODS:
            self._method(act)
        elif act.kind not in FAULTS:
            self.come(act)
        elif act.kind in ("interrupt", "struck"):
            running = [caller for caller in self.callers if not caller.done]
            if running:
                self._leave(running[int(act.chance * len(running))])

    def come(self, act: Act) -> None:
        """A caller comes, who wants this, or a conversation in its place."""
        if talks(self.script):
            act = act._replace(kind=TALKS.get(act.kind, act.kind))
        elif follows(self.script):
            act = act._replace(kind=FOLLOWS.get(act.kind, act.kind))
        self.comes(act)

    def comes(self, act: Act) -> None:
        """A caller comes."""
        if act.kind in LEASES and self.script.mode in ("once", "single"):
            act = act._replace(kind="pipeline")
        caller = self.caller_type(self, act)
        self.callers.append(caller)
        self.begin(caller)
        if act.leaves < inf:
            self.calm = False
            self.clock.after(act.leaves, self._leave, caller)

    def _leave(self, caller: Talker) -> None:
        self.strikes += 1
        self.strike(caller)

    def _method(self, act: Act) -> None:
        ends = act.kind in ("drain", "close")
        if self.script.mode == "once" or (ends and act.chance > 0.3) or (self.script.mode != "pool" and not ends):
            return
        caller = self.caller_type(self, act)
        self.callers.append(caller)
        self.ended = self.ended or ends
        if act.kind == "resize":
            self.capacity = max(self.capacity, 1 + int(act.chance * 4))
        self.begin(caller)

    def lent(self, caller: Caller, to: Any) -> Any:
        """Return a connection of the caller's own, for a block."""
        return nullcontext(to) if self.script.mode in ("once", "single") else to.acquire(timeout=caller.left)

    # -- what must hold -----------------------------------------------------------------------------------------------------------

    def step(self, until: float = inf) -> bool:
        """As of the world; no more connections are open than may be."""
        moved = super().step(until)
        self.check_capacity()
        return moved

    def check_capacity(self) -> None:
        """No more connections are open than may be."""
        connected = sum([socket.opened and not (socket.closed or socket.shut) for socket in self.sockets])
        most = self.capacity + follows(self.script)  # one for subscriptions
        assert connected <= most, f"{connected} connections of {most}"

    def _changed(self, key: bytes, value: int) -> None:
        if key == b"w":
            self._values.append((self.clock.now, value))

    def fresh(self, caller: Caller, value: int, written: int, since: float) -> None:
        """What a caller reads, who has asked then, is no older than what it knew, nor than the word of a change and the network."""
        assert value >= written, f"{caller} read {value}, and {written} had been written"
        before = since - HEARD
        if before > self.troubled:
            known = max([0, *(one for when, one in self._values if when <= before)])
            assert value >= known, f"{caller} read {value}, and {known} was there {HEARD} s before"

    def _arrived(self, session: Session, words: Words) -> None:
        if words[0] in (b"INCRBY", b"GET", b"RPUSH"):
            assert session.authenticated
        lanes = self.script.mode in ("client", "single", "once")
        if (
            words[0] != b"INCRBY"
            or words[1] == b"w"
            or not (self.in_order and self.calm and lanes)
            or int(words[2]) in self.watched
        ):
            return
        number, last = int(words[2]), self._last.get(session, 0)
        assert number > last, f"{number} came behind {last}"
        self._last[session] = number

    def check_end(self) -> None:
        """The client was closed, and everything has come to an end."""
        assert self._all_done
        while self.clock.next < inf:
            self.clock.step()  # what was still on its way
        self.checks.rest()
        self.checks.agree()
        self.check_data()
        for observer in self.observers:
            self.check_observer(observer)

    def check_data(self) -> None:
        """No update and no element was lost."""
        watched = sum(self.server.ran[b"n%d" % number] for number in self.watched)
        value = self.server.data[b"w"]
        self.talks.rest(calm=self.calm)
        assert value == watched + self.touched, f"an update was lost: {value} of {watched + self.touched}"

    def check_observer(self, observer: object) -> None:
        """What this one was told is what callers were told, and what was counted."""
        strikes = self.strikes if self.interrupts else 0
        if isinstance(observer, Watching):
            observer.agree(self.checks.told, strikes=strikes, torn=strikes > 0)
            if not strikes and self.client is not None:
                observer.counts(
                    self.client.stats(), more=talks(self.script)
                )  # a consumer that leaves acknowledges ahead
        elif isinstance(observer, Raises):
            assert observer.left >= -strikes, "an observer that had raised was told more"
