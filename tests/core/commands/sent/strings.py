"""What the builders of commands on strings send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.get("k"), "GET k"),
    (commands.set("k", "v"), "SET k v"),
    (commands.set("k", "v", ex=0), "SET k v EX 0"),
    (commands.set("k", "v", px=5, nx=True), "SET k v NX PX 5"),
    (commands.set("k", "v", keepttl=True, xx=True), "SET k v XX KEEPTTL"),
    (commands.set("k", "v", exat=7), "SET k v EXAT 7"),
    (commands.set("k", "v", pxat=7), "SET k v PXAT 7"),
    (commands.set_get("k", "v"), "SET k v GET"),
    (commands.set_get("k", "v", ex=5, nx=True), "SET k v NX GET EX 5"),
    (commands.getdel("k"), "GETDEL k"),
    (commands.getex("k", ex=5), "GETEX k EX 5"),
    (commands.getex("k", persist=True), "GETEX k PERSIST"),
    (commands.mget("k"), "MGET k"),
    (commands.mget("k", "l", b"m"), "MGET k l m"),
    (commands.mset({"k": 1, "l": b"2"}), "MSET k 1 l 2"),
    (commands.msetnx({"k": 1, "l": 2.5}), "MSETNX k 1 l 2.5"),
    (commands.append("k", "v"), "APPEND k v"),
    (commands.strlen("k"), "STRLEN k"),
    (commands.getrange("k", 0, -1), "GETRANGE k 0 -1"),
    (commands.setrange("k", 3, "v"), "SETRANGE k 3 v"),
    (commands.incr("k"), "INCR k"),
    (commands.incrby("k", 5), "INCRBY k 5"),
    (commands.incrbyfloat("k", 0.5), "INCRBYFLOAT k 0.5"),
    (commands.decr("k"), "DECR k"),
    (commands.decrby("k", 5), "DECRBY k 5"),
]

REFUSED: Refused = [
    (lambda: commands.set("k", "v", nx=True, xx=True), "nx and xx exclude each other"),
    (lambda: commands.set("k", "v", ex=0, keepttl=True), "ex and keepttl exclude each other"),
    (lambda: commands.set_get("k", "v", px=1, exat=2, pxat=3), "px and exat and pxat exclude each other"),
    (lambda: commands.getex("k", ex=1, persist=True), "ex and persist exclude each other"),
]
