"""Write `resp_sansio/_command_table.py`: what servers say of their commands in COMMAND and COMMAND DOCS.

    python tests/generate_command_table.py path/to/redis-server path/to/newer/redis-server path/to/valkey-server

Each server is started, asked and stopped. Of a command that several know, flags are added up, keys are those of the last one,
and the version is the first of each product. Only what a server says of itself, and `BY_HAND`, is data; what no server says
(how a command blocks, what it does to its connection, which arguments are secret) is kept in `resp_sansio/commands/knowledge.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from servers import Server

TABLE: Final = Path(__file__).resolve().parent.parent / "resp_sansio" / "commands" / "table.py"

HEADER: Final = '''\
"""What servers say of their commands: data, written by `tests/generate_command_table.py`, not by hand.

One line per command or subcommand: `"NAME": "flags keys since"`.

- Flags: `r` reads only, `w` writes, `b` may block, `c` a container of subcommands, `n` not allowed inside MULTI; `-` none.
- Keys: `-` for none, or specifications separated by commas. `1` is the argument at index 1; `1:-2:1` is from index 1 to the
  last but one (0 being the first itself, -1 the very last argument), each; `2#1` says that index 2 holds the number of keys
  that follow it, each; `STREAMS@1:-1:1/2` begins behind the word STREAMS, looked for from index 1, and takes half of what
  follows; `!` marks what decides the cluster's slot without being a key; `?` is known to the server alone.
- Since: the version that brought the command; where Redis and Valkey have gone separate ways (after Redis 7.2) it says whose.

