import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, String, Table, func, insert, inspect, select, update

from longwire.core.errors import ConfigurationError, StoreUnavailable
from longwire.store import migrations
from longwire.store.database import Database
from longwire.store.log_tables import turns, usage
from longwire.store.migrate import head, migrate, schema_of
from longwire.store.partitions import is_partition
from longwire.store.schema import metadata
from longwire.store.tables import projects


def _differences(connection):
    """What differs, but for what the program does not name: partitions, the index of words."""

    def is_named(name, _kind, parents):
        table = parents.get("table_name") or name or ""
        return not is_partition(table) and not table.startswith("bodies_index")

    options = {"include_name": is_named}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


@pytest.fixture
async def empty(database):
    """A database without a schema."""
    await migrate(database, "0001")
    async with database.write() as connection:
        await connection.run_sync(_drop_all)
    return database


def _drop_all(connection):
    metadata.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE alembic_version")


async def test_the_steps_lead_to_the_tables(database):
    """The migrations make exactly the tables that the program reads and writes."""
    async with database.read() as connection:
        differences = await connection.run_sync(_differences)
    assert [] == differences
    assert head() == await schema_of(database)


def test_the_head_is_the_newest_migration():
    """The schema that is asked for at a start, without alembic, is the one its steps end at."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert [head()] == ScriptDirectory.from_config(config).get_heads()


async def test_indexes_of_what_is_rare_are_partial(database):
    """On either engine the log's indexes of what few turns have hold these turns alone."""
    async with database.read() as connection:
        indexes = await connection.run_sync(lambda c: inspect(c).get_indexes("turns"))
    partial = {
        index["name"]: str(condition).split()[0].strip("(").partition("::")[0].strip("()")
        for index in indexes
        if (condition := index["dialect_options"].get(f"{database.engine.dialect.name}_where"))
        is not None
    }
    assert {
        "ix_turns_session_id": "session",
        "ix_turns_error_code_id": "error_code",
        "ix_turns_upstream_api_id": "upstream_api",
        "ix_turns_reason_id": "reason",
        "ix_turns_response_id_id": "response_id",
        "ix_turns_trace_id": "trace",
    } == partial


async def test_the_default_project_is_there(database):
    """Keys can be made at once: there is a project for them."""
    async with database.read() as connection:
        found = (await connection.execute(select(projects.c.id, projects.c.name))).all()
    assert [("prj_default", "Default")] == [tuple(row) for row in found]


async def test_several_processes_start_at_once(empty, database_url):
    """Whoever comes first migrates, the others wait for it and find it done."""
    others = [Database(database_url) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(migrate(each)) for each in others]
    befores = sorted(str(task.result()[0]) for task in tasks)
    for each in others:
        await each.close()
    assert sorted(["None", head(), head(), head()]) == befores
    assert head() == await schema_of(empty)


async def test_an_unknown_target_is_refused(database):
    """A schema that never was cannot be asked for."""
    with pytest.raises(ConfigurationError, match="asked for 0042"):
        await migrate(database, "0042")


async def test_down_and_up_again(database):
    """A step back and forth leaves the nouns as they were."""
    async with database.write() as connection:
        await connection.execute(update(projects).values(name="Ours"))
    await migrate(database, "0001")
    await migrate(database)
    async with database.read() as connection:
        assert "Ours" == await connection.scalar(select(projects.c.name))
        assert [] == await connection.run_sync(_differences)


async def test_a_copy_is_made_before_a_sqlite_file_is_changed(database):
    """What was there before a migration can be brought back from beside the file."""
    before, copy = await migrate(database, "0001")
    assert head() == before
    if database.path is None:
        assert copy is None
        return
    assert copy == database.path.with_name(f"{database.path.name}.before-{head()}")
    assert 0o600 == copy.stat().st_mode & 0o777
    with closing(sqlite3.connect(copy)) as read:
        assert (head(),) == read.execute("SELECT version_num FROM alembic_version").fetchone()


async def test_a_failed_step_changes_nothing(empty):
    """A migration that breaks off says why, and leaves neither half its tables nor a new number."""
    async with empty.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE users (id TEXT)")
    with pytest.raises(StoreUnavailable, match="users"):
        await migrate(empty)
    assert await schema_of(empty) is None
    async with empty.read() as connection:
        assert not await connection.run_sync(lambda c: c.dialect.has_table(c, "projects"))


