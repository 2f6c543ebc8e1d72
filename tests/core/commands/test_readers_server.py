"""What a server says of itself: the same record on both protocols, new fields kept, and an error for what is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.test_readers import exact, in_text
from resp_sansio import (
    CommandDetails,
    KeyWithFlags,
    LatencyEvent,
    LatencyHistogram,
    LatencySample,
    LoggedCommand,
    MasterRole,
    ReplicaOffset,
    ReplicaRole,
    SentinelRole,
    UnexpectedReplyError,
)
from resp_sansio.commands import (
    readers,
    readers_acl,
    readers_connection,
    readers_diagnostics,
    readers_functions,
    readers_introspection,
    readers_own,
    readers_pubsub,
    readers_server,
)
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.wire import Parser, encode_reply
from resp_sansio.wire.values import ArrayKey, MapKey, Pairs, SetKey, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

# A reader, its reply as RESP2 and as RESP3 says it, and what it is to its caller.
Case = tuple["Callable[..., object]", Any, Any, Any]

SELECTOR: Final = {b"commands": b"+set", b"keys": b"~s", b"channels": b""}
USER: Final = {b"passwords": [b"#1"], b"commands": b"+get", b"keys": b"~k", b"channels": b"&c", b"new": [1, b"x"]}
OWN_USER: Final = {"passwords": ["#1"], "commands": "+get", "keys": "~k", "channels": "&c", "new": [1, b"x"]}
LOGGED: Final = {
    b"count": 2, b"reason": b"auth", b"context": b"toplevel", b"object": b"AUTH", b"username": b"a",
    b"client-info": b"id=1", b"entry-id": 0,
}  # fmt: skip
OWN_LOGGED: Final = {
    "count": 2, "reason": "auth", "context": "toplevel", "object": "AUTH", "username": "a",
    "client_info": "id=1", "entry_id": 0,
}  # fmt: skip
GO_ON: Final[Any] = {b"find_keys": {b"type": b"range", b"spec": {b"lastkey": -1}}}
OWN_GO_ON: Final[Any] = {"find_keys": {"type": "range", "spec": {"lastkey": -1}}}
FIRST: Final[Any] = {b"begin_search": {b"type": b"index", b"spec": {b"index": 1}}, **GO_ON}
OWN_FIRST: Final[Any] = {"flags": {"RW"}, "begin_search": {"type": "index", "spec": {"index": 1}}, **OWN_GO_ON}
SECOND: Final[Any] = {b"begin_search": {b"type": b"keyword", b"spec": {b"keyword": b"K", b"startfrom": 2}}, **GO_ON}
OWN_SECOND: Final[Any] = {
    "flags": {"RO"},
    "begin_search": {"type": "keyword", "spec": {"keyword": "K", "startfrom": 2}},
    **OWN_GO_ON,
}
OLD_LINE: Final = (
    b"id=8 addr=/a b.sock:0 fd=9 name= age=1 idle=0 flags=N db=0 sub=0 psub=0 multi=-1 qbuf=26 qbuf-free=20448"
    b" obl=0 oll=0 omem=0 events=r cmd=client user=default\n"
)
OLD_CLIENT: Final = {
    "id": 8, "addr": "/a b.sock:0", "fd": 9, "name": "", "age": 1, "idle": 0, "flags": "N", "db": 0, "sub": 0, "psub": 0,
    "multi": -1, "qbuf": 26, "qbuf_free": 20448, "obl": 0, "oll": 0, "omem": 0, "events": "r", "cmd": "client",
    "user": "default",
}  # fmt: skip
LINE: Final = OLD_LINE.replace(b"\n", b" redir=-1 new-one=x y=z\n")
CLIENT: Final = OLD_CLIENT | {"redir": -1, "new_one": "x", "y": "z"}
BYTES: Final = (
    "total.allocated startup.allocated replication.backlog clients.slaves clients.normal aof.buffer lua.caches"
    " overhead.total keys.count keys.bytes-per-key dataset.bytes allocator.allocated allocator.active"
    " allocator.resident allocator-fragmentation.bytes allocator-rss.bytes rss-overhead.bytes fragmentation.bytes"
)
RATIOS: Final = "peak.percentage allocator-fragmentation.ratio allocator-rss.ratio rss-overhead.ratio fragmentation"
MEMORY: Final = {name.encode(): 1 for name in BYTES.split()} | {name.encode(): b"0.5" for name in RATIOS.split()}
OWN_MEMORY: Final = {re.sub("[.-]", "_", name): 1 for name in BYTES.split()} | {
    re.sub("[.-]", "_", name): 0.5 for name in RATIOS.split()
}
TABLES: Final = {b"overhead.hashtable.main": 7, b"overhead.hashtable.expires": 2}
OWN_TABLES: Final = {"overhead_hashtable_main": 7, "overhead_hashtable_expires": 2}
HOT: Final = {
    b"tracking-active": 1, b"sample-ratio": 1, b"selected-slots": [[0, 9], [12]], b"all-commands-all-slots-us": 3,
    b"net-bytes-all-commands-all-slots": 4, b"collection-start-time-unix-ms": 9, b"collection-duration-ms": 2,
}  # fmt: skip
OWN_HOT: Final = {
    "tracking_active": True, "sample_ratio": 1, "selected_slots": [(0, 9), (12, 12)], "all_commands_all_slots_us": 3,
    "net_bytes_all_commands_all_slots": 4, "collection_start_time_unix_ms": 9, "collection_duration_ms": 2,
}  # fmt: skip


def turns(found: dict[Any, Any]) -> list[Any]:
    """RESP2's way with a map."""
    return [part for pair in found.items() for part in pair]


