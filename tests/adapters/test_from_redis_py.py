"""What `docs/from-redis-py.md` says of results and errors: the same data on a real server, by redis-py and by this library.

A result that differs does so by one of the rules of the page, and each step names its own. Ours are the same on RESP2 and RESP3.
"""

from __future__ import annotations

import builtins
import inspect
import re
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import pytest
import redis.asyncio

import resp_sansio
from examples import read
from generate_from_redis_py import PAGE
from resp_sansio import ClientOptions, Command, ConnectError, Entry, Options, PoolOptions, commands
from resp_sansio.config import options
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sync import Connection, WatchedTransaction
    from servers import Server

Step: TypeAlias = "tuple[str, Callable[[Any], object], Command[Any]]"


def facts(found: Any) -> Any:
    return [{name.replace("-", "_"): value for name, value in one.items()} for one in found]


def entries(found: Any) -> list[Entry[Any]]:
    return [Entry(id, [*fields.items()]) for id, fields in found]


# Makes ours of redis-py's result, by the name that the page gives to the rule.
RULES: Final[dict[str, Callable[[Any], object]]] = {
    "The same": lambda found: found,
    "Done": lambda found: None if found is True else found,
    "Whether": bool,
    "Each of them": lambda found: [bool(each) for each in found],
    "Own words": lambda found: found.decode(),
    "One": lambda found: found[0] if found else None,
    "None at all": lambda found: [] if found is None else found,
    "Sets": set,
    "Entries": entries,
    "Streams": lambda found: {key: entries(many) for key, many in found},
    "Facts": facts,
    "Names for positions": lambda found: tuple(
        [{one["name"]: one["pending"] for one in part} if isinstance(part, list) else part for part in found.values()]
    ),
    "Hashes of scripts": lambda found: found.encode(),
}

