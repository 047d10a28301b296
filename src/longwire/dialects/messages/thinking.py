"""Reasoning that travels through the client: a reasoning item sealed in a signature, and back.

`lw1.`, base64url of `{"p":"responses","i":"rs_1","n":["commentary"]}`, `.` and what is encrypted:
who made it, its id, and the phase of the message that follows. What is long stays as it is. It is
no secret: a client of the Responses API holds the same. Others' seals are left out, never shown.
"""

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.messages.blocks import is_blank
from longwire.dialects.raw_json import NULL, tolerant

_PREFIX: Final = "lw1."
_ISSUER: Final = "responses"
_PADDING: Final = b"=="
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


class Seal(msgspec.Struct):
    """What a signature holds; `i` and the content `e` are raw JSON."""

    p: str
    i: Raw = NULL
    e: Raw = NULL
    n: Sequence[str | None] | None = None

    @property
    def phase(self) -> str | None:
        """The phase of the message that follows."""
        return self.n[0] if self.n else None

    @property
    def has_item(self) -> bool:
        """Whether it stands for a reasoning item, rather than for a phase alone."""
        return self.i is not NULL or self.e is not NULL


_decode_seal: Final = msgspec.json.Decoder(Seal).decode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
_encode: Final = msgspec.json.Encoder().encode


def sealed(identity: Raw, encrypted: Raw, phase: str | None = None) -> str:
    """Return the signature for a reasoning item, whose id and content are raw JSON or null."""
    parts = [b'{"p":"responses"']
    if bytes(identity) != b"null":
        parts += (b',"i":', identity)
    if phase is not None:
        parts += (b',"n":', _encode([phase]))
    parts.append(b"}")
    head = _PREFIX + urlsafe_b64encode(b"".join(parts)).rstrip(b"=").decode()
    is_text = bytes(encrypted)[:1] == b'"'
    return f"{head}.{_decode_text(encrypted)}" if is_text else head


def phase_alone(phase: str) -> str:
    """Return what stands before a message that has a phase, and no reasoning before it."""
    return sealed(NULL, NULL, phase)


def opened(signature: str | None) -> Seal | None:
    """Return what a signature of ours holds; None for one of somebody else's, or none."""
    if not signature or not signature.startswith(_PREFIX):
        return None
    head, has_content, content = signature[len(_PREFIX) :].partition(".")
    try:
        seal = _decode_seal(a2b_base64(head.encode("ascii").translate(_STANDARD) + _PADDING))
    except (ValueError, msgspec.MsgspecError):
        return None
    if has_content:
        seal.e = Raw(_encode(content))
    return seal if seal.p == _ISSUER else None


def reasoning_item(seal: Seal, thinking: Raw) -> bytes:
    """Return the reasoning item that a seal holds, with the thinking that was shown of it."""
    parts = [b'{"type":"reasoning"']
    if seal.i is not NULL:
        parts += (b',"id":', seal.i)
    if is_blank(thinking):
        parts.append(b',"summary":[]')
    else:
        parts += (b',"summary":[{"type":"summary_text","text":', thinking, b"}]")
    if seal.e is not NULL:
        parts += (b',"encrypted_content":', seal.e)
    parts.append(b"}")
    return b"".join(parts)
