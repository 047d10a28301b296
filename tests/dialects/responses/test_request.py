"""A body decoded to a turn, or refused with the name of its field."""

import json
from typing import Any

import pytest

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import Purpose, Source
from longwire.dialects.responses.request import decode_compaction, decode_request


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


@pytest.mark.parametrize("path", ["", "/compact"])
def test_the_source_stands_beside_what_a_turn_says(path: str) -> None:
    """Which API it came by, how large it was, and what its client itself named."""
    body = b'{"model":"m","previous_response_id":"resp_1"}'
    decoded = decode_compaction(body) if path else decode_request(body)
    expected = Source(f"responses{path}", len(body), previous_response_id="resp_1")
    assert expected == decoded.source


def test_a_compaction_is_one_answer() -> None:
    """It neither streams nor runs in the background, whatever its body says."""
    turn = decode_compaction(b'{"model":"m","stream":true,"background":true}')
    expected = (Purpose.COMPACTION, False, False)
    assert expected == (turn.purpose, turn.streams, turn.runs_in_background)


def test_a_warm_up_exists_over_websocket_alone() -> None:
    """Over HTTP `generate` is a member like any other."""
    assert Purpose.ANSWER is decode_request(b'{"model":"m","generate":false}').purpose


@pytest.mark.parametrize(
    ("body", "is_one_shot"),
    [
        ({"input": "hi"}, True),
        ({"input": [{"role": "user", "content": "hi"}]}, True),
        ({"input": "hi", "tools": []}, False),
        ({"input": [{"role": "user", "content": "hi"}] * 2}, False),
        ({"input": "hi", "previous_response_id": "resp_1"}, False),
        ({"input": "hi", "conversation": "conv_1"}, False),
    ],
)
def test_a_single_question_is_seen(body: dict[str, Any], is_one_shot: bool) -> None:
    """It has no tools, no history, and refers to nothing."""
    assert is_one_shot == decode_request(json.dumps({"model": "m", **body}).encode()).is_one_shot


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
