import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import Rates
from longwire.core.nouns.channel import ChannelSpec, EndpointSpec, Status
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.override import Override
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Audit, Noun, record
from longwire.store.channels import Channels
from longwire.store.schema import metadata
from longwire.store.secrets import Vault, new_master_key
from longwire.store.tables import channels as table_of_channels
from longwire.store.tables import revisions

FULL = ChannelSpec(
    id="",
    name="openai",
    base_url="https://up/v1#",
    credential=Secret("sk-planted-credential"),
    transport="websocket",
    models=("gpt-5.2", "gpt-5-*"),
    renames=(("fast", "gpt-5.2"),),
    tags=("team", "eu"),
    weight=2.5,
    organization="org-1",
    project="proj-1",
    proxy=Secret("http://user:planted-proxy@proxy:8080"),
    tls_ca="/ca.pem",
    tls_verify=False,
    headers=(("x-first", Secret("planted-header")), ("x-second", Secret("2"))),
    rates=Rates(60, 90_000, 4),
    handshake_rate=0.5,
    handshake_burst=2,
    native_items=("configuration_update",),
    apis=("responses", "messages"),
    endpoints=(
        EndpointSpec("responses", "/r", "https://other", "http"),
        EndpointSpec("messages"),
    ),
    keys=(
        ChannelKey("key_b", Secret("sk-planted-second"), "team b", 2.0, is_enabled=False),
        ChannelKey("key_a", Secret("sk-planted-third")),
    ),
    overrides=(
        Override("set", "reasoning.effort", value='"low"', models=("gpt-5*",)),
        Override("default", header="x-team", header_value=Secret("planted-override")),
        Override("remove", header="x-other", apis=("responses",)),
    ),
)
LEAST = ChannelSpec(id="", name="least", credential=Secret("sk"))


@pytest.fixture
def channels(database, clock):
    return Channels(database, Vault((new_master_key(),)), clock)


async def _revision(database):
    async with database.read() as connection:
        configuration = revisions.c.name == "configuration"
        return await connection.scalar(select(revisions.c.number).where(configuration))


async def test_a_channel_is_kept_as_it_was_given(channels, actor, clock):
    """Every field, secrets and the order of endpoints included, comes back as it went in."""
    made = await channels.create(FULL, actor)
    times = {"created_at": clock.now, "updated_at": clock.now}
    assert replace(FULL, id=made.id, revision=1, **times) == made
    assert made.id.startswith("ch_")
    assert made == await channels.get(made.id)
    assert made == await channels.find("openai")
    assert (made,) == await channels.all()


async def test_a_channel_changes_whole(channels, actor, clock):
    """A change replaces every field; what time and revision it was made at is kept."""
    made = await channels.create(FULL, actor)
    clock.now += 1000
    wanted = replace(LEAST, id=made.id, revision=1, created_at=5, updated_at=5)
    changed = await channels.update(wanted, actor)
    times = {"created_at": clock.now - 1000, "updated_at": clock.now}
    assert replace(wanted, revision=2, **times) == changed
    assert changed == await channels.get(made.id)


async def test_a_change_of_something_older_is_refused(channels, actor, database):
    """Who saw an older revision is told the one that holds, and changes nothing."""
    made = await channels.create(LEAST, actor)
    await channels.update(replace(made, weight=2), actor)
    before = await _revision(database)
    with pytest.raises(Conflict, match="changed meanwhile") as caught:
        await channels.update(replace(made, weight=3), actor)
    assert 2 == caught.value.revision
    with pytest.raises(Conflict):
        await channels.delete(made.id, 1, actor)
    assert 2 == (await channels.get(made.id)).weight
    assert before == await _revision(database)


async def test_of_two_changes_at_once_one_is_refused(channels, actor):
    """Two who saw the same revision cannot both change it."""
    made = await channels.create(LEAST, actor)

    async def change(weight):
        try:
            return await channels.update(replace(made, weight=weight), actor)
        except Conflict as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(change(weight)) for weight in (2, 3, 4)]
    results = [task.result() for task in tasks]
    assert 2 == sum(isinstance(result, Conflict) for result in results)
    assert 2 == (await channels.get(made.id)).revision


