"""What is known of a command: the table and the hand-kept rules agree, whatever is asked is answered, no secret is shown."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from resp_sansio.commands import knowledge
from resp_sansio.commands.command import Command
from resp_sansio.commands.command_keys import KEYS
from resp_sansio.commands.decoding import RAW
from resp_sansio.commands.knowledge import (
    BLOCKING,
    CHANGES_CONNECTION,
    DENIED_IN_MULTI,
    NEIGHBOURS,
    ONLY_LOOKS,
    REPLIES,
    SECRETS,
    SUBSCRIPTIONS,
    Blocking,
    Needs,
    Replies,
    block_time,
    command_info,
    command_keys,
    prepare,
    redact,
)
from resp_sansio.commands.table import TABLE
from resp_sansio.wire.encoder import encode_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resp_sansio.wire.encoder import Argument
    from resp_sansio.wire.values import Reply


def view(data: bytes) -> memoryview:
    return memoryview(bytearray(data))  # writable ones cannot be hashed, and say so by another error than lists do


known_names = st.sampled_from(sorted(TABLE))
arguments = st.one_of(
    st.text(max_size=12),
    st.binary(max_size=12),
    st.binary(max_size=12).map(bytearray),
    st.binary(max_size=12).map(view),
    st.integers(),
    st.floats(),
    # What the rules look for, and numbers of keys.
    st.sampled_from(
        ["AUTH", "auth2", b"Keys", "STORE", "BY", "LIMIT", "BLOCK", "streams", "requirepass", "0", "1", 2, b"3", "-1"]
    ),
)
names = st.one_of(
    known_names,
    known_names.map(str.lower),
    known_names.map(str.encode),
    known_names.map(str.title),
    st.text(min_size=1, max_size=80).filter(lambda name: name.split() != []),
    st.binary(min_size=1, max_size=80).filter(lambda name: name.split() != []),
)
commands = st.tuples(names, st.lists(arguments, max_size=8)).map(lambda parts: [parts[0], *parts[1]])
SECRET: Final = "hunter2-and-more"


def flags(name: str) -> str:
    return TABLE[name].split(" ", 1)[0]


# -- The table and the hand-kept rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [BLOCKING, CHANGES_CONNECTION, DENIED_IN_MULTI, KEYS, NEIGHBOURS, ONLY_LOOKS, REPLIES, SECRETS, SUBSCRIPTIONS],
)
def test_what_is_kept_by_hand_is_about_commands_that_exist(names: Sequence[str]) -> None:
    assert set(names) <= set(TABLE)


@given(known_names)
def test_facts_do_not_contradict_each_other(name: str) -> None:
    info = command_info((name,))
    assert info.name == name
    assert info.since
    assert not (info.readonly and ("w" in flags(name) or name in CHANGES_CONNECTION)), "reading changes nothing"
    assert info.readonly or not info.retryable, "only what changes nothing may run twice unasked"
    assert not (info.plain and (info.replies is not Replies.ONE or info.secret or name in CHANGES_CONNECTION))
    assert info.denied_in_multi or info.replies is Replies.ONE, "EXEC's array has one reply for each command"
    assert not (info.needs is Needs.LANE and (info.blocking or name in CHANGES_CONNECTION)), "others share a lane"


def test_what_servers_say_is_covered() -> None:
    """A new table may bring a command that blocks, or whose keys can't be found: then the rules have to say how."""
    for name, line in TABLE.items():
        info = command_info((name,))
        assert name in BLOCKING or "b" not in flags(name)
        assert info.denied_in_multi or "n" not in flags(name)
        assert info.readonly == ("r" in flags(name) or name in ONLY_LOOKS or name.endswith(" HELP"))
        assert name in KEYS or "?" not in line or name == "SORT_RO", "only SORT_RO's are patterns and nothing else"


