"""The table and the hand-kept rules against the server there is: it knows best which commands it has and where their keys are."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from core.commands.rows import SENT
from generate_command_table import lines, versions
from resp_sansio._errors import ReplyError
from resp_sansio.commands.knowledge import BLOCKING, command_info, command_keys
from resp_sansio.commands.table import TABLE
from resp_sansio.commands.words import text_of, words_of
from resp_sansio.wire.encoder import encode_command
from resp_sansio.wire.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resp_sansio.wire.encoder import Argument
    from resp_sansio.wire.values import Reply
    from servers import Server

pytestmark = pytest.mark.needs("COMMAND DOCS")


class Asker:
    """One socket, our encoder, our parser, and nothing else."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parser = Parser()

    def ask(self, *args: Argument) -> Reply:
        request = encode_command(args)
        assert isinstance(request, bytes)
        self._connection.sendall(request)
        while not (replies := self._parser.feed(self._connection.recv(65536))):
            assert self._parser.error is None
        (reply,) = replies
        return reply

    def commands(self) -> Any:
        return as_resp2_bytes(self.ask("COMMAND"))

    def docs(self) -> Any:
        return as_resp2_bytes(self.ask("COMMAND", "DOCS"))


def as_resp2_bytes(value: Reply) -> Any:
    """Simple strings as bytes, as the generator reads them."""
    if isinstance(value, list):
        return [as_resp2_bytes(item) for item in value]
    return value.encode() if isinstance(value, str) else value


@pytest.fixture
def asker(server: Server) -> Iterator[Asker]:
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as connection:
        yield Asker(connection)


def test_every_command_of_the_server_is_known_as_the_server_knows_it(asker: Asker, server: Server) -> None:
    product = server.product.capitalize()
    newest = max(brought(line, product) for line in TABLE.values())
    for name, line in lines(asker.commands(), product, dict(versions(asker.docs()))):
        if name not in TABLE and version(line.since.get(product, "0")) > newest:
            continue  # of a server from after the table
        if "." in name:
            continue  # a module's: the table does not take a server's word for it
        flags, keys, _ = TABLE[name].split(" ", 2)
        assert line.flags <= set(flags), name
        assert line.keys == keys, name
        info = command_info((name,))
        assert info.readonly or "r" not in line.flags
        assert not (info.readonly and "w" in line.flags)
        assert name in BLOCKING or "b" not in line.flags
        assert info.denied_in_multi or "n" not in line.flags


def brought(line: str, product: str) -> tuple[int, ...]:
    """Return the version of this product that a line of the table names, if it does."""
    found = re.search(rf"\b{product} ([\d.]+)", line)
    return version(found[1] if found else "0")


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_the_table_has_no_command_that_a_server_of_that_age_lacks(asker: Asker, server: Server) -> None:
    product = server.product.capitalize()
    names = {name for name, _ in lines(asker.commands(), product, dict(versions(asker.docs())))}
    for name, line in TABLE.items():
        since = line.split(" ", 2)[2]
        if name.startswith("SENTINEL") or "." in name:
            continue
        if since[0].isdigit():
            assert name in names or version(since) > min(server.version, (7, 2)), name
        else:
            assert name in names or not (0,) < brought(line, product) <= server.version, name


def test_the_timeout_is_where_the_server_documents_it(asker: Asker) -> None:
    docs = as_map(asker.docs())
    for name, blocking in BLOCKING.items():
        if (facts := docs.get(name.lower().encode())) is None or name == "DEBUG":
            continue  # newer than this server; not documented in detail
        arguments = [as_map(argument) for argument in as_map(facts)[b"arguments"]]
        if blocking.option:
            (timeout,) = [argument for argument in arguments if argument.get(b"token") == blocking.option.encode()]
        else:
            at = [argument[b"name"] for argument in arguments].index(b"timeout")
            timeout = arguments[at]
            repeated = any(b"multiple" in argument.get(b"flags", []) for argument in arguments[:at])
            assert blocking.position == (at - len(arguments) if repeated else at + 1), name
        assert timeout[b"type"] == (b"double" if blocking.unit == 1 else b"integer"), name


