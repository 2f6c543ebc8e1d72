"""Which commands may run twice: each has its reason here, and those that may not with some arguments have a rule.

A reply is lost, and the command is sent again: the caller sees the second answer only. That is safe if the command changes
nothing that lasts, and if its second answer is as good as the first would have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.commands.command import Command
from resp_sansio.commands.knowledge import RUNS_ONCE, command_info
from resp_sansio.commands.table import TABLE

if TYPE_CHECKING:
    from resp_sansio.wire.encoder import Argument

# Reasons, and the commands that they are true of for all arguments: names, or a container and its subcommands.
REASONS: Final = {
    "It says what is in the keys that it names, as a later call would have.": """
        ARCOUNT ARGET ARGETRANGE ARGREP ARINFO ARLASTITEMS ARLEN ARMGET ARNEXT AROP
        BF.CARD BF.EXISTS BF.INFO BF.MEXISTS BITCOUNT BITFIELD_RO BITPOS
        CF.COUNT CF.EXISTS CF.INFO CF.MEXISTS CMS.INFO CMS.QUERY DIGEST DUMP EXISTS
        GEODIST GEOHASH GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE
        HEXISTS HGET HGETALL HKEYS HLEN HMGET HSTRLEN HVALS
        JSON.ARRINDEX JSON.ARRLEN JSON.GET JSON.MGET JSON.OBJKEYS JSON.OBJLEN JSON.RESP JSON.STRLEN JSON.TYPE
        LCS LINDEX LLEN LPOS LRANGE MGET SCARD SDIFF SDIFFCARD SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO
        STRLEN SUBSTR SUNION SUNIONCARD
        TDIGEST.BYRANK TDIGEST.BYREVRANK TDIGEST.CDF TDIGEST.INFO TDIGEST.MAX TDIGEST.MIN TDIGEST.QUANTILE TDIGEST.RANK
        TDIGEST.REVRANK TDIGEST.TRIMMED_MEAN TOPK.COUNT TOPK.INFO TOPK.LIST TOPK.QUERY
        TS.GET TS.INFO TS.MGET TS.MRANGE TS.MREVRANGE TS.NRANGE TS.NREVRANGE TS.QUERYINDEX TS.QUERYLABELS TS.RANGE TS.REVRANGE
        TYPE VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANGE VSIM XLEN XRANGE XREVRANGE
        ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE
        ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCORE ZUNION""",
    "It says what is known of keys, entries or fields. An idle time and a time to live are those of when the server answered.": """
        EXPIRETIME HEXPIRETIME HPEXPIRETIME HPTTL HTTL PEXPIRETIME PTTL TTL XPENDING
        JSON.DEBUG:MEMORY MEMORY:USAGE OBJECT:ENCODING,FREQ,IDLETIME,REFCOUNT XINFO:CONSUMERS,GROUPS,STREAM""",
    "It writes what it would write again, and answers the same: an access time (TOUCH), a count that is kept (PFCOUNT).": """
        PFCOUNT TOUCH""",
    "One answer by chance is as good as another, and none of them is kept.": """
        ACL:GENPASS HRANDFIELD RANDOMKEY SRANDMEMBER VRANDMEMBER ZRANDMEMBER""",
    "The caller holds the cursor and the server nothing: the same cursor goes on from the same place.": """
        ARSCAN BF.SCANDUMP CF.SCANDUMP CLUSTERSCAN HSCAN SCAN SSCAN ZSCAN""",
    "The server lets such a script do nothing that writes, replicates or publishes (script.c, SCRIPT_READ_ONLY).": """
        EVALSHA_RO EVAL_RO FCALL_RO""",
    "It searches, and leaves nothing behind.": """
        FT.ALIASLIST FT.DICTDUMP FT.EXPLAIN FT.EXPLAINCLI FT.INFO FT.SEARCH FT.SPELLCHECK FT.SUGGET FT.SUGLEN FT.SYNDUMP
        FT.TAGVALS FT._LIST KEYS""",
    "It says what the server is, has or has done, at the time of the answer.": """
        ACL:CAT,DRYRUN,GETUSER,LIST,USERS BACKUP:LIST,STATUS
        CLUSTER:COUNT-FAILURE-REPORTS,COUNTKEYSINSLOT,GETKEYSINSLOT,GETSLOTMIGRATIONS,INFO,KEYSLOT,LINKS,MYID,MYSHARDID,NODES
        CLUSTER:REPLICAS,SHARDS,SLAVES,SLOT-STATS,SLOTS
        COMMAND COMMAND:COUNT,DOCS,GETKEYS,GETKEYSANDFLAGS,INFO,LIST COMMANDLOG:GET,LEN CONFIG:GET DBSIZE FT.CONFIG:GET
        FUNCTION:DUMP,LIST,STATS HOTKEYS:GET INFO LASTSAVE LATENCY:DOCTOR,GRAPH,HISTOGRAM,HISTORY,LATEST LOLWUT
        MEMORY:DOCTOR,MALLOC-STATS,STATS MODULE:LIST PUBSUB:CHANNELS,NUMPAT,NUMSUB,SHARDCHANNELS,SHARDNUMSUB ROLE
        SCRIPT:EXISTS,SHOW SLOWLOG:GET,LEN TIME
        SENTINEL:CKQUORUM,GET-MASTER-ADDR-BY-NAME,GET-PRIMARY-ADDR-BY-NAME,INFO-CACHE,MASTER,MASTERS,MYID,PENDING-SCRIPTS
        SENTINEL:PRIMARIES,PRIMARY,REPLICAS,SENTINELS,SLAVES""",
    "It says what the connection is that carried the answer.": """
        ACL:WHOAMI CLIENT:GETNAME,GETREDIR,ID,INFO,LIST,TRACKINGINFO""",
    "It says what it was told.": "ECHO PING",
}


def spelled(text: str) -> list[str]:
    """Return full names: `ACL:CAT,LIST` stands for two."""
    words = [word.partition(":") for word in text.split()]
    return [f"{name} {sub}" for name, colon, subs in words if colon for sub in subs.split(",")] + [
        name for name, colon, _ in words if not colon
    ]


def test_every_command_that_may_run_twice_has_a_reason_or_a_rule() -> None:
    reasoned = [name for text in REASONS.values() for name in spelled(text)]
    assert sorted(set(reasoned)) == sorted(reasoned), "one reason each"
    retried = {name for name in TABLE if command_info((name,)).retryable and not name.endswith(" HELP")}
    assert retried == {*reasoned, *RUNS_ONCE}


def test_a_help_says_what_the_server_can_do() -> None:
    assert all(command_info((name,)).retryable for name in TABLE if name.endswith(" HELP"))


# Arguments with which a command that changes nothing may still not run twice, and some with which it may.
ONCE: Final[list[tuple[Argument, ...]]] = [
    ("XREAD", "BLOCK", 0, "STREAMS", "s", "$"),
    ("xread", "count", 5, "block", "1000", "streams", "a", "b", "0-1", b"$"),
    ("XREAD", "BLOCK", 0, "STREAMS", "a", "b", "$", "7-0"),
    (b"XREAD", b"BLOCK", b"0", b"STREAMS", b"s", b"+"),
    ("XREAD BLOCK 5 STREAMS s", "$"),
    ("TS.READ", "k", "$", "BLOCK", 1000, 5),
    ("TS.READ", "k", "+", "MAX_COUNT", 9, "block", 1000, 5),
    ("FT.AGGREGATE", "idx", "*", "WITHCURSOR", "COUNT", 10),
    ("FT.PROFILE", "idx", "AGGREGATE", "QUERY", "*", "withcursor"),
    ("FT.HYBRID", "idx", "WITHCURSOR"),
]
TWICE: Final[list[tuple[Argument, ...]]] = [
    ("XREAD", "STREAMS", "s", "$"),  # without BLOCK it is answered with what is there
    ("XREAD", "STREAMS", "s", "+"),
    ("XREAD", "BLOCK", 0, "STREAMS", "s", "0"),
    ("XREAD", "BLOCK", 0, "STREAMS", "$", "1-1"),  # a stream of that name
    ("XREAD", "BLOCK", 0, "STREAMS", "$", "+", "1-1", b"2-2"),
    ("XREAD", "BLOCK", 0),
    ("TS.READ", "k", "$"),
    ("TS.READ", "k", 5, "BLOCK", 1000, 5),
    ("FT.AGGREGATE", "idx", "*", "LIMIT", 0, 10),
    ("FT.PROFILE", "idx", "SEARCH", "QUERY", "*"),
]
# And what is never taken for harmless, whatever comes behind the name.
NEVER: Final = (
    "BITFIELD BLPOP EVAL EVALSHA FCALL FT.ALIASADD FT.CURSOR:DEL,READ GEORADIUS GEORADIUSBYMEMBER GEOSEARCHSTORE GETDEL GETEX "
    "GETSET HGETDEL HGETEX INCR LPOP PUBLISH SET SINTERSTORE SORT SPOP SUBSCRIBE WAIT WAITAOF XADD XAUTOCLAIM XCLAIM XREADGROUP "
    "ZRANGESTORE "
    "ACL:LOG CLIENT:CACHING,KILL,NO-EVICT,NO-TOUCH,UNBLOCK DEBUG FUNCTION:LOAD LATENCY:RESET MEMORY:PURGE NO.SUCH OBJECT "
    "SCRIPT:DEBUG,FLUSH,KILL,LOAD SENTINEL:FAILOVER,IS-MASTER-DOWN-BY-ADDR,RESET SLOWLOG:RESET XGROUP:CREATE"
)
arguments = st.lists(
    st.sampled_from(["k", "0", "BLOCK", "STREAMS", "$", "GET", "u8", "STORE", "RO", b"\xff", 1, -1.5]), max_size=6
)


@pytest.mark.parametrize("args", ONCE, ids=str)
def test_what_would_be_skipped_or_left_behind_is_not_repeated(args: tuple[Argument, ...]) -> None:
    info = command_info(args)
    assert info.readonly
    assert not info.retryable
    assert Command(*args, retry=True).info.retryable, "the caller knows better"


@pytest.mark.parametrize("args", TWICE, ids=str)
def test_the_same_command_may_run_twice_with_other_arguments(args: tuple[Argument, ...]) -> None:
    assert command_info(args).retryable


def test_every_rule_has_arguments_for_both_answers() -> None:
    for cases in (ONCE, TWICE):
        names = {command_info(args).name for args in cases}
        assert names >= set(RUNS_ONCE) - ({"FT.HYBRID"} if cases is TWICE else set())


@given(st.permutations(ONCE + TWICE))
def test_no_answer_is_kept_for_other_arguments(cases: list[tuple[Argument, ...]]) -> None:
    for args in cases:
        assert command_info(args).retryable is (args in TWICE)


@given(st.sampled_from(spelled(NEVER)), arguments)
def test_what_may_change_anything_never_runs_twice(name: str, rest: list[Argument]) -> None:
    assert not command_info((*name.split(), *rest)).retryable


@given(
    st.sampled_from([name for name in TABLE if name not in RUNS_ONCE and not TABLE[name].startswith("c")]), arguments
)
def test_without_a_rule_arguments_change_nothing(name: str, rest: list[Argument]) -> None:
    assert command_info((name, *rest)).retryable is command_info((name,)).retryable
