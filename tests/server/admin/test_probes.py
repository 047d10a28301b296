"""The trial of a channel over GraphQL."""

import pytest

from tests.doubles.canned import answer, canned

CREATE = "mutation($input: ChannelInput!) { createChannel(input: $input) { id } }"
TEST = """
  mutation($id: ID!, $model: String, $api: String) {
    testChannel(input: {channelID: $id, modelID: $model, apiFormat: $api}) {
      success error api transport model handshakeMs firstEventMs continued cachedTokens dropped
    }
  }
"""


@pytest.mark.parametrize("transport", ["websocket", "http"])
async def test_two_turns_are_really_taken(transport, admin, emulator):
    """It shows the times, and over WebSocket that the second turn continued the first."""
    given = {"name": "up", "baseURL": emulator.url, "apiKey": "sk-x", "transport": transport}
    made = await admin.get(CREATE, input=given)
    tried = await admin.get(TEST, id=made["id"], model="gpt-5.5")
    assert (tried["success"], tried["error"], tried["transport"]) == (True, None, transport)
    assert (tried["handshakeMs"] is not None) == (transport == "websocket")
    assert tried["firstEventMs"] > 0
    assert tried["continued"] == (transport == "websocket")
    assert (tried["api"], tried["dropped"]) == ("responses", [])


async def test_an_api_that_is_not_on_offer_is_not_tried(admin):
    """It says which ones there are, and asks no upstream."""
    made = await admin.get(CREATE, input={"name": "up", "apiKey": "sk-x"})
    tried = await admin.get(TEST, id=made["id"], api="messages")
    error = "The channel does not offer messages; it has responses, chat_completions."
    assert (tried["success"], tried["error"], tried["api"]) == (False, error, "messages")


async def test_a_secret_that_the_upstream_repeats_is_not_told(admin):
    """What failed is said in the upstream's words, without the key that it was sent."""
    said = (
        b'{"error":{"message":"Incorrect API key provided: sk-planted.","code":"invalid_api_key"}}'
    )
    async with canned(answer(said, "application/json", status=401)) as upstream:
        given = {"name": "up", "baseURL": upstream.url, "apiKey": "sk-planted", "transport": "http"}
        made = await admin.get(CREATE, input=given)
        tried = await admin.get(TEST, id=made["id"], model="gpt-5.5")
    assert tried["success"] is False
    assert "Incorrect API key provided: ***." in tried["error"]
