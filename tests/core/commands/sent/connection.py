"""What the builders of commands about connections send."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.ping(), "PING"),
    (commands.echo("m"), "ECHO m"),
    (commands.auth("secret"), "AUTH secret"),
    (commands.auth("secret", username="ada"), "AUTH ada secret"),
    (commands.select(3), "SELECT 3"),
    (commands.reset(), "RESET"),
    (commands.quit(), "QUIT"),
    (commands.asking(), "ASKING"),
    (commands.readonly(), "READONLY"),
    (commands.readwrite(), "READWRITE"),
    (commands.client_id(), "CLIENT ID"),
    (commands.client_info(), "CLIENT INFO"),
    (commands.client_list(), "CLIENT LIST"),
    (commands.client_list(3, 4, type="pubsub"), "CLIENT LIST TYPE pubsub ID 3 4"),
    (
        commands.client_list(user="ada", addr="::1:5", laddr="::1:6379", skipme=True, maxage=60),
        "CLIENT LIST USER ada ADDR ::1:5 LADDR ::1:6379 SKIPME YES MAXAGE 60",
    ),
    (
        commands.client_list(name="n", idle=5, flags="N", lib_name="l", lib_ver="1", db=2, capa="r", ip="::1"),
        "CLIENT LIST NAME n FLAGS N LIB-NAME l LIB-VER 1 CAPA r IP ::1 IDLE 5 DB 2",
    ),
    (commands.client_list(but_not={"lib_name": "l", b"NAME": b"n"}), "CLIENT LIST NOT-LIB-NAME l NOT-NAME n"),
    (commands.client_kill(7), "CLIENT KILL ID 7"),
    (commands.client_kill(addr="::1:5", skipme=False), "CLIENT KILL SKIPME NO ADDR ::1:5"),
    (commands.client_kill(7, 8, user="ada", maxage=60), "CLIENT KILL USER ada MAXAGE 60 ID 7 8"),
    (commands.client_kill(but_not={"id": 7}), "CLIENT KILL NOT-ID 7"),
    (commands.client_getname(), "CLIENT GETNAME"),
    (commands.client_setname("worker"), "CLIENT SETNAME worker"),
    (commands.client_setinfo("lib-name", "mine"), "CLIENT SETINFO lib-name mine"),
    (commands.client_no_evict(True), "CLIENT NO-EVICT ON"),
    (commands.client_no_touch(False), "CLIENT NO-TOUCH OFF"),
    (commands.client_pause(100), "CLIENT PAUSE 100"),
    (commands.client_pause(100, write=True), "CLIENT PAUSE 100 WRITE"),
    (commands.client_unpause(), "CLIENT UNPAUSE"),
    (commands.client_unblock(7), "CLIENT UNBLOCK 7"),
    (commands.client_unblock(7, error=True), "CLIENT UNBLOCK 7 ERROR"),
    (commands.client_getredir(), "CLIENT GETREDIR"),
    (commands.client_tracking(True), "CLIENT TRACKING ON"),
    (commands.client_tracking(False), "CLIENT TRACKING OFF"),
    (
        commands.client_tracking(True, "a:", "b:", redirect=7, bcast=True, noloop=True),
        "CLIENT TRACKING ON REDIRECT 7 PREFIX a: PREFIX b: BCAST NOLOOP",
    ),
    (commands.client_tracking(True, optin=True), "CLIENT TRACKING ON OPTIN"),
    (commands.client_tracking(True, optout=True), "CLIENT TRACKING ON OPTOUT"),
    (commands.client_trackinginfo(), "CLIENT TRACKINGINFO"),
    (commands.client_caching(True), "CLIENT CACHING YES"),
    (commands.client_caching(False), "CLIENT CACHING NO"),
    (commands.client_capa("redirect"), "CLIENT CAPA redirect"),
    (commands.client_import_source(True), "CLIENT IMPORT-SOURCE ON"),
]

REFUSED: Refused = [
    (commands.client_kill, "client_kill must be told which connections to close"),
    (lambda: commands.client_kill(*[], skipme=True), "client_kill must be told which connections to close"),
    (lambda: commands.client_tracking(True, optin=True, optout=True), "optin and optout exclude each other"),
]

BESIDE: Beside = {commands.client_kill: {"user": "data"}}
