"""Requests and answers of Gemini's API, the latter as its own types read them."""

import json
from collections.abc import Iterable
from typing import Any

from google.genai import types

from longwire.core import sse
from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content.request import decode_request
from longwire.dialects.generate_content.targets import Target

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
