"""What the first page promises of the blocking client, on a real server, over each kind of socket."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from resp_sansio import Outcome, ReplyError
from resp_sync import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection(address: str) -> Iterator[Connection]:
    with connect(address) as connection:
        yield connection


def test_the_example(connection: Connection) -> None:
    connection.execute("SET", "k", "v", timeout=1.0)

    with connection.pipeline() as pipe:
        first = pipe.execute("INCR", "n")
        second = pipe.execute("GET", "k")

    assert (first.result(), second.result()) == (1, b"v")


def test_an_error_reply_is_raised_and_the_connection_goes_on(connection: Connection) -> None:
    connection.execute("SET", "k", "v")
    with pytest.raises(ReplyError) as raised:
        connection.execute("LPUSH", "k", "w")
    assert raised.value.code == "WRONGTYPE"
    assert raised.value.outcome is Outcome.REPLY
    assert connection.execute("GET", "k") == b"v"


def test_in_a_pipeline_each_command_has_its_own_reply_or_error(connection: Connection) -> None:
    with connection.pipeline() as pipe:
        good = pipe.execute("SET", "k", "v")
        bad = pipe.execute("INCR", "k")
        after = pipe.execute("GET", "k")
    assert (good.result(), after.result()) == ("OK", b"v")
    with pytest.raises(ReplyError, match="not an integer"):
        bad.result()


def test_a_transaction_runs_whole(connection: Connection) -> None:
    with connection.transaction() as both:
        left = both.execute("DECRBY", "from", 5)
        arrived = both.execute("INCRBY", "to", 5)
    assert (left.result(), arrived.result()) == (-5, 5)


def test_threads_share_the_connection_and_each_gets_its_own_replies(connection: Connection) -> None:
    def opened() -> str:
        """How many connections the server has seen in its life."""
        information = connection.execute("INFO", "stats", decode=True)
        return str(information).partition("total_connections_received:")[2].partition("\r\n")[0]

    before = opened()
    wrong: list[object] = []

    def work(name: int) -> None:
        for number in range(100):
            value = b"%d/%d" % (name, number)
            reply = connection.execute("ECHO", value)
            if reply != value:
                wrong.append((value, reply))
            connection.execute("INCR", "n")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
    assert connection.execute("GET", "n") == b"1600"
    assert opened() == before != ""


def test_values_of_any_bytes_and_sizes_come_back_as_they_went(connection: Connection) -> None:
    for size in (0, 1, 1000, 100_000, 3_000_000):
        value = bytes(number % 251 for number in range(size)) if size < 100_000 else b"\r\n$-1\r\n" * (size // 7)
        connection.execute("SET", "k", value)
        assert connection.execute("GET", "k") == value
