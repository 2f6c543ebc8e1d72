"""Runs of a comparison on a real server: what they count, and that no latency is left out because replies are slow."""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
import time
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_cli._compare import by_asyncio, by_threads, by_trio
from resp_cli._compare.arrivals import begin, pace, schedule
from resp_cli._compare.figures import figures_of, percentile
from resp_cli._compare.meter import LIBRARIES, STRATEGIES, Case, Job, Run
from resp_cli._compare.processes import RunFailedError, run_apart
from resp_cli._compare.rounds import Settings, compare
from resp_cli._compare.workload import Drawn, Operation, words_of_size, workload
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusters import Cluster
    from servers import Server

RUNS: Final = {"threads": by_threads.run, "asyncio": by_asyncio.run, "trio": by_trio.run}


class Slow:
    """A load of which one operation in so many keeps the server busy for some seconds."""

    spread = 1.0

    def __init__(self, seconds: float, one_in: int) -> None:
        self.seconds: Final = seconds
        self.one_in: Final = one_in

    def before(self) -> Iterator[tuple[bytes, ...]]:
        return iter(())

    def operations(self) -> list[Operation]:
        slow = Operation((b"DEBUG", b"SLEEP", str(self.seconds).encode()), small=False)
        return [slow, *[Operation((b"PING",), small=False)] * (self.one_in - 1)]

    def describe(self) -> str:
        return "slow"


LOAD: Final = Drawn(prefix="mine:", mix=workload("get:80,set:20"), sizes=words_of_size("10"), keys=10)


def job(server: Server, library: str, strategy: str, callers: int, *, seconds: float = 0.2, rate: float = 0.0) -> Job:
    case = Case(library, strategy, callers)
    return Job(case=case, url=server.url, load=LOAD, pool_size=5, batch=10, seconds=seconds, rate=rate)


def paced(one: Job) -> Run:
    """Run it in this process, with its arrivals from a thread."""
    near, far = socket.socketpair()
    thread = threading.Thread(target=pace, args=(far, one.rate, one.seconds, one.seed))
    thread.start()
    with near:
        run = RUNS[one.case.library](one, near)
    thread.join()
    return run


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_without_a_pause_counts_what_was_done(library: str, strategy: str, server: Server) -> None:
    run = RUNS[library](job(server, library, strategy, 20), None)
    assert run.operations > 0
    assert run.seconds > 0.1
    assert run.cpu > 0
    assert run.connections == (5 if strategy in ("pool", "pipeline") else 1)
    assert not run.latencies
    assert not run.errors
    assert run.server_commands
    assert run.server_commands > 0.5 * run.operations
    if run.server_reads and strategy != "client":
        together = run.server_commands / run.server_reads
        assert together > 5 if strategy == "pipeline" else together > 0.5


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_by_a_schedule_measures_each_arrival(library: str, strategy: str, server: Server) -> None:
    one = job(server, library, strategy, 3, rate=500, seconds=0.3)
    run = paced(one)
    assert len(run.latencies) == len(schedule(500, 0.3, one.seed)) == len(run.small)
    assert min(run.latencies) > 0
    assert not run.unserved


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_server_that_stops_is_in_the_latencies_of_all_that_were_due_meanwhile(library: str, server: Server) -> None:
    one = replace(job(server, library, "pool", 1, rate=300, seconds=2), load=Slow(0.25, one_in=200))
    run = paced(one)
    # Some three times the one caller waited for one reply. Of some 75 that were due while it did, 45 waited for 0.1 s or more.
    assert sum(latency > 0.1 for latency in run.latencies) > 30
    assert len(run.latencies) == len(schedule(300, 2, one.seed))


def test_what_comes_far_too_late_is_given_up_and_counts(server: Server) -> None:
    one = replace(job(server, "asyncio", "pool", 1, rate=300, seconds=0.3), load=Slow(0.2, one_in=1))
    run = paced(one)
    assert run.unserved > 0
    assert len(run.latencies) == len(schedule(300, 0.3, one.seed))


def test_operations_that_the_server_refuses_are_counted(server: Server) -> None:
    with connect(server.url) as connection:
        for number in range(10):
            connection.execute("LPUSH", f"mine:string:{number}", "x")
    for strategy in ("pipeline", "client"):
        one = replace(job(server, "asyncio", strategy, 2), load=replace(LOAD, mix=workload("get")))
        run = by_asyncio.run(one, None)
        assert run.errors > 0
        assert run.error.startswith("WRONGTYPE")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("strategy", ["pipeline", "client"])
def test_operations_that_are_not_answered_in_time_are_counted(library: str, strategy: str, server: Server) -> None:
    one = replace(job(server, library, strategy, 2), url=f"{server.url}?timeout=0.1", load=Slow(0.3, one_in=50))
    run = RUNS[library](one, None)
    assert run.errors > 0
    assert run.error


