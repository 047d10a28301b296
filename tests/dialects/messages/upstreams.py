"""Turns as Anthropic gets them, and its answers as they are read, for the tests of that."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Turn
from longwire.dialects.client_tools import Declared
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.messages.upstream import MessagesUpstream
from longwire.dialects.ports import Fallback, Terms, UpstreamCall
from longwire.dialects.responses.output import echo_of
from longwire.dialects.responses.request import decode_request

Json = dict[str, Any]
MODEL = "claude-sonnet-5-5"
OLDER = "claude-sonnet-4-5"
TERMS = Terms()
LENIENT = Terms(may_drop=True)


def encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def turn(*items: Json, **members: Any) -> Turn:
    """The turn of a request to the Responses API."""
    body = {"model": MODEL, "input": [*items] or [user("hi")], **members}
    return decode_request(encoded(body), {}, EVERYTHING)


def call_of(*items: Json, terms: Terms = TERMS, **members: Any) -> UpstreamCall:
    return MessagesUpstream().translate(turn(*items, **members), {}, terms)


def body_of(*items: Json, terms: Terms = TERMS, **members: Any) -> Json:
    """What Anthropic gets."""
    return json.loads(call_of(*items, terms=terms, **members).body)


def said(*items: Json, **members: Any) -> list[tuple[str, list[Json]]]:
    """The roles and blocks of messages, without marks."""
    messages = unmarked(body_of(*items, **members))["messages"]
    return [(each["role"], each["content"]) for each in messages]


def unmarked(value: Any) -> Any:
    """A body without its marks."""
    if isinstance(value, list):
        return [unmarked(each) for each in value]
    if isinstance(value, dict):
        return {name: unmarked(each) for name, each in value.items() if name != "cache_control"}
    return value


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def user(words: str) -> Json:
    part = {"type": "input_text", "text": words}
    return {"type": "message", "role": "user", "content": [part]}


def developer(words: str) -> Json:
    return {**user(words), "role": "developer"}


def answer(*words: str) -> Json:
    parts = [{"type": "output_text", "text": each} for each in words]
    return {"type": "message", "role": "assistant", "content": parts}


def called(call_id: str, arguments: str = "{}", name: str = "look") -> Json:
    ids = {"call_id": call_id, "name": name}
    return {"type": "function_call", **ids, "arguments": arguments}


def output(call_id: str, words: str = "seen") -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": words}


def stream_of(frames: Iterable[Json]) -> bytes:
    """The events of a stream as bytes."""
    return b"".join(sse.encode(frame["type"], encoded(frame)) for frame in frames)


def read(
    chunks: Iterable[bytes], tools: dict[str, Declared] | None = None, identity: str = "one"
) -> list[Event]:
    """The events that chunks of a stream are read as."""
    reading = MessagesReading(Fallback(identity, 0), tools or {}, echo_of({}))
    events = [event for chunk in chunks for event in reading.feed(chunk)]
    return [*events, *reading.end()]


def terminal_in(events: Sequence[Event]) -> Json:
    """The response that a terminal brings, which is the last event."""
    assert events[-1].kind in (Kind.COMPLETED, Kind.INCOMPLETE)
    return json.loads(events[-1].raw)["response"]


def start(**members: Any) -> Json:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    usage = {"input_tokens": 10, "output_tokens": 1}
    message = {**head, "stop_reason": None, "usage": usage, **members}
    return {"type": "message_start", "message": message}


def block(index: int, opened: Json, *deltas: Json) -> list[Json]:
    """The events of one block."""
    pieces = [{"type": "content_block_delta", "index": index, "delta": each} for each in deltas]
    begun = {"type": "content_block_start", "index": index, "content_block": opened}
    return [begun, *pieces, {"type": "content_block_stop", "index": index}]


def ending(reason: str = "end_turn", **usage: int) -> list[Json]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    end = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5, **usage}}
    return [end, {"type": "message_stop"}]
