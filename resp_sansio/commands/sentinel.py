"""Commands for a Sentinel: a server that watches others, and makes a replica its failed master's successor."""

from __future__ import annotations

from ..wire.encoder import Argument
from .arguments import Fields, in_turn
from .command import Command
from .readers import done, settings, whole, word
from .readers_own import own_text
from .readers_sentinel import (
    CachedInfo,
    MasterDown,
    PendingScript,
    SentinelInstance,
    address,
    cached_infos,
    is_down,
    one_instance,
    pending_scripts,
    several_instances,
)


def sentinel_masters() -> Command[list[SentinelInstance]]:
    """Return the masters that are watched."""
    return Command("SENTINEL MASTERS", read=several_instances)


def sentinel_primaries() -> Command[list[SentinelInstance]]:
    """Return the masters that are watched (Valkey 8.0)."""
    return Command("SENTINEL PRIMARIES", read=several_instances)


def sentinel_master(master_name: Argument) -> Command[SentinelInstance]:
    """Return what is known of a master."""
    return Command("SENTINEL MASTER", master_name, read=one_instance)


def sentinel_primary(primary_name: Argument) -> Command[SentinelInstance]:
    """Return what is known of a master (Valkey 8.0)."""
    return Command("SENTINEL PRIMARY", primary_name, read=one_instance)


def sentinel_replicas(master_name: Argument) -> Command[list[SentinelInstance]]:
    """Return a master's replicas."""
    return Command("SENTINEL REPLICAS", master_name, read=several_instances)


def sentinel_sentinels(master_name: Argument) -> Command[list[SentinelInstance]]:
    """Return the other Sentinels that watch a master."""
    return Command("SENTINEL SENTINELS", master_name, read=several_instances)


def sentinel_get_master_addr_by_name(master_name: Argument) -> Command[tuple[str, int] | None]:
    """Return where a master is now, None if no master of this name is watched."""
    return Command("SENTINEL GET-MASTER-ADDR-BY-NAME", master_name, read=address)


def sentinel_get_primary_addr_by_name(primary_name: Argument) -> Command[tuple[str, int] | None]:
    """Return where a master is now, None if no master of this name is watched (Valkey 8.0)."""
    return Command("SENTINEL GET-PRIMARY-ADDR-BY-NAME", primary_name, read=address)


def sentinel_is_master_down_by_addr(
    ip: Argument, port: int, current_epoch: int, runid: Argument = "*"
) -> Command[MasterDown]:
    """Return whether this Sentinel takes a master for failed; with the ID of a Sentinel, also ask it for its vote."""
    return Command("SENTINEL IS-MASTER-DOWN-BY-ADDR", ip, port, current_epoch, runid, read=is_down)


def sentinel_is_primary_down_by_addr(
    ip: Argument, port: int, current_epoch: int, runid: Argument = "*"
) -> Command[MasterDown]:
    """As `sentinel_is_master_down_by_addr` (Valkey 8.0)."""
    return Command("SENTINEL IS-PRIMARY-DOWN-BY-ADDR", ip, port, current_epoch, runid, read=is_down)


def sentinel_myid() -> Command[str]:
    """Return this Sentinel's ID (Redis 6.2)."""
    return Command("SENTINEL MYID", read=own_text)


def sentinel_ckquorum(master_name: Argument) -> Command[str]:
    """Return what the Sentinel says if enough of them can be reached to agree on a failure; an error if not."""
    return Command("SENTINEL CKQUORUM", master_name, read=word)


def sentinel_info_cache(master_name: Argument, *master_names: Argument) -> Command[dict[str, list[CachedInfo]]]:
    """Return what INFO of each master and its replicas said last, by the master's name."""
    return Command("SENTINEL INFO-CACHE", master_name, *master_names, read=cached_infos)


def sentinel_pending_scripts() -> Command[list[PendingScript]]:
    """Return the scripts that run or are to run."""
    return Command("SENTINEL PENDING-SCRIPTS", read=pending_scripts)


def sentinel_monitor(master_name: Argument, ip: Argument, port: int, quorum: int) -> Command[None]:
    """Begin to watch a master."""
    return Command("SENTINEL MONITOR", master_name, ip, port, quorum, read=done)


def sentinel_set(master_name: Argument, options: Fields) -> Command[None]:
    """Change how a master is watched: `{"quorum": 2}`."""
    return Command("SENTINEL SET", master_name, *in_turn("SENTINEL SET", "options", options), read=done)


def sentinel_remove(master_name: Argument) -> Command[None]:
    """Watch a master no longer."""
    return Command("SENTINEL REMOVE", master_name, read=done)


def sentinel_reset(pattern: Argument) -> Command[int]:
    """Forget what is known of the masters of such names, but for where they are; return how many there are."""
    return Command("SENTINEL RESET", pattern, read=whole)


def sentinel_failover(master_name: Argument) -> Command[None]:
    """Begin to make a replica the master's successor, as if it had failed; no other Sentinel is asked."""
    return Command("SENTINEL FAILOVER", master_name, read=done)


def sentinel_config_get(parameter: Argument, *parameters: Argument) -> Command[dict[str, str]]:
    """Return the Sentinel's settings that a pattern matches; several patterns at a time are of Redis 7.2 (Redis 6.2)."""
    return Command("SENTINEL CONFIG", "GET", parameter, *parameters, read=settings)


def sentinel_config_set(parameter: Argument, value: Argument) -> Command[None]:
    """Change one of the Sentinel's settings (Redis 6.2)."""
    return Command("SENTINEL CONFIG", "SET", parameter, value, read=done)


def sentinel_flushconfig() -> Command[None]:
    """Write the Sentinel's settings and what it knows to disk."""
    return Command("SENTINEL FLUSHCONFIG", read=done)
