"""What the builders of commands on hashes send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.hget("h", "f"), "HGET h f"),
    (commands.hset("h", "f", "v"), "HSET h f v"),
    (commands.hset("h", "f", 0, mapping={"g": 1}), "HSET h f 0 g 1"),
    (commands.hset("h", mapping={b"f": 1.5}), "HSET h f 1.5"),
    (commands.hmset("h", {"f": 1, b"g": "v"}), "HMSET h f 1 g v"),
    (commands.hsetnx("h", "f", "v"), "HSETNX h f v"),
    (commands.hsetex("h", {"f": 1}), "HSETEX h FIELDS 1 f 1"),
    (commands.hsetex("h", {"f": 1, "g": 2}, fnx=True, ex=0), "HSETEX h FNX EX 0 FIELDS 2 f 1 g 2"),
    (commands.hsetex("h", {"f": 1}, xx=True, fxx=True, keepttl=True), "HSETEX h XX FXX KEEPTTL FIELDS 1 f 1"),
    (commands.hsetex("h", {"f": 1}, nx=True, px=5), "HSETEX h NX PX 5 FIELDS 1 f 1"),
    (commands.hsetex("h", {"FIELDS": "EX"}, pxat=5), "HSETEX h PXAT 5 FIELDS 1 FIELDS EX"),
    (commands.hgetex("h", "f"), "HGETEX h FIELDS 1 f"),
    (commands.hgetex("h", "f", "g", exat=7), "HGETEX h EXAT 7 FIELDS 2 f g"),
    (commands.hgetex("h", "f", persist=True), "HGETEX h PERSIST FIELDS 1 f"),
    (commands.hgetdel("h", "f", "g"), "HGETDEL h FIELDS 2 f g"),
    (commands.hgetall("h"), "HGETALL h"),
    (commands.hmget("h", "f", "g"), "HMGET h f g"),
    (commands.hdel("h", "f", "g"), "HDEL h f g"),
    (commands.hexists("h", "f"), "HEXISTS h f"),
    (commands.hstrlen("h", "f"), "HSTRLEN h f"),
    (commands.hincrby("h", "f", 2), "HINCRBY h f 2"),
    (commands.hincrbyfloat("h", "f", 2.5), "HINCRBYFLOAT h f 2.5"),
    (commands.hlen("h"), "HLEN h"),
    (commands.hkeys("h"), "HKEYS h"),
    (commands.hvals("h"), "HVALS h"),
    (commands.hscan("h", match="f*", count=5), "HSCAN h 0 MATCH f* COUNT 5"),
    (commands.hscan_novalues("h"), "HSCAN h 0 NOVALUES"),
    (commands.hscan_novalues("h", 7, match="f*", count=5), "HSCAN h 7 MATCH f* COUNT 5 NOVALUES"),
    (commands.hrandfield("h"), "HRANDFIELD h"),
    (commands.hrandfield_count("h", -2), "HRANDFIELD h -2"),
    (commands.hrandfield_withvalues("h", 2), "HRANDFIELD h 2 WITHVALUES"),
    (commands.hexpire("h", 5, "f"), "HEXPIRE h 5 FIELDS 1 f"),
    (commands.hexpire("h", 5, "f", "g", nx=True), "HEXPIRE h 5 NX FIELDS 2 f g"),
    (commands.hpexpire("h", 5, "f", xx=True, gt=True), "HPEXPIRE h 5 XX GT FIELDS 1 f"),
    (commands.hexpireat("h", 5, "f", lt=True), "HEXPIREAT h 5 LT FIELDS 1 f"),
    (commands.hpexpireat("h", 5, "NX"), "HPEXPIREAT h 5 FIELDS 1 NX"),
    (commands.hpersist("h", "f", "g"), "HPERSIST h FIELDS 2 f g"),
    (commands.httl("h", "f"), "HTTL h FIELDS 1 f"),
    (commands.hpttl("h", "f", "g"), "HPTTL h FIELDS 2 f g"),
    (commands.hexpiretime("h", "f"), "HEXPIRETIME h FIELDS 1 f"),
    (commands.hpexpiretime("h", "f"), "HPEXPIRETIME h FIELDS 1 f"),
    (commands.himport_prepare("s", "f", "g"), "HIMPORT PREPARE s f g"),
    (commands.himport_set("h", "s", 1, "v"), "HIMPORT SET h s 1 v"),
    (commands.himport_discard("s"), "HIMPORT DISCARD s"),
    (commands.himport_discardall(), "HIMPORT DISCARDALL"),
]

REFUSED: Refused = [
    (lambda: commands.hset("h", "f"), "field and value go together"),
    (lambda: commands.hsetex("h", {"f": 1}, nx=True, xx=True), "nx and xx exclude each other"),
    (lambda: commands.hsetex("h", {"f": 1}, fnx=True, fxx=True), "fnx and fxx exclude each other"),
    (lambda: commands.hsetex("h", {"f": 1}, ex=1, keepttl=True), "ex and keepttl exclude each other"),
    (lambda: commands.hgetex("h", "f", px=1, persist=True), "px and persist exclude each other"),
    (lambda: commands.hexpire("h", 1, "f", nx=True, gt=True), "nx and gt exclude each other"),
    (lambda: commands.hpexpireat("h", 1, "f", gt=True, lt=True), "gt and lt exclude each other"),
]

BESIDE: Beside = {
    commands.hset: {"field": "data", "value": "data"},
}
