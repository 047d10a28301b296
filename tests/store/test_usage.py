import asyncio

import pytest
from sqlalchemy import select

from longwire.store.log_tables import usage
from longwire.store.migrate import migrate
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from longwire.store.usage import DAY, HOUR, Point, Sums, Usage, Where
from tests.store.turn_rows import NOON, row

MIDNIGHT = NOON - NOON % DAY
ONE = Sums(1, 1, 0, 10, 4, 5, 1_000, 1_000, 100)


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


@pytest.fixture
def figures(database):
    return Usage(database)


def _times(number):
    return Sums(*(number * figure for figure in ONE))


async def test_turns_add_up_by_hour_and_day(log, figures):
    """Each turn counts once in its hour and once in its day, in one batch or in many."""
    await log.add([row(0, MIDNIGHT), row(1, MIDNIGHT + HOUR - 1), row(2, MIDNIGHT + HOUR)])
    await log.add([row(3, MIDNIGHT + DAY - 1)])
    await log.add([row(4, MIDNIGHT + DAY)])
    end = MIDNIGHT + 2 * DAY
    assert [(0, 2), (HOUR, 1), (23 * HOUR, 1), (DAY, 1)] == [
        (point.start - MIDNIGHT, point.sums.turns)
        for point in await figures.series("all", MIDNIGHT, end, "h")
    ]
    assert (Point(MIDNIGHT, "", _times(4)), Point(MIDNIGHT + DAY, "", ONE)) == (
        await figures.series("all", MIDNIGHT, end)
    )
    assert _times(5) == await figures.totals(MIDNIGHT, end)
    assert ONE == await figures.totals(MIDNIGHT + DAY, end, "h")
    assert Sums() == await figures.totals(end, end + DAY)


async def test_a_span_counts_whole_from_wherever_it_is_asked(log, figures):
    """A chart that begins in the middle of a day shows that day."""
    await log.add([row(0, MIDNIGHT)])
    assert ONE == await figures.totals(MIDNIGHT + 5 * HOUR, MIDNIGHT + DAY)


async def test_series_by_what_is_asked(log, figures):
    """Channel, model, key, API and project split the same sums, and each may be left out."""
    chat = "chat_completions"
    rows = [
        row(0, channel_id="ch_1", model_asked="a", key_id="key_1", project_id="prj_1"),
        row(1, channel_id="ch_1", model_asked="b", key_id="key_2", project_id="prj_1", api=chat),
        row(2, channel_id="ch_2", model_asked="b", key_id="key_2", project_id="prj_2", api=chat),
    ]
    await log.add(rows)

    async def split(by, where=None):
        asked = (where,) if where else ()
        points = await figures.series(by, MIDNIGHT, MIDNIGHT + DAY, "d", *asked)
        return {point.name: point.sums.turns for point in points}

    assert {"ch_1": 2, "ch_2": 1} == await split("channel")
    assert {"a": 1, "b": 2} == await split("model")
    assert {"key_1": 1, "key_2": 2} == await split("key")
    assert {"prj_1": 2, "prj_2": 1} == await split("project")
    assert {"responses": 1, chat: 2} == await split("api")
    assert {"a": 1, "b": 1} == await split("model", Where(("prj_1",)))
    assert {"ch_1": 1, "ch_2": 1} == await split("channel", Where(api=chat))
    assert {"a": 1} == await split("model", Where(api="responses"))
    assert {"ch_2": 1} == await split(
        "channel", Where(("prj_1", "prj_2"), "ch_2", "b", "key_2", chat)
    )
    assert {} == await split("channel", Where(()))


async def test_what_is_counted(log, figures):
    """An unknown figure adds nothing; a turn with an error code is a failure, one left is none."""
    unknown = {"input_tokens": None, "cached_tokens": None, "output_tokens": None, "cost": None}
    await log.add(
        [
            row(0, continuity="fresh", bytes_sent=1_000, **unknown),
            row(1, outcome="failed", error_code="server_error"),
            row(2, outcome="abandoned", status=499),
        ]
    )
    sums = await figures.totals(MIDNIGHT, MIDNIGHT + DAY)
    assert Sums(3, 2, 1, 20, 8, 10, 2_000, 2_100, 1_200) == sums
    assert 900 == sums.bytes_saved


