"""What the documentation shows is what happens: its code is run on a real server, its files and names are looked for.

A page on adapters is its example file, cut into pieces. On other pages a `print` is followed by what it prints; `examples` makes
programs of them, which type checkers read as well (see noxfile.py).
"""

from __future__ import annotations

import re
import runpy
import signal
import subprocess
import sys
import threading
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.peers import run_program
from examples import DOCS, ROOT, blocks, programs, read
from resp_sansio import (
    Command,
    CommandTimeoutError,
    ConnectError,
    ConnectionClosedError,
    ConnectionLostError,
    Outcome,
    Push,
    ReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clusters import Cluster
    from servers import Server

EXAMPLES: Final = {
    "write-your-own-adapter.md": DOCS / "examples" / "small_client.py",
    "write-a-full-adapter.md": DOCS / "examples" / "full_client.py",
}
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])


def printed(code: str) -> list[str]:
    """What the comments behind `print` say will be printed."""
    return re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE)


# -- The pages on adapters: one connection here, a whole client in `test_full_client` ------------------------------------------


@pytest.mark.parametrize("page", EXAMPLES)
def test_an_adapter_page_and_its_file_are_the_same_code(page: str) -> None:
    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.strip()]

    left = lines(read(EXAMPLES[page]))
    for block in map(lines, blocks(read(DOCS / page))):
        piece, left = left[: len(block)], left[len(block) :]
        assert block == dedent("\n".join(piece)).splitlines()
    assert not left, "the page lacks the end of the file"


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda path: path.stem)
def test_the_client_of_a_page_runs_as_a_program(example: Path, server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", example, server.url],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == printed(read(example)) != []


@pytest.fixture(scope="module")
def connect() -> Callable[[str], Any]:
    client: Callable[[str], Any] = runpy.run_path(str(EXAMPLES["write-your-own-adapter.md"]))["SmallClient"]
    return client


@pytest.fixture
def client(connect: Callable[[str], Any], server: Server) -> Iterator[Any]:
    with connect(server.url) as client:
        yield client


def test_small_client_gives_replies_and_raises_error_replies(client: Any) -> None:
    assert client.execute("SET", "k", "v") == "OK"
    with pytest.raises(ReplyError, match="not an integer"):
        client.execute("INCR", "k")
    assert client.execute("HSET", "h", "f", 1) == 1
    assert client.execute("HGETALL", "h") == {b"f": b"1"}


def test_small_client_moves_more_than_any_buffer_holds(client: Any) -> None:
    value = bytes(range(256)) * 40_000
    assert client.pipeline(Command("SET", "k", value), *[Command("GET", "k")] * 3) == ["OK", value, value, value]


def test_small_client_keeps_error_replies_of_a_pipeline_in_their_place(client: Any) -> None:
    first, wrong, last = client.pipeline(Command("SET", "k", "v"), Command("INCR", "k"), Command("GET", "k"))
    assert (first, last) == ("OK", b"v")
    assert isinstance(wrong, ReplyError)


def test_a_timeout_of_small_client_costs_one_reply(client: Any) -> None:
    with pytest.raises(CommandTimeoutError) as raised:
        client.execute("DEBUG", "SLEEP", 0.2, timeout=0.05)
    assert raised.value.outcome is Outcome.MAYBE_EXECUTED
    assert client.execute("ECHO", "mine") == b"mine"


def test_a_pipeline_that_is_given_up_half_way_has_the_outcome_of_what_was_not_answered(client: Any) -> None:
    with pytest.raises(CommandTimeoutError) as raised:
        client.pipeline(Command("SET", "k", "v"), Command("DEBUG", "SLEEP", 0.2), timeout=0.05)
    assert raised.value.outcome is Outcome.MAYBE_EXECUTED
    assert client.pipeline(Command("GET", "k"), Command("ECHO", "x")) == [b"v", b"x"]


def test_small_client_receives_pushes(client: Any, server: Server) -> None:
    client.execute("SUBSCRIBE", "news")
    server.call("PUBLISH", "news", "one")
    server.call("PUBLISH", "news", "two")
    assert client.execute("ECHO", "x") == b"x"
    assert client.next_push() == Push("message", (b"news", b"one"))
    assert client.next_push() == Push("message", (b"news", b"two"))
    with pytest.raises(CommandTimeoutError):
        client.next_push(timeout=0.05)


def test_small_client_tells_how_a_command_was_lost(client: Any, server: Server) -> None:
    number = client.execute("CLIENT", "ID")
    kill = threading.Timer(0.1, server.call, ["CLIENT", "KILL", "ID", number])
    kill.start()
    with pytest.raises(ConnectionLostError) as raised:
        client.execute("BLPOP", "empty", 0)
    assert raised.value.outcome is Outcome.MAYBE_EXECUTED
    with pytest.raises(ConnectionClosedError) as refused:
        client.execute("PING")
    assert refused.value.outcome is Outcome.NOT_SENT
    with pytest.raises(ConnectionLostError):
        client.next_push()
    kill.join()


def test_small_client_is_interrupted_for_good(client: Any) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.execute("BLPOP", "empty", 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ConnectionClosedError, match="interrupted"):
        client.execute("PING")


def test_small_client_does_not_hang_on_a_server_that_stops(
    connect: Callable[[str], Any], start_server: Callable[..., Server]
) -> None:
    server = start_server()
    with connect(server.url) as client:
        with server.paused():
            # More than the buffers on both sides take, so the write waits. The rest will be sent later, before anything else.
            with pytest.raises(CommandTimeoutError) as raised:
                client.execute("SET", "k", bytes(64_000_000), timeout=0.05)
            assert raised.value.outcome is Outcome.MAYBE_EXECUTED
            with pytest.raises(CommandTimeoutError):
                client.execute("ECHO", "first", timeout=0.05)
            with pytest.raises(ConnectError):
                connect(f"{server.url}?connect_timeout=0.1")
        assert client.execute("ECHO", "second", timeout=30.0) == b"second"


@pytest.mark.parametrize("wrong", ["/99", "?username=nobody&password=secret"])
def test_small_client_is_refused(connect: Callable[[str], Any], server: Server, wrong: str) -> None:
    with pytest.raises(ConnectError) as raised:
        connect(server.url + wrong)
    assert not raised.value.transient
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["rediss://localhost", "unix:///run/redis.sock", "redis+sentinel://localhost/m"])
def test_small_client_refuses_what_it_cannot_do(connect: Callable[[str], Any], url: str) -> None:
    with pytest.raises(ValueError, match="plain TCP only"):
        connect(url)


