"""The rules of `resp-sansio doctor`, on findings: those that no server can be brought to for a test, and the table as a whole."""

from __future__ import annotations

import json
import re
import string
from typing import TYPE_CHECKING, Any, Final

import pytest

from resp_cli._doctor.diagnosis import RULES, Level, diagnose, is_fine
from resp_cli._findings import Finding, Hidden, Step, printable
from resp_cli._info import findings_of, read_info, size
from resp_sansio import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS: Final[Mapping[str, Any]] = {
    "address": "r.example:6379",
    "host": "r.example",
    "port": 6379,
    "path": None,
    "db": 0,
    "connect_timeout": 5,
    "prefix": "",
    "shows_certificate": False,
    "master": "",
}


def found(step: Step, code: str, said: str = "", **facts: Any) -> list[Finding]:
    return [Finding(step=Step.URL, facts=FACTS), Finding(step=step, code=code, said=said, facts=facts)]


@pytest.mark.parametrize(
    ("findings", "cause", "level", "words"),
    [
        (found(Step.NAME, "EAI_AGAIN"), "name", Level.WRONG, "did not get an answer"),
        (found(Step.NAME, "UnicodeError", "label too long"), "name", Level.WRONG, "label too long"),
        (found(Step.CONNECT, "TIMEOUT", "timed out"), "unreachable", Level.WRONG, "within 5 s"),
        (found(Step.CONNECT, "EACCES"), "socket-forbidden", Level.WRONG, "unixsocketperm"),
        (found(Step.CONNECT, "EMFILE", "too many"), "connect", Level.WRONG, "too many"),
        (
            found(Step.TLS, "CERT_9", now="today", not_before="2030-01-01"),
            "certificate-not-yet",
            Level.WRONG,
            "2030-01-01",
        ),
        (found(Step.TLS, "CERT_85", "Missing Authority Key Identifier"), "certificate-made", Level.WRONG, "RFC 5280"),
        (found(Step.TLS, "CERT_7", "signature failure"), "certificate", Level.WRONG, "signature failure"),
        (found(Step.TLS, "TLSV1_ALERT_PROTOCOL_VERSION"), "tls-version", Level.WRONG, "tls-protocols"),
        (found(Step.TLS, "EOF", "closed", plain_answers=False), "tls", Level.WRONG, "closed"),
        (found(Step.TLS, "EOF", "closed", plain_answers=True), "tls-to-plain", Level.WRONG, "tls-port"),
        (
            found(Step.HELLO, "TLSV1_ALERT_UNKNOWN_CA", "unknown ca", shows_certificate=True),
            "client-certificate",
            Level.WRONG,
            "tls-ca-cert-file",
        ),
        (found(Step.HELLO, "BUSY", command="HELLO"), "busy", Level.WRONG, "SCRIPT KILL"),
        (found(Step.HELLO, "ECONNRESET", command="HELLO"), "peer-closes", Level.WRONG, "without a word"),
        (found(Step.AUTH, "ERR", "ERR wrong number of arguments for 'auth'"), "old-server", Level.WRONG, "Redis 6"),
        (found(Step.READ, "MOVED", "MOVED 1 b:2"), "cluster", Level.WARNING, "MOVED"),
        (found(Step.READ, "XYZ", "XYZ no", command="GET"), "refused", Level.WRONG, "refuses GET: XYZ no"),
        (found(Step.LIBRARY, "ConnectError", "no"), "library", Level.WRONG, "report"),
        (found(Step.ROLE, "", mode="sentinel"), "sentinel", Level.WRONG, "Sentinel"),
        (found(Step.ROLE, "ERR", "ERR no"), "info", Level.NOTE, "INFO"),
        (found(Step.MEMORY, "", evicted=3, policy="allkeys-lru"), "evicting", Level.NOTE, "evicted 3 keys"),
        (found(Step.LIMITS, "", rejected=7), "clients-refused", Level.NOTE, "refused 7 connections"),
    ],
)
def test_a_finding_has_its_cause(findings: list[Finding], cause: str, level: Level, words: str) -> None:
    (one,) = diagnose(findings)
    assert (one.cause, one.level) == (cause, level)
    assert words in " ".join([one.says, *one.remedies])
    assert is_fine([one]) == (level is not Level.WRONG)
    assert "(unknown" not in one.says


