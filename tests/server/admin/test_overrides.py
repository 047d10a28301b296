"""Overrides of a channel over GraphQL, and their preview."""

import json

from tests.store.turn_rows import bodies, row

CREATE = """
  mutation($input: ChannelInput!) {
    createChannel(input: $input) {
      id revision overrides { action member header value models apis }
    }
  }
"""
UPDATE = """
  mutation($id: ID!, $revision: Int!, $input: ChannelInput!) {
    updateChannel(id: $id, revision: $revision, input: $input) {
      revision overrides { member header value }
    }
  }
"""
PREVIEW = """
  query($channel: ID!, $overrides: [OverrideInput!]!, $turn: ID) {
    previewOverrides(channelID: $channel, overrides: $overrides, turnID: $turn) {
      api model isSample members { name before after } headers { name before after }
    }
  }
"""
EFFORT = {"action": "set", "member": "reasoning.effort", "value": '"low"', "models": ["gpt-5*"]}
TEAM = {"action": "default", "header": "x-team", "value": "blue"}
NEW = {"name": "up", "apiKey": "sk-planted", "models": ["gpt-5.2"]}


async def test_overrides_are_kept_in_their_order(admin):
    """They come back as they went in, but for headers' values; null removes all of them."""
    made = await admin.get(CREATE, input={**NEW, "overrides": [EFFORT, TEAM]})
    first, second = made["overrides"]
    assert {**EFFORT, "header": "", "apis": []} == first
    assert {**TEAM, "value": None, "member": "", "models": [], "apis": []} == second
    left = await admin.get(UPDATE, id=made["id"], revision=1, input={"overrides": None})
    assert [] == left["overrides"]


async def test_a_bad_override_is_refused_by_field(admin):
    """The place of each problem is that of its field in the form."""
    bad = [{"action": "set", "member": "stream", "value": "high"}, {"action": "put"}]
    refusal = await admin.fail(CREATE, input={**NEW, "overrides": bad})
    assert {
        "overrides.0.member",
        "overrides.0.value",
        "overrides.1.action",
        "overrides.1.member",
    } == {each["field"] for each in refusal["fields"]}


async def test_a_preview_shows_what_a_sample_would_become(admin):
    """Members by their paths and headers, without and with; nothing is saved."""
    made = await admin.get(CREATE, input=NEW)
    seen = await admin.get(PREVIEW, channel=made["id"], overrides=[EFFORT, TEAM])
    assert {
        "api": "responses",
        "model": "gpt-5.2",
        "isSample": True,
        "members": [{"name": "reasoning.effort", "before": '"medium"', "after": '"low"'}],
        "headers": [{"name": "x-team", "before": "", "after": "***"}],
    } == seen


async def test_the_value_of_a_header_is_kept_and_never_shown(admin, store):
    """What was read can be written back; without a value there must be one to keep."""
    made = await admin.get(CREATE, input={**NEW, "overrides": [EFFORT, TEAM]})
    read = [{**each, "header": each["header"] or None} for each in made["overrides"]]
    changed = await admin.get(UPDATE, id=made["id"], revision=1, input={"overrides": read})
    assert ['"low"', None] == [each["value"] for each in changed["overrides"]]
    kept = (await store.channels.get(made["id"])).overrides[1]
    assert ("default", "blue") == (kept.action, kept.header_value.reveal())
    seen = await admin.get(PREVIEW, channel=made["id"], overrides=read)
    assert [{"name": "x-team", "before": "", "after": "***"}] == seen["headers"]
    strange = [{"action": "set", "header": "x-other"}]
    refusal = await admin.fail(UPDATE, id=made["id"], revision=2, input={"overrides": strange})
    assert ["overrides.0.value"] == [each["field"] for each in refusal["fields"]]
    assert "blue" not in str((await store.audit.page()).items)


async def test_a_preview_takes_a_logged_turn(admin, store):
    """Its kept body is said anew, in the terms of the channel's API."""
    made = await admin.get(CREATE, input={**NEW, "type": "anthropic", "name": "claude"})
    kept = row(api="chat_completions")
    body = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "Hi."}]}
    await store.turns.add([kept], [bodies(kept, json.dumps(body).encode())])
    overrides = [{"action": "set", "member": "metadata.user_id", "value": '"team"'}]
    seen = await admin.get(PREVIEW, channel=made["id"], overrides=overrides, turn=str(kept.id))
    assert ("messages", False) == (seen["api"], seen["isSample"])
    expected = {"name": "metadata", "before": "", "after": '{"user_id":"team"}'}
    assert [expected] == seen["members"]


async def test_a_turn_without_a_kept_body_is_said_to_have_none(admin, store):
    """The refusal names the mend."""
    made = await admin.get(CREATE, input=NEW)
    await store.turns.add([row()], [])
    refusal = await admin.fail(PREVIEW, channel=made["id"], overrides=[EFFORT], turn=str(row().id))
    assert "turnID" == refusal["fields"][0]["field"]
    assert "no kept body" in refusal["fields"][0]["message"]
