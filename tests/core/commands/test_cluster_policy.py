"""Where commands without keys go in a cluster, and the one reply that is made of several."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import InvalidReplyError, LocalProtocolError, ReplyError
from resp_sansio.commands.cluster_policy import LISTS, POLICIES, Where, combine, names_in, policy_of, refusal
from resp_sansio.commands.command_keys import KEYS
from resp_sansio.commands.knowledge import command_info
from resp_sansio.commands.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resp_sansio.commands.cluster_policy import Policy
    from resp_sansio.wire import Reply

KEYLESS = {name for name, row in TABLE.items() if row.split()[1] == "-" and name not in KEYS}
OK = "OK"

# What COMMAND says on Redis 7.0 (tip request_policy: all_shards, all_nodes).
TOLD_TO_ALL = """
    CONFIG SET|LATENCY DOCTOR|LATENCY GRAPH|LATENCY HISTOGRAM|LATENCY HISTORY|LATENCY LATEST|LATENCY RESET|SCRIPT FLUSH|SCRIPT LOAD
    |SLOWLOG GET|SLOWLOG LEN|SLOWLOG RESET|DBSIZE|FLUSHALL|FLUSHDB|FUNCTION DELETE|FUNCTION FLUSH|FUNCTION KILL|FUNCTION LOAD
    |FUNCTION RESTORE|FUNCTION STATS|INFO|KEYS|MEMORY DOCTOR|MEMORY MALLOC-STATS|MEMORY PURGE|MEMORY STATS|PING|RANDOMKEY
    |SCRIPT EXISTS|SCRIPT KILL|WAIT