def test_the_commands_that_make_an_exec_lie_are_denied() -> None:
    denied = "MONITOR,CLIENT REPLY,HELLO,RESET,QUIT,AUTH,SELECT,WATCH,MULTI,CLIENT TRACKING".split(",")
    for name in [*denied, *SUBSCRIPTIONS]:
        assert command_info((name,)).denied_in_multi, name
    for name in ("EXEC", "DISCARD", "UNWATCH", "GET", "PUBLISH", "BLPOP"):
        assert not command_info((name,)).denied_in_multi, name


@pytest.mark.parametrize(
    ("counts", "replies"),
    [
        ([5], Replies.ONE),
        ([0, "100000", b"1", -1], Replies.ONE),  # of the last one there is an error, and then the array is complete
        ([-1, 5], Replies.NONE),
        ([5, 100_001, 5], Replies.NONE),
        ([5, "05", 5], Replies.NONE),
        ([2**70, 5], Replies.NONE),
        (["many", 5], Replies.NONE),
    ],
)
def test_an_array_that_is_cut_short_is_as_good_as_no_answer(counts: list[Any], replies: Replies) -> None:
    args = "TOPK.INCRBY", "k", *[word for count in counts for word in ("item", count)]
    info = command_info(args)
    assert (info.replies, info.plain) == (replies, replies is Replies.ONE)
    assert command_info(("topk.incrby", "k", "item", 1)).plain


def test_scripts_are_never_tried_twice_unless_they_only_read() -> None:
    for name in TABLE:
        if name.startswith(("EVAL", "FCALL")):
            assert command_info((name,)).retryable == name.endswith("_RO"), name


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("GET", Needs.LANE),
        ("PUBLISH", Needs.LANE),
        ("EVAL", Needs.LANE),
        ("CLIENT PAUSE", Needs.LANE),
        ("NO.SUCH", Needs.LANE),
        ("BLPOP", Needs.LEASE),
        ("MIGRATE", Needs.LEASE),
        ("WATCH", Needs.LEASE),
        ("MULTI", Needs.LEASE),
        ("SELECT", Needs.LEASE),
        ("CLIENT SETNAME", Needs.LEASE),
        ("CLIENT MAINT_NOTIFICATIONS", Needs.LEASE),
        ("SENTINEL GET-PRIMARY-ADDR-BY-NAME", Needs.LANE),
        ("MONITOR", Needs.LEASE),
        ("CLIENT REPLY", Needs.LEASE),
        ("CLIENT SOMETHING-NEW", Needs.LEASE),
        ("WAIT", Needs.NEIGHBOURS),
        ("WAITAOF", Needs.NEIGHBOURS),
        ("ASKING", Needs.NEIGHBOURS),
        ("CLIENT CACHING", Needs.NEIGHBOURS),
        ("READONLY", Needs.NEIGHBOURS),
        ("SUBSCRIBE", Needs.PUBSUB),
        ("SUNSUBSCRIBE", Needs.PUBSUB),
    ],
)
def test_which_connection(name: str, needs: Needs) -> None:
    assert command_info((name,)).needs is needs


# -- Asking -------------------------------------------------------------------------------------------------------------------


@given(commands)
def test_whatever_is_asked_is_answered(args: list[Argument]) -> None:
    """Wrong arguments are the server's to refuse: here nothing raises, and every index is one of a word's."""
    info = command_info(args)
    words = redact(args)
    keys = command_keys(args)
    assert info.name.upper() == info.name
    assert keys == sorted(set(keys))
    assert all(0 < index < len(words) for index in keys)
    assert block_time(args) >= 0
    assert block_time(args) == 0 or info.blocking
    assert repr(Command(*args)).startswith("Command(")


@given(commands)
@example(["CONFIG\x85GET", "x"])
@example(["CONFIG\N{NO-BREAK SPACE}GET", "x"])
@example([" config  get\t", "x"])
def test_words_are_those_that_are_sent(args: list[Argument]) -> None:
    words = redact(args)
    assume(not command_info(args).secret)
    assert encode_command(words) == encode_command(args)


