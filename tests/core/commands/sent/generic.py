"""What the builders of commands on keys of any type send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.delete("k", "l"), "DEL k l"),
    (commands.unlink("k", "l"), "UNLINK k l"),
    (commands.exists("k", "k"), "EXISTS k k"),
    (commands.touch("k"), "TOUCH k"),
    (commands.expire("k", 5), "EXPIRE k 5"),
    (commands.expire("k", 5, xx=True, gt=True), "EXPIRE k 5 XX GT"),
    (commands.pexpire("k", 5, nx=True), "PEXPIRE k 5 NX"),
    (commands.expireat("k", 5, lt=True), "EXPIREAT k 5 LT"),
    (commands.pexpireat("k", 5), "PEXPIREAT k 5"),
    (commands.persist("k"), "PERSIST k"),
    (commands.ttl("k"), "TTL k"),
    (commands.pttl("k"), "PTTL k"),
    (commands.type("k"), "TYPE k"),
    (commands.rename("k", "l"), "RENAME k l"),
    (commands.renamenx("k", "l"), "RENAMENX k l"),
    (commands.keys("*"), "KEYS *"),
    (commands.scan(), "SCAN 0"),
    (commands.scan(7, match="a*", count=10, type="hash"), "SCAN 7 MATCH a* COUNT 10 TYPE hash"),
]

REFUSED: Refused = [
    (lambda: commands.expire("k", 1, nx=True, gt=True), "nx and gt exclude each other"),
    (lambda: commands.pexpireat("k", 1, gt=True, lt=True), "gt and lt exclude each other"),
]
