"""How hard Claude is to think: an effort as `thinking` and `output_config.effort`.

Models think by an effort, or older ones for so many tokens, which must be fewer than the answer may
have. Thinking goes with no forced choice of a tool, and with no temperature, top_p or top_k.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from longwire.dialects.fields import member
from longwire.dialects.losses import Losses
from longwire.dialects.messages.claude import Claude, Thinking

_BUDGETS: Final = {
    "minimal": 1_024,
    "low": 1_024,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 32_768,
}
"""Tokens of thinking (CLIProxyAPI's table), of which there are 1,024 at least."""

_LEAST: Final = 1_024
_USUAL: Final = "medium"


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None


_decode_reasoning: Final = msgspec.json.Decoder(_Reasoning | None).decode


class Effort(NamedTuple):
    """What is said of thinking: `thinking` as it is sent, and the effort, None for nothing."""

    thinking: Mapping[str, object] | None = None
    effort: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether thinking was asked for."""
        return self.thinking is not None and self.thinking["type"] != "disabled"


class Room(NamedTuple):
    """What limits thinking: the tokens of the answer, and whether it may think at all."""

    most: int
    is_forced: bool = False
    lacks_thinking: bool = False


def effort_of(
    members: Mapping[str, bytes], updated: str | None, claude: Claude, room: Room, losses: Losses
) -> Effort:
    """Return how hard to think; an effort that was `updated` counts. Raises `InvalidRequest`."""
    reasoning = member(members, "reasoning", _decode_reasoning)
    if updated is not None:
        reasoning = _Reasoning(updated, reasoning.summary if reasoning is not None else None)
    if reasoning is None or (reasoning.effort is None and reasoning.summary is None):
        return Effort()
    if not claude.adapts:
        return _budget(reasoning, claude, room, losses)
    shown = "summarized" if reasoning.summary else "omitted"
    thinking: Mapping[str, object] | None = {"type": "adaptive", "display": shown}
    if room.is_forced or reasoning.effort == "none":
        thinking = {"type": "disabled"} if claude.thinking is Thinking.ADAPTIVE else None
        if reasoning.effort != "none" and (thinking or reasoning.summary):
            losses.drop("reasoning")
    wanted = reasoning.effort
    if wanted == "none" and thinking is not None:
        return Effort(thinking)
    return Effort(thinking, claude.effort(wanted) if wanted else None)


def _budget(reasoning: _Reasoning, claude: Claude, room: Room, losses: Losses) -> Effort:
    if reasoning.effort == "none":
        return Effort()
    budget = min(_BUDGETS.get(reasoning.effort or _USUAL, _BUDGETS[_USUAL]), room.most - 1)
    is_barred = room.is_forced or room.lacks_thinking or budget < _LEAST
    if is_barred or claude.thinking is Thinking.NEVER:
        losses.drop("reasoning")
        return Effort()
    return Effort({"type": "enabled", "budget_tokens": budget})
