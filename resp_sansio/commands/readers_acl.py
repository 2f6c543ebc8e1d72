"""What the server says of its users, and of what it refused them."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from ..wire.values import Reply
from .readers_own import Record, own_text

__all__ = ["AclLogEntry", "AclSelector", "AclUser"]


class AclSelector(TypedDict):
    """A second set of permissions of a user's. A field that this version does not know is kept as it came."""

    commands: str
    keys: str
    channels: str
    databases: NotRequired[str]
    """(Valkey 9.1)"""


class AclUser(TypedDict):
    """What a user may do. `passwords` are hashes. A field that this version does not know is kept as it came."""

    flags: set[str]
    passwords: list[str]
    commands: str
    keys: str
    channels: str
    databases: NotRequired[str]
    """(Valkey 9.1)"""
    selectors: list[AclSelector]


class AclLogEntry(TypedDict):
    """What was refused, why, and to whom. A field that this version does not know is kept as it came."""

    count: int
    reason: str
    context: str
    object: str
    username: str
    age_seconds: float
    client_info: str
    entry_id: NotRequired[int]
    """(Redis 7.2)"""
    timestamp_created: NotRequired[int]
    timestamp_last_updated: NotRequired[int]


SELECTOR: Final = Record(AclSelector)
USER: Final = Record(AclUser, selectors=SELECTOR.each)
LOG_ENTRY: Final = Record(AclLogEntry)


def acl_user(reply: Reply, _text: object = None) -> AclUser | None:
    """A user, or null."""
    return None if reply is None else USER(reply)


def acl_log_entries(reply: Reply, _text: object = None) -> list[AclLogEntry]:
    """What was refused."""
    return LOG_ENTRY.each(reply)


def refusal(reply: Reply, _text: object = None) -> str | None:
    """OK, or why not."""
    return None if reply == "OK" else own_text(reply)
