"""What commands on functions return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like, Refused
from resp_sansio import commands

LIBRARY = """#!lua name=lib
redis.register_function{
    function_name='echo', callback=function(keys, args) return {keys[1], args[1]} end, flags={'no-writes'}, description='d'
}
redis.register_function('write', function(keys, args) redis.call('SET', keys[1], 1) return redis.status_reply('done') end)
"""
FUNCTIONS = [
    {"name": "echo", "description": "d", "flags": {"no-writes"}},
    {"name": "write", "description": None, "flags": set()},
]

FAMILIES = [
    Family(
        "functions",
        [
            (commands.function_flush(), None),
            (commands.function_list(), [], lambda redis: redis.function_list()),
            (commands.function_load(LIBRARY), "lib"),
            (commands.function_load(LIBRARY), Refused("ERR")),  # it is there
            (commands.function_load(LIBRARY, replace=True), "lib"),
            (commands.function_list(), [{"library_name": "lib", "engine": "LUA", "functions": FUNCTIONS}]),
            (
                commands.function_list(libraryname="l*", withcode=True),
                [{"library_name": "lib", "engine": "LUA", "functions": FUNCTIONS, "library_code": LIBRARY}],
            ),
            (commands.fcall("echo", 1, "k", "a"), [b"k", b"a"], lambda redis: redis.fcall("echo", 1, "k", "a")),
            (commands.fcall_ro("echo", 1, "k", "a"), [b"k", b"a"]),
            (commands.fcall("write", 1, "k"), "done"),
            (commands.get("k"), b"1"),
            (
                commands.function_stats(),
                {"running_script": None, "engines": {"LUA": {"libraries_count": 1, "functions_count": 2}}},
            ),
            (commands.function_kill(), Refused("NOTBUSY")),
            (commands.function_dump(), Like(bytes)),
            (commands.function_restore(b"no dump"), Refused("ERR")),
            (commands.function_delete("lib"), None),
            (commands.function_delete("lib"), Refused("ERR")),
            (commands.function_flush(asynchronous=True), None),
            (commands.function_flush(sync=True), None),
        ],
        needs=("FUNCTION",),
    ),
]
