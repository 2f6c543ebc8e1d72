"""Each builder of `commands` against a real server: the same value of the same type on both protocols, whatever `decode` says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from resp_sansio import Command, Entry, ReplyError, UnexpectedReplyError, commands
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resp_sync import Connection
    from servers import Server

Step = tuple[Command[Any], object]


class Like:
    """What is not the same each time: a value of this type of which something holds."""

    def __init__(self, kind: type, holds: Callable[[Any], object] = bool) -> None:
        self.kind, self.holds = kind, holds


DIGEST = b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"  # of "return 1"

# By family: commands in their order, each with what it returns on a server that was empty before the first of them.
FAMILIES: dict[str, list[Step]] = {
    "strings": [
        (commands.get("k"), None),
        (commands.set("k", "v", nx=True, ex=100), True),
        (commands.set("k", "w", nx=True), False),
        (commands.get("k"), b"v"),
        (commands.append("k", "w"), 2),
        (commands.strlen("k"), 2),
        (commands.setrange("k", 1, "xyz"), 4),
        (commands.getrange("k", 0, 1), b"vx"),
        (commands.getrange("none", 0, 1), b""),
        (commands.mset({"a": 1, b"b": b"\xff", "c": 1.5}), None),
        (commands.mget("a", "none", "b", "c"), [b"1", None, b"\xff", b"1.5"]),
        (commands.msetnx({"d": 1, "a": 2}), False),
        (commands.msetnx({"d": 1}), True),
        (commands.incr("a"), 2),
        (commands.incrby("a", 5), 7),
        (commands.decr("a"), 6),
        (commands.decrby("a", 8), -2),
        (commands.incrbyfloat("a", 0.5), -1.5),
        (commands.incrbyfloat("a", 1.5), 0.0),
    ],
    "keys": [
        (commands.set("k", "v"), True),
        (commands.ttl("k"), -1),
        (commands.pttl("none"), -2),
        (commands.expire("k", 100), True),
        (commands.expire("none", 100), False),
        (commands.ttl("k"), 100),
        (commands.pexpire("k", 100_000), True),
        (commands.expireat("k", 2**33), True),
        (commands.pexpireat("k", 2**43), True),
        (commands.pttl("k"), Like(int, lambda left: left > 2**42)),
        (commands.persist("k"), True),
        (commands.persist("k"), False),
        (commands.type("k"), "string"),
        (commands.type("none"), "none"),
        (commands.exists("k", "k", "none"), 2),
        (commands.touch("k", "none"), 1),
        (commands.rename("k", "l"), None),
        (commands.set("k", "v"), True),
        (commands.renamenx("k", "l"), False),
        (commands.renamenx("k", "m"), True),
        (commands.keys("[lm]"), Like(list, lambda keys: sorted(keys) == [b"l", b"m"])),
        (commands.scan(0, match="l", count=100, type="string"), (0, [b"l"])),
        (commands.delete("l", "none"), 1),
        (commands.unlink("m"), 1),
        (commands.scan(), (0, [])),
    ],
    "hashes": [
        (commands.hset("h", "a", 1), 1),
        (commands.hset("h", "a", 2, mapping={"b": b"\x00"}), 1),
        (commands.hsetnx("h", "a", 3), False),
        (commands.hget("h", "a"), b"2"),
        (commands.hget("h", "none"), None),
        (commands.hgetall("h"), {b"a": b"2", b"b": b"\x00"}),
        (commands.hgetall("none"), {}),
        (commands.hmget("h", "b", "none"), [b"\x00", None]),
        (commands.hexists("h", "b"), True),
        (commands.hdel("h", "b", "none"), 1),
        (commands.hincrby("h", "a", 3), 5),
        (commands.hincrbyfloat("h", "a", 0.25), 5.25),
        (commands.hlen("h"), 1),
        (commands.hkeys("h"), [b"a"]),
        (commands.hvals("h"), [b"5.25"]),
        (commands.hscan("h"), (0, {b"a": b"5.25"})),
    ],
    "lists": [
        (commands.rpush("l", "a", "b", "c", "d", "a"), 5),
        (commands.lpush("l", "z"), 6),
        (commands.llen("l"), 6),
        (commands.lrange("l", 0, -1), [b"z", b"a", b"b", b"c", b"d", b"a"]),
        (commands.lrange("none", 0, -1), []),
        (commands.lindex("l", 1), b"a"),
        (commands.lindex("l", 99), None),
        (commands.lset("l", 0, "y"), None),
        (commands.lrem("l", -1, "a"), 1),
        (commands.lpop("l"), b"y"),
        (commands.rpop("l"), b"d"),
        (commands.lpop("none"), None),
        (commands.blpop("none", "l", timeout=1), (b"l", b"a")),
        (commands.brpop("l", timeout=0), (b"l", b"c")),
        (commands.ltrim("l", 0, 0), None),
        (commands.rpop("l"), b"b"),
        (commands.blpop("l", timeout=0.01), None),
    ],
    "sets": [
        (commands.sadd("s", "a", "b", 3), 3),
        (commands.sadd("t", "b", "c"), 2),
        (commands.smembers("s"), {b"a", b"b", b"3"}),
        (commands.smembers("none"), set()),
        (commands.sismember("s", "a"), True),
        (commands.sismember("s", "c"), False),
        (commands.scard("s"), 3),
        (commands.sinter("s", "t"), {b"b"}),
        (commands.sunion("s", "t"), {b"a", b"b", b"c", b"3"}),
        (commands.sdiff("s", "t"), {b"a", b"3"}),
        (commands.srem("s", "3", "none"), 1),
        (commands.sscan("s"), Like(tuple, lambda found: (found[0], sorted(found[1])) == (0, [b"a", b"b"]))),
        (commands.srandmember("s"), Like(bytes)),
        (commands.srandmember("none"), None),
        (commands.srandmember_count("s", -3), Like(list, lambda found: len(found) == 3)),
        (commands.spop_count("s", 9), {b"a", b"b"}),
        (commands.spop("t"), Like(bytes)),
        (commands.spop("none"), None),
    ],
    "sorted sets": [
        (commands.zadd("z", {"a": 1, "b": 2.5, "c": math.inf}), 3),
        (commands.zadd("z", {"a": 1.5}, xx=True, ch=True), 1),
        (commands.zadd("z", {"a": 9}, nx=True), 0),
        (commands.zscore("z", "b"), 2.5),
        (commands.zscore("z", "c"), math.inf),
        (commands.zscore("z", "none"), None),
        (commands.zincrby("z", 0.25, "a"), 1.75),
        (commands.zcard("z"), 3),
        (commands.zcount("z", "(1.75", "+inf"), 2),
        (commands.zrank("z", "b"), 1),
        (commands.zrank("z", "none"), None),
        (commands.zrevrank("z", "c"), 0),
        (commands.zrange("z", 0, -1), [b"a", b"b", b"c"]),
        (commands.zrange_withscores("z", 0, 1), [(b"a", 1.75), (b"b", 2.5)]),
        (commands.zrange_withscores("none", 0, 1), []),
        (commands.zrangebyscore("z", 2, 3), [b"b"]),
        (commands.zrangebyscore_withscores("z", "-inf", "+inf", limit=(1, 1)), [(b"b", 2.5)]),
        (commands.zscan("z"), (0, [(b"a", 1.75), (b"b", 2.5), (b"c", math.inf)])),
        (commands.zpopmin("z"), (b"a", 1.75)),
        (commands.zpopmax("z"), (b"c", math.inf)),
        (commands.zpopmin("none"), None),
        (commands.zadd("z", {"c": -0.1, "d": 7}), 2),
        (commands.zpopmin_count("z", 1), [(b"c", -0.1)]),
        (commands.zpopmax_count("z", 9), [(b"d", 7.0), (b"b", 2.5)]),
        (commands.zpopmax_count("z", 9), []),
        (commands.zadd("z", {"a": 1, "b": 2, "c": 3}), 3),
        (commands.zrem("z", "a"), 1),
        (commands.zremrangebyrank("z", 0, 0), 1),
        (commands.zremrangebyscore("z", 3, 3), 1),
    ],
    "streams": [
        (commands.xadd("x", {"f": 1}, id="1-1"), b"1-1"),
        (Command("XADD", "x", "2-0", "f", 1, "f", 2, read=commands.xadd("x", {}).read), b"2-0"),
        (commands.xadd("x", {"f": 3}, maxlen=100), Like(bytes, lambda id: b"-" in id)),
        (commands.xlen("x"), 3),
        (commands.xrange("x", count=1), [Entry(b"1-1", [(b"f", b"1")])]),
        (commands.xrange("x", 2, 2), [Entry(b"2-0", [(b"f", b"1"), (b"f", b"2")])]),
        (commands.xrevrange("x", 1), [Entry(b"1-1", [(b"f", b"1")])]),
        (commands.xrange("none"), []),
        (commands.xread({"x": 0, "none": 0}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
        (commands.xread({"x": "$"}, block=1), {}),
        (commands.xgroup_create("x", "g", 0), None),
        (commands.xgroup_create("y", "g", mkstream=True), None),
        (commands.xreadgroup("g", "c", {"x": ">"}, count=1), {b"x": [Entry(b"1-1", [(b"f", b"1")])]}),
        (commands.xreadgroup("g", "c", {"y": ">"}), {}),
        (commands.xdel("x", "1-1", "9-9"), 1),
        (commands.xreadgroup("g", "c", {"x": 0}), {b"x": [Entry(b"1-1", [])]}),  # deleted while it was pending
        (commands.xack("x", "g", "1-1", "9-9"), 1),
        (commands.xtrim("x", maxlen=1, approximate=False), 1),
        (commands.xgroup_destroy("x", "g"), True),
        (commands.xgroup_destroy("x", "g"), False),
    ],
    "scripting": [
        (
            commands.eval("return {KEYS[1], ARGV[1], 1, redis.status_reply('fine')}", 1, "k", "a"),
            [b"k", b"a", 1, "fine"],
        ),
        (commands.script_exists(DIGEST, "0" * 40), [False, False]),
        (commands.script_load("return 1"), DIGEST),
        (commands.script_exists(DIGEST), [True]),
        (commands.evalsha(DIGEST, 0), 1),
    ],
    "server": [
        (commands.ping(), "PONG"),
        (commands.echo(b"\xff"), b"\xff"),
        (commands.time(), Like(tuple, lambda time: time[0] > 1_700_000_000 and type(time[1]) is int)),
        (commands.info(), Like(dict, lambda found: found["tcp_port"].isdigit() and "used_memory" in found)),
        (commands.info("server"), Like(dict, lambda found: "used_memory" not in found)),
        (commands.dbsize(), 0),
        (commands.config_get("appendonly"), {"appendonly": "no"}),
        (commands.config_set("slowlog-max-len", "128"), None),
        (commands.client_id(), Like(int)),
        (commands.publish("channel", "message"), 0),
        (commands.wait(0, 1), 0),
        (commands.set("k", "v"), True),
        (commands.flushdb(), None),
        (commands.flushdb(asynchronous=True), None),
    ],
}

SINCE_6_2: list[Step] = [
    (commands.set_get("k", "v"), None),
    (commands.set_get("k", "w", ex=100), b"v"),
    (commands.getex("k", persist=True), b"w"),
    (commands.ttl("k"), -1),
    (commands.getex("k", px=100_000), b"w"),
    (commands.set("k", "x", keepttl=True), True),
    (commands.ttl("k"), 100),
    (commands.getdel("k"), b"x"),
    (commands.getdel("k"), None),
    (commands.rpush("l", "a", "b", "c", "d"), 4),
    (commands.lmove("l", "m", "LEFT", "RIGHT"), b"a"),
    (commands.lmove("none", "m", "LEFT", "RIGHT"), None),
    (commands.blmove("l", "m", "RIGHT", "LEFT", timeout=1), b"d"),
    (commands.blmove("none", "m", "RIGHT", "LEFT", timeout=0.01), None),
    (commands.lpop_count("l", 9), [b"b", b"c"]),
    (commands.lpop_count("l", 9), []),
    (commands.rpop_count("m", 2), [b"a", b"d"]),
    (commands.sadd("s", "a"), 1),
    (commands.smismember("s", "a", "b"), [True, False]),
    (commands.zadd("z", {"a": 1, "b": 2, "c": 3}, gt=True), 3),
    (commands.zrange("z", "(3", 0, byscore=True, rev=True), [b"b", b"a"]),
    (commands.zrange("z", "-", "+", bylex=True, limit=(1, 1)), [b"b"]),
    (commands.zrange_withscores("z", 0, 9, byscore=True, limit=(2, 5)), [(b"c", 3.0)]),
    (commands.xadd("x", {"f": 1}, id="1-0"), b"1-0"),
    (commands.xtrim("x", minid=5, approximate=False), 1),
    (commands.xtrim("x", maxlen=5, limit=10), 0),
]

SINCE_7_0: list[Step] = [
    (commands.set_get("k", "v", nx=True), None),
    (commands.expire("k", 100, xx=True), False),
    (commands.expire("k", 100, nx=True), True),
    (commands.pexpire("k", 1, gt=True), False),
    (commands.expireat("k", 2**33, xx=True, gt=True), True),
    (commands.pexpireat("k", 2**43, lt=True), False),
    (commands.info("server", "clients"), Like(dict, lambda found: "connected_clients" in found)),
    (commands.config_get("appendonly", "maxmem?ry"), {"appendonly": "no", "maxmemory": "0"}),
]


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def connection(request: pytest.FixtureRequest, server: Server) -> Iterator[Connection]:
    protocol: Literal[2, 3] = request.param
    with connect(server.url, protocol=protocol, decode=True) as connection:
        yield connection


def exact(value: object) -> object:
    """A value with its types: `True == 1` proves nothing."""
    match value:
        case dict():
            return dict, {(exact(key), exact(item)) for key, item in value.items()}
        case list() | tuple():
            return type(value), tuple(map(exact, value))
        case set():
            return set, frozenset(map(exact, value))
        case _:
            return type(value), value


def check(connection: Connection, steps: list[Step]) -> None:
    for command, expected in steps:
        result = connection.execute(command)
        if isinstance(expected, Like):
            assert type(result) is expected.kind, command
            assert expected.holds(result), command
        else:
            assert exact(result) == exact(expected), command


@pytest.mark.parametrize("family", FAMILIES)
def test_results_are_the_same_on_both_protocols(connection: Connection, family: str) -> None:
    connection.execute("SCRIPT", "FLUSH")
    check(connection, FAMILIES[family])


@pytest.mark.needs("GETEX")
def test_what_came_with_redis_6_2(connection: Connection) -> None:
    check(connection, SINCE_6_2)


@pytest.mark.needs("FUNCTION")
def test_what_came_with_redis_7_0(connection: Connection) -> None:
    check(connection, SINCE_7_0)


def test_every_builder_is_among_them() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    builders = sorted({*dir(commands)} - {"text"})
    assert [name for name in builders if f" commands.{name}(" not in source.replace("(commands", " commands")] == []


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
