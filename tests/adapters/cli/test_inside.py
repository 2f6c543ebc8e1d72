"""`resp_cli.watch`: what a client in this process does, counted where its calls are, and drawn beside them."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import resp_asyncio
import resp_cli
import resp_sync
import resp_trio
from adapters.cli.terminal import Terminal, environment
from adapters.peers import together
from resp_cli import Watcher, watch
from resp_cli._histogram import Histogram
from resp_cli._inside.watcher import client_figures
from resp_sansio import CloseReason, ConnectionLostError, DialFailed, LinkClosed, LinkOpened, ReplyError

if TYPE_CHECKING:
    from servers import Server

PLACE: Final[Any] = {"address": "h:1", "database": 0}


def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


# --- figures ------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1.2e-6, 900), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_quantile_of_a_histogram_is_right_to_within_a_bucket(values: list[float], wanted: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = histogram.quantile(wanted)
    exact = sorted(values)[max(-int(-wanted * len(values) // 1), 1) - 1]
    assert found is not None
    assert exact / 1.0906 <= found <= exact * 1.0906
    assert len(histogram) == len(values)
    assert histogram.mean == pytest.approx(sum(values) / len(values))


def test_a_histogram_takes_any_time() -> None:
    histogram = Histogram()
    for value in (0.0, -1e-9, 1e-9, 1e9):
        histogram.add(value)
    assert len(histogram) == 4
    before = histogram.copy()
    histogram.add(0.5)
    assert len(histogram.since(before)) == 1
    assert len(histogram.since(None)) == 5
    assert (Histogram().quantile(0.5), Histogram().mean) == (None, None)


def test_facts_become_figures() -> None:
    watcher = Watcher()
    link: Any = {"number": 1, "route": "lane"}
    before = watcher.counted()
    watcher.link_opened(
        LinkOpened(
            **PLACE, **link, peer="1.2.3.4:5", protocol=3, name=0.1, dial=0.2, tls=None, handshake=0.3, total=0.7
        )
    )
    watcher.dial_failed(DialFailed(**PLACE, route="lane", error=None, step="dial", total=1.0))
    watcher.link_closed(
        LinkClosed(**PLACE, **link, reason=CloseReason.IDLE, error=ConnectionLostError("x"), age=1.0, commands=3)
    )
    found = client_figures(before, watcher.counted(), 2.0, None)
    assert (found.opened, found.opened_total, found.failed_dials, found.calls) == (0.5, 1, 0.5, 0)
    assert found.closed == {"IDLE": 1}
    assert found.opening == {"name": 0.1, "dial": 0.2, "handshake": 0.3, "total": 0.7}
    json.dumps(found.as_dict())
    again = client_figures(watcher.counted(), watcher.counted(), 1.0, None)
    assert (again.opened, again.opened_total) == (0, 1)


# --- clients ------------------------------------------------------------------------------------------------------------------


def test_calls_of_many_threads_are_all_counted(server: Server) -> None:
    watcher = Watcher()
    with resp_sync.Client(server.url, observers=[watcher]) as client:

        def work() -> None:
            for number in range(100):
                client.set(f"k{number}", "v")
                with pytest.raises(ReplyError):
                    client.lpush(f"k{number}", "x")

        together(*[work] * 4)
        found = client_figures(Watcher().counted(), watcher.counted(), 1.0, client.stats())
    commands = {one.command: one for one in found.commands}
    assert (commands["SET"].calls, commands["LPUSH"].calls, commands["LPUSH"].errors) == (400, 400, 400)
    assert (commands["SET"].errors, found.opened_total, len(found.shared)) == (0, 1, 1)
    assert commands["SET"].p50 is not None
    assert found.lent is not None


def test_any_number_of_commands_takes_bounded_memory(server: Server) -> None:
    watcher = Watcher()
    with resp_sync.connect(server.url, observers=[watcher]) as connection:
        for number in range(300):
            with pytest.raises(ReplyError):
                connection.execute(f"NONE{number}")
    counted = watcher.counted()
    assert len(counted.calls) <= 201
    assert sum(len(calls.total) for calls in counted.calls.values()) == 300


def test_a_client_of_threads(server: Server) -> None:
    on, watcher = console(), Watcher()
    with resp_sync.Client(server.url, observers=[watcher]) as client, watch(client, watcher, console=on):
        assert written(on) == ""
        client.get("k")
    assert "GET" in written(on)
    assert "\x1b" not in written(on)


def test_a_pool(server: Server) -> None:
    on, watcher = console(), Watcher()
    with (
        resp_sync.Pool(server.url, observers=[watcher]) as pool,
        watch(pool, watcher, console=on),
        pool.acquire() as one,
    ):
        one.get("k")
    assert "Lent: 1 connections" in written(on)
    assert "waited" in written(on)


def test_without_a_watcher_there_is_what_the_client_counts_itself(server: Server) -> None:
    on = console()
    with resp_sync.Client(server.url) as client, watch(client, console=on):
        client.get("k")
        with client.acquire() as one:
            one.get("k")
    assert ", 2 in all" in written(on)
    assert "Calls (queued and network are means): none that a Watcher was told" in written(on)
    on = console()
    with resp_sync.Pool(server.url) as pool, watch(pool, console=on):
        pool.get("k")
    assert ", 1 in all" in written(on)


def test_a_client_of_tasks(server: Server) -> None:
    on, watcher = console(), Watcher()

    async def main() -> None:
        async with resp_asyncio.Client(server.url, observers=[watcher]) as client:
            with watch(client, watcher, console=on):
                await asyncio.gather(*(client.get("k") for _ in range(10)))

    asyncio.run(main())
    assert "GET" in written(on)


def test_a_client_of_trio(server: Server) -> None:
    on, watcher = console(), Watcher()

    async def main() -> None:
        async with resp_trio.Client(server.url, observers=[watcher]) as client:
            with watch(client, watcher, console=on):
                await client.get("k")

    trio.run(main)
    assert "GET" in written(on)


def test_it_shows_what_was_when_the_block_fails(server: Server) -> None:
    on, watcher = console(), Watcher()
    with (
        resp_sync.Client(server.url, observers=[watcher]) as client,
        pytest.raises(ReplyError),
        watch(client, watcher, console=on),
    ):
        client.execute("GET")
    assert "GET" in written(on)


def test_stats_that_are_being_changed_do_no_harm() -> None:
    class Changing:
        def stats(self) -> Any:
            raise RuntimeError("dictionary changed size during iteration")

    on = console()
    with watch(Changing(), Watcher(), console=on):
        pass
    assert "Calls" in written(on)


@pytest.mark.parametrize("every", [0, -1.0, float("nan")])
def test_a_time_that_makes_no_sense(every: float) -> None:
    with pytest.raises(ValueError, match="every must be positive"), watch(object(), Watcher(), every=every):  # type: ignore[arg-type]
        pass


def test_without_rich_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, "resp_cli._inside.console", raising=False)
    with pytest.raises(ModuleNotFoundError, match="rich"), watch(object(), Watcher()):  # type: ignore[arg-type]
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_child_of_a_fork_counts_though_a_thread_held_the_lock() -> None:
    program = """
