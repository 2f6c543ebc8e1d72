"""Measure round trips to a server until Ctrl-C, and how long it took to connect.

A round trip is a PING by this client: from its bytes being handed over to the network until its reply was read. Connecting is told
apart. The exit code is 0 if each one was answered with PONG, else 1. A lost connection is dialled again for the next PING.
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
from resp_sansio.config import of_one_server

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
        config = of_one_server(Config.from_url(arguments.url), "ping")
    except (TypeError, ValueError) as error:
        print(f"resp-sansio ping: {Hidden().of(error)}", file=sys.stderr)
        return 2
    pinger = Pinger(arguments.url, config)
    write = Writer(console, config.address, as_json=arguments.json)
    try:
        with pinger.client:
            for number, trip in enumerate(pinger.trips(arguments.every, arguments.count), 1):
                write.trip(number, trip)
    except KeyboardInterrupt:
        pass
    write.summary(pinger.tally, ends=pinger.ends)
    return 0 if pinger.tally.answered and not pinger.tally.lost else 1


class Tally:
    """How many round trips there were, and how long they took, in seconds."""

    def __init__(self) -> None:
        self.times: array[float] = array("d")
        self.lost = 0

    @property
    def answered(self) -> int:
        """How many were answered with PONG."""
        return len(self.times)

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        times = sorted(self.times)
        return {
            "sent": self.answered + self.lost,
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
    """One round trip: how long it took, or why there was none; and the connection that was opened for it, if one was."""

    def __init__(self, seconds: float | None, why: str = "", opened: LinkOpened | None = None) -> None:
        self.seconds = seconds
        self.why = why
        self.opened = opened


class Ear(Observer):
    """Hears which connection was opened, and how long the last call was on the network."""

    def __init__(self) -> None:
        self.opened: LinkOpened | None = None
        self.network: float | None = None

    def link_opened(self, link: LinkOpened) -> None:
        """Keep it."""
        self.opened = link

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
        self.tally = Tally()
        self.ends = False
        self._hidden = Hidden(config)

    def trips(self, every: float, count: int | None) -> Iterator[Trip]:
        """Yield what each PING met; ends early if the server refuses for good."""
        next_at = time.monotonic()
        while True:
            yield self._trip()
            count = None if count is None else count - 1
            if self.ends or count == 0:
                return
            next_at = max(next_at + every, time.monotonic())
            time.sleep(max(next_at - time.monotonic(), 0))

    def _trip(self) -> Trip:
        self._ear.opened = None
        try:
            reply = self.client.execute("PING")
        except RespError as error:
            self.tally.lost += 1
            self.ends = isinstance(error, ConnectError) and not error.transient
            return Trip(None, self._hidden.of(error), self._ear.opened)
        took = self._ear.network
        if reply not in ("PONG", b"PONG") or took is None:
            self.tally.lost += 1
            return Trip(None, "the answer is not PONG", self._ear.opened)
        self.tally.times.append(took)
        return Trip(took, opened=self._ear.opened)


class Writer:
    """Writes what happened, for people or for programs."""

    def __init__(self, console: Console, address: str, *, as_json: bool) -> None:
        self._console = console
        self._address = address
        self._as_json = as_json

    def trip(self, number: int, trip: Trip) -> None:
        """Write one round trip, and before it the connection that was opened for it."""
        if self._as_json:
            opened = None if trip.opened is None else steps(trip.opened)
            self._json({"number": number, "seconds": trip.seconds, "error": trip.why or None, "opened": opened})
            return
        if trip.opened is not None:
            self._line(connected(trip.opened))
        told = f"time={duration(trip.seconds)}" if trip.seconds is not None else f"lost: {trip.why}"
        self._line(f"{self._address}: seq={number} {told}", "" if trip.seconds is not None else "red")

    def summary(self, tally: Tally, *, ends: bool) -> None:
        """Write what all of them were."""
        whole = tally.as_dict()
        if self._as_json:
            self._json({"summary": whole})
            return
        sent, lost = whole["sent"], whole["lost"]
        if ends:
            self._line(
                "The server will not serve, however often it is asked: resp-sansio doctor says what mends it.",
                "bold red",
            )
        self._line(f"--- {self._address} ---", "bold")
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
