"""Requests and answers of Gemini's API, the latter as its own types read them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.genai import types

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content.client import GenerateContent
from longwire.dialects.generate_content.request import decode_request
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.responses.stream import decode_event, decode_item

Item = dict[str, Any]
QUESTION: Item = {"role": "user", "parts": [{"text": "hi"}]}
STREAM = Target("m", "streamGenerateContent")
ARRAY = Target("m", "streamGenerateContent", is_array=True)
WHOLE = Target("m")


def turn_of(*contents: Item, target: Target = WHOLE, **members: Any) -> Turn:
    """The turn of a request."""
    body = {"contents": list(contents) or [QUESTION], **members}
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return decode_request(raw, {}, EVERYTHING, target=target)


def items_of(turn: Turn) -> list[Item]:
    """The input of a turn, which can be said in the Responses API."""
    assert turn.source.refusal is None, turn.source.refusal
    return json.loads(turn.input)


def hub(turn: Turn) -> Item:
    """The members of a turn."""
    return {name: json.loads(raw) for name, raw in turn.members.items()}


class Answering:
    """An answer under way, with the reader of its upstream's frames."""

    def __init__(self, turn: Turn) -> None:
        self.aggregate = Aggregate()
        self.answer = GenerateContent().answer(turn, self.aggregate, {})

    def plain(self, frames: Sequence[bytes]) -> tuple[int, bytes]:
        """Frames on the hot path, as many as pass there."""
        return self.answer.encode_plain(iter(frames))

    def batch(self, frames: Sequence[bytes]) -> bytes:
        """Frames that were decoded."""
        return self.answer.encode_batch([self.event(each) for each in frames])

    def event(self, raw: bytes) -> Event:
        """An event, kept where its reader keeps it."""
        event = decode_event(raw)
        if event.kind is Kind.ITEM:
            self.aggregate.add_item(*decode_item(raw))
        elif event.kind is Kind.OPENING:
            self.aggregate.opening = event
        elif event.kind is not Kind.OUTPUT:
            self.aggregate.terminal = event
        return event

    def whole(self, frames: Sequence[bytes]) -> bytes:
        """The body of an answer that does not stream."""
        for each in frames:
            self.event(each)
        return self.answer.whole(self.aggregate.terminal)


def stream(turn: Turn, frames: Sequence[bytes], plan: Iterable[tuple[bool, int]] = ()) -> bytes:
    """A stream's bytes; the plan says how many frames come at once, and whether undecoded."""
    answering, at, sent = Answering(turn), 0, b""
    for is_plain, count in [*plan, (False, len(frames))]:
        some = frames[at : at + count]
        taken = 0
        if is_plain and some:
            taken, encoded = answering.plain(some)
            sent += encoded
        if taken < len(some):
            sent += answering.batch(some[taken:])
        at += count
        if answering.answer.is_cut:
            break
    return sent


def chunks_of(sent: bytes) -> list[Item]:
    """The chunks of a stream, each of Google's own type."""
    chunks = [json.loads(data) for _, data in sse.Decoder().feed(sent)]
    for chunk in chunks:
        checked(chunk)
    return chunks


def checked(response: Item) -> Item:
    """A response, which Google's own type reads without a member that it does not know."""
    read = types.GenerateContentResponse.model_validate(response)
    assert read.candidates is not None
    return response


def parts_of(chunks: Iterable[Item]) -> list[Item]:
    """The parts of all chunks."""
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


def endings(chunks: Iterable[Item]) -> list[str]:
    """The reasons to finish among chunks."""
    candidates = [chunk["candidates"][0] for chunk in chunks]
    return [each["finishReason"] for each in candidates if "finishReason" in each]
