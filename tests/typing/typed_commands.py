"""What a type checker knows of typed commands. Never run: mypy --strict and pyright read it; an ignore that is not needed fails.

The methods are tried on what executes in one of three ways, as an adapter of your own would.
"""

from __future__ import annotations

from typing import TypeVar, assert_type

from resp_sansio import Command, Config, Entry, EntryDelivery, LcsMatches, Reply, Result, commands
from resp_sansio.client import CommandBatch
from resp_sansio.commands.decoding import RAW
from resp_sansio.methods import AsyncMethods, BatchMethods, Reader, SyncMethods, Words

T = TypeVar("T")


class Blocking(SyncMethods[bytes]):
    def _do(self, words: Words, read: Reader[T, bytes]) -> T:
        return read(len(words), RAW)


class Async(AsyncMethods[bytes]):
    async def _do(self, words: Words, read: Reader[T, bytes]) -> T:
        return read(len(words), RAW)


class Pipeline(CommandBatch, BatchMethods[bytes]):
    pass


def builders() -> None:
    assert_type(commands.get("k"), Command[bytes | None])
    assert_type(commands.set("k", 1, ex=5, nx=True), Command[bool])
    assert_type(commands.set_get("k", b"v"), Command[bytes | None])
    assert_type(commands.mget("k", "l"), Command[list[bytes | None]])
    assert_type(commands.mset({"k": 1, b"l": b"v", 3: "x"}), Command[None])
    assert_type(commands.incr("n"), Command[int])
    assert_type(commands.incrbyfloat("n", 1), Command[float])
    assert_type(commands.lcs_idx("k", "l"), Command[LcsMatches])
    assert_type(LcsMatches([], 0).matches[0].key1, tuple[int, int])
    assert_type(commands.bitop("ANDOR", "d", "k"), Command[int])
    assert_type(
        commands.bitfield("k", ("OVERFLOW", "SAT"), ("SET", "u8", "#0", 1), ("GET", "i5", 3)), Command[list[int | None]]
    )
    assert_type(commands.bitfield_ro("k", ("GET", "i5", 3)), Command[list[int]])
    assert_type(commands.expire("k", 5), Command[bool])
    assert_type(commands.type("k"), Command[str])
    assert_type(commands.scan(), Command[tuple[int, list[bytes]]])
    assert_type(commands.hset("h", mapping={"f": 1, "g": "x"}), Command[int])
    assert_type(commands.hgetall("h"), Command[dict[bytes, bytes]])
    assert_type(commands.hscan("h"), Command[tuple[int, dict[bytes, bytes]]])
    assert_type(commands.lpop("l"), Command[bytes | None])
    assert_type(commands.lpop_count("l", 2), Command[list[bytes]])
    assert_type(commands.blpop("l", timeout=1), Command[tuple[bytes, bytes] | None])
    assert_type(commands.smembers("s"), Command[set[bytes]])
    assert_type(commands.smismember("s", "a"), Command[list[bool]])
    assert_type(commands.zscore("z", "m"), Command[float | None])
    assert_type(commands.zrange("z", 0, -1), Command[list[bytes]])
    assert_type(commands.zunion("z", "y", weights=(1, 2.5), aggregate="MAX"), Command[list[bytes]])
    assert_type(commands.zmpop("z", where="MIN"), Command[tuple[bytes, list[tuple[bytes, float]]] | None])
    assert_type(commands.zrange_withscores("z", 0, -1), Command[list[tuple[bytes, float]]])
    assert_type(commands.zpopmin("z"), Command[tuple[bytes, float] | None])
    assert_type(commands.zrank("z", "m"), Command[int | None])
    assert_type(commands.zscan("z"), Command[tuple[int, list[tuple[bytes, float]]]])
    assert_type(commands.xadd("x", {"f": 1}), Command[bytes])
    assert_type(commands.xrange("x"), Command[list[Entry]])
    assert_type(commands.xread({"x": "0"}), Command[dict[bytes, list[Entry]]])
    assert_type(commands.eval("return 1", 0), Command[Reply])
    assert_type(commands.time(), Command[tuple[int, int]])
    assert_type(commands.info(), Command[dict[str, str]])


