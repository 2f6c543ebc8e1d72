"""What the sources of redis-py and of this library don't say of each other: kept by hand, for `docs/from-redis-py.md`.

Keys are redis-py's names as the page shows them: `xadd`, `json().get`.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ABOUT",
    "COMMANDS",
    "DROPPED",
    "NOTES",
    "OBJECTS",
    "OPTIONS",
    "OTHERWISE",
    "SAID",
    "TITLES",
    "VERSION",
]

VERSION: Final = "8.1.0"
"""That of the page. Where another is installed, what the page leaves out is not looked for."""

ABOUT: Final = """
The methods of redis-py {version}, in its order. The second column names [functions](commands.md#all-of-them); each is a method of
whatever executes, too. In the third, *there* lists options that only redis-py's method has by these names, and *here* those that
only ours has.
"""

TITLES: Final = {
    "Redis": "Clients",
    "ACLCommands": "Users and their rights",
    "ClusterCommands": "Cluster, on any client",
    "BasicKeyCommands": "Strings and keys",
    "HyperlogCommands": "HyperLogLog",
    "HashCommands": "Hashes",
    "GeoCommands": "Places",
    "ListCommands": "Lists",
    "ArrayCommands": "Arrays",
    "ScanCommands": "Scans",
    "SetCommands": "Sets",
    "StreamCommands": "Streams",
    "SortedSetCommands": "Sorted sets",
    "ManagementCommands": "Management",
    "ModuleCommands": "Modules and commands",
    "PubSubCommands": "Publishing",
    "ScriptCommands": "Scripts",
    "FunctionCommands": "Functions of the server",
    "SentinelCommands": "Sentinel",
    "ClusterManagementCommands": "Cluster, on a cluster's client",
    "ClusterMultiKeyCommands": "Many keys, on a cluster's client",
    "json": "JSON",
    "ft": "Search",
    "ts": "Time series",
    "bf": "Bloom filters",
    "cf": "Cuckoo filters",
    "cms": "Count-min sketches",
    "topk": "Top-k",
    "tdigest": "t-digests",
    "vset": "Vector sets",
}
"""What the page calls redis-py's classes, and its objects with the commands of modules."""

NOTES: Final = {
    "json": """\
A document is JSON text here, given and returned: `json.dumps` and `json.loads` are yours to call. Paths are JSONPath: where
redis-py says `.` if it is given none, `$` is said here, and a result is a list with one for each value found.""",
    "GeoCommands": """\
A place is `fromlonlat=(longitude, latitude)` or `frommember`, an area `byradius` or `bybox=(width, height)`; `sort="ASC"` is
`asc=True`, `sort="DESC"` is `desc=True`, `store_dist` is `storedist`. Two or more of `withdist`, `withcoord` and `withhash` make it
the function that ends in `_withall`, which returns a list of `GeoMember`. Values of `geoadd` are one dict:
`{"Rome": (12.5, 41.9)}`.""",
    "ft": """\
[JSON and search](search.md) shows them. The index is the first argument, and redis-py's objects for queries are arguments:
`r.ft("books").search(Query("lovelace").paging(0, 5))` is `ft_search("books", "lovelace", limit=(0, 5))`. Dictionaries, suggestions
and the configuration belong to no index, and are given none; an alias stands in front of its index.""",
    "ts": """\
Names are the server's: `retention_msecs` is `retention`, `uncompressed=True` is `encoding="UNCOMPRESSED"`, `bucket_timestamp` is
`buckettimestamp`, `with_labels` is `withlabels`, `select_labels` is `selected_labels`. Two things that go together are a tuple:
`aggregation_type` and `bucket_size_msec` are `aggregation=("avg", 60_000)`, `filter_by_min_value` and `filter_by_max_value` are
`filter_by_value=(0, 9)`, `ignore_max_time_diff` and `ignore_max_val_diff` are `ignore=(5, 0.1)`, `groupby` and `reduce` are
`groupby=("area", "max")`.""",
    "vset": """\
Names are the server's: `reduce_dim` is `reduce`, `quantization` is `noquant`, `q8` or `bin`, `attributes` is `setattr` and JSON
text, `numlinks` is `m`, `no_thread` is `nothread`. `vsim` is given an element as `ele`.""",
}
"""What holds for all methods of a group."""

OBJECTS: Final = frozenset({"ft().aggregate", "ft().create_index", "ft().hybrid_search", "ft().profile", "ft().search"})
"""Methods whose options are in objects of redis-py's, so that names have nothing to be compared with."""

COMMANDS: Final = {
    "bitfield": 'tuples, `("GET", "u8", 0)`, where redis-py has an object; `default_overflow` is one, too',
    "client_tracking_off": "CLIENT TRACKING",
    "client_tracking_on": "CLIENT TRACKING",
    "cluster_bumpepoch": "CLUSTER BUMPEPOCH",
    "cluster_flushslots": "CLUSTER FLUSHSLOTS",
    "command_docs": "COMMAND DOCS",
    "command_info": "COMMAND INFO",
    "debug_object": "DEBUG",
    "debug_segfault": "DEBUG",
    "failover": "FAILOVER",
    "ft().explain_cli": "FT.EXPLAINCLI",
    "hello": "HELLO",
    "himport_discard": "HIMPORT DISCARD",
    "himport_discard_all": "HIMPORT DISCARDALL",
    "himport_prepare": "HIMPORT PREPARE",
    "hotkeys_get": "HOTKEYS GET",
    "hotkeys_reset": "HOTKEYS RESET",
    "hotkeys_start": "HOTKEYS START",
    "hotkeys_stop": "HOTKEYS STOP",
    "json().debug": "JSON.DEBUG MEMORY",
    "json().forget": "JSON.FORGET",
    "json().jsonget": "JSON.GET",
    "json().jsonmget": "JSON.MGET",
    "json().jsonset": "JSON.SET",
    "latency_doctor": "LATENCY DOCTOR",
    "latency_graph": "LATENCY GRAPH",
    "latency_histogram": "LATENCY HISTOGRAM",
    "memory_doctor": "MEMORY DOCTOR",
    "memory_help": "MEMORY HELP",
    "script_debug": "SCRIPT DEBUG",
    "sort_ro": "SORT_RO",
    "unwatch": "UNWATCH",
    "watch": "WATCH",
}
"""The command that a method sends, where its source has no plain words for it."""

OTHERWISE: Final = {
    # Of a client
    "client": "`connect(url)`: [one connection](#clients-pools-connections)",
    "close": "`close()`, or a `with` block",
    "execute_command": "`execute`: the same words",
    "from_pool": "none: a `Client` and a `Pool` have connections of their own",
    "from_url": "`Client(url)`, `Pool(url)`, `connect(url)`",
    "get_cache": "`stats()`, which counts what the [cache](caching.md) does",
    "get_connection_kwargs": "none; `stats()` tells how connections are used",
    "get_encoder": "none: arguments are bytes, text or numbers",
    "get_retry": "none; `retry` is [an option](#options)",
    "keyspace_notifications": "`subscribe`: they are [messages](pubsub.md#keyspace-notifications)",
    "load_external_module": "none; a module's commands are [words with a type](commands.md#words-with-a-type)",
    "lock": "none; it is a [recipe](recipes.md#lock)",
    "monitor": "`monitor()`, whose block iterates over [lines](monitor.md)",
    "parse_response": "none: replies are read by the machine alone",
    "pipeline": "`transaction()`, or `pipeline()` for `transaction=False`: [pipelines](#pipelines-and-transactions)",
    "pubsub": "`subscribe`: [pub/sub](#pubsub)",
    "set_response_callback": "`Command(..., read=reader)`: [words with a type](commands.md#words-with-a-type)",
    "set_retry": "none; `retry` is [an option](#options)",
    "transaction": "`transact(update, *keys)`: [watch](#watch)",
    # Commands that are more than one, or none
    "cluster": "the functions whose names begin with `cluster_`",
    "digest_local": "none: it asks no server",
    "register_script": "`run` of a `Script`: [scripts](#scripts)",
    "himport_discard_all_internal": "none: redis-py calls it",
    "himport_discard_internal": "none: redis-py calls it",
    "himport_prepare_internal": "none: redis-py calls it",
    "hscan_iter": "`hscan_iter`, an [iterator](#iterators)",
    "scan_iter": "`scan_iter`, an [iterator](#iterators)",
    "sscan_iter": "`sscan_iter`, an [iterator](#iterators)",
    "zscan_iter": "`zscan_iter`, an [iterator](#iterators); scores are floats",
    "mget_nonatomic": "`get` of each, in a [pipeline](#pipelines-and-transactions)",
    "mset_nonatomic": "`set` of each, in a [pipeline](#pipelines-and-transactions)",
    "sentinel": "the functions whose names begin with `sentinel_`",
    # Modules
    "ft().add_document": "`hset`: an index follows hashes since search 2.0",
    "ft().add_document_hash": "`hset`: an index follows hashes since search 2.0",
    "ft().batch_indexer": "a [pipeline](#pipelines-and-transactions) of `hset`",
    "ft().delete_document": "`delete`: an index follows hashes since search 2.0",
    "ft().get": "`hgetall` of each, in a [pipeline](#pipelines-and-transactions)",
    "ft().get_params_args": "none: it asks no server",
    "ft().load_document": "`hgetall`",
    "ft().pipeline": "`pipeline()`: it has the methods of all modules",
    "json().pipeline": "`pipeline()`: it has the methods of all modules",
    "json().set_file": "none: read the file",
    "json().set_path": "none: read the files",
    "ts().pipeline": "`pipeline()`: it has the methods of all modules",
}
"""What does the same as a method for which no function does."""

SAID: Final = {
    "acl_getuser": (
        "`flags` are a set; `commands`, `keys` and `channels` are text, as the server has them; `categories` are in"
        " `commands`, and `enabled` is the flag `on`"
    ),
    "acl_log": "names have `_` for `-`; `client_info` is text",
    "acl_setuser": (
        'rules as the server writes them: `"on", ">secret", "~key:*"`, in place of `enabled`, `nopass`, `passwords`,'
        " `hashed_passwords`, `categories`, `commands`, `keys`, `channels`, `selectors`, `reset`, `reset_keys`, `reset_channels`,"
        " `reset_passwords`"
    ),
    "ardelrange": "ranges follow each other: `ardelrange(key, 1, 5, 7, 9)`",
    "argrep": "`predicates` are `exact`, `match`, `glob` and `re`; `combinator` AND is `every=True`",
    "bf().insert": "items one by one",
    "bgsave": "redis-py asks for `schedule` if nothing is said",
    "bitcount": "`mode` is `unit`",
    "bitfield": 'tuples, `("GET", "u8", 0)`, where redis-py has an object; `default_overflow` is one, too',
    "bitfield_ro": '`encoding`, `offset` and `items` are tuples: `("GET", "u8", 0)`',
    "bitpos": "`mode` is `unit`",
    "blmove": "`src` and `dest` are `wherefrom` and `whereto`, both given; `timeout` is a keyword",
    "blmpop": "keys one by one; `direction` is `where`, and `timeout` a keyword",
    "blpop": "keys one by one; `timeout` is a keyword, given always",
    "brpop": "keys one by one; `timeout` is a keyword, given always",
    "brpoplpush": "`timeout` is a keyword, given always",
    "bzmpop": (
        'keys one by one; `min=True` is `where="MIN"`, `max=True` is `where="MAX"`; `timeout` is a keyword; scores are'
        " floats"
    ),
    "bzpopmax": "keys one by one; `timeout` is a keyword, given always",
    "bzpopmin": "keys one by one; `timeout` is a keyword, given always",
    "cf().insert": "items one by one",
    "cf().insertnx": "items one by one",
    "client_info": "names have `_` for `-`; all numbers are `int`",
    "client_kill": "`client_kill(addr=address)`; returns how many",
    "client_kill_filter": "`_id` goes without a name: `client_kill(7)`; `_type` is `type`",
    "client_list": (
        "`client_id` goes without a name: `client_list(7, 8)`; `_type` is `type`; names have `_` for `-`; numbers are"
        " `int`"
    ),
    "client_no_evict": "True or False",
    "client_no_touch": "True or False",
    "client_pause": "`all=False` is `write=True`",
    "client_tracking": "`on` is the first argument, `prefix` are those behind it, `clientid` is `redirect`",
    "client_tracking_off": "`client_tracking(False)`; `clientid` is `redirect`, `prefix` are arguments",
    "client_tracking_on": "`client_tracking(True)`; `clientid` is `redirect`, `prefix` are arguments",
    "client_trackinginfo": "a dict",
    "cms().incrby": "`items` and `increments` are one dict",
    "cms().merge": "keys one by one, without `numKeys`",
    "command_getkeys": "`bytes`",
    "command_getkeysandflags": "a list of `KeyWithFlags`",
    "command_list": "`category` is `aclcat`",
    "config_get": "give a `pattern`, `*` for all",
    "copy": "`destination_db` is `db`",
    "decr": "`decr(key, amount)` is `decrby(key, amount)`",
    "decrby": "give the `amount`",
    "eval": "the reply is [any](commands.md#words-with-a-type)",
    "evalsha": "the reply is [any](commands.md#words-with-a-type)",
    "ft().alter_schema_add": "`skipinitialscan` can be asked for",
    "ft().dropindex": "`delete_documents` is `dd`",
    "ft().explain": "`query_params` has no counterpart",
    "ft().sugadd": "`Suggestion` is its parts, and `increment` is `incr`",
    "ft().sugget": "`num` is `max`",
    "ft().synupdate": "`skipinitial` is `skipinitialscan`",
    "function_flush": "`mode` is `asynchronous` or `sync`",
    "function_list": "`library` is `libraryname`; a list of dicts",
    "georadius": "give the `unit`",
    "georadiusbymember": "give the `unit`",
    "geosearch": "`member`, `longitude`, `latitude`, `radius`, `width`, `height`: see above",
    "geosearchstore": "`member`, `longitude`, `latitude`, `radius`, `width`, `height`: see above",
    "himport_discard": "redis-py prepares again on other connections",
    "himport_discard_all": "as `himport_discard`",
    "himport_prepare": "as `himport_discard`",
    "himport_set": "values one by one",
    "hincrby": "give the `amount`",
    "hincrbyfloat": "give the `amount`",
    "hotkeys_start": "`metrics` are `cpu` and `net`, `sample_ratio` is `sample`",
    "hset": "`items=[a, 1, b, 2]` is `mapping={a: 1, b: 2}`",
    "hsetex": "`mapping`, `items`, or `key` with `value`, are one dict; `data_persist_option` is `fnx` or `fxx`",
    "incr": "`incr(key, amount)` is `incrby(key, amount)`",
    "incrby": "give the `amount`",
    "incrbyfloat": "give the `amount`",
    "info": "each `section` an argument; values are `str`",
    "json().jsonget": "as `json().get`",
    "json().jsonmget": "as `json().mget`",
    "json().jsonset": "as `json().set`",
    "json().mget": "keys one by one; `path` is a keyword, given always",
    "json().mset": "each triplet an argument",
    "json().strappend": "the `path` stands in front of the `value`",
    "json().toggle": "give the `path`",
    "keys": "give a `pattern`, `*` for all",
    "lastsave": "Unix time in seconds, an `int`",
    "latency_history": "a list of `LatencySample`",
    "latency_latest": "a list of `LatencyEvent`",
    "lcs": "`lcs_idx` returns an `LcsMatches`; `withmatchlen` is the `len` of each of its `matches`",
    "lmove": "`src` and `dest` are `wherefrom` and `whereto`, both given",
    "lmpop": "keys one by one; `direction` is `where`",
    "memory_stats": "names have `_` for `-`, dots and spaces; `db.0` is the 0 in `db`",
    "migrate": "the first of `keys` in its place, the others behind all",
    "module_loadex": "`options` is `config`, a dict",
    "msetex": "`data_persist_option` is `nx` or `xx`",
    "ping": "returns `PONG`, not True",
    "restore": "`frequency` is `freq`",
    "role": "a `MasterRole`, `ReplicaRole` or `SentinelRole`",
    "scan": "`_type` is `type`; a tuple of the next cursor, 0 at the end, and the keys",
    "script_flush": "`sync_type` is `asynchronous` or `sync`",
    "sdiffcard": "keys one by one, without `numkeys`",
    "sentinel_set": "`option` and `value` are a dict",
    "set": "False, not None, if it was not set; `get=True` is `set_get`",
    "sintercard": "keys one by one, without `numkeys`",
    "slowlog_get": (
        "`num` is `count`; a list of `LoggedCommand`: `start_time` is `time`, `duration` is `amount`, `command` is"
        " `arguments`"
    ),
    "sort": "`start=2, num=5` is `limit=(2, 5)`; `groups` has no counterpart",
    "sort_ro": "`start=2, num=5` is `limit=(2, 5)`",
    "spop": "with a count a set: `spop_count`",
    "srandmember": "with a `number`: `srandmember_count`",
    "stralgo": "keys alone, as `lcs` takes; `specific_argument` and `withmatchlen` have no counterpart",
    "substr": "give the `end`",
    "sunioncard": "keys one by one, without `numkeys`",
    "tdigest().add": "values one by one",
    "tdigest().merge": "without `num_keys`",
    "topk().incrby": "`items` and `increments` are one dict",
    "topk().reserve": "`width`, `depth` and `decay` are keywords",
    "ts().madd": "each of `ktv_tuples` an argument",
    "ts().mget": "filters one by one",
    "ts().mrange": "filters one by one; `exclude_empty` has no counterpart",
    "ts().mrevrange": "filters one by one; `exclude_empty` has no counterpart",
    "ts().queryindex": "filters one by one",
    "type": "`str`: the server's own word",
    "vset().vemb": "`raw` is `vemb_raw`, which returns a `RawVector`",
    "vset().vgetattr": "JSON text, where redis-py has a dict",
    "vset().vinfo": "names have `_` for `-`",
    "vset().vlinks": "with scores, lists of tuples",
    "vset().vsetattr": "a dict is JSON text here",
    "vset().vsim": "with scores, a list of tuples",
    "watch": "[watch](#watch)",
    "xackdel": "`ref_policy` is `keepref`, `delref` or `acked`",
    "xadd": "`ref_policy` is `keepref`, `delref` or `acked`",
    "xautoclaim": "`start_id` is `start`; an `Autoclaimed` with an `Entry` for each, or an `AutoclaimedIDs`",
    "xclaim": "IDs one by one; a list of `Entry`",
    "xdelex": "`ref_policy` is `keepref`, `delref` or `acked`",
    "xgroup_create": "`entries_read` is `entriesread`",
    "xgroup_setid": "`entries_read` is `entriesread`",
    "xinfo_consumers": "names have `_` for `-`",
    "xinfo_groups": "names have `_` for `-`",
    "xinfo_stream": "names have `_` for `-`; `full=True` is `xinfo_stream_full`",
    "xpending": "a `PendingSummary`: `pending` is `total`, `min` and `max` are `lowest` and `highest`",
    "xpending_range": "`min` and `max` are `start` and `end`, `consumername` is `consumer`; a list of `PendingEntry`",
    "xrange": "`min` and `max` are `start` and `end`; a list of `Entry`",
    "xread": "a `dict` of lists of `Entry`; `max_count` and `max_size` are `maxcount` and `maxsize`",
    "xreadgroup": (
        "a `dict` of lists of `Entry`; `max_count` and `max_size` are `maxcount` and `maxsize`; with `claim_min_idle_time` it is"
        " `xreadgroup_claim`"
    ),
    "xrevrange": "`max` and `min` are `end` and `start`; a list of `Entry`",
    "xtrim": "`ref_policy` is `keepref`, `delref` or `acked`",
    "zadd": "`incr=True` is `zadd_incr`",
    "zdiff": "keys one by one",
    "zdiffstore": "keys one by one",
    "zinter": "keys one by one; their weights in a dict are `weights`",
    "zintercard": "keys one by one, without `numkeys`",
    "zinterstore": "keys one by one; their weights in a dict are `weights`",
    "zmpop": 'keys one by one, without `num_keys`; `min=True` is `where="MIN"`, `max=True` is `where="MAX"`; scores are floats',
    "zmscore": "members one by one",
    "zrange": "`desc=True` is `rev=True`; `offset=2, num=5` is `limit=(2, 5)`",
    "zrangebylex": "`start=2, num=5` is `limit=(2, 5)`",
    "zrangebyscore": "`start=2, num=5` is `limit=(2, 5)`",
    "zrangestore": "`desc=True` is `rev=True`; `offset=2, num=5` is `limit=(2, 5)`",
    "zrevrangebylex": "`start=2, num=5` is `limit=(2, 5)`",
    "zrevrangebyscore": "`start=2, num=5` is `limit=(2, 5)`",
    "zunion": "keys one by one; their weights in a dict are `weights`",
    "zunionstore": "keys one by one; their weights in a dict are `weights`",
}
"""What differs besides the rules of the page and the options' names, which are compared."""

OPTIONS: Final = {"number": "count"}
"""Options that have another name here, whatever the method."""

DROPPED: Final = frozenset({"decode_keys", "kwargs", "no_escape", "score_cast_func"})
"""Options of which the page speaks once."""
