"""TLS between two memory buffers: a server's side is another pair of them, and there is no network in between."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from resp_sansio import Config, ConnectError
from resp_sansio.config import RECORDS, TLSLayer, tls_context, tls_failure, tls_server_name

if TYPE_CHECKING:
    from pathlib import Path


HINT = "; does the server speak TLS on this port? (redis:// is without)"


class Server:
    """The other side, and all that moves between the two."""

    def __init__(self, name: str = "db.example") -> None:
        self.authority = trustme.CA()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(name).configure_cert(self.context)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def exchange(self, layer: TLSLayer, most: int = 1 << 20) -> None:
        """Give the server what the layer has to send, `most` bytes at a time, and the layer what the server answers."""
        while output := layer.output():
            self.incoming.write(output[:most])
            layer.sent(len(output[:most]))
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        if self.outgoing.pending:
            layer.take(self.outgoing.read())


def connected(server: Server, most: int = 1 << 20) -> TLSLayer:
    context = ssl.create_default_context()
    server.authority.configure_trust(context)
    layer = TLSLayer(ssl, context, "db.example")
    while not layer.shake_hands():
        assert layer.unsent
        server.exchange(layer, most)
    server.exchange(layer, most)
    return layer


@pytest.mark.parametrize("most", [1, 100, 1 << 20])
def test_what_is_written_arrives_however_the_network_takes_it(most: int) -> None:
    server = Server()
    layer = connected(server, most)
    assert layer.write(b"PING\r\n") == 6
    assert layer.unsent
    server.exchange(layer, most)
    assert not layer.unsent
    assert server.tls.read(100) == b"PING\r\n"


def test_it_takes_no_more_than_a_few_records_at_a_time() -> None:
    layer = connected(Server())
    assert layer.write(b"x" * (RECORDS + 1)) == RECORDS


def test_what_is_left_to_read_is_told_since_the_network_does_not_show_it() -> None:
    server = Server()
    layer = connected(server)
    assert layer.read(10) is None
    assert not layer.pending
    server.tls.write(b"+PONG\r\n")
    layer.take(server.outgoing.read())
    assert (layer.read(3), layer.pending) == (b"+PO", True)
    assert (layer.read(100), layer.pending) == (b"NG\r\n", False)


@pytest.mark.parametrize("politely", [True, False])
def test_an_end_is_an_end_with_or_without_a_word(politely: bool) -> None:
    server = Server()
    layer = connected(server)
    while layer.read(100) is not None:  # session tickets
        pass
    if politely:
        with pytest.raises(ssl.SSLWantReadError):
            server.tls.unwrap()
        layer.take(server.outgoing.read())
    else:
        layer.take(b"")
    assert layer.read(100) == b""


def test_a_certificate_that_is_not_trusted_is_an_error_that_stays() -> None:
    server = Server()
    config = Config(host="db.example", tls=True)
    layer = TLSLayer(ssl, tls_context(config, ssl), "db.example")
    assert not layer.shake_hands()
    server.exchange(layer)
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        layer.shake_hands()
    told = tls_failure(config, raised.value)
    assert str(told).startswith("db.example:6379: the server's certificate was not accepted: ")
    assert not told.transient


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


def test_what_speaks_no_tls_is_called_so() -> None:
    layer = TLSLayer(ssl, tls_context(Config(tls=True), ssl), "db.example")
    assert not layer.shake_hands()
    layer.take(b"-ERR Protocol error: unbalanced quotes in request\r\n")
    with pytest.raises(ssl.SSLError) as raised:
        layer.shake_hands()
    failure = tls_failure(Config(tls=True), raised.value)
    assert str(failure).endswith(HINT)
    assert not failure.transient


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
