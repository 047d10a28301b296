"""JSON reduced to one spelling: equal digests mean equal JSON values, and never anything else.

Key order, whitespace and escapes do not count; numbers keep their digits as written, unless they
are decoded by their values. A value with a repeated key has no single meaning and is refused.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from blake3 import blake3

from longwire.core.rules.turn import Digest

_LONGEST_INTEGER = 18
_MARKS = ("#", "\\u0023")
Json = Any
"""Decoded JSON: None, bool, int, str, list, dict, and `{"#": "1.50"}` for other numbers."""
Number = Callable[[str], Json]


class AmbiguousJson(ValueError):
    """The text is no JSON, repeats a key, or nests too deeply to be compared."""


def _integer(spelling: str) -> Json:
    # Longer ones do not fit the encoder, and -0 would lose its sign.
    if len(spelling) < _LONGEST_INTEGER and spelling != "-0":
        return int(spelling)
    return {"#": spelling}


def _number(spelling: str) -> Json:
    return {"#": spelling}


def _value(spelling: str) -> Json:
    """Decode a number to its exact decimal value: 1.50, 1.5 and 15e-1 are one, and no float is."""
    try:
        sign, digits, exponent = Decimal(spelling).as_tuple()
    except InvalidOperation:
        return {"#": spelling}  # its exponent has eighteen digits and more
    written = "".join(map(str, digits))
    significant = written.rstrip("0")
    if not significant:
        return 0
    scale = int(exponent) + len(written) - len(significant)
    if scale >= 0 and len(significant) + scale < _LONGEST_INTEGER:
        return int(significant) * 10**scale * (-1 if sign else 1)
    return {"#": f"{'-' if sign else ''}{significant}e{scale}"}


def _integer_value(spelling: str) -> Json:
    return int(spelling) if len(spelling) < _LONGEST_INTEGER else _value(spelling)


def _object(pairs: list[tuple[str, Json]]) -> Json:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise AmbiguousJson("an object repeats a key")
    return value


def _object_with_marks(pairs: list[tuple[str, Json]]) -> Json:
    # "#" alone stands for a number, so real keys that begin with it are set apart.
    return _object([("#" + key if key[:1] == "#" else key, member) for key, member in pairs])


def _refuse_constant(name: str) -> Json:
    raise AmbiguousJson(f"{name} is not JSON")


def _decoders(integer: Number, number: Number) -> tuple[json.JSONDecoder, json.JSONDecoder]:
    """Return the decoders of texts without and with marks."""
    plain, with_marks = (
        json.JSONDecoder(
            object_pairs_hook=of_object,
            parse_int=integer,
            parse_float=number,
            parse_constant=_refuse_constant,
        )
        for of_object in (_object, _object_with_marks)
    )
    return plain, with_marks


_as_written = _decoders(_integer, _number)
_by_value = _decoders(_integer_value, _value)
_encode = msgspec.json.Encoder(order="sorted").encode
_encode_surrogates: Callable[[Json], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True
).encode


def decode(text: str) -> Json:
    """Decode JSON exactly. Raises `AmbiguousJson` when it has no single meaning."""
    return _decode(text, *_as_written)


def decode_values(text: str) -> Json:
    """Decode JSON with its numbers by their exact values. Raises `AmbiguousJson` as `decode`."""
    return _decode(text, *_by_value)


def _decode(text: str, plain: json.JSONDecoder, with_marks: json.JSONDecoder) -> Json:
    decoder = with_marks if _MARKS[0] in text or _MARKS[1] in text else plain
    try:
        return decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise AmbiguousJson(str(error)) from error


def digest(value: Json) -> Digest:
    """Digest a decoded value in its one spelling."""
    try:
        return Digest(blake3(_encode(value)).digest())
    except UnicodeEncodeError:
        # Half a surrogate pair, which only an escape inside a text of JSON can bring.
        return digest_bytes(b"surrogates", _encode_surrogates(value).encode())


def digest_bytes(*parts: bytes) -> Digest:
    """Digest byte strings, kept apart by their lengths."""
    sized = bytearray()
    for part in parts:
        sized += len(part).to_bytes(8, "big")
        sized += part
    return Digest(blake3(sized).digest())