From {sources}.
"""

from __future__ import annotations

from typing import Final

TABLE: Final[dict[str, str]] = {{
'''

BY_HAND: Final = (
    # Newer than the servers that are usually asked. Redis: the pages of https://redis.io/docs/latest/commands/ (flags and key
    # specifications are those of COMMAND on Redis 8.10); Valkey: src/commands/*.json of https://github.com/valkey-io/valkey.
    ("w 1 Redis 8.8.0", "INCREX XNACK"),
    ("w 1 Valkey 9.2.0", "XACKDEL XDELEX"),
    # Lists and sets.
    ("w 1,2 Redis 8.10.0", "LMOVEM"),
    ("bw 1,2 Redis 8.10.0", "BLMOVEM"),
    ("r 1#1 Redis 8.10.0", "SDIFFCARD SUNIONCARD"),
    # Hashes made from field names that the connection keeps.
    ("c - Redis 8.10.0", "HIMPORT"),
    ("- - Redis 8.10.0", "HIMPORT_DISCARD HIMPORT_DISCARDALL HIMPORT_PREPARE"),
    ("w 2 Redis 8.10.0", "HIMPORT_SET"),
    # Arrays.
    ("w 1 Redis 8.8.0", "ARDEL ARDELRANGE ARINSERT ARMSET ARRING ARSEEK ARSET"),
    ("r 1 Redis 8.8.0", "ARCOUNT ARGET ARGETRANGE ARGREP ARINFO ARLASTITEMS ARLEN ARMGET ARNEXT AROP ARSCAN"),
    # Administration.
    ("c - Redis 8.10.0", "BACKUP"),
    ("- - Redis 8.10.0", "BACKUP_ABORT BACKUP_CLEANUP BACKUP_HELP BACKUP_LIST BACKUP_SEAL BACKUP_START BACKUP_STATUS"),
    # Of Redis Software and Redis Cloud only: https://redis.io/docs/latest/develop/clients/sch
    ("- - Redis Software 8.0.2", "CLIENT_MAINT_NOTIFICATIONS"),
    # A Sentinel's only; COMMAND DOCS of one says so.
    ("- - 2.8.0", "SENTINEL_SLAVES"),
    ("c - 2.8.4", "SENTINEL"),
    ("- - 2.8.4", "SENTINEL_CKQUORUM SENTINEL_FAILOVER SENTINEL_FLUSHCONFIG SENTINEL_GET-MASTER-ADDR-BY-NAME"),
    ("- - 2.8.4", "SENTINEL_IS-MASTER-DOWN-BY-ADDR SENTINEL_MASTER SENTINEL_MASTERS SENTINEL_MONITOR"),
    ("- - 2.8.4", "SENTINEL_PENDING-SCRIPTS SENTINEL_REMOVE SENTINEL_RESET SENTINEL_SENTINELS SENTINEL_SET"),
    ("- - 3.2.0", "SENTINEL_INFO-CACHE SENTINEL_SIMULATE-FAILURE"),
    ("- - 5.0.0", "SENTINEL_REPLICAS"),
    ("- - 6.2.0", "SENTINEL_CONFIG SENTINEL_HELP SENTINEL_MYID"),
    ("- - 7.0.0", "SENTINEL_DEBUG"),
    ("- - Valkey 8.0.0", "SENTINEL_GET-PRIMARY-ADDR-BY-NAME SENTINEL_IS-PRIMARY-DOWN-BY-ADDR"),
    ("- - Valkey 8.0.0", "SENTINEL_PRIMARIES SENTINEL_PRIMARY"),
    # The modules that became part of Redis 8; of their commands those whose page leaves no doubt. Left out: FT.DEBUG, those
    # of a module's own cluster, and the unfinished ones that begin with an underscore. A server's word on them is not
    # taken: RediSearch flags those that change an index, an alias or a dictionary as reading, and gives first keys alone.
    ("r 1 a module, Redis 8.0.0", "BF.CARD BF.EXISTS BF.INFO BF.MEXISTS BF.SCANDUMP"),
    ("w 1 a module, Redis 8.0.0", "BF.ADD BF.INSERT BF.LOADCHUNK BF.MADD BF.RESERVE"),
    ("r 1 a module, Redis 8.0.0", "CF.COUNT CF.EXISTS CF.INFO CF.MEXISTS CF.SCANDUMP"),
    ("w 1 a module, Redis 8.0.0", "CF.ADD CF.ADDNX CF.DEL CF.INSERT CF.INSERTNX CF.LOADCHUNK CF.RESERVE"),
    ("r 1 a module, Redis 8.0.0", "CMS.INFO CMS.QUERY TOPK.COUNT TOPK.INFO TOPK.LIST TOPK.QUERY"),
    ("w 1 a module, Redis 8.0.0", "CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB TOPK.ADD TOPK.INCRBY TOPK.RESERVE"),
    ("r 1 a module, Redis 8.0.0", "TDIGEST.BYRANK TDIGEST.BYREVRANK TDIGEST.CDF TDIGEST.INFO TDIGEST.MAX TDIGEST.MIN"),
    ("r 1 a module, Redis 8.0.0", "TDIGEST.QUANTILE TDIGEST.RANK TDIGEST.REVRANK TDIGEST.TRIMMED_MEAN"),
    ("w 1 a module, Redis 8.0.0", "TDIGEST.ADD TDIGEST.CREATE TDIGEST.RESET"),
    (
        "r 1 a module, Redis 8.0.0",
        "JSON.ARRINDEX JSON.ARRLEN JSON.GET JSON.OBJKEYS JSON.OBJLEN JSON.RESP JSON.STRLEN JSON.TYPE",
    ),
    (
        "w 1 a module, Redis 8.0.0",
        "JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP JSON.ARRTRIM JSON.CLEAR JSON.DEL JSON.FORGET",
    ),
    ("w 1 a module, Redis 8.0.0", "JSON.MERGE JSON.NUMINCRBY JSON.NUMMULTBY JSON.SET JSON.STRAPPEND JSON.TOGGLE"),
    ("w 1:-1:3 a module, Redis 8.0.0", "JSON.MSET TS.MADD"),
    ("c - a module, Redis 8.0.0", "JSON.DEBUG"),
    ("- - a module, Redis 8.0.0", "JSON.DEBUG|HELP"),
    ("r 2 a module, Redis 8.0.0", "JSON.DEBUG|MEMORY"),
    ("r 1 a module, Redis 8.0.0", "TS.GET TS.INFO TS.RANGE TS.REVRANGE"),
    ("w 1 a module, Redis 8.0.0", "TS.ADD TS.ALTER TS.CREATE TS.DECRBY TS.DEL TS.INCRBY"),
    ("w 1,2 a module, Redis 8.0.0", "TS.CREATERULE TS.DELETERULE"),
    ("r - a module, Redis 8.0.0", "TS.MGET TS.MRANGE TS.MREVRANGE TS.QUERYINDEX"),
    ("br 1 Redis 8.10.0", "TS.READ"),
    ("r 1#1 Redis 8.10.0", "TS.NRANGE TS.NREVRANGE"),
    ("r - Redis 8.10.0", "TS.QUERYLABELS"),
    ("r 1 a module, Redis 8.0.0", "FT.SUGGET FT.SUGLEN"),
    ("w 1 a module, Redis 8.0.0", "FT.SUGADD FT.SUGDEL"),
    ("r - a module, Redis 8.0.0", "FT.AGGREGATE FT.DICTDUMP FT.EXPLAIN FT.EXPLAINCLI FT.INFO FT.PROFILE FT.SEARCH"),
    ("r - a module, Redis 8.0.0", "FT.SPELLCHECK FT.SYNDUMP FT.TAGVALS FT._LIST"),
    ("r - Redis 8.10.0", "FT.ALIASLIST"),
    ("w - a module, Redis 8.0.0", "FT.ALIASADD FT.ALIASDEL FT.ALIASUPDATE FT.ALTER FT.CREATE FT.DICTADD FT.DICTDEL"),
    ("w - a module, Redis 8.0.0", "FT.DROPINDEX FT.SYNUPDATE"),
    ("c - a module, Redis 8.0.0", "FT.CONFIG FT.CURSOR"),
    ("r - a module, Redis 8.0.0", "FT.CONFIG|GET"),
    ("- - a module, Redis 8.0.0", "FT.CONFIG|HELP FT.CONFIG|SET"),
    ("- - a module, Redis 8.0.0", "FT.CURSOR|DEL FT.CURSOR|READ"),  # which moves the cursor on
    # By their pages all but the path at the end are keys, and so are numbered sources.
    ("r 1:-2:1 a module, Redis 8.0.0", "JSON.MGET"),
    ("w 1,2#1 a module, Redis 8.0.0", "CMS.MERGE TDIGEST.MERGE"),
    ("r - Redis 8.4.4", "FT.HYBRID"),
)
"""Lines of the table, and the commands that each is about. An underscore stands before a subcommand, of a module's command `|`."""


