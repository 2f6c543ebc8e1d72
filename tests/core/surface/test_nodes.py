"""What is asked of one server of a cluster, in both colours: nodes, and connections that lead where they are to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.client.notes import Notes
from core.surface.cluster import HALF, OF_A, OF_B, URL, A, B, R, Servers
from core.surface.driver import COLOURS
from resp_sansio import (
    CallEnded,
    ConnectionClosedError,
    CrossSlotError,
    LocalProtocolError,
    Outcome,
    PartialFailureError,
    ReplyError,
    commands,
)
from resp_sansio.client.hash_slots import SLOTS, slot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)


@pytest.fixture
def servers(colour: Colour) -> Iterator[Servers]:
    assert slot_of(OF_A.encode()) < HALF <= slot_of(OF_B.encode())
    client = colour.client(URL, timeout=3.0)
    servers = Servers(client)
    with colour.block(client):
        yield servers


@pytest.fixture
def client(servers: Servers) -> Any:
    return servers.client


def test_nodes_are_those_of_the_map(colour: Colour, client: Any, servers: Servers) -> None:
    nodes = colour.do(client.nodes())
    assert [node.address for node in nodes] == [f"stage:{A}", f"stage:{B}", f"stage:{R}"]
    assert [node.id for node in nodes] == [f"id of {port}" for port in (A, B, R)]
    assert [node.is_master for node in nodes] == [True, True, False]
    assert [node.slots for node in nodes] == [(range(HALF),), (range(HALF, SLOTS),), ()]
    assert repr(nodes[2]) == f"<Node at stage:{R}>"
    asked = servers.maps
    colour.do(client.nodes())
    assert servers.maps == asked  # they are known


def test_a_server_that_refuses_to_say_anything_has_told_the_map(colour: Colour) -> None:
    client = colour.client(URL)  # which is not entered, and has not asked for the map yet
    Servers(client).refuses = lambda _, words: ReplyError("NOPERM no") if words == (b"PING",) else None
    assert client.node(f"stage:{R}").id == ""
    assert len(colour.do(client.nodes())) == 3
    colour.do(client.close())
    assert client.node(f"stage:{R}").closed


def test_a_node_is_asked_whatever_the_key(colour: Colour, client: Any, servers: Servers) -> None:
    node = client.node(f"stage:{R}")
    assert colour.do(node.echo(OF_B)) == OF_B.encode()
    assert colour.do(node.execute("GET", OF_B)) == OF_B.encode()
    pipe = node.pipeline()
    results = [pipe.execute("GET", OF_A), pipe.execute("INFO"), pipe.execute("GET", OF_B)]
    colour.do(pipe.run())
    assert [result.result() for result in results] == [OF_A.encode(), b"INFO", OF_B.encode()]
    assert {port for port, _ in servers.asked} == {R}
    assert not node.closed
    servers.says = lambda *_: ReplyError(f"MOVED {slot_of(OF_B.encode())} stage:{B}")
    with pytest.raises(ReplyError, match="^MOVED"):
        colour.do(node.execute("GET", OF_B))
    assert {port for port, _ in servers.asked} == {R}


def test_calls_ahead_are_meant_for_a_node_as_well(colour: Colour, client: Any, servers: Servers) -> None:
    servers.says = lambda _, words: b"run_id:one" if words[0] == b"INFO" else [b"7", [b"k"]]
    scan = client.node(("stage", R)).scan_iter()
    assert next_of(colour, scan) == next_of(colour, scan) == b"k"
    colour.do(scan.close())
    assert {port for port, _ in servers.asked} == {R}


def next_of(colour: Colour, scan: Any) -> Any:
    return colour.do(scan.__anext__()) if repr(colour) == "Tasks" else next(scan)


def test_connections_lead_to_the_server_of_a_key_or_to_a_node(colour: Colour, client: Any, servers: Servers) -> None:
    for block, port in (
        (client.acquire(key=OF_A), A),
        (client.acquire(key=OF_B.encode()), B),
        (client.acquire(node=f"stage:{R}"), R),
        (client.node(f"stage:{R}").acquire(), R),
    ):
        with colour.block(block) as connection:
            assert f"stage:{port}" in repr(connection)
            colour.do(connection.echo("k"))
            assert servers.asked.pop()[0] == port
    for wrong in ({}, {"key": OF_A, "node": f"stage:{A}"}, {"node": "::"}, {"node": "stage:1"}):
        with pytest.raises((LocalProtocolError, ValueError)), colour.block(client.acquire(**wrong)):
            pass


def test_what_is_watched_at_a_node_is_watched_there(colour: Colour, client: Any, servers: Servers) -> None:
    def work(transaction: Any) -> None:
        transaction.execute("SET", OF_A, "v")

    colour.do(client.node(f"stage:{R}").transact(colour.update(work), OF_A))
    assert {port for port, words in servers.asked if words[0] != b"PING"} == {R}


def test_a_node_is_subscribed_to_by_a_client_of_its_own(colour: Colour, client: Any, servers: Servers) -> None:
    node = client.node(f"stage:{R}")
    with colour.block(client.acquire(node=node)) as connection:
        assert f"stage:{R}" in repr(connection)
    messages = node.subscribe("news")
    colour.enter(messages)
    assert messages._driver is not client._driver
    assert messages._driver.machine.config.port == R
    assert messages._driver.machine.stats().subscriptions.connection is not None
    colour.leave(messages)
    assert messages._driver.machine.closed
    assert not client.closed
    with pytest.raises(LocalProtocolError, match="entered before"):
        colour.enter(messages)
    refused = node.subscribe("other")
    refused._driver.stage.refused["SUBSCRIBE"] = ReplyError("NOPERM no")
    with pytest.raises(ReplyError, match="^NOPERM"):
        colour.enter(refused)
    assert refused._driver.machine.closed
    colour.do(client.close())
    with pytest.raises(ConnectionClosedError, match="the client of this server was closed"):
        node.subscribe("news")


def test_the_only_server_is_subscribed_to_by_its_client(colour: Colour) -> None:
    client = colour.client("redis://stage")
    with colour.block(client):
        (node,) = colour.do(client.nodes())
        with colour.block(node.subscribe("news")) as messages:
            assert messages._driver is client._driver
        with colour.block(client.acquire(node=node)) as connection:
            assert connection.closed is False


def test_a_node_is_monitored_by_a_connection_of_its_own(colour: Colour, client: Any, servers: Servers) -> None:
    block = client.node(f"stage:{R}").monitor()
    colour.enter(block)
    assert repr(block._connection._link.core.peer) == repr(f"stage:{R}")
    colour.leave(block)


def test_keys_that_are_apart_are_told_before_anything_is_sent(colour: Colour, client: Any, servers: Servers) -> None:
    with pytest.raises(CrossSlotError):
        colour.do(client.transact(colour.update(lambda _: None), OF_A, OF_B))
    assert servers.asked == []


def test_what_is_asked_of_a_node_is_observed(colour: Colour) -> None:
    notes = Notes()
    client = colour.client(URL, observers=[notes])
    servers = Servers(client)
    with colour.block(client):
        colour.do(client.node(f"stage:{R}").echo("k"))
        with colour.block(client.acquire(key=OF_B)) as connection:
            colour.do(connection.echo("k"))
    assert [port for port, _ in servers.asked] == [R, B]
    assert [fact.command for fact in notes.of(CallEnded)] == ["ECHO", "ECHO"]


def test_a_client_of_one_server_has_one_node(colour: Colour) -> None:
    with colour.block(colour.client("redis://stage", timeout=3.0)) as client:
        (node,) = colour.do(client.nodes())
        assert (node.address, node.id, node.is_master) == ("stage:6379", "", True)
        assert node.slots == (range(SLOTS),)
        assert colour.do(node.echo("k")) == b"k"
        with colour.block(client.acquire(key="k")) as one, colour.block(client.acquire(node=node.address)) as other:
            assert colour.do(one.echo("k")) == colour.do(other.echo("k")) == b"k"
        with pytest.raises(LocalProtocolError, match="one server, stage:6379, and no other"):
            client.node("stage:1")
        with colour.block(node.subscribe("news")), colour.block(node.monitor()):
            pass


# -- iterations ------------------------------------------------------------------------------------------------------------------


def everything(colour: Colour, scan: Any) -> list[Any]:
    found = []
    try:
        while True:
            found.append(next_of(colour, scan))
    except (StopIteration, StopAsyncIteration):
        return found


def test_an_iteration_is_over_the_keys_of_all_masters(colour: Colour, client: Any, servers: Servers) -> None:
    servers.says = lambda port, words: b"run_id:one" if words[0] == b"INFO" else [b"0", [b"of %d" % port]]
    assert sorted(everything(colour, client.scan_iter())) == [b"of %d" % A, b"of %d" % B]
    assert sorted(everything(colour, client.text.scan_iter(distinct=True))) == [f"of {A}", f"of {B}"]
    servers.says = lambda _, words: b"run_id:one" if words[0] == b"INFO" else [b"0", [b"f", b"v"]]
    servers.asked.clear()
    assert everything(colour, client.hscan_iter(OF_B)) == [(b"f", b"v")]
    assert {port for port, _ in servers.asked} == {B}
    with colour.block(client.acquire(key=OF_A)) as connection:
        servers.says = lambda port, _: [b"0", [b"of %d" % port]]
        assert everything(colour, connection.scan_iter()) == [b"of %d" % A]


# -- what is in several slots, and what needs a connection -----------------------------------------------------------------------


def test_a_command_on_keys_of_several_slots_is_sent_in_parts(colour: Colour, client: Any, servers: Servers) -> None:
    servers.says = lambda _, words: [*words[1:]] if words[0] == b"MGET" else 1
    assert colour.do(client.across_slots(commands.mget(OF_A, OF_B, OF_A))) == [
        OF_A.encode(),
        OF_B.encode(),
        OF_A.encode(),
    ]
    assert colour.do(client.across_slots(commands.delete(OF_A, OF_B))) == 2
    assert {port for port, _ in servers.asked} == {A, B}
    servers.refuses = lambda port, _: ReplyError("OOM no") if port == B else None
    with pytest.raises(PartialFailureError, match="1 of the 2 parts of DEL failed, the first with OOM") as caught:
        colour.do(client.across_slots(commands.delete(OF_A, OF_B)))
    assert [part.result for part in caught.value.parts] == [1, caught.value.parts[1].result]
    with pytest.raises(LocalProtocolError, match="it sets all of its keys or none"):
        colour.do(client.across_slots(commands.msetnx({OF_A: 1, OF_B: 2})))


def test_parts_that_were_never_sent_have_one_error(colour: Colour, client: Any, servers: Servers) -> None:
    colour.do(client.close())
    with pytest.raises(ConnectionClosedError):
        colour.do(client.across_slots(commands.delete(OF_A, OF_B)))
    assert servers.asked == []


def test_parts_that_are_lost_have_an_error_each(colour: Colour, client: Any, servers: Servers) -> None:
    colour.do(client.nodes())

    def lost(port: int, words: tuple[bytes, ...]) -> Any:
        if port == B:
            servers.cut()
        return 1

    servers.says = lost
    with pytest.raises(PartialFailureError) as caught:
        colour.do(client.across_slots(commands.mset({OF_A: 1, OF_B: 2}), timeout=1.0))
    assert caught.value.outcome is Outcome.MAYBE_EXECUTED


def test_values_are_read_and_written_where_their_key_is(colour: Colour, client: Any, servers: Servers) -> None:
    servers.says = lambda _, words: {b"STRLEN": 1, b"EXISTS": 1, b"GETRANGE": b"v"}.get(words[0], "OK")
    for key, port in ((OF_A, A), (OF_B, B)):
        servers.asked.clear()
        with colour.block(client.read_value(key)) as value:
            assert next_of(colour, value) == b"v"
        colour.do(client.write_value(key, b"data"))
        assert {at for at, _ in servers.asked} == {port}


def test_a_cluster_as_a_whole_is_not_monitored(colour: Colour, client: Any, servers: Servers) -> None:
    with (
        pytest.raises(LocalProtocolError, match=r"^monitor: .*`client.nodes\(\)` has each"),
        colour.block(client.monitor()),
    ):
        pass
    assert servers.asked == []