@given(known_names, st.lists(arguments, max_size=4))
def test_a_name_may_be_written_in_many_ways(name: str, rest: list[Argument]) -> None:
    expected = command_info((name, *rest))
    for written in (name, name.lower(), name.title()):
        for words in ([written], written.split(), [written.encode()], written.encode().split()):
            for _ in range(2):  # the second answer comes from what was kept
                assert command_info([*words, *rest]) is expected
            assert command_keys([*words, *rest]) == command_keys([name, *rest])


@given(st.text(min_size=1, max_size=100).filter(lambda name: name.split() != []), st.lists(arguments, max_size=4))
@example("NO.SUCH." * 20, [])
@example("no\x1b[31m\x07", [])
def test_an_unknown_command_is_sent_and_never_repeated(name: str, rest: list[Argument]) -> None:
    info = command_info((name, *rest))
    assume(not info.since)
    assert info is command_info((name, *rest))
    assert len(info.name) <= 64
    shown = "".join(char if char.isprintable() else "?" for char in str(redact((name,))[0]).upper()[:64])
    assert shown.startswith(info.name), "the name alone: an argument could be a secret"
    assert info.name.isprintable()  # it stands in messages and logs
    assert (info.plain, info.needs, info.replies, info.since) == (True, Needs.LANE, Replies.ONE, "")
    assert (info.readonly, info.retryable, info.secret, info.denied_in_multi) == (False, False, False, False)
    assert command_keys((name, *rest)) == []


def test_an_unknown_subcommand_is_taken_for_the_worst_of_its_siblings() -> None:
    new = command_info(("CLIENT", "SOMETHING-NEW"))
    assert (new.name, new.plain, new.readonly, new.needs) == ("CLIENT", False, False, Needs.LEASE)
    assert command_info(("ACL", "STEUSER", "me", ">pw")).secret
    assert command_info(("OBJECT", "SOMETHING-NEW", "k")).plain
    assert command_info(("OBJECT",)).name == "OBJECT"


def test_calls_alike_share_one_object_that_equals_no_other() -> None:
    assert command_info(("GET", "a")) is command_info(("GET", "b"))
    assert command_info(("GET", "a")) != command_info(("GETEX", "a"))


def test_what_is_kept_is_bounded() -> None:
    for number in range(3000):
        command_info((f"NO.SUCH.{number}",))
        command_info((f"{'config':{number % 50 + 6}}", "GET"))
        command_info(("x" * 65 + str(number),))
        command_info(("GET key " + str(number),))
    assert len(knowledge.KNOWN) <= 1024
    assert len(knowledge._known_pairs) <= 1024
    assert not any(" key " in str(name) or len(str(name)) > 64 for name in knowledge.KNOWN)


def test_a_name_is_text() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        command_info(())
    with pytest.raises(ValueError, match="not an empty one"):
        command_info(("  ",))
    for name in (1, 1.5, bytearray(b"GET"), view(b"GET")):
        with pytest.raises(TypeError, match=f"must be str or bytes, not {type(name).__name__}"):
            command_info((name,))


def test_preparing_is_encoding_and_knowing() -> None:
    assert prepare(("GET", "k")) == (encode_command(("GET", "k")), command_info(("GET",)))


