"""What Gemini's models are by their names, in whatever API they are asked."""

import re
from typing import Final

LEVELLED: Final = (3, 0)
"""The first version that thinks by levels, and refuses calls without thought signatures."""

DUMMY_SIGNATURE: Final = b'"skip_thought_signature_validator"'
"""What Google takes beside a call of somebody else's, as raw JSON (pydantic-ai, `google.py`)."""

_FAMILY: Final = re.compile("gemini")
_VERSION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_NEWEST: Final = (99, 0)


def version_of(model: str) -> tuple[int, int]:
    """Return the version of a model; a name of Gemini's without one stands for the newest."""
    found = _VERSION.search(model)
    if found:
        return int(found[1]), int(found[2] or 0)
    return _NEWEST if _FAMILY.search(model) else (0, 0)


def needs_signatures(model: str) -> bool:
    """Whether a model refuses calls without thought signatures, as Gemini 3 does."""
    return version_of(model) >= LEVELLED
