"""`generationConfig`: how much is to be generated, in which form, and how hard it is thought."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.rules.turn import Turn
from longwire.dialects.fields import decoded
from longwire.dialects.gemini_models import LEVELLED, version_of
from longwire.dialects.generate_content.config import WISHES
from longwire.dialects.losses import Losses
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.schemas import answer_schema
from longwire.dialects.wishes import said_wishes

_NULL: Final = b"null"
_SAME: Final = {
    "max_output_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
}
_LEVELS: Final = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_PRO_LEVELS: Final = {**_LEVELS, "none": "LOW", "minimal": "LOW"}
"""Efforts of Gemini 3; those named Pro cannot think less than `LOW` (Google, "Thinking")."""

_BUDGETS: Final = {
    "none": 0,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,
    "max": 24576,
}
_PRO_BUDGETS: Final = {**_BUDGETS, "none": 128, "xhigh": 32768, "max": 32768}
"""Efforts of Gemini 2.5 in tokens; Pro cannot do without, and may think longer."""

_MOST_STOPS: Final = 5
_LOGPROBS: Final = b'"message.output_text.logprobs"'
_BUDGETED: Final = (2, 5)


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class _Format(msgspec.Struct):
    type: str = "text"
    schema: Raw = NULL


class _Text(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


_decode_reasoning: Final = tolerant(msgspec.json.Decoder(_Reasoning | None).decode)
_decode_text: Final = tolerant(msgspec.json.Decoder(_Text | None).decode)
_decode_count: Final = tolerant(msgspec.json.Decoder(int | None).decode)


def generation_config(turn: Turn, model: str, losses: Losses) -> bytes:
    """Return `generationConfig` as raw JSON, b"" where nothing is set. Raises `InvalidRequest`."""
    members = turn.members
    parts = [
        b'"%b":%b' % (name.encode(), raw)
        for own, name in _SAME.items()
        if (raw := members.get(own, _NULL)) != _NULL
    ]
    parts += [
        b'"%b":%b' % (name.encode(), raw)
        for name, raw in said_wishes(turn.source, WISHES, losses, _MOST_STOPS)
    ]
    parts += _form(members, losses)
    parts += _log_probabilities(members)
    parts += _thinking(members, model, losses)
    return b"{%b}" % b",".join(parts) if parts else b""


def _form(members: Mapping[str, bytes], losses: Losses) -> list[bytes]:
    text = decoded(_decode_text, members.get("text", _NULL), "text") or _Text()
    if text.verbosity not in (None, "medium"):
        losses.drop("text.verbosity")
    form = text.format
    if form is None or form.type not in ("json_schema", "json_object"):
        return []
    said = [b'"responseMimeType":"application/json"']
    if form.type == "json_schema":
        said.append(b'"responseJsonSchema":' + answer_schema(form.schema, "text.format.schema"))
    return said


def _log_probabilities(members: Mapping[str, bytes]) -> list[bytes]:
    count = decoded(_decode_count, members.get("top_logprobs", _NULL), "top_logprobs")
    if count:
        return [b'"responseLogprobs":true,"logprobs":%d' % count]
    return [b'"responseLogprobs":true'] if _LOGPROBS in members.get("include", b"") else []


def _thinking(members: Mapping[str, bytes], model: str, losses: Losses) -> list[bytes]:
    raw = members.get("reasoning", _NULL)
    reasoning = decoded(_decode_reasoning, raw, "reasoning") or _Reasoning()
    version, is_pro = version_of(model), "pro" in model
    effort = reasoning.effort or ""
    said = []
    if version >= LEVELLED and effort in _LEVELS:
        level = (_PRO_LEVELS if is_pro else _LEVELS)[effort]
        said.append(b'"thinkingLevel":"%b"' % level.encode())
    elif version >= _BUDGETED and effort in _BUDGETS:
        budget = (_PRO_BUDGETS if is_pro else _BUDGETS)[effort]
        said.append(b'"thinkingBudget":%d' % budget)
    elif effort not in ("", "none"):
        losses.drop("reasoning.effort")
    if version >= _BUDGETED and (reasoning.summary or reasoning.generate_summary):
        said.append(b'"includeThoughts":true')
    return [b'"thinkingConfig":{%b}' % b",".join(said)] if said else []