CASES: list[Case] = [
    (readers_own.own_text, b"a \xff", Verbatim(b"a \xff"), "a \udcff"),
    (readers_own.maybe_own_text, b"a", b"a", "a"),
    (readers_own.maybe_own_text, b"\xff", b"\xff", "\udcff"),
    (readers_own.maybe_own_text, None, None, None),
    (readers_own.own_texts, [b"a", "b"], [b"a", "b"], ["a", "b"]),
    (readers_own.own_texts, [], [], []),
    (readers_acl.refusal, "OK", "OK", None),
    (readers_acl.refusal, b"no", b"no", "no"),
    (readers_acl.acl_user, None, None, None),
    (
        readers_acl.acl_user,
        turns({b"flags": [b"on", b"nopass"], **USER, b"selectors": [turns(SELECTOR)]}),
        {b"flags": {b"on", b"nopass"}, **USER, b"selectors": [SELECTOR]},
        {"flags": {"on", "nopass"}, **OWN_USER, "selectors": [{"commands": "+set", "keys": "~s", "channels": ""}]},
    ),
    (readers_acl.acl_log_entries, [], [], []),
    (
        readers_acl.acl_log_entries,
        [turns({**LOGGED, b"age-seconds": b"0.5"})],
        [{**LOGGED, b"age-seconds": 0.5}],
        [{**OWN_LOGGED, "age_seconds": 0.5}],
    ),
    (readers_connection.pong, "PONG", "PONG", "PONG"),
    (readers_connection.pong, [b"pong", b""], "PONG", "PONG"),  # on a connection with subscriptions
    (readers_connection.client_infos, b"", Verbatim(b""), []),
    (readers_connection.client_infos, LINE + OLD_LINE, Verbatim(LINE + OLD_LINE), [CLIENT, OLD_CLIENT]),
    (readers_connection.one_client_info, LINE, Verbatim(LINE), CLIENT),
    (
        readers_connection.tracking_info,
        [b"flags", [b"on"], b"redirect", 0, b"prefixes", [b"a:"]],
        {b"flags": {b"on"}, b"redirect": 0, b"prefixes": [b"a:"]},
        {"flags": {"on"}, "redirect": 0, "prefixes": ["a:"]},
    ),
    (
        readers_server.module_infos,
        [[b"name", b"m", b"ver", 1, b"path", b"", b"args", [b"a"]]],
        [{b"name": b"m", b"ver": 1, b"path": b"", b"args": [b"a"]}],
        [{"name": "m", "ver": 1, "path": "", "args": ["a"]}],
    ),
    (readers_server.role_of_server, [b"master", 5, []], [b"master", 5, []], MasterRole("master", 5, [])),
    (
        readers_server.role_of_server,
        [b"master", 5, [[b"::1", b"6380", b"4"]]],
        [b"master", 5, [[b"::1", b"6380", b"4"]]],
        MasterRole("master", 5, [ReplicaOffset("::1", 6380, 4)]),
    ),
    (
        readers_server.role_of_server,
        [b"slave", b"h", 1, b"connect", -1],
        [b"slave", b"h", 1, b"connect", -1],
        ReplicaRole("slave", "h", 1, "connect", -1),
    ),
    (
        readers_server.role_of_server,
        [b"sentinel", [b"m"]],
        [b"sentinel", [b"m"]],
        SentinelRole("sentinel", ["m"]),
    ),
    (readers.two_wholes, [1, 0], [1, 0], (1, 0)),
    (readers_diagnostics.latency_samples, [[9, 5]], [[9, 5]], [LatencySample(9, 5)]),
    (readers_diagnostics.latency_events, [[b"fork", 9, 5, 6]], [[b"fork", 9, 5, 6]], [LatencyEvent("fork", 9, 5, 6)]),
    (
        readers_diagnostics.latency_events,
        [[b"fork", 9, 5, 6, 11, 2, 77]],
        [[b"fork", 9, 5, 6, 11, 2, 77]],
        [LatencyEvent("fork", 9, 5, 6, 11, 2)],
    ),
    (
        readers_diagnostics.latency_histograms,
        [b"get", [b"calls", 3, b"histogram_usec", [1, 2, 2, 3]]],
        {b"get": {b"calls": 3, b"histogram_usec": {1: 2, 2: 3}}},
        {"get": LatencyHistogram(3, {1: 2, 2: 3})},
    ),
    (
        readers_diagnostics.memory_report,
        turns({**MEMORY, b"peak.allocated": 5, b"db.3": turns(TABLES), b"dataset.percentage": b"0.5", b"db.new": 1}),
        {**MEMORY, b"peak.allocated": 5, b"db.3": TABLES, b"dataset.percentage": 0.5, b"db.new": 1},
        {**OWN_MEMORY, "peak_allocated": 5, "dataset_percentage": 0.5, "db_new": 1, "db": {3: OWN_TABLES}},
    ),
    (readers_diagnostics.hot_keys, None, None, None),
    (
        readers_diagnostics.hot_keys,
        [turns({**HOT, b"total-net-bytes": 5})],
        [{**HOT, b"total-net-bytes": 5}],
        {**OWN_HOT, "total_net_bytes": 5},
    ),
    (readers_introspection.command_details, [None], [None], [None]),
    (
        readers_introspection.command_details,
        [[b"old", 2, ["readonly"], 1, 1, 1]],
        [[b"old", 2, {"readonly"}, 1, 1, 1]],
        [CommandDetails("old", 2, {"readonly"}, 1, 1, 1, set(), set(), [], [])],
    ),
    (
        readers_introspection.command_details,
        [
            [
                b"c",
                -2,
                ["a", "b"],
                0,
                0,
                0,
                ["@slow"],
                [b"tip"],
                [],
                [
                    [
                        b"c|b",
                        2,
                        [],
                        0,
                        0,
                        0,
                        [],
                        [],
                        [turns({b"flags": ["RO"], **SECOND}), turns({b"flags": ["RW"], **FIRST})],
                        [],
                    ],
                    [b"c|a", 2, [], 0, 0, 0, [], [], [], []],
                ],
            ],
        ],
        [
            [
                b"c",
                -2,
                {"a", "b"},
                0,
                0,
                0,
                {"@slow"},
                {b"tip"},
                set(),
                [
                    [
                        b"c|b",
                        2,
                        set(),
                        0,
                        0,
                        0,
                        set(),
                        set(),
                        [{b"flags": {"RW"}, **FIRST}, {b"flags": {"RO"}, **SECOND}],
                        [],
                    ],
                    [b"c|a", 2, set(), 0, 0, 0, set(), set(), set(), []],
                ],
            ],
        ],
        [
            CommandDetails(
                "c",
                -2,
                {"a", "b"},
                0,
                0,
                0,
                {"@slow"},
                {"tip"},
                [],
                [
                    CommandDetails("c|a", 2, set(), 0, 0, 0, set(), set(), [], []),
                    CommandDetails(
                        "c|b",
                        2,
                        set(),
                        0,
                        0,
                        0,
                        set(),
                        set(),
                        [OWN_FIRST, OWN_SECOND],
                        [],
                    ),
                ],
            ),
        ],
    ),
    (readers_introspection.commands_docs, [], {}, {}),
    (
        readers_introspection.commands_docs,
        [
            b"c",
            [
                b"group",
                b"g",
                b"since",
                b"1.0.0",
                b"history",
                [[b"7.10.0", b"more"], [b"7.2.0", b"less"]],
                b"arguments",
                [
                    [
                        b"name",
                        b"k",
                        b"type",
                        b"key",
                        b"key_spec_index",
                        0,
                        b"arguments",
                        [[b"name", b"x", b"type", b"string", b"flags", ["optional"]]],
                    ],
                ],
                b"subcommands",
                [b"c|a", [b"group", b"g", b"summary", b"s"]],
            ],
        ],
        {
            b"c": {
                b"group": b"g",
                b"since": b"1.0.0",
                b"history": [[b"7.2.0", b"less"], [b"7.10.0", b"more"]],
                b"arguments": [
                    {
                        b"name": b"k",
                        b"type": b"key",
                        b"key_spec_index": 0,
                        b"arguments": [{b"name": b"x", b"type": b"string", b"flags": {"optional"}}],
                    },
                ],
                b"subcommands": {b"c|a": {b"group": b"g", b"summary": b"s"}},
            }
        },
        {
            "c": {
                "group": "g",
                "since": "1.0.0",
                "history": [("7.2.0", "less"), ("7.10.0", "more")],
                "arguments": [
                    {
                        "name": "k",
                        "type": "key",
                        "key_spec_index": 0,
                        "arguments": [{"name": "x", "type": "string", "flags": {"optional"}}],
                    },
                ],
                "subcommands": {"c|a": {"group": "g", "summary": "s"}},
            }
        },
    ),
    (readers_functions.libraries, [], [], []),
    (
        readers_functions.libraries,
        [
            [
                b"library_name",
                b"l",
                b"engine",
                b"LUA",
                b"functions",
                [
                    [b"name", b"g", b"description", None, b"flags", []],
                    [b"name", b"f", b"description", b"d", b"flags", ["no-writes"]],
                ],
            ]
        ],
        [
            {
                b"library_name": b"l",
                b"engine": b"LUA",
                b"functions": [
                    {b"name": b"f", b"description": b"d", b"flags": {"no-writes"}},
                    {b"name": b"g", b"description": None, b"flags": set()},
                ],
            }
        ],
        [
            {
                "library_name": "l",
                "engine": "LUA",
                "functions": [
                    {"name": "f", "description": "d", "flags": {"no-writes"}},
                    {"name": "g", "description": None, "flags": set()},
                ],
            }
        ],
    ),
    (
        readers_functions.function_statistics,
        [b"running_script", None, b"engines", [b"LUA", [b"libraries_count", 1, b"functions_count", 2]]],
        {b"running_script": None, b"engines": {b"LUA": {b"libraries_count": 1, b"functions_count": 2}}},
        {"running_script": None, "engines": {"LUA": {"libraries_count": 1, "functions_count": 2}}},
    ),
    (
        readers_functions.function_statistics,
        [b"running_script", [b"name", b"f", b"command", [b"FCALL", b"f", b"0"], b"duration_ms", 7], b"engines", []],
        {b"running_script": {b"name": b"f", b"command": [b"FCALL", b"f", b"0"], b"duration_ms": 7}, b"engines": {}},
        {"running_script": {"name": "f", "command": ["FCALL", "f", "0"], "duration_ms": 7}, "engines": {}},
    ),
]

