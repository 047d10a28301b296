"""API keys over GraphQL."""

from datetime import datetime

import pytest

from longwire.core.nouns.access import Actor
from tests.store.turn_rows import NOON, row

KEY = """
  fragment all on APIKey {
  id name prefix projectID models channels rates { requestsPerMinute } keepsBodies showsReasoning
  budgets { tokensPerDay costPerMonth } status expiresAt managedBy previousUntil lastUsedAt revision
  }
"""
CREATE = (
    "mutation($input: APIKeyInput!) { createAPIKey(input: $input) { secret apiKey { ...all } } }"
)
CREATE += KEY
UPDATE = (
    """
  mutation($id: ID!, $revision: Int!, $input: APIKeyInput!) {
    updateAPIKey(id: $id, revision: $revision, input: $input) { ...all }
  }
"""
    + KEY
)
ROTATE = (
    """
  mutation($id: ID!, $revision: Int!, $overlap: Int! = 0) {
    rotateAPIKey(id: $id, revision: $revision, overlap: $overlap) { secret apiKey { ...all } }
  }
"""
    + KEY
)
REVOKE = (
    "mutation($id: ID!, $revision: Int!) { revokeAPIKey(id: $id, revision: $revision) { ...all } }"
)
REVOKE += KEY
DELETE = "mutation($id: ID!, $revision: Int!) { deleteAPIKey(id: $id, revision: $revision) }"
ONE = "query($id: ID!) { apiKey(id: $id) { ...all } }" + KEY
LIST = '{ apiKeys(search: "") { nodes { name managedBy } } }'


async def test_the_whole_life_of_a_key(admin, administration):
    """Made and shown once, changed, rotated with an overlap, revoked, deleted."""
    given = {
        "name": "laptop",
        "budgets": {"costPerMonth": 12.5},
        "expiresAt": "2099-01-01T00:00:00Z",
    }
    issued = await admin.get(CREATE, input=given)
    key = issued["apiKey"]
    assert issued["secret"].startswith(key["prefix"])
    assert (key["name"], key["projectID"], key["status"]) == ("laptop", "prj_default", "ENABLED")
    assert key["budgets"] == {"tokensPerDay": None, "costPerMonth": 12.5}
    assert key["expiresAt"] == "2099-01-01T00:00:00+00:00"
    assert await admin.get(ONE, id=key["id"]) == key

    assert (key["keepsBodies"], key["showsReasoning"]) == (False, False)

    given = {"models": ["gpt-5*"], "expiresAt": None, "rates": {"requestsPerMinute": 60}}
    given["showsReasoning"] = True
    changed = await admin.get(UPDATE, id=key["id"], revision=1, input=given)
    assert (changed["models"], changed["expiresAt"]) == (["gpt-5*"], None)
    assert changed["rates"] == {"requestsPerMinute": 60}
    assert (changed["keepsBodies"], changed["showsReasoning"]) == (False, True)
    assert changed["budgets"]["costPerMonth"] == 12.5

    rotated = await admin.get(ROTATE, id=key["id"], revision=2, overlap=60)
    assert rotated["secret"] != issued["secret"]
    assert rotated["apiKey"]["previousUntil"] is not None

    revoked = await admin.get(REVOKE, id=key["id"], revision=3)
    assert (revoked["status"], revoked["previousUntil"]) == ("REVOKED", None)
    assert await admin.get(DELETE, id=key["id"], revision=4) is True
    assert (await admin.fail(ONE, id=key["id"]))["code"] == "NOT_FOUND"
    assert administration.refresh.times == 5


async def test_a_key_of_the_file_is_listed_and_refuses_changes(admin, administration):
    """A declared key comes first, and is changed where it stands."""
    await admin.get(CREATE, input={"name": "stored"})
    listed = (await admin.get(LIST))["nodes"]
    assert listed == [
        {"name": "dev", "managedBy": "FILE"},
        {"name": "stored", "managedBy": "DATABASE"},
    ]
    for query in (REVOKE, DELETE, ROTATE):
        told = await admin.ask(query, id="file:dev", revision=0)
        assert told["errors"][0]["extensions"]["code"] == "CONFLICT"
        assert administration.file in told["errors"][0]["message"]


