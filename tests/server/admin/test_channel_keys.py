"""Several keys of a channel over GraphQL."""

import time
from datetime import datetime, timedelta

from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.channel_key import ChannelKey
from longwire.core.nouns.secret import Secret
from longwire.core.rules.routing import Route
from longwire.relay.channels.channel import Channel

KEYS = """
  fragment keys on Channel {
    id revision hasCredential keys { id label masked weight isEnabled trust problem }
  }
"""
CREATE = "mutation($input: ChannelInput!) { createChannel(input: $input) { ...keys } }" + KEYS
ADD = (
    """mutation($id: ID!, $revision: Int!, $key: String!, $input: ChannelKeyInput) {
      addChannelKey(channelID: $id, revision: $revision, key: $key, input: $input) { ...keys }
    }"""
    + KEYS
)
UPDATE = (
    """mutation($id: ID!, $revision: Int!, $key: ID!, $input: ChannelKeyInput) {
      updateChannelKey(channelID: $id, revision: $revision, keyID: $key, input: $input) { ...keys }
    }"""
    + KEYS
)
REMOVE = (
    """mutation($id: ID!, $revision: Int!, $key: ID!) {
      removeChannelKey(channelID: $id, revision: $revision, keyID: $key) { ...keys }
    }"""
    + KEYS
)
FARES = "query($id: ID!) { channel(id: $id) { keys { trust resting { why since until } } } }"
UPSTREAM_KEY, SECOND = "sk-planted-first-1111", "sk-planted-second-2222"


async def _channel(admin):
    made = await admin.get(CREATE, input={"name": "up", "apiKey": UPSTREAM_KEY})
    return {"id": made["id"], "revision": 1}


async def test_a_channel_with_one_key_lists_none(admin):
    """What has one key alone is as it was: nothing to choose from."""
    made = await admin.get(CREATE, input={"name": "up", "apiKey": UPSTREAM_KEY})
    assert [] == made["keys"]


async def test_the_whole_life_of_a_key(admin, administration):
    """Added, weighed, disabled, removed; what is shown are its last four characters."""
    channel = await _channel(admin)
    added = await admin.get(ADD, **channel, key=SECOND, input={"label": "team b"})
    own, second = added["keys"]
    assert ("own", "…1111") == (own["id"], own["masked"])
    assert ("team b", "…2222", 1.0, True) == tuple(
        second[name] for name in ("label", "masked", "weight", "isEnabled")
    )
    seen = {"id": channel["id"], "revision": 2, "key": second["id"]}
    changed = await admin.get(UPDATE, **seen, input={"weight": 3, "isEnabled": False})
    assert (3.0, False, "team b") == tuple(
        changed["keys"][1][name] for name in ("weight", "isEnabled", "label")
    )
    removed = await admin.get(REMOVE, **{**seen, "revision": 3})
    assert [] == removed["keys"]
    assert 4 == administration.refresh.times


async def test_a_key_that_rests_says_why_since_and_until(admin, administration):
    """One of two is left alone for ten minutes, as its upstream asked; the other takes turns."""
    channel = await _channel(admin)
    added = await admin.get(ADD, **channel, key=SECOND)
    own, second = [
        Channel(
            Route(channel["id"], account=entry),
            "e",
            http=object(),
            spec=ChannelSpec(channel["id"], "up"),
            key=ChannelKey(entry, Secret("")),
        )
        for entry in ("", added["keys"][1]["id"])
    ]
    administration.health.running = {channel["id"]: (own, second)}.get
    second.state.health.fail(time.monotonic(), retry_after=600, problem="slow down")
    one, other = (await admin.get(FARES, id=channel["id"]))["keys"]
    assert {"trust": "SOUND", "resting": None} == one
    since, until = (datetime.fromisoformat(other["resting"][name]) for name in ("since", "until"))
    assert ("RESTING", "RETRY_AFTER") == (other["trust"], other["resting"]["why"])
    assert abs(until - since - timedelta(minutes=10)) <= timedelta(milliseconds=1)


async def test_the_own_key_goes_while_another_stays(admin):
    """A channel may lose the key that it began with, and not its last one."""
    channel = await _channel(admin)
    added = await admin.get(ADD, **channel, key=SECOND)
    left = await admin.get(REMOVE, id=channel["id"], revision=2, key="own")
    assert (False, [added["keys"][1]["id"]]) == (
        left["hasCredential"],
        [key["id"] for key in left["keys"]],
    )
    last = {"id": channel["id"], "revision": 3, "key": added["keys"][1]["id"]}
    refusal = await admin.fail(REMOVE, **last)
    assert "apiKey" == refusal["fields"][0]["field"]


async def test_a_bad_key_is_refused_by_field(admin):
    """A key that stands there already, one with spaces, a weight of nothing: each with the mend."""
    channel = await _channel(admin)
    refusals = [
        await admin.fail(ADD, **channel, key=UPSTREAM_KEY),
        await admin.fail(ADD, **channel, key="two words"),
        await admin.fail(ADD, **channel, key=SECOND, input={"weight": 0}),
    ]
    fields = [refusal["fields"][0]["field"] for refusal in refusals]
    assert ["keys.0.key", "keys.0.key", "keys.0.weight"] == fields


async def test_the_audit_log_tells_no_key(admin, store):
    """A key that is added is told as `***`."""
    channel = await _channel(admin)
    await admin.get(ADD, **channel, key=SECOND)
    entry = (await store.audit.page()).edges[0][1]
    assert "keys" in entry.changes
    assert SECOND not in str(entry.changes)
