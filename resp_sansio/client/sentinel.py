"""Where the master is: sentinels are asked before each dial, and an address that was right before is never taken for granted.

A search belongs to one dial. It leads to one sentinel after the other until one of them names a master, and from there to that
server, which has to say itself that it is one. If it is none, or can't be reached, the next sentinel is asked: one that is behind
names a server that was the master once. No sentinel is asked twice in one search, and no server is dialled twice; after that the
dial has failed, and the next one, behind a pause, searches anew.

Each fail-over has an epoch, which is higher than that of the one before. So of two sentinels that differ, the one with the lower
epoch is behind: it may be cut off from the others, together with an old master that still says that it is one. Such an answer is
put aside. Epochs begin anew where an administrator has told the sentinels of the master anew: so when all have been asked, what
was put aside is believed after all, unless another answer of the same search contradicts it, and is not outvoted.

The directory is what stays between searches: which sentinels there are, the one first that was right the last time, and the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

from .._errors import ConnectError
from ..config.addresses import Addresses
from ..config.config import TLS_OPTIONS, Config
from ..config.options import read_place
from ..connection.handshake import Fallback, Opening
from ..wire.values import Push, Reply

__all__ = ["Directory", "Place", "Search", "Way"]

Place: TypeAlias = tuple[str, int]
"""A host and a port."""

MOST: Final = 100
"""Sentinels that are learnt from others, and places whose addresses are kept in mind."""

MOST_DIGITS: Final = 20
"""Of an epoch, which has 64 bits."""

ENOUGH: Final = 5.0
"""Seconds that all sentinels share where a dial has no deadline: those that a dial has by default."""

REPLICAS_CHANGED: Final = (b"+slave", b"+sdown", b"-sdown", b"+reboot")
"""Channels of a sentinel by which it tells of replicas, among others."""

WITHOUT_TLS: Final[dict[str, Any]] = {name: getattr(Config, name) for name in ("tls", *TLS_OPTIONS)}


class Way(NamedTuple):
    """To which server a dial leads, as whom, and how it opens there: in full, or plainly.

    `needs_master`: a replica is refused; `needs_replica`: all else is. `master_name`: it is a sentinel, which is asked where the
    master of this name is, and if it `lists_replicas` where its replicas are. `reads_replica`: it is a server of a cluster, and may
    be a replica that is read from.
    """

    config: Config
    addresses: Addresses
    opening: Opening
    needs_master: bool = False
    master_name: str | None = None
    reads_replica: bool = False
    needs_replica: bool = False
    lists_replicas: bool = False


class Directory:
    """What a client knows of its sentinels. `fallback` is how its dials to servers open.

    `master` is the server that was found last, until a sentinel tells of another one: no dial leads there before it was named
    again. `epoch` is that of the last fail-over of which any sentinel has told; None if none tells. `switches` counts the
    fail-overs of which sentinels have told unasked; `switched_to` is where the last one led.
    """

    __slots__ = (
        "_config", "_fallback", "_first", "_found_by", "_known", "_learnt", "_sentinels_fallback", "epoch", "master", "name",
        "switched_to", "switches",
    )  # fmt: skip

    def __init__(self, config: Config, fallback: Fallback) -> None:
        assert config.master_name is not None
        self.name: Final[str] = config.master_name
        self.master: Place | None = None
        self.epoch: int | None = None
        self.switches: int = 0
        self.switched_to: Place | None = None
        self._config = config
        self._fallback = fallback
        self._sentinels_fallback = Fallback()
        self._first: Place | None = None
        self._found_by: int | None = None  # the epoch by which the master was named
        self._learnt: Sequence[Place] = ()
        self._known: dict[tuple[Place, bool], tuple[Config, Addresses]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name!r}: {len(self.sentinels)} sentinels>"

    @property
    def sentinels(self) -> list[Place]:
        """All that are known, in the order in which they are asked."""
        given = cast("Sequence[Place]", self._config.sentinels)
        first = () if self._first is None else (self._first,)
        return list(dict.fromkeys([*first, *given, *self._learnt]))

    def search(self) -> Search:
        """Begin to search for a dial."""
        return Search(self)

    def found(self, search: Search) -> bool:
        """The server that this search has led to is a master. Was it another one before?

        Then the master is unknown until `settle` says that the links to that one are left.
        """
        said = search.said
        assert said is not None
        self._first, self._learnt, self._found_by = said.sentinel, said.others, said.epoch
        if search.is_outvoting(said):
            self.epoch = said.epoch  # it may be lower: epochs have begun anew
        if self.master is not None and self.master != said.server:
            self.master = None
            return True
        self.master = said.server
        return False

    def settle(self, search: Search) -> None:
        """All links lead to the master that was found, or are left."""
        assert search.said is not None
        self.master = search.said.server

    def learn(self, epoch: int | None) -> None:
        """A sentinel has told of this epoch."""
        if self.epoch is None or is_lower(self.epoch, epoch):
            self.epoch = epoch

    def answered(self, sentinel: Place, answers: Sequence[Reply]) -> bool:
        """A sentinel that is heard says where the master is. Is that another one, and is it right?

        It is by a higher epoch; or if it has named the one that was found, and does so no more.
        """
        epoch, server = read_epoch(answers[0]), read_pair(answers[1])
        self.learn(epoch)
        newer = is_lower(self._found_by, epoch) or sentinel == self._first
        return server is not None and newer and not is_lower(epoch, self.epoch) and self._is_elsewhere(server, sentinel)

    def switched(self, sentinel: Place, server: Place) -> bool:
        """A sentinel tells of a fail-over to this server. Is that another one than was found?"""
        self.switches, self.switched_to = self.switches + 1, server
        if not self._is_elsewhere(server, sentinel):
            return False
        if self._found_by is not None:
            self.learn(self._found_by + 1)  # at least: what still names the old one is behind
        return True

    def _is_elsewhere(self, server: Place, sentinel: Place) -> bool:
        """Is the master another one than was found? Then the sentinel that says so is asked first from now on."""
        if self.master is None or server == self.master:
            return False
        self._first, self.master = sentinel, None
        return True

    def way_to_sentinel(self, place: Place) -> Way:
        """Return the way to a sentinel."""
        config, addresses = self._at(place, sentinel=True)
        return Way(config, addresses, self._sentinels_fallback.opening(), master_name=self.name)

    def way_to_server(self, place: Place) -> Way:
        """Return the way to a server."""
        config, addresses = self._at(place, sentinel=False)
        return Way(config, addresses, self._fallback.opening(), needs_master=True)

    def _at(self, place: Place, *, sentinel: bool) -> tuple[Config, Addresses]:
        """Made once for each place: `Addresses` keep in mind which one worked."""
        known = self._known.get((place, sentinel))
        if known is None:
            if len(self._known) >= MOST:
                self._known.clear()
            config = config_of_sentinel(self._config, place) if sentinel else self._config.at(place)
            peer = f"sentinel {config.address}" if sentinel else f"{self.name} at {config.address}"
            self._known[place, sentinel] = known = config, Addresses(config, peer)
        return known


class Said(NamedTuple):
    """What a sentinel has answered: where the master is, by which epoch, and which other sentinels there are."""

    sentinel: Place
    server: Place
    epoch: int | None
    others: Sequence[Place]


class Search:
    """The search of one dial. `way` is where it leads now: to a sentinel, or to the server that this one has `said`.

    Where an interrupt cuts one of its methods short, the same step may be taken once more.
    """

    __slots__ = (
        "_answers",
        "_asks",
        "_bar",
        "_directory",
        "_failures",
        "_left",
        "_most",
        "_passed",
        "_switches",
        "said",
        "way",
    )

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._left: Sequence[Place] = [*directory.sentinels]
        self._most = len(self._left) / 2
        self._failures: list[ConnectError] = []
        self._passed: set[Place] = set()  # servers that have failed
        self._answers: dict[Place, Said] = {}
        self._bar: int | None = None  # epochs that are higher were told of since
        self._switches = directory.switches
        self._ask()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._directory.name!r}, {len(self._left)} sentinels left>"

    def _ask(self) -> None:
        """Turn to the next sentinel: at once or not at all, or an interrupt would have one answer for another."""
        asks, left = self._left[0], self._left[1:]
        way = self._directory.way_to_sentinel(asks)
        self._asks, self._left = asks, left
        self.said: Said | None = None
        self.way: Way = way

    def _believe(self, said: Said) -> None:
        """Turn to the server that a sentinel has named: at once or not at all."""
        way, known = self._directory.way_to_server(said.server), self._directory.epoch
        bar = known if is_lower(said.epoch, known) else said.epoch
        self.said, self.way, self._bar = said, way, bar

    def share(self, left: float) -> float:
        """Return how many of the seconds that are left this step may take: a sentinel leaves as much to each of the others."""
        return left if self.said is not None else min(left, ENOUGH) / (len(self._left) + 2)

    def answered(self, answers: Sequence[Reply]) -> ConnectError | None:
        """The sentinel has answered: return why the search is over, None if it goes on by `way`."""
        peer, (epoch, master, others) = self.way.addresses.peer, answers
        if master is None:
            return self._next(ConnectError(f"{peer} knows no master {self._directory.name!r}", transient=False))
        server = read_pair(master)
        if server is None:
            return self._next(ConnectError(f"the answer of {peer} makes no sense", transient=False))
        said = Said(self._asks, server, read_epoch(epoch), read_sentinels(others))
        self._answers[self._asks] = said
        self._directory.learn(said.epoch)
        if is_lower(said.epoch, self._directory.epoch) or self._is_contradicted(said):
            return self._next(ConnectError(f"{peer} is behind: it names {server[0]}:{server[1]}", transient=True))
        if server in self._passed:
            return self._next()
        self._believe(said)
        return None

    def failed(self, error: Exception, *, late: bool) -> Exception | None:
        """This way came to nothing: return why the search is over, None if it goes on by `way`. `late`: there is no time left.

        What a server refuses for good, a password say, the next sentinel would not change.
        """
        if not isinstance(error, ConnectError) or (self.said is not None and not error.transient):
            return error
        if self.said is not None:
            self._passed.add(self.said.server)
        return self._next(error, late=late)

    @property
    def is_outdated(self) -> bool:
        """Was the server deposed, as the client knows by now, since this search has begun? An answer may be late."""
        assert self.said is not None
        known = self._directory
        switched = known.switches > self._switches and known.switched_to != self.said.server
        return switched or is_lower(self._bar, known.epoch)

    def _is_contradicted(self, said: Said) -> bool:
        """Does another sentinel, of those that this search has asked, tell of a later fail-over?"""
        return any([is_lower(said.epoch, each.epoch) for each in self._answers.values()])

    def is_outvoting(self, said: Said) -> bool:
        """Do most of all sentinels name this server?"""
        return len([each for each in self._answers.values() if each.server == said.server]) > self._most

    def _last_resort(self) -> Said | None:
        """All have been asked. Return the latest of the answers that were put aside and may be right after all."""
        for said in sorted(self._answers.values(), key=lambda each: each.epoch or 0, reverse=True):
            if said.server not in self._passed and (self.is_outvoting(said) or not self._is_contradicted(said)):
                return said
        return None

    def _next(self, failure: ConnectError | None = None, *, late: bool = False) -> ConnectError | None:
        if failure is not None:
            self._failures.append(failure)
        if self._left and not late:
            self._ask()
            return None
        if not late and (said := self._last_resort()) is not None:
            self._believe(said)
            return None
        why = "; ".join(dict.fromkeys([str(each) for each in self._failures]))
        found = ConnectError(
            f"no master {self._directory.name!r} was found: {why}",
            transient=any([each.transient for each in self._failures]),
        )
        found.__cause__ = self._failures[-1].__cause__
        return found


def config_of_sentinel(config: Config, place: Place) -> Config:
    """Return the configuration for the sentinel at this place: it gets nothing that is the server's own."""
    speaks_tls = config.tls if config.sentinel_tls is None else config.sentinel_tls
    tls: dict[str, Any] = {"tls": True} if speaks_tls else WITHOUT_TLS
    own: dict[str, Any] = {
        "username": config.sentinel_username,
        "password": config.sentinel_password,
        "credentials": None,
        "lib_name": None,  # a sentinel has no CLIENT SETINFO, and no databases
        "lib_version": None,
        "db": 0,
    }
    return config.replace(**own, **tls).at(place)


