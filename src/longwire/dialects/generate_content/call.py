"""A `Turn` as the body of `generateContent` or `countTokens`.

Law: the same turn gives the same bytes, and the body of a longer history begins with that of the
shorter one: what stays the same stands before the contents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import Purpose, Turn
from longwire.dialects.fields import invalid
from longwire.dialects.gemini_models import needs_signatures
from longwire.dialects.generate_content.call_contents import Contents
from longwire.dialects.generate_content.declarations import Tools, tool_config, tools_of
from longwire.dialects.generate_content.generation import generation_config
from longwire.dialects.generate_content.reading import Answered, Counted, GeneratedAnswer
from longwire.dialects.losses import Losses, refuse_outside
from longwire.dialects.ports import Terms, UpstreamCall
from longwire.dialects.raw_json import text_of
from longwire.dialects.responses.native_items import without_items
from longwire.dialects.responses.output import echo_of

_SAID_ELSEWHERE: Final = ("additional_tools", "configuration_update")
_PATH: Final = "models/"
_TRANSLATED: Final = frozenset(
    {
        "model",
        "instructions",
        "tools",
        "tool_choice",
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "text",
        "reasoning",
    }
)
_IGNORED: Final = frozenset(
    {"store", "include", "client_metadata", "prompt_cache_key", "safety_identifier"}
    | {"stream_options", "prompt_cache_retention", "generate", "prompt_cache_options"}
)
"""What changes no answer."""

_SAID: Final = _TRANSLATED | _IGNORED

_NEUTRAL: Final = {
    "parallel_tool_calls": (b"true",),
    "service_tier": (b'"auto"', b'"default"'),
    "truncation": (b'"disabled"', b'"auto"'),
}
"""Values that ask for nothing beyond what Gemini does anyway."""

_NOTHING: Final = (b"null", b"[]", b"{}", b'""', b"false")


@dataclass(frozen=True, slots=True)
class _Request:
    """The parts of a body as raw JSON, b"" where one is left out."""

    system: bytes
    tools: bytes
    tool_config: bytes
    generation_config: bytes
    contents: bytes

    def body(self, *before: bytes) -> bytes:
        """Return the body, with other members before."""
        named = (
            ("systemInstruction", self.system),
            ("tools", self.tools),
            ("toolConfig", self.tool_config),
            ("generationConfig", self.generation_config),
            ("contents", self.contents),
        )
        said = [b'"%b":%b' % (name.encode(), raw) for name, raw in named if raw]
        return b"{%b}" % b",".join([*before, *said])


def call_of(turn: Turn, terms: Terms) -> UpstreamCall:
    """Say a turn as a call of Gemini. Raises `Unsayable` for what cannot be said."""
    refuse_outside(turn)
    losses = Losses(may_drop=terms.may_drop)
    turn = without_items(turn, _SAID_ELSEWHERE)
    model = _model(turn)
    contents = _contents(turn, model, losses)
    tools = tools_of(turn.members, contents.found, losses)
    _lose_others(turn.members, losses)
    request = _request(turn, model, tools, contents, losses)
    resource = quote(model, safe="")
    if turn.purpose is Purpose.COUNT:
        inner = request.body(b'"model":%b' % msgspec.json.encode(_PATH + model))
        body = b'{"generateContentRequest":%b}' % inner
        return UpstreamCall(body, Counted, f"/{resource}:countTokens", {}, losses.names)
    answered = Answered(echo_of(turn.members), msgspec.json.encode(model), tools.declared)
    return UpstreamCall(
        request.body(),
        partial(GeneratedAnswer, answered),
        f"/{resource}:streamGenerateContent?alt=sse",
        {},
        losses.names,
    )


def _model(turn: Turn) -> str:
    model = (text_of(turn.members, "model") or "").removeprefix(_PATH)
    if not model:
        raise InvalidRequest("'model' is required.", param="model")
    return model


def _contents(turn: Turn, model: str, losses: Losses) -> Contents:
    contents = Contents(needs_signatures=needs_signatures(model), losses=losses)
    if text_of(turn.members, "instructions"):
        contents.system.append(b'{"text":%b}' % turn.members["instructions"])
    contents.add_input(turn.input)
    return contents


def _request(turn: Turn, model: str, tools: Tools, contents: Contents, losses: Losses) -> _Request:
    members, written = turn.members, contents.finished()
    if not written:
        raise invalid("input", "is empty; send at least one message")
    system = contents.system
    return _Request(
        b'{"parts":[%b]}' % b",".join(system) if system else b"",
        tools.raw,
        tool_config(members, tools, losses),
        generation_config(turn, model, losses),
        b"[%b]" % b",".join(written),
    )


def _lose_others(members: Mapping[str, bytes], losses: Losses) -> None:
    if members.get("prompt", b"null") != b"null":
        losses.refuse("prompt", "names a template that another vendor holds")
    for name, raw in members.items():
        if name in _SAID or raw in _NOTHING or raw in _NEUTRAL.get(name, ()):
            continue
        losses.drop(name)
    if members.get("parallel_tool_calls") == b"false":
        losses.drop("parallel_tool_calls")
