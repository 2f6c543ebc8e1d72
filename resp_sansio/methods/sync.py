"""The commands as methods that return their results.

Written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`, not by hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from .._errors import ReplyError
from ..commands.arguments import (
    NONE,
    Aggregate,
    BitGet,
    BitOperation,
    BitUnit,
    Bitwise,
    End,
    Fields,
    Nack,
    Ordering,
    Scores,
    Side,
    Weights,
    Where,
    bit_operations,
    bit_range,
    comparison,
    condition,
    exclusive,
    given,
    in_turn,
    integers,
    limiting,
    sorting,
)
from ..commands.arguments_geo import Places, Unit, Vertices
from ..commands.arguments_json import FloatType, JsonPath, Triplet, json_path, json_triplets
from ..commands.arguments_modules import Counts, Vector, counts_in_turn, dimensions
from ..commands.arguments_queries import Fusion
from ..commands.arguments_search import (
    DataType,
    Highlight,
    ReturnFields,
    SchemaField,
    SearchSortBy,
    Step,
    Summarize,
    Switch,
    WordList,
)
from ..commands.arguments_server import Logged, Restoring, counted, on_or_off, sooner_or_later, yes_no
from ..commands.arguments_time_series import (
    Aggregation,
    Aggregations,
    Align,
    Bounds,
    BucketTime,
    Encoding,
    Grouping,
    Ignore,
    Labels,
    NewSample,
    Policy,
    Times,
    filtered,
    samples_in_turn,
    waiting,
)
from ..commands.command import Reader
from ..commands.decoding import Binary, S
from ..commands.readers import (
    Entry,
    Members,
    anything,
    bulk,
    bulks,
    by_stream,
    done,
    entries,
    facts,
    first_scored,
    maybe_bulk,
    maybe_bulks,
    maybe_number,
    maybe_whole,
    maybe_wholes,
    members,
    moment,
    number,
    scanned,
    scanned_scores,
    scanned_table,
    scored,
    settings,
    source_and_value,
    stored,
    table,
    truth,
    truths,
    two_wholes,
    whole,
    wholes,
    wholes_or_errors,
    word,
)
from ..commands.readers_acl import AclLogEntry, AclUser, acl_log_entries, acl_user, refusal
from ..commands.readers_arrays import ArrayInfo, array_information, indexed
from ..commands.readers_cluster import (
    ClusterInfo,
    ClusterLink,
    ClusterNode,
    ClusterShard,
    MigrationTask,
    SlotMigration,
    SlotRange,
    SlotStats,
    cluster_facts,
    cluster_links_of,
    migration_tasks,
    node_lines,
    nodes_text,
    scanned_cluster,
    shards,
    slot_migrations,
    slot_ranges,
    slot_statistics,
)
from ..commands.readers_collections import paired, popped
from ..commands.readers_connection import ClientInfo, TrackingInfo, client_infos, one_client_info, pong, tracking_info
from ..commands.readers_diagnostics import (
    HotKeys,
    LatencyEvent,
    LatencyHistogram,
    LatencySample,
    LoggedCommand,
    MemoryStats,
    hot_keys,
    latency_events,
    latency_histograms,
    latency_samples,
    logged_commands,
    memory_report,
)
from ..commands.readers_functions import FunctionStats, Library, binary, function_statistics, libraries
from ..commands.readers_geo import (
    GeoMember,
    GeoPosition,
    geo_distances,
    geo_hashes,
    geo_members,
    geo_numbers,
    geo_places,
    geo_positions,
)
from ..commands.readers_index import IndexInfo, index_info
from ..commands.readers_introspection import (
    CommandDetails,
    CommandDocs,
    KeyWithFlags,
    command_details,
    commands_docs,
    keys_with_flags,
)
from ..commands.readers_json import json_names, json_numbers, json_truths, json_types
from ..commands.readers_own import maybe_own_text, own_text, own_texts
from ..commands.readers_pubsub import counts
from ..commands.readers_search import (
    AggregateResult,
    Document,
    ExplainedDocument,
    PayloadDocument,
    Profiled,
    ScoredDocument,
    SearchResult,
    Suggestion,
    aggregate_rows,
    corrections,
    cursor_rows,
    found_documents,
    found_explained,
    found_ids,
    found_payloads,
    found_scored,
    full_suggestions,
    hybrid_rows,
    plan_lines,
    profiled_documents,
    profiled_rows,
    scored_suggestions,
    search_names,
    search_settings,
    synonyms,
)
from ..commands.readers_sentinel import (
    CachedInfo,
    MasterDown,
    PendingScript,
    SentinelInstance,
    address,
    cached_infos,
    is_down,
    one_instance,
    pending_scripts,
    several_instances,
)
from ..commands.readers_server import BackupStatus, ModuleInfo, Role, backup_state, module_infos, role_of_server
from ..commands.readers_sketches import (
    BloomInfo,
    CountMinInfo,
    CuckooInfo,
    TDigestInfo,
    TopKInfo,
    added,
    bloom_info,
    count_min_info,
    cuckoo_info,
    doubles,
    dumped,
    inserted,
    items_counted,
    t_digest_info,
    top_k_info,
)
from ..commands.readers_sorted_sets import maybe_numbers, place_and_score, taken, taken_some
from ..commands.readers_streams import (
    Autoclaimed,
    AutoclaimedIDs,
    ClaimedEntry,
    PendingEntry,
    PendingSummary,
    StreamConsumer,
    StreamDetails,
    StreamGroup,
    StreamInfo,
    claimed,
    claimed_by_stream,
    claimed_ids_only,
    consumer_infos,
    group_infos,
    pending,
    pending_summary,
    stream_details,
    stream_info,
)
from ..commands.readers_strings import LcsMatches, float_increase, lcs_matches, maybe_binary, migrated
from ..commands.readers_time_series import (
    LastSample,
    Sample,
    SampleRow,
    Series,
    SeriesRows,
    TimeSeriesInfo,
    aggregates,
    last_samples,
    many_aggregates,
    many_series,
    maybe_sample,
    sample_rows,
    samples,
    time_series,
)
from ..commands.readers_vector_sets import (
    RawVector,
    Similar,
    VectorSetInfo,
    maybe_levels,
    maybe_levels_scored,
    maybe_raw_vector,
    maybe_vector,
    maybe_vector_set,
    similar,
    similar_attributed,
    similar_scored,
)
from ..commands.words import Words
from ..wire.encoder import Argument
from ..wire.values import Reply
from . import _words

T = TypeVar("T")


class SyncMethods(ABC, Generic[S]):
    """A method for each builder of `commands`, to be had by inheriting. The heir says with `_do` how each is executed.

    `S` is what the data in a reply comes as, `bytes` or `str`.
    """

    __slots__ = ()

    @abstractmethod
    def _do(self, words: Words, read: Reader[T, S]) -> T:
        """Execute the command of these words, and return what `read` makes of its reply. Raises as `execute`."""

    # strings

    def get(self, key: Argument) -> S | None:
        """Return the value of `key`, None if there is none."""
        return self._do(("GET", key), maybe_bulk)

    def set(
        self,
        key: Argument,
        value: Argument,
        *,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        ifeq: Argument | None = None,
        ifne: Argument | None = None,
        ifdeq: Argument | None = None,
        ifdne: Argument | None = None,
    ) -> bool:
        """Set `key`; return whether it was set: with `nx` only if it is new, with `xx` only if it exists.

        It expires after `ex` seconds or `px` milliseconds, or at the Unix time `exat` in seconds or `pxat` in milliseconds.

        With `ifeq` only if that is its value (Redis 8.4; Valkey 8.1), with `ifne` only if it is not; `ifdeq` and `ifdne` say the
        same of what `digest` returns (Redis 8.4). A key that does not exist has another value than any.
        """
        if (
            (ex is None and px is None and exat is None and pxat is None)
            and (nx is False and xx is False and keepttl is False)
            and (ifeq is None and ifne is None and ifdeq is None and ifdne is None)
        ):
            return self._do(("SET", key, value), stored)
        return self._do(_words.set(key, value, ex, px, exat, pxat, nx, xx, keepttl, ifeq, ifne, ifdeq, ifdne), stored)

    def set_get(
        self,
        key: Argument,
        value: Argument,
        *,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        ifeq: Argument | None = None,
        ifne: Argument | None = None,
        ifdeq: Argument | None = None,
        ifdne: Argument | None = None,
    ) -> S | None:
        """As `set`, and return the value before it, set or not (Redis 6.2; with `nx` 7.0)."""
        return self._do(
            _words.set_get(key, value, ex, px, exat, pxat, nx, xx, keepttl, ifeq, ifne, ifdeq, ifdne), maybe_bulk
        )

    def setnx(self, key: Argument, value: Argument) -> bool:
        """Set `key` if it is new; return whether it was set. Deprecated: use `set` with `nx`."""
        return self._do(("SETNX", key, value), truth)

    def setex(self, key: Argument, seconds: int, value: Argument) -> None:
        """Set `key`, which expires after `seconds`. Deprecated: use `set` with `ex`."""
        return self._do(("SETEX", key, seconds, value), done)

    def psetex(self, key: Argument, milliseconds: int, value: Argument) -> None:
        """Set `key`, which expires after `milliseconds`. Deprecated: use `set` with `px`."""
        return self._do(("PSETEX", key, milliseconds, value), done)

    def getset(self, key: Argument, value: Argument) -> S | None:
        """Set `key`; return the value before it, None if there was none. Deprecated: use `set_get`."""
        return self._do(("GETSET", key, value), maybe_bulk)

    def getdel(self, key: Argument) -> S | None:
        """Return the value of `key` and delete it (Redis 6.2)."""
        return self._do(("GETDEL", key), maybe_bulk)

    def getex(
        self,
        key: Argument,
        *,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        persist: bool = False,
    ) -> S | None:
        """Return the value of `key` and set when it expires, as `set` does, or that it does not (Redis 6.2)."""
        return self._do(
            ("GETEX", key, *exclusive("GETEX", ex=ex, px=px, exat=exat, pxat=pxat, persist=persist)), maybe_bulk
        )

    def mget(self, key: Argument, *keys: Argument) -> list[S | None]:
        """Return the values of the keys, None for each that does not exist."""
        return self._do(("MGET", key, *keys), maybe_bulks)

    def mset(self, values: Fields) -> None:
        """Set all of these keys."""
        return self._do(("MSET", *in_turn("MSET", "values", values)), done)

    def msetnx(self, values: Fields) -> bool:
        """Set all of these keys if none of them exists; return whether it was done."""
        return self._do(("MSETNX", *in_turn("MSETNX", "values", values)), truth)

    def msetex(
        self,
        values: Fields,
        *,
        nx: bool = False,
        xx: bool = False,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        keepttl: bool = False,
    ) -> bool:
        """Set all of these keys, which expire as `set` says; return whether it was done (Redis 8.4; Valkey 9.1).

        With `nx` only if none of them exists, with `xx` only if all do.
        """
        return self._do(_words.msetex(values, nx, xx, ex, px, exat, pxat, keepttl), truth)

    def delex(
        self,
        key: Argument,
        *,
        ifeq: Argument | None = None,
        ifne: Argument | None = None,
        ifdeq: Argument | None = None,
        ifdne: Argument | None = None,
    ) -> bool:
        """Delete `key` if its value, or the digest of that, is this one or is not; return whether it was deleted (Redis 8.4).

        The conditions are those of `set`. Without one, a key of any type is deleted.
        """
        return self._do(("DELEX", key, *comparison("DELEX", ifeq, ifne, ifdeq, ifdne)), truth)

    def delifeq(self, key: Argument, value: Argument) -> bool:
        """Delete `key` if that is its value; return whether it was deleted (Valkey 9.0). `delex` with `ifeq` does it on Redis."""
        return self._do(("DELIFEQ", key, value), truth)

    def digest(self, key: Argument) -> str | None:
        """Return the digest (XXH3) of the value of `key` in 16 hexadecimal digits, None if there is none (Redis 8.4)."""
        return self._do(("DIGEST", key), maybe_own_text)

    def append(self, key: Argument, value: Argument) -> int:
        """Append to the value of `key`; return its length."""
        return self._do(("APPEND", key, value), whole)

    def strlen(self, key: Argument) -> int:
        """Return the length of the value of `key` in bytes."""
        return self._do(("STRLEN", key), whole)

    def getrange(self, key: Argument, start: int, end: int) -> S:
        """Return the bytes from `start` to `end`, both included; negative ones count from the end."""
        return self._do(("GETRANGE", key, start, end), bulk)

    def substr(self, key: Argument, start: int, end: int) -> S:
        """Return the bytes from `start` to `end`. Deprecated: use `getrange`."""
        return self._do(("SUBSTR", key, start, end), bulk)

    def setrange(self, key: Argument, offset: int, value: Argument) -> int:
        """Overwrite the bytes from `offset` on; return the length of it all."""
        return self._do(("SETRANGE", key, offset, value), whole)

    def incr(self, key: Argument) -> int:
        """Add 1; return the result."""
        return self._do(("INCR", key), whole)

    def incrby(self, key: Argument, increment: int) -> int:
        """Add `increment`; return the result."""
        return self._do(("INCRBY", key, increment), whole)

    def incrbyfloat(self, key: Argument, increment: float) -> float:
        """Add `increment`; return the result."""
        return self._do(("INCRBYFLOAT", key, increment), number)

    def increx(
        self,
        key: Argument,
        *,
        byint: int | None = None,
        lbound: int | None = None,
        ubound: int | None = None,
        saturate: bool = False,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        persist: bool = False,
        enx: bool = False,
    ) -> tuple[int, int]:
        """Add `byint`, else 1; return the result and how much was added (Redis 8.8; Valkey 9.2).

        A result below `lbound` or above `ubound` is not taken, and 0 is added; with `saturate`, the bound is taken in its place.
        `key` expires as `set` says, or no longer (`persist`); with `enx` that is only set if it has no expiry.
        """
        return self._do(
            _words.increx(key, byint, lbound, ubound, saturate, ex, px, exat, pxat, persist, enx), two_wholes
        )

    def increx_byfloat(
        self,
        key: Argument,
        increment: float,
        *,
        lbound: float | None = None,
        ubound: float | None = None,
        saturate: bool = False,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        persist: bool = False,
        enx: bool = False,
    ) -> tuple[float, float]:
        """As `increx`, with numbers that may have a fraction (Redis 8.8; Valkey 9.2)."""
        return self._do(
            _words.increx_byfloat(key, increment, lbound, ubound, saturate, ex, px, exat, pxat, persist, enx),
            float_increase,
        )

    def decr(self, key: Argument) -> int:
        """Subtract 1; return the result."""
        return self._do(("DECR", key), whole)

    def decrby(self, key: Argument, decrement: int) -> int:
        """Subtract `decrement`; return the result."""
        return self._do(("DECRBY", key, decrement), whole)

    def lcs(self, key1: Argument, key2: Argument) -> S:
        """Return the longest bytes that both values have in this order, others between them or not (Redis 7.0)."""
        return self._do(("LCS", key1, key2), bulk)

    def lcs_len(self, key1: Argument, key2: Argument) -> int:
        """Return the length of what `lcs` returns (Redis 7.0)."""
        return self._do(("LCS", key1, key2, "LEN"), whole)

    def lcs_idx(self, key1: Argument, key2: Argument, *, minmatchlen: int | None = None) -> LcsMatches:
        """Return where what `lcs` returns is in both values, the last part first (Redis 7.0).

        Parts shorter than `minmatchlen` are left out.
        """
        return self._do(("LCS", key1, key2, "IDX", *given("LCS", minmatchlen=minmatchlen)), lcs_matches)

    # bitmaps

    def getbit(self, key: Argument, offset: int) -> int:
        """Return the bit at `offset`, 0 if the value is shorter."""
        return self._do(("GETBIT", key, offset), whole)

    def setbit(self, key: Argument, offset: int, value: int) -> int:
        """Set the bit at `offset` to 0 or 1; return what it was."""
        return self._do(("SETBIT", key, offset, value), whole)

    def bitcount(
        self, key: Argument, start: int | None = None, end: int | None = None, *, unit: BitUnit = "BYTE"
    ) -> int:
        """Return how many bits are 1, of those from `start` to `end` if they are given, both included.

        Negative ones count from the end. They count bytes, or bits with `unit` `BIT` (Redis 7.0).
        """
        return self._do(("BITCOUNT", key, *bit_range("BITCOUNT", start, end, unit, last=-1)), whole)

    def bitpos(
        self, key: Argument, bit: int, start: int | None = None, end: int | None = None, *, unit: BitUnit = "BYTE"
    ) -> int:
        """Return where the first bit is that is 0 or 1, as `bit` says; -1 if there is none.

        From `start` to `end`, as for `bitcount`. Without an `end`, the first 0 may be behind the last byte.
        """
        return self._do(("BITPOS", key, bit, *bit_range("BITPOS", start, end, unit)), whole)

    def bitop(self, operation: Bitwise, destkey: Argument, key: Argument, *keys: Argument) -> int:
        """Store in `destkey` what the operation makes of the keys' bits; return its length in bytes.

        `NOT` takes one key. Bits that are 1 in the first key and in none of the others (`DIFF`), in others and not in the first
        (`DIFF1`), in the first and in others (`ANDOR`), in just one (`ONE`): Redis 8.2.
        """
        return self._do(("BITOP", operation, destkey, key, *keys), whole)

    def bitfield(self, key: Argument, *operations: BitOperation) -> list[int | None]:
        """Take bits for integers, read and change them; return what each operation but `OVERFLOW` gives.

        An operation is a tuple: `("GET", "u8", 0)` returns the unsigned integer of 8 bits at offset 0, `("SET", "i5", "#2", -1)`
        sets the third signed one of 5 bits and returns what it was, `("INCRBY", "u2", 100, 1)` adds 1 and returns the result.
        `("OVERFLOW", "FAIL")` says that what follows changes nothing, and returns None, if the result has too many bits; `"SAT"`
        takes the nearest integer that fits, and `"WRAP"`, which is the rule if none is given, drops bits.
        """
        return self._do(("BITFIELD", key, *bit_operations("BITFIELD", operations)), maybe_wholes)

    def bitfield_ro(self, key: Argument, *operations: BitGet) -> list[int]:
        """As `bitfield`, with no operation but `GET`; a replica may answer it."""
        return self._do(("BITFIELD_RO", key, *bit_operations("BITFIELD_RO", operations)), wholes)

    # hyperloglog

    def pfadd(self, key: Argument, *elements: Argument) -> bool:
        """Count elements; return whether that changed the estimate, or made the key."""
        return self._do(("PFADD", key, *elements), truth)

    def pfcount(self, key: Argument, *keys: Argument) -> int:
        """Return about how many different elements were counted in all of the keys."""
        return self._do(("PFCOUNT", key, *keys), whole)

    def pfmerge(self, destkey: Argument, *sourcekeys: Argument) -> None:
        """Let `destkey` have counted what it and all of the other keys have."""
        return self._do(("PFMERGE", destkey, *sourcekeys), done)

    # generic

    def delete(self, key: Argument, *keys: Argument) -> int:
        """Delete the keys (DEL); return how many there were."""
        return self._do(("DEL", key, *keys), whole)

    def unlink(self, key: Argument, *keys: Argument) -> int:
        """Delete the keys, and free their memory later; return how many there were."""
        return self._do(("UNLINK", key, *keys), whole)

    def exists(self, key: Argument, *keys: Argument) -> int:
        """Return how many of the keys exist; one that is named twice counts twice."""
        return self._do(("EXISTS", key, *keys), whole)

    def touch(self, key: Argument, *keys: Argument) -> int:
        """Count as an access to the keys; return how many there are."""
        return self._do(("TOUCH", key, *keys), whole)

    def copy(self, source: Argument, destination: Argument, *, db: int | None = None, replace: bool = False) -> bool:
        """Copy a key, to database `db` if that is given; return whether it was done (Redis 6.2).

        If there is a `destination`, only with `replace`.
        """
        return self._do(("COPY", source, destination, *given("COPY", db=db, replace=replace)), truth)

    def move(self, key: Argument, db: int) -> bool:
        """Move `key` to another database; return whether it was done: there must be one here and none there."""
        return self._do(("MOVE", key, db), truth)

    def randomkey(self) -> S | None:
        """Return any key, None if there is none."""
        return self._do(("RANDOMKEY",), maybe_bulk)

    def expire(
        self, key: Argument, seconds: int, *, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> bool:
        """Let `key` expire in so many seconds; return whether that was set.

        Only if it has no expiry (`nx`), has one (`xx`), has an earlier one (`gt`), has a later one or none (`lt`): Redis 7.0.
        """
        return self._do(("EXPIRE", key, seconds, *condition("EXPIRE", nx, xx, gt, lt)), truth)

    def pexpire(
        self,
        key: Argument,
        milliseconds: int,
        *,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """As `expire`, in milliseconds."""
        return self._do(("PEXPIRE", key, milliseconds, *condition("PEXPIRE", nx, xx, gt, lt)), truth)

    def expireat(
        self,
        key: Argument,
        unix_time_seconds: int,
        *,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """As `expire`, at a Unix time in seconds."""
        return self._do(("EXPIREAT", key, unix_time_seconds, *condition("EXPIREAT", nx, xx, gt, lt)), truth)

    def pexpireat(
        self,
        key: Argument,
        unix_time_milliseconds: int,
        *,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """As `expire`, at a Unix time in milliseconds."""
        return self._do(("PEXPIREAT", key, unix_time_milliseconds, *condition("PEXPIREAT", nx, xx, gt, lt)), truth)

    def persist(self, key: Argument) -> bool:
        """Let `key` not expire; return whether it would have."""
        return self._do(("PERSIST", key), truth)

    def ttl(self, key: Argument) -> int:
        """Return in how many seconds `key` expires; -1 if it does not, -2 if there is none."""
        return self._do(("TTL", key), whole)

    def pttl(self, key: Argument) -> int:
        """As `ttl`, in milliseconds."""
        return self._do(("PTTL", key), whole)

    def expiretime(self, key: Argument) -> int:
        """Return the Unix time in seconds at which `key` expires; -1 if it does not, -2 if there is none (Redis 7.0)."""
        return self._do(("EXPIRETIME", key), whole)

    def pexpiretime(self, key: Argument) -> int:
        """As `expiretime`, in milliseconds (Redis 7.0)."""
        return self._do(("PEXPIRETIME", key), whole)

    def type(self, key: Argument) -> str:
        """Return what `key` holds: `string`, `list`, `set`, `zset`, `hash`, `stream`, a module's type, or `none`."""
        return self._do(("TYPE", key), word)

    def rename(self, key: Argument, newkey: Argument) -> None:
        """Rename `key`; what `newkey` held is lost."""
        return self._do(("RENAME", key, newkey), done)

    def renamenx(self, key: Argument, newkey: Argument) -> bool:
        """Rename `key` if there is no `newkey`; return whether it was done."""
        return self._do(("RENAMENX", key, newkey), truth)

    def keys(self, pattern: Argument) -> list[S]:
        """Return all keys that match; on a large database the server does nothing else meanwhile, so use `scan`."""
        return self._do(("KEYS", pattern), bulks)

    def scan(
        self, cursor: int = 0, *, match: Argument | None = None, count: int | None = None, type: Argument | None = None
    ) -> tuple[int, list[S]]:
        """Return where to go on, 0 if that was all, and some keys; one may come more than once."""
        return self._do(("SCAN", cursor, *given("SCAN", match=match, count=count, type=type)), scanned)

    def dump(self, key: Argument) -> Binary | None:
        """Return the value of `key` in the server's own format, for `restore`; None if there is none."""
        return self._do(("DUMP", key), maybe_binary)

    def restore(
        self,
        key: Argument,
        ttl: int,
        serialized_value: Argument,
        *,
        replace: bool = False,
        absttl: bool = False,
        idletime: int | None = None,
        freq: int | None = None,
    ) -> None:
        """Make `key` of what `dump` returned. If there is one, only with `replace`, else the server's error is `BUSYKEY`.

        It expires in `ttl` milliseconds, 0 for never; with `absttl` that is a Unix time. `idletime` and `freq` say what
        `object_idletime` or `object_freq` returned.
        """
        return self._do(_words.restore(key, ttl, serialized_value, replace, absttl, idletime, freq), done)

    def migrate(
        self,
        host: Argument,
        port: int,
        key: Argument,
        destination_db: int,
        timeout: int,
        *keys: Argument,
        copy: bool = False,
        replace: bool = False,
        auth: Argument | None = None,
        auth2: tuple[Argument, Argument] | None = None,
    ) -> bool:
        """Move keys to another server; return False if there is none of them.

        The server here waits for the other one up to `timeout` milliseconds for each step. With `copy`, the keys stay here, too;
        with `replace`, those there are replaced. `auth` is the password there, `auth2` a user's name and password.
        """
        return self._do(
            _words.migrate(
                host, port, key, destination_db, timeout, *keys, copy=copy, replace=replace, auth=auth, auth2=auth2
            ),
            migrated,
        )

    def object_encoding(self, key: Argument) -> str | None:
        """Return how the value of `key` is kept in memory, such as `embstr` or `listpack`; None if there is none."""
        return self._do(("OBJECT ENCODING", key), maybe_own_text)

    def object_freq(self, key: Argument) -> int | None:
        """Return how often `key` was accessed, on a logarithmic scale; None if there is none. Needs an LFU `maxmemory-policy`."""
        return self._do(("OBJECT FREQ", key), maybe_whole)

    def object_idletime(self, key: Argument) -> int | None:
        """Return for how many seconds `key` was not accessed; None if there is none. Needs another `maxmemory-policy` than LFU."""
        return self._do(("OBJECT IDLETIME", key), maybe_whole)

    def object_refcount(self, key: Argument) -> int | None:
        """Return the number of references to the value of `key`; None if there is none."""
        return self._do(("OBJECT REFCOUNT", key), maybe_whole)

    def sort(
        self,
        key: Argument,
        *,
        by: Argument | None = None,
        limit: tuple[int, int] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[S]:
        """Return the elements of a list, set or sorted set in their order as numbers, with `alpha` as text; with `desc` backwards.

        `by` names other keys to sort by, with a `*` for the element: `weight_*`, or `user_*->age` for a hash's field. Without a `*`
        nothing is sorted. `limit`, offset and count, takes a part.
        """
        return self._do(("SORT", key, *sorting("SORT", by, limit, (), desc, alpha)), bulks)

    def sort_get(
        self,
        key: Argument,
        pattern: Argument,
        *patterns: Argument,
        by: Argument | None = None,
        limit: tuple[int, int] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[S | None]:
        """As `sort`, and return for each element the values that the patterns name, one after the other; None if there is none.

        A pattern is as for `by`; `#` is the element itself.
        """
        return self._do(("SORT", key, *sorting("SORT", by, limit, (pattern, *patterns), desc, alpha)), maybe_bulks)

    def sort_store(
        self,
        key: Argument,
        destination: Argument,
        *patterns: Argument,
        by: Argument | None = None,
        limit: tuple[int, int] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> int:
        """Store in a list what `sort`, or with patterns `sort_get`, would return; return its length."""
        return self._do(
            _words.sort_store(key, destination, *patterns, by=by, limit=limit, desc=desc, alpha=alpha), whole
        )

    def sort_ro(
        self,
        key: Argument,
        *,
        by: Argument | None = None,
        limit: tuple[int, int] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[S]:
        """As `sort`; a replica may answer it, and it may be tried again (Redis 7.0)."""
        return self._do(("SORT_RO", key, *sorting("SORT_RO", by, limit, (), desc, alpha)), bulks)

    def sort_ro_get(
        self,
        key: Argument,
        pattern: Argument,
        *patterns: Argument,
        by: Argument | None = None,
        limit: tuple[int, int] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[S | None]:
        """As `sort_get`; a replica may answer it, and it may be tried again (Redis 7.0)."""
        return self._do(
            ("SORT_RO", key, *sorting("SORT_RO", by, limit, (pattern, *patterns), desc, alpha)), maybe_bulks
        )

    # hashes

    def hget(self, key: Argument, field: Argument) -> S | None:
        """Return the value of a field, None if there is none."""
        return self._do(("HGET", key, field), maybe_bulk)

    def hset(
        self, key: Argument, field: Argument | None = None, value: Argument | None = None, *, mapping: Fields = NONE
    ) -> int:
        """Set one field, or those of a mapping, or both; return how many are new."""
        return self._do(_words.hset(key, field, value, mapping), whole)

    def hmset(self, key: Argument, fields: Fields) -> None:
        """Set the fields of a mapping. It is an old command: `hset` does the same."""
        return self._do(("HMSET", key, *in_turn("HMSET", "fields", fields)), done)

    def hsetnx(self, key: Argument, field: Argument, value: Argument) -> bool:
        """Set a field if there is none; return whether it was set."""
        return self._do(("HSETNX", key, field, value), truth)

    def hsetex(
        self,
        key: Argument,
        fields: Fields,
        *,
        nx: bool = False,
        xx: bool = False,
        fnx: bool = False,
        fxx: bool = False,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        keepttl: bool = False,
    ) -> bool:
        """Set the fields of a mapping, and when they expire (Redis 8.0; Valkey 9.0); return whether it was done.

        In `ex` seconds, in `px` milliseconds, at a Unix time in seconds (`exat`) or milliseconds (`pxat`), or when they did
        before (`keepttl`); else they do not expire. Only if none of the fields exists (`fnx`), or all of them do (`fxx`); only if
        there is no such key (`nx`), or there is one (`xx`): Valkey alone knows these two.
        """
        return self._do(_words.hsetex(key, fields, nx, xx, fnx, fxx, ex, px, exat, pxat, keepttl), truth)

    def hgetex(
        self,
        key: Argument,
        field: Argument,
        *fields: Argument,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        persist: bool = False,
    ) -> list[S | None]:
        """As `hmget`, and set when the fields expire (Redis 8.0; Valkey 9.0).

        In `ex` seconds, in `px` milliseconds, at a Unix time in seconds (`exat`) or milliseconds (`pxat`), or never (`persist`).
        """
        return self._do(
            _words.hgetex(key, field, *fields, ex=ex, px=px, exat=exat, pxat=pxat, persist=persist), maybe_bulks
        )

    def hgetdel(self, key: Argument, field: Argument, *fields: Argument) -> list[S | None]:
        """As `hmget`, and delete the fields (Redis 8.0; Valkey 9.1)."""
        return self._do(("HGETDEL", key, "FIELDS", len(fields) + 1, field, *fields), maybe_bulks)

    def hgetall(self, key: Argument) -> dict[S, S]:
        """Return all fields with their values; empty if there is no such key."""
        return self._do(("HGETALL", key), table)

    def hmget(self, key: Argument, field: Argument, *fields: Argument) -> list[S | None]:
        """Return the values of the fields, None for each that does not exist."""
        return self._do(("HMGET", key, field, *fields), maybe_bulks)

    def hdel(self, key: Argument, field: Argument, *fields: Argument) -> int:
        """Delete fields; return how many there were."""
        return self._do(("HDEL", key, field, *fields), whole)

    def hexists(self, key: Argument, field: Argument) -> bool:
        """Is there such a field?"""
        return self._do(("HEXISTS", key, field), truth)

    def hstrlen(self, key: Argument, field: Argument) -> int:
        """Return how many bytes the value of a field has, 0 if there is none."""
        return self._do(("HSTRLEN", key, field), whole)

    def hincrby(self, key: Argument, field: Argument, increment: int) -> int:
        """Add to a field; return the result."""
        return self._do(("HINCRBY", key, field, increment), whole)

    def hincrbyfloat(self, key: Argument, field: Argument, increment: float) -> float:
        """Add to a field; return the result."""
        return self._do(("HINCRBYFLOAT", key, field, increment), number)

    def hlen(self, key: Argument) -> int:
        """Return the number of fields."""
        return self._do(("HLEN", key), whole)

    def hkeys(self, key: Argument) -> list[S]:
        """Return the names of all fields."""
        return self._do(("HKEYS", key), bulks)

    def hvals(self, key: Argument) -> list[S]:
        """Return the values of all fields."""
        return self._do(("HVALS", key), bulks)

    def hrandfield(self, key: Argument) -> S | None:
        """Return the name of any field, None if there is none (Redis 6.2)."""
        return self._do(("HRANDFIELD", key), maybe_bulk)

    def hrandfield_count(self, key: Argument, count: int) -> list[S]:
        """Return the names of any fields: up to `count` different ones, or exactly `-count` that may repeat (Redis 6.2)."""
        return self._do(("HRANDFIELD", key, count), bulks)

    def hrandfield_withvalues(self, key: Argument, count: int) -> list[tuple[S, S]]:
        """As `hrandfield_count`; return names with values."""
        return self._do(("HRANDFIELD", key, count, "WITHVALUES"), paired)

    def hscan(
        self, key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
    ) -> tuple[int, dict[S, S]]:
        """Return where to go on, 0 if that was all, and some fields with their values."""
        return self._do(("HSCAN", key, cursor, *given("HSCAN", match=match, count=count)), scanned_table)

    def hscan_novalues(
        self, key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
    ) -> tuple[int, list[S]]:
        """As `hscan`; return the names of fields alone, of which one may come more than once (Redis 7.4; Valkey 8.0)."""
        return self._do(("HSCAN", key, cursor, *given("HSCAN", match=match, count=count), "NOVALUES"), scanned)

    def hexpire(
        self,
        key: Argument,
        seconds: int,
        field: Argument,
        *fields: Argument,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """Let fields expire in so many seconds (Redis 7.4; Valkey 9.0); return for each what became of it.

        1: that was set; 0: it was not, because of the condition; 2: the field was deleted at once, because the time is over;
        -2: there is no such field. The condition is that the field has no expiry (`nx`), has one (`xx`), has an earlier one
        (`gt`), has a later one or none (`lt`).
        """
        return self._do(_words.hexpire(key, seconds, field, *fields, nx=nx, xx=xx, gt=gt, lt=lt), wholes)

    def hpexpire(
        self,
        key: Argument,
        milliseconds: int,
        field: Argument,
        *fields: Argument,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """As `hexpire`, in milliseconds."""
        return self._do(_words.hpexpire(key, milliseconds, field, *fields, nx=nx, xx=xx, gt=gt, lt=lt), wholes)

    def hexpireat(
        self,
        key: Argument,
        unix_time_seconds: int,
        field: Argument,
        *fields: Argument,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """As `hexpire`, at a Unix time in seconds."""
        return self._do(_words.hexpireat(key, unix_time_seconds, field, *fields, nx=nx, xx=xx, gt=gt, lt=lt), wholes)

    def hpexpireat(
        self,
        key: Argument,
        unix_time_milliseconds: int,
        field: Argument,
        *fields: Argument,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """As `hexpire`, at a Unix time in milliseconds."""
        return self._do(
            _words.hpexpireat(key, unix_time_milliseconds, field, *fields, nx=nx, xx=xx, gt=gt, lt=lt), wholes
        )

    def hpersist(self, key: Argument, field: Argument, *fields: Argument) -> list[int]:
        """Let fields not expire (Redis 7.4; Valkey 9.0); return 1 for each that would have, -1 if not, -2 if there is none."""
        return self._do(("HPERSIST", key, "FIELDS", len(fields) + 1, field, *fields), wholes)

    def httl(self, key: Argument, field: Argument, *fields: Argument) -> list[int]:
        """Return for each field in how many seconds it expires; -1 if it does not, -2 if there is none (Redis 7.4; Valkey 9.0)."""
        return self._do(("HTTL", key, "FIELDS", len(fields) + 1, field, *fields), wholes)

    def hpttl(self, key: Argument, field: Argument, *fields: Argument) -> list[int]:
        """As `httl`, in milliseconds."""
        return self._do(("HPTTL", key, "FIELDS", len(fields) + 1, field, *fields), wholes)

    def hexpiretime(self, key: Argument, field: Argument, *fields: Argument) -> list[int]:
        """Return for each field the Unix time in seconds when it expires; -1 and -2 as in `httl` (Redis 7.4; Valkey 9.0)."""
        return self._do(("HEXPIRETIME", key, "FIELDS", len(fields) + 1, field, *fields), wholes)

    def hpexpiretime(self, key: Argument, field: Argument, *fields: Argument) -> list[int]:
        """As `hexpiretime`, in milliseconds."""
        return self._do(("HPEXPIRETIME", key, "FIELDS", len(fields) + 1, field, *fields), wholes)

    def himport_prepare(self, fieldset_name: Argument, field: Argument, *fields: Argument) -> None:
        """Name the fields of hashes that are to be set on this connection (Redis 8.10)."""
        return self._do(("HIMPORT PREPARE", fieldset_name, field, *fields), done)

    def himport_set(self, key: Argument, fieldset_name: Argument, value: Argument, *values: Argument) -> None:
        """Put a hash in place of `key`: the fields that were named on this connection, with these values (Redis 8.10)."""
        return self._do(("HIMPORT SET", key, fieldset_name, value, *values), done)

    def himport_discard(self, fieldset_name: Argument) -> bool:
        """Forget the fields of this name; return whether there were any (Redis 8.10)."""
        return self._do(("HIMPORT DISCARD", fieldset_name), truth)

    def himport_discardall(self) -> int:
        """Forget all named fields of this connection; return how many names there were (Redis 8.10)."""
        return self._do(("HIMPORT DISCARDALL",), whole)

    # lists

    def lpush(self, key: Argument, element: Argument, *elements: Argument) -> int:
        """Put elements before the first, one after the other; return the length."""
        return self._do(("LPUSH", key, element, *elements), whole)

    def rpush(self, key: Argument, element: Argument, *elements: Argument) -> int:
        """Put elements behind the last; return the length."""
        return self._do(("RPUSH", key, element, *elements), whole)

    def lpushx(self, key: Argument, element: Argument, *elements: Argument) -> int:
        """As `lpush`, if there is such a list; else return 0."""
        return self._do(("LPUSHX", key, element, *elements), whole)

    def rpushx(self, key: Argument, element: Argument, *elements: Argument) -> int:
        """As `rpush`, if there is such a list; else return 0."""
        return self._do(("RPUSHX", key, element, *elements), whole)

    def linsert(self, key: Argument, where: Where, pivot: Argument, element: Argument) -> int:
        """Put an element before or behind the first that equals `pivot`; return the length.

        -1 if none does, 0 if there is no list.
        """
        return self._do(("LINSERT", key, where, pivot, element), whole)

    def lpop(self, key: Argument) -> S | None:
        """Take the first element, None if there is none."""
        return self._do(("LPOP", key), maybe_bulk)

    def lpop_count(self, key: Argument, count: int) -> list[S]:
        """Take up to `count` elements from the front (Redis 6.2); empty if there is no such key."""
        return self._do(("LPOP", key, count), bulks)

    def rpop(self, key: Argument) -> S | None:
        """Take the last element, None if there is none."""
        return self._do(("RPOP", key), maybe_bulk)

    def rpop_count(self, key: Argument, count: int) -> list[S]:
        """Take up to `count` elements from the end (Redis 6.2); empty if there is no such key."""
        return self._do(("RPOP", key, count), bulks)

    def lmpop(self, key: Argument, *keys: Argument, where: Side, count: int | None = None) -> tuple[S, list[S]] | None:
        """Take an element, or up to `count`, from an end of the first of the keys that has one (Redis 7.0).

        Return the key and the elements, None if there are none.
        """
        return self._do(("LMPOP", len(keys) + 1, key, *keys, where, *given("LMPOP", count=count)), popped)

    def blmpop(
        self, key: Argument, *keys: Argument, where: Side, timeout: float, count: int | None = None
    ) -> tuple[S, list[S]] | None:
        """As `lmpop`; waits on the server for an element up to `timeout` seconds, 0 for ever."""
        return self._do(("BLMPOP", timeout, len(keys) + 1, key, *keys, where, *given("BLMPOP", count=count)), popped)

    def blpop(self, key: Argument, *keys: Argument, timeout: float) -> tuple[S, S] | None:
        """Take the first element of the first of the keys that has one; return key and element.

        Waits on the server for one up to `timeout` seconds, 0 for ever; None if none came.
        """
        return self._do(("BLPOP", key, *keys, timeout), source_and_value)

    def brpop(self, key: Argument, *keys: Argument, timeout: float) -> tuple[S, S] | None:
        """As `blpop`, the last element."""
        return self._do(("BRPOP", key, *keys, timeout), source_and_value)

    def lmove(self, source: Argument, destination: Argument, wherefrom: Side, whereto: Side) -> S | None:
        """Move an element between ends of lists (Redis 6.2); return it, None if there is none."""
        return self._do(("LMOVE", source, destination, wherefrom, whereto), maybe_bulk)

    def blmove(
        self, source: Argument, destination: Argument, wherefrom: Side, whereto: Side, *, timeout: float
    ) -> S | None:
        """As `lmove`; waits on the server for an element up to `timeout` seconds, 0 for ever."""
        return self._do(("BLMOVE", source, destination, wherefrom, whereto, timeout), maybe_bulk)

    def lmovem(
        self,
        source: Argument,
        destination: Argument,
        wherefrom: Side,
        whereto: Side,
        *,
        count: int | None = None,
        exactly: int | None = None,
        ordering: Ordering | None = None,
    ) -> list[S]:
        """As `lmove` (Redis 8.10); return a list of the elements as they are at `destination`, empty if none was moved.

        It is one element, or up to `count`, or `exactly` so many or else none. They are moved one by one (`ordering` is OBO),
        which may turn their order round, or as they are (BULK).
        """
        return self._do(_words.lmovem(source, destination, wherefrom, whereto, count, exactly, ordering), bulks)

    def blmovem(
        self,
        source: Argument,
        destination: Argument,
        wherefrom: Side,
        whereto: Side,
        *,
        timeout: float,
        count: int | None = None,
        exactly: int | None = None,
        ordering: Ordering | None = None,
    ) -> list[S]:
        """As `lmovem`; waits on the server for one element, or for `exactly` so many, up to `timeout` seconds, 0 for ever."""
        return self._do(
            _words.blmovem(source, destination, wherefrom, whereto, timeout, count, exactly, ordering), bulks
        )

    def rpoplpush(self, source: Argument, destination: Argument) -> S | None:
        """As `lmove` from RIGHT to LEFT, on servers that are older than it."""
        return self._do(("RPOPLPUSH", source, destination), maybe_bulk)

    def brpoplpush(self, source: Argument, destination: Argument, *, timeout: float) -> S | None:
        """As `blmove` from RIGHT to LEFT, on servers that are older than it."""
        return self._do(("BRPOPLPUSH", source, destination, timeout), maybe_bulk)

    def llen(self, key: Argument) -> int:
        """Return the number of elements."""
        return self._do(("LLEN", key), whole)

    def lrange(self, key: Argument, start: int, stop: int) -> list[S]:
        """Return the elements from `start` to `stop`, both included; negative ones count from the end."""
        return self._do(("LRANGE", key, start, stop), bulks)

    def lindex(self, key: Argument, index: int) -> S | None:
        """Return the element at `index`, None if there is none."""
        return self._do(("LINDEX", key, index), maybe_bulk)

    def lpos(
        self, key: Argument, element: Argument, *, rank: int | None = None, maxlen: int | None = None
    ) -> int | None:
        """Return the index of the first element that equals this, None if none does (Redis 6.0.6).

        With `rank` 2 it is the second, with -1 the last. No more than `maxlen` are looked at.
        """
        return self._do(("LPOS", key, element, *given("LPOS", rank=rank, maxlen=maxlen)), maybe_whole)

    def lpos_count(
        self, key: Argument, element: Argument, count: int, *, rank: int | None = None, maxlen: int | None = None
    ) -> list[int]:
        """As `lpos`; return the indices of up to `count` of them, 0 for all."""
        return self._do(_words.lpos_count(key, element, count, rank, maxlen), wholes)

    def lset(self, key: Argument, index: int, element: Argument) -> None:
        """Replace the element at `index`."""
        return self._do(("LSET", key, index, element), done)

    def lrem(self, key: Argument, count: int, element: Argument) -> int:
        """Remove the first `count` elements equal to this (the last if negative, all if 0); return how many."""
        return self._do(("LREM", key, count, element), whole)

    def ltrim(self, key: Argument, start: int, stop: int) -> None:
        """Keep only what `lrange` would return."""
        return self._do(("LTRIM", key, start, stop), done)

    # sets

    def sadd(self, key: Argument, member: Argument, *members: Argument) -> int:
        """Add members; return how many are new."""
        return self._do(("SADD", key, member, *members), whole)

    def srem(self, key: Argument, member: Argument, *members: Argument) -> int:
        """Remove members; return how many there were."""
        return self._do(("SREM", key, member, *members), whole)

    def smembers(self, key: Argument) -> Members[S]:
        """Return all members."""
        return self._do(("SMEMBERS", key), members)

    def sismember(self, key: Argument, member: Argument) -> bool:
        """Is this a member?"""
        return self._do(("SISMEMBER", key, member), truth)

    def smismember(self, key: Argument, member: Argument, *members: Argument) -> list[bool]:
        """Which of these are members? (Redis 6.2)"""
        return self._do(("SMISMEMBER", key, member, *members), truths)

    def scard(self, key: Argument) -> int:
        """Return the number of members."""
        return self._do(("SCARD", key), whole)

    def spop(self, key: Argument) -> S | None:
        """Take any member, None if there is none."""
        return self._do(("SPOP", key), maybe_bulk)

    def spop_count(self, key: Argument, count: int) -> Members[S]:
        """Take any members, up to `count`."""
        return self._do(("SPOP", key, count), members)

    def srandmember(self, key: Argument) -> S | None:
        """Return any member, None if there is none."""
        return self._do(("SRANDMEMBER", key), maybe_bulk)

    def srandmember_count(self, key: Argument, count: int) -> list[S]:
        """Return any members: up to `count` different ones, or exactly `-count` that may repeat."""
        return self._do(("SRANDMEMBER", key, count), bulks)

    def sinter(self, key: Argument, *keys: Argument) -> Members[S]:
        """Return what is in all of the sets."""
        return self._do(("SINTER", key, *keys), members)

    def sunion(self, key: Argument, *keys: Argument) -> Members[S]:
        """Return what is in any of the sets."""
        return self._do(("SUNION", key, *keys), members)

    def sdiff(self, key: Argument, *keys: Argument) -> Members[S]:
        """Return what is in the first set and in none of the others."""
        return self._do(("SDIFF", key, *keys), members)

    def sinterstore(self, destination: Argument, key: Argument, *keys: Argument) -> int:
        """Put what `sinter` would return in place of `destination`; return how many members that are."""
        return self._do(("SINTERSTORE", destination, key, *keys), whole)

    def sunionstore(self, destination: Argument, key: Argument, *keys: Argument) -> int:
        """Put what `sunion` would return in place of `destination`; return how many members that are."""
        return self._do(("SUNIONSTORE", destination, key, *keys), whole)

    def sdiffstore(self, destination: Argument, key: Argument, *keys: Argument) -> int:
        """Put what `sdiff` would return in place of `destination`; return how many members that are."""
        return self._do(("SDIFFSTORE", destination, key, *keys), whole)

    def sintercard(self, key: Argument, *keys: Argument, limit: int | None = None) -> int:
        """Return how many members are in all of the sets; count no further than `limit` (Redis 7.0)."""
        return self._do(("SINTERCARD", len(keys) + 1, key, *keys, *given("SINTERCARD", limit=limit)), whole)

    def sunioncard(self, key: Argument, *keys: Argument, approx: bool = False, limit: int | None = None) -> int:
        """Return how many members `sunion` would return; count no further than `limit` (Redis 8.10).

        With `approx` it is an estimate, for which the server needs less memory.
        """
        return self._do(_words.sunioncard(key, *keys, approx=approx, limit=limit), whole)

    def sdiffcard(self, key: Argument, *keys: Argument, limit: int | None = None) -> int:
        """Return how many members `sdiff` would return; count no further than `limit` (Redis 8.10)."""
        return self._do(("SDIFFCARD", len(keys) + 1, key, *keys, *given("SDIFFCARD", limit=limit)), whole)

    def smove(self, source: Argument, destination: Argument, member: Argument) -> bool:
        """Move a member from set to set; return whether it was there."""
        return self._do(("SMOVE", source, destination, member), truth)

    def sscan(
        self, key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
    ) -> tuple[int, list[S]]:
        """Return where to go on, 0 if that was all, and some members; one may come more than once."""
        return self._do(("SSCAN", key, cursor, *given("SSCAN", match=match, count=count)), scanned)

    # sorted sets

    def zadd(
        self,
        key: Argument,
        scores: Scores,
        *,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
        ch: bool = False,
    ) -> int:
        """Add members with their scores, as in `{"member": 1.5}`, or change scores; return how many are new, with `ch` or changed.

        Only add (`nx`), only change (`xx`), change only upwards (`gt`) or downwards (`lt`); the last two are of Redis 6.2.
        """
        return self._do(_words.zadd(key, scores, nx, xx, gt, lt, ch), whole)

    def zadd_incr(
        self,
        key: Argument,
        increment: float,
        member: Argument,
        *,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> float | None:
        """Add to a member's score, as `zincrby` does; return the result, None if the options, those of `zadd`, forbade it."""
        return self._do(("ZADD", key, *condition("ZADD", nx, xx, gt, lt), "INCR", increment, member), maybe_number)

    def zincrby(self, key: Argument, increment: float, member: Argument) -> float:
        """Add to a member's score; return the result."""
        return self._do(("ZINCRBY", key, increment, member), number)

    def zrem(self, key: Argument, member: Argument, *members: Argument) -> int:
        """Remove members; return how many there were."""
        return self._do(("ZREM", key, member, *members), whole)

    def zscore(self, key: Argument, member: Argument) -> float | None:
        """Return a member's score, None if it is none."""
        return self._do(("ZSCORE", key, member), maybe_number)

    def zmscore(self, key: Argument, member: Argument, *members: Argument) -> list[float | None]:
        """Return the members' scores, each None if it is no member (Redis 6.2)."""
        return self._do(("ZMSCORE", key, member, *members), maybe_numbers)

    def zcard(self, key: Argument) -> int:
        """Return the number of members."""
        return self._do(("ZCARD", key), whole)

    def zcount(self, key: Argument, min: Argument, max: Argument) -> int:
        """Return the number of members with a score from `min` to `max`: numbers, `-inf`, or `(1` to exclude it."""
        return self._do(("ZCOUNT", key, min, max), whole)

    def zlexcount(self, key: Argument, min: Argument, max: Argument) -> int:
        """Return the number of members with a name from `min` to `max`: `[a` to include it, `(a` to exclude it, `-`, `+`."""
        return self._do(("ZLEXCOUNT", key, min, max), whole)

    def zrank(self, key: Argument, member: Argument) -> int | None:
        """Return a member's place from the lowest score, 0 for the first, None if it is none."""
        return self._do(("ZRANK", key, member), maybe_whole)

    def zrank_withscore(self, key: Argument, member: Argument) -> tuple[int, float] | None:
        """As `zrank`, with the score (Redis 7.2)."""
        return self._do(("ZRANK", key, member, "WITHSCORE"), place_and_score)

    def zrevrank(self, key: Argument, member: Argument) -> int | None:
        """Return a member's place from the highest score, 0 for the first, None if it is none."""
        return self._do(("ZREVRANK", key, member), maybe_whole)

    def zrevrank_withscore(self, key: Argument, member: Argument) -> tuple[int, float] | None:
        """As `zrevrank`, with the score (Redis 7.2)."""
        return self._do(("ZREVRANK", key, member, "WITHSCORE"), place_and_score)

    def zrange(
        self,
        key: Argument,
        start: Argument,
        stop: Argument,
        *,
        byscore: bool = False,
        bylex: bool = False,
        rev: bool = False,
        limit: tuple[int, int] | None = None,
    ) -> list[S]:
        """Return members in their order, from one place to another, both included; negative ones count from the end.

        `byscore` and `bylex` say that `start` and `stop` are scores or names, of which `limit`, offset and count, takes a part;
        `rev` counts from the highest, and then the higher one comes first. The options are of Redis 6.2.
        """
        return self._do(_words.zrange(key, start, stop, byscore, bylex, rev, limit), bulks)

    def zrange_withscores(
        self,
        key: Argument,
        start: Argument,
        stop: Argument,
        *,
        byscore: bool = False,
        rev: bool = False,
        limit: tuple[int, int] | None = None,
    ) -> list[tuple[S, float]]:
        """As `zrange`, with scores."""
        return self._do(_words.zrange_withscores(key, start, stop, byscore, rev, limit), scored)

    def zrangestore(
        self,
        dst: Argument,
        src: Argument,
        min: Argument,
        max: Argument,
        *,
        byscore: bool = False,
        bylex: bool = False,
        rev: bool = False,
        limit: tuple[int, int] | None = None,
    ) -> int:
        """Make a sorted set of the members that `zrange` would return of `src`; return how many there are (Redis 6.2)."""
        return self._do(_words.zrangestore(dst, src, min, max, byscore, bylex, rev, limit), whole)

    def zrevrange(self, key: Argument, start: int, stop: int) -> list[S]:
        """Return members from the highest score, from one place to another, both included; negative ones count from the end."""
        return self._do(("ZREVRANGE", key, start, stop), bulks)

    def zrevrange_withscores(self, key: Argument, start: int, stop: int) -> list[tuple[S, float]]:
        """As `zrevrange`, with scores."""
        return self._do(("ZREVRANGE", key, start, stop, "WITHSCORES"), scored)

    def zrangebyscore(
        self, key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[S]:
        """Return members with a score from `min` to `max`: numbers, `-inf`, or `(1` to exclude it."""
        return self._do(("ZRANGEBYSCORE", key, min, max, *limiting("ZRANGEBYSCORE", limit)), bulks)

    def zrangebyscore_withscores(
        self, key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[tuple[S, float]]:
        """As `zrangebyscore`, with scores."""
        return self._do(("ZRANGEBYSCORE", key, min, max, "WITHSCORES", *limiting("ZRANGEBYSCORE", limit)), scored)

    def zrevrangebyscore(
        self, key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[S]:
        """As `zrangebyscore`, from the highest score: `max` comes first."""
        return self._do(("ZREVRANGEBYSCORE", key, max, min, *limiting("ZREVRANGEBYSCORE", limit)), bulks)

    def zrevrangebyscore_withscores(
        self, key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[tuple[S, float]]:
        """As `zrevrangebyscore`, with scores."""
        return self._do(_words.zrevrangebyscore_withscores(key, max, min, limit), scored)

    def zrangebylex(
        self, key: Argument, min: Argument, max: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[S]:
        """Return members with a name from `min` to `max`, as `zlexcount` counts them. All scores are to be the same."""
        return self._do(("ZRANGEBYLEX", key, min, max, *limiting("ZRANGEBYLEX", limit)), bulks)

    def zrevrangebylex(
        self, key: Argument, max: Argument, min: Argument, *, limit: tuple[int, int] | None = None
    ) -> list[S]:
        """As `zrangebylex`, from the last name: `max` comes first."""
        return self._do(("ZREVRANGEBYLEX", key, max, min, *limiting("ZREVRANGEBYLEX", limit)), bulks)

    def zrandmember(self, key: Argument) -> S | None:
        """Return a member by chance, None if there is none (Redis 6.2)."""
        return self._do(("ZRANDMEMBER", key), maybe_bulk)

    def zrandmember_count(self, key: Argument, count: int) -> list[S]:
        """Return up to `count` members by chance, or as many as a negative one says, some of them more than once (Redis 6.2)."""
        return self._do(("ZRANDMEMBER", key, count), bulks)

    def zrandmember_withscores(self, key: Argument, count: int) -> list[tuple[S, float]]:
        """As `zrandmember_count`, with scores (Redis 6.2)."""
        return self._do(("ZRANDMEMBER", key, count, "WITHSCORES"), scored)

    def zremrangebyrank(self, key: Argument, start: int, stop: int) -> int:
        """Remove the members that `zrange` would return; return how many."""
        return self._do(("ZREMRANGEBYRANK", key, start, stop), whole)

    def zremrangebyscore(self, key: Argument, min: Argument, max: Argument) -> int:
        """Remove the members that `zrangebyscore` would return; return how many."""
        return self._do(("ZREMRANGEBYSCORE", key, min, max), whole)

    def zremrangebylex(self, key: Argument, min: Argument, max: Argument) -> int:
        """Remove the members that `zrangebylex` would return; return how many."""
        return self._do(("ZREMRANGEBYLEX", key, min, max), whole)

    def zpopmin(self, key: Argument) -> tuple[S, float] | None:
        """Take the member with the lowest score, None if there is none."""
        return self._do(("ZPOPMIN", key), first_scored)

    def zpopmin_count(self, key: Argument, count: int) -> list[tuple[S, float]]:
        """Take up to `count` members with the lowest scores."""
        return self._do(("ZPOPMIN", key, count), scored)

    def zpopmax(self, key: Argument) -> tuple[S, float] | None:
        """Take the member with the highest score, None if there is none."""
        return self._do(("ZPOPMAX", key), first_scored)

    def zpopmax_count(self, key: Argument, count: int) -> list[tuple[S, float]]:
        """Take up to `count` members with the highest scores."""
        return self._do(("ZPOPMAX", key, count), scored)

    def bzpopmin(self, key: Argument, *keys: Argument, timeout: float) -> tuple[S, S, float] | None:
        """Wait up to `timeout` seconds, 0 for ever, for a member in one of the sorted sets, and take the one with the lowest score.

        Returns the key, the member and its score, None if the time is up.
        """
        return self._do(("BZPOPMIN", key, *keys, timeout), taken)

    def bzpopmax(self, key: Argument, *keys: Argument, timeout: float) -> tuple[S, S, float] | None:
        """As `bzpopmin`, the one with the highest score."""
        return self._do(("BZPOPMAX", key, *keys, timeout), taken)

    def zmpop(
        self, key: Argument, *keys: Argument, where: End, count: int | None = None
    ) -> tuple[S, list[tuple[S, float]]] | None:
        """Take a member with the lowest (`MIN`) or highest (`MAX`) score, or up to `count`, of the first sorted set that has any.

        Returns its key and the members with their scores, None if there are none (Redis 7.0).
        """
        return self._do(("ZMPOP", 1 + len(keys), key, *keys, where, *given("ZMPOP", count=count)), taken_some)

    def bzmpop(
        self, key: Argument, *keys: Argument, timeout: float, where: End, count: int | None = None
    ) -> tuple[S, list[tuple[S, float]]] | None:
        """As `zmpop`, and wait up to `timeout` seconds, 0 for ever, for a member (Redis 7.0)."""
        return self._do(_words.bzmpop(key, *keys, timeout=timeout, where=where, count=count), taken_some)

    def zdiff(self, key: Argument, *keys: Argument) -> list[S]:
        """Return the members of the first sorted set that no other has, in their order (Redis 6.2)."""
        return self._do(("ZDIFF", 1 + len(keys), key, *keys), bulks)

    def zdiff_withscores(self, key: Argument, *keys: Argument) -> list[tuple[S, float]]:
        """As `zdiff`, with scores (Redis 6.2)."""
        return self._do(("ZDIFF", 1 + len(keys), key, *keys, "WITHSCORES"), scored)

    def zdiffstore(self, destination: Argument, key: Argument, *keys: Argument) -> int:
        """Make a sorted set of what `zdiff` would return; return how many members it has (Redis 6.2)."""
        return self._do(("ZDIFFSTORE", destination, 1 + len(keys), key, *keys), whole)

    def zinter(
        self, key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
    ) -> list[S]:
        """Return the members that all of the sorted sets have, or sets, in their order (Redis 6.2).

        A member's score is the sum of its scores, or what `aggregate` says, after those of each key were multiplied by its weight.
        With `COUNT` (Redis 8.8) it is the sum of the weights of the keys that have it.
        """
        return self._do(_words.zinter(key, *keys, weights=weights, aggregate=aggregate), bulks)

    def zinter_withscores(
        self, key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
    ) -> list[tuple[S, float]]:
        """As `zinter`, with scores (Redis 6.2)."""
        return self._do(_words.zinter_withscores(key, *keys, weights=weights, aggregate=aggregate), scored)

    def zinterstore(
        self,
        destination: Argument,
        key: Argument,
        *keys: Argument,
        weights: Weights | None = None,
        aggregate: Aggregate | None = None,
    ) -> int:
        """Make a sorted set of what `zinter` would return; return how many members it has."""
        return self._do(_words.zinterstore(destination, key, *keys, weights=weights, aggregate=aggregate), whole)

    def zintercard(self, key: Argument, *keys: Argument, limit: int | None = None) -> int:
        """Return how many members all of the sorted sets have, counted up to `limit` (Redis 7.0)."""
        return self._do(("ZINTERCARD", 1 + len(keys), key, *keys, *given("ZINTERCARD", limit=limit)), whole)

    def zunion(
        self, key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
    ) -> list[S]:
        """Return the members that any of the sorted sets has, or sets, in their order; scores are those of `zinter` (Redis 6.2)."""
        return self._do(_words.zunion(key, *keys, weights=weights, aggregate=aggregate), bulks)

    def zunion_withscores(
        self, key: Argument, *keys: Argument, weights: Weights | None = None, aggregate: Aggregate | None = None
    ) -> list[tuple[S, float]]:
        """As `zunion`, with scores (Redis 6.2)."""
        return self._do(_words.zunion_withscores(key, *keys, weights=weights, aggregate=aggregate), scored)

    def zunionstore(
        self,
        destination: Argument,
        key: Argument,
        *keys: Argument,
        weights: Weights | None = None,
        aggregate: Aggregate | None = None,
    ) -> int:
        """Make a sorted set of what `zunion` would return; return how many members it has."""
        return self._do(_words.zunionstore(destination, key, *keys, weights=weights, aggregate=aggregate), whole)

    def zscan(
        self, key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
    ) -> tuple[int, list[tuple[S, float]]]:
        """Return where to go on, 0 if that was all, and some members with their scores; one may come more than once."""
        return self._do(("ZSCAN", key, cursor, *given("ZSCAN", match=match, count=count)), scanned_scores)

    def zscan_noscores(
        self, key: Argument, cursor: int = 0, *, match: Argument | None = None, count: int | None = None
    ) -> tuple[int, list[S]]:
        """As `zscan`, without scores (Valkey 8.0)."""
        return self._do(("ZSCAN", key, cursor, *given("ZSCAN", match=match, count=count), "NOSCORES"), scanned)

    # streams

    def xadd(
        self,
        key: Argument,
        fields: Fields,
        *,
        id: Argument = "*",
        maxlen: int | None = None,
        minid: Argument | None = None,
        approximate: bool = True,
        limit: int | None = None,
        keepref: bool = False,
        delref: bool = False,
        acked: bool = False,
        idmpauto: Argument | None = None,
        idmp: tuple[Argument, Argument] | None = None,
    ) -> S:
        """Append an entry; return its ID. `maxlen` and the others up to `acked` trim the stream, as `xtrim` does.

        `idmp` are the IDs of a producer and of what it adds: if it adds that again, the server does not, and returns the ID that it
        returned before. `idmpauto` is the ID of a producer alone: what has the same fields is the same. Both are of Redis 8.6.
        An entry may have a field twice; such a one is sent by `execute("XADD", ...)`.
        """
        return self._do(
            _words.xadd(key, fields, id, maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp),
            bulk,
        )

    def xadd_nomkstream(
        self,
        key: Argument,
        fields: Fields,
        *,
        id: Argument = "*",
        maxlen: int | None = None,
        minid: Argument | None = None,
        approximate: bool = True,
        limit: int | None = None,
        keepref: bool = False,
        delref: bool = False,
        acked: bool = False,
        idmpauto: Argument | None = None,
        idmp: tuple[Argument, Argument] | None = None,
    ) -> S | None:
        """As `xadd`, if there is such a stream; return None if there is none (Redis 6.2)."""
        return self._do(
            _words.xadd_nomkstream(
                key, fields, id, maxlen, minid, approximate, limit, keepref, delref, acked, idmpauto, idmp
            ),
            maybe_bulk,
        )

    def xlen(self, key: Argument) -> int:
        """Return the number of entries."""
        return self._do(("XLEN", key), whole)

    def xrange(
        self, key: Argument, start: Argument = "-", end: Argument = "+", *, count: int | None = None
    ) -> list[Entry[S]]:
        """Return the entries from one ID to another, both included, oldest first."""
        return self._do(("XRANGE", key, start, end, *given("XRANGE", count=count)), entries)

    def xrevrange(
        self, key: Argument, end: Argument = "+", start: Argument = "-", *, count: int | None = None
    ) -> list[Entry[S]]:
        """Return the entries from one ID back to another, both included, newest first."""
        return self._do(("XREVRANGE", key, end, start, *given("XREVRANGE", count=count)), entries)

    def xread(
        self,
        streams: Fields,
        *,
        count: int | None = None,
        maxcount: int | None = None,
        maxsize: int | None = None,
        block: int | None = None,
    ) -> dict[S, list[Entry[S]]]:
        """Return the entries behind these IDs by stream, as in `{"stream": "0"}`; a stream without any is left out.

        Returns up to `count` of each stream, up to `maxcount` of all, about `maxsize` bytes in all; the last two are of Redis 8.10.
        With `block`, waits on the server for one up to so many milliseconds, 0 for ever.
        """
        return self._do(_words.xread(streams, count, maxcount, maxsize, block), by_stream)

    def xreadgroup(
        self,
        group: Argument,
        consumer: Argument,
        streams: Fields,
        *,
        count: int | None = None,
        maxcount: int | None = None,
        maxsize: int | None = None,
        block: int | None = None,
        noack: bool = False,
    ) -> dict[S, list[Entry[S]]]:
        """As `xread`, for a consumer of a group: `>` stands for what no consumer has had, an ID for what is pending behind it."""
        return self._do(_words.xreadgroup(group, consumer, streams, count, maxcount, maxsize, block, noack), by_stream)

    def xreadgroup_claim(
        self,
        group: Argument,
        consumer: Argument,
        min_idle_time: int,
        key: Argument,
        *keys: Argument,
        count: int | None = None,
        maxcount: int | None = None,
        maxsize: int | None = None,
        block: int | None = None,
        noack: bool = False,
    ) -> dict[S, list[ClaimedEntry[S]]]:
        """As `xreadgroup` with `>` for each stream; entries that are pending for so many milliseconds come first (Redis 8.4).

        They are the consumer's from then on. Each entry says how long it was pending and how often it was delivered: 0 if never.
        """
        return self._do(
            _words.xreadgroup_claim(
                group,
                consumer,
                min_idle_time,
                key,
                *keys,
                count=count,
                maxcount=maxcount,
                maxsize=maxsize,
                block=block,
                noack=noack,
            ),
            claimed_by_stream,
        )

    def xgroup_create(
        self,
        key: Argument,
        group: Argument,
        id: Argument = "$",
        *,
        mkstream: bool = False,
        entriesread: int | None = None,
    ) -> None:
        """Create a group that reads what comes behind `id`; `mkstream` creates the stream if there is none.

        `entriesread` says how many entries there were up to `id`, from which the server counts the lag (Redis 7.0).
        """
        return self._do(_words.xgroup_create(key, group, id, mkstream, entriesread), done)

    def xgroup_setid(self, key: Argument, group: Argument, id: Argument, *, entriesread: int | None = None) -> None:
        """Let a group go on behind `id`. `entriesread` is that of `xgroup_create` (Redis 7.0)."""
        return self._do(("XGROUP SETID", key, group, id, *given("XGROUP SETID", entriesread=entriesread)), done)

    def xgroup_destroy(self, key: Argument, group: Argument) -> bool:
        """Remove a group; return whether there was one."""
        return self._do(("XGROUP DESTROY", key, group), truth)

    def xgroup_createconsumer(self, key: Argument, group: Argument, consumer: Argument) -> bool:
        """Create a consumer of a group; return whether it is new (Redis 6.2)."""
        return self._do(("XGROUP CREATECONSUMER", key, group, consumer), truth)

    def xgroup_delconsumer(self, key: Argument, group: Argument, consumer: Argument) -> int:
        """Remove a consumer of a group; return how many entries were pending for it: these are lost to the group."""
        return self._do(("XGROUP DELCONSUMER", key, group, consumer), whole)

    def xack(self, key: Argument, group: Argument, id: Argument, *ids: Argument) -> int:
        """Say that these entries are done with; return how many were pending."""
        return self._do(("XACK", key, group, id, *ids), whole)

    def xackdel(
        self,
        key: Argument,
        group: Argument,
        id: Argument,
        *ids: Argument,
        keepref: bool = False,
        delref: bool = False,
        acked: bool = False,
    ) -> list[int]:
        """Say that these entries are done with, and delete them; return of each what `xdelex` does (Redis 8.2)."""
        return self._do(_words.xackdel(key, group, id, *ids, keepref=keepref, delref=delref, acked=acked), wholes)

    def xnack(
        self,
        key: Argument,
        group: Argument,
        mode: Nack,
        id: Argument,
        *ids: Argument,
        retrycount: int | None = None,
        force: bool = False,
    ) -> int:
        """Give pending entries back to the group, for any consumer to claim at once; return how many were pending (Redis 8.8).

        `SILENT` takes the delivery out of the count of them, `FAIL` leaves that as it is, `FATAL` makes it as high as can be, and
        `retrycount` makes it this number. `force` makes entries pending that were not.
        """
        return self._do(_words.xnack(key, group, mode, id, *ids, retrycount=retrycount, force=force), whole)

    def xpending(self, key: Argument, group: Argument) -> PendingSummary[S]:
        """Return how many entries are pending in a group, their lowest and highest ID, and how many each consumer has."""
        return self._do(("XPENDING", key, group), pending_summary)

    def xpending_range(
        self,
        key: Argument,
        group: Argument,
        start: Argument,
        end: Argument,
        count: int,
        consumer: Argument | None = None,
        *,
        idle: int | None = None,
    ) -> list[PendingEntry[S]]:
        """Return up to `count` pending entries from one ID to another, of one consumer or of all.

        `idle` asks for those that were delivered so many milliseconds ago or earlier (Redis 6.2).
        """
        return self._do(_words.xpending_range(key, group, start, end, count, consumer, idle), pending)

    def xclaim(
        self,
        key: Argument,
        group: Argument,
        consumer: Argument,
        min_idle_time: int,
        id: Argument,
        *ids: Argument,
        idle: int | None = None,
        time: int | None = None,
        retrycount: int | None = None,
        force: bool = False,
        lastid: Argument | None = None,
    ) -> list[Entry[S]]:
        """Make pending entries those of a consumer, if they were delivered so many milliseconds ago or earlier; return them.

        Each counts as delivered now, `idle` milliseconds ago or at `time`, Unix milliseconds; and once more, or `retrycount` times.
        `force` makes entries pending that were not; `lastid` is what the group has read up to, if it is higher.
        """
        return self._do(
            _words.xclaim(
                key,
                group,
                consumer,
                min_idle_time,
                id,
                *ids,
                idle=idle,
                time=time,
                retrycount=retrycount,
                force=force,
                lastid=lastid,
            ),
            entries,
        )

    def xclaim_justid(
        self,
        key: Argument,
        group: Argument,
        consumer: Argument,
        min_idle_time: int,
        id: Argument,
        *ids: Argument,
        idle: int | None = None,
        time: int | None = None,
        retrycount: int | None = None,
        force: bool = False,
        lastid: Argument | None = None,
    ) -> list[S]:
        """As `xclaim`, but return IDs, and do not count it as a delivery."""
        return self._do(
            _words.xclaim_justid(
                key,
                group,
                consumer,
                min_idle_time,
                id,
                *ids,
                idle=idle,
                time=time,
                retrycount=retrycount,
                force=force,
                lastid=lastid,
            ),
            bulks,
        )

    def xautoclaim(
        self,
        key: Argument,
        group: Argument,
        consumer: Argument,
        min_idle_time: int,
        start: Argument = "0-0",
        *,
        count: int | None = None,
    ) -> Autoclaimed[S]:
        """Make up to `count` pending entries from `start` on those of a consumer, as `xclaim` does (Redis 6.2).

        Returns where to go on, `0-0` if that was all, the entries, and the IDs of pending ones that are deleted (Redis 7.0).
        """
        return self._do(_words.xautoclaim(key, group, consumer, min_idle_time, start, count), claimed)

    def xautoclaim_justid(
        self,
        key: Argument,
        group: Argument,
        consumer: Argument,
        min_idle_time: int,
        start: Argument = "0-0",
        *,
        count: int | None = None,
    ) -> AutoclaimedIDs[S]:
        """As `xautoclaim`, but return IDs in place of entries, and do not count it as a delivery (Redis 6.2)."""
        return self._do(_words.xautoclaim_justid(key, group, consumer, min_idle_time, start, count), claimed_ids_only)

    def xdel(self, key: Argument, id: Argument, *ids: Argument) -> int:
        """Delete entries; return how many there were."""
        return self._do(("XDEL", key, id, *ids), whole)

    def xdelex(
        self,
        key: Argument,
        id: Argument,
        *ids: Argument,
        keepref: bool = False,
        delref: bool = False,
        acked: bool = False,
    ) -> list[int]:
        """Delete entries; return of each 1 if it is deleted, -1 if there is none, 2 if it is still needed (Redis 8.2).

        What is pending in groups stays so (`keepref`, as without any option), or not (`delref`). `acked` deletes no entry that a
        group has yet to read or to acknowledge.
        """
        return self._do(_words.xdelex(key, id, *ids, keepref=keepref, delref=delref, acked=acked), wholes)

    def xtrim(
        self,
        key: Argument,
        *,
        maxlen: int | None = None,
        minid: Argument | None = None,
        approximate: bool = True,
        limit: int | None = None,
        keepref: bool = False,
        delref: bool = False,
        acked: bool = False,
    ) -> int:
        """Delete the oldest entries beyond `maxlen`, or those before `minid` (Redis 6.2); return how many.

        `approximate` leaves some more where that is cheaper, and deletes up to `limit` of them (Redis 6.2). `keepref`, `delref` and
        `acked` are those of `xdelex` (Redis 8.2).
        """
        return self._do(_words.xtrim(key, maxlen, minid, approximate, limit, keepref, delref, acked), whole)

    def xsetid(
        self, key: Argument, last_id: Argument, *, entriesadded: int | None = None, maxdeletedid: Argument | None = None
    ) -> None:
        """Make `last_id` the last ID of a stream: the next entry has a higher one.

        `entriesadded` makes it a stream that ever had so many entries, `maxdeletedid` one that had this as the highest deleted ID;
        both are of Redis 7.0.
        """
        return self._do(_words.xsetid(key, last_id, entriesadded, maxdeletedid), done)

    def xcfgset(self, key: Argument, *, idmp_duration: int | None = None, idmp_maxsize: int | None = None) -> None:
        """Set for how many seconds a stream keeps the IDs in `idmp` of `xadd`, and how many of each producer (Redis 8.6)."""
        return self._do(_words.xcfgset(key, idmp_duration, idmp_maxsize), done)

    def xidmprecord(self, key: Argument, pid: Argument, iid: Argument, stream_id: Argument) -> None:
        """Say that the entry `stream_id` is what `xadd` made for the IDs `pid` and `iid`, those of its `idmp` (Redis 8.6.2)."""
        return self._do(("XIDMPRECORD", key, pid, iid, stream_id), done)

    def xinfo_stream(self, key: Argument) -> StreamInfo[S]:
        """Return what the server knows of a stream."""
        return self._do(("XINFO STREAM", key), stream_info)

    def xinfo_stream_full(self, key: Argument, *, count: int | None = None) -> StreamDetails[S]:
        """As `xinfo_stream`, with entries, groups and what is pending: up to `count` of each, 10 if not given, 0 for all."""
        return self._do(("XINFO STREAM", key, "FULL", *given("XINFO STREAM", count=count)), stream_details)

    def xinfo_groups(self, key: Argument) -> list[StreamGroup[S]]:
        """Return what the server knows of the groups of a stream."""
        return self._do(("XINFO GROUPS", key), group_infos)

    def xinfo_consumers(self, key: Argument, group: Argument) -> list[StreamConsumer[S]]:
        """Return what the server knows of the consumers of a group."""
        return self._do(("XINFO CONSUMERS", key, group), consumer_infos)

    # geo

    def geoadd(self, key: Argument, places: Places, *, nx: bool = False, xx: bool = False, ch: bool = False) -> int:
        """Set where members are, each to its longitude and latitude; return how many are new, with `ch` how many changed.

        Only those that are new (`nx`) or there already (`xx`): Redis 6.2.
        """
        return self._do(_words.geoadd(key, places, nx, xx, ch), whole)

    def geodist(self, key: Argument, member1: Argument, member2: Argument, unit: Unit = "m") -> float | None:
        """Return how far two members are from each other, None if one is not there."""
        return self._do(("GEODIST", key, member1, member2, unit), maybe_number)

    def geohash(self, key: Argument, member: Argument, *members: Argument) -> list[str | None]:
        """Return the geohash of each member, None for each that is not there."""
        return self._do(("GEOHASH", key, member, *members), geo_hashes)

    def geopos(self, key: Argument, member: Argument, *members: Argument) -> list[GeoPosition | None]:
        """Return longitude and latitude of each member, None for each that is not there.

        They differ a little from what was added, because the server keeps 52 bits of both.
        """
        return self._do(("GEOPOS", key, member, *members), geo_positions)

    def geosearch(
        self,
        key: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
    ) -> list[S]:
        """Return the members in an area (Redis 6.2).

        Around a member (`frommember`) or a longitude and latitude (`fromlonlat`), within a radius (`byradius`) or a box of
        this width and height (`bybox`), in `unit`; or within a polygon of longitudes and latitudes (`bypolygon`: Valkey 9.0).
        The nearest first (`asc`) or last (`desc`). Up to `count`: the nearest, or `any`, which are found sooner.
        """
        return self._do(
            _words.geosearch(key, frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any),
            bulks,
        )

    def geosearch_withdist(
        self,
        key: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
    ) -> list[tuple[S, float]]:
        """As `geosearch`; return members with their distances from the center, in `unit` (of a polygon, in meters)."""
        return self._do(
            _words.geosearch_withdist(
                key, frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any
            ),
            geo_distances,
        )

    def geosearch_withcoord(
        self,
        key: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
    ) -> list[tuple[S, GeoPosition]]:
        """As `geosearch`; return members with their positions."""
        return self._do(
            _words.geosearch_withcoord(
                key, frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any
            ),
            geo_places,
        )

    def geosearch_withhash(
        self,
        key: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
    ) -> list[tuple[S, int]]:
        """As `geosearch`; return members with their places as numbers, which are the scores in the sorted set."""
        return self._do(
            _words.geosearch_withhash(
                key, frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any
            ),
            geo_numbers,
        )

    def geosearch_withall(
        self,
        key: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
    ) -> list[GeoMember[S]]:
        """As `geosearch`; return members with distance, place as a number, and position."""
        return self._do(
            _words.geosearch_withall(
                key, frommember, fromlonlat, byradius, bybox, bypolygon, unit, asc, desc, count, any
            ),
            geo_members,
        )

    def geosearchstore(
        self,
        destination: Argument,
        source: Argument,
        *,
        frommember: Argument | None = None,
        fromlonlat: tuple[float, float] | None = None,
        byradius: float | None = None,
        bybox: tuple[float, float] | None = None,
        bypolygon: Vertices | None = None,
        unit: Unit = "m",
        asc: bool = False,
        desc: bool = False,
        count: int | None = None,
        any: bool = False,
        storedist: bool = False,
    ) -> int:
        """Put what `geosearch` would return in place of `destination`; return how many members that are (Redis 6.2).

        With `storedist` the scores are distances, and the members no longer places.
        """
        return self._do(
            _words.geosearchstore(
                destination,
                source,
                frommember,
                fromlonlat,
                byradius,
                bybox,
                bypolygon,
                unit,
                asc,
                desc,
                count,
                any,
                storedist,
            ),
            whole,
        )

    def georadius(
        self,
        key: Argument,
        longitude: float,
        latitude: float,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[S]:
        """Return the members within a radius around a longitude and latitude. It is an old command: `geosearch` does the same."""
        return self._do(_words.georadius(key, longitude, latitude, radius, unit, count, any, asc, desc), bulks)

    def georadius_withall(
        self,
        key: Argument,
        longitude: float,
        latitude: float,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[GeoMember[S]]:
        """As `georadius`; return members with distance, place as a number, and position."""
        return self._do(
            _words.georadius_withall(key, longitude, latitude, radius, unit, count, any, asc, desc), geo_members
        )

    def georadius_store(
        self,
        key: Argument,
        longitude: float,
        latitude: float,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
        store: Argument | None = None,
        storedist: Argument | None = None,
    ) -> int:
        """As `georadius`; put the members in place of `store`, or with distances as scores of `storedist`.

        Return how many members that are. It is an old command: `geosearchstore` does the same.
        """
        return self._do(
            _words.georadius_store(key, longitude, latitude, radius, unit, count, any, asc, desc, store, storedist),
            whole,
        )

    def georadius_ro(
        self,
        key: Argument,
        longitude: float,
        latitude: float,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[S]:
        """As `georadius`, of which a server knows that it changes nothing."""
        return self._do(_words.georadius_ro(key, longitude, latitude, radius, unit, count, any, asc, desc), bulks)

    def georadius_ro_withall(
        self,
        key: Argument,
        longitude: float,
        latitude: float,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[GeoMember[S]]:
        """As `georadius_withall`, of which a server knows that it changes nothing."""
        return self._do(
            _words.georadius_ro_withall(key, longitude, latitude, radius, unit, count, any, asc, desc), geo_members
        )

    def georadiusbymember(
        self,
        key: Argument,
        member: Argument,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[S]:
        """Return the members within a radius around a member. It is an old command: `geosearch` does the same."""
        return self._do(_words.georadiusbymember(key, member, radius, unit, count, any, asc, desc), bulks)

    def georadiusbymember_withall(
        self,
        key: Argument,
        member: Argument,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[GeoMember[S]]:
        """As `georadiusbymember`; return members with distance, place as a number, and position."""
        return self._do(_words.georadiusbymember_withall(key, member, radius, unit, count, any, asc, desc), geo_members)

    def georadiusbymember_store(
        self,
        key: Argument,
        member: Argument,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
        store: Argument | None = None,
        storedist: Argument | None = None,
    ) -> int:
        """As `georadiusbymember`; put the members in place of `store`, or with distances as scores of `storedist`.

        Return how many members that are. It is an old command: `geosearchstore` does the same.
        """
        return self._do(
            _words.georadiusbymember_store(key, member, radius, unit, count, any, asc, desc, store, storedist), whole
        )

    def georadiusbymember_ro(
        self,
        key: Argument,
        member: Argument,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[S]:
        """As `georadiusbymember`, of which a server knows that it changes nothing."""
        return self._do(_words.georadiusbymember_ro(key, member, radius, unit, count, any, asc, desc), bulks)

    def georadiusbymember_ro_withall(
        self,
        key: Argument,
        member: Argument,
        radius: float,
        unit: Unit,
        *,
        count: int | None = None,
        any: bool = False,
        asc: bool = False,
        desc: bool = False,
    ) -> list[GeoMember[S]]:
        """As `georadiusbymember_withall`, of which a server knows that it changes nothing."""
        return self._do(
            _words.georadiusbymember_ro_withall(key, member, radius, unit, count, any, asc, desc), geo_members
        )

    # arrays

    def arset(self, key: Argument, index: int, value: Argument, *values: Argument) -> int:
        """Set the value at an index, and more behind it; return how many of these places were empty (Redis 8.8)."""
        return self._do(("ARSET", key, index, value, *values), whole)

    def armset(self, key: Argument, values: Fields) -> int:
        """Set values by index; return how many of these places were empty (Redis 8.8)."""
        return self._do(("ARMSET", key, *in_turn("ARMSET", "values", values)), whole)

    def arget(self, key: Argument, index: int) -> S | None:
        """Return the value at an index, None if there is none (Redis 8.8)."""
        return self._do(("ARGET", key, index), maybe_bulk)

    def armget(self, key: Argument, index: int, *indices: int) -> list[S | None]:
        """Return the values at these indices, with None for each that is not there (Redis 8.8)."""
        return self._do(("ARMGET", key, index, *indices), maybe_bulks)

    def argetrange(self, key: Argument, start: int, end: int) -> list[S | None]:
        """Return the values from `start` to `end`, both included, with None for each that is not there (Redis 8.8)."""
        return self._do(("ARGETRANGE", key, start, end), maybe_bulks)

    def arscan(self, key: Argument, start: int, end: int, *, limit: int | None = None) -> list[tuple[int, S]]:
        """Return the values that are there from `start` to `end`, each behind its index (Redis 8.8).

        Backwards if `start` is greater than `end`.
        """
        return self._do(("ARSCAN", key, start, end, *counted("ARSCAN", limit=limit)), indexed)

    def ardel(self, key: Argument, index: int, *indices: int) -> int:
        """Delete the values at these indices; return how many there were (Redis 8.8)."""
        return self._do(("ARDEL", key, index, *indices), whole)

    def ardelrange(self, key: Argument, start: int, end: int, *ranges: int) -> int:
        """Delete the values of these ranges, each from a first to a last; return how many there were (Redis 8.8)."""
        return self._do(("ARDELRANGE", key, start, end, *ranges), whole)

    def arlen(self, key: Argument) -> int:
        """Return the greatest index and one, 0 if there is no such key (Redis 8.8)."""
        return self._do(("ARLEN", key), whole)

    def arcount(self, key: Argument) -> int:
        """Return how many values there are (Redis 8.8)."""
        return self._do(("ARCOUNT", key), whole)

    def arinfo(self, key: Argument, *, full: bool = False) -> ArrayInfo:
        """Return how an array is stored (Redis 8.8)."""
        return self._do(("ARINFO", key, *given("ARINFO", full=full)), array_information)

    def arinsert(self, key: Argument, value: Argument, *values: Argument) -> int:
        """Set values behind the one that was inserted last; return the index of the last (Redis 8.8)."""
        return self._do(("ARINSERT", key, value, *values), whole)

    def arring(self, key: Argument, size: int, value: Argument, *values: Argument) -> int:
        """As `arinsert`, but begin again at 0 where `size` is reached (Redis 8.8)."""
        return self._do(("ARRING", key, size, value, *values), whole)

    def arnext(self, key: Argument) -> int | None:
        """Return the index that `arinsert` will use, None if there is no room behind the last (Redis 8.8)."""
        return self._do(("ARNEXT", key), maybe_whole)

    def arseek(self, key: Argument, index: int) -> bool:
        """Say which index `arinsert` is to use; is there such a key? (Redis 8.8)"""
        return self._do(("ARSEEK", key, index), truth)

    def arlastitems(self, key: Argument, count: int, *, rev: bool = False) -> list[S | None]:
        """Return the values that were inserted last, the last one at the end, or first (`rev`) (Redis 8.8)."""
        return self._do(("ARLASTITEMS", key, count, *given("ARLASTITEMS", rev=rev)), maybe_bulks)

    def argrep(
        self,
        key: Argument,
        start: Argument = "-",
        end: Argument = "+",
        *,
        exact: Argument | None = None,
        match: Argument | None = None,
        glob: Argument | None = None,
        re: Argument | None = None,
        every: bool = False,
        limit: int | None = None,
        nocase: bool = False,
    ) -> list[int]:
        """Return the indices of the values that are this, contain it, or that a pattern matches (Redis 8.8).

        Of several conditions one is enough, if not `every` one must hold. Backwards if `start` is greater than `end`.
        """
        return self._do(_words.argrep(key, start, end, exact, match, glob, re, every, limit, nocase), wholes)

    def argrep_withvalues(
        self,
        key: Argument,
        start: Argument = "-",
        end: Argument = "+",
        *,
        exact: Argument | None = None,
        match: Argument | None = None,
        glob: Argument | None = None,
        re: Argument | None = None,
        every: bool = False,
        limit: int | None = None,
        nocase: bool = False,
    ) -> list[tuple[int, S]]:
        """As `argrep`, with the values (Redis 8.8)."""
        return self._do(
            _words.argrep_withvalues(key, start, end, exact, match, glob, re, every, limit, nocase), indexed
        )

    def arop_sum(self, key: Argument, start: int, end: int) -> float | None:
        """Return the sum of the values that are numbers, None if there are none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "SUM"), maybe_number)

    def arop_min(self, key: Argument, start: int, end: int) -> float | None:
        """Return the smallest number, None if there is none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "MIN"), maybe_number)

    def arop_max(self, key: Argument, start: int, end: int) -> float | None:
        """Return the greatest number, None if there is none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "MAX"), maybe_number)

    def arop_and(self, key: Argument, start: int, end: int) -> int | None:
        """Return the bits that all whole numbers have, None if there are none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "AND"), maybe_whole)

    def arop_or(self, key: Argument, start: int, end: int) -> int | None:
        """Return the bits that any whole number has, None if there are none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "OR"), maybe_whole)

    def arop_xor(self, key: Argument, start: int, end: int) -> int | None:
        """Return the bits that an odd number of whole numbers have, None if there are none (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "XOR"), maybe_whole)

    def arop_match(self, key: Argument, start: int, end: int, value: Argument) -> int:
        """Return how many values are this one (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "MATCH", value), whole)

    def arop_used(self, key: Argument, start: int, end: int) -> int:
        """Return how many values there are (Redis 8.8)."""
        return self._do(("AROP", key, start, end, "USED"), whole)

    # json

    def json_set(
        self,
        key: Argument,
        path: JsonPath,
        value: Argument,
        *,
        nx: bool = False,
        xx: bool = False,
        fpha: FloatType | None = None,
    ) -> bool:
        """Set the values at a path, or a new document at `$`, to this JSON text; return whether they were set.

        `nx` sets what is not there yet, `xx` only what is. `fpha` is how arrays of floating-point numbers are kept (Redis 8.8).
        """
        return self._do(_words.json_set(key, path, value, nx, xx, fpha), stored)

    def json_get(
        self,
        key: Argument,
        *paths: JsonPath,
        indent: Argument | None = None,
        newline: Argument | None = None,
        space: Argument | None = None,
    ) -> S | None:
        """Return JSON text, None if there is no such key.

        Without a path it is the document. With one it is an array of the values found; with several, an object that has such an
        array for each path. `indent`, `newline` and `space` are put in to make it readable.
        """
        return self._do(_words.json_get(key, *paths, indent=indent, newline=newline, space=space), maybe_bulk)

    def json_mget(self, key: Argument, *keys: Argument, path: JsonPath) -> list[S | None]:
        """Return of each key a JSON array of the values at a path, None for each that does not exist."""
        return self._do(("JSON.MGET", key, *keys, json_path("JSON.MGET", path)), maybe_bulks)

    def json_mset(self, triplet: Triplet, *triplets: Triplet) -> bool:
        """Set values as `json_set`, each with its key and path: `("key", "$", "1")`; return whether all were set."""
        return self._do(("JSON.MSET", *json_triplets(triplet, *triplets)), stored)

    def json_merge(self, key: Argument, path: JsonPath, value: Argument) -> bool:
        """Merge JSON text into the values at a path: null deletes a member; return whether anything was there to change."""
        return self._do(("JSON.MERGE", key, json_path("JSON.MERGE", path), value), stored)

    def json_del(self, key: Argument, path: JsonPath = "$") -> int:
        """Delete the values at a path, or the document; return how many there were."""
        return self._do(("JSON.DEL", key, json_path("JSON.DEL", path)), whole)

    def json_forget(self, key: Argument, path: JsonPath = "$") -> int:
        """As `json_del`, by its older name."""
        return self._do(("JSON.FORGET", key, json_path("JSON.FORGET", path)), whole)

    def json_clear(self, key: Argument, path: JsonPath = "$") -> int:
        """Empty the arrays and objects at a path, and set numbers to 0; return how many were changed."""
        return self._do(("JSON.CLEAR", key, json_path("JSON.CLEAR", path)), whole)

    def json_type(self, key: Argument, path: JsonPath = "$") -> list[str] | None:
        """Return the types of the values at a path, such as "integer" or "object"; None if there is no such key."""
        return self._do(("JSON.TYPE", key, json_path("JSON.TYPE", path)), json_types)

    def json_toggle(self, key: Argument, path: JsonPath) -> list[bool | None]:
        """Turn true into false and false into true; return the results, None for each value that is neither."""
        return self._do(("JSON.TOGGLE", key, json_path("JSON.TOGGLE", path)), json_truths)

    def json_numincrby(self, key: Argument, path: JsonPath, value: float) -> list[int | float | None]:
        """Add to the numbers at a path; return the results, None for each value that is no number."""
        return self._do(("JSON.NUMINCRBY", key, json_path("JSON.NUMINCRBY", path), value), json_numbers)

    def json_nummultby(self, key: Argument, path: JsonPath, value: float) -> list[int | float | None]:
        """Multiply the numbers at a path; return the results, None for each value that is no number."""
        return self._do(("JSON.NUMMULTBY", key, json_path("JSON.NUMMULTBY", path), value), json_numbers)

    def json_strappend(self, key: Argument, path: JsonPath, value: Argument) -> list[int | None]:
        """Append to the strings at a path what a JSON string holds; return their lengths, None for each value that is no string."""
        return self._do(("JSON.STRAPPEND", key, json_path("JSON.STRAPPEND", path), value), maybe_wholes)

    def json_strlen(self, key: Argument, path: JsonPath = "$") -> list[int | None]:
        """Return the lengths in bytes of the strings at a path, None for each value that is no string."""
        return self._do(("JSON.STRLEN", key, json_path("JSON.STRLEN", path)), maybe_wholes)

    def json_arrappend(self, key: Argument, path: JsonPath, value: Argument, *values: Argument) -> list[int | None]:
        """Append JSON values to the arrays at a path; return their lengths, None for each value that is no array."""
        return self._do(("JSON.ARRAPPEND", key, json_path("JSON.ARRAPPEND", path), value, *values), maybe_wholes)

    def json_arrindex(
        self, key: Argument, path: JsonPath, value: Argument, start: int = 0, stop: int = 0
    ) -> list[int | None]:
        """Return where a JSON value first stands in the arrays at a path, -1 if nowhere, None for each value that is no array.

        It is looked for from index `start` up to `stop`, which is excluded; 0 stands for the end.
        """
        return self._do(("JSON.ARRINDEX", key, json_path("JSON.ARRINDEX", path), value, start, stop), maybe_wholes)

    def json_arrinsert(
        self, key: Argument, path: JsonPath, index: int, value: Argument, *values: Argument
    ) -> list[int | None]:
        """Insert JSON values into the arrays at a path; return their lengths, None for each value that is no array."""
        return self._do(("JSON.ARRINSERT", key, json_path("JSON.ARRINSERT", path), index, value, *values), maybe_wholes)

    def json_arrlen(self, key: Argument, path: JsonPath = "$") -> list[int | None]:
        """Return the lengths of the arrays at a path, None for each value that is no array."""
        return self._do(("JSON.ARRLEN", key, json_path("JSON.ARRLEN", path)), maybe_wholes)

    def json_arrpop(self, key: Argument, path: JsonPath = "$", index: int = -1) -> list[S | None]:
        """Take an element, the last by default, out of each array at a path; return them as JSON text.

        None stands for each array that is empty and each value that is no array.
        """
        return self._do(("JSON.ARRPOP", key, json_path("JSON.ARRPOP", path), index), maybe_bulks)

    def json_arrtrim(self, key: Argument, path: JsonPath, start: int, stop: int) -> list[int | None]:
        """Keep what is from `start` to `stop` of the arrays at a path; return their lengths, None for each that is no array."""
        return self._do(("JSON.ARRTRIM", key, json_path("JSON.ARRTRIM", path), start, stop), maybe_wholes)

    def json_objkeys(self, key: Argument, path: JsonPath = "$") -> list[list[S] | None]:
        """Return the names of the members of the objects at a path, None for each value that is no object."""
        return self._do(("JSON.OBJKEYS", key, json_path("JSON.OBJKEYS", path)), json_names)

    def json_objlen(self, key: Argument, path: JsonPath = "$") -> list[int | None]:
        """Return the numbers of members of the objects at a path, None for each value that is no object."""
        return self._do(("JSON.OBJLEN", key, json_path("JSON.OBJLEN", path)), maybe_wholes)

    def json_resp(self, key: Argument, path: JsonPath = "$") -> Reply:
        """Return the values at a path as replies of their own: an array begins with `[`, an object with `{`; None without a key.

        On RESP2 a number with a fraction comes as the text that a string would come as: nothing tells them apart.
        """
        return self._do(("JSON.RESP", key, json_path("JSON.RESP", path)), anything)

    def json_debug_memory(self, key: Argument, path: JsonPath = "$") -> list[int]:
        """Return how many bytes of memory each value at a path takes."""
        return self._do(("JSON.DEBUG MEMORY", key, json_path("JSON.DEBUG MEMORY", path)), wholes)

    # vector sets

    def vadd(
        self,
        key: Argument,
        vector: Vector,
        element: Argument,
        *,
        reduce: int | None = None,
        cas: bool = False,
        noquant: bool = False,
        q8: bool = False,
        bin: bool = False,
        ef: int | None = None,
        setattr: Argument | None = None,
        m: int | None = None,
    ) -> bool:
        """Add an element with its vector, or change its vector; return whether it is new (Redis 8.0).

        `reduce` projects the vector to fewer dimensions. `noquant`, `q8` and `bin` say how exactly a new set keeps vectors, `m` how
        many links each element has in it, `ef` how carefully to look for them. `cas` does that work in a thread of its own.
        `setattr` are attributes as JSON.
        """
        return self._do(_words.vadd(key, vector, element, reduce, cas, noquant, q8, bin, ef, setattr, m), truth)

    def vrem(self, key: Argument, element: Argument) -> bool:
        """Remove an element; return whether it was there (Redis 8.0)."""
        return self._do(("VREM", key, element), truth)

    def vcard(self, key: Argument) -> int:
        """Return the number of elements (Redis 8.0)."""
        return self._do(("VCARD", key), whole)

    def vdim(self, key: Argument) -> int:
        """Return the number of dimensions of the vectors; a key that does not exist is an error (Redis 8.0)."""
        return self._do(("VDIM", key), whole)

    def vemb(self, key: Argument, element: Argument) -> list[float] | None:
        """Return an element's vector, as exactly as the set keeps it; None if there is none (Redis 8.0)."""
        return self._do(("VEMB", key, element), maybe_vector)

    def vemb_raw(self, key: Argument, element: Argument) -> RawVector | None:
        """Return an element's vector as the set keeps it, None if there is none (Redis 8.0)."""
        return self._do(("VEMB", key, element, "RAW"), maybe_raw_vector)

    def vgetattr(self, key: Argument, element: Argument) -> S | None:
        """Return an element's attributes as JSON, None if there are none (Redis 8.0)."""
        return self._do(("VGETATTR", key, element), maybe_bulk)

    def vsetattr(self, key: Argument, element: Argument, json: Argument) -> bool:
        """Set an element's attributes, or remove them if `json` is empty; return whether the element is there (Redis 8.0)."""
        return self._do(("VSETATTR", key, element, json), truth)

    def vinfo(self, key: Argument) -> VectorSetInfo | None:
        """Return how a vector set is made and kept, None if there is none (Redis 8.0)."""
        return self._do(("VINFO", key), maybe_vector_set)

    def vismember(self, key: Argument, element: Argument) -> bool:
        """Is this an element? (Redis 8.2)"""
        return self._do(("VISMEMBER", key, element), truth)

    def vlinks(self, key: Argument, element: Argument) -> list[list[S]] | None:
        """Return the elements that one is linked to, for each level of the graph; None if it is no element (Redis 8.0)."""
        return self._do(("VLINKS", key, element), maybe_levels)

    def vlinks_withscores(self, key: Argument, element: Argument) -> list[list[tuple[S, float]]] | None:
        """As `vlinks`, with how similar each is: from 0 to 1."""
        return self._do(("VLINKS", key, element, "WITHSCORES"), maybe_levels_scored)

    def vrandmember(self, key: Argument) -> S | None:
        """Return any element, None if there is none (Redis 8.0)."""
        return self._do(("VRANDMEMBER", key), maybe_bulk)

    def vrandmember_count(self, key: Argument, count: int) -> list[S]:
        """Return any elements: up to `count` different ones, or exactly `-count` that may repeat (Redis 8.0)."""
        return self._do(("VRANDMEMBER", key, count), bulks)

    def vrange(self, key: Argument, start: Argument = "-", end: Argument = "+", *, count: int | None = None) -> list[S]:
        """Return elements in the order of their names: from `[a` on, or from what follows `(a`, up to `end` (Redis 8.4)."""
        return self._do(("VRANGE", key, start, end, *integers("VRANGE", count=count)[1:]), bulks)

    def vsim(
        self,
        key: Argument,
        vector: Vector | None = None,
        *,
        ele: Argument | None = None,
        count: int | None = None,
        epsilon: float | None = None,
        ef: int | None = None,
        filter: Argument | None = None,
        filter_ef: int | None = None,
        truth: bool = False,
        nothread: bool = False,
    ) -> list[S]:
        """Return the elements that are most similar to a vector, or to the element `ele`; the most similar first (Redis 8.0).

        `count` says how many, 10 if not given; `epsilon` how different they may be, from 0 to 1 (Redis 8.2); `filter` is an
        expression about their attributes. `ef` says how carefully to look, `filter_ef` how long to look for what the filter lets
        pass. `truth` compares all elements, `nothread` works in the server's main thread.
        """
        return self._do(_words.vsim(key, vector, ele, count, epsilon, ef, filter, filter_ef, truth, nothread), bulks)

    def vsim_withscores(
        self,
        key: Argument,
        vector: Vector | None = None,
        *,
        ele: Argument | None = None,
        count: int | None = None,
        epsilon: float | None = None,
        ef: int | None = None,
        filter: Argument | None = None,
        filter_ef: int | None = None,
        truth: bool = False,
        nothread: bool = False,
    ) -> list[tuple[S, float]]:
        """As `vsim`, with how similar each element is: from 0 to 1."""
        return self._do(
            _words.vsim_withscores(key, vector, ele, count, epsilon, ef, filter, filter_ef, truth, nothread),
            similar_scored,
        )

    def vsim_withattribs(
        self,
        key: Argument,
        vector: Vector | None = None,
        *,
        ele: Argument | None = None,
        count: int | None = None,
        epsilon: float | None = None,
        ef: int | None = None,
        filter: Argument | None = None,
        filter_ef: int | None = None,
        truth: bool = False,
        nothread: bool = False,
    ) -> list[tuple[S, S | None]]:
        """As `vsim`, with the attributes of each element as JSON, None if it has none (Redis 8.2)."""
        return self._do(
            _words.vsim_withattribs(key, vector, ele, count, epsilon, ef, filter, filter_ef, truth, nothread),
            similar_attributed,
        )

    def vsim_withscores_withattribs(
        self,
        key: Argument,
        vector: Vector | None = None,
        *,
        ele: Argument | None = None,
        count: int | None = None,
        epsilon: float | None = None,
        ef: int | None = None,
        filter: Argument | None = None,
        filter_ef: int | None = None,
        truth: bool = False,
        nothread: bool = False,
    ) -> list[Similar[S]]:
        """As `vsim`, with how similar each element is, and its attributes (Redis 8.2)."""
        return self._do(
            _words.vsim_withscores_withattribs(
                key, vector, ele, count, epsilon, ef, filter, filter_ef, truth, nothread
            ),
            similar,
        )

    # time series

    def ts_create(
        self,
        key: Argument,
        *,
        retention: int | None = None,
        encoding: Encoding | None = None,
        chunk_size: int | None = None,
        duplicate_policy: Policy | None = None,
        ignore: Ignore | None = None,
        labels: Fields | None = None,
    ) -> None:
        """Create a series. `retention` says for how many milliseconds samples are kept, and `ts_mrange` finds it by its labels."""
        return self._do(_words.ts_create(key, retention, encoding, chunk_size, duplicate_policy, ignore, labels), done)

    def ts_alter(
        self,
        key: Argument,
        *,
        retention: int | None = None,
        chunk_size: int | None = None,
        duplicate_policy: Policy | None = None,
        ignore: Ignore | None = None,
        labels: Fields | None = None,
    ) -> None:
        """Change how a series is kept, or give it these labels in place of all that it has."""
        return self._do(_words.ts_alter(key, retention, chunk_size, duplicate_policy, ignore, labels), done)

    def ts_add(
        self,
        key: Argument,
        timestamp: Argument,
        value: float,
        *,
        retention: int | None = None,
        encoding: Encoding | None = None,
        chunk_size: int | None = None,
        duplicate_policy: Policy | None = None,
        on_duplicate: Policy | None = None,
        ignore: Ignore | None = None,
        labels: Fields | None = None,
    ) -> int:
        """Add a sample at a time, `*` for now; return the time. All options but `on_duplicate` are for a series that is new."""
        return self._do(
            _words.ts_add(
                key, timestamp, value, retention, encoding, chunk_size, duplicate_policy, on_duplicate, ignore, labels
            ),
            whole,
        )

    def ts_madd(self, sample: NewSample, *samples: NewSample) -> list[int | ReplyError]:
        """Add samples, each of them a key, a timestamp and a number; return the time of each, or the error that refused it."""
        return self._do(("TS.MADD", *samples_in_turn("TS.MADD", (sample, *samples))), wholes_or_errors)

    def ts_incrby(
        self,
        key: Argument,
        addend: float,
        *,
        timestamp: Argument | None = None,
        retention: int | None = None,
        encoding: Encoding | None = None,
        chunk_size: int | None = None,
        duplicate_policy: Policy | None = None,
        ignore: Ignore | None = None,
        labels: Fields | None = None,
    ) -> int:
        """Add a sample that is the last one plus `addend`, now if no time is given; return the time.

        The time must not be before that of the last sample. The other options are for a series that is new.
        """
        return self._do(
            _words.ts_incrby(key, addend, timestamp, retention, encoding, chunk_size, duplicate_policy, ignore, labels),
            whole,
        )

    def ts_decrby(
        self,
        key: Argument,
        subtrahend: float,
        *,
        timestamp: Argument | None = None,
        retention: int | None = None,
        encoding: Encoding | None = None,
        chunk_size: int | None = None,
        duplicate_policy: Policy | None = None,
        ignore: Ignore | None = None,
        labels: Fields | None = None,
    ) -> int:
        """As `ts_incrby`, with the last sample minus `subtrahend`."""
        return self._do(
            _words.ts_decrby(
                key, subtrahend, timestamp, retention, encoding, chunk_size, duplicate_policy, ignore, labels
            ),
            whole,
        )

    def ts_del(self, key: Argument, from_timestamp: int, to_timestamp: int) -> int:
        """Delete the samples from one time to another, both included; return how many."""
        return self._do(("TS.DEL", key, from_timestamp, to_timestamp), whole)

    def ts_createrule(
        self, source_key: Argument, dest_key: Argument, aggregation: Aggregation, *, align_timestamp: int | None = None
    ) -> None:
        """Make of each new bucket of one series a sample of another, as in `("avg", 60_000)`.

        `align_timestamp` is a time at which a bucket begins.
        """
        return self._do(_words.ts_createrule(source_key, dest_key, aggregation, align_timestamp), done)

    def ts_deleterule(self, source_key: Argument, dest_key: Argument) -> None:
        """End that samples of one series are made of another's."""
        return self._do(("TS.DELETERULE", source_key, dest_key), done)

    def ts_get(self, key: Argument, *, latest: bool = False) -> Sample | None:
        """Return the last sample, None if there is none; with `latest` that of a bucket that is not full yet."""
        return self._do(("TS.GET", key, *given("TS.GET", latest=latest)), maybe_sample)

    def ts_mget(
        self,
        filter: Argument,
        *filters: Argument,
        latest: bool = False,
        withlabels: bool = False,
        selected_labels: Labels | None = None,
    ) -> dict[S, LastSample[S]]:
        """Return the last sample of each series whose labels pass all filters, by its key; see `ts_mrange`."""
        return self._do(
            _words.ts_mget(filter, *filters, latest=latest, withlabels=withlabels, selected_labels=selected_labels),
            last_samples,
        )

    def ts_range(
        self,
        key: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        *,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregation | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[Sample]:
        """Return samples from one time to another, both included, oldest first.

        `filter_by_ts` are times, `filter_by_value` the least value and the greatest one. `latest` also returns what a rule would
        make of a bucket that is not full yet. `aggregation` makes one sample of each bucket, as in `("avg", 60_000)`; `countNaN`
        and `countAll` are of Redis 8.6. `align` is a time at which one begins, `buckettimestamp` which of its times is said for
        it, and `empty` returns those without a sample, too.
        """
        return self._do(
            _words.ts_range(
                key,
                from_timestamp,
                to_timestamp,
                latest,
                filter_by_ts,
                filter_by_value,
                count,
                align,
                aggregation,
                buckettimestamp,
                empty,
            ),
            samples,
        )

    def ts_revrange(
        self,
        key: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        *,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregation | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[Sample]:
        """As `ts_range`, newest first."""
        return self._do(
            _words.ts_revrange(
                key,
                from_timestamp,
                to_timestamp,
                latest,
                filter_by_ts,
                filter_by_value,
                count,
                align,
                aggregation,
                buckettimestamp,
                empty,
            ),
            samples,
        )

    def ts_range_aggregators(
        self,
        key: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        *,
        aggregation: Aggregations,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[SampleRow]:
        """As `ts_range`, with several aggregators, as in `(["min", "max"], 60_000)`: a row has a value by each (Redis 8.8)."""
        return self._do(
            _words.ts_range_aggregators(
                key,
                from_timestamp,
                to_timestamp,
                aggregation,
                latest,
                filter_by_ts,
                filter_by_value,
                count,
                align,
                buckettimestamp,
                empty,
            ),
            aggregates,
        )

    def ts_revrange_aggregators(
        self,
        key: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        *,
        aggregation: Aggregations,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[SampleRow]:
        """As `ts_range_aggregators`, newest first (Redis 8.8)."""
        return self._do(
            _words.ts_revrange_aggregators(
                key,
                from_timestamp,
                to_timestamp,
                aggregation,
                latest,
                filter_by_ts,
                filter_by_value,
                count,
                align,
                buckettimestamp,
                empty,
            ),
            aggregates,
        )

    def ts_nrange(
        self,
        key: Argument,
        *keys: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregations | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[SampleRow]:
        """Return the samples of several series by time, oldest first (Redis 8.10).

        `aggregation` has an aggregator for each series, as in `(["min", "max"], 60_000)`. All else is as in `ts_range`.
        """
        return self._do(
            _words.ts_nrange(
                key,
                *keys,
                from_timestamp=from_timestamp,
                to_timestamp=to_timestamp,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                count=count,
                align=align,
                aggregation=aggregation,
                buckettimestamp=buckettimestamp,
                empty=empty,
            ),
            sample_rows,
        )

    def ts_nrevrange(
        self,
        key: Argument,
        *keys: Argument,
        from_timestamp: Argument = "-",
        to_timestamp: Argument = "+",
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregations | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> list[SampleRow]:
        """As `ts_nrange`, newest first (Redis 8.10)."""
        return self._do(
            _words.ts_nrevrange(
                key,
                *keys,
                from_timestamp=from_timestamp,
                to_timestamp=to_timestamp,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                count=count,
                align=align,
                aggregation=aggregation,
                buckettimestamp=buckettimestamp,
                empty=empty,
            ),
            sample_rows,
        )

    def ts_read(
        self,
        key: Argument,
        timestamp: Argument,
        *,
        block: int | None = None,
        min_count: int | None = None,
        max_count: int | None = None,
    ) -> list[Sample]:
        """Return samples from a time on, oldest first; `-` is the first of them, `+` the last, `$` what comes next (Redis 8.10).

        With `block`, waits on the server for `min_count` of them, 1 if not given, up to so many milliseconds, 0 for ever.
        """
        return self._do(("TS.READ", key, timestamp, *waiting("TS.READ", block, min_count, max_count)), samples)

    def ts_mrange(
        self,
        from_timestamp: Argument,
        to_timestamp: Argument,
        filter: Argument,
        *filters: Argument,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        withlabels: bool = False,
        selected_labels: Labels | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregation | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
        groupby: Grouping | None = None,
    ) -> dict[S, Series[S]]:
        """Return samples of all series whose labels pass all filters, by key, oldest first.

        A filter is `label=value`, `label!=value`, `label=(a,b)`, `label=` for series without the label, `label!=` for those with
        it; one at least must ask for a value. `withlabels` returns all labels of each series, `selected_labels` these. `groupby`
        makes one series of those with the same value of a label, as in `("region", "max")`: its key is `region=value` then. All
        else is as in `ts_range`.
        """
        return self._do(
            _words.ts_mrange(
                from_timestamp,
                to_timestamp,
                filter,
                *filters,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                withlabels=withlabels,
                selected_labels=selected_labels,
                count=count,
                align=align,
                aggregation=aggregation,
                buckettimestamp=buckettimestamp,
                empty=empty,
                groupby=groupby,
            ),
            many_series,
        )

    def ts_mrevrange(
        self,
        from_timestamp: Argument,
        to_timestamp: Argument,
        filter: Argument,
        *filters: Argument,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        withlabels: bool = False,
        selected_labels: Labels | None = None,
        count: int | None = None,
        align: Align | None = None,
        aggregation: Aggregation | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
        groupby: Grouping | None = None,
    ) -> dict[S, Series[S]]:
        """As `ts_mrange`, newest first."""
        return self._do(
            _words.ts_mrevrange(
                from_timestamp,
                to_timestamp,
                filter,
                *filters,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                withlabels=withlabels,
                selected_labels=selected_labels,
                count=count,
                align=align,
                aggregation=aggregation,
                buckettimestamp=buckettimestamp,
                empty=empty,
                groupby=groupby,
            ),
            many_series,
        )

    def ts_mrange_aggregators(
        self,
        from_timestamp: Argument,
        to_timestamp: Argument,
        filter: Argument,
        *filters: Argument,
        aggregation: Aggregations,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        withlabels: bool = False,
        selected_labels: Labels | None = None,
        count: int | None = None,
        align: Align | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> dict[S, SeriesRows[S]]:
        """As `ts_mrange`, with several aggregators, as in `(["min", "max"], 60_000)`: a row has a value by each (Redis 8.8)."""
        return self._do(
            _words.ts_mrange_aggregators(
                from_timestamp,
                to_timestamp,
                filter,
                *filters,
                aggregation=aggregation,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                withlabels=withlabels,
                selected_labels=selected_labels,
                count=count,
                align=align,
                buckettimestamp=buckettimestamp,
                empty=empty,
            ),
            many_aggregates,
        )

    def ts_mrevrange_aggregators(
        self,
        from_timestamp: Argument,
        to_timestamp: Argument,
        filter: Argument,
        *filters: Argument,
        aggregation: Aggregations,
        latest: bool = False,
        filter_by_ts: Times | None = None,
        filter_by_value: Bounds | None = None,
        withlabels: bool = False,
        selected_labels: Labels | None = None,
        count: int | None = None,
        align: Align | None = None,
        buckettimestamp: BucketTime | None = None,
        empty: bool = False,
    ) -> dict[S, SeriesRows[S]]:
        """As `ts_mrange_aggregators`, newest first (Redis 8.8)."""
        return self._do(
            _words.ts_mrevrange_aggregators(
                from_timestamp,
                to_timestamp,
                filter,
                *filters,
                aggregation=aggregation,
                latest=latest,
                filter_by_ts=filter_by_ts,
                filter_by_value=filter_by_value,
                withlabels=withlabels,
                selected_labels=selected_labels,
                count=count,
                align=align,
                buckettimestamp=buckettimestamp,
                empty=empty,
            ),
            many_aggregates,
        )

    def ts_queryindex(self, filter: Argument, *filters: Argument) -> Members[S]:
        """Return the keys of the series whose labels pass all filters; see `ts_mrange`."""
        return self._do(("TS.QUERYINDEX", filter, *filters), members)

    def ts_querylabels_labels(self, *filters: Argument) -> Members[S]:
        """Return the names of all labels, or of those of the series that pass all filters (Redis 8.10); see `ts_mrange`."""
        return self._do(("TS.QUERYLABELS", "LABELS", *filtered(filters)), members)

    def ts_querylabels_values(self, label: Argument, *filters: Argument) -> Members[S]:
        """Return the values that a label has, or has in the series that pass all filters (Redis 8.10); see `ts_mrange`."""
        return self._do(("TS.QUERYLABELS", "VALUES", label, *filtered(filters)), members)

    def ts_info(self, key: Argument, *, debug: bool = False) -> TimeSeriesInfo[S]:
        """Return how a series is made and kept, with `debug` its chunks as well."""
        return self._do(("TS.INFO", key, *given("TS.INFO", debug=debug)), time_series)

    # search

    def ft_create(
        self,
        index: Argument,
        field: SchemaField,
        *fields: SchemaField,
        on: DataType = "HASH",
        indexall: Switch | None = None,
        prefix: WordList | None = None,
        filter: Argument | None = None,
        language: Argument | None = None,
        language_field: Argument | None = None,
        score: float | None = None,
        score_field: Argument | None = None,
        payload_field: Argument | None = None,
        maxtextfields: bool = False,
        temporary: int | None = None,
        nooffsets: bool = False,
        nohl: bool = False,
        nofields: bool = False,
        nofreqs: bool = False,
        stopwords: WordList | None = None,
        skipinitialscan: bool = False,
    ) -> None:
        """Create an index of these fields, such as `TextField("title")`, over the keys that begin with a `prefix`.

        `temporary` is after how many seconds without use it goes, and its documents with it. `indexall` (Redis 8.0).
        """
        return self._do(
            _words.ft_create(
                index,
                field,
                *fields,
                on=on,
                indexall=indexall,
                prefix=prefix,
                filter=filter,
                language=language,
                language_field=language_field,
                score=score,
                score_field=score_field,
                payload_field=payload_field,
                maxtextfields=maxtextfields,
                temporary=temporary,
                nooffsets=nooffsets,
                nohl=nohl,
                nofields=nofields,
                nofreqs=nofreqs,
                stopwords=stopwords,
                skipinitialscan=skipinitialscan,
            ),
            done,
        )

    def ft_alter(
        self, index: Argument, field: SchemaField, *fields: SchemaField, skipinitialscan: bool = False
    ) -> None:
        """Add fields to an index, and index what there is unless `skipinitialscan` says not to."""
        return self._do(_words.ft_alter(index, field, *fields, skipinitialscan=skipinitialscan), done)

    def ft_dropindex(self, index: Argument, *, dd: bool = False) -> None:
        """Delete an index, and with `dd` its documents, too."""
        return self._do(("FT.DROPINDEX", index, *given("FT.DROPINDEX", dd=dd)), done)

    def ft_list(self) -> Members[S]:
        """Return the names of all indexes."""
        return self._do(("FT._LIST",), search_names)

    def ft_info(self, index: Argument) -> IndexInfo:
        """Return how an index is made, and what is in it."""
        return self._do(("FT.INFO", index), index_info)

    def ft_tagvals(self, index: Argument, field_name: Argument) -> Members[S]:
        """Return all tags that are in a field."""
        return self._do(("FT.TAGVALS", index, field_name), search_names)

    def ft_aliasadd(self, alias: Argument, index: Argument) -> None:
        """Give an index one more name."""
        return self._do(("FT.ALIASADD", alias, index), done)

    def ft_aliasupdate(self, alias: Argument, index: Argument) -> None:
        """Give an index one more name, and take it from the index that has it."""
        return self._do(("FT.ALIASUPDATE", alias, index), done)

    def ft_aliasdel(self, alias: Argument) -> None:
        """Take a name from an index."""
        return self._do(("FT.ALIASDEL", alias), done)

    def ft_aliaslist(self, index: Argument) -> Members[S]:
        """Return the other names of an index (Redis 8.10)."""
        return self._do(("FT.ALIASLIST", index), search_names)

    def ft_synupdate(
        self,
        index: Argument,
        synonym_group_id: Argument,
        term: Argument,
        *terms: Argument,
        skipinitialscan: bool = False,
    ) -> None:
        """Add terms to a group of those that mean the same."""
        return self._do(
            _words.ft_synupdate(index, synonym_group_id, term, *terms, skipinitialscan=skipinitialscan), done
        )

    def ft_syndump(self, index: Argument) -> dict[S, list[S]]:
        """Return for each term the groups that it belongs to."""
        return self._do(("FT.SYNDUMP", index), synonyms)

    def ft_dictadd(self, dict: Argument, term: Argument, *terms: Argument) -> int:
        """Add terms to a dictionary; return how many are new."""
        return self._do(("FT.DICTADD", dict, term, *terms), whole)

    def ft_dictdel(self, dict: Argument, term: Argument, *terms: Argument) -> int:
        """Delete terms of a dictionary; return how many there were."""
        return self._do(("FT.DICTDEL", dict, term, *terms), whole)

    def ft_dictdump(self, dict: Argument) -> Members[S]:
        """Return the terms of a dictionary."""
        return self._do(("FT.DICTDUMP", dict), search_names)

    def ft_spellcheck(
        self,
        index: Argument,
        query: Argument,
        *,
        distance: int | None = None,
        include: WordList = (),
        exclude: WordList = (),
        dialect: int | None = None,
    ) -> dict[S, list[tuple[S, float]]]:
        """Return for each term that the index does not know what may have been meant, with scores, best first.

        `include` and `exclude` are dictionaries of terms to suggest, too, or never. `distance` is how many letters may be wrong.
        """
        return self._do(_words.ft_spellcheck(index, query, distance, include, exclude, dialect), corrections)

    def ft_sugadd(
        self, key: Argument, string: Argument, score: float, *, incr: bool = False, payload: Argument | None = None
    ) -> int:
        """Add a string to what may be suggested, or with `incr` add to its score; return how many there are."""
        return self._do(_words.ft_sugadd(key, string, score, incr, payload), whole)

    def ft_sugget(self, key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None) -> list[S]:
        """Return up to `max` strings (5 by default) that begin so, best first. With `fuzzy` one letter may be wrong."""
        return self._do(_words.ft_sugget(key, prefix, fuzzy, max), bulks)

    def ft_sugget_withscores(
        self, key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None
    ) -> list[tuple[S, float]]:
        """As `ft_sugget`, with scores."""
        return self._do(_words.ft_sugget_withscores(key, prefix, fuzzy, max), scored_suggestions)

    def ft_sugget_withpayloads(
        self, key: Argument, prefix: Argument, *, fuzzy: bool = False, max: int | None = None
    ) -> list[Suggestion[S]]:
        """As `ft_sugget`, with scores and payloads."""
        return self._do(_words.ft_sugget_withpayloads(key, prefix, fuzzy, max), full_suggestions)

    def ft_sugdel(self, key: Argument, string: Argument) -> bool:
        """Delete a string of what may be suggested; return whether it was there."""
        return self._do(("FT.SUGDEL", key, string), truth)

    def ft_suglen(self, key: Argument) -> int:
        """Return how many strings may be suggested."""
        return self._do(("FT.SUGLEN", key), whole)

    def ft_explain(self, index: Argument, query: Argument, *, dialect: int | None = None) -> S:
        """Return how the server understands a query, as one text."""
        return self._do(("FT.EXPLAIN", index, query, *integers("FT.EXPLAIN", dialect=dialect)), bulk)

    def ft_explaincli(self, index: Argument, query: Argument, *, dialect: int | None = None) -> list[str]:
        """Return how the server understands a query, line by line."""
        return self._do(("FT.EXPLAINCLI", index, query, *integers("FT.EXPLAINCLI", dialect=dialect)), plan_lines)

    def ft_config_get(self, option: Argument) -> dict[str, str | None]:
        """Return settings of searches, `*` for all of them. (Since Redis 8.0 they are among those of `config_get`.)"""
        return self._do(("FT.CONFIG GET", option), search_settings)

    def ft_config_set(self, option: Argument, value: Argument) -> None:
        """Change a setting of searches."""
        return self._do(("FT.CONFIG SET", option, value), done)

    # search queries

    def ft_search(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        returns: ReturnFields | None = None,
        summarize: Summarize | None = None,
        highlight: Highlight | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> SearchResult[Document[S]]:
        """Return how many documents match, and up to ten of them, or those that `limit` says, with their fields.

        `returns` names the fields to return. Values for `$name` in the query are in `params`. `timeout` is in milliseconds.
        """
        return self._do(
            _words.ft_search(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                returns,
                summarize,
                highlight,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            found_documents,
        )

    def ft_search_nocontent(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> SearchResult[S]:
        """As `ft_search`, with no more than the IDs of the documents."""
        return self._do(
            _words.ft_search_nocontent(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            found_ids,
        )

    def ft_search_withscores(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        returns: ReturnFields | None = None,
        summarize: Summarize | None = None,
        highlight: Highlight | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> SearchResult[ScoredDocument[S]]:
        """As `ft_search`, with scores."""
        return self._do(
            _words.ft_search_withscores(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                returns,
                summarize,
                highlight,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            found_scored,
        )

    def ft_search_explainscore(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        returns: ReturnFields | None = None,
        summarize: Summarize | None = None,
        highlight: Highlight | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> SearchResult[ExplainedDocument[S]]:
        """As `ft_search`, with scores, and how each was made."""
        return self._do(
            _words.ft_search_explainscore(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                returns,
                summarize,
                highlight,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            found_explained,
        )

    def ft_search_withpayloads(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        returns: ReturnFields | None = None,
        summarize: Summarize | None = None,
        highlight: Highlight | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> SearchResult[PayloadDocument[S]]:
        """As `ft_search`, with scores and payloads: see `payload_field` of `ft_create`."""
        return self._do(
            _words.ft_search_withpayloads(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                returns,
                summarize,
                highlight,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            found_payloads,
        )

    def ft_profile_search(
        self,
        index: Argument,
        query: Argument,
        *,
        verbatim: bool = False,
        inkeys: WordList | None = None,
        infields: WordList | None = None,
        returns: ReturnFields | None = None,
        summarize: Summarize | None = None,
        highlight: Highlight | None = None,
        slop: int | None = None,
        timeout: int | None = None,
        inorder: bool = False,
        language: Argument | None = None,
        expander: Argument | None = None,
        scorer: Argument | None = None,
        payload: Argument | None = None,
        sortby: SearchSortBy | None = None,
        limit: tuple[int, int] | None = None,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> Profiled[SearchResult[Document[S]]]:
        """As `ft_search`, with where the time went."""
        return self._do(
            _words.ft_profile_search(
                index,
                query,
                verbatim,
                inkeys,
                infields,
                returns,
                summarize,
                highlight,
                slop,
                timeout,
                inorder,
                language,
                expander,
                scorer,
                payload,
                sortby,
                limit,
                params,
                dialect,
            ),
            profiled_documents,
        )

    def ft_aggregate(
        self,
        index: Argument,
        query: Argument,
        *steps: Step,
        verbatim: bool = False,
        timeout: int | None = None,
        scorer: Argument | None = None,
        addscores: bool = False,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> AggregateResult[S]:
        """Return what the steps make of the documents that match: `Load`, `GroupBy`, `SortBy`, `Apply`, `Filter`, `Limit`.

        `addscores` gives each row a property `__score` (Redis 8.0).
        """
        return self._do(
            _words.ft_aggregate(
                index,
                query,
                *steps,
                verbatim=verbatim,
                timeout=timeout,
                scorer=scorer,
                addscores=addscores,
                params=params,
                dialect=dialect,
            ),
            aggregate_rows,
        )

    def ft_aggregate_withcursor(
        self,
        index: Argument,
        query: Argument,
        *steps: Step,
        count: int | None = None,
        maxidle: int | None = None,
        verbatim: bool = False,
        timeout: int | None = None,
        scorer: Argument | None = None,
        addscores: bool = False,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> tuple[int, AggregateResult[S]]:
        """As `ft_aggregate`; return a cursor for `ft_cursor_read`, 0 if that was all, and up to `count` rows (1000 by default).

        The server deletes a cursor that was not read for `maxidle` milliseconds.
        """
        return self._do(
            _words.ft_aggregate_withcursor(
                index,
                query,
                *steps,
                count=count,
                maxidle=maxidle,
                verbatim=verbatim,
                timeout=timeout,
                scorer=scorer,
                addscores=addscores,
                params=params,
                dialect=dialect,
            ),
            cursor_rows,
        )

    def ft_profile_aggregate(
        self,
        index: Argument,
        query: Argument,
        *steps: Step,
        verbatim: bool = False,
        timeout: int | None = None,
        scorer: Argument | None = None,
        addscores: bool = False,
        params: Fields = NONE,
        dialect: int | None = None,
    ) -> Profiled[AggregateResult[S]]:
        """As `ft_aggregate`, with where the time went."""
        return self._do(
            _words.ft_profile_aggregate(
                index,
                query,
                *steps,
                verbatim=verbatim,
                timeout=timeout,
                scorer=scorer,
                addscores=addscores,
                params=params,
                dialect=dialect,
            ),
            profiled_rows,
        )

    def ft_cursor_read(
        self, index: Argument, cursor_id: int, *, count: int | None = None
    ) -> tuple[int, AggregateResult[S]]:
        """Return the cursor, 0 if there are no more rows, and the next rows. The server moves on, so it is never sent twice."""
        return self._do(("FT.CURSOR READ", index, cursor_id, *integers("FT.CURSOR READ", count=count)), cursor_rows)

    def ft_cursor_del(self, index: Argument, cursor_id: int) -> None:
        """Delete a cursor that is not read to the end."""
        return self._do(("FT.CURSOR DEL", index, cursor_id), done)

    def ft_hybrid(
        self,
        index: Argument,
        search: Argument,
        field: Argument,
        vector: Argument,
        *steps: Step,
        scorer: Argument | None = None,
        search_score_as: Argument | None = None,
        k: int | None = None,
        ef_runtime: int | None = None,
        radius: float | None = None,
        epsilon: float | None = None,
        filter: Argument | None = None,
        vector_score_as: Argument | None = None,
        combine: Fusion | None = None,
        constant: float | None = None,
        window: int | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        score_as: Argument | None = None,
        params: Fields = NONE,
        timeout: int | None = None,
    ) -> AggregateResult[S]:
        """Find by a text query and by likeness to a vector at once; return what the steps make of the best (Redis 8.4).

        `field` is one of vectors, such as `@embedding`, and `vector` the name of a value in `params`, such as `$query`. Its `k`
        nearest count, or all within a `radius`, of those that `filter` finds. Without steps a row has `__key` and `__score`.
        """
        return self._do(
            _words.ft_hybrid(
                index,
                search,
                field,
                vector,
                *steps,
                scorer=scorer,
                search_score_as=search_score_as,
                k=k,
                ef_runtime=ef_runtime,
                radius=radius,
                epsilon=epsilon,
                filter=filter,
                vector_score_as=vector_score_as,
                combine=combine,
                constant=constant,
                window=window,
                alpha=alpha,
                beta=beta,
                score_as=score_as,
                params=params,
                timeout=timeout,
            ),
            hybrid_rows,
        )

    # bloom

    def bf_reserve(
        self, key: Argument, error_rate: float, capacity: int, *, expansion: int | None = None, nonscaling: bool = False
    ) -> None:
        """Create a filter for so many items, with this rate of wrong answers, from 0 to 1.

        When it is full, one of `expansion` times the size is added to it, or with `nonscaling` nothing more.
        """
        return self._do(_words.bf_reserve(key, error_rate, capacity, expansion, nonscaling), done)

    def bf_add(self, key: Argument, item: Argument) -> bool:
        """Add an item; return whether it is new, which may be wrong if it is not."""
        return self._do(("BF.ADD", key, item), truth)

    def bf_madd(self, key: Argument, item: Argument, *items: Argument) -> list[bool | ReplyError]:
        """As `bf_add` for each item. If one is refused, an error stands in its place, and the ones behind it are missing."""
        return self._do(("BF.MADD", key, item, *items), added)

    def bf_insert(
        self,
        key: Argument,
        item: Argument,
        *items: Argument,
        capacity: int | None = None,
        error: float | None = None,
        expansion: int | None = None,
        nocreate: bool = False,
        nonscaling: bool = False,
        tightening: float | None = None,
        validatescaleto: int | None = None,
    ) -> list[bool | ReplyError]:
        """As `bf_madd`, and create the filter as `bf_reserve` does if there is none, or not with `nocreate`.

        Of Valkey's module alone: `tightening` is how much rarer wrong answers are in each filter that is added, and a filter that
        could never hold `validatescaleto` items is refused.
        """
        return self._do(
            _words.bf_insert(
                key,
                item,
                *items,
                capacity=capacity,
                error=error,
                expansion=expansion,
                nocreate=nocreate,
                nonscaling=nonscaling,
                tightening=tightening,
                validatescaleto=validatescaleto,
            ),
            added,
        )

    def bf_exists(self, key: Argument, item: Argument) -> bool:
        """Was this item added? False is certain."""
        return self._do(("BF.EXISTS", key, item), truth)

    def bf_mexists(self, key: Argument, item: Argument, *items: Argument) -> list[bool]:
        """Which of these items were added? False is certain."""
        return self._do(("BF.MEXISTS", key, item, *items), truths)

    def bf_card(self, key: Argument) -> int:
        """Return how many items were new when they were added."""
        return self._do(("BF.CARD", key), whole)

    def bf_info(self, key: Argument) -> BloomInfo:
        """Return how a filter is made and filled."""
        return self._do(("BF.INFO", key), bloom_info)

    def bf_scandump(self, key: Argument, iterator: int) -> tuple[int, Binary]:
        """Return a piece of a filter for `bf_loadchunk`, and the iterator to go on with; begin with 0, end when 0 comes back."""
        return self._do(("BF.SCANDUMP", key, iterator), dumped)

    def bf_loadchunk(self, key: Argument, iterator: int, data: Argument) -> None:
        """Restore a piece of a filter, with the iterator that came with it."""
        return self._do(("BF.LOADCHUNK", key, iterator, data), done)

    # cuckoo

    def cf_reserve(
        self,
        key: Argument,
        capacity: int,
        *,
        bucketsize: int | None = None,
        maxiterations: int | None = None,
        expansion: int | None = None,
    ) -> None:
        """Create a filter for so many items.

        `bucketsize` is the number of items with the same place, `maxiterations` how often items are moved to make room before the
        filter grows, and `expansion` by how much it does.
        """
        return self._do(_words.cf_reserve(key, capacity, bucketsize, maxiterations, expansion), done)

    def cf_add(self, key: Argument, item: Argument) -> bool:
        """Add an item, once more if it is there; return True. A full filter is an error."""
        return self._do(("CF.ADD", key, item), truth)

    def cf_addnx(self, key: Argument, item: Argument) -> bool:
        """Add an item if it is not there; return whether it was added. A full filter is an error."""
        return self._do(("CF.ADDNX", key, item), truth)

    def cf_insert(
        self, key: Argument, item: Argument, *items: Argument, capacity: int | None = None, nocreate: bool = False
    ) -> list[bool]:
        """Add items, once more if they are there, and create the filter if there is none; return for which there was room."""
        return self._do(_words.cf_insert(key, item, *items, capacity=capacity, nocreate=nocreate), inserted)

    def cf_insertnx(
        self, key: Argument, item: Argument, *items: Argument, capacity: int | None = None, nocreate: bool = False
    ) -> list[int]:
        """Add those items that are not there, and create the filter if there is none.

        Return of each 1 if it was added, 0 if it is there, and -1 if there was no room for it.
        """
        return self._do(_words.cf_insertnx(key, item, *items, capacity=capacity, nocreate=nocreate), wholes)

    def cf_exists(self, key: Argument, item: Argument) -> bool:
        """Is this item there? False is certain."""
        return self._do(("CF.EXISTS", key, item), truth)

    def cf_mexists(self, key: Argument, item: Argument, *items: Argument) -> list[bool]:
        """Which of these items are there? False is certain."""
        return self._do(("CF.MEXISTS", key, item, *items), truths)

    def cf_del(self, key: Argument, item: Argument) -> bool:
        """Take an item out once; return whether it was there. Only what was added may be taken out, or another item is lost."""
        return self._do(("CF.DEL", key, item), truth)

    def cf_count(self, key: Argument, item: Argument) -> int:
        """Return how often an item was added, or some more."""
        return self._do(("CF.COUNT", key, item), whole)

    def cf_info(self, key: Argument) -> CuckooInfo:
        """Return how a filter is made and filled."""
        return self._do(("CF.INFO", key), cuckoo_info)

    def cf_scandump(self, key: Argument, iterator: int) -> tuple[int, Binary]:
        """Return a piece of a filter for `cf_loadchunk`, and the iterator to go on with; begin with 0, end when 0 comes back."""
        return self._do(("CF.SCANDUMP", key, iterator), dumped)

    def cf_loadchunk(self, key: Argument, iterator: int, data: Argument) -> None:
        """Restore a piece of a filter, with the iterator that came with it."""
        return self._do(("CF.LOADCHUNK", key, iterator, data), done)

    # count min

    def cms_initbydim(self, key: Argument, width: int, depth: int) -> None:
        """Create a sketch of so many counters in so many rows: more in a row make less error, more rows make it rarer."""
        return self._do(("CMS.INITBYDIM", key, width, depth), done)

    def cms_initbyprob(self, key: Argument, error: float, probability: float) -> None:
        """Create a sketch by how much too high a count may be, as a part of all counts, and how probable more than that may be."""
        return self._do(("CMS.INITBYPROB", key, error, probability), done)

    def cms_incrby(self, key: Argument, counts: Counts) -> list[int | ReplyError]:
        """Add to the counts of items, as in `{"item": 5}`; return the result of each, or the error that says it is too high."""
        return self._do(("CMS.INCRBY", key, *counts_in_turn("CMS.INCRBY", counts)), wholes_or_errors)

    def cms_query(self, key: Argument, item: Argument, *items: Argument) -> list[int]:
        """Return the counts of items, which may be too high."""
        return self._do(("CMS.QUERY", key, item, *items), wholes)

    def cms_merge(
        self, destination: Argument, source: Argument, *sources: Argument, weights: Weights | None = None
    ) -> None:
        """Make of a sketch the sum of others of the same size, each multiplied by its weight, a whole number."""
        return self._do(_words.cms_merge(destination, source, *sources, weights=weights), done)

    def cms_info(self, key: Argument) -> CountMinInfo:
        """Return the size of a sketch, and the sum of all counts."""
        return self._do(("CMS.INFO", key), count_min_info)

    # top k

    def topk_reserve(
        self,
        key: Argument,
        topk: int,
        *,
        width: int | None = None,
        depth: int | None = None,
        decay: float | None = None,
    ) -> None:
        """Create a list of so many items, of `width` counters in `depth` rows, which `decay` when another item has them, too."""
        return self._do(("TOPK.RESERVE", key, topk, *dimensions("TOPK.RESERVE", width, depth, decay)), done)

    def topk_add(self, key: Argument, item: Argument, *items: Argument) -> list[S | None]:
        """Count items; return for each the one that has left the list for it, None if none has."""
        return self._do(("TOPK.ADD", key, item, *items), maybe_bulks)

    def topk_incrby(self, key: Argument, counts: Counts) -> list[S | None]:
        """Count items more than once, as in `{"item": 5}`, at most 100,000 times; return as `topk_add` does.

        Another count is refused here: servers answer it with fewer replies than they have said there will be.
        """
        return self._do(("TOPK.INCRBY", key, *counts_in_turn("TOPK.INCRBY", counts, 100_000)), maybe_bulks)

    def topk_query(self, key: Argument, item: Argument, *items: Argument) -> list[bool]:
        """Which of these items are on the list?"""
        return self._do(("TOPK.QUERY", key, item, *items), truths)

    def topk_count(self, key: Argument, item: Argument, *items: Argument) -> list[int]:
        """Return the counts of items, which may be too low. Deprecated: use `topk_list_withcount`."""
        return self._do(("TOPK.COUNT", key, item, *items), wholes)

    def topk_list(self, key: Argument) -> list[S]:
        """Return the items on the list, the most frequent first."""
        return self._do(("TOPK.LIST", key), bulks)

    def topk_list_withcount(self, key: Argument) -> list[tuple[S, int]]:
        """As `topk_list`, with their counts."""
        return self._do(("TOPK.LIST", key, "WITHCOUNT"), items_counted)

    def topk_info(self, key: Argument) -> TopKInfo:
        """Return how a list is made."""
        return self._do(("TOPK.INFO", key), top_k_info)

    # t digest

    def tdigest_create(self, key: Argument, *, compression: int | None = None) -> None:
        """Create a digest; the higher `compression` is, the more exact it is, and the larger."""
        return self._do(("TDIGEST.CREATE", key, *integers("TDIGEST.CREATE", compression=compression)), done)

    def tdigest_reset(self, key: Argument) -> None:
        """Forget all numbers of a digest."""
        return self._do(("TDIGEST.RESET", key), done)

    def tdigest_add(self, key: Argument, value: float, *values: float) -> None:
        """Add numbers to a digest."""
        return self._do(("TDIGEST.ADD", key, value, *values), done)

    def tdigest_merge(
        self,
        destination: Argument,
        source: Argument,
        *sources: Argument,
        compression: int | None = None,
        override: bool = False,
    ) -> None:
        """Add to a digest what others have, or make it anew of them (`override`)."""
        return self._do(
            _words.tdigest_merge(destination, source, *sources, compression=compression, override=override), done
        )

    def tdigest_min(self, key: Argument) -> float:
        """Return the lowest number."""
        return self._do(("TDIGEST.MIN", key), number)

    def tdigest_max(self, key: Argument) -> float:
        """Return the highest number."""
        return self._do(("TDIGEST.MAX", key), number)

    def tdigest_quantile(self, key: Argument, quantile: float, *quantiles: float) -> list[float]:
        """Return the numbers that these parts of all numbers, from 0 to 1, are not above."""
        return self._do(("TDIGEST.QUANTILE", key, quantile, *quantiles), doubles)

    def tdigest_cdf(self, key: Argument, value: float, *values: float) -> list[float]:
        """Return for each value the part of all numbers, from 0 to 1, that is not above it."""
        return self._do(("TDIGEST.CDF", key, value, *values), doubles)

    def tdigest_rank(self, key: Argument, value: float, *values: float) -> list[int]:
        """Return for each value how many numbers are below it: -1 if it is below all, -2 if there are none."""
        return self._do(("TDIGEST.RANK", key, value, *values), wholes)

    def tdigest_revrank(self, key: Argument, value: float, *values: float) -> list[int]:
        """Return for each value how many numbers are above it: -1 if it is above all, -2 if there are none."""
        return self._do(("TDIGEST.REVRANK", key, value, *values), wholes)

    def tdigest_byrank(self, key: Argument, rank: int, *ranks: int) -> list[float]:
        """Return the number at each place from the lowest, 0 for the first; behind the last it is infinite."""
        return self._do(("TDIGEST.BYRANK", key, rank, *ranks), doubles)

    def tdigest_byrevrank(self, key: Argument, reverse_rank: int, *reverse_ranks: int) -> list[float]:
        """Return the number at each place from the highest, 0 for the first; behind the last it is minus infinity."""
        return self._do(("TDIGEST.BYREVRANK", key, reverse_rank, *reverse_ranks), doubles)

    def tdigest_trimmed_mean(self, key: Argument, low_cut_quantile: float, high_cut_quantile: float) -> float:
        """Return the mean of the numbers between two quantiles, from 0 to 1."""
        return self._do(("TDIGEST.TRIMMED_MEAN", key, low_cut_quantile, high_cut_quantile), number)

    def tdigest_info(self, key: Argument) -> TDigestInfo:
        """Return how a digest is made and filled."""
        return self._do(("TDIGEST.INFO", key), t_digest_info)

    # scripting

    def eval(self, script: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a script; return what it returns, as it comes."""
        return self._do(("EVAL", script, numkeys, *keys_and_args), anything)

    def eval_ro(self, script: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a script that changes nothing; return what it returns, as it comes (Redis 7.0)."""
        return self._do(("EVAL_RO", script, numkeys, *keys_and_args), anything)

    def evalsha(self, sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a script that the server has; return what it returns, as it comes."""
        return self._do(("EVALSHA", sha1, numkeys, *keys_and_args), anything)

    def evalsha_ro(self, sha1: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a script that the server has and that changes nothing; return what it returns, as it comes (Redis 7.0)."""
        return self._do(("EVALSHA_RO", sha1, numkeys, *keys_and_args), anything)

    def script_load(self, script: Argument) -> S:
        """Give the server a script to keep; return its digest for `evalsha`."""
        return self._do(("SCRIPT LOAD", script), bulk)

    def script_exists(self, sha1: Argument, *sha1s: Argument) -> list[bool]:
        """Which of these scripts does the server have?"""
        return self._do(("SCRIPT EXISTS", sha1, *sha1s), truths)

    def script_show(self, sha1: Argument) -> S:
        """Return the script of this digest (Valkey 8.0)."""
        return self._do(("SCRIPT SHOW", sha1), bulk)

    def script_flush(self, *, asynchronous: bool = False, sync: bool = False) -> None:
        """Forget all scripts; free their memory later, or at once (Redis 6.2)."""
        return self._do(("SCRIPT FLUSH", *sooner_or_later("SCRIPT FLUSH", asynchronous, sync)), done)

    def script_kill(self) -> None:
        """End the script that runs now, if it has changed nothing yet."""
        return self._do(("SCRIPT KILL",), done)

    # functions

    def fcall(self, function: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a function; return what it returns, as it comes (Redis 7.0)."""
        return self._do(("FCALL", function, numkeys, *keys_and_args), anything)

    def fcall_ro(self, function: Argument, numkeys: int, *keys_and_args: Argument) -> Reply:
        """Run a function that changes nothing; return what it returns, as it comes (Redis 7.0)."""
        return self._do(("FCALL_RO", function, numkeys, *keys_and_args), anything)

    def function_load(self, function_code: Argument, *, replace: bool = False) -> str:
        """Give the server a library, perhaps in place of the one of its name; return its name (Redis 7.0)."""
        return self._do(("FUNCTION LOAD", *given("FUNCTION LOAD", replace=replace), function_code), own_text)

    def function_delete(self, library_name: Argument) -> None:
        """Delete a library with its functions (Redis 7.0)."""
        return self._do(("FUNCTION DELETE", library_name), done)

    def function_list(self, *, libraryname: Argument | None = None, withcode: bool = False) -> list[Library]:
        """Return the libraries, or those whose name a pattern matches, with their code if asked (Redis 7.0)."""
        return self._do(_words.function_list(libraryname, withcode), libraries)

    def function_dump(self) -> Binary:
        """Return all libraries, for `function_restore` (Redis 7.0)."""
        return self._do(("FUNCTION DUMP",), binary)

    def function_restore(self, serialized_value: Argument, policy: Restoring | None = None) -> None:
        """Add the libraries of a dump to those there are (`APPEND`), in place of the same (`REPLACE`) or of all (Redis 7.0)."""
        return self._do(("FUNCTION RESTORE", serialized_value, *(() if policy is None else (policy,))), done)

    def function_flush(self, *, asynchronous: bool = False, sync: bool = False) -> None:
        """Delete all libraries; free their memory later, or at once (Redis 7.0)."""
        return self._do(("FUNCTION FLUSH", *sooner_or_later("FUNCTION FLUSH", asynchronous, sync)), done)

    def function_kill(self) -> None:
        """End the function that runs now, if it has changed nothing yet (Redis 7.0)."""
        return self._do(("FUNCTION KILL",), done)

    def function_stats(self) -> FunctionStats:
        """Return which function or script runs now, and how many functions there are (Redis 7.0)."""
        return self._do(("FUNCTION STATS",), function_statistics)

    # pubsub

    def publish(self, channel: Argument, message: Argument) -> int:
        """Send a message to all who listen; return how many there are (on this server)."""
        return self._do(("PUBLISH", channel, message), whole)

    def spublish(self, shardchannel: Argument, message: Argument) -> int:
        """Send a message to all who listen to a sharded channel; return how many there are (Redis 7.0)."""
        return self._do(("SPUBLISH", shardchannel, message), whole)

    def pubsub_channels(self, pattern: Argument | None = None) -> list[S]:
        """Return the channels that clients listen to, or those that a pattern matches."""
        return self._do(("PUBSUB CHANNELS", *(() if pattern is None else (pattern,))), bulks)

    def pubsub_numpat(self) -> int:
        """Return how many patterns clients listen to."""
        return self._do(("PUBSUB NUMPAT",), whole)

    def pubsub_numsub(self, *channels: Argument) -> dict[S, int]:
        """Return how many clients listen to each of these channels."""
        return self._do(("PUBSUB NUMSUB", *channels), counts)

    def pubsub_shardchannels(self, pattern: Argument | None = None) -> list[S]:
        """Return the sharded channels that clients listen to, or those that a pattern matches (Redis 7.0)."""
        return self._do(("PUBSUB SHARDCHANNELS", *(() if pattern is None else (pattern,))), bulks)

    def pubsub_shardnumsub(self, *shardchannels: Argument) -> dict[S, int]:
        """Return how many clients listen to each of these sharded channels (Redis 7.0)."""
        return self._do(("PUBSUB SHARDNUMSUB", *shardchannels), counts)

    # connection

    def ping(self) -> str:
        """Return `PONG`."""
        return self._do(("PING",), pong)

    def echo(self, message: Argument) -> S:
        """Return the message."""
        return self._do(("ECHO", message), bulk)

    def auth(self, password: Argument, *, username: Argument | None = None) -> None:
        """Become this user, or the default one, on this connection."""
        return self._do(("AUTH", *(() if username is None else (username,)), password), done)

    def select(self, index: int) -> None:
        """Use another database on this connection."""
        return self._do(("SELECT", index), done)

    def reset(self) -> str:
        """Make this connection what it was when it was opened, without a user; return `RESET` (Redis 6.2)."""
        return self._do(("RESET",), word)

    def quit(self) -> None:
        """Have the server close this connection."""
        return self._do(("QUIT",), done)

    def asking(self) -> None:
        """Let the next command on this connection use a slot that is being imported."""
        return self._do(("ASKING",), done)

    def readonly(self) -> None:
        """Let this connection read from a cluster's replica."""
        return self._do(("READONLY",), done)

    def readwrite(self) -> None:
        """Have a cluster's replica redirect reads on this connection again."""
        return self._do(("READWRITE",), done)

    def client_id(self) -> int:
        """Return the number of the connection that this is sent on."""
        return self._do(("CLIENT ID",), whole)

    def client_info(self) -> ClientInfo:
        """Return what the server knows of this connection (Redis 6.2)."""
        return self._do(("CLIENT INFO",), one_client_info)

    def client_list(
        self,
        *ids: int,
        type: Argument | None = None,
        user: Argument | None = None,
        addr: Argument | None = None,
        laddr: Argument | None = None,
        skipme: bool | None = None,
        maxage: int | None = None,
        name: Argument | None = None,
        idle: int | None = None,
        flags: Argument | None = None,
        lib_name: Argument | None = None,
        lib_ver: Argument | None = None,
        db: int | None = None,
        capa: Argument | None = None,
        ip: Argument | None = None,
        but_not: Fields = NONE,
    ) -> list[ClientInfo]:
        """Return what the server knows of its connections, or of those with these numbers and properties.

        `type` is `normal`, `master`, `replica` or `pubsub`. `user` to `maxage` are of Valkey 8.1, all after them of Valkey 9.0:
        `but_not={"name": "worker"}` leaves out those of that name.
        """
        return self._do(
            _words.client_list(
                *ids,
                type=type,
                user=user,
                addr=addr,
                laddr=laddr,
                skipme=skipme,
                maxage=maxage,
                name=name,
                idle=idle,
                flags=flags,
                lib_name=lib_name,
                lib_ver=lib_ver,
                db=db,
                capa=capa,
                ip=ip,
                but_not=but_not,
            ),
            client_infos,
        )

    def client_kill(
        self,
        *ids: int,
        type: Argument | None = None,
        user: Argument | None = None,
        addr: Argument | None = None,
        laddr: Argument | None = None,
        skipme: bool | None = None,
        maxage: int | None = None,
        name: Argument | None = None,
        idle: int | None = None,
        flags: Argument | None = None,
        lib_name: Argument | None = None,
        lib_ver: Argument | None = None,
        db: int | None = None,
        capa: Argument | None = None,
        ip: Argument | None = None,
        but_not: Fields = NONE,
    ) -> int:
        """Close the connections with these properties; return how many there were.

        This connection is not one of them, except with `skipme=False`. Several numbers at a time are of Valkey 8.1, `maxage`
        of Redis 7.4 and Valkey 8.0, all after it of Valkey 9.0: `but_not={"name": "worker"}` spares those of that name.
        """
        return self._do(
            _words.client_kill(
                *ids,
                type=type,
                user=user,
                addr=addr,
                laddr=laddr,
                skipme=skipme,
                maxage=maxage,
                name=name,
                idle=idle,
                flags=flags,
                lib_name=lib_name,
                lib_ver=lib_ver,
                db=db,
                capa=capa,
                ip=ip,
                but_not=but_not,
            ),
            whole,
        )

    def client_getname(self) -> str | None:
        """Return the name of this connection, None if it has none."""
        return self._do(("CLIENT GETNAME",), maybe_own_text)

    def client_setname(self, connection_name: Argument) -> None:
        """Give this connection a name. Clients give each of theirs the option `client_name`."""
        return self._do(("CLIENT SETNAME", connection_name), done)

    def client_setinfo(self, attr: Argument, value: Argument) -> None:
        """Tell the server about the library of this connection: `lib-name` or `lib-ver` (Redis 7.2).

        Connections tell it when they are opened.
        """
        return self._do(("CLIENT SETINFO", attr, value), done)

    def client_no_evict(self, enabled: bool) -> None:
        """Spare this connection, or not, when connections are closed for want of memory (Redis 7.0)."""
        return self._do(("CLIENT NO-EVICT", on_or_off("CLIENT NO-EVICT", enabled)), done)

    def client_no_touch(self, enabled: bool) -> None:
        """Let commands on this connection leave alone, or not, when keys were last used (Redis 7.2)."""
        return self._do(("CLIENT NO-TOUCH", on_or_off("CLIENT NO-TOUCH", enabled)), done)

    def client_pause(self, timeout: int, *, write: bool = False) -> None:
        """Let the commands of all clients wait for so many milliseconds, or those alone that may write (Redis 6.2)."""
        return self._do(("CLIENT PAUSE", timeout, *given("CLIENT PAUSE", write=write)), done)

    def client_unpause(self) -> None:
        """Let all clients go on (Redis 6.2)."""
        return self._do(("CLIENT UNPAUSE",), done)

    def client_unblock(self, client_id: int, *, error: bool = False) -> bool:
        """End what another connection waits for, as if its time was over or with an error; was it waiting?"""
        return self._do(("CLIENT UNBLOCK", client_id, *given("CLIENT UNBLOCK", error=error)), truth)

    def client_getredir(self) -> int:
        """Return which connection is told of keys that change: -1 if tracking is off, 0 for this one."""
        return self._do(("CLIENT GETREDIR",), whole)

    def client_tracking(
        self,
        enabled: bool,
        *prefixes: Argument,
        redirect: int | None = None,
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ) -> None:
        """Have this connection be told, or not, when keys change that it has read, or all with these prefixes (`bcast`)."""
        return self._do(
            _words.client_tracking(
                enabled, *prefixes, redirect=redirect, bcast=bcast, optin=optin, optout=optout, noloop=noloop
            ),
            done,
        )

    def client_trackinginfo(self) -> TrackingInfo:
        """Return what this connection is told of keys that change (Redis 6.2)."""
        return self._do(("CLIENT TRACKINGINFO",), tracking_info)

    def client_caching(self, enabled: bool) -> None:
        """Have the keys of the next command on this connection be tracked, or not, with `optin` or `optout`."""
        return self._do(("CLIENT CACHING", yes_no("CLIENT CACHING", "enabled", enabled)), done)

    def client_capa(self, capability: Argument, *capabilities: Argument) -> None:
        """Tell the server what this connection can do, such as `redirect` (Valkey 8.0)."""
        return self._do(("CLIENT CAPA", capability, *capabilities), done)

    def client_import_source(self, enabled: bool) -> None:
        """Mark this connection, or not, as one that brings data from another server (Valkey 8.1)."""
        return self._do(("CLIENT IMPORT-SOURCE", on_or_off("CLIENT IMPORT-SOURCE", enabled)), done)

    # server

    def time(self) -> tuple[int, int]:
        """Return the server's Unix time: seconds, and microseconds on top."""
        return self._do(("TIME",), moment)

    def info(self, *sections: Argument) -> dict[str, str]:
        """Return what the server says of itself, by name; several sections at a time are of Redis 7.0.

        Where several lines have one name (`module`), its value has a line for each.
        """
        return self._do(("INFO", *sections), facts)

    def dbsize(self) -> int:
        """Return the number of keys."""
        return self._do(("DBSIZE",), whole)

    def flushdb(self, *, asynchronous: bool = False, sync: bool = False) -> None:
        """Delete all keys of this database; free their memory later, or at once (`sync`, Redis 6.2)."""
        return self._do(("FLUSHDB", *sooner_or_later("FLUSHDB", asynchronous, sync)), done)

    def flushall(self, *, asynchronous: bool = False, sync: bool = False) -> None:
        """Delete all keys of all databases; free their memory later, or at once (`sync`, Redis 6.2)."""
        return self._do(("FLUSHALL", *sooner_or_later("FLUSHALL", asynchronous, sync)), done)

    def swapdb(self, index1: int, index2: int) -> None:
        """Have two databases change places: each connection finds in its own what was in the other."""
        return self._do(("SWAPDB", index1, index2), done)

    def lolwut(self, *, version: int | None = None) -> str:
        """Return a picture, or a text, and the server's version."""
        return self._do(("LOLWUT", *counted("LOLWUT", version=version)), own_text)

    def config_get(self, parameter: Argument, *parameters: Argument) -> dict[str, str]:
        """Return the settings that these patterns match; several at a time are of Redis 7.0."""
        return self._do(("CONFIG GET", parameter, *parameters), settings)

    def config_set(
        self, parameter: Argument | None = None, value: Argument | None = None, *, mapping: Fields = NONE
    ) -> None:
        """Change a setting until the server ends, or several, all or none of them (`mapping`, Redis 7.0)."""
        return self._do(_words.config_set(parameter, value, mapping), done)

    def config_resetstat(self) -> None:
        """Set the counters that INFO shows back to zero."""
        return self._do(("CONFIG RESETSTAT",), done)

    def config_rewrite(self) -> None:
        """Write the settings as they are to the file that the server was started with."""
        return self._do(("CONFIG REWRITE",), done)

    def save(self) -> None:
        """Write all data to disk; no other command is executed meanwhile."""
        return self._do(("SAVE",), done)

    def bgsave(self, *, schedule: bool = False) -> str:
        """Begin to write all data to disk, or as soon as it can be done (`schedule`); return what the server says of it."""
        return self._do(("BGSAVE", *given("BGSAVE", schedule=schedule)), word)

    def bgsave_cancel(self) -> str:
        """Give up what BGSAVE has begun or is to begin; return what the server says of it (Valkey 8.1)."""
        return self._do(("BGSAVE", "CANCEL"), word)

    def bgrewriteaof(self) -> str:
        """Begin to write the append-only file anew; return what the server says of it."""
        return self._do(("BGREWRITEAOF",), word)

    def lastsave(self) -> int:
        """Return the Unix time at which all data was on disk."""
        return self._do(("LASTSAVE",), whole)

    def shutdown(self, *, nosave: bool = False, save: bool = False, now: bool = False, force: bool = False) -> None:
        """Have the server end. It answers only if it does not, with an error; if it does, its connections are lost.

        `now` and `force` are of Redis 7.0.
        """
        return self._do(_words.shutdown(nosave, save, now, force), done)

    def shutdown_abort(self) -> None:
        """Give up a SHUTDOWN that waits for replicas (Redis 7.0)."""
        return self._do(("SHUTDOWN", "ABORT"), done)

    def backup_start(self) -> None:
        """Begin a backup in the folder that the setting `backupdirname` names (Redis 8.10)."""
        return self._do(("BACKUP START",), done)

    def backup_seal(self) -> None:
        """End a backup: what is in it is all that was written until now (Redis 8.10)."""
        return self._do(("BACKUP SEAL",), done)

    def backup_abort(self) -> None:
        """Give up a backup that is not sealed (Redis 8.10)."""
        return self._do(("BACKUP ABORT",), done)

    def backup_cleanup(self) -> None:
        """Delete the files of a backup that is sealed or has failed (Redis 8.10)."""
        return self._do(("BACKUP CLEANUP",), done)

    def backup_list(self) -> list[str]:
        """Return the paths of the files that are finished (Redis 8.10)."""
        return self._do(("BACKUP LIST",), own_texts)

    def backup_status(self) -> BackupStatus:
        """Return how far a backup has come (Redis 8.10)."""
        return self._do(("BACKUP STATUS",), backup_state)

    def role(self) -> Role:
        """Return what the server is, and what it knows of those that it copies, or that copy it."""
        return self._do(("ROLE",), role_of_server)

    def replicaof(self, host: Argument, port: int) -> None:
        """Make the server a copy of another one: what it has is lost."""
        return self._do(("REPLICAOF", host, port), done)

    def replicaof_no_one(self) -> None:
        """Have the server keep what it has, and copy no other any more."""
        return self._do(("REPLICAOF", "NO", "ONE"), done)

    def failover(
        self, *, host: Argument | None = None, port: int | None = None, force: bool = False, timeout: int | None = None
    ) -> None:
        """Begin to change places with a replica: this one, or the first that has all data (Redis 6.2).

        After `timeout` milliseconds it is given up, or done all the same (`force`).
        """
        return self._do(_words.failover(host, port, force, timeout), done)

    def failover_abort(self) -> None:
        """Give up a FAILOVER (Redis 6.2)."""
        return self._do(("FAILOVER", "ABORT"), done)

    def wait(self, numreplicas: int, timeout: int) -> int:
        """Wait until replicas have what was written before on this connection; return how many have.

        Up to `timeout` milliseconds, 0 for ever.
        """
        return self._do(("WAIT", numreplicas, timeout), whole)

    def waitaof(self, numlocal: int, numreplicas: int, timeout: int) -> tuple[int, int]:
        """Wait until what was written before on this connection is on disk here (`numlocal` 1), and at replicas (Redis 7.2).

        Up to `timeout` milliseconds, 0 for ever. Return how many have it: 0 or 1, and the number of replicas.
        """
        return self._do(("WAITAOF", numlocal, numreplicas, timeout), two_wholes)

    def module_list(self) -> list[ModuleInfo]:
        """Return the modules that are loaded."""
        return self._do(("MODULE LIST",), module_infos)

    def module_load(self, path: Argument, *args: Argument) -> None:
        """Load a module from a file, with its arguments."""
        return self._do(("MODULE LOAD", path, *args), done)

    def module_loadex(self, path: Argument, *args: Argument, config: Fields = NONE) -> None:
        """Load a module from a file, with its settings and its arguments (Redis 7.0)."""
        return self._do(_words.module_loadex(path, *args, config=config), done)

    def module_unload(self, name: Argument) -> None:
        """Unload a module."""
        return self._do(("MODULE UNLOAD", name), done)

    # diagnostics

    def slowlog_get(self, count: int | None = None) -> list[LoggedCommand[S]]:
        """Return the slowest commands of late, the last one first: 10 if not told otherwise, all for -1 (Redis 7.0)."""
        return self._do(("SLOWLOG GET", *counted("SLOWLOG GET", count=count)[1:]), logged_commands)

    def slowlog_len(self) -> int:
        """Return how many commands `slowlog_get` could return."""
        return self._do(("SLOWLOG LEN",), whole)

    def slowlog_reset(self) -> None:
        """Forget the slow commands."""
        return self._do(("SLOWLOG RESET",), done)

    def commandlog_get(self, count: int, type: Logged) -> list[LoggedCommand[S]]:
        """Return commands that were slow, or whose request or reply was large, the last one first; all for -1 (Valkey 8.1)."""
        return self._do(("COMMANDLOG GET", count, type), logged_commands)

    def commandlog_len(self, type: Logged) -> int:
        """Return how many commands `commandlog_get` could return (Valkey 8.1)."""
        return self._do(("COMMANDLOG LEN", type), whole)

    def commandlog_reset(self, type: Logged) -> None:
        """Forget the commands of this kind (Valkey 8.1)."""
        return self._do(("COMMANDLOG RESET", type), done)

    def latency_doctor(self) -> str:
        """Return what the server makes of its pauses, in prose."""
        return self._do(("LATENCY DOCTOR",), own_text)

    def latency_graph(self, event: Argument) -> str:
        """Return a drawing of how long an event took lately."""
        return self._do(("LATENCY GRAPH", event), own_text)

    def latency_histogram(self, *commands: Argument) -> dict[str, LatencyHistogram]:
        """Return how often these commands, or all, took how long, by name (Redis 7.0)."""
        return self._do(("LATENCY HISTOGRAM", *commands), latency_histograms)

    def latency_history(self, event: Argument) -> list[LatencySample]:
        """Return how long an event took lately."""
        return self._do(("LATENCY HISTORY", event), latency_samples)

    def latency_latest(self) -> list[LatencyEvent]:
        """Return for each kind of event how long the last one took, and the longest."""
        return self._do(("LATENCY LATEST",), latency_events)

    def latency_reset(self, *events: Argument) -> int:
        """Forget how long these events took, or all; return how many kinds that were."""
        return self._do(("LATENCY RESET", *events), whole)

    def memory_doctor(self) -> str:
        """Return what the server makes of its use of memory, in prose."""
        return self._do(("MEMORY DOCTOR",), own_text)

    def memory_malloc_stats(self) -> str:
        """Return what the allocator says of itself, in prose."""
        return self._do(("MEMORY MALLOC-STATS",), own_text)

    def memory_purge(self) -> None:
        """Give memory that is free back to the system."""
        return self._do(("MEMORY PURGE",), done)

    def memory_stats(self) -> MemoryStats:
        """Return what the server's memory is used for."""
        return self._do(("MEMORY STATS",), memory_report)

    def memory_usage(self, key: Argument, *, samples: int | None = None) -> int | None:
        """Return how many bytes a key takes, None if there is none; it looks at so many of its elements (0: all)."""
        return self._do(("MEMORY USAGE", key, *counted("MEMORY USAGE", samples=samples)), maybe_whole)

    def hotkeys_start(
        self,
        *slots: int,
        cpu: bool = False,
        net: bool = False,
        count: int | None = None,
        duration: int | None = None,
        sample: int | None = None,
    ) -> None:
        """Begin to count which keys take most time (`cpu`) or most of the network (`net`), in these slots alone (Redis 8.6).

        Tell the first `count`; end by itself after `duration` seconds; look at one command of `sample`.
        """
        return self._do(
            _words.hotkeys_start(*slots, cpu=cpu, net=net, count=count, duration=duration, sample=sample), done
        )

    def hotkeys_stop(self) -> bool:
        """End the counting, and keep what was counted; had it begun? (Redis 8.6)"""
        return self._do(("HOTKEYS STOP",), stored)

    def hotkeys_get(self) -> HotKeys[S] | None:
        """Return which keys take most, None if none were counted (Redis 8.6)."""
        return self._do(("HOTKEYS GET",), hot_keys)

    def hotkeys_reset(self) -> None:
        """Forget what was counted (Redis 8.6)."""
        return self._do(("HOTKEYS RESET",), done)

    # introspection

    def command_count(self) -> int:
        """Return how many commands the server knows."""
        return self._do(("COMMAND COUNT",), whole)

    def command_docs(self, *command_names: Argument) -> dict[str, CommandDocs]:
        """Return what is said of these commands, or of all, by name; there is nothing of one that is unknown (Redis 7.0)."""
        return self._do(("COMMAND DOCS", *command_names), commands_docs)

    def command_getkeys(self, command: Argument, *args: Argument) -> list[S]:
        """Return the keys of a command with its arguments."""
        return self._do(("COMMAND GETKEYS", command, *args), bulks)

    def command_getkeysandflags(self, command: Argument, *args: Argument) -> list[KeyWithFlags[S]]:
        """Return the keys of a command with its arguments, and what is done to each (Redis 7.0)."""
        return self._do(("COMMAND GETKEYSANDFLAGS", command, *args), keys_with_flags)

    def command_info(self, *command_names: Argument) -> list[CommandDetails | None]:
        """Return what the server knows of these commands, or of all; None for one that is unknown."""
        return self._do(("COMMAND INFO", *command_names), command_details)

    def command_list(
        self, *, module: Argument | None = None, aclcat: Argument | None = None, pattern: Argument | None = None
    ) -> list[str]:
        """Return the names of all commands, or those of a module, of a category, or that a pattern matches (Redis 7.0)."""
        return self._do(_words.command_list(module, aclcat, pattern), own_texts)

    # acl

    def acl_cat(self, category: Argument | None = None) -> list[str]:
        """Return the categories of commands, or the commands of one."""
        return self._do(("ACL CAT", *(() if category is None else (category,))), own_texts)

    def acl_deluser(self, username: Argument, *usernames: Argument) -> int:
        """Delete users, and close their connections; return how many there were."""
        return self._do(("ACL DELUSER", username, *usernames), whole)

    def acl_dryrun(self, username: Argument, command: Argument, *args: Argument) -> str | None:
        """Return why this user may not execute a command, None if they may; nothing is executed (Redis 7.0)."""
        return self._do(("ACL DRYRUN", username, command, *args), refusal)

    def acl_genpass(self, bits: int | None = None) -> str:
        """Return a new password: random hexadecimal digits, of 256 bits if not told otherwise."""
        return self._do(("ACL GENPASS", *counted("ACL GENPASS", bits=bits)[1:]), own_text)

    def acl_getuser(self, username: Argument) -> AclUser | None:
        """Return what a user may do, None if there is no such user."""
        return self._do(("ACL GETUSER", username), acl_user)

    def acl_list(self) -> list[str]:
        """Return all users, each as a line of an ACL file."""
        return self._do(("ACL LIST",), own_texts)

    def acl_load(self) -> None:
        """Read the users from the server's ACL file again."""
        return self._do(("ACL LOAD",), done)

    def acl_log(self, count: int | None = None) -> list[AclLogEntry]:
        """Return what was refused lately, the last one first: 10 entries if not told otherwise."""
        return self._do(("ACL LOG", *counted("ACL LOG", count=count)[1:]), acl_log_entries)

    def acl_log_reset(self) -> None:
        """Forget what was refused."""
        return self._do(("ACL LOG", "RESET"), done)

    def acl_save(self) -> None:
        """Write the users to the server's ACL file."""
        return self._do(("ACL SAVE",), done)

    def acl_setuser(self, username: Argument, *rules: Argument) -> None:
        """Make a user, or change what one may do, by rules such as `on`, `>password`, `~key:*`, `+@read`."""
        return self._do(("ACL SETUSER", username, *rules), done)

    def acl_users(self) -> list[str]:
        """Return the names of all users."""
        return self._do(("ACL USERS",), own_texts)

    def acl_whoami(self) -> str:
        """Return the user that this connection is of."""
        return self._do(("ACL WHOAMI",), own_text)

    # cluster

    def cluster_info(self) -> ClusterInfo:
        """Return what the node knows of the cluster's state."""
        return self._do(("CLUSTER INFO",), cluster_facts)

    def cluster_nodes(self) -> list[ClusterNode]:
        """Return the nodes that the node knows."""
        return self._do(("CLUSTER NODES",), nodes_text)

    def cluster_replicas(self, node_id: Argument) -> list[ClusterNode]:
        """Return the replicas of a node."""
        return self._do(("CLUSTER REPLICAS", node_id), node_lines)

    def cluster_shards(self) -> list[ClusterShard]:
        """Return the slots of each group of nodes that hold the same, and these nodes (Redis 7.0)."""
        return self._do(("CLUSTER SHARDS",), shards)

    def cluster_slots(self) -> list[SlotRange]:
        """Return ranges of slots, each with its nodes, the master first."""
        return self._do(("CLUSTER SLOTS",), slot_ranges)

    def cluster_links(self) -> list[ClusterLink]:
        """Return the connections between the node and the others (Redis 7.0)."""
        return self._do(("CLUSTER LINKS",), cluster_links_of)

    def cluster_myid(self) -> str:
        """Return the node's ID."""
        return self._do(("CLUSTER MYID",), own_text)

    def cluster_myshardid(self) -> str:
        """Return the ID of the group of nodes that hold what the node holds (Redis 7.2)."""
        return self._do(("CLUSTER MYSHARDID",), own_text)

    def cluster_count_failure_reports(self, node_id: Argument) -> int:
        """Return how many nodes say that this one has failed."""
        return self._do(("CLUSTER COUNT-FAILURE-REPORTS", node_id), whole)

    def cluster_keyslot(self, key: Argument) -> int:
        """Return the slot of a key."""
        return self._do(("CLUSTER KEYSLOT", key), whole)

    def cluster_countkeysinslot(self, slot: int) -> int:
        """Return how many keys of a slot the node has."""
        return self._do(("CLUSTER COUNTKEYSINSLOT", slot), whole)

    def cluster_getkeysinslot(self, slot: int, count: int) -> list[S]:
        """Return keys of a slot that the node has, at most so many."""
        return self._do(("CLUSTER GETKEYSINSLOT", slot, count), bulks)

    def cluster_slot_stats(self, start_slot: int, end_slot: int) -> dict[int, SlotStats]:
        """Return how much is in these slots, and how much they are used (Redis 8.2; Valkey 8.0)."""
        return self._do(("CLUSTER SLOT-STATS", "SLOTSRANGE", start_slot, end_slot), slot_statistics)

    def cluster_slot_stats_orderby(
        self, metric: Argument, *, limit: int | None = None, asc: bool = False
    ) -> dict[int, SlotStats]:
        """Return the slots that come first by a metric such as `key-count`: the largest, or the smallest.

        (Redis 8.2; Valkey 8.0)
        """
        return self._do(_words.cluster_slot_stats_orderby(metric, limit, asc), slot_statistics)

    def cluster_addslots(self, slot: int, *slots: int) -> None:
        """Let the node have slots that no node has."""
        return self._do(("CLUSTER ADDSLOTS", slot, *slots), done)

    def cluster_addslotsrange(self, start_slot: int, end_slot: int, *slots: int) -> None:
        """Let the node have ranges of slots that no node has, each from a first to a last (Redis 7.0)."""
        return self._do(("CLUSTER ADDSLOTSRANGE", start_slot, end_slot, *slots), done)

    def cluster_delslots(self, slot: int, *slots: int) -> None:
        """Have the node forget whose these slots are."""
        return self._do(("CLUSTER DELSLOTS", slot, *slots), done)

    def cluster_delslotsrange(self, start_slot: int, end_slot: int, *slots: int) -> None:
        """Have the node forget whose these ranges of slots are, each from a first to a last (Redis 7.0)."""
        return self._do(("CLUSTER DELSLOTSRANGE", start_slot, end_slot, *slots), done)

    def cluster_flushslots(self) -> None:
        """Have the node, which must be empty, forget whose its slots are."""
        return self._do(("CLUSTER FLUSHSLOTS",), done)

    def cluster_flushslot(self, slot: int, *, asynchronous: bool = False, sync: bool = False) -> None:
        """Delete all keys of a slot; free their memory later, or at once (Valkey 9.0)."""
        return self._do(("CLUSTER FLUSHSLOT", slot, *sooner_or_later("CLUSTER FLUSHSLOT", asynchronous, sync)), done)

    def cluster_setslot_importing(self, slot: int, node_id: Argument, *, timeout: int | None = None) -> None:
        """Let the node take over keys of a slot from another one; `timeout` is of Valkey 8.0."""
        return self._do(_words.cluster_setslot_importing(slot, node_id, timeout), done)

    def cluster_setslot_migrating(self, slot: int, node_id: Argument, *, timeout: int | None = None) -> None:
        """Let the node hand keys of a slot over to another one; `timeout` is of Valkey 8.0."""
        return self._do(_words.cluster_setslot_migrating(slot, node_id, timeout), done)

    def cluster_setslot_node(self, slot: int, node_id: Argument, *, timeout: int | None = None) -> None:
        """Tell the node whose a slot is; `timeout` is of Valkey 8.0."""
        return self._do(_words.cluster_setslot_node(slot, node_id, timeout), done)

    def cluster_setslot_stable(self, slot: int, *, timeout: int | None = None) -> None:
        """End the moving of a slot; `timeout` is of Valkey 8.0."""
        return self._do(("CLUSTER SETSLOT", slot, "STABLE", *counted("CLUSTER SETSLOT", timeout=timeout)), done)

    def clusterscan(
        self,
        cursor: Argument = "0",
        *,
        match: Argument | None = None,
        count: int | None = None,
        type: Argument | None = None,
        slot: int | None = None,
    ) -> tuple[str, list[S]]:
        """Return the next cursor, "0" at the end, and some keys of the cluster, or of one slot (Valkey 9.1)."""
        return self._do(_words.clusterscan(cursor, match, count, type, slot), scanned_cluster)

    def cluster_migration_import(self, start_slot: int, end_slot: int, *slots: int) -> str:
        """Begin to move ranges of slots to the node, each from a first to a last; return the task's ID (Redis 8.4)."""
        return self._do(("CLUSTER MIGRATION", "IMPORT", start_slot, end_slot, *slots), own_text)

    def cluster_migration_status(self, task_id: Argument | None = None) -> list[MigrationTask]:
        """Return how far a task has come, or all (Redis 8.4)."""
        return self._do(_words.cluster_migration_status(task_id), migration_tasks)

    def cluster_migration_cancel(self, task_id: Argument | None = None) -> int:
        """Give up a task, or all; return how many there were (Redis 8.4)."""
        return self._do(_words.cluster_migration_cancel(task_id), whole)

    def cluster_migrateslots(self, node_id: Argument, start_slot: int, end_slot: int, *slots: int) -> None:
        """Begin to move ranges of slots to another node, each from a first to a last (Valkey 9.0)."""
        return self._do(("CLUSTER MIGRATESLOTS", "SLOTSRANGE", start_slot, end_slot, *slots, "NODE", node_id), done)

    def cluster_getslotmigrations(self) -> list[SlotMigration]:
        """Return how far slots have come that move, or have moved lately (Valkey 9.0)."""
        return self._do(("CLUSTER GETSLOTMIGRATIONS",), slot_migrations)

    def cluster_cancelslotmigrations(self) -> None:
        """Give up all moving of slots (Valkey 9.0)."""
        return self._do(("CLUSTER CANCELSLOTMIGRATIONS",), done)

    def cluster_meet(self, ip: Argument, port: int, cluster_bus_port: int | None = None) -> None:
        """Make the node and another one members of the same cluster."""
        return self._do(_words.cluster_meet(ip, port, cluster_bus_port), done)

    def cluster_forget(self, node_id: Argument) -> None:
        """Have the node forget another one, and not listen to what others say of it for a minute."""
        return self._do(("CLUSTER FORGET", node_id), done)

    def cluster_replicate(self, node_id: Argument) -> None:
        """Make the node a replica of another one."""
        return self._do(("CLUSTER REPLICATE", node_id), done)

    def cluster_replicate_no_one(self) -> None:
        """Make the node a replica of none: it is empty then, and has no slots (Valkey 9.0)."""
        return self._do(("CLUSTER REPLICATE", "NO", "ONE"), done)

    def cluster_failover(self, *, force: bool = False, takeover: bool = False) -> None:
        """Begin to make the node, a replica, its master's successor; without asking it (`force`), nor any other (`takeover`)."""
        return self._do(_words.cluster_failover(force, takeover), done)

    def cluster_reset(self, *, hard: bool = False) -> None:
        """Have the node forget all others and its slots, and its own ID as well (`hard`)."""
        return self._do(("CLUSTER RESET", *given("CLUSTER RESET", hard=hard)), done)

    def cluster_saveconfig(self) -> None:
        """Write what the node knows to disk."""
        return self._do(("CLUSTER SAVECONFIG",), done)

    def cluster_set_config_epoch(self, config_epoch: int) -> None:
        """Give a new node its configuration's epoch."""
        return self._do(("CLUSTER SET-CONFIG-EPOCH", config_epoch), done)

    def cluster_bumpepoch(self) -> str:
        """Make the epoch of the node's configuration the greatest; return `BUMPED` or `STILL`, and the epoch."""
        return self._do(("CLUSTER BUMPEPOCH",), word)

    # sentinel

    def sentinel_masters(self) -> list[SentinelInstance]:
        """Return the masters that are watched."""
        return self._do(("SENTINEL MASTERS",), several_instances)

    def sentinel_primaries(self) -> list[SentinelInstance]:
        """Return the masters that are watched (Valkey 8.0)."""
        return self._do(("SENTINEL PRIMARIES",), several_instances)

    def sentinel_master(self, master_name: Argument) -> SentinelInstance:
        """Return what is known of a master."""
        return self._do(("SENTINEL MASTER", master_name), one_instance)

    def sentinel_primary(self, primary_name: Argument) -> SentinelInstance:
        """Return what is known of a master (Valkey 8.0)."""
        return self._do(("SENTINEL PRIMARY", primary_name), one_instance)

    def sentinel_replicas(self, master_name: Argument) -> list[SentinelInstance]:
        """Return a master's replicas."""
        return self._do(("SENTINEL REPLICAS", master_name), several_instances)

    def sentinel_sentinels(self, master_name: Argument) -> list[SentinelInstance]:
        """Return the other Sentinels that watch a master."""
        return self._do(("SENTINEL SENTINELS", master_name), several_instances)

    def sentinel_get_master_addr_by_name(self, master_name: Argument) -> tuple[str, int] | None:
        """Return where a master is now, None if no master of this name is watched."""
        return self._do(("SENTINEL GET-MASTER-ADDR-BY-NAME", master_name), address)

    def sentinel_get_primary_addr_by_name(self, primary_name: Argument) -> tuple[str, int] | None:
        """Return where a master is now, None if no master of this name is watched (Valkey 8.0)."""
        return self._do(("SENTINEL GET-PRIMARY-ADDR-BY-NAME", primary_name), address)

    def sentinel_is_master_down_by_addr(
        self, ip: Argument, port: int, current_epoch: int, runid: Argument = "*"
    ) -> MasterDown:
        """Return whether this Sentinel takes a master for failed; with the ID of a Sentinel, also ask it for its vote."""
        return self._do(("SENTINEL IS-MASTER-DOWN-BY-ADDR", ip, port, current_epoch, runid), is_down)

    def sentinel_is_primary_down_by_addr(
        self, ip: Argument, port: int, current_epoch: int, runid: Argument = "*"
    ) -> MasterDown:
        """As `sentinel_is_master_down_by_addr` (Valkey 8.0)."""
        return self._do(("SENTINEL IS-PRIMARY-DOWN-BY-ADDR", ip, port, current_epoch, runid), is_down)

    def sentinel_myid(self) -> str:
        """Return this Sentinel's ID (Redis 6.2)."""
        return self._do(("SENTINEL MYID",), own_text)

    def sentinel_ckquorum(self, master_name: Argument) -> str:
        """Return what the Sentinel says if enough of them can be reached to agree on a failure; an error if not."""
        return self._do(("SENTINEL CKQUORUM", master_name), word)

    def sentinel_info_cache(self, master_name: Argument, *master_names: Argument) -> dict[str, list[CachedInfo]]:
        """Return what INFO of each master and its replicas said last, by the master's name."""
        return self._do(("SENTINEL INFO-CACHE", master_name, *master_names), cached_infos)

    def sentinel_pending_scripts(self) -> list[PendingScript]:
        """Return the scripts that run or are to run."""
        return self._do(("SENTINEL PENDING-SCRIPTS",), pending_scripts)

    def sentinel_monitor(self, master_name: Argument, ip: Argument, port: int, quorum: int) -> None:
        """Begin to watch a master."""
        return self._do(("SENTINEL MONITOR", master_name, ip, port, quorum), done)

    def sentinel_set(self, master_name: Argument, options: Fields) -> None:
        """Change how a master is watched: `{"quorum": 2}`."""
        return self._do(("SENTINEL SET", master_name, *in_turn("SENTINEL SET", "options", options)), done)

    def sentinel_remove(self, master_name: Argument) -> None:
        """Watch a master no longer."""
        return self._do(("SENTINEL REMOVE", master_name), done)

    def sentinel_reset(self, pattern: Argument) -> int:
        """Forget what is known of the masters of such names, but for where they are; return how many there are."""
        return self._do(("SENTINEL RESET", pattern), whole)

    def sentinel_failover(self, master_name: Argument) -> None:
        """Begin to make a replica the master's successor, as if it had failed; no other Sentinel is asked."""
        return self._do(("SENTINEL FAILOVER", master_name), done)

    def sentinel_config_get(self, parameter: Argument, *parameters: Argument) -> dict[str, str]:
        """Return the Sentinel's settings that a pattern matches; several patterns at a time are of Redis 7.2 (Redis 6.2)."""
        return self._do(("SENTINEL CONFIG", "GET", parameter, *parameters), settings)

    def sentinel_config_set(self, parameter: Argument, value: Argument) -> None:
        """Change one of the Sentinel's settings (Redis 6.2)."""
        return self._do(("SENTINEL CONFIG", "SET", parameter, value), done)

    def sentinel_flushconfig(self) -> None:
        """Write the Sentinel's settings and what it knows to disk."""
        return self._do(("SENTINEL FLUSHCONFIG",), done)
