"""An examination of a server, step by step, as a client meets it; each step says what it found as soon as it has.

It changes nothing: the key that it reads does not exist, and the write that it tries is one that writes only if it does.
"""

from __future__ import annotations

import secrets
import socket
import statistics
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import resp_sync
from resp_sansio import Config, ReplyError, RespError
from resp_sansio.client import slot_of
from resp_sansio.config import tls_server_name
from resp_sansio.connection import Accepted

from .._findings import Finding, Hidden, Step
from .._info import findings_of, read_info
from .diagnosis import diagnose, is_fine
from .talk import FailedError, Talk, certificate_facts, code_of, dial, peer_certificate, said_by, secure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resp_sansio import Argument, Reply

__all__ = ["Examination", "Member", "examine"]

PATIENCE: Final = 10.0
"""Seconds for one step where the URL sets `connect_timeout` to none."""

CUT_OFF: Final = frozenset({"EOF", "ECONNRESET", "EPIPE", "NOT_RESP", "TIMEOUT"})
"""The peer did not answer, or not as a server does: is it another kind of peer?"""

CLOSED: Final = frozenset({"EOF", "ECONNRESET", "EPIPE"})
HEARING: Final = 0.5
"""Seconds for which a server that closes connections is heard without being asked."""

STOPS: Final = frozenset({"DENIED", "MAXCLIENTS", "BUSY", "LOADING"})
"""What a server answers to the first command, whatever it is."""

PINGS: Final = 5
TRIES: Final = 20_000
"""Keys that are thought of until one belongs to a server of a cluster: enough for one that has two slots."""


def examine(url: str, config: Config, *, read_only: bool = False, key_prefix: str = "") -> Iterator[Finding]:
    """Yield what each step finds. The last finding that failed ends it, unless others can tell more about it."""
    examination = Examination(url, config, read_only=read_only, key_prefix=key_prefix)
    try:
        yield from examination.steps()
    finally:
        examination.close()


class Member:
    """A server of a cluster, as the map says: the slots of which it has keys, and whether it is a replica. None: not known."""

    def __init__(self, slots: Sequence[range] = (), *, replica: bool | None = None) -> None:
        self.slots: Final = slots
        self.replica: Final = replica

    def has(self, key: str) -> bool:
        """Are keys of this name there?"""
        return any(slot_of(key.encode()) in some for some in self.slots)


