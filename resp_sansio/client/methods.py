"""The builders of `commands` as methods of whatever executes commands: one list for every adapter.

`Methods` is a base class. What a method returns follows from what `execute` makes of a `Command[T]`: a connection of resp_sync
returns T, those of resp_asyncio and resp_trio an awaitable of it, a pipeline a `Result[T]`. A method is one call in front of
`execute` and adds nothing: no coroutine, no option.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import Any, Final, ParamSpec, Protocol, TypeVar, overload

from .. import commands
from ..commands.command import Command
from .batch import Result

__all__ = ["Methods"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

NOTHING: Final = (lambda: None).__code__
VARIADIC: Final = 0x04 | 0x08  # CO_VARARGS, CO_VARKEYWORDS: https://docs.python.org/3/library/inspect.html


class Returns(Protocol):
    """What waits for the reply and returns it."""

    def execute(self, command: Command[T], /) -> T:
        """Execute the command."""
        ...


class Awaits(Protocol):
    """What returns something to await."""

    def execute(self, command: Command[T], /) -> Coroutine[object, None, T]:
        """Execute the command."""
        ...


class Collects(Protocol):
    """What executes its commands later."""

    def execute(self, command: Command[T], /) -> Result[T]:
        """Execute the command."""
        ...


class Method(Protocol[P, T_co]):
    """A method with a builder's parameters: how a function behaves in a class, by what `execute` is there."""

    @overload
    def __get__(self, instance: Collects, owner: object = ..., /) -> Callable[P, Result[T_co]]: ...
    @overload
    def __get__(self, instance: Awaits, owner: object = ..., /) -> Callable[P, Coroutine[object, None, T_co]]: ...
    @overload
    def __get__(self, instance: Returns, owner: object = ..., /) -> Callable[P, T_co]: ...


