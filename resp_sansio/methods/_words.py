"""The words of the commands that take more than an expression.

Written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`, not by hand.
"""

from __future__ import annotations

from ..commands.arguments import (
    NONE,
    Aggregate,
    End,
    Fields,
    Nack,
    Ordering,
    Scores,
    Side,
    Weights,
    adding,
    claimed_ids,
    comparison,
    condition,
    credentials,
    exclusive,
    expiring,
    given,
    in_turn,
    integers,
    limiting,
    moving,
    named,
    numbers,
    scores_in_turn,
    sorting,
    streams_in_turn,
    trimming,
    weighing,
)
from ..commands.arguments_geo import Places, Unit, Vertices, nearest, places_in_turn, searching, storing
from ..commands.arguments_json import FloatType, JsonPath, json_path
from ..commands.arguments_modules import Vector, filling, similar_to, similarity, vector_words
from ..commands.arguments_queries import (
    Fusion,
    aggregate_words,
    cursor_words,
    hybrid_fusion,
    hybrid_nearness,
    search_words,
)
from ..commands.arguments_search import (
    DataType,
    Highlight,
    ReturnFields,
    SchemaField,
    SearchSortBy,
    Step,
    Summarize,
    Switch,
    WordList,
    dictionaries,
    fields_in_turn,
    query_params,
    sized,
    steps_in_turn,
)
from ..commands.arguments_server import configured, counted, excluded, followed, on_or_off, skipping, valued
from ..commands.arguments_time_series import (
    Aggregation,
    Aggregations,
    Align,
    Bounds,
    BucketTime,
    Encoding,
    Grouping,
    Ignore,
    Labels,
    Policy,
    Times,
    aggregated,
    aggregated_each,
    aggregated_in_turn,
    by_filter,
    chosen,
    compacted,
    keeping,
    labelled,
    shown,
)
from ..commands.words import Words
from ..wire.encoder import Argument


def set(
    key: Argument,
    value: Argument,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    nx: bool,
    xx: bool,
    keepttl: bool,
    ifeq: Argument | None,
    ifne: Argument | None,
    ifdeq: Argument | None,
    ifdne: Argument | None,
) -> Words:
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = comparison("SET", ifeq, ifne, ifdeq, ifdne, nx, xx)
    return "SET", key, value, *only, *expiry


