"""Reasoning of a vendor as it is sealed in our items, and as its next request brings it back.

A seal holds the text itself; of the kind `details` the array that OpenRouter wants to see again;
of the kind `call` an object with the id of a call and its `extra_content`, as Gemini writes it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.chunks import decode_any, decode_text
from longwire.dialects.raw_json import split_items, tolerant
from longwire.dialects.responses.output import joined
from longwire.dialects.seals import Seal, opened, sealed

_DETAILS, _CALL = "details", "call"
_SHOWN: Final = {"reasoning.text": "text", "reasoning.summary": "summary"}
_GROWING: Final = frozenset({"text", "summary", "data"})


class _Extra(msgspec.Struct):
    call_id: str
    extra_content: Raw


_decode_extra: Final = tolerant(msgspec.json.Decoder(_Extra).decode)


class _Detail:
    """One detail under way, the texts of it in pieces."""

    __slots__ = ("_members", "_texts")

    def __init__(self) -> None:
        self._members: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}

    def goes_on_with(self, detail: dict[str, Any]) -> bool:
        """Whether it is more of this one: it has the same place."""
        is_same = all(self._members.get(name) == detail.get(name) for name in ("type", "index"))
        return is_same and isinstance(detail.get("index"), int)

    def add(self, detail: dict[str, Any]) -> None:
        """Take a piece: what is no text that grows replaces what was before."""
        for name, value in detail.items():
            if name in _GROWING and isinstance(value, str):
                if not isinstance(self._members.get(name), str):
                    self._texts[name] = []
                self._members[name] = ""
                self._texts[name].append(value)
            elif value is not None or name not in self._members:
                self._members[name] = value

    def whole(self) -> dict[str, Any]:
        """Return all of it, its members in the order in which they came."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        return {
            name: texts[name] if name in texts and value == "" else value
            for name, value in self._members.items()
        }


class Reasoned:
    """Reasoning under way: its text in `pieces` of raw JSON, and its details."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.pieces: list[bytes] = []
        self._details: list[_Detail] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self.pieces and not self._details

    def add(self, piece: bytes) -> None:
        """Take more of the text."""
        self.pieces.append(piece)

    def add_details(self, raw: bytes) -> bytes:
        """Take more of the details, and return the text that is in them."""
        shown: list[str] = []
        found = decode_any(raw)
        for each in found if isinstance(found, list) else ():
            if isinstance(each, dict):
                text = each.get(_SHOWN.get(str(each.get("type")), ""))
                shown += [text] if isinstance(text, str) and text else []
                self._merge(each)
        return msgspec.json.encode("".join(shown)) if shown else b""

    def _merge(self, detail: dict[str, Any]) -> None:
        """Put a piece of a detail behind the pieces before it: deltas have the same place."""
        last = self._details[-1] if self._details else None
        if last is None or not last.goes_on_with(detail):
            last = _Detail()
            self._details.append(last)
        last.add(detail)

    def seal(self) -> bytes:
        """Return what is under way as the raw `encrypted_content` of its item, and begin anew."""
        pieces, details = self.pieces, self._details
        self.pieces, self._details = [], []
        if not self._issuer or not (pieces or details):
            return b"null"
        if details:
            text = msgspec.json.encode([each.whole() for each in details]).decode()
            return msgspec.json.encode(sealed(Seal(self._issuer, text, _DETAILS)))
        return b'"%b%b' % (sealed(Seal(self._issuer, "")).encode(), joined(pieces)[1:])


def sealed_extra(issuer: str, call_id: bytes, extra: bytes) -> bytes:
    """Return what a vendor says of a call as the raw `encrypted_content` of an item."""
    text = b'{"call_id":%b,"extra_content":%b}' % (call_id, extra)
    return msgspec.json.encode(sealed(Seal(issuer, text.decode(), _CALL)))


@dataclass(slots=True)
class Recalled:
    """What is known of the reasoning of one message: texts and details, as raw JSON."""

    texts: list[bytes] = field(default_factory=list)
    details: list[bytes] = field(default_factory=list)

    def recall(self, encrypted: Raw, issuer: str, extras: dict[str, bytes]) -> bool:
        """Take the seal of an item, if the issuer made it; say whether it was that.

        What it says of a call is kept in `extras` by the id of the call.
        """
        if not issuer or bytes(encrypted)[:1] != b'"':
            return False
        seal = opened(decode_text(encrypted))
        if seal.issuer != issuer:
            return False
        try:
            if seal.kind == _CALL:
                extra = _decode_extra(seal.content.encode())
                extras[extra.call_id] = bytes(extra.extra_content)
            elif seal.kind == _DETAILS:
                self.details += map(bytes, split_items(seal.content.encode()))
            else:
                self.texts.append(msgspec.json.encode(seal.content))
        except msgspec.MsgspecError:
            return False  # a client has changed it
        return True
