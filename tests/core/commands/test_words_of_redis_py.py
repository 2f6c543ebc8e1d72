"""Commands of modules and Sentinel, for which few have a server: what is sent is what redis-py sends for the same.

Options may stand in another order, and redis-py writes some of them in small letters.
"""

from __future__ import annotations

import inspect
import re
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

from examples import read
from generate_from_redis_py import PAGE, functions_named
from redis_py import VERSION
from resp_sansio import Command, commands

if TYPE_CHECKING:
    from collections.abc import Callable

JSON: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (lambda r: r.json().set("k", "$", {"a": 1}, nx=True), commands.json_set("k", "$", '{"a": 1}', nx=True)),
    (lambda r: r.json().get("k", "$.a", "$.b"), commands.json_get("k", "$.a", "$.b")),
    (lambda r: r.json().mget(["k", "l"], "$.a"), commands.json_mget("k", "l", path="$.a")),
    (lambda r: r.json().mset([("k", "$", 1), ("l", "$", 2)]), commands.json_mset(("k", "$", "1"), ("l", "$", "2"))),
    (lambda r: r.json().merge("k", "$", {"a": None}), commands.json_merge("k", "$", '{"a": null}')),
    (lambda r: r.json().delete("k", "$.a"), commands.json_del("k", "$.a")),
    (lambda r: r.json().clear("k", "$.a"), commands.json_clear("k", "$.a")),
    (lambda r: r.json().type("k", "$"), commands.json_type("k")),
    (lambda r: r.json().toggle("k", "$.a"), commands.json_toggle("k", "$.a")),
    (lambda r: r.json().numincrby("k", "$.a", 2), commands.json_numincrby("k", "$.a", 2)),
    (lambda r: r.json().nummultby("k", "$.a", 2), commands.json_nummultby("k", "$.a", 2)),
    (lambda r: r.json().strappend("k", "b", "$.a"), commands.json_strappend("k", "$.a", '"b"')),
    (lambda r: r.json().strlen("k", "$.a"), commands.json_strlen("k", "$.a")),
    (lambda r: r.json().arrappend("k", "$.a", 1, "b"), commands.json_arrappend("k", "$.a", "1", '"b"')),
    (lambda r: r.json().arrindex("k", "$.a", 1, 2, 3), commands.json_arrindex("k", "$.a", "1", 2, 3)),
    (lambda r: r.json().arrinsert("k", "$.a", 0, 1), commands.json_arrinsert("k", "$.a", 0, "1")),
    (lambda r: r.json().arrlen("k", "$.a"), commands.json_arrlen("k", "$.a")),
    (lambda r: r.json().arrpop("k", "$.a", 1), commands.json_arrpop("k", "$.a", 1)),
    (lambda r: r.json().arrtrim("k", "$.a", 1, 2), commands.json_arrtrim("k", "$.a", 1, 2)),
    (lambda r: r.json().objkeys("k", "$"), commands.json_objkeys("k")),
    (lambda r: r.json().objlen("k", "$"), commands.json_objlen("k")),
    (lambda r: r.json().resp("k", "$"), commands.json_resp("k")),
]
SERIES: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (
        lambda r: r.ts().create("k", retention_msecs=9, labels={"a": "b"}, duplicate_policy="LAST", chunk_size=128),
        commands.ts_create("k", retention=9, labels={"a": "b"}, duplicate_policy="LAST", chunk_size=128),
    ),
    (lambda r: r.ts().alter("k", retention_msecs=9), commands.ts_alter("k", retention=9)),
    (
        lambda r: r.ts().add("k", 1, 2.5, uncompressed=True, on_duplicate="SUM"),
        commands.ts_add("k", 1, 2.5, encoding="UNCOMPRESSED", on_duplicate="SUM"),
    ),
    (lambda r: r.ts().madd([("k", 1, 2.5), ("l", 1, 3.5)]), commands.ts_madd(("k", 1, 2.5), ("l", 1, 3.5))),
    (lambda r: r.ts().incrby("k", 2.5, timestamp=7), commands.ts_incrby("k", 2.5, timestamp=7)),
    (lambda r: r.ts().decrby("k", 2.5), commands.ts_decrby("k", 2.5)),
    (lambda r: r.ts().delete("k", 1, 2), commands.ts_del("k", 1, 2)),
    (lambda r: r.ts().createrule("k", "l", "avg", 60), commands.ts_createrule("k", "l", ("avg", 60))),
    (lambda r: r.ts().deleterule("k", "l"), commands.ts_deleterule("k", "l")),
    (
        lambda r: r.ts().range(
            "k", 1, 9, count=5, aggregation_type="avg", bucket_size_msec=2, filter_by_min_value=1, filter_by_max_value=3
        ),
        commands.ts_range("k", 1, 9, count=5, aggregation=("avg", 2), filter_by_value=(1, 3)),
    ),
    (lambda r: r.ts().revrange("k", "-", "+", latest=True), commands.ts_revrange("k", latest=True)),
    (
        lambda r: r.ts().mrange("-", "+", ["a=b", "c!=d"], groupby="a", reduce="max", with_labels=True),
        commands.ts_mrange("-", "+", "a=b", "c!=d", groupby=("a", "max"), withlabels=True),
    ),
    (lambda r: r.ts().get("k"), commands.ts_get("k")),
    (lambda r: r.ts().mget(["a=b"], select_labels=["a"]), commands.ts_mget("a=b", selected_labels=["a"])),
    (lambda r: r.ts().queryindex(["a=b", "c=d"]), commands.ts_queryindex("a=b", "c=d")),
    (lambda r: r.ts().info("k"), commands.ts_info("k")),
]
FILTERS: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (lambda r: r.bf().reserve("k", 0.01, 100, expansion=2), commands.bf_reserve("k", 0.01, 100, expansion=2)),
    (lambda r: r.bf().add("k", "a"), commands.bf_add("k", "a")),
    (lambda r: r.bf().madd("k", "a", "b"), commands.bf_madd("k", "a", "b")),
    (
        lambda r: r.bf().insert("k", ["a", "b"], capacity=9, error=0.1),
        commands.bf_insert("k", "a", "b", capacity=9, error=0.1),
    ),
    (lambda r: r.bf().exists("k", "a"), commands.bf_exists("k", "a")),
    (lambda r: r.bf().mexists("k", "a", "b"), commands.bf_mexists("k", "a", "b")),
    (lambda r: r.bf().card("k"), commands.bf_card("k")),
    (lambda r: r.bf().info("k"), commands.bf_info("k")),
    (lambda r: r.bf().scandump("k", 0), commands.bf_scandump("k", 0)),
    (lambda r: r.bf().loadchunk("k", 1, b"x"), commands.bf_loadchunk("k", 1, b"x")),
    (
        lambda r: r.cf().reserve("k", 100, bucket_size=2, max_iterations=3, expansion=4),
        commands.cf_reserve("k", 100, bucketsize=2, maxiterations=3, expansion=4),
    ),
    (lambda r: r.cf().add("k", "a"), commands.cf_add("k", "a")),
    (lambda r: r.cf().addnx("k", "a"), commands.cf_addnx("k", "a")),
    (lambda r: r.cf().insert("k", ["a", "b"], capacity=9), commands.cf_insert("k", "a", "b", capacity=9)),
    (lambda r: r.cf().insertnx("k", ["a"], nocreate=True), commands.cf_insertnx("k", "a", nocreate=True)),
    (lambda r: r.cf().exists("k", "a"), commands.cf_exists("k", "a")),
    (lambda r: r.cf().mexists("k", "a", "b"), commands.cf_mexists("k", "a", "b")),
    (lambda r: r.cf().delete("k", "a"), commands.cf_del("k", "a")),
    (lambda r: r.cf().count("k", "a"), commands.cf_count("k", "a")),
    (lambda r: r.cf().info("k"), commands.cf_info("k")),
    (lambda r: r.cf().scandump("k", 0), commands.cf_scandump("k", 0)),
    (lambda r: r.cf().loadchunk("k", 1, b"x"), commands.cf_loadchunk("k", 1, b"x")),
]
SKETCHES: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (lambda r: r.cms().initbydim("k", 10, 5), commands.cms_initbydim("k", 10, 5)),
    (lambda r: r.cms().initbyprob("k", 0.1, 0.2), commands.cms_initbyprob("k", 0.1, 0.2)),
    (lambda r: r.cms().incrby("k", ["a", "b"], [1, 2]), commands.cms_incrby("k", {"a": 1, "b": 2})),
    (lambda r: r.cms().query("k", "a", "b"), commands.cms_query("k", "a", "b")),
    (lambda r: r.cms().merge("k", 2, ["l", "m"], [1, 2]), commands.cms_merge("k", "l", "m", weights=[1, 2])),
    (lambda r: r.cms().info("k"), commands.cms_info("k")),
    (lambda r: r.topk().reserve("k", 3, 4, 5, 0.9), commands.topk_reserve("k", 3, width=4, depth=5, decay=0.9)),
    (lambda r: r.topk().add("k", "a", "b"), commands.topk_add("k", "a", "b")),
    (lambda r: r.topk().incrby("k", ["a"], [2]), commands.topk_incrby("k", {"a": 2})),
    (lambda r: r.topk().query("k", "a", "b"), commands.topk_query("k", "a", "b")),
    (lambda r: r.topk().list("k"), commands.topk_list("k")),
    (lambda r: r.topk().list("k", withcount=True), commands.topk_list_withcount("k")),
    (lambda r: r.topk().info("k"), commands.topk_info("k")),
    (lambda r: r.tdigest().create("k", 200), commands.tdigest_create("k", compression=200)),
    (lambda r: r.tdigest().reset("k"), commands.tdigest_reset("k")),
    (lambda r: r.tdigest().add("k", [1.5, 2.5]), commands.tdigest_add("k", 1.5, 2.5)),
    (
        lambda r: r.tdigest().merge("k", 2, "l", "m", compression=9, override=True),
        commands.tdigest_merge("k", "l", "m", compression=9, override=True),
    ),
    (lambda r: r.tdigest().min("k"), commands.tdigest_min("k")),
    (lambda r: r.tdigest().max("k"), commands.tdigest_max("k")),
    (lambda r: r.tdigest().quantile("k", 0.5, 0.9), commands.tdigest_quantile("k", 0.5, 0.9)),
    (lambda r: r.tdigest().cdf("k", 1.5, 2.5), commands.tdigest_cdf("k", 1.5, 2.5)),
    (lambda r: r.tdigest().rank("k", 1, 2), commands.tdigest_rank("k", 1, 2)),
    (lambda r: r.tdigest().revrank("k", 1, 2), commands.tdigest_revrank("k", 1, 2)),
    (lambda r: r.tdigest().byrank("k", 1, 2), commands.tdigest_byrank("k", 1, 2)),
    (lambda r: r.tdigest().byrevrank("k", 1, 2), commands.tdigest_byrevrank("k", 1, 2)),
    (lambda r: r.tdigest().trimmed_mean("k", 0.1, 0.9), commands.tdigest_trimmed_mean("k", 0.1, 0.9)),
    (lambda r: r.tdigest().info("k"), commands.tdigest_info("k")),
]
SEARCH: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (lambda r: r.ft("i").dropindex(delete_documents=True), commands.ft_dropindex("i", dd=True)),
    (lambda r: r.ft("i").info(), commands.ft_info("i")),
    (lambda r: r.ft("i").tagvals("f"), commands.ft_tagvals("i", "f")),
    (lambda r: r.ft("i").aliasadd("a"), commands.ft_aliasadd("a", "i")),
    (lambda r: r.ft("i").aliasupdate("a"), commands.ft_aliasupdate("a", "i")),
    (lambda r: r.ft("i").aliasdel("a"), commands.ft_aliasdel("a")),
    (lambda r: r.ft("i").dict_add("d", "a", "b"), commands.ft_dictadd("d", "a", "b")),
    (lambda r: r.ft("i").dict_del("d", "a"), commands.ft_dictdel("d", "a")),
    (lambda r: r.ft("i").dict_dump("d"), commands.ft_dictdump("d")),
    (lambda r: r.ft("i").sugdel("k", "a"), commands.ft_sugdel("k", "a")),
    (lambda r: r.ft("i").suglen("k"), commands.ft_suglen("k")),
    (lambda r: r.ft("i").syndump(), commands.ft_syndump("i")),
]
SENTINEL: Final[list[tuple[Callable[[Any], object], Command[Any]]]] = [
    (lambda r: r.sentinel_masters(), commands.sentinel_masters()),
    (lambda r: r.sentinel_master("m"), commands.sentinel_master("m")),
    (lambda r: r.sentinel_sentinels("m"), commands.sentinel_sentinels("m")),
    (lambda r: r.sentinel_get_master_addr_by_name("m"), commands.sentinel_get_master_addr_by_name("m")),
    (lambda r: r.sentinel_monitor("m", "h", 1, 2), commands.sentinel_monitor("m", "h", 1, 2)),
    (lambda r: r.sentinel_remove("m"), commands.sentinel_remove("m")),
    (lambda r: r.sentinel_reset("m*"), commands.sentinel_reset("m*")),
    (lambda r: r.sentinel_failover("m"), commands.sentinel_failover("m")),
    (lambda r: r.sentinel_ckquorum("m"), commands.sentinel_ckquorum("m")),
    (lambda r: r.sentinel_flushconfig(), commands.sentinel_flushconfig()),
]


