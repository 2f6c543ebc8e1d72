"""A master, its replicas and three sentinels that watch it, on loopback: up in a fifth of a second, over to a replica in one.

Each sentinel is told of all others by its file, so none of them has to wait until it hears of them. Their periods are shortened by
SENTINEL DEBUG (Redis 7.0, Valkey), and not below what sentinel.c can bear: it passes a replica over whose last INFO is older than
five times the period of its PINGs (and INFO comes once a second while the master is down), it takes a master for dead if that
period is longer than `down-after`, and it turns a promoted replica back into one after four periods of its hellos.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Self

from servers import Answer, Server, ServerError, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Sentinel", "Sentinels"]

NAME: Final = "mymaster"
PERIODS: Final = ("info-period", 100, "ping-period", 250, "ask-period", 50, "publish-period", 500)


class Sentinel(Server):
    """One sentinel, with these lines in its file."""

    def __init__(self, port: int, lines: list[str], password: str | None) -> None:
        self._wanted: Final = port
        self._lines: Final = lines
        super().__init__(*(() if password is None else ("--requirepass", password)))

    def start(self) -> None:
        """As any server, at the port that the others know."""
        self.port = self._wanted
        super().start()
        answer = self.call("SENTINEL", "DEBUG", *PERIODS)
        if isinstance(answer, ServerError):
            raise answer

    def _command_line(self) -> list[str]:
        file = self.folder / "sentinel.conf"  # which it writes itself from then on
        if not file.exists():
            own = [f"port {self.port}", "bind 127.0.0.1", f"unixsocket {self.unix}", f"dir {self.folder}"]
            file.write_text("\n".join([*own, *self._lines, ""]), encoding="utf-8")
        return [str(file), "--sentinel"]


class Sentinels:
    """All of it. `data` are the master and its replicas, as they were at first."""

    name: Final = NAME

    def __init__(self, *, replicas: int = 1, password: str | None = None, sentinel_password: str | None = None) -> None:
        options = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        if password is not None:
            options += ["--masterauth", password, "--requirepass", password]
        self.data: Final = [Server(*options)]
        for _ in range(replicas):
            self.data.append(Server("--replicaof", f"127.0.0.1 {self.data[0].port}", *options))
        ports: list[int] = []
        while len(ports) < 3:
            ports += {free_port()}.difference(ports)  # one that nobody listens at yet may be given twice
        self.sentinels: Final = [
            Sentinel(port, self._lines(port, ports, password, sentinel_password), sentinel_password) for port in ports
        ]
        wait_until(lambda: all(map(self._knows_all, self.sentinels)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for server in [*self.sentinels, *self.data]:
            server.close()

    def _lines(self, port: int, ports: list[int], password: str | None, own: str | None) -> list[str]:
        master, *replicas = self.data
        return [
            f"sentinel myid {port:040x}",
            f"sentinel monitor {NAME} 127.0.0.1 {master.port} 2",
            f"sentinel down-after-milliseconds {NAME} 400",
            f"sentinel failover-timeout {NAME} 1000",
            f"sentinel config-epoch {NAME} 1",  # so that one can be behind
            *([] if password is None else [f"sentinel auth-pass {NAME} {password}"]),
            *([] if own is None else [f"requirepass {own}", f"sentinel sentinel-pass {own}"]),
            *[f"sentinel known-replica {NAME} 127.0.0.1 {replica.port}" for replica in replicas],
            *[f"sentinel known-sentinel {NAME} 127.0.0.1 {other} {other:040x}" for other in ports if other != port],
        ]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Where the sentinels listen."""
        return [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]

    @property
    def url(self) -> str:
        """The master behind them."""
        return f"redis+sentinel://{','.join([f'{host}:{port}' for host, port in self.places])}/{NAME}"

    def fail_over(self) -> None:
        """Ask for it, as an administrator does. It has only begun when this returns."""
        wait_until(lambda: self.sentinels[0].call("SENTINEL", "FAILOVER", NAME) == b"OK")

    def is_master(self, server: Server) -> bool:
        """Do all the sentinels that live say so?"""
        live = [sentinel for sentinel in self.sentinels if sentinel.running]
        return all([self.master_of(sentinel) == server.port for sentinel in live])

    @staticmethod
    def master_of(sentinel: Server) -> int:
        """Return the port of the master that a sentinel names."""
        answer = sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        assert isinstance(answer, list)
        assert isinstance(answer[1], bytes)
        return int(answer[1])

    def _knows_all(self, sentinel: Server) -> bool:
        master = facts(sentinel.call("SENTINEL", "MASTER", NAME))
        replicas = sentinel.call("SENTINEL", "REPLICAS", NAME)
        return (
            master[b"flags"] == b"master"
            and master[b"num-other-sentinels"] == b"2"
            and isinstance(replicas, list)
            and [facts(replica)[b"master-link-status"] for replica in replicas] == [b"ok"] * (len(self.data) - 1)
        )

    def listed(self, server: Server, sentinel: int = 0) -> dict[bytes, bytes] | None:
        """Return what a sentinel says of a replica; None if it knows of none there."""
        replicas = self.sentinels[sentinel].call("SENTINEL", "REPLICAS", NAME)
        assert isinstance(replicas, list)
        for replica in replicas:
            said: dict[Any, Any] = facts(replica)
            if int(said[b"port"]) == server.port:
                return said
        return None


def facts(flat: Answer) -> dict[Answer, Answer]:
    """Read names and values in turn."""
    assert isinstance(flat, list)
    return dict(zip(flat[0::2], flat[1::2], strict=True))


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it holds, and no longer."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise ServerError("the sentinels did not come to it in time")
        time.sleep(0.005)
