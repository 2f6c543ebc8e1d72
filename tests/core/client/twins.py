"""Two clients with one history: one takes the short path of calls wherever it is offered, the other goes the long way.

Whatever happens, callers, sockets and monitors are told the same by both. Bytes are the test's own, and so is the time; a link is
known by its number, a call by the number that is its token.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from resp_sansio import Cache, ClientSettings, Config, ConnectError, PoolSettings, Retry
from resp_sansio.client import (
    Client,
    Close,
    Dial,
    Drained,
    Granted,
    Leaked,
    Link,
    Look,
    ReadCache,
    Refused,
    Waiter,
    error_of,
    touched_by,
)
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.cluster_map import read_view
from resp_sansio.client.hash_slots import SLOTS, slot_of
from resp_sansio.connection import Slot, SlotState, new_batch, new_slot, prepare, sending
from resp_sansio.testing import Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["KINDS", "Twins", "live"]

REPLIES: Final = [
    b"+OK\r\n", b":1\r\n", b"$3\r\nabc\r\n", b"$400\r\n" + b"x" * 400 + b"\r\n", b"_\r\n", b"-ERR no\r\n", b"*2\r\n:1\r\n:2\r\n",
    b":not\r\n", b"-LOADING Redis is loading\r\n", b"-READONLY You can't write\r\n", b">2\r\n+message\r\n+hi\r\n+OK\r\n",
    b"|1\r\n+a\r\n:1\r\n+OK\r\n",
]  # fmt: skip
UNASKED: Final = [b"+surplus\r\n", b">2\r\n+message\r\n+hi\r\n", b"?", b""]
"""What comes on a link that owes nothing; nothing is its end."""

LARGE: Final = "x" * 70_000
Pooled: TypeAlias = tuple[ClientSettings | None, PoolSettings | None, dict[str, Any]]

KINDS: Final[dict[str, Pooled]] = {
    "pool": (None, PoolSettings(max_size=2), {}),
    "pool that changes": (
        None,
        PoolSettings(max_size=3, max_idle=2.0, max_lifetime=9.0, leak_after=4.0, breaker_failures=2),
        {"ping_interval": 5.0, "silence_timeout": 3.0},
    ),
    "pool of one attempt": (None, PoolSettings(max_size=1, retry=Retry(attempts=1)), {"silence_timeout": 3.0}),
    "pool that asks first": (None, PoolSettings(max_size=2, pre_ping=True), {}),
    "client": (ClientSettings(), PoolSettings(max_size=2), {"ping_interval": 5.0}),
    "client of one connection": (ClientSettings(max_connections=1), None, {"silence_timeout": 3.0}),
    "client of two lanes": (ClientSettings(lanes=2), None, {}),
    "client with a cache": (ClientSettings(), None, {"cache": Cache()}),
    "pool with TLS": (None, PoolSettings(max_size=2), {"tls": True}),
    "client of a cluster": (
        ClientSettings(),
        PoolSettings(max_size=2),
        {"cluster": [("a", 1), ("b", 2)], "ping_interval": 5.0},
    ),
    "client of a cluster that reads from replicas": (
        ClientSettings(),
        None,
        {"cluster": [("a", 1)], "read_from": "any"},
    ),
    "client of a cluster with a cache": (ClientSettings(), None, {"cluster": [("a", 1)], "cache": Cache()}),
}
HALF: Final = SLOTS // 2
VIEW: Final = [[0, HALF - 1, [b"a", 1, b"A", []], [b"c", 3, b"C", []]], [HALF, SLOTS - 1, [b"b", 2, b"B", []]]]
"""What the clients of clusters know of it at first; what they are told when they ask is like all other replies."""


class Twin:
    """One of the two, and its adapter."""

    def __init__(self, kind: str, *, short: bool) -> None:
        settings, pool, config = KINDS[kind]
        given = {"timeout": None, "ping_interval": None, "silence_timeout": None, **config}
        where: dict[str, Any] = {} if "cluster" in given else {"host": "stage"}
        asked = Config(**where, **given)
        self.cache = None if asked.cache is None else ReadCache(asked.cache)
        machine = Cluster if asked.cluster else Client
        self.client = machine(asked, settings, pool, random=lambda: 0.5, cache=self.cache)
        if isinstance(self.client, Cluster):
            view = read_view(VIEW, ("a", 1), None)
            assert view is not None
            self.client.map.install(view, 0.0)
        self.short = short
        self.links: list[Link] = []
        self.wires: list[bytes] = []
        self.stuck: set[int] = set()  # the network takes nothing from these
        self.unread: dict[int, bytes] = {}
        self.dials: list[Dial] = []
        self.slots: list[Slot] = []
        self.waiters: list[Waiter] = []
        self.told: list[str] = []

    # -- callers -------------------------------------------------------------------------------------------------------------

    def call(self, slot: Slot, now: float, waiter: int | None, hold: bool, taken: int) -> None:
        if self.cache is not None and type(slot) is Slot and waiter is None:
            slot = self.reading(slot, self.cache)
        self.slots.append(slot)
        client = self.client
        held: Any = None if waiter is None else self.waiters[waiter].lease
        try:
            loan, link = held, None
            if self.short:
                lane = client.lane
                if held is None and lane is None:
                    loan, lane = client.way_of(slot, now)
                link = loan.connection if loan is not None else None if lane is None else lane.link
                home = client if link is None else link.home
                unread = link is not None and self.number(link) in self.unread
                payload = None if unread else home.start(slot, now, loan, hold)
                if payload is None:
                    link = None
                    if loan is not held:
                        client.take_back(slot, now)
                elif payload:
                    assert link is not None
                    self.wires[self.number(link)] += payload[:taken]
                    if payload[taken:]:
                        self.stuck.add(self.number(link))
                        link.core.unsent(payload[taken:])
            if link is None:
                link = client.submit(slot, now, lease=held)
                if link is not None and self.starts(slot, link, hold):
                    block = link.core.data_to_send()
                    self.wires[self.number(link)] += block[:taken]
                    link.core.sent(min(taken, len(block)))
                    if block[taken:]:
                        self.stuck.add(self.number(link))
        except Exception as error:  # noqa: BLE001  # both are to raise the same
            self.told.append(f"{slot.token} raises {error!r}")
            return
        if link is not None:
            self.flush(link, now)

    @staticmethod
    def reading(slot: Slot, cache: ReadCache) -> Slot:
        """Return the slot by which a client with a cache reads, or makes all fall."""
        if slot.info.name != "GET":
            cache.wrote(touched_by(slot))
            return slot
        read = cache.reading(slot.payload, ("GET", "k"), slot.info, slot.deadline)
        if read is not None:
            read.token = slot.token
        return read or slot

    def starts(self, slot: Slot, link: Link, hold: bool) -> bool:
        """Does the twin, on the short path, write this command by itself?"""
        core, whole = link.core, slot.starts and isinstance(slot.payload, bytes)
        at_rest = not core.in_flight and core._queued == 1 and not core._blocks and not hold
        known = self.number(link) in self.unread or not whole or len(slot.payload) > sending.WRITE_BLOCK
        return at_rest and not known and core.state.name == "READY"

    def acquire(self, now: float, deadline: float) -> None:
        number = len(self.waiters)
        try:
            at = slot_of(b"k") if isinstance(self.client, Cluster) else None
            self.waiters.append(self.client.acquire(number, now, deadline=deadline, borrower="here", at=at))
        except Exception as error:  # noqa: BLE001  # as above
            self.waiters.append(Waiter(number, deadline, None))
            self.told.append(f"acquire raises {error!r}")

    # -- the adapter -----------------------------------------------------------------------------------------------------------

    def number(self, link: Link) -> int:
        return self.links.index(link)

    def flush(self, link: Link, now: float) -> None:
        """Send what there is; what has come on a link at rest is read first."""
        number = self.number(link)
        if not link.core.in_flight and number in self.unread:
            self.receive(number, self.unread.pop(number), now)
        while number not in self.stuck and not link.ended and (block := link.core.data_to_send()):
            link.core.sent(len(block))
            self.wires[number] += block

    def go_on(self, number: int, now: float) -> None:
        """The network takes bytes of this one again."""
        self.stuck.discard(number)
        self.flush(self.links[number], now)

    def receive(self, number: int, data: bytes, now: float) -> None:
        link = self.links[number]
        if link.ended:
            return
        if not data:
            self.client.receive_eof(link, now)
        elif self.short:
            answered: list[Any] | None = self.client.receive_replies(link, data, now)
            if answered is not None:
                assert not self.client.untold
                self.take(answered, now)
        else:
            self.take(self.client.receive_data(link, data, now), now)
        self.run(now)

    def connect(self, now: float) -> None:
        link = self.client.connected(self.dials.pop(0), now)
        self.links.append(link)
        self.wires.append(b"")
        peer = Peer()
        while not link.ended and (block := link.core.data_to_send()):
            link.core.sent(len(block))
            for said in peer.receive(bytes(block)):
                self.take(self.client.receive_data(link, said, now), now)
        self.run(now)

    def run(self, now: float) -> None:
        while events := self.client.events():
            self.take(events, now)

    def take(self, events: list[Any], now: float) -> None:
        for event in events:
            match event:
                case Slot():
                    how = repr(event.reply) if event.state is SlotState.ANSWERED else repr(error_of(event))
                    self.told.append(f"{event.token} {event.state.name} {how} {event.attributes}")
                case Link():
                    self.flush(event, now)
                case Dial():
                    self.told.append("dial")
                    self.dials.append(event)
                case Close(link):
                    self.told.append(f"close {self.number(link)}")
                case Look(link):
                    number = self.number(link)
                    if number in self.unread:
                        self.receive(number, self.unread.pop(number), now)
                    self.client.looked(link, now)
                case Granted(waiter):
                    assert waiter.lease is not None
                    self.told.append(f"granted {waiter.token} {self.number(waiter.lease.connection)}")
                case Refused(waiter):
                    self.told.append(f"refused {waiter.token} {waiter.error!r}")
                case Leaked() | Drained():
                    self.told.append(type(event).__name__)

    def seen(self) -> dict[str, Any]:
        """All that callers, sockets and monitors see."""
        client = self.client
        told, self.told = self.told, []
        return {
            "told": told,
            "wires": self.wires,
            "client": repr(client),
            "links": [
                (repr(link.core), link.core.next_deadline(), link.due, link.of_use, link.trusted) for link in self.links
            ],
            "stats": client.stats(),
            "kept": None
            if self.cache is None
            else [(one.reply, one.stands) for one in self.cache._table.cells.values()],
            "due": client.next_deadline(),
            "slots": [(slot.state, getattr(slot, "outcomes", None)) for slot in self.slots],
            "leases": [None if waiter.lease is None else waiter.lease.ended for waiter in self.waiters],
            "unread": self.unread,
        }


class Twins:
    """Both. Each method does one thing to both of them, and then they are compared."""

    def __init__(self, kind: str) -> None:
        self.both = Twin(kind, short=True), Twin(kind, short=False)
        self.now = 0.0

    @property
    def one(self) -> Twin:
        """Either: they are the same."""
        return self.both[0]

    def do(self, what: Callable[[Twin], object]) -> None:
        for twin in self.both:
            what(twin)
            twin.run(self.now)
        short, long = (twin.seen() for twin in self.both)
        for name, seen in short.items():
            assert seen == long[name], name


def commands(random: Random) -> Callable[[int, float], Slot]:
    """What makes a slot, for both the same."""
    choice: list[tuple[str | bytes, ...]] = [("GET", "k")] * 5 + [("GET", "l"), ("PING",)]
    choice += [("INCR", "n"), ("BLPOP", "l", "0"), ("SET", "k", LARGE), ("SET", "k", b"x" * 40_000), ("WATCH", "k")]
    words = random.choice(choice)
    if random.random() < 0.25:
        behind = random.choice([[], [words], random.choices(choice, k=2)])
        prepared, starts = [prepare(one) for one in [words, *behind]], random.random() < 0.8
        return lambda token, deadline: new_batch(
            [one for one, _ in prepared], [one for _, one in prepared], token, deadline, starts=starts
        )
    return lambda token, deadline: new_slot(words, token, deadline)


def live(kind: str, random: Random, length: int = 80) -> None:
    """Live through one history, and fail where the two differ."""
    twins = Twins(kind)
    for number in range(length):
        now, one = twins.now, twins.one
        open_links = [at for at, link in enumerate(one.links) if not link.ended]
        owing = [at for at in open_links if one.links[at].core.in_flight and at not in one.stuck]
        idle = [at for at in open_links if not one.links[at].core.in_flight and at not in one.unread]
        held = [at for at, waiter in enumerate(one.waiters) if waiter.lease is not None]
        deadline = random.choice([inf, inf, now + 1.0, now + 4.0])
        match random.choice(
            ["call"] * 9 + ["held"] * 3 + ["reply"] * 9 + ["connect"] * 4 + ["acquire", "release", "abandon", "time", "flush"] * 2
            + ["unasked"] * 3 + ["refuse", "end", "rare"]
        ):  # fmt: skip
            case "call" | "held" as how:
                make, hold = commands(random), random.random() < 0.2
                taken = random.choice([10**6] * 5 + [3, 0])
                by = random.choice(held) if how == "held" and held else None
                twins.do(lambda twin: twin.call(make(number, deadline), now, by, hold, taken))  # noqa: B023  # done by then
            case "reply" if owing:
                at = random.choice(owing)
                owed = [slot.missing for slot in one.links[at].core._flying]
                count = random.choice([1, 1, owed[0], owed[0], sum(owed)])
                data = b"".join(random.choices(REPLIES, [9, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1], k=count))
                cut = random.randrange(len(data)) if random.random() < 0.2 else 0
                for piece in (data[:cut], data[cut:]):
                    if piece:
                        twins.do(lambda twin: twin.receive(at, piece, now))  # noqa: B023
            case "connect" if one.dials:
                twins.do(lambda twin: twin.connect(now))  # noqa: B023
            case "refuse" if one.dials:
                error = random.choice([ConnectError("refused", transient=True), None])
                twins.do(lambda twin: twin.client.dial_failed(twin.dials.pop(0), error, now))  # noqa: B023
            case "acquire":
                twins.do(lambda twin: twin.acquire(now, deadline))  # noqa: B023
            case "release" if held:
                at = random.choice(held)
                twins.do(lambda twin: twin.client.release(twin.waiters[at].lease, now))  # type: ignore[arg-type]  # noqa: B023
            case "abandon" if one.slots:
                at = random.randrange(len(one.slots))
                twins.do(lambda twin: twin.client.abandon(twin.slots[at], now))  # noqa: B023
            case "flush":
                for at in sorted(one.stuck):
                    twins.do(lambda twin: twin.go_on(at, now))  # noqa: B023
            case "unasked" if idle:
                at = random.choice(idle)
                # One that has pushes already is let go when it comes back, and so at once if it was lent in vain.
                data = random.choice(UNASKED) if not one.links[at].pushes.came else b""
                twins.do(lambda twin: twin.unread.setdefault(at, data))  # noqa: B023
            case "time":
                twins.now += random.choice([0.0, 0.05, 0.5, 1.5, 3.5])
                later = twins.now
                twins.do(lambda twin: twin.client.handle_timeout(later))  # noqa: B023
            case "end" if open_links:
                at = random.choice(open_links)
                twins.do(lambda twin: twin.receive(at, b"", now))  # noqa: B023
            case "rare" if random.random() < 0.3:
                way = random.choice(["retire", "retire", "drain", "close"])
                twins.do(lambda twin: getattr(twin.client, way)(now))  # noqa: B023
