import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import (
    ApiKey,
    Budgets,
    Grant,
    KeyStatus,
    Rates,
    digest_with,
    is_accepted,
)
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.project import Project, ProjectStatus
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Audit
from longwire.store.channels import Channels
from longwire.store.keys import ApiKeys
from longwire.store.projects import Projects
from longwire.store.schema import metadata
from longwire.store.secrets import Vault, new_master_key
from longwire.store.tables import channels, revisions

DIGEST = digest_with(b"p" * 32)


def draft(name="ci", **grant):
    return ApiKey("", name, "", b"", Grant(project_id="prj_default", **grant))


@pytest.fixture
def keys(database, clock):
    return ApiKeys(database, DIGEST, clock)


async def _revision(database):
    async with database.read() as connection:
        configuration = revisions.c.name == "configuration"
        return await connection.scalar(select(revisions.c.number).where(configuration))


async def _channel(database, clock, actor):
    channels = Channels(database, Vault((new_master_key(),)), clock)
    return await channels.create(ChannelSpec("", "openai", credential=Secret("sk")), actor)


async def test_a_key_is_shown_once(keys, actor, clock):
    """The secret is told when the key is made; what is kept is its digest and its beginning."""
    issued = await keys.create(draft(), actor)
    secret = issued.secret.reveal()
    assert DIGEST(secret) == issued.key.digest
    assert secret[:10] == issued.key.prefix
    assert (1, clock.now, None) == (
        issued.key.revision,
        issued.key.created_at,
        issued.key.last_used_at,
    )
    assert issued.key == await keys.get(issued.key.id)
    assert (issued.key,) == await keys.all()


async def test_everything_that_a_key_grants_is_kept(keys, actor, clock, database):
    """Models, channels, rates, budgets, bodies, reasoning and expiry come back as they went in."""
    channel = await _channel(database, clock, actor)
    wanted = replace(
        draft(
            models=("gpt-5-*",),
            channels=(channel.id, "file:main"),
            rates=Rates(1, 2, 3),
            budgets=Budgets(4, 5, 6, 7),
            keeps_bodies=True,
            shows_reasoning=True,
        ),
        expires_at=clock.now + 1,
    )
    issued = await keys.create(wanted, actor)
    assert replace(wanted.grant, key_id=issued.key.id) == issued.key.grant
    assert issued.key == await keys.get(issued.key.id)
    least = replace(issued.key, name="other", grant=draft().grant, expires_at=None)
    changed = await keys.update(least, actor)
    assert replace(draft().grant, key_id=changed.id) == changed.grant
    assert ("other", 2) == (changed.name, changed.revision)
    assert changed == await keys.get(changed.id)


async def test_a_rotated_key_has_two_secrets_for_a_while(keys, actor, clock):
    """Both the new secret and, until the overlap ends, the one before are known."""
    first = await keys.create(draft(), actor)
    second = await keys.rotate(first.key.id, 1, 60_000, actor)
    assert second.secret != first.secret
    assert (first.key.digest, clock.now + 60_000) == (
        second.key.previous_digest,
        second.key.previous_until,
    )
    assert DIGEST(second.secret.reveal()) == second.key.digest
    assert second.key == await keys.get(first.key.id)
    third = await keys.rotate(first.key.id, 2, 0, actor)
    assert (None, None) == (third.key.previous_digest, third.key.previous_until)


