"""Budgets in the store, and what is spent of them by the sums of usage."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import ApiKey, Budgets, Grant, Role
from longwire.core.nouns.budget import Action, Budget, Period, SubjectKind, Unit
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.people import User
from longwire.core.nouns.project import DEFAULT_PROJECT, Project
from longwire.core.nouns.secret import Secret
from longwire.store.spending import budget_states
from tests.store.turn_rows import row

PASSWORD = Secret("correct horse")
PROJECT = Budget("", SubjectKind.PROJECT, "prj_default", Period.DAY, Unit.TOKENS, 100)


def ms(zone, *parts):
    return round(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


async def test_the_whole_life_of_a_budget(store, actor):
    """Made, found, changed, deleted; each change makes gateways load anew, and is recorded."""
    before = await store.configuration_revision()
    made = await store.budgets.create(PROJECT, actor)
    assert (made,) == await store.budgets.all()
    changed = await store.budgets.update(
        Budget(
            made.id, SubjectKind.KEY, "x", Period.MONTH, Unit.DOLLARS, 7, (50,), Action.WARN, 0, 1
        ),
        actor,
    )
    assert (made.kind, made.subject_id, made.period, made.unit, 7, (50,), Action.WARN, 2) == (
        changed.kind,
        changed.subject_id,
        changed.period,
        changed.unit,
        changed.amount,
        changed.warns_at,
        changed.action,
        changed.revision,
    )
    with pytest.raises(Conflict, match="changed meanwhile"):
        await store.budgets.delete(made.id, 1, actor)
    await store.budgets.delete(made.id, 2, actor)
    with pytest.raises(NotFound):
        await store.budgets.get(made.id)
    assert before + 3 == await store.configuration_revision()
    rows = (await store.audit.page(kind="budget")).items
    assert ["delete", "update", "create"] == [each.action for each in rows]


async def test_of_one_subject_there_is_one_budget_for_each_period_and_unit(store, actor):
    """A second one would only confuse; another unit is another budget."""
    await store.budgets.create(PROJECT, actor)
    with pytest.raises(Conflict):
        await store.budgets.create(PROJECT, actor)


async def test_a_budget_of_nobody_is_refused(store, actor):
    """By its field."""
    nobody = Budget("", SubjectKind.USER, "usr_gone", Period.DAY, Unit.TOKENS, 1)
    with pytest.raises(InvalidFields, match="there is no such user"):
        await store.budgets.create(nobody, actor)


async def test_periods_are_those_of_the_zone(store, actor):
    """A turn of yesterday evening UTC is of today in Berlin; of the day before it is not."""
    await store.budgets.create(PROJECT, actor)
    now = ms("Europe/Berlin", 2026, 11, 29, 0, 30)
    midnight = ms("Europe/Berlin", 2026, 11, 29)
    spent = {"project_id": "prj_default", "input_tokens": 10, "output_tokens": 0}
    await store.turns.add([row(0, midnight - 1, **spent), row(1, midnight, **spent)])
    (berlin,) = await budget_states(store, (), "Europe/Berlin", now)
    (utc,) = await budget_states(store, (), "UTC", now)
    assert (10, 20) == (berlin.spent, utc.spent)
    assert ("Default", midnight / 1_000) == (berlin.name, berlin.span.begins)


async def test_a_week_and_a_month_are_days_and_the_hours_before_the_first(store, actor):
    """Of New York, where a month begins in the middle of a UTC day."""
    for period in (Period.WEEK, Period.MONTH):
        budget = Budget("", SubjectKind.PROJECT, "prj_default", period, Unit.DOLLARS, 10**9)
        await store.budgets.create(budget, actor)
    monday, first = ms("America/New_York", 2026, 11, 23), ms("America/New_York", 2026, 11, 1)
    times = [first - 1, first, monday - 1, monday, monday + 86_400_000]
    rows = [
        row(number, at, project_id="prj_default", cost=10**number)
        for number, at in enumerate(times)
    ]
    await store.turns.add(rows)
    now = ms("America/New_York", 2026, 11, 27, 12)
    states = await budget_states(store, (), "America/New_York", now)
    spent = {each.budget.period: each.spent for each in states}
    assert {Period.WEEK: 11_000, Period.MONTH: 11_110} == spent


async def test_a_user_spends_by_all_their_keys_and_a_channel_by_all_its_turns(store, actor):
    """Two keys of one user come together; a key's own budgets are listed, by UTC."""
    now = ms("UTC", 2026, 11, 29, 12)
    user = await store.users.create(
        User("", "ada@example.org", "", Role.MEMBER), Secret("long enough"), actor
    )
    grants = [
        Grant("", "prj_default", user.id, budgets=Budgets(tokens_per_day=50)),
        Grant("", "prj_default", user.id),
    ]
    drafts = [ApiKey("", str(n), "", b"", grant) for n, grant in enumerate(grants)]
    keys = [(await store.keys.create(draft, actor)).key for draft in drafts]
    for kind, id_ in ((SubjectKind.USER, user.id), (SubjectKind.CHANNEL, "file:main")):
        await store.budgets.create(Budget("", kind, id_, Period.DAY, Unit.TOKENS, 100), actor)
    spent = {"input_tokens": 10, "output_tokens": 5, "channel_id": "file:main"}
    await store.turns.add([row(n, now, key_id=key.id, **spent) for n, key in enumerate(keys)])
    states = await budget_states(store, (), "Asia/Tokyo", now)
    assert {
        ("user:" + user.id, "ada@example.org", 30, "Asia/Tokyo"),
        ("channel:file:main", "main", 30, "Asia/Tokyo"),
        ("key:" + keys[0].id, "0", 15, "UTC"),
    } == {(each.budget.subject, each.name, each.spent, each.zone) for each in states}


