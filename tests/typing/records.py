"""What all servers say is read by key, what only some say by `get`. Never run: mypy --strict and pyright read it.

A type checker may refuse a key that is not required, so each record has at least one that is.
"""

from __future__ import annotations

from typing import assert_type

from resp_sansio.methods import SyncMethods


def of_the_server(client: SyncMethods[bytes]) -> None:
    (connection,) = client.client_list()
    assert_type(connection["addr"], str)
    assert_type(client.client_info()["id"], int)
    assert_type(connection.get("lib_name"), str | None)
    assert_type(client.client_trackinginfo()["redirect"], int)
    (module,) = client.module_list()
    assert_type(module["name"], str)
    assert_type(module.get("args"), list[str] | None)
    assert_type(client.backup_status()["state"], str)
    user = client.acl_getuser("ann")
    assert user is not None
    assert_type(user["flags"], set[str])
    assert_type(user["selectors"][0]["keys"], str)
    assert_type(client.acl_log()[0]["reason"], str)
    memory = client.memory_stats()
    assert_type(memory["peak_allocated"], int)
    assert_type(memory["db"][0]["overhead_hashtable_main"], int)
    hot = client.hotkeys_get()
    assert hot is not None
    assert_type(hot["sample_ratio"], int)
    assert_type(hot.get("by_net_bytes"), list[tuple[bytes, int]] | None)
    (library,) = client.function_list()
    assert_type(library["library_name"], str)
    assert_type(library["functions"][0]["name"], str)
    found = client.function_stats()
    assert_type(found["engines"]["LUA"]["functions_count"], int)
    running = found["running_script"]
    assert running is not None
    assert_type(running["duration_ms"], int)
    details = client.command_info("get")[0]
    assert details is not None
    (keys,) = details.key_specifications
    assert_type(keys["begin_search"]["type"], str)
    assert_type(keys["find_keys"]["spec"].get("lastkey"), int | None)
    docs = client.command_docs("get")["get"]
    assert_type(docs["group"], str)
    for argument in docs.get("arguments", []):
        assert_type(argument["name"], str)


def of_many_servers(client: SyncMethods[bytes]) -> None:
    assert_type(client.cluster_info()["cluster_state"], str)
    (shard,) = client.cluster_shards()
    assert_type(shard["slots"], list[tuple[int, int]])
    assert_type(shard["nodes"][0]["health"], str)
    assert_type(client.cluster_links()[0]["node"], str)
    assert_type(client.cluster_slot_stats(0, 5)[0]["key_count"], int)
    assert_type(client.cluster_migration_status()[0]["state"], str)
    assert_type(client.cluster_getslotmigrations()[0]["message"], str)
    assert_type(client.sentinel_master("main")["port"], int)
    assert_type(client.sentinel_master("main").get("quorum"), int | None)
    assert_type(client.sentinel_pending_scripts()[0]["argv"], list[str])


def of_keys(client: SyncMethods[bytes]) -> None:
    assert_type(client.xinfo_stream("s")["length"], int)
    assert_type(client.xinfo_groups("s")[0]["name"], bytes)
    assert_type(client.xinfo_groups("s")[0].get("lag"), int | None)
    assert_type(client.xinfo_consumers("s", "g")[0]["idle"], int)
    (group,) = client.xinfo_stream_full("s")["groups"]
    assert_type(group["consumers"][0]["seen_time"], int)
    index = client.ft_info("i")
    assert_type(index["num_docs"], int)
    assert_type(index["index_definition"]["prefixes"], list[str])
    assert_type(index["attributes"][0]["type"], str)
    for field in index.get("field_statistics", []):
        assert_type(field["Index_Errors"]["indexing_failures"], int)
    series = client.ts_info("t")
    assert_type(series["labels"], dict[bytes, bytes | None])
    for chunk in series.get("chunks", []):
        assert_type(chunk["samples"], int)
    assert_type(client.bf_info("b")["capacity"], int)
    assert_type(client.cf_info("c")["size"], int)
    assert_type(client.cms_info("c")["width"], int)
    assert_type(client.topk_info("t")["decay"], float)
    assert_type(client.tdigest_info("t")["compression"], int)
    vectors = client.vinfo("v")
    assert vectors is not None
    assert_type(vectors["vector_dim"], int)
    array = client.arinfo("a")
    assert_type(array["len"], int)
    assert_type(array.get("dense_slices"), int | None)
