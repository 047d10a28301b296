import asyncio
from itertools import pairwise

import pytest

from longwire.core.errors import InvalidFields, NotFound
from longwire.core.nouns.retention import Retention
from longwire.store.retention import sweep
from longwire.store.runs import RunFilter, Runs, RunSums, rows_of_runs, run_id
from longwire.store.secrets import Vault
from longwire.store.turn_filter import TurnFilter
from longwire.store.turns import Turns
from longwire.store.usage import DAY
from tests.store.turn_rows import NOON, row

ONE = RunSums(1, 1, 0, 1_000, 100, 10, 4, 5, 1_000)


@pytest.fixture
def log(database):
    return Turns(database, Vault((b"k" * 32,)))


@pytest.fixture
def runs(database):
    return Runs(database)


def _times(number):
    return RunSums(*(number * figure for figure in ONE))


async def test_a_session_and_a_trace_add_up_their_turns(log, runs):
    """Over channels and models, in one batch or in many; a failed turn counts as one."""
    await log.add([row(0, NOON), row(1, NOON + 10, channel_id="ch_2", model_asked="small")])
    failed = {"error_code": "overloaded", "continuity": "fresh", "cost": None}
    await log.add([row(2, NOON - 5, session="agent-1/a", model_asked="tiny", **failed)])
    main = await runs.get("session", "agent-1")
    assert ("prj_1", "key_1", "dev") == (main.project_id, main.key_id, main.key_name)
    assert (NOON, NOON + 10 + 900) == (main.first_at, main.last_at)
    assert (("gpt-5.5", "small"), ("ch_1", "ch_2")) == (main.models, main.channels)
    assert _times(2) == main.sums
    assert 1_800 == main.sums.bytes_saved
    trace = await runs.get("trace", "trace-1")
    assert (NOON - 5, NOON + 10 + 900) == (trace.first_at, trace.last_at)
    assert {"gpt-5.5", "small", "tiny"} == set(trace.models)
    assert RunSums(3, 2, 1, *_times(3)[3:-1], 2_000) == trace.sums


async def test_a_turn_without_a_name_is_in_no_run(log, runs):
    """It groups with nothing."""
    await log.add([row(0, session="", trace="")])
    assert () == (await runs.page("session")).items
    assert () == (await runs.page("trace")).items


async def test_keys_and_projects_wall_sessions_and_traces(log, runs):
    """A session is one key's, a trace one project's, whatever others call theirs."""
    await log.add([row(0), row(1, key_id="key_2", key_name="ci"), row(2, project_id="prj_2")])
    sessions = (await runs.page("session")).items
    assert {("prj_1", "key_1"), ("prj_1", "key_2"), ("prj_2", "key_1")} == {
        (each.project_id, each.key_id) for each in sessions
    }
    traces = (await runs.page("trace")).items
    assert {("prj_1", 2), ("prj_2", 1)} == {(each.project_id, each.sums.turns) for each in traces}
    assert {"prj_2"} == {
        each.project_id for each in (await runs.page("trace", RunFilter(("prj_2",)))).items
    }
    assert () == (await runs.page("session", RunFilter(()))).items
    of_one = run_id("trace", "trace-1", "prj_1")
    assert of_one == (await runs.get("trace", of_one)).id
    with pytest.raises(NotFound):
        await runs.get("trace", of_one, RunFilter(("prj_2",)))
    of_another = await runs.get("trace", "trace-1", RunFilter(("prj_2",)))
    assert "prj_2" == of_another.project_id
    with pytest.raises(NotFound):
        await runs.get("session", of_one)


async def test_who_sees_few_keys_gets_their_runs_alone(log, runs):
    """By id, by name and in the list, a run of another key is none."""
    await log.add([row(0), row(1, key_id="key_2", key_name="ci", session="other", trace="theirs")])
    seen = RunFilter(key_ids=("key_1",))
    for kind, own, other in (("session", "agent-1", "other"), ("trace", "trace-1", "theirs")):
        assert [own] == [each.name for each in (await runs.page(kind, seen)).items]
        assert own == (await runs.get(kind, own, seen)).name
        others = await runs.get(kind, other)
        for which in (others.id, others.name):
            with pytest.raises(NotFound):
                await runs.get(kind, which, seen)
    assert () == (await runs.page("session", RunFilter(key_ids=()))).items


