"""A member of a request in digests: of the whole, and of the parts by which a change is told.

Law: two members have equal digests only where name and value are equal, whatever their key order.
One whose JSON has no single meaning equals only the very same bytes.
"""

import sys
from typing import Final

from longwire.core.rules.turn import Digest, Member
from longwire.dialects.canonical import AmbiguousJson, Json, decode, digest, digest_bytes

_KEPT: Final = 8
_MOST_PARTS: Final = 128
_LONGEST_NAME: Final = 64


def digested(name: str, raw: bytes) -> tuple[Digest, Member]:
    """Return the digest of a member, and what is kept of it: at most 128 parts.

    Names of parts are shared by all members that have them.
    """
    spelled = name.encode("utf-8", "surrogatepass")
    try:
        value = decode(raw.decode())
    except AmbiguousJson:
        return _whole(name, digest_bytes(b"bytes", spelled, raw))
    parts = _parts(name, value)
    if not parts:
        return _whole(name, digest_bytes(b"value", spelled, digest(value)))
    are_tools = isinstance(value, list)
    digests = [digest(part) for _, part in parts]
    keys = () if are_tools else [key.encode("utf-8", "surrogatepass") for key, _ in parts]
    whole = digest_bytes(b"tools" if are_tools else b"object", spelled, *keys, *digests)
    return whole, Member(
        sys.intern(name[:_LONGEST_NAME]),
        whole[:_KEPT],
        are_tools,
        tuple([sys.intern(key[:_LONGEST_NAME]) for key, _ in parts[:_MOST_PARTS]]),
        b"".join([each[:_KEPT] for each in digests[:_MOST_PARTS]]),
    )


def _whole(name: str, whole: Digest) -> tuple[Digest, Member]:
    return whole, Member(sys.intern(name[:_LONGEST_NAME]), whole[:_KEPT])


def _parts(name: str, value: Json) -> list[tuple[str, Json]]:
    """Return the values of an object by key, or the tools by name; nothing for any other value."""
    if isinstance(value, dict) and "#" not in value:  # "#" marks a number
        return sorted(value.items())
    if name == "tools" and isinstance(value, list) and all(isinstance(t, dict) for t in value):
        return [(_name_of(tool), tool) for tool in value]
    return []


def _name_of(tool: dict[str, Json]) -> str:
    for key in ("name", "server_label", "type"):
        if isinstance(named := tool.get(key), str):
            return named
    return "tool"
