"""TLS without a network: plaintext on one side, records on the other, and `ssl`'s memory buffers in between.

One `ssl.SSLSocket` can't serve a reader that waits and writers at the same time, and hides what it has taken; two buffers can be
filled and emptied by either at any time. The module `ssl` is handed in by those who have imported it: it loads sockets.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from .._errors import ConnectError, is_transient, reason_of
from .config import Config, TLSContext

__all__ = ["RECORDS", "TLSLayer", "tls_context", "tls_failure", "tls_server_name"]

RECORDS: Final = 64 * 1024
"""Bytes given to TLS at a time: what it has taken counts as sent, so it gets no more than a few records (16 KiB each)."""


class TLSLayer:
    """One connection's TLS. Raises `ssl.SSLError` where the peer does not keep to the rules.

    `pending`: is there something to read that the network does not show?
    """

    __slots__ = ("_ended", "_incoming", "_outgoing", "_rest", "_tls", "_want", "pending")

    def __init__(self, ssl: ModuleType, context: TLSContext, server_name: str | None) -> None:
        self.pending: bool = False
        self._want: type[Exception] = ssl.SSLWantReadError
        # A missing close_notify changes nothing: RESP has its own lengths, and a cut reply is an error in any case.
        self._ended: tuple[type[Exception], ...] = (ssl.SSLZeroReturnError, ssl.SSLEOFError)
        self._incoming: Any = ssl.MemoryBIO()
        self._outgoing: Any = ssl.MemoryBIO()
        self._rest = memoryview(b"")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def shake_hands(self) -> bool:
        """Go on with the handshake: is it done? There may be `output` in either case, and if not, records are to be taken."""
        try:
            self._tls.do_handshake()
        except self._want:
            return False
        return True

    @property
    def unsent(self) -> bool:
        """Do records wait for the network to take them?"""
        return bool(self._rest) or self._outgoing.pending > 0

    def output(self) -> memoryview:
        """Return records to send, empty if there are none; what was not `sent` comes again."""
        if not self._rest:
            self._rest = memoryview(self._outgoing.read())
        return self._rest

    def sent(self, count: int) -> None:
        """The network took so many bytes of `output`."""
        self._rest = self._rest[count:]

    def write(self, data: bytes | memoryview) -> int:
        """Encrypt some of `data`, and return how many bytes: these count as sent."""
        count: int = self._tls.write(memoryview(data)[:RECORDS])
        return count

    def take(self, records: bytes | memoryview) -> None:
        """Take what the network gave, b"" for its end."""
        if records:
            self._incoming.write(records)
        else:
            self._incoming.write_eof()

    def read(self, size: int) -> bytes | None:
        """Return up to `size` bytes of plaintext, b"" at the end, None if more records are needed first."""
        try:
            data: bytes = self._tls.read(size)
        except self._want:
            self.pending = False
            return None
        except self._ended:
            return b""
        self.pending = self._tls.pending() > 0 or self._incoming.pending > 0
        return data


def tls_context(config: Config, ssl: ModuleType) -> TLSContext:
    """Return the context that `config` asks for: certificates and names are checked, unless it says in so many words no.

    Raises `ConnectError` for certificates that can't be used, `TypeError` for a context that is none.
    """
    if config.ssl_context is not None:
        if not isinstance(config.ssl_context, ssl.SSLContext):
            raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(config.ssl_context).__name__}")
        given: TLSContext = config.ssl_context
        return given
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file, capath=config.tls_ca_path)
        if config.tls_cert_file is not None:
            # Never None: OpenSSL would then ask for the password of an encrypted key on the terminal.
            password = config.tls_key_password if config.tls_key_password is not None else ""
            context.load_cert_chain(config.tls_cert_file, config.tls_key_file, password)
    except OSError as error:
        raise ConnectError(f"cannot use the configured certificates: {reason_of(error)}", transient=False) from error
    if not (config.tls_verify and config.tls_check_hostname):
        context.check_hostname = False
    if not config.tls_verify:
        context.verify_mode = ssl.CERT_NONE
    made: TLSContext = context
    return made


def tls_server_name(config: Config) -> str:
    """Return the name to ask the server for, and to look for in its certificate.

    The dot at the end of a full domain name is for the resolver. It stands neither in certificates (RFC 5280) nor in SNI (RFC 6066,
    3).
    """
    return (config.tls_server_name or config.host).removesuffix(".")


# OpenSSL's reasons for what begins like no TLS record.
NOT_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
)


def tls_failure(config: Config, error: Exception) -> ConnectError:
    """Return the error for a handshake that failed with what `ssl`, the socket or a timer raised."""
    refused = getattr(error, "verify_message", None)  # of ssl.SSLCertVerificationError
    if refused is not None:
        message = f"{config.address}: the server's certificate was not accepted: {refused}"
        return ConnectError(message, transient=False)
    message = f"{config.address}: TLS failed: {reason_of(error)}"
    # A Redis that speaks no TLS waits for the end of a line that never comes, or answers with an error in plain text.
    if isinstance(error, TimeoutError) or getattr(error, "reason", None) in NOT_TLS:
        message += "; does the server speak TLS on this port? (redis:// is without)"
    return ConnectError(message, transient=isinstance(error, OSError) and is_transient(error))
