"""Reads that ask the cache first, and what writes make fall, in both colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.surface.driver import COLOURS
from resp_sansio import Cache, Command, LocalProtocolError, Observer, ReplyError
from resp_sansio.connection import new_slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)


@pytest.fixture
def client(colour: Colour) -> Iterator[Any]:
    with colour.block(colour.client("redis://stage", cache=Cache(), timeout=3.0)) as made:
        yield made


def asked(opened: Any) -> list[bytes]:
    """The commands that came to its servers, behind the handshake."""
    names = [answer.words[0] for peer in opened._driver.stage.peers.values() for answer in peer.received]
    return [name for name in names if name not in (b"HELLO", b"CLIENT")]


def test_what_was_read_is_given_to_the_next_who_reads_it(colour: Colour, client: Any) -> None:
    assert [colour.do(client.get("k")) for _ in range(3)] == [b"k"] * 3
    assert colour.do(client.execute("GET", b"k")) == b"k"
    assert colour.do(client.execute("GET", "k", decode=True)) == "k"
    assert colour.do(client.text.get("k")) == "k"
    assert colour.do(client.execute(Command("GET", "k", read=lambda reply, _: (reply,)))) == (b"k",)
    assert colour.do(client.execute("GET", "k", timeout=1.0)) == b"k"
    assert asked(client) == [b"GET"]
    assert client._driver.done.count("catch up") == 1  # for the time stands still
    assert client.stats().cache.hits == 7
    with pytest.raises(ValueError, match="timeout"):
        colour.do(client.execute("GET", "k", timeout=-1))


def test_what_was_changed_while_it_caught_up_is_read_again(colour: Colour, client: Any) -> None:
    colour.do(client.get("k"))
    driver = client._driver
    driver.stage.now = 5.0
    driver.catches = lambda: driver.machine.cache.wrote([b"k"])
    assert colour.do(client.get("k")) == b"k"
    assert asked(client) == [b"GET"] * 2


def test_a_command_that_was_made_before_is_read_as_it_says(colour: Colour, client: Any) -> None:
    command = Command("GET", "k", read=lambda reply, _: (reply,))
    assert [colour.do(client.execute(command, timeout=2.0)) for _ in range(2)] == [(b"k",)] * 2
    assert asked(client) == [b"GET"]


def test_other_commands_are_as_ever(colour: Colour, client: Any) -> None:
    assert colour.do(client.execute("TTL", "k", timeout=1.0)) == b"k"
    assert colour.do(client.execute("ECHO", "k")) == b"k"
    assert colour.do(client.execute("LRANGE", "k", 0, b"x", timeout=2.0)) == b"x"
    assert asked(client) == [b"TTL", b"ECHO", b"LRANGE"]


def test_an_error_is_raised(colour: Colour, client: Any) -> None:
    colour.do(client.get("k"))
    client._driver.stage.peers[client._driver.link].answer = lambda _: ReplyError("WRONGTYPE no text")
    for _ in range(2):
        with pytest.raises(ReplyError, match="WRONGTYPE"):
            colour.do(client.get("other"))
    assert asked(client) == [b"GET"] * 3


def kept(colour: Colour, client: Any) -> bool:
    """Is `k` there without a question?"""
    before = len(asked(client))
    colour.do(client.get("k"))
    return len(asked(client)) == before


def test_writes_make_fall_what_they_change_by_whichever_way(colour: Colour, client: Any) -> None:
    def by_lease() -> None:
        with colour.block(client.acquire()) as connection:
            colour.do(connection.get("k"))
            assert kept(colour, client)
            colour.do(connection.execute("SET", "k", "v"))

    def by_pipeline() -> None:
        pipe = client.pipeline()
        pipe.execute("DEL", "k")
        colour.do(pipe.run())

    def of_another_key() -> None:
        colour.do(client.execute("SET", "other", "v"))

    colour.do(client.get("k"))
    assert kept(colour, client)
    of_another_key()
    assert kept(colour, client)
    for write in (by_lease, by_pipeline, lambda: colour.do(client.execute("FLUSHALL"))):
        write()
        assert not kept(colour, client)
        assert kept(colour, client)


def test_a_write_that_fails_may_have_been_one(colour: Colour, client: Any) -> None:
    colour.do(client.get("k"))
    client._driver.strikes = KeyboardInterrupt()
    client._driver.stage.deaf.add(client._driver.link)
    with pytest.raises(KeyboardInterrupt):
        colour.do(client.execute("SET", "k", "v"))
    client._driver.stage.wake()
    assert not kept(colour, client)


def test_writes_begun_ahead_make_fall_what_they_change(colour: Colour, client: Any) -> None:
    for end in ("finish", "give_up", None):
        colour.do(client.get("k"))
        assert kept(colour, client)
        slot = new_slot(("SET", "k", "v"))
        client._calls.ahead(slot)
        assert not kept(colour, client)
        if end == "finish":
            colour.do(client._calls.finish(slot))
        elif end == "give_up":
            client._calls.give_up(slot)
        else:
            client._calls.ahead(new_slot(("PING",)))
        assert not kept(colour, client)
    client._driver.stage.client.close(0.0)
    with pytest.raises(Exception, match="closed"):
        client._calls.ahead(new_slot(("SET", "k", "v")))


def test_a_connection_has_one_until_it_is_changed(colour: Colour) -> None:
    with colour.block(colour.connect(cache=Cache())) as connection:
        assert [colour.do(connection.get("k")) for _ in range(2)] == [b"k"] * 2
        assert asked(connection) == [b"GET"]
        stats = connection.stats()
        assert (stats.sent, stats.cache.hits, stats.cache.misses) == (1, 1, 1)
        colour.do(connection.execute("SELECT", 1))
        assert [colour.do(connection.get("k")) for _ in range(2)] == [b"k"] * 2
        assert asked(connection) == [b"GET", b"SELECT", b"GET", b"GET"]


def test_in_the_child_of_a_fork_nothing_of_its_parents_is_kept(colour: Colour, client: Any) -> None:
    colour.do(client.get("k"))
    assert kept(colour, client)
    driver = client._driver
    driver.machine = driver.stage.client = driver.make(lambda: 0.5)  # as adapters do there
    assert not kept(colour, client)
    assert kept(colour, client)


def test_a_pool_says_why_it_has_none(colour: Colour) -> None:
    with pytest.raises(ValueError, match="cache is no option of Pool"):
        colour.pool("redis://stage", cache=Cache())


def test_observers_are_told_of_reads_that_ask_the_server(colour: Colour) -> None:
    class Told(Observer):
        def __init__(self) -> None:
            self.ended: list[str] = []

        def call_ended(self, call: Any, token: object) -> None:  # noqa: ARG002
            self.ended.append(call.command)

    told = Told()
    with colour.block(colour.client("redis://stage", cache=Cache(), observers=[told])) as client:
        assert [colour.do(client.get("k")) for _ in range(3)] == [b"k"] * 3
        with pytest.raises(LocalProtocolError):
            colour.do(client.execute("SUBSCRIBE", "k"))
    assert told.ended == ["GET", "SUBSCRIBE"]
