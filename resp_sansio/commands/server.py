"""Commands about the server, the connection to it, and its channels."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import given
from .command import Command
from .readers import bulk, done, facts, moment, settings, whole, word


def ping() -> Command[str]:
    """Return `PONG`."""
    return Command("PING", read=word)


def echo(message: Argument) -> Command[bytes]:
    """Return the message."""
    return Command("ECHO", message, read=bulk)


def time() -> Command[tuple[int, int]]:
    """Return the server's Unix time: seconds, and microseconds on top."""
    return Command("TIME", read=moment)


def info(*sections: Argument) -> Command[dict[str, str]]:
    """Return what the server says of itself, by name; several sections at a time are of Redis 7.0.

    Where several lines have one name (`module`), its value has a line for each.
    """
    return Command("INFO", *sections, read=facts)


def dbsize() -> Command[int]:
    """Return the number of keys."""
    return Command("DBSIZE", read=whole)


def flushdb(*, asynchronous: bool = False) -> Command[None]:
    """Delete all keys of this database."""
    return Command("FLUSHDB", *(("ASYNC",) if given("FLUSHDB", asynchronous=asynchronous) else ()), read=done)


def config_get(parameter: Argument, *parameters: Argument) -> Command[dict[str, str]]:
    """Return the settings that these patterns match; several at a time are of Redis 7.0."""
    return Command("CONFIG GET", parameter, *parameters, read=settings)


def config_set(parameter: Argument, value: Argument) -> Command[None]:
    """Change a setting until the server ends."""
    return Command("CONFIG SET", parameter, value, read=done)


def client_id() -> Command[int]:
    """Return the number of the connection that this is sent on."""
    return Command("CLIENT ID", read=whole)


def publish(channel: Argument, message: Argument) -> Command[int]:
    """Send a message to all who listen; return how many there are (on this server)."""
    return Command("PUBLISH", channel, message, read=whole)


def wait(numreplicas: int, timeout: int) -> Command[int]:
    """Wait until replicas have what was written before on this connection; return how many have.

    Up to `timeout` milliseconds, 0 for ever.
    """
    return Command("WAIT", numreplicas, timeout, read=whole)
