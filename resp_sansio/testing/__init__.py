"""For tests of programs that embed resp_sansio: a server without a network, hypothesis strategies for what servers send, and a
world for whole clients: virtual time, a simulated server and network, what goes wrong with them, and what must hold.

The strategies need hypothesis, which the library itself does not; they are imported when the first of them is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .checks import PATIENCE, Checks, Told
from .clock import Clock
from .cluster import SimulatedCluster
from .cluster_world import CLUSTER_FAULTS, ClusterChecks, ClusterFault, ClusterWorld
from .loop import SimulatedLoop
from .members import Member, MemberSession, Shard
from .network import Socket
from .peer import Answer, Peer, echo, talk
from .server import LARGE, Server, Session
from .world import FAULTS, PHASES, Fault, Phase, World

if TYPE_CHECKING:
    from .strategies import encodings, exact, mutations, pushes, replies, scalars, splits

__all__ = [
    "CLUSTER_FAULTS",
    "FAULTS",
    "LARGE",
    "PATIENCE",
    "PHASES",
    "Answer",
    "Checks",
    "Clock",
    "ClusterChecks",
    "ClusterFault",
    "ClusterWorld",
    "Fault",
    "Member",
    "MemberSession",
    "Peer",
    "Phase",
    "Server",
    "Session",
    "Shard",
    "SimulatedCluster",
    "SimulatedLoop",
    "Socket",
    "Told",
    "World",
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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import strategies
    except ModuleNotFoundError as missing:
        if missing.name != "hypothesis":
            raise
        raise ModuleNotFoundError(
            f"{__name__}.{name} needs hypothesis: pip install hypothesis", name="hypothesis"
        ) from None
    return getattr(strategies, name)
