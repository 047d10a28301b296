"""What a vendor's model has thought, in a body of a client that is passed on as it is.

A history may have been made by several vendors of one API, and each reads its own alone. Law: what
is left out follows from the messages before it alone, as `responses/sealed` has it for items.
"""

from collections.abc import Callable, Collection, Container, Mapping, Sequence
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
    found = [digest for _, digest in _thoughts(turn) if digest]
    return found[-1] if found else None


def chain_of(turn: Turn) -> Sequence[bytes]:
    """Digest what each of the messages brings that bring anything, with all that came before it."""
    chain = [b""]
    for _, digest in _thoughts(turn):
        if digest:
            chain.append(blake3(chain[-1] + digest).digest(length=16))
    return chain[1:]


def without_thoughts_to(turn: Turn, ends: Collection[bytes]) -> Turn:
    """Return a turn whose body has nothing of it up to the last of those that `ends` digest."""
    found = [digest for _, digest in _thoughts(turn) if digest]
    count = max((at for at, digest in enumerate(found, 1) if digest in ends), default=0)
    return without_thoughts_at(turn, range(count))


def without_thoughts_at(turn: Turn, places: Container[int]) -> Turn:
    """Return a turn whose body has nothing of it at these places of its chain."""
    kept: list[bytes] = []
    at, thoughts = -1, _thoughts(turn)
    without = _PLACES[turn.source.api].without if thoughts else bytes
    for message, digest in thoughts:
        at += bool(digest)
        kept.append(without(message) if digest and at in places else message)
    if kept == [message for message, _ in thoughts]:
        return turn
    raw = b"[%b]" % b",".join(filter(None, kept))
    member = _PLACES[turn.source.api].member
    body = splice(turn.source.body.removeprefix(BOM), {member: raw})
    return replace(turn, source=replace(turn.source, body=body))


def _thoughts(turn: Turn) -> list[tuple[bytes, bytes | None]]:
    """Return the messages of a body, each with the digest of what it brings; none without any."""
    place = _PLACES.get(turn.source.api)
    messages = [] if place is None else _messages(turn, place)
    return [] if place is None else [(each, _digest(each, place)) for each in messages]


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
