"""Bodies in, frames out: what nobody acts on arrives byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.core.rules.continuity import AsGiven, Continue, Fresh, Reason, extend
from longwire.dialects.responses.request import decode_request, encode_body, encode_create

FRESH = Fresh(Reason.NEW_SESSION)
members = st.dictionaries(
    st.text(max_size=8).filter(
        lambda name: name not in {"type", "stream", "background", "input", "conversation"}
    ),
    st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=2),
)


@given(members, st.lists(st.dictionaries(st.text(max_size=4), st.text()), max_size=3))
def test_a_body_arrives_as_it_was_sent(extra: dict[str, Any], items: list[dict[str, str]]) -> None:
    """Every member, known or not, and every item: only `stream` is taken out."""
    extra = {
        k: v
        for k, v in extra.items()
        if k not in ("model", "previous_response_id", "prompt_cache_key")
    }
    body = {**extra, "model": "m", "input": items}
    frame = encode_create(decode_request(json.dumps({**body, "stream": True}).encode()), FRESH)
    assert {**body, "type": "response.create"} == json.loads(frame)


def test_numbers_and_escapes_keep_their_spelling() -> None:
    """Thirty digits, trailing zeros and escapes are not ours to touch."""
    odd = b'{"n":123456789012345678901234567890,"f":1.500,"s":"\\u00e9\\/"}'
    frame = encode_create(decode_request(b'{"model":"m","x":%b,"input":[%b]}' % (odd, odd)), FRESH)
    assert 2 == frame.count(odd)


def test_a_continued_turn_sends_its_id_and_new_items_only() -> None:
    """All properties are repeated: the upstream carries none of them over."""
    first = decode_request(b'{"model":"m","tools":[],"input":[{"role":"user","content":"a"}]}')
    held = extend(first, "resp_1", (), None)
    both = decode_request(
        b'{"model":"m","tools":[],"input":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}'
    )
    expected = {
        "type": "response.create",
        "model": "m",
        "tools": [],
        "previous_response_id": "resp_1",
        "input": [{"role": "user", "content": "b"}],
    }
    assert expected == json.loads(encode_create(both, Continue(held, 1)))


def test_an_own_id_travels_as_given() -> None:
    """With all of its input."""
    body = {"model": "m", "previous_response_id": "resp_9", "input": [{"a": "b"}]}
    frame = encode_create(decode_request(json.dumps(body).encode()), AsGiven())
    assert {**body, "type": "response.create"} == json.loads(frame)


def test_over_http_everything_is_sent() -> None:
    """In full, with the gateway's own `stream` and the caller's `background`."""
    body = {"model": "m", "input": "hi", "background": True, "stream": False}
    sent = encode_body(decode_request(json.dumps(body).encode()), streams=True)
    assert {"model": "m", "input": "hi", "background": True, "stream": True} == json.loads(sent)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"[]", None),
        (b'{"input":"hi"}', "model"),
        (b'{"model":""}', "model"),
        (b'{"model":null}', "model"),
        (b'{"model":5}', "model"),
        (b'{"model":"m","model":"n"}', "model"),
        (b'{"model":"m","input":5}', "input"),
        (b'{"model":"m","input":{}}', "input"),
        (b'{"model":"m","stream":"yes"}', "stream"),
        (b'{"model":"m","stream":1}', "stream"),
        (b'{"model":"m","background":"no"}', "background"),
        (b'{"model":"m","previous_response_id":7}', "previous_response_id"),
        (b'{"model":"m","prompt_cache_key":[]}', "prompt_cache_key"),
        (b'{"model":"m","conversation":7}', "conversation"),
        (b'{"model":"m","conversation":{}}', "conversation"),
        (b'{"model":"m","type":"response.cancel"}', "type"),
    ],
)
def test_a_bad_body_is_refused_with_its_field(body: bytes, param: str | None) -> None:
    """Never half understood."""
    with pytest.raises(InvalidRequest) as refused:
        decode_request(body)
    assert param == refused.value.param


@pytest.mark.parametrize(
    ("body", "hints"),
    [
        ({"prompt_cache_key": "k"}, ("k", "")),
        ({"conversation": "c"}, ("", "c")),
        ({"conversation": {"id": "c"}, "prompt_cache_key": "k"}, ("k", "c")),
        ({"conversation": None}, ("", "")),
    ],
)
def test_the_body_names_its_session(body: dict[str, Any], hints: tuple[str, str]) -> None:
    """By cache key before conversation."""
    turn = decode_request(json.dumps({"model": "m", **body}).encode())
    assert hints == turn.session_hints


def test_nulls_are_absent_members() -> None:
    """Some clients send every field they know as null."""
    turn = decode_request(
        b'{"model":"m","input":null,"stream":null,"background":null,"previous_response_id":null}'
    )
    assert (None, False, False, None) == (
        turn.input,
        turn.streams,
        turn.runs_in_background,
        turn.previous_response_id,
    )


def test_a_prompt_template_may_supply_the_model() -> None:
    """Then the body names none."""
    assert "" == decode_request(b'{"prompt":{"id":"p"}}').model
