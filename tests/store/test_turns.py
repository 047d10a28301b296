import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from longwire.core.errors import InvalidFields, NotFound
from longwire.core.nouns.turn_row import TurnDetails
from longwire.store.log_tables import turn_bodies, turn_details, turns, usage
from longwire.store.secrets import Vault
from longwire.store.turn_filter import ANY_TURN, TurnFilter
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, bodies, details, row

KEY = b"k" * 32


@pytest.fixture
def log(database):
    return Turns(database, Vault((KEY,)))


async def _all(database, table):
    async with database.read() as connection:
        return (await connection.execute(select(table))).all()


async def test_a_row_comes_back_as_it_was_written(log):
    """Every figure keeps its type and its value, and one that is unknown stays so."""
    known = row(1)
    unknown = row(
        2,
        connection=None,
        first_event_ms=None,
        input_tokens=None,
        cached_tokens=None,
        output_tokens=None,
        reasoning_tokens=None,
        cost=None,
        streams=False,
        session="Sitzung – 会議 \U0001f642",
    )
    await log.add([known, unknown])
    assert known == await log.get(known.id)
    assert unknown == await log.get(unknown.id)
    assert [bool, int] == [type((await log.get(known.id)).streams), type(known.id)]
    for missing in (3, -1, 10**30):
        with pytest.raises(NotFound, match=f"turn '{missing}'"):
            await log.get(missing)
        assert await log.bodies(missing) is None


async def test_pages_are_newest_first_and_meet_without_gap(log):
    """Following the cursors gives every turn once, also when newer ones are written meanwhile."""
    rows = [row(number) for number in range(7)]
    await log.add(rows)
    seen, after = [], None
    while True:
        page = await log.page(first=3, after=after)
        seen += page.items
        await log.add([row(100 + len(seen))])
        if not page.has_more:
            break
        after = page.edges[-1][0]
    assert rows[::-1] == seen


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (TurnFilter(("prj_2",)), {"project_id": "prj_2"}),
        (TurnFilter(key_id="key_2"), {"key_id": "key_2"}),
        (TurnFilter(session="agent-2"), {"session": "agent-2"}),
        (TurnFilter(channel_id="ch_2"), {"channel_id": "ch_2"}),
        (TurnFilter(model="gpt-5"), {"model_asked": "gpt-5"}),
        (TurnFilter(outcome="failed"), {"outcome": "failed"}),
        (TurnFilter(continuity="fresh"), {"continuity": "fresh"}),
        (TurnFilter(reason="new_branch"), {"reason": "new_branch"}),
        (TurnFilter(request_id="req_2"), {"request_id": "req_2"}),
        (TurnFilter(response_id="resp_2"), {"response_id": "resp_2"}),
        (TurnFilter(trace="trace-2"), {"trace": "trace-2"}),
        (TurnFilter(api="messages"), {"api": "messages"}),
        (TurnFilter(error_code="server_error"), {"error_code": "server_error"}),
        (TurnFilter(upstream_api="messages"), {"upstream_api": "messages"}),
    ],
)
async def test_each_filter_finds_what_it_names_by_its_index(log, database, wanted, changes):
    """No other turn is found, and none is read that is not."""
    odd = [row(number, **changes) for number in (2, 5)]
    await log.add([row(1), odd[0], row(3), row(4), odd[1], row(6)])
    assert tuple(odd[::-1]) == (await log.page(wanted)).items
    assert tuple(odd) == await log.newer(0, wanted)
    if database.is_sqlite:
        (column,) = changes
        assert f"USING INDEX ix_turns_{column}_id" in await _plan(database, log, wanted)


