"""Names of functions and ids of calls that are too long for the Responses API, made short.

What is short follows from what is long alone, so that each turn says the same.
"""

from typing import Final

from blake3 import blake3

LONGEST: Final = 64
"""So many characters a name or an id may have (OpenAI's `function_definition.py`)."""

_DIGEST: Final = 12


def shortened(name: str) -> str:
    """Return a name or an id of at most 64 characters that stands for this one."""
    if len(name) <= LONGEST:
        return name
    digest = blake3(name.encode("utf-8", "surrogatepass")).hexdigest(length=_DIGEST // 2)
    return f"{name[: LONGEST - _DIGEST - 1]}_{digest}"
