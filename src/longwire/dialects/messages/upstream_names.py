"""Ids of calls and names of tools as Anthropic takes them.

What is sent follows from what stands in the turn alone. An id or a name that Anthropic takes stays
as it is: so its own come back as they were.
"""

import re
from typing import Final

from blake3 import blake3

_ODD: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME: Final = 128
"""Names are `^[a-zA-Z0-9_-]{1,128}$`, ids `^[a-zA-Z0-9_-]+$` (LiteLLM, measured)."""

_LONGEST_ID: Final = 256
_DIGEST: Final = 12


def safe_id(call_id: str) -> str:
    """Return the id that a call has upstream."""
    return _safe(call_id, _LONGEST_ID)


def safe_name(name: str, namespace: str = "") -> str:
    """Return the name that a tool has upstream, which that of its namespace stands before."""
    return _safe(f"{namespace}__{name}" if namespace else name, _LONGEST_NAME)


def _safe(text: str, longest: int) -> str:
    if _ODD.search(text) is None and 0 < len(text) <= longest:
        return text
    safe = _ODD.sub("_", text)
    digest = blake3(text.encode("utf-8", "surrogatepass")).hexdigest(length=_DIGEST // 2)
    return f"{safe[: longest - _DIGEST - 1]}_{digest}"
