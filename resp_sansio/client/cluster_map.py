"""Which server of a cluster has which hash slot, as far as is known.

Servers say it in two ways. CLUSTER SLOTS gives a view of the whole, which may be behind: each server tells what it has heard.
MOVED gives one slot, by a server that has just lost it. So a slot that MOVED has taught stays, unless the view was asked for later.

A server is known by its node id. Its place, a host and a port, is how it is dialled, and the same server may be called by its IP
in a view and by its name in a MOVED.

A view that is worse than what is known is not believed at once: it has holes where there were none before, it knows none of the
servers, or it denies what MOVED said. A server says such things that has been reset, that others have forgotten, that is behind,
or whose address now belongs to another cluster. Another server is asked then, and the better one of the two views is installed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from .._errors import ReplyError
from ..config.options import read_place
from ..config.url import address_of
from ..wire.values import Reply
from .hash_slots import SLOTS
from .sentinel import Place

__all__ = [
    "ClusterMap",
    "NotMappedError",
    "Redirect",
    "Server",
    "Shard",
    "View",
    "better",
    "read_redirect",
    "read_view",
]

Remap: TypeAlias = Callable[[Place], Place]
"""From the place that servers name to the one that is dialled, where a NAT lies between them."""

MOST: Final = 100
"""Replicas of one master that are read."""

MOST_GONE: Final = 1000
"""Places of servers that are gone that are kept in mind."""

MOST_NAMED: Final = 100
"""Places to which redirects may lead though no view has them, until views have come without them."""

LONGEST_HOST: Final = 255
"""Characters of a host, RFC 1035: to look at a longer name takes longer than it is worth."""

AGAIN: Final = 1.0
"""Seconds after which a server may confirm its own view: it may be the only one that answers."""

NAMELESS: Final = "?"
"""The host of a server that has no name where names are to be said."""


class NotMappedError(Exception):
    """The option `address_map` has raised something, which is the cause."""


class Server(NamedTuple):
    """One server of a cluster. `id` is empty if only a MOVED has named it. `also`: the same server under other names."""

    place: Place
    id: str
    also: frozenset[Place]


class Shard(NamedTuple):
    """A master and its replicas."""

    master: Server
    replicas: tuple[Server, ...]


class View(NamedTuple):
    """One answer to CLUSTER SLOTS: each range in order, from a first slot to a last; how many they cover; which server said it."""

    ranges: tuple[tuple[int, int, Shard], ...]
    coverage: int
    by: Place


class Redirect(NamedTuple):
    """Where a server sends a command. `asks`: for this one time, behind an ASKING."""

    asks: bool
    slot: int
    place: Place


Learnt: TypeAlias = dict[int, tuple[Server, float]]
"""By slot, the owner that a MOVED has named, and when."""

NO_VIEW: Final = View((), 0, ("", 0))


# -- reading -----------------------------------------------------------------------------------------------------------------


def read_view(reply: Reply, dialled: Place, remap: Remap | None = None) -> View | None:
    """Read an answer to CLUSTER SLOTS; None if it makes no sense or covers nothing. A hostile server can say anything.

    Raises `NotMappedError` if `remap` raises.
    A range whose master can't be dialled is left out, and such a replica, too.
    """
    taken = bytearray(SLOTS)
    ranges: list[tuple[int, int, Shard]] = []
    shards: dict[Place, Shard] = {}
    known: dict[tuple[object, ...], Server | None] = {}
    for each in reply if isinstance(reply, list) else ():
        match each:
            case [int(first), int(last), node, *others] if 0 <= first <= last < SLOTS:
                if taken.find(1, first, last + 1) >= 0:
                    return None  # two ranges that overlap
            case _:
                return None
        taken[first : last + 1] = b"\1" * (last + 1 - first)
        master = read_server(node, dialled, remap, known)
        if master is None:
            continue
        if master.place not in shards:  # all ranges of a master have its replicas
            found = {read_server(other, dialled, remap, known) for other in others[:MOST]} - {None, master}
            replicas = sorted([one for one in found if one is not None], key=attrgetter("id", "place"))
            shards[master.place] = Shard(master, tuple(replicas))
        ranges.append((first, last, shards[master.place]))
    if not ranges:
        return None
    ranges.sort(key=lambda one: one[0])
    return View(tuple(ranges), sum([last + 1 - first for first, last, _ in ranges]), dialled)


def read_server(
    node: object, dialled: Place, remap: Remap | None, known: dict[tuple[object, ...], Server | None]
) -> Server | None:
    """Read host, port, id and other names of a server, once for each. A server without a host is where the question was sent."""
    match node:
        case [(bytes() | None) as host, int(port), *more] if 1 <= port <= 65535:
            id = more[0] if more and isinstance(more[0], bytes) else b""  # before Redis 4.0 there is none
        case _:
            return None
    key = host, port, id
    if key not in known:
        said = (host or b"").decode("utf-8", "replace")
        ip, hostname = other_names(more[1] if len(more) > 1 else None)  # before Redis 7.0 there are none
        hosts = [ip, dialled[0], hostname] if said == NAMELESS else [said or dialled[0], ip, hostname]
        place, *also = [place_of(one, port, remap) for one in hosts if one]
        others = frozenset([other for other in also if other is not None and other != place])
        known[key] = None if place is None else Server(place, id.decode("utf-8", "replace"), others)
    return known[key]


def other_names(said: object) -> list[str]:
    """Return the IP and the host name that a server has as well, empty if not: from a flat array on RESP2, a map on RESP3."""
    match said:
        case list():
            names = {key: name for key, name in zip(said[0:4:2], said[1:4:2], strict=False) if isinstance(key, bytes)}
        case dict():
            names = said
        case _:
            names = {}
    both = names.get(b"ip"), names.get(b"hostname")
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else "" for name in both]


def place_of(host: str, port: int, remap: Remap | None) -> Place | None:
    """Return where this is dialled; None if it is no host and port. Raises `NotMappedError`."""
    place = read_place((host, port)) if len(host) <= LONGEST_HOST else None
    if place is None or remap is None:
        return place
    try:
        return read_place(remap(place))
    except Exception as error:
        raise NotMappedError(f"address_map raised {type(error).__name__} for {address_of(place)}") from error


def read_redirect(error: ReplyError, dialled: Place, remap: Remap | None = None) -> Redirect | None:
    """Read a MOVED or an ASK of the server that was dialled there; None if it is neither, or leads nowhere.

    Raises `NotMappedError` if `remap` raises.
    A server without a host is on the same one. If that is the very server that says so, it leads nowhere.
    """
    words = str(error.args[0]).split(" ")
    if len(words) != 3 or words[0] not in ("MOVED", "ASK"):
        return None
    host, _, port = words[2].rpartition(":")  # the last one: an IPv6 address has more of them
    slot, nameless = number_of(words[1]), host in ("", NAMELESS)
    place = place_of(dialled[0] if nameless else host.removeprefix("[").removesuffix("]"), number_of(port), remap)
    if place is None or not 0 <= slot < SLOTS or (nameless and place == dialled):
        return None
    return Redirect(words[0] == "ASK", slot, place)


def number_of(text: str) -> int:
    """Read the number of a slot or a port; -1 if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


