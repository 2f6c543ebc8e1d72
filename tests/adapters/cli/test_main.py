"""The command as a process of its own, and what it needs to be installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import resp_sansio
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
