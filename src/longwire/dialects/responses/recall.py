"""A response that a client names by its id alone: its history is put in the place of the id.

Law: a history is kept whole or not at all, each item byte for byte.
"""

from dataclasses import replace

import msgspec

from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.transcript import Link
from longwire.core.rules.turn import Turn
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.history import InputHistory
from longwire.dialects.responses.image import output_of
from longwire.dialects.responses.items import user_message


class _Output(msgspec.Struct):
    type: str | None = None
    encrypted_content: str | None = None


_decode_output = tolerant(msgspec.json.Decoder(_Output).decode)


def with_history(turn: Turn, link: Link) -> Turn:
    """Return a turn that names a response with that response's history in place of the id."""
    parts = (*link.history(), _inside(turn.input))
    raw = b"[" + b",".join(part for part in parts if part) + b"]"
    return replace(
        turn,
        input=raw,
        history=InputHistory(raw),
        previous_response_id=None,
        source=replace(turn.source, recalled=link.length),
    )


def as_received(turn: Turn) -> Turn:
    """Return a turn as its client sent it."""
    named = turn.source.previous_response_id
    if turn.previous_response_id == named:
        return turn
    own = turn.history.suffix(turn.source.recalled)
    return replace(turn, input=own, previous_response_id=named)


def link_of(turn: Turn, aggregate: Aggregate, parent: Link | None) -> Link | None:
    """Return what a turn and its answer add to the history of `parent`.

    None where that cannot be sent again in full: the turn refers to what is not known here, the
    response has no id, or its reasoning could be sent back by reference alone.
    """
    terminal = aggregate.terminal
    if terminal is None or not terminal.response_id or turn.refers_outside:
        return None
    output = output_of(aggregate)
    if not all(map(_is_whole, output)):
        return None
    recalled = turn.source.recalled
    own = turn.history.suffix(recalled) if recalled else turn.input
    items = b",".join(part for part in (_inside(own), *output) if part)
    return Link(terminal.response_id, parent, items, len(turn.history) + len(output))


def _inside(raw_input: bytes | None) -> bytes:
    """Return an input as items inside an array."""
    if raw_input is None:
        return b""
    return raw_input[1:-1].strip() if raw_input[:1] == b"[" else user_message(raw_input)


def _is_whole(item: bytes) -> bool:
    """Whether an output item says all that it is: reasoning without its content does not."""
    try:
        output = _decode_output(item)
    except msgspec.MsgspecError:
        return False
    return output.type != "reasoning" or bool(output.encrypted_content)
