"""What is known of a command before it is sent: whether it may run twice, blocks, can share, holds secrets; where its keys are.

Three layers. `table` is what servers say in COMMAND. The tables on this page are the authority for what servers don't
say, or say wrongly. `command_info` puts both together for given arguments, because some of it depends on them: XREAD blocks
only with BLOCK and may run twice only without `$`, CONFIG SET has a secret only if it sets a password.

Facts that hold for all arguments are found out once for each name and kept. A command that was never heard of shares a connection,
answers with one reply, and is never tried again.
"""

from __future__ import annotations

import enum
import functools
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from .._record import Record
from ..wire.encoder import Argument, encode_command
from .command_keys import KEYS, KeySpec, key_spec, positions
from .table import TABLE
from .words import Words, index_of, text_of, words_of

__all__ = [
    "Blocking",
    "CommandInfo",
    "Needs",
    "Replies",
    "block_time",
    "command_info",
    "command_keys",
    "keys_in",
    "prepare",
    "redact",
]


class Needs(enum.Enum):
    """What kind of connection a command asks for."""

    LANE = "any: it can share one with other callers"
    NEIGHBOURS = "the one of the commands it speaks of: a lease, or a pipeline behind them"
    LEASE = "one of its own: it blocks, or changes what the connection is"
    PUBSUB = "the one for subscriptions"


class Replies(enum.Enum):
    """How a command is answered."""

    ONE = "one reply"
    SUBSCRIPTION = "a push for each channel, or one error"
    STREAM = "one reply, and then lines without end"
    NONE = "not at all, or not in RESP"


class Blocking(NamedTuple):
    """Where a command says how long it may block: at `position`, or behind the word `option`, looked for from there.

    `unit` is in seconds. `forever` says whether 0 means no limit.
    """

    position: int
    unit: float = 1.0
    option: str = ""
    forever: bool = True


class CommandInfo(Record):
    """What is known of a command. One object serves all calls alike, so identity is equality.

    `name` is in capitals, with its subcommand and without any argument. `readonly`: it changes nothing, neither data nor
    connection. `retryable`: it may run twice with these arguments, so a lost reply is no reason to give up. `secret`: one of the
    arguments is, and an error reply might repeat it. `changes`: the connection is not what it was, or keeps something in mind (a
    user, a database, a mode, watched keys). `denied_in_multi`: refused between MULTI and EXEC. `since`: the version that brought
    it, empty if it is not known. `plain`: one ordinary reply, no secret, and the connection stays what it is. `one_key`: the
    argument behind its name, a single word, is its only key whatever the others are.
    """

    name: str
    readonly: bool
    retryable: bool
    blocking: Blocking | None
    needs: Needs
    replies: Replies
    secret: bool
    changes: bool
    keys: tuple[KeySpec, ...]
    denied_in_multi: bool
    since: str
    plain: bool
    one_key: bool

    # Not methods: a set of those of a long pipeline would take as long as all else that is done with it.
    if not TYPE_CHECKING:  # pragma: no branch  # to type checkers they are as of any record
        __eq__ = object.__eq__
        __hash__ = object.__hash__


# -- Kept by hand: what COMMAND does not say --------------------------------------------------------------------------------

MILLISECONDS: Final = 0.001

# The pages of https://redis.io/docs/latest/commands/ say where the timeout is and what 0 means. MIGRATE's is for each step of
# its transfer (cluster.c: 0 becomes a second); DEBUG SLEEP stops the whole server.
BLOCKING: Final = {
    "BLMOVE": Blocking(5),
    "BLMOVEM": Blocking(5),
    "BLMPOP": Blocking(1),
    "BLPOP": Blocking(-1),
    "BRPOP": Blocking(-1),
    "BRPOPLPUSH": Blocking(3),
    "BZMPOP": Blocking(1),
    "BZPOPMAX": Blocking(-1),
    "BZPOPMIN": Blocking(-1),
    "DEBUG": Blocking(1, option="SLEEP", forever=False),
    "MIGRATE": Blocking(5, MILLISECONDS, forever=False),
    "TS.READ": Blocking(3, MILLISECONDS, option="BLOCK"),
    "WAIT": Blocking(2, MILLISECONDS),
    "WAITAOF": Blocking(3, MILLISECONDS),
    "XREAD": Blocking(1, MILLISECONDS, option="BLOCK"),
    "XREADGROUP": Blocking(4, MILLISECONDS, option="BLOCK"),
}


