"""The load of a comparison: what it asks, that it asks the same each time, and that it stays within its prefix."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_cli._compare.recording import read_recording
from resp_cli._compare.workload import COMMANDS, Drawn, words_of_size, workload
from resp_sansio.connection import command_keys
from resp_sync import connect

if TYPE_CHECKING:
    from servers import Server


def drawn(mix: str = "get:80,set:20", size: str = "100", keys: int = 100) -> Drawn:
    return Drawn(prefix="mine:", mix=workload(mix), sizes=words_of_size(size), keys=keys)


def test_a_mix_is_names_with_weights_and_one_that_is_not_said_is_1() -> None:
    assert workload("GET:80, set:20,ping") == (("get", 80), ("set", 20), ("ping", 1))


@pytest.mark.parametrize("text", ["", "get:0", "get:-1", "get:x", "flushall", "get,,set", "get:٣"])
def test_a_mix_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        workload(text)


@pytest.mark.parametrize("text", ["", "x", "-1", "1e3", "100:0", "999999999999", "٣"])
def test_sizes_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        words_of_size(text)


def test_operations_are_drawn_by_their_weights_and_each_time_the_same() -> None:
    operations = drawn().operations()
    assert operations == drawn().operations()
    names = Counter(operation.words[0] for operation in operations)
    assert 3 < names[b"GET"] / names[b"SET"] < 5


@given(st.lists(st.sampled_from(sorted(COMMANDS)), min_size=1, unique=True), st.integers(1, 50))
def test_each_key_begins_with_the_prefix(names: list[str], keys: int) -> None:
    load = drawn(",".join(names), keys=keys)
    for words in [*load.before(), *(operation.words for operation in load.operations()[:200])]:
        assert all(words[index].startswith(b"mine:") for index in command_keys(words))
        assert words == (b"PING",) or command_keys(words)


def test_sizes_are_drawn_by_their_weights_and_a_key_keeps_its_own() -> None:
    load = drawn("set,get", "10:90,5000:10", keys=500)
    there = {words[1]: len(words[2]) for words in load.before()}
    assert {*there.values()} == {10, 5000}
    assert 20 < sum(size == 5000 for size in there.values()) < 100
    for words, small in load.operations():
        assert small == (there[words[1]] == 10)
        assert len(words) == 2 or len(words[2]) == there[words[1]]
    assert load.spread == 500


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_runs_and_leaves_the_database_as_large_as_its_keys(name: str, server: Server) -> None:
    load = drawn(name, keys=7)
    with connect(server.url) as connection:
        for words in load.before():
            connection.execute(*words)
        for operation in load.operations()[:50] * 2:
            connection.execute(*operation.words)
        assert connection.dbsize() <= 7
        if name in ("get", "hget", "mget"):
            assert b"x" * 100 in str(connection.execute(*load.operations()[0].words)).encode()


# -- Recordings ------------------------------------------------------------------------------------------------------------------

MONITOR = r"""OK
1795884501.664099 [0 127.0.0.1:43220] "set" "k" "v\"\x01\xc3\xa9\\"
1795884501.664100 [0 [::1]:43220] "GET" "k"
1795884501.664101 [3 unix:/tmp/redis.sock] "mset" "a" "1" "b" "2"
1795884501.664102 [0 lua] "incr" "n"
1795884501.664103 [0 127.0.0.1:43220] "flushall"
1795884501.664104 [0 127.0.0.1:43220] "blpop" "jobs" "0"
1795884501.664105 [0 127.0.0.1:43220] "eval" "return redis.call('flushall')" "1" "k"
1795884501.664106 [0 127.0.0.1:43220] "move" "k" "3"
1795884501.664107 [0 127.0.0.1:43220] "select" "3"
1795884501.664108 [0 127.0.0.1:43220] "my.module" "k"
1795884501.664109 [0 127.0.0.1:43220] "watch" "k"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recorded.txt"
    path.write_text(text, "utf-8")
    return path


def test_a_recording_of_monitor_is_replayed_on_keys_of_ones_own(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, MONITOR), "mine:")
    assert recording.commands == (
        (b"set", b"mine:k", b'v"\x01\xc3\xa9\\'),
        (b"GET", b"mine:k"),
        (b"mset", b"mine:a", b"1", b"mine:b", b"2"),
        (b"incr", b"mine:n"),
    )


def test_a_command_that_could_do_more_than_that_is_left_out_and_named(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, MONITOR), "mine:")
    assert {name for name, _ in recording.left_out} == {
        *("FLUSHALL", "BLPOP", "EVAL", "MOVE", "SELECT", "MY.MODULE", "WATCH"),
    }
    assert "blpop 1" in recording.describe()


def test_names_in_a_recording_cannot_steer_a_terminal(tmp_path: Path) -> None:
    text = '1795884501.6 [0 127.0.0.1:1] "\\x1b[31m" "n"\n1795884501.6 [0 127.0.0.1:1] "get" "n"\n'
    recording = read_recording(written(tmp_path, text), "mine:")
    assert recording.describe().endswith("left out: ?[31m 1")


def test_a_slow_log_is_replayed_from_its_oldest_entry(tmp_path: Path) -> None:
    words = "\n".join(f'{number:9}) "{"abcdefghijklm"[number - 2]}"' for number in range(2, 15))
    text = f"""\
 1) 1) (integer) 2
    2) (integer) 1795884501
    3) (integer) 6
    4)  1) "mget"
{words}
    5) "127.0.0.1:43200"
    6) ""
10) 1) (integer) 1
    2) (integer) 1795884501
    3) (integer) 7
    4) 1) "set"
       2) "k"
       3) "v\\"\\x01\\xc3\\xa9"
    5) "127.0.0.1:43192"
    6) "a name"
"""
    recording = read_recording(written(tmp_path, text), "mine:")
    assert recording.commands == (
        (b"set", b"mine:k", b'v"\x01\xc3\xa9'),
        (b"mget", *(b"mine:" + bytes([letter]) for letter in b"abcdefghijklm")),
    )


def test_a_file_without_commands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no command that can be replayed"):
        read_recording(written(tmp_path, "hello\n"), "mine:")


def test_monitor_of_a_real_server_is_understood(server: Server, tmp_path: Path) -> None:
    asked = [("SET", "k", b"\x00\r\n\"\\'\xff"), ("GET", "k"), ("HSET", "h", "f", b"v\t")]
    lines: list[str] = []
    with connect(server.url) as watching, connect(server.url) as connection:
        watching.execute("MONITOR")
        for words in asked:
            connection.execute(*words)
        while len(lines) < len(asked):
            push = watching.next_push(timeout=5)
            assert isinstance(push.items[0], str)
            lines += [push.items[0]] if "SET" in push.items[0] or "GET" in push.items[0] else []
    recording = read_recording(written(tmp_path, "\n".join(lines)), "mine:")
    assert recording.commands == (
        (b"SET", b"mine:k", b"\x00\r\n\"\\'\xff"),
        (b"GET", b"mine:k"),
        (b"HSET", b"mine:h", b"f", b"v\t"),
    )