def test_small_client_says_that_nobody_listens(
    connect: Callable[[str], Any], start_server: Callable[..., Server]
) -> None:
    server = start_server()
    server.kill()
    with pytest.raises(ConnectError) as raised:
        connect(server.url)
    assert raised.value.transient


# -- Pages with programs -------------------------------------------------------------------------------------------------------


OF_CLUSTERS: Final = "redis+cluster://localhost:7000,localhost:7001"
PROGRAMS: Final = [
    pytest.param(code, id=title, marks=pytest.mark.needs("tls") if "rediss:" in code else ())
    for title, code in programs()
    if OF_CLUSTERS not in code
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_examples_print_what_they_say(program: str, server: Server) -> None:
    certificates = server.certificates
    here = {"rediss://localhost:6380": server.tls_url, "redis://localhost": server.url}
    here |= {"ca.pem": str(certificates.ca)} if certificates else {}
    located = program
    for written, meant in here.items():
        located = located.replace(f'"{written}', f'"{meant}')
    assert run_program(located).splitlines() == printed(program) != []


@pytest.mark.parametrize("program", [code for _, code in programs() if OF_CLUSTERS in code])
def test_examples_of_clusters_print_what_they_say(program: str, cluster: Cluster) -> None:
    assert run_program(program.replace(OF_CLUSTERS, cluster.url)).splitlines() == printed(program) != []


def test_sync_lists_every_public_error() -> None:
    import resp_sansio

    table = read(DOCS / "sync.md").rpartition("## Errors")[2]
    errors = {
        name
        for name in resp_sansio.__all__
        if isinstance(found := getattr(resp_sansio, name), type) and issubclass(found, Exception)
    }
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == errors - {"RespError"}


def test_every_block_of_python_is_in_a_program() -> None:
    examples = sorted((DOCS / "examples").glob("*.py"))  # a test for each runs it
    assert {*EXAMPLES.values()} < {*examples}
    run = "".join([*(code for _, code in programs()), *map(read, examples)])
    shown = [(page.name, line.strip()) for page in PAGES for block in blocks(read(page)) for line in block.splitlines()]
    ran = {line.strip() for line in run.splitlines()}
    assert [(page, line) for page, line in shown if line not in ran] == []
    assert not re.search(r"type: ignore|noqa|pyright:|cast\(", "".join(code for _, code in programs()))


# -- What pages speak of is there ----------------------------------------------------------------------------------------------


def prose(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [path for path in PAGES if path.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_sentences_name_their_actor(page: Path) -> None:
    text = re.sub(r"^[#|].*$", "", prose(read(page)), flags=re.MULTILINE)  # headings and cells are no sentences
    assert re.findall(r"\b(?:some|no|any|every)body\b|\b[Ww]hoever\b", prose(read(page))) == []
    assert re.findall(r"(?:^\W*|[.!?:]\s+|\*\*)(Wh(?:o|at)\b.*)", text, re.MULTILINE) == []


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name) if name else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(read(found)), target


def test_the_contents_lead_to_the_pages() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\((\w[\w-]*\.md)\)", read(DOCS / "index.md")))


def test_architecture_lists_the_modules_of_the_adapters() -> None:
    page = read(DOCS / "architecture.md")
    listed = re.findall(r"^      (\w+\.py) ", page[page.index("    resp_sync/ ") :], re.MULTILINE)
    assert {*listed} == {path.name for path in (ROOT / "adapters").glob("resp_*/*.py")} - {"__init__.py"}


@pytest.mark.parametrize("page", ["architecture.md", "write-a-full-adapter.md"])
def test_pages_name_tests_that_exist(page: str) -> None:
    tests = "".join(read(path) for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", read(DOCS / page)))
    assert named
    assert not [name for name in named if f"def {name}(" not in tests]
