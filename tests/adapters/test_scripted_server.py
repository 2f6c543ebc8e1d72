"""The scripted server says what a real one says: the same commands to both, the same replies from both.

Compared is all that belongs to a connection, in kind, order and protocol; of errors the code, since texts differ with versions.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from resp_sansio import Push, Reply, ReplyError
from resp_sansio.testing import Peer, exact
from resp_sansio.wire import Parser, encode_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers import Server

# Each is one connection's conversation; words are split at spaces. (Who leaves several channels at once is told in any order.)
CONVERSATIONS = [
    "PING; PING hi; HELLO 3; PING; HELLO 2; HELLO 4; HELLO 3 NOSUCH; HELLO 3 SETNAME not+a+name",
    "HELLO 3; MULTI; SET k 1; GET k; EXEC; GET k; EXEC; DISCARD; UNWATCH",
    "MULTI; MULTI; WATCH k; SET k 1; DISCARD; GET k",
    "MULTI; NOSUCH; SET k 1; EXEC; GET k",
    "MULTI x; SET k 1; GET k; EXEC",
    "WATCH k; MULTI; SET k 1; EXEC; WATCH k; UNWATCH; MULTI; EXEC",
    "SUBSCRIBE a b a; PING; PING hi; GET k; HELLO 3; MULTI; UNSUBSCRIBE a; PSUBSCRIBE p*; UNSUBSCRIBE; PUNSUBSCRIBE; GET k",
    "HELLO 3; SUBSCRIBE a b; PING; GET k; PSUBSCRIBE p; UNSUBSCRIBE a; PUNSUBSCRIBE x; PUNSUBSCRIBE; UNSUBSCRIBE; SUBSCRIBE",
    "SUBSCRIBE; GET k",
    "HELLO 3; SUBSCRIBE a; HELLO 2; GET k; PING; RESET; GET k; PING",
    "HELLO 3; SUBSCRIBE a; MULTI; SET k 1; RESET; EXEC; GET k",
    "SELECT 3; SELECT 99; SELECT x; CLIENT SETNAME me; CLIENT SETNAME not+a+name; SELECT 0",
    "GET k; QUIT; GET k",
]
SHARDED = (
    "SSUBSCRIBE a b; PING; GET k; SUNSUBSCRIBE a; SUNSUBSCRIBE; HELLO 3;"
    " SSUBSCRIBE c; GET k; SUNSUBSCRIBE x; SUNSUBSCRIBE"
)
NOT_SUBSCRIBED = [
    "UNSUBSCRIBE; PUNSUBSCRIBE; UNSUBSCRIBE a b; PUNSUBSCRIBE a; GET k",
    pytest.param("SUNSUBSCRIBE; SUNSUBSCRIBE a b; GET k", marks=pytest.mark.needs("SSUBSCRIBE")),
]
LOCKED = (
    "GET k; PING; HELLO 3; AUTH wrong; HELLO 3 AUTH default wrong; HELLO 3 AUTH default secret; GET k; RESET; GET k;"
    " AUTH secret; GET k"
)


def compared(reply: Reply) -> object:
    """What both have to say alike."""
    if isinstance(reply, ReplyError):
        return "error", reply.code
    if isinstance(reply, Push):
        return "push", reply.kind, [compared(item) for item in reply.items]
    if isinstance(reply, dict) and b"server" in reply:
        return "HELLO", reply[b"proto"]
    if isinstance(reply, list):
        return ("HELLO", 2) if b"server" in reply else [compared(item) for item in reply]
    return exact(reply)


def converse(server: Server, conversation: str, peer: Peer, *, in_turn: bool = False) -> None:
    commands = [[word.replace("+", " ") for word in words.split()] for words in conversation.split("; ")]
    blocks = [block for words in commands if isinstance(block := encode_command(words), bytes)]
    assert len(blocks) == len(commands)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        parser, script = Parser(), Parser()
        for sent in blocks if in_turn else [b"".join(blocks)]:
            connection.sendall(sent)
            expected = script.feed(b"".join(peer.receive(sent)))
            assert expected
            said: list[Reply] = []
            while len(said) < len(expected):
                data = connection.recv(65536)
                assert data, f"the real server said no more than {said}"
                said += parser.feed(data)
            assert [compared(reply) for reply in said] == [compared(reply) for reply in expected]
        if peer.closed:
            assert connection.recv(1) == b""


def store() -> Callable[[tuple[bytes, ...]], Reply]:
    """What little data these conversations need."""
    values: dict[bytes, bytes] = {}

    def answer(words: tuple[bytes, ...]) -> Reply:
        match words:
            case [b"SET", key, value]:
                values[key] = value
                return "OK"
            case [b"GET", key]:
                return values.get(key)
        return ReplyError("ERR unknown command")

    return answer


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_both_say_the_same(server: Server, conversation: str) -> None:
    converse(server, conversation, Peer(answer=store(), refused={"NOSUCH": ReplyError("ERR unknown command")}))


@pytest.mark.needs("SSUBSCRIBE")
def test_both_say_the_same_of_shard_channels(server: Server) -> None:
    converse(server, SHARDED, Peer(answer=store()))


@pytest.mark.parametrize("conversation", NOT_SUBSCRIBED)
def test_both_say_the_same_to_those_who_leave_without_having_come(server: Server, conversation: str) -> None:
    nosub = ReplyError("NOSUB command executed not in subscribed mode")  # only Valkey 8.0 says so
    leaving = {"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"}
    refused = dict.fromkeys(leaving, nosub) if (server.product, server.version[:2]) == ("valkey", (8, 0)) else {}
    converse(server, conversation, Peer(answer=store(), refused=refused))


def test_both_say_the_same_to_strangers(start_server: Callable[..., Server]) -> None:
    """In turn: from Redis 7.2 to 8.6 a refused AUTH that is not first in line is never answered (redis/redis#15640)."""
    server = start_server("--requirepass", "secret")
    converse(server, LOCKED, Peer(answer=store(), password=b"secret"), in_turn=True)


def test_both_say_the_same_without_hello(start_server: Callable[..., Server]) -> None:
    server = start_server("--rename-command", "HELLO", "")
    converse(server, "HELLO 3; PING; SELECT 3; GET k", Peer(answer=store(), hello=False))
