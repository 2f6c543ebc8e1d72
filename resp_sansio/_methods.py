"""The builders of `commands` as methods of whatever executes commands: one list for every adapter.

`Methods` is a base class. What a method returns follows from what `execute` makes of a `Command[T]`: a connection of resp_sync
returns T, those of resp_asyncio and resp_trio an awaitable of it, a pipeline a `Result[T]`. A method is one call in front of
`execute` and adds nothing: no coroutine, no option.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import Any, Final, ParamSpec, Protocol, TypeVar, overload

from . import commands
from ._commands import Command
from ._exchange import Result

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
    get = method(commands.get)
    set = method(commands.set)
    set_get = method(commands.set_get)
    getdel = method(commands.getdel)
    getex = method(commands.getex)
    mget = method(commands.mget)
    mset = method(commands.mset)
    msetnx = method(commands.msetnx)
    append = method(commands.append)
    strlen = method(commands.strlen)
    getrange = method(commands.getrange)
    setrange = method(commands.setrange)
    incr = method(commands.incr)
    incrby = method(commands.incrby)
    incrbyfloat = method(commands.incrbyfloat)
    decr = method(commands.decr)
    decrby = method(commands.decrby)

    # keys
    delete = method(commands.delete)
    unlink = method(commands.unlink)
    exists = method(commands.exists)
    touch = method(commands.touch)
    expire = method(commands.expire)
    pexpire = method(commands.pexpire)
    expireat = method(commands.expireat)
    pexpireat = method(commands.pexpireat)
    persist = method(commands.persist)
    ttl = method(commands.ttl)
    pttl = method(commands.pttl)
    type = method(commands.type)
    rename = method(commands.rename)
    renamenx = method(commands.renamenx)
    keys = method(commands.keys)
    scan = method(commands.scan)

    # hashes
    hget = method(commands.hget)
    hset = method(commands.hset)
    hsetnx = method(commands.hsetnx)
    hgetall = method(commands.hgetall)
    hmget = method(commands.hmget)
    hdel = method(commands.hdel)
    hexists = method(commands.hexists)
    hincrby = method(commands.hincrby)
    hincrbyfloat = method(commands.hincrbyfloat)
    hlen = method(commands.hlen)
    hkeys = method(commands.hkeys)
    hvals = method(commands.hvals)
    hscan = method(commands.hscan)

    # lists
    lpush = method(commands.lpush)
    rpush = method(commands.rpush)
    lpop = method(commands.lpop)
    lpop_count = method(commands.lpop_count)
    rpop = method(commands.rpop)
    rpop_count = method(commands.rpop_count)
    blpop = method(commands.blpop)
    brpop = method(commands.brpop)
    lmove = method(commands.lmove)
    blmove = method(commands.blmove)
    llen = method(commands.llen)
    lrange = method(commands.lrange)
    lindex = method(commands.lindex)
    lset = method(commands.lset)
    lrem = method(commands.lrem)
    ltrim = method(commands.ltrim)

    # sets
    sadd = method(commands.sadd)
    srem = method(commands.srem)
    smembers = method(commands.smembers)
    sismember = method(commands.sismember)
    smismember = method(commands.smismember)
    scard = method(commands.scard)
    spop = method(commands.spop)
    spop_count = method(commands.spop_count)
    srandmember = method(commands.srandmember)
    srandmember_count = method(commands.srandmember_count)
    sinter = method(commands.sinter)
    sunion = method(commands.sunion)
    sdiff = method(commands.sdiff)
    sscan = method(commands.sscan)

    # sorted sets
    zadd = method(commands.zadd)
    zincrby = method(commands.zincrby)
    zrem = method(commands.zrem)
    zscore = method(commands.zscore)
    zcard = method(commands.zcard)
    zcount = method(commands.zcount)
    zrank = method(commands.zrank)
    zrevrank = method(commands.zrevrank)
    zrange = method(commands.zrange)
    zrange_withscores = method(commands.zrange_withscores)
    zrangebyscore = method(commands.zrangebyscore)
    zrangebyscore_withscores = method(commands.zrangebyscore_withscores)
    zremrangebyrank = method(commands.zremrangebyrank)
    zremrangebyscore = method(commands.zremrangebyscore)
    zpopmin = method(commands.zpopmin)
    zpopmin_count = method(commands.zpopmin_count)
    zpopmax = method(commands.zpopmax)
    zpopmax_count = method(commands.zpopmax_count)
    zscan = method(commands.zscan)

    # streams
    xadd = method(commands.xadd)
    xlen = method(commands.xlen)
    xrange = method(commands.xrange)
    xrevrange = method(commands.xrevrange)
    xread = method(commands.xread)
    xreadgroup = method(commands.xreadgroup)
    xgroup_create = method(commands.xgroup_create)
    xgroup_destroy = method(commands.xgroup_destroy)
    xack = method(commands.xack)
    xdel = method(commands.xdel)
    xtrim = method(commands.xtrim)

    # scripting
    eval = method(commands.eval)
    evalsha = method(commands.evalsha)
    script_load = method(commands.script_load)
    script_exists = method(commands.script_exists)

    # server
    ping = method(commands.ping)
    echo = method(commands.echo)
    time = method(commands.time)
    info = method(commands.info)
    dbsize = method(commands.dbsize)
    flushdb = method(commands.flushdb)
    config_get = method(commands.config_get)
    config_set = method(commands.config_set)
    client_id = method(commands.client_id)
    publish = method(commands.publish)
    wait = method(commands.wait)
