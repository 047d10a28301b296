"""JSON reduced to one spelling: equal digests mean equal JSON values, and never anything else.

Key order, whitespace and escapes do not count; numbers keep their digits as written. A value with
a repeated key has no single meaning and is refused.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from blake3 import blake3

from longwire.core.rules.turn import Digest

_LONGEST_INTEGER = 18
_MARKS = ("#", "\\u0023")
Json = Any
"""Decoded JSON: None, bool, int, str, list, dict, and `{"#": "1.50"}` for other numbers."""


class AmbiguousJson(ValueError):
    """The text is no JSON, repeats a key, or nests too deeply to be compared."""


def _integer(spelling: str) -> Json:
    # Longer ones do not fit the encoder, and -0 would lose its sign.
    if len(spelling) < _LONGEST_INTEGER and spelling != "-0":
        return int(spelling)
    return {"#": spelling}


def _number(spelling: str) -> Json:
    return {"#": spelling}


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


def _decoder(of_object: Callable[[list[tuple[str, Json]]], Json]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=of_object,
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_refuse_constant,
    )


_plain = _decoder(_object)
_with_marks = _decoder(_object_with_marks)
_encode = msgspec.json.Encoder(order="sorted").encode
_encode_surrogates: Callable[[Json], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True
).encode


def decode(text: str) -> Json:
    """Decode JSON exactly. Raises `AmbiguousJson` when it has no single meaning."""
    decoder = _with_marks if _MARKS[0] in text or _MARKS[1] in text else _plain
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