async def test_a_name_belongs_to_one_channel(channels, actor):
    """A name that is taken is told as such, for a new channel and for a rename."""
    await channels.create(FULL, actor)
    other = await channels.create(LEAST, actor)
    with pytest.raises(Conflict, match="'openai' already") as caught:
        await channels.create(replace(LEAST, name="openai"), actor)
    assert "name" == caught.value.param
    with pytest.raises(Conflict, match="'openai' already"):
        await channels.update(replace(other, name="openai"), actor)
    assert other == await channels.get(other.id)


async def test_bad_fields_are_told_and_nothing_is_written(channels, actor, database):
    """What a channel may not be is refused field by field before anything is written."""
    made = await channels.create(LEAST, actor)
    before = await _revision(database)
    bad = {"weight": 0, "base_url": "nowhere"}
    with pytest.raises(InvalidFields) as caught:
        await channels.create(replace(FULL, **bad), actor)
    assert ["weight", "baseURL"] == [problem.field for problem in caught.value.problems]
    with pytest.raises(InvalidFields):
        await channels.update(replace(made, **bad), actor)
    assert (made,) == await channels.all()
    assert before == await _revision(database)


async def test_a_deleted_channel_is_gone(channels, actor, database):
    """Deleting takes the endpoints along; what is not there cannot be read, changed or deleted."""
    made = await channels.create(FULL, actor)
    await channels.delete(made.id, 1, actor)
    for attempt in (
        channels.get(made.id),
        channels.find("openai"),
        channels.update(made, actor),
        channels.delete(made.id, 1, actor),
    ):
        with pytest.raises(NotFound, match="There is no channel"):
            await attempt
    async with database.read() as connection:
        assert 0 == await connection.scalar(text("SELECT count(*) FROM endpoints"))


async def test_an_archived_channel_is_out_of_the_lists(channels, actor):
    """Archived channels are found when asked for, and take no part."""
    made = await channels.create(LEAST, actor)
    archived = await channels.update(replace(made, status=Status.ARCHIVED), actor)
    assert () == await channels.all()
    assert () == (await channels.page()).items
    assert (archived,) == (await channels.page(statuses=(Status.ARCHIVED,))).items


async def test_pages_hold_every_channel_once(channels, actor):
    """Page after page gives every channel once in order of names, whatever is added meanwhile."""
    for name in ("e", "a", "d", "b", "c"):
        await channels.create(replace(LEAST, name=name), actor)
    page = await channels.page(first=2)
    seen = [spec.name for spec in page.items]
    await channels.create(replace(LEAST, name="a-new-one"), actor)
    while page.has_more:
        page = await channels.page(first=2, after=page.edges[-1][0])
        seen += [spec.name for spec in page.items]
    assert list("abcde") == seen


@pytest.mark.parametrize(
    ("search", "expected"),
    [("UP/v1", ["openai"]), ("eu", ["openai"]), ("api.openai", ["least"]), ("%", []), ("_", [])],
)
async def test_a_search_looks_at_names_urls_and_tags(channels, actor, search, expected):
    """A search is a text, not a pattern, in whichever case."""
    await channels.create(FULL, actor)
    await channels.create(LEAST, actor)
    assert expected == [spec.name for spec in (await channels.page(search=search)).items]


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzFd", "bnVsbA", "ä", "W251bGwsbnVsbF0"])
async def test_a_cursor_that_is_none_is_refused(channels, cursor):
    """A cursor of another list or none at all is told by its field."""
    with pytest.raises(InvalidFields, match="after: is no cursor"):
        await channels.page(after=cursor)


@pytest.mark.parametrize("first", [0, -1, 201])
async def test_a_page_has_a_size(channels, first):
    """A page of no or of too many items is refused."""
    with pytest.raises(InvalidFields, match="first: must be 1 to 200"):
        await channels.page(first=first)


