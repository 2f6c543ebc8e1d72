"""What a run says of tests that it left out: the promise that nothing is skipped quietly, kept by tests/conftest.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from servers import Server

HERE = Path(__file__).parent

TESTS = """
    import pytest

    @pytest.mark.needs("GET")
    def test_offered(server):
        assert server.call("PING") == b"PONG"

    @pytest.mark.needs("GET", "NOSUCHCOMMAND")
    def test_not_offered(server):
        raise AssertionError("was run")
"""

SKIPPED = """
    import pytest

    def test_skipped():
        pytest.skip("a reason of its own")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("REDIS_SERVER", str(server.executable))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    pytester.makeconftest((HERE / "conftest.py").read_text(encoding="utf-8"))
    return pytester


def test_unmet_needs_are_listed_with_the_reason(run: pytest.Pytester) -> None:
    run.makepyfile(TESTS)
    result = run.runpytest_subprocess()
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["not run: *::test_not_offered: needs NOSUCHCOMMAND; * has not"])
    assert result.ret == pytest.ExitCode.OK


def test_and_are_a_failure_where_all_is_required(run: pytest.Pytester) -> None:
    run.makepyfile(TESTS)
    assert run.runpytest_subprocess("--require-all").ret == pytest.ExitCode.TESTS_FAILED


def test_in_ci_all_is_required_and_a_skip_counts(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    run.makepyfile(SKIPPED)
    monkeypatch.setenv("CI", "true")
    result = run.runpytest_subprocess()
    result.stdout.fnmatch_lines(["not run: *::test_skipped: *a reason of its own*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_without_a_server_the_run_ends_with_how_to_get_one(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.makepyfile(TESTS)
    monkeypatch.setenv("REDIS_SERVER", "no-such-server")
    result = run.runpytest_subprocess()
    result.stderr.fnmatch_lines(["*no-such-server*", "*apt-get install redis-server*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
