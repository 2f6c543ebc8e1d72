"""The opening batch and what each answer means, without a connection: commands out, replies in."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import ConnectError, InvalidReplyError, Pairs, Reply, ReplyError, ServerInfo
from resp_sansio.connection import Accepted, Fallback, Handshake
from resp_sansio.connection.handshake import AGAIN, SURELY, TWICE
from resp_sansio.testing import Peer, replies
from resp_sansio.wire import encode_command

if TYPE_CHECKING:
    from collections.abc import Sequence

HELLO: dict[Reply, Reply] = {b"server": b"redis", b"version": b"7.0.15", b"proto": 3, b"modules": []}
UNKNOWN = ReplyError("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'secret'")
EVERYTHING: dict[str, Any] = {
    "username": "user",
    "password": "secret",
    "client_name": "me",
    "library_name": "it",
    "library_version": "1.0",
    "database": 3,
}
TRACKING = ("CLIENT", "TRACKING", "ON")
SETINFO = [("CLIENT", "SETINFO", "LIB-NAME", "it"), ("CLIENT", "SETINFO", "LIB-VER", "1.0")]


def refused(handshake: Handshake, answers: Sequence[Reply]) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        handshake.answered(answers)
    assert "secret" not in str(caught.value)
    return caught.value


# -- what is asked ------------------------------------------------------------------------------------------------------


def test_everything_is_asked_for_in_one_batch() -> None:
    assert Handshake(**EVERYTHING).first_batch() == [
        ("HELLO", 3, "AUTH", "user", "secret", "SETNAME", "me"),
        *SETINFO,
        ("SELECT", 3),
    ]
    assert Handshake(protocol=2, **EVERYTHING).first_batch() == [
        ("AUTH", "user", "secret"),
        ("CLIENT", "SETNAME", "me"),
        *SETINFO,
        ("SELECT", 3),
    ]


@pytest.mark.parametrize(
    ("options", "batch"),
    [
        ({}, [("HELLO", 3)]),
        ({"password": "pw"}, [("HELLO", 3, "AUTH", "default", "pw")]),
        ({"username": "user"}, [("HELLO", 3, "AUTH", "user", "")]),
        ({"client_name": ""}, [("HELLO", 3, "SETNAME", "")]),
        ({"protocol": 2, "password": b"pw"}, [("AUTH", b"pw")]),
        ({"protocol": 2, "username": "user"}, [("AUTH", "user", "")]),
        # Something that must succeed comes first: it tells a server that serves from one that does not.
        ({"protocol": 2}, [("PING",)]),
        ({"protocol": 2, "library_name": "it"}, [("PING",), SETINFO[0]]),
        ({"protocol": 2, "database": 1}, [("SELECT", 1)]),
        ({"reads_replica": True, "database": 1}, [("HELLO", 3), ("SELECT", 1), ("READONLY",)]),
        ({"needs_master": True}, [("HELLO", 3)]),
        ({"needs_replica": True, "library_name": "it"}, [("HELLO", 3), ("ROLE",), SETINFO[0]]),
        ({"needs_master": True, "protocol": 2, "password": "pw"}, [("AUTH", "pw"), ("ROLE",)]),
        ({"tracking": TRACKING}, [("HELLO", 3), TRACKING]),
        ({"tracking": TRACKING, "protocol": 2}, [("PING",)]),
        (
            {"master_name": "m", "lists_replicas": True, "tracking": TRACKING},
            [
                ("HELLO", 3),
                ("SENTINEL", "MASTER", "m"),
                ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"),
                ("SENTINEL", "SENTINELS", "m"),
                ("SENTINEL", "REPLICAS", "m"),
                TRACKING,
            ],
        ),
    ],
)
def test_only_what_is_wanted_is_asked_for(options: dict[str, Any], batch: list[tuple[Any, ...]]) -> None:
    assert Handshake(**options).first_batch() == batch


@pytest.mark.parametrize("on", [True, False])
def test_tracking_is_on_if_the_server_says_so(on: bool) -> None:
    handshake = Handshake(tracking=TRACKING)
    handshake.first_batch()
    accepted = handshake.answered([HELLO, "OK" if on else ReplyError("ERR no")])
    assert isinstance(accepted, Accepted)
    assert accepted.tracking is on


def test_it_shows_what_it_waits_for_and_no_secret() -> None:
    handshake = Handshake(**EVERYTHING)
    assert repr(handshake) == "<Handshake for RESP3, waiting for nothing>"
    handshake.first_batch()
    assert repr(handshake) == "<Handshake for RESP3, waiting for HELLO, LIBRARY_NAME, LIBRARY_VERSION, DATABASE>"


# -- masters and sentinels ------------------------------------------------------------------------------------------------

ASK: Final = [("SENTINEL", "MASTER", "m"), ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"), ("SENTINEL", "SENTINELS", "m")]
PLACE: Final[Reply] = [b"10.0.0.1", b"6379"]
FACTS: Final[Reply] = [b"name", b"m", b"config-epoch", b"7"]


def hello(**said: str) -> Reply:
    return {b"proto": 3, **{name.encode(): value.encode() for name, value in said.items()}}


def test_a_sentinel_is_asked_in_the_batch_that_opens_the_connection() -> None:
    handshake = Handshake(master_name="m", password="pw")
    assert handshake.first_batch() == [("HELLO", 3, "AUTH", "default", "pw"), *ASK]
    assert handshake.answered([hello(mode="sentinel"), FACTS, PLACE, []]) == Accepted(
        protocol=3, server=ServerInfo(mode="sentinel"), answers=[FACTS, PLACE, []]
    )


def test_a_sentinel_without_hello_is_asked_again_behind_its_password_and_not_else() -> None:
    no_hello, no_leave = ReplyError("ERR unknown command 'HELLO'"), ReplyError("NOAUTH Authentication required.")
    handshake = Handshake(master_name="m", password="pw")
    handshake.first_batch()
    assert handshake.answered([no_hello, no_leave, no_leave, no_leave]) == [("AUTH", "pw"), *ASK]
    assert handshake.answered(["OK", FACTS, PLACE, []]) == Accepted(protocol=2, answers=[FACTS, PLACE, []])
    handshake = Handshake(master_name="m")
    handshake.first_batch()
    assert handshake.answered([no_hello, FACTS, PLACE, []]) == [("PING",)]
    assert handshake.answered(["PONG"]) == Accepted(protocol=2, answers=[FACTS, PLACE, []])


def test_a_sentinel_that_knows_no_master_of_that_name_says_so_by_an_answer() -> None:
    handshake = Handshake(master_name="m", protocol=2)
    assert handshake.first_batch() == [("PING",), *ASK]
    unknown = ReplyError("ERR No such master with that name")
    assert handshake.answered(["PONG", unknown, None, unknown]) == Accepted(protocol=2, answers=[None, None, None])


def test_what_a_sentinels_user_may_not_ask_is_left_out_but_for_where_the_master_is() -> None:
    no_leave = ReplyError("NOPERM this user has no permissions to run the command")
    handshake = Handshake(master_name="m")
    handshake.first_batch()
    said = handshake.answered([hello(mode="sentinel"), no_leave, PLACE, no_leave])
    assert isinstance(said, Accepted)
    assert said.answers == [None, PLACE, None]
    handshake = Handshake(master_name="m")
    handshake.first_batch()
    with pytest.raises(ConnectError, match="refused SENTINEL GET-MASTER-ADDR-BY-NAME: NOPERM"):
        handshake.answered([hello(mode="sentinel"), FACTS, no_leave, []])


def test_what_is_no_sentinel_says_so() -> None:
    handshake = Handshake(master_name="m")
    handshake.first_batch()
    with pytest.raises(ConnectError, match="refused SENTINEL GET-MASTER-ADDR-BY-NAME: ERR unknown command") as caught:
        handshake.answered([hello(role="master"), *[ReplyError("ERR unknown command 'SENTINEL'")] * 3])
    assert not caught.value.transient


def test_a_sentinel_that_wants_a_password_names_its_own_option() -> None:
    handshake = Handshake(master_name="m")
    handshake.first_batch()
    with pytest.raises(ConnectError, match="configure `sentinel_password`"):
        handshake.answered([ReplyError("NOAUTH HELLO must be called ...")] * 4)


@pytest.mark.parametrize(
    ("answers", "refusal", "transient"),
    [
        ([hello(role="master")], "", True),
        ([hello(role="replica")], "the server is a replica", True),
        ([hello()], "does not say in its answer to HELLO whether it is a master; protocol=2", False),
        ([[b"master", 0, []]], "", True),
        ([[b"slave", b"10.0.0.1", 6379, b"connected", 0]], "the server is a replica", True),
        ([[b"sentinel", []]], "the server is no master", True),
        ([[]], "does not say", False),
        ([ReplyError("NOPERM this user has no permissions to run the 'role' command")], "refused ROLE: NOPERM", False),
    ],
)
def test_a_master_says_by_hello_or_role_that_it_is_one(answers: list[Reply], refusal: str, transient: bool) -> None:
    by_hello = isinstance(answers[0], dict)
    handshake = Handshake(needs_master=True, protocol=3 if by_hello else 2)
    assert handshake.first_batch() == [("HELLO", 3) if by_hello else ("ROLE",)]
    if not refusal:
        assert isinstance(handshake.answered(answers), Accepted)
        return
    with pytest.raises(ConnectError, match=refusal) as caught:
        handshake.answered(answers)
    assert caught.value.transient is transient


def test_a_master_without_hello_is_asked_by_role_in_the_second_batch() -> None:
    handshake = Handshake(needs_master=True, client_name="it")
    assert handshake.first_batch() == [("HELLO", 3, "SETNAME", "it")]
    assert handshake.answered([ReplyError("ERR unknown command")]) == [("CLIENT", "SETNAME", "it"), ("ROLE",)]
    assert handshake.answered(["OK", [b"master", 0, []]]) == Accepted(protocol=2)


LINKED: list[Reply] = [b"slave", b"10.0.0.1", 6379, b"connected", 0]


@pytest.mark.parametrize(
    ("answers", "refusal", "transient"),
    [
        ([hello(role="replica"), LINKED], "", True),
        (
            [hello(role="replica"), [b"slave", b"10.0.0.1", 6379, b"sync", 0]],
            r"link to its master is down \(sync\)",
            True,
        ),
        (
            [hello(role="replica"), [b"slave", b"10.0.0.1", 6379, b"\x1b[31mdown\nand more", 0]],
            r"link to its master is down \(\?\[31mdown\?and more\)",
            True,
        ),
        ([hello(role="replica"), [b"slave"]], "", True),
        ([hello(role="replica"), [b"master", 0, []]], "the server is no replica", True),  # it was promoted meanwhile
        ([hello(role="replica"), ReplyError("NOPERM no permissions to run the 'role' command")], "", True),
        ([hello(role="replica"), ReplyError("NOAUTH Authentication required.")], "NOAUTH", False),
        ([hello(role="master"), [b"master", 0, []]], "the server is no replica", True),
        ([hello(), LINKED], "", True),
        ([hello(), ReplyError("NOPERM no permissions to run the 'role' command")], "refused ROLE: NOPERM", False),
        ([LINKED], "", True),
        ([[b"slave", b"10.0.0.1", 6379, b"connect", -1]], r"link to its master is down \(connect\)", True),
        ([[b"master", 0, []]], "the server is no replica", True),
        ([ReplyError("NOPERM no permissions to run the 'role' command")], "refused ROLE: NOPERM", False),
    ],
)
def test_a_replica_says_that_it_is_one_and_that_its_link_is_up(
    answers: list[Reply], refusal: str, transient: bool
) -> None:
    by_hello = isinstance(answers[0], dict)
    handshake = Handshake(needs_replica=True, protocol=3 if by_hello else 2)
    assert handshake.first_batch() == ([("HELLO", 3), ("ROLE",)] if by_hello else [("ROLE",)])
    if not refusal:
        assert isinstance(handshake.answered(answers), Accepted)
        return
    with pytest.raises(ConnectError, match=refusal) as caught:
        handshake.answered(answers)
    assert caught.value.transient is transient


def test_a_sentinel_lists_replicas_if_it_is_asked_to() -> None:
    for lists in (False, True):
        handshake = Handshake(master_name="m", lists_replicas=lists, protocol=2)
        asked = [words for words in handshake.first_batch() if words[0] == "SENTINEL"]
        assert [words[1] for words in asked] == ["MASTER", "GET-MASTER-ADDR-BY-NAME", "SENTINELS", "REPLICAS"][
            : 3 + lists
        ]
        whole: list[Reply] = [[], [b"a", b"1"], [], [[b"ip", b"b"]]]
        said = whole[: 3 + lists]
        accepted = handshake.answered(["PONG", *said])
        assert isinstance(accepted, Accepted)
        assert accepted.answers == said


# -- what is accepted -----------------------------------------------------------------------------------------------------


VALKEY: dict[Reply, Reply] = {
    b"server": b"valkey",
    b"version": b"8.1.1",
    b"proto": 3,
    b"id": 7,
    b"mode": b"cluster",
    b"role": b"replica",
    b"modules": [],
    b"availability_zone": b"a1",
}


@pytest.mark.parametrize(
    ("hello", "protocol", "server"),
    [
        (HELLO, 3, ServerInfo(name="redis", version="7.0.15")),
        (VALKEY, 3, ServerInfo(name="valkey", version="8.1.1", mode="cluster", role="replica", zone="a1")),
        (
            {**VALKEY, b"availability_zone": b"", b"mode": 3},
            3,
            ServerInfo(name="valkey", version="8.1.1", role="replica"),
        ),
        ([b"server", b"proxy", b"proto", 2], 2, ServerInfo(name="proxy")),
        ([b"proto", 2, b"server"], 2, ServerInfo()),
        ({b"server": b"old"}, 3, ServerInfo(name="old")),
        ({b"proto": 2}, 2, ServerInfo()),
        (Pairs([(1, 2), (True, 3)]), 3, ServerInfo()),
        ({(b"odd",): None}, 3, ServerInfo()),
    ],
)
def test_the_answer_to_hello_says_what_is_spoken_and_by_whom(
    hello: Reply, protocol: Literal[2, 3], server: ServerInfo
) -> None:
    handshake = Handshake()
    handshake.first_batch()
    assert handshake.answered([hello]) == Accepted(protocol=protocol, server=server)


def test_what_alike_servers_say_is_kept_once_unless_it_is_long() -> None:
    usual = [ServerInfo.of({"server": "redis", "version": "7.0.15", "id": number}) for number in range(2)]
    long = [ServerInfo.of({"server": "redis", "version": "9" * 1000}) for _ in range(2)]
    assert usual[0] is usual[1]
    assert long[0] == long[1] != usual[0]
    assert long[0] is not long[1]


@pytest.mark.parametrize(
    ("name", "version", "nests"),
    [
        *[("redis", version, True) for version in ("6.0.16", "7.0.15", "7.1.242", "7", None, "unstable", "9" * 5000)],
        *[("redis", version, False) for version in ("7.2.0", "7.2", "8.6.3", "255.255.255")],
        (None, None, True),
        ("keydb", "6.3.4", True),
        ("valkey", "7.2.5", False),
        ("valkey", None, False),
    ],
)
def test_who_may_write_a_push_inside_a_reply(name: str | None, version: str | None, nests: bool) -> None:
    assert ServerInfo(name=name, version=version).nests_pushes is nests


def says_a_protocol(hello: Reply) -> bool:
    return isinstance(hello, (dict, Pairs)) or (isinstance(hello, list) and "proto" in map(text, hello[0:-1:2]))


def text(value: Reply) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


@given(hello=replies(), password=st.sampled_from([None, "secret"]))
def test_whatever_answers_hello_is_read_or_another_batch_goes_out(hello: Reply, password: str | None) -> None:
    handshake = Handshake(password=password, library_name="it", database=3)
    handshake.first_batch()
    answer = handshake.answered(
        [hello, "OK", ReplyError("NOAUTH") if password and not says_a_protocol(hello) else "OK"]
    )
    if says_a_protocol(hello):
        assert isinstance(answer, Accepted)
        assert answer == Accepted.of(hello)
    else:
        # Only what did not succeed, and in RESP2.
        assert answer == ([("AUTH", "secret"), ("SELECT", 3)] if password else [("PING",)])
        assert handshake.answered(["OK"] * (2 if password else 1)) == Accepted(protocol=2)


@pytest.mark.parametrize("hello", ["OK", "PONG", 3, None, b"", {b"a"}, [], [b"server", b"proxy", b"proto"]])
def test_an_answer_to_hello_that_is_no_map_is_as_good_as_none(hello: Reply) -> None:
    handshake = Handshake(client_name="me")
    handshake.first_batch()
    assert handshake.answered([hello]) == [("CLIENT", "SETNAME", "me")]


@pytest.mark.parametrize("error", ["ERR Unknown subcommand", "NOPERM not for you", "BUSY running a script"])
def test_the_library_need_not_be_known(error: str) -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    assert isinstance(handshake.answered([HELLO, ReplyError(error), ReplyError(error), "OK"]), Accepted)


# -- a server without HELLO -------------------------------------------------------------------------------------------------


def test_the_second_batch_asks_for_what_did_not_succeed() -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    second = handshake.answered([UNKNOWN, "OK", ReplyError("ERR unknown"), "OK"])
    assert second == [("AUTH", "user", "secret"), ("CLIENT", "SETNAME", "me"), SETINFO[1]]
    assert handshake.answered(["OK", "OK", ReplyError("ERR unknown")]) == Accepted(protocol=2)


def test_what_was_refused_for_want_of_a_password_is_asked_again_behind_it() -> None:
    handshake = Handshake(password="secret", library_name="it", database=3)
    handshake.first_batch()
    no = ReplyError("NOAUTH Authentication required.")
    assert handshake.answered([UNKNOWN, no, no]) == [("AUTH", "secret"), SETINFO[0], ("SELECT", 3)]
    assert refused(handshake, [ReplyError("ERR invalid password"), no, no]).transient is False


def test_with_nothing_left_to_ask_a_ping_has_to_succeed() -> None:
    handshake = Handshake(library_name="it")
    handshake.first_batch()
    assert handshake.answered([UNKNOWN, ReplyError("ERR unknown")]) == [("PING",), SETINFO[0]]
    assert "requires a password" in str(refused(handshake, [ReplyError("NOAUTH Authentication required."), "OK"]))


# -- what is refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "message", "transient"),
    [
        ([ReplyError("WRONGPASS 'secret' is wrong"), "OK", "OK", "OK"], "user name or password (WRONGPASS)", False),
        ([ReplyError("LOADING Redis is loading"), "OK", "OK", "OK"], "cannot serve now: LOADING", True),
        ([HELLO, "OK", ReplyError("NOAUTH Authentication required."), "OK"], "requires a password (NOAUTH)", False),
        ([HELLO, "OK", "OK", ReplyError("BUSY Redis is busy")], "cannot serve now: BUSY", True),
        (
            [HELLO, "OK", "OK", ReplyError("ERR unknown command 'SELECT', with args beginning with: 'secret'")],
            "the server refused database 3 (ERR)",
            False,
        ),
        (
            [HELLO, "OK", "OK", ReplyError("ERR DB index is out of range")],
            "the server refused database 3: ERR DB index is out of range",
            False,
        ),
        ([ReplyError("ERR max number of clients reached")] * 4, "max number of clients reached", True),
        ([ReplyError("DENIED Redis is running in protected mode")] * 4, "", False),
    ],
)
def test_a_refusal_says_what_was_refused_and_whether_it_may_pass(
    answers: list[Reply], message: str, transient: bool
) -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    if not message:
        answers, message = handshake.answered(answers) and [ReplyError("DENIED x")] * 5, "protected mode"  # type: ignore[assignment]
    error = refused(handshake, answers)
    assert message in str(error)
    assert "secret" not in str(error)
    assert error.transient is transient


NONSENSE = InvalidReplyError(b":secret")


@pytest.mark.parametrize(
    ("options", "answers", "what"),
    [
        ({"protocol": 2, "password": "secret"}, [NONSENSE], "AUTH"),
        ({"protocol": 2, "database": 3}, [NONSENSE], "database"),
        ({"database": 3}, [HELLO, NONSENSE], "database"),
        ({"protocol": 2}, [NONSENSE], "PING"),
        ({"client_name": "me", "protocol": 2}, [NONSENSE], "the client name"),
    ],
)
def test_an_answer_that_makes_no_sense_accepts_nothing(
    options: dict[str, Any], answers: list[Reply], what: str
) -> None:
    handshake = Handshake(**options)
    handshake.first_batch()
    interrupted = handshake.interrupted(answers, "reset")
    error = refused(handshake, answers)
    assert str(error).startswith(f"the answer to {what} makes no sense: the server marked a value as an integer")
    assert (error.transient, str(interrupted)) == (False, str(error))


def test_steps_that_may_be_refused_may_be_answered_with_nonsense() -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    assert handshake.answered([HELLO, NONSENSE, NONSENSE, "OK"]) == Accepted(
        protocol=3, server=ServerInfo.of({"server": "redis", "version": "7.0.15"})
    )
    assert handshake.answered([NONSENSE] * 4)  # not a map: the second batch tells
    refused(handshake, [NONSENSE] * 5)


def test_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="a pickle would show the password"):
        pickle.dumps(Handshake(password="secret"))


@pytest.mark.parametrize(
    "text", ["ERR Client names cannot contain spaces, newlines", "ERR Syntax error in HELLO option"]
)
def test_a_bad_name_is_found_by_the_second_batch(text: str) -> None:
    handshake = Handshake(client_name="bad name")
    handshake.first_batch()
    assert handshake.answered([ReplyError(text)]) == [("CLIENT", "SETNAME", "bad name")]
    said = "ERR Client names cannot contain spaces"
    assert f"the server refused the client name: {said}" in str(refused(handshake, [ReplyError(said)]))


@pytest.mark.parametrize(
    ("answers", "message", "transient"),
    [
        ([], "reset during the handshake", True),
        ([HELLO, ReplyError("ERR unknown")], "reset during the handshake", True),
        ([ReplyError("ERR max number of clients reached")], "max number of clients reached", True),
        ([ReplyError("DENIED Redis is running in protected mode")], "protected mode", False),
        ([UNKNOWN], "the server refused HELLO (ERR)", False),
        ([HELLO, "OK", "OK", ReplyError("ERR DB index")], "refused database 3: ERR DB index", False),
    ],
)
def test_a_server_that_goes_may_have_said_why(answers: list[Reply], message: str, transient: bool) -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    error = handshake.interrupted(answers, "reset")
    assert message in str(error)
    assert "secret" not in str(error)
    assert error.transient is transient


NOAUTH = ReplyError("NOAUTH Authentication required.")


def test_noauth_may_mean_that_there_is_no_hello() -> None:
    """Valkey 9.1 says so to a HELLO that was renamed, or that the default user may not send."""
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    assert handshake.answered([NOAUTH] * 4) == [
        ("AUTH", "user", "secret"),
        ("CLIENT", "SETNAME", "me"),
        *SETINFO,
        ("SELECT", 3),
    ]
    handshake = Handshake(database=3)
    handshake.first_batch()
    assert "the server requires a password (NOAUTH)" in str(refused(handshake, [NOAUTH, NOAUTH]))


@pytest.mark.parametrize("password", ["secret", b"secret", b"\xffsecret"])
def test_what_the_server_says_is_told_unless_it_speaks_of_a_secret(password: str | bytes) -> None:
    for said, told in (
        ("ERR no secret\udcffsecret", "(ERR)"),
        ("NOPERM not 'ann'", "(NOPERM)"),
        ("NOPERM no", "NOPERM no"),
        ("ERR no\n\x1b[31m2026-01-01 \udcff", "ERR no??[31m2026-01-01 ?"),
        ("ERR " + 1000 * "x", "ERR " + 296 * "x" + " ..."),
    ):
        handshake = Handshake(username="ann", password=password, database=3)
        handshake.first_batch()
        with pytest.raises(ConnectError) as caught:
            handshake.answered([HELLO, ReplyError(said)])
        assert str(caught.value).endswith(told)


# -- a proxy that hangs up on what it does not know ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "answers", "told"),
    [
        ({}, [], "protocol=2"),
        ({"client_name": "me"}, [], "protocol=2, client_name=None"),
        ({"library_name": "it"}, [], "protocol=2, lib_name=None"),
        ({"protocol": 2, "library_name": "it"}, [], "lib_name=None"),
        ({"protocol": 2, "library_name": "it", "library_version": "1"}, ["PONG"], "lib_name=None, lib_version=None"),
        ({"protocol": 2, "password": "x", "client_name": "me", "database": 3}, ["OK"], "client_name=None"),
    ],
)
def test_a_close_before_any_answer_names_what_to_leave_out(
    options: dict[str, Any], answers: list[Reply], told: str
) -> None:
    handshake = Handshake(**options)
    handshake.first_batch()
    error = handshake.interrupted(answers, "the server closed the connection")
    assert error.plain_may_work
    assert error.transient
    assert str(error) == (
        "the server closed the connection during the handshake, as proxies do that do not know each of its commands:"
        f" {told} leaves them out"
    )


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        (EVERYTHING, [HELLO]),  # it knows what it hung up on, or was not asked
        ({"protocol": 2, "client_name": "me"}, ["OK"]),
        ({"protocol": 2}, []),
        ({"protocol": 2, "password": "x", "database": 3}, []),
        (EVERYTHING, [ReplyError("ERR max number of clients reached")]),
    ],
)
def test_a_close_for_which_a_plain_handshake_is_no_remedy(options: dict[str, Any], answers: list[Reply]) -> None:
    handshake = Handshake(**options)
    handshake.first_batch()
    error = handshake.interrupted(answers, "reset")
    assert not error.plain_may_work
    assert "leaves them out" not in str(error)


HUNG_UP = ConnectError("closed", transient=True, plain_may_work=True)


def test_a_dial_that_a_proxy_hung_up_on_is_tried_plainly_at_once_and_that_is_kept_in_mind_after_the_second() -> None:
    fallback = Fallback()
    for _ in range(2):
        opening = fallback.opening()
        assert not opening.plain
        assert opening.again(HUNG_UP)
        assert opening.plain
        opening.opened()
    opening = fallback.opening()
    assert opening.plain
    opening.opened()
    assert fallback.opening().plain


def test_one_that_ends_for_another_reason_is_not() -> None:
    fallback = Fallback()
    for error in (None, OSError(), ConnectError("refused", transient=True)):
        opening = fallback.opening()
        assert not opening.again(error)
        assert not opening.plain
    opening = fallback.opening()
    assert opening.again(HUNG_UP)
    assert not opening.again(HUNG_UP)  # plainly, it failed as well: what is there is no such proxy
    assert not fallback.opening().plain


def test_a_server_that_ended_once_is_asked_in_full_again() -> None:
    fallback = Fallback()
    opening = fallback.opening()
    assert opening.again(HUNG_UP)
    opening.opened()
    opening = fallback.opening()
    assert not opening.plain
    opening.opened()


def test_where_a_full_handshake_was_accepted_it_takes_several_ends_until_a_plain_one_is_tried() -> None:
    fallback = Fallback()
    fallback.opening().opened()
    for _ in range(3):
        for _ in range(SURELY - 1):
            opening = fallback.opening()
            assert not opening.again(HUNG_UP)
            assert not opening.plain
        fallback.opening().opened()
    for _ in range(SURELY - 1):
        assert not fallback.opening().again(HUNG_UP)
    assert fallback.opening().again(HUNG_UP)  # something else is there now


def test_a_client_that_asks_plainly_asks_in_full_now_and_then() -> None:
    fallback = Fallback()
    for _ in range(TWICE):
        opening = fallback.opening()
        assert opening.again(HUNG_UP)
        opening.opened()
    for _ in range(3):
        for _ in range(AGAIN):
            opening = fallback.opening()
            assert opening.plain
            opening.opened()
        opening = fallback.opening()
        assert not opening.plain
        assert opening.again(HUNG_UP)
        opening.opened()
    for _ in range(AGAIN):
        fallback.opening().opened()
    fallback.opening().opened()  # it was the network
    assert not fallback.opening().plain


# -- against a server -------------------------------------------------------------------------------------------------------


@given(
    protocol=st.sampled_from([2, 3]),
    hello=st.booleans(),
    password=st.sampled_from([None, b"secret", b"other"]),
    given_password=st.sampled_from([None, "secret"]),
    username=st.sampled_from([None, "default", "nobody"]),
    name=st.sampled_from([None, "me", "not a name"]),
    database=st.sampled_from([0, 1, 99]),
)
def test_it_is_accepted_if_and_only_if_the_server_is_as_was_asked_for(
    protocol: Any,
    hello: bool,
    password: bytes | None,
    given_password: str | None,
    username: str | None,
    name: str | None,
    database: int,
) -> None:
    peer = Peer(hello=hello, password=password)
    handshake = Handshake(
        protocol=protocol,
        username=username,
        password=given_password,
        client_name=name,
        library_name="it",
        database=database,
    )
    batch, result, rounds = handshake.first_batch(), None, 0
    possible = database < 16 and name != "not a name" and username != "nobody"
    possible = possible and (password is None or given_password == password.decode())
    try:
        while not isinstance(result, Accepted):
            rounds += 1
            peer.received.clear()
            peer.receive(b"".join(block for one in batch if isinstance(block := encode_command(one), bytes)))
            result = handshake.answered([answer.parts[0] for answer in peer.received])
            batch = result if isinstance(result, list) else []
    except ConnectError:
        assert not possible
    else:
        assert rounds == (1 if hello or protocol == 2 else 2)
        assert result.protocol == peer.protocol == (3 if hello and protocol == 3 else 2)
        assert peer.database == database
        assert peer.name == (name or "").encode()
        assert peer.password is None or peer.authenticated
        assert possible


@pytest.mark.parametrize("said", ["hunter2", "hunter2 is wrong", "SECRET no", "SECRETS"])
def test_a_password_is_not_shown_as_the_code_of_an_error(said: str) -> None:
    password = "hunter2" if "hunter2" in said else "SECRET"
    for protocol in (2, 3):
        handshake = Handshake(protocol=protocol, password=password, client_name="me", database=1)
        sent = handshake.first_batch()
        if protocol == 3:
            answer = handshake.answered([ReplyError("ERR unknown command"), *["OK"] * (len(sent) - 1)])
            assert isinstance(answer, list)
            sent = answer
        for refused in range(len(sent)):
            replies: list[Reply] = ["OK"] * len(sent)
            replies[refused] = ReplyError(said)
            error = handshake.interrupted(replies, "it ended")
            assert password not in str(error)
            assert password not in repr(error)
