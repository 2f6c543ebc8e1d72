"""Watch a server: what it does, for whom, and how long that takes.

In a terminal the figures are renewed in place until Ctrl-C; into a file they go one after the other. Rates are those since the
figures before, so the first of them come after one interval. Nothing on the server is changed. What this command itself asks is
counted by the server, as all is; its own connection is not among the libraries'. Of a cluster each server is a line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import resp_sync
from resp_sansio import Config, Reply, ReplyError, RespError

from .._findings import Hidden
from .._given import add_timing, add_url
from .figures import Figures, figures
from .frames import frame, servers
from .scrape import Metrics, MetricsError, Scrape, figures_of_metrics, metrics_table
from .snapshot import QUESTIONS, Snapshot, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console, RenderableType

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `watch` takes."""
    add_url(parser)
    parser.add_argument(
        "--metrics", metavar="URL", help="show the metrics of a client as well: its Prometheus endpoint"
    )
    add_timing(parser, "frames")
    parser.add_argument("--once", action="store_const", const=1, dest="count", help="the same as --count 1")
    parser.add_argument("--json", action="store_true", help="write each frame as a line of JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show frames until there are enough of them, or the user ends it. Returns 1 if the last one could not be had."""
    try:
        config = Config.from_url(arguments.url)
        metrics = Metrics(arguments.metrics) if arguments.metrics else None
    except (TypeError, ValueError, MetricsError) as error:
        print(f"resp-sansio watch: {Hidden().of(error)}", file=sys.stderr)
        return 2 if not isinstance(error, MetricsError) else 1
    watched = Watched(arguments.url, config, metrics)
    try:
        with watched.client, shown(arguments, console) as show:
            for seen in watched.frames(arguments.every, arguments.count):
                show(seen)
    except KeyboardInterrupt:
        return 0
    return 0 if watched.failure is None else 1


class Seen:
    """What one look has shown: a server's figures, or why there are none; and a client's metrics, if they were asked for."""

    def __init__(self, address: str, server: Figures | str, metrics: Any = None) -> None:
        self.address = address
        self.server = server
        self.metrics = metrics

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        known = isinstance(self.server, Figures)
        found: dict[str, Any] = {
            "address": self.address,
            "server": self.server.as_dict() if isinstance(self.server, Figures) else None,
            "error": None if known else self.server,
        }
        if self.metrics is not None:
            found["metrics"] = self.metrics.as_dict()
        return found


class SeenCluster(Seen):
    """The same of a cluster: the figures of each server by its address, or why there are none; or why no server is known."""

    def __init__(self, address: str, servers: Mapping[str, Figures | str] | str, metrics: Any = None) -> None:
        super().__init__(address, servers if isinstance(servers, str) else "", metrics)
        self.servers = {} if isinstance(servers, str) else servers

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        servers = {where: Seen(where, found).as_dict() for where, found in self.servers.items()}
        found: dict[str, Any] = {"address": self.address, "servers": servers, "error": self.server or None}
        if self.metrics is not None:
            found["metrics"] = self.metrics.as_dict()
        return found


class Watched:
    """A server, or all of a cluster, looked at again and again."""

    def __init__(self, url: str, config: Config, metrics: Metrics | None) -> None:
        # One connection, dialled again when it is lost; what a look can't be told now, the next one is.
        name = config.client_name or "resp-sansio-watch"
        self.client = resp_sync.Client(
            url, client_name=name, max_connections=1, retry=resp_sync.Retry(attempts=1), decode=False
        )
        self.failure: str | None = None
        self._config = config
        self._hidden = Hidden(config)
        self._metrics = metrics
        self._before: dict[str, Snapshot] = {}  # by the address of the server
        self._scraped: Scrape | None = None

    def frames(self, every: float, count: int | None) -> Iterator[Seen]:
        """Yield what is seen, every so many seconds; the first time after one interval, so that there are rates."""
        self._look()
        next_at = time.monotonic()
        while count is None or count > 0:
            next_at = max(next_at + every, time.monotonic())
            time.sleep(max(next_at - time.monotonic(), 0))
            yield self._look()
            count = None if count is None else count - 1

    def _look(self) -> Seen:
        metrics = None
        address = self._config.address
        found = self._servers() if self._config.cluster else self._server(address, self.client)
        if self._metrics is not None:
            scraped = self._metrics.scrape()
            metrics, self._scraped = figures_of_metrics(self._scraped, scraped), scraped
        if isinstance(found, Figures) or not self._config.cluster:
            assert isinstance(found, (Figures, str))
            self.failure = found if isinstance(found, str) else None
            return Seen(address, found, metrics)
        self.failure = (
            found if isinstance(found, str) else next((one for one in found.values() if isinstance(one, str)), None)
        )
        return SeenCluster(address, found, metrics)

    def _servers(self) -> dict[str, Figures | str] | str:
        """Look at each server of a cluster, as far as they are known now."""
        try:
            nodes = self.client.nodes()
        except RespError as error:
            return self._hidden.of(error)
        return {node.address: self._server(node.address, node) for node in nodes}

    def _server(self, address: str, asked: Any) -> Figures | str:
        try:
            now = self._snapshot(asked)
        except RespError as error:
            self._before.pop(address, None)
            return self._hidden.of(error)
        before, self._before[address] = self._before.get(address), now
        return figures(before, now)

    def _snapshot(self, asked_of: Any) -> Snapshot:
        began = time.perf_counter()
        own = None
        with asked_of.pipeline() as pipe:
            number = pipe.execute("CLIENT", "ID")
            asked = {name: pipe.execute(*words) for name, words in QUESTIONS.items()}
        took = time.perf_counter() - began
        replies: dict[str, Reply | ReplyError] = {}
        for name, result in asked.items():
            try:
                replies[name] = result.result()
            except ReplyError as error:
                replies[name] = error
        try:
            answer = number.result()
            own = answer if isinstance(answer, int) else None
        except ReplyError:
            pass
        return read_snapshot(replies, at=time.monotonic(), round_trip=took, own=own)


@contextmanager
def shown(arguments: argparse.Namespace, console: Console) -> Iterator[Callable[[Seen], None]]:
    """Give what shows a frame: in place on a terminal, else one after the other; as JSON if that is asked for."""
    if arguments.json:
        yield lambda seen: console.out(json.dumps(seen.as_dict()), highlight=False)
    elif not console.is_terminal or arguments.count == 1:
        yield lambda seen: plain(console, drawn(seen, console.width, None))
    else:
        from rich.live import Live

        with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            last: list[Seen] = []

            def renew(seen: Seen) -> None:
                last[:] = [seen]
                live.update(drawn(seen, console.width, console.height), refresh=True)

            try:
                yield renew
            finally:
                live.stop()
                for seen in last:  # the screen is as it was before; what was seen last stays
                    plain(console, drawn(seen, console.width, None))


def plain(console: Console, what: RenderableType) -> None:
    """Print without the spaces that fill a table's lines up."""
    with console.capture() as captured:
        console.print(what)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines())
    console.file.write(text + "\n")
    console.file.flush()


def drawn(seen: Seen, width: int, height: int | None) -> RenderableType:
    """Draw a frame."""
    from rich.console import Group
    from rich.text import Text

    if isinstance(seen, SeenCluster) and seen.servers:
        beside = [] if seen.metrics is None else [metrics_table(seen.metrics, None if height is None else 8)]
        return Group(servers(seen.servers, seen.address, None if height is None else max(height - 6, 3)), *beside)
    more = [metrics_table(seen.metrics, None if height is None else 8)] if seen.metrics is not None else []
    if isinstance(seen.server, Figures):
        return frame(seen.server, seen.address, width, height, more)
    return Group(Text(f"{seen.address}: no answer: {seen.server}", "bold red"), *more)
