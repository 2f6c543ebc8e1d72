"""Editors that complete by jedi, IPython among them, find the methods of whatever executes: in a file, and on a live object.

jedi evaluates annotations, and gives up without a word on those that it cannot: then nothing at all is completed.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jedi
import pytest

import resp_asyncio
import resp_sync
import resp_trio
from adapters.backends import contract_of_tasks
from resp_sansio import Config, commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.backends import Backend
    from servers import Server

TYPED = {*dir(commands)} - {"text"}
OF_SETS = {name for name in TYPED if name.startswith("z")}
CALLS = TYPED | {"execute", "pipeline", "transaction", "transact", "close", "protocol"}
BATCH = TYPED | {"execute", "run"}
ADAPTERS = pytest.mark.parametrize("adapter", ["resp_sync", "resp_asyncio", "resp_trio"])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What jedi remembers stays out of the home directory."""
    monkeypatch.setattr(jedi.settings, "cache_directory", tmp_path)


def script(code: str, folder: Path) -> Any:
    """A file, as jedi reads it."""
    project = jedi.Project(folder, sys_path=[path for path in sys.path if path])
    return jedi.Script(code, project=project, environment=jedi.InterpreterEnvironment())


def in_a_file(code: str, folder: Path) -> set[str]:
    """Return what jedi completes at the end of a file."""
    return {found.name for found in script(code, folder).complete()}


def live(code: str, **names: Any) -> set[str]:
    """Return what jedi completes at the end of a line of code, as IPython asks it to."""
    return {found.name for found in jedi.Interpreter(code, [names]).complete()}


@ADAPTERS
@pytest.mark.parametrize("strategy", ["Client", "Pool"])
def test_a_client_and_a_pool_are_completed_in_a_file(adapter: str, strategy: str, tmp_path: Path) -> None:
    opened = f"from {adapter} import {strategy}\nredis = {strategy}('redis://localhost')\n"
    assert in_a_file(f"{opened}redis.", tmp_path) >= CALLS
    assert in_a_file(f"{opened}redis.z", tmp_path) == OF_SETS | {"zscan_iter"}
    assert in_a_file(f"{opened}redis.pipeline().", tmp_path) >= BATCH


@ADAPTERS
def test_a_connection_is_completed_in_a_file(adapter: str, tmp_path: Path) -> None:
    imported = f"from {adapter} import Connection, WatchedTransaction\n"
    assert in_a_file(f"{imported}def work(redis: Connection):\n    redis.", tmp_path) >= CALLS | {"next_push"}
    assert in_a_file(f"{imported}def work(it: WatchedTransaction):\n    it.", tmp_path) >= BATCH | {"read"}


@ADAPTERS
@pytest.mark.parametrize("call", ["execute('GET', 'k')", "get('k')", "hgetall('h')", "eval('return 1', 0)"])
def test_completing_behind_a_call_does_not_fail(adapter: str, call: str, tmp_path: Path) -> None:
    assert in_a_file(f"from {adapter} import Client\nClient('redis://localhost').{call}.", tmp_path)


@ADAPTERS
def test_behind_a_method_its_result_is_completed(adapter: str, tmp_path: Path) -> None:
    called = f"from {adapter} import Client\nasync def work(redis: Client):\n    "
    get, getall = ["redis.{}('k')", "(await redis.{}('k'))"][adapter != "resp_sync"], "hgetall"
    assert in_a_file(f"{called}{get.format('get')}.", tmp_path) >= {"decode", "startswith"}
    assert in_a_file(f"{called}{get.format(getall)}.", tmp_path) >= {"items", "values"}
    assert in_a_file(f"{called}redis.pipeline().get('k').", tmp_path) >= {"result"}
    assert in_a_file(f"{called}redis.pipeline().get('k').result().", tmp_path) >= {"decode", "startswith"}


@ADAPTERS
def test_the_parameters_of_a_method_are_shown(adapter: str, tmp_path: Path) -> None:
    opened = f"from {adapter} import Client\nredis = Client('redis://localhost')\n"
    for call, result in (("redis.expire(", "bool"), ("redis.pipeline().expire(", "Result[bool]")):
        (shown,) = script(f"{opened}{call}", tmp_path).get_signatures()
        assert shown.to_string() == (
            "expire(key: Argument, seconds: int, *, nx: bool=False, xx: bool=False, gt: bool=False, lt: bool=False)"
            f" -> {result}"
        )


def test_a_blocking_connection_is_completed_in_a_file(tmp_path: Path) -> None:
    opened = "from resp_sync import connect\nwith connect('redis://localhost') as redis:\n    redis."
    assert in_a_file(opened, tmp_path) >= CALLS


@pytest.fixture
def unused(server: Server) -> Iterator[dict[str, Any]]:
    """A live object of each kind that needs no task: none of them has dialled."""
    with ExitStack() as stack:
        sync = [stack.enter_context(kind(server.url)) for kind in (resp_sync.Client, resp_sync.Pool, resp_sync.connect)]
        tasks = [kind(server.url) for kind in (resp_asyncio.Client, resp_asyncio.Pool)]
        runs = [kind(server.url) for kind in (resp_trio.Client, resp_trio.Pool)]
        yield {f"redis_{number}": each for number, each in enumerate([*sync, *tasks, *runs])}


def test_live_objects_are_completed(unused: dict[str, Any]) -> None:
    for name, redis in unused.items():
        assert live(f"{name}.", **unused) >= CALLS, type(redis)
        assert live(f"{name}.z", **unused) - {"zscan_iter"} == OF_SETS
        assert live(f"{name}.pipeline().", **unused) >= BATCH
        assert live(f"{name}.execute('GET', 'k').", **unused)
        assert live(f"{name}.get('k').", **unused)
        assert live(f"{name}.zadd(", **unused)


@contract_of_tasks
async def test_live_connections_of_tasks_are_completed(backend: Backend, server: Server) -> None:
    async with backend.connect(server.url) as connection:
        assert live("connection.", connection=connection) >= CALLS | {"next_push"}
        assert live("pipe.", pipe=connection.pipeline()) >= BATCH


def test_commands_and_configurations_are_completed(tmp_path: Path) -> None:
    assert in_a_file("from resp_sansio import commands\ncommands.", tmp_path) >= TYPED
    assert live("commands.", commands=commands) >= TYPED
    assert live("config.", config=Config()) >= {"host", "port", "protocol", "timeout", "replace", "url"}
    assert live("commands.get('k').", commands=commands) >= {"args", "info", "read"}
