"""Members that an object has twice: of two values nobody can say which one is meant.

What was decoded from compact JSON is written again, which takes far less than to look at each
name: only where that is shorter than it came can a member have been there twice.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.raw_json import Name, tolerant

Names = Mapping[str, Any]
"""Names of members, each with those inside it, none where nobody looks."""


write: Final = msgspec.json.Encoder().encode
_SPACED: Final = re.compile(rb'\s*\[?\s*\{\s*"[^"\\]*"(?:\s|:\s)')
_decode_objects: Final = tolerant(msgspec.json.Decoder(list[dict[Name, Raw]], dec_hook=Name).decode)


def compact(raw: bytes) -> bytes:
    """Return JSON without white space between its tokens, which stay as they are written."""
    return msgspec.json.format(raw, indent=-1) if _SPACED.match(raw) else raw


def check_repeats(raw: bytes | Raw, value: object, path: str) -> None:
    """Refuse repeats unless a value that writes no defaults is as long as what it was decoded from.

    Raises `InvalidRequest`.
    """
    if len(write(value)) != memoryview(raw).nbytes:
        refuse_repeats(raw, {}, path)


def refuse_repeats(raw: bytes | Raw, names: Names, path: str) -> None:
    """Raise `InvalidRequest` where an object has a member twice; it looks into these names."""
    for repeated in _repeated(bytes(raw), names, path):
        raise InvalidRequest(f"'{repeated}' is there more than once.", param=repeated)


def _repeated(raw: bytes, names: Names, path: str) -> Iterator[str]:
    """Give the paths of members that an object has twice, or each object of an array."""
    is_array = raw[:1] == b"["
    for at, members in enumerate(_decode_objects(raw if is_array else b"[%b]" % raw)):
        inner = f"{path}.{at}" if is_array else path
        seen: set[str] = set()
        for name, value in members.items():
            text = name.text
            if text in seen:
                yield f"{inner}.{text}"
            seen.add(text)
            if names.get(text) and bytes(memoryview(value)[:1]) in (b"[", b"{"):
                yield from _repeated(bytes(value), names[text], f"{inner}.{text}")