def read_pair(said: Reply) -> Place | None:
    """Read a host and a port; None if it is no such thing. A hostile sentinel can say anything."""
    match said:
        case [bytes(host), bytes(port)] if port.isdigit() and len(port) < 6:
            return read_place((host.decode("utf-8", "replace"), int(port)))
        case _:
            return None


def read_switch(push: Push, name: str) -> Place | None:
    """Read which server is the master of this name now, if a sentinel tells of a switch.

    `+switch-master` says the name, host and port of the old one, of the new one; `+promoted-slave` says kind, name, host and port
    of the new one, `@`, and name, host and port of its old master.
    """
    match push:
        case Push("message", (b"+switch-master", bytes(said))):
            master, host, port = 0, 3, 4
        case Push("message", (b"+promoted-slave", bytes(said))):
            master, host, port = 5, 2, 3
        case _:
            return None
    words = said.split()
    if len(words) <= max(master, port) or words[master] != name.encode():
        return None
    return read_pair([words[host], words[port]])


def read_sentinels(said: Reply) -> list[Place]:
    """Read where the other sentinels are, as far as it makes sense, and as many as may be."""
    places = []
    for one in said[:MOST] if isinstance(said, list) else ():
        said_of_it = read_fields(one)
        place = read_pair([said_of_it.get(b"ip"), said_of_it.get(b"port")])
        if place is not None:
            places.append(place)
    return places