# The same for data: what it is to a caller of bytes.
DATA: list[Case] = [
    (readers_pubsub.counts, [b"a", 1, b"b", 0], {b"a": 1, b"b": 0}, {b"a": 1, b"b": 0}),
    (readers_functions.binary, b"d", b"d", b"d"),
    (readers_diagnostics.logged_commands, [], [], []),
    (
        readers_diagnostics.logged_commands,
        [[1, 9, 5, [b"GET", b"k"], b"::1:5", b"me"]],
        [[1, 9, 5, [b"GET", b"k"], b"::1:5", b"me"]],
        [LoggedCommand(1, 9, 5, [b"GET", b"k"], "::1:5", "me")],
    ),
    (
        readers_diagnostics.hot_keys,
        [turns({**HOT, b"by-cpu-time-us": [b"k", 5, b"l", 4], b"by-net-bytes": []})],
        [{**HOT, b"by-cpu-time-us": [b"k", 5, b"l", 4], b"by-net-bytes": []}],
        {**OWN_HOT, "by_cpu_time_us": [(b"k", 5), (b"l", 4)], "by_net_bytes": []},
    ),
    (
        readers_introspection.keys_with_flags,
        [[b"k", ["RW", "access"]]],
        [[b"k", {"RW", "access"}]],
        [KeyWithFlags(b"k", {"RW", "access"})],
    ),
]

