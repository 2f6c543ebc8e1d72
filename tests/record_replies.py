"""Record what a server with modules says to the commands of `tests/core/commands/recordings`, on RESP2 and on RESP3.

    PYTHONPATH=tests:adapters:. python tests/record_replies.py path/to/redis-server path/to/rejson.so path/to/redisearch.so

For each group the server is started empty twice, once for each protocol. A group whose commands this server does not know is left
as it is. What the commands must return is in the recordings' own files: a changed reply fails the core's tests.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any, Final

from core.commands.recorded import FOLDER, GROUPS, Said, steps_of
from resp_sansio import ReplyError
from resp_sansio.wire import CommandParser, Parser, encode_command
from resp_sansio.wire.encoder import Argument
from servers import Server

TIMEOUT: Final = 30


def ask(connection: socket.socket, data: bytes) -> bytes:
    """Send a command, and return the bytes of its reply."""
    connection.sendall(data)
    parser, said = Parser(), b""
    while True:
        block = connection.recv(65536)
        if not block:
            raise EOFError("the server hung up")
        said += block
        if parser.feed(block):
            return said


def record(server: Server, group: str, protocol: int) -> list[tuple[list[bytes], bytes]]:
    """Execute the commands of a group on a server that is empty; return their words, and the replies."""
    found: list[tuple[list[bytes], bytes]] = []
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        ask(connection, encoded("HELLO", protocol))
        for command, _ in steps_of(group):
            data = encoded(*command.args)
            (words,) = CommandParser().feed(data)
            found.append((words, ask(connection, data)))
    return found


def encoded(*args: Argument) -> bytes:
    """Return the bytes of a command."""
    data = encode_command(args)
    return data if isinstance(data, bytes) else b"".join(data)


def modules_of(server: Server) -> str:
    """Return what the server is, with its modules."""
    loaded: Any = server.call("MODULE", "LIST")
    named = [dict(zip(each[::2], each[1::2], strict=True)) for each in loaded]
    shown = [f"{each[b'name'].decode()} {version(each[b'ver'])}" for each in named]
    return ", ".join([f"{server.product.capitalize()} {'.'.join(map(str, server.version))}", *sorted(shown)])


def version(number: int) -> str:
    """Return 20803 as 2.8.3."""
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def main(executable: str, *modules: str) -> None:
    """Record all groups."""
    arguments = [word for module in modules for word in ("--loadmodule", str(Path(module).absolute()))]
    for group in filter(steps_of, GROUPS):
        both, name = [], ""
        for protocol in (2, 3):
            with Server(*arguments, executable=Path(executable)) as server:
                both.append(record(server, group, protocol))
                name = modules_of(server)
        said = [Said(words, resp2, resp3) for (words, resp2), (_, resp3) in zip(*both, strict=True)]
        refused = [each for each in said if isinstance(Parser().feed(each.resp2)[0], ReplyError)]
        for each in refused[:3]:
            print(f"{group}: {name} refused {b' '.join(each.words)!r}: {each.resp2!r}")
        if refused:
            continue
        lines = [name, *[repr(part) for each in said for part in each]]
        (FOLDER / f"{group}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
        print(f"{group}: {len(said)} commands, from {name}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
