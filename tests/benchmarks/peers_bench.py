"""This library beside others, in one run: throughput, CPU per operation, large replies, footprint, system calls.

Server and client are pinned to one CPU: left to the scheduler of a small virtual machine, each wake-up across CPUs costs more
than the work does, and the figures say nothing of the client. So operations per second are one over client plus server time.
The clients take turns, round by round, and the median of the rounds counts, because the machine itself is at times half as
fast for no visible reason: quote ratios of one run, nothing else. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from benchmarks.async_peers import ASYNC_PEERS
from benchmarks.crowd_bench import CROWDS, crowds
from benchmarks.peers import KEY, PEERS
from benchmarks.tables import FOOTPRINTS, GOALS, TABLES
from benchmarks.trio_peers import TRIO_PEERS
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.tables import Goal, Table, Workloads

FIGURES: Final = Path("build") / "bench-{}.{}.json".format(*sys.version_info)

Figure = dict[str, float]
Figures = dict[str, dict[str, Figure]]  # workload -> peer -> figure


class Process:
    """A peer in a process of its own, pinned, that does what it is told and reports."""

    def __init__(self, name: str, cpu: int, *before: str) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "benchmarks.peers", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        pin(self._process.pid, cpu)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def tell(self, do: str, **what: str | float) -> dict[str, float]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended while it was to {do} {what}")
        answer: dict[str, float] = json.loads(line)
        return answer


def pin(pid: int, cpu: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {cpu})


def fill(server: Server) -> None:
    """What the workloads read. Values differ from each other and look like nothing in particular."""
    noise = os.urandom
    server.call("SET", KEY, noise(32).hex())
    for name, mebibytes in (("1", 1), ("16", 16), ("64M", 64)):
        server.call("SET", f"bench:{name}", noise(1 << 20) * mebibytes)
    server.call("RPUSH", "bench:list", *(noise(16).hex() for _ in range(10_000)))
    for _ in range(10):
        server.call("RPUSH", "bench:same", *"x" * 10_000)
    server.call("HSET", "bench:hash", *(noise(8).hex() for _ in range(20_000)))
    for _ in range(1000):
        server.call("XADD", "bench:stream", "*", *(noise(8).hex() for _ in range(10)))


def speed(server: Server, workloads: Workloads, peers: Sequence[str], rounds: int, seconds: float, cpu: int) -> Figures:
    """Medians over interleaved rounds, for every workload and peer."""
    urls = {"tcp": server.url, "unix": server.unix_url}
    figures: Figures = {}
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(Process(name, cpu)) for name in peers}
        for label, (workload, socket) in workloads.items():
            print(f"  {label} ...", file=sys.stderr, flush=True)
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
            for _ in range(rounds):
                for name, worker in workers.items():
                    runs[name].append(worker.tell("run", workload=workload, url=urls[socket], seconds=seconds))
            figures[label] = {
                name: {what: statistics.median(run[what] for run in of_one) for what in ("wall", "cpu")}
                for name, of_one in runs.items()
            }
    return figures


def import_times(peers: Sequence[str], rounds: int, cpu: int) -> dict[str, Figure]:
    """Milliseconds that the import takes in a fresh interpreter, its bytecode being there already."""
    taken: dict[str, list[float]] = {name: [] for name in peers}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for number in range(rounds + 1):
        for name in peers:
            hide = "".join(f"sys.modules[{module!r}] = None; " for module in PEERS[name].hidden)
            program = (
                f"import os, sys, time; {hide}hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {{{cpu}}}); "
                f"start = time.perf_counter(); {PEERS[name].imports}; print(time.perf_counter() - start)"
            )
            done = subprocess.run(
                [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
            )
            if number:  # the first may have had to compile
                taken[name].append(float(done.stdout) * 1e3)
    return {name: {"value": statistics.median(times)} for name, times in taken.items()}


def memory(server: Server, peers: Sequence[str], cpu: int, *, traced: bool) -> dict[str, Figure]:
    """KiB per idle connection, each peer in a fresh process."""
    figures = {}
    for name in peers:
        with Process(name, cpu) as worker:
            figures[name] = {"value": worker.tell("memory", url=server.url, traced=traced)["bytes"] / 1024}
    return figures


def footprint(server: Server, kind: str, peers: Sequence[str], rounds: int, cpu: int) -> Figures:
    """What it costs to have the library; beside an event loop, a connection's memory is what differs."""
    print(f"  {kind} ...", file=sys.stderr, flush=True)
    prefix = kind.removesuffix("footprint").replace(" ", ", ")
    figures = {
        f"{prefix}KiB per idle connection, as Python counts": memory(server, peers, cpu, traced=True),
        f"{prefix}KiB per idle connection, resident": memory(server, peers, cpu, traced=False),
    }
    if not prefix:
        figures["import, ms"] = import_times(peers, 2 * rounds + 1, cpu)
        figures["system calls per GET"] = system_calls(server, peers, cpu)
    return {label: row for label, row in figures.items() if row}