SHARED: Final = ""
LAST_SHARED: Final = (7, 2, 4)
"""Valkey began as this Redis, so what it dates up to there is in Redis too."""


class Line(NamedTuple):
    """What is known of one command; the fields are the table's columns."""

    flags: frozenset[str]
    keys: str
    since: dict[str, str]
    """The version that brought it, by product; under `SHARED`, if it is one of before they were two."""

    def __str__(self) -> str:
        brought = [f"{product} {version}".lstrip() for product, version in sorted(self.since.items())]
        return f"{''.join(sorted(self.flags)) or '-'} {self.keys} {', '.join(brought)}"

    def and_also(self, later: Line) -> Line:
        """Return what this and a later answer say together."""
        since = {**later.since, **self.since}
        if SHARED in since:
            since = {SHARED: since[SHARED]}
        return Line(self.flags | later.flags, later.keys, since)


LETTERS: Final = {b"readonly": "r", b"write": "w", b"blocking": "b", b"no_multi": "n"}


def ask(server: Server) -> dict[str, Line]:
    """Ask a server for all of its own commands, without those of modules."""
    docs: Any = server.call("COMMAND", "DOCS")
    found = dict(lines(server.call("COMMAND"), server.product.capitalize(), dict(versions(docs))))
    containers = {name.split()[0] for name in found if " " in name}
    return {
        name: line._replace(flags=line.flags | {"c"}) if name in containers else line
        for name, line in found.items()
        if "." not in name
    }


def versions(docs: list[Any]) -> list[tuple[str, str]]:
    """Read COMMAND DOCS: the version that brought each command. Redis 8.0 does not know it of vector sets."""
    found = []
    for name, facts in zip(docs[::2], docs[1::2], strict=True):
        about = dict(zip(facts[::2], facts[1::2], strict=True))
        if b"since" in about:
            found.append((spelled(name), about[b"since"].decode()))
        found += versions(about.get(b"subcommands", []))
    return found