async def test_the_time_zone_is_a_setting(store, actor):
    """UTC at first; a zone that there is not is refused."""
    assert "UTC" == await store.settings.time_zone()
    for zone in ("Europe/Berlin", "Asia/Tokyo", "Asia/Tokyo"):
        await store.settings.set_time_zone(zone, actor)
    assert "Asia/Tokyo" == await store.settings.time_zone()
    with pytest.raises(InvalidFields, match="IANA"):
        await store.settings.set_time_zone("Mars/Olympus", actor)
    rows = (await store.audit.page(kind="settings")).items
    assert [["Europe/Berlin", "Asia/Tokyo"], ["UTC", "Europe/Berlin"]] == [
        each.changes["time_zone"] for each in rows
    ]


async def test_budgets_go_with_whose_they_are(store, actor):
    """Of a key, a user, a project or a channel that is deleted none stays, and the log says so."""
    await store.users.create(User("", "bob@x.example", "", Role.OWNER), PASSWORD, actor)
    user = await store.users.create(User("", "ada@x.example", "", Role.OWNER), PASSWORD, actor)
    project = await store.projects.create(Project("", "apps"), actor)
    draft = ApiKey("", "ci", "", b"", Grant(project_id=DEFAULT_PROJECT))
    key = (await store.keys.create(draft, actor)).key
    key = await store.keys.revoke(key.id, key.revision, actor)
    channel = await store.channels.create(ChannelSpec("", "up", credential=Secret("sk")), actor)
    subjects = ((user, "user"), (project, "project"), (key, "key"), (channel, "channel"))
    for subject, kind in subjects:
        mine = replace(PROJECT, kind=SubjectKind(kind), subject_id=subject.id)
        await store.budgets.create(mine, actor)
    other = await store.budgets.create(PROJECT, actor)
    places = (store.users, store.projects, store.keys, store.channels)
    for place, (subject, _) in zip(places, subjects, strict=True):
        await place.delete(subject.id, subject.revision, actor)
    assert (other,) == await store.budgets.all()
    rows = (await store.audit.page(kind="budget")).items
    assert 4 == len([row for row in rows if row.action == "delete"])
