import asyncio
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from longwire.core.errors import StoreUnavailable
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turn_log import Measures, TurnLog
from longwire.store.turns import Turns
from longwire.store.usage import DAY, Usage
from tests.store.turn_rows import NOON, bodies, details, row

AT_ONCE = Measures(interval=0, retry=0.001, longest_retry=0.01)


class Keys:
    """Hears when keys were last used."""

    def __init__(self):
        self.heard = []

    async def used(self, pairs):
        self.heard.append(dict(pairs))


class Faulty:
    """The turn log of a database that fails so many times, before or after its work."""

    def __init__(self, turns, failures, *, loses_answers=False):
        self.turns = turns
        self.failures = failures
        self.loses_answers = loses_answers
        self.has = turns.has

    async def add(self, rows, kept):
        if self.loses_answers:
            await self.turns.add(rows, kept)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("gone")
        if not self.loses_answers:
            await self.turns.add(rows, kept)


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def turns(database):
    return Turns(database, Vault((b"k" * 32,)))


@asynccontextmanager
async def running(log):
    """Run a log, and close it in the end."""
    async with asyncio.TaskGroup() as group:
        group.create_task(log.run())
        yield log
        log.close()


async def _is_written(log):
    while log.waiting:  # noqa: ASYNC110 - it tells nobody but who asks
        await asyncio.sleep(0.001)


async def test_what_is_written_is_there(turns, keys):
    """Rows and bodies arrive while it runs, and the last of them when it is closed."""
    log = TurnLog(turns, keys.used, AT_ONCE)
    async with running(log):
        log.write(row(1), bodies(row(1)))
        await _is_written(log)
        assert (row(1),) == (await turns.page()).items
        log.write(row(2))
    assert (row(2), row(1)) == (await turns.page()).items
    assert bodies(row(1)) == await turns.bodies(row(1).id)
    assert (0, 0) == (log.waiting, log.dropped)


async def test_many_are_written_in_batches(turns, keys, database):
    """A burst waits for no interval, and nothing of it is lost or doubled."""
    log = TurnLog(turns, keys.used, Measures(interval=30, batch=100))
    async with running(log):
        for number in range(1_000):
            log.write(row(number))
        await _is_written(log)
    assert 1_000 == (await Usage(database).totals(NOON - DAY, NOON + DAY)).turns


async def test_closing_waits_for_no_interval(turns, keys):
    """A row that has just come is written at once when the gateway ends."""
    log = TurnLog(turns, keys.used, Measures(interval=30))
    async with asyncio.timeout(5), running(log):
        log.write(row(1))
        await asyncio.sleep(0)
    assert (row(1),) == (await turns.page()).items


async def test_who_waits_for_what_was_logged_waits_for_no_interval(turns, keys):
    """It is written at once; where nothing waits, nobody waits."""
    log = TurnLog(turns, keys.used, Measures(interval=30, batch=2))
    async with asyncio.timeout(5), running(log):
        await log.written()
        for number in range(5):
            log.write(row(number))
        await log.written()
        assert 5 == len((await turns.page()).items)


async def test_a_database_that_is_away_loses_nothing(turns, keys):
    """Rows are kept and written when it is back, in their order; one warning says so."""
    log = TurnLog(Faulty(turns, 5), keys.used, AT_ONCE)
    with capture_logs() as lines:
        async with running(log):
            for number in range(3):
                log.write(row(number), bodies(row(number)))
            await _is_written(log)
    assert [row(2), row(1), row(0)] == list((await turns.page()).items)
    assert bodies(row(2)) == await turns.bodies(row(2).id)
    assert [("turn_log_waits", "gone", 3)] == [
        (line["event"], line["error"], line["waiting"]) for line in lines
    ]


async def test_a_database_that_never_answers_is_asked_again(turns, keys):
    """A connection that died without a word holds up the log for a while, not for ever."""
    asked = []

    class Stuck:
        has = turns.has

        async def add(self, rows, kept):
            asked.append(len(rows))
            if len(asked) == 1:
                await asyncio.Event().wait()
            await turns.add(rows, kept)

    measures = Measures(interval=0, patience=0.2, retry=0.001)
    log = TurnLog(Stuck(), keys.used, measures)
    with capture_logs() as lines:
        async with running(log):
            log.write(row(1))
            while len(asked) < 2:  # noqa: ASYNC110 - it tells nobody but the database
                await asyncio.sleep(0.001)
            log._measures = AT_ONCE
            await _is_written(log)
    assert (row(1),) == (await turns.page()).items
    assert "TimeoutError" == lines[0]["error"]


async def test_a_file_that_is_away_for_a_while_loses_nothing(keys, sqlite_template, tmp_path):
    """A SQLite file that somebody moves away and back is waited for, and never made anew."""
    beside, database = tmp_path / "away.db", Database(f"sqlite:///{tmp_path}/longwire.db")
    beside.write_bytes(sqlite_template.read_bytes())
    turns = Turns(database, Vault((b"k" * 32,)))
    log = TurnLog(turns, keys.used, AT_ONCE)
    with capture_logs() as lines:
        async with running(log):
            log.write(row(1))
            async with asyncio.timeout(10):
                while not lines:  # noqa: ASYNC110 - it tells nobody but the log
                    await asyncio.sleep(0.001)
            assert not database.path.exists()
            beside.rename(database.path)
            await _is_written(log)
    assert (row(1),) == (await turns.page()).items
    assert ["turn_log_waits"] == [line["event"] for line in lines]
    await database.close()


