"""TLS: what a client accepts of a server, and what a handshake that failed means.

The module `ssl` is handed in by those who have imported it: it loads sockets.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

from .._errors import ConnectError, is_transient, reason_of
from .config import Config, TLSContext

__all__ = ["NO_TLS", "tls_context", "tls_failure", "tls_server_name"]


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


NO_TLS: Final = "; does the server speak TLS on this port? (redis:// is without)"


def tls_failure(config: Config, error: Exception) -> ConnectError:
    """Return the error for a handshake that failed with what `ssl`, the socket or a timer raised."""
    refused = getattr(error, "verify_message", None)  # of ssl.SSLCertVerificationError
    if refused is not None:
        message = f"{config.address}: the server's certificate was not accepted: {refused}"
        return ConnectError(message, transient=False)
    message = f"{config.address}: TLS failed: {reason_of(error)}"
    # A Redis that speaks no TLS waits for the end of a line that never comes, or answers with an error in plain text.
    if isinstance(error, TimeoutError) or getattr(error, "reason", None) in NOT_TLS:
        message += NO_TLS
    return ConnectError(message, transient=isinstance(error, OSError) and is_transient(error))