def _names(lists: dict[str, str]) -> frozenset[str]:
    """Return full names: each of the words, after its container's name if there is one."""
    return frozenset(f"{container} {name}".lstrip() for container, names in lists.items() for name in names.split())


SUBSCRIPTIONS: Final = _names({"": "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE"})

REPLIES: Final = {
    **dict.fromkeys(SUBSCRIPTIONS, Replies.SUBSCRIPTION),
    "MONITOR": Replies.STREAM,
    "CLIENT REPLY": Replies.NONE,
    # A replication link: what follows is a snapshot and a stream of commands.
    **dict.fromkeys(["SYNC", "PSYNC", "REPLCONF", "CLUSTER SYNCSLOTS"], Replies.NONE),
}

# They speak of what was, or will be, sent beside them on the same connection.
NEIGHBOURS: Final = _names({"": "ASKING READONLY READWRITE WAIT WAITAOF", "CLIENT": "CACHING"})

# After these the connection is not what it was: who is on it, in which database, protocol or mode, what it keeps in mind.
CHANGES_CONNECTION: Final = _names(
    {
        "": "ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI QUIT READONLY READWRITE RESET SELECT UNWATCH WATCH "
        "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE SYNC PSYNC REPLCONF",
        "CLIENT": "CACHING CAPA IMPORT-SOURCE MAINT_NOTIFICATIONS NO-EVICT NO-TOUCH REPLY SETINFO SETNAME TRACKING",
        "CLUSTER": "SYNCSLOTS",
        "HIMPORT": "DISCARD DISCARDALL PREPARE SET",
        "SCRIPT": "DEBUG",
    }
)

# Inside MULTI they are executed, and several make EXEC's array lie; whatever is not answered by one reply is refused there too.
DENIED_IN_MULTI: Final = _names({"": "AUTH HELLO MULTI QUIT RESET SELECT WATCH", "CLIENT": "TRACKING"})

# COMMAND's flag `readonly` is about keys, so what only looks at the server lacks it. Every HELP is one of these too; those that
# may also reset something are not (ACL LOG).
ONLY_LOOKS: Final = _names(
    {
        "": "COMMAND ECHO INFO LASTSAVE PING ROLE TIME",
        "ACL": "CAT DRYRUN GENPASS GETUSER LIST USERS WHOAMI",
        "BACKUP": "LIST STATUS",
        "CLIENT": "GETNAME GETREDIR ID INFO LIST TRACKINGINFO",
        "CLUSTER": "COUNT-FAILURE-REPORTS COUNTKEYSINSLOT GETKEYSINSLOT GETSLOTMIGRATIONS INFO KEYSLOT LINKS MYID MYSHARDID "
        "NODES REPLICAS SHARDS SLAVES SLOT-STATS SLOTS",
        "COMMAND": "COUNT DOCS GETKEYS GETKEYSANDFLAGS INFO LIST",
        "COMMANDLOG": "GET LEN",
        "CONFIG": "GET",
        "FUNCTION": "DUMP LIST STATS",
        "HOTKEYS": "GET",
        "LATENCY": "DOCTOR GRAPH HISTOGRAM HISTORY LATEST",
        "MEMORY": "DOCTOR MALLOC-STATS STATS",
        "MODULE": "LIST",
        "PUBSUB": "CHANNELS NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB",
        "SCRIPT": "EXISTS SHOW",
        # Not IS-MASTER-DOWN-BY-ADDR: with a run ID it asks for a vote.
        "SENTINEL": "CKQUORUM GET-MASTER-ADDR-BY-NAME GET-PRIMARY-ADDR-BY-NAME INFO-CACHE MASTER MASTERS MYID PENDING-SCRIPTS "
        "PRIMARIES PRIMARY REPLICAS SENTINELS SLAVES",
        "SLOWLOG": "GET LEN",
    }
)