def set_get(
    key: Argument,
    value: Argument,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    nx: bool,
    xx: bool,
    keepttl: bool,
    ifeq: Argument | None,
    ifne: Argument | None,
    ifdeq: Argument | None,
    ifdne: Argument | None,
) -> Words:
    expiry = exclusive("SET", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    only = comparison("SET", ifeq, ifne, ifdeq, ifdne, nx, xx)
    return "SET", key, value, *only, "GET", *expiry


def msetex(
    values: Fields,
    nx: bool,
    xx: bool,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    keepttl: bool,
) -> Words:
    words = in_turn("MSETEX", "values", values)
    only = exclusive("MSETEX", nx=nx, xx=xx)
    expiry = exclusive("MSETEX", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl)
    return "MSETEX", len(values), *words, *only, *expiry


def increx(
    key: Argument,
    byint: int | None,
    lbound: int | None,
    ubound: int | None,
    saturate: bool,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    persist: bool,
    enx: bool,
) -> Words:
    words = given("INCREX", byint=byint, lbound=lbound, ubound=ubound, saturate=saturate)
    return "INCREX", key, *words, *expiring("INCREX", ex, px, exat, pxat, persist, enx)


def increx_byfloat(
    key: Argument,
    increment: float,
    lbound: float | None,
    ubound: float | None,
    saturate: bool,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    persist: bool,
    enx: bool,
) -> Words:
    bounds = numbers("INCREX", lbound=lbound, ubound=ubound)
    expiry = expiring("INCREX", ex, px, exat, pxat, persist, enx)
    saturated = given("INCREX", saturate=saturate)
    return "INCREX", key, "BYFLOAT", increment, *bounds, *saturated, *expiry


def restore(
    key: Argument,
    ttl: int,
    serialized_value: Argument,
    replace: bool,
    absttl: bool,
    idletime: int | None,
    freq: int | None,
) -> Words:
    options = given("RESTORE", replace=replace, absttl=absttl)
    use = exclusive("RESTORE", idletime=idletime, freq=freq)
    return "RESTORE", key, ttl, serialized_value, *options, *use


def migrate(
    host: Argument,
    port: int,
    key: Argument,
    destination_db: int,
    timeout: int,
    *keys: Argument,
    copy: bool,
    replace: bool,
    auth: Argument | None,
    auth2: tuple[Argument, Argument] | None,
) -> Words:
    options = [*given("MIGRATE", copy=copy, replace=replace), *credentials("MIGRATE", auth, auth2)]
    if keys:
        return "MIGRATE", host, port, "", destination_db, timeout, *options, "KEYS", key, *keys
    return "MIGRATE", host, port, key, destination_db, timeout, *options


def sort_store(
    key: Argument,
    destination: Argument,
    *patterns: Argument,
    by: Argument | None,
    limit: tuple[int, int] | None,
    desc: bool,
    alpha: bool,
) -> Words:
    words = sorting("SORT", by, limit, patterns, desc, alpha)
    return "SORT", key, *words, "STORE", destination


def hset(key: Argument, field: Argument | None, value: Argument | None, mapping: Fields) -> Words:
    if (field is None) is not (value is None):
        raise ValueError("field and value go together")
    one = () if field is None or value is None else (field, value)
    more = () if mapping is NONE else in_turn("HSET", "mapping", mapping)
    return "HSET", key, *one, *more


def hsetex(
    key: Argument,
    fields: Fields,
    nx: bool,
    xx: bool,
    fnx: bool,
    fxx: bool,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    keepttl: bool,
) -> Words:
    words = [
        *exclusive("HSETEX", nx=nx, xx=xx),
        *exclusive("HSETEX", fnx=fnx, fxx=fxx),
        *exclusive("HSETEX", ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl),
    ]
    parts = in_turn("HSETEX", "fields", fields)
    return "HSETEX", key, *words, "FIELDS", len(parts) // 2, *parts


def hgetex(
    key: Argument,
    field: Argument,
    *fields: Argument,
    ex: int | None,
    px: int | None,
    exat: int | None,
    pxat: int | None,
    persist: bool,
) -> Words:
    options = exclusive("HGETEX", ex=ex, px=px, exat=exat, pxat=pxat, persist=persist)
    return "HGETEX", key, *options, "FIELDS", len(fields) + 1, field, *fields


def hexpire(
    key: Argument, seconds: int, field: Argument, *fields: Argument, nx: bool, xx: bool, gt: bool, lt: bool
) -> Words:
    words = condition("HEXPIRE", nx, xx, gt, lt)
    return "HEXPIRE", key, seconds, *words, "FIELDS", len(fields) + 1, field, *fields


def hpexpire(
    key: Argument, milliseconds: int, field: Argument, *fields: Argument, nx: bool, xx: bool, gt: bool, lt: bool
) -> Words:
    words = condition("HPEXPIRE", nx, xx, gt, lt)
    return "HPEXPIRE", key, milliseconds, *words, "FIELDS", len(fields) + 1, field, *fields


def hexpireat(
    key: Argument, unix_time_seconds: int, field: Argument, *fields: Argument, nx: bool, xx: bool, gt: bool, lt: bool
) -> Words:
    words = condition("HEXPIREAT", nx, xx, gt, lt)
    return "HEXPIREAT", key, unix_time_seconds, *words, "FIELDS", len(fields) + 1, field, *fields


def hpexpireat(
    key: Argument,
    unix_time_milliseconds: int,
    field: Argument,
    *fields: Argument,
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
) -> Words:
    words = condition("HPEXPIREAT", nx, xx, gt, lt)
    return "HPEXPIREAT", key, unix_time_milliseconds, *words, "FIELDS", len(fields) + 1, field, *fields


def lmovem(
    source: Argument,
    destination: Argument,
    wherefrom: Side,
    whereto: Side,
    count: int | None,
    exactly: int | None,
    ordering: Ordering | None,
) -> Words:
    words = moving("LMOVEM", count, exactly, ordering)
    return "LMOVEM", source, destination, wherefrom, whereto, *words


def blmovem(
    source: Argument,
    destination: Argument,
    wherefrom: Side,
    whereto: Side,
    timeout: float,
    count: int | None,
    exactly: int | None,
    ordering: Ordering | None,
) -> Words:
    words = moving("BLMOVEM", count, exactly, ordering)
    return "BLMOVEM", source, destination, wherefrom, whereto, timeout, *words


def lpos_count(key: Argument, element: Argument, count: int, rank: int | None, maxlen: int | None) -> Words:
    words = given("LPOS", rank=rank, maxlen=maxlen)
    return "LPOS", key, element, "COUNT", count, *words


def sunioncard(key: Argument, *keys: Argument, approx: bool, limit: int | None) -> Words:
    words = given("SUNIONCARD", approx=approx, limit=limit)
    return "SUNIONCARD", len(keys) + 1, key, *keys, *words


def zadd(key: Argument, scores: Scores, nx: bool, xx: bool, gt: bool, lt: bool, ch: bool) -> Words:
    options = condition("ZADD", nx, xx, gt, lt)
    if ch is not False:
        options += given("ZADD", ch=ch)
    return "ZADD", key, *options, *scores_in_turn(scores)


def zrange(
    key: Argument, start: Argument, stop: Argument, byscore: bool, bylex: bool, rev: bool, limit: tuple[int, int] | None
) -> Words:
    by = exclusive("ZRANGE", byscore=byscore, bylex=bylex)
    words = *by, *given("ZRANGE", rev=rev), *limiting("ZRANGE", limit)
    return "ZRANGE", key, start, stop, *words


def zrange_withscores(
    key: Argument, start: Argument, stop: Argument, byscore: bool, rev: bool, limit: tuple[int, int] | None
) -> Words:
    words = *given("ZRANGE", byscore=byscore, rev=rev), *limiting("ZRANGE", limit)
    return "ZRANGE", key, start, stop, *words, "WITHSCORES"


def zrangestore(
    dst: Argument,
    src: Argument,
    min: Argument,
    max: Argument,
    byscore: bool,
    bylex: bool,
    rev: bool,
    limit: tuple[int, int] | None,
) -> Words:
    by = exclusive("ZRANGESTORE", byscore=byscore, bylex=bylex)
    words = *by, *given("ZRANGESTORE", rev=rev), *limiting("ZRANGESTORE", limit)
    return "ZRANGESTORE", dst, src, min, max, *words


def zrevrangebyscore_withscores(key: Argument, max: Argument, min: Argument, limit: tuple[int, int] | None) -> Words:
    part = limiting("ZREVRANGEBYSCORE", limit)
    return "ZREVRANGEBYSCORE", key, max, min, "WITHSCORES", *part


def bzmpop(key: Argument, *keys: Argument, timeout: float, where: End, count: int | None) -> Words:
    options = given("BZMPOP", count=count)
    return "BZMPOP", timeout, 1 + len(keys), key, *keys, where, *options


def zinter(key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None) -> Words:
    options = weighing("ZINTER", 1 + len(keys), weights, aggregate)
    return "ZINTER", 1 + len(keys), key, *keys, *options


def zinter_withscores(key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None) -> Words:
    options = weighing("ZINTER", 1 + len(keys), weights, aggregate)
    return "ZINTER", 1 + len(keys), key, *keys, *options, "WITHSCORES"


def zinterstore(
    destination: Argument, key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None
) -> Words:
    options = weighing("ZINTERSTORE", 1 + len(keys), weights, aggregate)
    return "ZINTERSTORE", destination, 1 + len(keys), key, *keys, *options


def zunion(key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None) -> Words:
    options = weighing("ZUNION", 1 + len(keys), weights, aggregate)
    return "ZUNION", 1 + len(keys), key, *keys, *options


def zunion_withscores(key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None) -> Words:
    options = weighing("ZUNION", 1 + len(keys), weights, aggregate)
    return "ZUNION", 1 + len(keys), key, *keys, *options, "WITHSCORES"


def zunionstore(
    destination: Argument, key: Argument, *keys: Argument, weights: Weights | None, aggregate: Aggregate | None
) -> Words:
    options = weighing("ZUNIONSTORE", 1 + len(keys), weights, aggregate)
    return "ZUNIONSTORE", destination, 1 + len(keys), key, *keys, *options


def xadd(
    key: Argument,
    fields: Fields,
    id: Argument,
    maxlen: int | None,
    minid: Argument | None,
    approximate: bool,
    limit: int | None,
    keepref: bool,
    delref: bool,
    acked: bool,
    idmpauto: Argument | None,
    idmp: tuple[Argument, Argument] | None,
) -> Words:
    options = adding(maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp, id)
    return "XADD", key, *options, *in_turn("XADD", "fields", fields)


def xadd_nomkstream(
    key: Argument,
    fields: Fields,
    id: Argument,
    maxlen: int | None,
    minid: Argument | None,
    approximate: bool,
    limit: int | None,
    keepref: bool,
    delref: bool,
    acked: bool,
    idmpauto: Argument | None,
    idmp: tuple[Argument, Argument] | None,
) -> Words:
    options = adding(maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp, id)
    return "XADD", key, "NOMKSTREAM", *options, *in_turn("XADD", "fields", fields)


def xread(streams: Fields, count: int | None, maxcount: int | None, maxsize: int | None, block: int | None) -> Words:
    options = given("XREAD", count=count, maxcount=maxcount, maxsize=maxsize, block=block)
    return "XREAD", *options, *streams_in_turn("XREAD", streams)


def xreadgroup(
    group: Argument,
    consumer: Argument,
    streams: Fields,
    count: int | None,
    maxcount: int | None,
    maxsize: int | None,
    block: int | None,
    noack: bool,
) -> Words:
    options = given("XREADGROUP", count=count, maxcount=maxcount, maxsize=maxsize, block=block, noack=noack)
    words = *options, *streams_in_turn("XREADGROUP", streams)
    return "XREADGROUP", "GROUP", group, consumer, *words


def xreadgroup_claim(
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    key: Argument,
    *keys: Argument,
    count: int | None,
    maxcount: int | None,
    maxsize: int | None,
    block: int | None,
    noack: bool,
) -> Words:
    options = given("XREADGROUP", count=count, maxcount=maxcount, maxsize=maxsize, block=block, noack=noack)
    words = "CLAIM", min_idle_time, *options, "STREAMS", key, *keys, ">", *[">"] * len(keys)
    return "XREADGROUP", "GROUP", group, consumer, *words


def xgroup_create(key: Argument, group: Argument, id: Argument, mkstream: bool, entriesread: int | None) -> Words:
    options = given("XGROUP CREATE", mkstream=mkstream, entriesread=entriesread)
    return "XGROUP CREATE", key, group, id, *options


def xackdel(
    key: Argument, group: Argument, id: Argument, *ids: Argument, keepref: bool, delref: bool, acked: bool
) -> Words:
    options = exclusive("XACKDEL", keepref=keepref, delref=delref, acked=acked)
    return "XACKDEL", key, group, *options, "IDS", 1 + len(ids), id, *ids


def xnack(
    key: Argument, group: Argument, mode: Nack, id: Argument, *ids: Argument, retrycount: int | None, force: bool
) -> Words:
    options = given("XNACK", retrycount=retrycount, force=force)
    return "XNACK", key, group, mode, "IDS", 1 + len(ids), id, *ids, *options


def xpending_range(
    key: Argument,
    group: Argument,
    start: Argument,
    end: Argument,
    count: int,
    consumer: Argument | None,
    idle: int | None,
) -> Words:
    only = () if consumer is None else (consumer,)
    return "XPENDING", key, group, *given("XPENDING", idle=idle), start, end, count, *only


def xclaim(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    id: Argument,
    *ids: Argument,
    idle: int | None,
    time: int | None,
    retrycount: int | None,
    force: bool,
    lastid: Argument | None,
) -> Words:
    options = given("XCLAIM", idle=idle, time=time, retrycount=retrycount, force=force, lastid=lastid)
    return "XCLAIM", key, group, consumer, min_idle_time, *claimed_ids(id, ids), *options


def xclaim_justid(
    key: Argument,
    group: Argument,
    consumer: Argument,
    min_idle_time: int,
    id: Argument,
    *ids: Argument,
    idle: int | None,
    time: int | None,
    retrycount: int | None,
    force: bool,
    lastid: Argument | None,
) -> Words:
    options = given("XCLAIM", idle=idle, time=time, retrycount=retrycount, force=force, lastid=lastid)
    words = *claimed_ids(id, ids), *options
    return "XCLAIM", key, group, consumer, min_idle_time, *words, "JUSTID"


def xautoclaim(
    key: Argument, group: Argument, consumer: Argument, min_idle_time: int, start: Argument, count: int | None
) -> Words:
    options = given("XAUTOCLAIM", count=count)
    return "XAUTOCLAIM", key, group, consumer, min_idle_time, start, *options


def xautoclaim_justid(
    key: Argument, group: Argument, consumer: Argument, min_idle_time: int, start: Argument, count: int | None
) -> Words:
    options = *given("XAUTOCLAIM", count=count), "JUSTID"
    return "XAUTOCLAIM", key, group, consumer, min_idle_time, start, *options


def xdelex(key: Argument, id: Argument, *ids: Argument, keepref: bool, delref: bool, acked: bool) -> Words:
    options = exclusive("XDELEX", keepref=keepref, delref=delref, acked=acked)
    return "XDELEX", key, *options, "IDS", 1 + len(ids), id, *ids


def xtrim(
    key: Argument,
    maxlen: int | None,
    minid: Argument | None,
    approximate: bool,
    limit: int | None,
    keepref: bool,
    delref: bool,
    acked: bool,
) -> Words:
    words = trimming("XTRIM", maxlen, minid, approximate, limit)
    if not words:
        raise ValueError("give maxlen or minid")
    references = exclusive("XTRIM", keepref=keepref, delref=delref, acked=acked)
    return "XTRIM", key, *words, *references


def xsetid(key: Argument, last_id: Argument, entriesadded: int | None, maxdeletedid: Argument | None) -> Words:
    options = given("XSETID", entriesadded=entriesadded, maxdeletedid=maxdeletedid)
    return "XSETID", key, last_id, *options


def xcfgset(key: Argument, idmp_duration: int | None, idmp_maxsize: int | None) -> Words:
    options = given("XCFGSET", **{"idmp-duration": idmp_duration, "idmp-maxsize": idmp_maxsize})
    if not options:
        raise ValueError("give idmp_duration or idmp_maxsize")
    return "XCFGSET", key, *options


def geoadd(key: Argument, places: Places, nx: bool, xx: bool, ch: bool) -> Words:
    words = [*condition("GEOADD", nx, xx), *given("GEOADD", ch=ch)]
    return "GEOADD", key, *words, *places_in_turn(places)


def geosearch(
    key: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> Words:
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return "GEOSEARCH", key, *words


def geosearch_withdist(
    key: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> Words:
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return "GEOSEARCH", key, *words, "WITHDIST"


def geosearch_withcoord(
    key: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> Words:
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return "GEOSEARCH", key, *words, "WITHCOORD"


def geosearch_withhash(
    key: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> Words:
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return "GEOSEARCH", key, *words, "WITHHASH"


def geosearch_withall(
    key: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
) -> Words:
    words = searching("GEOSEARCH", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    return "GEOSEARCH", key, *words, "WITHDIST", "WITHHASH", "WITHCOORD"


def geosearchstore(
    destination: Argument,
    source: Argument,
    frommember: Argument | None,
    fromlonlat: tuple[float, float] | None,
    byradius: float | None,
    bybox: tuple[float, float] | None,
    bypolygon: Vertices | None,
    unit: Unit,
    asc: bool,
    desc: bool,
    count: int | None,
    any: bool,
    storedist: bool,
) -> Words:
    words = searching("GEOSEARCHSTORE", frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any)
    words += given("GEOSEARCHSTORE", storedist=storedist)
    return "GEOSEARCHSTORE", destination, source, *words


def georadius(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
) -> Words:
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    return "GEORADIUS", key, longitude, latitude, radius, unit, *words


def georadius_withall(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
) -> Words:
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return "GEORADIUS", key, longitude, latitude, radius, unit, *words


def georadius_store(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
    store: Argument | None,
    storedist: Argument | None,
) -> Words:
    words = [*nearest("GEORADIUS", count, any), *exclusive("GEORADIUS", asc=asc, desc=desc)]
    words += storing(store, storedist)
    return "GEORADIUS", key, longitude, latitude, radius, unit, *words


def georadius_ro(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
) -> Words:
    words = [*nearest("GEORADIUS_RO", count, any), *exclusive("GEORADIUS_RO", asc=asc, desc=desc)]
    return "GEORADIUS_RO", key, longitude, latitude, radius, unit, *words


def georadius_ro_withall(
    key: Argument,
    longitude: float,
    latitude: float,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
) -> Words:
    words = [*nearest("GEORADIUS_RO", count, any), *exclusive("GEORADIUS_RO", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return "GEORADIUS_RO", key, longitude, latitude, radius, unit, *words


def georadiusbymember(
    key: Argument, member: Argument, radius: float, unit: Unit, count: int | None, any: bool, asc: bool, desc: bool
) -> Words:
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    return "GEORADIUSBYMEMBER", key, member, radius, unit, *words


def georadiusbymember_withall(
    key: Argument, member: Argument, radius: float, unit: Unit, count: int | None, any: bool, asc: bool, desc: bool
) -> Words:
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return "GEORADIUSBYMEMBER", key, member, radius, unit, *words


def georadiusbymember_store(
    key: Argument,
    member: Argument,
    radius: float,
    unit: Unit,
    count: int | None,
    any: bool,
    asc: bool,
    desc: bool,
    store: Argument | None,
    storedist: Argument | None,
) -> Words:
    words = [*nearest("GEORADIUSBYMEMBER", count, any), *exclusive("GEORADIUSBYMEMBER", asc=asc, desc=desc)]
    words += storing(store, storedist)
    return "GEORADIUSBYMEMBER", key, member, radius, unit, *words


def georadiusbymember_ro(
    key: Argument, member: Argument, radius: float, unit: Unit, count: int | None, any: bool, asc: bool, desc: bool
) -> Words:
    words = [*nearest("GEORADIUSBYMEMBER_RO", count, any), *exclusive("GEORADIUSBYMEMBER_RO", asc=asc, desc=desc)]
    return "GEORADIUSBYMEMBER_RO", key, member, radius, unit, *words


def georadiusbymember_ro_withall(
    key: Argument, member: Argument, radius: float, unit: Unit, count: int | None, any: bool, asc: bool, desc: bool
) -> Words:
    words = [*nearest("GEORADIUSBYMEMBER_RO", count, any), *exclusive("GEORADIUSBYMEMBER_RO", asc=asc, desc=desc)]
    words += "WITHDIST", "WITHHASH", "WITHCOORD"
    return "GEORADIUSBYMEMBER_RO", key, member, radius, unit, *words


def argrep(
    key: Argument,
    start: Argument,
    end: Argument,
    exact: Argument | None,
    match: Argument | None,
    glob: Argument | None,
    re: Argument | None,
    every: bool,
    limit: int | None,
    nocase: bool,
) -> Words:
    conditions = valued(exact=exact, match=match, glob=glob, re=re)
    if not conditions:
        raise ValueError("argrep must be told what to look for: exact, match, glob or re")
    flags = [*(("AND",) if given("ARGREP", every=every) else ()), *given("ARGREP", nocase=nocase)]
    return "ARGREP", key, start, end, *conditions, *flags, *counted("ARGREP", limit=limit)


def argrep_withvalues(
    key: Argument,
    start: Argument,
    end: Argument,
    exact: Argument | None,
    match: Argument | None,
    glob: Argument | None,
    re: Argument | None,
    every: bool,
    limit: int | None,
    nocase: bool,
) -> Words:
    conditions = valued(exact=exact, match=match, glob=glob, re=re)
    if not conditions:
        raise ValueError("argrep_withvalues must be told what to look for: exact, match, glob or re")
    flags = [*(("AND",) if given("ARGREP", every=every) else ()), *given("ARGREP", nocase=nocase), "WITHVALUES"]
    return "ARGREP", key, start, end, *conditions, *flags, *counted("ARGREP", limit=limit)


def json_set(key: Argument, path: JsonPath, value: Argument, nx: bool, xx: bool, fpha: FloatType | None) -> Words:
    options = [*condition("JSON.SET", nx, xx), *named(fpha=fpha)]
    return "JSON.SET", key, json_path("JSON.SET", path), value, *options


def json_get(
    key: Argument, *paths: JsonPath, indent: Argument | None, newline: Argument | None, space: Argument | None
) -> Words:
    options = named(indent=indent, newline=newline, space=space)
    return "JSON.GET", key, *options, *[json_path("JSON.GET", path) for path in paths]


def vadd(
    key: Argument,
    vector: Vector,
    element: Argument,
    reduce: int | None,
    cas: bool,
    noquant: bool,
    q8: bool,
    bin: bool,
    ef: int | None,
    setattr: Argument | None,
    m: int | None,
) -> Words:
    words = *integers("VADD", reduce=reduce), *vector_words("VADD", vector)
    kept = *given("VADD", cas=cas), *exclusive("VADD", noquant=noquant, q8=q8, bin=bin)
    options = *integers("VADD", ef=ef), *named(setattr=setattr), *integers("VADD", m=m)
    return "VADD", key, *words, element, *kept, *options


def vsim(
    key: Argument,
    vector: Vector | None,
    ele: Argument | None,
    count: int | None,
    epsilon: float | None,
    ef: int | None,
    filter: Argument | None,
    filter_ef: int | None,
    truth: bool,
    nothread: bool,
) -> Words:
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return "VSIM", key, *similar_to("VSIM", vector, ele), *words


def vsim_withscores(
    key: Argument,
    vector: Vector | None,
    ele: Argument | None,
    count: int | None,
    epsilon: float | None,
    ef: int | None,
    filter: Argument | None,
    filter_ef: int | None,
    truth: bool,
    nothread: bool,
) -> Words:
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return "VSIM", key, *similar_to("VSIM", vector, ele), "WITHSCORES", *words


def vsim_withattribs(
    key: Argument,
    vector: Vector | None,
    ele: Argument | None,
    count: int | None,
    epsilon: float | None,
    ef: int | None,
    filter: Argument | None,
    filter_ef: int | None,
    truth: bool,
    nothread: bool,
) -> Words:
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return "VSIM", key, *similar_to("VSIM", vector, ele), "WITHATTRIBS", *words


def vsim_withscores_withattribs(
    key: Argument,
    vector: Vector | None,
    ele: Argument | None,
    count: int | None,
    epsilon: float | None,
    ef: int | None,
    filter: Argument | None,
    filter_ef: int | None,
    truth: bool,
    nothread: bool,
) -> Words:
    words = similarity("VSIM", count, epsilon, ef, filter, filter_ef, truth, nothread)
    return "VSIM", key, *similar_to("VSIM", vector, ele), "WITHSCORES", "WITHATTRIBS", *words


def ts_create(
    key: Argument,
    retention: int | None,
    encoding: Encoding | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    ignore: Ignore | None,
    labels: Fields | None,
) -> Words:
    words = keeping("TS.CREATE", retention, encoding, chunk_size, duplicate_policy, ignore)
    return "TS.CREATE", key, *words, *labelled("TS.CREATE", labels)


def ts_alter(
    key: Argument,
    retention: int | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    ignore: Ignore | None,
    labels: Fields | None,
) -> Words:
    words = keeping("TS.ALTER", retention, None, chunk_size, duplicate_policy, ignore)
    return "TS.ALTER", key, *words, *labelled("TS.ALTER", labels)


def ts_add(
    key: Argument,
    timestamp: Argument,
    value: float,
    retention: int | None,
    encoding: Encoding | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    on_duplicate: Policy | None,
    ignore: Ignore | None,
    labels: Fields | None,
) -> Words:
    words = keeping("TS.ADD", retention, encoding, chunk_size, duplicate_policy, ignore)
    words += named(on_duplicate=on_duplicate) + labelled("TS.ADD", labels)
    return "TS.ADD", key, timestamp, value, *words


def ts_incrby(
    key: Argument,
    addend: float,
    timestamp: Argument | None,
    retention: int | None,
    encoding: Encoding | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    ignore: Ignore | None,
    labels: Fields | None,
) -> Words:
    words = named(timestamp=timestamp)
    words += keeping("TS.INCRBY", retention, encoding, chunk_size, duplicate_policy, ignore)
    return "TS.INCRBY", key, addend, *words, *labelled("TS.INCRBY", labels)


def ts_decrby(
    key: Argument,
    subtrahend: float,
    timestamp: Argument | None,
    retention: int | None,
    encoding: Encoding | None,
    chunk_size: int | None,
    duplicate_policy: Policy | None,
    ignore: Ignore | None,
    labels: Fields | None,
) -> Words:
    words = named(timestamp=timestamp)
    words += keeping("TS.DECRBY", retention, encoding, chunk_size, duplicate_policy, ignore)
    return "TS.DECRBY", key, subtrahend, *words, *labelled("TS.DECRBY", labels)


def ts_createrule(
    source_key: Argument, dest_key: Argument, aggregation: Aggregation, align_timestamp: int | None
) -> Words:
    align = integers("TS.CREATERULE", align_timestamp=align_timestamp)[1:]
    return "TS.CREATERULE", source_key, dest_key, *compacted("TS.CREATERULE", aggregation), *align


def ts_mget(
    filter: Argument, *filters: Argument, latest: bool, withlabels: bool, selected_labels: Labels | None
) -> Words:
    words = given("TS.MGET", latest=latest) + shown("TS.MGET", withlabels, selected_labels)
    return "TS.MGET", *words, *by_filter("TS.MGET", (filter, *filters))


def ts_range(
    key: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregation | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.RANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.RANGE", aggregation, align, buckettimestamp, empty)
    return "TS.RANGE", key, from_timestamp, to_timestamp, *words


def ts_revrange(
    key: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregation | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.REVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.REVRANGE", aggregation, align, buckettimestamp, empty)
    return "TS.REVRANGE", key, from_timestamp, to_timestamp, *words


def ts_range_aggregators(
    key: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    aggregation: Aggregations,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.RANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.RANGE", aggregation, align, buckettimestamp, empty)
    return "TS.RANGE", key, from_timestamp, to_timestamp, *words


def ts_revrange_aggregators(
    key: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    aggregation: Aggregations,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.REVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.REVRANGE", aggregation, align, buckettimestamp, empty)
    return "TS.REVRANGE", key, from_timestamp, to_timestamp, *words


def ts_nrange(
    key: Argument,
    *keys: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregations | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.NRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_each("TS.NRANGE", 1 + len(keys), aggregation, align, buckettimestamp, empty)
    return "TS.NRANGE", 1 + len(keys), key, *keys, from_timestamp, to_timestamp, *words


def ts_nrevrange(
    key: Argument,
    *keys: Argument,
    from_timestamp: Argument,
    to_timestamp: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregations | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.NREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_each("TS.NREVRANGE", 1 + len(keys), aggregation, align, buckettimestamp, empty)
    return "TS.NREVRANGE", 1 + len(keys), key, *keys, from_timestamp, to_timestamp, *words


def ts_mrange(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    withlabels: bool,
    selected_labels: Labels | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregation | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
    groupby: Grouping | None,
) -> Words:
    words = chosen("TS.MRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.MRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MRANGE", withlabels, selected_labels) + by_filter("TS.MRANGE", (filter, *filters), groupby)
    return "TS.MRANGE", from_timestamp, to_timestamp, *words


def ts_mrevrange(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    withlabels: bool,
    selected_labels: Labels | None,
    count: int | None,
    align: Align | None,
    aggregation: Aggregation | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
    groupby: Grouping | None,
) -> Words:
    words = chosen("TS.MREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated("TS.MREVRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MREVRANGE", withlabels, selected_labels) + by_filter("TS.MREVRANGE", (filter, *filters), groupby)
    return "TS.MREVRANGE", from_timestamp, to_timestamp, *words


def ts_mrange_aggregators(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    aggregation: Aggregations,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    withlabels: bool,
    selected_labels: Labels | None,
    count: int | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.MRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.MRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MRANGE", withlabels, selected_labels) + by_filter("TS.MRANGE", (filter, *filters))
    return "TS.MRANGE", from_timestamp, to_timestamp, *words


def ts_mrevrange_aggregators(
    from_timestamp: Argument,
    to_timestamp: Argument,
    filter: Argument,
    *filters: Argument,
    aggregation: Aggregations,
    latest: bool,
    filter_by_ts: Times | None,
    filter_by_value: Bounds | None,
    withlabels: bool,
    selected_labels: Labels | None,
    count: int | None,
    align: Align | None,
    buckettimestamp: BucketTime | None,
    empty: bool,
) -> Words:
    words = chosen("TS.MREVRANGE", latest, filter_by_ts, filter_by_value, count)
    words += aggregated_in_turn("TS.MREVRANGE", aggregation, align, buckettimestamp, empty)
    words += shown("TS.MREVRANGE", withlabels, selected_labels) + by_filter("TS.MREVRANGE", (filter, *filters))
    return "TS.MREVRANGE", from_timestamp, to_timestamp, *words


def ft_create(
    index: Argument,
    field: SchemaField,
    *fields: SchemaField,
    on: DataType,
    indexall: Switch | None,
    prefix: WordList | None,
    filter: Argument | None,
    language: Argument | None,
    language_field: Argument | None,
    score: float | None,
    score_field: Argument | None,
    payload_field: Argument | None,
    maxtextfields: bool,
    temporary: int | None,
    nooffsets: bool,
    nohl: bool,
    nofields: bool,
    nofreqs: bool,
    stopwords: WordList | None,
    skipinitialscan: bool,
) -> Words:
    options = [
        *("ON", on),
        *named(indexall=indexall),
        *sized("FT.CREATE", prefix=prefix),
        *named(filter=filter, language=language, language_field=language_field),
        *numbers("FT.CREATE", score=score),
        *named(score_field=score_field, payload_field=payload_field),
        *given("FT.CREATE", maxtextfields=maxtextfields),
        *integers("FT.CREATE", temporary=temporary),
        *given("FT.CREATE", nooffsets=nooffsets, nohl=nohl, nofields=nofields, nofreqs=nofreqs),
        *sized("FT.CREATE", stopwords=stopwords),
        *given("FT.CREATE", skipinitialscan=skipinitialscan),
    ]
    schema = fields_in_turn("FT.CREATE", field, *fields)
    return "FT.CREATE", index, *options, "SCHEMA", *schema


def ft_alter(index: Argument, field: SchemaField, *fields: SchemaField, skipinitialscan: bool) -> Words:
    schema = fields_in_turn("FT.ALTER", field, *fields)
    return "FT.ALTER", index, *given("FT.ALTER", skipinitialscan=skipinitialscan), "SCHEMA", "ADD", *schema


def ft_synupdate(
    index: Argument, synonym_group_id: Argument, term: Argument, *terms: Argument, skipinitialscan: bool
) -> Words:
    scan = given("FT.SYNUPDATE", skipinitialscan=skipinitialscan)
    return "FT.SYNUPDATE", index, synonym_group_id, *scan, term, *terms


def ft_spellcheck(
    index: Argument, query: Argument, distance: int | None, include: WordList, exclude: WordList, dialect: int | None
) -> Words:
    options = [
        *integers("FT.SPELLCHECK", distance=distance),
        *dictionaries(include, exclude),
        *integers("FT.SPELLCHECK", dialect=dialect),
    ]
    return "FT.SPELLCHECK", index, query, *options


def ft_sugadd(key: Argument, string: Argument, score: float, incr: bool, payload: Argument | None) -> Words:
    options = [*given("FT.SUGADD", incr=incr), *named(payload=payload)]
    return "FT.SUGADD", key, string, score, *options


def ft_sugget(key: Argument, prefix: Argument, fuzzy: bool, max: int | None) -> Words:
    options = [*given("FT.SUGGET", fuzzy=fuzzy), *integers("FT.SUGGET", max=max)]
    return "FT.SUGGET", key, prefix, *options


def ft_sugget_withscores(key: Argument, prefix: Argument, fuzzy: bool, max: int | None) -> Words:
    options = [*given("FT.SUGGET", fuzzy=fuzzy), "WITHSCORES", *integers("FT.SUGGET", max=max)]
    return "FT.SUGGET", key, prefix, *options


def ft_sugget_withpayloads(key: Argument, prefix: Argument, fuzzy: bool, max: int | None) -> Words:
    options = [*given("FT.SUGGET", fuzzy=fuzzy), "WITHSCORES", "WITHPAYLOADS", *integers("FT.SUGGET", max=max)]
    return "FT.SUGGET", key, prefix, *options


def ft_search(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    returns: ReturnFields | None,
    summarize: Summarize | None,
    highlight: Highlight | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return "FT.SEARCH", index, query, *options


def ft_search_nocontent(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect,
    )  # fmt: skip
    return "FT.SEARCH", index, query, "NOCONTENT", *options


def ft_search_withscores(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    returns: ReturnFields | None,
    summarize: Summarize | None,
    highlight: Highlight | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return "FT.SEARCH", index, query, "WITHSCORES", *options


def ft_search_explainscore(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    returns: ReturnFields | None,
    summarize: Summarize | None,
    highlight: Highlight | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return "FT.SEARCH", index, query, "WITHSCORES", "EXPLAINSCORE", *options


def ft_search_withpayloads(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    returns: ReturnFields | None,
    summarize: Summarize | None,
    highlight: Highlight | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.SEARCH", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return "FT.SEARCH", index, query, "WITHSCORES", "WITHPAYLOADS", *options


def ft_profile_search(
    index: Argument,
    query: Argument,
    verbatim: bool,
    inkeys: WordList | None,
    infields: WordList | None,
    returns: ReturnFields | None,
    summarize: Summarize | None,
    highlight: Highlight | None,
    slop: int | None,
    timeout: int | None,
    inorder: bool,
    language: Argument | None,
    expander: Argument | None,
    scorer: Argument | None,
    payload: Argument | None,
    sortby: SearchSortBy | None,
    limit: tuple[int, int] | None,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = search_words(
        "FT.PROFILE", verbatim, inkeys, infields, slop, timeout, inorder, language, expander, scorer, payload, sortby,
        limit, params, dialect, returns, summarize, highlight,
    )  # fmt: skip
    return "FT.PROFILE", index, "SEARCH", "QUERY", query, *options


def ft_aggregate(
    index: Argument,
    query: Argument,
    *steps: Step,
    verbatim: bool,
    timeout: int | None,
    scorer: Argument | None,
    addscores: bool,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = aggregate_words("FT.AGGREGATE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    return "FT.AGGREGATE", index, query, *options


def ft_aggregate_withcursor(
    index: Argument,
    query: Argument,
    *steps: Step,
    count: int | None,
    maxidle: int | None,
    verbatim: bool,
    timeout: int | None,
    scorer: Argument | None,
    addscores: bool,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = aggregate_words("FT.AGGREGATE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    cursor = cursor_words(count, maxidle)
    return "FT.AGGREGATE", index, query, *options, *cursor


def ft_profile_aggregate(
    index: Argument,
    query: Argument,
    *steps: Step,
    verbatim: bool,
    timeout: int | None,
    scorer: Argument | None,
    addscores: bool,
    params: Fields,
    dialect: int | None,
) -> Words:
    options = aggregate_words("FT.PROFILE", steps, verbatim, timeout, scorer, addscores, params, dialect)
    return "FT.PROFILE", index, "AGGREGATE", "QUERY", query, *options


def ft_hybrid(
    index: Argument,
    search: Argument,
    field: Argument,
    vector: Argument,
    *steps: Step,
    scorer: Argument | None,
    search_score_as: Argument | None,
    k: int | None,
    ef_runtime: int | None,
    radius: float | None,
    epsilon: float | None,
    filter: Argument | None,
    vector_score_as: Argument | None,
    combine: Fusion | None,
    constant: float | None,
    window: int | None,
    alpha: float | None,
    beta: float | None,
    score_as: Argument | None,
    params: Fields,
    timeout: int | None,
) -> Words:
    options = [
        *("SEARCH", search, *named(scorer=scorer, yield_score_as=search_score_as)),
        *("VSIM", field, vector, *hybrid_nearness(k, ef_runtime, radius, epsilon, filter)),
        *named(yield_score_as=vector_score_as),
        *hybrid_fusion(combine, constant, window, alpha, beta, score_as),
        *steps_in_turn("FT.HYBRID", *steps),
        *query_params("FT.HYBRID", params),
        *integers("FT.HYBRID", timeout=timeout),
    ]
    return "FT.HYBRID", index, *options


def bf_reserve(key: Argument, error_rate: float, capacity: int, expansion: int | None, nonscaling: bool) -> Words:
    words = filling("BF.RESERVE", None, None, expansion, False, nonscaling)
    return "BF.RESERVE", key, error_rate, capacity, *words


def bf_insert(
    key: Argument,
    item: Argument,
    *items: Argument,
    capacity: int | None,
    error: float | None,
    expansion: int | None,
    nocreate: bool,
    nonscaling: bool,
    tightening: float | None,
    validatescaleto: int | None,
) -> Words:
    words = filling("BF.INSERT", capacity, error, expansion, nocreate, nonscaling)
    words += numbers("BF.INSERT", tightening=tightening) + integers("BF.INSERT", validatescaleto=validatescaleto)
    return "BF.INSERT", key, *words, "ITEMS", item, *items


def cf_reserve(
    key: Argument, capacity: int, bucketsize: int | None, maxiterations: int | None, expansion: int | None
) -> Words:
    words = integers("CF.RESERVE", bucketsize=bucketsize, maxiterations=maxiterations, expansion=expansion)
    return "CF.RESERVE", key, capacity, *words


def cf_insert(key: Argument, item: Argument, *items: Argument, capacity: int | None, nocreate: bool) -> Words:
    words = filling("CF.INSERT", capacity, None, None, nocreate, False)
    return "CF.INSERT", key, *words, "ITEMS", item, *items


def cf_insertnx(key: Argument, item: Argument, *items: Argument, capacity: int | None, nocreate: bool) -> Words:
    words = filling("CF.INSERTNX", capacity, None, None, nocreate, False)
    return "CF.INSERTNX", key, *words, "ITEMS", item, *items


def cms_merge(destination: Argument, source: Argument, *sources: Argument, weights: Weights | None) -> Words:
    words = weighing("CMS.MERGE", 1 + len(sources), weights, None)
    return "CMS.MERGE", destination, 1 + len(sources), source, *sources, *words


def tdigest_merge(
    destination: Argument, source: Argument, *sources: Argument, compression: int | None, override: bool
) -> Words:
    words = integers("TDIGEST.MERGE", compression=compression) + given("TDIGEST.MERGE", override=override)
    return "TDIGEST.MERGE", destination, 1 + len(sources), source, *sources, *words


def function_list(libraryname: Argument | None, withcode: bool) -> Words:
    chosen = valued(libraryname=libraryname)
    return "FUNCTION LIST", *chosen, *given("FUNCTION LIST", withcode=withcode)


def client_list(
    *ids: int,
    type: Argument | None,
    user: Argument | None,
    addr: Argument | None,
    laddr: Argument | None,
    skipme: bool | None,
    maxage: int | None,
    name: Argument | None,
    idle: int | None,
    flags: Argument | None,
    lib_name: Argument | None,
    lib_ver: Argument | None,
    db: int | None,
    capa: Argument | None,
    ip: Argument | None,
    but_not: Fields,
) -> Words:
    texts = valued(type=type, user=user, addr=addr, laddr=laddr, name=name, flags=flags, lib_name=lib_name)
    more = [*texts, *valued(lib_ver=lib_ver, capa=capa, ip=ip), *skipping("CLIENT LIST", skipme)]
    numbers = counted("CLIENT LIST", maxage=maxage, idle=idle, db=db)
    found = [*more, *numbers, *excluded("CLIENT LIST", but_not), *followed("ID", ids)]
    return "CLIENT LIST", *found


def client_kill(
    *ids: int,
    type: Argument | None,
    user: Argument | None,
    addr: Argument | None,
    laddr: Argument | None,
    skipme: bool | None,
    maxage: int | None,
    name: Argument | None,
    idle: int | None,
    flags: Argument | None,
    lib_name: Argument | None,
    lib_ver: Argument | None,
    db: int | None,
    capa: Argument | None,
    ip: Argument | None,
    but_not: Fields,
) -> Words:
    texts = valued(type=type, user=user, addr=addr, laddr=laddr, name=name, flags=flags, lib_name=lib_name)
    more = [*texts, *valued(lib_ver=lib_ver, capa=capa, ip=ip)]
    numbers = counted("CLIENT KILL", maxage=maxage, idle=idle, db=db)
    found = [*more, *numbers, *excluded("CLIENT KILL", but_not), *followed("ID", ids)]
    if not found:  # a server would close all
        raise ValueError("client_kill must be told which connections to close")
    return "CLIENT KILL", *skipping("CLIENT KILL", skipme), *found


def client_tracking(
    enabled: bool, *prefixes: Argument, redirect: int | None, bcast: bool, optin: bool, optout: bool, noloop: bool
) -> Words:
    options = given("CLIENT TRACKING", bcast=bcast, optin=optin, optout=optout, noloop=noloop)
    if optin and optout:
        raise ValueError("optin and optout exclude each other")
    to = counted("CLIENT TRACKING", redirect=redirect)
    each = [part for prefix in prefixes for part in ("PREFIX", prefix)]
    return "CLIENT TRACKING", on_or_off("CLIENT TRACKING", enabled), *to, *each, *options


def config_set(parameter: Argument | None, value: Argument | None, mapping: Fields) -> Words:
    if parameter is None and value is None:
        if not mapping:
            raise ValueError("config_set must be given parameter and value, or a mapping")
        return "CONFIG SET", *in_turn("CONFIG SET", "mapping", mapping)
    if parameter is None or value is None:
        raise ValueError("parameter and value go together")
    return "CONFIG SET", parameter, value, *in_turn("CONFIG SET", "mapping", mapping)


def shutdown(nosave: bool, save: bool, now: bool, force: bool) -> Words:
    if nosave and save:
        raise ValueError("nosave and save exclude each other")
    return "SHUTDOWN", *given("SHUTDOWN", nosave=nosave, save=save, now=now, force=force)


def failover(host: Argument | None, port: int | None, force: bool, timeout: int | None) -> Words:
    if (host is None) != (port is None):
        raise ValueError("host and port go together")
    forced, limit = given("FAILOVER", force=force), counted("FAILOVER", timeout=timeout)
    if forced and (host is None or not limit):
        raise ValueError("force goes with host, port and timeout")
    to = () if host is None else ("TO", host, *counted("FAILOVER", port=port)[1:])
    return "FAILOVER", *to, *forced, *limit


def module_loadex(path: Argument, *args: Argument, config: Fields) -> Words:
    configuration = configured("MODULE LOADEX", config)
    return "MODULE LOADEX", path, *configuration, *followed("ARGS", args)


def hotkeys_start(
    *slots: int, cpu: bool, net: bool, count: int | None, duration: int | None, sample: int | None
) -> Words:
    metrics = given("HOTKEYS START", cpu=cpu, net=net)
    if not metrics:
        raise ValueError("hotkeys_start must be told what to count: cpu or net")
    options = counted("HOTKEYS START", count=count, duration=duration, sample=sample)
    chosen = followed("SLOTS", (len(slots), *slots)) if slots else ()
    return "HOTKEYS START", "METRICS", len(metrics), *metrics, *options, *chosen


def command_list(module: Argument | None, aclcat: Argument | None, pattern: Argument | None) -> Words:
    chosen = valued(module=module, aclcat=aclcat, pattern=pattern)
    if len(chosen) > 2:
        raise ValueError("module, aclcat and pattern exclude each other")
    return "COMMAND LIST", *(("FILTERBY", *chosen) if chosen else ())


def cluster_slot_stats_orderby(metric: Argument, limit: int | None, asc: bool) -> Words:
    options = [*counted("CLUSTER SLOT-STATS", limit=limit), *given("CLUSTER SLOT-STATS", asc=asc)]
    return "CLUSTER SLOT-STATS", "ORDERBY", metric, *options


def cluster_setslot_importing(slot: int, node_id: Argument, timeout: int | None) -> Words:
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return "CLUSTER SETSLOT", slot, "IMPORTING", node_id, *limit


def cluster_setslot_migrating(slot: int, node_id: Argument, timeout: int | None) -> Words:
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return "CLUSTER SETSLOT", slot, "MIGRATING", node_id, *limit


def cluster_setslot_node(slot: int, node_id: Argument, timeout: int | None) -> Words:
    limit = counted("CLUSTER SETSLOT", timeout=timeout)
    return "CLUSTER SETSLOT", slot, "NODE", node_id, *limit


def clusterscan(
    cursor: Argument, match: Argument | None, count: int | None, type: Argument | None, slot: int | None
) -> Words:
    options = [*given("CLUSTERSCAN", match=match, count=count, type=type), *counted("CLUSTERSCAN", slot=slot)]
    return "CLUSTERSCAN", cursor, *options


def cluster_migration_status(task_id: Argument | None) -> Words:
    chosen = ("ALL",) if task_id is None else ("ID", task_id)
    return "CLUSTER MIGRATION", "STATUS", *chosen


def cluster_migration_cancel(task_id: Argument | None) -> Words:
    chosen = ("ALL",) if task_id is None else ("ID", task_id)
    return "CLUSTER MIGRATION", "CANCEL", *chosen


def cluster_meet(ip: Argument, port: int, cluster_bus_port: int | None) -> Words:
    bus = counted("CLUSTER MEET", cluster_bus_port=cluster_bus_port)[1:]
    return "CLUSTER MEET", ip, port, *bus


def cluster_failover(force: bool, takeover: bool) -> Words:
    options = given("CLUSTER FAILOVER", force=force, takeover=takeover)
    if len(options) > 1:
        raise ValueError("force and takeover exclude each other")
    return "CLUSTER FAILOVER", *options