def words(args: Any) -> list[str]:
    """The words as they are sent, the command's name split."""
    flat = [word.decode() if isinstance(word, bytes) else str(word) for word in args]
    return [*flat[0].split(), *flat[1:]]


class SentError(Exception):
    """Words that redis-py would have sent."""


def send(*args: Any, **_: Any) -> None:
    raise SentError(*words(args))


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("ask", "command"),
    [pytest.param(*row, id=repr(row[1])) for row in [*JSON, *SERIES, *FILTERS, *SKETCHES, *SEARCH, *SENTINEL]],
)
def test_the_words_are_those_of_redis_py(ask: Callable[[Any], object], command: Command[Any]) -> None:
    client: Any = redis.Redis()
    client.execute_command = send
    with pytest.raises(SentError) as sent:
        ask(client)
    theirs, ours = sent.value.args, words(command.args)
    assert ours[0] == theirs[0]
    assert sorted(map(str.upper, ours)) == sorted(map(str.upper, theirs))


SENT_ANYWAY: Final = frozenset(
    {
        "function_list",
        "function_restore",
        "geodist",
        "json().arrindex",
        "json().forget",  # JSON.DEL is the same
        "json().strlen",
        "pubsub_channels",
        "pubsub_shardchannels",
        "setbit",  # any bit that is no 0 is a 1 to redis-py
        "tdigest().create",
    }
)
"""One side says what the server does if nothing is said."""

