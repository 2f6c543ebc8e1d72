"""What the builders of commands on JSON documents send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Refused, Sent
from resp_sansio import commands

SENT: Sent = [
    (commands.json_set("d", "$", '{"a":1}'), 'JSON.SET d $ {"a":1}'),
    (commands.json_set("d", b"$.a", 1.5, nx=True), "JSON.SET d $.a 1.5 NX"),
    (commands.json_set("d", "$.a", 1, xx=True, fpha="BF16"), "JSON.SET d $.a 1 XX FPHA BF16"),
    (commands.json_get("d"), "JSON.GET d"),
    (commands.json_get("d", "$", '$["a"]'), 'JSON.GET d $ $["a"]'),
    (commands.json_get("d", "$", indent="~", newline="n", space="s"), "JSON.GET d INDENT ~ NEWLINE n SPACE s $"),
    (commands.json_mget("d", "e", path="$.a"), "JSON.MGET d e $.a"),
    (commands.json_mset(("d", "$", 1), ("e", "$.a", "[]")), "JSON.MSET d $ 1 e $.a []"),
    (commands.json_merge("d", "$", "{}"), "JSON.MERGE d $ {}"),
    (commands.json_del("d"), "JSON.DEL d $"),
    (commands.json_forget("d", "$.a"), "JSON.FORGET d $.a"),
    (commands.json_clear("d"), "JSON.CLEAR d $"),
    (commands.json_type("d"), "JSON.TYPE d $"),
    (commands.json_toggle("d", "$.t"), "JSON.TOGGLE d $.t"),
    (commands.json_numincrby("d", "$.n", 2), "JSON.NUMINCRBY d $.n 2"),
    (commands.json_nummultby("d", "$.n", 0.5), "JSON.NUMMULTBY d $.n 0.5"),
    (commands.json_strappend("d", "$.s", '"x"'), 'JSON.STRAPPEND d $.s "x"'),
    (commands.json_strlen("d"), "JSON.STRLEN d $"),
    (commands.json_arrappend("d", "$.l", 1, "null"), "JSON.ARRAPPEND d $.l 1 null"),
    (commands.json_arrindex("d", "$.l", 5), "JSON.ARRINDEX d $.l 5 0 0"),
    (commands.json_arrinsert("d", "$.l", -1, 7, 8), "JSON.ARRINSERT d $.l -1 7 8"),
    (commands.json_arrlen("d"), "JSON.ARRLEN d $"),
    (commands.json_arrpop("d"), "JSON.ARRPOP d $ -1"),
    (commands.json_arrtrim("d", "$.l", 0, 2), "JSON.ARRTRIM d $.l 0 2"),
    (commands.json_objkeys("d"), "JSON.OBJKEYS d $"),
    (commands.json_objlen("d"), "JSON.OBJLEN d $"),
    (commands.json_resp("d"), "JSON.RESP d $"),
    (commands.json_debug_memory("d"), "JSON.DEBUG MEMORY d $"),
]

REFUSED: Refused = [
    (lambda: commands.json_set("d", "$", 1, nx=True, xx=True), "nx and xx exclude each other"),
    (lambda: commands.json_get("d", ".a"), r"^path of JSON\.GET must be '\$', or begin with '\$\.' or '\$\['$"),
    (lambda: commands.json_del("d", "$a"), "path of JSON.DEL must be"),
    (lambda: commands.json_mset(("d", b"a", 1)), "path of JSON.MSET must be"),
]
