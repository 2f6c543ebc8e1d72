"""Plain conversations with a server, for what the library hides from its users: single steps, and answers that refuse.

One socket, one question at a time, and every wait bounded. A conversation that fails says so by `FailedError`, whose code is the
system's, OpenSSL's or the server's.
"""

from __future__ import annotations

import datetime
import errno
import re
import socket
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from resp_sansio import Config, Push, ReplyError, RespError
from resp_sansio.config import tls_context, tls_server_name
from resp_sansio.wire import Parser, encode_command

from .._findings import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resp_sansio import Argument, Reply

__all__ = ["FailedError", "Talk", "certificate_facts", "code_of", "dial", "peer_certificate", "secure"]

SHORTEST: Final = 0.001
"""Seconds that a socket waits at least: 0 would mean something else to it."""

NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which `ssl.VerifyFlags` has no name."""


class FailedError(Exception):
    """A step failed: by which code, and in which words."""

    def __init__(self, code: str, said: object) -> None:
        super().__init__(str(said))
        self.code: Final = code


def code_of(error: Exception) -> str:
    """Return the code that the rules know an error by."""
    match error:
        case ReplyError() if "max number of clients" in str(error):
            return "MAXCLIENTS"
        case ReplyError() if "invalid password" in str(error):  # Redis before 6
            return "WRONGPASS"
        case ReplyError():
            return error.code if re.fullmatch("[A-Z]{2,20}", error.code) else "ERR"
        case ssl.SSLCertVerificationError():
            return f"CERT_{error.verify_code}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "EOF"
        case ssl.SSLError():
            return error.reason or "TLS"
        case TimeoutError():
            return "TIMEOUT"
        case socket.gaierror():
            names = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}
            return names.get(error.errno or 0, "EAI")
        case OSError():
            return errno.errorcode.get(error.errno or 0, "OS")
        case _:
            return type(error).__name__


def said_by(error: Exception) -> str:
    """Return the error's words, without the numbers and the source lines of the system's and of OpenSSL's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, TimeoutError):
        return "timed out"
    return (isinstance(error, OSError) and error.strerror) or str(error)


class Talk:
    """One connection, for questions one by one, each of which is answered within `patience` seconds, or has failed."""

    def __init__(self, connected: socket.socket, config: Config, patience: float) -> None:
        self.socket: Final = connected
        self._patience = patience
        self._parser = Parser(config.limits)

    def ask(self, *words: Argument) -> Reply:
        """Send a command and return its reply; raise `ReplyError` for an error, `FailedError` if none came."""
        unsent: OSError | None = None
        try:
            encoded = encode_command(words)
            self.socket.sendall(encoded if isinstance(encoded, bytes) else b"".join(encoded))
        except OSError as error:
            unsent = error  # a server that is full says so and closes: what it said is still to be read
        try:
            return self.hear()
        except FailedError as error:
            raise (FailedError(code_of(unsent), said_by(unsent)) if unsent is not None else error) from None

    def hear(self, patience: float | None = None) -> Reply:
        """Return the next reply, asked for or not; pushes are none. Raises as `ask`."""
        until = monotonic() + (self._patience if patience is None else patience)
        try:
            while True:
                left = until - monotonic()  # a peer may send a byte now and then, or pushes without end
                if left <= 0:
                    raise TimeoutError
                self.socket.settimeout(max(left, SHORTEST))
                data = self.socket.recv(65536)
                if not data:
                    raise FailedError("EOF", "the peer closed the connection")
                for reply in self._parser.feed(data, 1):
                    if isinstance(reply, Push):
                        continue
                    if isinstance(reply, ReplyError):
                        raise reply
                    return reply
                if self._parser.error is not None:
                    raise FailedError("NOT_RESP", self._parser.error)
        except OSError as error:
            raise FailedError(code_of(error), said_by(error)) from error

    def close(self) -> None:
        """End it."""
        self.socket.close()


def dial(addresses: Sequence[Any], patience: float) -> socket.socket:
    """Connect to the first of the addresses (as `getaddrinfo` gives them) that takes it. Raises `FailedError`, of the first."""
    failures: list[FailedError] = []
    for family, kind, protocol, _, address in addresses:
        connecting: socket.socket | None = None
        try:
            connecting = socket.socket(family, kind, protocol)  # of a kind that this system may not have
            connecting.settimeout(patience)
            connecting.connect(address)
        except OSError as error:
            if connecting is not None:
                connecting.close()
            failures.append(FailedError(code_of(error), said_by(error)))
        else:
            if family in {socket.AF_INET, socket.AF_INET6}:
                connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connecting
    raise failures[0]


def secure(connected: socket.socket, config: Config, *, check: bool = True) -> ssl.SSLSocket:
    """Do the TLS handshake that the configuration asks for. Raises `FailedError`, and has then closed the socket."""
    try:
        context = cast("ssl.SSLContext", tls_context(config, ssl))
        if not check:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    except RespError as error:
        connected.close()
        raise FailedError("FILES", error) from error
    return _handshake(context, connected, config)


def _handshake(context: ssl.SSLContext, connected: socket.socket, config: Config) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(connected, server_hostname=tls_server_name(config))
    except (OSError, ValueError) as error:
        connected.close()
        raise FailedError(code_of(error), said_by(error)) from error


def peer_certificate(addresses: Sequence[Any], patience: float, config: Config) -> Mapping[str, Any]:
    """Return the facts of a certificate that was not accepted; none if they can't be had.

    Python shows the fields of accepted certificates only. So it is fetched without a check first, and then accepted because it is
    itself the one that is trusted.
    """
    try:
        with secure(dial(addresses, patience), config, check=False) as first:
            encoded = first.getpeercert(binary_form=True)
        context = cast("ssl.SSLContext", tls_context(config, ssl))
        context.check_hostname = False
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # before what follows: `~` has none of the flags without a name
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(NO_CHECK_TIME)
        context.load_verify_locations(cadata=encoded)
        with _handshake(context, dial(addresses, patience), config) as second:
            return certificate_facts(second.getpeercert() or {})
    except (FailedError, OSError, RespError):
        return {}


def certificate_facts(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """Return what rules and people want to know of a certificate, as `ssl.SSLSocket.getpeercert` gives it."""
    names = [printable(value) for _, value in certificate.get("subjectAltName", ())]
    begins, ends = (_time(certificate.get(name)) for name in ("notBefore", "notAfter"))
    now = datetime.datetime.now(datetime.UTC)
    facts: dict[str, Any] = {
        "issuer": _name(certificate.get("issuer", ())),
        "subject": _name(certificate.get("subject", ())),
        "names": ", ".join(names) or "no name at all",
        "now": f"{now:%Y-%m-%d %H:%M} UTC",
    }
    if names:
        facts["first_name"] = names[0]
    if begins is not None and ends is not None:
        facts |= {"not_before": f"{begins:%Y-%m-%d}", "not_after": f"{ends:%Y-%m-%d}", "days_left": (ends - now).days}
    return facts


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(text), datetime.UTC) if text else None


def _name(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return the common name of a subject or an issuer, else its organisation, else all of it."""
    fields = dict(field for part in parts for field in part)
    chosen = fields.get("commonName") or fields.get("organizationName") or ", ".join(fields.values())
    return printable(chosen) or "no name at all"