ELSEWHERE: Final = frozenset({"ts().createrule", "vset().vadd"})
"""What the page says above the table; and what takes a vector."""

MODULES: Final = frozenset({"json", "ts", "bf", "cf", "cms", "topk", "tdigest", "vset"})
"""Those whose methods have the arguments of our functions: of `ft` an index is told in another place."""

VALUES: Final[list[Callable[[int], Any]]] = [
    lambda at: f"$.x{at}",  # a key, a path of JSON, any text
    lambda at: 10 + at,
    lambda at: {f"f{at}": 1},  # behind the others: where redis-py takes a list, it takes the names of a dict
]

UNLIKE: Final = str.maketrans({'"': None, ".": "$"})
"""JSON is text here, and redis-py makes text of it; its path for all is older."""


def called(ask: Callable[..., Any], args: tuple[Any, ...]) -> list[str] | None:
    """The words that are sent if it is called so; None if it refuses that, or does something else."""
    try:
        made = ask(*args)
    except SentError as sent:
        return [word.upper().translate(UNLIKE) for word in sent.args]
    except Exception:  # noqa: BLE001  # of redis-py's there are all kinds
        return None
    return [word.upper().translate(UNLIKE) for word in words(made.args)] if isinstance(made, Command) else None


def both(theirs: Callable[..., Any], ours: Callable[..., Any], kinds: int) -> list[tuple[list[str], list[str] | None]]:
    """What redis-py's method sends for values of so many kinds, where it sends anything, and ours for the same."""
    parameters = inspect.signature(theirs).parameters.values()
    least = sum(each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD for each in parameters)
    most = least + 2 * any(each.kind is each.VAR_POSITIONAL for each in parameters)
    return [
        (sent, called(ours, args))
        for count in range(least, most + 1)
        for args in product(*[[value(at) for value in VALUES[:kinds]] for at in range(count)])
        if (sent := called(theirs, args)) is not None
    ]


