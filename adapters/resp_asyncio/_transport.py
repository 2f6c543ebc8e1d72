"""Sockets: open TCP, unix and TLS connections, for a protocol of asyncio's.

The socket is connected first and given to the loop then, so that every address gets its share of the time, and what failed
(name, connection, TLS) can be told.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from resp_sansio import Config, ConnectError, is_transient, reason_of

if TYPE_CHECKING:
    import ssl

__all__ = ["dial", "until"]

LONGEST: Final = 24 * 3600.0
"""Seconds that one timer lasts at most; whoever wants to wait longer waits again. Loops differ in what they take."""


async def dial(config: Config, protocol: Callable[[], asyncio.BaseProtocol], deadline: float) -> None:
    """Open a connection to the configured server, for `protocol()`, before `deadline` (on `time.monotonic`).

    Every resolved address is tried in turn, within what is left of the time. Raises `ConnectError` naming what was tried and
    how it failed.
    """
    context = _context(config) if config.tls else None
    connected = await (
        _connect_unix(config.path, deadline) if config.path is not None else _connect_tcp(config, deadline)
    )
    loop = asyncio.get_running_loop()
    try:
        if context is not None:
            await _start_tls(connected, context, config, protocol, deadline)
        elif config.path is not None:
            await loop.create_unix_connection(protocol, sock=connected)
        else:
            await loop.create_connection(protocol, sock=connected)
    except BaseException:
        connected.close()
        raise


async def _connect_unix(path: str, deadline: float) -> socket.socket:
    try:
        return await _connect(socket.AF_UNIX, path, deadline)
    except OSError as error:
        raise ConnectError(
            f"cannot connect to unix:{path}: {reason_of(error)}", transient=is_transient(error)
        ) from error


async def _connect_tcp(config: Config, deadline: float) -> socket.socket:
    try:
        found = await _resolve(config, deadline)
    except OSError as error:
        raise ConnectError(f"cannot resolve {config.host!r}: {reason_of(error)}", transient=True) from error
    failures: list[OSError] = []
    for index, (family, _, _, _, address) in enumerate(found):
        # Each gets its share of what is left of the time, so that a dead one can't use up all of it.
        now = monotonic()
        try:
            connected = await _connect(family, address, now + (deadline - now) / (len(found) - index))
        except OSError as error:
            failures.append(error)
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if config.keepalive is not None:
            _keep_alive(connected, config.keepalive)
        return connected
    told = "; ".join(dict.fromkeys(reason_of(error) for error in failures)) or "no address to try"
    transient = any(is_transient(error) for error in failures)
    raise ConnectError(f"cannot connect to {config.address}: {told}", transient=transient) from (
        failures[-1] if failures else None
    )


async def _resolve(config: Config, deadline: float) -> list[Any]:
    """Addresses as `socket.getaddrinfo` gives them; for a name it runs in a thread, since it may take its time."""
    try:
        return socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        async with until(deadline):
            return await asyncio.get_running_loop().getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)


async def _connect(family: int, address: Any, deadline: float) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        async with until(deadline):
            await asyncio.get_running_loop().sock_connect(connecting, address)
    except BaseException as error:
        connecting.close()
        if isinstance(error, OSError) and error.errno is not None:
            # asyncio's own loop puts the address in the place of what the system says.
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
    return connecting


def _keep_alive(connected: socket.socket, seconds: int) -> None:
    """TCP's own probes: the first after `seconds` of silence, then three more, a third of that apart."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", seconds), ("TCP_KEEPINTVL", max(seconds // 3, 1)), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _start_tls(
    connected: socket.socket,
    context: ssl.SSLContext,
    config: Config,
    protocol: Callable[[], asyncio.BaseProtocol],
    deadline: float,
) -> None:
    import ssl

    name = config.tls_server_name or config.host
    try:
        async with until(deadline):
            await asyncio.get_running_loop().create_connection(
                # The loop's own limit is of no use: it is told in another way.
                protocol, sock=connected, ssl=context, server_hostname=name, ssl_handshake_timeout=LONGEST
            )  # fmt: skip
    except ssl.SSLCertVerificationError as error:
        message = f"{config.address}: the server's certificate was not accepted: {error.verify_message}"
        raise ConnectError(message, transient=False) from error
    except (OSError, ValueError) as error:
        message = f"{config.address}: TLS failed: {reason_of(error)}"
        raise ConnectError(message, transient=isinstance(error, OSError) and is_transient(error)) from error


def _context(config: Config) -> ssl.SSLContext:
    """Certificates and names are checked, unless the configuration says in so many words that they are not to be."""
    import ssl

    if config.ssl_context is not None:
        if not isinstance(config.ssl_context, ssl.SSLContext):
            raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(config.ssl_context).__name__}")
        return config.ssl_context
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
    return context


def until(deadline: float) -> AbstractAsyncContextManager[object]:
    """Raise `TimeoutError` in the block at this time."""
    return asyncio.timeout(None if deadline == inf else deadline - monotonic())
