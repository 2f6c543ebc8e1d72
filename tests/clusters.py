"""A real Redis Cluster on loopback: three masters and a replica of each, ready in a third of a second, broken on purpose.

Each node starts with the whole map in its file, so none has to meet another. A master that starts does not serve for two seconds
(cluster.c, CLUSTER_WRITABLE_DELAY), but a replica that is promoted does at once. So each shard begins with a master that is
nowhere: all its nodes are that one's replicas, the first takes over, and then all forget the one that never was.

A slot should be moved once in a test, and not back, nor should a node that gives slots away be given others: a claim of before that
is still on its way between nodes can win, and two of them then name each other for seconds. A new cluster costs less.
"""

from __future__ import annotations

import binascii
import itertools
import os
import random
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from servers import Answer, Certificates, Server, ServerError, find_server, free_port, short_folder, understands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["SLOTS", "Cluster", "Node", "key_in", "slot_of", "wait_until"]

SLOTS: Final = 16384
QUICK: Final = 500
"""Milliseconds after which a node that is silent is deposed, if nothing else is asked for."""

PATIENT: Final = 10_000
"""The same while a cluster starts: its nodes are not to miss the masters that are nowhere before all of them are there."""

TRIES: Final = 5
LATE: Final = "the cluster did not come to it in time"
DOUBTED: Final = frozenset({"fail", "fail?", "handshake", "noaddr"})


def slot_of(key: str) -> int:
    """Return the slot of a key, or of what is in its first braces."""
    _, brace, rest = key.partition("{")
    tag, end, _ = rest.partition("}")
    return binascii.crc_hqx((tag if brace and end and tag else key).encode(), 0) % SLOTS


def key_in(slots: int | range, prefix: str = "") -> str:
    """Make a key of one of these slots. It is the same one each time."""
    wanted = range(slots, slots + 1) if isinstance(slots, int) else slots
    return next(key for number in itertools.count() if slot_of(key := f"{prefix}{{{number}}}") in wanted)


class Place(NamedTuple):
    """A node before it is started: its number, its id, its ports, and the name that it announces, if any."""

    number: int
    id: str
    port: int
    tls_port: int
    bus: int
    name: str = ""


class Node(Server):
    """One server of a cluster."""

    def __init__(
        self, place: Place, map_: str, *arguments: str, certificates: Certificates | None, executable: Path
    ) -> None:
        self.place: Final = place
        self.id: Final = place.id
        self._map: Final = map_
        super().__init__(*arguments, tls=certificates or False, executable=executable)

    def start(self) -> None:
        """As any server, at the ports that the others know, and with the map that it last knew."""
        self.port, self.tls_port = self.place.port, self.place.tls_port
        super().start()

    def _command_line(self) -> list[str]:
        file = self.folder / "nodes.conf"  # which it writes itself from then on
        if not file.exists():
            file.write_text(self._map, encoding="utf-8")
        return super()._command_line()

    def freeze(self) -> None:
        """Stop the process as it stands (SIGSTOP): connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on: it first does what lies in its sockets."""
        os.kill(self.pid, signal.SIGCONT)

    def calls(self, *commands: Sequence[str | bytes | int]) -> list[Answer]:
        """Run commands one after another on one connection (`ASKING`, then what is asked)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            return [self._ask(connection, *command) for command in commands]

    def facts(self, section: str) -> dict[str, str]:
        """Read a section of INFO, or CLUSTER INFO for `cluster`."""
        said = self.call("CLUSTER", "INFO") if section == "cluster" else self.call("INFO", section)
        lines = text(said).split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)

    @property
    def is_master(self) -> bool:
        """Does it say so itself?"""
        return self.facts("replication")["role"] == "master"

    def slots(self) -> list[tuple[range, list[str]]]:
        """Read CLUSTER SLOTS: each range with the ids of its nodes, the master's first."""
        rows = self.call("CLUSTER", "SLOTS")
        if isinstance(rows, ServerError):
            raise rows
        read: list[tuple[range, list[str]]] = []
        for first, last, *nodes in map(as_list, as_list(rows)):
            assert isinstance(first, int)
            assert isinstance(last, int)
            read.append((range(first, last + 1), [text(as_list(node)[2]) for node in nodes]))
        return sorted(read, key=lambda row: row[0].start)

    def knows(self) -> list[list[str]]:
        """Read CLUSTER NODES: id, place, flags, master's id, ... of each node."""
        return [line.split() for line in text(self.call("CLUSTER", "NODES")).splitlines()]


