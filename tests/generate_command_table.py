"""Write `resp_sansio/_command_table.py`: what servers say of their commands in COMMAND and COMMAND DOCS.

    python tests/generate_command_table.py path/to/redis-server path/to/valkey-server

Each server is started, asked and stopped; what a later one says of a command wins, flags are added up. Only what a server says
of itself, and `NEWER`, is data; what no server says (how a command blocks, what it does to its connection, which arguments are
secret) is kept by hand in `resp_sansio/_commands.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from servers import Server

TABLE: Final = Path(__file__).resolve().parent.parent / "resp_sansio" / "_command_table.py"

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

NEWER: Final = (
    # Newer than the servers that were asked. Redis: the pages of https://redis.io/docs/latest/commands/ (flags and key
    # specifications are those of COMMAND on Redis 8.10); Valkey: src/commands/*.json of https://github.com/valkey-io/valkey.
    # Expiration of hash fields.
    ("w 1 Redis 7.4.0, Valkey 9.0.0", "HEXPIRE HEXPIREAT HPERSIST HPEXPIRE HPEXPIREAT"),
    ("r 1 Redis 7.4.0, Valkey 9.0.0", "HEXPIRETIME HPEXPIRETIME HPTTL HTTL"),
    ("w 1 Redis 8.0.0, Valkey 9.0.0", "HGETEX HSETEX"),
    ("w 1 Redis 8.0.0, Valkey 9.1.0", "HGETDEL"),
    # Streams.
    ("w 1 Redis 8.2.0, Valkey 9.2.0", "XACKDEL XDELEX"),
    ("w 1 Redis 8.6.0", "XCFGSET"),
    ("w 1 Redis 8.8.0", "XIDMPRECORD XNACK"),
    # Strings compared before they are touched, and several set at once.
    ("w 1 Redis 8.4.0", "DELEX"),
    ("r 1 Redis 8.4.0", "DIGEST"),
    ("w 1#2 Redis 8.4.0, Valkey 9.1.0", "MSETEX"),
    ("w 1 Redis 8.8.0", "INCREX"),
    ("w 1 Valkey 9.0.0", "DELIFEQ"),
    # Lists and sets.
    ("w 1,2 Redis 8.10.0", "LMOVEM"),
    ("bw 1,2 Redis 8.10.0", "BLMOVEM"),
    ("r 1#1 Redis 8.10.0", "SDIFFCARD SUNIONCARD"),
    # Hashes made from field names that the connection keeps.
    ("c - Redis 8.10.0", "HIMPORT"),
    ("- - Redis 8.10.0", "HIMPORT_DISCARD HIMPORT_DISCARDALL HIMPORT_PREPARE"),
    ("w 2 Redis 8.10.0", "HIMPORT_SET"),
    # Vector sets.
    ("w 1 Redis 8.0.0", "VADD VREM VSETATTR"),
    ("r 1 Redis 8.0.0", "VCARD VDIM VEMB VGETATTR VINFO VLINKS VRANDMEMBER VSIM"),
    ("r 1 Redis 8.2.0", "VISMEMBER"),
    ("r 1 Redis 8.4.0", "VRANGE"),
    # Arrays.
    ("w 1 Redis 8.8.0", "ARDEL ARDELRANGE ARINSERT ARMSET ARRING ARSEEK ARSET"),
    ("r 1 Redis 8.8.0", "ARCOUNT ARGET ARGETRANGE ARGREP ARINFO ARLASTITEMS ARLEN ARMGET ARNEXT AROP ARSCAN"),
    # Administration.
    ("c - Redis 8.6.0", "HOTKEYS"),
    ("- - Redis 8.6.0", "HOTKEYS_GET HOTKEYS_RESET HOTKEYS_START HOTKEYS_STOP"),
    ("- - Redis 8.6.1", "HOTKEYS_HELP"),
    ("c - Redis 8.10.0", "BACKUP"),
    ("- - Redis 8.10.0", "BACKUP_ABORT BACKUP_CLEANUP BACKUP_HELP BACKUP_LIST BACKUP_SEAL BACKUP_START BACKUP_STATUS"),
    ("- - Redis 8.4.0", "CLUSTER_MIGRATION"),
    ("w - Redis 8.4.0", "TRIMSLOTS"),
    ("- - Redis 8.4.0, Valkey 9.0.0", "CLUSTER_SYNCSLOTS"),
    ("- - Valkey 9.0.0", "CLUSTER_CANCELSLOTMIGRATIONS CLUSTER_GETSLOTMIGRATIONS CLUSTER_MIGRATESLOTS"),
    ("w - Valkey 9.0.0", "CLUSTER_FLUSHSLOT"),
    ("r 1! Valkey 9.1.0", "CLUSTERSCAN"),
    ("- - Valkey 8.2.0", "CLIENT_IMPORT-SOURCE"),
    ("c - Valkey 8.1.0", "COMMANDLOG"),
    ("- - Valkey 8.1.0", "COMMANDLOG_GET COMMANDLOG_HELP COMMANDLOG_LEN COMMANDLOG_RESET"),
    # A Sentinel's only: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-commands
    ("c - 2.8.4", "SENTINEL"),
    ("- - 2.8.4", "SENTINEL_FAILOVER SENTINEL_MONITOR SENTINEL_REMOVE SENTINEL_RESET SENTINEL_SET"),
    ("- - 2.8.4", "SENTINEL_GET-MASTER-ADDR-BY-NAME SENTINEL_MASTER SENTINEL_MASTERS SENTINEL_SENTINELS"),
    ("- - 5.0.0", "SENTINEL_REPLICAS"),
    ("- - 6.2.0", "SENTINEL_CONFIG SENTINEL_MYID"),
    # The modules that became part of Redis 8; of their commands those whose page leaves no doubt. Left out: DEBUG ones, those
    # of a module's own cluster, and the unfinished ones that begin with an underscore.
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
    # COMMAND gives the first key alone. By their pages all but the path at the end are keys, and so are numbered sources.
    ("r 1:-2:1 a module, Redis 8.0.0", "JSON.MGET"),
    ("w 1,2#1 a module, Redis 8.0.0", "CMS.MERGE TDIGEST.MERGE"),
    ("r - Redis 8.4.4", "FT.HYBRID"),
)
"""Lines of the table, and the commands that each is about (an underscore stands before a subcommand)."""


class Line(NamedTuple):
    """What is known of one command; the fields are the table's columns."""

    flags: frozenset[str]
    keys: str
    since: str

    def __str__(self) -> str:
        return f"{''.join(sorted(self.flags)) or '-'} {self.keys} {self.since}"


