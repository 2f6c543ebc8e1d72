"""Attributes: the names of the conventions, and values that can't become too many, nor tell a secret.

An attribute's value comes from an address, a number of a database, a command's name, the first word of an error reply, or the name
of a class. A program can make up commands, a script on the server the words of errors, and a cluster may name new servers for ever;
so of each kind no more than a number is taken, and nothing that does not look like one. All others are `_OTHER`, the conventions'
word for that. (A span is kept by itself, whatever its attributes are: its server is always told.)
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from resp_sansio import CallBegan, CallEnded, ReplyError

__all__ = ["ADDRESS", "Attributes", "Bounded", "category_of", "error_of", "operation_of", "pool_of", "server_of"]

Attributes: TypeAlias = dict[str, str | int | bool]

OTHER: Final = "_OTHER"
CLUSTER: Final = "cluster of "
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.| -]{0,47}")
ADDRESS: Final = re.compile(".+")
CODE: Final = re.compile(r"[A-Z][A-Z_]{0,31}")
AUTH: Final = frozenset({"NOAUTH", "NOPERM", "WRONGPASS"})


class Bounded:
    """Lets the first texts pass that have this `form`, `most` of them, and says OTHER for the rest."""

    def __init__(self, most: int, form: re.Pattern[str] = NAME) -> None:
        self._most: Final[int] = most
        self._form: Final[re.Pattern[str]] = form
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return the text, or OTHER."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= self._most or not self._form.fullmatch(text):
                return OTHER
            self._known[text] = known = text
        return known


def server_of(address: str) -> Attributes:
    """Return what says which server it is. A unix socket's path is its address, and a cluster has no port."""
    if address.startswith("unix:"):
        return {"db.system.name": "redis", "server.address": address[5:], "network.transport": "unix"}
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or address.startswith(CLUSTER):  # nor has a master before any sentinel has said where it is
        return {"db.system.name": "redis", "server.address": address}
    return {"db.system.name": "redis", "server.address": host.strip("[]"), "server.port": int(port)}


def pool_of(address: str, database: int) -> str:
    """Return the name of the connections to one database, as the conventions make it."""
    return f"{address}/{database}"


def operation_of(call: CallBegan | CallEnded) -> str:
    """Return a call's name: of a pipeline or transaction of one kind of command with that in it."""
    names = call.commands
    if call.command not in {"PIPELINE", "MULTI"} or not names or names.count(names[0]) < len(names):
        return call.command
    return call.command if names == (call.command,) else f"{call.command} {names[0]}"


def error_of(error: BaseException, code: str | None = None) -> str:
    """Return what says which error it is: the first word of an error reply, or the name of a class; never what it says."""
    if code is None and isinstance(error, ReplyError):
        code = error.code if CODE.fullmatch(error.code) else "ERR"
    return code or type(error).__name__


def category_of(error: BaseException, step: str | None = None) -> str:
    """Return the kind of an error in redis-py's words: network, tls, auth, server or other."""
    if isinstance(error, ReplyError):
        return "auth" if error.code in AUTH else "server"
    if step == "tls":
        return "tls"
    return "network" if isinstance(error, (ConnectionError, TimeoutError, OSError)) else "other"
