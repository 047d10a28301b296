"""Live connections over GraphQL."""

import pytest

from longwire.core.nouns.access import Actor, ApiKey, Grant
from longwire.core.nouns.project import DEFAULT_PROJECT

LIST = "{ sessions { nodes { id node connection channel session state turns bytesSaved } } }"
CLOSE = "mutation($id: ID!) { closeSession(id: $id) }"
CHANGES = "subscription { sessionChanges { changed { connection } } }"


async def listed(caller):
    """The live connections that somebody sees."""
    return (await caller.get(LIST))["nodes"]


async def test_connections_are_listed_and_closed(admin, administration, store):
    """Each live connection is a row; one can be ended, which is noted, and then is no more."""
    administration.sessions.live.put(7, bytes_saved=2**40)
    assert await listed(admin) == [
        {
            "id": "a/7",
            "node": "a",
            "connection": 7,
            "channel": "main",
            "session": "s",
            "state": "idle",
            "turns": 1,
            "bytesSaved": 2**40,
        }
    ]
    assert await admin.get(CLOSE, id="a/7") is True
    assert await listed(admin) == []
    for gone in ("a/7", "a/seven", "7", "/"):
        assert (await admin.fail(CLOSE, id=gone))["code"] == "NOT_FOUND"
    assert (await admin.fail(CLOSE, id="b/7"))["code"] == "UNAVAILABLE"
    (noted,) = (await store.audit.page(kind="session")).items
    assert ("admin@example.org", "close") == (noted.actor.name, noted.action)
    assert ("a/7", "main") == (noted.noun.id, noted.noun.name)


async def test_nodes_of_other_versions_spoil_no_page(admin, administration):
    """What they tell more is passed over."""
    administration.sessions.live.put(1, more="of it")
    assert ["a/1"] == [each["id"] for each in await listed(admin)]


async def test_viewers_see_the_sessions_of_their_projects(viewer, administration, store):
    """Connections of other projects' keys are not told, and none is closed by a viewer."""
    actor = Actor("", "test")
    draft = ApiKey("", "k", "", b"", Grant(project_id=DEFAULT_PROJECT))
    key = (await store.keys.create(draft, actor)).key
    administration.sessions.live.put(1, scope=f"api_key:{key.id}")
    administration.sessions.live.put(2, scope="api_key:another")
    assert await listed(viewer) == []
    user = await store.users.find("viewer@example.org")
    await store.projects.add_member(DEFAULT_PROJECT, user.id, actor)
    assert [each["connection"] for each in await listed(viewer)] == [1]
    assert (await viewer.fail(CLOSE, id="a/1"))["code"] == "FORBIDDEN"


async def test_nobody_listens_on_who_signed_out(admin, store):
    """A subscription ends with the sign-in that it was begun by."""
    async with admin.subscribed(CHANGES) as read:
        assert (await read())["payload"]["data"] == {"sessionChanges": {"changed": []}}
        await store.sign_ins.end(admin.headers["cookie"].partition("=")[2])
        told = await read()
        assert told["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await read())["type"] == "complete"


@pytest.mark.parametrize("query", ["{ me { user { email } } }", "mutation { signOut }"])
async def test_nobody_asks_over_a_websocket(admin, query):
    """It stays open after a sign-in has ended, or a role is another one: subscriptions alone."""
    async with admin.subscribed(query) as read:
        told = await read()
    assert "error" == told["type"]
    assert "INVALID_QUERY" == told["payload"][0]["extensions"]["code"]