# -- Blocking -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "seconds"),
    [
        (("BLPOP", "a", "b", 5), 5.0),
        (("BRPOP", "a", "0.25"), 0.25),
        (("BZPOPMIN", "a", 0), math.inf),
        (("BLMPOP", b"1.5", 1, "k", "LEFT"), 1.5),
        (("BZMPOP", 0, 1, "k", "MIN"), math.inf),
        (("BLMOVE", "a", "b", "LEFT", "RIGHT", 2), 2.0),
        (("BLMOVEM", "a", "b", "LEFT", "RIGHT", 2, "COUNT", 9, "BULK"), 2.0),
        (("BRPOPLPUSH", "a", "b", 3), 3.0),
        (("XREAD", "COUNT", 9, "block", 1500, "STREAMS", "k", "$"), 1.5),
        (("XREAD", "BLOCK", "0", "STREAMS", "k", "$"), math.inf),
        (("XREAD", "COUNT", 9, "STREAMS", "k", "$"), 0.0),
        (("XREAD", "STREAMS", "BLOCK", 5), 0.0),
        (("XREADGROUP", "GROUP", "BLOCK", "me", "COUNT", 1, "STREAMS", "k", ">"), 0.0),
        (("XREADGROUP", "GROUP", "g", "me", "BLOCK", 250, "STREAMS", "k", ">"), 0.25),
        (("TS.READ", "k", "-", "BLOCK", 1000, 5), 1.0),
        (("WAIT", 1, 100), 0.1),
        (("WAIT", 1, 0), math.inf),
        (("WAITAOF", 1, 0, 100), 0.1),
        (("MIGRATE", "h", 6379, "k", 9, 5000), 5.0),
        (("MIGRATE", "h", 6379, "k", 9, 0), 0.0),
        (("DEBUG", "SLEEP", 0.5), 0.5),
        (("DEBUG", "SLEEP", 0), 0.0),
        (("DEBUG", "OBJECT", "k"), 0.0),
        (("CLIENT", "PAUSE", 5000), 0.0),
        (("GET", "k"), 0.0),
        # A server refuses this at once.
        (("BLPOP", "a", "soon"), 0.0),
        (("BLPOP", "a", -1), 0.0),
        (("BLPOP", "a", "nan"), 0.0),
        (("BLPOP", "a", "inf"), 0.0),
        (("BLMPOP",), 0.0),
        (("XREAD", "BLOCK"), 0.0),
    ],
)
def test_how_long_a_reply_may_be_held_back(args: tuple[Argument, ...], seconds: float) -> None:
    assert block_time(args) == seconds
    assert block_time(args, command_info(args)) == seconds


def test_reading_a_stream_shares_a_connection_unless_it_waits() -> None:
    at_once, waiting = (
        command_info(("XREAD", "STREAMS", "k", "0")),
        command_info(("XREAD", "BLOCK", 0, "STREAMS", "k", "$")),
    )
    assert (at_once.needs, at_once.blocking) == (Needs.LANE, None)
    assert (waiting.needs, waiting.blocking) == (Needs.LEASE, BLOCKING["XREAD"])
    assert at_once.plain
    assert waiting.plain, "one ordinary reply, only later"


# -- Secrets ------------------------------------------------------------------------------------------------------------------

