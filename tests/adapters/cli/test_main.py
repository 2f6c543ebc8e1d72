"""The command as a process of its own, and what it needs to be installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import resp_sansio
from adapters.peers import Peer, Wire
from resp_cli import main


def command(*words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path[:0] = {sys.path!r}; {before}; from resp_cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"resp-sansio {resp_sansio.__version__}\n"


def test_words_that_make_no_sense_are_an_error_that_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["conpare"])
    assert raised.value.code == 2
    assert "conpare" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["redis://:geh eim@localhost"],
        ["ping", "redis://a", "redis://:geheim@localhost"],
        ["ping", "--every", "redis://:geheim@localhost"],
        ["compare", "--duration", "redis://localhost?password=geheim"],
        ["compare", "--duration", "-", "unix:///a", "rediss://user:geheim@localhost"],
    ],
)
def test_words_in_the_wrong_place_are_not_repeated_if_they_hold_a_password(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2
    said = capsys.readouterr()
    assert not {"geheim", "geh", "eim", "user"} & set(re.findall(r"\w+", said.out + said.err))


@pytest.mark.parametrize("refused", [b"SELECT", b"UNLINK"])
def test_what_a_server_says_steers_no_terminal(refused: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    known = {
        b"HELLO": b"%1\r\n+proto\r\n:3\r\n",
        b"DBSIZE": b":0\r\n",
        b"INFO": b"$0\r\n\r\n",
        b"SCAN": b"*2\r\n$1\r\n0\r\n*0\r\n",
        refused: b"-NOPERM \x1b]0;evil\x07 [red]no\r\n",
    }

    def script(wire: Wire) -> None:
        for words in wire.commands():
            wire.send(known.get(words[0], b"+OK\r\n"))

    with Peer(script) as peer:
        assert main(["compare", f"{peer.url}/3"]) == 1
    said = capsys.readouterr().err
    assert "NOPERM ?]0;evil? [red]no" in " ".join(said.split())
    assert not {"\x1b", "\x07"} & {*said}


def test_the_user_may_end_it_while_it_is_still_starting() -> None:
    ends = """
class Ends:
    def find_spec(self, name, *_):
        if name == 'rich.console':
            raise KeyboardInterrupt
sys.meta_path.insert(0, Ends())"""
    done = command("--version", before=ends)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_wants_no_more_is_no_error() -> None:
    writes = """
from resp_cli import _main, _ping
_ping.run = lambda arguments, console: console.file.write('x' * 100_000) and 0"""
    program = f"import sys; sys.path[:0] = {sys.path!r}; {writes}; sys.exit(_main.main(['ping']))"
    near, far = os.pipe()
    os.close(near)
    done = subprocess.run([sys.executable, "-c", program], stdout=far, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(far)
    assert (done.returncode, done.stderr) == (1, b"")


def test_without_rich_it_says_what_to_install() -> None:
    done = command("--version", before="sys.modules['rich'] = sys.modules['rich.console'] = None")
    assert done.returncode == 1
    assert "resp-sansio[cli]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_package_can_be_imported_without_any_extra() -> None:
    nothing = "sys.modules.update(dict.fromkeys(['rich', 'trio', 'matplotlib']))"
    assert command(before=f"{nothing}; import resp_cli; sys.exit(7)").returncode == 7


def test_it_is_a_module_that_runs() -> None:
    run = f"import runpy, sys; sys.path[:0] = {sys.path!r}; sys.argv[1:] = ['--version']"
    done = subprocess.run(
        [sys.executable, "-c", f"{run}; runpy.run_module('resp_cli', run_name='__main__')"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"resp-sansio {resp_sansio.__version__}\n")
