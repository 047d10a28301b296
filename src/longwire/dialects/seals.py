"""What one vendor alone can read again, sealed in an item of the Responses API with its issuer.

`lw1.`, base64url of `{"p":"anthropic","k":"redacted"}`, `.` and the content as its vendor wrote it.
It is the `encrypted_content` of a reasoning item: so every client carries it, whatever its API, and
it is sent to nobody but its issuer. What has no such seal is the Responses upstream's own.
"""

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from typing import Final

import msgspec

PREFIX: Final = "lw1."
REASONING: Final = "input.reasoning"
"""What is named where others' sealed reasoning is left out."""

RESPONSES: Final = "responses"
"""The issuer of what an upstream of the Responses API has sealed."""

_PADDING: Final = b"=="
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


class _Head(msgspec.Struct, omit_defaults=True):
    p: str
    k: str = ""


class Seal(msgspec.Struct, frozen=True):
    """What was sealed: the `kind` is its issuer's own business, as is the `content`."""

    issuer: str
    content: str
    kind: str = ""


def sealed(seal: Seal) -> str:
    """Return a seal as an `encrypted_content`."""
    head = urlsafe_b64encode(msgspec.json.encode(_Head(seal.issuer, seal.kind))).rstrip(b"=")
    return f"{PREFIX}{head.decode()}.{seal.content}"


MARK: Final = PREFIX.encode() + urlsafe_b64encode(b'{"p":"')
"""What every seal begins with: longer than its prefix, so that a long body is searched sooner."""

_SEALED: Final = f'"{PREFIX}'.encode()
_OWN: Final = f'"{sealed(Seal(RESPONSES, ""))}'.encode()


def marked(encrypted: bytes) -> bytes:
    """Return an `encrypted_content`, as raw JSON, with a seal: without one a Responses upstream's.

    So it is known again by those who pass on what they do not read.
    """
    if encrypted[:1] != b'"' or encrypted.startswith(_SEALED):
        return encrypted
    return _OWN + encrypted[1:]


def unmarked(encrypted: bytes) -> bytes:
    """Return what `marked` was given."""
    return b'"' + encrypted[len(_OWN) :] if encrypted.startswith(_OWN) else encrypted


def is_translated(encrypted: bytes) -> bool:
    """Whether a translation made an `encrypted_content`, as raw JSON: it is read beside its words.

    What a Responses upstream sealed needs none.
    """
    return encrypted.startswith(_SEALED) and not encrypted.startswith(_OWN)


def opened(encrypted: str) -> Seal:
    """Return what an `encrypted_content` holds; without a seal the Responses upstream made it.

    What has our mark and is broken has no issuer, so that nobody is sent it.
    """
    if not encrypted.startswith(PREFIX):
        return Seal(RESPONSES, encrypted)
    head, _, content = encrypted[len(PREFIX) :].partition(".")
    try:
        raw = a2b_base64(head.encode("ascii").translate(_STANDARD) + _PADDING)
        said = msgspec.json.decode(raw, type=_Head)
    except (ValueError, msgspec.MsgspecError):
        return Seal("", "")
    return Seal(said.p, content, said.k)
