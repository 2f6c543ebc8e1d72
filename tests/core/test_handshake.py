"""The opening batch and what each answer means, without a connection: commands out, replies in."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio import Accepted, ConnectError, Handshake, Pairs, Reply, ReplyError, encode_command
from resp_sansio.testing import Peer, replies

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
    ],
)
def test_only_what_is_wanted_is_asked_for(options: dict[str, Any], batch: list[tuple[Any, ...]]) -> None:
    assert Handshake(**options).first_batch() == batch


def test_it_shows_what_it_waits_for_and_no_secret() -> None:
    handshake = Handshake(**EVERYTHING)
    assert repr(handshake) == "<Handshake for RESP3, waiting for nothing>"
    handshake.first_batch()
    assert repr(handshake) == "<Handshake for RESP3, waiting for HELLO, LIBRARY_NAME, LIBRARY_VERSION, DATABASE>"


# -- what is accepted -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hello", "protocol", "server"),
    [
        (HELLO, 3, {"server": "redis", "version": "7.0.15", "proto": 3, "modules": []}),
        ([b"server", b"proxy", b"proto", 2], 2, {"server": "proxy", "proto": 2}),
        ([b"server", b"proxy", b"proto"], 2, {"server": "proxy"}),
        ([], 2, {}),
        ({b"server": b"old"}, 3, {"server": "old"}),
        ({b"proto": 2}, 2, {"proto": 2}),
        (Pairs([(1, 2), (True, 3)]), 3, {"1": 2, "True": 3}),
        ({(b"odd",): None}, 3, {"(b'odd',)": None}),
    ],
)
def test_the_answer_to_hello_says_what_is_spoken(hello: Reply, protocol: int, server: dict[str, Reply]) -> None:
    handshake = Handshake()
    handshake.first_batch()
    assert handshake.answered([hello]) == Accepted(protocol=protocol, server=server)  # type: ignore[arg-type]


@given(hello=replies())
def test_whatever_answers_hello_is_read_or_refused(hello: Reply) -> None:
    assert Accepted.of(hello).protocol in (2, 3)
    handshake = Handshake(library_name="it")
    handshake.first_batch()
    if isinstance(hello, ReplyError):
        assert isinstance(handshake.answered([hello, "OK"]), list)
    elif isinstance(hello, (dict, list)):
        assert isinstance(handshake.answered([hello, "OK"]), Accepted)
    else:
        assert not refused(handshake, [hello, "OK"]).transient


@pytest.mark.parametrize("hello", ["OK", 3, None, b"", {b"a"}])
def test_an_answer_to_hello_that_is_no_map_is_refused(hello: Reply) -> None:
    handshake = Handshake()
    handshake.first_batch()
    assert "answered HELLO with a" in str(refused(handshake, [hello]))


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
    assert handshake.answered(["OK", "OK", ReplyError("ERR unknown")]) == Accepted(protocol=2, server={})


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
        ([ReplyError("NOAUTH HELLO must be called ..."), "OK", "OK", "OK"], "requires a password (NOAUTH)", False),
        ([ReplyError("LOADING Redis is loading"), "OK", "OK", "OK"], "cannot serve now: LOADING", True),
        ([HELLO, "OK", ReplyError("NOAUTH Authentication required."), "OK"], "requires a password (NOAUTH)", False),
        ([HELLO, "OK", "OK", ReplyError("BUSY Redis is busy")], "cannot serve now: BUSY", True),
        (
            [HELLO, "OK", "OK", ReplyError("ERR unknown command 'SELECT', with args beginning with: 'secret'")],
            "the server refused the database (ERR)",
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
    assert "the client name (ERR)" in str(refused(handshake, [ReplyError("ERR Client names cannot ...")]))


@pytest.mark.parametrize(
    ("answers", "message", "transient"),
    [
        ([], "reset during the handshake", True),
        ([HELLO, ReplyError("ERR unknown")], "reset during the handshake", True),
        ([ReplyError("ERR max number of clients reached")], "max number of clients reached", True),
        ([ReplyError("DENIED Redis is running in protected mode")], "protected mode", False),
        ([UNKNOWN], "the server refused HELLO (ERR)", False),
        ([HELLO, "OK", "OK", ReplyError("ERR DB index")], "the database (ERR)", False),
    ],
)
def test_a_server_that_goes_may_have_said_why(answers: list[Reply], message: str, transient: bool) -> None:
    handshake = Handshake(**EVERYTHING)
    handshake.first_batch()
    error = handshake.interrupted(answers, "reset")
    assert message in str(error)
    assert "secret" not in str(error)
    assert error.transient is transient


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