STEPS: Final[list[Step]] = [
    ("Whether", lambda r: r.set("k", "v"), commands.set("k", "v")),
    ("Whether", lambda r: r.set("k", "w", nx=True), commands.set("k", "w", nx=True)),
    ("The same", lambda r: r.set("k", "w", ex=9, get=True), commands.set_get("k", "w", ex=9)),
    ("Whether", lambda r: r.setex("k", 100, "x"), commands.set("k", "x", ex=100)),
    ("The same", lambda r: r.ttl("k"), commands.ttl("k")),
    ("Whether", lambda r: r.setnx("k", "y"), commands.set("k", "y", nx=True)),
    ("The same", lambda r: r.getset("k", "v"), commands.set_get("k", "v")),
    ("The same", lambda r: r.get("none"), commands.get("none")),
    ("The same", lambda r: r.getrange("k", 0, 1), commands.getrange("k", 0, 1)),
    ("Done", lambda r: r.mset({"a": 1, "b": 2}), commands.mset({"a": 1, "b": 2})),
    ("Whether", lambda r: r.msetnx({"a": 1}), commands.msetnx({"a": 1})),
    ("The same", lambda r: r.mget(["a", "none", "b"]), commands.mget("a", "none", "b")),
    ("The same", lambda r: r.incr("a"), commands.incr("a")),
    ("The same", lambda r: r.incr("a", 5), commands.incrby("a", 5)),
    ("The same", lambda r: r.decr("a", 5), commands.decrby("a", 5)),
    ("The same", lambda r: r.incrbyfloat("a", 0.5), commands.incrbyfloat("a", 0.5)),
    ("Whether", lambda r: r.expire("k", 100), commands.expire("k", 100)),
    ("Whether", lambda r: r.persist("none"), commands.persist("none")),
    ("The same", lambda r: r.exists("k", "a", "none"), commands.exists("k", "a", "none")),
    ("Own words", lambda r: r.type("k"), commands.type("k")),
    ("Done", lambda r: r.rename("k", "l"), commands.rename("k", "l")),
    ("Whether", lambda r: r.renamenx("l", "a"), commands.renamenx("l", "a")),
    ("The same", lambda r: r.keys("a*"), commands.keys("a*")),
    ("The same", lambda r: r.scan(0, match="a*", count=100), commands.scan(0, match="a*", count=100)),
    ("The same", lambda r: r.delete("a", "none"), commands.delete("a", "none")),
    ("The same", lambda r: r.hset("h", mapping={"a": 1, "b": 2}), commands.hset("h", mapping={"a": 1, "b": 2})),
    ("Whether", lambda r: r.hsetnx("h", "a", 2), commands.hsetnx("h", "a", 2)),
    ("The same", lambda r: r.hgetall("h"), commands.hgetall("h")),
    ("The same", lambda r: r.hmget("h", ["a", "none"]), commands.hmget("h", "a", "none")),
    ("Whether", lambda r: r.hexists("h", "a"), commands.hexists("h", "a")),
    ("The same", lambda r: r.hincrbyfloat("h", "a", 0.5), commands.hincrbyfloat("h", "a", 0.5)),
    ("The same", lambda r: r.hscan("h"), commands.hscan("h")),
    ("The same", lambda r: r.hkeys("h"), commands.hkeys("h")),
    ("The same", lambda r: r.rpush("list", "a", "b", "c", "d"), commands.rpush("list", "a", "b", "c", "d")),
    ("Done", lambda r: r.lset("list", 0, "z"), commands.lset("list", 0, "z")),
    ("The same", lambda r: r.lrange("list", 0, -1), commands.lrange("list", 0, -1)),
    ("The same", lambda r: r.lpop("list"), commands.lpop("list")),
    ("The same", lambda r: r.lpop("list", 2), commands.lpop_count("list", 2)),
    ("None at all", lambda r: r.lpop("none", 2), commands.lpop_count("none", 2)),
    ("The same", lambda r: r.rpoplpush("list", "other"), commands.lmove("list", "other", "RIGHT", "LEFT")),
    ("The same", lambda r: r.blpop(["none", "other"], 1), commands.blpop("none", "other", timeout=1)),
    ("The same", lambda r: r.blpop("none", 0.01), commands.blpop("none", timeout=0.01)),
    ("The same", lambda r: r.sadd("s", "a", "b"), commands.sadd("s", "a", "b")),
    ("The same", lambda r: r.smembers("s"), commands.smembers("s")),
    ("Whether", lambda r: r.sismember("s", "a"), commands.sismember("s", "a")),
    ("Each of them", lambda r: r.smismember("s", "a", "none"), commands.smismember("s", "a", "none")),
    ("The same", lambda r: r.sunion("s", "none"), commands.sunion("s", "none")),
    ("Sets", lambda r: r.spop("s", 9), commands.spop_count("s", 9)),
    ("The same", lambda r: r.zadd("z", {"a": 1, "b": 2.5}), commands.zadd("z", {"a": 1, "b": 2.5})),
    ("The same", lambda r: r.zadd("z", {"a": 1}, incr=True), commands.zincrby("z", 1, "a")),
    ("The same", lambda r: r.zrange("z", 0, -1, withscores=True), commands.zrange_withscores("z", 0, -1)),
    ("The same", lambda r: r.zrevrange("z", 0, -1), commands.zrange("z", 0, -1, rev=True)),
    (
        "The same",
        lambda r: r.zrevrangebyscore("z", "+inf", 2, start=0, num=1, withscores=True),
        commands.zrange_withscores("z", "+inf", 2, byscore=True, rev=True, limit=(0, 1)),
    ),
    ("The same", lambda r: r.zrangebylex("z", "-", "+"), commands.zrange("z", "-", "+", bylex=True)),
    ("The same", lambda r: r.zscore("z", "a"), commands.zscore("z", "a")),
    ("The same", lambda r: r.zrank("z", "b"), commands.zrank("z", "b")),
    ("The same", lambda r: r.zscan("z"), commands.zscan("z")),
    ("The same", lambda r: r.zpopmax("z", 1), commands.zpopmax_count("z", 1)),
    ("One", lambda r: r.zpopmin("z"), commands.zpopmin("z")),
    ("One", lambda r: r.zpopmin("z"), commands.zpopmin("z")),
    ("The same", lambda r: r.xadd("x", {"a": 1}, id="1-0"), commands.xadd("x", {"a": 1}, id="1-0")),
    ("Entries", lambda r: r.xrange("x"), commands.xrange("x")),
    ("Streams", lambda r: r.xread({"x": 0}), commands.xread({"x": 0})),
    ("Streams", lambda r: r.xread({"x": "9-9"}), commands.xread({"x": "9-9"})),
    ("Done", lambda r: r.xgroup_create("x", "g", 0), commands.xgroup_create("x", "g", 0)),
    ("Streams", lambda r: r.xreadgroup("g", "c", {"x": ">"}), commands.xreadgroup("g", "c", {"x": ">"})),
    ("Names for positions", lambda r: r.xpending("x", "g"), commands.xpending("x", "g")),
    ("Facts", lambda r: r.xinfo_groups("x"), commands.xinfo_groups("x")),
    ("The same", lambda r: r.xack("x", "g", "1-0"), commands.xack("x", "g", "1-0")),
    ("Whether", lambda r: r.xgroup_destroy("x", "g"), commands.xgroup_destroy("x", "g")),
    ("The same", lambda r: r.eval("return {KEYS[1], 1}", 1, "k"), commands.eval("return {KEYS[1], 1}", 1, "k")),
    ("Hashes of scripts", lambda r: r.script_load("return 1"), commands.script_load("return 1")),
    ("The same", lambda r: r.script_exists("0" * 40), commands.script_exists("0" * 40)),
    ("The same", lambda r: r.config_get("maxmemory"), commands.config_get("maxmemory")),
    ("The same", lambda r: r.publish("news", "m"), commands.publish("news", "m")),
    ("The same", lambda r: r.echo("m"), commands.echo("m")),
    ("The same", lambda r: r.dbsize(), commands.dbsize()),
    ("Done", lambda r: r.flushdb(), commands.flushdb()),
]


