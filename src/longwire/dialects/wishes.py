"""What clients wish of an answer and the Responses API has no word for, said where others have."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import PENALTIES, SEED, STOP, Source, Wish
from longwire.dialects.fields import decoded, unsayable
from longwire.dialects.losses import Losses

_MEND: Final = "leave it out, or name a model of a channel that knows it"
_decode_number: Final = msgspec.json.Decoder(float).decode
_decode_integer: Final = msgspec.json.Decoder(int).decode
_decode_texts: Final = msgspec.json.Decoder(list[str]).decode
_encode: Final = msgspec.json.Encoder().encode


def wishes_of(
    members: Mapping[str, bytes], names: Mapping[str, str], stops: Collection[str], at: str = ""
) -> tuple[Wish, ...]:
    """Return the wishes among members, whose `names` each dialect has by their kinds.

    They stand at a path. Raises `InvalidRequest`, which names the field.
    """
    found: list[Wish] = []
    for kind, name in names.items():
        raw, path = members.get(name, b"null"), at + name
        if kind == STOP:
            found += [Wish(kind, path, _encode([*stops]))] if stops else []
        elif raw != b"null":
            decoded(_decode_integer if kind == SEED else _decode_number, raw, path)
            found.append(Wish(kind, path, raw))
    return tuple(found)


def refusal_of(source: Source) -> InvalidRequest | None:
    """Return why no channel of a model can serve a turn, if a wish or its audio is the reason."""
    named = [each.name for each in source.wishes if each.kind in PENALTIES]
    if source.has_audio:
        named.append("input_audio")
    return unsayable(named[0], "is known to no channel of this model", _MEND) if named else None


def unheard(source: Source) -> tuple[str, ...]:
    """Return the names of what the Responses API leaves out; the gateway itself ends an answer."""
    return tuple(each.name for each in source.wishes if each.kind != STOP)


def said_wishes(
    source: Source, words: Mapping[str, str], losses: Losses, most_stops: int = 0
) -> Iterator[tuple[str, bytes]]:
    """Give members that say wishes, in the words that an upstream has for their kinds.

    It may take so many stop sequences; at all others the gateway cuts. Raises `Unsayable`.
    """
    for kind, name, value in source.wishes:
        if kind == STOP:
            stops = _sought(value)[: most_stops or None]
            if stops and kind in words:
                yield words[kind], _encode(stops)
        elif kind in words:
            yield words[kind], value
        elif kind == SEED:
            losses.drop(name)
        else:
            losses.refuse(name, "is not known to this upstream")


def _sought(value: bytes) -> list[str]:
    """Return stop sequences without those of white space alone, which some upstreams refuse."""
    return [text for text in _decode_texts(value) if text.strip()]
