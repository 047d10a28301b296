"""What a vendor's model has thought, in a body of a client that is passed on as it is.

A history may have been made by several vendors of one API, and each reads its own alone. Law: what
is left out follows from the messages before it alone, as `responses/sealed` has it for items.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec
from blake3 import blake3

from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.foreign import THOUGHTS, thoughts_in, without_thoughts
from longwire.dialects.generate_content.foreign import SIGNED, signatures_in, unsigned_content
from longwire.dialects.messages.thoughts import SEALED, sealed_in, without_sealed
from longwire.dialects.passing import BOM
from longwire.dialects.raw_json import NULL, splice, split_items, split_members


class _Place(NamedTuple):
    """Where an API has it: the member with the messages, what each brings, and each without that.

    A body without any of the `marks` has none of it. A message may be nothing without (b"").
    """

    member: str
    marks: tuple[bytes, ...]
    found: Callable[[bytes], bytes]
    without: Callable[[bytes], bytes]


_PLACES: Final[Mapping[str, _Place]] = {
    "messages": _Place("messages", SEALED, sealed_in, without_sealed),
    "chat_completions": _Place("messages", THOUGHTS, thoughts_in, without_thoughts),
    "generate_content": _Place("contents", SIGNED, signatures_in, unsigned_content),
}


def last_thought(turn: Turn) -> bytes | None:
    """Digest the last of what a turn's own body brings, None where it brings nothing."""
    place = _PLACES.get(turn.source.api)
    if place is None:
        return None
    found = [digest for each in _messages(turn, place) if (digest := _digest(each, place))]
    return found[-1] if found else None


def without_thoughts_to(turn: Turn, ends: Collection[bytes]) -> Turn:
    """Return a turn whose body has nothing of it up to the last of those that `ends` digest."""
    place = _PLACES.get(turn.source.api)
    messages = [] if place is None else _messages(turn, place)
    if place is None or not messages:
        return turn
    digests = [_digest(each, place) for each in messages]
    count = max((at for at, digest in enumerate(digests, 1) if digest in ends), default=0)
    if not count:
        return turn
    pairs = zip(messages[:count], digests[:count], strict=True)
    kept = [place.without(each) if digest else each for each, digest in pairs]
    raw = b"[%b]" % b",".join(filter(None, [*kept, *messages[count:]]))
    body = splice(turn.source.body.removeprefix(BOM), {place.member: raw})
    return replace(turn, source=replace(turn.source, body=body))


def _messages(turn: Turn, place: _Place) -> list[bytes]:
    body = turn.source.body
    if not any(mark in body for mark in place.marks):
        return []
    try:
        raw = bytes(split_members(body.removeprefix(BOM)).get(place.member, NULL))
        return [bytes(each) for each in split_items(raw)] if raw[:1] == b"[" else []
    except msgspec.MsgspecError:
        return []


def _digest(message: bytes, place: _Place) -> bytes | None:
    if message[:1] != b"{" or not any(mark in message for mark in place.marks):
        return None
    try:
        found = place.found(message)
    except msgspec.MsgspecError:
        return None
    return blake3(found).digest(length=16) if found else None
