"""What a request wishes of its answer, as vendors of Chat Completions have it said."""

from collections.abc import Container, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.functions import Functions, sent_name
from longwire.dialects.chat_completions.inlined import inlined
from longwire.dialects.fields import member, text
from longwire.dialects.losses import Losses
from longwire.dialects.offered_tools import Chosen, chosen_of
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import NULL
from longwire.dialects.schemas import answer_schema

Members = Mapping[str, bytes]
T = TypeVar("T")
_NULL: Final = bytes(NULL)
_encode: Final = msgspec.json.Encoder().encode
_LOGPROBS: Final = "message.output_text.logprobs"
_BY_SCHEMA: Final = "Answer with JSON alone, which fits this JSON schema:\n"
_JSON_OBJECT: Final = b'{"type":"json_object"}'


class _Format(msgspec.Struct):
    type: str = "text"
    name: Raw = NULL
    description: Raw = NULL
    schema: Raw = NULL
    strict: Raw = NULL


class Text(msgspec.Struct):
    """How the text of an answer is to be."""

    format: _Format | None = None
    verbosity: Raw = NULL


class _Reasoning(msgspec.Struct):
    effort: str | None = None


_decode_text: Final = msgspec.json.Decoder(Text | None).decode
_decode_reasoning: Final = msgspec.json.Decoder(_Reasoning | None).decode
_decode_include: Final = msgspec.json.Decoder(list[str] | None).decode
_decode_count: Final = msgspec.json.Decoder(int | None).decode


def text_of(members: Members) -> Text:
    """Return `text`. Raises `InvalidRequest`."""
    return member(members, "text", _decode_text) or Text()


def schema_prompt(wanted: Text, profile: Profile) -> bytes:
    """Return the words that ask for a schema, as a raw JSON text; b"" where none are needed."""
    style = wanted.format
    if style is None or style.type != "json_schema" or profile.schemas == "sent":
        return b""
    schema = answer_schema(style.schema, "text.format.schema")
    return msgspec.json.encode(_BY_SCHEMA + schema.decode("utf-8", "replace"))


def format_of(wanted: Text, profile: Profile) -> Iterator[bytes]:
    """Give the member that says the format of the answer, where it has one."""
    style = wanted.format
    if style is None or style.type == "text":
        return
    if style.type != "json_schema":
        yield b'"response_format":{"type":%b}' % msgspec.json.encode(style.type)
    elif profile.schemas == "prompt":
        yield b'"response_format":' + _JSON_OBJECT
    else:
        yield b'"response_format":{"type":"json_schema","json_schema":{%b}}' % _schema(
            style, profile
        )


def _schema(style: _Format, profile: Profile) -> bytes:
    said = [b'"name":' + text(style.name, "text.format", "name")]
    if bytes(style.description) != _NULL:
        said.append(b'"description":' + bytes(style.description))
    schema = answer_schema(style.schema, "text.format.schema")
    if profile.inlines_refs:
        schema = inlined(schema, "text.format.schema")
    said.append(b'"schema":' + schema)
    if profile.takes_strict and bytes(style.strict) != _NULL:
        said.append(b'"strict":' + bytes(style.strict))
    return b",".join(said)


def effort_of(members: Members, model: str, profile: Profile, losses: Losses) -> Iterator[bytes]:
    """Give the members that say how hard the model is to think."""
    wanted = member(members, "reasoning", _decode_reasoning)
    if wanted is None or wanted.effort is None:
        return
    said = _of_model(profile.efforts, model, {}).get(wanted.effort)
    if said is None:
        losses.drop("reasoning.effort")
    for name, value in (said or {}).items():
        yield msgspec.json.encode(name) + b":" + msgspec.json.encode(value)


def limit_of(members: Members, model: str, profile: Profile) -> Iterator[bytes]:
    """Give the most tokens that the answer may have, no more than the model takes."""
    most = member(members, "max_output_tokens", _decode_count)
    if most is None:
        return
    limit = _of_model(profile.max_output, model, most)
    yield b'"%b":%d' % (profile.token_member.encode(), min(most, limit))


def _of_model(table: Mapping[str, T], model: str, default: T) -> T:
    """Return what a table says of a model, by the first of its patterns that fits the name."""
    return next((row for name, row in table.items() if fnmatchcase(model, name)), default)


def logprobs_of(members: Members) -> Iterator[bytes]:
    """Give the wish for logprobs."""
    included = member(members, "include", _decode_include) or ()
    most = member(members, "top_logprobs", _decode_count)
    if _LOGPROBS in included or most:
        yield b'"logprobs":true'
        if most:
            yield b'"top_logprobs":%d' % most


def choice_of(
    members: Members, functions: Functions, profile: Profile, losses: Losses
) -> Iterator[bytes]:
    """Give `tools`, and how the model is to choose among them."""
    wanted = member(members, "reasoning", _decode_reasoning)
    thinks = wanted is None or wanted.effort != "none"
    by_name = functions.by_name
    chosen = chosen_of(members.get("tool_choice"), by_name, sent_name, losses)
    said, allowed = _Speaker(profile, losses, thinks=thinks).say(chosen)
    if allowed is not None:
        by_name = {name: raw for name, raw in by_name.items() if name in allowed}
    if not by_name:
        return
    yield b'"tools":[%b]' % b",".join(by_name.values())
    if said:
        yield b'"tool_choice":' + said
    parallel = members.get("parallel_tool_calls", _NULL)
    if parallel != _NULL and profile.takes_parallel:
        yield b'"parallel_tool_calls":' + parallel
    elif parallel == b"false":
        losses.drop("parallel_tool_calls")


_Spoken = tuple[bytes, Container[str] | None]
"""A choice as raw JSON, b"" for what needs no word, and the only functions that are sent."""


class _Speaker:
    """Says a choice among functions; where a vendor knows no such choice, only those are sent."""

    def __init__(self, profile: Profile, losses: Losses, *, thinks: bool) -> None:
        self._profile = profile
        self._losses = losses
        self._can_force = profile.forces_while_thinking or not thinks

    def say(self, chosen: Chosen) -> _Spoken:
        """Return the choice. Raises `Unsayable` for one that the vendor does not take."""
        names, known = chosen.names, self._profile.tool_choices
        if names == () or (chosen.mode == "none" and "none" not in known):
            return b"", ()
        if names is None:
            return self._mode(chosen.mode), None
        tools = [b'{"type":"function","function":{"name":%b}}' % _encode(name) for name in names]
        if chosen.is_one and self._can_force and "named" in known:
            return tools[0], None
        if not chosen.is_one and "allowed_tools" in known:
            said = b'{"type":"allowed_tools","allowed_tools":{"mode":"%b","tools":[%b]}}'
            return said % (chosen.mode.encode(), b",".join(tools)), None
        return self._mode(chosen.mode), names

    def _mode(self, mode: str) -> bytes:
        if mode == "auto":
            return b""
        if mode == "none" or (self._can_force and mode in self._profile.tool_choices):
            return b'"%b"' % mode.encode()
        while_thinking = "" if self._can_force else " while its model thinks"
        fault = f"is {mode}, which {self._profile.name} does not take{while_thinking}"
        self._losses.refuse("tool_choice", fault)
        return b""