"""


def policy(name: str) -> Policy:
    return policy_of(command_info((name,)))


def combined(name: str, *replies: Reply) -> Reply:
    return combine(policy(name), replies, [f"10.0.0.{index}:7000" for index in range(len(replies))])


def test_every_command_without_keys_has_a_place_and_only_one() -> None:
    assert set(POLICIES) == KEYLESS
    assert [
        name for name, count in Counter(name for _, text in LISTS for name in names_in(text)).items() if count > 1
    ] == []
    for name, its in POLICIES.items():
        assert (its.joined is not None) is (its.where in (Where.MASTERS, Where.SERVERS)), name
        assert bool(its.reason) is (its.where is Where.REFUSED), name


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (Where.ANY, "PING|ECHO|TIME|PUBLISH|CLUSTER SLOTS|COMMAND|COMMAND INFO|XINFO HELP|CONFIG HELP|FT.SEARCH"),
        (Where.BESIDE, "MULTI|EXEC|WAIT|WAITAOF"),
        (Where.MASTERS, "DBSIZE|KEYS|RANDOMKEY|FLUSHALL|FLUSHDB|FUNCTION LOAD"),
        (Where.SERVERS, "SCRIPT LOAD|SCRIPT EXISTS|SCRIPT FLUSH|SCRIPT KILL|CONFIG SET"),
        (
            Where.REFUSED,
            "CONFIG GET|INFO|CLIENT LIST|SLOWLOG GET|ACL SETUSER|DEBUG|MONITOR|SWAPDB|SELECT|SCAN|CLIENT|XINFO|ASKING",
        ),
    ],
)
def test_a_command_without_keys_goes(where: Where, names: str) -> None:
    assert {name: policy(name).where for name in names.split("|")} == dict.fromkeys(names.split("|"), where)


@pytest.mark.parametrize(
    "words", [("EVAL", "return 1", 0), ("FCALL", "f", 0), ("MY.OWN",), ("GET",), ("XINFO STREAM",)]
)
def test_what_may_have_keys_and_has_none_goes_to_any_master(words: tuple[str | int, ...]) -> None:
    assert policy_of(command_info(words)).where is Where.ANY


def test_what_servers_say_is_overruled_where_no_reply_would_be_true_of_all() -> None:
    told = {name.strip() for name in TOLD_TO_ALL.split("|")}
    overruled = {name for name in told if policy(name).where not in (Where.MASTERS, Where.SERVERS)}
    reports = {name for name in overruled if name.split()[0] in ("INFO", "LATENCY", "MEMORY", "SLOWLOG")}
    assert overruled - reports == {"FUNCTION STATS", "PING", "WAIT"}
    assert all(policy(name).where is Where.REFUSED for name in reports)


@pytest.mark.parametrize(
    ("name", "replies", "one"),
    [
        ("DBSIZE", [1, 2, 3], 6),
        ("DBSIZE", [0], 0),
        ("KEYS", [[b"a", b"b"], [], [b"b", b"c"]], [b"a", b"b", b"c"]),
        ("RANDOMKEY", [None, b"k", None], b"k"),
        ("RANDOMKEY", [None, None], None),
        ("FLUSHALL", [OK, OK], OK),
        ("FUNCTION LOAD", [b"library", b"library"], b"library"),
        ("SCRIPT EXISTS", [[1, 1, 0], [1, 0, 0], [1, 1, 1]], [1, 0, 0]),
        ("SCRIPT EXISTS", [[], []], []),
        ("SCRIPT KILL", [OK, OK], OK),
        # None of its kind: its reader tells of it.
        ("DBSIZE", [1, b"x"], b"x"),
        ("KEYS", [[b"a"], b"x"], b"x"),
        ("KEYS", [[b"a"], [1]], [1]),
        ("SCRIPT EXISTS", [[1], OK], OK),
        ("SCRIPT EXISTS", [[1], [b"x"]], [b"x"]),
        ("SCRIPT EXISTS", [[1], [1, 1]], [1, 1]),
        ("SCRIPT EXISTS", [[1], []], []),
    ],
)
def test_several_replies_become_one(name: str, replies: Sequence[Reply], one: Reply) -> None:
    assert combined(name, *replies) == one


@given(
    name=st.sampled_from([name for name, its in POLICIES.items() if its.joined is not None]),
    replies=st.lists(
        st.sampled_from([OK, 1, None, [b"k"], [1], ReplyError("ERR no"), InvalidReplyError(b"(x")]), min_size=1
    ),
)
def test_an_error_of_any_server_is_the_reply_and_says_whose_it_is(name: str, replies: list[Reply]) -> None:
    first = next((index for index, reply in enumerate(replies) if isinstance(reply, Exception)), None)
    one = combined(name, *replies)
    if first is None:
        assert not isinstance(one, Exception)
    else:
        assert one == replies[first]
        assert one is not replies[first]
        assert isinstance(one, Exception)
        done = sum(not isinstance(reply, Exception) for reply in replies)
        assert one.__notes__ == [f"10.0.0.{first}:7000 said so; of {len(replies)} servers {done} did it"]


NOT_BUSY, UNKILLABLE = (
    ReplyError("NOTBUSY No scripts in execution right now."),
    ReplyError("UNKILLABLE It has written."),
)


@pytest.mark.parametrize(
    ("replies", "one"),
    [
        ([NOT_BUSY, OK, NOT_BUSY], OK),
        ([NOT_BUSY, NOT_BUSY], NOT_BUSY),
        ([NOT_BUSY, UNKILLABLE], UNKILLABLE),
        ([OK, NOT_BUSY, UNKILLABLE], UNKILLABLE),
    ],
)
@pytest.mark.parametrize("name", ["SCRIPT KILL", "FUNCTION KILL"])
def test_a_script_is_killed_where_one_runs(name: str, replies: list[Reply], one: Reply) -> None:
    assert combined(name, *replies) == one


def test_only_for_a_kill_it_is_no_matter_that_nothing_runs() -> None:
    assert combined("FLUSHALL", OK, NOT_BUSY) == NOT_BUSY


def test_what_is_refused_says_why_and_what_to_do() -> None:
    error = refusal(command_info(("CONFIG GET", "*")))
    assert type(error) is LocalProtocolError
    assert str(error) == (
        "CONFIG GET was not sent to a cluster: it speaks of one server, and there are several; `client.nodes()` has each of"
        " them, with all commands"
    )
    assert "in a pipeline" in str(refusal(command_info(("WAIT", 1, 0))))
