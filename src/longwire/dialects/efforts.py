"""How hard a model is to think, where a client says it by a number of tokens or not at all."""

import re
from typing import Final

_LEVELS: Final = ((512, "minimal"), (1024, "low"), (8192, "medium"), (24576, "high"))
"""Up to how many tokens of thinking are which effort; above them it is `xhigh`."""

_LEAST: Final = (
    (re.compile(r"o[134]\b"), "low"),
    (re.compile(r"gpt-5(-(mini|nano|codex))?(-20\d\d.*)?$"), "minimal"),
)
"""Models that cannot leave thinking, and the least they do; all others know `none`."""


def effort_of(budget: int) -> str:
    """Return the effort that a budget of tokens is."""
    return next((effort for limit, effort in _LEVELS if budget <= limit), "xhigh")


def least_effort(model: str) -> str:
    """Return the least that a model thinks."""
    return next((effort for models, effort in _LEAST if models.match(model)), "none")
