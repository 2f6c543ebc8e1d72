"""Where a dial leads: the addresses of its server, those that take a look-up and those that do not."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import pytest

from resp_sansio import Config, ConnectError
from resp_sansio.client import Dial
from resp_sansio.client.forks import GATE
from resp_sansio.client.sentinel import Way
from resp_sansio.config import Addresses
from resp_sansio.connection.handshake import Fallback

FOUND: Final = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 6379))]


def dial_of(config: Config) -> Dial:
    way = Way(config, Addresses(config), Fallback().opening())
    return Dial(None, None, 0.0, 5.0, 0, way)


class Resolver(ModuleType):
    """The module `socket`, whose `getaddrinfo` does as it is told, and notes what it was asked and whether forks wait."""

    AF_UNIX = socket.AF_UNIX
    SOCK_STREAM = socket.SOCK_STREAM
    AI_NUMERICHOST = socket.AI_NUMERICHOST

    def __init__(self, answer: Callable[[], Any]) -> None:
        super().__init__("socket")
        self.asked: list[tuple[object, int, int, bool]] = []
        self.answer = answer

    def getaddrinfo(self, host: object, port: int, *, type: int, flags: int = 0) -> Any:
        assert type == socket.SOCK_STREAM
        self.asked.append((host, port, flags, bool(GATE.inside)))
        return self.answer()


def raising(error: OSError) -> Resolver:
    def answer() -> Any:
        raise error

    return Resolver(answer)


def test_a_path_is_asked_of_nobody() -> None:
    resolver = raising(OSError(1, "in vain"))
    found = dial_of(Config(path="/run/redis.sock")).addresses(resolver)
    assert found == [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/redis.sock")]
    assert resolver.asked == []


def test_digits_take_no_look_up() -> None:
    resolver = Resolver(lambda: FOUND)
    assert dial_of(Config(host="10.0.0.1")).addresses(resolver) == FOUND
    assert resolver.asked == [(b"10.0.0.1", 6379, socket.AI_NUMERICHOST, False)]


def test_a_name_is_looked_up_while_forks_wait() -> None:
    resolver = Resolver(lambda: FOUND)
    assert dial_of(Config(host="cache.example", port=7000)).look_up(resolver) == FOUND
    assert resolver.asked == [(b"cache.example", 7000, 0, True)]
    assert not GATE.inside


def test_a_name_is_no_digits_and_may_be_unknown() -> None:
    unknown = raising(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    dial = dial_of(Config(host="bücher.example"))
    assert dial.addresses(unknown) is None
    with pytest.raises(ConnectError, match="cannot resolve 'bücher.example': Name or service not known") as caught:
        dial.look_up(unknown)
    assert caught.value.transient
    assert [host for host, *_ in unknown.asked] == ["bücher.example"] * 2
    assert not GATE.inside


def test_what_a_signal_handler_raises_is_no_answer() -> None:
    """It has no number, as all errors of the system have."""
    struck = raising(TimeoutError("the handler's"))
    dial = dial_of(Config(host="cache.example"))
    for ask in (dial.addresses, dial.look_up):
        with pytest.raises(TimeoutError, match="the handler's"):
            ask(struck)
    assert not GATE.inside
