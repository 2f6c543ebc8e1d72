"""`resp_sansio.commands`: what each builder sends, what it refuses, and that it reads with what its type promises."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from resp_sansio import Command, commands
from resp_sansio.connection import as_it_came
from resp_sansio.wire import CommandParser, encode_command

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDERS = [name for name, build in inspect.getmembers(commands, inspect.isfunction) if name != "text"]

# At least one command of every builder, as its words; `~` keeps what has a space together.
SENT: list[tuple[Command[Any], str]] = [
    # strings
    (commands.get("k"), "GET k"),
    (commands.set("k", "v"), "SET k v"),
    (commands.set("k", "v", ex=0), "SET k v EX 0"),
    (commands.set("k", "v", px=5, nx=True), "SET k v NX PX 5"),
    (commands.set("k", "v", keepttl=True, xx=True), "SET k v XX KEEPTTL"),
    (commands.set("k", "v", exat=7), "SET k v EXAT 7"),
    (commands.set("k", "v", pxat=7), "SET k v PXAT 7"),
    (commands.set_get("k", "v"), "SET k v GET"),
    (commands.set_get("k", "v", ex=5, nx=True), "SET k v NX GET EX 5"),
    (commands.getdel("k"), "GETDEL k"),
    (commands.getex("k", ex=5), "GETEX k EX 5"),
    (commands.getex("k", persist=True), "GETEX k PERSIST"),
    (commands.mget("k"), "MGET k"),
    (commands.mget("k", "l", b"m"), "MGET k l m"),
    (commands.mset({"k": 1, "l": b"2"}), "MSET k 1 l 2"),
    (commands.msetnx({"k": 1, "l": 2.5}), "MSETNX k 1 l 2.5"),
    (commands.append("k", "v"), "APPEND k v"),
    (commands.strlen("k"), "STRLEN k"),
    (commands.getrange("k", 0, -1), "GETRANGE k 0 -1"),
    (commands.setrange("k", 3, "v"), "SETRANGE k 3 v"),
    (commands.incr("k"), "INCR k"),
    (commands.incrby("k", 5), "INCRBY k 5"),
    (commands.incrbyfloat("k", 0.5), "INCRBYFLOAT k 0.5"),
    (commands.decr("k"), "DECR k"),
    (commands.decrby("k", 5), "DECRBY k 5"),
    # keys
    (commands.delete("k", "l"), "DEL k l"),
    (commands.unlink("k", "l"), "UNLINK k l"),
    (commands.exists("k", "k"), "EXISTS k k"),
    (commands.touch("k"), "TOUCH k"),
    (commands.expire("k", 5), "EXPIRE k 5"),
    (commands.expire("k", 5, xx=True, gt=True), "EXPIRE k 5 XX GT"),
    (commands.pexpire("k", 5, nx=True), "PEXPIRE k 5 NX"),
    (commands.expireat("k", 5, lt=True), "EXPIREAT k 5 LT"),
    (commands.pexpireat("k", 5), "PEXPIREAT k 5"),
    (commands.persist("k"), "PERSIST k"),
    (commands.ttl("k"), "TTL k"),
    (commands.pttl("k"), "PTTL k"),
    (commands.type("k"), "TYPE k"),
    (commands.rename("k", "l"), "RENAME k l"),
    (commands.renamenx("k", "l"), "RENAMENX k l"),
    (commands.keys("*"), "KEYS *"),
    (commands.scan(), "SCAN 0"),
    (commands.scan(7, match="a*", count=10, type="hash"), "SCAN 7 MATCH a* COUNT 10 TYPE hash"),
    # hashes
    (commands.hget("h", "f"), "HGET h f"),
    (commands.hset("h", "f", "v"), "HSET h f v"),
    (commands.hset("h", "f", 0, mapping={"g": 1}), "HSET h f 0 g 1"),
    (commands.hset("h", mapping={b"f": 1.5}), "HSET h f 1.5"),
    (commands.hsetnx("h", "f", "v"), "HSETNX h f v"),
    (commands.hgetall("h"), "HGETALL h"),
    (commands.hmget("h", "f", "g"), "HMGET h f g"),
    (commands.hdel("h", "f", "g"), "HDEL h f g"),
    (commands.hexists("h", "f"), "HEXISTS h f"),
    (commands.hincrby("h", "f", 2), "HINCRBY h f 2"),
    (commands.hincrbyfloat("h", "f", 2.5), "HINCRBYFLOAT h f 2.5"),
    (commands.hlen("h"), "HLEN h"),
    (commands.hkeys("h"), "HKEYS h"),
    (commands.hvals("h"), "HVALS h"),
    (commands.hscan("h", match="f*", count=5), "HSCAN h 0 MATCH f* COUNT 5"),
    # lists
    (commands.lpush("l", 1, 2), "LPUSH l 1 2"),
    (commands.rpush("l", 1, 2), "RPUSH l 1 2"),
    (commands.lpop("l"), "LPOP l"),
    (commands.lpop_count("l", 2), "LPOP l 2"),
    (commands.rpop("l"), "RPOP l"),
    (commands.rpop_count("l", 2), "RPOP l 2"),
    (commands.blpop("l", "m", timeout=0.5), "BLPOP l m 0.5"),
    (commands.brpop("l", timeout=0), "BRPOP l 0"),
    (commands.lmove("l", "m", "LEFT", "RIGHT"), "LMOVE l m LEFT RIGHT"),
    (commands.blmove("l", "m", "RIGHT", "LEFT", timeout=2), "BLMOVE l m RIGHT LEFT 2"),
    (commands.llen("l"), "LLEN l"),
    (commands.lrange("l", 0, -1), "LRANGE l 0 -1"),
    (commands.lindex("l", 0), "LINDEX l 0"),
    (commands.lset("l", 0, "v"), "LSET l 0 v"),
    (commands.lrem("l", -1, "v"), "LREM l -1 v"),
    (commands.ltrim("l", 0, 9), "LTRIM l 0 9"),
    # sets
    (commands.sadd("s", "a", "b"), "SADD s a b"),
    (commands.srem("s", "a"), "SREM s a"),
    (commands.smembers("s"), "SMEMBERS s"),
    (commands.sismember("s", "a"), "SISMEMBER s a"),
    (commands.smismember("s", "a", "b"), "SMISMEMBER s a b"),
    (commands.scard("s"), "SCARD s"),
    (commands.spop("s"), "SPOP s"),
    (commands.spop_count("s", 2), "SPOP s 2"),
    (commands.srandmember("s"), "SRANDMEMBER s"),
    (commands.srandmember_count("s", -2), "SRANDMEMBER s -2"),
    (commands.sinter("s", "t"), "SINTER s t"),
    (commands.sunion("s", "t"), "SUNION s t"),
    (commands.sdiff("s", "t"), "SDIFF s t"),
    (commands.sscan("s", 3), "SSCAN s 3"),
    # sorted sets
    (commands.zadd("z", {"a": 1, "b": 2.5}), "ZADD z 1 a 2.5 b"),
    (commands.zadd("z", {"a": float("-inf")}, xx=True, gt=True, ch=True), "ZADD z XX GT CH -inf a"),
    (commands.zincrby("z", 0.5, "a"), "ZINCRBY z 0.5 a"),
    (commands.zrem("z", "a", "b"), "ZREM z a b"),
    (commands.zscore("z", "a"), "ZSCORE z a"),
    (commands.zcard("z"), "ZCARD z"),
    (commands.zcount("z", "-inf", "(5"), "ZCOUNT z -inf (5"),
    (commands.zrank("z", "a"), "ZRANK z a"),
    (commands.zrevrank("z", "a"), "ZREVRANK z a"),
    (commands.zrange("z", 0, -1), "ZRANGE z 0 -1"),
    (commands.zrange("z", "[c", "-", bylex=True, rev=True, limit=(1, 2)), "ZRANGE z [c - BYLEX REV LIMIT 1 2"),
    (commands.zrange_withscores("z", 0, 5, byscore=True, limit=(0, 2)), "ZRANGE z 0 5 BYSCORE LIMIT 0 2 WITHSCORES"),
    (commands.zrangebyscore("z", 0, "+inf", limit=(0, 2)), "ZRANGEBYSCORE z 0 +inf LIMIT 0 2"),
    (commands.zrangebyscore_withscores("z", 0, 1), "ZRANGEBYSCORE z 0 1 WITHSCORES"),
    (commands.zremrangebyrank("z", 0, 1), "ZREMRANGEBYRANK z 0 1"),
    (commands.zremrangebyscore("z", 0, "(1"), "ZREMRANGEBYSCORE z 0 (1"),
    (commands.zpopmin("z"), "ZPOPMIN z"),
    (commands.zpopmin_count("z", 2), "ZPOPMIN z 2"),
    (commands.zpopmax("z"), "ZPOPMAX z"),
    (commands.zpopmax_count("z", 2), "ZPOPMAX z 2"),
    (commands.zscan("z", count=5), "ZSCAN z 0 COUNT 5"),
    # streams
    (commands.xadd("x", {"f": 1}), "XADD x * f 1"),
    (commands.xadd("x", {"f": 1, b"g": b"2"}, id="1-1", maxlen=0), "XADD x MAXLEN ~ 0 1-1 f 1 g 2"),
    (commands.xadd("x", {"f": 1}, minid="5", approximate=False), "XADD x MINID = 5 * f 1"),
    (commands.xadd("x", {"f": 1}, approximate=False), "XADD x * f 1"),
    (commands.xlen("x"), "XLEN x"),
    (commands.xrange("x"), "XRANGE x - +"),
    (commands.xrevrange("x", "9", "1", count=2), "XREVRANGE x 9 1 COUNT 2"),
    (commands.xread({"x": "0", "y": "$"}, count=2, block=0), "XREAD COUNT 2 BLOCK 0 STREAMS x y 0 $"),
    (commands.xreadgroup("g", "c", {"x": ">"}, noack=True), "XREADGROUP GROUP g c NOACK STREAMS x >"),
    (commands.xgroup_create("x", "g", 0, mkstream=True), "XGROUP CREATE x g 0 MKSTREAM"),
    (commands.xgroup_destroy("x", "g"), "XGROUP DESTROY x g"),
    (commands.xack("x", "g", "1-0", "2-0"), "XACK x g 1-0 2-0"),
    (commands.xdel("x", "1-0"), "XDEL x 1-0"),
    (commands.xtrim("x", maxlen=5, limit=9), "XTRIM x MAXLEN ~ 5 LIMIT 9"),
    # scripting
    (commands.eval("return~1", 1, "k", "a"), "EVAL return~1 1 k a"),
    (commands.evalsha("abc", 0), "EVALSHA abc 0"),
    (commands.script_load("return~1"), "SCRIPT LOAD return~1"),
    (commands.script_exists("abc", "def"), "SCRIPT EXISTS abc def"),
    # server
    (commands.ping(), "PING"),
    (commands.echo("m"), "ECHO m"),
    (commands.time(), "TIME"),
    (commands.info(), "INFO"),
    (commands.info("server", "clients"), "INFO server clients"),
    (commands.dbsize(), "DBSIZE"),
    (commands.flushdb(), "FLUSHDB"),
    (commands.flushdb(asynchronous=True), "FLUSHDB ASYNC"),
    (commands.config_get("max*", "port"), "CONFIG GET max* port"),
    (commands.config_set("maxmemory", 0), "CONFIG SET maxmemory 0"),
    (commands.client_id(), "CLIENT ID"),
    (commands.publish("c", "m"), "PUBLISH c m"),
    (commands.wait(1, 100), "WAIT 1 100"),
]


@pytest.mark.parametrize(("command", "words"), SENT, ids=[words for _, words in SENT])
def test_a_builder_sends_these_words(command: Command[Any], words: str) -> None:
    encoded = encode_command(command.args)
    assert isinstance(encoded, bytes)
    assert CommandParser().feed(encoded) == [[word.encode() for word in words.split(" ")]]


def test_every_builder_is_among_them() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in BUILDERS if f"    (commands.{name}(" not in source] == []


@pytest.mark.parametrize(("command", "_words"), SENT, ids=[words for _, words in SENT])
def test_no_result_depends_on_whether_text_is_asked_for(command: Command[Any], _words: str) -> None:
    assert command.read is not as_it_came  # whose replies become text
    assert pickle.loads(pickle.dumps(command)).read is command.read


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: commands.set("k", "v", nx=True, xx=True), "nx and xx exclude each other"),
        (lambda: commands.set("k", "v", ex=0, keepttl=True), "ex and keepttl exclude each other"),
        (lambda: commands.set_get("k", "v", px=1, exat=2, pxat=3), "px and exat and pxat exclude each other"),
        (lambda: commands.getex("k", ex=1, persist=True), "ex and persist exclude each other"),
        (lambda: commands.expire("k", 1, nx=True, gt=True), "nx and gt exclude each other"),
        (lambda: commands.pexpireat("k", 1, gt=True, lt=True), "gt and lt exclude each other"),
        (lambda: commands.zadd("z", {"a": 1}, nx=True, xx=True), "nx and xx exclude each other"),
        (lambda: commands.zrange("z", 0, 1, byscore=True, bylex=True), "byscore and bylex exclude each other"),
        (lambda: commands.xadd("x", {"f": 1}, maxlen=1, minid="1"), "maxlen and minid exclude each other"),
        (lambda: commands.xadd("x", {"f": 1}, limit=1), "give maxlen or minid"),
        (lambda: commands.xtrim("x"), "give maxlen or minid"),
        (lambda: commands.hset("h", "f"), "field and value go together"),
    ],
)
def test_what_excludes_each_other_is_refused_by_name(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_text_is_the_same_command_with_another_result() -> None:
    command = commands.get("k")
    text = commands.text(command)
    assert text == command
    assert (text.info.name, text.info.retryable) == ("GET", True)
    assert [text.read(reply, 3) for reply in (b"\xc3\xa9\xff", None)] == ["é\udcff", None]
    assert pickle.loads(pickle.dumps(text)).read(b"v", 2) == "v"
    assert commands.text(commands.zrange_withscores("z", 0, 1)).read([b"m", b"1"], 2) == [("m", 1.0)]


def test_text_keeps_what_was_said_of_a_command() -> None:
    own = Command("MY.LOOKUP", "k", read=commands.get("k").read, readonly=True)
    assert commands.text(own).info.retryable
