"""Codex as a client: how it is known, what of it goes upstream, what it understands."""

import json

import pytest

from longwire.core.events import Event, Kind
from longwire.dialects.codex import client
from longwire.dialects.responses.request import decode_request

CODEX = {"originator": "codex_cli_rs"}
NOTICE = Event(Kind.VENDOR, "codex.rate_limits", b"{}")
OUTPUT = Event(Kind.OUTPUT, "response.x", b"{}")


def turn(**members):
    """A turn as a client sends it."""
    return decode_request(json.dumps({"model": "m", "input": "hi", **members}).encode())


def metadata(sent):
    """The `client_metadata` of a turn."""
    return json.loads(sent.members["client_metadata"])


@pytest.mark.parametrize(
    ("headers", "is_codex"),
    [
        (CODEX, True),
        ({"user-agent": "Codex Desktop/1"}, True),
        ({"user-agent": "python", "originator": "CODEX"}, True),
        ({"user-agent": "a codex"}, False),
        ({}, False),
    ],
)
def test_it_is_known_by_its_name(headers, is_codex):
    """It stands in front, in the originator or the user agent."""
    assert is_codex == client.is_codex(headers)


def test_its_headers_go_upstream_but_for_what_belongs_to_an_account():
    """Those of other clients never do."""
    own = {"x-codex-turn-state": "t", "x-openai-account-routing-override": "a"}
    more = {"x-codex-beta": "1", "x-openai-subagent": "s", "traceparent": "00"}
    sent = {**more, **own, "authorization": "Bearer x", "chatgpt-account-id": "a"}
    assert {**CODEX, **more} == client.forwarded({**CODEX, **sent})
    assert {} == client.forwarded(sent)


def test_each_client_gets_what_it_understands():
    """Notices and an account's use are for Codex alone."""
    answer = {"x-codex-primary-used-percent": "7", "openai-model": "m", "x-request-id": "r"}
    codex, other = client.client_of(CODEX), client.client_of({})
    assert ([NOTICE, OUTPUT], [OUTPUT]) == tuple(
        each.events([NOTICE, OUTPUT]) for each in (codex, other)
    )
    assert {"x-codex-primary-used-percent": "7"} == codex.headers(answer)
    assert {} == other.headers(answer)
    assert answer == codex.error_headers(answer)
    assert {"openai-model": "m", "x-request-id": "r"} == other.error_headers(answer)


@pytest.mark.parametrize(
    ("members", "headers", "state"),
    [
        ({}, {}, ""),
        ({}, {"x-codex-turn-state": "a"}, "a"),
        ({"client_metadata": {"x-codex-turn-state": "b"}}, {}, "b"),
        ({"client_metadata": {"x-codex-turn-state": 7}}, {}, ""),
        ({"client_metadata": "x-codex-turn-state"}, {}, ""),
    ],
)
def test_the_routing_token_is_found_on_either_transport(members, headers, state):
    """A header over HTTP, a member of the metadata on a WebSocket."""
    assert state == client.turn_state(turn(**members), headers)


def test_the_routing_token_is_put_in_and_taken_out():
    """All other metadata keeps its bytes."""
    old = turn(client_metadata={"a": 1.50, "x-codex-turn-state": "old"})
    assert {"a": 1.5, "x-codex-turn-state": "new"} == metadata(client.with_turn_state(old, "new"))
    assert {"a": 1.5} == metadata(client.with_turn_state(old, ""))
    bare = turn()
    assert client.with_turn_state(bare, "") is bare
