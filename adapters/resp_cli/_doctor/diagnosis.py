"""What findings mean, as a table of rules: which cause, said in plain words, and which option mends it.

Pure: findings in, diagnoses out. Rules stand in the order in which they are tried. Of those for a step that failed the first one
that fits counts, so the last one of each step fits everything; of those for steps that went well (`code` is empty) all that fit
count. Texts are filled in with the facts of all findings.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from .._findings import Finding, Step, printable

__all__ = ["RULES", "Diagnosis", "Level", "diagnose", "is_fine"]

Facts: TypeAlias = Mapping[str, Any]


class Level(enum.Enum):
    """How bad it is: something to know, something that may go wrong, something that is wrong."""

    NOTE = "note"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One thing that was found out. `cause` is a short name that stays the same, for programs. `servers`: where, of several."""

    cause: str
    level: Level
    step: Step
    says: str
    remedies: tuple[str, ...]
    servers: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return {
            "cause": self.cause,
            "level": self.level.value,
            "step": self.step.value,
            "says": self.says,
            "remedies": [*self.remedies],
            "servers": [*self.servers],
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause and how it shows: at one of these steps, by a code (a regular expression for all of it), and by facts."""

    cause: str
    steps: tuple[Step, ...]
    code: str
    says: str
    remedies: tuple[str, ...] = ()
    level: Level = Level.WRONG
    when: Callable[[Facts], object] = lambda _: True

    def fits(self, finding: Finding, facts: Facts) -> bool:
        """Does the finding show it?"""
        return (
            finding.step in self.steps
            and re.fullmatch(self.code, finding.code) is not None
            and bool(self.when({**facts, **finding.facts, "said": finding.said}))
        )


def diagnose(findings: Iterable[Finding]) -> list[Diagnosis]:
    """Return what the findings mean, in their order; what several of them say, or several servers, is said once."""
    by_server: dict[str, list[Finding]] = {}
    for finding in findings:
        by_server.setdefault(finding.server, []).append(finding)
    found: dict[tuple[str, str], Diagnosis] = {}
    together = by_server.pop("", [])  # last: of several servers it is what they say together
    for server, its in [*by_server.items(), ("", together)]:
        for one in _diagnose(its):
            known = found.setdefault((one.cause, one.says), one)
            found[one.cause, one.says] = replace(known, servers=(*known.servers, server) if server else ())
    return [*found.values()]


def _diagnose(findings: Sequence[Finding]) -> list[Diagnosis]:
    """Return what the findings of one server mean."""
    facts: dict[str, Any] = {}
    for finding in findings:
        facts |= finding.facts
    found: dict[tuple[str, str], Diagnosis] = {}
    for finding in findings:
        fitting = [rule for rule in RULES if rule.fits(finding, facts)]
        for rule in fitting[:1] if finding.code else fitting:
            told = _Told({**facts, **finding.facts, "said": finding.said})
            says = rule.says.format_map(told)
            remedies = tuple(remedy.format_map(told) for remedy in rule.remedies)
            one = Diagnosis(cause=rule.cause, level=rule.level, step=finding.step, says=says, remedies=remedies)
            found.setdefault((rule.cause, says), one)
    return [*found.values()]


def is_fine(diagnoses: Iterable[Diagnosis]) -> bool:
    """Is nothing wrong? Warnings and notes are no failure."""
    return all(one.level is not Level.WRONG for one in diagnoses)


class _Told(dict[str, Any]):
    """The facts that a text is filled in with, fit for a terminal; one that is not known is said to be unknown."""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return printable(value) if isinstance(value, str) else value

    def __missing__(self, name: str) -> str:
        return f"(unknown {name.replace('_', ' ')})"


def _share(part: str, whole: str, least: float) -> Callable[[Facts], object]:
    """Is a part at least this share of the whole, where both are known and there is a whole?"""
    return lambda facts: facts.get(whole) and facts.get(part, 0) >= least * facts[whole]


def _says(words: str) -> Callable[[Facts], object]:
    """Did the server use these words?"""
    return lambda facts: words in facts["said"]


def _known(name: str, *values: object) -> Callable[[Facts], object]:
    """Is a fact one of these values; without values: is it true?"""
    return lambda facts: facts.get(name) in values if values else facts.get(name)


ASKED: Final = (Step.HELLO, Step.AUTH, Step.SELECT, Step.READ, Step.WRITE)
"""Steps at which a server may say what it says to any command."""

NOT_TLS: Final = (
    "WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL|TIMEOUT|EOF"
)

NOT_ACCEPTED: Final = ".*(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|DECRYPT_ERROR)"

RULES: Final[tuple[Rule, ...]] = (
    # --- the URL, the name, the socket ---------------------------------------------------------------------------------
    Rule(
        "url", (Step.URL,), ".+", "The URL can't be used: {said}.",
        ("Its form is redis://[[username]:password@]host[:port][/db][?option=value&...]; rediss:// is with TLS.",
         "In a password write %40 for '@', %2F for '/', %3F for '?', %23 for '#' and %25 for '%'."),
    ),
    Rule(
        "announced", (Step.NAME, Step.CONNECT), ".+",
        "The servers of the cluster say that one of them is at {address}, and it can't be reached there: {said}.",
        ("If it is down, start it, or have the others forget it: redis-cli --cluster del-node.",
         "If that address leads nowhere from here (a container's, behind NAT): its options `cluster-announce-...` set another.",
         "A program may translate addresses by the option address_map."),
        when=_known("expected"),
    ),
    Rule(
        "seed", (Step.NAME, Step.CONNECT), ".+",
        "The URL names {address}, which can't be reached ({said}), and which the other servers do not know.",
        ("Take it out of the URL, or put another server of the cluster in its place. Clients begin with the others until then.",),
        Level.WARNING, _known("spare"),
    ),
    Rule(
        "name", (Step.NAME,), "EAI_NONAME|EAI_NODATA|EAI_ADDRFAMILY", "The name {host!r} has no address.",
        ("Check the spelling of the host in the URL.",
         "If the name is known in another network only (of a container or a VPN), run this where it is."),
    ),
    Rule(
        "name", (Step.NAME,), "EAI_AGAIN",
        "The name {host!r} has no address that this machine's resolver could find: it did not get an answer.",
        ("Check the spelling of the host in the URL, then the resolver (on Linux /etc/resolv.conf).",),
    ),
    Rule("name", (Step.NAME,), ".+", "The name {host!r} can't be resolved: {said}.", ("Check the host in the URL.",)),
    Rule(
        "port", (Step.CONNECT,), "ECONNREFUSED", "{address} refuses connections: no server listens there.",
        ("Check the port in the URL: it is {port} now.",
         "Check that the server runs, and that its options `port` (or `tls-port`) and `bind` include this address."),
        when=_known("path", None),
    ),
    Rule(
        "unreachable", (Step.CONNECT,), "TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH",
        "Nothing answers at {address} within {connect_timeout} s: {said}.",
        ("Check the address, and the firewalls and security groups between here and there.",
         "If the way is only slow, raise `connect_timeout`."),
    ),
    Rule(
        "socket-missing", (Step.CONNECT,), "ENOENT", "There is no socket at {path}.",
        ("Check the path in the URL, and the server's option `unixsocket`.",),
    ),
    Rule(
        "socket-forbidden", (Step.CONNECT,), "EACCES|EPERM", "This user may not open {address}.",
        ("For a unix socket set the server's option `unixsocketperm`, or add this user to the socket's group.",),
    ),
    Rule(
        "connect", (Step.CONNECT,), ".+", "{address} can't be connected to: {said}.",
        ("Check the address in the URL, and that the server runs.",),
    ),
    # --- TLS -----------------------------------------------------------------------------------------------------------
    Rule(
        "tls-files", (Step.TLS,), "FILES", "The certificates that the options name can't be used: {said}.",
        ("Check tls_ca_file, tls_ca_path, tls_cert_file, tls_key_file and tls_key_password: PEM files that this user may read.",),
    ),
    Rule(
        "tls-to-plain", (Step.TLS,), NOT_TLS, "The URL asks for TLS, and the server speaks plain RESP on port {port}.",
        ("Use the server's `tls-port` in the URL, if it has one.",
         "Or let the URL begin with `redis` instead of `rediss`, if the network may see what is sent, the password included."),
        when=_known("plain_answers"),
    ),
    Rule(
        "certificate-authority", (Step.TLS,), "CERT_(2|18|19|20|21)",
        "The server's certificate comes from an authority that is not trusted here: {issuer}.",
        ("Give the certificate of that authority: ?tls_ca_file=/path/to/ca.pem (or tls_ca_path for a folder).",
         "The server may also have to send those in between: they belong into its `tls-cert-file`, behind its own."),
    ),
    Rule(
        "certificate-host", (Step.TLS,), "CERT_(62|64)",
        "The server's certificate is for {names}, and the URL asks for {server_name}.",
        ("Use a name in the URL that the certificate has.",
         "Or say which name to expect: ?tls_server_name={first_name}."),
    ),
    Rule(
        "certificate-expired", (Step.TLS,), "CERT_10", "The server's certificate has expired: it was valid until {not_after}.",
        ("Renew it on the server (`tls-cert-file`, `tls-key-file`): CONFIG SET of both loads it without a restart.",
         "Check this machine's clock, which says {now}."),
    ),
    Rule(
        "certificate-not-yet", (Step.TLS,), "CERT_9", "The server's certificate is valid from {not_before} on only.",
        ("Check this machine's clock, which says {now}.",),
    ),
    Rule(
        "certificate-made", (Step.TLS,), "CERT_.+",
        "The server's certificate, or its authority's, is not made as RFC 5280 asks: {said}.",
        ("Issue it anew with the extensions that it lacks.",
         "Python checks this since 3.13; a program can pass an ssl_context without ssl.VERIFY_X509_STRICT."),
        when=lambda facts: re.search("key identifier|basic constraints|key usage|keyusage", facts["said"], re.IGNORECASE),
    ),
    Rule(
        "certificate", (Step.TLS,), "CERT_.+", "The server's certificate was not accepted: {said}.",
        ("Check tls_ca_file and tls_server_name, and the server's `tls-cert-file`.",),
    ),
    Rule(
        "client-certificate", (Step.TLS, Step.HELLO), ".*CERTIFICATE_REQUIRED|.*ALERT_HANDSHAKE_FAILURE",
        "The server wants the client to show a certificate.",
        ("Give one: ?tls_cert_file=/path/to/client.pem&tls_key_file=/path/to/client.key.",
         "Or let the server do without: `tls-auth-clients optional`."),
        when=_known("shows_certificate", False),
    ),
    Rule(
        "client-certificate", (Step.TLS, Step.HELLO), NOT_ACCEPTED,
        "The server does not accept the certificate that the client shows: {said}.",
        ("Check tls_cert_file, and that the server's `tls-ca-cert-file` has the authority that signed it.",),
    ),
    Rule(
        "tls-version", (Step.TLS,), ".*(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER)",
        "Client and server have no version of TLS, or no cipher, in common: {said}.",
        ("Let the server offer TLS 1.2 or 1.3: its options `tls-protocols`, `tls-ciphers` and `tls-ciphersuites`.",),
    ),
    Rule(
        "tls", (Step.TLS,), ".+", "TLS failed: {said}.",
        ("Check that port {port} is the server's `tls-port`; redis:// is without TLS.",),
    ),
    # --- what a server says before it serves ----------------------------------------------------------------------------
    Rule(
        "plain-to-tls", (Step.HELLO,), "EOF|ECONNRESET|NOT_RESP|TIMEOUT",
        "The server speaks TLS on port {port}, and the URL asks for none.",
        ("Let the URL begin with `rediss` instead of `redis`; if its authority is your own, add ?tls_ca_file=/path/to/ca.pem.",),
        when=_known("tls_answers"),
    ),
    Rule(
        "proxy-without-hello", (Step.HELLO,), "EOF|ECONNRESET|NOT_RESP",
        "The peer hangs up on HELLO or CLIENT SETINFO, as proxies do that do not know a command. Without them it answers.",
        ("Add ?protocol=2&lib_name=none&lib_version=none to the URL: it saves a dial that fails.",
         "Without it, this client finds out by itself, at each first connection."),
        level=Level.WARNING,
        when=_known("plain_answers"),
    ),
    Rule(
        "protected-mode", ASKED, "DENIED",
        "The server is in protected mode: it has no password, so it serves its own machine only.",
        ("Set a password on the server (`requirepass`, or an ACL user), and put it into the URL.",
         "Or, in a network that all may be trusted in, `protected-mode no`."),
    ),
    Rule(
        "maxclients", ASKED, "MAXCLIENTS", "The server has as many clients as it takes (`maxclients`).",
        ("Raise the server's `maxclients` (and the open files that its process may have).",
         "Open fewer connections: max_connections of a Client, max_size of a Pool; one Client serves a whole process.",
         "CLIENT LIST on the server shows the owners; its option `timeout` closes those that are idle."),
    ),
    Rule(
        "loading", ASKED, "LOADING", "The server is loading its data: {loaded} is done, about {eta} to go.",
        ("Wait: this client tries again by itself until a call's `timeout`, which may have to be longer.",),
    ),
    Rule(
        "busy", ASKED, "BUSY", "A script runs on the server and lets nothing else be served.",
        ("SCRIPT KILL or FUNCTION KILL ends it, if it has not written yet.",),
    ),
    Rule(
        "password-unlike", ASKED, "NOAUTH|WRONGPASS",
        "The servers of the cluster want different passwords: this one refuses what another one accepts: {said}.",
        ("Set the same users and passwords on all servers of the cluster: `requirepass` and `masterauth`, or ACL SETUSER on each.",
         "A program may give each its own: `credentials`, if it has a parameter, is told for which server."),
        when=_known("expected"),
    ),
    Rule(
        "password-none", ASKED, "NOAUTH", "The server wants a password, and the URL has none.",
        ("Put it into the URL, before the host: `:password@{host}`, or `username:password@{host}` for an ACL user.",),
    ),
    Rule(
        "user-disabled", (Step.AUTH,), "WRONGPASS", "The user that the URL names is disabled on the server.",
        ("An administrator enables it: ACL SETUSER <user> on.",),
        when=_known("user", "disabled"),
    ),
    Rule(
        "user-unknown", (Step.AUTH,), "WRONGPASS", "The server has no user of the name in the URL.",
        ("Check the user's name; ACL LIST shows those that there are.",
         "Without a name (redis://:password@...) the user is `default`, whose password is the server's `requirepass`."),
        when=_known("user", "unknown"),
    ),
    Rule(
        "password-wrong", (Step.AUTH,), "WRONGPASS", "The password is wrong: the server has this user, and it is enabled.",
        ("Check the password, and its escapes in the URL (%40 for '@', %2F for '/', %25 for '%').",),
        when=_known("user", "enabled"),
    ),
    Rule(
        "password-wrong", (Step.AUTH,), "WRONGPASS",
        "The server refuses the password: that of the user `default`, as the URL names none.",
        ("Check the password, and its escapes in the URL (%40 for '@', %2F for '/', %25 for '%').",
         "If it is an ACL user's, put the name before it: redis://username:password@{host}:{port}."),
        when=_known("user", "default"),
    ),
    Rule(
        "password-wrong", (Step.AUTH,), "WRONGPASS",
        "The server refuses the user name or the password, or the user is disabled: it does not say which.",
        ("Check both, and the password's escapes in the URL (%40 for '@', %2F for '/', %25 for '%').",
         "An administrator sees with ACL GETUSER <user> whether there is this user, and whether it is `on`."),
    ),
    Rule(
        "password-not-wanted", (Step.AUTH,), "ERR", "The URL has a password, and the server has none: {said}.",
        ("Leave the password out, or set one on the server (`requirepass`).",), when=_says("without any password"),
    ),
    Rule(
        "old-server", (Step.AUTH,), "ERR", "The URL has a user name, and the server knows passwords only: {said}.",
        ("Leave the user name out: redis://:password@{host}:{port} (users came with Redis 6).",),
        when=_says("number of arguments"),
    ),
    Rule(
        "database", (Step.SELECT,), "ERR", "The server has no database {db}: it has {databases}, counted from 0.",
        ("Use another number in the URL: .../0.", "Or raise the server's option `databases`, and start it again."),
        when=_says("out of range"),
    ),
    Rule(
        "database-cluster", (Step.SELECT,), "ERR", "The server is part of a cluster, which has database 0 only.",
        ("Leave the database out of the URL.",), when=_says("cluster"),
    ),
    # --- what the user may do, and what the server does now -------------------------------------------------------------------
    Rule(
        "acl-key", ASKED, "NOPERM", "The user may not {act} such a key: {said}.",
        ("An administrator allows keys: ACL SETUSER <user> '~{prefix}*'.",
         "If the program's keys begin with a prefix of their own, have it tried: --key-prefix 'app:'."),
        when=_says("key"),
    ),
    Rule(
        "acl-command", ASKED, "NOPERM", "The user may not run {command}: {said}.",
        ("An administrator allows it: ACL SETUSER <user> +{command_lower} (or a category, such as +@{category}).",
         "ACL LOG on the server shows what was refused, and to which user."),
    ),
    Rule(
        "replica", (Step.WRITE,), "READONLY", "The server is a replica: it takes no writes (READONLY).",
        ("Use the URL of its master{master}.",
         "If this program only reads, that is as it should be: --read-only has no write tried."),
    ),
    Rule(
        "memory-full", (Step.WRITE,), "OOM", "The server's memory is full: it takes no writes that need more (OOM).",
        ("Raise the server's `maxmemory`, or choose a `maxmemory-policy` that evicts, or give keys an expiry.",),
    ),
    Rule(
        "disk", (Step.WRITE,), "MISCONF", "The server can't save to its disk, so it takes no writes (MISCONF).",
        ("Make room on its disk, or let it write to its `dir`; its log says what failed.",
         "`stop-writes-on-bgsave-error no` lets it take writes all the same."),
    ),
    Rule(
        "replicas-missing", (Step.WRITE,), "NOREPLICAS", "The server has fewer replicas than it asks for, so it takes no writes.",
        ("Bring its replicas back, or lower `min-replicas-to-write`.",),
    ),
    Rule(
        "master-down", (Step.READ, Step.WRITE), "MASTERDOWN",
        "The server is a replica that has lost its master, and serves no old data.",
        ("Bring the master back, or set `replica-serve-stale-data yes`.",),
    ),
    Rule(
        "cluster-down", (Step.READ, Step.WRITE), "CLUSTERDOWN", "The cluster does not serve: {said}.",
        ("CLUSTER INFO and CLUSTER NODES on a node show the slots without one; redis-cli --cluster fix mends them.",),
    ),
    Rule(
        "cluster", (Step.READ, Step.WRITE), "MOVED|ASK",
        "The server is one node of a cluster, and the key that was tried belongs to another.",
        ("A client of one server gets MOVED for keys of others. Use redis+cluster://{host}:{port}, which knows all of them.",),
        level=Level.WARNING,
    ),
    Rule(
        "peer-closes", ASKED, "EOF|ECONNRESET", "The peer closes the connection without a word.",
        ("Check that port {port} is a Redis server's; its log may say why it closes.",),
    ),
    Rule(
        "not-redis", ASKED, "NOT_RESP", "What answers on port {port} does not speak RESP: {said}.",
        ("Check the port in the URL: some other service listens there.",),
    ),
    Rule(
        "silent", ASKED, "TIMEOUT", "The peer takes the connection and does not answer within {connect_timeout} s.",
        ("The server may hang, or be stopped; or another service listens on port {port}.",),
    ),
    Rule("refused", ASKED, ".+", "The server refuses {command}: {said}.", ("The server's log and documentation say more.",)),
    Rule(
        "library", (Step.LIBRARY,), ".+", "Each step went well, and the library's own connection failed: {said}.",
        ("Please report this, with the lines above.",),
    ),
    # --- the servers of a cluster together, and sentinels ---------------------------------------------------------------------
    Rule(
        "no-cluster", (Step.MAP,), "ERR", "The server is none of a cluster: {said}.",
        ("Say redis:// instead of redis+cluster://.",), when=_says("cluster support disabled"),
    ),
    Rule(
        "no-map", (Step.MAP,), ".+", "No server told which of them has which hash slots: {said}.",
        ("Look at what was found of each server; CLUSTER INFO on one of them says more.",),
    ),
    Rule(
        "slots-uncovered", (Step.MAP,), "", "No server has {uncovered} of the 16384 hash slots: calls with their keys fail.",
        ("redis-cli --cluster check and --cluster fix, on one of the servers, show and mend it.",), when=_known("uncovered"),
    ),
    Rule(
        "map-disputed", (Step.MAP,), "", "The servers do not agree which of them has which hash slots: {disputed}.",
        ("It passes within seconds if slots are being moved. Else CLUSTER NODES on each of them shows what it believes.",),
        Level.WARNING, _known("disputed"),
    ),
    Rule(
        "master-alone", (Step.MAP,), "", "A master without a replica: if it dies, its hash slots are without a server: {alone}.",
        ("Give it one: CLUSTER REPLICATE on a server without slots.",), Level.WARNING, _known("alone"),
    ),
    Rule(
        "versions-unlike", (Step.MAP,), "", "The servers are of several versions: {versions}.",
        ("As it should be while they are renewed one by one. A command that only some know may fail at others.",),
        Level.WARNING, _known("versions"),
    ),
    Rule(
        "settings-unlike", (Step.MAP,), "", "The servers differ in what decides when memory is full: {unlike}.",
        ("Set `maxmemory` and `maxmemory-policy` alike: else some keys are evicted, or refused, long before others.",),
        Level.WARNING, _known("unlike"),
    ),
    Rule(
        "sentinel-name", (Step.SENTINEL,), "UNKNOWN", "The sentinel at {sentinel} can't say where the master is: {said}.",
        ("Check the name in the URL: redis+sentinel://host,host/name; SENTINEL MASTERS on a sentinel lists those it knows.",),
    ),
    Rule(
        "sentinels", (Step.SENTINEL,), "NONE", "No sentinel has named the master.",
        ("Look at what was found of each; without one of them no program finds the master.",),
    ),
    Rule(
        "no-sentinel", (Step.SENTINEL,), "ERR", "The server at {sentinel} is no Sentinel: {said}.",
        ("A URL of sentinels names their ports, of which 26379 is the usual one. For a server without sentinels say redis://.",),
        when=_says("unknown command"),
    ),
    Rule(
        "sentinel-tls", (Step.SENTINEL,), NOT_TLS, "The sentinel at {sentinel} does not answer by TLS: {said}.",
        ("Use the sentinels' `tls-port` in the URL, if they have one.",
         "Or let the URL begin with `redis` instead of `rediss`: sentinels and servers are spoken to in the same way."),
        when=_known("tls"),
    ),
    Rule(
        "sentinel-fails", (Step.SENTINEL,), ".+", "The sentinel at {sentinel} can't be asked: {said}.",
        ("Programs ask the others. Start it, or leave it out of the URL. Its password is the option sentinel_password.",),
        Level.WARNING,
    ),
    Rule(
        "sentinels-differ", (Step.SENTINEL,), "", "Sentinels name different masters: {named}, and another one {differ}.",
        ("It passes within seconds of a fail-over. SENTINEL RESET on one that stays behind has it look again.",),
        Level.WARNING, _known("differ"),
    ),
    Rule(
        "role-unlike", (Step.ROLE,), "", "The map says that the server is a {expected}, and it says itself that it is a {role}.",
        ("It passes within seconds of a fail-over. Else CLUSTER NODES on each server shows what it believes.",),
        Level.WARNING, lambda facts: facts.get("expected") not in (None, facts.get("role")),
    ),
    # --- what went well, and is worth knowing -----------------------------------------------------------------------------------
    Rule(
        "certificate-ends", (Step.TLS,), "", "The server's certificate ends in {days_left} days, on {not_after}.",
        ("Renew it in time.",), Level.WARNING, lambda facts: facts.get("days_left", 99) < 14,
    ),
    Rule(
        "tls-unchecked", (Step.TLS,), "", "The server's certificate is not checked (tls_verify, tls_check_hostname).",
        ("Give the authority's certificate instead: ?tls_ca_file=/path/to/ca.pem.",), Level.WARNING, _known("checked", False),
    ),
    Rule(
        "resp2", (Step.HELLO,), "", "The server does not know HELLO, or may not be asked: RESP2 is spoken.",
        ("?protocol=2 saves a round trip for each connection.",), Level.NOTE, _known("fell_back"),
    ),
    Rule(
        "open", (Step.AUTH,), "", "The server also serves clients that come without a password.",
        ("If the URL's password is to protect it, set one for the user `default` too (`requirepass`), or disable that user.",),
        Level.NOTE, _known("open"),
    ),
    Rule(
        "sentinel", (Step.HELLO, Step.ROLE), "", "This is a Sentinel: it knows where servers are, and holds no data.",
        ("Use redis+sentinel://{address}/<name>, with one of the names in SENTINEL MASTERS: clients ask it where the master is.",),
        when=_known("mode", "sentinel"),
    ),
    Rule(
        "replica-behind", (Step.ROLE,), "", "The server is a replica, and its link to the master is down: what it answers is old.",
        ("Check the master{master}, and `masterauth` and `masteruser` of the replica.",), Level.WARNING,
        _known("master_link", "down"),
    ),
    Rule(
        "replica-read", (Step.ROLE,), "", "The server is a replica: it answers reads, and refuses writes with READONLY.",
        (), Level.NOTE,
        lambda facts: facts.get("role") == "replica" and facts.get("read_only") and not facts.get("of_cluster"),
    ),
    Rule(
        "cluster-node", (Step.ROLE,), "", "The server is one node of a cluster; this client speaks to this node only.",
        ("It gets MOVED for keys of other nodes: use redis+cluster://{host}:{port}, which knows all of them.",), Level.WARNING,
        lambda facts: facts.get("mode") == "cluster" and not facts.get("of_cluster"),
    ),
    Rule(
        "clients-many", (Step.LIMITS,), "", "The server has {clients} clients of {maxclients} that it takes.",
        ("Raise `maxclients`, or open fewer connections (max_connections, max_size).",), Level.WARNING,
        _share("clients", "maxclients", 0.8),
    ),
    Rule(
        "clients-refused", (Step.LIMITS,), "", "The server has refused {rejected} connections since its start (`maxclients`).",
        ("Look for programs that open many: CLIENT LIST.",), Level.NOTE, _known("rejected"),
    ),
    Rule(
        "idle-closed", (Step.LIMITS,), "", "The server closes connections that are idle for {idle_timeout} s (`timeout`).",
        ("A Client dials again by itself. For one connection: ?ping_interval={half_idle_timeout}.",
         "For a pool: max_idle below that."),
        Level.NOTE, _known("idle_timeout"),
    ),
    Rule(
        "memory-nearly-full", (Step.MEMORY,), "",
        "The server uses {used} of {limit} of memory, and evicts nothing (noeviction): then writes fail (OOM).",
        ("Raise `maxmemory`, give keys an expiry, or choose another `maxmemory-policy`.",), Level.WARNING,
        lambda facts: facts.get("policy") == "noeviction" and _share("used_bytes", "limit_bytes", 0.9)(facts),
    ),
    Rule(
        "evicting", (Step.MEMORY,), "", "The server has evicted {evicted} keys since its start, to stay below `maxmemory`.",
        ("As it should be for a cache ({policy}); for data, raise `maxmemory`.",), Level.NOTE, _known("evicted"),
    ),
    Rule(
        "save-failed", (Step.DISK,), "", "The server's last attempt to save to its disk failed ({failed}).",
        ("Its log says why; look at the room on its disk, and at its option `dir`.",), Level.WARNING, _known("failed"),
    ),
    Rule(
        "not-saved", (Step.DISK,), "", "The server keeps its data in memory only: after a restart they are gone.",
        ("As it should be for a cache. Else set `appendonly yes` or `save`.",), Level.NOTE, _known("volatile"),
    ),
    Rule(
        "info-forbidden", (Step.ROLE,), "NOPERM", "The user may not run INFO, so role, limits and memory are not known.",
        ("An administrator allows it: ACL SETUSER <user> +info.",), Level.NOTE,
    ),
    Rule("info", (Step.ROLE,), ".+", "INFO is refused, so role, limits and memory are not known: {said}.", (), Level.NOTE),
)  # fmt: skip
"""All that can be found out. Each cause that is wrong has a rule, and each rule a test."""
