"""What nodes of a cluster and Sentinels say: the same record on both protocols, and an error for what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.test_readers import exact
from core.commands.test_readers_server import STRANGE, changed
from resp_sansio import CachedInfo, ClusterNode, MasterDown, SlotNode, SlotRange, UnexpectedReplyError
from resp_sansio.commands import readers_cluster, readers_sentinel
from resp_sansio.commands.decoding import RAW, decoded
from resp_sansio.wire import Parser, encode_reply
from resp_sansio.wire.values import Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.commands.test_readers_server import Case

OWN_LINE: Final = (
    b"07c3 ::1:30004@31004,host.example,shard-id=69bc master - 0 1426238317239 4 connected"
    b" 0-10 12 [93-<-292f] [77->-e7d1]\n"
)
OWN_NODE: Final = ClusterNode(
    "07c3", "::1", 30004, 31004, "host.example", {"master"}, None, 0, 1426238317239, 4, "connected",
    [(0, 10), (12, 12)], {93: "292f"}, {77: "e7d1"},
)  # fmt: skip
OLD_LINE: Final = b"67ed :0 slave,fail,noflags 07c3 1 2 3 disconnected"
OLD_NODE: Final = ClusterNode(
    "67ed", "", 0, 0, "", {"slave", "fail"}, "07c3", 1, 2, 3, "disconnected", [], {}, {}
)  # fmt: skip
NUMBERS: Final = (
    "cluster_slots_assigned cluster_slots_ok cluster_slots_pfail cluster_slots_fail cluster_known_nodes cluster_size"
    " cluster_current_epoch cluster_my_epoch cluster_stats_messages_sent cluster_stats_messages_received"
)
STATE: Final = b"cluster_state:ok\r\nnew_one:x\r\n" + b"".join(b"%b:3\r\n" % each.encode() for each in NUMBERS.split())
OWN_STATE: Final = {"cluster_state": "ok", "new_one": "x", **dict.fromkeys(NUMBERS.split(), 3)}
NODE: Final = {
    b"id": b"a", b"port": 1, b"ip": b"::1", b"endpoint": None, b"role": b"master", b"replication-offset": 5,
    b"health": b"online",
}  # fmt: skip
OWN: Final = {
    "id": "a", "port": 1, "ip": "::1", "endpoint": None, "role": "master", "replication_offset": 5, "health": "online",
}  # fmt: skip
LINK: Final = {
    b"direction": b"to", b"node": b"a", b"create-time": 5, b"events": b"rw", b"send-buffer-allocated": 7,
    b"send-buffer-used": 0,
}  # fmt: skip
OWN_LINK: Final = {
    "direction": "to", "node": "a", "create_time": 5, "events": "rw", "send_buffer_allocated": 7, "send_buffer_used": 0,
}  # fmt: skip
TASK: Final = {
    b"id": b"a", b"slots": b"0-5", b"source": b"b", b"dest": b"c", b"operation": b"migrate", b"state": b"completed",
    b"last_error": b"", b"retries": 0, b"create_time": 1, b"start_time": 2, b"end_time": 3, b"write_pause_ms": 4,
}  # fmt: skip
OWN_TASK: Final = {
    "id": "a", "slots": "0-5", "source": "b", "dest": "c", "operation": "migrate", "state": "completed",
    "last_error": "", "retries": 0, "create_time": 1, "start_time": 2, "end_time": 3, "write_pause_ms": 4,
}  # fmt: skip
MOVED: Final = {
    b"name": b"a", b"operation": b"EXPORT", b"slot_ranges": b"0-5", b"target_node": b"b", b"create_time": 1,
    b"last_update_time": 2, b"last_ack_time": 3, b"state": b"success", b"message": b"", b"cow_size": 0,
}  # fmt: skip
OWN_MOVED: Final = {
    "name": "a", "operation": "EXPORT", "slot_ranges": "0-5", "target_node": "b", "create_time": 1,
    "last_update_time": 2, "last_ack_time": 3, "state": "success", "message": "", "cow_size": 0,
}  # fmt: skip
WATCHED: Final = {
    b"name": b"m", b"ip": b"::1", b"port": b"1", b"runid": b"r", b"flags": b"master,o_down",
    b"link-pending-commands": b"0", b"link-refcount": b"1", b"last-ping-sent": b"0", b"last-ok-ping-reply": b"2",
    b"last-ping-reply": b"3", b"down-after-milliseconds": b"4",
}  # fmt: skip
OWN_WATCHED: Final = {
    "name": "m", "ip": "::1", "port": 1, "runid": "r", "flags": {"master", "o_down"}, "link_pending_commands": 0,
    "link_refcount": 1, "last_ping_sent": 0, "last_ok_ping_reply": 2, "last_ping_reply": 3,
    "down_after_milliseconds": 4,
}  # fmt: skip


def turns(found: dict[Any, Any]) -> list[Any]:
    """RESP2's way with a map."""
    return [part for pair in found.items() for part in pair]