# -- Kept by hand: which arguments are secrets. Each takes a command's words and returns the indices to hide ----------------


def _all(words: Words) -> Iterable[int]:
    return range(1, len(words))


def _auth(words: Words) -> Iterable[int]:
    """AUTH [username] password; with any other number of arguments, who knows which is which."""
    return [2] if len(words) == 3 else _all(words)


def _hello(words: Words) -> Iterable[int]:
    """HELLO [protocol [AUTH username password] [SETNAME name]]: hide all that follows AUTH, well formed or not."""
    return range(index_of(words, "AUTH", 1) + 1, len(words))


def _acl_rules(words: Words) -> Iterable[int]:
    """ACL SETUSER name [rule ...]: `>` and `<` begin a password, `#` and `!` a hash of one, even where rules ran together."""
    return [index for index in range(3, len(words)) if any(rule[0] in "><#!" for rule in text_of(words[index]).split())]


def _credentials(words: Words) -> Iterable[int]:
    """MIGRATE and CLUSTER MIGRATESLOTS ... AUTH password, or AUTH2 username password. A key of that name costs nothing."""
    name, password = index_of(words, "AUTH2", 1), index_of(words, "AUTH", 1)
    return {index for index in (name + 1, name + 2, password + 1) if index < len(words)}


def _settings(words: Words) -> Iterable[int]:
    """CONFIG SET name value ...: what follows names such as requirepass, masterauth, tls-key-file-pass, auth-pass."""
    secret = ("pass", "password", "auth", "secret")
    return [index for index in range(3, len(words)) if text_of(words[index - 1]).lower().endswith(secret)]


def _of_another(at: int) -> Callable[[Words], Iterable[int]]:
    """ACL DRYRUN and COMMAND GETKEYS have a command in them, which begins there: its secrets are theirs."""

    def hidden(words: Words) -> Iterable[int]:
        inner = [text_of(word) for word in words[at : at + 2]]
        if not (inner and inner[0].strip()):
            return ()
        if len(inner[0].split()) > 1 or " ".join(inner).upper() in WITH_ANOTHER:
            return range(at, len(words))
        written = (inner[0], *words[at + 1 :])
        return [at + index for index in _secrets(command_info(written).name, written)]

    return hidden


WITH_ANOTHER: Final = {"ACL DRYRUN": 3, "COMMAND GETKEYS": 2, "COMMAND GETKEYSANDFLAGS": 2}
"""Commands that have another in them, and where it begins."""

SECRETS: Final[dict[str, Callable[[Words], Iterable[int]]]] = {
    **{name: _of_another(at) for name, at in WITH_ANOTHER.items()},
    "ACL SETUSER": _acl_rules,
    "AUTH": _auth,
    "CLUSTER MIGRATESLOTS": _credentials,
    "CONFIG SET": _settings,
    "HELLO": _hello,
    "MIGRATE": _credentials,
    "MODULE LOADEX": _settings,
    "SENTINEL CONFIG": _settings,
    "SENTINEL SET": _settings,
}

# -- Kept by hand: what changes nothing, and still may not run twice -----------------------------------------------------------


