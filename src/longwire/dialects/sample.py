"""A turn that nobody sends: what a client of an API would ask a model, to try where it would go."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from longwire.core.nouns.access import EVERYTHING, Grant
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import decoder_of
from longwire.dialects.ports import NO_HEADERS

MOST_TOKENS = 2_000_000
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of such a turn: its `api` as a client's, and about how large its input is."""

    model: str
    api: str = "responses"
    streams: bool = True
    has_tools: bool = False
    input_tokens: int = 0
    session: str = ""


def sample_turn(sample: Sample, grant: Grant = EVERYTHING) -> Turn:
    """Return the turn, read as a client's is."""
    text = "x" * _BYTES_PER_TOKEN * max(1, min(sample.input_tokens, MOST_TOKENS))
    body = msgspec.json.encode(_body(sample, text))
    turn = decoder_of(sample.api, sample.model)(body, NO_HEADERS, grant)
    return replace(turn, streams=sample.streams, has_tools=sample.has_tools)


def _body(sample: Sample, text: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    match sample.api:
        case "responses":
            return {"model": sample.model, "input": messages}
        case "chat_completions":
            return {"model": sample.model, "messages": messages}
        case "messages":
            return {"model": sample.model, "messages": messages, "max_tokens": 1}
        case _:
            return {"contents": [{"role": "user", "parts": [{"text": text}]}]}
