"""The turn log with a million turns, on both engines: each way to look at it."""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from bench.figures import Row, Spread
from bench.log_looks import BEGIN, BODIES_EACH, END, Work, bodies_of, looks_at
from longwire.core.nouns.turn_row import TurnId, TurnRow, earliest_id
from longwire.store.body_search import BodySearch
from longwire.store.database import Database
from longwire.store.migrate import migrate
from longwire.store.partitions import make_days
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY
from tests.databases import drop_postgresql_database, new_postgresql_database, postgresql
from tests.store.turn_rows import ROW

ROWS, FEW = 1_000_000, 20_000
_BATCH = 2_000
_RARE = {7: "internal_error", 11: "upstream_timeout"}
_REASONS = ("new_session", "new_branch", "history_rewritten", "properties_changed")
_TURN = ROW._replace(first_event_ms=400, total_ms=4_000, output_tokens=700, cost=12_000_000)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Each way to look at a million turns of 30 days, 100,000 with bodies, on both engines."""
    number, rounds = (FEW, 3) if quick else (ROWS, 9)
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        urls = {
            "SQLite": f"sqlite:///{Path(folder) / 'log.db'}",
            "PostgreSQL": asyncio.run(new_postgresql_database(server)),
        }
        rows = [
            row
            for engine, url in urls.items()
            for row in asyncio.run(_measured(engine, url, number, rounds))
        ]
        asyncio.run(drop_postgresql_database(server, urls["PostgreSQL"]))
        return rows


async def _measured(engine: str, url: str, number: int, rounds: int) -> list[Row]:
    """Fill one database, then look at it in all ways."""
    database = Database(url)
    await migrate(database)
    if not database.is_sqlite:
        for week in range(BEGIN, END, 7 * DAY):
            await make_days(database, week)
    turns = Turns(database, Vault((b"k" * 32,)), lambda: END / 1_000, indexes_bodies=True)
    empty = await _size(database)
    began, spent = time.perf_counter(), time.process_time()
    for first, batch in zip(range(0, number, _BATCH), _batches(number), strict=True):
        kept = enumerate(batch[::BODIES_EACH], first // BODIES_EACH)
        await turns.add(batch, [bodies_of(each, at) for at, each in kept])
    grown = (await _size(database) - empty) / number
    wrote = [
        Row(f"{engine}: room, each turn with its indexes and sums", _one(grown), "bytes"),
        Row(f"{engine}: write {number:,} turns", _one(time.perf_counter() - began), "s"),
        Row(f"{engine}: CPU here, each", _one(1e6 * (time.process_time() - spent) / number), "µs"),
    ]
    looks = looks_at(database, turns, BodySearch(database, is_allowed=True))
    looked = [
        Row(f"{engine}: {name}", await _timed(work, rounds), "ms", target=target)
        for name, (work, target) in looks.items()
    ]
    await database.close()
    return wrote + looked


async def _size(database: Database) -> int:
    """Return the bytes that a database has on its disk, or will have once it is checkpointed."""
    size = "page_count * page_size FROM pragma_page_count, pragma_page_size"
    if not database.is_sqlite:
        size = "pg_database_size(current_database())"
    async with database.read() as connection:
        return int(await connection.scalar(text(f"SELECT {size}")))


def _batches(number: int) -> Iterator[list[TurnRow]]:
    """Yield the turns of 30 days, in their order, as a busy team would have made them."""
    chance = random.Random(7)
    for first in range(0, number, _BATCH):
        yield [_row(each, number, chance) for each in range(first, min(number, first + _BATCH))]


def _row(each: int, number: int, chance: random.Random) -> TurnRow:
    """Return a turn: most go well, a few kinds of failure are rare, one has happened twice."""
    at = BEGIN + each * (END - BEGIN) // number
    key = int(chance.paretovariate(0.6)) % 200
    model = (key + chance.randrange(2)) % 6
    channel = (2 * model + chance.randrange(4)) % 12
    error = _RARE.get(each) or ("server_error" if chance.random() < 0.02 else "")  # noqa: PLR2004
    outcome = "completed" if not error else "upstream_error"
    received = chance.randrange(2_000, 400_000)
    continuity = "as-given" if each in _RARE else chance.choice(("continued", "fresh"))
    reason = chance.choice(_REASONS) if continuity == "fresh" else ""
    return _TURN._replace(
        id=TurnId(earliest_id(at) + each % 1_000),
        request_id=f"req_{each:032x}",
        project_id=f"prj_{key % 20}",
        key_id=f"key_{key}",
        key_name=f"agent {key}",
        session=f"{key:08x}-{each // 2_000:08x}",
        channel_id=f"ch_{channel}",
        channel_name=f"channel {channel}",
        continuity=continuity,
        reason="warm_up" if each in _RARE else reason,
        response_id=f"resp_{each:032x}",
        trace=f"{each // 500:032x}",
        connection=each // 40,
        model_asked="gpt-4o" if each in _RARE else f"gpt-5.{model}",
        outcome="internal_error" if each in _RARE else outcome,
        status=502 if error else 200,
        error_code=error,
        started_at=at,
        bytes_received=received,
        bytes_sent=received // 20,
        input_tokens=received // 4,
        cached_tokens=received // 5,
    )


async def _timed(work: Work, rounds: int) -> Spread:
    """Return how long something takes in ms, the first time counted, too."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        taken.append(1_000 * (time.perf_counter() - began))
    return Spread(statistics.median(taken), min(taken), max(taken))


def _one(figure: float) -> Spread:
    return Spread.of([figure])
