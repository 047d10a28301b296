"""Sums by reason of turns that were there before such sums."""

import asyncio

import pytest
from sqlalchemy import func, select

from longwire.store.filled import fill_reasons
from longwire.store.log_tables import usage_reasons
from longwire.store.migrate import migrate
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY, HOUR
from tests.store.turn_rows import NOON, row


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


ROWS = [
    *(row(number, NOON + number * HOUR // 2) for number in range(6)),
    row(7, NOON + DAY, channel_id="", model_asked="novel", continuity="", error_code="limited"),
    row(6, error_code="server_error", first_event_ms=None, bytes_received=9_000_000),
    row(8, cost=None, input_tokens=None, continuity="as-given"),
    row(9, NOON - 3 * DAY, continuity="fresh", reason="new_session", api="messages"),
    row(10, NOON - 3 * DAY, continuity="fresh", reason="new_branch", api="messages"),
]


async def _sums(database):
    query = select(usage_reasons).order_by(*usage_reasons.primary_key)
    async with database.read() as connection:
        return (await connection.execute(query)).all()


async def test_sums_made_afterwards_are_the_same(log, database):
    """What is made of the turns there are equals what was written along with them, and once."""
    await log.add(ROWS)
    expected = await _sums(database)
    await migrate(database, "0014")
    await migrate(database)
    assert [] == await _sums(database)
    await fill_reasons(database, 0)
    assert expected == await _sums(database)
    await fill_reasons(database, 0)
    assert expected == await _sums(database)


async def test_several_nodes_fill_while_turns_end(log, database):
    """Each hour is added up once, whoever comes first; new turns count as they are written."""
    await log.add(ROWS)
    await migrate(database, "0014")
    await migrate(database)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(fill_reasons(database, 0, 0))
        group.create_task(log.add([row(number, NOON + 2 * DAY) for number in range(5)]))
    async with database.read() as connection:
        days = select(func.sum(usage_reasons.c.turns)).where(usage_reasons.c.span == "d")
        assert len(ROWS) + 5 == await connection.scalar(days)


async def test_of_an_empty_log_nothing_is_made(database):
    """A new gateway has nothing to add up."""
    await fill_reasons(database, 0)
    assert [] == await _sums(database)
