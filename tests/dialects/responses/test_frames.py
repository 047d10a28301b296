"""Messages of the WebSocket mode: decoded, recalled, answered."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import AsGiven, Continue, extend
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import decode_members
from longwire.dialects.responses import frames, items
from longwire.dialects.responses.request import encode_body, encode_create
from longwire.dialects.responses.stream import EventEncoder, decode_event, decode_item

QUESTION = {"role": "user", "content": "hi"}
ANSWER = {"type": "message", "id": "msg_1", "role": "assistant", "content": "ho"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
BARE = {"type": "reasoning", "id": "rs_1", "summary": []}


def create(**members) -> Turn:
    """The turn of a `response.create`."""
    raw = json.dumps({"type": "response.create", "model": "m", **members}).encode()
    return frames.decode_create(decode_members(raw), len(raw))


def answered(*output, response_id="resp_1", kind="response.completed") -> Aggregate:
    """What was seen of a response with these items."""
    aggregate = Aggregate()
    for index, item in enumerate(output):
        event = {"type": "response.output_item.done", "output_index": index, "item": item}
        aggregate.add_item(*decode_item(decode_event(json.dumps(event).encode())))
    terminal = {"type": kind, "response": {"id": response_id, "output": []}}
    aggregate.terminal = decode_event(json.dumps(terminal).encode())
    return aggregate


def sent(turn: Turn) -> dict:
    """A turn as it goes upstream in full."""
    return json.loads(encode_create(turn, AsGiven()))


class TestLanes:
    @pytest.mark.parametrize("name", ["a", "A-1_b.c", "x" * 256])
    def test_names(self, name):
        """Letters, digits and three signs, up to 256."""
        assert name == frames.lane_of({"stream_id": json.dumps(name).encode()})

    @pytest.mark.parametrize("name", ["", "a b", "é", "x" * 257, "a\n", 7, True, [], {}, "a/b"])
    def test_no_names(self, name):
        """Anything else is refused with the documented code."""
        with pytest.raises(InvalidRequest) as caught:
            frames.lane_of({"stream_id": json.dumps(name).encode()})
        assert ("invalid_stream_id", "stream_id") == (caught.value.code, caught.value.param)

    def test_none(self):
        """Without a name, or with null, it is the default lane."""
        assert [None, None] == [frames.lane_of({}), frames.lane_of({"stream_id": b"null"})]

    @given(st.dictionaries(st.text(), st.text(max_size=5)), st.sampled_from(["", " ", "\n "]))
    def test_events_say_their_lane(self, members, tail):
        """The lane is added to whatever an event holds; the default lane adds nothing."""
        raw = json.dumps({"type": "x", **members}).encode() + tail.encode()
        assert {"type": "x", **members, "stream_id": "l.1"} == json.loads(
            frames.on_lane(raw, "l.1")
        )
        assert raw == frames.on_lane(raw, None)


class TestCreate:
    def test_what_belongs_to_the_connection_stays_here(self):
        """Neither the lane nor the transport's own members travel on."""
        turn = create(input=[QUESTION], stream_id="a", stream=True, store=False)
        told = {"type": "response.create", "model": "m", "store": False, "input": [QUESTION]}
        assert told == sent(turn)
        assert (True, True) == (turn.streams, turn.by_websocket)

    @pytest.mark.parametrize(("given", "kept"), [(False, True), (True, False), (None, False)])
    def test_generate(self, given, kept):
        """Only a warm-up says so upstream; the default is what HTTP upstreams do not know."""
        turn = create(input=[], generate=given)
        assert (kept, kept) == ("generate" in sent(turn), turn.is_warm_up)

    @pytest.mark.parametrize("members", [{"generate": 1}, {"background": True}, {"input": 3}])
    def test_refusals_name_the_field(self, members):
        """What cannot be is refused by its name."""
        with pytest.raises(InvalidRequest) as caught:
            create(**members)
        assert next(iter(members)) == caught.value.param

    def test_it_is_no_single_question(self):
        """A client with a WebSocket means to go on."""
        assert not create(input="hi").is_one_shot