def method(build: Callable[P, Command[T]]) -> Method[P, T]:
    """Make a method that executes what `build` makes of its arguments, and has its name, parameters and docstring."""

    def call(self: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self.execute(build(*args, **kwargs))

    named: Any = call  # which type checkers are to see as the descriptor that every function is
    named.__name__, named.__qualname__, named.__doc__ = build.__name__, f"Methods.{build.__name__}", build.__doc__
    named.__wrapped__ = _with_self(build)
    made: Method[P, T] = named
    return made


def _with_self(build: Any) -> FunctionType:
    """Return a function that takes `self` before what `build` takes, and does nothing: its signature is for `help` to show."""
    code = build.__code__
    count = code.co_argcount + code.co_kwonlyargcount + (code.co_flags & VARIADIC).bit_count()
    names = ("self", *code.co_varnames[:count])
    shape = NOTHING.replace(
        co_argcount=code.co_argcount + 1,
        co_kwonlyargcount=code.co_kwonlyargcount,
        co_flags=NOTHING.co_flags | code.co_flags & VARIADIC,
        co_nlocals=len(names),
        co_varnames=names,
    )
    made = FunctionType(shape, build.__globals__, build.__name__, build.__defaults__)
    made.__kwdefaults__ = build.__kwdefaults__
    # Not the builder's `return`: what is returned depends on `execute`.
    made.__annotations__ = {name: kind for name, kind in build.__annotations__.items() if name != "return"}
    return made


class Methods:
    """A method for each builder of `commands`, to be had by inheriting; needs an `execute` that takes a `Command`."""

    __slots__ = ()

    # strings
    get: Final = method(commands.get)
    set: Final = method(commands.set)
    set_get: Final = method(commands.set_get)
    getdel: Final = method(commands.getdel)
    getex: Final = method(commands.getex)
    mget: Final = method(commands.mget)
    mset: Final = method(commands.mset)
    msetnx: Final = method(commands.msetnx)
    append: Final = method(commands.append)
    strlen: Final = method(commands.strlen)
    getrange: Final = method(commands.getrange)
    setrange: Final = method(commands.setrange)
    incr: Final = method(commands.incr)
    incrby: Final = method(commands.incrby)
    incrbyfloat: Final = method(commands.incrbyfloat)
    decr: Final = method(commands.decr)
    decrby: Final = method(commands.decrby)

    # keys
    delete: Final = method(commands.delete)
    unlink: Final = method(commands.unlink)
    exists: Final = method(commands.exists)
    touch: Final = method(commands.touch)
    expire: Final = method(commands.expire)
    pexpire: Final = method(commands.pexpire)
    expireat: Final = method(commands.expireat)
    pexpireat: Final = method(commands.pexpireat)
    persist: Final = method(commands.persist)
    ttl: Final = method(commands.ttl)
    pttl: Final = method(commands.pttl)
    type: Final = method(commands.type)
    rename: Final = method(commands.rename)
    renamenx: Final = method(commands.renamenx)
    keys: Final = method(commands.keys)
    scan: Final = method(commands.scan)

    # hashes
    hget: Final = method(commands.hget)
    hset: Final = method(commands.hset)
    hsetnx: Final = method(commands.hsetnx)
    hgetall: Final = method(commands.hgetall)
    hmget: Final = method(commands.hmget)
    hdel: Final = method(commands.hdel)
    hexists: Final = method(commands.hexists)
    hincrby: Final = method(commands.hincrby)
    hincrbyfloat: Final = method(commands.hincrbyfloat)
    hlen: Final = method(commands.hlen)
    hkeys: Final = method(commands.hkeys)
    hvals: Final = method(commands.hvals)
    hscan: Final = method(commands.hscan)

    # lists
    lpush: Final = method(commands.lpush)
    rpush: Final = method(commands.rpush)
    lpop: Final = method(commands.lpop)
    lpop_count: Final = method(commands.lpop_count)
    rpop: Final = method(commands.rpop)
    rpop_count: Final = method(commands.rpop_count)
    blpop: Final = method(commands.blpop)
    brpop: Final = method(commands.brpop)
    lmove: Final = method(commands.lmove)
    blmove: Final = method(commands.blmove)
    llen: Final = method(commands.llen)
    lrange: Final = method(commands.lrange)
    lindex: Final = method(commands.lindex)
    lset: Final = method(commands.lset)
    lrem: Final = method(commands.lrem)
    ltrim: Final = method(commands.ltrim)

    # sets
    sadd: Final = method(commands.sadd)
    srem: Final = method(commands.srem)
    smembers: Final = method(commands.smembers)
    sismember: Final = method(commands.sismember)
    smismember: Final = method(commands.smismember)
    scard: Final = method(commands.scard)
    spop: Final = method(commands.spop)
    spop_count: Final = method(commands.spop_count)
    srandmember: Final = method(commands.srandmember)
    srandmember_count: Final = method(commands.srandmember_count)
    sinter: Final = method(commands.sinter)
    sunion: Final = method(commands.sunion)
    sdiff: Final = method(commands.sdiff)
    sscan: Final = method(commands.sscan)

    # sorted sets
    zadd: Final = method(commands.zadd)
    zincrby: Final = method(commands.zincrby)
    zrem: Final = method(commands.zrem)
    zscore: Final = method(commands.zscore)
    zcard: Final = method(commands.zcard)
    zcount: Final = method(commands.zcount)
    zrank: Final = method(commands.zrank)
    zrevrank: Final = method(commands.zrevrank)
    zrange: Final = method(commands.zrange)
    zrange_withscores: Final = method(commands.zrange_withscores)
    zrangebyscore: Final = method(commands.zrangebyscore)
    zrangebyscore_withscores: Final = method(commands.zrangebyscore_withscores)
    zremrangebyrank: Final = method(commands.zremrangebyrank)
    zremrangebyscore: Final = method(commands.zremrangebyscore)
    zpopmin: Final = method(commands.zpopmin)
    zpopmin_count: Final = method(commands.zpopmin_count)
    zpopmax: Final = method(commands.zpopmax)
    zpopmax_count: Final = method(commands.zpopmax_count)
    zscan: Final = method(commands.zscan)

    # streams
    xadd: Final = method(commands.xadd)
    xlen: Final = method(commands.xlen)
    xrange: Final = method(commands.xrange)
    xrevrange: Final = method(commands.xrevrange)
    xread: Final = method(commands.xread)
    xreadgroup: Final = method(commands.xreadgroup)
    xgroup_create: Final = method(commands.xgroup_create)
    xgroup_destroy: Final = method(commands.xgroup_destroy)
    xack: Final = method(commands.xack)
    xdel: Final = method(commands.xdel)
    xtrim: Final = method(commands.xtrim)

    # scripting
    eval: Final = method(commands.eval)
    evalsha: Final = method(commands.evalsha)
    script_load: Final = method(commands.script_load)
    script_exists: Final = method(commands.script_exists)

    # server
    ping: Final = method(commands.ping)
    echo: Final = method(commands.echo)
    time: Final = method(commands.time)
    info: Final = method(commands.info)
    dbsize: Final = method(commands.dbsize)
    flushdb: Final = method(commands.flushdb)
    config_get: Final = method(commands.config_get)
    config_set: Final = method(commands.config_set)
    client_id: Final = method(commands.client_id)
    publish: Final = method(commands.publish)
    wait: Final = method(commands.wait)
