"""The states of a connection, and the one table of transitions.

A connection opens, serves, and ends; it never comes back. Between opening and ending it is READY, except for two modes that
Redis itself has: RESP2's subscribed mode, in which only the commands of publish/subscribe are allowed, and MONITOR, after
which the connection only listens: already from when it is sent, since the reply to a command behind it could not be
told from what it hears. (On RESP3 a subscribed connection takes every command and stays READY.)

Whatever is not in `TRANSITIONS` cannot happen: `move` raises, and a test walks every state and every input.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

__all__ = ["FINAL", "TRANSITIONS", "Input", "State", "diagram", "move"]


class State(enum.Enum):
    """Where a connection is in its life; the value says what that means to a caller."""

    if not TYPE_CHECKING:  # pragma: no branch
        __hash__ = object.__hash__  # by identity: an enum's own is a function of Python, and takes ten times as long

    OPENING = "the handshake is under way, and commands wait for it"
    READY = "commands go out"
    SUBSCRIBED = "RESP2 with subscriptions: only (un)subscribe commands, PING, QUIT and RESET are allowed"
    MONITORING = "MONITOR was sent: nothing goes out behind it, and the connection only listens"
    CLOSING = "no new commands; what was accepted is still answered"
    LOST = "the connection has ended, for ever"


class Input(enum.Enum):
    """What moves a connection from one state to another."""

    if not TYPE_CHECKING:  # pragma: no branch
        __hash__ = object.__hash__

    ACCEPTED = "the server accepted the handshake"
    SUBSCRIBED = "RESP2: the first subscription was confirmed"
    UNSUBSCRIBED = "RESP2: the last subscription ended"
    MONITORED = "MONITOR was sent"
    UNMONITORED = "MONITOR was refused, or withdrawn before its first byte left"
    CLOSE = "close(), or QUIT was sent"
    ENDED = "end of file, a failure, abort(), or nothing left to answer while closing"


FINAL: Final = State.LOST

TRANSITIONS: Final[Mapping[tuple[State, Input], State]] = MappingProxyType(
    {
        (State.OPENING, Input.ACCEPTED): State.READY,
        (State.READY, Input.SUBSCRIBED): State.SUBSCRIBED,
        (State.READY, Input.MONITORED): State.MONITORING,
        (State.SUBSCRIBED, Input.UNSUBSCRIBED): State.READY,
        (State.MONITORING, Input.UNMONITORED): State.READY,
        # Nothing of the caller's has left a connection that is still opening, so there is nothing to wait for.
        (State.OPENING, Input.CLOSE): State.LOST,
        (State.READY, Input.CLOSE): State.CLOSING,
        (State.SUBSCRIBED, Input.CLOSE): State.CLOSING,
        (State.MONITORING, Input.CLOSE): State.CLOSING,
        (State.CLOSING, Input.CLOSE): State.CLOSING,
        (State.LOST, Input.CLOSE): State.LOST,
        (State.OPENING, Input.ENDED): State.LOST,
        (State.READY, Input.ENDED): State.LOST,
        (State.SUBSCRIBED, Input.ENDED): State.LOST,
        (State.MONITORING, Input.ENDED): State.LOST,
        (State.CLOSING, Input.ENDED): State.LOST,
        (State.LOST, Input.ENDED): State.LOST,
    }
)


def move(state: State, what: Input) -> State:
    """Return the state that follows, or raise `AssertionError`: the machine itself asked for what cannot happen."""
    try:
        return TRANSITIONS[state, what]
    except KeyError:
        raise AssertionError(f"a connection that is {state.name} has no transition for {what.name}") from None


def diagram() -> str:
    """The table as a Mermaid state diagram; `docs/states.md` holds this text, and a test keeps it current."""
    lines = ["stateDiagram-v2", "    [*] --> OPENING"]
    lines += [
        f"    {state.name} --> {after.name}: {what.name}"
        for (state, what), after in TRANSITIONS.items()
        if state is not after
    ]
    lines += [f"    {FINAL.name} --> [*]"]
    return "\n".join(lines) + "\n"