import os, threading
from resp_cli import Watcher
watcher, held, over = Watcher(), threading.Event(), threading.Event()
def hold():
    with watcher._lock:
        held.set()
        over.wait()
thread = threading.Thread(target=hold, daemon=True)
thread.start()
held.wait()
if (child := os.fork()) == 0:
    watcher.counted()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
over.set()
thread.join()
"""
    subprocess.run([sys.executable, "-c", program], env=environment(), timeout=60, check=True)


# --- in a terminal, and not ---------------------------------------------------------------------------------------------------

PROGRAM: Final = """
import sys, resp_sync
from resp_cli import Watcher, watch
watcher = Watcher()
with resp_sync.Client(sys.argv[1], observers=[watcher]) as client, watch(client, watcher, every=0.1):
    for number in range(8):
        client.set("k", "v")
        client.execute("BLPOP", "none", 0.1)
        print("the program says", number)
"""


@pytest.mark.parametrize("columns", [80, 200])
def test_it_is_drawn_below_what_the_program_prints(server: Server, columns: int) -> None:
    with Terminal(server.url, columns=columns, program=PROGRAM) as terminal:
        terminal.until(lambda text: "the program says 3" in text and "BLPOP" in text)
        assert terminal.end() == 0
        lines = terminal.text.splitlines()
        assert lines[:8] == [f"the program says {number}" for number in range(8)]
        assert lines[8].startswith("Client, in ")
        assert [line.split()[0] for line in lines[-2:]] == ["BLPOP", "SET"]
        assert terminal.text.count("Client, in ") == 1


def test_no_line_is_lost_though_it_is_printed_while_a_frame_is_drawn(server: Server) -> None:
    program = (
        PROGRAM.replace("every=0.1", "every=0.001")
        .replace('"none", 0.1', '"none", 0.001')
        .replace("range(8)", "range(15)")
    )
    for _ in range(4):
        with Terminal(server.url, columns=80, program=program) as terminal:
            assert terminal.end() == 0
            assert terminal.text.splitlines()[:15] == [f"the program says {number}" for number in range(15)]
            assert terminal.text.count("Client, in ") == 1


def test_into_a_file_goes_one_frame_at_the_end(server: Server) -> None:
    words = [sys.executable, "-c", PROGRAM, server.url]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=True)
    assert done.stderr.count("Client, in ") == 1
    assert "\x1b" not in done.stderr + done.stdout
    assert len(done.stdout.splitlines()) == 8


def test_what_is_public() -> None:
    assert resp_cli.__all__ == ["Watchable", "Watcher", "main", "watch"]
    assert "0 kinds of calls" in repr(Watcher())