def test_whatever_fails_is_explained() -> None:
    silent = {Step.LIMITS, Step.MEMORY, Step.DISK}  # parts of INFO: they don't fail on their own
    for step in set(Step) - silent:
        assert len(diagnose(found(step, "SOMETHING_NEW", "said so", command="GET"))) == 1, step


def test_what_goes_well_needs_no_words() -> None:
    assert diagnose([Finding(step=step) for step in Step]) == []


def test_what_several_findings_say_is_said_once() -> None:
    assert len(diagnose(found(Step.READ, "LOADING") + found(Step.WRITE, "LOADING"))) == 1


def test_the_rules_are_well_formed() -> None:
    for rule in RULES:
        re.compile(rule.code)
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", rule.cause)
        assert rule.remedies or rule.level is not Level.WRONG
        for text in (rule.says, *rule.remedies):
            assert text.endswith("."), text
            list(string.Formatter().parse(text))


def test_findings_and_diagnoses_are_json() -> None:
    findings = found(Step.CONNECT, "ECONNREFUSED")
    plain = [one.as_dict() for one in findings] + [one.as_dict() for one in diagnose(findings)]
    assert json.loads(json.dumps(plain)) == [*plain[:2], {**plain[2], "remedies": [*plain[2]["remedies"]]}]


# --- INFO ---------------------------------------------------------------------------------------------------------------------


def test_a_server_without_a_single_field_has_nothing_wrong() -> None:
    findings = [*findings_of({}, {})]
    assert diagnose(findings) == []
    assert [one.step for one in findings] == [Step.ROLE, Step.LIMITS, Step.MEMORY, Step.DISK]


def test_fields_are_read() -> None:
    info = read_info(
        "# Server\r\nredis_mode:standalone\r\n\r\nrole:slave\r\nmaster_host:::1\r\nmaster_port:7\r\nno colon\r\n"
    )
    assert info == {"redis_mode": "standalone", "role": "slave", "master_host": "::1", "master_port": "7"}
    role = next(findings_of(info, {}))
    assert role.facts["master"] == " at ::1:7"


@pytest.mark.parametrize(
    ("fields", "causes"),
    [
        ({"connected_clients": "80", "maxclients": "100"}, ["clients-many"]),
        ({"connected_clients": "79", "maxclients": "100"}, []),
        ({"used_memory": "90", "maxmemory": "100", "maxmemory_policy": "noeviction"}, ["memory-nearly-full"]),
        ({"used_memory": "90", "maxmemory": "100", "maxmemory_policy": "allkeys-lru"}, []),
        ({"aof_last_write_status": "err"}, ["save-failed"]),
        ({"server_mode": "cluster"}, ["cluster-node"]),
        ({"role": "slave", "master_link_status": "down"}, ["replica-behind"]),
        ({"connected_clients": "many"}, []),
    ],
)
def test_info_tells_what_may_go_wrong(fields: dict[str, str], causes: list[str]) -> None:
    assert [one.cause for one in diagnose(findings_of(fields, {}))] == causes


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 * 1024**2, "5.0 MiB"),
        (1024**4, "1.0 TiB"),
        (2.0**60, "1048576.0 TiB"),
    ],
)
def test_sizes(number: float, text: str) -> None:
    assert size(number) == text


# --- texts --------------------------------------------------------------------------------------------------------------------


def test_secrets_are_hidden_in_any_text() -> None:
    config = Config(username="wilma", password=b"wil", tls=True, tls_cert_file="c", tls_key_password="key")
    assert Hidden(config).of("wilma, wil and key") == "***, *** and ***"
    assert "wil" not in repr(Hidden(config))
    assert Hidden().of("wilma") == "wilma"
    assert Hidden(Config(username="default", password="")).of("default") == "default"


def test_texts_steer_no_terminal_and_end() -> None:
    assert printable("a\x1b[31mb\nc\u202ed") == "a?[31mb?c?d"
    assert len(printable("x" * 5000)) < 400
