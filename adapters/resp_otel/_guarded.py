"""A lock that neither a fork nor a signal leaves a call waiting for.

Observers are told by the threads that make the calls. One of them may fork while another holds a lock, which is then held for ever
in the child: so there each gets a new one. A signal's handler may make a call in the midst of another: so the lock lets its own
thread in.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import Any, Final
from weakref import WeakSet

__all__ = ["Guarded"]

_every: Final[WeakSet[Guarded]] = WeakSet()


class Guarded:
    """What has such a lock."""

    def __init__(self) -> None:
        self.lock: Any = RLock()
        _every.add(self)


def _renew() -> None:
    for each in list(_every):
        each.lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
