"""Find out which strategy suits a load: pool, single connection, pipeline or multiplexing.

The same load is run through each of them, with threads, asyncio and trio, on the server of the URL or, without one, on a server
that is started for it and thrown away. The keys have a prefix of their own and are removed at the end. On a cluster there are
two strategies, multiplexing with and without pipelines: a pool, or a single connection, is for one server.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from resp_sansio import Config

from .._findings import harmless
from .._throwaway import ServerNotFoundError, throw_away_server
from .charts import PlotMissingError, draw
from .figures import Comparison
from .keys import ENDINGS, KeysLeftError, NotEmptyError, NotWrittenError, new_prefix, prepared
from .meter import LIBRARIES, OF_CLUSTERS, STRATEGIES, Case
from .processes import RunFailedError
from .recording import read_recording
from .rounds import Settings, compare
from .table import show
from .workload import Drawn, Load, words_of_size, workload

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["add_arguments", "run"]

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument(
        "url",
        nargs="?",
        type=_said(_url),
        metavar="URL",
        help="redis://..., as all adapters take it; - for what REDIS_URL says",
    )
    load = parser.add_argument_group("the load")
    load.add_argument(
        "--mix", type=_said(workload), default="get:80,set:20", help="commands with weights (%(default)s)"
    )
    load.add_argument(
        "--size",
        type=_said(words_of_size),
        default="100",
        help="bytes of a value, or several as 100:99,100000:1 (%(default)s)",
    )
    load.add_argument("--keys", type=_said(_whole), default=1000, metavar="N", help="keys of each type (%(default)s)")
    load.add_argument(
        "--replay", type=Path, metavar="FILE", help="commands out of a recording by MONITOR, or of a slow log, instead"
    )
    load.add_argument(
        "--concurrency", type=_said(_numbers), default="1,10,100", metavar="N,N", help="callers at a time (%(default)s)"
    )
    how = parser.add_argument_group("how it is run")
    how.add_argument(
        "--io",
        type=_said(_libraries),
        default=",".join(LIBRARIES),
        help="I/O libraries (%(default)s, trio if installed)",
    )
    how.add_argument(
        "--pool-size",
        type=_said(_whole),
        default=64,
        metavar="N",
        help="connections that a pool may have (%(default)s)",
    )
    how.add_argument(
        "--batch", type=_said(_whole), default=10, metavar="N", help="commands in a pipeline (%(default)s)"
    )
    how.add_argument(
        "--duration", type=_said(_positive), default=120.0, metavar="S", help="seconds for all of it (%(default).0f)"
    )
    how.add_argument(
        "--rounds", type=_said(_whole), default=3, metavar="N", help="rounds, if there is time (%(default)s)"
    )
    how.add_argument("--share", type=_said(_positive), default=25.0, metavar="PERCENT",
        help="rate of the latencies, of what the slowest strategy can do (%(default).0f)")  # fmt: skip
    how.add_argument(
        "--rate", type=_said(_positive), default=0.0, metavar="R", help="this rate instead, in operations a second"
    )
    how.add_argument("--yes", action="store_true", help="also on a database that has keys")
    out = parser.add_argument_group("what comes out")
    out.add_argument("--json", action="store_true", help="all figures as JSON, instead of tables and advice")
    out.add_argument("--svg", type=Path, metavar="FILE", help="a chart, too")
    out.add_argument("--png", type=Path, metavar="FILE", help="a chart, too")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, and print what was found."""
    from rich.console import Console as Screen

    errors = Screen(stderr=True, highlight=False)
    charts = {kind: path for kind, path in (("svg", arguments.svg), ("png", arguments.png)) if path}
    try:
        if charts and importlib.util.find_spec("matplotlib") is None:
            raise PlotMissingError("A chart needs matplotlib: python -m pip install 'resp-sansio[plot]'")
        for path in charts.values():
            if path.is_dir() or not path.absolute().parent.is_dir():
                raise ValueError(f"A chart can't be written to {path}: there is no such folder, or it is one")
        with _ended_in_order():
            found = _compare(arguments, errors)
    except (
        KeysLeftError,
        NotEmptyError,
        NotWrittenError,
        PlotMissingError,
        RunFailedError,
        ServerNotFoundError,
        ValueError,
    ) as error:
        errors.print(harmless(str(error)), style="red", markup=False)
        return 1
    if arguments.json:
        console.file.write(json.dumps(found.as_dict(), indent=2) + "\n")
    else:
        show(found, console)
    for kind, path in charts.items():  # last, for it may fail
        draw(found, path, kind)
        (errors if arguments.json else console).print(f"\nChart: {path.absolute()}", markup=False, soft_wrap=True)
    return 0


def _compare(arguments: argparse.Namespace, errors: Console) -> Comparison:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    prefix = new_prefix()
    load: Load = (
        read_recording(arguments.replay, prefix)
        if arguments.replay
        else Drawn(prefix=prefix, mix=arguments.mix, sizes=arguments.size, keys=arguments.keys)
    )
    cases = [
        Case(library, strategy, callers)
        for library in arguments.io
        for callers in arguments.concurrency
        for strategy in (OF_CLUSTERS if arguments.url and Config.from_url(arguments.url).cluster else STRATEGIES)
    ]
    with contextlib.ExitStack() as stack:
        url = arguments.url or stack.enter_context(throw_away_server())
        name = stack.enter_context(prepared(url, load, prefix, not_empty=arguments.yes))
        settings = Settings(
            url=url,
            load=load,
            cases=cases,
            pool_size=arguments.pool_size,
            batch=arguments.batch,
            duration=arguments.duration,
            rounds=arguments.rounds,
            rate=arguments.rate,
            share=arguments.share / 100,
        )
        columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        bar = stack.enter_context(Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal))
        task = bar.add_task("", total=None)
        return compare(
            settings,
            name if arguments.url else f"{name}, throw-away, on this machine",
            lambda text, number, whole: bar.update(task, description=text, completed=number, total=whole),
        )


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Inside the block, other signals end the command as Ctrl-C does, so that keys are removed; `nohup` goes on working."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in ENDINGS}
    for each, handler in before.items():
        if handler == signal.SIG_DFL:
            signal.signal(each, signal.default_int_handler)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


# -- What the words of the command line mean ---------------------------------------------------------------------------------


def _said(read: Callable[[str], T]) -> Callable[[str], T]:
    """Have argparse say what is wrong, in the words of the error."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except (TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _url(text: str) -> str:
    """Read a URL, or `-` for that in the environment, where other users of the machine do not see it."""
    url = text if text != "-" else os.environ.get("REDIS_URL", "")
    if not url:
        raise ValueError("- stands for what REDIS_URL says, and that is nothing")
    Config.from_url(url)
    return url


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(f"{text!r} is no whole number above 0")
    return int(text)


def _positive(text: str) -> float:
    if not 0 < float(text) < 1e9:
        raise ValueError(f"{text!r} is no number above 0")
    return float(text)


def _numbers(text: str) -> Sequence[int]:
    return sorted({_whole(part) for part in text.split(",")})


def _libraries(text: str) -> Sequence[str]:
    """Return the libraries by their names; trio only where it is installed, unless it alone is asked for."""
    names = text.split(",")
    for name in names:
        if name not in LIBRARIES:
            raise ValueError(f"no I/O library {name!r} here; there are {', '.join(LIBRARIES)}")
    there = [name for name in dict.fromkeys(names) if name != "trio" or importlib.util.find_spec("trio")]
    if not there:
        raise ValueError("trio is not installed: python -m pip install 'resp-sansio[trio]'")
    return there
