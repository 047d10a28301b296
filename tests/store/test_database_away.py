"""A server that is away for a while: turns go on, and afterwards each has its row, once."""

import asyncio
from contextlib import suppress
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import func, select

from longwire.core.rules.homes import session_home_key
from longwire.core.rules.turn import Scope
from longwire.relay.homes import LocalHomes
from longwire.store.database import Database
from longwire.store.homes import StoredHomes
from longwire.store.log_tables import turn_bodies, turns, usage
from longwire.store.secrets import Vault
from longwire.store.turn_log import Measures, TurnLog
from longwire.store.turns import Turns
from tests.store.turn_rows import bodies, row

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

IMPATIENT = Measures(batch=20, interval=0.02, patience=0.5, retry=0.05, longest_retry=0.2)
SOCKET = ".s.PGSQL.5432"


class Way:
    """A socket before a server's: it can be cut, with all that is under way, and be frozen."""

    def __init__(self, folder, server):
        self._path, self._server = str(folder / SOCKET), server
        self._writers, self._open = set(), asyncio.Event()
        self._listener = None
        self._open.set()

    async def mend(self):
        """Let connections through."""
        self._listener = await asyncio.start_unix_server(self._serve, self._path)

    async def cut(self):
        """End all connections where they are, and refuse new ones."""
        self._listener.close()
        for writer in [*self._writers]:
            writer.transport.abort()
        await self._listener.wait_closed()

    def freeze(self):
        """Pass nothing on any more, and end nothing."""
        self._open.clear()

    def thaw(self):
        """Pass on what has waited, too."""
        self._open.set()

    async def _serve(self, reader, writer):
        with suppress(OSError):
            back, forth = await asyncio.open_unix_connection(self._server)
            self._writers |= {writer, forth}
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, forth))
                group.create_task(self._pass_on(back, writer))

    async def _pass_on(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


@pytest.fixture
async def way(database_url, tmp_path_factory):
    """The way to the server, and the URL of the test's database that leads over it."""
    host = unquote(parse_qs(urlsplit(database_url).query)["host"][0])
    folder = tmp_path_factory.mktemp("w")
    way = Way(folder, f"{host}/{SOCKET}")
    await way.mend()
    yield way, f"{database_url.partition('?')[0]}?host={folder}"
    way.thaw()
    with suppress(OSError):
        await way.cut()


@pytest.mark.parametrize("kind", ["cut", "frozen"])
async def test_each_turn_has_its_row_once(database_url, way, kind):
    """Nothing waits while it is away, whether it refuses or says nothing; rows are turns then."""
    way, url = way
    over, straight = Database(url), Database(database_url)
    journal = TurnLog(Turns(over, Vault((b"k" * 32,))), _noted, IMPATIENT)
    number = 0

    async def turn_for(seconds):
        nonlocal number
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            written = row(number)
            journal.write(written, *([bodies(written)] if number % 5 == 0 else []))
            number += 1
            await asyncio.sleep(0.002)

    async with asyncio.timeout(50), asyncio.TaskGroup() as group:
        running = group.create_task(journal.run())
        await turn_for(0.3)
        await (way.cut() if kind == "cut" else _frozen(way))
        before = number
        await turn_for(2)
        assert number - before > 100
        await (way.mend() if kind == "cut" else _thawed(way))
        await turn_for(0.3)
        while journal.waiting:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        journal.close()
        await running
    counted = select(func.sum(usage.c.turns)).where(usage.c.span == "d")
    async with straight.read() as connection:
        rows = await connection.scalar(select(func.count()).select_from(turns))
        kept = await connection.scalar(select(func.count()).select_from(turn_bodies))
        assert (number, number, (number + 4) // 5, 0) == (
            rows,
            await connection.scalar(counted),
            kept,
            journal.dropped,
        )
    await over.close()
    await straight.close()


async def test_a_session_does_not_wait_for_one_that_is_frozen(way):
    """Its home is looked for a second at most, however long the driver takes to give up."""
    frozen, url = way
    database = Database(url)
    homes, key = LocalHomes(), session_home_key(Scope("api_key:1"), "s")
    async with homes.kept_in(StoredHomes(database, lambda: 1)):
        assert await homes.get(key) is None
        frozen.freeze()
        began = asyncio.get_running_loop().time()
        assert await homes.get(key) is None
        assert 0.9 < asyncio.get_running_loop().time() - began < 1.5
        frozen.thaw()
    await database.close()


async def _frozen(way):
    way.freeze()


async def _thawed(way):
    way.thaw()


async def _noted(_seen):
    """Take note of nothing."""
