"""Reasoning that travels through the client: a reasoning item sealed in a signature, and back.

`lw1.` and base64url of `{"p":"responses","i":"rs_1","e":"gAAAA","n":["commentary"]}`: who made it,
the id and the encrypted content of the item, and the phase of the message that follows. It is no
secret: a client of the Responses API holds the same. What is not ours is left out, never shown.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

_PREFIX: Final = "lw1."
_ISSUER: Final = "responses"
_NONE: Final = Raw(b"null")
_PADDING: Final = "==="


class Seal(msgspec.Struct):
    """What a signature holds; `i` and `e` stay raw."""

    p: str
    i: Raw = _NONE
    e: Raw = _NONE
    n: Sequence[str | None] | None = None

    @property
    def phase(self) -> str | None:
        """The phase of the message that follows."""
        return self.n[0] if self.n else None

    @property
    def has_item(self) -> bool:
        """Whether it stands for a reasoning item, rather than for a phase alone."""
        return bytes(self.i) != b"null" or bytes(self.e) != b"null"


_seals: Final = msgspec.json.Decoder(Seal)


def sealed(identity: Raw, encrypted: Raw, phase: str | None = None) -> str:
    """Return the signature for a reasoning item, whose id and content are raw JSON or null."""
    parts = [b'{"p":"responses"']
    if bytes(identity) != b"null":
        parts += (b',"i":', identity)
    if bytes(encrypted) != b"null":
        parts += (b',"e":', encrypted)
    if phase is not None:
        parts += (b',"n":', msgspec.json.encode([phase]))
    parts.append(b"}")
    return _PREFIX + urlsafe_b64encode(b"".join(parts)).rstrip(b"=").decode()


def phase_alone(phase: str) -> str:
    """Return what stands before a message that has a phase, and no reasoning before it."""
    return sealed(_NONE, _NONE, phase)


def opened(signature: str | None) -> Seal | None:
    """Return what a signature of ours holds; None for one of somebody else's, or none."""
    if not signature or not signature.startswith(_PREFIX):
        return None
    try:
        text = signature[len(_PREFIX) :].rstrip("=")
        raw = urlsafe_b64decode(text + _PADDING[: -len(text) % 4])
        seal = _seals.decode(raw)
    except (ValueError, msgspec.MsgspecError):
        return None
    return seal if seal.p == _ISSUER else None


def reasoning_item(seal: Seal, summary: Raw | None) -> bytes:
    """Return the reasoning item; `summary` is the thinking that was shown, as raw JSON text."""
    parts = [b'{"type":"reasoning"']
    if bytes(seal.i) != b"null":
        parts += (b',"id":', seal.i)
    shown = b'{"type":"summary_text","text":%b}' % bytes(summary) if summary is not None else b""
    parts += (b',"summary":[', shown, b"]")
    if bytes(seal.e) != b"null":
        parts += (b',"encrypted_content":', seal.e)
    parts.append(b"}")
    return b"".join(parts)
