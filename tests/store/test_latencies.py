"""Latencies over time: written with the turns, made afterwards of older ones, and swept."""

import asyncio

import pytest
from sqlalchemy import func, select

from longwire.core.nouns.retention import Retention
from longwire.store.filled import fill_latencies
from longwire.store.latencies import Among, Figure, Latencies, Period
from longwire.store.log_tables import latencies
from longwire.store.migrate import migrate
from longwire.store.retention import sweep
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY, HOUR
from tests.store.turn_rows import NOON, row

MIDNIGHT = NOON - NOON % DAY
TODAY = Period(MIDNIGHT, MIDNIGHT + DAY, "h")


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


@pytest.fixture
def known(database):
    return Latencies(database)


async def _rows(database):
    query = select(latencies).order_by(*latencies.primary_key)
    async with database.read() as connection:
        return (await connection.execute(query)).all()


def _turns(figures):
    return {figure.name: histogram.turns for figure, histogram in figures.items()}


async def test_figures_of_a_turn(log, known):
    """First event and the whole are in ms; speed counts the time after the first event."""
    await log.add([row(0, first_event_ms=200, total_ms=1_200, output_tokens=50)])
    ((name, figures),) = await known.lines("all", TODAY)
    means = {figure.name: histogram.mean for figure, histogram in figures.items()}
    assert "" == name
    assert {"FIRST_EVENT": 200.0, "TOTAL": 1_200.0, "TOKENS_A_SECOND": 500.0} == means
    for figure, value in ((Figure.FIRST_EVENT, 200), (Figure.TOTAL, 1_200)):
        assert value == pytest.approx(figures[figure].percentile(0.5), rel=0.096)


async def test_only_what_was_served_counts(log, known):
    """What failed, or was sent nowhere, took no time to serve; what was left has no end."""
    rows = [
        row(0, error_code="server_error", outcome="failed"),
        row(1, first_event_ms=None),
        row(2, channel_id=""),
        row(3, outcome="abandoned"),
        row(4, streams=False),
        row(5, output_tokens=None),
        row(6, first_event_ms=900),
    ]
    await log.add(rows)
    ((_, figures),) = await known.lines("all", TODAY)
    assert {"FIRST_EVENT": 4, "TOTAL": 3, "TOKENS_A_SECOND": 0} == _turns(figures)


async def test_lines_and_series(log, known):
    """Channels and models each have their line, the busiest first, and hours and days add up."""
    rows = [
        row(0, MIDNIGHT, channel_id="a", model_asked="m"),
        row(1, MIDNIGHT + HOUR, channel_id="a", model_asked="n"),
        row(2, MIDNIGHT + HOUR, channel_id="b", model_asked="n", project_id="prj_2"),
    ]
    for each in rows:
        await log.add([each])

    async def lines(by, *among):
        found = await known.lines(by, TODAY, *among)
        return [(each.name, each.figures[Figure.TOTAL].turns) for each in found]

    assert [("a", 2), ("b", 1)] == await lines("channel")
    assert [("n", 2), ("m", 1)] == await lines("model")
    assert [("n", 1)] == await lines("model", Among(("prj_2",)))
    assert [("a", 1)] == await lines("channel", Among(model="m"))
    assert [("", 2)] == await lines("all", Among(channel_id="a"))
    assert [] == await lines("all", Among(()))
    series = await known.series("channel", Figure.TOTAL, TODAY, names=["a"])
    assert [(0, "a"), (HOUR, "a")] == [(each.start - MIDNIGHT, each.name) for each in series]
    days = await known.series("all", Figure.TOTAL, Period(MIDNIGHT + 5, MIDNIGHT + DAY))
    assert [(MIDNIGHT, 3)] == [(each.start, each.histogram.turns) for each in days]


async def test_a_long_period_by_hours_reads_days(log, known):
    """Its lines are those of its hours, wherever in a day it begins and ends."""
    await log.add([row(number, MIDNIGHT + number * HOUR) for number in range(96)])
    for first, last in ((0, 96), (5, 50), (5, 20), (23, 25), (24, 72), (30, 31)):
        period = Period(MIDNIGHT + first * HOUR, MIDNIGHT + last * HOUR, "h")
        ((_, figures),) = await known.lines("all", period)
        spans = await known.series("all", Figure.TOTAL, period)
        assert last - first == figures[Figure.TOTAL].turns == len(spans)


async def test_the_period_before(log, known):
    """It is as long, ends where the other begins, and shares no turn with it."""
    await log.add([row(number, MIDNIGHT - DAY + number * HOUR) for number in range(48)])
    for period in (TODAY, TODAY.before):
        ((_, figures),) = await known.lines("all", period)
        assert 24 == figures[Figure.TOTAL].turns
    assert (MIDNIGHT - DAY, MIDNIGHT) == (TODAY.before.since, TODAY.before.until)


ROWS = [
    *(row(number, NOON + number * HOUR // 2, first_event_ms=number) for number in range(6)),
    row(6, error_code="server_error"),
    row(7, NOON + DAY, channel_id=""),
    row(8, NOON - DAY, outcome="abandoned"),
    row(9, NOON - 3 * DAY, streams=False, total_ms=70_000),
    row(10, NOON - 3 * DAY, output_tokens=None, first_event_ms=None),
]


async def test_those_made_afterwards_are_the_same(log, database):
    """What is made of the turns there are equals what was written along with them, and once."""
    await log.add(ROWS)
    expected = await _rows(database)
    await migrate(database, "0020")
    await migrate(database)
    assert [] == await _rows(database)
    for _ in range(2):
        await fill_latencies(database, 0, at_once=3)
        assert expected == await _rows(database)


async def test_several_nodes_fill_while_turns_end(log, database):
    """Each turn is added once, whoever comes first; new ones count as they are written."""
    await log.add(ROWS)
    await migrate(database, "0020")
    await migrate(database)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(fill_latencies(database, 0, 0, at_once=2))
        group.create_task(log.add([row(number, NOON + 2 * DAY) for number in range(5)]))
    sums, days = latencies.c, (latencies.c.span == "d", latencies.c.figure == "f")
    async with database.read() as connection:
        assert 13 == await connection.scalar(select(func.sum(sums.turns)).where(*days))


async def test_hours_are_swept_and_days_stay(log, known, database):
    """Hours go with their turns; days outlive them."""
    await log.add([row(0, NOON), row(1, NOON + 40 * DAY)])
    await sweep(database, Retention(turn_days=30, body_days=7), NOON + 40 * DAY)
    assert 1 == len(await known.series("all", Figure.TOTAL, Period(0, NOON + 50 * DAY, "h")))
    assert 2 == len(await known.series("all", Figure.TOTAL, Period(0, NOON + 50 * DAY)))