async def test_a_revoked_key_comes_never_back(keys, actor):
    """A revoked key is out of use for good, with the secret before it; only then may it go."""
    issued = await keys.create(draft(), actor)
    with pytest.raises(Conflict, match="revoke it first"):
        await keys.delete(issued.key.id, 1, actor)
    rotated = await keys.rotate(issued.key.id, 1, 60_000, actor)
    revoked = await keys.revoke(issued.key.id, 2, actor)
    assert (KeyStatus.REVOKED, None) == (revoked.status, revoked.previous_digest)
    assert () == await keys.all()
    assert (revoked,) == (await keys.page()).items
    assert not is_accepted(revoked, 0)
    for attempt in (
        keys.update(replace(revoked, status=KeyStatus.ENABLED), actor),
        keys.rotate(issued.key.id, 3, 0, actor),
        keys.revoke(issued.key.id, 3, actor),
    ):
        with pytest.raises(Conflict, match="is revoked; make a new one"):
            await attempt
    await keys.delete(rotated.key.id, 3, actor)
    with pytest.raises(NotFound):
        await keys.get(rotated.key.id)


@pytest.mark.parametrize(
    ("key", "now", "expected"),
    [
        ({}, 10, True),
        ({"expires_at": 11}, 10, True),
        ({"expires_at": 10}, 10, False),
        ({"status": KeyStatus.DISABLED}, 10, False),
    ],
)
def test_a_key_is_accepted_until_it_expires(key, now, expected):
    """A disabled key and one whose time has come are refused."""
    assert expected == is_accepted(replace(draft(), **key), now)


async def test_a_change_of_something_older_is_refused(keys, actor, database):
    """Of several who saw the same revision one changes the key, the others are told."""
    made = (await keys.create(draft(), actor)).key

    async def rename(name):
        try:
            return await keys.update(replace(made, name=name), actor)
        except Conflict as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(rename(name)) for name in "abc"]
    assert 2 == sum(isinstance(task.result(), Conflict) for task in tasks)
    before = await _revision(database)
    for attempt in (keys.rotate(made.id, 1, 0, actor), keys.revoke(made.id, 1, actor)):
        with pytest.raises(Conflict, match="changed meanwhile"):
            await attempt
    assert before == await _revision(database)


BAD = [
    ("name", {"name": " "}, {}),
    ("name", {"name": "n" * 101}, {}),
    ("name", {"name": "a\nb"}, {}),
    ("expiresAt", {"expires_at": 5}, {}),
    ("models", {}, {"models": ("",)}),
    ("channels", {}, {"channels": ("",)}),
    ("channels", {}, {"channels": ("ch_none",)}),
    ("projectID", {}, {"project_id": "prj_none"}),
    ("rates.requestsPerMinute", {}, {"rates": Rates(requests_per_minute=0)}),
    ("rates.concurrentTurns", {}, {"rates": Rates(concurrent_turns=-1)}),
    ("budgets.costPerDay", {}, {"budgets": Budgets(cost_per_day=0)}),
    ("budgets.tokensPerMonth", {}, {"budgets": Budgets(tokens_per_month=2**63)}),
]


@pytest.mark.parametrize(("field", "own", "grant"), BAD)
async def test_bad_fields_are_told_and_nothing_is_written(keys, actor, database, field, own, grant):
    """What a key may not be is refused by its field, for a new key and for a change."""
    made = (await keys.create(draft("good"), actor)).key
    before = await _revision(database)
    bad = {**own, "grant": replace(made.grant, **grant)}
    for attempt in (
        keys.create(replace(draft(), **bad), actor),
        keys.update(replace(made, **bad), actor),
    ):
        with pytest.raises(InvalidFields) as caught:
            await attempt
        assert field in [problem.field for problem in caught.value.problems]
    assert (made,) == await keys.all()
    assert before == await _revision(database)


async def test_a_key_that_expired_can_still_be_changed(keys, actor, clock):
    """A rename does not ask for a new expiry, a new expiry has to be one to come."""
    made = (await keys.create(replace(draft(), expires_at=clock.now + 5), actor)).key
    clock.now += 10
    renamed = await keys.update(replace(made, name="late"), actor)
    assert made.expires_at == renamed.expires_at
    with pytest.raises(InvalidFields, match="expiresAt"):
        await keys.update(replace(renamed, expires_at=clock.now - 1), actor)


