"""What an examination of a server meets, step by step: data that the rules of `_diagnosis` read and that `_doctor` shows.

A finding holds words for people and facts for rules. Neither holds a secret, and no text of a server's reaches a terminal with
control characters in it: `Hidden` sees to both.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from resp_sansio import Config

__all__ = ["Finding", "Hidden", "Step", "harmless", "printable"]

LONGEST: Final = 300
"""Characters that are shown of one text of a server's."""


class Step(enum.Enum):
    """What is looked at, in this order; the value is the name in the first column."""

    URL = "url"
    SENTINEL = "sentinel"
    MAP = "map"
    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    HELLO = "hello"
    AUTH = "auth"
    SELECT = "select"
    READ = "read"
    WRITE = "write"
    ROLE = "role"
    LIMITS = "limits"
    MEMORY = "memory"
    DISK = "disk"
    LIBRARY = "library"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How one step ended.

    `code` is empty if it went well; else it names the kind of failure: of the system (`ECONNREFUSED`), of TLS (`CERT_20`, by
    OpenSSL's number), of the server (`WRONGPASS`). `said` is for people. `facts` are for rules and for their texts. `seconds`:
    how long the step took, None where that says nothing. `server`: the address of the one that was looked at, of several.
    """

    step: Step
    code: str = ""
    said: str = ""
    seconds: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    server: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it."""
        return {
            "step": self.step.value,
            "code": self.code or None,
            "said": self.said,
            "seconds": self.seconds,
            "facts": dict(self.facts),
            "server": self.server or None,
        }


def printable(text: str) -> str:
    """Return a text that can't steer a terminal, in one line and not too long."""
    shown = "".join(char if char.isprintable() else "?" for char in text[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + " ..."


def harmless(text: str) -> str:
    """Return a text of this program's, which may have several lines: what a server has said in it can't steer a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


class Hidden:
    """Takes a configuration's secrets out of texts: a server's error may repeat the arguments that it was sent."""

    def __init__(self, config: Config | None = None) -> None:
        found: tuple[str | bytes | None, ...] = ()
        if config is not None:
            found = (
                config.username,
                config.password,
                config.tls_key_password,
                config.sentinel_username,
                config.sentinel_password,
            )
        texts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in found)
        # The longest first, for one may be a part of another. The name of the user that every server has is no secret.
        self._secrets: Final = sorted({one for one in texts if one and one != "default"}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._secrets)} secrets>"

    def of(self, said: object) -> str:
        """Return what was said, without secrets and fit for a terminal."""
        text = str(said)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return printable(text)
