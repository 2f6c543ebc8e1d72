"""The end of `.ci/run` tells which tests failed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import results

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TESTS = """
    import pytest

    @pytest.fixture
    def broken():
        raise OSError("no such thing")

    def test_right():
        pass

    @pytest.mark.parametrize("number", [1])
    def test_wrong(number):
        assert ["memory rose"] == [], "\\n".join(f"line {number}" for number in range(30))

    def test_not_begun(broken):
        pass

    @pytest.mark.skip
    def test_skipped():
        pass
"""


def test_each_failed_test_is_named_with_its_message(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("--junitxml=reports/redis.xml", "-p", "no:cacheprovider")
    text, failed = results.summary(pytester.path / "reports", 3, ["failed with exit code 1: lint"])
    assert failed == 3
    count, first, *said = text.splitlines()
    assert (count, first) == ("redis: 1 passed, 2 failed", f"redis: {path.stem}::test_wrong[1]")
    place = said.index(f"    {path.name}:12: AssertionError")
    assert place == results.LINES
    assert said[:2] == ["    AssertionError: line 0", "      line 1"]
    assert said[place + 1] == f"redis: {path.stem}::test_not_begun"
    assert "no such thing" in said[place + 2]
    assert said[-2:] == ["failed with exit code 1: lint", "4 passed, 3 failed"]


def test_a_test_that_passes_when_it_is_run_again_is_told_and_counts_as_passed(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile("""
        from pathlib import Path

        def test_unsteady():
            here = Path("here")
            there = here.exists()
            here.touch()
            assert there, "not yet"

        def test_wrong():
            assert False, "never"
    """)
    pytester.runpytest_subprocess("--junitxml=reports/rest.xml")
    pytester.runpytest_subprocess("--junitxml=reports/rest-again.xml", "--last-failed")
    text, failed = results.summary(pytester.path / "reports", 0, [])
    assert failed == 1
    told, counts, *said = text.splitlines()
    assert told == f"rest: failed, and passed when it was run again: {path.stem}::test_unsteady"
    assert counts == "rest: 1 passed, 1 failed"
    assert f"rest: {path.stem}::test_wrong" in said
    assert "not yet" in text
    assert said[-1] == "1 passed, 1 failed"


def test_of_many_failures_each_is_named_and_says_a_little(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "OF_ALL", 2)
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("--junitxml=reports/redis.xml", "-p", "no:cacheprovider")
    text, _ = results.summary(pytester.path / "reports", 0, [])
    assert "line 0" in text
    assert "line 1" not in text
    assert "test_not_begun" in text


def test_what_no_server_ran_has_failed(tmp_path: Path) -> None:
    (tmp_path / "all.xml").write_text('<testsuites><testsuite tests="5" skipped="1"/></testsuites>')
    (tmp_path / "redis.unmet").write_text("one\ntwo\n")
    (tmp_path / "valkey.unmet").write_text("two\nthree\n")
    assert results.summary(tmp_path, 1, []) == (
        "all: 4 passed, 0 failed\nrun on none of the servers: two\n5 passed, 1 failed",
        1,
    )


def test_a_run_without_reports_has_failed(tmp_path: Path) -> None:
    assert results.summary(tmp_path, 6, []) == ("6 passed, 1 failed", 1)