def entries(entry: Entry) -> None:
    id, pairs = entry
    assert_type(id, bytes)
    assert_type(pairs, list[tuple[bytes, bytes]])
    assert_type(entry.fields, dict[bytes, bytes])


def text(untyped: Command[Reply]) -> None:
    assert_type(commands.text(commands.echo("m")), Command[str])
    assert_type(commands.text(commands.get("k")), Command[str | None])
    assert_type(commands.text(commands.lrange("l", 0, 1)), Command[list[str]])
    assert_type(commands.text(commands.mget("k")), Command[list[str | None]])
    assert_type(commands.text(commands.smembers("s")), Command[set[str]])
    assert_type(commands.text(commands.hgetall("h")), Command[dict[str, str]])
    assert_type(commands.text(commands.zrange_withscores("z", 0, 1)), Command[list[tuple[str, float]]])
    assert_type(commands.text(commands.scan()), Command[tuple[int, list[str]]])
    commands.text(commands.incr("n"))  # type: ignore[arg-type]
    commands.text(untyped)  # type: ignore[arg-type]


async def methods(blocking: Blocking, asynchronous: Async) -> None:
    assert_type(blocking.get("k"), bytes | None)
    assert_type(blocking.set("k", "v", px=5), bool)
    assert_type(blocking.hgetall("h"), dict[bytes, bytes])
    assert_type(blocking.xread({"x": "0"}, count=1), dict[bytes, list[Entry]])
    assert_type(blocking.ping(), str)
    assert_type(await asynchronous.get("k"), bytes | None)
    assert_type(await asynchronous.set(key="k", value="v", px=5), bool)
    assert_type(await asynchronous.mget("k", "l"), list[bytes | None])
    pipe = Pipeline(Config())
    assert_type(pipe.get("k"), Result[bytes | None])
    assert_type(pipe.zpopmax_count("z", 1).result(), list[tuple[bytes, float]])
    assert_type(pipe.execute("GET", "k"), Result[Reply])


def what_is_known_of_streams(blocking: Blocking) -> None:
    info = blocking.xinfo_stream("x")
    assert_type(info["length"], int)
    assert_type(info["last_entry"], Entry | None)
    assert_type(info.get("idmp_duration"), int | None)
    (group,) = blocking.xinfo_stream_full("x")["groups"]
    assert_type(group["name"], bytes)
    assert_type(group["pending"], list[tuple[bytes, EntryDelivery]])
    assert_type(group["consumers"][0]["pending"], list[EntryDelivery])
    assert_type(blocking.xautoclaim("x", "g", "c", 0).entries[0].fields, dict[bytes, bytes])


async def wrong_uses_are_errors(blocking: Blocking, asynchronous: Async) -> None:
    commands.get()  # type: ignore[call-arg]
    commands.get(None)  # type: ignore[arg-type]
    commands.mset({"k": None})  # type: ignore[dict-item]
    commands.bitop("NAND", "d", "k")  # type: ignore[arg-type]
    commands.bitfield("k", ("GET", "u8"))  # type: ignore[arg-type]
    commands.bitfield("k", ("OVERFLOW", "DROP"))  # type: ignore[arg-type]
    commands.bitfield_ro("k", ("SET", "u8", 0, 1))  # type: ignore[arg-type]
    commands.lmove("l", "m", "TOP", "LEFT")  # type: ignore[arg-type]
    commands.blpop("l")  # type: ignore[call-arg]
    commands.zinter("z", aggregate="MEAN")  # type: ignore[arg-type]
    commands.zmpop("z", where="LEFT")  # type: ignore[arg-type]
    blocking.xinfo_stream("x")["size"]  # type: ignore[typeddict-item]
    blocking.get()  # type: ignore[call-arg]
    blocking.get("k", "l")  # type: ignore[call-arg]
    blocking.get(None)  # type: ignore[arg-type]
    blocking.set("k", "v", ex="5")  # type: ignore[arg-type]
    blocking.set("k", "v", exp=5)  # type: ignore[call-arg]
    await asynchronous.get(["k"])  # type: ignore[arg-type]
    await asynchronous.incrby("n", "1")  # type: ignore[arg-type]
    Pipeline(Config()).incr()  # type: ignore[call-arg]
    await blocking.get("k")  # type: ignore[misc]