# Each reader with the replies that stand here, as RESP3 says them.
READERS: Final = {case[0]: [each[2] for each in [*CASES, *DATA] if each[0] is case[0]] for case in [*CASES, *DATA]}

STRANGE: Final[list[Any]] = [
    "QUEUED",
    7,
    1.5,
    True,
    b"line\n",
    b"id=x\n",
    b"id=" + b"9" * 30 + b"\n",
    b"id=1\nid=2\n",
    [b"odd"],
    [1],
    [[b"odd"]],
    [[1, 2]],
    {1: 2},
    [{1: 2}],
    {b"flags": 5},
    {b"flags": [5]},
    {b"passwords": b"x"},
    {b"redirect": b"x"},
    {b"redirect": 1.5},
    [{b"ver": b"1x"}],
    [{b"age-seconds": b"x"}],
    [b"master"],
    [b"master", 1, [[b"h"]]],
    [b"master", b"x", []],
    [b"slave", 1, 2, 3, 4],
    [b"sentinel", 5],
    [b"other", 1],
    [1, b"2"],
    [1, 2, 3],
    Pairs([(b"flags", 5), (b"flags", 6)]),
    {MapKey(((b"a", 1),))},
]

TEXTS: Final[list[Any]] = [b"line\n", b"id=x\n", b"id=" + b"9" * 30 + b"\n", b"id=1\nid=2\n"]
# And which of it some may well be given.
FINE: Final[dict[str, list[Any]]] = {
    "binary": TEXTS,
    "latency_samples": [[[1, 2]]],
    "own_text": TEXTS,
    "maybe_own_text": TEXTS,
    "refusal": TEXTS,
    "own_texts": [[b"odd"], [b"master"]],
    "counts": [{b"flags": 5}, [b"sentinel", 5], [b"other", 1]],
}