async def test_a_trace_of_many_keys_is_that_of_the_keys_seen(log, runs):
    """Whole for who sees all; else once, with the sums, models and turns of the keys seen."""
    models = {"key_1": "small", "key_2": "large", "key_3": "secret"}
    turns = [
        row(n, NOON + n * 1_000, key_id=key, key_name=key, model_asked=model)
        for n, (key, model) in enumerate(2 * list(models.items()))
    ]
    await log.add([*turns, row(9, NOON, trace="older", key_id="key_1")])
    assert [6, 1] == [each.sums.turns for each in (await runs.page("trace")).items]
    two = ("key_1", "key_2")
    seen = RunFilter(key_ids=two)
    first = await runs.page("trace", seen, first=1)
    assert first.has_more
    rest = await runs.page("trace", seen, first=1, after=first.edges[0][0])
    assert ["older"] == [each.name for each in rest.items]
    whole = await runs.get("trace", "trace-1")
    found = (
        *first.items,
        *[await runs.get("trace", which, seen) for which in (whole.id, "trace-1")],
    )
    for trace in found:
        assert (whole.id, "trace", _times(4)) == (trace.id, trace.kind, trace.sums)
        assert (("small", "large"), "key_2") == (trace.models, trace.key_name)
        assert (NOON, NOON + 4_000 + 900) == (trace.first_at, trace.last_at)
        log_of_it = await log.of_run(trace, 50, key_ids=two)
        assert set(two) == {turn.key_id for turn in log_of_it.items}
    (alone,) = (await runs.page("trace", RunFilter(key_ids=("key_3",)))).items
    assert (_times(2), ("secret",)) == (alone.sums, alone.models)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (RunFilter(key_id="key_2"), {"b"}),
        (RunFilter(model="gpt-5.5"), {"a", "b"}),
        (RunFilter(model="gpt"), set()),
        (RunFilter(model="%"), set()),
        (RunFilter(channel_id="ch_2"), {"c"}),
        (RunFilter(name="c"), {"c"}),
        (RunFilter(since=NOON + 1_901), {"c"}),
        (RunFilter(until=NOON + 1_900), {"a"}),
        (RunFilter(only=(run_id("session", "a", "prj_1", "key_1"),)), {"a"}),
        (RunFilter(only=()), set()),
        (RunFilter(but=(run_id("session", "a", "prj_1", "key_1"),)), {"b", "c"}),
    ],
)
async def test_runs_are_found(log, runs, wanted, expected):
    """By what served them, by whose they are, by name and by time."""
    await log.add(
        [
            row(0, NOON, session="a"),
            row(1, NOON + 1_000, session="b", key_id="key_2"),
            row(2, NOON + 2_000, session="c", channel_id="ch_2", model_asked="gpt-5"),
        ]
    )
    found = await runs.page("session", wanted)
    assert expected == {each.name for each in found.items}


async def test_pages_go_on_where_the_last_one_ended(log, runs):
    """The latest first; two that ended at once come each once."""
    await log.add([row(n, NOON + n // 2, session=f"s{n}") for n in range(7)])
    names, after = [], None
    for _ in range(4):
        page = await runs.page("session", first=2, after=after)
        names += [each.name for each in page.items]
        after = page.edges[-1][0]
    assert {f"s{n}" for n in range(7)} == set(names)
    assert 7 == len(names)
    numbers = [int(name[1:]) // 2 for name in names]
    assert all(one >= other for one, other in pairwise(numbers))
    assert not page.has_more
    with pytest.raises(InvalidFields):
        await runs.page("session", after="?")


async def test_two_nodes_write_one_row(database, runs):
    """Whichever comes first: nothing is lost, nothing waits crosswise."""
    nodes = [Turns(database, Vault((b"k" * 32,))) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        for batch in range(10):
            for place, node in enumerate(nodes):
                number = 2 * batch + place
                rows = [
                    row(10 * number + each, session=f"s{each % 3}", channel_id=f"ch_{place}")
                    for each in (range(10) if place else reversed(range(10)))
                ]
                group.create_task(node.add(rows))
    trace = await runs.get("trace", "trace-1")
    assert _times(200) == trace.sums
    assert {"ch_0", "ch_1"} == set(trace.channels)
    assert 200 == sum(each.sums.turns for each in (await runs.page("session")).items)


async def test_lists_of_models_are_bounded(log, runs):
    """A caller may invent names for ever; the sums go on."""
    for batch in range(3):
        await log.add([row(n, model_asked=f"{n:0>250}") for n in range(batch * 5, batch * 5 + 5)])
    run = await runs.get("session", "agent-1")
    assert 8 == len(run.models)
    assert 15 == run.sums.turns


async def test_what_no_channel_served_is_no_model(log, runs):
    """It may be called anything."""
    await log.add([row(0, channel_id="", model_asked="nonsense")])
    run = await runs.get("session", "agent-1")
    assert ((), ()) == (run.models, run.channels)


async def test_runs_go_with_their_last_turn(log, runs, database):
    """Not while one of their turns is younger than turns may be."""
    days = {"old": 40, "long": 40, "new": 1}
    turns = [row(n, NOON - age * DAY, session=name) for n, (name, age) in enumerate(days.items())]
    await log.add([*turns, row(9, NOON - DAY, session="long")])
    await sweep(database, Retention(turn_days=30, body_days=3), NOON)
    assert {"long", "new"} == {each.name for each in (await runs.page("session")).items}


async def test_what_one_key_has_in_a_trace_goes_with_its_last_turn(log, runs, database):
    """While the trace goes on by another key."""
    await log.add([row(0, NOON - 40 * DAY), row(1, NOON - DAY, key_id="key_2")])
    await sweep(database, Retention(turn_days=30, body_days=3), NOON)
    kept = {
        key: (await runs.page("trace", RunFilter(key_ids=(key,)))).items
        for key in ("key_1", "key_2")
    }
    assert {"key_1": 0, "key_2": 1} == {key: len(items) for key, items in kept.items()}


async def test_the_turns_of_a_trace(log):
    """They are found by its name, in its project."""
    await log.add([row(0), row(1, trace="other"), row(2, project_id="prj_2")])
    page = await log.page(TurnFilter(project_ids=("prj_1",), trace="trace-1"))
    assert [0] == [each.id % 2**21 for each in page.items]


def test_all_writers_have_one_order():
    """By id, so that no two of them wait for each other."""
    rows = [row(n, session=f"s{n}", channel_id=f"ch_{n % 3}") for n in range(20)]
    ids = [each[0] for each in rows_of_runs(reversed(rows))]
    assert sorted(ids) == ids
