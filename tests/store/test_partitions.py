"""The turn log on PostgreSQL, day by day: no row is lost, and old days go whole."""

import asyncio
import time

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.retention import Retention
from longwire.core.nouns.turn_row import earliest_id
from longwire.store.beside_turns import BesideTurns
from longwire.store.database import Database
from longwire.store.log_tables import turn_bodies, turn_details, turns
from longwire.store.migrate import migrate
from longwire.store.partitions import AHEAD, drop_days, make_days, partitions
from longwire.store.retention import Swept, sweep
from longwire.store.secrets import Vault
from longwire.store.turn_filter import TurnFilter
from longwire.store.turn_log import Measures, TurnLog
from longwire.store.turns import Turns
from longwire.store.usage import DAY
from tests.store.turn_rows import bodies, details, row

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

VAULT = Vault((b"k" * 32,))
NOW = time.time_ns() // 1_000_000
FIRST = NOW - NOW % DAY + 10 * DAY
"""The beginning of a day that is behind the part of what was there before the migration."""


@pytest.fixture
def log(database):
    return Turns(database, VAULT)


async def names(database, table=turns):
    """The parts of a table by name, but for what belongs to no day."""
    async with database.read() as connection:
        return sorted(each.name for each in await partitions(connection, table))


async def places(database, *rows):
    """In which part each row lies."""
    query = text("SELECT id, tableoid::regclass::text FROM turns")
    async with database.read() as connection:
        found = dict(tuple(each) for each in await connection.execute(query))
    return [found[each.id] for each in rows]


def day(number, table="turns"):
    """The name of the part of a day."""
    start = time.gmtime((FIRST + number * DAY) // 1000)
    return f"{table}_{time.strftime('%Y%m%d', start)}"


async def add_as_before(database, rows):
    """Write rows, and what two of them have beside, as a program of schema 0012 did."""
    later = {"changed", "response_id", "trace"}
    beside = BesideTurns(VAULT, database.engine.dialect, indexes_bodies=False)
    old = [{n: v for n, v in each._asdict().items() if n not in later} for each in rows]
    async with database.write() as connection:
        await connection.execute(insert(turns), old)
        for statement, values in beside.statements([bodies(rows[3]), details(rows[4])]):
            await connection.exec_driver_sql(statement, values)


async def test_what_was_logged_before_stays(database, log):
    """A log of a schema before is whole on the new one, and its ids are still taken."""
    await migrate(database, "0012")
    unknown = {"changed": "", "response_id": "", "trace": ""}
    rows = [row(number, NOW - number * DAY, **unknown) for number in range(40)]
    await add_as_before(database, rows)
    await migrate(database)
    assert rows == list((await log.page(first=100)).items)
    assert bodies(rows[3]) == await log.bodies(rows[3].id)
    assert {rows[4].id: details(rows[4])} == await log.details([rows[4].id])
    assert {"turns_before"} == set(await places(database, *rows))
    with pytest.raises(IntegrityError):
        await log.add([rows[7]])
    await migrate(database, "0012")
    async with database.read() as connection:
        left = (await connection.scalars(select(turns.c.id).order_by(turns.c.id.desc()))).all()
    assert [each.id for each in rows] == list(left)
    with pytest.raises(IntegrityError):
        await add_as_before(database, rows)


async def test_days_are_made_ahead_and_once(database, log):
    """Today and a week, for all that the log writes; a turn lies in the day that it ended on."""
    assert 3 * (AHEAD + 1) == await make_days(database, FIRST)
    assert 0 == await make_days(database, FIRST + DAY - 1)
    assert 3 == await make_days(database, FIRST + DAY)
    for table in (turns, turn_details, turn_bodies):
        own = [day(number, table.name) for number in range(AHEAD + 2)]
        assert [*own, f"{table.name}_before"] == await names(database, table)
    last, first = row(1, FIRST + DAY - 1), row(2, FIRST + DAY)
    await log.add([last, first], [bodies(first)])
    assert [day(0), day(1)] == await places(database, last, first)
    with pytest.raises(IntegrityError):
        await log.add([first])


async def test_days_that_are_there_take_no_lock(database):
    """Nobody waits for a look at what is there."""
    await make_days(database, FIRST)
    locks = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda *of: locks.append(of[2]) if "advisory" in of[2] else None,
    )
    assert 0 == await make_days(database, FIRST)
    assert [] == locks
    assert 3 == await make_days(database, FIRST + DAY)
    assert 3 == len(locks)


async def test_a_day_that_is_missing_loses_no_row(database, log):
    """Its rows are there at once, and move to their day when it is made."""
    early = row(1, FIRST + 5), row(2, FIRST + DAY)
    await log.add(early, [details(early[0])])
    assert ["turns_other"] * 2 == await places(database, *early)
    assert early[::-1] == (await log.page()).items
    await make_days(database, FIRST)
    assert [day(0), day(1)] == await places(database, *early)
    assert early[::-1] == (await log.page()).items
    assert [early[0].id] == list(await log.details([each.id for each in early]))


async def test_several_nodes_make_days_at_once(database, database_url):
    """Each day is made by one of them, and none fails."""
    others = [Database(database_url) for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(make_days(each, FIRST)) for each in others]
    for each in others:
        await each.close()
    assert 3 * (AHEAD + 1) == sum(task.result() for task in tasks)