class TestRecalled:
    def test_a_history_takes_the_place_of_its_id(self):
        """Input, output and what is new are one array, each item byte for byte."""
        first = create(input='h\u00e9 \\ "')
        link = frames.link_of(first, answered(SEALED, CALL), None)
        new = {"type": "function_call_output", "call_id": "c", "output": "1"}
        turn = frames.recalled(create(input=[new], previous_response_id="resp_1"), link)
        asked = {"type": "message", "role": "user", "content": 'h\u00e9 \\ "'}
        assert [asked, SEALED, CALL, new] == sent(turn)["input"]
        assert (None, "resp_1", 3) == (turn.previous_response_id, turn.follows, turn.recalled)
        again = frames.link_of(turn, answered(ANSWER, response_id="resp_2"), link)
        last = frames.recalled(create(input=[QUESTION], previous_response_id="resp_2"), again)
        assert [asked, SEALED, CALL, new, ANSWER, QUESTION] == sent(last)["input"]
        assert again.length == last.recalled == 5

    def test_the_connection_that_holds_it_gets_the_suffix(self):
        """What is recalled equals what was held, so that only what is new travels."""
        first = create(input=[QUESTION])
        chain = extend(first, "resp_1", (items.form(json.dumps(CALL).encode()),), None)
        link = frames.link_of(first, answered(CALL), None)
        turn = frames.recalled(create(input=[QUESTION], previous_response_id="resp_1"), link)
        told = json.loads(encode_create(turn, Continue(chain, 2)))
        assert ([QUESTION], "resp_1") == (told["input"], told["previous_response_id"])
        assert turn.history.after(chain.mark) is not None

    def test_a_warm_up_is_a_history_without_output(self):
        """Its input comes first in what follows; it may be empty, and so may what follows."""
        for prepared in ([], [QUESTION]):
            link = frames.link_of(create(input=prepared, generate=False), answered(), None)
            turn = frames.recalled(create(previous_response_id="resp_1"), link)
            assert prepared == sent(turn)["input"]

    def test_the_log_tells_what_the_client_sent(self):
        """A recalled turn is told with its id and its own items."""
        link = frames.link_of(create(input=[QUESTION]), answered(ANSWER), None)
        asked = create(input=[CALL], previous_response_id="resp_1")
        told = frames.as_asked(frames.recalled(asked, link))
        assert encode_body(asked, streams=True) == encode_body(told, streams=True)
        assert frames.as_asked(asked) is asked

    @pytest.mark.parametrize(
        ("turn", "aggregate"),
        [
            (create(input=[QUESTION]), answered(BARE, ANSWER)),
            (create(input=[QUESTION]), answered({**SEALED, "encrypted_content": None})),
            (create(input=[QUESTION]), answered("no item")),
            (create(input=[QUESTION]), answered(response_id=None)),
            (create(input=[QUESTION], previous_response_id="resp_0"), answered()),
            (create(input=[QUESTION], conversation="conv_1"), answered()),
            (create(input=[QUESTION]), Aggregate()),
        ],
    )
    def test_what_cannot_be_told_is_not_kept(self, turn, aggregate):
        """Reasoning without its content, what refers elsewhere, what has no id or no end."""
        assert frames.link_of(turn, aggregate, None) is None

    def test_output_of_the_terminal_counts_where_no_item_came(self):
        """As everywhere, items finished one by one come first."""
        aggregate = answered()
        raw = {"type": "response.completed", "response": {"id": "resp_1", "output": [ANSWER]}}
        aggregate.terminal = decode_event(json.dumps(raw).encode())
        link = frames.link_of(create(input=[QUESTION]), aggregate, None)
        assert [QUESTION, ANSWER] == json.loads(b"[" + b"".join(link.history()) + b"]")


class TestEvents:
    def test_a_cancelled_response_ends_as_clients_know_it(self):
        """Its status stays; the type is one that ends a response in every client."""
        aggregate = answered(kind="response.cancelled")
        told = frames.event_frame(EventEncoder(None, aggregate), aggregate.terminal, "a")
        assert ("response.failed", "a") == (json.loads(told)["type"], json.loads(told)["stream_id"])

    def test_others_pass(self):
        """As over HTTP, byte for byte where nothing is to be changed."""
        raw = b'{"type":"response.output_text.delta","sequence_number":0,"delta":"\\u00e9 1.50"}'
        encoder = EventEncoder(None, Aggregate())
        assert raw == frames.event_frame(encoder, decode_event(raw), None)


class TestAnswers:
    def test_an_error_is_nested_and_has_its_status(self):
        """The envelope's error as it stands, beside status and headers."""
        envelope = b'{"error":{"message":"no","type":"t","param":null,"code":"c"}}'
        told = json.loads(frames.error_frame(429, envelope, {"retry-after": "7"}))
        error = {"message": "no", "type": "t", "param": None, "code": "c"}
        headers = {"retry-after": "7"}
        assert {"type": "error", "status": 429, "error": error, "headers": headers} == told
        assert "headers" not in json.loads(frames.error_frame(429, envelope, {}))

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
    def test_a_body_that_is_no_envelope_still_is_an_error(self, body):
        """Whatever an upstream said, the frame has its shape."""
        told = json.loads(frames.error_frame(502, body, {}))
        assert ("error", 502, dict) == (told["type"], told["status"], type(told["error"]))

    @pytest.mark.parametrize(
        ("answer", "kind", "code"),
        [
            (frames.steer_failed, "response.steer.failed", "steering_not_supported"),
            (frames.inject_failed, "response.inject.failed", "response_not_found"),
            (frames.interrupt_rejected, "response.interrupt.rejected", "interrupt_not_supported"),
        ],
    )
    def test_what_is_not_spoken_is_answered(self, answer, kind, code):
        """With the API's own answer, and what was given comes back."""
        given = {"input": b'[{"a":1.50}]', "response_id": b'"r"', "previous_response_id": b'"p"'}
        raw = answer(given)
        assert (kind, code) == (json.loads(raw)["type"], json.loads(raw)["error"]["code"])
        assert (b"1.50" in raw) == (answer is not frames.interrupt_rejected)
        assert json.loads(answer({}))["type"] == kind

    def test_a_warm_up_is_answered_like_any_response(self):
        """Created, then completed without output, for nothing."""
        turn = create(input=[QUESTION], tools=[{"type": "custom", "name": "f"}], generate=False)
        named = replace(turn, follows="resp_0")
        created, completed = map(json.loads, frames.warm_up_events(named, "resp_1", 5))
        assert ["response.created", "response.completed"] == [created["type"], completed["type"]]
        response = completed["response"]
        assert ("resp_1", "completed", [], "resp_0") == tuple(
            response[name] for name in ("id", "status", "output", "previous_response_id")
        )
        assert 0 == response["usage"]["total_tokens"]
        assert [{"type": "custom", "name": "f"}] == response["tools"]
