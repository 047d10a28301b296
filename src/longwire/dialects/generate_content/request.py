"""A request of Gemini's API decoded to a `Turn`, whose members are those of Responses.

What becomes of each member stands in `members.MEMBERS`. Law: what cannot be read here, or not said
in the Responses API, is no error yet: a channel that speaks this API may serve it as it is.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.nouns.access import Grant
from longwire.core.rules.turn import Purpose, Source, Turn
from longwire.dialects.fields import invalid
from longwire.dialects.generate_content.config import JSON_OBJECT, Config, config_of
from longwire.dialects.generate_content.contents import Contents
from longwire.dialects.generate_content.image import image_of
from longwire.dialects.generate_content.members import checked
from longwire.dialects.generate_content.options import Options
from longwire.dialects.generate_content.targets import Target
from longwire.dialects.generate_content.tools import Toolbox
from longwire.dialects.generate_content.wire import camel
from longwire.dialects.halves import Halves
from longwire.dialects.members import PREFILL, names_of
from longwire.dialects.ports import Headers
from longwire.dialects.raw_json import decode_members, text_of, without_mark
from longwire.dialects.responses.history import BodyProperties, InputHistory
from longwire.dialects.unread import unread_turn

API: Final = "generate_content"
_WRITTEN_ANEW: Final = (
    *("contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config"),
    *("generationConfig", "generation_config", "generateContentRequest"),
    "generate_content_request",
)
"""Members whose texts travel inside others of the hub."""

_COUNTED: Final = frozenset({"model", "instructions", "tools", "tool_choice", "reasoning", "text"})
_TIERS: Final = {"standard": b'"default"', "flex": b'"flex"', "priority": b'"priority"'}
Members = Mapping[str, bytes]


def decode_request(body: bytes, _headers: Headers, _grant: Grant, *, target: Target) -> Turn:
    """Decode the body of what is posted to a target. Raises `InvalidRequest` for no JSON object."""
    body, halves = without_mark(body), Halves(*_WRITTEN_ANEW)
    members = _camelled(decode_members(body, halves))
    if target.counts and "generateContentRequest" in members:
        members = _camelled(decode_members(members["generateContentRequest"]))
    try:
        turn = _turn(members, body, target, halves)
    except InvalidRequest as error:
        turn = _unread(body, target, error)
    return _counting(turn) if target.counts else turn


def _camelled(members: Members) -> dict[str, bytes]:
    """Return members by the names that the API's documents have for them."""
    found: dict[str, bytes] = {}
    for name, raw in members.items():
        if camel(name) in found:
            raise invalid(name, f"is there as '{camel(name)}', too; send it once")
        found[camel(name)] = raw
    return found


def _turn(members: Members, body: bytes, target: Target, halves: Halves) -> Turn:
    """Read a request. Raises `InvalidRequest`, which names the field."""
    found = checked(members)
    kept, dropped, originals = found.kept, set(found.dropped), dict[str, str]()
    contents, toolbox = Contents(originals, dropped), Toolbox(originals, dropped)
    _read_contents(kept, contents)
    if "tools" in kept:
        toolbox.read(kept["tools"])
    config = config_of(kept.get("generationConfig", b"{}"), target.model, dropped)
    prefill = None if target.counts else _prefill(contents, dropped)
    if config.members.get("text") == JSON_OBJECT:
        contents.ask_for_json()
    hub = halves.restore_in(_hub_members(kept, target, config, toolbox))
    options = Options(config.stops, originals, config.shows_thoughts, target.is_array)
    refusals = found.refusal, config.refusal, toolbox.refusal, contents.refusal, prefill
    source = Source(
        API,
        len(body),
        body=body,
        dropped=names_of(dropped),
        options=options,
        leading=contents.leading,
        refusal=next(filter(None, refusals), None),
        wishes=config.wishes,
    )
    raw_input = halves.restore(b"[%b]" % b",".join(contents.items))
    return Turn(
        source=source,
        model=target.model,
        members=hub,
        input=raw_input,
        history=InputHistory(raw_input),
        properties=BodyProperties(hub),
        image=partial(image_of, options),
        streams=target.streams,
        has_tools="tools" in hub,
    )


def _read_contents(members: Members, contents: Contents) -> None:
    if "systemInstruction" in members:
        contents.instruct(members["systemInstruction"])
    contents.read(members.get("contents", b"[]"))
    if contents.silent or len(contents.items) == contents.leading:
        fault = "is required: send what a user says, as a text at least"
        raise contents.refusal or invalid(contents.silent or "contents", fault)


def _prefill(contents: Contents, dropped: set[str]) -> InvalidRequest | None:
    """Leave out the answer that is begun for the model, and return why it cannot be said."""
    if not contents.ends_with_model:
        return None
    prefill = InvalidRequest(
        "The last of 'contents' is the model's: an answer that is begun for it cannot be continued "
        "in the Responses API. End with what a user says.",
        param="contents",
    )
    if contents.before_model <= contents.leading:
        raise prefill
    del contents.items[contents.before_model :]
    dropped.add(PREFILL)
    return prefill


def _hub_members(
    members: Members, target: Target, config: Config, toolbox: Toolbox
) -> dict[str, bytes]:
    """Return the members of a request of the Responses API."""
    hub = {"model": _model(target), "store": b"false", **config.members}
    if toolbox.offered:
        hub["tools"] = b"[%b]" % b",".join(toolbox.offered)
    hub |= toolbox.choice(members)
    tier = (text_of(members, "serviceTier") or "").lower().removeprefix("service_tier_")
    if tier in _TIERS:
        hub["service_tier"] = _TIERS[tier]
    return hub


def _unread(body: bytes, target: Target, error: InvalidRequest) -> Turn:
    """Return what is known of a request that cannot be read: its model."""
    options = Options(is_array=target.is_array)
    refusal = error.with_traceback(None)
    source = Source(API, len(body), body=body, options=options, refusal=refusal)
    return unread_turn(source, target.model, _model(target), streams=target.streams)


def _model(target: Target) -> bytes:
    return msgspec.json.encode(target.model)


def _counting(turn: Turn) -> Turn:
    """Return the turn that asks how many tokens this one would be."""
    kept = {name: raw for name, raw in turn.members.items() if name in _COUNTED}
    source = replace(turn.source, api=f"{API}/count_tokens")
    return replace(turn, source=source, members=kept, purpose=Purpose.COUNT, streams=False)