async def test_an_answer_that_was_lost_doubles_nothing(turns, keys, database):
    """A batch whose commit went unheard is not written a second time."""
    log = TurnLog(Faulty(turns, 1, loses_answers=True), keys.used, AT_ONCE)
    async with running(log):
        log.write(row(1))
        await _is_written(log)
    assert (row(1),) == (await turns.page()).items
    assert 1 == (await Usage(database).totals(NOON - DAY, NOON + DAY)).turns


async def test_an_id_that_is_taken_is_given_up(turns, keys):
    """A row whose id another process has written gets another of its ms, with all beside it."""
    await turns.add([row(1, request_id="req_other")])
    log = TurnLog(turns, keys.used, AT_ONCE)
    async with running(log):
        log.write(row(1), bodies(row(1)), details(row(1)))
        log.write(row(2))
    found = (await turns.page()).items
    assert {"req_1", "req_other"} == {each.request_id for each in found}
    assert 3 == len({each.id for each in found})
    assert {row(1).id >> 21} == {each.id >> 21 for each in found}
    (moved,) = await turns.details([each.id for each in found])
    assert moved != row(1).id
    assert bodies(row(1))[1:] == (await turns.bodies(moved))[1:]


async def test_what_has_no_room_is_counted_and_said(turns, keys):
    """The count is exact; the warning comes at most once in ten seconds."""
    now = 0.0
    log = TurnLog(turns, keys.used, Measures(rows=3), clock=lambda: now)
    with capture_logs() as lines:
        for number in range(10):
            log.write(row(number))
        now = 9.9
        log.write(row(10))
        now = 10.0
        log.write(row(11))
    assert (3, 9) == (log.waiting, log.dropped)
    assert [("turn_log_full", 1), ("turn_log_full", 9)] == [
        (line["event"], line["dropped"]) for line in lines
    ]
    async with running(log):
        await asyncio.sleep(0)
    assert [row(2), row(1), row(0)] == list((await turns.page()).items)


async def test_readers_wait_while_much_is_to_be_written(turns, keys):
    """Who would read waits until less than half is left, a bounded time; else they wait never."""
    log = TurnLog(turns, keys.used, Measures(rows=4, batch=2, interval=0, courtesy=30))
    log.write(row(0))
    await log.give_way()
    log.write(row(1))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waits = group.create_task(log.give_way())
        await asyncio.sleep(0)
        assert not waits.done()
        async with running(log):
            await waits
    assert 0 == log.waiting


async def test_a_reader_waits_no_longer_than_is_polite(turns, keys):
    """A database that takes nothing keeps no reader away from it."""
    log = TurnLog(turns, keys.used, Measures(rows=2, courtesy=0.01))
    log.write(row(0))
    async with asyncio.timeout(5):
        await log.give_way()
    assert 1 == log.waiting


async def test_bodies_have_a_room_of_their_own(turns, keys):
    """A body that cannot be held is said to be missing; its row is there."""
    log = TurnLog(turns, keys.used, Measures(interval=0, body_bytes=40))
    with capture_logs() as lines:
        for number in range(2):
            log.write(row(number), bodies(row(number)))
    async with running(log):
        await _is_written(log)
        log.write(row(2), bodies(row(2)))
    assert [1] == [line["dropped_bodies"] for line in lines]
    assert [True, False, True] == [
        await turns.bodies(row(number).id) is not None for number in range(3)
    ]


async def test_details_have_a_room_of_their_own(turns, keys):
    """Those that cannot be held are counted; their rows are there, and later ones have room."""
    log = TurnLog(turns, keys.used, Measures(interval=0, details=2))
    with capture_logs() as lines:
        for number in range(4):
            log.write(row(number), details(row(number)))
    async with running(log):
        await _is_written(log)
        log.write(row(4), details(row(4)))
    assert [1] == [line["dropped_details"] for line in lines]
    assert 5 == len((await turns.page()).items)
    kept = await turns.details([row(number).id for number in range(5)])
    assert {row(number).id for number in (0, 1, 4)} == set(kept)


async def test_the_end_comes_though_the_database_does_not(turns, keys):
    """A gateway that must end ends; what it could not write is counted in its log."""
    measures = Measures(interval=0, retry=0.001, farewell=0.05)
    log = TurnLog(Faulty(turns, 10**9), keys.used, measures)
    with capture_logs() as lines:
        async with asyncio.timeout(5), running(log):
            log.write(row(1))
    assert ("turn_log_lost", 1) == (lines[-1]["event"], lines[-1]["turns"])
    log.write(row(2))
    assert 1 == log.dropped


async def test_keys_are_told_when_they_were_used(turns, keys):
    """The last time of each, now and then and in the end; a caller without a key has none."""
    now = 0.0
    log = TurnLog(turns, keys.used, AT_ONCE, clock=lambda: now)
    async with running(log):
        log.write(row(0, NOON, key_id="a"))
        log.write(row(1, NOON + 5, key_id="a"))
        log.write(row(2, NOON + 3, key_id=""))
        await _is_written(log)
        assert [] == keys.heard
        now = 10.0
        log.write(row(3, NOON + 9, key_id="b"))
        await _is_written(log)
        log.write(row(4, NOON + 11, key_id="b"))
    assert [{"a": NOON + 5, "b": NOON + 9}, {"b": NOON + 11}] == keys.heard