async def test_a_key_of_the_file_was_used_when_the_log_has_its_last_turn(admin, store):
    """Nothing is written of a key that stands in the file but its turns."""
    query = "{ apiKeys { nodes { name lastUsedAt } } }"
    assert [{"name": "dev", "lastUsedAt": None}] == (await admin.get(query))["nodes"]
    await store.turns.add(
        [row(0, NOON, key_id="file:dev"), row(1, NOON + 1_000, key_id="file:dev")]
    )
    (key,) = (await admin.get(query))["nodes"]
    assert NOON + 1_000 == datetime.fromisoformat(key["lastUsedAt"]).timestamp() * 1_000


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, ["name"]),
        ({"name": "x", "projectID": "prj_none"}, ["projectID"]),
        ({"name": "x", "channels": ["ch_none"]}, ["channels"]),
        ({"name": "x", "models": [""]}, ["models"]),
        ({"name": "x", "expiresAt": "2001-01-01T00:00:00"}, ["expiresAt"]),
        ({"name": "x", "rates": {"tokensPerMinute": -1}}, ["rates.tokensPerMinute"]),
        ({"name": "x", "budgets": {"costPerDay": 0}}, ["budgets.costPerDay"]),
        ({"name": "\n", "models": ["\t"]}, ["name", "models"]),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_written(admin, store, given, fields):
    """Each field that cannot be is told with its mend; there is no key afterwards."""
    refused = await admin.fail(CREATE, input=given)
    assert refused["code"] == "INVALID"
    assert [each["field"] for each in refused["fields"]] == fields
    assert (await store.keys.page()).items == ()


async def test_a_cost_that_nothing_holds_is_refused(admin):
    """With the most that there may be, and no key is made."""
    told = await admin.ask(CREATE, input={"name": "rich", "budgets": {"costPerMonth": 1e300}})
    assert "budgets.costPerMonth: must be 9,223,372,036 US dollars" in told["errors"][0]["message"]
    assert "rich" not in {each["name"] for each in (await admin.get(LIST))["nodes"]}


async def test_viewers_see_the_keys_of_their_projects(admin, viewer, store):
    """What belongs to another project is neither listed nor found."""
    project = await admin.get('mutation { createProject(input: {name: "ours"}) { id } }')
    ours = await admin.get(CREATE, input={"name": "ours", "projectID": project["id"]})
    theirs = await admin.get(CREATE, input={"name": "theirs"})
    assert (await viewer.get(LIST))["nodes"] == []
    user = await store.users.find("viewer@example.org")
    await store.projects.add_member(project["id"], user.id, Actor("", "test"))
    assert [each["name"] for each in (await viewer.get(LIST))["nodes"]] == ["ours"]
    assert (await viewer.get(ONE, id=ours["apiKey"]["id"]))["name"] == "ours"
    assert (await viewer.fail(ONE, id=theirs["apiKey"]["id"]))["code"] == "NOT_FOUND"
    assert (await viewer.fail(ONE, id="file:dev"))["code"] == "NOT_FOUND"


async def test_what_cannot_be_done_to_a_key_changes_nothing(admin, store):
    """No overlap before now, no way back from revoked but deletion, no deletion before it."""
    key = (await admin.get(CREATE, input={"name": "laptop"}))["apiKey"]
    seen = {"id": key["id"], "revision": 1}
    refused = await admin.fail(ROTATE, **seen, overlap=-1)
    assert [each["field"] for each in refused["fields"]] == ["overlap"]
    refused = await admin.fail(UPDATE, **seen, input={"status": "REVOKED"})
    assert [each["field"] for each in refused["fields"]] == ["status"]
    assert (await admin.fail(DELETE, **seen))["code"] == "CONFLICT"
    assert (await admin.fail(ROTATE, id=key["id"], revision=7))["revision"] == 1
    assert (await store.keys.get(key["id"])).revision == 1
    await admin.get(REVOKE, **seen)
    for query in (ROTATE, REVOKE):
        assert (await admin.fail(query, id=key["id"], revision=2))["code"] == "CONFLICT"
