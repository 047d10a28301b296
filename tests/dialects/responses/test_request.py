"""A body decoded to a turn, or refused with the name of its field."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from longwire.dialects.responses.request import decode_request


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
