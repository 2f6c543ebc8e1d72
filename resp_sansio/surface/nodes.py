"""The servers of a cluster, one by one, as far as it neither awaits nor waits. What differs in colour is in `tasks` and `threads`.

A client of one server has one, itself: so the same program runs on both.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from .._errors import ConnectionClosedError, LocalProtocolError
from ..client.client import Client
from ..client.hash_slots import SLOTS
from ..client.links import ServerFacts
from ..client.sentinel import Place
from ..commands.decoding import S
from ..config.config import Config
from ..wire.encoder import Argument
from .base import CommandsBase, Driver, LendingBase, slot_of_keys
from .machines import maker

__all__ = ["NodeBase", "place_of", "place_to_lend", "places_of", "words_for_a_map"]

D = TypeVar("D", bound=Driver)

ALL: Final = (range(SLOTS),)


class NodeBase(CommandsBase[D, S], Generic[D, S]):
    """One server of a client's, with all commands: made by `nodes` and `node`.

    What it says of the server is what the client knows at the time that it is asked.
    """

    __slots__ = ("_client", "_place")

    _meant: ClassVar[type[Any]]  # makes calls, and says for which server they are

    def __init__(self, client: LendingBase[D, Any, Any], place: Place | None) -> None:
        super().__init__(client._config, client._driver)
        self._client = client
        self._place = place  # None of a client of one server
        self._calls = client._calls if place is None else self._meant(client._calls, place)
        self._cache = client._cache if place is None else None  # which does not say what one server has

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.address}>"

    @property
    def address(self) -> str:
        """Where it is, as `host:port`: by this name `node` and `acquire` find it."""
        return address_of(self._config, self._place)

    @property
    def id(self) -> str:
        """By what the servers of its cluster know it; empty if that is not known."""
        return self._facts.id

    @property
    def is_master(self) -> bool:
        """Is it no replica, as far as is known?"""
        return not self._facts.replica

    @property
    def slots(self) -> tuple[range, ...]:
        """The hash slots that it has as a master. All of them, if it is the only server."""
        return self._facts.slots

    @property
    def closed(self) -> bool:
        """Is its client closed, or closing?"""
        return self._client.closed

    @property
    def _facts(self) -> ServerFacts:
        machine = self._driver.machine
        if self._place is not None:
            facts: ServerFacts = cast("Any", machine).server_at(self._place)
            return facts
        roles = [link.core.server.role for link in machine.lane_links]
        return ServerFacts("", roles[:1] == ["replica"], ALL)

    def _listens_by(self) -> D:
        """Of a cluster, by a client of this one server: that of all subscriptions leads to any."""
        if self._place is None:
            return self._driver
        if self.closed:
            raise ConnectionClosedError("subscribe: the client of this server was closed")
        settings = cast("Any", self._driver.machine).settings
        driver: D = self._client._connection_type._driver_type(maker(self._config.at(self._place), settings), "client")
        return driver

    def _at(self, keys: tuple[Argument, ...]) -> Any:  # noqa: ARG002  # whatever the keys
        return self._place

    @property
    def _routed(self) -> bool:
        return False


def address_of(config: Config, place: Place | None) -> str:
    """Return what a server is called; None is the only one."""
    return config.address if place is None else config.at(place).address


def places_of(machine: Client, config: Config) -> list[Place] | list[None]:
    """Return where all servers are that are known, masters first; None is the only one."""
    if not (config.cluster or config.has_replicas):
        return [None]
    places: list[Place] = cast("Any", machine).places
    return places


def words_for_a_map(config: Config) -> tuple[str, ...]:
    """Return a command, of no effect, that waits until it is known which servers there are."""
    if config.has_replicas:
        return ("EXISTS", "")  # behind sentinels what only the master can do need not wait
    return ("PING",)


def place_of(machine: Client, config: Config, node: object) -> Place | None:
    """Return where a server is that a caller has named, or has from `nodes`; None is the only one.

    Raises `ValueError` and `LocalProtocolError` as `Cluster.place_of`.
    """
    if isinstance(node, NodeBase):
        node = node.address if node._place is None else node._place
    if config.cluster or config.has_replicas:
        place: Place = cast("Any", machine).place_of(node)
        return place
    if node != config.address:
        raise LocalProtocolError(f"this client has one server, {config.address}, and no other one")
    return None


def place_to_lend(machine: Client, config: Config, key: Argument | None, node: object) -> int | Place | None:
    """Return where a link is to lead that a caller borrows: to the server of a key, or to one that is named."""
    if key is not None and node is not None:
        raise ValueError("acquire: give a key, or a node; a connection leads to one server")
    return (
        slot_of_keys(config, (key,)) if key is not None else None if node is None else place_of(machine, config, node)
    )
