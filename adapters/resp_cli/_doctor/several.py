"""An examination of several servers: those of a cluster, or sentinels and the master that they name.

Each server is examined as a single one is, at the address by which programs are led to it; then what they say is compared.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import resp_sync
from resp_sansio import Config, ReplyError, RespError, commands
from resp_sansio.client import config_of_sentinel

from .._findings import Finding, Hidden, Step, printable
from .diagnosis import diagnose, is_fine
from .probe import Examination, Member, examine
from .talk import FailedError, code_of, said_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["examine_url"]

Place: TypeAlias = tuple[str, int]

SLOTS: Final = 16384
SHOWN: Final = 6
"""Servers that one sentence names; it counts the others."""


def examine_url(url: str, *, read_only: bool = False, key_prefix: str = "") -> Iterator[Finding]:
    """Yield what is found of the server, or the servers, that a URL leads to."""
    try:
        config = Config.from_url(url)
    except (TypeError, ValueError) as error:
        yield Finding(step=Step.URL, code=type(error).__name__, said=Hidden().of(error))
        return
    if config.cluster:
        yield from Cluster(url, config, read_only=read_only, key_prefix=key_prefix).findings()
    elif config.sentinels:
        yield from examine_behind_sentinels(url, config, read_only=read_only, key_prefix=key_prefix)
    else:
        yield from examine(url, config, read_only=read_only, key_prefix=key_prefix)


class Row(NamedTuple):
    """A range of slots, and where its servers are, the master first."""

    slots: range
    places: tuple[Place, ...]


class Cluster:
    """One examination of a cluster."""

    def __init__(self, url: str, config: Config, *, read_only: bool, key_prefix: str) -> None:
        self._url = url
        self._config = config
        self._hidden = Hidden(config)
        self._read_only = read_only
        self._prefix = key_prefix
        self._views: dict[str, list[Row]] = {}  # by the address of the server that said it
        self._told: dict[str, dict[str, Any]] = {}  # what findings said of each server

    def findings(self) -> Iterator[Finding]:
        """Examine each server, and then what they say together."""
        config = self._config
        facts = {"url": config.url, "address": config.address}
        yield Finding(step=Step.URL, said=self._hidden.of(f"a {config.address}"), facts=facts)
        rows, failure = self._first_map()
        members = members_of(rows)
        seeds = [place for place in places_in(config.cluster) if place not in members]
        found: list[Finding] = []
        strangers = [place for place in seeds if config.at(place).address not in self._views]
        for place, member in [*members.items(), *((place, Member()) for place in strangers)]:
            for finding in self._examine(place, member):
                if rows and place not in members:  # clients can do without it
                    finding = replace(finding, facts={**finding.facts, "spare": True})
                found.append(finding)
                yield finding
        if failure is not None:
            yield Finding(step=Step.MAP, code=code_of_failure(failure), said=self._hidden.of(said_by(failure)))
            return
        found.append(together := self._together(rows, members))
        yield together
        if is_fine(diagnose(found)):
            yield from self._library()

    def _first_map(self) -> tuple[list[Row], Exception | None]:
        """Ask the servers of the URL, until one has told the map; else return why the last one has not."""
        failure: Exception | None = None
        for place in places_in(self._config.cluster):
            try:
                with closing(self._examination(place, Member())) as examination:
                    rows = self._ask_for_map(examination, place)
                if rows:
                    return rows, None
                failure = FailedError("EMPTY", f"{self._config.at(place).address} knows of no server with slots")
            except (FailedError, RespError) as error:
                failure = error
        return [], failure

    def _examination(self, place: Place, member: Member) -> Examination:
        config = self._config.at(place)
        read_only = self._read_only or bool(member.replica)
        return Examination(self._url, config, read_only=read_only, key_prefix=self._prefix, member=member)

    def _ask_for_map(self, examination: Examination, place: Place) -> list[Row]:
        said = commands.cluster_slots().read(examination.ask("CLUSTER", "SLOTS"), Config().text)
        rows = []
        for first, last, nodes in said:
            if not 0 <= first <= last < SLOTS:
                raise FailedError("MAP", f"it tells of hash slots from {first} to {last}")
            places = [(node.host if node.host not in (None, "", "?") else place[0], node.port) for node in nodes]
            rows.append(Row(range(first, last + 1), tuple(map(self._dialled, places))))
            for one in rows[-1].places:
                address_at(self._config, one)
        self._views[self._config.at(place).address] = rows
        return rows

    def _dialled(self, place: Any) -> Place:
        """Return where a server is dialled that announces this address."""
        announced: Place = place
        found: Place = announced if self._config.address_map is None else self._config.address_map(announced)
        return found

    def _examine(self, place: Place, member: Member) -> Iterator[Finding]:
        told: dict[str, Any] = {}
        with closing(self._examination(place, member)) as examination:
            for finding in examination.steps():
                told |= finding.facts
                yield finding
            try:
                self._ask_for_map(examination, place)
            except (FailedError, RespError):
                pass  # why it is not to be had, the steps have said
            else:
                self._told[self._config.at(place).address] = told

    def _together(self, rows: Sequence[Row], members: Mapping[Place, Member]) -> Finding:
        address = {place: self._config.at(place).address for place in members}
        masters = [place for place in members if not members[place].replica]
        covered = sum(len(row.slots) for row in rows)
        believed = {
            where: sorted((row.slots.start, row.places[0]) for row in view) for where, view in self._views.items()
        }
        first = believed[next(iter(believed))]
        followed = {row.places[0] for row in rows if len(row.places) > 1}
        versions = {where: str(told.get("version")) for where, told in self._told.items() if told.get("version")}
        limits = {
            where: f"{told['limit'] if told['limit_bytes'] else 'no limit'}, {told['policy']}"
            for where, told in self._told.items()
            if "policy" in told and told.get("expected") != "replica"
        }
        facts = {
            "uncovered": SLOTS - covered,
            "disputed": some([where for where, view in believed.items() if view != first]),
            "alone": some([address[place] for place in masters if place not in followed]),
            "versions": unlike(versions),
            "unlike": unlike(limits),
        }
        said = f"{len(masters)} masters, {len(members) - len(masters)} replicas, {covered} of {SLOTS} slots"
        return Finding(step=Step.MAP, said=printable(said), facts=facts)

    def _library(self) -> Iterator[Finding]:
        """The client that programs get."""
        began = perf_counter()
        try:
            with resp_sync.Client(self._url) as client:
                nodes = client.nodes()
                for node in nodes:
                    node.execute("PING")
        except (RespError, OSError) as error:
            yield Finding(step=Step.LIBRARY, code=code_of(error), said=self._hidden.of(said_by(error)))
            return
        took = perf_counter() - began
        yield Finding(step=Step.LIBRARY, said=f"connects to all {len(nodes)} servers", seconds=took)


def members_of(rows: Sequence[Row]) -> dict[Place, Member]:
    """Return the servers of a map, masters first."""
    slots: dict[Place, list[range]] = {}
    of: dict[Place, Place] = {}
    for row in rows:
        slots.setdefault(row.places[0], []).append(row.slots)
        of |= dict.fromkeys(row.places[1:], row.places[0])
    masters = {place: Member(its, replica=False) for place, its in slots.items()}
    return masters | {
        place: Member(slots[master], replica=True) for place, master in of.items() if place not in masters
    }


def address_at(config: Config, place: Place) -> str:
    """Return the address of a server that another one names. Raises `FailedError` if none can be there."""
    try:
        return config.at(place).address
    except ValueError:
        raise FailedError("PLACE", f"it names a server at {place[0]!r}, port {place[1]}") from None


def places_in(given: Any) -> list[Place]:
    """Return places of a configuration, which has read them."""
    return [*given]


def some(addresses: Sequence[str]) -> str:
    """Name servers, a few of them."""
    more = f" and {len(addresses) - SHOWN} more" if len(addresses) > SHOWN else ""
    return printable(", ".join(addresses[:SHOWN])) + more


def unlike(told: Mapping[str, str]) -> str:
    """Say which servers have what, if it is not all the same; else nothing."""
    by_value: dict[str, list[str]] = {}
    for where, value in told.items():
        by_value.setdefault(value, []).append(where)
    if len(by_value) < 2:
        return ""
    return "; ".join(f"{printable(value)} at {some(where)}" for value, where in by_value.items())


def code_of_failure(error: Exception) -> str:
    """Return the code that the rules know it by."""
    return error.code if isinstance(error, FailedError) else code_of(error)


# -- sentinels -------------------------------------------------------------------------------------------------------------------


def examine_behind_sentinels(url: str, config: Config, *, read_only: bool, key_prefix: str) -> Iterator[Finding]:
    """Ask each sentinel where the master is, and examine what the first one names."""
    hidden = Hidden(config)
    facts: dict[str, Any] = {"url": config.url, "address": config.address}
    yield Finding(step=Step.URL, said=hidden.of(config.address), facts=facts)
    named: dict[str, Place] = {}
    for place in places_in(config.sentinels):
        sentinel = config_of_sentinel(config, place)
        began = perf_counter()
        try:
            with closing(Examination(url, sentinel, read_only=True, key_prefix="")) as examination:
                said = examination.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", config.master_name or "")
            match said:
                case [bytes(host), bytes(port)] if port.isdigit() and len(port) < 6:
                    where = host.decode("utf-8", "replace"), int(port)
                    address = address_at(config, where)
                case None:
                    raise FailedError("UNKNOWN", f"it knows no master of the name {config.master_name!r}")
                case _:
                    raise FailedError("ODD", "its answer makes no sense")
        except (FailedError, ReplyError) as error:
            code, words = code_of_failure(error), hidden.of(said_by(error))
            facts = {"sentinel": sentinel.address, "tls": sentinel.tls}
            yield Finding(step=Step.SENTINEL, code=code, said=words, facts=facts, server=sentinel.address)
            continue
        took = perf_counter() - began
        named[sentinel.address] = where
        words = f"{config.master_name} is at {address}"
        yield Finding(step=Step.SENTINEL, said=hidden.of(words), seconds=took, server=sentinel.address)
    if not named:
        yield Finding(step=Step.SENTINEL, code="NONE", said="no sentinel has named the master")
        return
    (first, place), *_ = named.items()
    others = some([where for where, other in named.items() if other != place])
    said = hidden.of(f"{config.at(place).address}, as {first} says")
    yield Finding(step=Step.SENTINEL, said=said, facts={"differ": others, "named": config.at(place).address})
    yield from examine(url, config.at(place), read_only=read_only, key_prefix=key_prefix)
