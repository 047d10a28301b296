"""JSON schemas of tools, as the Responses API takes them."""

import re
from typing import Final

NO_PARAMETERS: Final = b'{"type":"object","properties":{}}'
"""The schema of a tool that takes nothing."""

_NO_REQUIRED: Final = re.compile(rb'"required"\s*:\s*null')


def with_required(raw: bytes) -> bytes:
    """Return raw JSON with an empty `required` for one that is null, as some clients write it.

    In a text its quotes are escaped, so that no text is changed.
    """
    return _NO_REQUIRED.sub(b'"required":[]', raw) if b'"required"' in raw else raw