async def test_keys_of_an_archived_project_are_not_accepted(keys, actor, clock, database):
    """Archiving a project puts its keys out of use, and making it active brings them back."""
    projects = Projects(database, clock)
    project = await projects.create(Project("", "short"), actor)
    grant = replace(draft().grant, project_id=project.id)
    made = (await keys.create(replace(draft(), grant=grant), actor)).key
    archived = await projects.update(replace(project, status=ProjectStatus.ARCHIVED), actor)
    assert () == await keys.all()
    await projects.update(replace(archived, status=ProjectStatus.ACTIVE), actor)
    assert (made,) == await keys.all()


async def test_a_key_bound_to_what_is_gone_can_still_be_disabled(keys, actor, clock, database):
    """Neither an archived project nor a deleted channel keeps anybody from switching a key off."""
    projects = Projects(database, clock)
    project = await projects.create(Project("", "short"), actor)
    channel = await _channel(database, clock, actor)
    grant = replace(draft().grant, project_id=project.id, channels=(channel.id,))
    made = (await keys.create(replace(draft(), grant=grant), actor)).key
    await projects.update(replace(project, status=ProjectStatus.ARCHIVED), actor)
    async with database.write() as connection:
        await connection.execute(delete(channels))
    off = await keys.update(replace(made, status=KeyStatus.DISABLED, name="off"), actor)
    assert (KeyStatus.DISABLED, "off") == (off.status, off.name)


async def test_last_use_goes_forward_alone(keys, actor, database):
    """A batch notes the latest use of each key, and changes neither revision nor configuration."""
    first, second = [(await keys.create(draft(name), actor)).key for name in "ab"]
    before = await _revision(database)
    await keys.used({first.id: 20, second.id: 5, "key_gone": 1})
    await keys.used({first.id: 10})
    await keys.used({})
    held = {key.id: key for key in await keys.all()}
    assert (20, 5) == (held[first.id].last_used_at, held[second.id].last_used_at)
    assert {1} == {key.revision for key in held.values()}
    assert before == await _revision(database)


async def test_pages_show_keys_of_projects(keys, actor, clock, database):
    """Newest first, of all projects or of some, by a part of name or prefix."""
    other = await Projects(database, clock).create(Project("", "other"), actor)
    made = []
    for name in ("first", "second", "third"):
        clock.now += 1
        made.append((await keys.create(draft(name), actor)).key)
    clock.now += 1
    grant = replace(draft().grant, project_id=other.id)
    elsewhere = (await keys.create(replace(draft("elsewhere"), grant=grant), actor)).key
    page = await keys.page(first=2)
    assert (elsewhere, made[2]) == page.items
    assert (made[1], made[0]) == (await keys.page(after=page.edges[-1][0])).items
    assert (elsewhere,) == (await keys.page(projects=(other.id,))).items
    assert () == (await keys.page(projects=())).items
    assert (made[1],) == (await keys.page(search="SEC")).items
    assert (made[0],) == await keys.named("first")


async def test_a_stolen_database_tells_no_key(keys, actor, database):
    """Neither the secret nor one rotated away is in any row, or in the file."""
    first = await keys.create(draft(), actor)
    second = await keys.rotate(first.key.id, 1, 1000, actor)
    rests = [issued.secret.reveal()[10:] for issued in (first, second)]
    async with database.read() as connection:
        rows = [
            row
            for table in metadata.sorted_tables
            for row in (await connection.execute(select(table))).all()
        ]
    told = [repr(cell) for row in rows for cell in row] + [repr((first, second))]
    assert not [text for text in told for rest in rests if rest in text]
    audit = (await Audit(database, int).page()).items
    assert {"prefix": [first.key.prefix, second.key.prefix]}.items() <= audit[0].changes.items()
    if database.path is not None:
        for part in database.path.parent.glob("longwire.db*"):
            assert not [rest for rest in rests if rest.encode() in part.read_bytes()]
