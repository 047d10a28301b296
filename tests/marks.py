"""Marks: what a test needs beside Python, SQLite and a moment; who needs no more is `fast`.

Law: a `fast` test starts no process.
"""

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

BY_FOLDER = {"ui": "browser"}
BY_FIXTURE = {
    "binary": "clients",
    "fleet_postgresql": "fleet",
    "longwire": "process",
    "postgresql_server": "db",
    "their_python": "clients",
    "valkey_server": "fleet",
}
NEEDS = {"browser", "clients", "db", "fleet", "process", "table"}
STARTS = {"os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"}


def needs(
    folder: str, fixtures: Collection[str], engine: str | None, own: Collection[str]
) -> set[str]:
    """The marks of a test: by its folder, its fixtures and its engine, and those written at it."""
    found = NEEDS.intersection(own) | {BY_FIXTURE[name] for name in fixtures if name in BY_FIXTURE}
    if folder in BY_FOLDER:
        found.add(BY_FOLDER[folder])
    if engine == "postgresql":
        found.add("db")
    return found or {"fast"}


class NoProcess:
    """Refuses a process to a test that is `fast`."""

    def __init__(self) -> None:
        self._fast: str | None = None
        sys.addaudithook(self._watch)
        os.register_at_fork(before=self._refuse)  # uvloop forks without an audit event

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Know what test runs; what ends behind it may have served others, too."""
        self._fast = item.nodeid if item.get_closest_marker("fast") else None
        try:
            return (yield)
        finally:
            self._fast = None

    def _watch(self, event: str, _arguments: tuple) -> None:
        if event in STARTS:
            self._refuse()

    def _refuse(self) -> None:
        if self._fast:
            raise AssertionError(f"{self._fast} starts a process: @pytest.mark.process says so")


def pytest_configure(config: pytest.Config) -> None:
    """Watch over this run."""
    config.pluginmanager.register(NoProcess())


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs."""
    root = Path(__file__).parent
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        folder, *_ = item.path.relative_to(root).parts
        own = {mark.name for mark in item.iter_markers()}
        for name in needs(folder, item.fixturenames, parameters.get("database_url"), own):
            item.add_marker(name)
