"""A turn of another API without its audio, which the Responses API does not take."""

from dataclasses import replace
from typing import Final

from longwire.core.rules.turn import Turn
from longwire.dialects.fields import unsayable
from longwire.dialects.members import names_of
from longwire.dialects.raw_json import NULL, map_items, splice, split_items, split_members
from longwire.dialects.responses.history import InputHistory

AUDIO: Final = "input.input_audio"
"""What audio is called where it is left out."""

_AUDIO: Final = b'{"type":"input_audio",'
"""How such a part begins: the gateway has written it."""

_CONTENTS: Final = ("content", "output")


def without_audio(turn: Turn) -> Turn:
    """Return a turn without it, which is named among what is `dropped`; item by item.

    Raises `Unsayable` where it is all that was said last.
    """
    raw = turn.input or b""
    if _AUDIO not in raw:
        return turn
    if _without_audio(bytes(split_items(raw)[-1])) is None:
        raise unsayable("input_audio", "is all that the user says last", "say it in words")
    kept = map_items(raw, _without_audio)
    source = replace(turn.source, dropped=names_of((*turn.source.dropped, AUDIO)))
    return replace(turn, input=kept, history=InputHistory(kept), source=source)


def _without_audio(item: bytes) -> bytes | None:
    if _AUDIO not in item:
        return item
    members = split_members(item)
    for name in _CONTENTS:
        content = bytes(members.get(name, NULL))
        if content[:1] != b"[":
            continue
        kept = map_items(content, lambda part: None if part.startswith(_AUDIO) else part)
        if kept != content:
            is_result = name == "output"
            if kept == b"[]" and not is_result:
                return None
            return splice(item, {name: b'""' if kept == b"[]" else kept})
    return item
