"""Turns as they are said in Chat Completions, and answers of its upstreams as they are read."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from longwire.core.events import Event, Kind
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.upstream import ChatUpstream
from longwire.dialects.ports import Fallback, Reading, Terms, UpstreamCall
from longwire.dialects.profiles.profile import GENERIC, Profile
from longwire.dialects.responses.request import decode_request

Item = dict[str, Any]
FALLBACK = "fallback"
QUESTION: Item = {"role": "user", "content": "hi"}
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def turn_of(*items: Item, **members: Any) -> Turn:
    """The turn of a request of the Responses API."""
    body = {"model": "m", "input": list(items) or [QUESTION], **members}
    return decode_request(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def call_of(
    *items: Item, profile: Profile = GENERIC, may_drop: bool = False, **members: Any
) -> UpstreamCall:
    """The call that a request is."""
    return ChatUpstream().translate(turn_of(*items, **members), {}, Terms(profile, may_drop))


def body_of(*items: Item, profile: Profile = GENERIC, **members: Any) -> Item:
    """The body that a request is."""
    return json.loads(call_of(*items, profile=profile, **members).body)


def messages_of(*items: Item, profile: Profile = GENERIC, **members: Any) -> list[Item]:
    """The messages that an input is."""
    return body_of(*items, profile=profile, **members)["messages"]


def reading_of(*, profile: Profile = GENERIC, **members: Any) -> Reading:
    """What reads the answer to a request."""
    return call_of(profile=profile, **members).reading(Fallback(FALLBACK, 0))


def stream_of(chunks: Iterable[bytes | Item], done: bytes = b"data: [DONE]\n\n") -> bytes:
    """A stream of chunks."""
    raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in chunks]
    return b"".join(b"data: %b\n\n" % each for each in raw) + done


def chunk(finish: str | None = None, **delta: Any) -> Item:
    """A chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c-1", "created": 7, "model": "m-1", "choices": [choice]}


def read(sent: bytes, cuts: Sequence[int] = (), **members: Any) -> list[Event]:
    """The events of a stream that comes in pieces."""
    reading, events, start = reading_of(**members), list[Event](), 0
    for cut in (*cuts, len(sent)):
        events += reading.feed(sent[start:cut])
        start = cut
    return events + reading.end()


def read_whole(body: bytes | Item, **members: Any) -> list[Event]:
    """The events of an answer that comes whole."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reading_of(**members).whole(raw)


def response_in(events: Sequence[Event]) -> Item:
    """The response at the end of its events, which are those of a strict upstream."""
    check(events)
    return json.loads(events[-1].raw)["response"]


def check(events: Sequence[Event]) -> None:
    """Assert that events are what a strict upstream of the Responses API writes."""
    decoded = [json.loads(event.raw) for event in events]
    assert list(range(len(events))) == [event["sequence_number"] for event in decoded]
    assert [event.name for event in events] == [event["type"] for event in decoded]
    assert [Kind.OPENING, Kind.OPENING] == [event.kind for event in events[:2]]
    for event in decoded:
        _EVENT.validate_python(event)
    response = decoded[-1]["response"]
    Response.model_validate(response)
    done = [event for event in decoded if event["type"] == "response.output_item.done"]
    assert response["output"] == [
        event["item"] for event in sorted(done, key=lambda event: event["output_index"])
    ]
    assert streamed_text(decoded) == output_text(response["output"])


def streamed_text(events: Sequence[Item]) -> str:
    """The deltas of all texts, in the order of their items."""
    deltas = [event for event in events if event["type"].endswith(".delta")]
    return "".join(
        event["delta"] for event in sorted(deltas, key=lambda event: event["output_index"])
    )


def output_text(output: Sequence[Item]) -> str:
    """All texts of an output."""
    return "".join(
        part.get("text", part.get("refusal", ""))
        for item in output
        for part in [
            *item.get("content", ()),
            {"text": text_of(item)},
        ]
    )


def text_of(call: Item) -> str:
    """The text that a call streams; arguments that are no text come whole."""
    text = call.get("arguments", call.get("input", ""))
    return text if isinstance(text, str) else ""


def said(events: Sequence[Event]) -> Item:
    """What an answer says: its reasoning, text, refusal, calls, and why it ends."""
    response = response_in(events)
    found: Item = {"reasoning": "", "text": "", "calls": [], "status": response["status"]}
    for item in response["output"]:
        text = "".join(part.get("text", "") for part in item.get("content", ()))
        if item["type"] == "reasoning":
            found["reasoning"] += text
        elif item["type"] == "message":
            found["text"] += text
        else:
            found["calls"].append((item["call_id"], item["name"], item["arguments"]))
    return found
