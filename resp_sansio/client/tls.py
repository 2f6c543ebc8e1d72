"""TLS between a link's connection and its socket: plaintext on one side, records on the other, `ssl`'s memory buffers in between.

Its handshake is the first part of the link's opening. The module `ssl` is handed in by those who have imported it: it loads
sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from .._errors import ConnectError
from ..config.config import Config
from ..config.tls import tls_context, tls_failure, tls_server_name
from ..connection.connection import Connection
from ..connection.slot import Slot
from .forks import GATE

__all__ = ["TLSWire", "tls_of"]

RECORD: Final = 16 * 1024
"""The most plaintext that a record holds (RFC 8446, 5.1)."""

RECORDS: Final = 4 * RECORD
"""Bytes given to TLS at a time: what it has taken counts as sent, so it gets no more than a few records."""


class TLSWire:
    """One link's TLS: what an adapter asks a link's connection about sending, it asks this instead, see `Link.wire`.

    One object for one dial. Raises `ConnectError` if the configured certificates can't be used, `TypeError` for a context that is
    none.
    """

    __slots__ = ("_core", "_incoming", "_outgoing", "_rest", "_tls", "_want", "ended", "error", "open")
    _core: Connection

    def __init__(self, config: Config, ssl: ModuleType) -> None:
        self.open: bool = False  # the handshake of TLS is over
        self.ended: bool = False  # no records are read any more
        self.error: Exception | None = None  # why, if not well
        self._want: type[Exception] = ssl.SSLWantReadError
        self._incoming: Any = ssl.MemoryBIO()
        self._outgoing: Any = ssl.MemoryBIO()
        self._rest: bytes | memoryview = b""  # of the records that were made, what the network has not taken
        try:
            GATE.enter(self)
            context = tls_context(config, ssl)
            try:
                self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=tls_server_name(config))
            except (OSError, ValueError) as error:
                raise tls_failure(config, error) from error
        finally:
            GATE.inside.pop(self, None)

    def __repr__(self) -> str:
        state = "ended" if self.ended else "open" if self.open else "shaking hands"
        return f"<{type(self).__name__} ({state})>"

    def begin(self, core: Connection) -> None:
        """Stand before this connection, and begin the handshake."""
        self._core = core
        self.receive_replies(b"")

    # -- bytes out -----------------------------------------------------------------------------------------------------------

    def data_to_send(self) -> bytes | memoryview:
        """Return records to send, empty if there are none; what the network did not take, as told by `sent`, comes again first.

        What is encrypted counts as sent: a few records at most, and no more before the network has taken those. Raises `OSError`
        where TLS itself fails, which is a write that failed.
        """
        if self._core.error is not None and self.error is None:
            return b""  # it was ended, and not by TLS, which would say why
        if not self._rest:
            if self.open and not self._outgoing.pending:
                self._encrypt()
            self._rest = self._outgoing.read()
        return self._rest

    def _encrypt(self) -> None:
        room = RECORDS
        try:
            GATE.enter(self)
            while room and (block := self._core.data_to_send()):
                count = self._tls.write(memoryview(block)[:room])
                self._core.sent(count)
                room -= count
        except self._want:
            pass  # the server shakes hands anew, and its records come first
        finally:
            GATE.inside.pop(self, None)

    def sent(self, count: int) -> None:
        """The network took so many bytes of `data_to_send`."""
        self._rest = memoryview(self._rest)[count:]

    @property
    def wants_to_send(self) -> bool:
        """As of the connection; or there are records of TLS's own, or some that the network did not take."""
        return bool(self._rest) or self._outgoing.pending > 0 or (self.open and self._core.wants_to_send)

    def start(self, slot: Slot, hold: bool = False) -> None:
        """Decline: what is sent is to be encrypted first."""

    # -- bytes in, and the end ------------------------------------------------------------------------------------------------

    def receive_replies(self, records: bytes) -> list[Slot] | None:
        """Take in what the network gave, and have the connection receive all that can be decrypted of it, see there.

        The connection gets it in one piece, as if it had come so: no more is kept back here than one record that is not complete.
        """
        if self.ended:
            return None
        self._incoming.write(records)
        pieces: list[bytes] = []
        try:
            GATE.enter(self)
            if not self.open:
                self._tls.do_handshake()
                self.open = True
            while self._incoming.pending and not self.ended:
                pieces.append(self._tls.read(RECORD))
                self.ended = not pieces[-1]  # by a word of the server's
        except self._want:
            pass
        except (OSError, ValueError) as error:
            self.end(error)
        finally:
            GATE.inside.pop(self, None)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if not self.ended:
            return self._core.receive_replies(data)
        self._core.receive_data(data)
        return None

    def end(self, error: Exception | None) -> None:
        """Nothing more will come, or can be sent, for this reason; None: the server closed the connection.

        Without a word, perhaps: RESP has its own lengths, and a cut reply is an error in any case.
        """
        self.ended = True
        if self.error is None:
            self.error = error

    def failure(self, config: Config) -> ConnectError:
        """Return why the handshake came to nothing: for one of the reasons that were told, or the time was up."""
        error = self.error or (
            ConnectionResetError("the server closed the connection") if self.ended else TimeoutError()
        )
        failure = tls_failure(config, error)
        failure.__cause__ = error
        return failure


def tls_of(config: Config, load: Callable[[str], ModuleType]) -> TLSWire | None:
    """Return the TLS of a new link, None if it has none. Raises as `TLSWire`.

    `load` is `importlib.import_module`: a program without TLS does without `ssl`, too.
    """
    return TLSWire(config, load("ssl")) if config.tls else None