def read_replicas(said: Reply) -> tuple[list[Place], bool] | None:
    """Read which replicas may be read from, and whether others are on their way; None if this is no list of replicas.

    A sentinel flags one that it can't reach, and one that it is just telling of another master. `master-link-status` is what the
    replica said last: of one that has died it is `ok` for ever.
    """
    if not isinstance(said, list):
        return None
    places, coming = [], False
    for one in said[:MOST]:
        said_of_it = read_fields(one)
        flags, link, role = (said_of_it.get(name) for name in (b"flags", b"master-link-status", b"role-reported"))
        place = read_pair([said_of_it.get(b"ip"), said_of_it.get(b"port")])
        if place is None or not isinstance(flags, bytes):
            continue
        if flags == b"slave" and link == b"ok" and role in (None, b"slave"):
            places.append(place)
        elif b"s_down" not in flags:
            coming = True
    return places, coming


def tells_of_replicas(push: Push, name: str) -> bool:
    """Does a sentinel tell that a replica of the master of this name has come, has gone, or can be reached again?"""
    match push:
        case Push("message", (bytes(channel), bytes(said))) if channel in REPLICAS_CHANGED:
            return said.split()[5:6] == [name.encode()]
        case _:
            return False


def read_epoch(said: Reply) -> int | None:
    """Read by which fail-over the master is one; None if the sentinel does not tell, which its user may forbid."""
    epoch = read_fields(said).get(b"config-epoch")
    return int(epoch) if isinstance(epoch, bytes) and epoch.isdigit() and len(epoch) <= MOST_DIGITS else None


def read_fields(said: Reply) -> dict[bytes, Reply]:
    """Read names and values: a map, or an array of both in turn."""
    pairs = zip(said[0::2], said[1::2], strict=False) if isinstance(said, list) else ()
    return {
        name: value for name, value in (said.items() if isinstance(said, dict) else pairs) if isinstance(name, bytes)
    }


def is_lower(one: int | None, other: int | None) -> bool:
    """Is the one epoch lower than the other, as far as both are known?"""
    return one is not None and other is not None and one < other