async def test_every_change_is_told_to_gateways_and_recorded(channels, actor, database, clock):
    """Each change raises the configuration's revision once and has one audit row."""
    before = await _revision(database)
    made = await channels.create(FULL, actor)
    changes = {"name": "renamed", "credential": Secret("planted-again"), "weight": 3.0}
    changed = await channels.update(replace(made, **changes), actor)
    await channels.delete(made.id, changed.revision, actor)
    assert before + 3 == await _revision(database)
    deleted, updated, created = (await Audit(database, int).page()).items
    assert ["create", "update", "delete"] == [r.action for r in (created, updated, deleted)]
    assert (actor, clock.now) == (updated.actor, updated.at)
    assert ("channel", made.id, "renamed") == (
        updated.noun.kind,
        updated.noun.id,
        updated.noun.name,
    )
    assert {
        "name": ["openai", "renamed"],
        "credential": ["***", "***"],
        "weight": [2.5, 3.0],
    } == updated.changes
    assert [None, [["x-first", "***"], ["x-second", "***"]]] == created.changes["headers"]


async def test_an_override_from_before_is_read_and_sealed_with_the_next_write(
    channels, actor, database
):
    """Values of headers stood in clear; those of members still do."""
    made = await channels.create(FULL, actor)
    before = [
        {
            "action": "set",
            "member": "",
            "header": "x-team",
            "value": "planted",
            "models": [],
            "apis": [],
        }
    ]
    async with database.write() as connection:
        await connection.execute(update(table_of_channels).values(overrides=before))
    read = await channels.get(made.id)
    team = Override("set", header="x-team", header_value=Secret("planted"))
    assert (team,) == read.overrides
    await channels.update(replace(read, weight=2.0), actor)
    async with database.read() as connection:
        (kept,) = await connection.scalar(select(table_of_channels.c.overrides))
    assert "planted" not in str(kept)
    assert (team,) == (await channels.get(made.id)).overrides


async def test_the_audit_log_tells_no_value_of_a_header_from_before(
    channels, actor, database, clock
):
    """Rows that were written before values were sealed have them; whoever reads them does not."""
    row = {"action": "set", "member": "", "header": "x-team", "value": "planted"}
    row |= {"models": [], "apis": []}
    other = {**row, "value": "planted-again", "models": ["gpt-5*"]}
    member = {**row, "header": "", "member": "seed", "value": "7"}
    removed = {**row, "action": "remove", "value": ""}
    noun = Noun("channel", "ch_1", "up")
    async with database.write() as connection:
        for pair in ([None, [row, member]], [[row, removed], [other, removed]], [[other], None]):
            changes = {"overrides": pair, "weight": [1.0, 2.0]}
            await record(connection, clock.now, actor, "update", noun, changes)
    deleted, updated, created = (each.changes for each in (await Audit(database, int).page()).items)
    hidden = {**row, "value": "", "header_value": "***"}
    assert {"overrides": [None, [hidden, member]], "weight": [1.0, 2.0]} == created
    after = {**hidden, "models": ["gpt-5*"]}
    assert [[hidden, removed], [after, removed]] == updated["overrides"]
    assert [[after], None] == deleted["overrides"]
    override = Override("set", header="x-team", header_value=Secret("planted"))
    await channels.create(replace(FULL, overrides=(override,)), actor)
    newest = (await Audit(database, int).page(kind="channel")).items[0]
    assert "***" == newest.changes["overrides"][1][0]["header_value"]


async def test_a_stolen_database_tells_no_secret(channels, actor, database):
    """Credential, proxy and header values, also of overrides, are in no row, nor in the file."""
    await channels.create(FULL, actor)
    async with database.read() as connection:
        rows = [
            row
            for table in metadata.sorted_tables
            for row in (await connection.execute(select(table))).all()
        ]
    assert b"planted" not in b"".join(
        cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row
    )
    if database.path is not None:
        for part in database.path.parent.glob("longwire.db*"):
            assert b"planted" not in part.read_bytes()
