"""For tests of programs that embed resp_sansio: a server without a network, and hypothesis strategies for what servers send.

Needs hypothesis, which the library itself does not; so nothing in the library imports this.
"""

from __future__ import annotations

from .peer import Answer, Peer, echo, talk
from .strategies import encodings, exact, mutations, pushes, replies, scalars, splits

__all__ = [
    "Answer",
    "Peer",
    "echo",
    "encodings",
    "exact",
    "mutations",
    "pushes",
    "replies",
    "scalars",
    "splits",
    "talk",
]