def rows_that_say_nothing() -> list[tuple[str, str]]:
    """The methods that differ in nothing, as the page has it, and our functions."""
    rows = re.findall(r"^\| `(.*?)` \| `(\w+)`.* \|  \|$", read(PAGE), re.MULTILINE)
    return [
        (title, name)
        for title, name in rows
        if title not in SENT_ANYWAY | ELSEWHERE
        and functions_named(name)
        and ((title == name and hasattr(redis.Redis, name)) or title.partition("().")[0] in MODULES)
    ]


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.skipif(redis.__version__ != VERSION, reason=f"docs/from-redis-py.md is for redis-py {VERSION}")
@pytest.mark.parametrize(("title", "name"), rows_that_say_nothing())
def test_what_must_be_given_goes_by_position_as_with_redis_py(title: str, name: str) -> None:
    client: Any = redis.Redis()
    client.execute_command = send
    module, _, method = title.rpartition("().")
    of: Any = getattr(client, module)() if module else client
    of.execute_command = send
    theirs, ours = getattr(of, method), getattr(commands, name)
    sent = both(theirs, ours, 2)
    if not any(found for _, found in sent):
        sent = both(theirs, ours, 3)
    understood = [(words, found) for words, found in sent if found is not None]
    assert all(words == found for words, found in understood), understood
    assert understood or not sent, sent
