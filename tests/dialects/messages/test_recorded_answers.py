"""Answers of the real API, read as those of the Responses API, where the recordings are at hand."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.rules.exchange import COMPLETED, INCOMPLETE, Exchange
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.ports import Fallback
from longwire.dialects.responses.output import echo_of
from longwire.dialects.seals import opened
from longwire.upstream.event_reader import EventReader
from tests.dialects.messages.upstreams import Json, read, terminal_in
from tests.dialects.recordings import FOLDER, needs_recordings

RECORDED = FOLDER / "anthropic"
STREAMS = sorted(RECORDED.glob("*.chunks.txt"))
WHOLE = sorted(RECORDED.glob("*.json"))
USAGE = {
    "input_tokens": "input_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "output_tokens": "output_tokens",
}


def answers_in(path: Path) -> list[list[Json]]:
    """The events of each answer in a recording."""
    found: list[list[Json]] = [[]]
    for line in filter(None, path.read_text().splitlines()):
        found[-1].append(json.loads(line))
        if found[-1][-1]["type"] == "message_stop":
            found.append([])
    return [events for events in found if events]


def lines_of(events: Sequence[Json]) -> list[bytes]:
    return [sse.encode(each["type"], json.dumps(each).encode()) for each in events]


def message_of(events: Sequence[Json]) -> Json:
    """The message that a stream says, put together as plainly as can be."""
    message: Json = {}
    for event in events:
        match event["type"]:
            case "message_start" if message.get("id") != event["message"]["id"]:
                message = json.loads(json.dumps(event["message"]))
            case "content_block_start":
                message["content"].append(dict(event["content_block"], pieces=""))
            case "content_block_delta":
                extend(message["content"][event["index"]], event["delta"])
            case "message_delta":
                message["usage"].update(event["usage"])
                message.update(event["delta"])
            case _:
                pass
    return message


def extend(block: Json, delta: Json) -> None:
    for name in ("text", "thinking", "signature"):
        if name in delta:
            block[name] = block.get(name, "") + delta[name]
    block["pieces"] += delta.get("partial_json", "")


def contents_of(message: Json) -> Iterator[tuple[str, Any]]:
    """What a message says that the Responses API can say: texts, thoughts, calls."""
    for block in message["content"]:
        match block["type"]:
            case "text":
                yield "text", block["text"]
            case "thinking":
                yield "thinking", (block["thinking"], block["signature"])
            case "tool_use":
                said = json.loads(block["pieces"]) if block.get("pieces") else block["input"]
                yield "call", (block["id"], block["name"], said)
            case "server_tool_use" if block["name"] == "web_search":
                yield "search", block["input"]["query"]
            case "compaction":
                yield "compaction", block["content"]
            case _:
                pass


def contents_read(output: Sequence[Json]) -> Iterator[tuple[str, Any]]:
    """The same of the items that were read."""
    for item in output:
        match item["type"]:
            case "message":
                yield from (("text", part["text"]) for part in item["content"])
            case "reasoning":
                thoughts = "".join(part["text"] for part in item["summary"])
                yield "thinking", (thoughts, opened(item["encrypted_content"]).content)
            case "function_call":
                yield "call", (item["call_id"], item["name"], json.loads(item["arguments"]))
            case "web_search_call":
                yield "search", item["action"]["query"]
            case "compaction":
                yield "compaction", opened(item["encrypted_content"]).content
            case kind:
                raise AssertionError(kind)


def tokens_of(usage: Json) -> Json:
    """Tokens as the Responses API counts them."""
    counts = [usage.get(name) or 0 for name in USAGE]
    thinking = (usage.get("output_tokens_details") or {}).get("thinking_tokens", 0)
    total = sum(counts[:3])
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": counts[2], "cache_write_tokens": counts[1]},
        "output_tokens": counts[3],
        "output_tokens_details": {"reasoning_tokens": thinking},
        "total_tokens": total + counts[3],
    }


def check(message: Json, events: Sequence[Event]) -> None:
    response = terminal_in(events)
    assert list(contents_of(message)) == list(contents_read(response["output"]))
    assert tokens_of(message["usage"]) == response["usage"]
    is_cut = message["stop_reason"] in ("refusal", "max_tokens", "pause_turn")
    assert ("incomplete" if is_cut else "completed") == response["status"]
    items = [json.loads(event.raw)["item"] for event in events if event.kind is Kind.ITEM]
    assert response["output"] == items[-len(response["output"]) :] or not response["output"]


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_every_recorded_stream_is_read_without_loss(path: Path) -> None:
    """Texts, thoughts with their signatures, calls and tokens are those of the recording."""
    for events in answers_in(path):
        check(message_of(events), read(lines_of(events)))


@needs_recordings
@pytest.mark.parametrize("path", WHOLE, ids=[path.name for path in WHOLE])
def test_every_recorded_message_is_read_without_loss(path: Path) -> None:
    """A message that comes whole is read as its stream would be."""
    check(
        json.loads(path.read_text()),
        MessagesReading(Fallback("one", 0), {}, echo_of({})).whole(path.read_bytes()),
    )


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_a_stream_is_read_alike_wherever_it_is_cut(path: Path) -> None:
    """How the network cuts the bytes changes nothing."""
    for events in answers_in(path):
        stream = b"".join(lines_of(events))
        whole = read([stream])
        assert whole == read([stream[at : at + 1] for at in range(len(stream))])
        cuts = sorted({0, len(stream), *(Random(7).choices(range(len(stream)), k=20))})
        assert whole == read([stream[begin:end] for begin, end in pairwise(cuts)])


@needs_recordings
@pytest.mark.parametrize("path", STREAMS, ids=[path.name for path in STREAMS])
def test_an_exchange_takes_every_event(path: Path) -> None:
    """What is read is one answer of the Responses API, which begins and ends as the rules say."""
    for recorded in answers_in(path):
        exchange = Exchange(is_alone=True)
        exchange.step(Kind.SENT)
        reader = EventReader(exchange)
        events = read(lines_of(recorded))
        assert events == reader.take_all(events)
        assert exchange.ending in (COMPLETED, INCOMPLETE)
        assert list(range(len(events))) == [event.sequence for event in events]
