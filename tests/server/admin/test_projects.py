"""Projects over GraphQL, and who sees them."""

import pytest

from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret

PROJECT = " fragment all on Project { id name description status memberIDs revision }"
CREATE = "mutation($input: ProjectInput!) { createProject(input: $input) { ...all } }" + PROJECT
UPDATE = (
    """
  mutation($id: ID!, $revision: Int!, $input: ProjectInput!) {
    updateProject(id: $id, revision: $revision, input: $input) { ...all }
  }
"""
    + PROJECT
)
DELETE = "mutation($id: ID!, $revision: Int!) { deleteProject(id: $id, revision: $revision) }"
ONE = "query($id: ID!) { project(id: $id) { ...all } }" + PROJECT
LIST = "{ projects { nodes { name } } }"
ADD = (
    "mutation($p: ID!, $u: ID!) { addUserToProject(projectID: $p, userID: $u) { ...all } }"
    + PROJECT
)
REMOVE = (
    "mutation($p: ID!, $u: ID!) { removeUserFromProject(projectID: $p, userID: $u) { ...all } }"
)
REMOVE += PROJECT


async def test_the_whole_life_of_a_project(admin, viewer, store):
    """Made, joined, changed, left, deleted; a viewer sees it while they belong to it."""
    made = await admin.get(CREATE, input={"name": "search", "description": "by agents"})
    assert (made["status"], made["memberIDs"], made["revision"]) == ("ACTIVE", [], 1)
    assert await viewer.get(LIST) == {"nodes": []}
    assert (await viewer.fail(ONE, id=made["id"]))["code"] == "NOT_FOUND"

    user = (await store.users.find("viewer@example.org")).id
    joined = await admin.get(ADD, p=made["id"], u=user)
    assert joined["memberIDs"] == [user]
    assert await viewer.get(LIST) == {"nodes": [{"name": "search"}]}
    assert await viewer.get(ONE, id=made["id"]) == joined

    changed = await admin.get(UPDATE, id=made["id"], revision=1, input={"description": None})
    assert (changed["name"], changed["description"], changed["revision"]) == ("search", "", 2)
    assert (await admin.get(REMOVE, p=made["id"], u=user))["memberIDs"] == []
    assert (await admin.fail(REMOVE, p=made["id"], u=user))["code"] == "NOT_FOUND"
    assert await admin.get(DELETE, id=made["id"], revision=2) is True


async def test_bounds_name_channels_that_there_are(admin, store):
    """One that is gone since stays a bound, and bars no other change."""
    spec = ChannelSpec("", "up", credential=Secret("sk"))
    channel = (await store.channels.create(spec, Actor("", "test"))).id
    wanted = {"name": "bound", "memberBounds": {"channels": ["nope", channel, "file:x"]}}
    refusal = await admin.fail(CREATE, input=wanted)
    (problem,) = refusal["fields"]
    assert "memberBounds.channels" == problem["field"]
    assert "'nope'" in problem["message"]
    made = await admin.get(CREATE, input={**wanted, "memberBounds": {"channels": [channel]}})
    await store.channels.delete(channel, 1, Actor("", "test"))
    seen = {"id": made["id"], "revision": 1}
    bad = {"memberBounds": {"channels": [channel, "nope"]}}
    assert ["memberBounds.channels"] == [
        each["field"] for each in (await admin.fail(UPDATE, **seen, input=bad))["fields"]
    ]
    kept = {"description": "b", "memberBounds": {"channels": [channel]}}
    assert "b" == (await admin.get(UPDATE, **seen, input=kept))["description"]


async def test_a_project_with_keys_stays(admin):
    """What keys belong to is archived, not deleted."""
    made = await admin.get(CREATE, input={"name": "busy"})
    query = 'mutation($p: ID!) { createAPIKey(input: {name: "k", projectID: $p}) { secret } }'
    await admin.get(query, p=made["id"])
    assert (await admin.fail(DELETE, id=made["id"], revision=1))["code"] == "CONFLICT"
    seen = {"id": made["id"], "revision": 1}
    archived = await admin.get(UPDATE, **seen, input={"status": "ARCHIVED"})
    assert archived["status"] == "ARCHIVED"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": "x", "description": "a" * 2001}, ["description"]),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_written(admin, store, given, fields):
    """Each field that cannot be is told; there is but the default project afterwards."""
    refused = await admin.fail(CREATE, input=given)
    assert (refused["code"], [each["field"] for each in refused["fields"]]) == ("INVALID", fields)
    assert [project.id for project in await store.projects.all()] == ["prj_default"]


async def test_somebody_unknown_cannot_join(admin):
    """The user is named as the field that is wrong."""
    refused = await admin.fail(ADD, p="prj_default", u="usr_none")
    assert [each["field"] for each in refused["fields"]] == ["userID"]
