"""INFO as data: what a server says of itself, as fields, and as findings of its role, its limits, its memory and its disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._findings import Finding, Step, printable

__all__ = ["MOST", "findings_of", "mode_of", "number", "read_fields", "read_info", "size"]

MOST: Final = 2**64
"""What is as large, a server does not count."""


def read_info(text: str) -> dict[str, str]:
    """Return the fields of INFO by their names; titles and empty lines are left out."""
    # Not `splitlines`: an error's code, which a script may make up, is a part of a name, and may have other ends of lines in it.
    lines = (line.removesuffix("\r").partition(":") for line in text.split("\n") if not line.startswith("#"))
    return {name: value for name, colon, value in lines if colon}


def read_fields(text: str) -> dict[str, str]:
    """Return the parts of a value such as `calls=3,usec=7`."""
    parts = (part.partition("=") for part in text.split(","))
    return {name: value for name, equals, value in parts if equals}


def number(fields: Mapping[str, str], name: str) -> float | None:
    """Return a field as a number, None if it is not there or is none that a server has: they have 64 bits."""
    try:
        found = float(fields[name])
    except (KeyError, ValueError):
        return None
    return found if abs(found) < MOST else None


def count(fields: Mapping[str, str], name: str) -> int:
    """Return a field as a whole number, 0 if it is not there or is none."""
    return int(number(fields, name) or 0)


def mode_of(info: Mapping[str, str]) -> str:
    """Return the server's mode: standalone, cluster or sentinel. Valkey 9 has another name for it."""
    return info.get("redis_mode") or info.get("server_mode") or "standalone"


def size(number_of_bytes: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number_of_bytes) < 1024:
            return f"{number_of_bytes:.0f} B" if unit == "B" else f"{number_of_bytes:.1f} {unit}"
        number_of_bytes /= 1024
    return f"{number_of_bytes:.1f} TiB"


def findings_of(info: Mapping[str, str], settings: Mapping[str, str]) -> Iterator[Finding]:
    """Read INFO, and settings of CONFIG GET as far as they are known."""
    yield _role(info)
    yield _limits(info, settings)
    yield _memory(info)
    yield _disk(info, settings)


def _role(info: Mapping[str, str]) -> Finding:
    role = {"slave": "replica"}.get(info.get("role", ""), printable(info.get("role", "unknown")))
    facts: dict[str, Any] = {"role": role, "mode": printable(mode_of(info))}
    said = f"{role}, {facts['mode']}"
    if role == "replica":
        facts["master"] = f" at {printable(info.get('master_host', '?'))}:{printable(info.get('master_port', '?'))}"
        facts["master_link"] = printable(info.get("master_link_status", "unknown"))
        said += f", of the master{facts['master']} (link {facts['master_link']})"
    elif role == "master":
        said += f", replicas: {count(info, 'connected_slaves')}"
    return Finding(step=Step.ROLE, said=said, facts=facts)


def _limits(info: Mapping[str, str], settings: Mapping[str, str]) -> Finding:
    facts = {
        "clients": count(info, "connected_clients"),
        "maxclients": count(info, "maxclients"),
        "rejected": count(info, "rejected_connections"),
        "idle_timeout": count(settings, "timeout"),
    }
    facts["half_idle_timeout"] = max(facts["idle_timeout"] // 2, 1)
    said = f"clients: {facts['clients']}" + (f" of {facts['maxclients']}" if facts["maxclients"] else "")
    return Finding(step=Step.LIMITS, said=f"{said}, {facts['rejected']} refused since the start", facts=facts)


def _memory(info: Mapping[str, str]) -> Finding:
    used, limit = count(info, "used_memory"), count(info, "maxmemory")
    facts = {
        "used_bytes": used,
        "limit_bytes": limit,
        "used": size(used),
        "limit": size(limit),
        "policy": printable(info.get("maxmemory_policy", "noeviction")),
        "evicted": count(info, "evicted_keys"),
    }
    said = f"{facts['used']} of {facts['limit']} ({facts['policy']})" if limit else f"{facts['used']}, no limit"
    return Finding(step=Step.MEMORY, said=said, facts=facts)


def _disk(info: Mapping[str, str], settings: Mapping[str, str]) -> Finding:
    failed = [
        name
        for name, field in (("RDB", "rdb_last_bgsave_status"), ("AOF", "aof_last_write_status"))
        if info.get(field, "ok") != "ok"
    ]
    appends, saves = info.get("aof_enabled") == "1", settings.get("save")
    facts: dict[str, Any] = {"failed": ", ".join(failed), "volatile": saves == "" and not appends}
    if info.get("loading") == "1":
        facts["loaded"] = f"{number(info, 'loading_loaded_perc') or 0:.0f} %"
        facts["eta"] = f"{count(info, 'loading_eta_seconds')} s"
    kept = ["AOF"] * appends + ["RDB"] * bool(saves)
    said = "saves by " + " and ".join(kept) if kept else "saves nothing" if facts["volatile"] else "AOF is off"
    return Finding(step=Step.DISK, said=said + (", is loading" if "loaded" in facts else ""), facts=facts)
