"""How hard a model is to think, and what is shown of it: `thinking` and `output_config`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import invalid
from longwire.dialects.raw_json import NULL, member_of

_LEVELS: Final = ((512, "minimal"), (1024, "low"), (8192, "medium"), (24576, "high"))
"""Up to how many tokens of thinking are which effort; above them it is `xhigh`."""

_SHARES: Final = ((0.1, "low"), (0.4, "medium"), (1.0, "high"))
"""The same by the share of a small `max_tokens`."""

_SMALL: Final = 16_384
_LEAST: Final = (
    (re.compile(r"o[134]\b"), "low"),
    (re.compile(r"gpt-5(-(mini|nano|codex))?(-20\d\d.*)?$"), "minimal"),
)
"""Models that cannot leave thinking, and the least they do; all others know `none`."""


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Format(msgspec.Struct):
    type: str = "json_schema"
    schema: Raw = NULL
    name: str | None = None


class _Output(msgspec.Struct):
    effort: str | None = None
    format: _Format | None = None
    task_budget: Raw = NULL


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a request wants of reasoning: its `effort`, if it says so, and whether it is shown.

    A client that `shows` it gets blocks of thinking, with their text unless it is `omitted`.
    """

    effort: str | None = None
    shows: bool = False
    is_omitted: bool = False
    is_off: bool = False

    def member(self) -> bytes | None:
        """Return `reasoning` as raw JSON; None where the model's default stands."""
        wanted = {"effort": self.effort} if self.effort else {}
        if self.shows and not self.is_omitted:
            wanted["summary"] = "auto"
        return msgspec.json.encode(wanted) if wanted else None

    @property
    def is_on(self) -> bool:
        """Whether the model is to think."""
        return not self.is_off and (self.shows or self.effort is not None)


_thinking: Final = msgspec.json.Decoder(_Thinking | None)
_outputs: Final = msgspec.json.Decoder(_Output | None)
_formats: Final = msgspec.json.Decoder(_Format | None)


def output_of(members: Mapping[str, bytes]) -> _Output:
    """Return `output_config`, empty where there is none. Raises `InvalidRequest`."""
    output = _Output()
    if "output_config" in members:
        kind = "an object with 'effort' or 'format'"
        output = member_of(members, "output_config", _outputs, kind) or output
    if output.format is None and "output_format" in members:
        output.format = member_of(members, "output_format", _formats, "an object with a 'schema'")
    return output


def reasoning_of(
    members: Mapping[str, bytes], effort: str | None, model: str, most: int | None
) -> Reasoning:
    """Return what a request wants of reasoning; `most` are the tokens it may have in all.

    Raises `InvalidRequest`.
    """
    kind = "an object with a 'type'"
    thinking = member_of(members, "thinking", _thinking, kind) if "thinking" in members else None
    if thinking is None:
        return Reasoning(effort)
    is_omitted = thinking.display == "omitted"
    match thinking.type:
        case "disabled":
            return Reasoning(_least(model), is_off=True)
        case "enabled":
            effort = effort or _effort(thinking.budget_tokens, most)
            return Reasoning(effort, shows=True, is_omitted=is_omitted)
        case "adaptive" | "between_tools":
            return Reasoning(effort, shows=True, is_omitted=is_omitted)
        case _:
            raise invalid("thinking.type", "must be enabled, adaptive or disabled")


def _least(model: str) -> str:
    return next((effort for models, effort in _LEAST if models.match(model)), "none")


def _effort(budget: int | None, most: int | None) -> str | None:
    """Return the effort that a budget is, by its share where the whole answer is small."""
    if budget is None:
        return None
    if most is not None and budget < most < _SMALL:
        share = budget / most
        return next(effort for limit, effort in _SHARES if share <= limit)
    return next((effort for limit, effort in _LEVELS if budget <= limit), "xhigh")


def text_member(wanted: _Format | None) -> bytes | None:
    """Return `text` for a format as raw JSON. Raises `InvalidRequest`."""
    if wanted is None:
        return None
    schema = bytes(wanted.schema)
    if wanted.type != "json_schema" or schema[:1] != b"{":
        raise invalid("output_config.format", "must be a json_schema with a 'schema'")
    strict = b"true" if _is_strict(msgspec.json.decode(schema)) else b"false"
    parts = (
        b'{"format":{"type":"json_schema","name":',
        msgspec.json.encode(wanted.name or "output"),
        b',"schema":',
        schema,
        b',"strict":',
        strict,
        b"}}",
    )
    return b"".join(parts)


def _is_strict(schema: Any) -> bool:  # noqa: ANN401 - decoded JSON
    """Whether every object of a schema is closed and requires all: what strict mode takes."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False:
            return False
        if not isinstance(properties, dict) or set(properties) != set(schema.get("required") or ()):
            return False
    return all(map(_is_strict, schema.values()))
