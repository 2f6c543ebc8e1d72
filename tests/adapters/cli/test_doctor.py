"""`resp-sansio doctor` names the cause: on a real server wherever one can be brought into that state, else on a scripted peer."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.cli.terminal import Terminal, environment
from adapters.peers import Peer, Wire, eventually, statistic
from resp_cli import main
from resp_cli._doctor import probe
from resp_cli._doctor.diagnosis import Level, diagnose
from resp_sansio import Config, ConnectError
from servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Server

Doctor = Any

SECRET = "s3cret-w0rd"


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Examine by the command, twice: the report as JSON; what people see, and the exit codes, agree with it."""

    def examine(url: str, *options: str) -> dict[str, Any]:
        code = main(["doctor", "--json", *options, url])
        printed = capsys.readouterr()
        report: dict[str, Any] = json.loads(printed.out)
        assert code == (0 if report["fine"] else 1)
        assert not printed.err
        assert SECRET not in printed.out
        report["wrong"] = [one["cause"] for one in report["diagnoses"] if one["level"] == "wrong"]
        report["causes"] = [one["cause"] for one in report["diagnoses"]]
        report["remedies"] = " ".join(remedy for one in report["diagnoses"] for remedy in one["remedies"])
        report["says"] = " ".join(one["says"] for one in report["diagnoses"])
        assert all(one["remedies"] for one in report["diagnoses"] if one["level"] == "wrong")
        assert "(unknown" not in report["says"] + report["remedies"]
        return report

    return examine


def information(server: Server) -> bytes:
    said = server.call("INFO", "everything")
    return said if isinstance(said, bytes) else b""


def setting(server: Server, name: str, value: str) -> None:
    assert server.call("CONFIG", "SET", name, value) == b"OK"


def user(server: Server, *rules: str) -> str:
    """Make a user, and return the URL by which the user comes."""
    assert server.call("ACL", "SETUSER", "wilma", "reset", f">{SECRET}", *rules) == b"OK"
    return f"redis://wilma:{SECRET}@127.0.0.1:{server.port}"


# --- nothing is wrong ---------------------------------------------------------------------------------------------------------


def test_a_server_that_serves_is_fine(doctor: Doctor, address: str) -> None:
    report = doctor(address)
    assert report["fine"]
    assert report["wrong"] == []
    steps = {one["step"]: one for one in report["findings"]}
    assert steps["hello"]["facts"]["server"] in {"redis", "valkey"}
    assert steps["library"]["facts"]["ping"] > 0
    assert ("tls" in steps) == address.startswith("rediss")
    assert "name" in steps or address.startswith("unix")


