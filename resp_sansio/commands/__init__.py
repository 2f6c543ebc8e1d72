"""Commands by name: each function builds a `Command[T]` whose result has one exact type, whatever the protocol.

    client.execute(commands.get("key"))              # bytes | None
    client.execute(commands.hgetall("key"))          # dict[bytes, bytes], on RESP2 as on RESP3

Arguments stand in Redis' own order and have its names; its words for options are keywords. Where an option would change what
comes back, it has a function of its own, with the option in its name: `set_get`, `lpop_count`, `zrange_withscores`. Names
that Python has for itself are spelt out: `delete` is DEL.

Data comes as `bytes`, `decode` or not; `text` makes `str` of it. A reply that has not the shape that the command is known for
raises `UnexpectedReplyError`. An option that is no number where it must be one, or a flag that is neither True nor False, raises
`TypeError` here; options that exclude each other raise `ValueError`. Other arguments of a wrong type raise `TypeError` where
commands are encoded: nothing is sent in any case.
"""

from __future__ import annotations

from .bitmaps import bitcount, bitfield, bitfield_ro, bitop, bitpos, getbit, setbit
from .command import text
from .generic import (
    delete,
    exists,
    expire,
    expireat,
    keys,
    persist,
    pexpire,
    pexpireat,
    pttl,
    rename,
    renamenx,
    scan,
    touch,
    ttl,
    type,
    unlink,
)
from .hashes import hdel, hexists, hget, hgetall, hincrby, hincrbyfloat, hkeys, hlen, hmget, hscan, hset, hsetnx, hvals
from .hyperloglog import pfadd, pfcount, pfmerge
from .json import (
    json_arrappend,
    json_arrindex,
    json_arrinsert,
    json_arrlen,
    json_arrpop,
    json_arrtrim,
    json_clear,
    json_debug_memory,
    json_del,
    json_forget,
    json_get,
    json_merge,
    json_mget,
    json_mset,
    json_numincrby,
    json_nummultby,
    json_objkeys,
    json_objlen,
    json_resp,
    json_set,
    json_strappend,
    json_strlen,
    json_toggle,
    json_type,
)
from .lists import (
    blmove,
    blpop,
    brpop,
    lindex,
    llen,
    lmove,
    lpop,
    lpop_count,
    lpush,
    lrange,
    lrem,
    lset,
    ltrim,
    rpop,
    rpop_count,
    rpush,
)
from .scripting import eval, evalsha, script_exists, script_load
from .server import client_id, config_get, config_set, dbsize, echo, flushdb, info, ping, publish, time, wait
from .sets import (
    sadd,
    scard,
    sdiff,
    sinter,
    sismember,
    smembers,
    smismember,
    spop,
    spop_count,
    srandmember,
    srandmember_count,
    srem,
    sscan,
    sunion,
)
from .sorted_sets import (
    bzmpop,
    bzpopmax,
    bzpopmin,
    zadd,
    zadd_incr,
    zcard,
    zcount,
    zdiff,
    zdiff_withscores,
    zdiffstore,
    zincrby,
    zinter,
    zinter_withscores,
    zintercard,
    zinterstore,
    zlexcount,
    zmpop,
    zmscore,
    zpopmax,
    zpopmax_count,
    zpopmin,
    zpopmin_count,
    zrandmember,
    zrandmember_count,
    zrandmember_withscores,
    zrange,
    zrange_withscores,
    zrangebylex,
    zrangebyscore,
    zrangebyscore_withscores,
    zrangestore,
    zrank,
    zrank_withscore,
    zrem,
    zremrangebylex,
    zremrangebyrank,
    zremrangebyscore,
    zrevrange,
    zrevrange_withscores,
    zrevrangebylex,
    zrevrangebyscore,
    zrevrangebyscore_withscores,
    zrevrank,
    zrevrank_withscore,
    zscan,
    zscan_noscores,
    zscore,
    zunion,
    zunion_withscores,
    zunionstore,
)
from .streams import xack, xadd, xdel, xgroup_create, xgroup_destroy, xlen, xrange, xread, xreadgroup, xrevrange, xtrim
from .strings import (
    append,
    decr,
    decrby,
    delex,
    delifeq,
    digest,
    get,
    getdel,
    getex,
    getrange,
    getset,
    incr,
    incrby,
    incrbyfloat,
    lcs,
    lcs_idx,
    lcs_len,
    mget,
    mset,
    msetex,
    msetnx,
    psetex,
    set,
    set_get,
    setex,
    setnx,
    setrange,
    strlen,
    substr,
)

__all__ = [
    "append", "bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos", "blmove", "blpop", "brpop", "bzmpop",
    "bzpopmax", "bzpopmin", "client_id", "config_get", "config_set", "dbsize", "decr", "decrby", "delete", "delex",
    "delifeq", "digest", "echo", "eval", "evalsha", "exists", "expire", "expireat", "flushdb", "get", "getbit",
    "getdel", "getex", "getrange", "getset", "hdel", "hexists", "hget", "hgetall", "hincrby", "hincrbyfloat", "hkeys",
    "hlen", "hmget", "hscan", "hset", "hsetnx", "hvals", "incr", "incrby", "incrbyfloat", "info", "json_arrappend",
    "json_arrindex", "json_arrinsert", "json_arrlen", "json_arrpop", "json_arrtrim", "json_clear", "json_debug_memory",
    "json_del", "json_forget", "json_get", "json_merge", "json_mget", "json_mset", "json_numincrby", "json_nummultby",
    "json_objkeys", "json_objlen", "json_resp", "json_set", "json_strappend", "json_strlen", "json_toggle", "json_type",
    "keys", "lcs", "lcs_idx", "lcs_len", "lindex", "llen", "lmove", "lpop", "lpop_count", "lpush", "lrange", "lrem",
    "lset", "ltrim", "mget", "mset", "msetex", "msetnx", "persist", "pexpire", "pexpireat", "pfadd", "pfcount",
    "pfmerge", "ping", "psetex", "pttl", "publish", "rename", "renamenx", "rpop", "rpop_count", "rpush", "sadd", "scan",
    "scard", "script_exists", "script_load", "sdiff", "set", "set_get", "setbit", "setex", "setnx", "setrange",
    "sinter", "sismember", "smembers", "smismember", "spop", "spop_count", "srandmember", "srandmember_count", "srem",
    "sscan", "strlen", "substr", "sunion", "text", "time", "touch", "ttl", "type", "unlink", "wait", "xack", "xadd",
    "xdel", "xgroup_create", "xgroup_destroy", "xlen", "xrange", "xread", "xreadgroup", "xrevrange", "xtrim", "zadd",
    "zadd_incr", "zcard", "zcount", "zdiff", "zdiff_withscores", "zdiffstore", "zincrby", "zinter", "zinter_withscores",
    "zintercard", "zinterstore", "zlexcount", "zmpop", "zmscore", "zpopmax", "zpopmax_count", "zpopmin",
    "zpopmin_count", "zrandmember", "zrandmember_count", "zrandmember_withscores", "zrange", "zrange_withscores",
    "zrangebylex", "zrangebyscore", "zrangebyscore_withscores", "zrangestore", "zrank", "zrank_withscore", "zrem",
    "zremrangebylex", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrange_withscores", "zrevrangebylex",
    "zrevrangebyscore", "zrevrangebyscore_withscores", "zrevrank", "zrevrank_withscore", "zscan", "zscan_noscores",
    "zscore", "zunion", "zunion_withscores", "zunionstore",
]  # fmt: skip


def __dir__() -> list[str]:
    """Name the builders alone: what an editor or `help` offers."""
    return __all__
