"""What a client will send back of an answer: the blocks it was shown, as it would send them."""

from collections.abc import Sequence

from msgspec import Raw

from longwire.core.rules.turn import CanonicalItem
from longwire.dialects.messages.assistant import assistant_items
from longwire.dialects.messages.ids import upstream_call_id
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import Content, item_of
from longwire.dialects.responses.items import canonical_item


def image_of(options: Options, output: Sequence[bytes]) -> tuple[CanonicalItem, ...] | None:
    """Return the canonical items of an answer as its client will send them back.

    None for one that a stop sequence has cut. An answer whose calls have other ids in the replay
    cannot be gone on from: the upstream holds something else. Then it is the output itself, which
    no such replay equals.
    """
    content = Content(output, options)
    if content.stop_sequence is not None:
        return None
    if any(map(_is_renamed, output)):
        return tuple(map(canonical_item, output))
    return tuple(map(canonical_item, assistant_items(Raw(content.raw), "content", [])))


def _is_renamed(raw: bytes) -> bool:
    """Whether it is a call that the client sends back by another id, or that has none."""
    item = item_of(raw)
    if item.type != "function_call":
        return False
    return not item.call_id or upstream_call_id(item.call_id) != item.call_id
