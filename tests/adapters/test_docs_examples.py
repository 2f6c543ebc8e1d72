"""What the documentation shows is what happens: its code is run on a real server, its files and names are looked for.

The adapter page is its example file, cut into pieces. In the page of the blocking client and on the first page, a `print` is
followed by what it prints; each section is a program of its own, behind the block that opens `connection`.
"""

from __future__ import annotations

import re
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.peers import run_program
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

    from servers import Server

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
EXAMPLE: Final = DOCS / "examples" / "small_client.py"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def printed(code: str) -> list[str]:
    """What the comments behind `print` say will be printed."""
    return re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE)


# -- The page of the adapter ---------------------------------------------------------------------------------------------------


def test_the_adapter_page_and_its_file_are_the_same_code() -> None:
    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.strip()]

    left = lines(read(EXAMPLE))
    for block in map(lines, blocks(read(DOCS / "write-your-own-adapter.md"))):
        piece, left = left[: len(block)], left[len(block) :]
        assert block == dedent("\n".join(piece)).splitlines()
    assert not left, "the page lacks the end of the file"


def test_the_small_client_runs_as_a_program(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLE, server.url],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == printed(read(EXAMPLE)) != []


@pytest.fixture(scope="module")
def connect() -> Callable[[str], Any]:
    client: Callable[[str], Any] = runpy.run_path(str(EXAMPLE))["SmallClient"]
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


@pytest.mark.parametrize("url", ["rediss://localhost", "unix:///run/redis.sock"])
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

OPENS: Final = re.compile(r"^(\w+) = (?:await )?(?:connect|Pool|Client)\(", re.MULTILINE)


def sections(page: str) -> Iterator[tuple[str, list[str]]]:
    """The title and the code of each section that has some, between what opens the page's connection and what closes it."""
    opening, *rest = re.split(r"^## ", read(DOCS / page), flags=re.MULTILINE)
    before = blocks(opening)
    closing = [f"{name}.close()\n" for name in OPENS.findall("".join(before))]
    for section in rest:
        if code := blocks(section):
            yield f"{page}: {section.splitlines()[0]}", [*before, *code, *closing]


def programs() -> Iterator[Any]:
    """Each block of the first page, and each section with code of the pages of the blocking client."""
    for number, block in enumerate(blocks(read(ROOT / "README.md"))):
        yield pytest.param(block, id=f"README {number}")
    for page in ("sync.md", "commands.md"):
        for title, code in sections(page):
            program = "\n".join(code)
            yield pytest.param(program, id=title, marks=pytest.mark.needs("tls") if "rediss:" in program else ())


def coroutines() -> Iterator[Any]:
    """The same of the pages whose code stands in a coroutine."""
    runs = {"asyncio": "asyncio.run(main())", "trio": "trio.run(main)"}
    pages = {
        "asyncio.md": "asyncio",
        "trio.md": "trio",
        "choosing.md": "asyncio",
        "client.md": "asyncio",
        "pool.md": "asyncio",
    }
    for page, library in pages.items():
        for title, code in sections(page):
            body = indent(re.sub(r"^(\w+\.close\(\))$", r"await \1", "\n".join(code), flags=re.MULTILINE), "    ")
            yield pytest.param(f"import {library}\n\n\nasync def main():\n{body}\n\n{runs[library]}\n", id=title)


@pytest.mark.parametrize("program", [*programs(), *coroutines()])
def test_examples_print_what_they_say(program: str, server: Server) -> None:
    certificates = server.certificates
    here = {"rediss://localhost:6380": server.tls_url, "redis://localhost": server.url}
    here |= {"ca.pem": str(certificates.ca)} if certificates else {}
    located = program
    for written, meant in here.items():
        located = located.replace(f'"{written}', f'"{meant}')
    assert run_program(located).splitlines() == printed(program) != []


def test_sync_lists_every_public_error() -> None:
    import resp_sansio

    table = read(DOCS / "sync.md").rpartition("## Errors")[2]
    errors = {
        name
        for name in resp_sansio.__all__
        if isinstance(found := getattr(resp_sansio, name), type) and issubclass(found, Exception)
    }
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == errors - {"RespError"}


# -- What pages speak of is there ----------------------------------------------------------------------------------------------


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name) if name else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(read(found)), target


def test_the_contents_lead_to_the_pages() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\((\w[\w-]*\.md)\)", read(DOCS / "index.md")))


def test_architecture_lists_the_modules_that_there_are() -> None:
    page = read(DOCS / "architecture.md")
    listed = {
        package: set(re.findall(r"^      (\w+\.py) ", lines, re.MULTILINE))
        for package, lines in re.findall(r"^    (\w+)/.*\n((?:      .*\n)+)", page, re.MULTILINE)
    }
    assert listed.keys() == {"resp_sansio", "resp_sync"}
    assert listed["resp_sansio"] == {path.name for path in (ROOT / "resp_sansio").glob("*.py")} - {"__init__.py"}
    assert listed["resp_sync"] == {path.name for path in (ROOT / "adapters").glob("resp_*/*.py")} - {"__init__.py"}


def test_architecture_names_tests_that_exist() -> None:
    tests = "".join(read(path) for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", read(DOCS / "architecture.md")))
    assert named
    assert not [name for name in named if f"def {name}(" not in tests]