class Examination:
    """One examination of one server. `url`: by which programs reach it. `member`: if it is one of a cluster."""

    def __init__(
        self, url: str, config: Config, *, read_only: bool, key_prefix: str, member: Member | None = None
    ) -> None:
        self._url = url
        self._member = member
        self._config = config
        self._hidden = Hidden(config)
        self._read_only = read_only
        self._prefix = key_prefix
        self._patience = config.connect_timeout or PATIENCE
        self._addresses: list[Any] = []
        self._connected: socket.socket | None = None
        self._talk: Talk | None = None
        self._began = perf_counter()
        self._over = False
        self._holds_data = True

    def steps(self) -> Iterator[Finding]:
        """Go through the steps, until one has failed that the next one needs."""
        steps = [self._the_url, self._name, self._connect]
        steps += [self._tls] * self._config.tls + [self._hello] + [self._select] * bool(self._config.db)
        steps += [self._read] + [self._write] * (not self._read_only) + [self._info]
        steps += [self._library] * (self._member is None)
        found: list[Finding] = []
        for step in steps:
            if step in {self._read, self._write} and not (self._holds_data and self._key()):
                continue
            if step == self._library and not is_fine(diagnose(found)):
                return
            self._began = perf_counter()
            for finding in step():
                found.append(finding)
                yield finding if self._member is None else replace(finding, server=self._config.address)
            if self._over:
                return

    def ask(self, *words: Argument) -> Reply:
        """Ask the server something, whether it was examined or not. Raises `ReplyError` and `FailedError`."""
        if self._talk is None:
            self._over = False
            for step in [self._name, self._connect, *[self._tls] * self._config.tls, self._hello]:
                failed = [finding for finding in step() if finding.code]
                if self._over:
                    raise FailedError(failed[-1].code, failed[-1].said)
        return self._ask(*words)

    def close(self) -> None:
        """End all of it."""
        if self._connected is not None:
            self._connected.close()

    def _found(self, step: Step, said: object = "", **facts: Any) -> Finding:
        return Finding(step=step, said=self._hidden.of(said), seconds=perf_counter() - self._began, facts=facts)

    def _failed(
        self, step: Step, error: Exception, facts: Mapping[str, Any] | None = None, *, ends: bool = True
    ) -> Finding:
        self._over = self._over or ends
        code = error.code if isinstance(error, FailedError) else code_of(error)
        seconds = perf_counter() - self._began
        said = self._hidden.of(said_by(error))
        return Finding(step=step, code=code, said=said, seconds=seconds, facts=facts or {})

    # --- as far as the first byte ---------------------------------------------------------------------------------------------

    def _the_url(self) -> Iterator[Finding]:
        config = self._config
        facts = {
            "url": config.url,
            "address": config.address,
            "host": config.host,
            "port": config.port,
            "path": config.path,
            "db": config.db,
            "connect_timeout": self._patience,
            "prefix": self._prefix,
            "shows_certificate": config.tls_cert_file is not None,
            "master": "",
            "of_cluster": self._member is not None,
        }
        if self._member is not None and self._member.replica is not None:
            facts["expected"] = "replica" if self._member.replica else "master"
        if config.tls:
            facts["server_name"] = tls_server_name(config)
        said = f"{config.address}, database {config.db}, {'with' if config.tls else 'without'} TLS, " + (
            "with a password" if self._authenticates else "without a password"
        )
        yield Finding(step=Step.URL, said=self._hidden.of(said), facts=facts)

    def _name(self) -> Iterator[Finding]:
        config = self._config
        if config.path is not None:
            self._addresses = [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", config.path)]
            return
        try:
            self._addresses = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            yield self._failed(Step.NAME, error)
            return
        yield self._found(Step.NAME, ", ".join(dict.fromkeys(str(address[4][0]) for address in self._addresses)))

    def _connect(self) -> Iterator[Finding]:
        try:
            self._connected = dial(self._addresses, self._patience)
        except FailedError as error:
            yield self._failed(Step.CONNECT, error)
            return
        peer = self._connected.getpeername()
        yield self._found(Step.CONNECT, self._config.address if isinstance(peer, str) else f"{peer[0]} port {peer[1]}")

    def _tls(self) -> Iterator[Finding]:
        assert self._connected is not None
        config = self._config
        try:
            secured = secure(self._connected, config)
        except FailedError as error:
            facts: Mapping[str, Any] = {}
            if error.code.startswith("CERT"):
                facts = peer_certificate(self._addresses, self._patience, config)
            elif error.code != "FILES":
                facts = {"plain_answers": self._plain_answers()}
            yield self._failed(Step.TLS, error, facts)
            return
        self._connected = secured
        checked = bool(config.tls_verify and config.tls_check_hostname)
        shown = secured.getpeercert()
        facts = {"checked": checked, **(certificate_facts(shown) if shown else {})}
        cipher = secured.cipher()
        said = f"{secured.version()}, {cipher[0] if cipher else 'no cipher'}"
        if shown:
            said += f"; certificate for {facts['names']}, by {facts['issuer']}, until {facts.get('not_after')}"
        yield self._found(Step.TLS, said, **facts)

    def _again(self) -> Talk:
        """Connect once more, in the same way."""
        connected = dial(self._addresses, self._patience)
        return self._talk_on(secure(connected, self._config) if self._config.tls else connected)

    def _talk_on(self, connected: socket.socket) -> Talk:
        return Talk(connected, self._config, self._patience)

    def _plain_answers(self) -> bool:
        """Does the peer answer to a plain PING? An error is an answer."""
        try:
            plain = self._talk_on(dial(self._addresses, self._patience))
        except FailedError:
            return False
        return _answers(plain)

    def _tls_answers(self) -> bool:
        """Does the peer know TLS? One that refuses by an alert does."""
        if self._config.tls or self._config.path is not None:
            return False
        with_tls = self._config.replace(tls=True)
        try:
            secure(dial(self._addresses, self._patience), with_tls, check=False).close()
        except FailedError as error:
            return "ALERT" in error.code
        return True

    # --- the handshake --------------------------------------------------------------------------------------------------------

    @property
    def _authenticates(self) -> bool:
        return self._config.username is not None or self._config.password is not None

    def _hello(self) -> Iterator[Finding]:
        assert self._connected is not None
        config = self._config
        self._talk = self._talk_on(self._connected)
        if config.protocol == 2:
            yield from self._auth_alone()
            return
        words: list[Argument] = ["HELLO", 3]
        if self._authenticates:
            words += ["AUTH", config.username or "default", config.password or ""]
        try:
            accepted = Accepted.of(self._talk.ask(*words))
            if config.lib_name is not None:
                with suppress(ReplyError):  # servers older than the command
                    self._talk.ask("CLIENT", "SETINFO", "LIB-NAME", config.lib_name)
        except FailedError as error:
            yield from self._cut_off(error)
        except ReplyError as error:
            yield from self._refused_hello(error)
        else:
            if accepted is None:
                yield self._failed(Step.HELLO, FailedError("NOT_RESP", "HELLO is answered oddly"), {"command": "HELLO"})
                return
            server = accepted.server
            said = f"{server.name or 'a server'} {server.version or ''} speaks RESP{accepted.protocol}"
            self._holds_data = server.mode != "sentinel"
            told = {"server": server.name, "version": server.version, "mode": server.mode}
            facts = {name: self._hidden.of(value) for name, value in told.items() if value is not None}
            yield self._found(Step.HELLO, said, **facts)
            yield self._accepted()

    def _cut_off(self, error: FailedError) -> Iterator[Finding]:
        """HELLO is not answered: a port that is for TLS, or a proxy that does not know the command?"""
        assert self._connected is not None
        if error.code in CLOSED and (reason := self._reason_to_close()) is not None:
            yield self._failed(Step.HELLO, reason, {"command": "HELLO"})
            return
        tls_answers = error.code in CUT_OFF and self._tls_answers()
        plain_answers = error.code in CUT_OFF and not tls_answers and self._answers_without_hello()
        facts = {"command": "HELLO", "tls_answers": tls_answers, "plain_answers": plain_answers}
        yield self._failed(Step.HELLO, error, facts, ends=not plain_answers)
        if plain_answers:
            try:
                self._talk = self._again()
            except FailedError as again:
                yield self._failed(Step.CONNECT, again)
                return
            self._connected.close()
            self._connected = self._talk.socket
            yield from self._auth_alone()

    def _reason_to_close(self) -> Exception | None:
        """Connect, send nothing, and hear: what a server says before it closes may be lost to a client that sends."""
        try:
            talk = self._again()
        except FailedError as error:
            return None if error.code in CUT_OFF else error
        try:
            talk.hear(min(self._patience, HEARING))
        except ReplyError as error:
            return error
        except FailedError as error:
            return None if error.code in CUT_OFF else error
        finally:
            talk.close()
        return None

    def _answers_without_hello(self) -> bool:
        try:
            return _answers(self._again())
        except FailedError:
            return False

    def _refused_hello(self, error: ReplyError) -> Iterator[Finding]:
        code = code_of(error)
        if code in STOPS:
            yield self._failed(Step.HELLO, error, {"command": "HELLO"})
        elif code == "WRONGPASS" or (code == "NOAUTH" and not self._authenticates):
            yield self._found(Step.HELLO, "the server knows HELLO")
            facts = {"user": self._user()} if code == "WRONGPASS" else {}
            yield self._failed(Step.AUTH, error, {"command": "AUTH", **facts})
        else:
            yield self._found(Step.HELLO, f"not known, or not allowed ({code}): RESP2", fell_back=True)
            yield from self._auth_alone()

    def _auth_alone(self) -> Iterator[Finding]:
        """AUTH in RESP2; without a password a PING, which tells whether one is wanted."""
        config = self._config
        user = () if config.username is None else (config.username,)
        words: tuple[Argument, ...] = ("AUTH", *user, config.password or "") if self._authenticates else ("PING",)
        try:
            self._ask(*words)
        except (FailedError, ReplyError) as error:
            code = code_of(error) if isinstance(error, ReplyError) else ""
            facts = {"user": self._user()} if code == "WRONGPASS" else {}
            if code == "NOPERM" and not self._authenticates:
                yield self._accepted()  # what is not allowed is PING
                return
            yield self._failed(Step.AUTH, error, {"command": words[0], **facts}, ends=code != "LOADING")
            return
        yield self._accepted()

    def _accepted(self) -> Finding:
        """The server serves this user: also if it comes without a password?"""
        if not self._authenticates:
            return Finding(step=Step.AUTH, said="no password is wanted")
        return Finding(step=Step.AUTH, said="accepted", facts={"open": self._serves_anyone()})

    def _serves_anyone(self) -> bool:
        try:
            talk = self._again()
        except FailedError:
            return False
        try:
            return talk.ask("PING") in ("PONG", b"PONG")
        except (FailedError, ReplyError):
            return False
        finally:
            talk.close()

    def _user(self) -> str:
        """Ask without a password, if that is allowed, what a server does not say to a caller that it refuses."""
        if self._config.username is None:
            return "default"
        with suppress(FailedError, ReplyError):
            talk = self._again()
            try:
                said = talk.ask("ACL", "GETUSER", self._config.username)
            finally:
                talk.close()
            if said is None:
                return "unknown"
            flags = said[1] if isinstance(said, list) and len(said) > 1 else None
            if isinstance(flags, list):
                return "disabled" if b"off" in flags else "enabled"
        return "not told"

    def _select(self) -> Iterator[Finding]:
        database = self._config.db
        try:
            self._ask("SELECT", database)
        except (FailedError, ReplyError) as error:
            facts = {"databases": databases} if (databases := self._setting("databases")) is not None else {}
            facts |= {"command": "SELECT", "command_lower": "select", "category": "connection"}
            yield self._failed(Step.SELECT, error, facts)
            return
        yield self._found(Step.SELECT, f"database {database}")

    # --- what it serves -------------------------------------------------------------------------------------------------------

    def _ask(self, *words: Argument) -> Reply:
        assert self._talk is not None
        return self._talk.ask(*words)

    def _setting(self, name: str) -> str | None:
        """Return one of the server's options, None if that is not told."""
        try:
            said = self._ask("CONFIG", "GET", name)
        except (FailedError, ReplyError):
            return None
        values = [*said.values()] if isinstance(said, dict) else said[1:] if isinstance(said, list) else []
        value = values[0] if values else None
        return self._hidden.of(value.decode("utf-8", "replace")) if isinstance(value, bytes) else None

    def _read(self) -> Iterator[Finding]:
        if self._member is not None and self._member.replica:
            with suppress(FailedError, ReplyError):
                self._ask("READONLY")
        yield self._tried(Step.READ, "GET", self._key(), act="read")

    def _write(self) -> Iterator[Finding]:
        # XX: only if there is such a key, and there is none.
        yield self._tried(Step.WRITE, "SET", self._key(), "", "XX", act="write")

    def _key(self) -> str:
        """Return a key that does not exist; empty if there is none that belongs to this server of a cluster."""
        for _ in range(1 if self._member is None else TRIES if self._member.slots else 0):
            key = f"{self._prefix}resp-sansio-doctor-{secrets.token_hex(8)}"
            if self._member is None or self._member.has(key):
                return key
        return ""

    def _tried(self, step: Step, *words: str, act: str) -> Finding:
        command = words[0]
        try:
            self._ask(*words)
        except (FailedError, ReplyError) as error:
            facts = {"command": command, "command_lower": command.lower(), "act": act, "category": act}
            return self._failed(step, error, facts, ends=isinstance(error, FailedError))
        return self._found(step, f"{command} is served")

    def _info(self) -> Iterator[Finding]:
        try:
            said = self._ask("INFO", "all")
        except (FailedError, ReplyError) as error:
            yield self._failed(Step.ROLE, error, ends=False)
            return
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else ""
        asked = {name: self._setting(name) for name in ("timeout", "save")}
        settings = {name: value for name, value in asked.items() if value is not None}
        for finding in findings_of(read_info(text), settings):
            read_only = {"read_only": self._read_only} if finding.step is Step.ROLE else {}
            yield Finding(step=finding.step, said=self._hidden.of(finding.said), facts={**finding.facts, **read_only})

    def _library(self) -> Iterator[Finding]:
        """The connection that programs get: whatever the steps were not like, this is."""
        self.close()  # the server may take no more than one
        try:
            # A connection leads to the master, whatever servers a client of this URL would read from.
            with resp_sync.connect(self._url, read_from="master", refresh_interval=60.0) as connection:
                times = []
                for _ in range(PINGS):
                    began = perf_counter()
                    with suppress(resp_sync.ReplyError):  # LOADING, NOPERM: told by the steps before
                        connection.execute("PING")
                    times.append(perf_counter() - began)
                protocol = connection.protocol
        except (RespError, OSError) as error:
            yield self._failed(Step.LIBRARY, error)
            return
        median = statistics.median(times)
        yield self._found(
            Step.LIBRARY, f"connects, RESP{protocol}; a round trip takes {median * 1000:.2f} ms", ping=median
        )


def _answers(talk: Talk) -> bool:
    """Does the peer answer to PING? An error is an answer."""
    try:
        talk.ask("PING")
    except ReplyError:
        return True
    except FailedError:
        return False
    finally:
        talk.close()
    return True
