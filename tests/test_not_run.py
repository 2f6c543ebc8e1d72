"""What a run says of tests that it left out: the promise that nothing is skipped quietly, kept by tests/conftest.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from servers import Server

pytestmark = pytest.mark.exam  # of the tests: one Python is enough

HERE = Path(__file__).parent

TESTS = """
    import pytest

    @pytest.mark.needs("GET")
    def test_offered(server):
        assert server.call("PING") == b"PONG"

    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.needs("GET", "NOSUCHCOMMAND")
    def test_not_offered(server, number):
        raise AssertionError("was run")

    @pytest.mark.needs("NOSUCHCOMMAND", "OTHER")
    def test_not_offered_either(server):
        raise AssertionError("was run")
"""

ADDRESS = """
    def test_by_address(address):
        assert "tls" not in address
"""

PLAIN_BUILD = """\
#!/bin/sh
# A server that takes a TLS port and cannot serve it.
case "$*" in
-) exec sed -n 's/^tls-port.*/Failed finding TLS support./p' ;;
*--tls-port*) exit 1 ;;
*) exec '{server}' "$@" ;;
esac
"""

SKIPPED = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2])
    def test_skipped(number):
        pytest.skip("a reason of its own")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("REDIS_SERVER", str(server.executable))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(HERE), *filter(None, sys.path)])
    )  # as this run finds the library
    pytester.makeconftest((HERE / "conftest.py").read_text(encoding="utf-8"))
    return pytester


@pytest.fixture(params=[[], ["-n", "2"]], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> list[str]:
    found: list[str] = request.param
    return found


def test_unmet_needs_are_counted_by_reason(run: pytest.Pytester, workers: list[str]) -> None:
    run.makepyfile(TESTS)
    result = run.runpytest_subprocess(*workers)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["not run: 2 tests: needs NOSUCHCOMMAND; * has not"])
    result.stdout.fnmatch_lines(["not run: 1 test: needs NOSUCHCOMMAND, OTHER; * has not"])
    assert result.ret == pytest.ExitCode.OK


def test_and_are_a_failure_where_all_is_required(run: pytest.Pytester) -> None:
    run.makepyfile(TESTS)
    assert run.runpytest_subprocess("--require-all").ret == pytest.ExitCode.TESTS_FAILED


def test_or_are_written_down_for_a_caller_who_has_other_servers(run: pytest.Pytester, server: Server) -> None:
    run.makepyfile(TESTS)
    result = run.runpytest_subprocess("--require-all", "--unmet=a folder/of mine")
    assert result.ret == pytest.ExitCode.OK
    version = ".".join(map(str, server.version))
    report = run.path / "a folder" / "of mine" / f"{server.product}-{version}.unmet"
    found = {line.rpartition("::")[2] for line in report.read_text(encoding="utf-8").splitlines()}
    assert found == {"test_not_offered[1]", "test_not_offered[2]", "test_not_offered_either"}


def test_in_ci_all_is_required_and_a_skip_counts(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    run.makepyfile(SKIPPED)
    monkeypatch.setenv("CI", "true")
    result = run.runpytest_subprocess("--unmet=elsewhere", *workers)
    result.stdout.fnmatch_lines(["not run: 2 tests: Skipped: a reason of its own"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_without_a_server_the_run_ends_with_how_to_get_one(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    run.makepyfile(TESTS)
    monkeypatch.setenv("REDIS_SERVER", "no-such-server")
    result = run.runpytest_subprocess(*workers)
    result.stdout.fnmatch_lines(["*no-such-server*", "*apt-get install redis-server*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_build_without_tls_runs_what_needs_none(
    run: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since Redis 7.2 such a build takes the directives, and ends when it comes to use them."""
    run.makepyfile(TESTS + ADDRESS)
    plain = run.makefile("", plain_server=PLAIN_BUILD.format(server=server.executable))
    plain.chmod(0o755)
    monkeypatch.setenv("REDIS_SERVER", f"./{plain.name}")
    result = run.runpytest_subprocess()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["not run: 1 test: needs tls; *plain_server* has not"])
    assert result.ret == pytest.ExitCode.OK
