"""What the socket of an idle link has to say is read before a call goes by it: of a cluster, the link to that call's server."""

from __future__ import annotations

import pytest

from core.client.town import A, B, C, Town, key
from resp_sansio.connection import Slot, new_batch, new_slot, prepare


def batch(*commands: tuple[str, ...]) -> Slot:
    prepared = [prepare(words) for words in commands]
    return new_batch([payload for payload, _ in prepared], [info for _, info in prepared])


CALLS = {
    "a command": (new_slot(("GET", key(B))), B),
    "a pipeline": (batch(("PING",), ("GET", key(C)), ("GET", key(A))), C),
    "a transaction": (batch(("MULTI",), ("INCR", key(A)), ("EXEC",)), A),
}


def opened() -> Town:
    town = Town()
    for place in (A, B, C):
        town.call("GET", key(place))
    return town


@pytest.mark.parametrize("call", CALLS)
def test_it_is_that_to_the_server_of_the_first_key(call: str) -> None:
    slot, place = CALLS[call]
    town = opened()
    assert town.client.idle_link(None, slot) is town.link_to(place)
    town.cut(town.link_to(place))
    assert town.client.idle_link(None, slot) is None


@pytest.mark.parametrize("slot", [new_slot(("ECHO", "x")), batch(("ECHO", "y"), ("ECHO", "x"))])
def test_without_a_key_it_is_that_by_which_the_call_goes(slot: Slot) -> None:
    town = opened()
    idle = town.client.idle_link(None, slot)
    assert idle is not None
    town.submit(slot)
    assert town[idle.home.place].executed[-1] == (b"ECHO", b"x")


def test_there_is_none_before_the_map_is_there_nor_after_the_end() -> None:
    town = Town()
    slot = new_slot(("PING",))
    assert town.client.idle_link(None, slot) is None
    assert town.client.idle_link() is None
    town = opened()
    town.client.close(town.now)
    assert town.client.idle_link(None, slot) is None