CASES: list[Case] = [
    (
        readers_cluster.cluster_facts,
        STATE,
        Verbatim(STATE),
        OWN_STATE,
    ),
    (
        readers_cluster.nodes_text,
        OWN_LINE + OLD_LINE + b"\n",
        Verbatim(OWN_LINE + OLD_LINE + b"\n"),
        [OWN_NODE, OLD_NODE],
    ),
    (readers_cluster.node_lines, [OWN_LINE, OLD_LINE], [OWN_LINE, OLD_LINE], [OWN_NODE, OLD_NODE]),
    (readers_cluster.node_lines, [], [], []),
    (
        readers_cluster.shards,
        [[b"slots", [0, 9, 12, 12], b"nodes", [turns(NODE)]]],
        [{b"slots": [0, 9, 12, 12], b"nodes": [NODE]}],
        [{"slots": [(0, 9), (12, 12)], "nodes": [OWN]}],
    ),
    (
        readers_cluster.slot_ranges,
        [[0, 9, [b"h", 1, b"a", [b"hostname", b"x"]], [None, 2, b"b", []], [b"", 3, b"c"]]],
        [[0, 9, [b"h", 1, b"a", {b"hostname": b"x"}], [None, 2, b"b", {}], [b"", 3, b"c"]]],
        [
            SlotRange(
                0,
                9,
                [SlotNode("h", 1, "a", {"hostname": "x"}), SlotNode(None, 2, "b", {}), SlotNode(None, 3, "c", {})],
            )
        ],
    ),
    (
        readers_cluster.cluster_links_of,
        [turns(LINK)],
        [LINK],
        [OWN_LINK],
    ),
    (
        readers_cluster.slot_statistics,
        [[7, [b"key-count", 5]], [2, [b"key-count", 0]]],
        [[7, {b"key-count": 5}], [2, {b"key-count": 0}]],
        {7: {"key_count": 5}, 2: {"key_count": 0}},
    ),
    (
        readers_cluster.migration_tasks,
        [turns(TASK)],
        [TASK],
        [OWN_TASK],
    ),
    (
        readers_cluster.slot_migrations,
        [turns(MOVED)],
        [MOVED],
        [OWN_MOVED],
    ),
    (
        readers_sentinel.one_instance,
        turns({**WATCHED, b"num-slaves": b"2"}),
        {**WATCHED, b"num-slaves": b"2"},
        {**OWN_WATCHED, "num_slaves": 2},
    ),
    (readers_sentinel.several_instances, [turns(WATCHED)], [WATCHED], [OWN_WATCHED]),
    (readers_sentinel.pending_scripts, [], [], []),
    (
        readers_sentinel.pending_scripts,
        [[b"argv", [b"a", b"b"], b"flags", b"running", b"pid", b"5", b"retry-num", b"0"]],
        [{b"argv": [b"a", b"b"], b"flags": b"running", b"pid": b"5", b"retry-num": b"0"}],
        [{"argv": ["a", "b"], "flags": "running", "pid": 5, "retry_num": 0}],
    ),
    (readers_sentinel.address, None, None, None),
    (readers_sentinel.address, [b"::1", b"6379"], [b"::1", b"6379"], ("::1", 6379)),
    (readers_sentinel.is_down, [1, b"*", 0], [1, b"*", 0], MasterDown(True, "*", 0)),
    (
        readers_sentinel.cached_infos,
        [b"m", [[5, b"# Server\r\na:b\r\n"], [0, None]]],
        [b"m", [[5, b"# Server\r\na:b\r\n"], [0, None]]],
        {"m": [CachedInfo(5, {"a": "b"}), CachedInfo(0, {})]},
    ),
]
READERS: Final = {case[0]: [each[2] for each in CASES if each[0] is case[0]] for case in CASES}


