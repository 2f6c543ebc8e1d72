"""The generator of the command table: several servers' answers become one line for each command."""

from __future__ import annotations

from typing import Any

import pytest

from generate_command_table import Line, by_hand, lines, merged, versions
from resp_sansio.commands.table import TABLE


def line(flags: str, keys: str = "1", **since: str) -> Line:
    return Line(frozenset(flags), keys, {product.strip("_"): version for product, version in since.items()})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([line("w", _="2.0.0")], "w 1 2.0.0"),
        ([line("w", Redis="8.0.0"), line("w", Valkey="9.0.0")], "w 1 Redis 8.0.0, Valkey 9.0.0"),
        ([line("w", Valkey="9.0.0"), line("w", Redis="8.0.0")], "w 1 Redis 8.0.0, Valkey 9.0.0"),
        (
            [line("w", Redis="8.0.0"), line("w", Redis="8.6.0")],
            "w 1 Redis 8.0.0",
        ),  # the first answer, by the oldest server
        ([line("w", _="2.9.50"), line("w", _="3.0.0"), line("w", Redis="8.0.0")], "w 1 2.9.50"),
        ([line("", "-", _="1.2.0"), line("n", "-", _="1.2.0"), line("", "-", _="1.2.0")], "n - 1.2.0"),
        ([line("r", "1", _="6.0.0"), line("r", "1,2", _="6.0.0")], "r 1,2 6.0.0"),
        ([line("r"), line("r", Redis="8.0.0")], "r 1 Redis 8.0.0"),  # a server that does not know the version
    ],
)
def test_what_servers_say_is_put_together(answers: list[Line], expected: str) -> None:
    assert str(merged([{"NO.SUCH": answer} for answer in answers])["NO.SUCH"]) == expected


def test_what_is_kept_by_hand_is_added_to_it() -> None:
    table = merged([{"XACKDEL": line("w", Redis="8.2.0")}])
    assert str(table["XACKDEL"]) == "w 1 Redis 8.2.0, Valkey 9.2.0"
    assert str(table["FT.ALIASADD"]) == "w - a module, Redis 8.0.0"


def test_a_command_without_a_version_is_read_all_the_same() -> None:
    """Redis 8.0 says nothing of vector sets in COMMAND DOCS."""
    docs: list[Any] = [b"vadd", [b"summary", b"x"], b"get", [b"since", b"1.0.0"]]
    entries = [
        [b"vadd", -5, [b"write"], 1, 1, 1, [], [], [], []],
        [b"get", 2, [b"readonly", b"fast"], 1, 1, 1, [], [], [], []],
    ]
    assert versions(docs) == [("GET", "1.0.0")]
    found = dict(lines(entries, "Redis", dict(versions(docs))))
    assert found == {"VADD": line("w", "-"), "GET": line("r", "-", _="1.0.0")}


def test_the_table_holds_all_that_is_kept_by_hand() -> None:
    for name, kept in by_hand().items():
        flags, keys, since = TABLE[name].split(" ", 2)
        assert kept.flags <= set(flags), name
        assert kept.keys == keys, name
        assert all(f"{product} {version}".lstrip() in since for product, version in kept.since.items()), name
