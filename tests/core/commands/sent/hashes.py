"""What the builders of commands on hashes send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.hget("h", "f"), "HGET h f"),
    (commands.hset("h", "f", "v"), "HSET h f v"),
    (commands.hset("h", "f", 0, mapping={"g": 1}), "HSET h f 0 g 1"),
    (commands.hset("h", mapping={b"f": 1.5}), "HSET h f 1.5"),
    (commands.hsetnx("h", "f", "v"), "HSETNX h f v"),
    (commands.hgetall("h"), "HGETALL h"),
    (commands.hmget("h", "f", "g"), "HMGET h f g"),
    (commands.hdel("h", "f", "g"), "HDEL h f g"),
    (commands.hexists("h", "f"), "HEXISTS h f"),
    (commands.hincrby("h", "f", 2), "HINCRBY h f 2"),
    (commands.hincrbyfloat("h", "f", 2.5), "HINCRBYFLOAT h f 2.5"),
    (commands.hlen("h"), "HLEN h"),
    (commands.hkeys("h"), "HKEYS h"),
    (commands.hvals("h"), "HVALS h"),
    (commands.hscan("h", match="f*", count=5), "HSCAN h 0 MATCH f* COUNT 5"),
]

REFUSED: Refused = [
    (lambda: commands.hset("h", "f"), "field and value go together"),
]

BESIDE: Beside = {
    commands.hset: {"field": "data", "value": "data"},
}
