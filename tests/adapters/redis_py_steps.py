"""The same data by redis-py's methods and by builders: how each of the latter's results follows from the former's.

The rules are those of `docs/from-redis-py.md`. Steps are run in their order, on a server that was empty before the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from resp_sansio import (
    AutoclaimedIDs,
    Command,
    Entry,
    KeyWithFlags,
    LcsMatch,
    LcsMatches,
    MasterRole,
    commands,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROWS", "RULES", "STEPS", "Row", "Step"]

Step: TypeAlias = "tuple[str, Callable[[Any], object], Command[Any]]"

Row: TypeAlias = "tuple[str, Callable[[Any], object], Command[Any], Callable[[Any], object]]"


def words(found: Any) -> Any:
    """The server's own words as text, wherever they are."""
    if isinstance(found, dict):
        return {words(key): words(value) for key, value in found.items()}
    if isinstance(found, list):
        return [*map(words, found)]
    return found.decode() if isinstance(found, bytes) else found


def facts(found: Any) -> Any:
    return [{name.replace("-", "_"): value for name, value in one.items()} for one in found]


def entries(found: Any) -> list[Entry[Any]]:
    return [Entry(id, [*fields.items()]) for id, fields in found]


# Makes ours of redis-py's result, by the name that the page gives to the rule.
RULES: Final[dict[str, Callable[[Any], object]]] = {
    "The same": lambda found: found,
    "Done": lambda found: None if found in (True, b"OK") else found,
    "Whether": bool,
    "Each of them": lambda found: [bool(each) for each in found],
    "Own words": words,
    "Pairs": lambda found: [*zip(found[::2], found[1::2], strict=True)],
    "Scores": lambda found: [(member, float(score)) for member, score in zip(found[::2], found[1::2], strict=True)],
    "Tuples": tuple,
    "A dict": dict,
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

ONE: Final = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"  # the script "return 1"

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
    ("Done", lambda r: r.psetex("p", 100_000, "v"), commands.psetex("p", 100_000, "v")),
    ("The same", lambda r: r.getex("p", persist=True), commands.getex("p", persist=True)),
    ("The same", lambda r: r.append("p", "w"), commands.append("p", "w")),
    ("The same", lambda r: r.strlen("p"), commands.strlen("p")),
    ("The same", lambda r: r.setrange("p", 1, "xyz"), commands.setrange("p", 1, "xyz")),
    ("The same", lambda r: r.pttl("p"), commands.pttl("p")),
    ("Whether", lambda r: r.pexpire("p", 100_000), commands.pexpire("p", 100_000)),
    ("Whether", lambda r: r.expireat("p", 2**33, gt=True), commands.expireat("p", 2**33, gt=True)),
    ("Whether", lambda r: r.pexpireat("p", 2**43, xx=True), commands.pexpireat("p", 2**43, xx=True)),
    ("The same", lambda r: r.getdel("p"), commands.getdel("p")),
    ("The same", lambda r: r.decr("n"), commands.decr("n")),
    ("The same", lambda r: r.touch("n", "none"), commands.touch("n", "none")),
    ("The same", lambda r: r.unlink("n", "none"), commands.unlink("n", "none")),
    ("Done", lambda r: r.hmset("h2", {"a": 1, "b": 2}), commands.hmset("h2", {"a": 1, "b": 2})),
    ("The same", lambda r: r.hget("h2", "a"), commands.hget("h2", "a")),
    ("The same", lambda r: r.hincrby("h2", "a", 2), commands.hincrby("h2", "a", 2)),
    ("The same", lambda r: r.hvals("h2"), commands.hvals("h2")),
    ("The same", lambda r: r.hlen("h2"), commands.hlen("h2")),
    ("The same", lambda r: r.hdel("h2", "a", "none"), commands.hdel("h2", "a", "none")),
    ("Pairs", lambda r: r.hrandfield("h2", 2, withvalues=True), commands.hrandfield_withvalues("h2", 2)),
    ("The same", lambda r: r.lpush("l2", *"edcba"), commands.lpush("l2", *"edcba")),
    ("The same", lambda r: r.llen("l2"), commands.llen("l2")),
    ("The same", lambda r: r.lindex("l2", 9), commands.lindex("l2", 9)),
    ("The same", lambda r: r.lrem("l2", 1, "c"), commands.lrem("l2", 1, "c")),
    ("The same", lambda r: r.rpop("l2"), commands.rpop("l2")),
    ("The same", lambda r: r.rpop("l2", 2), commands.rpop_count("l2", 2)),
    ("The same", lambda r: r.brpop("l2", 1), commands.brpop("l2", timeout=1)),
    ("The same", lambda r: r.blmove("l2", "l3", 0.01), commands.blmove("l2", "l3", "LEFT", "RIGHT", timeout=0.01)),
    ("The same", lambda r: r.brpoplpush("l2", "l3", 1), commands.blmove("l2", "l3", "RIGHT", "LEFT", timeout=1)),
    ("Done", lambda r: r.ltrim("l3", 5, 9), commands.ltrim("l3", 5, 9)),
    ("The same", lambda r: r.sadd("s2", "a"), commands.sadd("s2", "a")),
    ("The same", lambda r: r.scard("s2"), commands.scard("s2")),
    ("The same", lambda r: r.srandmember("s2"), commands.srandmember("s2")),
    ("The same", lambda r: r.srandmember("s2", 3), commands.srandmember_count("s2", 3)),
    ("The same", lambda r: r.sinter("s2", "none"), commands.sinter("s2", "none")),
    ("The same", lambda r: r.sdiff(["s2", "none"]), commands.sdiff("s2", "none")),
    ("The same", lambda r: r.sscan("s2"), commands.sscan("s2")),
    ("The same", lambda r: r.spop("s2"), commands.spop("s2")),
    ("The same", lambda r: r.srem("s2", "a"), commands.srem("s2", "a")),
    ("The same", lambda r: r.zadd("z2", {"a": 1, "b": 2, "c": 3}), commands.zadd("z2", {"a": 1, "b": 2, "c": 3})),
    ("The same", lambda r: r.zadd("z2", {"a": 5}, gt=True, ch=True), commands.zadd("z2", {"a": 5}, gt=True, ch=True)),
    ("The same", lambda r: r.zcard("z2"), commands.zcard("z2")),
    ("The same", lambda r: r.zcount("z2", "(2", "+inf"), commands.zcount("z2", "(2", "+inf")),
    ("The same", lambda r: r.zrevrank("z2", "a"), commands.zrevrank("z2", "a")),
    (
        "The same",
        lambda r: r.zrangebyscore("z2", 0, 3, start=0, num=1),
        commands.zrangebyscore("z2", 0, 3, limit=(0, 1)),
    ),
    (
        "The same",
        lambda r: r.zrangebyscore("z2", 0, 9, withscores=True),
        commands.zrangebyscore_withscores("z2", 0, 9),
    ),
    ("The same", lambda r: r.zrevrangebyscore("z2", 9, 3), commands.zrevrangebyscore("z2", 9, 3)),
    ("The same", lambda r: r.zunion(["z2", "none"]), commands.zunion("z2", "none")),
    ("Scores", lambda r: r.zdiff(["z2", "none"], withscores=True), commands.zdiff_withscores("z2", "none")),
    ("The same", lambda r: r.zunionstore("z3", {"z2": 2}), commands.zunionstore("z3", "z2", weights=[2])),
    ("The same", lambda r: r.zremrangebyscore("z3", 0, 4), commands.zremrangebyscore("z3", 0, 4)),
    ("The same", lambda r: r.zremrangebyrank("z3", 0, 0), commands.zremrangebyrank("z3", 0, 0)),
    ("The same", lambda r: r.zremrangebylex("z3", "-", "[a"), commands.zremrangebylex("z3", "-", "[a")),
    ("One", lambda r: r.zpopmax("z2"), commands.zpopmax("z2")),
    ("The same", lambda r: r.zpopmin("z2", 1), commands.zpopmin_count("z2", 1)),
    ("The same", lambda r: r.zrandmember("z2"), commands.zrandmember("z2")),
    ("The same", lambda r: r.zrandmember("z2", 1), commands.zrandmember_count("z2", 1)),
    ("The same", lambda r: r.zrem("z2", "c"), commands.zrem("z2", "c")),
    ("The same", lambda r: r.geoadd("g", [1.0, 2.0, "a"]), commands.geoadd("g", {"a": (1.0, 2.0)})),
    ("The same", lambda r: r.geohash("g", "a", "none"), commands.geohash("g", "a", "none")),
    ("The same", lambda r: r.xadd("x2", {"a": 1}, id="1-0"), commands.xadd("x2", {"a": 1}, id="1-0")),
    ("Entries", lambda r: r.xrevrange("x2"), commands.xrevrange("x2")),
    ("The same", lambda r: r.xlen("x2"), commands.xlen("x2")),
    ("Done", lambda r: r.xgroup_create("x2", "g", "$"), commands.xgroup_create("x2", "g", "$")),
    ("Done", lambda r: r.xgroup_setid("x2", "g", 0), commands.xgroup_setid("x2", "g", 0)),
    ("Streams", lambda r: r.xreadgroup("g", "c", {"x2": ">"}), commands.xreadgroup("g", "c", {"x2": ">"})),
    (
        "The same",
        lambda r: r.xtrim("x2", maxlen=0, approximate=False),
        commands.xtrim("x2", maxlen=0, approximate=False),
    ),
    ("The same", lambda r: r.xdel("x2", "1-0"), commands.xdel("x2", "1-0")),
    ("The same", lambda r: r.evalsha(ONE, 0), commands.evalsha(ONE, 0)),
    ("The same", lambda r: r.wait(0, 10), commands.wait(0, 10)),
    ("Done", lambda r: r.config_set("lfu-log-factor", 10), commands.config_set("lfu-log-factor", 10)),
    ("A dict", lambda r: r.pubsub_numsub("news"), commands.pubsub_numsub("news")),
    ("Done", lambda r: r.client_setname("worker"), commands.client_setname("worker")),
    ("The same", lambda r: r.acl_users(), commands.acl_users()),
    ("Done", lambda r: r.acl_setuser("frank", enabled=True, keys=["a"]), commands.acl_setuser("frank", "on", "~a")),
    ("The same", lambda r: r.acl_deluser("frank", "none"), commands.acl_deluser("frank", "none")),
    ("Done", lambda r: r.flushdb(), commands.flushdb()),
    ("The same", lambda r: r.rpush("l", *"abc"), commands.rpush("l", *"abc")),
    ("Tuples", lambda r: r.lmpop(1, "l", direction="LEFT"), commands.lmpop("l", where="LEFT")),
    ("The same", lambda r: r.lmpop(1, "none", direction="LEFT"), commands.lmpop("none", where="LEFT")),
    ("Done", lambda r: r.replicaof("NO", "ONE"), commands.replicaof_no_one()),
    ("Done", lambda r: r.acl_dryrun("default", "get", "k"), commands.acl_dryrun("default", "get", "k")),
    ("Own words", lambda r: r.function_stats(), commands.function_stats()),
]


