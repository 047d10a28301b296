"""Bodies in, frames out: what nobody acts on arrives byte for byte."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.continuity import AsGiven, Continue, Fresh, Reason, extend
from longwire.dialects.responses.call import encode_body, encode_create
from longwire.dialects.responses.request import decode_request

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
