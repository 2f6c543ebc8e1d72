"""Each builder of `commands` against a real server: the same value of the same type on both protocols, whatever `decode` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import pytest
import redis

from adapters.typed.families import FAMILIES, SOURCES, Family, check, check_redis_py, check_text, each
from core.commands.recorded import GROUPS
from resp_sansio import Command, ReplyError, UnexpectedReplyError, commands
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sync import Connection
    from servers import Server


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def connection(request: pytest.FixtureRequest, server: Server) -> Iterator[Connection[str]]:
    protocol: Literal[2, 3] = request.param
    with connect(server.url, protocol=protocol, decode=True) as connection:
        yield connection


@pytest.mark.parametrize("family", each(FAMILIES))
def test_results_are_the_same_on_both_protocols(connection: Connection, family: Family) -> None:
    connection.execute("SCRIPT", "FLUSH")
    check(connection, family)


@pytest.mark.parametrize("family", each(FAMILIES))
def test_all_data_is_text_where_it_is_asked_for(connection: Connection, family: Family) -> None:
    connection.execute("SCRIPT", "FLUSH")
    check_text(connection, family)


@pytest.mark.parametrize("family", each([family for family in FAMILIES if family.compares]))
def test_redis_py_returns_the_same(server: Server, family: Family) -> None:
    with connect(server.url) as connection, redis.Redis.from_url(server.url) as redis_py:
        check_redis_py(connection, redis_py, family)


def test_every_builder_is_executed() -> None:
    executed = {name for source in SOURCES.values() for name in re.findall(r"\bcommands\.(\w+)\(", source)}
    recorded = {name for source in GROUPS.values() for name in re.findall(r"\bcommands\.(\w+)\(", source)}
    assert {*dir(commands)} - {"text"} - executed - recorded == set()


def test_text_where_it_is_asked_for(connection: Connection) -> None:
    connection.execute(commands.hset("h", "€", "ü"))
    assert connection.execute(commands.text(commands.hgetall("h"))) == {"€": "ü"}
    assert connection.execute(commands.text(commands.hmget("h", "€", "none"))) == ["ü", None]
    assert (
        connection.execute(commands.hget("h", "€")) == "ü".encode()
    )  # although the connection was opened with decode=True


def test_a_reply_to_something_else_is_an_error_of_its_own_and_the_connection_lives_on(connection: Connection) -> None:
    with connection.pipeline() as pipe:
        pipe.execute("MULTI")
        count = pipe.execute(commands.incr("n"))
        pipe.execute("EXEC")
    with pytest.raises(
        UnexpectedReplyError, match="^INCR: an integer was expected, and the simple string 'QUEUED' came\n"
    ) as caught:
        count.result()
    assert caught.value.__notes__ == ["command 2 of 3 in the pipeline: INCR"]
    with pytest.raises(UnexpectedReplyError, match="^ECHO: an integer was expected, and bytes came$"):
        connection.execute(Command("ECHO", "m", read=commands.incr("n").read))
    assert connection.execute(commands.incr("n")) == 2


@pytest.mark.parametrize("login", [{"auth": "secret"}, {"auth2": ("default", "secret")}], ids=["auth", "auth2"])
def test_keys_are_moved_to_another_server(
    connection: Connection, start_server: Callable[..., Server], login: dict[str, Any]
) -> None:
    other = start_server("--requirepass", "secret")
    connection.mset({"k": "v", "l": "w"})
    assert connection.migrate("127.0.0.1", other.port, "k", 1, 5000, copy=True, **login) is True
    with pytest.raises(ReplyError, match="withheld: it may repeat a secret"):
        connection.migrate("127.0.0.1", other.port, "k", 1, 5000, **login)
    assert connection.migrate("127.0.0.1", other.port, "k", 1, 5000, "l", "none", replace=True, **login) is True
    assert connection.exists("k", "l") == 0
    with connect(other.url, password="secret", db=1) as there:
        assert there.mget("k", "l") == [b"v", b"w"]


def test_in_a_pipeline_each_has_its_own(connection: Connection) -> None:
    with connection.pipeline() as pipe:
        stored = pipe.execute(commands.set("k", "v"))
        wrong = pipe.execute(commands.lrange("k", 0, 1))
        members = pipe.execute(commands.smembers("none"))
    assert (stored.result(), members.result()) == (True, set())
    with pytest.raises(ReplyError, match="WRONGTYPE"):
        wrong.result()
    with connection.transaction() as transaction:
        scores = transaction.execute(commands.zadd("z", {"m": 1})), transaction.execute(commands.zpopmin("z"))
    assert [score.result() for score in scores] == [1, (b"m", 1.0)]
