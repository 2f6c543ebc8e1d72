"""The dashboard of docs/grafana.json, without Grafana: its queries answered from recorded scrapes, and its panels drawn.

    python tests/dashboard.py FOLDER          record a minute of a load with troubles, and draw the panels, light and dark
    python tests/dashboard.py FOLDER FILE     draw those of an earlier record

`Prometheus` answers as much of PromQL as the dashboard speaks: selectors, `rate`, `sum by`, `histogram_quantile`, `/`, `+`, `or`.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from clusters import Cluster, key_in, slot_of
from resp_asyncio import Client
from resp_otel import OpenTelemetryMetrics
from resp_sansio import Cache, RespError
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["DASHBOARD", "Endpoint", "Prometheus", "names_in", "panels"]

DASHBOARD: Final = Path(__file__).parents[1] / "docs" / "grafana.json"
TOKENS: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*|[0-9.]+|"[^"]*"|!=|[][(){}=,/+])')

Labels: TypeAlias = frozenset[tuple[str, str]]
Vector: TypeAlias = dict[Labels, float]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


def names_in(query: str) -> set[str]:
    """The names of the metrics that a query asks for."""
    without_labels = re.sub(r"by \([^)]*\)", "", query)
    return set(re.findall(r"\b(?:db|redis)_client_\w+", without_labels))


class Endpoint:
    """What Prometheus scrapes: metrics of a provider of its own, over HTTP."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.meters = MeterProvider(metric_readers=[PrometheusMetricReader(registry=registry)])
        self._server, self._thread = start_http_server(0, addr="127.0.0.1", registry=registry)

    def scrape(self) -> str:
        """The page, as it is now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._server.server_port}/metrics", timeout=30) as page:
            text: str = page.read().decode()
        return text

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.meters.shutdown()


# -- queries -----------------------------------------------------------------------------------------------------------------


class Prometheus:
    """The scrapes of some time, each with its second, and answers to queries about them. `window`: that of a rate, in seconds."""

    def __init__(self, window: float = 5.0) -> None:
        self.times: list[float] = []
        self._window = window
        self._scrapes: list[dict[str, Vector]] = []
        self._tokens: list[str] = []

    def add(self, at: float, page: str) -> None:
        """Take in a scrape."""
        scrape: dict[str, Vector] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                labels = frozenset(each for each in sample.labels.items() if each[1])  # an empty one is as good as none
                scrape.setdefault(sample.name, {})[labels] = sample.value
        self.times.append(at)
        self._scrapes.append(scrape)

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for scrape in self._scrapes for name in scrape}

    def ask(self, query: str, index: int) -> Vector:
        """What a query answers at the time of this scrape."""
        self._tokens = TOKENS.findall(query.replace("[$__rate_interval]", ""))
        found = self._sum(index)
        assert not self._tokens, f"{query}: {self._tokens} is not understood"
        return found

    def _take(self, *wanted: str) -> str:
        token = self._tokens.pop(0)
        assert not wanted or token in wanted, f"{token} is not {wanted}"
        return token

    def _sum(self, index: int) -> Vector:
        found = self._term(index)
        while self._tokens[:1] in (["/"], ["+"], ["or"]):
            by = self._take()
            other = self._term(index)
            both = found.keys() & other.keys()
            if by == "or":
                found = {**other, **found}
            elif by == "/":
                found = {key: found[key] / other[key] for key in both if other[key]}
            else:
                found = {key: found[key] + other[key] for key in both}
        return found

    def _term(self, index: int) -> Vector:
        word = self._take()
        if word == "sum":
            return self._summed(index)
        if word == "rate":
            self._take("(")
            return self._rate(index)
        if word == "histogram_quantile":
            self._take("(")
            quantile = float(self._take())
            self._take(",")
            found = self._sum(index)
            self._take(")")
            return quantiles(quantile, found)
        return self._select(word, index)

    def _summed(self, index: int) -> Vector:
        by: list[str] = []
        if self._tokens[0] == "by":
            self._take("by")
            by = self._words()
        self._take("(")
        found: Vector = {}
        for labels, value in self._sum(index).items():
            key = frozenset((name, text) for name, text in labels if name in by)
            found[key] = found.get(key, 0.0) + value
        self._take(")")
        return found

    def _words(self) -> list[str]:
        self._take("(")
        words = [self._take()]
        while self._take(",", ")") == ",":
            words.append(self._take())
        return words

    def _rate(self, index: int) -> Vector:
        name = self._take()
        self._take(")")
        begin = next(i for i, at in enumerate(self.times) if at >= self.times[index] - self._window)
        if begin == index:
            return {}
        before, now = (self._scrapes[at].get(name, {}) for at in (begin, index))
        seconds = self.times[index] - self.times[begin]
        return {labels: (now[labels] - before[labels]) / seconds for labels in now.keys() & before.keys()}

    def _select(self, name: str, index: int) -> Vector:
        return self._scrapes[index].get(name, {})


def quantiles(quantile: float, buckets: Vector) -> Vector:
    """As `histogram_quantile`: within a bucket, durations are taken to be spread evenly."""
    by_rest: dict[Labels, list[tuple[float, float]]] = {}
    for labels, value in buckets.items():
        bound = float(dict(labels)["le"])
        by_rest.setdefault(frozenset(each for each in labels if each[0] != "le"), []).append((bound, value))
    found: Vector = {}
    for rest, counts in by_rest.items():
        counts.sort()
        total = counts[-1][1]
        if total > 0:
            found[rest] = within(quantile * total, counts)
    return found


def within(rank: float, counts: list[tuple[float, float]]) -> float:
    """The value below which so many of the observations lie."""
    lower = below = 0.0
    for bound, count in counts:
        if count >= rank:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / ((count - below) or 1.0)
        lower, below = bound, count
    return lower


# -- a minute of a load with troubles ----------------------------------------------------------------------------------------

MINUTE: Final = 60


async def load(server: Server, client: Client) -> None:
    """Calls of many kinds, a rush, a server that stalls, connections that are killed, errors, and a server that is away."""
    ends = monotonic() + MINUTE
    began = monotonic()

    async def repeat(call: Callable[[], Any], pause: float, first: float = 0, last: float = MINUTE) -> None:
        await asyncio.sleep(first)
        while monotonic() < min(ends, began + last):
            with suppress(RespError):
                await call()
            await asyncio.sleep(pause)

    async def batch() -> None:
        async with client.pipeline() as pipe:
            for number in range(20):
                pipe.set(f"batch:{number}", "v")

    async def several() -> None:
        async with client.acquire(timeout=0.1) as own:
            await own.ping()
            await asyncio.sleep(0.05)

    async def wait_in_vain() -> None:
        await client.execute("BLPOP", "nothing", 0, timeout=0.2)

    async def no_time() -> None:
        await client.execute("GET", "k", timeout=0.0005)

    await client.set("k", "v" * 100)
    async with asyncio.TaskGroup() as group:

        def start(*arguments: Any) -> None:
            group.create_task(repeat(*arguments))

        for _ in range(20):
            start(lambda: client.get("k"), 0.02)
        for _ in range(5):
            start(lambda: client.set("k", "v" * 100), 0.02)
        start(batch, 0.1)
        start(several, 0.4)
        for _ in range(40):  # a rush
            start(lambda: client.get("k"), 0.0, 12, 20)
        for _ in range(6):  # more callers than connections
            start(several, 0.0, 22, 28)
        start(lambda: asyncio.to_thread(server.call, "DEBUG", "SLEEP", "0.3"), 1.0, 30, 36)
        start(no_time, 0.02, 30, 36)
        for _ in range(10):
            start(lambda: client.get("k"), 0.0, 39, 42)
        start(lambda: asyncio.to_thread(server.call, "CLIENT", "KILL", "TYPE", "normal"), 1.0, 39, 42)
        start(lambda: client.lpush("k", "v"), 0.1, 44, 50)
        start(wait_in_vain, 0.1, 44, 50)
        await asyncio.sleep(52)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(server.start)


async def load_of_others(cluster: Cluster, writer: Client, cached: Client, spread: Client) -> None:
    """A client with a cache, whose keys another writes, and a subscriber, which is slow for a while and loses its connection; and
    one of a cluster, whose slots are moved, and which loses a master.
    """
    began = monotonic()
    keys = [key_in(slots[index * 50 : index * 50 + 50]) for slots in cluster.ranges for index in range(8)]

    async def repeat(call: Callable[[int], Any], pause: float) -> None:
        number = 0
        while monotonic() < began + MINUTE:
            with suppress(RespError):
                await call(number)
            number += 1
            await asyncio.sleep(pause)

    async def several(number: int) -> None:
        async with spread.pipeline() as pipe:
            for key in keys[number % 8 :: 8]:
                pipe.get(key)

    async def read() -> None:
        async with cached.subscribe("news", buffer=200) as messages:
            while monotonic() < began + MINUTE:
                with suppress(RespError):
                    await messages.next_batch(timeout=1.0)
                await asyncio.sleep(4.0 if 25 < monotonic() - began < 36 else 0.05)

    async def cut() -> None:
        await asyncio.sleep(44)
        for _ in range(3):
            await writer.execute("CLIENT", "KILL", "TYPE", "pubsub")
            await asyncio.sleep(1.0)

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        group.create_task(cut())
        group.create_task(repeat(lambda number: writer.publish("news", f"{number}"), 0.01))
        group.create_task(repeat(lambda number: cached.get(f"kept:{number * number % 60}"), 0.01))
        group.create_task(repeat(lambda number: writer.set(f"kept:{number % 60}", "v" * 200), 0.2))
        for _ in range(5):
            group.create_task(repeat(lambda number: spread.set(keys[number % len(keys)], "v"), 0.02))
        group.create_task(repeat(several, 0.1))
        await asyncio.sleep(16)
        for key in keys[:8]:
            await asyncio.to_thread(cluster.move, slot_of(key), 1)
            await asyncio.sleep(0.5)
        await asyncio.sleep(7)
        await asyncio.to_thread(cluster.nodes[2].kill)


def record() -> Iterator[tuple[float, str]]:
    """Run the load in a thread of its own; the scrapes of each second."""
    endpoint = Endpoint()
    try:
        with Server() as server, Cluster() as cluster:
            yield from asyncio.run(recorded(server, cluster, endpoint))
    finally:
        endpoint.close()


async def recorded(server: Server, cluster: Cluster, endpoint: Endpoint) -> list[tuple[float, str]]:
    """The scrapes of each second while the load runs."""
    observers = [OpenTelemetryMetrics(endpoint.meters)]
    scrapes: list[tuple[float, str]] = []
    async with (
        Client(server.url, max_connections=5, max_idle=2.0, timeout=2.0, observers=observers) as client,
        Client(server.url, cache=Cache(max_bytes=30_000), timeout=2.0, observers=observers) as cached,
        Client(f"redis+cluster://127.0.0.1:{cluster.nodes[0].port}", timeout=2.0, observers=observers) as spread,
    ):
        running = asyncio.gather(load(server, client), load_of_others(cluster, client, cached, spread))
        began = monotonic()
        while not running.done():
            scrapes.append((monotonic() - began, await asyncio.to_thread(endpoint.scrape)))
            await asyncio.sleep(1.0)
        await running
    return scrapes


# -- the picture -------------------------------------------------------------------------------------------------------------

# After Okabe and Ito: told apart by readers who see few colours, on white and on black.
COLOURS: Final = ("#2E86D1", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#999999", "#B8A800")
LIGHT: Final = {"page": "#f4f5f5", "panel": "#ffffff", "text": "#24292e", "faint": "#d8d9da"}
DARK: Final = {"page": "#111217", "panel": "#181b1f", "text": "#d8d9da", "faint": "#34373d"}


def draw(store: Prometheus, path: Path, colours: dict[str, str]) -> None:
    """Draw all panels where the dashboard has them."""
    from matplotlib.figure import Figure

    every = panels()
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in every)
    figure = Figure(figsize=(16, height * 0.42), facecolor=colours["page"])
    for panel in every:
        place = panel["gridPos"]
        frame = (place["x"] / 24, 1 - (place["y"] + place["h"]) / height, place["w"] / 24, place["h"] / height)
        card = figure.add_axes((frame[0] + 0.004, frame[1] + 0.006, frame[2] - 0.008, frame[3] - 0.012))
        card.set_facecolor(colours["panel"])
        card.set(xticks=[], yticks=[])
        for spine in card.spines.values():
            spine.set_color(colours["faint"])
        inner = (frame[0] + 0.04, frame[1] + 2.3 / height, frame[2] - 0.052, frame[3] - 3.4 / height)
        draw_panel(store, panel, figure.add_axes(inner), colours)
    figure.savefig(path, dpi=80)


def draw_panel(store: Prometheus, panel: dict[str, Any], axes: Any, colours: dict[str, str]) -> None:
    """Draw one panel: its title, a line for each answer, and their names beneath."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = list(answers(store, panel["targets"]))
    top = max((value for _, values in lines for value in values if not math.isnan(value)), default=0.0)
    thousand = unit == "s" and top < 1
    for number, (name, values) in enumerate(lines):
        shown = [value * 1000 if thousand else value for value in values]
        axes.plot(store.times, shown, color=COLOURS[number % len(COLOURS)], linewidth=1.6, label=name)
    axes.set_facecolor(colours["panel"])
    axes.set_title(panel["title"], color=colours["text"], fontsize=11, loc="left", fontweight="bold")
    axes.set_ylabel(
        {"s": "ms" if thousand else "s", "ops": "per second", "short": "", "bytes": "bytes"}[unit],
        color=colours["text"],
        fontsize=8,
    )
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if value >= 1000 else f"{value:g}")
    axes.set_xlim(0, store.times[-1])
    axes.set_ylim(bottom=0, top=(top * (1000 if thousand else 1) or 1) * 1.08)
    axes.grid(color=colours["faint"], linewidth=0.6)
    axes.tick_params(colors=colours["text"], labelsize=8, length=0)
    axes.set_xticks(
        range(0, int(store.times[-1]) + 1, 10), [f"{at} s" for at in range(0, int(store.times[-1]) + 1, 10)]
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    longest = max((len(name) for name, _ in lines), default=0)
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.1, -0.1),
        ncols=3 if longest < 20 else 2,
        fontsize=7.5,
        frameon=False,
        handlelength=1.2,
        columnspacing=1.2,
    )
    for text in legend.get_texts():
        text.set_color(colours["text"])


def answers(store: Prometheus, targets: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Each line of a panel: its name, and its value at each scrape, `nan` where there is none."""
    for target in targets:
        found = [store.ask(target["expr"], index) for index in range(len(store.times))]
        every = sorted({labels for vector in found for labels in vector}, key=sorted)
        for labels in every:
            yield named(target["legendFormat"], dict(labels)), [vector.get(labels, math.nan) for vector in found]


def named(template: str, labels: dict[str, str]) -> str:
    """The name of a line."""
    return re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), template)


def main(folder: Path, file: Path | None) -> None:
    """Record, unless there is a file, and draw."""
    folder.mkdir(parents=True, exist_ok=True)
    if file is None:
        file = folder / "scrapes.json"
        file.write_text(json.dumps(list(record())), "utf-8")
    store = Prometheus()
    for at, page in json.loads(file.read_text("utf-8")):
        store.add(at, page)
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        draw(store, folder / f"dashboard-{name}.png", colours)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
