"""Models over GraphQL: their whole life, and what each field refuses."""

import pytest

from longwire.core.nouns.access import Actor, ApiKey, Grant
from tests.server.admin.conftest import SQLITE

MODEL = """
  fragment all on Model {
    id name description isEnabled projects fallbacks managedBy revision
    targets { channel tag model weight order condition { apis hasTools minTokens }
              servedBy { name isEnabled serves health price { input } } }
    usage { turns costUsd }
  }
"""
CREATE = "mutation($input: ModelInput!) { createModel(input: $input) { ...all } }" + MODEL
UPDATE = (
    """
  mutation($id: ID!, $revision: Int!, $input: ModelInput!) {
    updateModel(id: $id, revision: $revision, input: $input) { ...all }
  }
"""
    + MODEL
)
DELETE = "mutation($id: ID!, $revision: Int!) { deleteModel(id: $id, revision: $revision) }"
ONE = "query($id: ID!) { model(id: $id) { ...all } }" + MODEL
LIST = "query($search: String!) { models(search: $search) { nodes { name } } }"
DRAFT = "query($input: ModelInput!) { modelDraft(input: $input) { problems { field message } } }"
AUDIT = '{ audit(first: 3, noun: "model") { nodes { action noun } } }'
TEST = Actor("", "test")
TARGET = {"channel": "main", "model": "gpt-5", "condition": {"apis": ["messages"], "minTokens": 9}}


async def test_the_whole_life_of_a_model(admin, viewer):
    """Made, read by everybody, changed and deleted; each change is in the audit log."""
    created = await admin.get(CREATE, input={"name": "smart", "targets": [TARGET]})
    (target,) = created["targets"]
    assert ("main", "gpt-5", 1.0, 0) == tuple(
        target[name] for name in ("channel", "model", "weight", "order")
    )
    assert {"apis": ["messages"], "hasTools": None, "minTokens": 9} == target["condition"]
    (serving,) = target["servedBy"]
    assert ("main", True, True, None) == tuple(
        serving[name] for name in ("name", "isEnabled", "serves", "health")
    )
    assert 0 == created["usage"]["turns"]
    assert created == await viewer.get(ONE, id=created["id"])
    changed = await admin.get(
        UPDATE,
        id=created["id"],
        revision=1,
        input={"isEnabled": False, "fallbacks": ["o9"], "description": "soon"},
    )
    expected = {"isEnabled": False, "fallbacks": ["o9"], "description": "soon", "revision": 2}
    assert {**created, **expected} == changed
    assert {"nodes": [{"name": "smart"}]} == await admin.get(LIST, search="SOON")
    assert {"nodes": []} == await admin.get(LIST, search="other")
    assert await admin.get(DELETE, id=created["id"], revision=2)
    actions = [each["action"] for each in (await admin.get(AUDIT))["nodes"]]
    assert ["delete", "update", "create"] == actions
    assert "NOT_FOUND" == (await viewer.fail(ONE, id=created["id"]))["code"]


async def test_who_was_slower_is_told_the_revision(admin):
    """So that a page can show both versions."""
    created = await admin.get(CREATE, input={"name": "smart", "targets": [TARGET]})
    seen = {"id": created["id"], "revision": 1}
    await admin.get(UPDATE, **seen, input={"description": "first"})
    refused = await admin.fail(UPDATE, **seen, input={"description": "second"})
    assert ("CONFLICT", 2) == (refused["code"], refused["revision"])


@SQLITE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "two words"}, "name"),
        ({"name": "gpt-*"}, "name"),
        ({"targets": []}, "targets"),
        ({"targets": [{}]}, "targets.0.channel"),
        ({"targets": [{"channel": "main", "tag": "x"}]}, "targets.0.channel"),
        ({"targets": [{"channel": "gone"}]}, "targets.0.channel"),
        ({"targets": [TARGET, TARGET]}, "targets.1.channel"),
        ({"targets": [{"channel": "main", "model": "gpt-*"}]}, "targets.0.model"),
        ({"targets": [{"channel": "main", "weight": 0}]}, "targets.0.weight"),
        ({"targets": [{"channel": "main", "order": -1}]}, "targets.0.order"),
        (
            {"targets": [{"channel": "main", "condition": {"apis": ["smtp"]}}]},
            "targets.0.condition.apis",
        ),
        (
            {"targets": [{"channel": "main", "condition": {"minTokens": 9, "maxTokens": 3}}]},
            "targets.0.condition.maxTokens",
        ),
        ({"targets": [{"channel": "main", "weight": 1e308}]}, "targets.0.weight"),
        (
            {"targets": [{"channel": "main", "condition": {"keys": ["key_none"]}}]},
            "targets.0.condition.keys",
        ),
        (
            {"targets": [{"channel": "main", "condition": {"projects": ["prj_none"]}}]},
            "targets.0.condition.projects",
        ),
        ({"projects": ["prj_default", "prj_none"]}, "projects"),
        ({"fallbacks": ["smart"]}, "fallbacks.0"),
        ({"fallbacks": ["a", "a"]}, "fallbacks.1"),
        ({"fallbacks": ["a*"]}, "fallbacks.0"),
    ],
)
async def test_bad_input_is_refused_by_field(admin, changes, field):
    """While typing, and when it is saved; the same words in both."""
    model = {"name": "smart", "targets": [TARGET], **changes}
    refused = await admin.fail(CREATE, input=model)
    assert [field] == [each["field"] for each in refused["fields"]]
    assert refused["fields"] == (await admin.get(DRAFT, input=model))["problems"]


async def test_what_is_gone_bars_no_other_change(admin, store):
    """A key that a target names may be deleted; then the targets alone cannot be saved so."""
    draft = ApiKey("", "ci", "", b"", Grant(project_id="prj_default"))
    key = (await store.keys.create(draft, TEST)).key
    target = {"channel": "main", "condition": {"keys": [key.id], "projects": ["prj_default"]}}
    created = await admin.get(CREATE, input={"name": "smart", "targets": [target]})
    seen = {"id": created["id"], "revision": 1}
    revoked = await store.keys.revoke(key.id, key.revision, TEST)
    await store.keys.delete(key.id, revoked.revision, TEST)
    refused = await admin.fail(UPDATE, **seen, input={"targets": [target]})
    assert ["targets.0.condition.keys"] == [each["field"] for each in refused["fields"]]
    changed = await admin.get(UPDATE, **seen, input={"description": "soon"})
    assert "soon" == changed["description"]


@SQLITE
async def test_where_it_would_go_is_asked_of_a_draft_too(admin):
    """Before it is saved; a bad request is refused by field."""
    query = """query($input: RouteRequest!, $draft: ModelInput) {
      explainRoute(input: $input, draft: $draft) { steps { channelName reason } problem }
    }"""
    draft = {"name": "smart", "targets": [TARGET]}
    found = await admin.get(query, input={"model": "smart"}, draft=draft)
    assert [{"channelName": "main", "reason": "missing"}] == found["steps"]
    assert "a target of it: there is no such channel" in found["problem"]
    bad = {"model": "smart", "apiFormat": "smtp", "inputTokens": -1}
    refused = await admin.fail(query, input=bad)
    assert ["apiFormat", "inputTokens"] == [each["field"] for each in refused["fields"]]