def lines(entries: Any, product: str, since: dict[str, str]) -> list[tuple[str, Line]]:
    """Read COMMAND, or the subcommands inside one of its entries."""
    found = []
    for name, _, flags, _, _, _, _, _, keys, subcommands in entries:
        letters = frozenset(LETTERS[flag] for flag in flags if flag in LETTERS)
        version = since.get(spelled(name))
        shared = version is not None and tuple(map(int, version.split("."))) <= LAST_SHARED
        brought = {} if version is None else {SHARED if shared else product: version}
        line = Line(letters, ",".join(map(specification, keys)) or "-", brought)
        found += [(spelled(name), line), *lines(subcommands, product, since)]
    return found


def spelled(name: bytes) -> str:
    """Return `config|get` as `CONFIG GET`."""
    return name.decode().upper().replace("|", " ")


def specification(parts: list[Any]) -> str:
    """Return a key specification in the table's notation."""
    spec = as_map(parts)
    begin, find = as_map(spec[b"begin_search"]), as_map(spec[b"find_keys"])
    where, how = as_map(begin[b"spec"]), as_map(find[b"spec"])
    mark = "!" if b"not_key" in spec[b"flags"] else ""
    match begin[b"type"]:
        case b"index":
            start = f"{where[b'index']}"
        case b"keyword":
            start = f"{where[b'keyword'].decode()}@{where[b'startfrom']}"
        case _:
            return "?"
    match find[b"type"]:
        case b"range":
            last, step, limit = how[b"lastkey"], how[b"keystep"], how[b"limit"]
            span = f":{last}:{step}" if (last, step) != (0, 1) else ""
            return f"{start}{span}{f'/{limit}' if limit else ''}{mark}"
        case b"keynum":
            if (how[b"keynumidx"], how[b"firstkey"]) != (0, 1):
                raise ValueError(f"a number of keys that does not stand right before them: {how}")
            return f"{start}#{how[b'keystep']}{mark}"
        case _:
            return "?"


def as_map(flat: list[Any]) -> dict[bytes, Any]:
    """Return a map that RESP2 spoke as an array."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def by_hand() -> dict[str, Line]:
    """Read `BY_HAND`."""
    found = {}
    for text, names in BY_HAND:
        flags, keys, since = text.split(" ", 2)
        for name in names.split():
            found[spelled_by_hand(name)] = Line(frozenset(flags.strip("-")), keys, brought_by_hand(since))
    return found


def spelled_by_hand(name: str) -> str:
    """Return `HIMPORT_SET` and `FT.CONFIG|GET` with a space, and leave the underscores that belong to a name."""
    return name.replace("|", " ") if "." in name or name.endswith("_RO") else name.replace("_", " ", 1)


def brought_by_hand(since: str) -> dict[str, str]:
    """Return `Redis 8.0.0` as `{"Redis": "8.0.0"}`; `a module` stays what it is."""
    product, _, version = since.rpartition(" ")
    return {product: version}


def merged(answers: list[dict[str, Line]]) -> dict[str, Line]:
    """Put together what the servers said, and what was written by hand of commands that none of them has, or one product only."""
    table: dict[str, Line] = {}
    for answer in answers:
        for name, line in answer.items():
            table[name] = table[name].and_also(line) if name in table else line
    for name, line in by_hand().items():
        table[name] = table[name].and_also(line) if name in table else line
    return table


def main(executables: list[str]) -> None:
    """Ask the servers named on the command line, and write the table."""
    if not executables:
        sys.exit(__doc__)
    answers, sources = [], []
    for executable in executables:
        with Server(executable=Path(executable)) as server:
            answers.append(ask(server))
            sources.append(f"{server.product.capitalize()} {'.'.join(map(str, server.version))}")
    text = HEADER.format(sources=", ".join([*sources, "and the script's list of what they do not say"]))
    table = merged(answers)
    text += "".join(f'    "{name}": "{line}",\n' for name, line in sorted(table.items()))
    TABLE.write_text(text + "}\n")
    print(f"{TABLE.name}: {len(table)} commands and subcommands")


if __name__ == "__main__":
    main(sys.argv[1:])