def test_people_see_the_same(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", server.url]) == 0
    seen = capsys.readouterr().out
    assert "Nothing is wrong" in seen
    assert "\x1b" not in seen
    assert main(["doctor", f"{server.url}/99999"]) == 1
    seen = capsys.readouterr().out
    assert "Wrong: database." in seen
    assert "option `databases`" in " ".join(seen.split())


def test_it_changes_nothing(doctor: Doctor, server: Server) -> None:
    before = statistic(server, "rdb_changes_since_last_save")
    assert doctor(server.url)["fine"]
    assert server.call("DBSIZE") == 0
    assert statistic(server, "rdb_changes_since_last_save") == before


def test_a_password_that_is_right_is_shown_nowhere(
    doctor: Doctor, start_server: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = start_server("--requirepass", SECRET)
    url = f"redis://:{SECRET}@127.0.0.1:{server.port}"
    report = doctor(url)
    assert report["fine"]
    assert "open" not in report["causes"]
    assert main(["doctor", url]) == 0
    assert SECRET not in capsys.readouterr().out


# --- as far as the first byte -------------------------------------------------------------------------------------------------


def test_url(doctor: Doctor) -> None:
    report = doctor(f"redis://:{SECRET}@localhost?tiemout=3")
    assert report["wrong"] == ["url"]
    assert "did you mean 'timeout'?" in report["says"]


def test_name(doctor: Doctor) -> None:
    report = doctor("redis://no-such-host.invalid")
    assert report["wrong"] == ["name"]
    assert "no-such-host.invalid" in report["says"]


def test_port(doctor: Doctor) -> None:
    port = free_port()
    report = doctor(f"redis://127.0.0.1:{port}")
    assert report["wrong"] == ["port"]
    assert str(port) in report["says"]


def test_a_unix_socket_that_is_not_there(doctor: Doctor) -> None:
    assert doctor("unix:///no/such/redis.sock")["wrong"] == ["socket-missing"]


def test_a_port_that_takes_connections_and_is_silent(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        report = doctor(f"redis://127.0.0.1:{listener.getsockname()[1]}?connect_timeout=0.2")
    assert report["wrong"] == ["silent"]


def test_a_peer_that_sends_a_byte_now_and_then(doctor: Doctor) -> None:
    def slow(wire: Wire) -> None:
        while True:
            wire.send(b"+")
            time.sleep(0.05)

    with Peer(slow) as peer:
        assert doctor(f"{peer.url}?connect_timeout=0.3")["wrong"] == ["silent"]


def test_a_peer_that_sends_pushes_without_end(doctor: Doctor) -> None:
    def floods(wire: Wire) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire.send(b">1\r\n+x\r\n" * 100)

    with Peer(floods) as peer:
        assert doctor(f"{peer.url}?connect_timeout=0.3")["wrong"] == ["silent"]


def test_a_port_of_another_service(doctor: Doctor) -> None:
    def web(wire: Wire) -> None:
        wire.socket.recv(1000)
        wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Peer(web) as peer:
        report = doctor(peer.url)
    assert report["wrong"] == ["not-redis"]


# --- TLS ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("tls")
def test_plain_to_a_tls_port(doctor: Doctor, server: Server) -> None:
    report = doctor(f"redis://localhost:{server.tls_port}")
    assert report["wrong"] == ["plain-to-tls"]
    assert "`rediss` instead of `redis`" in report["remedies"]


def test_tls_to_a_plain_port(doctor: Doctor, server: Server) -> None:
    report = doctor(f"rediss://localhost:{server.port}?connect_timeout=1")
    assert report["wrong"] == ["tls-to-plain"]
    assert "`redis` instead of `rediss`" in report["remedies"]


@pytest.mark.needs("tls")
def test_certificate_of_an_unknown_authority(doctor: Doctor, server: Server) -> None:
    report = doctor(server.tls_url)
    assert report["wrong"] == ["certificate-authority"]
    assert "trustme" in report["says"]
    assert "tls_ca_file=" in report["remedies"]


@pytest.mark.needs("tls")
def test_certificate_of_another_host(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server(tls=True, tls_names=["redis.example", "cache.example"])
    assert server.certificates
    report = doctor(f"{server.tls_url}?tls_ca_file={server.certificates.ca}")
    assert report["wrong"] == ["certificate-host"]
    assert "redis.example, cache.example" in report["says"]
    assert "tls_server_name=redis.example" in report["remedies"]
    assert doctor(f"{server.tls_url}?tls_ca_file={server.certificates.ca}&tls_server_name=cache.example")["fine"]


def from_authority(server: Server, not_after: datetime.datetime) -> str:
    """Give the server a certificate of another authority, and return a URL that trusts it."""
    import trustme

    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", not_after=not_after)
    authority.cert_pem.write_to_path(server.folder / "new-ca.pem")
    leaf.private_key_pem.write_to_path(server.folder / "new.key")
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(server.folder / "new.pem", append=True)
    both = ["tls-cert-file", str(server.folder / "new.pem"), "tls-key-file", str(server.folder / "new.key")]
    assert server.call("CONFIG", "SET", *both) == b"OK"
    return f"{server.tls_url}?tls_ca_file={server.folder / 'new-ca.pem'}"


@pytest.mark.needs("tls")
def test_certificate_that_has_expired(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    url = from_authority(start_server(tls=True), not_after=datetime.datetime(2020, 5, 17, tzinfo=datetime.UTC))
    report = doctor(url)
    assert report["wrong"] == ["certificate-expired"]
    assert "2020-05-17" in report["says"]


@pytest.mark.needs("tls")
def test_certificate_that_ends_soon(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    report = doctor(from_authority(start_server(tls=True), not_after=soon))
    assert report["fine"]
    assert "certificate-ends" in report["causes"]


@pytest.mark.needs("tls")
def test_a_certificate_is_wanted_of_the_client(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--tls-auth-clients", "yes", tls=True)
    assert server.certificates
    files = server.certificates
    url = f"{server.tls_url}?tls_ca_file={files.ca}"
    report = doctor(url)
    assert report["wrong"] == ["client-certificate"]
    assert "tls_cert_file=" in report["remedies"]
    assert doctor(f"{url}&tls_cert_file={files.client_certificate}&tls_key_file={files.client_key}")["fine"]


@pytest.mark.needs("tls")
def test_certificate_files_that_are_not_there(doctor: Doctor, server: Server) -> None:
    assert doctor(f"{server.tls_url}?tls_ca_file=/no/such/ca.pem")["wrong"] == ["tls-files"]


@pytest.mark.needs("tls")
def test_a_certificate_that_is_not_checked(doctor: Doctor, server: Server) -> None:
    report = doctor(f"{server.tls_url}?tls_verify=no")
    assert report["fine"]
    assert "tls-unchecked" in report["causes"]


# --- who asks -----------------------------------------------------------------------------------------------------------------


def test_no_password(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", SECRET)
    for query in ("", "?protocol=2"):
        report = doctor(server.url + query)
        assert report["wrong"] == ["password-none"]
        assert "`:password@127.0.0.1`" in report["remedies"]


def test_wrong_password(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--requirepass", "another")
    for query in ("", "?protocol=2"):
        report = doctor(f"redis://:{SECRET}@127.0.0.1:{server.port}{query}")
        assert report["wrong"] == ["password-wrong"]
        assert "user `default`" in report["says"]


def test_a_password_that_is_not_wanted(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    # Asked by HELLO, the server takes any password of a user that has none.
    report = doctor(f"redis://:{SECRET}@127.0.0.1:{start_server().port}?protocol=2")
    assert report["wrong"] == ["password-not-wanted"]


@pytest.mark.parametrize("query", ["", "?protocol=2"])
def test_users(doctor: Doctor, start_server: Callable[..., Server], query: str) -> None:
    server = start_server()
    url = user(server, "off", "~*", "+@all") + query
    report = doctor(url)
    assert report["wrong"] == ["user-disabled"]
    assert "ACL SETUSER <user> on" in report["remedies"]
    user(server, "on", "~*", "+@all")
    report = doctor(url)
    assert report["fine"]
    assert "open" in report["causes"]
    assert doctor(url.replace(SECRET, "other"))["wrong"] == ["password-wrong"]
    assert doctor(url.replace("wilma", "fred"))["wrong"] == ["user-unknown"]
    # If the server tells nobody without a password, all of them are possible.
    setting(server, "requirepass", "another")
    report = doctor(url.replace(SECRET, "other"))
    assert report["wrong"] == ["password-wrong"]
    assert "it does not say which" in report["says"]


def test_acl(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server()
    url = user(server, "on", "~*", "+@all", "-set")
    report = doctor(url)
    assert report["wrong"] == ["acl-command"]
    assert "ACL SETUSER <user> +set" in report["remedies"]
    assert "wilma" not in json.dumps(report)
    assert doctor(url, "--read-only")["fine"]
    url = user(server, "on", "~app:*", "+@all")
    report = doctor(url)
    assert report["wrong"] == ["acl-key", "acl-key"]
    assert "--key-prefix" in report["remedies"]
    assert doctor(url, "--key-prefix", "app:")["fine"]
    url = user(server, "on", "~*", "+get", "+set")
    report = doctor(url)
    assert report["fine"]  # HELLO is always allowed; INFO and CLIENT SETINFO are not
    assert "info-forbidden" in report["causes"]
    assert doctor(user(server, "on", "~*", "+@all", "-select") + "/1")["wrong"] == ["acl-command"]


def test_database(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--databases", "3")
    report = doctor(f"{server.url}/3")
    assert report["wrong"] == ["database"]
    assert "has no database 3: it has 3, counted from 0" in report["says"]
    assert doctor(f"{server.url}/2")["fine"]


# --- what a server says that does not serve -------------------------------------------------------------------------------------


def own_address() -> str | None:
    """An address of this machine that is not loopback, if there is one; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found: str = asked.getsockname()[0]
        return None if found.startswith("127.") else found


def test_protected_mode(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    # A real server sees another host where this machine has an address besides loopback.
    server = start_server("--bind", "*", "--protected-mode", "yes")
    if (address := own_address()) is not None and server.version >= (7,):  # before, not if there is a `bind`
        report = doctor(f"redis://{address}:{server.port}")
        assert report["wrong"] == ["protected-mode"]
        assert "requirepass" in report["remedies"]

    def denies(wire: Wire) -> None:
        wire.send(b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n")

    with Peer(denies) as peer:
        assert doctor(peer.url)["wrong"] == ["protected-mode"]


def connected(server: Server) -> socket.socket:
    """A connection that the server knows of."""
    one = socket.create_connection(("127.0.0.1", server.port))
    one.sendall(b"PING\r\n")
    one.recv(100)
    return one


def test_maxclients(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--maxclients", "4")
    with contextlib.ExitStack() as held:
        for _ in range(4):
            held.enter_context(connected(server))
        report = doctor(server.url)
    assert report["wrong"] == ["maxclients"]
    assert "max_connections" in report["remedies"]


@contextlib.contextmanager
def loading(server: Server) -> Iterator[None]:
    """Inside the block the server reads its data again, slowly, and answers in between."""
    server.call("DEBUG", "POPULATE", 2000)
    setting(server, "loading-process-events-interval-bytes", "1024")
    setting(server, "key-load-delay", "5000")
    reload = threading.Thread(target=server.call, args=("DEBUG", "RELOAD"), daemon=True)
    reload.start()
    eventually(lambda: str(server.call("GET", "x")).startswith("LOADING"))
    try:
        yield
    finally:
        setting(server, "key-load-delay", "0")
        reload.join(60)


@pytest.mark.needs("FUNCTION")  # Redis 7
def test_loading(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--save", "900 1")
    with loading(server):
        report = doctor(server.url, "--read-only")
    assert report["wrong"] == ["loading"]
    assert "% is done" in report["says"]


def test_replica(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server, master = start_server(), start_server()
    server.call("REPLICAOF", "127.0.0.1", master.port)
    eventually(lambda: b"master_link_status:up" in information(server))
    report = doctor(server.url)
    assert report["wrong"] == ["replica"]
    assert f"127.0.0.1:{master.port}" in report["remedies"]
    report = doctor(server.url, "--read-only")
    assert report["fine"]
    assert "replica-read" in report["causes"]
    master.close()
    setting(server, "replica-serve-stale-data", "no")
    eventually(lambda: b"master_link_status:down" in information(server))
    report = doctor(server.url, "--read-only")
    assert report["wrong"] == ["master-down"]
    assert "replica-behind" in report["causes"]


def test_memory_that_is_full(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    report = doctor(server.url)
    assert report["wrong"] == ["memory-full"]
    assert "memory-nearly-full" in report["causes"]


@pytest.mark.needs("FUNCTION")  # Redis 7
def test_a_disk_that_fails(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--save", "900 1")
    server.call("SET", "k", "v")
    (server.folder / "dump.rdb").mkdir()  # where the file would be
    server.call("BGSAVE")
    eventually(lambda: b"rdb_last_bgsave_status:err" in information(server))
    report = doctor(server.url)
    assert report["wrong"] == ["disk"]
    assert "save-failed" in report["causes"]


def test_a_script_that_runs(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--lua-time-limit", "1")
    script = threading.Thread(target=server.call, args=("EVAL", "while true do end", 0), daemon=True)
    script.start()
    eventually(lambda: str(server.call("PING")).startswith("BUSY"))
    report = doctor(server.url)
    server.call("SCRIPT", "KILL")
    script.join(60)
    assert report["wrong"] == ["busy"]


def test_too_few_replicas(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    assert doctor(start_server("--min-replicas-to-write", "1").url)["wrong"] == ["replicas-missing"]


@pytest.mark.needs("FUNCTION")  # Redis 7
def test_a_cluster(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    report = doctor(server.url)
    assert report["wrong"] == ["cluster-down"]
    assert "cluster-node" in report["causes"]
    assert doctor(f"{server.url}/1")["wrong"][0].startswith("database")  # Valkey 9 has databases in a cluster, too


def test_limits(doctor: Doctor, start_server: Callable[..., Server]) -> None:
    server = start_server("--timeout", "100", "--maxclients", "5")
    with contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(connected(server))
        report = doctor(server.url)
    assert report["fine"]
    assert {"clients-many", "idle-closed", "not-saved"} <= {*report["causes"]}
    assert "ping_interval=50" in report["remedies"]


# --- peers that are no Redis ----------------------------------------------------------------------------------------------------


def twemproxy(wire: Wire) -> None:
    """It serves what it knows, and hangs up on the rest."""
    for words in wire.commands():
        match words[0]:
            case b"PING":
                wire.send(b"+PONG\r\n")
            case b"GET" | b"SET":
                wire.send(b"$-1\r\n")
            case _:
                return


def test_proxy_without_hello(doctor: Doctor) -> None:
    with Peer(twemproxy) as peer:
        report = doctor(peer.url)
    assert report["causes"][0] == "proxy-without-hello"
    assert report["fine"]
    assert report["findings"][-1]["step"] == "library"
    assert "protocol=2&lib_name=none&lib_version=none" in report["remedies"]


def test_a_server_that_refuses_hello(doctor: Doctor) -> None:
    def old(wire: Wire) -> None:
        for words in wire.commands():
            known = {
                b"PING": b"+PONG\r\n",
                b"GET": b"$-1\r\n",
                b"SET": b"$-1\r\n",
                b"INFO": b"$12\r\nrole:master\n\r\n",
            }
            wire.send(known.get(words[0], b"-ERR unknown command\r\n"))

    with Peer(old) as peer:
        report = doctor(peer.url)
    assert report["fine"]
    assert "resp2" in report["causes"]


def test_a_sentinel(doctor: Doctor) -> None:
    def sentinel(wire: Wire) -> None:
        for words in wire.commands():
            known = {b"HELLO": b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n", b"PING": b"+PONG\r\n"}
            wire.send(known.get(words[0], b"-ERR unknown command\r\n"))

    with Peer(sentinel) as peer:
        report = doctor(peer.url)
    assert report["wrong"] == ["sentinel"]
    assert "Use redis+sentinel://" in report["remedies"]


def test_a_peer_that_closes(doctor: Doctor) -> None:
    with Peer(lambda wire: wire.close()) as peer:
        assert doctor(peer.url)["wrong"] == ["peer-closes"]


def test_a_secret_that_the_server_repeats_is_hidden(doctor: Doctor) -> None:
    def repeats(wire: Wire) -> None:
        for words in wire.commands():
            wire.send(b"-ERR \x1b[31m unknown command, with args beginning with: %s\r\n" % b" ".join(words[1:]))

    with Peer(repeats) as peer:
        report = doctor(peer.url.replace("redis://", f"redis://wilma:{SECRET}@"))
    assert report["wrong"] == ["refused"]
    assert "***" in report["says"]
    assert "wilma" not in json.dumps(report)
    assert "\\u001b" not in json.dumps(report)


def test_what_a_setting_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def odd(wire: Wire) -> None:
        for words in wire.commands():
            known = {
                b"HELLO": b"%1\r\n+proto\r\n:3\r\n",
                b"SELECT": b"-ERR DB index is out of range\r\n",
                b"CONFIG": b"*2\r\n$9\r\ndatabases\r\n$22\r\n\x1b]0;\x07 " + SECRET.encode() + b" 9999\r\n",
            }
            wire.send(known.get(words[0], b"+OK\r\n"))

    with Peer(odd) as peer:
        assert main(["doctor", peer.url.replace("redis://", f"redis://:{SECRET}@") + "/5"]) == 1
    seen = capsys.readouterr().out
    assert "it has ?]0;? *** 9999, counted from 0" in " ".join(seen.split())


# --- any peer -------------------------------------------------------------------------------------------------------------------


class Line:
    """A socket whose peer answers each command with the next of these, and closes when there are no more."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self._answers = answers

    def sendall(self, data: bytes) -> None:
        pass

    def recv(self, _size: int) -> bytes:
        return next(self._answers, b"")

    def getpeername(self) -> str:
        return "peer"

    def settimeout(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


ODD = [
    b"+PONG\r\n", b"$-1\r\n", b"*0\r\n", b":1\r\n", b"%1\r\n$5\r\nproto\r\n:3\r\n", b"*2\r\n$5\r\nproto\r\n:2\r\n",
    b"-ERR unknown\r\n", b"-WRONGPASS no\r\n", b"-NOAUTH no\r\n", b"-LOADING wait\r\n", b"-NOPERM no 'get' command\r\n",
    b"-READONLY no\r\n", b"-\r\n", b"-\x1b[31m\r\n", b"$12\r\nrole:slave\r\n\r\n", b"*2\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n",
    b"%1\r\n+a\r\n*1\r\n:1\r\n", b"HTTP/1.1 400\r\n", b"=7\r\ntxt:a:b\r\n", b">2\r\n+a\r\n+b\r\n", b"(1\r\n", b"#t\r\n", b"",
]  # fmt: skip


@example(answers=[b"%1\r\n$5\r\nproto\r\n:3\r\n", b"+OK\r\n", b"*0\r\n"], url=f"redis://wilma:{SECRET}@h/3")
@given(
    answers=st.lists(st.sampled_from(ODD) | st.binary(min_size=1, max_size=20), max_size=20),
    url=st.sampled_from(["redis://h", "redis://wilma:s3cret-w0rd@h/3", "redis://:s3cret-w0rd@h?protocol=2"]),
)
def test_whatever_a_peer_answers_is_explained(answers: list[bytes], url: str) -> None:
    given_out = iter(answers)
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(probe, "dial", lambda *_: Line(given_out))
        patched.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("h", 1))])
        patched.setattr("resp_sync.connect", no_connection)
        patched.setattr(probe.Examination, "_tls_answers", lambda _: False)
        findings = [*probe.examine(url, Config.from_url(url))]
    diagnoses = diagnose(findings)
    shown = json.dumps([one.as_dict() for one in findings] + [one.as_dict() for one in diagnoses])
    assert SECRET not in shown
    assert "wilma" not in shown
    assert "\\u001b" not in shown
    assert any(one.level is Level.WRONG for one in diagnoses)


def no_connection(url: str, **_options: object) -> None:
    raise ConnectError("no", transient=False)


# --- in a terminal, and not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 200])
def test_in_a_terminal(server: Server, columns: int) -> None:
    with Terminal("doctor", f"{server.url}/99999", columns=columns) as terminal:
        assert terminal.end() == 1
        seen = terminal.text
    assert "Wrong: database." in seen
    assert all(len(line) <= columns for line in seen.splitlines())
    assert re.search(rb"\x1b\[[0-9;]*31m", terminal.raw)  # red
    first = next(line for line in seen.splitlines() if line.startswith("url "))
    assert first.split()[1] == "ok"


def test_in_a_terminal_without_colours(server: Server) -> None:
    with Terminal("doctor", server.url, NO_COLOR="1") as terminal:
        assert terminal.end() == 0
        assert "Nothing is wrong" in terminal.text
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7])m", terminal.raw)


def test_into_a_file_goes_plain_text(server: Server) -> None:
    words = [sys.executable, "-m", "resp_cli", "doctor", server.url]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.stdout)
    assert not re.search(r" $", done.stdout, re.MULTILINE)


def test_the_url_may_come_from_the_environment(server: Server) -> None:
    words = [sys.executable, "-m", "resp_cli", "doctor"]
    variables = environment(REDIS_URL=f"{server.url}/99999")
    done = subprocess.run(words, capture_output=True, text=True, env=variables, timeout=60, check=False)
    assert done.returncode == 1
    assert "has no database 99999" in done.stdout
