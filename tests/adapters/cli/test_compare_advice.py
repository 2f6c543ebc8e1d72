"""The advice on recorded figures, and on figures that differ from these in one thing: it changes when the load does."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from resp_cli._compare.advice import advise, chosen
from resp_cli._compare.charts import draw
from resp_cli._compare.figures import Comparison, Figures
from resp_cli._compare.table import show

RECORDED: Final = Path(__file__).parent / "recorded"


def recorded(name: str) -> Comparison:
    return Comparison.from_dict(json.loads((RECORDED / f"{name}.json").read_text("utf-8")))


def changed(found: Comparison, strategy: str, **changes: Any) -> Comparison:
    """The same with other figures of one strategy."""
    every = [replace(one, **changes) if one.strategy == strategy else one for one in found.figures]
    return replace(found, figures=every)


def steady(found: Comparison, **changes: Any) -> Comparison:
    """The same on a machine that does nothing else: no round differs from another."""
    return replace(found, figures=[replace(one, noise=0.0, unsteady=1.0, **changes) for one in found.figures])


def texts(found: Comparison) -> str:
    return "\n".join(f"{one.text} {one.reason} {one.change}" for one in advise(found))


ALL: Final = sorted(path.stem for path in RECORDED.glob("*.json"))


@pytest.mark.parametrize(
    ("name", "strategy", "reason"),
    [
        ("one_caller", "client", "send the same by one connection"),
        ("hundred_callers", "client", "times the pool's"),
        ("sizes_over_a_slow_link", "pool", "small values wait behind large ones"),
        ("sizes_on_a_loopback", "client", "measure from where the program is to run"),
    ],
)
def test_each_recorded_load_has_its_advice(name: str, strategy: str, reason: str) -> None:
    found = recorded(name)
    assert {*chosen(found).values()} == {strategy}
    assert reason in texts(found)


@pytest.mark.parametrize("name", ALL)
def test_advice_is_sentences_that_name_figures_and_what_would_change_them(name: str) -> None:
    for one in advise(recorded(name)):
        assert re.match(r"[A-Z].*[.]$", one.text)
        assert re.match(r".*\d.*[.]$", one.reason)
        assert re.match(r".*[a-z].*[.]$", one.change)
        assert "None" not in one.reason


@pytest.mark.parametrize("name", ALL)
def test_a_comparison_is_the_same_after_json(name: str) -> None:
    found = recorded(name)
    assert Comparison.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_a_pool_that_does_clearly_more_is_advised() -> None:
    found = steady(recorded("hundred_callers"))
    assert {*chosen(found).values()} == {"client"}
    faster = changed(found, "pool", throughput=400_000.0)
    assert {*chosen(faster).values()} == {"pool"}
    assert "times the client's" in texts(faster)


def test_a_difference_within_the_noise_is_none() -> None:
    found = steady(recorded("hundred_callers"), throughput=10_000.0, latency={"p99": 0.004})
    more = changed(found, "pool", throughput=14_000.0)
    assert {*chosen(more).values()} == {"pool"}
    assert {*chosen(changed(more, "client", noise=0.5)).values()} == {"client"}
    assert {*chosen(replace(more, rounds=1)).values()} == {"client"}, "how much rounds differ is not known of one"


def test_a_pool_that_answers_sooner_is_advised_where_it_does_as_much() -> None:
    found = steady(recorded("hundred_callers"), throughput=10_000.0, latency={"p50": 0.001, "p95": 0.002, "p99": 0.004})
    assert {*chosen(found).values()} == {"client"}
    later = changed(found, "client", latency={"p50": 0.001, "p95": 0.002, "p99": 0.02})
    assert {*chosen(later).values()} == {"pool"}
    assert "99 % of them come within 4 ms by the pool and within 20 ms by the client" in texts(later)
    assert {*chosen(changed(later, "client", unsteady=9.0, latency={"p99": 0.02})).values()} == {"pool"}
    assert {*chosen(replace(later, figures=[replace(one, unsteady=9.0) for one in later.figures])).values()} == {
        "client"
    }


def test_values_of_one_size_bring_back_the_client() -> None:
    found = recorded("sizes_over_a_slow_link")
    alike = steady(replace(found, spread=1.0), throughput=10_000.0, latency={"p99": 0.001})
    assert {*chosen(alike).values()} == {"client"}


def test_one_rule_for_several_libraries_is_said_once() -> None:
    first = advise(recorded("one_caller"))[0].text
    assert first == "With threads, asyncio and trio (1 caller): take a Client."


NOTES: Final[dict[str, tuple[str, Callable[[Figures], Figures]]]] = {
    "server": ("The server is the limit", lambda one: replace(one, throughput=100_000.0, server_cpu=1e-5)),
    "process": ("The client's process is a limit", lambda one: replace(one, throughput=100_000.0, client_cpu=1e-5)),
    "noise": ("Small differences say nothing", lambda one: replace(one, noise=0.9)),
    "errors": (
        "operations failed, the first with: OOM",
        lambda one: replace(one, errors=3, error="OOM command not allowed"),
    ),
    "late": ("were given up", lambda one: replace(one, unserved=3)),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_note_is_said_where_the_figures_have_a_reason_for_it(name: str) -> None:
    said, change = NOTES[name]
    found = steady(recorded("hundred_callers"), throughput=1_000.0, client_cpu=1e-5, server_cpu=1e-6)
    assert said not in texts(found)
    assert said in texts(replace(found, figures=[change(one) for one in found.figures]))


def test_a_single_round_says_that_it_is_one() -> None:
    found = steady(recorded("hundred_callers"))
    assert "Small differences" not in texts(found)
    assert "There was time for 1 round only" in texts(replace(found, rounds=1))


def test_pipelines_are_advised_where_they_do_more() -> None:
    found = steady(recorded("one_caller"), throughput=10_000.0)
    assert "pipeline." not in advise(found)[1].text
    assert "put them into a pipeline" in texts(changed(found, "pipeline", throughput=60_000.0))


def test_others_on_the_server_are_told() -> None:
    found = recorded("hundred_callers")
    assert "Others used the server" not in texts(replace(found, foreign=0.0))
    assert "40% of the commands" in texts(replace(found, foreign=0.4))


def test_a_server_that_tells_nothing_of_itself_leaves_gaps_and_no_error() -> None:
    found = steady(recorded("hundred_callers"), server_cpu=None, per_write=None, latency={}, small={})
    assert {*chosen(found).values()} == {"client"}
    assert "None" not in texts(found)
    out = io.StringIO()
    show(found, Console(file=out, width=80))
    assert re.search(r"client +[\d,]+ +- +- +- +- +1 +[\d.]+ +- +-", out.getvalue())


# -- What is drawn of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [80, 99, 100, 200])
def test_tables_and_text_fit(name: str, width: int) -> None:
    out = io.StringIO()
    show(recorded(name), Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in out.getvalue()
    rows = [line for line in lines if re.match(r"(pool|connection|pipeline|client) +\d", line)]
    assert len(rows) == len(recorded(name).figures)
    assert len({len(row) for row in rows}) == 1, "the tables stand one below the other"
    assert not any(line.startswith("\x1b") for line in lines)


@pytest.mark.parametrize("name", ALL)
def test_a_chart_has_a_line_for_each_strategy_and_says_its_units(name: str, tmp_path: Path) -> None:
    draw(recorded(name), tmp_path / "a.svg", "svg")
    chart = (tmp_path / "a.svg").read_text("utf-8")
    for text in ("pool", "connection", "pipeline", "client", "operations per second", "latency in ms", "callers"):
        assert text in chart
    assert "redis://" not in chart
    draw(recorded(name), tmp_path / "a.png", "png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_figures_are_the_same_chart(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(recorded("one_caller"), tmp_path / name, "svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