def as_map(flat: Any) -> dict[bytes, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.mark.parametrize(
    "args",
    [
        ("GET", "k"),
        ("MSET", "a", 1, "b", 2),
        ("DEL", "a", "b", "c"),
        ("BLPOP", "a", "b", 0),
        ("BLMPOP", 0, 2, "a", "b", "LEFT"),
        ("LCS", "a", "b"),
        ("BITOP", "AND", "to", "a", "b"),
        ("RENAME", "a", "b"),
        ("OBJECT", "ENCODING", "k"),
        ("MEMORY", "USAGE", "k"),
        ("XGROUP", "CREATE", "k", "g", "$"),
        ("XADD", "k", "*", "f", "v"),
        ("XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "a", "b", "0", "0"),
        ("XREADGROUP", "GROUP", "streams", "me", "STREAMS", "a", "b", ">", ">"),
        ("EVAL", "return 1", 2, "a", "b", "c"),
        ("FCALL", "f", 1, "a", "c"),
        ("ZUNIONSTORE", "to", 2, "a", "b", "WEIGHTS", 1, 2),
        ("ZDIFF", 2, "a", "b", "WITHSCORES"),
        ("SINTERCARD", 2, "a", "b", "LIMIT", 3),
        ("SINTERSTORE", "to", "a", "b"),
        ("SORT", "k", "BY", "store", "LIMIT", 0, 1, "GET", "store", "STORE", "to"),
        ("SORT", "k", "STORE", "first", "STORE", "to"),
        ("SORT", "k", "ALPHA"),
        ("SORT_RO", "k", "BY", "w_*"),
        ("MIGRATE", "h", 6379, "k", 0, 99),
        ("MIGRATE", "h", 6379, "", 0, 99, "COPY", "AUTH", "keys", "KEYS", "a", "keys", "c"),
        ("MIGRATE", "h", 6379, "", 0, 99, "AUTH2", "keys", "auth", "KEYS", "a", "b"),
        ("GEORADIUS", "k", 1, 2, 3, "km", "COUNT", 3, "STORE", "to"),
        ("GEORADIUSBYMEMBER", "k", "store", 3, "km", "STOREDIST", "to"),
        ("GEOSEARCHSTORE", "to", "k", "FROMMEMBER", "m", "BYRADIUS", 1, "km"),
        ("COPY", "a", "b", "DB", 1),
        ("LMOVE", "a", "b", "LEFT", "RIGHT"),
        ("WATCH", "a", "b"),
        ("PFDEBUG", "GETREG", "k"),
    ],
    ids=lambda args: " ".join(map(str, args)),
)
def test_keys_are_where_the_server_finds_them(asker: Asker, args: tuple[Argument, ...]) -> None:
    found = asker.ask("COMMAND", "GETKEYS", *args)
    assert not isinstance(found, ReplyError)
    assert [str(args[index]).encode() for index in command_keys(args)] == found


def test_keys_of_what_builders_send_are_where_the_server_finds_them(asker: Asker) -> None:
    agreed = 0
    for command, row in SENT:
        words = words_of(command.args)
        keys = [words[index] for index in command_keys(command.args)]
        found = asker.ask("COMMAND", "GETKEYS", *words)
        if "!" in TABLE[command.info.name].split(" ")[1]:
            assert len(keys) == 1, row  # it has a slot and is no key: a channel, a cursor
        elif isinstance(found, ReplyError):
            assert not keys or "has no key arguments" not in str(found), (
                row
            )  # else a command that is newer than the server
        else:
            assert as_resp2_bytes(found) == [text_of(key).encode() for key in keys], row
            agreed += 1
    assert agreed > 300


@pytest.mark.parametrize("args", [("PING",), ("EVAL", "return 1", 0), ("CONFIG", "GET", "x"), ("SUBSCRIBE", "channel")])
def test_no_keys_where_the_server_finds_none(asker: Asker, args: tuple[Argument, ...]) -> None:
    assert isinstance(asker.ask("COMMAND", "GETKEYS", *args), ReplyError) or command_keys(args) == []
    assert command_keys(args) == []
