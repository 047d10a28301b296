"""What models of other vendors have said, in contents that are passed on.

Law: what Gemini's own models said keeps its bytes. Of the others' reasoning nothing is sent,
neither its seal nor its words.
"""

from itertools import groupby
from typing import Final

import msgspec

from longwire.dialects.gemini_models import DUMMY_SIGNATURE
from longwire.dialects.generate_content.signatures import BEGINNING, NOTHING, opened
from longwire.dialects.raw_json import NULL, map_items, splice, split_items, split_members

SEAL: Final = b'"' + BEGINNING.encode()
"""How a signature of ours begins, as raw JSON."""

_SIGNATURES: Final = ("thoughtSignature", "thought_signature")
SIGNED: Final = tuple(b'"%b"' % name.encode() for name in _SIGNATURES)
_CALLS: Final = ("functionCall", "function_call")
_TRUE: Final = b"true"


def readable_contents(raw: bytes) -> bytes:
    """Return contents as Gemini can read them.

    A client may keep each chunk of an answer as a content: those of one role in a row are one turn.
    """
    contents = [bytes(content) for content in split_items(raw)]
    kept: list[bytes] = []
    for _, turn in groupby(contents, _role_of):
        said = list(turn)
        kept += filter(None, map(_readable, said)) if any(map(_is_foreign, said)) else said
    return raw if kept == contents else b"[%b]" % b",".join(kept)


def _role_of(content: bytes) -> bytes:
    return bytes(split_members(content).get("role", NULL)) if content[:1] == b"{" else b""


def _parts_of(content: bytes) -> bytes:
    """Return the list of a content's parts, b"" where it has none."""
    parts = bytes(split_members(content).get("parts", NULL)) if content[:1] == b"{" else b""
    return parts if parts[:1] == b"[" else b""


def _is_foreign(content: bytes) -> bool:
    """Whether a content has a seal of ours, and so is what another vendor's model said."""
    if SEAL not in content:
        return False
    parts = _parts_of(content)
    return bool(parts) and any(_seals_of(bytes(part)) for part in split_items(parts))


def _readable(content: bytes) -> bytes:
    """Return a content of another vendor's model, b"" for one that has nothing but thoughts."""
    parts = _parts_of(content)
    if not parts:
        return content
    kept = map_items(parts, _unsigned)
    return b"" if kept == b"[]" else splice(content, {"parts": kept})


def signatures_in(content: bytes) -> bytes:
    """Return the signatures of a content's parts, b"" for none."""
    found: list[bytes] = []
    for part in split_items(_parts_of(content) or b"[]"):
        members = split_members(part) if bytes(part)[:1] == b"{" else {}
        found += [bytes(members[name]) for name in _SIGNATURES if name in members]
    return b"\n".join(found)


def unsigned_content(content: bytes) -> bytes:
    """Return a content without thoughts and signatures, b"" where nothing is left."""
    parts = _parts_of(content)
    if not parts:
        return content
    kept = map_items(parts, lambda part: _without(part, _signatures_of(part)))
    return b"" if kept == b"[]" else splice(content, {"parts": kept})


def _signatures_of(part: bytes) -> list[str]:
    members = split_members(part) if part[:1] == b"{" else {}
    return [name for name in _SIGNATURES if name in members]


def _unsigned(part: bytes) -> bytes | None:
    """Return a part without a signature of ours, None for a thought."""
    return _without(part, _seals_of(part))


def _without(part: bytes, seals: list[str]) -> bytes | None:
    """Return a part without signatures; a call needs one, if only for a dummy."""
    members = split_members(part) if part[:1] == b"{" else {}
    if bytes(members.get("thought", NULL)) == _TRUE:
        return None
    if not seals:
        return part
    instead = DUMMY_SIGNATURE if any(name in members for name in _CALLS) else None
    return splice(part, dict.fromkeys(seals, instead))


def _seals_of(part: bytes) -> list[str]:
    """Return the names of the members that are signatures of ours."""
    members = split_members(part) if SEAL in part and part[:1] == b"{" else {}
    return [name for name in _SIGNATURES if _is_ours(bytes(members.get(name, NULL)))]


def _is_ours(signature: bytes) -> bool:
    if not signature.startswith(SEAL):
        return False
    try:
        written = msgspec.json.decode(signature, type=str)
    except msgspec.DecodeError:
        return False  # it has half an emoji: nobody has made it
    return opened(written) not in (None, NOTHING)
