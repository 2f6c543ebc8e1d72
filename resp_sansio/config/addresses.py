"""Where to connect, in which order, and when: what an adapter decides nothing of, and carries out.

A name may have several addresses, of which some may be dead. So a dial is a race (RFC 8305, "happy eyeballs"): while one address
does not answer, the next is tried as well, and the first connection wins. If all fail, one error says how each did.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest
from math import inf
from types import ModuleType
from typing import Any, Final, TypeAlias

from .._errors import ConnectError, RemoteProtocolError, RespError, is_transient, reason_of
from .config import Config
from .url import address_of

__all__ = ["Address", "Addresses", "Race", "not_opened", "not_resolved", "of_the_system", "socket_options"]

STAGGER: Final = 0.25
"""Seconds for which an address is tried alone before the next one is, too: RFC 8305, section 5."""

Address: TypeAlias = tuple[Any, Any, Any, Any, Any]
"""As `socket.getaddrinfo` gives it: family, type, protocol, canonical name, address."""


class Addresses:
    """The addresses of one server: it keeps in mind to which one the last connection was made. `peer` names it in messages."""

    __slots__ = ("_worked", "peer")

    def __init__(self, config: Config, peer: str | None = None) -> None:
        self.peer: Final[str] = peer or config.address
        self._worked: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.peer}>"

    def race(self, found: Sequence[Address], deadline: float) -> Race:
        """Return the race between the addresses that were found now."""
        if len(found) > 1:
            found = sorted(_alternating(found), key=lambda address: address[4] != self._worked)
        return Race(self, found, deadline)

    def worked(self, address: Address) -> None:
        """There is a connection to this one: it is tried first from now on."""
        self._worked = address[4]

    def forget(self) -> None:
        """No more connections will be made."""
        self._worked = None


class Race:
    """One dial: which address is to be tried when.

    Begin with each address that `next` returns, and go on with those begun before. Say how each ends by `failed` or `connected`.
    If none ends before `wake`, ask `next` again. `begun_at`: when it was asked first; `peer`: the address that a socket leads to.
    """

    __slots__ = ("_addresses", "_deadline", "_failures", "_left", "_next_at", "_running", "begun_at", "peer")

    def __init__(self, addresses: Addresses, order: Sequence[Address], deadline: float) -> None:
        self._addresses = addresses
        self._left = deque(order)
        self._deadline = deadline
        self._next_at = -inf
        self._running = 0
        self._failures: list[OSError] = []
        self.begun_at: float | None = None
        self.peer: str | None = None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {self._running} under way, {len(self._left)} left, {len(self._failures)} failed>"
        )

    @property
    def wake(self) -> float:
        """When `next` has something to say, if no attempt ends before."""
        return min(self._next_at, self._deadline) if self._left else self._deadline

    @property
    def is_alone(self) -> bool:
        """Is there one address, so that none is to be tried beside it?"""
        return len(self._left) == 1 and not self._running

    def next(self, now: float) -> Address | None:
        """Return another address to try now, None if there is none yet. Raises `ConnectError` if all have failed, or time is up."""
        if self.begun_at is None:
            self.begun_at = now
        if not self._left and not self._running:
            raise self._error()
        if now >= self._deadline:
            self._failures.append(TimeoutError())
            raise self._error()
        if not self._left or now < self._next_at:
            return None
        self._next_at = now + STAGGER
        self._running += 1
        return self._left.popleft()

    def failed(self, error: OSError) -> None:
        """An attempt has failed: there is no need to wait with the next one."""
        self._running -= 1
        self._failures.append(error)
        self._next_at = -inf

    def connected(self, address: Address) -> None:
        """An attempt has succeeded: give the others up."""
        self._addresses.worked(address)
        self.peer = _shown(address[4])

    def _error(self) -> ConnectError:
        return _no_connection(self._addresses.peer, self._failures)


def _shown(address: Any) -> str:
    """Return the address of a socket as text: the path of a unix socket, or an IP address and a port."""
    if isinstance(address, tuple):
        return address_of((str(address[0]), address[1]))
    return str(address).replace("\0", "@")


def _alternating(found: Iterable[Address]) -> list[Address]:
    """Return the addresses in their order, but of each family in turn: a network may carry one of them only."""
    families: dict[Any, list[Address]] = {}
    for address in found:
        families.setdefault(address[0], []).append(address)
    turns = zip_longest(*families.values())
    return [address for turn in turns for address in turn if address is not None]


def _no_connection(peer: str, failures: Sequence[OSError]) -> ConnectError:
    """Return why there is no connection."""
    told = "; ".join(dict.fromkeys(reason_of(error) for error in failures)) or "no address to try"
    transient = any(_may_pass(error) for error in failures)
    made = ConnectError(f"cannot connect to {peer}: {told}", transient=transient)
    return _with_cause(made, failures[-1] if failures else None)


def _may_pass(error: OSError) -> bool:
    """May a later attempt succeed? Not if Python itself refused, before the system was asked: the path is too long."""
    return is_transient(error) and not (type(error) is OSError and error.errno is None)


def of_the_system(error: OSError) -> OSError:
    """Return an error that the system has raised; raise one of a signal's handler, which has no number."""
    if error.errno is None:
        raise error
    return error


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


def socket_options(config: Config, socket: ModuleType) -> Sequence[tuple[int, int, int]]:
    """Return the options of a socket, each as `setsockopt` takes it. `socket` is that module: what it lacks, the system lacks.

    A unix socket has none. TCP's own probes begin after `keepalive` seconds of silence; then come three, a third of that apart.
    """
    return () if config.path is not None else _tcp_options(config.keepalive, config.tcp_user_timeout, socket)


@lru_cache(maxsize=16)
def _tcp_options(
    keepalive: int | None, user_timeout: float | None, socket: ModuleType
) -> tuple[tuple[int, int, int], ...]:
    """The same for all sockets of these options."""
    options = [
        ("IPPROTO_TCP", "TCP_NODELAY", 1),
        ("SOL_SOCKET", "SO_KEEPALIVE", int(keepalive is not None)),
    ]
    if keepalive is not None:
        options += [
            ("IPPROTO_TCP", "TCP_KEEPIDLE", keepalive),
            ("IPPROTO_TCP", "TCP_KEEPALIVE", keepalive),  # what macOS calls it
            ("IPPROTO_TCP", "TCP_KEEPINTVL", max(keepalive // 3, 1)),
            ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
        ]
    if user_timeout is not None:
        # In milliseconds, an unsigned int: tcp(7).
        options.append(("IPPROTO_TCP", "TCP_USER_TIMEOUT", max(int(user_timeout * 1000), 1)))
    there = [option for option in options if hasattr(socket, option[1])]
    return tuple([(getattr(socket, level), getattr(socket, name), value) for level, name, value in there])


def _with_cause(error: ConnectError, cause: BaseException | None) -> ConnectError:
    error.__cause__ = cause
    return error