def numbers(found: Any) -> Any:
    """Text that is a number is one."""
    return {
        name.replace("-", "_"): int(value) if value.lstrip("-").isdecimal() else value
        for name, value in {name: str(value) for name, value in found.items()}.items()
    }


def settled(info: Any) -> Any:
    """What does not change between two questions."""
    return {name: info[name] for name in ("laddr", "flags", "db", "sub", "psub", "multi", "user")}


# What no rule says, by the row that does: how ours follows from redis-py's, which is asked at the same time.
ROWS: Final[list[Row]] = [
    ("lastsave", lambda r: r.lastsave(), commands.lastsave(), lambda found: int(found.timestamp())),
    ("role", lambda r: r.role(), commands.role(), lambda found: MasterRole(found[0].decode(), *found[1:])),
    ("client_list", lambda r: r.client_list()[-1], commands.client_list(), lambda found: settled(numbers(found))),
    ("client_info", lambda r: r.client_info(), commands.client_info(), lambda found: settled(numbers(found))),
    (
        "client_trackinginfo",
        lambda r: r.client_trackinginfo(),
        commands.client_trackinginfo(),
        lambda found: {"flags": {*words(found[1])}, "redirect": found[3], "prefixes": found[5]},
    ),
    (
        "command_getkeys",
        lambda r: r.command_getkeys("GET", "k"),
        commands.command_getkeys("GET", "k"),
        lambda found: [key.encode() for key in found],
    ),
    (
        "command_getkeysandflags",
        lambda r: r.command_getkeysandflags("GET", "k"),
        commands.command_getkeysandflags("GET", "k"),
        lambda found: [KeyWithFlags(key, {*words(flags)}) for key, flags in found],
    ),
    (
        "acl_getuser",
        lambda r: r.acl_getuser("default"),
        commands.acl_getuser("default"),
        lambda found: {
            "flags": {*found["flags"]},
            "passwords": found["passwords"],
            "commands": " ".join(found["categories"] + found["commands"]),
            "keys": " ".join(found["keys"]),
            "channels": " ".join(found["channels"]),
            "selectors": found["selectors"],
        },
    ),
    (
        "lcs",
        lambda r: r.lcs("k", "l", idx=True, withmatchlen=True),
        commands.lcs_idx("k", "l"),
        lambda found: LcsMatches([LcsMatch(*map(tuple, match[:2])) for match in found[1]], found[3]),
    ),
    (
        "zmpop",
        lambda r: r.zmpop(1, ["z"], min=True, count=2),
        commands.zmpop("z", where="MIN", count=2),
        lambda found: (found[0], [(member, float(score)) for member, score in found[1]]),
    ),
    (
        "slowlog_get",
        lambda r: r.slowlog_get(1)[0],
        commands.slowlog_get(1),
        lambda found: (found["id"], found["start_time"], found["duration"], found["command"].split()),
    ),
    (
        "xautoclaim",
        lambda r: r.xautoclaim("x", "g", "c", 0, justid=True),
        commands.xautoclaim_justid("x", "g", "c", 0),
        lambda found: AutoclaimedIDs(b"0-0", found, []),
    ),
    (
        "scan",
        lambda r: r.scan(0, _type="hash", count=1000),
        commands.scan(0, type="hash", count=1000),
        lambda found: found,
    ),
]
