"""A turn of which nothing but the model was understood: for an upstream of its client's own API."""

from collections.abc import Sequence
from dataclasses import replace

from longwire.core.rules.turn import CanonicalItem, Source, Turn
from longwire.dialects.responses.history import BodyProperties, InputHistory

_NO_ITEMS = b"[]"


def unread_turn(source: Source, model: str, raw_model: bytes, *, streams: bool) -> Turn:
    """Return the turn; its `source` has the body, and says why the rest was not understood."""
    members = {"model": raw_model}
    return Turn(
        source=replace(source, is_unread=True),
        model=model,
        members=members,
        input=_NO_ITEMS,
        history=InputHistory(_NO_ITEMS),
        properties=BodyProperties(members),
        image=_no_image,
        streams=streams,
    )


def _no_image(_output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return nothing that a client sends back: what it was shown was never understood."""
    return None