def exact(value: object) -> object:
    """A value with its types, which Python's own equality passes over."""
    match value:
        case dict():
            return dict, [(exact(key), exact(value[key])) for key in sorted(value)]
        case set():
            return set, sorted(map(repr, value))
        case list() | tuple():
            return list if isinstance(value, list) else tuple, [*map(exact, value)]
        case _:
            return type(value), value


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # of redis-py, for what has gone here
@pytest.mark.parametrize("protocol", [2, 3])
def test_results_differ_by_the_rules_of_the_page(server: Server, protocol: Literal[2, 3]) -> None:
    with redis.Redis.from_url(server.url) as redis_py:
        theirs = [ask(redis_py) for _, ask, _ in STEPS]
    server.call("FLUSHALL")
    with connect(server.url, protocol=protocol) as connection:
        for (rule, _, command), found in zip(STEPS, theirs, strict=True):
            assert exact(connection.execute(command)) == exact(RULES[rule](found)), command


def test_the_page_has_these_rules() -> None:
    results = read(PAGE).partition("## Results\n")[2].partition("\n## ")[0]
    rules = re.findall(r"^\| ([A-Z][a-z ]+) \|", results, re.MULTILINE)
    assert [rule for rule in rules if rule != "Rule"] == [*RULES]
    assert {rule for rule, *_ in STEPS} == {*RULES}


