"""Ids of calls as a vendor takes them. Law: they follow from what they stand for alone."""

import re
from typing import Final

from blake3 import blake3

from longwire.dialects.chat_completions.chunks import decode_text
from longwire.dialects.profiles.profile import Profile

_NINE: Final = re.compile("[A-Za-z0-9]{9}")
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def call_id(raw: bytes, profile: Profile) -> bytes:
    """Return the id of a call, as raw JSON, as the vendor takes it; Mistral wants nine letters."""
    if profile.call_ids == "any":
        return raw
    own = decode_text(raw)
    return raw if _NINE.fullmatch(own) else b'"%b"' % _nine(own).encode()


def _nine(own: str) -> str:
    number = int.from_bytes(blake3(own.encode("utf-8", "surrogatepass")).digest(length=8))
    digits = []
    for _ in range(9):
        number, rest = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[rest])
    return "".join(digits)