# -- comparing -----------------------------------------------------------------------------------------------------------------


def better(a: View, b: View, learnt: Mapping[int, Server]) -> View:
    """Return the view that denies fewer of the owners which MOVED has named; then the fuller one, and `a` if they are alike."""
    denied_by_a, denied_by_b = denied(owners_in(a), learnt), denied(owners_in(b), learnt)
    if denied_by_a != denied_by_b:
        return a if denied_by_a < denied_by_b else b
    return a if a.coverage >= b.coverage else b


def denied(owners: list[Server | None], learnt: Mapping[int, Server]) -> int:
    """Return how many of these slots have another owner there."""
    return sum([not is_same(owners[slot], server) for slot, server in learnt.items()])


def is_same(one: Server | None, other: Server) -> bool:
    """Tell whether both are names of one server."""
    if one is None:
        return False
    if one.place == other.place:
        return True
    if one.id and other.id:
        return one.id == other.id
    return one.place in other.also or other.place in one.also


def owners_in(view: View) -> list[Server | None]:
    """Return the owner of each slot."""
    owners: list[Server | None] = [None] * SLOTS
    for first, last, shard in view.ranges:
        owners[first : last + 1] = [shard.master] * (last + 1 - first)
    return owners


def shards_in(view: View) -> Iterable[Shard]:
    """Return each shard once."""
    return {shard.master.place: shard for _, _, shard in view.ranges}.values()


