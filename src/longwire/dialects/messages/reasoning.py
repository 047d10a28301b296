"""How hard a model is to think, and what is shown of it: `thinking` and `output_config`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.efforts import effort_of, least_effort
from longwire.dialects.fields import invalid, member
from longwire.dialects.raw_json import NULL
from longwire.dialects.schemas import can_be_strict

_SHARES: Final = ((0.1, "low"), (0.4, "medium"), (1.0, "high"))
"""The same by the share of a small `max_tokens`."""

_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SMALL: Final = 16_384


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


_decode_thinking: Final = msgspec.json.Decoder(_Thinking | None).decode
_decode_output: Final = msgspec.json.Decoder(_Output | None).decode
_decode_format: Final = msgspec.json.Decoder(_Format | None).decode


def output_of(members: Mapping[str, bytes]) -> _Output:
    """Return `output_config`, empty where there is none. Raises `InvalidRequest`."""
    output = member(members, "output_config", _decode_output) or _Output()
    if output.effort is not None:
        check_effort(output.effort, "output_config")
    _check_format(output.format, "output_config.format")
    older = member(members, "output_format", _decode_format)
    _check_format(older, "output_format")
    output.format = output.format or older
    return output


def _check_format(wanted: _Format | None, at: str) -> None:
    if wanted is not None and wanted.type != "json_schema":
        raise invalid(f"{at}.type", "must be json_schema")
    if wanted is not None and bytes(wanted.schema)[:1] != b"{":
        raise invalid(f"{at}.schema", "must be a JSON schema")


def check_effort(effort: str, at: str) -> None:
    """Raise `InvalidRequest` for an effort that no model knows."""
    if effort not in _EFFORTS:
        raise invalid(f"{at}.effort", f"must be one of {', '.join(_EFFORTS)}")


def reasoning_of(
    members: Mapping[str, bytes], effort: str | None, model: str, most: int | None
) -> Reasoning:
    """Return what a request wants of reasoning; `most` are the tokens it may have in all.

    Raises `InvalidRequest`.
    """
    thinking = member(members, "thinking", _decode_thinking)
    if thinking is None:
        return Reasoning(effort)
    is_omitted = thinking.display == "omitted"
    match thinking.type:
        case "disabled":
            return Reasoning(least_effort(model), is_off=True)
        case "enabled":
            effort = effort or _effort(thinking.budget_tokens, most)
            return Reasoning(effort, shows=True, is_omitted=is_omitted)
        case "adaptive" | "between_tools":
            return Reasoning(effort, shows=True, is_omitted=is_omitted)
        case _:
            raise invalid("thinking.type", "must be enabled, adaptive or disabled")


def _effort(budget: int | None, most: int | None) -> str | None:
    """Return the effort that a budget is, by its share where the whole answer is small."""
    if budget is None:
        return None
    if most is not None and budget < most < _SMALL:
        share = budget / most
        return next(effort for limit, effort in _SHARES if share <= limit)
    return effort_of(budget)


def text_member(wanted: _Format | None) -> bytes | None:
    """Return `text` for a format as raw JSON."""
    if wanted is None:
        return None
    schema = bytes(wanted.schema)
    strict = b"true" if can_be_strict(schema) else b"false"
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
