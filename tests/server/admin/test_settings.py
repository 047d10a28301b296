"""Settings, the audit log and the configuration file over GraphQL."""

import pytest

from longwire.core.nouns.access import Actor
from longwire.store.audit import Noun, record

UPDATE = """
  mutation($revision: Int!, $input: SettingsInput!) {
    updateSettings(revision: $revision, input: $input) { turnDays bodyDays revision file }
  }
"""
AUDIT = """
  query($first: Int!, $after: String) {
    audit(first: $first, after: $after) {
      nodes { actorName action noun nounName changes at } pageInfo { endCursor hasNextPage }
    }
  }
"""


async def test_settings_are_changed_by_who_saw_them(admin, administration):
    """What is left out stays; an older revision is refused."""
    seen = await admin.get("{ settings { turnDays bodyDays revision file } }")
    assert seen == {"turnDays": 30, "bodyDays": 3, "revision": 0, "file": administration.file}
    changed = await admin.get(UPDATE, revision=0, input={"turnDays": 90})
    assert (changed["turnDays"], changed["bodyDays"], changed["revision"]) == (90, 3, 1)
    assert (await admin.fail(UPDATE, revision=0, input={"turnDays": 5}))["revision"] == 1
    assert administration.refresh.times == 1


@pytest.mark.parametrize(
    ("given", "field"), [({"turnDays": 9999}, "turnDays"), ({"bodyDays": 40}, "bodyDays")]
)
async def test_bad_settings_change_nothing(admin, store, given, field):
    """The field is named, and what held before holds."""
    refused = await admin.fail(UPDATE, revision=0, input=given)
    assert [each["field"] for each in refused["fields"]] == [field]
    assert (await store.settings.retention()).revision == 0


async def test_every_change_is_in_the_audit_log(admin):
    """Who changed what, newest first, page by page; a secret is told as three stars."""
    query = "mutation($input: ChannelInput!) { createChannel(input: $input) { id } }"
    await admin.get(query, input={"name": "up", "apiKey": "sk-planted"})
    await admin.get(UPDATE, revision=0, input={"turnDays": 90})
    first = await admin.get(AUDIT, first=1)
    (change,) = first["nodes"]
    assert (change["actorName"], change["action"], change["noun"]) == (
        "admin@example.org",
        "update",
        "settings",
    )
    assert change["changes"] == {"turn_days": [30, 90]}
    second = await admin.get(AUDIT, first=1, after=first["pageInfo"]["endCursor"])
    assert second["nodes"][0]["changes"]["credential"] == [None, "***"]


async def test_the_audit_log_tells_no_value_of_a_header_from_before(admin, store):
    """A row of an older version has what an override put into a header; nobody is told it."""
    override = {"action": "set", "member": "", "header": "x-team", "value": "planted"}
    changes = {"overrides": [None, [{**override, "models": [], "apis": []}]]}
    async with store.database.write() as connection:
        noun = Noun("channel", "ch_1", "up")
        await record(connection, 1, Actor("", "before"), "create", noun, changes)
    (entry,) = (await admin.get(AUDIT, first=1))["nodes"]
    assert "planted" not in str(entry)
    assert ("before", "x-team") == (
        entry["actorName"],
        entry["changes"]["overrides"][1][0]["header"],
    )


async def test_the_file_is_read_again(admin, administration, store):
    """Asked for, the gateway reads its file, says what is in it, and notes who asked."""
    told = await admin.get("mutation { reloadFile { file channels apiKeys } }")
    assert told == {"file": administration.file, "channels": 1, "apiKeys": 1}
    assert administration.reconciler.reloads == 1
    (noted,) = (await store.audit.page(kind="settings")).items
    assert ("admin@example.org", "reload") == (noted.actor.name, noted.action)


async def test_the_version_is_that_of_the_program(viewer):
    """Everybody who is signed in can see which version runs."""
    assert (await viewer.get("{ version }")).count(".") == 2
