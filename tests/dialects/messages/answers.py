"""Requests, upstream events and answers of this dialect, for its tests."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.messages.answer import MessagesAnswer
from longwire.dialects.messages.request import decode_request
from longwire.dialects.responses.stream import decode_event, decode_item
from tests.dialects.refusals import sayable

Json = dict[str, Any]
QUESTION = {"role": "user", "content": "hi"}
THINKING = {"type": "adaptive", "display": "summarized"}
SESSION = "x-claude-code-session-id"
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
}


def encoded(value: object) -> bytes:
    """JSON as clients and upstreams write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def turn(*messages: Json, headers: dict[str, str] | None = None, **members: Any) -> Turn:
    """The turn of a request."""
    body = {"model": "claude-x", "max_tokens": 1024, "messages": messages or (QUESTION,), **members}
    return sayable(decode_request(encoded(body), headers or {}, EVERYTHING))


def items_of(sent: Turn) -> list[Json]:
    """The items of a turn's input."""
    return json.loads(sent.input or b"[]")


def item(kind: str, index: int, **members: Any) -> Json:
    return {"type": kind, "id": f"{kind[:2]}_{index}", "status": "completed", **members}


def message(text: str, index: int = 0, **members: Any) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return item("message", index, **{"role": "assistant", "content": content, **members})


def call(arguments: str, index: int = 0, name: str = "Read", **members: Any) -> Json:
    ids = {"call_id": f"call_{index}", **members}
    return item("function_call", index, name=name, arguments=arguments, **ids)


def reasoning(summary: Sequence[str] = (), index: int = 0, sealed: str = "gAAAA") -> Json:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return item("reasoning", index, summary=parts, encrypted_content=sealed or None)


def search(index: int, **action: Any) -> Json:
    return item("web_search_call", index, action={"type": "search", **action})


def _deltas(index: int, each: Json, size: int) -> Iterator[Json]:
    def cut(kind: str, text: str, **members: Any) -> Iterator[Json]:
        for at in range(0, len(text), size):
            delta = text[at : at + size]
            yield {"type": kind, "output_index": index, "delta": delta, **members}

    match each["type"]:
        case "message":
            for number, part in enumerate(each["content"]):
                what = "output_text" if part["type"] == "output_text" else "refusal"
                text = part.get("text", part.get("refusal"))
                yield from cut(f"response.{what}.delta", text, content_index=number)
        case "function_call":
            yield from cut("response.function_call_arguments.delta", each["arguments"])
        case "reasoning":
            for number, part in enumerate(each["summary"]):
                added = {"type": "response.reasoning_summary_part.added", "summary_index": number}
                yield {**added, "output_index": index, "part": {"type": "summary_text", "text": ""}}
                yield from cut("response.reasoning_summary_text.delta", part["text"])


def events_of(output: Sequence[Json], size: int = 4, **response: Any) -> list[Json]:
    """The events of a response as an upstream streams them, deltas of `size` characters."""
    whole = {"id": "resp_1", "status": "completed", "usage": USAGE, "output": output, **response}
    opening = {"id": whole["id"], "output": []}
    events: list[Json] = [{"type": "response.created", "response": opening}]
    for index, each in enumerate(output):
        empty = {"content": [], "summary": [], "arguments": ""}
        begun = each | {name: value for name, value in empty.items() if name in each}
        events.append({"type": "response.output_item.added", "output_index": index, "item": begun})
        events += _deltas(index, each, size)
        events.append({"type": "response.output_item.done", "output_index": index, "item": each})
    kind = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    events.append({"type": kind, "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def decoded(event: Json) -> Event:
    return decode_event(encoded(event))


def seen(aggregate: Aggregate, event: Event) -> Event:
    """Note an event, as the reader of an upstream does."""
    if event.kind is Kind.OPENING:
        aggregate.opening = event
    elif event.kind is Kind.ITEM:
        aggregate.add_item(*decode_item(event.raw))
    elif event.kind is not Kind.OUTPUT:
        aggregate.terminal = event
    return event


def streamed(sent: Turn, events: Iterable[Json]) -> bytes:
    """The stream that a client gets, all events by the general way."""
    aggregate = Aggregate()
    answer = MessagesAnswer(sent, aggregate)
    return b"".join(answer.encode_batch([seen(aggregate, decoded(each))]) for each in events)


def streamed_plain(sent: Turn, events: Sequence[Json], splits: Sequence[int] = ()) -> bytes:
    """The same by the fast way where it takes events, in reads that end at `splits`."""
    aggregate, written = Aggregate(), list[bytes]()
    answer = MessagesAnswer(sent, aggregate)
    frames = [encoded(each) for each in events]
    edges = sorted({0, *(at % (len(frames) + 1) for at in splits), len(frames)})
    for start, end in pairwise(edges):
        at = start
        while at < end and not answer.is_cut:
            count, text = answer.encode_plain(iter(frames[at:end]))
            written.append(text)
            at += count
            if at < end and not answer.is_cut:
                written.append(answer.encode_batch([seen(aggregate, decode_event(frames[at]))]))
                at += 1
    return b"".join(written)


def whole(sent: Turn, events: Sequence[Json]) -> Json:
    """The answer that a client gets at once."""
    aggregate = Aggregate()
    for each in events:
        seen(aggregate, decoded(each))
    assert aggregate.terminal is not None
    return json.loads(MessagesAnswer(sent, aggregate).whole(aggregate.terminal))


def data_of(stream: bytes) -> list[Json]:
    """The events of a stream, each of which is named as its type."""
    events = []
    for name, data in sse.Decoder().feed(stream):
        event = json.loads(data)
        assert name == event["type"]
        events.append(event)
    return events


def accumulated(stream: bytes) -> Message:
    """What Anthropic's own client makes of a stream."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in data_of(stream):
        if event["type"] not in ("ping", "error"):
            snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def replayed(content: Sequence[Json]) -> Json:
    """The message that a client sends back."""
    return {"role": "assistant", "content": list(content)}
