"""What a client accepts of a server, and what a handshake that failed means."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from resp_sansio import Config, ConnectError
from resp_sansio.config import tls_context, tls_failure, tls_server_name

if TYPE_CHECKING:
    from pathlib import Path


HINT = "; does the server speak TLS on this port? (redis:// is without)"


@pytest.mark.parametrize(
    ("error", "told", "transient"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer", True),
        (TimeoutError(), f"timed out{HINT}", True),
        (ValueError("server_hostname cannot be an empty string"), "server_hostname cannot be an empty string", False),
    ],
)
def test_other_failures_are_told_as_they_are(error: Exception, told: str, transient: bool) -> None:
    failure = tls_failure(Config(tls=True), error)
    assert (str(failure), failure.transient) == (f"localhost:6379: TLS failed: {told}", transient)


@pytest.mark.parametrize("host", ["db.example", "db.example."])
def test_the_dot_of_a_full_domain_name_is_for_the_resolver(host: str) -> None:
    assert tls_server_name(Config(host=host, tls=True)) == "db.example"
    assert tls_server_name(Config(host="10.0.0.1", tls=True, tls_server_name=host)) == "db.example"
    assert Config(host=host).host == host


# -- The context -----------------------------------------------------------------------------------------------------------


def test_everything_is_checked_unless_said_otherwise() -> None:
    seen = {}
    for name, config in {
        "": Config(tls=True),
        "name": Config(tls=True, tls_check_hostname=False),
        "nothing": Config(tls=True, tls_verify=False),
    }.items():
        context: Any = tls_context(config, ssl)
        seen[name] = (context.check_hostname, context.verify_mode)
    assert seen == {
        "": (True, ssl.CERT_REQUIRED),
        "name": (False, ssl.CERT_REQUIRED),
        "nothing": (False, ssl.CERT_NONE),
    }


def test_a_context_that_is_given_is_used_as_it_is() -> None:
    context = ssl.create_default_context()
    assert tls_context(Config(tls=True, ssl_context=context), ssl) is context

    class Other:
        def wrap_bio(self, *_: object) -> None:
            """As a look-alike has it."""

    lookalike: Any = Other()
    with pytest.raises(TypeError, match="ssl_context must be an ssl.SSLContext, not Other"):
        tls_context(Config(tls=True, ssl_context=lookalike), ssl)


def test_certificates_are_read_from_files(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("client.example")
    both = tmp_path / "client.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(both))
    tls_context(Config(tls=True, tls_cert_file=str(both)), ssl)
    tls_context(Config(tls=True, tls_cert_file=str(both), tls_key_password="unused"), ssl)
    with pytest.raises(ConnectError, match="cannot use the configured certificates: No such file") as raised:
        tls_context(Config(tls=True, tls_ca_file=str(tmp_path / "missing.pem")), ssl)
    assert not raised.value.transient
