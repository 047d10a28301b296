"""How few tokens of output are asked for: 16 is the least at the Responses API, and only there."""

import json
from dataclasses import replace

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.routing import Route
from longwire.dialects.generate_content.request import decode_request as decode_content
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.messages.request import decode_request as decode_message
from longwire.dialects.responses.request import decode_request
from longwire.relay.channels.channel import Channel

USER = {"role": "user", "content": "hi"}


def message(most):
    """A turn of a client of Messages."""
    body = {"model": "m", "max_tokens": most, "messages": [USER]}
    return decode_message(json.dumps(body).encode(), {}, EVERYTHING)


def asked_for(api, turn):
    """The tokens of output that a channel which speaks an API asks for."""
    channel = Channel(Route("c", ("*",)), "c@1", apis=(api,))
    serving = replace(channel, way=channel.way_of(turn))
    return serving.adapt(turn).members["max_output_tokens"]


@pytest.mark.parametrize(("most", "expected"), [(1, b"16"), (15, b"16"), (17, b"17")])
def test_the_responses_api_is_asked_for_the_least_it_takes(most, expected):
    """Clients of other APIs probe with one."""
    assert expected == asked_for("responses", message(most))


@pytest.mark.parametrize("api", ["chat_completions", "generate_content"])
def test_other_apis_are_asked_for_what_was_said(api):
    """They take one."""
    assert b"1" == asked_for(api, message(1))


def test_claude_is_asked_for_what_a_client_of_another_api_said():
    """Its least is one, too."""
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 5}}
    turn = decode_content(json.dumps(body).encode(), {}, EVERYTHING, target=Target("m"))
    assert b"5" == asked_for("messages", turn)


def test_a_client_of_the_responses_api_is_told_by_its_upstream():
    """What it says is sent as it is."""
    body = {"model": "m", "max_output_tokens": 1, "input": [USER]}
    turn = decode_request(json.dumps(body).encode())
    assert b"1" == asked_for("responses", turn)


def test_the_number_is_no_difference_between_turns():
    """A chain goes on whatever was asked for."""
    channel = Channel(Route("c", ("*",)), "c@1", apis=("responses",))
    few, many = channel.adapt(message(1)), channel.adapt(message(900))
    assert few.properties.canonical == many.properties.canonical
