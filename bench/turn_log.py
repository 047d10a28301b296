"""The turn log with a million turns, on both engines: a page by each filter, a find, a chart."""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import text

from bench.figures import Row, Spread
from longwire.core.nouns.turn_row import TurnId, TurnRow, earliest_id
from longwire.store.database import Database
from longwire.store.migrate import migrate
from longwire.store.secrets import Vault
from longwire.store.turn_filter import ANY_TURN, TurnFilter
from longwire.store.turns import Turns
from longwire.store.usage import DAY, Usage, Where
from tests.databases import drop_postgresql_database, new_postgresql_database, postgresql
from tests.store.turn_rows import ROW

ROWS, FEW = 1_000_000, 20_000
PAGE_TARGET, FIND_TARGET, CHART_TARGET = 100.0, 300.0, 300.0
_DAYS = 30
_END = 1_790_000_000_000
_BATCH = 2_000
_RARE = {7: "internal_error", 11: "upstream_timeout"}
_REASONS = ("new_session", "new_branch", "history_rewritten", "properties_changed")
_TURN = ROW._replace(first_event_ms=400, total_ms=4_000, output_tokens=700, cost=12_000_000)
Work = Callable[[], Awaitable[object]]


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """A page of a million turns by each filter, and the usage of 30 days, on both engines."""
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
    turns, usage = Turns(database, Vault((b"k" * 32,))), Usage(database)
    empty = await _size(database)
    began, spent = time.perf_counter(), time.process_time()
    for batch in _batches(number):
        await turns.add(batch)
    grown = (await _size(database) - empty) / number
    wrote = [
        Row(f"{engine}: room, each turn with its indexes and sums", _one(grown), "bytes"),
        Row(f"{engine}: write {number:,} turns", _one(time.perf_counter() - began), "s"),
        Row(f"{engine}: CPU here, each", _one(1e6 * (time.process_time() - spent) / number), "µs"),
    ]
    pages = [
        Row(f"{engine}: page, {name}", await _timed(work, rounds), "ms", target=PAGE_TARGET)
        for name, work in _pages(turns).items()
    ]
    finds = [
        Row(f"{engine}: find, {name}", await _timed(work, rounds), "ms", target=FIND_TARGET)
        for name, work in _finds(turns).items()
    ]
    charts = [
        Row(f"{engine}: 30 days, {name}", await _timed(work, rounds), "ms", target=CHART_TARGET)
        for name, work in _charts(usage).items()
    ]
    await database.close()
    return wrote + pages + finds + charts


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
    at = _END - _DAYS * DAY + each * _DAYS * DAY // number
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


def _filters() -> Mapping[str, TurnFilter]:
    """Return filters of each kind: by what is common, by what is rare, by what is not there."""
    middle = _END - 15 * DAY
    return {
        "no filter": ANY_TURN,
        "project": TurnFilter(("prj_1",)),
        "project, none": TurnFilter(("prj_x",)),
        "5 projects": TurnFilter(tuple(f"prj_{number}" for number in (2, 5, 9, 14, 99))),
        "key, common": TurnFilter(key_id="key_1"),
        "key, rare": TurnFilter(key_id="key_177"),
        "key, none": TurnFilter(key_id="key_x"),
        "session": TurnFilter(session="00000001-0000000a"),
        "session, none": TurnFilter(session="x"),
        "channel": TurnFilter(channel_id="ch_3"),
        "channel, none": TurnFilter(channel_id="ch_x"),
        "model, common": TurnFilter(model="gpt-5.2"),
        "model, rare": TurnFilter(model="gpt-4o"),
        "outcome, common": TurnFilter(outcome="completed"),
        "outcome, rare": TurnFilter(outcome="internal_error"),
        "outcome, none": TurnFilter(outcome="cancelled"),
        "continuity, common": TurnFilter(continuity="continued"),
        "continuity, rare": TurnFilter(continuity="as-given"),
        "reason, common": TurnFilter(reason="history_rewritten"),
        "reason, rare": TurnFilter(reason="warm_up"),
        "reason, none": TurnFilter(reason="replayed"),
        "reason and key": TurnFilter(key_id="key_177", reason="history_rewritten"),
        "request id": TurnFilter(request_id=f"req_{12_345:032x}"),
        "response id": TurnFilter(response_id=f"resp_{12_345:032x}"),
        "trace": TurnFilter(trace=f"{25:032x}"),
        "trace, none": TurnFilter(trace="x"),
        "error, common": TurnFilter(error_code="server_error"),
        "error, rare": TurnFilter(error_code="upstream_timeout"),
        "days in the middle": TurnFilter(since=middle, until=middle + DAY),
        "project and outcome": TurnFilter(("prj_1",), outcome="internal_error"),
        "key and error": TurnFilter(key_id="key_1", error_code="upstream_timeout"),
    }


def _pages(turns: Turns) -> Mapping[str, Work]:
    """Return one way to ask by each filter, and one for what is far down."""
    far = str(earliest_id(_END - 15 * DAY))
    pages: dict[str, Work] = {
        name: lambda each=each: turns.page(each)  # type: ignore[misc]
        for name, each in _filters().items()
    }
    return {**pages, "no filter, far down": lambda: turns.page(ANY_TURN, 50, far)}


def _finds(turns: Turns) -> Mapping[str, Work]:
    """Return finds of each kind: by whole ids, by beginnings that many or none have, by nothing."""
    texts = {
        "turn": str(earliest_id(_END - 15 * DAY)),
        "request id": f"req_{12_345:032x}",
        "response id as a message": f"msg_{12_345:032x}",
        "session": "00000001-0000000a",
        "trace": f"{25:032x}",
        "a beginning of all": "req_00000000",
        "a beginning of few": f"resp_{12_345:032x}"[:-1],
        "a beginning of none": "nothing-begins-so",
        "an error that quotes one": f'{{"error":{{}},"request_id":"req_{12_345:032x}"}}',
    }
    return {name: lambda each=each: turns.find(each) for name, each in texts.items()}  # type: ignore[misc]


def _charts(usage: Usage) -> Mapping[str, Work]:
    """Return the charts of 30 days."""
    span = (_END - _DAYS * DAY, _END)
    return {
        "by channel": lambda: usage.series("channel", *span),
        "by model": lambda: usage.series("model", *span),
        "by key": lambda: usage.series("key", *span),
        "by channel, one project": lambda: usage.series("channel", *span, "d", Where(("prj_1",))),
        "by reason": lambda: usage.series("reason", *span),
        "by key, one reason": lambda: usage.series(
            "key", *span, "d", Where(reason="history_rewritten")
        ),
        "share continued": lambda: usage.share_continued(*span, span="d"),
        "totals": lambda: usage.totals(*span),
        "2 days by the hour": lambda: usage.series("channel", _END - 2 * DAY, _END, "h"),
    }


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
