"""Turns as Gemini gets them, and its answers as they are read."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from longwire.core.events import Event
from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content.reading import Answered, GeneratedAnswer
from longwire.dialects.generate_content.upstream import GenerateContentUpstream
from longwire.dialects.ports import NO_HEADERS, Fallback, Reading, Terms, UpstreamCall
from longwire.dialects.responses.request import decode_request
from longwire.dialects.seals import Seal, sealed

Json = Any
MODEL = "gemini-3-pro-preview"
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def turn_of(input_: Json = "Hello", **members: Json) -> Turn:
    """A turn of a client of the Responses API."""
    body = {"model": MODEL, "input": input_, **members}
    return decode_request(json.dumps(body).encode())


def call_of(input_: Json = "Hello", *, may_drop: bool = False, **members: Json) -> UpstreamCall:
    """What is sent for a turn."""
    terms = Terms(may_drop=may_drop)
    return GenerateContentUpstream().translate(turn_of(input_, **members), NO_HEADERS, terms)


def body_of(input_: Json = "Hello", **members: Json) -> Json:
    """The body that is sent for a turn."""
    return json.loads(call_of(input_, **members).body)


def contents_of(*items: Json, **members: Json) -> Json:
    """The contents that are sent for some items."""
    return body_of([*items], **members)["contents"]


def user(text: str) -> Json:
    return {"type": "message", "role": "user", "content": text}


def assistant(text: str) -> Json:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content}


def call(call_id: str, name: str = "weather", arguments: str = "{}", **members: Json) -> Json:
    said = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", **said, **members}


def output(call_id: str, text: Json) -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def signed(kind: str, signature: str, issuer: str = "gemini", text: str = "") -> Json:
    """Reasoning that holds a signature."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    content = sealed(Seal(issuer, signature, kind))
    return {"type": "reasoning", "summary": summary, "encrypted_content": content}


def reading(input_: Json = "Hello", **members: Json) -> Reading:
    """What reads the answer to a turn."""
    return call_of(input_, **members).reading(Fallback("fallback", 0))


def chunk(*parts: Json, finish: str | None = None, **members: Json) -> Json:
    """One chunk of an answer; with a finish reason it is the last."""
    candidate: Json = {"content": {"role": "model", "parts": [*parts]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
        members = {"usageMetadata": usage, **members}
    return {"candidates": [candidate], "modelVersion": MODEL, "responseId": "abc", **members}


def sse(*chunks: Json) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % json.dumps(each).encode() for each in chunks)


def read(*chunks: Json, by: Reading | None = None) -> list[Event]:
    """The events of a stream of chunks."""
    by = by or GeneratedAnswer(Answered(), Fallback("fallback", 0))
    return by.feed(sse(*chunks)) + by.end()


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """A body in pieces."""
    return (body[at : at + size] for at in range(0, len(body), size))


def datas(events: Iterable[Event]) -> list[Json]:
    return [json.loads(event.raw) for event in events]


def names(events: Iterable[Event]) -> list[str]:
    return [event.name for event in events]


def response(events: list[Event]) -> Json:
    """The response of a terminal."""
    return json.loads(events[-1].raw)["response"]


def said(item: Json) -> Json:
    """An item without what only an answer gives it."""
    return {name: value for name, value in item.items() if name not in ("id", "status")}
