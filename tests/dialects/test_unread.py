"""What the Responses API cannot say is no error yet: an upstream of the client's own API may."""

import json

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Purpose
from longwire.dialects.chat_completions.request import decode_request as decode_chat
from longwire.dialects.messages.request import decode_count
from longwire.dialects.messages.request import decode_request as decode_message

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 99}
CASES = [
    (decode_chat, {"n": 2}, "n"),
    (decode_chat, {"logit_bias": {"1": 5}, "n": 2}, "logit_bias"),
    (decode_message, {"container": "c"}, "container"),
    (decode_message, {"mcp_servers": [{}], "container": "c"}, "mcp_servers"),
]
UNREAD = [
    (decode_chat, {"messages": []}, "messages"),
    (decode_chat, {"messages": [{"role": "of_tomorrow"}]}, "messages.0.role"),
    (decode_chat, {"tools": [{"type": 5}]}, "tools.0.type"),
    (decode_message, {"messages": [{"role": "assistant", "content": "{"}]}, "messages.0.role"),
    (decode_message, {"max_tokens": None}, "max_tokens"),
    (decode_message, {"tools": [{"input_schema": {}}]}, "tools.0.name"),
]


def turn_of(decode, members):
    return decode(json.dumps({**QUESTION, **members}).encode(), {}, EVERYTHING)


@pytest.mark.parametrize(("decode", "members", "refused"), CASES)
def test_a_member_that_cannot_be_said_is_left_out(decode, members, refused):
    """The first one is named where nobody may serve it, and all of them where somebody does."""
    turn, plain = turn_of(decode, members), turn_of(decode, {})
    assert refused == turn.source.refusal.param
    assert set(members) <= set(turn.source.dropped)
    assert (plain.members, plain.input) == (turn.members, turn.input)
    assert (False, None) == (turn.source.is_unread, plain.source.refusal)


@pytest.mark.parametrize(("decode", "members", "refused"), UNREAD)
def test_of_what_cannot_be_read_the_model_is_known(decode, members, refused):
    """With whether it streams, and its body: that is enough to pass it on."""
    turn = turn_of(decode, {**members, "stream": True})
    source = turn.source
    assert (refused, True) == (source.refusal.param, source.is_unread)
    assert ("m", True, b"[]", 0) == (turn.model, turn.streams, turn.input, len(turn.history))
    assert {**QUESTION, **members, "stream": True} == json.loads(source.body)
    assert None is turn.image([])
    assert turn.is_self_contained


@pytest.mark.parametrize("decode", [decode_chat, decode_message])
def test_a_body_is_kept_without_its_mark(decode):
    """No upstream has to understand a byte-order mark, nor who changes the body on its way."""
    body = json.dumps(QUESTION).encode()
    assert body == decode(b"\xef\xbb\xbf" + body, {}, EVERYTHING).source.body


def test_a_member_is_refused_before_what_cannot_be_read():
    """As ever: a client mends one thing after the other."""
    assert "n" == turn_of(decode_chat, {"n": 2, "messages": []}).source.refusal.param


def test_a_count_of_what_cannot_be_read_is_one():
    """It goes where counts go."""
    turn = turn_of(decode_count, {"messages": [{"role": "of_tomorrow"}], "stream": True})
    assert (Purpose.COUNT, False, True) == (turn.purpose, turn.streams, turn.source.is_unread)


@pytest.mark.parametrize("decode", [decode_chat, decode_message])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages":[]}', b'{"model":1}'])
def test_what_has_no_model_is_refused(decode, body):
    """Nobody could tell who should serve it."""
    with pytest.raises(InvalidRequest):
        decode(body, {}, EVERYTHING)
