"""What each Claude model takes, as data: how much it may say, and how it is made to think.

Read in November 2026; the names are those of `anthropic` 2.14, `types/model.py`.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple


class Thinking(Enum):
    """How a model is made to think."""

    NEVER = "it cannot"
    BUDGET = "for so many tokens"
    ADAPTIVE = "as much as it wants, by an effort"
    ALWAYS = "likewise, and it cannot be kept from it"


_FIRST_EFFORTS: Final = ("low", "medium", "high", "max")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Claude:
    """One model: an answer has at most `longest` tokens.

    `takes_system`: messages of the role system in mid-conversation; `takes_schemas`: structured
    outputs and strict tools; `takes_sampling`: temperature, top_p and top_k.
    """

    longest: int
    thinking: Thinking
    efforts: tuple[str, ...] = _EFFORTS
    takes_system: bool = True
    takes_schemas: bool = True
    takes_sampling: bool = False

    @property
    def adapts(self) -> bool:
        """Whether an effort says how much it thinks."""
        return self.thinking in (Thinking.ADAPTIVE, Thinking.ALWAYS)

    def effort(self, wanted: str) -> str:
        """Return the effort that comes next to the one wanted."""
        if wanted in ("none", "minimal"):
            return "low"
        if wanted in self.efforts or wanted not in _EFFORTS:
            return wanted
        return "max"


def _older(longest: int, thinking: Thinking, *, takes_schemas: bool = False) -> Claude:
    """Return a model with no effort, no system messages, and sampling."""
    return Claude(
        longest,
        thinking,
        (),
        takes_system=False,
        takes_schemas=takes_schemas,
        takes_sampling=True,
    )


_FOURTH: Final = Claude(
    128_000, Thinking.ADAPTIVE, _FIRST_EFFORTS, takes_system=False, takes_sampling=True
)


class Family(NamedTuple):
    """Models that take the same, by a pattern of what their names have behind `claude-`."""

    names: str
    claude: Claude
    source: str


_OVERVIEW: Final = "platform.claude.com, models overview"
_EARLIER: Final = "docs.anthropic.com, all models, 2025"
FAMILIES: Final = (
    Family(
        "opus-5-5|fable-|mythos-",
        Claude(128_000, Thinking.ALWAYS),
        f"{_OVERVIEW}: adaptive, always on",
    ),
    Family(
        "opus-4-8|opus-5|sonnet-5|haiku-5",
        Claude(128_000, Thinking.ADAPTIVE),
        f"{_OVERVIEW}; mid-conversation system messages; Claude Code 2.1.332",
    ),
    Family(
        "opus-4-7",
        Claude(128_000, Thinking.ALWAYS, takes_system=False),
        f"{_OVERVIEW}; Amazon Bedrock, adaptive thinking",
    ),
    Family("(opus|sonnet)-4-6", _FOURTH, f"{_OVERVIEW}; adaptive thinking; effort"),
    Family(
        "(opus|sonnet|haiku)-4-5",
        _older(64_000, Thinking.BUDGET, takes_schemas=True),
        f"{_OVERVIEW}; structured outputs",
    ),
    Family("opus-4|4-opus", _older(32_000, Thinking.BUDGET), _EARLIER),
    Family("sonnet-4|4-sonnet", _older(64_000, Thinking.BUDGET), _EARLIER),
    Family("3-7-sonnet", _older(64_000, Thinking.BUDGET), _EARLIER),
    Family("3-5-(sonnet|haiku)", _older(8_192, Thinking.NEVER), _EARLIER),
    Family("3-|2", _older(4_096, Thinking.NEVER), _EARLIER),
)
"""The models that are known, the first that matches counts."""

UNKNOWN: Final = Claude(32_000, Thinking.ADAPTIVE, takes_system=False, takes_sampling=True)
"""A name that is none of Anthropic's: 32,000 tokens and `adaptive`, as Claude Code sends them."""

_PATTERNS: Final = tuple(
    (re.compile(rf"(?:.*\b)?claude-(?:{family.names})"), family.claude) for family in FAMILIES
)


def claude_of(model: str) -> Claude:
    """Return what a model takes, by the name that it is sent by, be it another vendor's of it."""
    model = model.replace(".", "-")
    for pattern, known in _PATTERNS:
        if pattern.match(model):
            return known
    return UNKNOWN