padding = st.lists(st.sampled_from(["x", b"y", 3, "SETNAME", "KEYS", "AUTH", "maxmemory", "on", "~*"]), max_size=3)
with_a_secret = st.one_of(
    st.tuples(st.just("AUTH"), st.just(SECRET)),
    st.tuples(st.just("AUTH"), st.just("user"), st.just(SECRET)),
    st.tuples(st.just("AUTH"), st.just("too"), st.just("many"), st.just(SECRET)),
    padding.map(lambda more: ("HELLO", 3, "AUTH", "user", SECRET, *more)),
    padding.map(lambda more: ("HELLO", 3, *more, "auth", "user", SECRET)),
    padding.map(lambda more: ("CONFIG", "SET", *more, b"RequirePass", SECRET)),
    padding.map(lambda more: ("config set", "masterauth", SECRET, *more)),
    st.sampled_from("><#!").map(lambda sign: ("ACL SETUSER", "user", "on", sign + SECRET, "~*")),
    st.sampled_from("><#!").map(lambda sign: (b"acl", "Setuser", "user", f"on {sign}{SECRET} ~*")),
    padding.map(lambda more: ("MIGRATE", "h", 6379, "", 0, 99, "AUTH", SECRET, "KEYS", *more)),
    padding.map(lambda more: ("MIGRATE", "h", 6379, "", 0, 99, *more, "AUTH2", "user", SECRET)),
    st.just(("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, 9, "NODE", "id", "AUTH2", "user", SECRET)),
    st.just(("SENTINEL", "SET", "main", "auth-pass", SECRET)),
    st.just(("MODULE", "LOADEX", "m.so", "CONFIG", "m.auth-password", SECRET)),
    # A command in another.
    st.just(("ACL", "DRYRUN", "user", "AUTH", SECRET)),
    st.just(("ACL DRYRUN", "user", b"acl", "SETUSER", "user", f">{SECRET}")),
    st.just(("COMMAND", "GETKEYS", "MIGRATE", "h", 6379, "k", 0, 99, "AUTH", SECRET)),
    st.just(("COMMAND GETKEYSANDFLAGS", "CONFIG SET", "requirepass", SECRET)),
    st.just(("ACL", "DRYRUN", "user", *("ACL", "DRYRUN", "user") * 2000, "AUTH", SECRET)),
    # The whole command in its first argument, and a misspelt one.
    st.just((f"AUTH {SECRET}",)),
    st.just((f"CONFIG SET requirepass {SECRET}",)),
    st.just(("CONFIG", "STE", "requirepass", SECRET)),
    st.just(("ACL STEUSER", "user", f">{SECRET}")),
)


@given(with_a_secret, st.sampled_from([str, str.encode, lambda text: bytearray(text, "utf-8")]))
@example(("HELLO", 3, "AUTH", SECRET), str)
def test_a_secret_is_known_and_never_shown(args: tuple[Argument, ...], written: type) -> None:
    args = (args[0], *(written(word) if isinstance(word, str) else word for word in args[1:]))
    info = command_info(args)
    assert info.secret
    assert not info.plain, "an error that answers it must be looked at"
    for shown in (repr(Command(*args)), repr(redact(args)), repr(info)):
        assert SECRET not in shown
        assert SECRET[:7] not in shown


def test_what_is_no_secret_is_shown_and_leaves_errors_alone() -> None:
    args = ("CONFIG", "SET", "maxmemory", "1gb")
    assert redact(args) == args
    assert not command_info(args).secret
    assert command_info(args).plain
    for within in (
        ("ACL DRYRUN", "u", "GET", "AUTH"),
        ("ACL", "DRYRUN", "u"),
        ("COMMAND GETKEYS", 5),
        ("ACL DRYRUN", "u", " "),
    ):
        assert not command_info(within).secret
    assert redact(("COMMAND GETKEYS", "GET", "k")) == ("COMMAND", "GETKEYS", "GET", "k")
    assert not command_info(("HELLO", 3, "SETNAME", "me")).secret
    assert not command_info(("HELLO", 3, "SETNAME", "me")).plain, "it changes the connection all the same"
    assert redact(("HELLO", 3, "AUTH", "user", "pw", "SETNAME", "me"))[:3] == ("HELLO", 3, "AUTH")
    assert redact(("AUTH", "user", "pw")) == ("AUTH", "user", "***")
    assert redact(("acl setuser", "me", "on", ">pw")) == ("acl", "setuser", "me", "on", "***")


# -- Keys ---------------------------------------------------------------------------------------------------------------------

some_keys = st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=5)


@given(some_keys, st.sampled_from(["DEL", "MGET", "SINTER", "WATCH", "PFCOUNT"]))
def test_keys_to_the_end(keys: list[bytes], name: str) -> None:
    assert command_keys((name, *keys)) == list(range(1, len(keys) + 1))


@given(some_keys, some_keys, st.sampled_from(["EVAL", "EVALSHA_RO", "FCALL", "BLMPOP", "ZUNIONSTORE"]))
def test_a_number_of_keys(keys: list[bytes], rest: list[bytes], name: str) -> None:
    first = [1] if name == "ZUNIONSTORE" else []  # its destination
    expected = [*first, *range(3, len(keys) + 3)]
    for number in (len(keys), str(len(keys)), b"%d" % len(keys)):
        assert command_keys((name, "x", number, *keys, *rest)) == expected


@given(some_keys, st.sampled_from([["COUNT", 3], ["BLOCK", 0], []]))
def test_the_first_half_behind_streams(keys: list[bytes], options: list[Argument]) -> None:
    args = ["XREAD", *options, "STREAMS", *keys, *["$"] * len(keys)]
    assert [args[index] for index in command_keys(args)] == keys


@given(some_keys, st.sampled_from([["AUTH", "KEYS"], ["AUTH2", "AUTH", "KEYS"], ["COPY", "REPLACE"], []]))
def test_keys_that_migrate(keys: list[bytes], options: list[Argument]) -> None:
    assert command_keys(["MIGRATE", "h", 6379, "", 0, 99, *options, "KEYS", *keys])[-len(keys) :] == list(
        range(7 + len(options), 7 + len(options) + len(keys))
    )
    assert command_keys(["MIGRATE", "h", 6379, "k", 0, 99, *options]) == [3]
    assert command_keys(["MIGRATE", "h", 6379, "", 0, 99, *options]) == []


@pytest.mark.parametrize(
    ("args", "keys"),
    [
        (("GET", "k"), [1]),
        (("GET",), []),
        (("PING",), []),
        (("MSET", "a", 1, "b", 2), [1, 3]),
        (("MSETEX", 2, "a", 1, "b", 2, "EX", 9), [2, 4]),
        (("BLPOP", "a", "b", 0), [1, 2]),
        (("LCS", "a", "b", "LEN"), [1, 2]),
        (("BITOP", "AND", "to", "a", "b"), [2, 3, 4]),
        (("OBJECT", "ENCODING", "k"), [2]),
        (("XINFO STREAM", "k"), [2]),
        (("XREADGROUP", "GROUP", "streams", "me", "STREAMS", "a", "b", ">", ">"), [5, 6]),
        (("GEORADIUS", "k", 1, 2, 3, "km", "STORE", "to"), [1, 7]),
        (("GEORADIUS", "k", 1, 2, 3, "km", "STORE"), [1]),
        (("GEORADIUSBYMEMBER", "k", "STORE", 3, "km", "STOREDIST", "to"), [1, 6]),
        (("SORT", "k"), [1]),
        (("SORT",), []),
        (("SORT", "k", "BY", "STORE", "LIMIT", 0, "STORE", "GET", "x_*", "STORE", "to"), [1, 10]),
        (("SORT", "k", "STORE", "first", "store", "to"), [1, 5]),
        (("SORT", "k", "STORE"), [1]),
        (("SORT_RO", "k", "BY", "w_*"), [1]),
        (("SPUBLISH", "channel", "message"), [1]),
        (("SSUBSCRIBE", "a", "b"), [1, 2]),
        (("JSON.MGET", "a", "b", "$"), [1, 2]),
        (("TDIGEST.MERGE", "to", 2, "a", "b", "COMPRESSION", 9), [1, 3, 4]),
        (("MIGRATE",), []),
        # A server refuses this.
        (("EVAL", "return 1", 5, "k"), []),
        (("EVAL", "return 1", -1, "k"), []),
        (("EVAL", "return 1", "9" * 10_000, "k"), []),
        (("EVAL", "return 1", "\N{SUPERSCRIPT TWO}", "k", "l"), []),
        (("EVAL", "return 1"), []),
    ],
)
def test_where_the_keys_are(args: tuple[Argument, ...], keys: list[int]) -> None:
    assert command_keys(args) == keys


# -- Command ------------------------------------------------------------------------------------------------------------------


def doubled(reply: Reply, _text: object) -> int:
    assert isinstance(reply, int)
    return reply * 2


@given(commands, st.booleans() | st.none(), st.booleans() | st.none())
def test_a_command_survives_pickling(args: list[Argument], readonly: bool | None, retry: bool | None) -> None:
    assume(not any(isinstance(word, memoryview) for word in args))
    command = Command(*args, read=doubled, readonly=readonly, retry=retry)
    again = pickle.loads(pickle.dumps(command))
    assert repr(again) == repr(command)
    assert [type(word) for word in again.args] == [type(word) for word in command.args]
    assert (again.info.name, again.info.readonly, again.info.retryable) == (
        command.info.name,
        command.info.readonly,
        command.info.retryable,
    )
    assert again.read is doubled


def test_commands_are_equal_if_their_arguments_are() -> None:
    command = Command("GET", "k")
    assert command == Command("GET", "k", read=doubled)
    assert hash(command) == hash(Command("GET", "k"))
    assert command != Command("GET", b"k")
    assert command != ("GET", "k")


def test_a_reader_makes_the_result() -> None:
    assert Command("GET", "k").read(b"v", RAW) == b"v"
    assert Command("INCR", "n", read=doubled).read(21, RAW) == 42


def test_what_is_known_can_be_overruled_for_one_call() -> None:
    assert Command("MY.LOOKUP", "k", readonly=True).info.retryable
    assert Command("MY.LOOKUP", "k", readonly=True).info.name == "MY.LOOKUP"
    assert not Command("GET", "k", retry=False).info.retryable
    assert Command("GET", "k", retry=False).info.readonly
    assert not Command("GET", "k", readonly=False).info.retryable
    assert Command("INCR", "n", retry=True).info.retryable
    assert Command("EVAL", "return 1", 0, needs=Needs.LEASE).info.needs is Needs.LEASE
    assert not Command("SCRIPT", "LOAD", "x", needs=Needs.LEASE).info.retryable
    assert not Command("INCR", "n").info.retryable, "for that one call"
    assert Command("GET", "k").info is command_info(("GET", "k"))


def test_a_command_shows_itself_in_one_line() -> None:
    assert repr(Command("SET", "k", b"v", "EX", 1.5)) == "Command('SET', 'k', b'v', 'EX', 1.5)"
    assert repr(Command("AUTH", "pw")) == "Command('AUTH', '***')"
    assert repr(Command("SET", "k", bytes(1000))) == "Command('SET', 'k', <bytes of 1000>)"
    assert repr(Command("DEL", *range(100))) == "Command('DEL', 0, 1, 2, 3, 4, 5, 6, ... 93 more)"


@given(names, st.lists(arguments | st.sampled_from([None, True, [], {}, object, 10**5000, -(10**5000)]), max_size=6))
def test_whatever_is_no_argument_can_be_asked_about_and_shown(name: str | bytes, rest: list[Any]) -> None:
    """It is refused where it is encoded, with its place; what looks at the command before, or shows it, does not mind."""
    command = Command(name, *rest)
    assert repr(command).startswith("Command(")
    assert len(repr(command)) < 1000
    assert all(0 < index < len(redact(command.args)) for index in command_keys(command.args))
    assert block_time(command.args) >= 0


def test_what_is_no_argument_is_shown_by_its_type() -> None:
    args: list[Any] = ["SET", "k", None, ["a"], True, 10**5000]
    assert repr(Command(*args)) == "Command('SET', 'k', <NoneType>, <list>, True, <int>)"


def test_a_command_without_a_name_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        Command()
    with pytest.raises(TypeError, match="must be str or bytes"):
        Command(1)


def test_knowledge_cannot_be_changed() -> None:
    info = command_info(("GET",))
    with pytest.raises(AttributeError):
        info.readonly = False  # type: ignore[misc]
    assert not hasattr(Command("GET"), "__dict__")
    assert BLOCKING["BLPOP"] == Blocking(-1)
