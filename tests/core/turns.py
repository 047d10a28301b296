"""Turns for the tests of the core, decoded from real bodies."""

import json
from dataclasses import replace
from typing import Any

from longwire.core.rules.continuity import Chain, Decision, extend
from longwire.core.rules.turn import Scope, SessionKey, Turn
from longwire.dialects.responses.items import canonical_item
from longwire.dialects.responses.request import decode_request


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def answer(text: str, number: int = 1) -> dict[str, Any]:
    return {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": text}


def turn(*history: dict[str, Any], **members: Any) -> Turn:
    return decode_request(json.dumps({"model": "m", "input": history, **members}).encode())


def naming(turn: Turn, response_id: str) -> Turn:
    """A turn whose client named a response, of which the history stands in its input."""
    return replace(turn, source=replace(turn.source, previous_response_id=response_id))


def chain(
    sent: Turn, *output: dict[str, Any], response_id: str = "resp_1", previous: Chain | None = None
) -> Chain:
    replies = tuple(canonical_item(json.dumps(item).encode()) for item in output)
    return extend(sent, response_id, replies, previous)


def key(session: str = "s", scope: str = "api_key:1", endpoint: str = "e") -> SessionKey:
    return SessionKey(endpoint=endpoint, scope=Scope(scope), session=session)


def name(decision: Decision) -> str:
    return getattr(decision, "reason", type(decision).__name__)
