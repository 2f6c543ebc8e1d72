"""What commands about connections return on a real server."""

from __future__ import annotations

from typing import Any

from adapters.typed.families import Family, Like, Refused
from resp_sansio import commands


def is_me(info: dict[str, Any]) -> bool:
    """Whether it is this connection, with the types that are promised."""
    return (info["name"], info["db"]) == ("me", 2) and type(info["id"]) is int and type(info["qbuf_free"]) is int


FAMILIES = [
    Family(
        "connections",
        [
            (commands.ping(), "PONG"),
            (commands.echo(b"\xff"), b"\xff", lambda redis: redis.echo(b"\xff")),
            (commands.client_id(), Like(int)),
            (commands.client_getname(), None, lambda redis: redis.client_getname()),
            (commands.client_setname("me"), None),
            (commands.client_getname(), "me"),
            (commands.select(2), None),
            (commands.client_list(), Like(list, lambda found: any(map(is_me, found)))),
            (commands.client_list(type="replica"), []),
            (commands.client_list(type="normal"), Like(list)),
            (commands.client_getredir(), -1, lambda redis: redis.client_getredir()),
            (commands.client_kill(2**40), 0),
            (commands.client_kill(type="replica", user="default", addr="192.0.2.1:1", skipme=True), 0),
            (commands.client_unblock(2**40), False),
            (commands.client_unblock(2**40, error=True), False),
            (commands.client_pause(1), None),
            (commands.client_caching(True), Refused("ERR")),  # it is for those that opted in
            (commands.asking(), Refused("ERR")),  # it is no cluster
            (commands.acl_setuser("ada", "on", ">secret", "+@all"), None),
            (commands.auth("wrong", username="ada"), Refused("WRONGPASS")),
            (commands.auth("secret", username="ada"), None),
            (commands.acl_whoami(), "ada"),
            (commands.quit(), None),
        ],
    ),
    Family(
        "connections since Redis 6.2",
        [
            (commands.client_setname("me"), None),
            (commands.select(2), None),
            (commands.client_info(), Like(dict, is_me)),
            (commands.client_list(2**40), []),
            (commands.client_unpause(), None),
            (commands.client_pause(1, write=True), None),
            (commands.client_unpause(), None),
            (commands.client_trackinginfo(), {"flags": {"off"}, "redirect": -1, "prefixes": []}),
            (commands.reset(), "RESET"),
        ],
        needs=("CLIENT TRACKINGINFO",),
    ),
    Family(
        "connections since Redis 7.0",
        [(commands.client_no_evict(True), None), (commands.client_no_evict(False), None)],
        needs=("Redis 7.0",),
    ),
    Family(
        "connections since Redis 7.2",
        [
            (commands.client_no_touch(True), None),
            (commands.client_setinfo("lib-name", "mine"), None),
            (commands.client_info(), Like(dict, lambda info: info["lib_name"] == "mine")),
        ],
        needs=("Redis 7.2",),
    ),
    Family(
        "connections since Redis 7.4",
        [(commands.client_kill(maxage=2**30), 0)],
        needs=("Redis 7.4 or Valkey 8.0",),
    ),
    Family(
        "connections of Valkey 8.0",  # which takes these without a cluster
        [(commands.readonly(), None), (commands.readwrite(), None)],
        needs=("Valkey 8.0",),
    ),
    Family(
        "connections of Valkey 8.1",
        [
            (commands.client_capa("redirect"), None),
            (commands.client_setname("me"), None),
            (commands.client_list(user="default", maxage=2**30, skipme=True), []),
            (commands.client_list(2**40, user="default"), []),
            (commands.client_kill(2**40, 2**41), 0),
            (commands.client_import_source(True), Refused("ERR")),  # it is not in import mode
        ],
        needs=("Valkey 8.1",),
    ),
    Family(
        "connections of Valkey 9.0",
        [
            (commands.client_setname("me"), None),
            (commands.client_list(name="me"), Like(list, lambda found: [each["name"] for each in found] == ["me"])),
            (commands.client_list(name="me", but_not={"name": "me"}), []),
            (commands.client_kill(name="me", db=15, ip="192.0.2.1", but_not={"lib_name": "mine"}), 0),
        ],
        needs=("Valkey 9.0",),
    ),
]

TRACKED = [
    Family(
        "tracking",
        [
            (commands.client_tracking(True, "a:", "b:", bcast=True), None),
            (
                commands.client_trackinginfo(),
                {"flags": {"on", "bcast"}, "redirect": 0, "prefixes": ["a:", "b:"]},
            ),
            (commands.client_getredir(), 0),
            (commands.client_tracking(False), None),
            (commands.client_tracking(True, optin=True, noloop=True), None),
            (commands.client_caching(True), None),
            (
                commands.client_trackinginfo(),
                {"flags": {"on", "optin", "noloop", "caching-yes"}, "redirect": 0, "prefixes": []},
            ),
        ],
    )
]
"""For RESP3 alone: invalidations are pushes, and on RESP2 another connection has to take them."""