async def test_a_usual_reason_is_not_what_is_looked_for_first(log, database):
    """Of a rare key and a reason that many turns have, the key finds the page; else the reason."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL chooses by its figures")
    usual = TurnFilter(key_id="key_2", reason="history_rewritten")
    rare = TurnFilter(key_id="key_2", reason="replayed")
    assert "ix_turns_key_id_id" in await _plan(database, log, usual)
    assert "ix_turns_reason_id" in await _plan(database, log, rare)


async def test_turns_of_a_node_are_found(log):
    """Those alone that it served."""
    await log.add([row(1), row(2, node="lw-1"), row(3)])
    assert (row(2, node="lw-1"),) == (await log.page(TurnFilter(node="lw-1"))).items
    assert (row(1), row(3)) == await log.newer(0, TurnFilter(node="lw-0"))


async def _plan(database, log, wanted):
    query = log._page(wanted, [], 50).compile(database.engine.sync_engine)
    async with database.read() as connection:
        plan = await connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {query}", tuple(query.params[name] for name in query.positiontup)
        )
        return "; ".join(step[-1] for step in plan)


async def test_what_came_since(log):
    """Oldest first and no more than asked for, so that whoever follows misses none."""
    rows = [row(number, project_id=f"prj_{number % 2}") for number in range(9)]
    await log.add(rows)
    assert tuple(rows[3:7]) == await log.newer(rows[2].id, first=4)
    assert tuple(rows[7:]) == await log.newer(rows[6].id, first=4)
    assert (rows[3], rows[5]) == await log.newer(rows[2].id, TurnFilter(("prj_1",)), 2)
    assert () == await log.newer(rows[-1].id)


async def test_filters_narrow_each_other(log):
    """Several at once are all kept to, and times bound the page from both sides."""
    rows = [
        row(0, NOON + number, session=f"agent-{number % 2}", outcome=outcome)
        for number, outcome in enumerate(["completed", "completed", "failed", "failed", "failed"])
    ]
    await log.add(rows)
    both = TurnFilter(session="agent-0", outcome="failed", project_ids=("prj_1",))
    assert (rows[4], rows[2]) == (await log.page(both)).items
    span = TurnFilter(since=NOON + 1, until=NOON + 3)
    assert (rows[2], rows[1]) == (await log.page(span)).items
    assert () == (await log.page(TurnFilter(since=10**30, until=-5))).items


async def test_only_the_projects_that_may_be_seen(log):
    """The pages of several projects are merged by time; of no project there is nothing to see."""
    rows = [row(number, project_id=f"prj_{number % 3}") for number in range(9)]
    await log.add(rows)
    two = TurnFilter(("prj_0", "prj_2"), outcome="completed")
    expected = [each for each in rows[::-1] if each.project_id != "prj_1"]
    first = await log.page(two, 4)
    rest = await log.page(two, 4, first.edges[-1][0])
    assert expected == [*first.items, *rest.items]
    assert (True, False) == (first.has_more, rest.has_more)
    assert () == (await log.page(TurnFilter(()))).items
    many = TurnFilter(tuple(f"prj_{number}" for number in range(2, 200)))
    assert 3 == len((await log.page(many)).items)


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "٣", "1" * 20, "0x1", "1 OR 1=1"])
async def test_a_cursor_that_is_none_is_refused(log, after):
    """The field is named, and nothing of the database is shown."""
    with pytest.raises(InvalidFields) as caught:
        await log.page(ANY_TURN, 10, after)
    assert "after" == caught.value.param


@pytest.mark.parametrize("first", [0, -1, 201, 10**30])
async def test_a_size_that_no_page_has_is_refused(log, first):
    """Neither nothing nor everything at once."""
    with pytest.raises(InvalidFields) as caught:
        await log.page(ANY_TURN, first)
    assert "first" == caught.value.param


async def test_a_cursor_past_all_turns_is_no_error(log):
    """A number that no column holds means the same as the greatest one that it does."""
    await log.add([row(1)])
    assert (row(1),) == (await log.page(after="9" * 19)).items


async def test_bodies_are_sealed_and_come_back(log, database):
    """What was said is in the database for nobody to read without the key file."""
    kept, bare = row(1), row(2)
    await log.add([kept, bare], [bodies(kept, b"a planted question " * 99, b"")])
    assert bodies(kept, b"a planted question " * 99, b"") == await log.bodies(kept.id)
    assert await log.bodies(bare.id) is None
    assert b"planted" not in repr(await _all(database, turn_bodies)).encode()


async def test_details_come_back_as_they_were(log):
    """Of the turns that have some, whatever was written in them, and of no others."""
    first, second, bare = row(1), row(2), row(3)
    kept = [details(first, 'a "quoted" \u2028 <b>'), details(second, originator="codex")]
    await log.add([first, second, bare], [*kept, bodies(second)])
    ids = [first.id, second.id, bare.id, row(4).id]
    assert {each.id: each for each in kept} == await log.details(ids)
    assert bodies(second) == await log.bodies(second.id)


async def test_details_of_another_version_are_read(log, database):
    """What a newer one adds is left alone, what an older one lacks is empty."""
    await log.add([row(1)])
    async with database.write() as connection:
        told = '{"message":"m","later":[1]}'
        await connection.execute(insert(turn_details).values(id=row(1).id, told=told))
    assert {row(1).id: TurnDetails(row(1).id, {}, (), "m")} == await log.details([row(1).id])


async def test_a_batch_is_written_whole_or_not_at_all(log, database):
    """With one id taken, no row of it is there, nor its sums, nor its bodies."""
    taken = row(3)
    await log.add([taken])
    before = await _all(database, usage)
    with pytest.raises(IntegrityError):
        await log.add([row(1), row(2), taken], [bodies(row(1))])
    assert (taken,) == (await log.page()).items
    assert before == await _all(database, usage)
    assert [] == await _all(database, turn_bodies)


async def test_any_number_is_written_at_once(log, database):
    """One, and more than one statement has room for."""
    rows = [row(number, NOON + number, key_id=f"key_{number}") for number in range(2_300)]
    await log.add(rows[:1])
    await log.add(rows[1:], [bodies(each) for each in rows[1:]])
    assert rows == list(await log.newer(0, first=3_000))
    assert 2_299 == len(await _all(database, turn_bodies))
    assert 2 * 2_300 == len(await _all(database, usage))


async def test_a_row_is_told_from_another_of_its_id(log):
    """Only the very same row counts as written."""
    await log.add([row(1)])
    assert await log.has(row(1))
    assert not await log.has(row(1, request_id="req_2"))
    assert not await log.has(row(2))


async def test_columns_stand_in_the_order_of_a_row():
    """Rows go to the driver as they are: a column elsewhere would take another one's value."""
    assert tuple(turns.columns.keys()) == type(row())._fields


async def test_the_turn_before_is_that_of_its_session_with_bodies(log):
    """By the same key, of the day before at most, and never one without bodies."""
    day = 86_400_000
    rows = [
        row(0, NOON - 2 * day),
        row(0, NOON - 9),
        row(0, NOON - 5),
        row(0, NOON - 4, session="other"),
        row(0, NOON - 3, key_id="key_2"),
        row(0, NOON - 2),
        row(0, NOON),
        row(1, NOON, session=""),
    ]
    await log.add(rows, [bodies(each) for each in rows if each is not rows[5]])
    assert rows[2] == await log.previous(rows[6].id)
    assert rows[1] == await log.previous(rows[2].id)
    assert await log.previous(rows[1].id) is None
    assert await log.previous(rows[7].id) is None
