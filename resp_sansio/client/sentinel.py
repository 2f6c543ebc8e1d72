"""Where the master is: sentinels are asked before each dial, and an address that was right before is never taken for granted.

A search belongs to one dial. It leads to one sentinel after the other until one of them names a master, and from there to that
server, which has to say itself that it is one. If it is none, or can't be reached, the next sentinel is asked: one that is behind
names a server that was the master once. No sentinel is asked twice in one search, and no server is dialled twice; after that the
dial has failed, and the next one, behind a pause, searches anew.

The directory is what stays between searches: which sentinels there are, the one first that was right the last time.
"""

from __future__ import annotations

from collections import deque
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

ENOUGH: Final = 5.0
"""Seconds that all sentinels share where a dial has no deadline: those that a dial has by default."""

WITHOUT_TLS: Final[dict[str, Any]] = {name: getattr(Config, name) for name in ("tls", *TLS_OPTIONS)}


class Way(NamedTuple):
    """To which server a dial leads, as whom, and how it opens there: in full, or plainly.

    `needs_master`: a replica is refused. `master_name`: it is a sentinel, which is asked where the master of this name is.
    `reads_replica`: it is a server of a cluster, and may be a replica that is read from.
    """

    config: Config
    addresses: Addresses
    opening: Opening
    needs_master: bool = False
    master_name: str | None = None
    reads_replica: bool = False


class Directory:
    """What a client knows of its sentinels. `fallback` is how its dials to servers open.

    `master` is the server that was found last, for messages: no dial leads there before a sentinel has named it again.
    """

    __slots__ = ("_config", "_fallback", "_first", "_known", "_learnt", "_sentinels_fallback", "master", "name")

    def __init__(self, config: Config, fallback: Fallback) -> None:
        assert config.master_name is not None
        self.name: Final[str] = config.master_name
        self.master: Place | None = None
        self._config = config
        self._fallback = fallback
        self._sentinels_fallback = Fallback()
        self._first: Place | None = None
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
        """The server that this search has led to is a master. Was it another one before?"""
        assert search.server is not None
        self._first, self._learnt = search.sentinel, search.learnt
        before, self.master = self.master, search.server
        return before is not None and before != search.server

    def ask_first(self, sentinel: Place) -> None:
        """This one has news: ask it first from now on."""
        self._first = sentinel

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


class Search:
    """The search of one dial. `way` is where it leads now: to the `sentinel`, or to the `server` that this one has named.

    Where an interrupt cuts one of its methods short, the same step may be taken once more.
    """

    __slots__ = ("_directory", "_failures", "_left", "_passed", "learnt", "sentinel", "server", "way")

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._left = deque(directory.sentinels)
        self._failures: list[ConnectError] = []
        self._passed: set[Place] = set()  # servers that have failed
        self.learnt: Sequence[Place] = ()
        self._ask()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._directory.name!r}, {len(self._left)} sentinels left>"

    def _ask(self) -> None:
        """Turn to the next sentinel."""
        self.sentinel: Place = self._left.popleft()
        self.server: Place | None = None
        self.way: Way = self._directory.way_to_sentinel(self.sentinel)

    def share(self, left: float) -> float:
        """Return how many of the seconds that are left this step may take: a sentinel leaves as much to each of the others."""
        return left if self.server is not None else min(left, ENOUGH) / (len(self._left) + 2)

    def answered(self, answers: Sequence[Reply]) -> ConnectError | None:
        """The sentinel has answered: return why the search is over, None if it goes on by `way`."""
        peer, (master, others) = self.way.addresses.peer, answers
        if master is None:
            self._failures.append(ConnectError(f"{peer} knows no master {self._directory.name!r}", transient=False))
            return self._next()
        server = read_pair(master)
        if server is None:
            self._failures.append(ConnectError(f"the answer of {peer} makes no sense", transient=False))
            return self._next()
        if server in self._passed:
            return self._next()
        self.learnt = read_sentinels(others)
        self.server, self.way = server, self._directory.way_to_server(server)
        return None

    def failed(self, error: Exception, *, late: bool) -> Exception | None:
        """This way came to nothing: return why the search is over, None if it goes on by `way`. `late`: there is no time left.

        What a server refuses for good, a password say, the next sentinel would not change.
        """
        if not isinstance(error, ConnectError) or (self.server is not None and not error.transient):
            return error
        self._failures.append(error)
        if self.server is not None:
            self._passed.add(self.server)
        return self._next(late=late)

    def _next(self, *, late: bool = False) -> ConnectError | None:
        if self._left and not late:
            self._ask()
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
        pairs = (
            zip(one[0::2], one[1::2], strict=False)
            if isinstance(one, list)
            else one.items()
            if isinstance(one, dict)
            else ()
        )
        said_of_it = {key: value for key, value in pairs if isinstance(key, bytes)}
        place = read_pair([said_of_it.get(b"ip"), said_of_it.get(b"port")])
        if place is not None:
            places.append(place)
    return places