def system_calls(server: Server, peers: Sequence[str], cpu: int) -> dict[str, Figure]:
    """System calls per sequential GET: the difference between two runs, as strace counts them."""
    strace = shutil.which("strace")
    if strace is None:
        print("  no strace: system calls are not counted", file=sys.stderr)
        return {}

    def total(name: str, count: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            summary = Path(folder) / "summary"
            with Process(name, cpu, strace, "-f", "-c", "-o", str(summary)) as worker:
                worker.tell("repeat", workload=f"command GET {KEY}", url=server.url, count=count)
            last = summary.read_text(encoding="ascii").splitlines()[-1].split()
            return int(last[3])

    return {name: {"value": (total(name, 1500) - total(name, 500)) / 1000} for name in peers}


# -- showing it ----------------------------------------------------------------------------------------------------------


def table(title: str, rows: dict[str, dict[str, str]], columns: Sequence[str]) -> None:
    """One table in Markdown, aligned so that it can be read as it is; none if there is nothing in it."""
    if not rows:
        return
    cells = [
        [title, *columns],
        *([label, *(row.get(column, "-") for column in columns)] for label, row in rows.items()),
    ]
    widths = [max(len(line[index]) for line in cells) for index in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print("\n".join(lines), end="\n\n", flush=True)


def throughput(figure: Figure) -> str:
    return f"{1e-3 / figure['wall']:.1f}k ({figure['cpu'] * 1e6:.2f})"


def duration(figure: Figure) -> str:
    return f"{figure['wall'] * 1e3:.2f} ({figure['cpu'] * 1e3:.2f})"


def plain(figure: Figure) -> str:
    return f"{figure['value']:.1f}"


def ratios(figures: Figures, peers: Sequence[str], ours_is: str) -> dict[str, dict[str, str]]:
    """How many times faster than each peer ours is; for footprints, how many times smaller."""
    rows: dict[str, dict[str, str]] = {}
    for label, row in figures.items():
        measure = "wall" if "wall" in row[ours_is] else "value"
        ours = row[ours_is][measure]
        rows[label] = {name: f"{row[name][measure] / ours:.2f}" for name in peers if name != ours_is and ours}
    return rows


def show(title: str, one: Table, figures: Figures, cell: Callable[[Figure], str]) -> None:
    """The figures, and how much better than each other peer ours is."""
    peers = [name for name in one.peers if any(name in row for row in figures.values())]
    table(title, {label: {name: cell(figure) for name, figure in row.items()} for label, row in figures.items()}, peers)
    if one.ours in peers:
        others = [name for name in peers if name != one.ours]
        table(f"times that {one.ours} is better than", ratios(figures, peers, one.ours), others)


def reached(goal: Goal, figures: Figures) -> str | None:
    """What this run says of a goal, if it says anything."""
    found = [figures.get(label, {}).get(peer) for label, peer in (goal.ours, goal.than or goal.ours)]
    ours, than = (figure and figure[goal.measure] for figure in found)
    if not ours or not than:
        return None
    if goal.than:
        return f"{than / ours:.2f}"
    return f"{ours:.2f}" if goal.measure == "value" else f"{ours * 1e6:.2f}"


def attainable(goal: Goal, figures: Figures) -> str:
    """What a peer that does nothing but send and receive would reach, if one took its turn."""
    label, _ = goal.ours
    floor = next((name for name in figures[label] if "floor" in name), None)
    with_itself = goal.than is not None and "resp-sansio" in goal.than[1]
    return "-" if floor is None or with_itself else reached(goal._replace(ours=(label, floor)), figures) or "-"


def show_goals(figures: Figures) -> None:
    """What was reached, what was to be, and what the system calls and the event loop alone leave room for."""
    rows: dict[str, dict[str, str]] = {}
    for goal in GOALS:
        if (value := reached(goal, figures)) is not None:
            label, peer = goal.ours
            than = "" if goal.than is None else goal.than[1] if goal.than[0] == label else goal.than[0]
            rows[f"{label}: {peer} / {than}".removesuffix(" / ")] = {
                "times better": value,
                "goal": goal.goal,
                "floor": attainable(goal, figures),
            }
    table("goals", rows, ["times better", "goal", "floor"])


def show_crowds(figures: dict[str, dict[str, float]]) -> None:
    rows = {label: {name: f"{value:.1f}" for name, value in row.items()} for label, row in figures.items()}
    table("µs of CPU for each caller", rows, list(next(iter(rows.values()))))


def arguments() -> argparse.Namespace:
    known = [*PEERS, *ASYNC_PEERS, *TRIO_PEERS]
    parser = argparse.ArgumentParser(
        prog="peers_bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=0.25, help="how long one client runs one workload in one round"
    )
    parser.add_argument("--peers", nargs="+", choices=known, default=known)
    names = ", ".join(one.name for one in (*TABLES, *FOOTPRINTS))
    parser.add_argument(
        "--only",
        default="",
        help=f"only what has this in `TABLE: WORKLOAD`, so that `asyncio:` is one table;\nthe tables are {names}",
    )
    parser.add_argument("--json", type=Path, default=FIGURES, help="where the figures go (default: %(default)s)")
    parser.add_argument("--no-parse", action="store_true", help="leave out the parser's and encoder's own benchmark")
    parser.add_argument(
        "--crowds", action="store_true", help="only what crowds of callers cost this library (--only: part of a label)"
    )
    parser.add_argument("--than", type=Path, help="another checkout of it, whose crowds take turns with these")
    return parser.parse_args()


def main() -> None:
    """Measure, print tables, write the same figures as JSON."""
    options = arguments()
    cpu = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    figures: Figures = {}
    with Server() as server:
        pin(server.pid, cpu)
        fill(server)
        about = {
            "python": platform.python_version(),
            "server": f"{server.product} {'.'.join(map(str, server.version))}",
            "machine": platform.machine(),
            "rounds": options.rounds,
            "seconds": options.seconds,
        }
        print(", ".join(f"{what} {value}" for what, value in about.items()), end="\n\n", flush=True)
        if options.crowds:
            chosen = [label for label in CROWDS if options.only in label]
            show_crowds(crowds(server.url, chosen, options.rounds, cpu, options.than))
            return
        for one in TABLES:
            peers = [name for name in one.peers if name in options.peers]
            workloads = {label: work for label, work in one.workloads.items() if options.only in f"{one.name}: {label}"}
            if not peers or not workloads:
                continue
            measured = speed(server, workloads, peers, options.rounds, options.seconds, cpu)
            title = "ms (ms of CPU)" if one.slow else "1000 operations/s (µs of CPU each)"
            show(title, one, measured, duration if one.slow else throughput)
            figures |= measured
        for one in FOOTPRINTS:
            peers = [name for name in one.peers if name in options.peers]
            if peers and options.only in f"{one.name}:":
                measured = footprint(server, one.name, peers, options.rounds, cpu)
                show(one.name, one, measured, plain)
                figures |= measured
    show_goals(figures)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"about": about, "figures": figures}, indent=1), encoding="utf-8")
    print(f"as JSON: {options.json}", flush=True)
    if not options.no_parse and not options.only and importlib.util.find_spec("benchmarks.parse_bench"):
        rows = options.json.with_stem(f"{options.json.stem}-parse")
        subprocess.run([sys.executable, "-m", "benchmarks.parse_bench", "--json", str(rows)], check=True)


if __name__ == "__main__":
    main()