def _reads_from_now(words: Words) -> bool:
    """XREAD ... STREAMS key ... id ...: `$` and `+` stand for what is last when the server reads them.

    What came between a first run, whose reply was lost, and a second would be skipped without a sign.
    """
    ids = words[index_of(words, "STREAMS", 1) + 1 :]
    return any(text_of(id) in ("$", "+") for id in ids[len(ids) // 2 :])


def _samples_from_now(words: Words) -> bool:
    """TS.READ key timestamp ...: as with XREAD, for `$` and `+` in place of a timestamp."""
    return text_of(words[2]) in ("$", "+")


def _opens_a_cursor(words: Words) -> bool:
    """FT.AGGREGATE ... WITHCURSOR: each run leaves a cursor on the server, and only the last would be read and closed."""
    return index_of(words, "WITHCURSOR", 1) < len(words)


# Of what blocks only with an option, the rule is asked only if that is given: else the answer is what is there, as for any read.
RUNS_ONCE: Final[dict[str, Callable[[Words], bool]]] = {
    "FT.AGGREGATE": _opens_a_cursor,
    "FT.HYBRID": _opens_a_cursor,
    "FT.PROFILE": _opens_a_cursor,
    "TS.READ": _samples_from_now,
    "XREAD": _reads_from_now,
}

# -- Kept by hand: what is answered with less than was said there would be ----------------------------------------------------


COUNT: Final = re.compile(r"0|[1-9][0-9]{0,4}|100000")


def _refuses_a_count(words: Words) -> bool:
    """TOPK.INCRBY key item count ...: at a count that it refuses a server leaves out the rest of the array that it has begun."""
    return any(COUNT.fullmatch(text_of(count)) is None for count in words[3:-1:2])


# The replies to what was sent behind it would be taken for the rest, so it counts as one that is not answered.
CUT_SHORT: Final[dict[str, Callable[[Words], bool]]] = {"TOPK.INCRBY": _refuses_a_count}

# -- Finding it out -----------------------------------------------------------------------------------------------------------

# Bounded as the encoder's heads are, and for the same reason; names come from programs.
_MOST_NAMES: Final = 1024
_LONGEST_NAME: Final = 64
KNOWN: Final[dict[object, CommandInfo]] = {}
_known_pairs: Final[dict[tuple[object, object], CommandInfo]] = {}


def command_info(args: Sequence[Argument]) -> CommandInfo:
    """Return what is known of the command `args` (its name first, in any case; one or two words of it in the first argument).

    Raises `TypeError` if the name is neither `str` nor `bytes`, `ValueError` if there is none.
    """
    try:
        return KNOWN[args[0]]
    except (KeyError, IndexError, TypeError, ValueError):  # the last two: what can't be hashed
        return _find(args)


def prepare(args: Sequence[Argument]) -> tuple[bytes | list[bytes], CommandInfo]:
    """Return the bytes to send for a command (see `encode_command`), and what is known of it. Raises as those two do."""
    return encode_command(args), command_info(args)


def block_time(args: Sequence[Argument], info: CommandInfo | None = None) -> float:
    """Return for how many seconds the server may hold this command's reply back on purpose: 0.0 if not, `math.inf` for ever.

    A timeout that the server will refuse counts as 0.0: the refusal comes at once.
    """
    blocking = (info or command_info(args)).blocking
    if blocking is None:
        return 0.0
    words = words_of(args)
    try:
        time = float(text_of(words[_timeout(blocking, words)])) * blocking.unit
    except (ValueError, IndexError):
        return 0.0
    if time == 0 and blocking.forever:
        return math.inf
    return time if 0 < time < math.inf else 0.0


def command_keys(args: Sequence[Argument]) -> list[int]:
    """Return the indices of a command's keys in their order: of all that decides which slot of a cluster it belongs to.

    They count every word of the name: for `("OBJECT ENCODING", "k")` as for `("OBJECT", "ENCODING", "k")` it is `[2]`. Sharded
    channels are among them; keys that only patterns name (SORT's BY and GET) are not. None if the arguments make no sense.
    """
    return keys_in(words_of(args), command_info(args))


def keys_in(words: Words, info: CommandInfo) -> list[int]:
    """Return what `command_keys` does, given a command's words and what is known of it."""
    if info.name in KEYS:
        return [index for index in KEYS[info.name](words) if index < len(words)]
    return [index for spec in info.keys for index in positions(spec, words)]


def redact(args: Sequence[Argument]) -> tuple[Argument, ...]:
    """Return a command's words for a message, with "***" in place of each secret. Raises as `command_info` does."""
    words = words_of(args)
    hidden = _secrets(command_info(args).name, words)
    return tuple("***" if index in hidden else word for index, word in enumerate(words))


def _find(args: Sequence[Argument]) -> CommandInfo:
    words = words_of(args)
    if len(words) > 1 and isinstance(words[1], (str, bytes)) and (info := _known_pairs.get((words[0], words[1]))):
        return info
    name = text_of(words[0]).upper()[:_LONGEST_NAME]
    if not name.isprintable():
        name = "".join([char if char.isprintable() else "?" for char in name])  # it stands in messages and logs
    if _is_container(name) and len(words) > 1 and (longer := f"{name} {text_of(words[1]).upper()}") in TABLE:
        name = longer
    blocking = BLOCKING.get(name)
    blocks = blocking is not None and (not blocking.option or _timeout(blocking, words) < len(words))
    once = name in RUNS_ONCE and (blocks or blocking is None) and RUNS_ONCE[name](words)
    cut = name in CUT_SHORT and CUT_SHORT[name](words)
    info = _info(name, blocks, bool(_secrets(name, words)), once, cut)
    if not (
        name in SECRETS
        or name in RUNS_ONCE
        or name in CUT_SHORT
        or (blocking and blocking.option)
        or _is_container(name)
    ):
        _remember(args, words, info)
    return info


def _remember(args: Sequence[Argument], words: Words, info: CommandInfo) -> None:
    """Keep what is so for all arguments, under the name as it was written."""
    if max(len(KNOWN), len(_known_pairs)) >= _MOST_NAMES:
        KNOWN.clear()
        _known_pairs.clear()
    in_the_first, in_the_name = len(words) - len(args) + 1, info.name.count(" ") + 1
    if in_the_first == in_the_name and len(text_of(args[0])) <= _LONGEST_NAME:
        KNOWN[args[0]] = info
    elif in_the_first < in_the_name and isinstance(words[1], (str, bytes)):
        _known_pairs[words[0], words[1]] = info


@functools.lru_cache(_MOST_NAMES)
def _info(name: str, blocks: bool, secret: bool, once: bool, cut: bool) -> CommandInfo:
    """Put together what the table and this page know of a command, of a container without a known subcommand, or of neither."""
    flags, keys, since = TABLE.get(name, "- - ").split(" ", 2)
    specs = tuple(key_spec(text) for text in keys.split(",") if name not in KEYS and text not in "-?")
    # A container's unknown subcommand may do anything, so it is taken for the worst of those that are known.
    members = [member for member in TABLE if member.startswith(f"{name} ")] if "c" in flags else [name]
    changes = not CHANGES_CONNECTION.isdisjoint(members)
    readonly = "r" in flags or name in ONLY_LOOKS or name.endswith(" HELP")
    replies = Replies.NONE if cut else REPLIES.get(name, Replies.ONE)
    if name in SUBSCRIPTIONS:
        needs = Needs.PUBSUB
    elif name in NEIGHBOURS:
        needs = Needs.NEIGHBOURS
    else:
        needs = Needs.LEASE if blocks or changes else Needs.LANE
    return CommandInfo(
        name=name,
        readonly=readonly,
        retryable=readonly and not once,
        blocking=BLOCKING[name] if blocks else None,
        needs=needs,
        replies=replies,
        secret=secret,
        changes=changes,
        keys=specs,
        denied_in_multi="n" in flags or name in DENIED_IN_MULTI or replies is not Replies.ONE,
        since=since,
        plain=replies is Replies.ONE and not changes and not secret,
        one_key=specs == (KeySpec(1),),
    )


def _is_container(name: str) -> bool:
    return TABLE.get(name, "").startswith("c")


def _timeout(blocking: Blocking, words: Words) -> int:
    """Return the index of the timeout, behind the end if there is none."""
    if not blocking.option:
        return blocking.position
    for index in range(blocking.position, len(words)):
        word = text_of(words[index]).upper()
        if word == blocking.option:
            return index + 1
        if word == "STREAMS":  # from here on there are keys, one of which may be called BLOCK
            break
    return len(words)


def _secrets(name: str, words: Words) -> Collection[int]:
    rule = SECRETS.get(name)
    if rule is None and _is_container(name) and any(known.startswith(f"{name} ") for known in SECRETS):
        rule = _all  # an unknown subcommand, perhaps a misspelt one
    return () if rule is None else set(rule(words))
