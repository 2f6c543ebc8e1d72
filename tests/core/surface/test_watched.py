"""Watched transactions of a cluster's client, in both colours: they go on where the slot of their keys is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.surface.cluster import OF_A, OF_B, URL, A, B, Servers
from core.surface.driver import COLOURS
from resp_sansio import (
    ConnectionLostError,
    CrossSlotError,
    LocalProtocolError,
    Outcome,
    ReplyError,
    TransactionDiscardedError,
)
from resp_sansio.client.hash_slots import slot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.surface.driver import Colour

pytestmark = pytest.mark.parametrize("colour", COLOURS, ids=repr)

SLOT = slot_of(OF_A.encode())


@pytest.fixture
def servers(colour: Colour) -> Iterator[Servers]:
    client = colour.client(URL, timeout=3.0)
    servers = Servers(client)
    with colour.block(client):
        yield servers


def transact(colour: Colour, servers: Servers, *commands: Any, read: Any = ("GET", OF_A), keys: Any = (OF_A,)) -> int:
    """Read and write; return how often that was tried."""
    tries = []

    def work(transaction: Any) -> None:
        tries.append(transaction)
        if read:
            colour.do(transaction.read(*read))
        for command in commands or [("SET", OF_A, "v")]:
            transaction.execute(*command)

    colour.do(servers.client.transact(colour.update(work), *keys, attempts=1))
    return len(tries)


def at(servers: Servers, name: str) -> list[int]:
    """Which servers were asked this."""
    return [port for port, words in servers.asked if words[0] == name.encode()]


@pytest.mark.parametrize("where", ["WATCH", "GET", "SET", "EXEC"])
@pytest.mark.parametrize("code", [f"MOVED {SLOT} stage:{B}", "TRYAGAIN later", f"ASK {SLOT} stage:{B}"])
def test_a_redirect_leads_to_another_attempt_which_does_not_count(
    colour: Colour, servers: Servers, where: str, code: str
) -> None:
    said: list[int] = []

    def refuses(_: int, words: tuple[bytes, ...]) -> ReplyError | None:
        moves = code.startswith("MOVED")
        if words[0] != where.encode() or len(said) == (1 if moves else 2):
            return None
        said.append(1)
        if moves:
            servers.owners[0] = B
        return ReplyError(code)

    servers.refuses = refuses
    before = servers.stage.now
    tries = transact(colour, servers)
    assert tries == (1 if where == "WATCH" else 2 if code.startswith("MOVED") else 3)
    assert at(servers, "SET")[-1] == (B if code.startswith("MOVED") else A)
    assert (servers.stage.now > before) is not code.startswith("MOVED")  # a pause, until the slot has arrived


def half_way(servers: Servers, *, gone: bytes = OF_A.encode()) -> None:
    """The slot of a key is moved from A to B, and the key has been."""

    def refuses(port: int, words: tuple[bytes, ...]) -> ReplyError | None:
        if port == A and gone in words:
            return ReplyError(f"ASK {SLOT} stage:{B}")
        return None

    servers.refuses = refuses


def names(servers: Servers, port: int) -> list[str]:
    """What a server was asked, without what a transaction consists of."""
    return [words[0].decode() for at, words in servers.asked if at == port and words[0] != b"PING"]


def test_while_the_slot_is_half_way_each_step_stands_behind_asking(colour: Colour, servers: Servers) -> None:
    half_way(servers)
    assert transact(colour, servers) == 1
    assert names(servers, B) == ["ASKING", "ASKING", "GET", "ASKING", "SET"]
    assert servers.stage.now == 0.0
    assert servers.client.stats().asked == 1


def test_what_it_does_not_watch_is_waited_for(colour: Colour, servers: Servers) -> None:
    half_way(servers)
    other = f"{{{OF_A}}}2"
    for read in (("GET", other), ("EVAL", "return 1", 0), ("MY.LOOKUP", OF_A)):
        servers.asked.clear()
        with pytest.raises(ReplyError, match="^ASK") as caught:
            transact(colour, servers, read=read)
        assert caught.value.__notes__[-1].startswith(f"{read[0]} was to wait until the slot had arrived")
        assert names(servers, B) == ["ASKING"]
    servers.asked.clear()
    with pytest.raises(ReplyError, match="^ASK"):
        transact(colour, servers, ("SET", other, "v"), read=("PING",))
    assert at(servers, "SET") == []


def test_where_all_share_one_link_it_is_waited_for_as_well(colour: Colour) -> None:
    client = colour.client(URL, timeout=3.0, max_connections=1)
    servers = Servers(client)
    half_way(servers)
    with colour.block(client), pytest.raises(ReplyError, match="^ASK"):
        transact(colour, servers)
    assert names(servers, B) == []


def test_a_link_that_ends_between_two_steps_of_that_costs_another_attempt(colour: Colour, servers: Servers) -> None:
    half_way(servers)
    tries = []

    def work(transaction: Any) -> None:
        tries.append(colour.do(transaction.read("GET", OF_A)))
        if len(tries) == 1:
            servers.cut()
        transaction.execute("SET", OF_A, "v")

    colour.do(servers.client.transact(colour.update(work), OF_A, attempts=1))
    assert tries == [OF_A.encode()] * 2
    assert at(servers, "SET") == [B]


def test_a_server_that_is_lost_before_anything_was_executed_does_not_end_it(colour: Colour, servers: Servers) -> None:
    def cut(_: int, words: tuple[bytes, ...]) -> Any:
        if words[0] == b"GET":
            servers.says = lambda _, words: words[-1]
            servers.cut()
        return words[-1]

    servers.says = cut
    assert transact(colour, servers) == 2


@pytest.mark.parametrize("read", [("SET", OF_A, "read"), ("EVAL", "return 1", 1, OF_A)])
def test_one_that_may_have_executed_something_does(colour: Colour, servers: Servers, read: Any) -> None:
    def cut(_: int, words: tuple[bytes, ...]) -> Any:
        servers.cut()
        return words[-1]

    servers.says = cut
    with pytest.raises(ConnectionLostError) as caught:
        transact(colour, servers, read=read)
    assert caught.value.outcome is Outcome.MAYBE_EXECUTED


def test_what_is_said_of_another_slot_is_the_callers(colour: Colour, servers: Servers) -> None:
    servers.says = lambda *_: ReplyError(f"MOVED {SLOT + 1} stage:{B}")
    with pytest.raises(ReplyError, match="^MOVED"):
        transact(colour, servers)


def test_it_ends_with_the_last_error_where_no_pause_fits(colour: Colour, servers: Servers) -> None:
    servers.says = lambda *_: ReplyError("TRYAGAIN later")
    with pytest.raises(ReplyError, match="^TRYAGAIN"):
        transact(colour, servers)
    assert servers.stage.now <= 3.0


def test_keys_elsewhere_are_told_before_they_are_sent(colour: Colour, servers: Servers) -> None:
    for wrong in ({"read": ("GET", OF_B)}, {"read": None, "keys": (OF_A, OF_B)}):
        with pytest.raises(CrossSlotError):
            transact(colour, servers, **wrong)
    with pytest.raises(CrossSlotError, match="command 1, WATCH"):
        transact(colour, servers, ("SET", OF_B, "v"))
    assert at(servers, "SET") == []
    assert set(at(servers, "GET")) == {A}


def test_errors_of_others_are_not_its_own(colour: Colour, servers: Servers) -> None:
    def work(_: Any) -> None:
        raise ReplyError(f"MOVED {SLOT} stage:{B}")

    with pytest.raises(ReplyError, match="^MOVED"):
        colour.do(servers.client.transact(colour.update(work), OF_A))


def test_a_client_that_is_closed_meanwhile_tries_nothing_anew(colour: Colour, servers: Servers) -> None:
    def close(_: int, words: tuple[bytes, ...]) -> Any:
        servers.client._driver.machine.close(servers.stage.now)
        return words[-1]

    servers.says = close
    with pytest.raises((LocalProtocolError, ConnectionLostError)):
        transact(colour, servers)


def test_a_connection_is_not_moved_by_it(colour: Colour, servers: Servers) -> None:
    servers.refuses = lambda _, words: ReplyError(f"MOVED {SLOT} stage:{B}") if words[0] == b"SET" else None

    def work(transaction: Any) -> None:
        transaction.execute("SET", OF_A, "v")

    with (
        colour.block(servers.client.acquire(key=OF_A)) as connection,
        pytest.raises((ReplyError, TransactionDiscardedError)),
    ):
        colour.do(connection.transact(colour.update(work), OF_A))