async def test_only_turns_that_were_served_save(log, figures):
    """Neither a refused turn nor one that was left before it began counts as not resent."""
    refused = {"outcome": "upstream_error", "error_code": "not_found", "bytes_received": 10**6}
    left = {"outcome": "abandoned", "first_event_ms": None, "bytes_received": 10**6}
    await log.add(
        [
            row(0),
            row(1, channel_id="", first_event_ms=None, bytes_sent=0, **refused),
            row(2, bytes_sent=10**6, **refused),
            row(3, **left, bytes_sent=0),
        ]
    )
    assert 900 == (await figures.totals(MIDNIGHT, MIDNIGHT + DAY)).bytes_saved


async def test_what_no_channel_served_makes_no_models(log, figures):
    """A caller who invents models by the thousand leaves one row of sums."""
    refused = {"channel_id": "", "outcome": "refused", "error_code": "model_not_found"}
    await log.add([row(number, model_asked=f"novel-{number}", **refused) for number in range(50)])
    (point,) = await figures.series("model", MIDNIGHT, MIDNIGHT + DAY)
    assert ("", 50) == (point.name, point.sums.turns)


async def test_writers_at_once_lose_no_turn(log, figures):
    """Several processes may add to the same sums in any order."""
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            keys = [f"key_{each}" for each in range(5)]
            rows = [row(number * 5 + each, key_id=key) for each, key in enumerate(keys)]
            group.create_task(log.add(rows if number % 2 else rows[::-1]))
    assert 100 == (await figures.totals(MIDNIGHT, MIDNIGHT + DAY)).turns


async def test_sums_made_afterwards_are_the_same(log, database):
    """What the migration makes of the turns there are equals what was written along with them.

    It is older than the rule that only served turns save; so nothing is saved by the odd one here.
    """
    odd = row(7, NOON + DAY, channel_id="", model_asked="novel", error_code="model_not_found")
    odd = odd._replace(bytes_received=odd.bytes_sent)
    await log.add([row(number, NOON + number * HOUR // 2) for number in range(6)])
    await log.add(
        [odd, row(8, cost=None, input_tokens=None, output_tokens=None, continuity="as-given")]
    )
    await log.add([row(9, api="messages"), row(10, api="messages", cost=7)])
    expected = await _rows(database)
    await migrate(database, "0008")
    await migrate(database)
    assert expected == await _rows(database)


async def test_series_by_reason(log, figures):
    """Each turn counts by why it was not continued, else by how it went, and splits by the rest."""
    rewritten = {"continuity": "fresh", "reason": "history_rewritten"}
    await log.add(
        [
            row(0),
            row(1, key_id="key_2", **rewritten),
            row(2, channel_id="ch_2", **rewritten),
            row(3, continuity="as-given"),
            row(4, continuity="", channel_id="", outcome="refused", error_code="limited"),
        ]
    )
    span = MIDNIGHT, MIDNIGHT + DAY
    points = await figures.series("reason", *span)
    assert {"": 1, "as-given": 1, "continued": 1, "history_rewritten": 2} == {
        point.name: point.sums.turns for point in points
    }
    only = Where(reason="history_rewritten")
    assert ["ch_1", "ch_2"] == [
        point.name for point in await figures.series("channel", *span, "d", only)
    ]
    assert 2_000 == (await figures.totals(*span, "d", only)).bytes_received
    (both,) = await figures.series("reason", *span, "h", Where(key_id="key_2"))
    assert ("history_rewritten", 1) == (both.name, both.sums.turns)
    assert 2 == sum(each.sums.turns for each in await figures.served(*span, "d", only))


async def test_the_share_that_was_continued(log, figures):
    """Of what was sent upstream: a turn that never left is no reason to be warned."""
    span = MIDNIGHT, MIDNIGHT + HOUR
    assert await figures.share_continued(*span) is None
    unsent = {"continuity": "", "channel_id": "", "error_code": "limited"}
    rows = [row(number, MIDNIGHT) for number in range(3)]
    fresh = row(3, MIDNIGHT, continuity="fresh", reason="new_session", key_id="key_2")
    await log.add([*rows, fresh, row(4, MIDNIGHT, **unsent), row(5, MIDNIGHT + HOUR, **unsent)])
    assert 0.75 == await figures.share_continued(*span)
    assert 0.0 == await figures.share_continued(*span, Where(key_id="key_2"))
    assert await figures.share_continued(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR) is None


async def _rows(database):
    query = select(usage).order_by(*usage.primary_key)
    async with database.read() as connection:
        return (await connection.execute(query)).all()
