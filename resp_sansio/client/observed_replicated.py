"""A client that reads from replicas behind sentinels, with observers."""

from __future__ import annotations

from typing import ClassVar

from .links import Dial
from .node import NodeBase
from .observed_cluster import ObservedCluster, ObservedNode
from .replicated import MasterBase, ReplicaBase, ReplicatedBase

__all__ = ["ObservedReplicated"]


class ObservedMaster(MasterBase, ObservedNode):
    """The machine of the master, with observers."""

    def _leads_to(self, dial: Dial) -> str:
        return dial.config.address  # which may be another one than before


class ObservedReplica(ReplicaBase, ObservedNode):
    """The machine of a replica, with observers."""


class ObservedReplicated(ReplicatedBase, ObservedCluster):
    """The machine of a client that reads from replicas behind sentinels, with observers."""

    _node_type: ClassVar[type[NodeBase]] = ObservedReplica
    _master_type: ClassVar[type[NodeBase]] = ObservedMaster