LETTERS: Final = {b"readonly": "r", b"write": "w", b"blocking": "b", b"no_multi": "n"}


def ask(server: Server) -> dict[str, Line]:
    """Ask a server for all of its commands."""
    docs: Any = server.call("COMMAND", "DOCS")
    since = dict(versions(docs))
    found = dict(lines(server.call("COMMAND"), since))
    containers = {name.split()[0] for name in found if " " in name}
    return {
        name: line._replace(flags=line.flags | {"c"}) if name in containers else line for name, line in found.items()
    }


def versions(docs: list[Any]) -> list[tuple[str, str]]:
    """Read COMMAND DOCS: the version that brought each command."""
    found = []
    for name, facts in zip(docs[::2], docs[1::2], strict=True):
        about = dict(zip(facts[::2], facts[1::2], strict=True))
        found += [(spelled(name), about[b"since"].decode()), *versions(about.get(b"subcommands", []))]
    return found


def lines(entries: Any, since: dict[str, str]) -> list[tuple[str, Line]]:
    """Read COMMAND, or the subcommands inside one of its entries."""
    found = []
    for name, _, flags, _, _, _, _, _, keys, subcommands in entries:
        letters = frozenset(LETTERS[flag] for flag in flags if flag in LETTERS)
        line = Line(letters, ",".join(map(specification, keys)) or "-", since[spelled(name)])
        found += [(spelled(name), line), *lines(subcommands, since)]
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


def newer() -> dict[str, Line]:
    """Read `NEWER`."""
    found = {}
    for text, names in NEWER:
        flags, keys, since = text.split(" ", 2)
        for name in names.split():
            found[spelled_by_hand(name)] = Line(frozenset(flags.strip("-")), keys, since)
    return found


def spelled_by_hand(name: str) -> str:
    """Return `HIMPORT_SET` as `HIMPORT SET`, and leave the underscores that belong to a name."""
    return name if "." in name or name.endswith("_RO") else name.replace("_", " ", 1)


def merged(answers: dict[str, dict[str, Line]]) -> dict[str, Line]:
    """Merge what was written by hand with what the servers said. `answers` has a product's name for each server's lines."""
    table = newer()
    asked: dict[str, dict[str, Line]] = {}
    for product, answer in answers.items():
        for name, line in answer.items():
            asked.setdefault(name, {})[product] = line
    for name, by_product in asked.items():
        flags = frozenset[str]().union(*(line.flags for line in by_product.values()))
        since = table[name].since if name in table else whose(by_product, answers)
        table[name] = Line(flags, list(by_product.values())[-1].keys, since)
    return table


def whose(by_product: dict[str, Line], answers: dict[str, dict[str, Line]]) -> str:
    """Say which version brought a command, and in which of the two products if only one has it."""
    product, line = next(iter(by_product.items()))
    # Valkey began as Redis 7.2.4, so what it dates up to there is in Redis too.
    shared = len(by_product) == len(answers) or tuple(map(int, line.since.split("."))) <= (7, 2, 4)
    return line.since if shared else f"{product.capitalize()} {line.since}"


def main(executables: list[str]) -> None:
    """Ask the servers named on the command line, and write the table."""
    if not executables:
        sys.exit(__doc__)
    answers, sources = {}, []
    for executable in executables:
        with Server(executable=Path(executable)) as server:
            answers[server.product] = ask(server)
            sources.append(f"{server.product.capitalize()} {'.'.join(map(str, server.version))}")
    table = merged(answers)
    text = HEADER.format(sources=" and ".join([*sources, "the script's list of newer commands"]))
    text += "".join(f'    "{name}": "{line}",\n' for name, line in sorted(table.items()))
    TABLE.write_text(text + "}\n")
    print(f"{TABLE.name}: {len(table)} commands and subcommands")


if __name__ == "__main__":
    main(sys.argv[1:])
