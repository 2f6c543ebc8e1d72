"""Measure round trips to a server until Ctrl-C, and how long it took to connect.

A round trip is a PING by this client: from its bytes being handed over to the network until its reply was read. Connecting is told
apart. The exit code is 0 if each one was answered with PONG, else 1. A lost connection is dialled again for the next PING. Of a
cluster each server is asked in turn, and summed up by itself.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import resp_sync
from resp_sansio import CallEnded, Config, ConnectError, LinkOpened, Observer, RespError

from ._findings import Hidden
from ._given import add_timing, add_url
from ._words import duration, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Tally", "add_arguments", "percentile", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `ping` takes."""
    add_url(parser)
    add_timing(parser, "round trips")
    parser.add_argument("--json", action="store_true", help="write each round trip, and the summary, as a line of JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Measure until there were enough, or the user ends it; then sum up."""
    try:
        config = Config.from_url(arguments.url)
    except (TypeError, ValueError) as error:
        print(f"resp-sansio ping: {Hidden().of(error)}", file=sys.stderr)
        return 2
    pinger = Pinger(arguments.url, config)
    write = Writer(console, as_json=arguments.json)
    try:
        with pinger.client:
            for trip in pinger.trips(arguments.every, arguments.count):
                write.trip(trip)
    except KeyboardInterrupt:
        pass
    tallies = pinger.tallies or {config.address: Tally()}
    for address, tally in tallies.items():
        write.summary(address, tally, ends=pinger.ends)
    return 0 if all(tally.answered and not tally.lost for tally in tallies.values()) else 1


class Tally:
    """How many round trips there were, and how long they took, in seconds."""

    def __init__(self) -> None:
        self.times: array[float] = array("d")
        self.lost = 0

    @property
    def answered(self) -> int:
        """How many were answered with PONG."""
        return len(self.times)

    @property
    def sent(self) -> int:
        """How many there were."""
        return self.answered + self.lost

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        times = sorted(self.times)
        return {
            "sent": self.sent,
            "answered": self.answered,
            "lost": self.lost,
            "min": times[0] if times else None,
            "median": percentile(times, 0.5),
            "p99": percentile(times, 0.99),
            "max": times[-1] if times else None,
        }


def percentile(ordered: Sequence[float], wanted: float) -> float | None:
    """Return the smallest value that at least this share of them does not exceed; None if there is none."""
    return ordered[max(math.ceil(wanted * len(ordered)) - 1, 0)] if ordered else None


class Trip:
    """The `number`th round trip to a server: how long it took, or why there was none; and the connection that was opened for it."""

    def __init__(
        self, address: str, number: int, seconds: float | None, why: str = "", opened: LinkOpened | None = None
    ) -> None:
        self.address = address
        self.number = number
        self.seconds = seconds
        self.why = why
        self.opened = opened


class Ear(Observer):
    """Hears which connections were opened, and how long the last call was on the network."""

    def __init__(self) -> None:
        self.opened: dict[str, LinkOpened] = {}  # the last one to each server that was not told yet
        self.network: float | None = None

    def link_opened(self, link: LinkOpened) -> None:
        """Keep it."""
        self.opened[link.address] = link

    def call_ended(self, call: CallEnded, token: object) -> None:  # noqa: ARG002
        """Keep its time."""
        self.network = call.network


class Pinger:
    """Sends one PING after the other."""

    def __init__(self, url: str, config: Config) -> None:
        self._ear = Ear()
        self.client = resp_sync.Client(
            url, max_connections=1, retry=resp_sync.Retry(attempts=1), decode=False, observers=[self._ear]
        )
        self.tallies: dict[str, Tally] = {}  # by the address of the server
        self.ends = False
        self._config = config
        self._hidden = Hidden(config)

    def trips(self, every: float, count: int | None) -> Iterator[Trip]:
        """Yield what each PING met; ends early if the server refuses for good."""
        next_at = time.monotonic()
        while True:
            yield from self._round()
            count = None if count is None else count - 1
            if self.ends or count == 0:
                return
            next_at = max(next_at + every, time.monotonic())
            time.sleep(max(next_at - time.monotonic(), 0))

    def _round(self) -> Iterator[Trip]:
        """Ask the server, or each of a cluster's as far as they are known now."""
        if not self._config.cluster:
            yield self._trip(self._config.address, self.client)
            return
        try:
            nodes = self.client.nodes()
        except RespError as error:
            yield self._lost(self._config.address, error)
            return
        for node in nodes:
            yield self._trip(node.address, node)

    def _trip(self, address: str, server: Any) -> Trip:
        try:
            reply = server.execute("PING")
        except RespError as error:
            return self._lost(address, error)
        took = self._ear.network
        if reply not in ("PONG", b"PONG") or took is None:
            return self._lost(address, "the answer is not PONG")
        tally = self._tally(address)
        tally.times.append(took)
        return Trip(address, tally.sent, took, opened=self._opened(address))

    def _lost(self, address: str, why: object) -> Trip:
        refused = isinstance(why, ConnectError) and not why.transient
        self.ends = refused and address == self._config.address  # another server of a cluster may serve
        tally = self._tally(address)
        tally.lost += 1
        return Trip(address, tally.sent, None, self._hidden.of(why), self._opened(address))

    def _tally(self, address: str) -> Tally:
        return self.tallies.setdefault(address, Tally())

    def _opened(self, address: str) -> LinkOpened | None:
        """Return the connection that was opened to this server since the last trip there, if one was."""
        if self._config.cluster:
            return self._ear.opened.pop(address, None)
        return self._ear.opened.popitem()[1] if self._ear.opened else None  # behind sentinels it has another address


class Writer:
    """Writes what happened, for people or for programs."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json

    def trip(self, trip: Trip) -> None:
        """Write one round trip, and before it the connection that was opened for it."""
        if self._as_json:
            opened = None if trip.opened is None else steps(trip.opened)
            told = {"number": trip.number, "seconds": trip.seconds, "error": trip.why or None, "opened": opened}
            self._json({"address": trip.address, **told})
            return
        if trip.opened is not None:
            self._line(connected(trip.opened))
        met = f"time={duration(trip.seconds)}" if trip.seconds is not None else f"lost: {trip.why}"
        self._line(f"{trip.address}: seq={trip.number} {met}", "" if trip.seconds is not None else "red")

    def summary(self, address: str, tally: Tally, *, ends: bool) -> None:
        """Write what all of them to one server were."""
        whole = tally.as_dict()
        if self._as_json:
            self._json({"address": address, "summary": whole})
            return
        sent, lost = whole["sent"], whole["lost"]
        if ends:
            self._line(
                "The server will not serve, however often it is asked: resp-sansio doctor says what mends it.",
                "bold red",
            )
        self._line(f"--- {address} ---", "bold")
        self._line(f"{sent} sent, {whole['answered']} answered, {lost} lost ({share(lost / sent if sent else 0.0)})")
        if tally.answered:
            names = ("min", "median", "p99", "max")
            self._line(", ".join(f"{name} {duration(whole[name])}" for name in names))

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)

    def _json(self, value: object) -> None:
        self._console.out(json.dumps(value), highlight=False)


def steps(link: LinkOpened) -> dict[str, Any]:
    """Return how long each step of a dial took, in seconds."""
    names = ("total", "name", "dial", "tls", "handshake")
    return {"peer": link.peer, "protocol": link.protocol, **{name: getattr(link, name) for name in names}}


def connected(link: LinkOpened) -> str:
    """Say to what, and how long each step took."""
    told = steps(link)
    parts = [
        f"{name} {duration(told[name])}" for name in ("name", "dial", "tls", "handshake") if told[name] is not None
    ]
    return (
        f"connected to {link.peer or link.address}, RESP{link.protocol}, in {duration(link.total)}: {', '.join(parts)}"
    )