@pytest.mark.parametrize(("read", "resp2", "resp3", "result"), CASES)
def test_both_protocols_give_the_same_value_of_the_same_type(
    read: Callable[..., object], resp2: Any, resp3: Any, result: object
) -> None:
    (said2,), (said3,) = Parser().feed(encode_reply(resp2, 2)), Parser().feed(encode_reply(resp3, 3))
    for said in (said2, said3):
        assert exact(read(said, RAW)) == exact(result)
        assert exact(read(said, decoded("utf-16"))) == exact(result), "its own words are text for all"


@pytest.mark.parametrize("key", [b"k", b"\xd0\xba"])
def test_keys_of_a_cluster_are_data(key: bytes) -> None:
    reply: Any = [b"0-{k}-0", [key]]
    assert readers_cluster.scanned_cluster(reply, RAW) == ("0-{k}-0", [key])
    assert readers_cluster.scanned_cluster(reply, decoded("utf-8")) == ("0-{k}-0", [key.decode()])


@pytest.mark.parametrize(
    ("read", "reply"),
    [
        (readers_cluster.cluster_facts, "QUEUED"),
        (readers_cluster.cluster_facts, b"cluster_size:many\r\n"),
        (readers_cluster.nodes_text, "QUEUED"),
        (readers_cluster.nodes_text, b"no line\n"),
        (readers_cluster.nodes_text, OLD_LINE + b" 5-x\n"),
        (readers_cluster.nodes_text, OLD_LINE.replace(b":0", b":" + b"9" * 5000)),
        (readers_cluster.node_lines, [1]),
        (readers_cluster.shards, [{b"slots": [0]}]),
        (readers_cluster.shards, [{b"nodes": [5]}]),
        (readers_cluster.slot_ranges, [[0, 9]]),
        (readers_cluster.slot_ranges, [[0, 9, [b"h", 1]]]),
        (readers_cluster.slot_ranges, [[0, b"9", [b"h", 1, b"a"]]]),
        (readers_cluster.slot_ranges, [[0, 9, [b"h", 1, b"a", 5]]]),
        (readers_cluster.slot_statistics, [[b"7", {}]]),
        (readers_cluster.scanned_cluster, [0, []]),
        (readers_sentinel.address, [b"h", b"port"]),
        (readers_sentinel.address, [b"h"]),
        (readers_sentinel.is_down, [5, b"*", 0]),
        (readers_sentinel.cached_infos, [b"m", [[b"5", None]]]),
        (readers_sentinel.one_instance, {b"flags": 5}),
    ],
)
def test_anything_else_is_an_error_and_no_wrong_value(read: Callable[..., object], reply: Any) -> None:
    with pytest.raises(UnexpectedReplyError, match="expected, and .* came"):
        read(reply, RAW)


@given(st.data())
def test_a_reply_that_was_changed_anywhere_raises_nothing_else(data: st.DataObject) -> None:
    read = data.draw(st.sampled_from([*READERS]))
    reply = data.draw(st.sampled_from(READERS[read]))
    try:
        read(changed(reply, data, data.draw(st.sampled_from([None, *STRANGE]))), RAW)
    except UnexpectedReplyError:
        pass
