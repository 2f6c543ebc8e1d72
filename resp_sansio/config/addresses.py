"""Where to connect, in which order, and for how long each: what an adapter decides nothing of, and carries out.

A name may have several addresses, of which some may be dead. Each is tried in turn and gets its share of what is left of the
time, so that none can use up all of it; if all fail, one error says how each did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

from .._errors import ConnectError, RemoteProtocolError, RespError, is_transient, reason_of
from .config import Config

__all__ = ["Addresses", "not_connected", "not_opened", "not_resolved", "socket_options"]

A = TypeVar("A")


class Addresses(Generic[A]):
    """The addresses `A` (opaque) that a server's name was resolved to.

    For each that `next` returns: connect, no longer than until `deadline`, or tell `failed` why not. When there are no more, raise
    `error()`.
    """

    __slots__ = ("_address", "_found", "_last", "_left", "deadline", "failures")

    def __init__(self, config: Config, found: Sequence[A], deadline: float) -> None:
        self.failures: Final[list[OSError]] = []
        self.deadline: float = deadline
        self._last = deadline
        self._address = config.address
        self._found: Iterator[A] = iter(found)
        self._left = len(found)

    def next(self, now: float) -> A | None:
        """Return the next address to try, None if there is none."""
        if not self._left:
            return None
        self.deadline = now + (self._last - now) / self._left
        self._left -= 1
        return next(self._found)

    def failed(self, error: OSError) -> None:
        """It was not to be connected to."""
        self.failures.append(error)

    def error(self) -> ConnectError:
        """Return why there is no connection."""
        told = "; ".join(dict.fromkeys(reason_of(error) for error in self.failures)) or "no address to try"
        transient = any(is_transient(error) for error in self.failures)
        made = ConnectError(f"cannot connect to {self._address}: {told}", transient=transient)
        return _with_cause(made, self.failures[-1] if self.failures else None)


def not_connected(config: Config, error: OSError) -> ConnectError:
    """Return the error for the only address that there was."""
    made = Addresses[None](config, (), 0.0)
    made.failed(error)
    why = made.error()
    if (
        type(error) is OSError and error.errno is None
    ):  # Python's own, before the system was asked: the path is too long
        return _with_cause(ConnectError(str(why), transient=False), error)
    return why


def not_resolved(config: Config, error: OSError) -> ConnectError:
    """Return the error for a name without addresses."""
    return ConnectError(f"cannot resolve {config.host!r}: {reason_of(error)}", transient=True)


def not_opened(config: Config, failure: ConnectError, why: RespError | None) -> ConnectError:
    """Return the failure of a handshake whose connection ended for this reason, with a question if that looks like the wrong port.

    Redis closes a TLS port on what is no TLS; others answer with an alert, which is no RESP.
    """
    cut_off = isinstance(why, RemoteProtocolError) or (failure.transient and "during the handshake" in str(why))
    if not cut_off or failure.plain_may_work or config.tls or config.path is not None:
        return failure
    message = f"{failure}; does the server expect TLS on this port? (rediss:// is with)"
    return _with_cause(ConnectError(message, transient=failure.transient), failure.__cause__)


def socket_options(config: Config) -> Sequence[tuple[str, str, int]]:
    """Return the options of a TCP socket, each as level, name and value; the names are those of `socket`.

    A system that lacks a name does without. TCP's own probes begin after `keepalive` seconds of silence; then come three, a third
    of that apart.
    """
    options = [
        ("IPPROTO_TCP", "TCP_NODELAY", 1),
        ("SOL_SOCKET", "SO_KEEPALIVE", int(config.keepalive is not None)),
    ]
    if (seconds := config.keepalive) is not None:
        options += [
            ("IPPROTO_TCP", "TCP_KEEPIDLE", seconds),
            ("IPPROTO_TCP", "TCP_KEEPALIVE", seconds),  # what macOS calls it
            ("IPPROTO_TCP", "TCP_KEEPINTVL", max(seconds // 3, 1)),
            ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
        ]
    if config.tcp_user_timeout is not None:
        # In milliseconds, an unsigned int: tcp(7).
        options.append(("IPPROTO_TCP", "TCP_USER_TIMEOUT", max(int(config.tcp_user_timeout * 1000), 1)))
    return options


def _with_cause(error: ConnectError, cause: BaseException | None) -> ConnectError:
    error.__cause__ = cause
    return error
