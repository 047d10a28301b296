"""Requests as they are refused where nothing but a Responses upstream may serve them."""

from longwire.core.rules.turn import Turn


def sayable(turn: Turn) -> Turn:
    """The turn, as the Responses API can say it. Raises its refusal where that cannot be."""
    if turn.source.refusal is not None:
        raise turn.source.refusal
    return turn