async def test_the_sums_of_a_filled_log_are_made(database):
    """A log from before there were sums has them afterwards: each turn counts once a span."""
    await migrate(database, "0001")
    times = [0, 1, 3_600_000, 86_400_000]
    async with database.write() as connection:
        log = await connection.run_sync(lambda c: Table("turns", MetaData(), autoload_with=c))
        rows = [_turn(log, number, at) for number, at in enumerate(times, start=1)]
        await connection.execute(insert(log), rows)
    await migrate(database)
    query = select(usage).order_by(usage.c.span, usage.c.start)
    async with database.read() as connection:
        sums = (await connection.execute(query)).all()
        assert 4 == await connection.scalar(select(func.count()).select_from(turns))
    assert [("d", 0, 3), ("d", 86_400_000, 1), ("h", 0, 2), ("h", 3_600_000, 1)] == [
        (row.span, row.start, row.turns) for row in sums[:4]
    ]
    assert {(row.turns, row.continued, row.failures) for row in sums if row.start == 0} == {
        (3, 3, 3),
        (2, 2, 2),
    }
    day = sums[0]
    assert (30, 300, "gpt", "ch_1") == (day.input_tokens, day.bytes_sent, day.model, day.channel_id)


async def test_sums_before_there_were_apis_stay(database):
    """Turns of the log count by their API, what was deleted of it by none; all stay as many."""
    await migrate(database, "0008")
    key = {"project_id": "", "channel_id": "ch_1", "model": "gpt", "key_id": ""}
    figures = {"continued": 3, "failures": 1, "input_tokens": 40, "cost": 9, "bytes_sent": 300}
    rest = {"cached_tokens": 0, "output_tokens": 0, "bytes_received": 5_000}
    old = {**key, "turns": 4, **figures, **rest}
    async with database.write() as connection:
        tables = await connection.run_sync(_reflected)
        rows = [{**old, "span": "d", "start": start} for start in (0, 86_400_000)]
        await connection.execute(insert(tables["usage"]), rows)
        logged = [
            {**_turn(tables["turns"], number, 86_400_000), "api": api, "error_code": ""}
            for number, api in enumerate(["messages", "responses", "messages"], start=1)
        ]
        await connection.execute(insert(tables["turns"]), logged)
    await migrate(database)
    query = select(usage).where(usage.c.span == "d").order_by(usage.c.start, usage.c.api)
    async with database.read() as connection:
        sums = (await connection.execute(query)).all()
    assert [(0, "", 4, 3, 1, 40, 9, 5_000, 300)] == [_counted(row) for row in sums[:1]]
    assert [
        (86_400_000, "", 1, 0, 1, 10, 9, 2_300, 0),
        (86_400_000, "messages", 2, 2, 0, 20, 0, 1_800, 200),
        (86_400_000, "responses", 1, 1, 0, 10, 0, 900, 100),
    ] == [_counted(row) for row in sums[1:]]
    await migrate(database, "0008")
    async with database.read() as connection:
        query = select(tables["usage"]).where(tables["usage"].c.span == "d")
        found = (await connection.execute(query.order_by("start"))).mappings().all()
    assert rows == [dict(row) for row in found]


def _reflected(connection):
    tables = MetaData()
    tables.reflect(connection, only=["usage", "turns"])
    return tables.tables


def _counted(row):
    figures = row.turns, row.continued, row.failures, row.input_tokens, row.cost
    return (row.start, row.api, *figures, row.bytes_received, row.bytes_sent)


def _turn(log, number, at):
    """A turn of a log as it was, whatever columns came since."""
    texts = {column.name: "" for column in log.c if isinstance(column.type, String)}
    known = {"id": number, "streams": True, "status": 200, "attempts": 1, "started_at": at}
    measured = {"queue_ms": 0, "total_ms": 5, "bytes_received": 900, "bytes_sent": 100}
    described = {"continuity": "continued", "error_code": "server_error", "model_asked": "gpt"}
    return texts | known | measured | described | {"channel_id": "ch_1", "input_tokens": 10}
