"""What the builders of commands on keys of any type send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.delete("k", "l"), "DEL k l"),
    (commands.unlink("k", "l"), "UNLINK k l"),
    (commands.exists("k", "k"), "EXISTS k k"),
    (commands.touch("k"), "TOUCH k"),
    (commands.copy("k", "l"), "COPY k l"),
    (commands.copy("k", "l", db=0, replace=True), "COPY k l DB 0 REPLACE"),
    (commands.move("k", 2), "MOVE k 2"),
    (commands.randomkey(), "RANDOMKEY"),
    (commands.expire("k", 5), "EXPIRE k 5"),
    (commands.expire("k", 5, xx=True, gt=True), "EXPIRE k 5 XX GT"),
    (commands.pexpire("k", 5, nx=True), "PEXPIRE k 5 NX"),
    (commands.expireat("k", 5, lt=True), "EXPIREAT k 5 LT"),
    (commands.pexpireat("k", 5), "PEXPIREAT k 5"),
    (commands.persist("k"), "PERSIST k"),
    (commands.ttl("k"), "TTL k"),
    (commands.pttl("k"), "PTTL k"),
    (commands.expiretime("k"), "EXPIRETIME k"),
    (commands.pexpiretime("k"), "PEXPIRETIME k"),
    (commands.type("k"), "TYPE k"),
    (commands.rename("k", "l"), "RENAME k l"),
    (commands.renamenx("k", "l"), "RENAMENX k l"),
    (commands.keys("*"), "KEYS *"),
    (commands.scan(), "SCAN 0"),
    (commands.scan(7, match="a*", count=10, type="hash"), "SCAN 7 MATCH a* COUNT 10 TYPE hash"),
    (commands.dump("k"), "DUMP k"),
    (commands.restore("k", 0, b"\x00"), "RESTORE k 0 \x00"),
    (commands.restore("k", 5, "d", replace=True, absttl=True, idletime=0), "RESTORE k 5 d REPLACE ABSTTL IDLETIME 0"),
    (commands.restore("k", 5, "d", freq=9), "RESTORE k 5 d FREQ 9"),
    (commands.migrate("host", 6379, "k", 0, 500), "MIGRATE host 6379 k 0 500"),
    (
        commands.migrate("host", 6379, "k", 1, 500, "l", "m", copy=True, replace=True, auth="secret"),
        "MIGRATE host 6379  1 500 COPY REPLACE AUTH secret KEYS k l m",
    ),
    (
        commands.migrate("host", 6379, "k", 1, 500, auth2=("name", "secret")),
        "MIGRATE host 6379 k 1 500 AUTH2 name secret",
    ),
    (commands.object_encoding("k"), "OBJECT ENCODING k"),
    (commands.object_freq("k"), "OBJECT FREQ k"),
    (commands.object_idletime("k"), "OBJECT IDLETIME k"),
    (commands.object_refcount("k"), "OBJECT REFCOUNT k"),
    (commands.sort("k"), "SORT k"),
    (
        commands.sort("k", by="w_*", limit=(0, 5), desc=True, alpha=True),
        "SORT k BY w_* LIMIT 0 5 DESC ALPHA",
    ),
    (commands.sort_get("k", "#", "v_*", by="w_*", alpha=True), "SORT k BY w_* GET # GET v_* ALPHA"),
    (commands.sort_store("k", "d"), "SORT k STORE d"),
    (commands.sort_store("k", "d", "v_*", by="nosort", limit=(1, 2)), "SORT k BY nosort LIMIT 1 2 GET v_* STORE d"),
    (commands.sort_ro("k", desc=True), "SORT_RO k DESC"),
    (commands.sort_ro_get("k", "v_*->f"), "SORT_RO k GET v_*->f"),
]

REFUSED: Refused = [
    (lambda: commands.expire("k", 1, nx=True, gt=True), "nx and gt exclude each other"),
    (lambda: commands.restore("k", 0, "d", idletime=0, freq=0), "idletime and freq exclude each other"),
    (lambda: commands.migrate("h", 1, "k", 0, 1, auth="s", auth2=("n", "s")), "auth and auth2 exclude each other"),
    (lambda: commands.pexpireat("k", 1, gt=True, lt=True), "gt and lt exclude each other"),
]
