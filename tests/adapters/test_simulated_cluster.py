"""The simulated cluster says what a real one does of subscriptions, while the slot of a channel is on its way and once it is there.

The same conversation with both: the same replies and pushes, in kind, order and protocol, and redirects to the same server.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import pytest

from adapters.test_scripted_server import compared
from clusters import Cluster, key_in, slot_of
from resp_sansio import Reply, ReplyError
from resp_sansio.testing import ClusterWorld
from resp_sansio.wire import Parser, encode_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

CHANNEL, OTHER = (key_in(0, prefix) for prefix in ("a channel ", "another "))
"""Channels of the first slot, which the first server has, and gives to the second."""


class Both:
    """A connection to each of two servers that are real, and to each of two that are not."""

    def __init__(self, cluster: Cluster, protocol: int) -> None:
        self.cluster = cluster
        self.world = ClusterWorld(0, masters=2, replicas=0)
        self.members = [shard.master for shard in self.world.cluster.shards]
        self.simulated = [self.world.socket() for _ in self.members]
        self.ports = {node.port: at for at, node in enumerate(cluster.nodes)}
        self.ports |= {member.place[1]: at for at, member in enumerate(self.members)}
        self.protocol = str(protocol)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.real = [
            self._stack.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=10.0))
            for node in self.cluster.nodes
        ]
        self.parsers = [(Parser(), Parser()) for _ in self.real]
        for at, one in enumerate(self.simulated):
            one.connect_ex(self.members[at].place)
            while not one.writable:
                self.world.step()
            self.say(at, "HELLO", self.protocol)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def say(self, at: int, *words: str) -> list[object]:
        """Send a command to these, and return what they say alike."""
        sent = encode_command(words)
        assert isinstance(sent, bytes)
        self.real[at].sendall(sent)
        self.simulated[at].send(sent)
        return self.hear(at)

    def hear(self, at: int) -> list[object]:
        """Return what these say alike, unasked or asked."""
        until, simulated = self.world.clock.now + 1.0, self.simulated[at]
        while self.world.step(until):
            pass
        expected: list[Reply] = []
        while simulated.readable:
            expected += self.parsers[at][0].feed(simulated.recv(1000))
        said: list[Reply] = []
        while len(said) < len(expected):
            data = self.real[at].recv(65536)
            assert data, f"the real server said no more than {said}"
            said += self.parsers[at][1].feed(data)
        told = [self.told(reply) for reply in expected]
        assert [self.told(reply) for reply in said] == told
        return told

    def told(self, reply: Reply) -> object:
        """What both have to say alike: of an error its code, and where it leads."""
        if isinstance(reply, ReplyError) and reply.code == "MOVED":
            _, slot, place = str(reply).split()
            return "MOVED", int(slot), self.ports[int(place.rpartition(":")[2])]
        return compared(reply)


@pytest.mark.needs("SSUBSCRIBE")
@pytest.mark.parametrize("protocol", [2, 3])
def test_both_keep_the_channels_of_a_slot_where_it_was_until_it_has_arrived(
    start_cluster: Callable[..., Cluster], protocol: int
) -> None:
    cluster = start_cluster(2, 0)
    source, target = cluster.nodes
    to_source, to_target = [("MOVED", slot_of(CHANNEL), at) for at in range(2)]
    with Both(cluster, protocol) as both:
        assert both.say(0, "SSUBSCRIBE", CHANNEL)
        cluster.begin_move(slot_of(CHANNEL), 1)
        both.world.cluster.move(0, both.members[1].shard, 100.0, source_first=False)
        assert len(both.say(0, "SSUBSCRIBE", CHANNEL, OTHER)) == 2
        assert both.say(1, "SSUBSCRIBE", CHANNEL) == [to_source]
        both.say(1, "ASKING")
        both.say(1, "SSUBSCRIBE", OTHER)
        if protocol == 3:  # a subscriber that speaks RESP2 may not say ASKING
            both.say(1, "ASKING")
            both.say(1, "SUNSUBSCRIBE", OTHER)
        assert source.call("SPUBLISH", CHANNEL, "1") == 1
        both.world.cluster.publish(CHANNEL.encode(), sharded=True)
        assert len(both.hear(0)) == 1
        both.say(0, "SUNSUBSCRIBE", OTHER)
        cluster.end_move(slot_of(CHANNEL), 1)
        both.world.rest()
        assert len(both.hear(0)) == 1  # it is told that it has lost the channel
        assert both.say(0, "SSUBSCRIBE", CHANNEL) == [to_target]
        if protocol == 3:
            both.say(1, "SSUBSCRIBE", CHANNEL)
            assert target.call("SPUBLISH", CHANNEL, "2") == 1
            both.world.cluster.publish(CHANNEL.encode(), sharded=True)
            assert len(both.hear(1)) == 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_tell_of_patterns_and_channels_whichever_server_was_told_to_publish(
    cluster: Cluster, protocol: int
) -> None:
    with Both(cluster, protocol) as both:
        for at in range(2):
            both.say(at, "SUBSCRIBE", "f1", "f2")
            both.say(at, "PSUBSCRIBE", "f*", "h?", "g")
            both.say(at, "PUNSUBSCRIBE", "g", "nothing")
            both.say(at, "UNSUBSCRIBE", "f2")
            both.say(at, "PING")
        for number, channel in enumerate(["f1", "f2", "g", "h3", "h", "f1"]):
            data = both.world.cluster.messages[channel.encode()] + 1
            cluster.nodes[number % 2].call("PUBLISH", channel, f"{data}")
            both.world.cluster.publish(channel.encode())
            heard = [len(both.hear(at)) for at in range(2)]
            assert heard == [{"f1": 2, "f2": 1, "g": 0, "h": 0, "h3": 1}[channel]] * 2
        for at in range(2):
            both.say(at, "PUNSUBSCRIBE", "f*", "h?")
            both.say(at, "UNSUBSCRIBE", "f1")
            both.say(at, "PING")