@pytest.mark.parametrize(("read", "resp2", "resp3", "result"), [*CASES, *DATA])
def test_both_protocols_give_the_same_value_of_the_same_type(
    read: Callable[..., object], resp2: Any, resp3: Any, result: object
) -> None:
    (said2,), (said3,) = Parser().feed(encode_reply(resp2, 2)), Parser().feed(encode_reply(resp3, 3))
    assert exact(read(said2, RAW)) == exact(result)
    assert exact(read(said3, RAW)) == exact(result)


@pytest.mark.parametrize(("read", "_resp2", "resp3", "result"), CASES)
def test_what_the_server_says_in_its_own_words_is_text_for_all(
    read: Callable[..., object], _resp2: Any, resp3: Any, result: object
) -> None:
    assert exact(read(resp3, decoded("utf-16"))) == exact(result)


@pytest.mark.parametrize(("read", "_resp2", "resp3", "result"), DATA)
def test_data_is_text_where_text_is_asked_for(
    read: Callable[..., object], _resp2: Any, resp3: Any, result: object
) -> None:
    expected = result if read is readers_functions.binary else in_text(result)
    assert exact(read(resp3, decoded("utf-8"))) == exact(expected)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_anything_else_is_an_error_and_no_wrong_value(read: Callable[..., object]) -> None:
    for reply in STRANGE:
        if any(exact(reply) == exact(fine) for fine in FINE.get(read.__name__, [])):
            read(reply, RAW)
        else:
            with pytest.raises(UnexpectedReplyError, match="expected, and .* came"):
                read(reply, RAW)


