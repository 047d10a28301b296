from dataclasses import replace

import pytest
from sqlalchemy import insert

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import ApiKey, Grant, digest_with
from longwire.core.nouns.project import Project, ProjectStatus
from longwire.store.audit import Audit
from longwire.store.keys import ApiKeys
from longwire.store.projects import Projects
from longwire.store.tables import users


@pytest.fixture
def projects(database, clock):
    return Projects(database, clock)


async def _user(database, name):
    row = {"id": name, "email": f"{name}@x", "password_hash": "", "role": "viewer"}
    async with database.write() as connection:
        await connection.execute(
            insert(users).values(**row, status="active", created_at=0, revision=1)
        )
    return name


async def test_the_life_of_a_project(projects, actor, clock):
    """Made, changed, archived and deleted, a project is at each time what was last said."""
    made = await projects.create(Project("", "Search", "finds things"), actor)
    assert Project(made.id, "Search", "finds things", created_at=clock.now, revision=1) == made
    changed = await projects.update(
        replace(made, name="Find", status=ProjectStatus.ARCHIVED), actor
    )
    assert 2 == changed.revision
    assert changed == await projects.get(made.id)
    assert ["Default", "Find"] == [project.name for project in await projects.all()]
    await projects.delete(made.id, 2, actor)
    with pytest.raises(NotFound):
        await projects.get(made.id)


async def test_a_project_with_keys_stays(projects, actor, clock, database):
    """A project is not deleted under its keys; the mend is to archive it."""
    made = await projects.create(Project("", "Search"), actor)
    keys = ApiKeys(database, digest_with(b"p"), clock)
    await keys.create(ApiKey("", "k", "", b"", Grant(project_id=made.id)), actor)
    with pytest.raises(Conflict, match="has 1 API keys; archive it instead"):
        await projects.delete(made.id, 1, actor)
    assert made == await projects.get(made.id)


async def test_the_default_project_stays(projects, actor):
    """There is always a project for keys."""
    default = await projects.get("prj_default")
    with pytest.raises(Conflict, match="cannot be archived"):
        await projects.update(replace(default, status=ProjectStatus.ARCHIVED), actor)
    with pytest.raises(Conflict, match="cannot be deleted"):
        await projects.delete("prj_default", 1, actor)
    renamed = await projects.update(replace(default, name="Ours"), actor)
    assert "Ours" == renamed.name


async def test_what_cannot_be_is_refused(projects, actor):
    """Bad names, taken names and older revisions change nothing."""
    made = await projects.create(Project("", "Search"), actor)
    for bad, field in ((Project("", " "), "name"), (Project("", "x", "d" * 2001), "description")):
        with pytest.raises(InvalidFields, match=field):
            await projects.create(bad, actor)
    with pytest.raises(Conflict, match="'Default' already"):
        await projects.create(Project("", "Default"), actor)
    with pytest.raises(Conflict, match="'Default' already"):
        await projects.update(replace(made, name="Default"), actor)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await projects.update(replace(made, revision=7), actor)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await projects.delete(made.id, 7, actor)
    assert 2 == len(await projects.all())


async def test_users_belong_to_projects(projects, actor, database):
    """Members come and go, once each; an unknown user or project is told as such."""
    made = await projects.create(Project("", "Search"), actor)
    ada, bob = await _user(database, "ada"), await _user(database, "bob")
    for user in (bob, ada, ada):
        await projects.add_member(made.id, user, actor)
    assert (ada, bob) == await projects.members(made.id)
    assert (made.id,) == await projects.of_user(ada)
    await projects.remove_member(made.id, ada, actor)
    assert () == await projects.of_user(ada)
    with pytest.raises(NotFound, match="member"):
        await projects.remove_member(made.id, ada, actor)
    with pytest.raises(InvalidFields, match="userID"):
        await projects.add_member(made.id, "nobody", actor)
    with pytest.raises(NotFound, match="project"):
        await projects.add_member("prj_none", bob, actor)
    actions = [row.action for row in (await Audit(database, int).page(kind="project")).items]
    assert ["remove-member", "add-member", "add-member", "create"] == actions


async def test_pages_show_the_projects_that_may_be_seen(projects, actor):
    """All projects by name, or those of a user alone."""
    made = [await projects.create(Project("", name), actor) for name in ("b", "a")]
    assert {"Default", "a", "b"} == {each.name for each in (await projects.page()).items}
    first = await projects.page(first=1, only=tuple(each.id for each in made))
    rest = await projects.page(after=first.edges[0][0], only=tuple(each.id for each in made))
    assert [("a",), ("b",)] == [tuple(e.name for e in page.items) for page in (first, rest)]