def rows(section: str) -> list[tuple[list[str], list[str]]]:
    """What a table of the page says: redis-py's names of each row, and ours."""
    text = read(PAGE).partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`(\w+)`", theirs), re.findall(r"`(\w+)", ours)) for theirs, ours, *_ in cells]


def test_every_option_is_on_the_page_and_ours_are_options() -> None:
    asked = {
        name
        for kind in (redis.Redis, redis.asyncio.Redis, redis.BlockingConnectionPool)
        for name in list(inspect.signature(kind.__init__).parameters)[1:]
    }
    listed = [name for theirs, _ in rows("Options") for name in theirs]
    assert asked - {"connection_kwargs"} <= {*listed}
    ours = {name for _, names in rows("Options") for name in names}
    assert ours <= {*Options.__annotations__, *PoolOptions.__annotations__, *ClientOptions.__annotations__}
    same = [
        theirs
        for line in read(PAGE).splitlines()
        if " | the same | " in line
        for theirs in re.findall(r"`(\w+)`", line)
    ]
    assert {*same} <= {*Options.__annotations__}


def test_messages_call_options_as_the_page_does() -> None:
    for theirs, ours in rows("Options"):
        for name in theirs:
            if ours and name not in Options.__annotations__ and name != "BlockingConnectionPool":
                assert options.CALLED_HERE.get(name, name) in {*ours, "max_size"}, name


def test_every_error_is_on_the_page_and_ours_are_errors() -> None:
    errors = {
        name for name, kind in vars(redis.exceptions).items() if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert errors == {name for theirs, _ in rows("Errors") for name in theirs}
    for _, ours in rows("Errors"):
        for name in ours:
            assert issubclass(getattr(resp_sansio, name, None) or getattr(builtins, name), Exception)


def watched(redis_py: Any) -> None:
    with redis_py.pipeline() as pipe:
        pipe.watch("k")
        redis_py.set("k", "another")
        pipe.multi()
        pipe.set("k", "mine")
        pipe.execute()


def raced(connection: Connection, other: Connection) -> None:
    def update(transaction: WatchedTransaction) -> None:
        other.set("k", "another")
        transaction.set("k", "mine")

    connection.transact(update, "k", attempts=1)


WRONG: Final[list[tuple[Callable[[Any], object], Callable[[Any, Any], object]]]] = [
    (lambda r: r.hincrby("k", "f"), lambda connection, _: connection.hincrby("k", "f", 1)),
    (lambda r: r.evalsha("0" * 40, 0), lambda connection, _: connection.evalsha("0" * 40, 0)),
    (lambda r: r.set("k", None), lambda connection, _: connection.execute("SET", "k", None)),
    (watched, raced),
    (lambda r: r.execute_command("DEBUG", "SLEEP", 0.3), lambda c, _: c.execute("DEBUG", "SLEEP", 0.3, timeout=0.1)),
]


@pytest.mark.parametrize(("theirs", "ours"), WRONG)
def test_errors_are_those_of_the_page(
    server: Server, theirs: Callable[[Any], object], ours: Callable[[Connection, Connection], object]
) -> None:
    url = f"{server.url}?socket_timeout=0.1"
    server.call("SET", "k", "v")
    with redis.Redis.from_url(url, retry=None) as redis_py, pytest.raises(redis.RedisError) as by_redis_py:
        theirs(redis_py)
    with connect(server.url) as connection, connect(server.url) as other, pytest.raises(Exception) as by_us:  # noqa: PT011
        ours(connection, other)
    row = next(names for errors, names in rows("Errors") if type(by_redis_py.value).__name__ in errors)
    assert type(by_us.value).__name__ in row


@pytest.mark.parametrize("query", ["username=nobody&password=wrong", "db=999"])
def test_errors_of_dialling_are_those_of_the_page(server: Server, query: str) -> None:
    with (
        redis.Redis.from_url(f"{server.url}?{query}", retry=None) as redis_py,
        pytest.raises(redis.RedisError) as found,
    ):
        redis_py.ping()
    with pytest.raises(ConnectError) as ours:
        connect(f"{server.url}?{query}")
    assert not ours.value.transient
    assert isinstance(found.value, redis.AuthenticationError | redis.ResponseError)
