"""The machine of a cluster's client on a stage: its servers are scripted, and have slots, keys that move, and a view of the whole.

A command is answered with its last word, unless a server's `says` has something else to say. All that servers say for slots, as
MOVED, ASK, TRYAGAIN, CROSSSLOT and CLUSTERDOWN, they say as Redis does, also within MULTI.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from math import inf
from typing import Any

from core.client.stage import LANES, Stage
from resp_sansio import ClientSettings, Config, CrossSlotError, PoolSettings, Reply, ReplyError
from resp_sansio.client import Client, Dial, Link
from resp_sansio.client.cluster import Cluster
from resp_sansio.client.hash_slots import SLOTS, slot_of
from resp_sansio.client.node import Probe
from resp_sansio.client.observed_cluster import ObservedCluster
from resp_sansio.client.routing import slot_of_payload
from resp_sansio.connection import Slot, prepare
from resp_sansio.testing import Peer

__all__ = ["URL", "A", "B", "C", "D", "Server", "Town", "key"]

Words = tuple[bytes, ...]
Place = tuple[str, int]

A, B, C, D = [(f"10.0.0.{number}", 7000) for number in range(1, 5)]
URL = "redis+cluster://10.0.0.1:7000,10.0.0.2:7000"
FEW = 5462  # slots of A and of B; C has one less


OWNERS = [(A, B, C)[slot // FEW] for slot in range(SLOTS)]


def key(place: Place, number: int = 0) -> str:
    """Return a key of those that a server has at first, each number in a slot of its own."""
    first = (A, B, C).index(place) * FEW
    found = [name for name in KEYS if first <= slot_of(name.encode()) < first + FEW]
    return found[number]


KEYS = [f"k{number}" for number in range(40)]


class NodePeer(Peer):
    """One connection of a server."""

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(answer=self.run, **options)
        self.server = server
        self.asking = False
        self.asked = False  # did ASKING stand before the command that is carried out now?
        self.executing = False
        self.bytes = b""

    def receive(self, data: bytes) -> list[bytes]:
        self.bytes += data
        return super().receive(data)

    def run(self, words: Words) -> Reply:
        if words[0] == b"ASKING":
            self.asking = True
            return "OK"
        return self.server.run(words)

    def _exec(self) -> Reply:
        queued = self._queued or []
        slots = {slot_of(words[1]) for words in queued if len(words) > 1}
        refusal = ReplyError("CROSSSLOT Keys in request don't hash to the same slot") if len(slots) > 1 else None
        for words in queued:
            refusal = refusal or self.server.refuses(words, self.asked)
        if refusal is not None and not self._refused_in_multi:
            self._queued = None
            return refusal
        self.executing = True
        said = super()._exec()
        self.executing = False
        return said

    def _refusal(self, name: str, words: Words) -> ReplyError | None:
        refusal = super()._refusal(name, words)
        if refusal is None and not self.executing:
            self.asked = asked = self.asking
            self.asking = self.asking and (name == "MULTI" or self._queued is not None) and name != "EXEC"
            refusal = self.server.refuses(words, asked)
            if refusal is not None and self._queued is not None:
                self._refused_in_multi = True
        return refusal


@dataclass(eq=False)
class Server:
    """One server. `says` is asked first; `deaf`: it reads nothing; `away`: it refuses dials; `view`: what it knows of all.

    `migrating` and `importing`: slots, and to or from where they are moved; `absent`: keys of them that it has not.
    """

    town: Town
    place: Place

    def __post_init__(self) -> None:
        self.says: Callable[[Words], Any] = lambda _: None
        self.refuses_with: Callable[[Words], ReplyError | None] = lambda _: None
        self.password: bytes | None = None
        self.away = False
        self.deaf = False
        self.view: list[Any] | None = None
        self.belief: dict[int, Place] = {}  # where it says that slots are, against the truth
        self.migrating: dict[int, Place] = {}
        self.importing: dict[int, Place] = {}
        self.absent: set[bytes] = set()
        self.executed: list[Words] = []
        self.asked_for_map = 0

    def refuses(self, words: Words, asked: bool) -> ReplyError | None:
        """Return what is said for slots, instead of executing this."""
        if (refusal := self.refuses_with(words)) is not None:
            return refusal
        payload, info = prepare(words)
        try:
            slot = slot_of_payload(payload, info)
        except CrossSlotError:
            return ReplyError("CROSSSLOT Keys in request don't hash to the same slot")
        if slot is None or info.name == "PUBLISH":
            return None
        here = self.belief.get(slot, self.town.owner(slot)) == self.place
        absent = [word in self.absent for word in words[1:] if slot_of(word) == slot]
        if here and slot in self.migrating and any(absent):
            return ReplyError("TRYAGAIN later") if not all(absent) else self.points("ASK", slot, self.migrating[slot])
        if asked and slot in self.importing:
            return ReplyError("TRYAGAIN later") if any(absent) and len(absent) > 1 else None
        if here:
            return None
        return self.points("MOVED", slot, self.belief.get(slot, self.town.owner(slot)))

    @staticmethod
    def points(code: str, slot: int, place: Place | None) -> ReplyError:
        """Say where a slot is."""
        if place is None:
            return ReplyError("CLUSTERDOWN Hash slot not served")
        return ReplyError(f"{code} {slot} {place[0]}:{place[1]}")

    def run(self, words: Words) -> Reply:
        """Execute this."""
        said: Reply = self.says(words)
        if said is not None:
            return said
        if words == (b"READONLY",):
            return "OK"
        if words == (b"CLUSTER", b"SLOTS"):
            self.asked_for_map += 1
            return self.town.slots() if self.view is None else self.view
        self.executed.append(words)
        return words[-1]


class Town(Stage):
    """A cluster's machine, and its servers: A, B and C have a third of the slots each; D has none."""

    client: Cluster

    def __init__(
        self,
        settings: ClientSettings | None = LANES,
        pool: PoolSettings | None = None,
        *,
        url: str = URL,
        **options: Any,
    ) -> None:
        self.servers: dict[Place, Server] = {place: Server(self, place) for place in (A, B, C, D)}
        self.owners: list[Place | None] = [*OWNERS]
        self._told: tuple[list[Place | None], list[Any]] = [], []
        self.dialled_at: list[Place] = []
        self.said: dict[Link, list[bytes]] = {}
        self.serving: set[Link] = set()
        super().__init__(settings, pool, url=url, **options)

    def make(self, config: Config, settings: ClientSettings | None, pool: PoolSettings | None, *, once: bool) -> Client:
        assert not once
        if self.observers is None:
            return Cluster(config, settings, pool, random=lambda: self.half, cache=self.cache)
        return ObservedCluster(
            config, settings, pool, random=lambda: self.half, observers=self.observers, cache=self.cache
        )

    def start(self, slot: Slot) -> bytes | None:
        lane = self.client.lane_of(slot)
        return None if lane is None or lane.link is None else lane.link.home.start(slot, self.now)

    # -- servers -------------------------------------------------------------------------------------------------------------

    def __getitem__(self, place: Place) -> Server:
        return self.servers[place]

    def owner(self, slot: int) -> Place | None:
        """Return which server has a slot in truth."""
        return self.owners[slot]

    def slots(self, owners: list[Place | None] | None = None) -> list[Any]:
        """Say the truth as CLUSTER SLOTS does, or something else."""
        if owners is None and self._told[0] == self.owners:
            return self._told[1]
        told: list[Any] = []
        at = 0
        for owner, same in groupby(self.owners if owners is None else owners):
            count = len(list(same))
            if owner is not None:
                told.append([at, at + count - 1, [owner[0].encode(), owner[1], f"id of {owner[0]}".encode(), {}]])
            at += count
        if owners is None:
            self._told = [*self.owners], told  # it takes long
        return told

    def move(self, name: str | int, place: Place | None) -> int:
        """Give the slot of a key to another server; return its number."""
        slot = name if isinstance(name, int) else slot_of(name.encode())
        self.owners[slot] = place
        return slot

    def give_all(self, of: Place, to: Place | None) -> None:
        """Give all slots of one server to another."""
        self.owners = [to if owner == of else owner for owner in self.owners]

    def begin_move(self, name: str, to: Place) -> int:
        """The slot of this key is being moved, and the key has been."""
        slot = slot_of(name.encode())
        source = self.owners[slot]
        assert source is not None
        self[source].migrating[slot], self[to].importing[slot] = to, source
        self[source].absent.add(name.encode())
        return slot

    def peer_for(self, dial: Dial) -> Peer:
        place = dial.config.host, dial.config.port
        server = self.servers[place]
        self.dialled_at.append(place)
        return NodePeer(server, password=server.password)

    def is_away(self, dial: Dial) -> bool:
        server = self.servers.get((dial.config.host, dial.config.port))
        return self.away or server is None or server.away

    def _serve(self, link: Link) -> None:
        peer = self.peers[link]
        assert isinstance(peer, NodePeer)
        if peer.server.deaf:
            return
        said = self.said.setdefault(link, [])
        said += peer.receive(self.unread.pop(link, b""))
        if link in self.serving:
            return  # what was said before comes first
        self.serving.add(link)
        try:
            while said:
                data = said.pop(0)
                if not link.ended:
                    answered: list[Any] | None = self.client.receive_replies(link, data, self.now)
                    self.take(self.client.events() if answered is None else answered)
        finally:  # after an interrupt, too
            self.serving.discard(link)

    def run(self) -> None:
        super().run()
        due = min([node.next_deadline() for node in self.client._machines], default=inf)
        assert self.client.next_deadline() <= due, "a server's machine is due before the cluster's"

    # -- what is seen ----------------------------------------------------------------------------------------------------------

    def links_to(self, place: Place) -> list[Link]:
        """Return the links to a server that have not ended."""
        return [link for link, peer in self.peers.items() if peer.server.place == place and not link.ended]  # type: ignore[attr-defined]

    def link_to(self, place: Place) -> Link:
        """Return the only one."""
        (link,) = self.links_to(place)
        return link

    def at(self, place: Place) -> list[Words]:
        """Return what a server has executed."""
        return self[place].executed

    def executed(self) -> list[Words]:
        return [words for server in self.servers.values() for words in server.executed]

    def kill(self, place: Place) -> None:
        """A server dies: its links end, and dials are refused."""
        self[place].away = True
        for link in self.links_to(place):
            self.cut(link)

    def is_at_rest(self, *, torn: bool = False) -> None:
        """Assert that nothing is left of any call. `torn`: by an interrupt, so that a caller may seem to have calls under way."""
        client = self.client
        assert not client._unplaced, client._unplaced
        for node in client._machines:
            assert not node._pausing
            assert torn or not node._shares._kept
            for lane in node._lanes:  # the map may be asked for at any time
                assert all(type(entry.token) is Probe for entry in lane.entries)
            if node.pool is not None:
                stats: Any = node.pool.stats()
                assert (stats.leased, stats.waiting) == (0, 0), stats
