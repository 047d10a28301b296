"""What travels through the client in a `thoughtSignature`: reasoning, and the id of a call.

Base64, as the API wants it, of `lw1.{"r":[{"i":"rs_1","e":"gAAA"}],"c":"call_1","n":"commentary"}`:
the reasoning before this part, the call that it is, the phase of the message that begins here. It
is no secret: a client of the Responses API holds the same. Law: nothing of it is ever shown.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.messages.render import Item
from longwire.dialects.raw_json import NULL
from longwire.dialects.seals import is_translated

_MARK: Final = b"lw1."
BEGINNING: Final = b64encode(_MARK[:3]).decode()
"""How a signature of ours begins."""

_EMPTY: Final = b'""'
_PADDING: Final = b"=="
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_DUMMIES: Final = frozenset(
    {b"skip_thought_signature_validator", b"context_engineering_is_the_way_to_go"}
)
"""What clients send in place of a signature, so that nobody asks for one."""


class Reasoned(msgspec.Struct, omit_defaults=True):
    """A reasoning item: its id, what is encrypted, and its words, as raw JSON.

    Words travel with what a translation has sealed: other vendors read a seal beside them alone,
    and clients may leave thoughts out.
    """

    i: Raw = NULL
    e: Raw = NULL
    s: Raw = NULL

    @classmethod
    def of(cls, item: Item) -> "Reasoned":
        """Return what travels of an item."""
        words = item.thoughts if is_translated(bytes(item.encrypted_content)) else _EMPTY
        return cls(item.id, item.encrypted_content, NULL if words == _EMPTY else Raw(words))

    def item(self) -> bytes:
        """Return the item."""
        own_id = b'"id":%b,' % bytes(self.i) if bytes(self.i) != b"null" else b""
        encrypted = bytes(self.e)
        sealed = b',"encrypted_content":%b' % encrypted if encrypted != b"null" else b""
        words = bytes(self.s)
        summary = b'{"type":"summary_text","text":%b}' % words if words[:1] == b'"' else b""
        return b'{"type":"reasoning",%b"summary":[%b]%b}' % (own_id, summary, sealed)


class Signature(msgspec.Struct, omit_defaults=True):
    """What one signature of ours holds."""

    r: Sequence[Reasoned] = ()
    c: str = ""
    n: str | None = None

    def encode(self) -> bytes:
        """Return it as a raw JSON text."""
        return b'"%b"' % b64encode(_MARK + _encode(self))


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Signature).decode
NOTHING: Final = Signature()


def opened(signature: str) -> Signature | None:
    """Return what a signature of ours holds, nothing for a dummy; None for somebody else's.

    Clients write base64 in either of its alphabets, with its padding or without.
    """
    written = signature.encode("ascii", "replace")
    if written in _DUMMIES:
        return NOTHING
    try:
        content = a2b_base64(written.translate(_STANDARD) + _PADDING)
        if not signature.startswith(BEGINNING) or not content.startswith(_MARK):
            return NOTHING if content in _DUMMIES else None
        return _decode(content[len(_MARK) :])
    except (ValueError, msgspec.MsgspecError):
        return None
