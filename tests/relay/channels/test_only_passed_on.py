"""Whose turns need not be understood: one channel serves them, and passes them on."""

import pytest

from longwire.core.nouns.access import EVERYTHING, Grant
from longwire.core.rules.routing import Route
from longwire.dialects.chat_completions.request import decode_request as decode_chat
from longwire.dialects.messages.request import decode_request as decode_message
from longwire.relay.channels.channel import Channel, Snapshot

CHAT, MESSAGES = "chat_completions", "messages"
CLAUDE = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]%b}'
SESSION = b',"metadata":{"user_id":"user_1__session_s-1"}'
ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"prompt_cache_key":"s-1"}'


def channel(name, *apis, models=("*",), is_enabled=True):
    route = Route(name, models, is_enabled=is_enabled)
    return Channel(route, f"{name}@1", apis=apis)


def snapshot(*channels):
    return Snapshot({each.id: each for each in channels})


@pytest.mark.parametrize(
    ("expected", "channels"),
    [
        (True, [channel("a", MESSAGES)]),
        (True, [channel("a", CHAT, MESSAGES)]),
        (True, [channel("a", MESSAGES), channel("b", CHAT, models=["other"])]),
        (True, [channel("a", MESSAGES), channel("b", CHAT, is_enabled=False)]),
        (False, []),
        (False, [channel("a", CHAT)]),
        (False, [channel("a", "responses", MESSAGES)]),
        (False, [channel("a", MESSAGES), channel("b", MESSAGES)]),
        (False, [channel("a", MESSAGES), channel("b", "responses")]),
    ],
)
def test_one_channel_that_speaks_the_clients_api_alone(expected, channels):
    """A history is read as soon as something else than passing it on may come of it."""
    assert expected == snapshot(*channels).only_passes_on(MESSAGES, EVERYTHING, "m")


def test_a_key_sees_its_own_channels_alone():
    """A channel that a key may not use is none that could serve."""
    both = snapshot(channel("a", MESSAGES), channel("b", MESSAGES))
    assert both.only_passes_on(MESSAGES, Grant(channels=("a",)), "m")


@pytest.mark.parametrize(
    ("decode", "body"), [(decode_message, CLAUDE % SESSION), (decode_chat, ASKED)]
)
def test_of_such_a_turn_model_and_session_are_read(decode, body):
    """Its body is kept as it came, and its session is the one that it names."""
    turn = decode(body, {}, EVERYTHING, lambda model: model == "m")
    assert ("m", body, ("s-1",)) == (turn.model, turn.source.body, turn.session_hints)


@pytest.mark.parametrize("decode", [decode_message, decode_chat])
@pytest.mark.parametrize("apis", [("responses",), ("generate_content",), ("responses", CHAT)])
def test_what_was_not_read_is_never_said_otherwise(decode, apis):
    """Where channels changed meanwhile, such a turn is passed on or refused, never sent empty."""
    turn = decode(CLAUDE % b"", {}, EVERYTHING, lambda _: True)
    way = channel("a", *apis).way_of(turn)
    assert way is None or way.api == turn.source.api
    assert turn.source.refusal is not None