class Cluster:
    """All of it, of Redis 7.0 or later. `nodes` are the masters, as they were at first, then in the same order a replica of each.

    `config` are directives for all nodes (`cluster_require_full_coverage="no"`). CLUSTER SLOTS leaves out a replica until something
    was replicated to it: with `listed`, all are there at once. With `names`, nodes announce `node0.example`, ... and are to be
    called so. A master that is silent for `node_timeout` milliseconds is deposed.
    """

    def __init__(
        self,
        masters: int = 3,
        replicas: int = 1,
        *,
        listed: bool = False,
        executable: Path | None = None,
        node_timeout: int = QUICK,
        tls: bool = False,
        password: str | None = None,
        names: bool = False,
        **config: str | int,
    ) -> None:
        self.masters: Final = masters
        self.replicas: Final = replicas
        self.password: Final = password
        self.ranges: Final = [
            range(SLOTS * index // masters, SLOTS * (index + 1) // masters) for index in range(masters)
        ]
        self.executable: Final = (executable or find_server()).absolute()
        self._has_shards: Final = understands(self.executable, "set-max-listpack-entries")  # of the same release
        self._absent: Final = [new_id() for _ in range(masters)]
        self.folder: Final = short_folder()
        self.certificates: Final = Certificates.make(self.folder, ("localhost", "127.0.0.1")) if tls else None
        self.nodes: list[Node] = []
        lines: dict[str, str | int] = {
            "cluster-node-timeout": PATIENT,  # until all are linked
            "cluster-allow-replica-migration": "no",
            "cluster-replica-validity-factor": 0,  # however long an election takes on a slow machine
            "repl-diskless-sync": "yes",
            "repl-diskless-sync-delay": 0,
            "repl-ping-replica-period": 1,
            **({"tls-cluster": "yes", "tls-replication": "yes"} if tls else {}),
            **({"cluster-preferred-endpoint-type": "hostname"} if names else {}),
            **({} if password is None else {"masterauth": password, "requirepass": password}),
            **{name.replace("_", "-"): value for name, value in config.items()},
        }
        arguments = [word for name, value in lines.items() for word in (f"--{name}", str(value))]
        try:
            self._form(arguments, names=names)
            self.wait_until_settled()
            if listed:
                self.list_replicas()
            self._set_timeout(node_timeout)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End all nodes. Idempotent."""
        for node in self.nodes:
            node.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- starting --------------------------------------------------------------------------------------------------------

    def _form(self, arguments: list[str], *, names: bool) -> None:
        """Start all nodes and let the masters take over. Where that fails by the machine's doing, do it anew, elsewhere.

        Another process may take one of the ports meanwhile. On a machine that is too slow, nodes miss the masters that are nowhere.
        """
        for attempt in range(1, TRIES + 1):
            try:
                self._start(arguments, names=names)
                self._take_over()
            except ServerError as error:
                self._end_nodes()
                if attempt == TRIES or not any(reason in str(error) for reason in ("Address already in use", LATE)):
                    raise
            else:
                return

    def _start(self, arguments: list[str], *, names: bool) -> None:
        """Start all nodes at once."""
        places = self._places(names=names)
        with ThreadPoolExecutor(len(places)) as pool:
            starting = [
                pool.submit(
                    Node,
                    place,
                    self._map_for(place, places),
                    *["--cluster-enabled", "yes", "--cluster-port", str(place.bus)],
                    *(["--cluster-announce-hostname", place.name] if place.name else []),
                    *arguments,
                    certificates=self.certificates,
                    executable=self.executable,
                )
                for place in places
            ]
        failures = [error for one in starting if (error := one.exception()) is not None]
        self.nodes = [one.result() for one in starting if one.exception() is None]
        if failures:
            raise failures[0]

    def _end_nodes(self) -> None:
        for node in self.nodes:
            node.close()

    def _places(self, *, names: bool) -> list[Place]:
        count = self.masters * (1 + self.replicas)
        ports: set[int] = set()
        while len(ports) < 3 * count:
            ports.add(free_port())
        return [
            Place(
                number=index,
                id=new_id(),
                port=ports.pop(),
                tls_port=ports.pop() if self.certificates else 0,
                bus=ports.pop(),
                name=f"node{index}.example" if names else "",
            )
            for index in range(count)
        ]

    def _map_for(self, own: Place, places: list[Place]) -> str:
        """Return the file in which a node keeps what it knows of all."""
        lines = []
        for place in places:
            where = f"127.0.0.1:{place.tls_port if self.certificates else place.port}@{place.bus},{place.name}"
            absent = self._absent[place.number % self.masters]
            flags = "myself,slave" if place is own else "slave"
            lines.append(f"{place.id} {where}{self._shard(absent)} {flags} {absent} 0 0 0 connected")
        for number, (absent, slots) in enumerate(zip(self._absent, self.ranges, strict=True), 1):
            where = f"127.0.0.1:1@1,{self._shard(absent)}"
            lines.append(f"{absent} {where} master - 0 0 {number} disconnected {slots[0]}-{slots[-1]}")
        lines.append(f"vars currentEpoch {self.masters} lastVoteEpoch 0")
        return "\n".join([*lines, ""])

    def _shard(self, absent: str) -> str:
        """Say which shard a node is of, to a server that knows of that (Redis 7.2): of one that is not told it makes its own."""
        return f",shard-id={absent}" if self._has_shards else ""

    def _take_over(self) -> None:
        for node in self.nodes:
            wait_until(lambda node=node: all_linked(node, len(self.nodes)), PATIENT / 1000)  # type: ignore[misc]
        self._set_timeout(QUICK)  # they tell one another sooner
        for index, slots in enumerate(self.ranges):
            done(self.nodes[index].call("CLUSTER", "FAILOVER", "TAKEOVER"))
            self.wait_until_owned(slots[0], index)
        for node in self.nodes:
            wait_until(lambda node=node: self._absent_are_followed_by_none(node))  # type: ignore[misc]
            for absent in self._absent:
                done(node.call("CLUSTER", "FORGET", absent))

    def _set_timeout(self, milliseconds: int) -> None:
        for node in self.nodes:
            done(node.call("CONFIG", "SET", "cluster-node-timeout", milliseconds))

    def _absent_are_followed_by_none(self, node: Node) -> bool:
        return not any(line[3] in self._absent for line in node.knows())

    # -- what it says of itself ------------------------------------------------------------------------------------------

    @property
    def live(self) -> list[Node]:
        """The nodes whose process lives."""
        return [node for node in self.nodes if node.running]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Where all nodes listen, by TLS if they do."""
        return [("127.0.0.1", node.tls_port or node.port) for node in self.nodes]

    @property
    def url(self) -> str:
        """All of it, without password."""
        scheme = "rediss" if self.certificates else "redis"
        return f"{scheme}+cluster://{','.join([f'{host}:{port}' for host, port in self.places])}"

    @property
    def _ids(self) -> list[str]:
        return [node.id for node in self.nodes]

    def index_of(self, id_: str) -> int:
        """Return which node has this id."""
        return self._ids.index(id_)

    def owner(self, slot: int, seen_by: Node | None = None) -> int | None:
        """Return which node is master of a slot, as a node sees it (the first that lives)."""
        for slots, ids in (seen_by or self.live[0]).slots():
            if slot in slots and ids[0] in self._ids:
                return self.index_of(ids[0])
        return None

    def node_of(self, key: str) -> Node:
        """Return the master of a key."""
        index = self.owner(slot_of(key))
        assert index is not None
        return self.nodes[index]

    def replicas_of(self, index: int) -> list[int]:
        """Return which nodes are a master's replicas, as it sees it."""
        node = self.nodes[index]
        return [self.index_of(line[0]) for line in node.knows() if line[3] == node.id and "fail" not in line[2]]

    def on_all(self, *words: str | bytes | int) -> list[Answer]:
        """Run a command on each node that lives (`ACL SETUSER`, `CONFIG SET`)."""
        return [node.call(*words) for node in self.live]

    def flush(self) -> None:
        """Empty all masters."""
        for node in self.live:
            if node.is_master:
                done(node.call("FLUSHALL"))

    # -- waiting ---------------------------------------------------------------------------------------------------------

    def wait_until_settled(self, seconds: float = 20.0) -> None:
        """Wait until all nodes that live serve, all replicas are in sync, and all tell the same map."""
        wait_until(lambda: all(node.facts("cluster")["cluster_state"] == "ok" for node in self.live), seconds)
        wait_until(lambda: all(map(in_sync, self.live)), seconds)
        wait_until(lambda: all(all_linked(node, len(self.live)) for node in self.live), seconds)
        wait_until(lambda: len({self._seen_by(node) for node in self.live}) == 1, seconds)

    def wait_until_owned(self, slot: int, index: int) -> None:
        """Wait until all nodes that live say that this node is master of the slot."""
        wait_until(lambda: all(self.owner(slot, node) == index for node in self.live))

    def list_replicas(self) -> None:
        """Replicate something, and wait until all nodes list the replicas of all."""
        for node in self.nodes[: self.masters]:
            done(node.call("FUNCTION", "FLUSH"))
        wait_until(lambda: all(len(ids) == 1 + self.replicas for node in self.live for _, ids in node.slots()))

    def _seen_by(self, node: Node) -> tuple[object, ...]:
        """Return who has which slots, and of whom each live node is a replica."""
        live = {one.id for one in self.live}
        roles = sorted((line[0], line[3]) for line in node.knows() if line[0] in live)
        return *((slots, ids[0]) for slots, ids in node.slots()), *roles

    # -- moving slots ----------------------------------------------------------------------------------------------------

    def begin_move(self, slot: int, target: int, source: int | None = None) -> int:
        """Make the slot's owner send those who miss a key to the target; return which node the owner is."""
        source = self._source(slot, source)
        done(self.nodes[target].call("CLUSTER", "SETSLOT", slot, "IMPORTING", self.nodes[source].id))
        done(self.nodes[source].call("CLUSTER", "SETSLOT", slot, "MIGRATING", self.nodes[target].id))
        return source

    def move_keys(self, slot: int, target: int, source: int | None = None, *, most: int = SLOTS) -> int:
        """Move keys of the slot that its owner still has; return how many."""
        source = self._source(slot, source)
        keys = as_list(self.nodes[source].call("CLUSTER", "GETKEYSINSLOT", slot, most))
        if keys:
            host, port = self.places[target]
            password = [] if self.password is None else ["AUTH", self.password]
            words = [key for key in keys if isinstance(key, bytes)]
            done(self.nodes[source].call("MIGRATE", host, port, "", 0, 5000, *password, "KEYS", *words))
        return len(keys)

    def end_move(self, slot: int, target: int, source: int | None = None) -> None:
        """Give the slot to the target: it is told first, then its owner, then the other masters."""
        source = self._source(slot, source)
        for index in sorted(range(len(self.nodes)), key=lambda index: (index != target, index != source)):
            if self.nodes[index].running and self.nodes[index].is_master:
                done(self.nodes[index].call("CLUSTER", "SETSLOT", slot, "NODE", self.nodes[target].id))

    def move(self, slot: int, target: int, source: int | None = None) -> None:
        """Move a slot with all its keys."""
        source = self.begin_move(slot, target, source)
        self.move_keys(slot, target, source)
        self.end_move(slot, target, source)

    def _source(self, slot: int, given: int | None) -> int:
        """Return the slot's owner: the one given, so that no node is asked, or the one that nodes name."""
        source = self.owner(slot) if given is None else given
        assert source is not None
        return source

    # -- fail-over -------------------------------------------------------------------------------------------------------

    def take_over(self, index: int) -> None:
        """Make a replica the master at once; what was not yet replicated is lost. Return when all nodes say so."""
        done(self.nodes[index].call("CLUSTER", "FAILOVER", "TAKEOVER"))
        wait_until(lambda: all(self._is_seen_as_owner(index, node) for node in self.live))

    def fail_over(self, index: int) -> None:
        """Ask that a replica becomes the master, as an administrator does: nothing is lost. It has only begun on return."""
        self.wait_until_settled()  # a master that does not know its replica yet does not listen to it
        done(self.nodes[index].call("CLUSTER", "FAILOVER"))

    def _is_seen_as_owner(self, index: int, node: Node) -> bool:
        return any(ids[0] == self.nodes[index].id for _, ids in node.slots())


def new_id() -> str:
    """Make an id as nodes do."""
    return f"{random.SystemRandom().getrandbits(160):040x}"


def in_sync(node: Node) -> bool:
    """Is it a master, or a replica whose link is up?"""
    facts = node.facts("replication")
    return facts["role"] == "master" or facts["master_link_status"] == "up"


def all_linked(node: Node, count: int) -> bool:
    """Has it a link to each of so many nodes, itself included, and doubts none? And does it serve?"""
    linked = [line for line in node.knows() if line[7] == "connected" and not DOUBTED & {*line[2].split(",")}]
    return len(linked) >= count and node.facts("cluster")["cluster_state"] == "ok"


def text(said: Answer) -> str:
    """Read a text that a node said."""
    if isinstance(said, ServerError):
        raise said
    assert isinstance(said, bytes), said
    return said.decode()


def as_list(said: Answer) -> list[Answer]:
    """Read an array that a node said."""
    if isinstance(said, ServerError):
        raise said
    assert isinstance(said, list), said
    return said


def done(said: Answer) -> None:
    """Raise what a node refused."""
    if isinstance(said, ServerError):
        raise said


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it holds, and no longer."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise ServerError(LATE)
        time.sleep(0.003)