def test_a_run_in_a_process_of_its_own_has_its_own_arrivals(server: Server) -> None:
    one = job(server, "threads", "client", 2, rate=400, seconds=0.3)
    run = run_apart(one)
    assert len(run.latencies) == len(schedule(400, 0.3, one.seed))
    assert run_apart(job(server, "threads", "client", 2)).operations > 0


def test_a_run_that_fails_says_which_and_why_and_no_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    load = Drawn(prefix="mine:", mix=workload("get"), sizes=words_of_size("10"), keys=10)
    one = Job(
        case=Case("trio", "pool", 3),
        url=f"redis://:geheim@127.0.0.1:{port}",
        load=load,
        pool_size=5,
        batch=10,
        seconds=0.2,
    )
    with pytest.raises(RunFailedError, match="trio, pool, 3 callers: .*refused") as raised:
        run_apart(one)
    assert "geheim" not in str(raised.value)


# -- Arrivals and figures ----------------------------------------------------------------------------------------------------------


@given(st.floats(10, 10_000), st.integers(0, 1000))
def test_a_schedule_has_its_rate_and_is_in_order(rate: float, seed: int) -> None:
    times = schedule(rate, 1000 / rate, seed)
    assert times == sorted(times)
    assert all(0 < time < 1000 / rate for time in times)
    assert abs(len(times) - 1000) < 250  # eight times the deviation of a Poisson process


def test_the_other_process_writes_a_byte_for_each_arrival() -> None:
    near, far = socket.socketpair()
    writer = threading.Thread(target=pace, args=(far, 1000, 0.1, 3))
    writer.start()
    with near:
        start = begin(near)
        count = 0
        while some := near.recv(100):
            count += len(some)
    assert time.perf_counter() - start > 0.05
    assert count == len(schedule(1000, 0.1, 3))
    writer.join()


@given(st.lists(st.floats(0, 10), min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], part: float) -> None:
    found = percentile(sorted(values), part)
    if len(values) * (1 - part) < 2:
        assert found is None
    else:
        assert found in values
        assert sum(value <= found for value in values) >= math.ceil(part * len(values))
        assert sum(value < found for value in values) < part * len(values)


def test_figures_are_medians_of_the_rounds_and_say_how_much_these_differ() -> None:
    runs = [Run(operations=operations, seconds=2, cpu=1.0, connections=1) for operations in (100, 200, 400)]
    figures = figures_of(Case("threads", "pool", 1), 50, runs, [Run()])
    assert figures.throughput == 100
    assert figures.noise == 1
    assert figures.client_cpu == 1 / 200
    assert (figures.server_cpu, figures.per_write) == (None, None)
    assert figures.latency["p99"] is None


def test_a_comparison_goes_through_all_cases_in_its_time(server: Server) -> None:
    cases = [Case("threads", "client", 1), Case("threads", "pool", 2)]
    told: list[tuple[str, int, int]] = []
    settings = Settings(
        url=server.url, load=LOAD, cases=cases, pool_size=5, batch=10, duration=3.0, rounds=2, rate=0.0, share=0.5
    )
    found = compare(settings, "a server", lambda *news: told.append(news))
    assert [one.case for one in found.figures] == cases
    assert [number for _, number, _ in told] == list(range(len(told)))
    assert 2 * 2 * found.rounds <= len(told) <= 8
    assert found.rounds in (1, 2)  # as many as there is time for
    assert all(one.throughput > 0 and one.latency["p50"] for one in found.figures)
    assert all(one.rate == pytest.approx(found.figures[0].rate) or one.callers == 2 for one in found.figures)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_a_comparison_ends_no_process_that_is_half_started(
    how: signal.Signals, server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    started: list[int | None] = []

    original = SpawnProcess.start

    def start(process: SpawnProcess) -> None:
        os.kill(os.getpid(), how)
        original(process)
        assert process.pid is not None
        os.kill(process.pid, how)  # as a terminal does: it strikes all of them
        started.append(process.pid)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        monkeypatch.setattr(SpawnProcess, "start", start)
        with pytest.raises(KeyboardInterrupt):
            run_apart(job(server, "threads", "client", 1, seconds=30.0))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(started) == 1
    assert capfd.readouterr().err == ""


def test_operations_share_the_bytes_of_a_value() -> None:
    large = Drawn(prefix="mine:", mix=workload("set"), sizes=words_of_size("1000000"), keys=10)
    assert len({id(operation.words[2]) for operation in large.operations()}) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_run_on_a_cluster_counts_what_all_its_masters_did(cluster: Cluster, library: str) -> None:
    found = RUNS[library](replace(job(cluster.nodes[0], library, "client", 3), url=cluster.url), None)
    assert found.operations > 0
    assert found.errors == 0
    assert found.server_commands is not None
    assert found.server_commands >= found.operations * 0.5
    assert found.connections >= 3
    cluster.flush()
