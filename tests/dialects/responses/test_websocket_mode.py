"""Messages of the WebSocket mode: decoded and answered."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Purpose
from longwire.dialects.responses import websocket_mode
from longwire.dialects.responses.answer import EventEncoder
from longwire.dialects.responses.stream import decode_event
from tests.dialects.responses.turns import QUESTION, answered, create, sent


class TestLanes:
    @pytest.mark.parametrize("name", ["a", "A-1_b.c", "x" * 256])
    def test_names(self, name):
        """Letters, digits and three signs, up to 256."""
        assert name == websocket_mode.lane_of({"stream_id": json.dumps(name).encode()})

    @pytest.mark.parametrize(
        "name", ["", "a b", "é", "x" * 257, "a\n", 7, True, [], {}, "a/b", "\ud83d"]
    )
    def test_no_names(self, name):
        """Anything else is refused with the documented code."""
        with pytest.raises(InvalidRequest) as caught:
            websocket_mode.lane_of({"stream_id": json.dumps(name).encode()})
        assert ("invalid_stream_id", "stream_id") == (caught.value.code, caught.value.param)

    def test_none(self):
        """Without a name, or with null, it is the default lane."""
        assert [None, None] == [
            websocket_mode.lane_of({}),
            websocket_mode.lane_of({"stream_id": b"null"}),
        ]

    @given(st.dictionaries(st.text(), st.text(max_size=5)), st.sampled_from(["", " ", "\n "]))
    def test_events_say_their_lane(self, members, tail):
        """The lane is added to whatever an event holds; the default lane adds nothing."""
        raw = json.dumps({"type": "x", **members}).encode() + tail.encode()
        assert {"type": "x", **members, "stream_id": "l.1"} == json.loads(
            websocket_mode.on_lane(raw, "l.1")
        )
        assert raw == websocket_mode.on_lane(raw, None)


class TestCreate:
    def test_what_belongs_to_the_connection_stays_here(self):
        """Neither the lane nor the transport's own members travel on."""
        turn = create(input=[QUESTION], stream_id="a", stream=True, store=False)
        expected = {"type": "response.create", "model": "m", "store": False, "input": [QUESTION]}
        assert expected == sent(turn)
        assert (True, True) == (turn.streams, turn.source.by_websocket)

    @pytest.mark.parametrize(("generate", "kept"), [(False, True), (True, False), (None, False)])
    def test_generate(self, generate, kept):
        """Only a warm-up says so upstream; the default is what HTTP upstreams do not know."""
        turn = create(input=[], generate=generate)
        assert (kept, kept) == ("generate" in sent(turn), turn.purpose is Purpose.WARM_UP)

    @pytest.mark.parametrize("members", [{"generate": 1}, {"background": True}, {"input": 3}])
    def test_refusals_name_the_field(self, members):
        """What cannot be is refused by its name."""
        with pytest.raises(InvalidRequest) as caught:
            create(**members)
        assert next(iter(members)) == caught.value.param

    def test_it_is_no_single_question(self):
        """A client with a WebSocket means to go on."""
        assert not create(input="hi").is_one_shot


class TestEvents:
    def test_a_cancelled_response_ends_as_clients_know_it(self):
        """Its status stays; the type is one that ends a response in every client."""
        aggregate = answered(kind="response.cancelled")
        encoder = EventEncoder(None, aggregate)
        frame = json.loads(websocket_mode.event_frame(encoder, aggregate.terminal, "a"))
        assert ("response.failed", "a") == (frame["type"], frame["stream_id"])

    def test_others_pass(self):
        """As over HTTP, byte for byte where nothing is to be changed."""
        raw = b'{"type":"response.output_text.delta","sequence_number":0,"delta":"\\u00e9 1.50"}'
        encoder = EventEncoder(None, Aggregate())
        assert raw == websocket_mode.event_frame(encoder, decode_event(raw), None)


class TestAnswers:
    def test_an_error_is_nested_and_has_its_status(self):
        """The envelope's error as it stands, beside status and headers."""
        envelope = b'{"error":{"message":"no","type":"t","param":null,"code":"c"}}'
        frame = json.loads(websocket_mode.error_frame(429, envelope, {"retry-after": "7"}))
        error = {"message": "no", "type": "t", "param": None, "code": "c"}
        headers = {"retry-after": "7"}
        assert {"type": "error", "status": 429, "error": error, "headers": headers} == frame
        assert "headers" not in json.loads(websocket_mode.error_frame(429, envelope, {}))

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
    def test_a_body_that_is_no_envelope_still_is_an_error(self, body):
        """Whatever an upstream said, the frame has its shape."""
        frame = json.loads(websocket_mode.error_frame(502, body, {}))
        assert ("error", 502, dict) == (frame["type"], frame["status"], type(frame["error"]))

    @pytest.mark.parametrize(
        ("answer", "kind", "code"),
        [
            (websocket_mode.steer_failed, "response.steer.failed", "steering_not_supported"),
            (websocket_mode.inject_failed, "response.inject.failed", "response_not_found"),
            (
                websocket_mode.interrupt_rejected,
                "response.interrupt.rejected",
                "interrupt_not_supported",
            ),
        ],
    )
    def test_what_is_not_spoken_is_answered(self, answer, kind, code):
        """With the API's own answer, and what the client sent comes back."""
        members = {"input": b'[{"a":1.50}]', "response_id": b'"r"', "previous_response_id": b'"p"'}
        raw = answer(members)
        assert (kind, code) == (json.loads(raw)["type"], json.loads(raw)["error"]["code"])
        assert (b"1.50" in raw) == (answer is not websocket_mode.interrupt_rejected)
        assert json.loads(answer({}))["type"] == kind

    def test_a_warm_up_is_answered_like_any_response(self):
        """Created, then completed without output, for nothing."""
        turn = create(input=[QUESTION], tools=[{"type": "custom", "name": "f"}], generate=False)
        named = replace(turn, source=replace(turn.source, previous_response_id="resp_0"))
        created, completed = map(json.loads, websocket_mode.warm_up_events(named, "resp_1", 5))
        assert ["response.created", "response.completed"] == [created["type"], completed["type"]]
        response = completed["response"]
        assert ("resp_1", "completed", [], "resp_0") == tuple(
            response[name] for name in ("id", "status", "output", "previous_response_id")
        )
        assert 0 == response["usage"]["total_tokens"]
        assert [{"type": "custom", "name": "f"}] == response["tools"]