async def test_whoever_writes_and_reads_meanwhile_is_served(database, log):
    """While days are made below the rows and others are dropped, no turn is lost or refused.

    A batch that was on its way to a part which its day has left then is written once more.
    """
    journal = TurnLog(log, _noted, Measures(batch=20, interval=0.01))
    written, pages = [], []

    async def write():
        while len(written) < 600 or not pages:
            written.append(row(len(written), FIRST + len(written) % AHEAD * DAY))
            journal.write(written[-1], bodies(written[-1]))
            await asyncio.sleep(0.001)
        journal.close()

    async def read():
        while len(written) < 600:
            pages.append((await log.page(TurnFilter(project_ids=("prj_1",)))).items)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for each in (journal.run(), write(), read()):
            group.create_task(each)
        await make_days(database, FIRST - 2 * DAY)
        await make_days(database, FIRST)
        for table in (turns, turn_bodies):  # two days, and the part of before the migration
            assert 3 == await drop_days(database, table, earliest_id(FIRST))
    async with database.read() as connection:
        for table in (turns, turn_bodies):
            query = select(func.count()).select_from(table)
            assert len(written) == await connection.scalar(query)
        elsewhere = await connection.execute(text("SELECT id FROM turns_other"))
        assert [] == elsewhere.all()


async def _noted(_seen):
    """Take note of nothing."""


async def test_old_days_are_dropped(database, log):
    """Once all of a day is old: turns by their days, bodies by theirs, and the first part, too."""
    await make_days(database, FIRST)
    rows = [row(number, FIRST + number * DAY + DAY // 2) for number in range(AHEAD)]
    await log.add(rows, [each for of in rows for each in (bodies(of), details(of))])
    late = FIRST + (AHEAD + 1) * DAY - 1
    retention = Retention(turn_days=5, body_days=2)
    swept = await sweep(database, retention, late)
    # the part of before the migration goes, and two days of turns and details, five of bodies;
    # hourly sums stay for budgets of a month
    assert Swept(0, 0, 0, 3 * 3 + 3) == swept
    assert rows[2:] == list((await log.page()).items)[::-1]
    assert rows[5:] == [each for each in rows if await log.bodies(each.id)]
    assert {each.id for each in rows[2:]} == set(await log.details([each.id for each in rows]))
    assert Swept(0, 0, 0) == await sweep(database, retention, late)


async def test_old_rows_of_no_day_are_deleted(database, log):
    """What lies before all days, or where none was made, goes in time as well."""
    rows = [row(1, NOW - 40 * DAY), row(2, NOW), row(3, FIRST), row(4, FIRST + 50 * DAY)]
    await log.add(rows)
    assert 1 == (await sweep(database, Retention(), NOW)).turns
    assert rows[:0:-1] == list((await log.page()).items)
    assert 1 == (await sweep(database, Retention(), FIRST + 40 * DAY)).turns
    assert [rows[3]] == list((await log.page()).items)


async def test_it_makes_nobody_wait_long(database):
    """Where somebody reads for long a day is dropped the next time: others read and write on."""
    await make_days(database, FIRST)
    async with database.read() as reading:
        await reading.execute(select(turns.c.id).limit(1))
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await drop_days(database, turns, earliest_id(FIRST + DAY))
    assert 2 == await drop_days(database, turns, earliest_id(FIRST + DAY))


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        (f"id = {earliest_id(FIRST + 5)}", [day(0)]),
        (
            f"id >= {earliest_id(FIRST + DAY)} AND id < {earliest_id(FIRST + 3 * DAY)}",
            [day(1), day(2)],
        ),
        (f"id = {earliest_id(NOW)}", ["turns_before"]),
    ],
    ids=["an id", "two days", "an id from before"],
)
async def test_a_query_reads_its_days_alone(database, condition, parts):
    """A turn by its id, a page by its span of time: other days are not looked at."""
    await make_days(database, FIRST)
    query = f"EXPLAIN SELECT * FROM turns WHERE {condition} ORDER BY id DESC LIMIT 50"  # noqa: S608
    async with database.read() as connection:
        plan = "\n".join((await connection.execute(text(query))).scalars())
        there = [each.name for each in await partitions(connection, turns)]
    assert parts == [name for name in sorted([*there, "turns_other"]) if f" on {name} " in plan]


async def test_a_full_page_is_read_of_its_day(database):
    """The newest turns, and those before a cursor: older days are looked at for the rest alone."""
    log = Turns(database, Vault((b"k" * 32,)), lambda: (FIRST + 3 * DAY) / 1000)
    await make_days(database, FIRST)
    rows = [row(number, FIRST + number * DAY // 4) for number in range(12)]
    await log.add(rows)
    seen = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda *of: seen.append(of[2]) if "FROM turns" in of[2] else None,
    )
    newest = await log.page(first=3)
    older = await log.page(first=3, after=newest.edges[-1][0])
    assert [True, True] == ["turns.id >= " in query for query in seen]
    assert (rows[:8:-1], rows[8:5:-1]) == (list(newest.items), list(older.items))
    assert rows[::-1] == list((await log.page(first=20)).items)
    assert [True, False] == ["turns.id >= " in query for query in seen[2:]]
