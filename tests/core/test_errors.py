"""Errors: each says whether the command may have run, and says the same after a journey through a pickle."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resp_sansio
from resp_sansio import (
    CircuitOpenError,
    CommandFailure,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    CrossSlotError,
    InvalidReplyError,
    LocalProtocolError,
    NoSuchKeyError,
    Outcome,
    PartialFailureError,
    PoolFullError,
    RemoteProtocolError,
    ReplyError,
    RespError,
    SlotPart,
    Stats,
    SubscriberTooSlowError,
    TornValueError,
    TransactionAbortedError,
    TransactionDiscardedError,
    TransactionRefusedError,
    UnexpectedReplyError,
)
from resp_sansio.connection import is_transient, reason_of

ERRORS: list[RespError] = [
    RespError("message"),
    ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    TransactionAbortedError("message"),
    UnexpectedReplyError("message"),
    InvalidReplyError(b"(abc"),
    TransactionAbortedError("message", outcome=Outcome.MAYBE_EXECUTED),
    TransactionDiscardedError(
        "message", reason=ReplyError("EXECABORT"), failures=[CommandFailure(1, "GET", ReplyError("ERR"))]
    ),
    TransactionDiscardedError("message", reason=ReplyError("OOM"), outcome=Outcome.MAYBE_EXECUTED),
    TransactionRefusedError(
        "message",
        reason=ReplyError("NOPERM"),
        replies=[1, ReplyError("ERR no"), None],
        failures=[CommandFailure(1, "GET", ReplyError("ERR no"))],
    ),
    PartialFailureError(
        "message",
        parts=[SlotPart(1, (0, 2), [b"v", None]), SlotPart(7, (1,), ReplyError("LOADING"))],
        outcome=Outcome.REPLY,
    ),
    NoSuchKeyError("message"),
    TornValueError("message"),
    TornValueError("message", outcome=Outcome.NOT_SENT),
    LocalProtocolError("message"),
    ConnectionClosedError("message"),
    CrossSlotError("message", keys=(b"a", b"b"), slots=(15495, 3300)),
    PoolFullError("message"),
    SubscriberTooSlowError("message"),
    ConnectError("message", transient=True),
    ConnectError("message", transient=False),
    CircuitOpenError("message", transient=True),
    *[
        kind("message", outcome=outcome)
        for kind in (ConnectionLostError, RemoteProtocolError, CommandTimeoutError)
        for outcome in Outcome
    ],
]


def test_every_error_of_the_module_is_here_and_public() -> None:
    defined = {name for name, kind in vars(resp_sansio._errors).items() if inspect.isclass(kind) and name != "ClassVar"}
    ours = {name for name in defined if issubclass(getattr(resp_sansio._errors, name), RespError)}
    assert ours == {type(error).__name__ for error in ERRORS}
    for_adapters = {"is_transient", "reason_of"}
    beside = {"CommandFailure", "Outcome", "SlotPart"}
    assert ours | for_adapters | beside == set(resp_sansio._errors.__all__)
    assert ours | beside <= set(resp_sansio.__all__)
    assert for_adapters <= set(resp_sansio.connection.__all__)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_a_pickle_whole(error: RespError, protocol: int) -> None:
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert (str(twin), twin.outcome) == (str(error), error.outcome)
        assert getattr(twin, "transient", None) == getattr(error, "transient", None)
        assert getattr(twin, "replies", None) == getattr(error, "replies", None)
        assert getattr(twin, "code", None) == getattr(error, "code", None)
        assert getattr(twin, "raw", None) == getattr(error, "raw", None)
        assert getattr(twin, "parts", None) == getattr(error, "parts", None)
        assert getattr(twin, "slots", None) == getattr(error, "slots", None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RespError("x"), Outcome.NOT_SENT),
        (ReplyError("ERR x"), Outcome.REPLY),
        (InvalidReplyError(b"#x"), Outcome.REPLY),
        (TransactionAbortedError("x"), Outcome.NOT_SENT),
        (TransactionDiscardedError("x", reason=ReplyError("EXECABORT")), Outcome.NOT_SENT),
        (TransactionRefusedError("x", reason=ReplyError("NOPERM"), replies=()), Outcome.REPLY),
        (NoSuchKeyError("x"), Outcome.REPLY),
        (TornValueError("x"), Outcome.REPLY),
        (LocalProtocolError("x"), Outcome.NOT_SENT),
        (ConnectionClosedError("x"), Outcome.NOT_SENT),
        (PoolFullError("x"), Outcome.NOT_SENT),
        (ConnectError("x", transient=True), Outcome.NOT_SENT),
        # A caller that does not know better has to be careful.
        (ConnectionLostError("x"), Outcome.MAYBE_EXECUTED),
        (RemoteProtocolError("x"), Outcome.MAYBE_EXECUTED),
        (CommandTimeoutError("x"), Outcome.MAYBE_EXECUTED),
    ],
)
def test_every_error_has_an_outcome(error: RespError, outcome: Outcome) -> None:
    assert error.outcome is outcome


def test_errors_are_caught_by_what_python_calls_them_too() -> None:
    for error in ERRORS:
        assert isinstance(error, ConnectionError) is isinstance(error, (ConnectError, ConnectionLostError))
        assert isinstance(error, TimeoutError) is isinstance(error, CommandTimeoutError)


@given(code=st.text().filter(lambda text: " " not in text), message=st.text())
def test_the_first_word_of_an_error_reply_is_its_code(code: str, message: str) -> None:
    error = ReplyError(f"{code} {message}")
    assert (error.code, error.message, str(error)) == (code, message, f"{code} {message}")
    assert (ReplyError(code).code, ReplyError(code).message) == (code, "")
    match error:
        case ReplyError(matched, rest):
            assert (matched, rest) == (code, message)


def test_error_replies_are_values() -> None:
    class SpecialError(ReplyError):
        pass

    one, same, other = ReplyError("ERR a"), ReplyError("ERR a"), ReplyError("ERR b")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != SpecialError("ERR a")
    assert one != "ERR a"
    assert (one == 1) is False
    assert repr(one) == "ReplyError('ERR a')"
    assert repr(SpecialError("x")) == "SpecialError('x')"


def test_replies_of_a_refused_transaction_are_kept_as_they_were() -> None:
    replies = [1]
    error = TransactionRefusedError("x", reason=ReplyError("NOPERM"), replies=replies)
    replies.append(2)
    assert error.replies == (1,)


class OpenSSLError(OSError):
    """As `ssl.SSLError` is seen from here."""

    def __init__(self, reason: str) -> None:
        super().__init__(1, f"[SSL: {reason}]")
        self.reason = reason


@pytest.mark.parametrize(
    ("error", "transient", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), True, "Connection refused"),
        (PermissionError(13, "Permission denied"), False, "Permission denied"),
        (TimeoutError(), True, "timed out"),
        (TimeoutError(110, "Connection timed out"), True, "Connection timed out"),
        (OSError("no errno"), True, "no errno"),
        (OSError(), True, "OSError"),
        (OpenSSLError("CERTIFICATE_VERIFY_FAILED"), False, "[SSL: CERTIFICATE_VERIFY_FAILED]"),
        (OpenSSLError("UNEXPECTED_EOF_WHILE_READING"), True, "[SSL: UNEXPECTED_EOF_WHILE_READING]"),
    ],
)
def test_what_the_system_says_is_told_and_judged(error: OSError, transient: bool, reason: str) -> None:
    assert (is_transient(error), reason_of(error)) == (transient, reason)
    assert reason_of(ValueError("no such thing")) == "no such thing"


class Counts(Stats):
    """Such as a pool has."""

    waiting: int

    def __str__(self) -> str:
        return f"{self.waiting} waiting"


def test_a_timeout_tells_what_was_counted_if_anything_was() -> None:
    plain = CommandTimeoutError("too late", outcome=Outcome.NOT_SENT)
    assert str(plain.counted()) == "too late"
    full = CommandTimeoutError("too late", outcome=Outcome.NOT_SENT, stats=Counts(waiting=3)).counted()
    assert (str(full), full.outcome, full.stats) == ("too late [3 waiting]", Outcome.NOT_SENT, Counts(waiting=3))


@pytest.mark.parametrize("sign", [*":(,#_=", "?", "\xff"])
def test_an_invalid_reply_shows_no_data_and_compares_by_what_came(sign: str) -> None:
    raw = sign.encode("latin-1") + b"SECRET"
    error, same = InvalidReplyError(raw), InvalidReplyError(raw)
    assert (error.raw, error.args, error.outcome) == (raw, (), Outcome.REPLY)
    for shown in (str(error), repr(error)):
        assert "SECRET" not in shown
        assert "and it is none" in shown
    assert error == same
    assert hash(error) == hash(same)
    assert error != InvalidReplyError(raw + b"x")
    assert error != raw
    assert len({error, same, InvalidReplyError(b"(x")}) == 2