@pytest.mark.parametrize(
    ("read", "reply"),
    [
        (readers_diagnostics.latency_events, [[b"fork", 1, 2]]),
        (readers_diagnostics.latency_histograms, {b"get": {b"calls": 1, b"other": 2}}),
        (readers_diagnostics.hot_keys, [{**HOT, b"selected-slots": [[1, 2, 3]]}]),
        (readers_diagnostics.hot_keys, [{**HOT, b"by-net-bytes": [b"k", b"1"]}]),
        (readers_connection.one_client_info, LINE + OLD_LINE),
        (readers_introspection.command_details, [[b"get", 2, [], 0, 0]]),
        (readers_introspection.commands_docs, {b"c": {b"history": [[b"1.0.0"]]}}),
        (readers_functions.libraries, [[b"functions", [[b"name", 5]]]]),
    ],
)
def test_a_part_that_is_not_as_it_should_be(read: Callable[..., object], reply: Any) -> None:
    with pytest.raises(UnexpectedReplyError, match="expected, and .* came"):
        read(reply, RAW)


def changed(value: Any, data: st.DataObject, strange: Any) -> Any:
    """A reply, some part of which is replaced by a strange one."""
    if data.draw(st.integers(0, 5)) == 0:
        return strange
    match value:
        case dict():
            return {key: changed(item, data, strange) for key, item in value.items()}
        case list():
            return [changed(item, data, strange) for item in value]
        case _:
            return value


@given(st.data())
def test_a_reply_that_was_changed_anywhere_raises_nothing_else(data: st.DataObject) -> None:
    read = data.draw(st.sampled_from([*READERS]))
    reply = data.draw(st.sampled_from(READERS[read]))
    try:
        read(changed(reply, data, data.draw(st.sampled_from([None, *STRANGE]))), RAW)
    except UnexpectedReplyError:
        pass


def test_what_stands_inside_of_a_set_is_read_as_outside() -> None:
    assert readers_own.owns(SetKey({b"a"})) == ["a"]
    assert readers_own.owns(ArrayKey((b"a", b"b"))) == ["a", "b"]
    assert readers_own.pairs_of(MapKey(((b"a", 1),))) == [(b"a", 1)]
    assert readers_own.pairs_of(ArrayKey((b"a", 1))) == [(b"a", 1)]
    assert readers_own.pairs_of(Pairs([(b"a", 1), (b"a", 2)])) == [(b"a", 1), (b"a", 2)]


@pytest.mark.parametrize(
    ("reply", "truth"), [(1, True), (0, False), (True, True), (b"yes", True), (b"no", False), ("no", False)]
)
def test_a_truth_in_whatever_way_it_is_said(reply: Any, truth: bool) -> None:
    assert readers_own.truth_or_word(reply) is truth


@pytest.mark.parametrize("reply", [2, -1, b"true", None])
def test_what_is_no_truth(reply: Any) -> None:
    with pytest.raises(UnexpectedReplyError):
        readers_own.truth_or_word(reply)


def test_two_channels_that_are_the_same_as_text_are_an_error() -> None:
    with pytest.raises(UnexpectedReplyError, match="two keys are the same as text"):
        readers_pubsub.counts([b"\xff", 1, b"\xfe", 2], decoded("utf-8", "replace"))


def test_a_text_or_nothing() -> None:
    assert [readers_own.maybe_own(reply) for reply in (None, b"a", "a")] == [None, "a", "a"]
