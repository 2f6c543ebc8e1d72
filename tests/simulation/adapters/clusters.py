"""Histories of an adapter whose client is a cluster's: the scripts, the servers and the promises of `simulation.cluster`."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from resp_sansio.testing import Socket
from resp_sansio.testing.members import part_of, slot_of
from simulation.adapters.conversations import Talker
from simulation.adapters.history import History
from simulation.adapters.on_asyncio import OnAsyncio
from simulation.adapters.on_threads import OnThreads
from simulation.adapters.on_trio import OnTrio
from simulation.cluster.promises import FORGETS, OfSlots, TownChecks
from simulation.cluster.script import OF_CLUSTERS, TAGS, ClusterScript
from simulation.cluster.trouble import LONG, SEEN, TownTrouble
from simulation.script import Act
from simulation.watching import Raises, Watching

if TYPE_CHECKING:
    from resp_sansio.testing import Clock, Session
    from resp_sansio.testing.server import Words
    from simulation.adapters.programs import Caller

__all__ = ["OF_CLUSTERS_ON", "ClusterHistory"]

URL: Final = "redis+cluster://10.0.0.0:7000,10.0.0.1:7001,10.0.0.99:7099"


class Routed(Socket):
    """A socket that leads where it is told to connect."""

    world: ClusterHistory

    def connect_ex(self, address: Any = None) -> int:
        """As of a socket."""
        self.server = self.world.server_at(address[:2])
        self.session = self.server.session(self._say, self.hang_up)
        return super().connect_ex(address)


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


class ClusterHistory(TownTrouble, History):
    """A script of a cluster's client on an adapter."""

    url = URL
    caller_type: ClassVar[type[Talker]] = ClusterTalker
    script: ClusterScript
    checks: TownChecks

    def __init__(self, script: ClusterScript, trace: list[str] | None = None) -> None:
        super().__init__(script, trace)
        self.checks = TownChecks(self)
        self.built()
        for member in self.cluster.members:
            member.refuses = script.noise * 0.1 if any(act.kind in OF_CLUSTERS for act in script.acts) else 0.0
        self.counted: dict[int, list[int]] = defaultdict(list)  # commands that add one to "w" of this tag

    def options(self) -> dict[str, Any]:
        config = self.script.config
        names = (
            "protocol",
            "password",
            "ping_interval",
            "silence_timeout",
            "connect_timeout",
            "refresh_interval",
            "read_from",
        )
        options: dict[str, Any] = {name: getattr(config, name) for name in names}
        return options | {"timeout": None, "observers": self.observers}

    def keep_time_by(self, clock: Clock) -> None:
        super().keep_time_by(clock)
        self.cluster.clock = self.nowhere.clock = clock
        for member in self.cluster.members:
            member.clock = clock

    def socket(self) -> Socket:
        made = Routed(self.nowhere, self.random, self.noise, len(self.sockets))
        made.world = self
        self.sockets.append(made)
        return made

    # -- the history --------------------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        if act.kind in OF_CLUSTERS:
            self.calm = False
            self.happens_to_town(act)
        else:
            super().act(act)

    def come(self, act: Act) -> None:
        self.comes(act)

    def lent(self, caller: Caller, to: Any) -> Any:
        if self.script.mode == "single":
            return super().lent(caller, to)
        return to.acquire(key=caller.key(""), timeout=caller.left)

    def crosses(self, to: Any) -> bool:
        """May what is sent there have keys of several slots?"""
        return to is self.client

    def counts(self, caller: Caller, number: int) -> None:
        assert isinstance(caller, ClusterTalker)
        self.counted[caller.tag].append(number)

    @property
    def last(self) -> tuple[str, ...]:
        return "add", "borrow", "add", "pipeline"

    async def recovers(self) -> None:
        """All is well with the cluster; and calls go on for long enough for the client to see how it is now."""
        for member in self.cluster.members:
            member.refuses = 0.0
        while not self.cluster.is_well and self.clock.now < LONG:
            await self.sleep(1.0)
        if not self.keeps_time and any([socket.dark and not socket.closed for socket in self.sockets]):
            self.trouble(SEEN + 8.0)  # that is met by the next call there, which waits for as long as it may
        for number in range(SEEN):
            self.act(Act(self.clock.now, "get", 20_000 + number, 0, 8.0, inf, number / SEEN))
            await self.sleep(1.0)
        for member, since in self.cluster.left.items():
            asked = [when for when in self.checks.asked_for_map if since + 1.0 < when < self.clock.now - 1.0]
            if len(asked) > FORGETS and not self.ended:
                open_to = [socket for socket in self.sockets if socket.server is member and socket.alive]
                assert not open_to, f"{member} has left, and is connected to by {open_to}"

    # -- what must hold -----------------------------------------------------------------------------------------------------------

    def arrives(self, session: Session, words: Words) -> None:
        super().arrives(session, words)
        self._arrived(session, words)

    def check_capacity(self) -> None:
        """To no server are more connections open than may be. One that has left, and comes again, counts twice."""
        most = 1 if self.script.mode == "single" else 8
        most *= 1 + any(act.kind == "leave" for act in self.script.acts)
        opened = Counter(one.server for one in self.sockets if one.opened and not (one.closed or one.shut))
        for server, number in opened.items():
            assert number <= most, f"{number} connections of {most} to {server}"

    def check_data(self) -> None:
        """No update was lost, but those that a master made which had been replaced."""
        cluster = self.cluster
        for tag in range(TAGS):
            key = b"w{%d}" % tag
            master = cluster.parts[part_of(slot_of(key))].master
            watched = sum(cluster.ran[b"n%d" % number] for number in self.counted[tag])
            value = master.data.get(key, 0)
            assert value == watched, f"an update was lost: {key!r} is {value} of {watched}"

    def check_observer(self, observer: object) -> None:
        strikes = self.strikes if self.interrupts else 0
        if isinstance(observer, Watching):
            observer.agree(self.checks.told, strikes=strikes, torn=strikes > 0, uncounted=True)
        elif isinstance(observer, Raises):
            assert observer.left >= -strikes, "an observer that had raised was told more"


class ClusterOnAsyncio(OnAsyncio, ClusterHistory):
    """On resp_asyncio."""


class ClusterOnTrio(OnTrio, ClusterHistory):
    """On resp_trio."""


class ClusterOnThreads(OnThreads, ClusterHistory):
    """On resp_sync."""


OF_CLUSTERS_ON: Final[dict[str, type[ClusterHistory]]] = {
    "asyncio": ClusterOnAsyncio,
    "trio": ClusterOnTrio,
    "threads": ClusterOnThreads,
}