def servers_in(view: View) -> Iterator[Server]:
    """Return the masters and replicas."""
    for shard in shards_in(view):
        yield shard.master
        yield from shard.replicas


def identities_in(view: View) -> set[str | Place]:
    """Return by what servers are known: by their places where they have no ids, as before Redis 4.0."""
    return {server.id or server.place for server in servers_in(view)}


def by_name(view: View) -> dict[Place | str, Server]:
    """Return the servers by their ids, their places and their other names, as far as these are the names of one only."""
    servers = list(servers_in(view))
    uses = Counter([name for server in servers for name in server.also])
    named: dict[Place | str, Server] = {name: server for server in servers for name in server.also if uses[name] == 1}
    named.update({server.id: server for server in servers if server.id})
    named.update({server.place: server for server in reversed(servers)})
    return named


# -- the map -------------------------------------------------------------------------------------------------------------------


class ClusterMap:
    """Which server has which slot, as far as is known.

    `version` grows with each change. `coverage`: slots that have an owner. `gone`: places that were known, and that neither of the
    last two views has, even where the map has not changed. What a redirect led to counts as if the view of then had it.
    """

    __slots__ = (
        "_asked_at", "_before", "_held", "_last", "_learnt", "_masters", "_named", "_owners", "_samples", "_shards", "_sizes",
        "_view", "coverage", "gone", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version: int = 0
        self.coverage: int = 0
        self.gone: frozenset[Place] = frozenset()
        self._owners: list[Server | None] = [None] * SLOTS
        self._learnt: Learnt = {}
        self._held: tuple[View, float] | None = None  # what is not believed, and when it was asked for
        self._view, self._asked_at = NO_VIEW, -inf
        self._named: dict[Place | str, Server] = {}
        self._shards: dict[Place, Shard] = {}
        self._masters: list[Server] | None = []  # None: to be found anew
        self._sizes: tuple[int, Counter[Place]] = 0, Counter()  # of which version
        self._samples: tuple[int, dict[Place, int]] = 0, {}  # a slot of each server, and of which version that is
        self._last: set[Place] = set()  # the places of the last view, and to which redirects have led since
        self._before: set[Place] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} version {self.version}: {self.coverage} slots, {len(self.masters)} masters>"

    @property
    def in_doubt(self) -> bool:
        """Whether the view that came last is not believed before another server was asked."""
        return self._held is not None

    @property
    def masters(self) -> list[Server]:
        """The servers that have slots."""
        if self._masters is None:
            self._masters = list({each.place: each for each in self._owners if each is not None}.values())
        return self._masters

    @property
    def servers(self) -> list[Server]:
        """All of them: those that have slots, replicas, and masters that have lost all slots since the last view."""
        return list({each.place: each for each in (*self.masters, *servers_in(self._view))}.values())

    @property
    def sizes(self) -> Counter[Place]:
        """How many slots each server has, by its place."""
        if self._sizes[0] != self.version:
            self._sizes = self.version, Counter([each.place for each in self._owners if each is not None])
        return self._sizes[1]

    def slot_near(self, server: Server) -> int | None:
        """Return a hash slot that this server has, or its master if it is a replica; None if there is none."""
        if self._samples[0] != self.version:
            self._samples = self.version, {one.place: slot for slot, one in enumerate(self._owners) if one is not None}
        shard = self.shard_of(server)
        found = self._samples[1].get(server.place)
        return found if found is not None or shard is None else self._samples[1].get(shard.master.place)

    def lacks(self, place: Place) -> bool:
        """Has neither of the last two views a server by this name? Not if there were less."""
        return bool(self._before) and place not in self._named and place not in self._last | self._before

    def owner(self, slot: int) -> Server | None:
        """Return the server that has this slot."""
        return self._owners[slot]

    def slots_of(self, place: Place) -> list[int]:
        """Return the slots that the server at this place has."""
        return [slot for slot, server in enumerate(self._owners) if server is not None and server.place == place]

    def find(self, place: Place) -> Server | None:
        """Return the server of the last view that has this name."""
        return self._named.get(place)

    def visit(self, place: Place) -> Place:
        """An ASK leads there. Return by which place that server is dialled: it may have another name, or be in no view yet."""
        found = self._named.get(place)
        return self._noted(place if found is None else found.place)

    def may_lead_to(self, place: Place) -> bool:
        """Is a redirect to this place to be followed? Not if too many have led to servers of which no view tells."""
        if place in self._named or place in self._last:
            return True
        return len(self._last - self._named.keys()) < MOST_NAMED

    def shard_of(self, server: Server | Place) -> Shard | None:
        """Return the shard that this server has in the last view. By what a MOVED has said since, another may be its master."""
        found = self._named.get(server.place if isinstance(server, Server) else server)
        return None if found is None else self._shards[found.place]

    def learn(self, slot: int, place: Place, now: float) -> bool:
        """A MOVED has named the owner of a slot. False: it is the owner already, so that name may lead to another server now."""
        server = self._named.get(place) or Server(place, "", frozenset())
        before = self._owners[slot]
        self._learnt[slot] = server, now
        self._noted(server.place)
        if before is not None and before.place == server.place:
            return False
        self._owners[slot] = server
        self.coverage += before is None
        self.version += 1
        self._masters = None
        return True

    def install(self, view: View, asked_at: float) -> bool:
        """A view has come that was asked for then. Return whether the map has changed; it has not if the map is `in_doubt` now."""
        chosen = self._choose(view, asked_at) if asked_at >= self._asked_at else None
        if chosen is None:
            return False
        view, asked_at = chosen
        if view.ranges == self._view.ranges:
            view = self._view  # the same servers stay the same objects
        named = by_name(view)
        learnt = {
            slot: (named.get(server.place) or named.get(server.id) or server, at)
            for slot, (server, at) in self._learnt.items()
            if at >= asked_at
        }
        owners = owners_in(view)
        for slot, (server, _) in learnt.items():
            owners[slot] = server
        changed = view is not self._view or owners != self._owners
        places = {server.place for server in (*servers_in(view), *[server for server, _ in learnt.values()])}
        gone = self._before.union(self.gone if len(self.gone) < MOST_GONE else ())
        self.gone = frozenset(gone - self._last - places)
        self._before, self._last = self._last, places
        self._named, self._learnt, self._owners = named, learnt, owners
        self._shards = {server.place: shard for shard in shards_in(view) for server in (*shard.replicas, shard.master)}
        self.coverage = SLOTS - owners.count(None)
        self._masters = None
        self._view, self._asked_at = view, asked_at
        self.version += changed
        return changed

    def _noted(self, place: Place) -> Place:
        self._last.add(place)
        if place in self.gone:
            self.gone -= {place}
        return place

    def _choose(self, view: View, asked_at: float) -> tuple[View, float] | None:
        """Return what is to be installed, and when it was asked for; None if another server is to be asked first."""
        held, self._held = self._held, None
        if not self._doubts(view, asked_at):
            return view, asked_at
        if held is None:
            self._held = view, asked_at
            return None
        other, before = held
        if other.by == view.by and asked_at < before + AGAIN:
            self._held = held
            return None
        learnt = {slot: server for slot, (server, _) in self._learnt.items()}
        return held if better(view, other, learnt) is other else (view, asked_at)

    def _doubts(self, view: View, asked_at: float) -> bool:
        if self._view is NO_VIEW:
            return False
        learnt = {slot: server for slot, (server, at) in self._learnt.items() if at < asked_at}
        return (
            view.coverage < self._view.coverage
            or identities_in(view).isdisjoint(identities_in(self._view))
            or denied(owners_in(view), learnt) > 0
        )
