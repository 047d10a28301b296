import asyncio
from base64 import b64encode

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import CompileError, IntegrityError

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.core.nouns.secret import Secret
from longwire.store.database import Database, PoolSize
from longwire.store.store import open_store
from longwire.store.tables import projects


async def test_writers_wait_for_each_other(database):
    """Read and write in one transaction: of many at once, no change is lost and none fails."""
    number = projects.c.revision

    async def add():
        async with database.write() as connection:
            query = select(number).with_for_update()
            now = await connection.scalar(query)
            await asyncio.sleep(0)
            await connection.execute(update(projects).values(revision=now + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(add())
    async with database.read() as connection:
        assert 21 == await connection.scalar(select(number))


async def test_a_change_that_fails_leaves_nothing(database):
    """What was written before an error in the same transaction is not kept."""

    async def fail():
        async with database.write() as connection:
            await connection.execute(update(projects).values(name="half"))
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await fail()
    async with database.read() as connection:
        assert "Default" == await connection.scalar(select(projects.c.name))


async def test_a_writer_that_is_cancelled_holds_nobody_up(database):
    """Whatever it was at, its lock is gone with it, though somebody still looks at its error."""
    errors = []

    async def write():
        async with database.write() as connection:
            await connection.execute(update(projects).values(name="half"))
            await connection.scalar(select(projects.c.name))
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        for tries in range(150):
            writing = group.create_task(write())
            await asyncio.sleep(tries * 2e-5)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await writing
            errors.append(caught.value)
            async with asyncio.timeout(5), database.write() as connection:
                assert "Default" == await connection.scalar(select(projects.c.name))


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/no/such/longwire.db", "postgresql://nobody:planted@127.0.0.1:1/none"]
)
async def test_a_database_that_is_away_is_named_without_its_password(url):
    """The error names the setting and the place, never a password."""
    database = Database(url)
    with pytest.raises(ConfigurationError, match=r"^database\.url: ") as caught:
        await database.check()
    await database.close()
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["planted", "postgresql://nobody:planted@db:port/none", "postgresql://me:planted@db:1x/none"],
)
def test_an_address_that_cannot_be_read_says_how_to_write_one(url):
    """The error names the setting and the form, and repeats nothing of what may be a password."""
    with pytest.raises(ConfigurationError, match=r"^database\.url: .*postgresql://") as caught:
        Database(url)
    assert "plan" not in str(caught.value)


async def test_a_server_that_is_away_is_one_error():
    """Whoever reads or writes learns that the database is away, and why, in a line."""
    database = Database("postgresql://nobody:planted@127.0.0.1:1/none")
    for connected in (database.read, database.write):
        with pytest.raises(StoreUnavailable) as caught:
            await anext(connected().gen)
        assert "\n" not in caught.value.reason
        assert "planted" not in str(caught.value)
    await database.close()


async def test_a_value_that_is_taken_is_told_apart(database):
    """A violated constraint is for whoever wrote; a query that fails says why."""
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(insert(projects).values(id="default"))
    with pytest.raises(StoreUnavailable, match="nowhere"):
        async with database.read() as connection:
            await connection.execute(text("SELECT 1 FROM nowhere"))


async def test_a_mistake_in_a_statement_is_no_database_that_is_away(database):
    """A bug of the gateway's own stays one, and gets a trace."""
    with pytest.raises(CompileError, match="nowhere"):
        async with database.write() as connection:
            await connection.execute(update(projects).values(nowhere=1))


async def test_a_pool_is_as_large_as_configured():
    """So many connections and no more; by default as many as there always were."""
    pools = [
        Database("postgresql://u@127.0.0.1:1/d", pool) for pool in (PoolSize(2, 1), PoolSize())
    ]
    assert [(2, 1), (5, 10)] == [
        (database.engine.pool.size(), database.engine.pool._max_overflow) for database in pools
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_finds_no_connection_free_waits(database_url):
    """Behind a pool that is all in use a reader waits until one is given back."""
    database = Database(database_url, PoolSize(1, 0))
    async with asyncio.TaskGroup() as group:
        async with database.read():
            waiting = group.create_task(_one(database))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.shield(waiting)
        assert 1 == await waiting
    await database.close()


async def _one(database):
    async with database.read() as connection:
        return await connection.scalar(text("SELECT 1"))


async def test_a_new_file_is_for_its_owner_alone(tmp_path):
    """A SQLite file and its directory are made, and nobody else on the machine may read it."""
    path = tmp_path / "data" / "longwire.db"
    database = Database(f"sqlite:///{path}")
    await database.check()
    await database.close()
    assert 0o600 == path.stat().st_mode & 0o777


async def test_several_gateways_may_open_a_new_database_at_once(database_url, tmp_path):
    """One makes the pepper, and all have the same: a key of one is a key of all."""
    secret = Secret(b64encode(bytes(32)).decode())

    async def opened():
        return await open_store(database_url, secret, tmp_path / "secret.key")

    async with asyncio.TaskGroup() as group:
        openings = [group.create_task(opened()) for _ in range(6)]
    stores = [each.result() for each in openings]
    for store in stores:
        await store.close()
    assert 1 == len({store.digest("a key") for store in stores})
