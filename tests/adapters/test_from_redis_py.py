"""What `docs/from-redis-py.md` says of results and errors: the same data on a real server, by redis-py and by this library.

A result that differs does so by one of the rules of the page, and each step names its own. Ours are the same on RESP2 and RESP3.
"""

from __future__ import annotations

import builtins
import inspect
import re
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest
import redis.asyncio

import redis_py
import resp_sansio
from adapters.peers import run_program
from adapters.redis_py_steps import ROWS, RULES, STEPS, settled
from examples import read
from generate_from_redis_py import PAGE
from resp_sansio import ClientSettings, Config, ConnectError, PoolSettings
from resp_sansio.config.options import CALLED_HERE, options_of
from resp_sync import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio import Command
    from resp_sync import Connection, WatchedTransaction
    from servers import Server


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


TAKEN: Final[dict[str, Callable[[Any], Any]]] = {
    "client_info": settled,
    "client_list": lambda found: settled(found[-1]),
    "slowlog_get": lambda found: found[0][:4],
}
"""What is compared of a result that is not the same twice."""


@pytest.mark.needs("COMMAND GETKEYSANDFLAGS")
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("title", "ask", "command", "rule"), ROWS, ids=[title for title, *_ in ROWS])
def test_a_result_that_no_rule_tells_is_that_of_its_row(
    server: Server,
    protocol: Literal[2, 3],
    title: str,
    ask: Callable[[Any], object],
    command: Command[Any],
    rule: Callable[[Any], object],
) -> None:
    for words in ("MSET k ohmytext l mynewtext", "HSET h a 1", "SLOWLOG RESET"):
        server.call(*words.split())
    for slower_than in (0, 10_000_000):  # one command is logged
        server.call("CONFIG", "SET", "slowlog-log-slower-than", slower_than)
    server.call("XGROUP", "CREATE", "x", "g", "0", "MKSTREAM")
    server.call("XADD", "x", "1-0", "a", "1")
    server.call("XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">")
    with redis.Redis.from_url(server.url, protocol=2) as redis_py, connect(server.url, protocol=protocol) as connection:
        server.call("ZADD", "z", "1", "a", "2.5", "b")
        theirs = rule(ask(redis_py))
        server.call("ZADD", "z", "1", "a", "2.5", "b")
        ours = TAKEN.get(title, lambda found: found)(connection.execute(command))
    server.call("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
    assert exact(ours) == exact(theirs)
    line = next(line for line in read(PAGE).splitlines() if line.startswith(f"| `{title}` |"))
    assert not line.endswith("|  |")


def test_the_page_has_these_rules() -> None:
    results = read(PAGE).partition("## Results\n")[2].partition("\n## ")[0]
    rules = re.findall(r"^\| ([A-Z][a-z ]+) \|", results, re.MULTILINE)
    assert [rule for rule in rules if rule != "Rule"] == [*RULES]
    assert {rule for rule, *_ in STEPS} == {*RULES}


def test_a_whole_program_is_no_longer_here_and_does_the_same(server: Server) -> None:
    section = read(PAGE).partition("## A whole program\n")[2].partition("\n## ")[0]
    theirs, ours = re.findall(r"^```py(?:thon)?\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert len(ours.splitlines()) <= len(theirs.splitlines()) == 29
    for program in (theirs, ours):
        server.call("FLUSHALL")
        said = re.findall(r"^ *print\(.*\)  # (.*)$", program, re.MULTILINE)
        assert run_program(program.replace("redis://localhost", server.url)).splitlines() == said


of_its_version = pytest.mark.skipif(
    redis.__version__ != redis_py.VERSION, reason=f"docs/from-redis-py.md is for redis-py {redis_py.VERSION}"
)


def rows(section: str) -> list[tuple[list[str], list[str]]]:
    """What a table of the page says: redis-py's names of each row, and ours."""
    text = read(PAGE).partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`(\w+)`", theirs), re.findall(r"`(\w+)", ours)) for theirs, ours, *_ in cells]


@of_its_version
def test_every_option_is_on_the_page_and_ours_are_options() -> None:
    asked = {
        name
        for kind in (redis.Redis, redis.asyncio.Redis, redis.BlockingConnectionPool)
        for name in list(inspect.signature(kind.__init__).parameters)[1:]
    }
    listed = [name for theirs, _ in rows("Options") for name in theirs]
    assert asked - {"connection_kwargs"} <= {*listed}
    ours = {name for _, names in rows("Options") for name in names}
    assert ours <= {*options_of(Config), *options_of(PoolSettings), *options_of(ClientSettings)}
    same = [
        theirs
        for line in read(PAGE).splitlines()
        if " | the same | " in line
        for theirs in re.findall(r"`(\w+)`", line)
    ]
    assert {*same} <= {*options_of(Config)}


def test_messages_call_options_as_the_page_does() -> None:
    for theirs, ours in rows("Options"):
        for name in theirs:
            if ours and name not in options_of(Config) and name != "BlockingConnectionPool":
                assert CALLED_HERE.get(name, name) in {*ours, "max_size"}, name


@of_its_version
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
    (lambda r: r.execute_command("DEBUG", "SLEEP", 0.8), lambda c, _: c.execute("DEBUG", "SLEEP", 0.8, timeout=0.1)),
]


@pytest.mark.parametrize(("theirs", "ours"), WRONG)
def test_errors_are_those_of_the_page(
    server: Server, theirs: Callable[[Any], object], ours: Callable[[Connection, Connection], object]
) -> None:
    url = f"{server.url}?socket_timeout=0.6"  # a machine may be busy
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
