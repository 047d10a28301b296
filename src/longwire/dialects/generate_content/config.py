"""A request's `generationConfig` as members of the Responses API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import SEED, STOP, Wish
from longwire.dialects.chat_completions.wire import Reading
from longwire.dialects.efforts import effort_of, least_effort
from longwire.dialects.fields import decoded, invalid
from longwire.dialects.generate_content.members import checked_config
from longwire.dialects.generate_content.schema import format_of
from longwire.dialects.generate_content.wire import camel, camelled
from longwire.dialects.raw_json import decode_members, text_of
from longwire.dialects.schemas import can_be_strict
from longwire.dialects.wishes import wishes_of

WISHES: Final = {
    STOP: "stopSequences",
    SEED: "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
"""What this API calls what the Responses API has no word for."""

JSON_OBJECT: Final = b'{"format":{"type":"json_object"}}'
"""What JSON without a schema is in the Responses API."""

_AT: Final = "generationConfig"
_THINKING_AT: Final = f"{_AT}.thinkingConfig"
_MOST_STOPS: Final = 64
_LONGEST_STOP: Final = 1000
_EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh")
_UNSPECIFIED: Final = "thinking_level_unspecified"
_SAMPLING: Final = {"temperature": "temperature", "topP": "top_p"}
_JSON: Final = "application/json"
_PLAIN: Final = "text/plain"
_ENCRYPTED: Final = b'["reasoning.encrypted_content"]'


class _Thinking(msgspec.Struct, rename="camel"):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


_THINKING: Final = Reading(_Thinking, _THINKING_AT, camelled)
_decode_integer: Final = msgspec.json.Decoder(int).decode
_decode_number: Final = msgspec.json.Decoder(float).decode
_decode_texts: Final = msgspec.json.Decoder(list[str]).decode
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Config:
    """What a config says: members of the hub, and what the gateway does itself."""

    members: dict[str, bytes]
    stops: tuple[str, ...] = ()
    shows_thoughts: bool = False
    refusal: InvalidRequest | None = None
    wishes: tuple[Wish, ...] = ()


def config_of(raw: bytes, model: str, dropped: set[str]) -> Config:
    """Return what a `generationConfig` says. Raises `InvalidRequest`, which names the field."""
    if raw[:1] != b"{":
        raise invalid(_AT, "must be an object")
    found = checked_config({camel(name): value for name, value in decode_members(raw).items()})
    dropped |= found.dropped
    members = found.kept
    config = Config(_limit(members) | _text(members), _stops(members), refusal=found.refusal)
    if not members.keys().isdisjoint(WISHES.values()):
        config.wishes = wishes_of(members, WISHES, config.stops, f"{_AT}.")
    is_on = "thinkingConfig" in members and _think(members, model, config, dropped)
    for name, own in _SAMPLING.items():
        if name in members:
            decoded(_decode_number, members[name], f"{_AT}.{name}")
            if is_on:
                dropped.add(f"{_AT}.{name}")
            else:
                config.members[own] = members[name]
    return config


def _limit(members: Mapping[str, bytes]) -> dict[str, bytes]:
    if "maxOutputTokens" not in members:
        return {}
    most = decoded(_decode_integer, members["maxOutputTokens"], f"{_AT}.maxOutputTokens")
    if most < 1:
        raise invalid(f"{_AT}.maxOutputTokens", "must be at least 1")
    return {"max_output_tokens": b"%d" % most}


def _think(members: Mapping[str, bytes], model: str, config: Config, dropped: set[str]) -> bool:
    """Add how hard to think; say whether the model is to think at all."""
    wish = _THINKING.decode(members["thinkingConfig"], _THINKING_AT, dropped)
    effort, is_on = _effort(wish, model), wish.thinking_budget != 0
    config.shows_thoughts = bool(wish.include_thoughts) and is_on
    said: dict[str, Any] = {"effort": effort} if effort else {}
    said |= {"summary": "auto"} if config.shows_thoughts else {}
    if said:
        config.members["reasoning"] = _encode(said)
    if is_on:
        config.members["include"] = _ENCRYPTED
    return is_on


def _effort(wish: _Thinking, model: str) -> str | None:
    level = (wish.thinking_level or _UNSPECIFIED).lower()
    if level != _UNSPECIFIED:
        if level not in _EFFORTS:
            fault = f"must be one of {', '.join(each.upper() for each in _EFFORTS)}"
            raise invalid(f"{_THINKING_AT}.thinkingLevel", fault)
        return level
    budget = wish.thinking_budget
    if budget == 0:
        return least_effort(model)
    return effort_of(budget) if budget is not None and budget > 0 else None


def _text(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the format of the answer."""
    own, json_schema = (
        members.get(name, b"null") for name in ("responseSchema", "responseJsonSchema")
    )
    mime_type = text_of(members, "responseMimeType") or _PLAIN
    if mime_type not in (_JSON, _PLAIN):
        raise invalid(f"{_AT}.responseMimeType", f"must be {_JSON} or {_PLAIN}")
    for name, raw in (("responseSchema", own), ("responseJsonSchema", json_schema)):
        if raw != b"null" and raw[:1] != b"{":
            raise invalid(f"{_AT}.{name}", "must be a schema, an object")
    if own == json_schema == b"null":
        return {"text": JSON_OBJECT} if mime_type == _JSON else {}
    schema = format_of(own, json_schema)
    strict = b"true" if can_be_strict(schema) else b"false"
    said = b'{"type":"json_schema","name":"output","schema":%b,"strict":%b}' % (schema, strict)
    return {"text": b'{"format":%b}' % said}


def _stops(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the stop sequences without empty ones; each is sought in every piece of text."""
    path = f"{_AT}.stopSequences"
    if "stopSequences" not in members:
        return ()
    texts = decoded(_decode_texts, members["stopSequences"], path)
    if len(texts) > _MOST_STOPS:
        raise invalid(path, f"must be at most {_MOST_STOPS}")
    for index, each in enumerate(texts):
        if len(each) > _LONGEST_STOP:
            raise invalid(f"{path}.{index}", f"must have at most {_LONGEST_STOP} characters")
    return tuple(filter(None, texts))
