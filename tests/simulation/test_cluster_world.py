"""The world of a cluster that embedders have: the client of the page lives in it, and one that breaks a promise is found out."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from examples import programs
from resp_sansio import ConnectionLostError
from resp_sansio.testing import CLUSTER_FAULTS, ClusterWorld, SimulatedLoop

if TYPE_CHECKING:
    from resp_sansio.testing import Socket

SECTION = "simulate.md: A cluster"
HISTORIES = 12


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page defines, once it has run."""
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(dict(programs())[SECTION], SECTION, "exec"), names)
    return names


def live(page: dict[str, Any], seed: int, fault: Any, trace: list[str] | None = None) -> ClusterWorld:
    """Callers, one fault, and then all is well again. Raises `AssertionError` where a promise is broken."""
    world, chance = ClusterWorld(seed, noise=0.2, trace=trace), Random(seed)
    loop = SimulatedLoop(world)
    world.clock.after(chance.random() * 0.2, world.go_wrong, fault, 0.5, chance.random())
    try:
        loop.run_until_complete(page["cluster_history"](world, chance))
    finally:
        loop.close()
    world.rest(world.clock.now + 30.0)
    assert world.cluster.is_well
    world.checks.agree()
    return world


@pytest.mark.parametrize("fault", CLUSTER_FAULTS)
def test_a_client_lives_through_each_fault(page: dict[str, Any], fault: str) -> None:
    answers = 0
    for seed in range(HISTORIES):
        world = live(page, seed, fault)
        answers += world.checks.answers["REPLY"]
    assert answers > HISTORIES * 15


def test_a_history_is_its_seed(page: dict[str, Any]) -> None:
    one, same = [live(page, 3, "move", []) for _ in range(2)]
    assert one.trace == same.trace
    assert one.cluster.ran == same.cluster.ran
    assert any("slots of part" in line for line in one.trace or [])


def test_what_a_client_runs_twice_is_found(page: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = page["TinyClusterClient"]

    class Repeats(tiny):  # type: ignore[misc, valid-type]
        async def execute(self, *words: Any) -> Any:
            try:
                return await super().execute(*words)
            except ConnectionLostError:
                return await super().execute(*words)

    monkeypatch.setitem(page, "TinyClusterClient", Repeats)

    def live_through_many() -> None:
        for seed in range(100):
            live(page, seed, "reset")

    with pytest.raises(ExceptionGroup) as caught:
        live_through_many()
    assert "is its own" in str(caught.value.exceptions)  # it was counted twice


def test_what_is_told_and_is_not_true_is_found(page: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = page["TinyClusterClient"]

    class Invents(tiny):  # type: ignore[misc, valid-type]
        async def execute(self, *words: Any) -> Any:
            return words[-1]

    monkeypatch.setitem(page, "TinyClusterClient", Invents)
    with pytest.raises(AssertionError, match="ran 0 times"):
        live(page, 0, "move")


# -- what its servers say ----------------------------------------------------------------------------------------------------


def opened(world: ClusterWorld, place: tuple[str, int]) -> Socket:
    """Return a socket that leads there, once it is open."""
    socket = world.socket()
    socket.connect_ex(place)
    while not socket.writable:
        world.step()
    return socket


def said(world: ClusterWorld, socket: Socket, *words: bytes) -> bytes:
    """Send a command, if there is one, and return what is said within a second."""
    if words:
        socket.send(b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))
    until, data = world.clock.now + 1.0, b""
    while world.step(until):
        pass
    while socket.readable:
        data += socket.recv(1000)
    return data


def test_an_address_that_no_server_has_refuses() -> None:
    world = ClusterWorld(0)
    assert opened(world, ("10.1.1.1", 1)).refused


def test_servers_name_the_one_that_has_a_slot_and_go_on_when_it_has_gone() -> None:
    world = ClusterWorld(0, masters=2, replicas=1)
    first, second = [shard.master for shard in world.cluster.shards]
    at_first, at_second = opened(world, first.place), opened(world, second.place)
    host, port = second.place
    assert said(world, at_first, b"INCRBY", b"n1{a}", b"1") == b"-MOVED 15495 %b:%d\r\n" % (host.encode(), port)
    assert said(world, at_second, b"INCRBY", b"n1{a}", b"1") == b":1\r\n"
    assert said(world, at_first, b"CLUSTER", b"SLOTS").startswith(b"*2\r\n*4\r\n:0\r\n:8191\r\n")
    world.go_wrong("die", 5.0, 0.9)
    world.rest(world.clock.now + 1.0)
    assert second.shard.master is not second
    assert not at_second.alive
    assert said(world, opened(world, second.shard.master.place), b"GET", b"n1{a}") == b"$1\r\n1\r\n"
    world.rest()
    assert world.cluster.is_well


def test_a_slot_that_is_on_its_way_is_asked_for() -> None:
    world = ClusterWorld(0, masters=2, replicas=0)
    first, second = [shard.master for shard in world.cluster.shards]
    at_first, at_second = opened(world, first.place), opened(world, second.place)
    world.cluster.move(7, first.shard, 100.0, source_first=False)
    host, port = first.place
    assert said(world, at_second, b"GET", b"e1{a}") == b"-ASK 15495 %b:%d\r\n" % (host.encode(), port)
    assert said(world, at_first, b"GET", b"e1{a}").startswith(b"-MOVED")
    assert said(world, at_first, b"ASKING") == b"+OK\r\n"
    assert said(world, at_first, b"GET", b"e1{a}") == b"$5\r\ne1{a}\r\n"
    world.rest()
    assert said(world, at_first, b"GET", b"e1{a}") == b"$5\r\ne1{a}\r\n"


def test_messages_reach_all_servers_or_those_of_a_shard_whose_subscribers_are_told_when_it_moves() -> None:
    world = ClusterWorld(0, masters=2, replicas=0)
    first, second = [shard.master for shard in world.cluster.shards]
    at_first, at_second = opened(world, first.place), opened(world, second.place)
    assert said(world, at_first, b"SSUBSCRIBE", b"c{a}").startswith(b"-MOVED")
    assert b"ssubscribe" in said(world, at_second, b"SSUBSCRIBE", b"c{a}")
    assert b"subscribe" in said(world, at_first, b"SUBSCRIBE", b"all")
    world.cluster.publish(b"all")
    world.cluster.publish(b"c{a}", sharded=True)
    assert said(world, at_first).endswith(b"message\r\n$3\r\nall\r\n$1\r\n1\r\n")
    assert said(world, at_second).endswith(b"smessage\r\n$4\r\nc{a}\r\n$1\r\n1\r\n")
    world.cluster.move(7, first.shard, 0.1, source_first=False)
    assert b"sunsubscribe" in said(world, at_second)
    world.cluster.publish(b"c{a}", sharded=True)
    assert said(world, at_second) == b""
