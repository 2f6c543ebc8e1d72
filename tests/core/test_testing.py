"""`resp_sansio.testing` itself: the peer answers whatever it gets, and needs no hypothesis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resp_sansio.testing
from resp_sansio import ReplyError
from resp_sansio.commands.table import TABLE
from resp_sansio.testing import Peer, World, strategies
from resp_sansio.wire import Parser, encode_command

ROOT: Final = Path(__file__).parents[2]


def test_the_peer_needs_no_hypothesis_and_the_strategies_say_that_they_do() -> None:
    program = ROOT / "tests" / "programs" / "peer_without_hypothesis.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "resp_sansio.testing.replies needs hypothesis: pip install hypothesis\n"


def test_all_that_is_named_is_there() -> None:
    for name in resp_sansio.testing.__all__:
        found = getattr(resp_sansio.testing, name)
        assert found is not None
        if callable(found) and hasattr(found, "__module__") and found.__module__.startswith("resp_sansio"):
            assert found.__name__ == name
    assert {*strategies.__all__} < {*resp_sansio.testing.__all__}
    with pytest.raises(AttributeError, match=r"module 'resp_sansio.testing' has no attribute 'scalar'"):
        resp_sansio.testing.scalar  # noqa: B018


words = st.sampled_from([b"", b"SETNAME", b"GETNAME", b"AUTH", b"2", b"3", b"x", b"\xff"])


@given(
    st.lists(st.tuples(st.sampled_from([name.split()[0] for name in TABLE]), st.lists(words, max_size=4)), max_size=6),
    st.sampled_from([None, b"pw"]),
    st.booleans(),
)
def test_the_peer_answers_whatever_it_is_asked(
    asked: list[tuple[str, list[bytes]]], password: bytes | None, hello: bool
) -> None:
    """With one whole reply, or a push for each channel; until QUIT."""
    peer = Peer(password=password, hello=hello)
    for name, more in asked:
        said = peer.receive(encode_command((name, *more)))  # type: ignore[arg-type]
        if not peer.closed:
            assert said
        for one in said:
            assert len(Parser().feed(one)) == 1


@pytest.mark.parametrize("args", [("SELECT",), ("CLIENT",), ("AUTH",), ("CLIENT", "SETNAME")], ids=" ".join)
def test_a_command_without_its_arguments_is_refused(args: tuple[str, ...]) -> None:
    data = encode_command(args)
    assert isinstance(data, bytes)
    (said,) = Peer().receive(data)
    (refused,) = Parser().feed(said)
    assert isinstance(refused, ReplyError)
    assert refused.message.startswith("wrong number of arguments for")


@given(st.data(), st.binary(max_size=200))
def test_no_part_of_a_split_is_empty(data: st.DataObject, wire: bytes) -> None:
    """To who reads a socket, no bytes are its end."""
    parts = data.draw(strategies.splits(wire))
    assert b"".join(parts) == wire
    assert b"" not in parts


def test_a_socket_that_is_refused_says_so_to_whoever_sends_or_reads() -> None:
    """As a real one does, so that a client need not ask for `SO_ERROR`."""
    world = World(0)
    world.go_wrong("away", 1.0)
    told: list[str] = []
    socket = world.socket()
    socket.on_readable, socket.on_writable = lambda: told.append("readable"), lambda: told.append("writable")
    socket.connect_ex()
    assert not socket.readable
    assert not socket.writable
    with pytest.raises(BlockingIOError):
        socket.recv(1)
    while not socket.writable:
        world.step()
    assert socket.readable
    assert told == ["writable", "readable"]
    for ask in (lambda: socket.send(b"x"), lambda: socket.recv(1), lambda: socket.recv_into(bytearray(1))):
        with pytest.raises(ConnectionRefusedError):
            ask()
    socket.close()
