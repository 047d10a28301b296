"""Two versions on one database: an older program runs on a newer schema that only adds."""

from importlib import import_module

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    LargeBinary,
    MetaData,
    String,
    delete,
    insert,
    inspect,
    select,
    update,
)
from structlog.testing import capture_logs

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.secret import Secret
from longwire.store.compatibility import Schema, oldest_program, steps
from longwire.store.migrate import head, migrate, schema_of
from longwire.store.partitions import is_partition
from longwire.store.store import open_store
from longwire.store.tables import revisions

DECLARING = [number for number in steps() if number >= "0012"]
EXPANSIONS = [number for number in DECLARING if oldest_program(number) < number]


def before(number):
    """The schema that a step begins at."""
    numbers = list(steps())
    return numbers[numbers.index(number) - 1]


@pytest.mark.parametrize("number", DECLARING)
def test_each_step_says_which_programs_run_on_it(number):
    """So that whoever writes one has thought of the nodes that are not upgraded yet."""
    step = import_module(f"longwire.store.migrations.versions.{steps()[number]}")
    assert "0011" <= step.OLDEST_PROGRAM <= number


@pytest.mark.parametrize("number", EXPANSIONS)
async def test_an_expansion_only_adds(database, number):
    """Tables and columns of before stay as they were; what is new has a default or may be null."""
    await migrate(database, before(number))
    old = await _shape(database)
    await migrate(database, number)
    new = await _shape(database)
    assert old.keys() <= new.keys()
    for table, columns in old.items():
        kept = {name: new[table].get(name) for name in columns}
        needed = {name for name, (_, is_needed) in new[table].items() if is_needed}
        assert columns == kept
        assert needed <= columns.keys()


@pytest.mark.parametrize("number", EXPANSIONS)
async def test_an_older_program_writes_and_reads_all_it_knows(database, number):
    """Each statement of its columns alone does on the newer schema what it did on its own."""
    oldest = oldest_program(number)
    await migrate(database, oldest)
    known = MetaData()
    async with database.read() as connection:
        await connection.run_sync(known.reflect)
    await migrate(database, number)
    tables = [table for table in known.sorted_tables if not _is_no_table(table.name)]
    async with database.write() as connection:
        for table in tables:
            row = {column.name: _some(column.type) for column in table.columns}
            mine = [column == row[column.name] for column in table.primary_key]
            await connection.execute(insert(table).values(row))
            await connection.execute(update(table).where(*mine).values(row))
            assert (
                tuple(row.values()) == (await connection.execute(select(table).where(*mine))).one()
            )
        for table in reversed(tables):
            mine = [column == _some(column.type) for column in table.primary_key]
            assert 1 == (await connection.execute(delete(table).where(*mine))).rowcount


def _is_no_table(name):
    """Whether no program names it: the mark of the schema, and partitions."""
    return name == "alembic_version" or is_partition(name)


def _some(kind):
    """A value for a column; the same for all of a kind, so that one row refers to another."""
    if isinstance(kind, String):
        return "x"
    if isinstance(kind, JSON):
        return ["x"]
    if isinstance(kind, LargeBinary):
        return b"x"
    return True if isinstance(kind, Boolean) else 1


async def _shape(database):
    """The columns of each table: their types, and whether an insert must name them."""
    async with database.read() as connection:
        return await connection.run_sync(_shape_of)


def _shape_of(connection):
    seen = inspect(connection)
    tables = [name for name in seen.get_table_names() if not _is_no_table(name)]
    return {
        table: {
            column["name"]: (str(column["type"]), not column["nullable"] and not column["default"])
            for column in seen.get_columns(table)
        }
        for table in tables
    }


@pytest.fixture
async def newer(database):
    """A database that a newer program has expanded; this one may run on it."""
    await _declare(database, head())
    return database


async def _declare(database, oldest):
    mine = revisions.c.name == "oldest_program"
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        await connection.execute(update(revisions).where(mine).values(number=int(oldest)))


async def test_a_schema_that_serves_this_program_stays(newer):
    """Nothing is migrated, and one line says so."""
    with capture_logs() as lines:
        assert ("9999", None) == await migrate(newer)
    assert [("schema_newer", "9999", head())] == [
        (line["event"], line["schema"], line["own"]) for line in lines
    ]
    assert "9999" == await schema_of(newer)


async def test_a_program_serves_on_it(newer, database_url, tmp_path):
    """It opens the store as it would its own."""
    store = await open_store(database_url, Secret(""), tmp_path / "secret.key")
    assert "Default" == (await store.projects.get("prj_default")).name
    await store.close()


async def test_a_step_back_needs_the_program_that_took_it(newer):
    """An older program does not know how to undo what a newer one did."""
    with pytest.raises(ConfigurationError, match="install the newer Longwire"):
        await migrate(newer, head())
    assert "9999" == await schema_of(newer)


async def test_a_contraction_is_refused(database):
    """A newer schema that drops what this program needs stops it before it does harm."""
    await _declare(database, "9999")
    with pytest.raises(ConfigurationError, match=r"schema 9999.*install the newer Longwire"):
        await migrate(database)


async def test_it_is_written_down_with_each_migration(database):
    """Up and down; a schema from before there were expansions runs its own program alone."""
    await migrate(database, "0011")
    assert 11 == await _noted(database)
    await migrate(database, "0010")
    assert 10 == await _noted(database)
    await migrate(database)
    assert int(oldest_program(head())) == await _noted(database)


async def _noted(database):
    query = select(revisions.c.number).where(revisions.c.name == "oldest_program")
    async with database.read() as connection:
        return await connection.scalar(query)


@pytest.mark.parametrize(
    ("schema", "serves"),
    [
        (Schema("0014", "0011"), True),
        (Schema("0014", "0012"), True),
        (Schema("0014", "0013"), False),
        (Schema("0014"), False),
        (Schema("0012", "0011"), False),
        (Schema(None), False),
        (Schema("later", "0011"), False),
    ],
)
def test_a_newer_schema_serves_who_is_not_too_old(schema, serves):
    """Program 0012: from the oldest that a schema names on, and where it is newer."""
    assert serves == schema.serves("0012")


def test_parts_of_tables_are_known_by_their_names():
    """Partitions are no tables of the program."""
    assert all(map(is_partition, ["turns_before", "turn_bodies_other", "turn_details_20261129"]))
    assert not any(map(is_partition, ["turns", "turn_bodies", "usage", "audit_before"]))
