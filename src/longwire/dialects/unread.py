"""A turn of which nothing but the model was understood: for an upstream of its client's own API."""

from collections.abc import Sequence
from dataclasses import replace

from longwire.core.errors import Unsayable
from longwire.core.rules.turn import CanonicalItem, Source, Turn
from longwire.dialects.responses.history import BodyProperties, InputHistory

_NO_ITEMS = b"[]"
_CHANGED = "The channels of this model have just changed; send the request again."
"""Why a turn cannot be served that was not read, for all that could serve it would pass it on."""


def unread_turn(
    source: Source, model: str, raw_model: bytes, *, streams: bool, session: str = ""
) -> Turn:
    """Return the turn; its `source` has the body, and says why the rest was not understood.

    Where it does not say, nobody had to understand it.
    """
    members = {"model": raw_model}
    return Turn(
        source=replace(source, is_unread=True, refusal=source.refusal or Unsayable(_CHANGED)),
        model=model,
        members=members,
        input=_NO_ITEMS,
        history=InputHistory(_NO_ITEMS),
        properties=BodyProperties(members),
        image=_no_image,
        streams=streams,
        session_hints=(session,),
    )


def never(_model: str) -> bool:
    """Return that turns of a model are read."""
    return False


def _no_image(_output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return nothing that a client sends back: what it was shown was never understood."""
    return None
